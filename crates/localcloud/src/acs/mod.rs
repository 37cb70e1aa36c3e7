//! What does Alibaba Cloud's RPC gateway do with a request before a service sees it? It finds
//! the signature, checks it, checks time, token and nonce, replays client tokens, and dispatches
//! by the name of the action.

mod auth;
mod idempotency;
mod modelled;
mod signature;
mod smartag;
mod smc;

use std::sync::Mutex;

use serde_json::{Map, Value, json};

use crate::model::Operation;
use crate::platform::{Platform, lock};
use crate::random;
use crate::wire::{Call, Reply, Request, Service};

/// Alibaba Cloud: the gateway with both services behind it.
pub(crate) struct Acs {
    state: Mutex<State>,
}

impl Acs {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::new(State::new()),
        }
    }
}

/// Everything that the gateway and both services remember.
struct State {
    auth: auth::State,
    idempotency: idempotency::State,
    smc: smc::State,
    smartag: smartag::State,
}

impl State {
    fn new() -> Self {
        Self {
            auth: auth::State::new(),
            idempotency: idempotency::State::default(),
            smc: smc::State::default(),
            smartag: smartag::State::default(),
        }
    }
}

/// A refusal as the gateway and the services word it.
#[derive(Debug)]
struct Refusal {
    status: u16,
    code: String,
    message: String,
    verdict: Option<String>,
}

impl Refusal {
    fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            verdict: None,
        }
    }

    fn verdict(mut self, text: impl Into<String>) -> Self {
        self.verdict = Some(text.into());
        self
    }

    /// A parameter that does not keep its documented rule.
    fn invalid(name: &str, rule: &str) -> Self {
        Self::new(
            400,
            "InvalidParameter",
            format!("The specified parameter {name} is not valid."),
        )
        .verdict(format!("{name}: {rule}"))
    }

    /// A parameter that must be there.
    fn missing(name: &str) -> Self {
        Self::new(
            400,
            format!("Missing{name}"),
            format!("{name} is mandatory for this action."),
        )
        .verdict(format!("{name} is required"))
    }

    fn into_reply(self, service: Service) -> Reply {
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

fn version(service: Service) -> &'static str {
    match service {
        Service::Smartag => "2018-03-13",
        _ => "2019-06-01",
    }
}

/// An authenticated call of an action.
struct Action<'a> {
    account: &'a str,
    name: &'a str,
    parameters: &'a [(String, String)],
    call: &'a Call<'a>,
}

impl Action<'_> {
    /// First value of a parameter.
    fn get(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// A parameter that must be there and not be empty.
    fn need(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| Refusal::missing(name))
    }

    /// The members `Name.1`, `Name.2`, ... of a list, by number.
    fn list(&self, name: &str) -> Vec<&str> {
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

type Output = Result<Map<String, Value>, Refusal>;
type Handler = fn(&mut State, &Action<'_>) -> Output;

/// How an action is answered.
#[derive(Clone, Copy)]
enum Behaviour {
    /// By hand, with state.
    Handler(Handler),
    /// From its model.
    Modelled(&'static Operation),
}

impl Behaviour {
    fn of(service: Service, action: &str) -> Option<Self> {
        let table = match service {
            Service::Smartag => smartag::ACTIONS,
            _ => smc::ACTIONS,
        };
        let by_hand = table
            .iter()
            .find(|(name, _)| *name == action)
            .map(|(_, handler)| Self::Handler(*handler));
        by_hand.or_else(|| modelled::find(service, action).map(Self::Modelled))
    }

    fn run(self, service: Service, state: &mut State, action: &Action<'_>) -> Output {
        match self {
            Self::Handler(handler) => handler(state, action),
            Self::Modelled(operation) => modelled::run(service, operation, action),
        }
    }
}

/// The members of a JSON object; an empty output for anything else.
fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

impl Platform for Acs {
    /// The action that a request names, in its header (V3) or among its parameters (V1).
    fn operation(&self, request: &Request) -> Option<String> {
        if let Some(action) = request.header("x-acs-action") {
            return Some(action.to_owned());
        }
        request
            .query_pairs()
            .into_iter()
            .chain(request.form_pairs())
            .find_map(|(name, value)| (name == "Action").then_some(value))
    }

    fn answer(&self, call: &Call<'_>) -> Reply {
        execute(&mut lock(&self.state), call)
            .unwrap_or_else(|refusal| refusal.into_reply(call.request.service))
    }

    fn server_error(&self, service: Service, status: u16) -> Reply {
        let (code, message) = match status {
            503 => (
                "ServiceUnavailable",
                "The request has failed due to a temporary failure of the server.",
            ),
            _ => (
                "InternalError",
                "An error occurred while processing your request. Please try again.",
            ),
        };
        Refusal::new(status, code, message).into_reply(service)
    }

    /// 400 unless told otherwise, with the hint in milliseconds.
    fn throttled(
        &self,
        service: Service,
        status: Option<u16>,
        code: Option<&str>,
        retry_after_ms: Option<u64>,
    ) -> Reply {
        let reply = Refusal::new(
            status.unwrap_or(400),
            code.unwrap_or("Throttling.User"),
            "Request was denied due to user flow control.",
        )
        .into_reply(service);
        match retry_after_ms {
            Some(hint) => reply.header("x-acs-retry-after", hint.to_string()),
            None => reply,
        }
    }
}

fn execute(state: &mut State, call: &Call<'_>) -> Result<Reply, Refusal> {
    let service = call.request.service;
    let signed = signature::read(call.request)?;
    let account = state.auth.admit(&signed, call.now, call.strict_time)?;
    if signed.version != version(service) {
        return Err(Refusal::new(
            400,
            "InvalidVersion",
            "Specified parameter Version is not valid.",
        )
        .verdict(format!(
            "expected version {}, got {}",
            version(service),
            signed.version
        )));
    }
    if let Some(reply) = &call.instead {
        return Ok(reply.clone());
    }
    let Some(behaviour) = Behaviour::of(service, &signed.action) else {
        return Err(Refusal::new(
            404,
            "InvalidAction.NotFound",
            "Specified api is not found, please check your url and method.",
        )
        .verdict(format!(
            "no action {} in {} {}",
            signed.action,
            service.name(),
            signed.version
        )));
    };
    let action = Action {
        account: &account,
        name: &signed.action,
        parameters: &signed.parameters,
        call,
    };
    let token = state.idempotency.check(service, &action)?;
    let body = match token {
        idempotency::Token::Known(body) => body,
        idempotency::Token::None => finish(behaviour.run(service, state, &action)?),
        idempotency::Token::New(key) => {
            let body = finish(behaviour.run(service, state, &action)?);
            state.idempotency.keep(key, body.clone());
            body
        }
    };
    let request_id = body["RequestId"].as_str().unwrap_or_default().to_owned();
    Ok(Reply::json(200, &body).header("x-acs-request-id", request_id))
}

fn finish(output: Map<String, Value>) -> Value {
    let mut body = Map::new();
    body.insert("RequestId".into(), random::request_id().into());
    body.extend(output);
    Value::Object(body)
}
