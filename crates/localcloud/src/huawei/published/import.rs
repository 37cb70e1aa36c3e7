//! What becomes of a file of definitions? Each operation in it becomes an API of a group, or is told as
//! failed or ignored. Written from the user manual's page on restrictions and compatibility, and those
//! of the `x-apigateway-` extensions.

use serde_json::{Map, Value, json};

use crate::model::input::{self, Input, Reading};
use crate::model::values::Dialect;
use crate::model::{Location, Model};
use crate::platform::lock;
use crate::random;
use crate::store::{Ask, Samples, Store};
use crate::wire::{Reply, Service};

use super::super::operation::{Operation, Route, check_instance};
use super::super::refusal::Refusal;
use super::super::{modelled, multipart};
use super::publish::by_model;
use super::{Published, read, text, things};

pub(super) const ROUTES: &[Route<Published>] = &[Route {
    method: "POST",
    path: "/{project_id}/apigw/instances/{instance_id}/openapi/import",
    name: "ImportApiDefinitionsV2",
    handler: import,
}];

const METHODS: &[&str] = &["get", "put", "post", "delete", "options", "head", "patch"];
const ANY: &str = "x-apigateway-any-method";

/// Why an operation becomes no API: code and message.
type Why = (String, String);

fn invalid(why: impl Into<String>) -> Why {
    (
        "APIG.2012".to_owned(),
        format!("Invalid parameter value,{}", why.into()),
    )
}

fn import(published: &mut Published, operation: &Operation<'_>) -> Result<Reply, Refusal> {
    if lock(&published.store).samples == Samples::Always {
        return by_model(published, operation);
    }
    check_instance(operation)?;
    let form = multipart::read(operation.call.request)?;
    let file = form.get("file_name").and_then(Value::as_str);
    let file = file.ok_or_else(|| Refusal::invalid("file_name", "expected a file"))?;
    let document = read::document(file).map_err(|why| Refusal::invalid("file_name", &why))?;
    let document = Document::new(&document).map_err(|why| Refusal::invalid("file_name", &why))?;
    let is_set = |name: &str, default| form.get(name).and_then(Value::as_bool).unwrap_or(default);
    let store = &mut lock(&published.store);
    let run = |store: &mut Store, name: &str, given: Value| run(store, name, given, operation);
    let group = if is_set("is_create_group", true) {
        let made = run(
            store,
            "CreateApiGroupV2",
            json!({
                "name": document.title()?,
                "remark": document.root["info"]["description"].as_str().unwrap_or_default(),
                "sl_domain": super::domain(operation.call.request),
            }),
        )?;
        text(&made, "id").to_owned()
    } else {
        let group = text(&form, "group_id");
        if things(store, "api-group", |one| text(one, "id") == group).is_empty() {
            return Err(Refusal::gateway(404, "APIG.3001", "API group not found"));
        }
        group.to_owned()
    };
    let overrides = text(&form, "api_mode") == "override";
    let (mut success, mut failure, mut ignore) = (Vec::new(), Vec::new(), Vec::new());
    let mut here: Vec<String> = Vec::new();
    for (path, method, one) in document.operations() {
        let shown = if method == ANY {
            "ANY".to_owned()
        } else {
            method.to_uppercase()
        };
        let fail = |(code, message): Why| json!({"path": path, "method": shown, "error_code": code, "error_msg": message});
        if method != ANY && !METHODS.contains(&method) {
            ignore.push(json!({"path": path, "method": shown}));
            continue;
        }
        let api = document.api(&path, &shown, one, is_set("mock_mode", false));
        let mut api = match api {
            Ok(api) => api,
            Err(why) => {
                failure.push(fail(why));
                continue;
            }
        };
        api.insert("group_id".to_owned(), group.clone().into());
        let same = things(store, "api", |other| {
            text(other, "group_id") == group && key(other) == key(&api)
        });
        let made = match same.first() {
            Some(other) if here.iter().any(|id| id == text(other, "id")) => Err((
                "APIG.3301".to_owned(),
                format!(
                    "The API already exists, An API with the same combination of the method, path, and x-apigateway-match-mode fields already exists. API name: {}",
                    text(other, "name")
                ),
            )),
            // "Retain the original": nothing is done about it.
            Some(_) if !overrides => {
                ignore.push(json!({"path": path, "method": shown}));
                continue;
            }
            Some(other) => {
                api.insert("api_id".to_owned(), text(other, "id").into());
                let made = run(store, "UpdateApiV2", Value::Object(api));
                made.map(|_| (text(other, "id").to_owned(), "update"))
                    .map_err(Refusal::into_why)
            }
            None => run(store, "CreateApiV2", Value::Object(api))
                .map(|made| (text(&made, "id").to_owned(), "create"))
                .map_err(Refusal::into_why),
        };
        match made {
            Ok((id, action)) => {
                success.push(json!({"path": path, "method": shown, "action": action, "id": id}));
                here.push(id);
            }
            Err(why) => failure.push(fail(why)),
        }
    }
    Ok(Reply::json(
        200,
        &json!({
            "group_id": group,
            "success": success,
            "failure": failure,
            "ignore": ignore,
            "swagger": {"id": random::uuid_hex(), "result": "Success"},
        }),
    ))
}

impl Refusal {
    fn into_why(self) -> Why {
        let (code, message) = self.told();
        (code.to_owned(), message.to_owned())
    }
}

/// What no two APIs of a group may have in common; names in paths do not count.
fn key(api: &Input) -> (String, String, bool) {
    let path = text(api, "req_uri").split('/');
    let path: Vec<&str> = path
        .map(|one| if one.starts_with('{') { "{}" } else { one })
        .collect();
    (
        text(api, "req_method").to_owned(),
        path.join("/"),
        text(api, "match_mode") == "SWA",
    )
}

/// Does what another operation does with these members.
fn run(
    store: &mut Store,
    name: &str,
    given: Value,
    operation: &Operation<'_>,
) -> Result<Input, Refusal> {
    let model = Model::of(Service::Apig);
    let all = model.operations.iter();
    let (Some(made), Value::Object(mut input)) = (all.clone().find(|one| one.name == name), given)
    else {
        return Err(Refusal::gateway(500, "APIG.9999", "System error"));
    };
    let body = made
        .input
        .iter()
        .filter(|member| member.location == Location::Body);
    input::check(model, body, &input, Reading::Exact)?;
    for name in ["project_id", "instance_id"] {
        input.insert(name.to_owned(), operation.path(name).into());
    }
    let ask = Ask {
        service: Service::Apig,
        operation: made,
        input: &input,
        owner: "",
        now: operation.now(),
        dialect: Dialect::Apig,
    };
    let shown = store.run(&ask, None).map_err(modelled::missing)?;
    Ok(shown.unwrap_or(input))
}

/// A document of either version.
struct Document<'a> {
    root: &'a Value,
    /// Version 2, called Swagger then.
    old: bool,
}

impl<'a> Document<'a> {
    fn new(root: &'a Value) -> Result<Self, String> {
        let version = |name: &str| match &root[name] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let old = version("swagger").starts_with('2');
        if !old && !version("openapi").starts_with("3.") {
            return Err("expected swagger: 2.0 or openapi: 3.x".to_owned());
        }
        if !root["paths"].is_object() {
            return Err("paths: expected an object".to_owned());
        }
        Ok(Self { root, old })
    }

    /// The name of the group that is made.
    fn title(&self) -> Result<&'a str, Refusal> {
        let title = self.root["info"]["title"].as_str().unwrap_or_default();
        let valid = super::super::apps::follows(title, 3..=64, char::is_alphabetic, |one| {
            one.is_alphanumeric() || one == '_'
        });
        valid.then_some(title).ok_or_else(|| {
            Refusal::invalid(
                "info.title",
                "expected 3 to 64 letters, digits and _, a letter first",
            )
        })
    }

    /// Path, method and object of each operation.
    fn operations(&self) -> Vec<(String, &'a str, &'a Value)> {
        let base = self.root["basePath"]
            .as_str()
            .filter(|_| self.old)
            .unwrap_or_default();
        let base = base.trim_end_matches('/');
        let paths = self.root["paths"].as_object().into_iter().flatten();
        let all = paths.flat_map(|(path, item)| {
            let members = item.as_object().into_iter().flatten();
            let known = |name: &str| METHODS.contains(&name) || matches!(name, "trace" | ANY);
            members
                .filter(move |(name, _)| known(name))
                .map(move |(method, one)| (format!("{base}{path}"), method.as_str(), one))
        });
        all.collect()
    }

    /// Follows a reference within the document.
    fn resolved(&self, value: &'a Value) -> Result<&'a Value, Why> {
        match value["$ref"].as_str() {
            None => Ok(value),
            Some(place) => place
                .strip_prefix('#')
                .and_then(|pointer| self.root.pointer(pointer))
                .filter(|found| found.get("$ref").is_none())
                .ok_or_else(|| invalid(format!("{place} leads nowhere"))),
        }
    }

    fn api(&self, path: &str, method: &str, one: &'a Value, mock: bool) -> Result<Input, Why> {
        for part in path.split('/').filter(|part| part.contains(['{', '}'])) {
            let name = part
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'));
            if name.is_none_or(|name| name.contains(['{', '}', '+'])) {
                return Err(invalid(format!(
                    "parameterName:req_uri, {part} cannot be matched"
                )));
            }
        }
        let mut params = Vec::new();
        for param in one["parameters"].as_array().into_iter().flatten() {
            params.push(self.param(self.resolved(param)?)?);
        }
        let name = one["operationId"].as_str();
        let (auth, simple) = self.auth(one)?;
        let mut api = json!({
            "name": name.map_or_else(|| format!("API_{}", random::word(8)), str::to_owned),
            "type": if one["x-apigateway-request-type"] == "private" { 2 } else { 1 },
            "req_protocol": self.protocol(one),
            "req_method": method,
            "req_uri": path,
            "auth_type": auth,
            "auth_opt": {"app_code_auth_type": if simple { "HEADER" } else { "DISABLE" }},
            "match_mode": one["x-apigateway-match-mode"].as_str().unwrap_or("NORMAL"),
            "cors": one["x-apigateway-cors"].as_bool().unwrap_or(false),
            "remark": one["description"].as_str().unwrap_or_default(),
            "req_params": params,
        });
        backend(&mut api, &one["x-apigateway-backend"], mock)?;
        match api {
            Value::Object(api) => Ok(api),
            _ => Err(invalid("the operation is no object")),
        }
    }

    fn param(&self, param: &Value) -> Result<Value, Why> {
        let name = param["name"].as_str().unwrap_or_default();
        let place = param["in"].as_str().unwrap_or_default();
        if !matches!(place, "path" | "query" | "header" | "cookie") {
            return Err(invalid(format!(
                "parameterName:{name}, {place} is not supported"
            )));
        }
        let schema = if self.old { param } else { &param["schema"] };
        let kind = match schema["type"].as_str() {
            Some("string") => "STRING",
            Some("integer" | "long" | "float" | "double" | "number") => "NUMBER",
            other => {
                let other = other.unwrap_or("no type");
                return Err(invalid(format!(
                    "parameterName:{name}, {other} is not supported"
                )));
            }
        };
        let mut out = Map::new();
        let mut set = |key: &str, value: Value| out.insert(key.to_owned(), value);
        set("name", name.into());
        set("type", kind.into());
        set("location", place.to_uppercase().into());
        let required = place == "path" || param["required"] == true;
        set("required", (if required { 1 } else { 2 }).into());
        if let Some(words) = param["description"].as_str() {
            set("remark", words.into());
        }
        match &schema["default"] {
            Value::Null => {}
            Value::String(value) => drop(set("default_value", value.as_str().into())),
            other => drop(set("default_value", other.to_string().into())),
        }
        for (from, to) in [
            ("minimum", "min_num"),
            ("maximum", "max_num"),
            ("minLength", "min_size"),
            ("maxLength", "max_size"),
        ] {
            if let Some(number) = schema[from].as_i64() {
                set(to, number.into());
            }
        }
        Ok(out.into())
    }

    fn protocol(&self, one: &Value) -> &'static str {
        let schemes = one.get("schemes").or_else(|| self.root.get("schemes"));
        let has = |name: &str| {
            let all = schemes.and_then(Value::as_array);
            all.is_some_and(|all| all.iter().any(|scheme| scheme == name))
        };
        match (has("http"), has("https")) {
            (true, true) => "BOTH",
            (true, false) => "HTTP",
            _ => "HTTPS",
        }
    }

    /// How callers prove who they are, and whether an AppCode is enough.
    fn auth(&self, one: &Value) -> Result<(&'static str, bool), Why> {
        let wanted = one.get("security").or_else(|| self.root.get("security"));
        let wanted = wanted.and_then(|all| all.get(0)?.as_object()?.keys().next());
        let Some(name) = wanted else {
            return Ok(("NONE", false));
        };
        let schemes = match self.old {
            true => &self.root["securityDefinitions"],
            false => &self.root["components"]["securitySchemes"],
        };
        let scheme = &schemes[name];
        let code = scheme["x-apigateway-auth-opt"]["appcode-auth-type"].as_str();
        match scheme["x-apigateway-auth-type"].as_str() {
            Some("AppSigv1") if scheme["type"] == "apiKey" => Ok((
                "APP",
                code.is_some_and(|code| code.eq_ignore_ascii_case("header")),
            )),
            Some("IAM") if scheme["type"] == "apiKey" => Ok(("IAM", false)),
            _ => Err(invalid(format!(
                "parameterName:security, {name} has no x-apigateway-auth-type AppSigv1 or IAM"
            ))),
        }
    }
}

/// What `x-apigateway-backend` says.
fn backend(api: &mut Value, given: &Value, mock: bool) -> Result<(), Why> {
    let kind = given["type"].as_str().unwrap_or_default().to_uppercase();
    match kind.as_str() {
        _ if mock => {
            api["backend_type"] = "MOCK".into();
            api["mock_info"] = json!({"result_content": "mock success"});
            return Ok(());
        }
        "MOCK" => {
            let content = given["mockEndpoints"]["result-content"].as_str();
            api["backend_type"] = "MOCK".into();
            api["mock_info"] = json!({"result_content": content.unwrap_or_default()});
        }
        "HTTP" => {
            let end = &given["httpEndpoints"];
            for name in ["address", "scheme", "method", "path"] {
                if !end[name].is_string() {
                    return Err((
                        "APIG.2001".to_owned(),
                        format!(
                            "The request parameters must be specified,parameterName:x-apigateway-backend.httpEndpoints.{name}"
                        ),
                    ));
                }
            }
            let upper = |name: &str| end[name].as_str().unwrap_or_default().to_uppercase();
            api["backend_type"] = "HTTP".into();
            api["backend_api"] = json!({
                "url_domain": end["address"],
                "req_protocol": upper("scheme"),
                "req_method": upper("method"),
                "req_uri": end["path"],
                "timeout": end["timeout"].as_i64().unwrap_or(5000),
            });
        }
        "" => {
            let message =
                "The request parameters must be specified,parameterName:x-apigateway-backend";
            return Err(("APIG.2001".to_owned(), message.to_owned()));
        }
        other => {
            return Err(invalid(format!(
                "parameterName:x-apigateway-backend.type, {other} is not played here"
            )));
        }
    }
    let mapped = given["parameters"].as_array().into_iter().flatten();
    let mapped = mapped.map(|param| {
        let upper = |name: &str| param[name].as_str().unwrap_or_default().to_uppercase();
        json!({
            "name": param["name"],
            "value": param["value"],
            "location": upper("in"),
            "origin": upper("origin"),
        })
    });
    api["backend_params"] = mapped.collect();
    Ok(())
}
