//! The result line: what scripts read, and the exit status that goes with it.

use cumulo_core::record::{Problem, Record, Wire, to_value};
use cumulo_core::{Error, Json, Kind, Response};
use serde_json::json;

use crate::wording;

/// The service or the call failed.
pub(crate) const FAILED: u8 = 1;
/// Wrong usage: nothing was sent, and the command line or the input has to be changed.
pub(crate) const USAGE: u8 = 2;

/// The output in wire names.
pub(crate) fn output(response: &Response<Box<dyn Record>>, show_secrets: bool) -> Json {
    let record = &*response.output;
    to_value(if show_secrets {
        Wire::clear(record)
    } else {
        Wire::redacted(record)
    })
}

/// The result line of a call that succeeded.
pub(crate) fn success(response: &Response<Box<dyn Record>>, show_secrets: bool) -> Json {
    let mut line = json!({
        "ok": true,
        "output": output(response, show_secrets),
        "request_id": response.request_id(),
        "attempts": response.attempts().len(),
    });
    if !response.warnings().is_empty() {
        line["warnings"] = response.warnings().iter().map(Problem::to_string).collect();
    }
    line
}

/// The result line of a call that failed.
pub(crate) fn failure(error: &Error) -> Json {
    let mut line = json!({
        "ok": false,
        "error": {
            "kind": format!("{:?}", error.kind()),
            "code": error.code(),
            "message": wording::plain(error.message()),
            "status": error.status(),
            "request_id": error.request_id(),
            "outcome": format!("{:?}", error.outcome()),
            "client_token": error.client_token().map(ToString::to_string),
            "job": error.job(),
        },
        "attempts": error.attempts().len(),
    });
    if let Some(hint) = error.hint() {
        line["error"]["hint"] = wording::plain(hint).into();
    }
    line
}

pub(crate) fn exit_status(error: &Error) -> u8 {
    match error.kind() {
        Kind::InvalidInput | Kind::Configuration => USAGE,
        _ => FAILED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_has_every_documented_member() {
        let error =
            Error::new(Kind::Throttled, "ListTags", "slow down").with_code("Throttling", 400);
        assert_eq!(
            failure(&error).to_string(),
            r#"{"ok":false,"error":{"kind":"Throttled","code":"Throttling","message":"slow down","status":400,"request_id":null,"outcome":"Rejected","client_token":null,"job":null},"attempts":0}"#
        );
        assert_eq!(exit_status(&error), FAILED);
        assert_eq!(
            exit_status(&Error::new(Kind::InvalidInput, "ListTags", "")),
            USAGE
        );
    }
}
