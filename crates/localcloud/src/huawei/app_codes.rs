//! What does API Gateway do with AppCodes? Up to five for each app, chosen by the caller or
//! generated; listed, shown and deleted.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::clock;
use crate::encode;
use crate::random;
use crate::wire::Reply;

use super::apps::{self, Apps};
use super::operation::{Operation, Route, check_id};
use super::refusal::Refusal;

pub(super) const ROUTES: &[Route<Apps>] = &[
    Route {
        method: "POST",
        path: "/{project_id}/apigw/instances/{instance_id}/apps/{app_id}/app-codes",
        name: "CreateAppCodeV2",
        handler: create,
    },
    Route {
        method: "PUT",
        path: "/{project_id}/apigw/instances/{instance_id}/apps/{app_id}/app-codes",
        name: "CreateAppCodeAutoV2",
        handler: generate,
    },
    Route {
        method: "GET",
        path: "/{project_id}/apigw/instances/{instance_id}/apps/{app_id}/app-codes",
        name: "ListAppCodesV2",
        handler: list,
    },
    Route {
        method: "GET",
        path: "/{project_id}/apigw/instances/{instance_id}/apps/{app_id}/app-codes/{app_code_id}",
        name: "ShowDetailsOfAppCodeV2",
        handler: show,
    },
    Route {
        method: "DELETE",
        path: "/{project_id}/apigw/instances/{instance_id}/apps/{app_id}/app-codes/{app_code_id}",
        name: "DeleteAppCodeV2",
        handler: delete,
    },
];

const MAX_CODES: usize = 5;

/// A code of an app.
pub(super) struct AppCode {
    id: String,
    code: String,
    created: Timestamp,
}

impl AppCode {
    pub(super) fn is(&self, code: &str) -> bool {
        self.code == code
    }

    pub(super) fn to_json(&self) -> Value {
        json!([self.id, self.code, self.created.to_string()])
    }

    pub(super) fn from_json(json: &Value) -> Option<Self> {
        Some(Self {
            id: json[0].as_str()?.to_owned(),
            code: json[1].as_str()?.to_owned(),
            created: json[2].as_str()?.parse().ok()?,
        })
    }

    fn describe(&self, app: &str) -> Value {
        json!({
            "app_code": self.code,
            "id": self.id,
            "app_id": app,
            "create_time": clock::iso_nanos(self.created),
        })
    }
}

fn create(apps: &mut Apps, operation: &Operation<'_>) -> Result<Reply, Refusal> {
    apps::find(apps, operation)?;
    let body = operation.body()?;
    let code = body["app_code"]
        .as_str()
        .filter(|code| {
            apps::follows(
                code,
                64..=180,
                |one| one.is_ascii_alphanumeric() || "+/".contains(one),
                |one| one.is_ascii_alphanumeric() || "+_!@#$%/=-".contains(one),
            )
        })
        .ok_or_else(|| {
            Refusal::invalid(
                "app_code",
                "expected 64 to 180 letters, digits and +_!@#$%/=-, first a letter, digit, + or /",
            )
        })?;
    if apps.codes().any(|one| one.code == code) {
        return Err(
            Refusal::gateway(400, "APIG.3309", "The operation has already been performed")
                .verdict("this app_code exists"),
        );
    }
    add(apps, operation, code.to_owned())
}

fn generate(apps: &mut Apps, operation: &Operation<'_>) -> Result<Reply, Refusal> {
    add(apps, operation, encode::hex(&random::bytes(32)))
}

fn add(apps: &mut Apps, operation: &Operation<'_>, code: String) -> Result<Reply, Refusal> {
    let app = apps::find(apps, operation)?;
    if app.codes.len() >= MAX_CODES {
        return Err(Refusal::gateway(
            403,
            "APIG.3131",
            "The number of AppCodes exceeds the maximum allowed limit",
        ));
    }
    let code = AppCode {
        id: random::uuid_hex(),
        code,
        created: operation.now(),
    };
    let reply = Reply::json(201, &code.describe(&app.id));
    app.codes.push(code);
    Ok(reply)
}

fn list(apps: &mut Apps, operation: &Operation<'_>) -> Result<Reply, Refusal> {
    let (offset, limit) = operation.page()?;
    let app = apps::find(apps, operation)?;
    let page: Vec<Value> = app
        .codes
        .iter()
        .skip(offset)
        .take(limit)
        .map(|code| code.describe(&app.id))
        .collect();
    Ok(Reply::json(
        200,
        &json!({ "total": app.codes.len(), "size": page.len(), "app_codes": page }),
    ))
}

/// The app in the path and the place of the code in it.
fn find<'a>(
    apps: &'a mut Apps,
    operation: &Operation<'_>,
) -> Result<(&'a mut apps::App, usize), Refusal> {
    let app = apps::find(apps, operation)?;
    let id = check_id(operation, "app_code_id")?;
    match app.codes.iter().position(|code| code.id == id) {
        Some(at) => Ok((app, at)),
        None => Err(Refusal::gateway(
            404,
            "APIG.3082",
            format!("App code {id} does not exist"),
        )),
    }
}

fn show(apps: &mut Apps, operation: &Operation<'_>) -> Result<Reply, Refusal> {
    let (app, at) = find(apps, operation)?;
    // The documentation says 201, which Open Telekom Cloud's own SDK takes for a failure.
    Ok(Reply::json(200, &app.codes[at].describe(&app.id)))
}

fn delete(apps: &mut Apps, operation: &Operation<'_>) -> Result<Reply, Refusal> {
    let (app, at) = find(apps, operation)?;
    app.codes.remove(at);
    Ok(Reply::new(204))
}
