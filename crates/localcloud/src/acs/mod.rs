//! What does Alibaba Cloud's RPC gateway do with a request before a service sees it? It finds
//! the signature, checks it, checks time, token and nonce, replays client tokens, and dispatches
//! by the name of the action.

mod action;
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
use crate::store;
use crate::wire::{Call, Reply, Request, Service};
use action::{Action, Handler, Output, Refusal};
pub(crate) use modelled::taken;

/// Alibaba Cloud: the gateway with both services behind it.
pub(crate) struct Acs {
    state: Mutex<State>,
}

impl Acs {
    pub(crate) fn new(store: store::Handle) -> Self {
        Self {
            state: Mutex::new(State::new(store)),
        }
    }
}

/// Everything that the gateway and both services remember.
struct State {
    auth: auth::State,
    idempotency: idempotency::State,
    smc: smc::State,
    smartag: smartag::State,
    store: store::Handle,
}

impl State {
    fn new(store: store::Handle) -> Self {
        Self {
            auth: auth::State::new(),
            idempotency: idempotency::State::default(),
            smc: smc::State::default(),
            smartag: smartag::State::default(),
            store,
        }
    }
}

fn version(service: Service) -> &'static str {
    match service {
        Service::Smartag => "2018-03-13",
        _ => "2019-06-01",
    }
}

/// How an action is answered.
#[derive(Clone, Copy)]
enum Behaviour {
    Smc(Handler<smc::State>),
    Smartag(Handler<smartag::State>),
    /// From its model.
    Modelled(&'static Operation),
}

impl Behaviour {
    fn of(service: Service, action: &str) -> Option<Self> {
        let by_hand = match service {
            Service::Smartag => handler(smartag::ACTIONS, action).map(Self::Smartag),
            _ => handler(smc::ACTIONS, action).map(Self::Smc),
        };
        by_hand.or_else(|| modelled::find(service, action).map(Self::Modelled))
    }

    fn run(self, service: Service, state: &mut State, action: &Action<'_>) -> Output {
        match self {
            Self::Smc(handler) => handler(&mut state.smc, action),
            Self::Smartag(handler) => handler(&mut state.smartag, action),
            Self::Modelled(operation) => {
                modelled::run(&mut lock(&state.store), service, operation, action)
            }
        }
    }
}

fn handler<S>(table: &[(&str, Handler<S>)], action: &str) -> Option<Handler<S>> {
    let found = table.iter().find(|(name, _)| *name == action);
    found.map(|(_, handler)| *handler)
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

    fn snapshot(&self) -> Value {
        let state = lock(&self.state);
        json!({"access-token": state.smc.to_json(), "enterprise-code": state.smartag.to_json()})
    }

    fn restore(&self, kept: &Value) -> Option<()> {
        let smc = smc::State::from_json(&kept["access-token"])?;
        let smartag = smartag::State::from_json(&kept["enterprise-code"])?;
        let mut state = lock(&self.state);
        (state.smc, state.smartag) = (smc, smartag);
        Some(())
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
