//! What does ZStack's REST server do with a request? It finds the API by path, verb and body
//! key, checks session or access key, and answers reads at once and writes through a job.

mod access_keys;
mod auth;
mod date;
mod failure;
mod jobs;
mod modelled;
mod operation;
mod query;
mod routes;
mod rpc;
mod sessions;
mod switches;
mod zql;

use std::sync::Mutex;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::platform::{Platform, lock};
use crate::route::match_path;
use crate::store;
use crate::wire::{Call, Reply, Request, Service};
use failure::{ErrorCode, Failure, body};
#[cfg(any(test, fuzzing))]
pub(crate) use query::condition;
use routes::Api;
pub(crate) use switches::Switches;

/// ZStack: one management node.
pub(crate) struct Zstack {
    state: Mutex<State>,
}

impl Zstack {
    /// A node that thinks it is found at the port `unreachable`.
    pub(crate) fn new(
        switches: Switches,
        unreachable: u16,
        now: Timestamp,
        store: store::Handle,
    ) -> Self {
        Self {
            state: Mutex::new(State {
                switches,
                sessions: sessions::Sessions::default(),
                keys: access_keys::AccessKeys::new(now),
                jobs: jobs::Jobs::new(unreachable),
                events: rpc::Events::default(),
                store,
            }),
        }
    }

    pub(crate) fn switch(&self, change: impl FnOnce(&mut Switches)) {
        change(&mut lock(&self.state).switches);
    }

    pub(crate) fn expire_sessions(&self) {
        lock(&self.state).sessions.clear();
    }

    pub(crate) fn expire_jobs(&self) {
        lock(&self.state).jobs.clear();
    }
}

/// Everything that the management node remembers.
struct State {
    switches: Switches,
    sessions: sessions::Sessions,
    keys: access_keys::AccessKeys,
    jobs: jobs::Jobs,
    events: rpc::Events,
    store: store::Handle,
}

const POLL: &str = "PollJob";
const JOBS: &str = "/api-jobs/{uuid}";

/// The parts of a path. The server's matcher skips those without text, but for one at the end.
fn segments(request: &Request) -> Option<Vec<String>> {
    let mut segments = request.segments("/zstack/v1")?;
    let last = segments.pop();
    segments.retain(|one| !one.is_empty());
    segments.extend(last);
    Some(segments)
}

impl Platform for Zstack {
    fn operation(&self, request: &Request) -> Option<String> {
        if let Some(asked) = rpc::Asked::of(request) {
            return asked.operation();
        }
        let segments = segments(request)?;
        if match_path(JOBS, &segments).is_some() {
            return Some(POLL.to_owned());
        }
        Api::of(request, &segments)
            .ok()
            .map(|api| api.name().to_owned())
    }

    fn answer(&self, call: &Call<'_>) -> Reply {
        let mut state = lock(&self.state);
        match rpc::Asked::of(call.request) {
            Some(asked) => asked.answer(&mut state, call),
            None => execute(&mut state, call).unwrap_or_else(|refusal| refusal),
        }
    }

    fn snapshot(&self) -> Value {
        lock(&self.state).keys.to_json()
    }

    fn restore(&self, kept: &Value) -> Option<()> {
        let keys = access_keys::AccessKeys::from_json(kept)?;
        lock(&self.state).keys = keys;
        Some(())
    }

    /// Plain text for a status other than 503.
    fn server_error(&self, _: Service, status: u16) -> Reply {
        match status {
            503 => Reply::json(
                503,
                &json!({ "error": ErrorCode::new("SYS.1000", "An internal error happened in system", "internal error").to_json() }),
            ),
            _ => Reply::text(status, "internal server error"),
        }
    }

    /// ZStack throttles nobody; a filter or a proxy in front of it may.
    fn throttled(
        &self,
        _: Service,
        status: Option<u16>,
        code: Option<&str>,
        retry_after_ms: Option<u64>,
    ) -> Reply {
        Reply::text(status.unwrap_or(429), code.unwrap_or("too many requests"))
            .retry_after(retry_after_ms)
    }
}

fn execute(state: &mut State, call: &Call<'_>) -> Result<Reply, Reply> {
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
        auth::admit(&mut state.sessions, &state.keys, state.switches, call)?
    } else {
        Ok(())
    };
    if let Some(reply) = &call.instead {
        return Ok(reply.clone());
    }
    let is_async = api.is_async();
    let parameters = parameters(request, api.body_key(state.switches))?;
    let job = jobs::check(&state.jobs, request)?;
    let output = match session {
        Ok(()) => api.run(
            &mut state.keys,
            &mut state.sessions,
            &state.store,
            state.switches,
            call,
            parameters,
        ),
        Err(error) => Err(Failure::Api(error)),
    };
    let reply = match output {
        Ok(body) => Reply::json(200, &Value::Object(body)),
        Err(Failure::Api(error)) => error.into_reply(),
        Err(Failure::Rest(reply)) => return Err(reply),
    };
    if !is_async || state.switches.synchronous {
        return Ok(reply);
    }
    Ok(state
        .jobs
        .submit(job, reply, state.switches.job_polls, call.now))
}

/// The object under the body key of the API.
fn parameters(request: &Request, key: Option<&str>) -> Result<Value, Reply> {
    let Some(key) = key else {
        return Ok(Value::Null);
    };
    let Some(body) = body(request)? else {
        return Ok(Value::Null);
    };
    tags(&body, key)?;
    // A missing key is no error here: the API then misses its mandatory fields.
    Ok(body[key].clone())
}

/// Tags stand among the parameters or beside them, where their list is taken without a look.
fn tags(body: &Value, key: &str) -> Result<(), Reply> {
    for name in ["systemTags", "userTags"] {
        if body.get(name).is_some_and(|tags| !is_list(tags)) {
            return Err(failure::refuse(500, "java.lang.ClassCastException")
                .verdict(format!("{name}: expected a list")));
        }
        if body[key].get(name).is_some_and(|tags| !is_list(tags)) {
            return Err(
                failure::refuse(400, format!("Invalid value for parameter[{name}]"))
                    .verdict(format!("{name}: expected a list")),
            );
        }
    }
    Ok(())
}

fn is_list(value: &Value) -> bool {
    value.is_array() || value.is_null()
}
