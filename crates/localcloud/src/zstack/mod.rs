//! What does ZStack's REST server do with a request? It finds the API by path, verb and body
//! key, checks session or access key, and answers reads at once and writes through a job.

mod access_keys;
mod auth;
mod date;
mod jobs;
mod modelled;
mod query;
mod routes;
mod sessions;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::clock;
use crate::cloud::{Cloud, on, with_retry_after};
use crate::route::{PathValues, match_path};
use crate::wire::{Call, Reply, Request};
#[cfg(fuzzing)]
pub(crate) use query::condition;
use routes::Api;

/// Everything that the management node remembers.
pub(crate) struct State {
    sessions: sessions::Sessions,
    keys: access_keys::AccessKeys,
    jobs: jobs::Jobs,
}

impl State {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            sessions: sessions::Sessions::default(),
            keys: access_keys::AccessKeys::new(now),
            jobs: jobs::Jobs::default(),
        }
    }

    pub(crate) fn expire_sessions(&mut self) {
        self.sessions.clear();
    }

    pub(crate) fn expire_jobs(&mut self) {
        self.jobs.clear();
    }
}

/// ZStack's own error, which travels in a 503.
#[derive(Debug)]
struct ErrorCode {
    code: &'static str,
    description: &'static str,
    details: String,
    cause: Option<Box<ErrorCode>>,
}

impl ErrorCode {
    fn new(code: &'static str, description: &'static str, details: impl Into<String>) -> Self {
        Self {
            code,
            description,
            details: details.into(),
            cause: None,
        }
    }

    fn invalid(details: impl Into<String>) -> Self {
        Self::new("SYS.1007", "One or more API argument is invalid", details)
    }

    fn session_expired() -> Self {
        Self::new("ID.1001", "Invalid session", "Session expired")
    }

    fn caused_by(mut self, cause: Self) -> Self {
        self.cause = Some(Box::new(cause));
        self
    }

    fn to_json(&self) -> Value {
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

    fn into_reply(self) -> Reply {
        let verdict = format!("{}: {}", self.code, self.details);
        Reply::json(503, &json!({ "error": self.to_json() })).verdict(verdict)
    }
}

/// What the REST layer itself refuses, in plain text.
fn refuse(status: u16, text: impl Into<String>) -> Reply {
    let text = text.into();
    Reply::text(status, text.as_str()).verdict(text)
}

/// An authenticated call of an API.
struct Operation<'a> {
    path: PathValues,
    /// The object under the API's body key; null when it is not there.
    parameters: Value,
    request: &'a Request,
    now: Timestamp,
    /// The server's wall clock, seconds east of UTC.
    utc_offset: i32,
    state_as_object: bool,
}

impl Operation<'_> {
    fn path(&self, name: &str) -> &str {
        crate::route::value(&self.path, name)
    }

    fn optional(&self, name: &str) -> Result<Option<&str>, ErrorCode> {
        match self.parameters.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(ErrorCode::invalid(format!("field[{name}] must be text"))),
        }
    }

    fn need(&self, name: &str) -> Result<&str, ErrorCode> {
        self.optional(name)?.ok_or_else(|| {
            ErrorCode::invalid(format!("field[{name}] is mandatory, can not be null"))
        })
    }

    /// A date as the server's Gson prints it: local, without a zone.
    fn date(&self, at: Timestamp) -> String {
        clock::gson(at, self.utc_offset)
    }
}

/// What an API answers, or why it fails; `Reply` errors come from the REST layer.
enum Failure {
    Api(ErrorCode),
    Rest(Reply),
}

impl From<ErrorCode> for Failure {
    fn from(error: ErrorCode) -> Self {
        Self::Api(error)
    }
}

type Output = Result<Map<String, Value>, Failure>;

const POLL: &str = "PollJob";
const JOBS: &str = "/api-jobs/{uuid}";

fn segments(request: &Request) -> Option<Vec<String>> {
    request.segments("/zstack/v1")
}

/// The API that a request addresses.
pub(crate) fn operation(request: &Request) -> Option<String> {
    let segments = segments(request)?;
    if match_path(JOBS, &segments).is_some() {
        return Some(POLL.to_owned());
    }
    Api::of(request, &segments)
        .ok()
        .map(|api| api.name().to_owned())
}

pub(crate) fn answer(cloud: &Cloud, call: &Call<'_>) -> Reply {
    execute(cloud, &mut cloud.zstack(), call).unwrap_or_else(|refusal| refusal)
}

fn execute(cloud: &Cloud, state: &mut State, call: &Call<'_>) -> Result<Reply, Reply> {
    let request = call.request;
    let segments = segments(request).ok_or_else(|| routes::no_api(request.path()))?;
    if let Some(path) = match_path(JOBS, &segments) {
        // Anybody who knows a job's uuid may ask for it.
        if let Some(reply) = &call.instead {
            return Ok(reply.clone());
        }
        return Ok(state
            .jobs
            .poll(request, crate::route::value(&path, "uuid"), call.now));
    }
    let api = Api::of(request, &segments)?;
    let session = if api.is_authenticated() {
        auth::admit(cloud, state, call)?
    } else {
        Ok(())
    };
    if let Some(reply) = &call.instead {
        return Ok(reply.clone());
    }
    let is_async = api.is_async();
    let parameters = parameters(request, api.body_key(cloud))?;
    let job = jobs::check(&state.jobs, request)?;
    let output = match session {
        Ok(()) => api.run(cloud, state, call, parameters),
        Err(error) => Err(Failure::Api(error)),
    };
    let reply = match output {
        Ok(body) => Reply::json(200, &Value::Object(body)),
        Err(Failure::Api(error)) => error.into_reply(),
        Err(Failure::Rest(reply)) => return Err(reply),
    };
    if !is_async || on(&cloud.switches.zstack_synchronous) {
        return Ok(reply);
    }
    Ok(jobs::submit(cloud, &mut state.jobs, job, reply, call.now))
}

/// The object under the body key of the API.
fn parameters(request: &Request, key: Option<&str>) -> Result<Value, Reply> {
    let Some(key) = key else {
        return Ok(Value::Null);
    };
    if request.body.is_empty() {
        return if request.method == "PUT" {
            Err(no_body())
        } else {
            Ok(Value::Null)
        };
    }
    let body = body(request)?;
    tags(&body, key)?;
    // A missing key is no error here: the API then misses its mandatory fields.
    Ok(body[key].clone())
}

/// Tags stand among the parameters or beside them, where their list is taken without a look.
fn tags(body: &Value, key: &str) -> Result<(), Reply> {
    for name in ["systemTags", "userTags"] {
        if body.get(name).is_some_and(|tags| !is_list(tags)) {
            return Err(refuse(500, "java.lang.ClassCastException")
                .verdict(format!("{name}: expected a list")));
        }
        if body[key].get(name).is_some_and(|tags| !is_list(tags)) {
            return Err(refuse(400, format!("Invalid value for parameter[{name}]"))
                .verdict(format!("{name}: expected a list")));
        }
    }
    Ok(())
}

fn is_list(value: &Value) -> bool {
    value.is_array() || value.is_null()
}

fn no_body() -> Reply {
    refuse(500, "java.lang.NullPointerException").verdict("expected a body")
}

fn body(request: &Request) -> Result<Value, Reply> {
    request
        .json()
        .filter(Value::is_object)
        .ok_or_else(|| refuse(400, "the body is not a JSON object"))
}

/// The server's own error, or plain text for a status other than 503.
pub(crate) fn server_error(status: u16) -> Reply {
    match status {
        503 => Reply::json(
            503,
            &json!({ "error": ErrorCode::new("SYS.1000", "An internal error happened in system", "internal error").to_json() }),
        ),
        _ => Reply::text(status, "internal server error"),
    }
}

/// ZStack throttles nobody; a filter or a proxy in front of it may.
pub(crate) fn throttled(
    status: Option<u16>,
    code: Option<&str>,
    retry_after_ms: Option<u64>,
) -> Reply {
    let reply = Reply::text(status.unwrap_or(429), code.unwrap_or("too many requests"));
    with_retry_after(reply, retry_after_ms)
}
