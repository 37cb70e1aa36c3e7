//! Who calls? `Authorization: OAuth <session>`, or `ZStack <key id>:<signature>` over verb, date
//! and path, as ZStack's public SDK signs them.

use crate::clock;
use crate::encode;
use crate::wire::{Call, Reply};

use super::access_keys::AccessKeys;
use super::date;
use super::failure::{ErrorCode, refuse};
use super::sessions::Sessions;
use super::switches::Switches;

/// The outer error is the REST layer's; the inner one is the API's, which an asynchronous API
/// reports through its job.
pub(super) fn admit(
    sessions: &mut Sessions,
    keys: &AccessKeys,
    switches: Switches,
    call: &Call<'_>,
) -> Result<Result<(), ErrorCode>, Reply> {
    let Some(authorization) = call.request.header("authorization") else {
        return Err(refuse(400, "missing header 'Authorization'"));
    };
    match authorization.split_once(' ') {
        Some(("OAuth", session)) => Ok(sessions.touch(session.trim(), call.now)),
        Some(("ZStack", value)) => access_key(keys, switches, call, value.trim()).map(Ok),
        _ => Err(refuse(400, "illegal header 'Authorization'")
            .verdict("expected `OAuth <session>` or `ZStack <id>:<signature>`")),
    }
}

fn access_key(
    keys: &AccessKeys,
    switches: Switches,
    call: &Call<'_>,
    value: &str,
) -> Result<(), Reply> {
    let Some((id, signature)) = value
        .split_once(':')
        .filter(|(id, sig)| !id.is_empty() && !sig.is_empty())
    else {
        return Err(refuse(
            400,
            "illegal header 'Authorization': expected accessKeyId:signature",
        ));
    };
    let Some(text) = call.request.header("date") else {
        return Err(refuse(400, "missing header 'Date'"));
    };
    check_date(switches, call, text)?;
    let Some(secret) = keys.enabled_secret(id) else {
        return Err(refuse(
            403,
            format!("access key id: {id} does not existed or disabled"),
        ));
    };
    let to_sign = string_to_sign(&call.request.method, text, call.request.path());
    let expected = encode::base64(&encode::hmac_sha1(secret.as_bytes(), to_sign.as_bytes()));
    if expected == signature {
        Ok(())
    } else {
        Err(refuse(403, "wrong accessKey signature").verdict(format!(
            "expected a signature over {to_sign:?}, got {signature}"
        )))
    }
}

/// The path counts decoded and without the context path.
fn string_to_sign(method: &str, date: &str, path: &str) -> String {
    let path = encode::unpercent(path);
    let uri = path.strip_prefix("/zstack").unwrap_or(&path);
    format!("{method}\n{date}\n{uri}")
}

fn check_date(switches: Switches, call: &Call<'_>, text: &str) -> Result<(), Reply> {
    let Some((wall, zone)) = date::parse(text) else {
        return Err(refuse(400, format!("illegal header 'Date': {text}"))
            .verdict(format!("expected EEE, dd MMM yyyy HH:mm:ss z, got {text}")));
    };
    if !call.strict_time {
        return Ok(());
    }
    // By default the server takes the text for its own wall clock and ignores the zone.
    let own = switches.utc_offset;
    let offset = if switches.check_time_zone {
        date::offset(zone).ok_or_else(|| {
            refuse(400, format!("illegal header 'Date': {text}"))
                .verdict("the time zone is unknown here")
        })?
    } else {
        own
    };
    match clock::instant(wall, offset) {
        Some(at) if clock::within_window(at, call.now) => Ok(()),
        _ => Err(refuse(403, "requestTimeTooSkewed").verdict(format!(
            "the server's wall clock shows {}, the request says {text}",
            clock::wall(call.now, own)
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recomputed with ZStack's public Java SDK.
    #[test]
    fn access_key_vectors() {
        let secret = "abcdefghij1234567890abcdefghij1234567890";
        let date = "Thu, 01 Jan 2026 08:00:00 GMT+08:00";
        for (method, uri, signature) in [
            ("GET", "/v1/accesskeys", "/QP8i6rR3h11NLbhtpmILNqBtIY="),
            (
                "PUT",
                "/v1/accesskeys/defe79b1a43f35818dc6d3959b571773/actions",
                "JTWnSWntNcxt16evv+h69pYJFWs=",
            ),
        ] {
            let to_sign = string_to_sign(method, date, &format!("/zstack{uri}"));
            let mac = encode::hmac_sha1(secret.as_bytes(), to_sign.as_bytes());
            assert_eq!(encode::base64(&mac), signature, "{to_sign}");
        }
    }
}
