//! Was it the gateway that refused, or the backend that answered?

use std::time::Duration;

use http::HeaderMap;
use serde_json::Value;

use super::NAME;
use crate::{Error, Kind};

/// A refusal of the gateway is no larger.
pub(super) const LARGEST: usize = 64 << 10;

/// Whether an answer may be a refusal, by what comes before its body.
pub(super) fn may_be(status: u16, headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let is_json = text("content-type").is_none_or(|kind| kind.contains("json"));
    let length = text("content-length").and_then(|length| length.parse::<usize>().ok());
    status >= 400 && is_json && length.is_none_or(|length| length <= LARGEST)
}

/// The gateway's refusal, when the answer is one.
pub(super) fn of(status: u16, headers: &HeaderMap, body: &[u8]) -> Option<Error> {
    if status < 400 || body.len() > LARGEST {
        return None;
    }
    let body: Value = serde_json::from_slice(body).ok()?;
    let text = |name: &str| body[name].as_str();
    let code = text("error_code")?;
    // The gateway that clouds share, in front of the dedicated ones, says `APIGW`.
    let digits = code
        .strip_prefix("APIG.")
        .or_else(|| code.strip_prefix("APIGW."))?;
    let message = text("error_msg")?;
    let id = text("request_id")?;
    // A backend that is a gateway too has ids of its own.
    let own = headers.get("x-request-id").and_then(|id| id.to_str().ok());
    if own.is_some_and(|own| own != id) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (kind, hint) = meaning(digits, status, message);
    let error = Error::new(kind, NAME, message)
        .with_code(code, status)
        .with_request_id(id);
    Some(match hint {
        "" => error,
        hint => error.with_hint(hint),
    })
}

/// The wait that the gateway asks for.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get("retry-after")?.to_str().ok()?.trim().parse();
    seconds.ok().map(Duration::from_secs)
}

/// What a code means, and the next step. Source: the user manual's "Error Codes" of calls.
fn meaning(digits: &str, status: u16, message: &str) -> (Kind, &'static str) {
    match digits {
        "0301" | "0303" if message.contains("signature expired") => (
            Kind::ClockSkew,
            "The machine's clock is more than 15 minutes off",
        ),
        "0101" => (
            Kind::NotFound,
            "Check domain (`host(..)` where the address is an IP address), method and path, and that the API is published in this environment (`stage(..)` where it is not RELEASE)",
        ),
        "0106" | "0602" => (Kind::InvalidArgument, "Check the parameters of the API"),
        "0201" if status < 500 => (
            Kind::InvalidArgument,
            "A parameter is missing or wrong, or the request is too large (12 MB by default)",
        ),
        "0201" | "0202" | "0203" | "0610" => (
            Kind::Unavailable,
            "The backend gave the gateway no answer; it may have done what was asked",
        ),
        "0301" => (
            Kind::Signature,
            "Token or signature of the IAM user not accepted: check key, secret and clock",
        ),
        "0302" => (
            Kind::PermissionDenied,
            "The IAM user may not call this API: check the account and its permissions",
        ),
        "0303" => (
            Kind::Signature,
            "The app is not accepted: check key, secret or AppCode, and that the API takes this kind of authentication (an AppCode only with `auth_opt`)",
        ),
        "0304" => (
            Kind::PermissionDenied,
            "Authorize the app for this API in this environment (CreateAuthorizingAppsV2)",
        ),
        "0305" | "1009" => (
            Kind::Unauthenticated,
            "The authorizer or the key refuses the call",
        ),
        "0307" => (Kind::TokenExpired, "Get a new token"),
        "0308" => (
            Kind::Throttled,
            "Too many calls for the throttling policy, or for the group's own domain; wait or raise the limit",
        ),
        "0306" | "0310" | "0311" | "0401" | "0402" | "0404" | "0802" => (
            Kind::PermissionDenied,
            "Access control, account or region does not let this call through",
        ),
        "0501" | "0502" => (
            Kind::QuotaExceeded,
            "The quota of the app is used up or frozen",
        ),
        "0605" | "0609" | "0611" | "0612" | "0705" => (
            Kind::Other,
            "The API's backend is not set up right: look at its definition",
        ),
        "0607" => (
            Kind::InvalidArgument,
            "Call the API over the protocol that it is set to",
        ),
        "0613" => (Kind::Unavailable, "The gateway cannot reach IAM; try later"),
        _ => match status {
            401 => (Kind::Unauthenticated, ""),
            403 => (Kind::PermissionDenied, ""),
            404 => (Kind::NotFound, ""),
            429 => (Kind::Throttled, ""),
            502..=504 => (Kind::Unavailable, ""),
            500.. => (Kind::Internal, ""),
            _ => (Kind::InvalidArgument, ""),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Outcome;

    fn body(code: &str, id: &str) -> Vec<u8> {
        serde_json::json!({"error_code": code, "error_msg": "m", "request_id": id})
            .to_string()
            .into_bytes()
    }

    fn headers(id: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("x-request-id", id.parse().unwrap());
        headers
    }

    #[test]
    fn what_the_gateway_says_is_an_error() {
        for (code, status, kind, outcome) in [
            ("APIG.0101", 404, Kind::NotFound, Outcome::Rejected),
            ("APIG.0301", 401, Kind::Signature, Outcome::Rejected),
            ("APIG.0304", 403, Kind::PermissionDenied, Outcome::Rejected),
            ("APIG.0308", 429, Kind::Throttled, Outcome::Rejected),
            ("APIG.0501", 405, Kind::QuotaExceeded, Outcome::Rejected),
            ("APIG.0201", 413, Kind::InvalidArgument, Outcome::Rejected),
            ("APIG.0201", 502, Kind::Unavailable, Outcome::Unknown),
            ("APIG.0203", 504, Kind::Unavailable, Outcome::Unknown),
            ("APIG.7777", 403, Kind::PermissionDenied, Outcome::Rejected),
        ] {
            let error = of(status, &headers("r"), &body(code, "r")).unwrap();
            assert_eq!(
                (error.kind(), error.outcome()),
                (kind, outcome),
                "{code} {status}"
            );
            assert_eq!((error.code(), error.request_id()), (Some(code), Some("r")));
        }
    }

    #[test]
    fn what_the_backend_says_is_none() {
        let own = body("APIG.0101", "r");
        assert!(of(200, &headers("r"), &own).is_none(), "a success");
        assert!(
            of(404, &headers("other"), &own).is_none(),
            "a gateway behind the gateway"
        );
        assert!(of(404, &headers("r"), &body("SHOP.0101", "r")).is_none());
        assert!(of(404, &headers("r"), &body("APIG.x", "r")).is_none());
        assert!(of(404, &headers("r"), b"{\"error_code\":\"APIG.0101\"}").is_none());
        for body in [
            &b""[..],
            b"[]",
            b"\"APIG.0101\"",
            b"<html>",
            b"{\"error_code\":7}",
        ] {
            assert!(of(500, &headers("r"), body).is_none());
        }
    }
}
