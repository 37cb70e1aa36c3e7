//! What do OTC and Huawei Cloud do with a request before a service sees it? They accept a token
//! of Keystone or a signature with an access key, compare the project of the caller with the one
//! in the path, and find the operation by verb and path.

mod app_codes;
mod apps;
mod credentials;
mod identity;
mod keystone;
mod modelled;
mod multipart;
mod routes;
mod sdk_hmac;
mod tokens;

use std::sync::Mutex;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::accounts;
use crate::platform::{Platform, lock};
use crate::random;
use crate::route::PathValues;
use crate::wire::{Call, Reply, Request, Service};
use routes::{Behaviour, Route};

/// OTC / Huawei Cloud: the identity service and the API gateway, which share keys and tokens.
pub(crate) struct Huawei {
    state: Mutex<State>,
}

impl Huawei {
    /// A cloud whose services say that they are found at these addresses.
    pub(crate) fn new(iam: &str, apig: &str) -> Self {
        Self {
            state: Mutex::new(State::new(iam, apig)),
        }
    }

    /// All Keystone tokens are invalid from now on.
    pub(crate) fn expire_tokens(&self) {
        lock(&self.state).tokens.expire_all();
    }
}

/// Everything that the identity service and the gateway remember.
struct State {
    directory: keystone::Directory,
    keys: sdk_hmac::Keys,
    tokens: tokens::Tokens,
    apps: apps::Apps,
}

impl State {
    fn new(iam: &str, apig: &str) -> Self {
        Self {
            directory: keystone::Directory::new(iam, apig),
            keys: sdk_hmac::Keys::new(),
            tokens: tokens::Tokens::default(),
            apps: apps::Apps::default(),
        }
    }
}

/// A refusal in one of the two shapes that these clouds use.
#[derive(Debug)]
struct Refusal {
    status: u16,
    /// The gateway's code; the identity service has none beside the status.
    code: Option<String>,
    message: String,
    verdict: Option<String>,
    /// A fault's answer, given instead of any of the above.
    planned: Option<Box<Reply>>,
}

impl Refusal {
    fn gateway(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            code: Some(code.to_owned()),
            message: message.into(),
            verdict: None,
            planned: None,
        }
    }

    fn identity(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            code: None,
            message: message.into(),
            verdict: None,
            planned: None,
        }
    }

    fn verdict(mut self, text: impl Into<String>) -> Self {
        self.verdict = Some(text.into());
        self
    }

    fn invalid(parameter: &str, rule: &str) -> Self {
        Self::gateway(
            400,
            "APIG.2012",
            format!("Invalid parameter value,parameterName:{parameter}. Please refer to the support documentation"),
        )
        .verdict(format!("{parameter}: {rule}"))
    }

    /// The fault that is planned for this call, due once the caller is known.
    fn planned(call: &Call<'_>) -> Result<(), Self> {
        match &call.instead {
            None => Ok(()),
            Some(reply) => Err(Self {
                planned: Some(Box::new(reply.clone())),
                ..Self::identity(reply.status, String::new())
            }),
        }
    }

    fn into_reply(self) -> Reply {
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

/// Who calls, in which project, with which rights.
#[derive(Clone)]
struct Caller {
    user: &'static identity::User,
    project: Option<String>,
}

/// An authenticated call of an operation.
struct Operation<'a> {
    caller: &'a Caller,
    path: PathValues,
    call: &'a Call<'a>,
}

impl Operation<'_> {
    fn path(&self, name: &str) -> &str {
        crate::route::value(&self.path, name)
    }

    fn now(&self) -> Timestamp {
        self.call.now
    }

    fn body(&self) -> Result<Value, Refusal> {
        self.call
            .request
            .json()
            .filter(Value::is_object)
            .ok_or_else(|| Refusal::invalid("body", "expected a JSON object"))
    }

    /// `offset` and `limit` as the service reads them: out of range is no error.
    fn page(&self) -> Result<(usize, usize), Refusal> {
        let number = |name: &str, default: i64| match self.call.request.query_value(name) {
            None => Ok(default),
            Some(text) => text
                .parse::<i64>()
                .map_err(|_| Refusal::invalid(name, &format!("expected a number, got {text}"))),
        };
        let offset = usize::try_from(number("offset", 0)?).unwrap_or(0);
        let limit = match number("limit", 20)? {
            ..=0 => 20,
            limit => usize::try_from(limit).unwrap_or(500).min(500),
        };
        Ok((offset, limit))
    }
}

impl Platform for Huawei {
    fn operation(&self, request: &Request) -> Option<String> {
        match request.service {
            Service::Iam => keystone::find(request).map(|(name, _)| name.to_owned()),
            _ => Behaviour::of(request).map(|found| found.name().to_owned()),
        }
    }

    fn answer(&self, call: &Call<'_>) -> Reply {
        let mut state = lock(&self.state);
        if call.request.service == Service::Iam {
            return keystone::answer(&mut state, call)
                .unwrap_or_else(Refusal::into_reply)
                .header("x-iam-trace-id", format!("token_{}", random::uuid_hex()));
        }
        let reply = apig(&mut state, call).unwrap_or_else(Refusal::into_reply);
        if reply.headers.iter().any(|(name, _)| name == "x-request-id") {
            reply
        } else {
            reply.header("x-request-id", random::uuid_hex())
        }
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
        state.keys.admit(request, call.now, call.strict_time)?;
        Caller {
            user: &identity::USERS[0],
            project: request.header("x-project-id").map(str::to_owned),
        }
    } else {
        token_caller(state, call)?
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
    behaviour.run(state, &caller, call)
}

fn token_caller(state: &State, call: &Call<'_>) -> Result<Caller, Refusal> {
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
    let found = state.tokens.find(token, call.now).map_err(bad)?;
    Ok(Caller {
        user: found.user,
        project: found.scope.project().map(|project| project.id.to_owned()),
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

/// The gateway instance of an operation must exist in the caller's project.
fn check_instance(operation: &Operation<'_>) -> Result<(), Refusal> {
    let instance = operation.path("instance_id");
    let here = operation.caller.project.as_deref() == Some(accounts::KEYSTONE_PROJECT_ID);
    if here && instance == accounts::INSTANCE_ID {
        return Ok(());
    }
    Err(Refusal::gateway(
        404,
        "APIG.3030",
        format!("The instance does not exist;id:{instance}"),
    ))
}

/// Ids are 32 hex digits, with or without dashes.
fn check_id<'a>(operation: &'a Operation<'_>, name: &str) -> Result<&'a str, Refusal> {
    let id = operation.path(name);
    let digits = id.bytes().filter(|byte| *byte != b'-').count();
    if digits == 32
        && id
            .bytes()
            .all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
    {
        Ok(id)
    } else {
        Err(Refusal::invalid(
            name,
            &format!("expected 32 hex digits, got {id}"),
        ))
    }
}
