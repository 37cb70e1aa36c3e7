//! Which APIs does a policy apply to, which could it apply to, and which policies has an API? Bindings
//! are things of rows of their own; the lists show them with what API, policy and environment say.
//!
//! Policies are bound to publications, apps to an API in an environment.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::model::input::Input;
use crate::model::page::Page;
use crate::model::values::NUMBER;
use crate::store::{Ask, Kind, Samples, Store, Table};
use crate::wire::Service;

/// A row of bindings, and the operations that list by it.
struct Relation {
    bindings: &'static str,
    policies: &'static str,
    /// What members about the policy begin with.
    prefix: &'static str,
    /// Members by which a binding names its policy.
    names: &'static [&'static str],
    bound_apis: &'static str,
    unbound_apis: &'static str,
    policies_of_api: &'static str,
}

#[rustfmt::skip]
const RELATIONS: &[Relation] = &[
    Relation {
        bindings: "acl-binding",
        policies: "acl",
        prefix: "acl_",
        names: &["acl_id"],
        bound_apis: "ListApisBindedToAclPolicyV2",
        unbound_apis: "ListApisUnbindedToAclPolicyV2",
        policies_of_api: "ListAclPolicyBindedToApiV2",
    },
    Relation {
        bindings: "throttle-binding",
        policies: "throttle",
        prefix: "throttle_",
        names: &["throttle_id", "strategy_id"],
        bound_apis: "ListApisBindedToRequestThrottlingPolicyV2",
        unbound_apis: "ListApisUnbindedToRequestThrottlingPolicyV2",
        policies_of_api: "ListRequestThrottlingPoliciesBindedToApiV2",
    },
    Relation {
        bindings: "sign-binding",
        policies: "sign",
        prefix: "sign_",
        names: &["sign_id"],
        bound_apis: "ListApisBindedToSignatureKeyV2",
        unbound_apis: "ListApisNotBoundWithSignatureKeyV2",
        policies_of_api: "ListSignatureKeysBindedToApiV2",
    },
    Relation {
        bindings: "app-auth",
        policies: "app",
        prefix: "app_",
        names: &["app_id"],
        bound_apis: "ListApisBindedToAppV2",
        unbound_apis: "ListApisUnbindedToAppV2",
        policies_of_api: "ListAppsBindedToApiV2",
    },
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    BoundApis,
    UnboundApis,
    PoliciesOfApi,
}

impl Relation {
    fn of(operation: &str) -> Option<(&'static Self, Wanted)> {
        RELATIONS.iter().find_map(|one| {
            let wanted = match operation {
                name if name == one.bound_apis => Wanted::BoundApis,
                name if name == one.unbound_apis => Wanted::UnboundApis,
                name if name == one.policies_of_api => Wanted::PoliciesOfApi,
                _ => return None,
            };
            Some((one, wanted))
        })
    }

    fn policy_of(&self, binding: &Input) -> String {
        let mut names = self.names.iter().map(|name| text(binding, name));
        names
            .find(|id| !id.is_empty())
            .unwrap_or_default()
            .to_owned()
    }
}

pub(super) fn text<'a>(members: &'a Input, name: &str) -> &'a str {
    members
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// A text that may be missing: what is empty is told as such, and not made up.
fn told(text: &str) -> Value {
    match text {
        "" => Value::Null,
        text => text.into(),
    }
}

/// An API in an environment.
#[derive(Clone, PartialEq, Eq)]
struct Publication {
    id: String,
    env: String,
    env_name: String,
}

/// Where an API is published, as it says itself: several places stand in one text.
fn publications(api: &Input) -> Vec<Publication> {
    let parts = |name| text(api, name).split('|').map(str::to_owned);
    let envs =
        parts("run_env_id").zip(parts("run_env_name").chain(std::iter::repeat(String::new())));
    let all = parts("publish_id").zip(envs);
    all.filter(|(id, _)| !id.is_empty())
        .map(|(id, (env, env_name))| Publication { id, env, env_name })
        .collect()
}

/// The things of a row on a gateway, with the number under which each is shown.
pub(super) fn things<'s>(store: &'s Store, row: &str, gateway: &str) -> Vec<(u64, &'s Input)> {
    let Some(at) = Table::of(Service::Apig).position(row) else {
        return Vec::new();
    };
    let kept = store.kept(Service::Apig, at).into_iter();
    let all = kept.flat_map(Kind::iter);
    all.map(|(number, thing)| (number, &thing.members))
        .filter(|(_, one)| ["", gateway].contains(&text(one, "instance_id")))
        .collect()
}

/// The answer's members to an operation that lists by bindings; `None` where it is not one, and while
/// samples are served.
pub(super) fn list(store: &Store, ask: &Ask<'_>, page: Option<&mut Page<'_>>) -> Option<Input> {
    let (relation, wanted) = Relation::of(&ask.operation.name)?;
    if store.samples == Samples::Always {
        return None;
    }
    let gateway = text(ask.input, "instance_id");
    let apis = things(store, "api", gateway);
    let policies = things(store, relation.policies, gateway);
    // Apps are never samples.
    let samples = store.samples == Samples::UntilCreated && relation.policies != "app";
    if samples && apis.is_empty() && policies.is_empty() {
        return None;
    }
    let by_id = |row| things(store, row, gateway).into_iter().map(by_id).collect();
    let all = All {
        relation,
        bindings: things(store, relation.bindings, gateway),
        groups: by_id("api-group"),
        envs: by_id("env"),
        policies: policies.into_iter().map(self::by_id).collect(),
        published: published(&apis),
        by_id: apis.iter().copied().map(self::by_id).collect(),
        apis,
    };
    let mut items = match wanted {
        Wanted::UnboundApis => all.unbound(ask.input),
        Wanted::BoundApis | Wanted::PoliciesOfApi => all.bound(wanted),
    };
    let but: &[&str] = match wanted {
        Wanted::UnboundApis => relation.names,
        Wanted::BoundApis | Wanted::PoliciesOfApi => &[],
    };
    items.retain(|item| fits(item, ask, but));
    let total = items.len();
    if let Some(page) = page {
        items = items
            .into_iter()
            .skip(page.start)
            .take(page.length)
            .collect();
        page.keep(total);
    }
    let list = ask.operation.paging.as_ref()?.items.first()?;
    let mut shown = ask.input.clone();
    shown.insert("total".to_owned(), json!(total));
    shown.insert("size".to_owned(), json!(items.len()));
    shown.insert(list.clone(), items.into_iter().map(Value::Object).collect());
    Some(shown)
}

/// Whether an item is what the query asks for; names by a part of them.
fn fits(item: &Input, ask: &Ask<'_>, but: &[&str]) -> bool {
    let conditions = ask
        .operation
        .input
        .iter()
        .map(|member| member.name.as_str());
    let mut conditions = conditions.filter(|name| name.ends_with("_id") || name.ends_with("_name"));
    conditions.all(|name| {
        let wanted = text(ask.input, name);
        let own = text(item, name);
        let own_names = !but.contains(&name) && item.contains_key(name);
        wanted.is_empty()
            || !own_names
            || own == wanted
            || (name.ends_with("_name") && own.contains(wanted))
    })
}

/// What the lists are made of, each found at once by its id.
struct All<'s> {
    relation: &'static Relation,
    bindings: Vec<(u64, &'s Input)>,
    groups: HashMap<&'s str, &'s Input>,
    envs: HashMap<&'s str, &'s Input>,
    policies: HashMap<&'s str, &'s Input>,
    apis: Vec<(u64, &'s Input)>,
    by_id: HashMap<&'s str, &'s Input>,
    /// By the ids of their publications.
    published: HashMap<String, (&'s Input, Publication)>,
}

fn by_id((_, one): (u64, &Input)) -> (&str, &Input) {
    (text(one, "id"), one)
}

fn published<'s>(apis: &[(u64, &'s Input)]) -> HashMap<String, (&'s Input, Publication)> {
    let places = apis.iter().flat_map(|(_, api)| {
        let places = publications(api).into_iter();
        places.map(|place| (place.id.clone(), (*api, place)))
    });
    places.collect()
}

impl<'s> All<'s> {
    /// The API of a binding, and where it is published as far as the binding is for one place.
    fn api_of(&self, binding: &Input) -> Option<(&'s Input, Option<Publication>)> {
        if let Some((api, place)) = self.published.get(text(binding, "publish_id")) {
            return Some((api, Some(place.clone())));
        }
        let api = *self.by_id.get(text(binding, "api_id"))?;
        let (env, id) = (text(binding, "env_id"), text(binding, "publish_id"));
        let mut places = publications(api).into_iter();
        let place = places.find(|place| id.is_empty() && place.env == env);
        Some((api, place))
    }

    /// What an item says of an API and of where it is published.
    fn about(&self, item: &mut Input, api: &Input, place: Option<&Publication>) {
        for (name, value) in api {
            item.insert(format!("api_{name}"), value.clone());
        }
        let group = text(api, "group_id");
        let group_name = self.groups.get(group).map_or("", |one| text(one, "name"));
        item.insert("group_id".to_owned(), told(group));
        item.insert("group_name".to_owned(), told(group_name));
        item.insert("req_method".to_owned(), told(text(api, "req_method")));
        if let Some(place) = place {
            for (name, value) in [
                ("publish_id", &place.id),
                ("env_id", &place.env),
                ("env_name", &place.env_name),
                ("run_env_id", &place.env),
                ("run_env_name", &place.env_name),
            ] {
                item.insert(name.to_owned(), told(value));
            }
        }
    }

    fn bound(&self, wanted: Wanted) -> Vec<Input> {
        let items = self.bindings.iter().map(|(number, binding)| {
            let policy = self.relation.policy_of(binding);
            let policy = self.policies.get(policy.as_str()).copied();
            let api = self.api_of(binding);
            let subject = match wanted {
                Wanted::PoliciesOfApi => policy,
                _ => api.as_ref().map(|(api, _)| *api),
            };
            let mut item = Input::new();
            // Lists whose items are policies or APIs themselves have the binding's id under another name.
            let mut ids = ["id", "bind_id", "throttle_apply_id"].into_iter();
            let own_id = ids.find_map(|name| binding.get(name)).cloned();
            let own_id = own_id.unwrap_or_default();
            item.extend(subject.cloned().unwrap_or_default());
            item.extend((*binding).clone());
            item.insert("bind_id".to_owned(), own_id);
            let keeps_id = matches!(self.relation.policies, "sign" | "app");
            if let (false, Some(subject)) = (keeps_id, subject) {
                item.insert(
                    "id".to_owned(),
                    subject.get("id").cloned().unwrap_or_default(),
                );
            }
            for (name, value) in policy.into_iter().flatten() {
                let full = match name.starts_with(self.relation.prefix) {
                    true => name.clone(),
                    false => format!("{}{name}", self.relation.prefix),
                };
                item.insert(full, value.clone());
            }
            if let Some((api, place)) = &api {
                self.about(&mut item, api, place.as_ref());
            }
            let env = text(&item, "env_id").to_owned();
            if let Some(env) = self.envs.get(env.as_str()) {
                item.insert("env_name".to_owned(), text(env, "name").into());
            }
            item.insert(NUMBER.to_owned(), (*number).into());
            item
        });
        items.collect()
    }

    fn unbound(&self, input: &Input) -> Vec<Input> {
        let policy = self.relation.policy_of(input);
        // Each API with the environments in which it is bound; in all where none is said.
        let mut bound: HashMap<&str, Vec<Option<String>>> = HashMap::new();
        for (_, binding) in &self.bindings {
            if self.relation.policy_of(binding) == policy
                && let Some((api, place)) = self.api_of(binding)
            {
                let env = place.map(|place| place.env);
                bound.entry(text(api, "id")).or_default().push(env);
            }
        }
        let mut items = Vec::new();
        for (number, api) in &self.apis {
            let bound = bound.get(text(api, "id"));
            for place in publications(api) {
                let mut envs = bound.into_iter().flatten();
                if envs.any(|env| env.as_ref().is_none_or(|env| *env == place.env)) {
                    continue;
                }
                let mut item = (*api).clone();
                item.insert(NUMBER.to_owned(), (*number).into());
                self.about(&mut item, api, Some(&place));
                // Nothing is bound to it that could be told here.
                for name in [
                    "acl_name",
                    "throttle_name",
                    "throttle_apply_id",
                    "signature_name",
                ] {
                    item.insert(name.to_owned(), Value::Null);
                }
                items.push(item);
            }
        }
        items
    }
}
