//! One line of a batch: which call it asks for, or what is wrong with it.

use cumulo_core::record::nearest;
use cumulo_core::{Error, Json};

use crate::json;
use crate::request::{Request, invalid};
use crate::service::Service;

const MEMBERS: [&str; 4] = ["service", "operation", "input", "client_token"];

/// Reads a line. Messages never repeat values, which may be secrets.
pub(super) fn parse(line: &[u8]) -> Result<Request, String> {
    let json = json::parse(line).map_err(|error| format!("this is not JSON: {error}"))?;
    let Json::Object(mut members) = json else {
        return Err(
            r#"expected an object like {"service":..,"operation":..,"input":..}"#.to_owned(),
        );
    };
    // A misspelt `input` would otherwise be a call without any.
    if let Some(unknown) = members.keys().find(|key| !MEMBERS.contains(&key.as_str())) {
        let near = nearest(unknown, MEMBERS.into_iter());
        let hint = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        return Err(format!("there is no member `{unknown}`{hint}"));
    }
    let mut text = |name: &str| match members.remove(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("`{name}` must be text")),
    };
    let service = text("service")?.ok_or("`service` is missing")?;
    let operation = text("operation")?.ok_or("`operation` is missing")?;
    let client_token = text("client_token")?;
    Ok(Request {
        service: Service::find(&service)?,
        operation,
        input: members.remove("input").unwrap_or_default(),
        client_token,
    })
}

/// The error for a line that is no call.
pub(super) fn bad(number: u64, message: &str) -> Error {
    invalid(format!("line {number}: {message}"))
}

/// The error for a line that was not even read.
pub(super) fn too_long(number: u64) -> Error {
    bad(number, "longer than 16 MiB")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_names_a_call() {
        let line = br#"{"service":"apig","operation":"ListAppsV2","input":{"limit":1},"client_token":"t"}"#;
        let request = Request {
            service: Service::Apig,
            operation: "ListAppsV2".into(),
            input: json!({"limit": 1}),
            client_token: Some("t".into()),
        };
        assert_eq!(parse(line), Ok(request));
        let short = parse("\u{feff}{\"operation\":\"ListTags\",\"service\":\"smc\"}".as_bytes());
        assert_eq!(short.unwrap().input, Json::Null);
    }

    #[test]
    fn what_is_wrong_is_said_without_repeating_values() {
        let cases: [(&[u8], &str); 9] = [
            (b"{", "this is not JSON: EOF"),
            (b"\xff\xfe", "this is not JSON"),
            (b"[1]", "expected an object"),
            (b"{}", "`service` is missing"),
            (br#"{"service":"smc"}"#, "`operation` is missing"),
            (
                br#"{"service":1,"operation":"x"}"#,
                "`service` must be text",
            ),
            (
                br#"{"service":"smk","operation":"x"}"#,
                "did you mean `smc`",
            ),
            (
                br#"{"service":"smc","operation":"x","inputs":{}}"#,
                "did you mean `input`",
            ),
            (
                br#"{"service":"smc","operation":"x","client_token":{"a":"hunter2"}}"#,
                "`client_token` must be text",
            ),
        ];
        for (line, expected) in cases {
            let message = parse(line).unwrap_err();
            assert!(message.contains(expected), "{message}");
            assert!(!message.contains("hunter2"));
        }
    }
}
