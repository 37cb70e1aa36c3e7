//! How do ZStack's command line and its MCP server call? Not by paths: a call is a message, an
//! object under the name of its class, posted to `/zstack/api/`; what a message that runs as a job
//! has brought is asked for at `/zstack/api/result/{uuid}`. Here a message becomes the request of
//! the REST server that means the same, and the answer of that one what the message brought.

use serde_json::{Map, Value, json};

use crate::clock;
use crate::encode::percent;
use crate::model::{Model, Operation};
use crate::random;
use crate::recent::Recent;
use crate::wire::{Call, Reply, Request, Service};

use super::failure::ErrorCode;
use super::{State, execute};

/// So many messages are remembered for sure while their jobs are asked after.
const REMEMBERED: usize = 10_000;

/// By the uuid of the job what its result is called.
pub(super) struct Events(Recent<String, String>);

impl Default for Events {
    fn default() -> Self {
        Self(Recent::new(REMEMBERED))
    }
}

/// A request to this endpoint.
pub(super) enum Asked {
    Message(Result<Message, String>),
    Result(String),
}

/// A call: the name of its class, and its members.
pub(super) struct Message {
    class: String,
    operation: &'static Operation,
    members: Map<String, Value>,
}

impl Asked {
    /// `None` for a request to another endpoint.
    pub(super) fn of(request: &Request) -> Option<Self> {
        let segments = request.segments("/zstack/api")?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match (request.method.as_str(), segments.as_slice()) {
            ("POST" | "PUT", [""]) => Some(Self::Message(Message::read(request))),
            ("GET" | "PUT", ["result", uuid]) => Some(Self::Result((*uuid).to_owned())),
            _ => None,
        }
    }

    /// The operation by its name, as faults and records know it.
    pub(super) fn operation(&self) -> Option<String> {
        match self {
            Self::Message(message) => Some(message.as_ref().ok()?.operation.name.clone()),
            Self::Result(_) => Some(super::POLL.to_owned()),
        }
    }

    pub(super) fn answer(self, state: &mut State, call: &Call<'_>) -> Reply {
        match self {
            // The server tells what it could not read as if it were a result.
            Self::Message(Err(text)) => Reply::text(200, text.as_str()).verdict(text),
            Self::Message(Ok(message)) => message.send(state, call),
            Self::Result(uuid) => result(state, call, &uuid),
        }
    }
}

impl Message {
    fn read(request: &Request) -> Result<Self, String> {
        let body = match request.json() {
            Some(Value::Object(body)) if body.len() == 1 => body,
            _ => return Err("expected one message under the name of its class".to_owned()),
        };
        let (class, members) = body.into_iter().next().unwrap_or_default();
        let operation = name(&class).and_then(|name| Model::of(Service::Zstack).operation(name));
        let operation = operation.ok_or_else(|| format!("unknown message {class}"))?;
        match members {
            Value::Object(members) => Ok(Self {
                class,
                operation,
                members,
            }),
            _ => Err(format!("{class}: expected an object")),
        }
    }

    fn send(self, state: &mut State, call: &Call<'_>) -> Reply {
        let date = clock::gson(call.now, state.switches.utc_offset);
        let sync = reply_name(&self.class, "Reply");
        let event = reply_name(&self.class, "Event");
        let uuid = random::uuid_hex();
        let request = match self.request(&uuid) {
            Ok(request) => request,
            Err(error) => return done(None, &date, &sync, error.into_reply()),
        };
        let call = Call {
            request: &request,
            now: call.now,
            strict_time: call.strict_time,
            instead: call.instead.clone(),
        };
        let reply = execute(state, &call).unwrap_or_else(|refusal| refusal);
        if reply.status != 202 {
            return done(None, &date, &sync, reply);
        }
        state.events.0.insert(uuid.clone(), event);
        let mut processing = Reply::json(
            200,
            &json!({"uuid": uuid, "state": "Processing", "createdDate": date}),
        );
        processing.verdict = reply.verdict;
        processing
    }

    /// The request of the REST server that means the same.
    fn request(mut self, job: &str) -> Result<Request, ErrorCode> {
        let mut headers = vec![("x-job-uuid".to_owned(), job.to_owned())];
        match self.members.remove("session") {
            Some(session) => headers.push((
                "authorization".to_owned(),
                format!("OAuth {}", session["uuid"].as_str().unwrap_or_default()),
            )),
            None if self.operation.anonymous => {}
            None => return Err(ErrorCode::session_expired()),
        }
        self.members.retain(|_, value| !value.is_null());
        let mut target = "/zstack/v1".to_owned();
        for part in self.operation.path.split_inclusive('}') {
            let Some((fixed, member)) =
                part.strip_suffix('}').and_then(|part| part.split_once('{'))
            else {
                target.push_str(part);
                continue;
            };
            let value = self.members.remove(member).and_then(|value| scalar(&value));
            // Queries have conditions instead: the server takes the template itself for a path.
            let query = self.operation.is_query().then(|| format!("{{{member}}}"));
            let value = value.filter(|text| !text.is_empty()).or(query);
            let value = value.ok_or_else(|| {
                ErrorCode::invalid(format!("field[{member}] is mandatory, can not be null"))
            })?;
            target.push_str(fixed);
            target.push_str(&percent(&value));
        }
        if self.operation.is_query() {
            conditions(&mut self.members);
        }
        let mut body = Vec::new();
        if matches!(self.operation.method.as_str(), "GET" | "DELETE") {
            let pairs = self
                .members
                .iter()
                .flat_map(|(name, value)| pairs(name, value));
            let pairs: Vec<String> = pairs
                .map(|(name, value)| format!("{}={}", percent(&name), percent(&value)))
                .collect();
            target = format!("{target}?{}", pairs.join("&"));
        } else {
            let key = self.operation.wrapper.as_deref().unwrap_or_default();
            body = json!({ key: self.members }).to_string().into_bytes();
        }
        Ok(Request {
            service: Service::Zstack,
            method: self.operation.method.clone(),
            target,
            headers,
            body,
        })
    }
}

/// `org.zstack.header.zone.APICreateZoneMsg` is a message of `CreateZone`.
fn name(class: &str) -> Option<&str> {
    let simple = class.rsplit('.').next()?;
    simple.strip_prefix("API")?.strip_suffix("Msg")
}

/// What the answer to a message is called.
fn reply_name(class: &str, kind: &str) -> String {
    format!("{}{kind}", class.strip_suffix("Msg").unwrap_or(class))
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// A member as it stands in a query: lists repeat their key, maps have `key.entry`.
fn pairs(name: &str, value: &Value) -> Vec<(String, String)> {
    match value {
        Value::Array(items) => items.iter().flat_map(|item| pairs(name, item)).collect(),
        Value::Object(map) => map
            .iter()
            .flat_map(|(key, value)| pairs(&format!("{name}.{key}"), value))
            .collect(),
        one => scalar(one)
            .map(|text| (name.to_owned(), text))
            .into_iter()
            .collect(),
    }
}

/// The operators of messages, and those of the REST server that mean the same.
const OPERATORS: [(&str, &str); 6] = [
    ("in", "?="),
    ("not in", "!?="),
    ("like", "~="),
    ("not like", "!~="),
    ("is null", " is null"),
    ("is not null", " not null"),
];

/// Writes conditions and order as the REST server takes them.
fn conditions(members: &mut Map<String, Value>) {
    let text = |value: &Value| match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().filter_map(scalar).collect();
            items.join(",")
        }
        one => scalar(one).unwrap_or_default(),
    };
    let conditions = members.remove("conditions").unwrap_or_default();
    let conditions = conditions.as_array().map(Vec::as_slice).unwrap_or_default();
    let q: Value = conditions
        .iter()
        .map(|one| {
            let op = one["op"].as_str().unwrap_or_default();
            let known = OPERATORS.iter().find(|(name, _)| *name == op);
            let op = known.map_or(op, |(_, op)| op);
            json!(format!("{}{op}{}", text(&one["name"]), text(&one["value"])))
        })
        .collect();
    members.insert("q".to_owned(), q);
    if let Some(fields) = members.get_mut("fields") {
        *fields = text(fields).into();
    }
    let descends = members
        .remove("sortDirection")
        .is_some_and(|direction| direction == "desc");
    if let Some(field) = members.remove("sortBy") {
        let sign = if descends { "-" } else { "+" };
        members.insert("sort".to_owned(), format!("{sign}{}", text(&field)).into());
    }
}

fn result(state: &mut State, call: &Call<'_>, uuid: &str) -> Reply {
    if let Some(reply) = &call.instead {
        return reply.clone();
    }
    let Some(event) = state.events.0.get(uuid).cloned() else {
        let text = format!("No api result[uuid:{uuid}] found");
        return Reply::text(404, text.as_str()).verdict(text);
    };
    let date = clock::gson(call.now, state.switches.utc_offset);
    match state.jobs.find(uuid, call.now) {
        Some(reply) if reply.status == 202 => Reply::json(
            200,
            &json!({"uuid": uuid, "state": "Processing", "createdDate": date}),
        ),
        Some(reply) => done(Some(uuid), &date, &event, reply),
        None => Reply::text(404, format!("No api result[uuid:{uuid}] found")),
    }
}

/// A result as text within the answer, under the name of its class.
fn done(uuid: Option<&str>, date: &str, class: &str, reply: Reply) -> Reply {
    if reply.injected {
        return reply;
    }
    let body = serde_json::from_slice(&reply.body).ok();
    let result = match (reply.status, body) {
        (200, Some(Value::Object(mut members))) => {
            // Only the REST server adds it.
            members.remove("schema");
            members.insert("success".to_owned(), true.into());
            Value::Object(members)
        }
        (_, Some(Value::Object(members))) if members.contains_key("error") => {
            json!({"success": false, "error": members["error"]})
        }
        _ => {
            let text = String::from_utf8_lossy(&reply.body).into_owned();
            json!({"success": false, "error": ErrorCode::invalid(text).to_json()})
        }
    };
    let mut out = json!({
        "state": "Done",
        "createdDate": date,
        "finishedDate": date,
        "result": json!({ class: result }).to_string(),
    });
    if let Some(uuid) = uuid {
        out["uuid"] = uuid.into();
    }
    let mut done = Reply::json(200, &out);
    done.verdict = reply.verdict;
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(class: &str, members: &Value) -> Request {
        let request = Request {
            service: Service::Zstack,
            method: "POST".to_owned(),
            target: "/zstack/api/".to_owned(),
            headers: Vec::new(),
            body: json!({ class: members }).to_string().into_bytes(),
        };
        let Some(Asked::Message(message)) = Asked::of(&request) else {
            panic!("no message");
        };
        let message = message.unwrap_or_else(|text| panic!("{text}"));
        let job = "0190d0b2d3a04c3e8d6f0f5a1b2c3d4e";
        message
            .request(job)
            .unwrap_or_else(|error| panic!("{error:?}"))
    }

    #[test]
    fn messages_become_requests() {
        let session = json!({"uuid": "s"});
        for (class, members, line, body) in [
            (
                "org.zstack.header.zone.APIQueryZoneMsg",
                json!({"session": session, "conditions": [
                    {"name": "name", "op": "like", "value": "a%"},
                    {"name": "uuid", "op": "in", "value": ["x", "y"]},
                    {"name": "description", "op": "is not null"}],
                    "sortBy": "name", "sortDirection": "desc", "fields": ["name", "uuid"], "limit": 5}),
                "GET /zstack/v1/zones?fields=name%2Cuuid&limit=5&q=name~%3Da%25&q=uuid%3F%3Dx%2Cy&q=description%20not%20null&sort=-name",
                "",
            ),
            (
                "org.zstack.header.zone.APIDeleteZoneMsg",
                json!({"session": session, "uuid": "a/b", "deleteMode": "Enforcing", "x": null}),
                "DELETE /zstack/v1/zones/a%2Fb?deleteMode=Enforcing",
                "",
            ),
            (
                "org.zstack.header.zone.APIUpdateZoneMsg",
                json!({"session": session, "uuid": "u", "name": "n"}),
                "PUT /zstack/v1/zones/u/actions",
                "{\"updateZone\":{\"name\":\"n\"}}",
            ),
        ] {
            let request = request(class, &members);
            let sorted = |target: &str| {
                let (path, query) = target.split_once('?').unwrap_or((target, ""));
                let mut pairs: Vec<&str> = query.split('&').collect();
                pairs.sort_by_key(|pair| pair.split('=').next());
                format!("{path}?{}", pairs.join("&"))
            };
            let found = format!("{} {}", request.method, request.target);
            assert_eq!(sorted(&found), sorted(line));
            assert_eq!(String::from_utf8(request.body.clone()).unwrap(), body);
            assert_eq!(request.header("authorization"), Some("OAuth s"));
        }
    }

    #[test]
    fn what_is_no_message_is_told() {
        for (body, text) in [
            ("[]", "expected one message"),
            ("{\"a\": {}, \"b\": {}}", "expected one message"),
            ("{\"APINothingMsg\": {}}", "unknown message"),
            ("{\"x.APIQueryZoneMsg\": 5}", "expected an object"),
        ] {
            let request = Request {
                service: Service::Zstack,
                method: "POST".to_owned(),
                target: "/zstack/api/".to_owned(),
                headers: Vec::new(),
                body: body.as_bytes().to_vec(),
            };
            match Asked::of(&request) {
                Some(Asked::Message(Err(told))) => assert!(told.contains(text), "{told}"),
                _ => panic!("{body}"),
            }
        }
    }
}
