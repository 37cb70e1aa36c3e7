//! How do the gateway and the identity service refuse? Each in a shape of its own.

use serde_json::json;

use crate::random;
use crate::wire::{Call, Reply};

/// A refusal in one of the two shapes that these clouds use.
#[derive(Debug)]
pub(super) struct Refusal {
    status: u16,
    /// The gateway's code; the identity service has none beside the status.
    code: Option<String>,
    pub(super) message: String,
    verdict: Option<String>,
    /// A fault's answer, given instead of any of the above.
    planned: Option<Box<Reply>>,
}

impl Refusal {
    pub(super) fn gateway(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            code: Some(code.to_owned()),
            message: message.into(),
            verdict: None,
            planned: None,
        }
    }

    pub(super) fn identity(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            code: None,
            message: message.into(),
            verdict: None,
            planned: None,
        }
    }

    pub(super) fn verdict(mut self, text: impl Into<String>) -> Self {
        self.verdict = Some(text.into());
        self
    }

    pub(super) fn invalid(parameter: &str, rule: &str) -> Self {
        Self::gateway(
            400,
            "APIG.2012",
            format!("Invalid parameter value,parameterName:{parameter}. Please refer to the support documentation"),
        )
        .verdict(format!("{parameter}: {rule}"))
    }

    /// The same with another code of the gateway.
    pub(super) fn with_code(mut self, code: &str) -> Self {
        self.code = Some(code.to_owned());
        self
    }

    pub(super) fn with_message(mut self, message: String) -> Self {
        self.message = message;
        self
    }

    /// Code and message, where they are told within another answer.
    pub(super) fn told(&self) -> (&str, &str) {
        (self.code.as_deref().unwrap_or_default(), &self.message)
    }

    /// The fault that is planned for this call, due once the caller is known.
    pub(super) fn planned(call: &Call<'_>) -> Result<(), Self> {
        match &call.instead {
            None => Ok(()),
            Some(reply) => Err(Self {
                planned: Some(Box::new(reply.clone())),
                ..Self::identity(reply.status, String::new())
            }),
        }
    }

    pub(super) fn into_reply(self) -> Reply {
        if let Some(reply) = self.planned {
            return *reply;
        }
        let request_id = random::uuid_hex();
        let body = match &self.code {
            Some(code) => json!({
                "error_code": code,
                "error_msg": self.message,
                "request_id": request_id,
            }),
            None => json!({
                "error": {
                    "code": self.status,
                    "message": self.message,
                    "title": crate::wire::reason(self.status),
                }
            }),
        };
        let verdict = self.verdict.unwrap_or_else(|| {
            format!(
                "{}: {}",
                self.code.as_deref().unwrap_or("identity"),
                self.message
            )
        });
        Reply::json(self.status, &body)
            .header("x-request-id", request_id)
            .verdict(verdict)
    }
}
