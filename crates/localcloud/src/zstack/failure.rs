//! How does ZStack refuse? An API with an error of its own, the REST layer in plain text.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use crate::wire::{Reply, Request};

/// ZStack's own error, which travels in a 503.
#[derive(Debug)]
pub(super) struct ErrorCode {
    code: Cow<'static, str>,
    description: &'static str,
    details: String,
    cause: Option<Box<ErrorCode>>,
}

impl ErrorCode {
    pub(super) fn new(
        code: impl Into<Cow<'static, str>>,
        description: &'static str,
        details: impl Into<String>,
    ) -> Self {
        Self {
            code: code.into(),
            description,
            details: details.into(),
            cause: None,
        }
    }

    pub(super) fn invalid(details: impl Into<String>) -> Self {
        Self::new("SYS.1007", "One or more API argument is invalid", details)
    }

    pub(super) fn session_expired() -> Self {
        Self::new("ID.1001", "Invalid session", "Session expired")
    }

    pub(super) fn caused_by(mut self, cause: Self) -> Self {
        self.cause = Some(Box::new(cause));
        self
    }

    pub(super) fn to_json(&self) -> Value {
        let mut out = json!({
            "code": self.code,
            "description": self.description,
            "details": self.details,
        });
        if let Some(cause) = &self.cause {
            out["cause"] = cause.to_json();
        }
        out
    }

    pub(super) fn into_reply(self) -> Reply {
        let verdict = format!("{}: {}", self.code, self.details);
        Reply::json(503, &json!({ "error": self.to_json() })).verdict(verdict)
    }
}

/// What the REST layer itself refuses, in plain text.
pub(super) fn refuse(status: u16, text: impl Into<String>) -> Reply {
    let text = text.into();
    Reply::text(status, text.as_str()).verdict(text)
}

/// What an API answers, or why it fails; `Reply` errors come from the REST layer.
pub(super) enum Failure {
    Api(ErrorCode),
    Rest(Reply),
}

impl From<ErrorCode> for Failure {
    fn from(error: ErrorCode) -> Self {
        Self::Api(error)
    }
}

pub(super) type Output = Result<Map<String, Value>, Failure>;

pub(super) fn no_body() -> Reply {
    refuse(500, "java.lang.NullPointerException").verdict("expected a body")
}

/// The object that a request carries; `null` is none.
pub(super) fn body(request: &Request) -> Result<Option<Value>, Reply> {
    if request.body.is_empty() {
        return Ok(None);
    }
    match request.json() {
        Some(Value::Null) => Ok(None),
        Some(body) if body.is_object() => Ok(Some(body)),
        _ => Err(refuse(400, "the body is not a JSON object")),
    }
}
