//! What does a rule in JSON say? Faults and transitions, member by member; what is not known is
//! refused with the nearest name.

use std::time::Duration;

use serde_json::{Map, Value};

use super::{Wrong, members, nearest};
use crate::fault::{Fault, FaultKind};
use crate::store::{Moves, Transition};
use crate::wire::Service;

const FAULT: &[&str] = &[
    "service",
    "operation",
    "match",
    "probability",
    "times",
    "after",
    "executed",
    "headers",
    "what",
    "status",
    "code",
    "retry_after_ms",
    "ms",
    "bytes",
    "body",
    "seconds",
];
const KINDS: &[&str] = &[
    "LoseRequest",
    "LoseResponse",
    "Reset",
    "Delay",
    "Throttle",
    "ServerError",
    "TruncateBody",
    "Html",
    "Body",
    "ClockSkew",
];
const TRANSITION: &[&str] = &[
    "service", "resource", "reads", "after_ms", "passing", "ending", "failure",
];

struct Rule<'a>(&'a Map<String, Value>);

impl<'a> Rule<'a> {
    fn text(&self, name: &str) -> Result<Option<&'a str>, Wrong> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value
                .as_str()
                .map(Some)
                .ok_or(format!("{name}: expected text")),
        }
    }

    fn need(&self, name: &str) -> Result<&'a str, Wrong> {
        self.text(name)?.ok_or(format!("{name} is missing"))
    }

    fn number(&self, name: &str) -> Result<Option<u64>, Wrong> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value
                .as_u64()
                .map(Some)
                .ok_or(format!("{name}: expected a whole number")),
        }
    }

    fn small<N: TryFrom<u64>>(&self, name: &str) -> Result<Option<N>, Wrong> {
        self.number(name)?
            .map(|number| N::try_from(number).map_err(|_| format!("{name}: {number} is too large")))
            .transpose()
    }

    fn service(&self) -> Result<Service, Wrong> {
        let name = self.need("service")?;
        Service::by_name(name).ok_or_else(|| {
            let names = Service::ALL.into_iter().map(Service::name);
            format!("unknown service {name}{}", nearest(name, names))
        })
    }
}

/// Reads a fault.
pub(super) fn fault(body: &Value) -> Result<Fault, Wrong> {
    let rule = Rule(members(body, FAULT)?);
    let status = rule.small::<u16>("status")?;
    if status.is_some_and(|status| !(100..=599).contains(&status)) {
        return Err("status: expected 100 to 599".to_owned());
    }
    let what = rule.need("what")?;
    let kind = match what {
        "LoseRequest" => FaultKind::LoseRequest,
        "LoseResponse" => FaultKind::LoseResponse,
        "Reset" => FaultKind::Reset,
        "Delay" => FaultKind::Delay(Duration::from_millis(
            rule.number("ms")?.ok_or("ms is missing")?,
        )),
        "Throttle" => FaultKind::Throttle {
            status,
            code: rule.text("code")?.map(str::to_owned),
            retry_after_ms: rule.number("retry_after_ms")?,
        },
        "ServerError" => FaultKind::ServerError(status.unwrap_or(500)),
        "TruncateBody" => FaultKind::TruncateBody(rule.small("bytes")?.unwrap_or(0)),
        "Html" => FaultKind::Html(status.unwrap_or(502)),
        "Body" => FaultKind::body(
            status.unwrap_or(200),
            rule.text("body")?.unwrap_or_default(),
        ),
        "ClockSkew" => FaultKind::ClockSkew(
            rule.0
                .get("seconds")
                .and_then(Value::as_i64)
                .ok_or("seconds: expected whole seconds")?,
        ),
        other => {
            let near = nearest(other, KINDS.iter().copied());
            return Err(format!(
                "unknown fault {other}{near}; there are {}",
                KINDS.join(", ")
            ));
        }
    };
    let mut fault = Fault::new(rule.service()?, kind);
    if let Some(operation) = rule.text("operation")? {
        fault = fault.operation(operation);
    }
    if let Some(text) = rule.text("match")? {
        fault = fault.matching(text);
    }
    if let Some(probability) = rule.0.get("probability") {
        let probability = probability
            .as_f64()
            .filter(|one| (0.0..=1.0).contains(one))
            .ok_or("probability: expected a number from 0 to 1")?;
        fault = fault.probability(probability);
    }
    match rule.small("times")? {
        Some(0) => return Err("times: expected 1 or more".to_owned()),
        Some(times) => fault = fault.times(times),
        None => {}
    }
    if let Some(after) = rule.small("after")? {
        fault = fault.after(after);
    }
    if rule.0.get("executed") == Some(&Value::Bool(true)) {
        fault = fault.executed();
    }
    for (name, value) in rule
        .0
        .get("headers")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let value = value
            .as_str()
            .ok_or(format!("headers.{name}: expected text"))?;
        fault = fault.header(name, value);
    }
    Ok(fault)
}

/// Reads how the things of a resource move.
pub(super) fn transition(body: &Value) -> Result<(Service, Transition), Wrong> {
    let rule = Rule(members(body, TRANSITION)?);
    let moves = match (rule.small("reads")?, rule.number("after_ms")?) {
        (Some(_), Some(_)) => return Err("reads and after_ms exclude each other".to_owned()),
        (Some(reads), None) => Moves::AfterReads(reads),
        (None, Some(time)) => Moves::After(Duration::from_millis(time)),
        (None, None) => Moves::AtOnce,
    };
    let mut transition = Transition::new(rule.need("resource")?, moves);
    if let Some(state) = rule.text("passing")? {
        transition = transition.passing(state);
    }
    if let Some(state) = rule.text("ending")? {
        transition = transition.ending(state);
    }
    if let Some(failure) = rule.0.get("failure") {
        let failure = Rule(members(failure, &["code", "message"])?);
        let message = failure.text("message")?.unwrap_or_default();
        transition = transition.failing(failure.need("code")?, message);
    }
    Ok((rule.service()?, transition))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_wrong_is_named() {
        let refused = |body: Value| fault(&body).map(|_| ()).unwrap_err();
        assert_eq!(refused(json!([])), "expected a JSON object");
        assert!(refused(json!({"servce": "smc"})).contains("did you mean service?"));
        assert_eq!(refused(json!({"what": "Reset"})), "service is missing");
        assert!(refused(json!({"service": "smk", "what": "Reset"})).contains("did you mean smc?"));
        assert!(refused(json!({"service": "smc", "what": "LoseAnswer"})).contains("unknown fault"));
        for (name, value) in [
            ("times", json!(0)),
            ("times", json!(-1)),
            ("probability", json!(2)),
            ("status", json!(99)),
            ("after", json!(1_u64 << 40)),
        ] {
            let body = json!({"service": "smc", "what": "ServerError", name: value});
            assert!(refused(body).starts_with(name), "{name}");
        }
        let both = json!({"service": "smc", "resource": "workgroup", "reads": 1, "after_ms": 1});
        assert!(transition(&both).is_err());
    }
}
