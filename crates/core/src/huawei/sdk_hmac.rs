//! Which string does Open Telekom Cloud's and Huawei Cloud's SDK-HMAC-SHA256 sign?
//!
//! Method, path, query, chosen headers and the body's hash, hashed together, after the time of
//! `X-Sdk-Date`. Three things surprise: the signed path always ends with `/`, though the one on the
//! wire does not; an escaped slash (`%2F`) is signed as a plain one; and a body that is not JSON is
//! not signed at all ([`payload_hash`]). Source: Huawei Cloud, "API Request Signing Guide", and the
//! vendor's SDK core for Python and Go.

use std::borrow::Cow;

use zeroize::Zeroizing;

use crate::sign::{
    CanonicalRequest, EMPTY_SHA256, Signed, authorization, canonical, hmac_sha256, percent,
    sha256_hex,
};

const ALGORITHM: &str = "SDK-HMAC-SHA256";

/// Stands in place of the body's hash, and as the value of the `X-Sdk-Content-Sha256` header, where
/// the body is not signed.
pub const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// How the key and the `Authorization` header are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style<'a> {
    /// The documented form, `Access={key id}`: the key is the secret itself.
    #[default]
    Access,
    /// The older form, `Credential={key id}/{scope}`: the key is derived for a day, region and
    /// service. Older clients of Open Telekom Cloud send both names empty, and it accepts that.
    Scoped {
        /// Region such as `eu-de`, or empty.
        region: &'a str,
        /// Service such as `apig`, or empty.
        service: &'a str,
    },
}

/// The path in the form that is signed, from the path as it goes on the wire: escapes are resolved,
/// each segment is encoded afresh, and a closing `/` is added where it is missing.
///
/// A `%` that starts no escape stands for itself.
pub fn canonical_uri(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut out = String::with_capacity(bytes.len() + 1);
    // As in the encoder: runs that stay as they are, all of them ASCII, are copied whole.
    let mut run = 0;
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'/' || percent::is_unreserved(bytes[at]) {
            at += 1;
            continue;
        }
        if run < at {
            out.push_str(&path[run..at]);
        }
        let (byte, width) = match escape(&bytes[at..]) {
            Some(byte) => (byte, 3),
            None => (bytes[at], 1),
        };
        if byte == b'/' {
            out.push('/');
        } else {
            percent::push_byte(&mut out, byte);
        }
        at += width;
        run = at;
    }
    if run < at {
        out.push_str(&path[run..]);
    }
    if !out.ends_with('/') {
        out.push('/');
    }
    out
}

/// The byte that an escape at the start of `bytes` stands for.
fn escape(bytes: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = bytes else {
        return None;
    };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    Some((digit(*high)? * 16 + digit(*low)?) as u8)
}

/// What stands for the body in the signature, and whether the request must carry (and sign) the
/// header `X-Sdk-Content-Sha256: UNSIGNED-PAYLOAD`.
///
/// A body is signed when it is JSON or BSON or its type is not stated. With any other type the
/// header is due even without a body, but an empty body still counts as the hash of nothing.
pub fn payload_hash(content_type: Option<&str>, body: &[u8]) -> (Cow<'static, str>, bool) {
    let unsigned = content_type.is_some_and(|value| {
        !starts_with(value, "application/json") && !starts_with(value, "application/bson")
    });
    let hash = if body.is_empty() {
        Cow::Borrowed(EMPTY_SHA256)
    } else if unsigned {
        Cow::Borrowed(UNSIGNED_PAYLOAD)
    } else {
        Cow::Owned(sha256_hex(body))
    };
    (hash, unsigned)
}

fn starts_with(value: &str, prefix: &str) -> bool {
    value
        .get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// Signs a request at `date` (`YYYYMMDDTHHMMSSZ`, UTC), which must also be its `x-sdk-date` header.
///
/// Headers with `_` in their name are left out, as by the vendor's signers: not every proxy on the
/// way passes them on.
pub fn sign(
    style: Style<'_>,
    key_id: &str,
    secret: &str,
    date: &str,
    request: &CanonicalRequest<'_>,
) -> Signed {
    let (canonical_request, signed_headers) = canonical(request, |name| !name.contains('_'));
    let hash = sha256_hex(canonical_request.as_bytes());
    let (credential, string_to_sign, mac) = match style {
        Style::Access => {
            let text = [ALGORITHM, "\n", date, "\n", &hash].concat();
            let mac = hmac_sha256(secret.as_bytes(), text.as_bytes());
            (["Access=", key_id].concat(), text, mac)
        }
        Style::Scoped { region, service } => {
            let day = date.get(..8).unwrap_or(date);
            let scope = [day, "/", region, "/", service, "/sdk_request"].concat();
            let text = [ALGORITHM, "\n", date, "\n", &scope, "\n", &hash].concat();
            let key = scoped_key(secret, [day, region, service, "sdk_request"]);
            let mac = hmac_sha256(&*key, text.as_bytes());
            (["Credential=", key_id, "/", &scope].concat(), text, mac)
        }
    };
    let parts = [
        ALGORITHM,
        " ",
        &credential,
        ", SignedHeaders=",
        &canonical_request[signed_headers],
        ", Signature=",
    ];
    let authorization = authorization(&parts, &mac);
    Signed {
        authorization,
        canonical_request,
        string_to_sign,
    }
}

fn scoped_key(secret: &str, steps: [&str; 4]) -> Zeroizing<[u8; 32]> {
    let [first, rest @ ..] = steps;
    let mut seed = Zeroizing::new(Vec::with_capacity(3 + secret.len()));
    seed.extend_from_slice(b"SDK");
    seed.extend_from_slice(secret.as_bytes());
    let mut key = Zeroizing::new(hmac_sha256(&seed, first.as_bytes()));
    for step in rest {
        *key = hmac_sha256(&*key, step.as_bytes());
    }
    key
}

#[cfg(test)]
mod tests;
