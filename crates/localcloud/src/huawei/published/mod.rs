//! What does the gateway do with calls of the APIs that were published on it? It finds the group by
//! the host, the API by method, path and stage, asks who calls and how often, and answers for the
//! backend or passes the call on to it.
//!
//! As on the real one, an API group is reached by a domain (the one that it was made with, or one
//! that was bound to it), and by the address alone only if it is the group `DEFAULT`. A group's own
//! domain is `{random}.apic.localhost` with the port, for clients whose resolver knows that names below
//! `localhost` are this machine (RFC 6761); others call the address with that `Host`.
//!
//! Not played: TLS (APIs for HTTPS alone answer over HTTP), custom authorizers and functions, CORS,
//! plug-ins, and limits by address. Backends are called on this machine only.

mod access;
mod backend;
mod find;
mod import;
mod publish;
mod rate;
mod read;

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::model::input::Input;
use crate::platform::lock;
use crate::random;
use crate::store::{self, Store, Table};
use crate::wire::{Call, Reply, Request, Service};

use super::State;
use super::operation::Route;
use super::refusal::Refusal;
use super::routes::Behaviour;

pub(super) const ROUTES: &[&[Route<Published>]] = &[publish::ROUTES, import::ROUTES];

/// Below it are the domains that groups are made with.
const DOMAIN: &str = ".apic.localhost";
/// Where a call goes that names no stage.
const RELEASE: &str = "RELEASE";
const RELEASE_ID: &str = "DEFAULT_ENVIRONMENT_RELEASE_ID";

/// What is published, and how often it was called.
pub(super) struct Published {
    store: store::Handle,
    all: Vec<Publication>,
    /// By limit: the window, and the calls in it.
    calls: HashMap<String, (i64, i64)>,
}

/// An API in an environment, as it was when it was published.
#[derive(Clone)]
struct Publication {
    id: String,
    api: String,
    env: String,
    version: String,
    at: Timestamp,
    definition: Input,
}

impl Published {
    pub(super) fn new(store: store::Handle) -> Self {
        Self {
            store,
            all: Vec::new(),
            calls: HashMap::new(),
        }
    }

    /// Whether a request is for an API group, not for the gateway's own operations.
    pub(super) fn is_addressed(&self, request: &Request) -> bool {
        let host = host(request);
        host.ends_with(DOMAIN)
            || self.group(&host).is_some()
            || (Behaviour::of(request).is_none() && self.default_group().is_some())
    }

    /// The group of a host; that of the bare address is called `DEFAULT`.
    fn group(&self, host: &str) -> Option<String> {
        let store = &mut lock(&self.store);
        let by_domain = |member: &str, value: &Input| {
            let domain = text(value, member).to_ascii_lowercase();
            !domain.is_empty() && without_port(&domain) == host
        };
        let own = things(store, "api-group", |group| by_domain("sl_domain", group));
        let bound = things(store, "domain", |domain| by_domain("url_domain", domain));
        let own = own.first().map(|group| text(group, "id").to_owned());
        own.or_else(|| bound.first().map(|one| text(one, "group_id").to_owned()))
    }

    fn default_group(&self) -> Option<String> {
        let store = &mut lock(&self.store);
        let found = things(store, "api-group", |group| text(group, "name") == "DEFAULT");
        found.first().map(|group| text(group, "id").to_owned())
    }

    pub(super) fn to_json(&self) -> Value {
        let all = self.all.iter().map(|one| {
            json!({
                "id": one.id,
                "api": one.api,
                "env": one.env,
                "version": one.version,
                "at": one.at.to_string(),
                "definition": one.definition,
            })
        });
        all.collect()
    }

    /// Takes up what a snapshot holds.
    pub(super) fn take_up(&mut self, json: &Value) -> Option<()> {
        let read = |json: &Value| {
            let text = |name: &str| json[name].as_str().map(str::to_owned);
            Some(Publication {
                id: text("id")?,
                api: text("api")?,
                env: text("env")?,
                version: text("version")?,
                at: text("at")?.parse().ok()?,
                definition: json["definition"].as_object()?.clone(),
            })
        };
        self.all = json.as_array()?.iter().map(read).collect::<Option<_>>()?;
        self.calls.clear();
        Some(())
    }
}

/// Answers a call of a published API, or says where it goes on to.
pub(super) fn answer(state: &mut State, call: &Call<'_>) -> Result<Reply, Refusal> {
    let request = call.request;
    let found = state.published.find(request)?;
    let who = access::admit(state, &found, call)?;
    Refusal::planned(call)?;
    state.published.count(&found, &who, call.now)?;
    backend::answer(&found, &who, request)
}

/// Whether the body of a call can be passed on before it is whole: it is not signed.
pub(super) fn is_streamed(request: &Request) -> bool {
    let signed = request
        .header("authorization")
        .is_some_and(|text| text.starts_with("SDK-HMAC-SHA256"));
    !signed || request.header("x-sdk-content-sha256") == Some("UNSIGNED-PAYLOAD")
}

/// What a group has from the start that nobody gives it: the domain at which its APIs are called.
pub(super) fn domain(request: &Request) -> String {
    let port = request
        .header("host")
        .and_then(|host| host.strip_prefix(without_port(host)))
        .unwrap_or_default();
    format!("{}{DOMAIN}{port}", random::uuid_hex())
}

fn host(request: &Request) -> String {
    let host = request.header("host").unwrap_or_default();
    without_port(host).to_ascii_lowercase()
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// The things of a row that are as wanted.
fn things(store: &mut Store, row: &str, wanted: impl Fn(&Input) -> bool) -> Vec<Input> {
    let Some(at) = Table::of(Service::Apig).position(row) else {
        return Vec::new();
    };
    let kind = store.kind(Service::Apig, at);
    let all = kind.iter().map(|(_, thing)| &thing.members);
    all.filter(|members| wanted(members)).cloned().collect()
}

/// A member that is text; empty where it is not there.
fn text<'a>(members: &'a Input, name: &str) -> &'a str {
    members
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The objects of a list.
fn objects<'a>(members: &'a Input, name: &str) -> impl Iterator<Item = &'a Input> {
    let list = members.get(name).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_object)
}
