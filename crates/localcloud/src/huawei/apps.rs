//! What does API Gateway do with apps (credentials)? Create, list, show, change, delete.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::clock;
use crate::model::Model;
use crate::model::input::Input;
use crate::model::values::Dialect;
use crate::random;
use crate::store::{Ask, Samples, Store, Table, Thing};
use crate::wire::{Reply, Service};

use super::app_codes::AppCode;
use super::operation::{Operation, Route, check_id, check_instance};
use super::refusal::Refusal;

pub(super) const ROUTES: &[Route<Apps>] = &[
    Route {
        method: "POST",
        path: "/{project_id}/apigw/instances/{instance_id}/apps",
        name: "CreateAnAppV2",
        handler: create,
    },
    Route {
        method: "GET",
        path: "/{project_id}/apigw/instances/{instance_id}/apps",
        name: "ListAppsV2",
        handler: list,
    },
    Route {
        method: "GET",
        path: "/{project_id}/apigw/instances/{instance_id}/apps/{app_id}",
        name: "ShowDetailsOfAppV2",
        handler: show,
    },
    Route {
        method: "PUT",
        path: "/{project_id}/apigw/instances/{instance_id}/apps/{app_id}",
        name: "UpdateAppV2",
        handler: update,
    },
    Route {
        method: "DELETE",
        path: "/{project_id}/apigw/instances/{instance_id}/apps/{app_id}",
        name: "DeleteAppV2",
        handler: delete,
    },
    Route {
        method: "PUT",
        path: "/{project_id}/apigw/instances/{instance_id}/apps/secret/{app_id}",
        name: "ResettingAppSecretV2",
        handler: reset_secret,
    },
    Route {
        method: "GET",
        path: "/{project_id}/apigw/instances/{instance_id}/apps/validation/{app_id}",
        name: "CheckAppV2",
        handler: check,
    },
];

/// The apps of all gateways, newest last.
#[derive(Default)]
pub(super) struct Apps {
    apps: Vec<App>,
    /// Those that were made, changed or removed since the store was told.
    touched: Vec<String>,
}

/// An app with its codes.
pub(super) struct App {
    pub(super) id: String,
    instance: String,
    name: String,
    remark: String,
    key: String,
    pub(super) secret: String,
    registered: Timestamp,
    updated: Timestamp,
    pub(super) codes: Vec<AppCode>,
}

impl Apps {
    /// All AppCodes of the gateway.
    pub(super) fn codes(&self) -> impl Iterator<Item = &AppCode> {
        self.apps.iter().flat_map(|app| &app.codes)
    }

    pub(super) fn by_code(&self, code: &str) -> Option<&App> {
        let has = |app: &&App| app.codes.iter().any(|one| one.is(code));
        self.apps.iter().find(has)
    }

    pub(super) fn by_key(&self, key: &str) -> Option<&App> {
        self.apps.iter().find(|app| app.key == key)
    }
}

impl Apps {
    /// Has the store know them as it knows all things, for whatever belongs to an app.
    pub(super) fn mirror(&mut self, store: &mut Store, now: Timestamp) {
        let touched = std::mem::take(&mut self.touched);
        let table = Table::of(Service::Apig);
        let Some(at) = table
            .position("app")
            .filter(|_| store.samples != Samples::Always)
        else {
            return;
        };
        let row = &table.rows[at];
        for id in touched {
            let Some(app) = self.apps.iter().find(|app| app.id == id) else {
                remove(store, &id, now);
                continue;
            };
            let Value::Object(mut members) = app.describe() else {
                continue;
            };
            members.insert("instance_id".to_owned(), app.instance.as_str().into());
            let kind = store.kind(Service::Apig, at);
            let known = kind.of_id(&id).next().map(|(number, _)| number);
            match known {
                Some(number) => kind.change(row, number, |thing| thing.members.extend(members)),
                None => {
                    kind.insert(
                        row,
                        Thing {
                            members,
                            id,
                            owner: String::new(),
                            moving: None,
                        },
                    );
                }
            }
        }
    }

    pub(super) fn to_json(&self) -> Value {
        self.apps
            .iter()
            .map(|app| {
                json!({
                    "id": app.id,
                    "instance": app.instance,
                    "name": app.name,
                    "remark": app.remark,
                    "key": app.key,
                    "secret": app.secret,
                    "registered": app.registered.to_string(),
                    "updated": app.updated.to_string(),
                    "codes": app.codes.iter().map(AppCode::to_json).collect::<Value>(),
                })
            })
            .collect()
    }

    pub(super) fn from_json(json: &Value) -> Option<Self> {
        let read = |json: &Value| {
            let text = |name: &str| json[name].as_str().map(str::to_owned);
            let codes = json["codes"].as_array()?.iter();
            Some(App {
                id: text("id")?,
                instance: text("instance")?,
                name: text("name")?,
                remark: text("remark")?,
                key: text("key")?,
                secret: text("secret")?,
                registered: text("registered")?.parse().ok()?,
                updated: text("updated")?.parse().ok()?,
                codes: codes.map(AppCode::from_json).collect::<Option<_>>()?,
            })
        };
        let apps = json.as_array()?.iter().map(read).collect::<Option<_>>()?;
        Some(Self {
            apps,
            touched: Vec::new(),
        })
    }
}

/// Removes an app from the store, with all that belongs to it.
fn remove(store: &mut Store, id: &str, now: Timestamp) {
    let Some(operation) = Model::of(Service::Apig).operation("DeleteAppV2") else {
        return;
    };
    let input = Input::from_iter([("app_id".to_owned(), id.into())]);
    let ask = Ask {
        service: Service::Apig,
        operation,
        input: &input,
        owner: "",
        now,
        dialect: Dialect::Apig,
    };
    // What the store does not have is gone as it is.
    let _ = store.run(&ask, None);
}

impl App {
    fn describe(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "remark": self.remark,
            "creator": "USER",
            "app_key": self.key,
            "app_secret": self.secret,
            "register_time": clock::iso_nanos(self.registered),
            "update_time": clock::iso_nanos(self.updated),
            "status": 1,
            "app_type": "apig",
        })
    }
}

/// The app in the path.
pub(super) fn find<'a>(
    apps: &'a mut Apps,
    operation: &Operation<'_>,
) -> Result<&'a mut App, Refusal> {
    check_instance(operation)?;
    let id = check_id(operation, "app_id")?;
    apps.apps
        .iter_mut()
        .find(|app| app.id == id && app.instance == operation.path("instance_id"))
        .ok_or_else(|| Refusal::gateway(404, "APIG.3004", format!("App {id} does not exist")))
}

fn optional<'a>(body: &'a Value, name: &str) -> Result<Option<&'a str>, Refusal> {
    match &body[name] {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        _ => Err(Refusal::invalid(name, "expected text")),
    }
}

/// A text of a given length whose first and further characters follow rules.
pub(super) fn follows(
    text: &str,
    lengths: std::ops::RangeInclusive<usize>,
    first: fn(char) -> bool,
    others: fn(char) -> bool,
) -> bool {
    lengths.contains(&text.chars().count())
        && text.chars().next().is_some_and(first)
        && text.chars().skip(1).all(others)
}

fn name(body: &Value) -> Result<&str, Refusal> {
    optional(body, "name")?
        .filter(|name| {
            follows(name, 3..=64, char::is_alphabetic, |one| {
                one.is_alphanumeric() || "_-. ()".contains(one)
            })
        })
        .ok_or_else(|| Refusal::invalid("name", "expected 3 to 64 characters, a letter first"))
}

fn key_and_secret(body: &Value) -> Result<(Option<&str>, Option<&str>), Refusal> {
    let alphanumeric = |one: char| one.is_ascii_alphanumeric();
    let key = optional(body, "app_key")?;
    if key.is_some_and(|key| {
        !follows(key, 8..=200, alphanumeric, |one| {
            one.is_ascii_alphanumeric() || "_-".contains(one)
        })
    }) {
        return Err(Refusal::invalid(
            "app_key",
            "expected 8 to 200 letters, digits, - and _",
        ));
    }
    let secret = optional(body, "app_secret")?;
    if secret.is_some_and(|secret| {
        !follows(secret, 8..=128, alphanumeric, |one| {
            one.is_ascii_alphanumeric() || "_-!@#$%".contains(one)
        })
    }) {
        return Err(Refusal::invalid(
            "app_secret",
            "expected 8 to 128 letters, digits and _-!@#$%",
        ));
    }
    Ok((key, secret))
}

/// Names and keys are unique in a gateway.
fn check_unique(
    apps: &Apps,
    instance: &str,
    id: &str,
    name: &str,
    key: Option<&str>,
) -> Result<(), Refusal> {
    let others = apps.apps.iter().filter(|app| app.instance == instance);
    let mut others = others.filter(|app| app.id != id);
    if others.clone().any(|app| app.name == name) {
        return Err(Refusal::gateway(
            400,
            "APIG.3203",
            "The app name already exists",
        ));
    }
    if others.any(|app| Some(app.key.as_str()) == key) {
        return Err(Refusal::gateway(
            400,
            "APIG.3310",
            "The AppKey already exists",
        ));
    }
    Ok(())
}

fn create(apps: &mut Apps, operation: &Operation<'_>) -> Result<Reply, Refusal> {
    check_instance(operation)?;
    let body = operation.body()?;
    let name = name(&body)?;
    let (key, secret) = key_and_secret(&body)?;
    let instance = operation.path("instance_id");
    check_unique(apps, instance, "", name, key)?;
    let app = App {
        id: random::uuid_hex(),
        instance: instance.to_owned(),
        name: name.to_owned(),
        remark: optional(&body, "remark")?.unwrap_or_default().to_owned(),
        key: key.map_or_else(random::uuid_hex, str::to_owned),
        secret: secret.map_or_else(random::uuid_hex, str::to_owned),
        registered: operation.now(),
        updated: operation.now(),
        codes: Vec::new(),
    };
    let reply = Reply::json(201, &app.describe());
    apps.touched.push(app.id.clone());
    apps.apps.push(app);
    Ok(reply)
}

fn list(apps: &mut Apps, operation: &Operation<'_>) -> Result<Reply, Refusal> {
    check_instance(operation)?;
    let (offset, limit) = operation.page()?;
    let request = operation.call.request;
    let filter = |name: &str| request.query_value(name).filter(|value| !value.is_empty());
    let (id, name, key) = (filter("id"), filter("name"), filter("app_key"));
    // Names are searched for, unless the caller asks for the exact one.
    let exact =
        filter("precise_search").is_some_and(|names| names.split(',').any(|one| one == "name"));
    let found: Vec<&App> = apps
        .apps
        .iter()
        .filter(|app| app.instance == operation.path("instance_id"))
        .filter(|app| id.as_deref().is_none_or(|id| app.id == id))
        .filter(|app| key.as_deref().is_none_or(|key| app.key == key))
        .filter(|app| {
            name.as_deref().is_none_or(|name| {
                if exact {
                    app.name == name
                } else {
                    app.name.contains(name)
                }
            })
        })
        .collect();
    let page: Vec<Value> = found
        .iter()
        .skip(offset)
        .take(limit)
        .map(|app| {
            let mut one = app.describe();
            one["bind_num"] = json!(0);
            one
        })
        .collect();
    Ok(Reply::json(
        200,
        &json!({ "total": found.len(), "size": page.len(), "apps": page }),
    ))
}

fn show(apps: &mut Apps, operation: &Operation<'_>) -> Result<Reply, Refusal> {
    Ok(Reply::json(200, &find(apps, operation)?.describe()))
}

fn update(apps: &mut Apps, operation: &Operation<'_>) -> Result<Reply, Refusal> {
    let id = find(apps, operation)?.id.clone();
    let body = operation.body()?;
    let name = name(&body)?;
    let (key, secret) = key_and_secret(&body)?;
    check_unique(apps, operation.path("instance_id"), &id, name, key)?;
    let remark = optional(&body, "remark")?;
    let app = find(apps, operation)?;
    name.clone_into(&mut app.name);
    for (member, value) in [
        (&mut app.remark, remark),
        (&mut app.key, key),
        (&mut app.secret, secret),
    ] {
        if let Some(value) = value {
            value.clone_into(member);
        }
    }
    app.updated = operation.now();
    let reply = Reply::json(200, &app.describe());
    apps.touched.push(id);
    Ok(reply)
}

fn reset_secret(apps: &mut Apps, operation: &Operation<'_>) -> Result<Reply, Refusal> {
    let id = find(apps, operation)?.id.clone();
    // Without a body the service makes the secret.
    let body = match operation.call.request.body.is_empty() {
        true => Value::Null,
        false => operation.body()?,
    };
    let (_, secret) = key_and_secret(&body)?;
    let secret = secret.filter(|secret| !secret.is_empty());
    let app = find(apps, operation)?;
    app.secret = secret.map_or_else(random::uuid_hex, str::to_owned);
    app.updated = operation.now();
    let reply = Reply::json(200, &app.describe());
    apps.touched.push(id);
    Ok(reply)
}

fn check(apps: &mut Apps, operation: &Operation<'_>) -> Result<Reply, Refusal> {
    let app = find(apps, operation)?;
    let shown = json!({ "id": app.id, "name": app.name, "remark": app.remark });
    Ok(Reply::json(200, &shown))
}

fn delete(apps: &mut Apps, operation: &Operation<'_>) -> Result<Reply, Refusal> {
    let id = find(apps, operation)?.id.clone();
    apps.apps.retain(|app| app.id != id);
    apps.touched.push(id);
    Ok(Reply::new(204))
}
