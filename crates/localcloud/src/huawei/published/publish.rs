//! How does an API come into an environment, and out of it? One by one or many at once; what is
//! published is the API as it is then, and later changes need another publication.

use serde_json::{Value, json};

use crate::clock;
use crate::model::input::Input;
use crate::platform::lock;
use crate::random;
use crate::store::{Samples, Table};
use crate::wire::{Reply, Service};

use super::super::modelled;
use super::super::operation::{Operation, Route, check_instance};
use super::super::refusal::Refusal;
use super::{Publication, Published, RELEASE, RELEASE_ID, text, things};

pub(super) const ROUTES: &[Route<Published>] = &[
    Route {
        method: "POST",
        path: "/{project_id}/apigw/instances/{instance_id}/apis/action",
        name: "CreateOrDeletePublishRecordForApiV2",
        handler: one,
    },
    Route {
        method: "POST",
        path: "/{project_id}/apigw/instances/{instance_id}/apis/publish",
        name: "BatchPublishOrOfflineApiV2",
        handler: many,
    },
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    Online,
    Offline,
}

impl Action {
    fn of(text: Option<&str>) -> Result<Self, Refusal> {
        match text {
            Some("online") => Ok(Self::Online),
            Some("offline") => Ok(Self::Offline),
            _ => Err(Refusal::invalid("action", "expected online or offline")),
        }
    }
}

/// Answers from the model, as about things that nobody has made.
pub(super) fn by_model(published: &Published, operation: &Operation<'_>) -> Result<Reply, Refusal> {
    let Some((model, path)) = modelled::find(operation.call.request) else {
        return Err(Refusal::gateway(404, "APIG.0101", "The API does not exist"));
    };
    modelled::run(&mut lock(&published.store), model, path, operation.call)
}

fn one(published: &mut Published, operation: &Operation<'_>) -> Result<Reply, Refusal> {
    let body = operation.body()?;
    let id = body["api_id"].as_str().unwrap_or_default();
    if !published.knows(id) {
        return by_model(published, operation);
    }
    check_instance(operation)?;
    let action = Action::of(body["action"].as_str())?;
    let record = published.act(action, id, &body, operation)?;
    Ok(Reply::json(201, &record))
}

fn many(published: &mut Published, operation: &Operation<'_>) -> Result<Reply, Refusal> {
    let body = operation.body()?;
    let named = body["apis"].as_array().into_iter().flatten();
    let mut ids: Vec<String> = named
        .filter_map(|id| Some(id.as_str()?.to_owned()))
        .collect();
    if let (true, Some(group)) = (ids.is_empty(), body["group_id"].as_str()) {
        let of_group = things(&mut lock(&published.store), "api", |api| {
            text(api, "group_id") == group
        });
        ids = of_group
            .iter()
            .map(|api| text(api, "id").to_owned())
            .collect();
    }
    if !ids.iter().any(|id| published.knows(id)) {
        return by_model(published, operation);
    }
    check_instance(operation)?;
    let action = Action::of(operation.call.request.query_value("action").as_deref())?;
    let (mut success, mut failure) = (Vec::new(), Vec::new());
    for id in ids {
        match published.act(action, &id, &body, operation) {
            Ok(record) => success.push(record),
            Err(refusal) => {
                let (code, message) = refusal.told();
                failure.push(json!({
                    "api_id": id,
                    "api_name": published.name(&id),
                    "error_code": code,
                    "error_msg": message,
                }));
            }
        }
    }
    Ok(Reply::json(
        200,
        &json!({ "success": success, "failure": failure }),
    ))
}

impl Published {
    fn api(&self, id: &str) -> Option<Input> {
        let found = things(&mut lock(&self.store), "api", |api| text(api, "id") == id);
        found.into_iter().next()
    }

    fn knows(&self, id: &str) -> bool {
        lock(&self.store).samples != Samples::Always && self.api(id).is_some()
    }

    fn name(&self, id: &str) -> String {
        let api = self.api(id);
        api.map(|api| text(&api, "name").to_owned())
            .unwrap_or_default()
    }

    /// Publishes an API or takes it offline; tells the record of it.
    fn act(
        &mut self,
        action: Action,
        id: &str,
        body: &Value,
        operation: &Operation<'_>,
    ) -> Result<Value, Refusal> {
        let env = body["env_id"]
            .as_str()
            .filter(|env| !env.is_empty())
            .ok_or_else(|| Refusal::invalid("env_id", "expected the id of an environment"))?;
        self.env_name(env)?;
        let api = self.api(id).ok_or_else(|| {
            Refusal::gateway(404, "APIG.3002", format!("API {id} does not exist"))
        })?;
        let before = self
            .all
            .iter()
            .position(|one| one.api == id && one.env == env);
        let record = match (action, before) {
            (Action::Online, before) => {
                let record = Publication {
                    // A publication that is renewed is the same one, to which policies are bound.
                    id: before.map_or_else(random::uuid_hex, |at| self.all[at].id.clone()),
                    api: id.to_owned(),
                    env: env.to_owned(),
                    version: random::uuid_hex(),
                    at: operation.now(),
                    definition: api,
                };
                if let Some(at) = before {
                    self.all.remove(at);
                }
                self.all.push(record.clone());
                record
            }
            (Action::Offline, Some(at)) => self.all.remove(at),
            (Action::Offline, None) => {
                return Err(Refusal::gateway(
                    404,
                    "APIG.3002",
                    format!("API {id} is not published in environment {env}"),
                ));
            }
        };
        self.show(id);
        Ok(json!({
            "publish_id": record.id,
            "api_id": id,
            "api_name": text(&record.definition, "name"),
            "env_id": env,
            "remark": body["remark"].as_str().unwrap_or_default(),
            "publish_time": clock::iso_nanos(record.at),
            "version_id": record.version,
        }))
    }

    fn env_name(&self, id: &str) -> Result<String, Refusal> {
        let store = &mut lock(&self.store);
        let made = things(store, "env", |env| text(env, "id") == id);
        let made = made.first().map(|env| text(env, "name").to_owned());
        made.or_else(|| (id == RELEASE_ID).then(|| RELEASE.to_owned()))
            .ok_or_else(|| {
                Refusal::gateway(
                    404,
                    "APIG.3003",
                    format!("The environment does not exist;id:{id}"),
                )
            })
    }

    /// Has the API itself say where it is published.
    fn show(&self, id: &str) {
        let of_it: Vec<&Publication> = self.all.iter().filter(|one| one.api == id).collect();
        let joined = |texts: Vec<String>| Value::from(texts.join("|"));
        let names = of_it
            .iter()
            .map(|one| self.env_name(&one.env).unwrap_or_default());
        let last = of_it.last();
        let shown = [
            (
                "run_env_id",
                joined(of_it.iter().map(|one| one.env.clone()).collect()),
            ),
            ("run_env_name", joined(names.collect())),
            (
                "publish_id",
                joined(of_it.iter().map(|one| one.id.clone()).collect()),
            ),
            (
                "publish_time",
                last.map_or(Value::Null, |one| clock::iso_nanos(one.at).into()),
            ),
        ];
        let table = Table::of(Service::Apig);
        let Some(at) = table.position("api") else {
            return;
        };
        let store = &mut lock(&self.store);
        let kind = store.kind(Service::Apig, at);
        let numbers: Vec<u64> = kind.of_id(id).map(|(number, _)| number).collect();
        for number in numbers {
            kind.change(&table.rows[at], number, |thing| {
                for (name, value) in &shown {
                    thing.members.insert((*name).to_owned(), value.clone());
                }
            });
        }
    }
}
