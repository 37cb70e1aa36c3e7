//! What do OTC and Huawei Cloud do with a request before a service sees it? They accept a token
//! of Keystone or a signature with an access key, compare the project of the caller with the one
//! in the path, and find the operation by verb and path.

mod app_codes;
mod application_credentials;
mod apps;
mod bound;
mod credentials;
mod directory;
mod gateway_responses;
mod identity;
mod keystone;
mod modelled;
mod multipart;
mod operation;
mod outline;
mod published;
mod quota;
mod refusal;
mod routes;
mod sdk_hmac;
mod tokens;

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::platform::{Platform, lock};
use crate::random;
use crate::store;
use crate::wire::{Call, Reply, Request, Service};
use application_credentials::ApplicationCredential;
pub(crate) use modelled::taken;
use operation::Caller;
use refusal::Refusal;
use routes::Behaviour;

/// OTC / Huawei Cloud: the identity service and the API gateway, which share keys and tokens.
pub(crate) struct Huawei {
    state: Mutex<State>,
}

impl Huawei {
    /// A cloud whose services say that they are found at these addresses.
    pub(crate) fn new(iam: &str, apig: &str, store: store::Handle) -> Self {
        Self {
            state: Mutex::new(State {
                identity: keystone::State::new(iam, apig),
                apps: apps::Apps::default(),
                published: published::Published::new(Arc::clone(&store)),
                store,
            }),
        }
    }

    /// Whether a request calls an API that was published on the gateway.
    fn is_published(&self, request: &Request) -> bool {
        request.service == Service::Apig && lock(&self.state).published.is_addressed(request)
    }

    /// Whether the body of a request may be passed on while it comes.
    pub(crate) fn streams(&self, request: &Request) -> bool {
        published::is_streamed(request) && self.is_published(request)
    }

    /// All Keystone tokens are invalid from now on.
    pub(crate) fn expire_tokens(&self) {
        lock(&self.state).identity.tokens.expire_all();
    }
}

/// Everything that the identity service and the gateway remember.
struct State {
    identity: keystone::State,
    apps: apps::Apps,
    published: published::Published,
    store: store::Handle,
}

impl Platform for Huawei {
    fn operation(&self, request: &Request) -> Option<String> {
        match request.service {
            Service::Iam => keystone::find(request).map(|(name, ..)| name.to_owned()),
            _ if self.is_published(request) => Some("InvokeApi".to_owned()),
            _ => Behaviour::of(request).map(|found| found.name().to_owned()),
        }
    }

    fn answer(&self, call: &Call<'_>) -> Reply {
        let mut state = lock(&self.state);
        if call.request.service == Service::Iam {
            return keystone::answer(&mut state.identity, call)
                .unwrap_or_else(Refusal::into_reply)
                .header("x-iam-trace-id", format!("token_{}", random::uuid_hex()));
        }
        let answer = match state.published.is_addressed(call.request) {
            true => published::answer(&mut state, call),
            false => apig(&mut state, call),
        };
        let reply = answer.unwrap_or_else(Refusal::into_reply);
        if reply.headers.iter().any(|(name, _)| name == "x-request-id") {
            reply
        } else {
            reply.header("x-request-id", random::uuid_hex())
        }
    }

    fn snapshot(&self) -> Value {
        let state = lock(&self.state);
        let credentials = state.identity.application_credentials.iter();
        json!({
            "apps": state.apps.to_json(),
            "published": state.published.to_json(),
            "application_credentials": credentials.map(ApplicationCredential::to_json).collect::<Value>(),
        })
    }

    fn restore(&self, kept: &Value) -> Option<()> {
        let apps = apps::Apps::from_json(&kept["apps"])?;
        let credentials = kept["application_credentials"].as_array()?.iter();
        let credentials = credentials.map(ApplicationCredential::from_json);
        let credentials = credentials.collect::<Option<_>>()?;
        let mut state = lock(&self.state);
        state.published.take_up(&kept["published"])?;
        state.apps = apps;
        state.identity.application_credentials = credentials;
        Some(())
    }

    fn server_error(&self, service: Service, status: u16) -> Reply {
        if service == Service::Iam {
            return Refusal::identity(
                status,
                "An unexpected error prevented the server from fulfilling your request.",
            )
            .into_reply();
        }
        let (code, message) = match status {
            502 => ("APIG.0201", "Backend unavailable"),
            503 => ("APIG.0202", "Backend unavailable"),
            504 => ("APIG.0203", "Backend timeout"),
            _ => ("APIG.9999", "System error"),
        };
        Refusal::gateway(status, code, message).into_reply()
    }

    fn throttled(
        &self,
        service: Service,
        status: Option<u16>,
        code: Option<&str>,
        retry_after_ms: Option<u64>,
    ) -> Reply {
        let (usual, message) = match service {
            Service::Iam => (
                "IAM.0012",
                "The throttling threshold has been reached. Threshold: 10 times per 60 seconds",
            ),
            _ => (
                "APIG.0308",
                "The throttling threshold has been reached: policy user over ratelimit,limit:10,time:1 second",
            ),
        };
        Refusal::gateway(status.unwrap_or(429), code.unwrap_or(usual), message)
            .into_reply()
            .retry_after(retry_after_ms)
    }
}

fn apig(state: &mut State, call: &Call<'_>) -> Result<Reply, Refusal> {
    let request = call.request;
    let caller = if request.header("authorization").is_some() {
        state
            .identity
            .keys
            .admit(request, call.now, call.strict_time)?;
        Caller {
            user: &identity::USERS[0],
            project: request.header("x-project-id").map(str::to_owned),
        }
    } else {
        token_caller(&state.identity.tokens, call)?
    };
    check_project(request, &caller)?;
    Refusal::planned(call)?;
    let Some(behaviour) = Behaviour::of(request) else {
        return Err(Refusal::gateway(
            404,
            "APIGW.0101",
            "The API does not exist or has not been published in the environment",
        )
        .verdict(format!(
            "no operation {} {}",
            request.method,
            request.path()
        )));
    };
    if caller.user.read_only && request.method != "GET" {
        return Err(
            Refusal::gateway(403, "APIG.1005", "No permissions to request this method")
                .verdict(format!("{} may only read", caller.user.name)),
        );
    }
    behaviour.run(
        &mut state.apps,
        &mut state.published,
        &state.store,
        &caller,
        call,
    )
}

fn token_caller(tokens: &tokens::Tokens, call: &Call<'_>) -> Result<Caller, Refusal> {
    let bad = |why: &str| {
        Refusal::gateway(
            401,
            "APIG.1002",
            "Incorrect token or token resolution failed",
        )
        .verdict(why)
    };
    let Some(token) = call.request.header("x-auth-token") else {
        return Err(Refusal::gateway(
            401,
            "APIGW.0301",
            "Incorrect IAM authentication information: x-auth-token not found",
        )
        .verdict("expected Authorization: SDK-HMAC-SHA256 .. or X-Auth-Token"));
    };
    let found = tokens.find(token, call.now).map_err(bad)?;
    Ok(Caller {
        user: found.grant.user,
        project: found
            .grant
            .scope
            .project()
            .map(|project| project.id.to_owned()),
    })
}

/// The project in the path must be the caller's.
fn check_project(request: &Request, caller: &Caller) -> Result<(), Refusal> {
    let Some(in_path) = request
        .segments("/v2")
        .and_then(|segments| segments.into_iter().next())
    else {
        return Ok(());
    };
    let own = caller.project.as_deref();
    if own == Some(in_path.as_str()) && identity::project_by_id(&in_path).is_some() {
        return Ok(());
    }
    Err(Refusal::gateway(
        403,
        "APIG.1005",
        "URL's projectId is not equal token's projectId",
    )
    .verdict(format!(
        "the path names project {in_path}, the caller's project is {}",
        own.unwrap_or("none (send X-Project-Id with AK/SK, a project scope with a token)")
    )))
}
