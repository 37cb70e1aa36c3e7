//! What do all actions share? Their parameters, the caller's account, and how they refuse.

use serde_json::{Map, Value, json};

use crate::random;
use crate::wire::{Call, Reply, Service};

/// A refusal as the gateway and the services word it.
#[derive(Debug)]
pub(super) struct Refusal {
    status: u16,
    code: String,
    message: String,
    verdict: Option<String>,
}

impl Refusal {
    pub(super) fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            verdict: None,
        }
    }

    pub(super) fn verdict(mut self, text: impl Into<String>) -> Self {
        self.verdict = Some(text.into());
        self
    }

    /// A parameter that does not keep its documented rule.
    pub(super) fn invalid(name: &str, rule: &str) -> Self {
        Self::new(
            400,
            "InvalidParameter",
            format!("The specified parameter {name} is not valid."),
        )
        .verdict(format!("{name}: {rule}"))
    }

    /// A parameter that must be there.
    pub(super) fn missing(name: &str) -> Self {
        Self::new(
            400,
            format!("Missing{name}"),
            format!("{name} is mandatory for this action."),
        )
        .verdict(format!("{name} is required"))
    }

    pub(super) fn into_reply(self, service: Service) -> Reply {
        let request_id = random::request_id();
        let body = json!({
            "RequestId": request_id,
            "HostId": host(service),
            "Code": self.code,
            "Message": self.message,
            "Recommend": format!("https://api.aliyun.com/troubleshoot?q={}&product={}", self.code, service.name()),
        });
        let verdict = self
            .verdict
            .unwrap_or_else(|| format!("{}: {}", self.code, self.message));
        Reply::json(self.status, &body)
            .header("x-acs-request-id", request_id)
            .verdict(verdict)
    }
}

fn host(service: Service) -> &'static str {
    match service {
        Service::Smartag => "smartag.cn-shanghai.aliyuncs.com",
        _ => "smc.aliyuncs.com",
    }
}

/// An authenticated call of an action.
pub(super) struct Action<'a> {
    pub(super) account: &'a str,
    pub(super) name: &'a str,
    pub(super) parameters: &'a [(String, String)],
    pub(super) call: &'a Call<'a>,
}

impl Action<'_> {
    /// First value of a parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// A parameter that must be there and not be empty.
    pub(super) fn need(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| Refusal::missing(name))
    }

    /// The members `Name.1`, `Name.2`, ... of a list, by number.
    pub(super) fn list(&self, name: &str) -> Vec<&str> {
        let mut members: Vec<(u32, &str)> = self
            .parameters
            .iter()
            .filter_map(|(key, value)| {
                let number = key.strip_prefix(name)?.strip_prefix('.')?.parse().ok()?;
                Some((number, value.as_str()))
            })
            .collect();
        members.sort_by_key(|(number, _)| *number);
        members.into_iter().map(|(_, value)| value).collect()
    }
}

pub(super) type Output = Result<Map<String, Value>, Refusal>;
/// An action that is written by hand, with what its service remembers.
pub(super) type Handler<S> = fn(&mut S, &Action<'_>) -> Output;

/// The members of a JSON object; an empty output for anything else.
pub(super) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
