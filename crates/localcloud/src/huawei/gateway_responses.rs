//! What does a set of custom answers say of an error type that nobody has set? The gateway's own
//! answer, so that every documented type is in every set.

use serde_json::{Map, Value, json};

use crate::model::Operation;
use crate::model::input::Input;
use crate::store::{Ask, Samples, Store, Table};
use crate::wire::{Reply, Service};

use super::refusal::Refusal;

/// The documented types, with the status of their answers where they have one of their own.
const TYPES: &[(&str, Option<u16>)] = &[
    ("ACCESS_DENIED", Some(403)),
    ("AUTH_FAILURE", Some(401)),
    ("AUTH_HEADER_MISSING", Some(401)),
    ("AUTHORIZER_CONF_FAILURE", Some(500)),
    ("AUTHORIZER_FAILURE", Some(500)),
    ("AUTHORIZER_IDENTITIES_FAILURE", Some(401)),
    ("BACKEND_TIMEOUT", Some(504)),
    ("BACKEND_UNAVAILABLE", Some(502)),
    ("DEFAULT_4XX", None),
    ("DEFAULT_5XX", None),
    ("NOT_FOUND", Some(404)),
    ("REQUEST_PARAMETERS_FAILURE", Some(400)),
    ("THROTTLED", Some(429)),
    ("UNAUTHORIZED", Some(401)),
];

const BODY: &str = r#"{"error_code":"$context.error.code","error_msg":"$context.error.message","request_id":"$context.requestId"}"#;

fn usual(status: Option<u16>) -> Value {
    let mut answer = json!({ "body": BODY, "headers": [], "default": true });
    if let Some(status) = status {
        answer["status"] = status.into();
    }
    answer
}

/// What was set, and the gateway's own answer for the rest.
fn all(set: Option<&Value>) -> Map<String, Value> {
    let usual = TYPES
        .iter()
        .map(|(name, status)| ((*name).to_owned(), usual(*status)));
    let mut all: Map<String, Value> = usual.collect();
    for (name, answer) in set.and_then(Value::as_object).into_iter().flatten() {
        let mut answer = answer.clone();
        answer["default"] = false.into();
        all.insert(name.clone(), answer);
    }
    all
}

/// Fills up the answer to an operation that shows one set, all of a group, or one type of a sample.
pub(super) fn complete(operation: &Operation, samples: Samples, shown: &mut Input) {
    let name = operation.name.as_str();
    if samples == Samples::Always {
        let ty = shown.get("response_type").and_then(Value::as_str);
        let answer = json!({ (ty.unwrap_or("AUTH_FAILURE")): {} });
        if name.contains("GatewayResponseTypeV2") {
            shown.insert("body".to_owned(), answer);
        } else if name.contains("GatewayResponseV2") {
            shown.entry("responses").or_insert(answer);
        }
        return;
    }
    match name {
        "CreateGatewayResponseV2"
        | "ShowDetailsOfGatewayResponseV2"
        | "UpdateGatewayResponseV2" => {
            let all = all(shown.get("responses"));
            shown.insert("responses".to_owned(), all.into());
        }
        "ListGatewayResponsesV2" => {
            let sets = shown.get_mut("responses").and_then(Value::as_array_mut);
            for set in sets.into_iter().flatten() {
                set["responses"] = all(set.get("responses")).into();
            }
        }
        _ => {}
    }
}

/// The answer to an operation that is about one type of a set.
pub(super) fn of_type(store: &mut Store, ask: &Ask<'_>) -> Option<Result<Reply, Refusal>> {
    let name = ask.operation.name.as_str();
    if store.samples == Samples::Always || !name.contains("GatewayResponseTypeV2") {
        return None;
    }
    let text = |name: &str| {
        ask.input
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let ty = text("response_type");
    let table = Table::of(Service::Apig);
    let at = table.position("gateway-response")?;
    let kind = store.kind(Service::Apig, at);
    let set = kind
        .of_id(text("response_id"))
        .next()
        .map(|(number, _)| number);
    let known = TYPES.iter().find(|(known, _)| *known == ty);
    if set.is_some() && known.is_none() {
        let rule = "expected a documented type";
        return Some(Err(Refusal::invalid("response_type", rule)));
    }
    let mut answer = set.and_then(|number| {
        let responses = kind.get(number)?.members.get("responses")?;
        responses.get(ty).cloned()
    });
    if name.starts_with("Update") {
        let given = ["status", "body", "headers"].into_iter();
        let given = given.filter_map(|name| Some((name.to_owned(), ask.input.get(name)?.clone())));
        answer = Some(Value::Object(given.collect()));
    }
    if name.starts_with("Delete") {
        answer = None;
    }
    if let Some(number) = set {
        kind.change(&table.rows[at], number, |thing| {
            let responses = thing
                .members
                .entry("responses")
                .or_insert_with(|| json!({}));
            match (&answer, responses) {
                (Some(answer), responses) => responses[ty] = answer.clone(),
                (None, Value::Object(responses)) => {
                    responses.remove(ty);
                }
                (None, _) => {}
            }
        });
    }
    if name.starts_with("Delete") {
        return Some(Ok(Reply::new(204)));
    }
    let shown = match answer {
        Some(mut answer) => {
            answer["default"] = false.into();
            answer
        }
        None => usual(known.and_then(|(_, status)| *status)),
    };
    Some(Ok(Reply::json(200, &json!({ (ty): shown }))))
}
