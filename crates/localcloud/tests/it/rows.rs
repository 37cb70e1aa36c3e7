//! Do create, show, list, change and delete hold together for every row of the table? Each row that
//! has them is walked through with raw requests, on a cloud of its own.

use std::collections::HashMap;

use crate::alibaba::{smartag, smc};
use crate::common::{Acs, Answer, Request, pct};
use crate::huawei::signed;
use crate::zstack::{done, request, with_key};
use cumulo_localcloud::LocalCloud;
use cumulo_localcloud::accounts::{INSTANCE_ID, KEYSTONE_PROJECT_ID};
use serde_json::{Map, Value, json};

/// Whatever a thing belongs to.
const PARENT: &str = "0190d0b2d3a04c3e8d6f0f5a1b2c3d4e";

/// Rows with rules of their own, through which the tests of their families walk.
const BY_HAND: &[&str] = &[
    "smc/access-token",
    "smartag/enterprise-code",
    "apig/app-code",
    "zstack/access-key",
];
/// Rows whose creation tells no id and takes none: tags and permissions are made by the list, and
/// a VBR is bound under another name than the one that it is listed by.
const NAMELESS: &[&str] = &["smc/tag", "smartag/vbr-binding", "apig/endpoint-permission"];

struct Table {
    service: &'static str,
    operations: HashMap<String, Value>,
    types: Value,
    rows: Vec<Value>,
}

impl Table {
    fn of(service: &'static str) -> Self {
        let read = |name: &str| -> Value {
            let path = format!("{}/models/{name}.json", env!("CARGO_MANIFEST_DIR"));
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
        };
        let model = read(service);
        let rows = read(&format!("{service}.resources"));
        Self {
            service,
            operations: model["operations"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| (text(&one["name"]).to_owned(), one.clone()))
                .collect(),
            types: model["types"].clone(),
            rows: rows.as_array().unwrap().clone(),
        }
    }

    /// A value that the type takes, with required members only.
    fn value(&self, member: &Value, ty: &Value) -> Value {
        if let Some(value) = member["values"].get(0) {
            return value.clone();
        }
        if let Some(inner) = ty.get("list") {
            return json!([self.value(&Value::Null, inner)]);
        }
        if let Some(members) = ty.get("struct") {
            return self.members(members);
        }
        if let Some(name) = ty.get("ref") {
            let shared = &self.types[text(name)];
            return match shared["values"].get(0) {
                Some(value) => value.clone(),
                None => self.members(&shared["members"]),
            };
        }
        match ty.as_str().unwrap_or("map") {
            "string" | "timestamp" => json!(PARENT),
            "int32" | "int64" => json!(member["min"].as_i64().unwrap_or(1)),
            "double" | "float" => json!(1.5),
            "bool" => json!(true),
            _ => json!({}),
        }
    }

    fn members(&self, members: &Value) -> Value {
        let required = members.as_array().into_iter().flatten();
        required
            .filter(|member| member["required"] == true)
            .map(|member| {
                (
                    text(&member["name"]).to_owned(),
                    self.value(member, &member["type"]),
                )
            })
            .collect::<Map<_, _>>()
            .into()
    }

    /// What a call of an operation says: required members, and of `also` what it knows.
    fn input(&self, operation: &str, also: &[(&str, &str)]) -> Map<String, Value> {
        let members = self.operations[operation]["input"].as_array().unwrap();
        let mut input = Map::new();
        for member in members {
            let name = text(&member["name"]);
            let is_path = member["in"] == "path";
            let given = also
                .iter()
                .find(|(one, _)| *one == name || format!("{one}s") == name);
            if let Some((_, value)) = given {
                let as_list = member["type"].get("list").is_some();
                let value = if member["type"] == "int32" || member["type"] == "int64" {
                    json!(value.parse::<i64>().unwrap())
                } else if as_list {
                    json!([value])
                } else {
                    json!(value)
                };
                input.insert(name.to_owned(), value);
            } else if member["required"] == true || is_path {
                input.insert(name.to_owned(), self.value(member, &member["type"]));
            }
        }
        for (name, value) in [
            ("project_id", KEYSTONE_PROJECT_ID),
            ("instance_id", INSTANCE_ID),
        ] {
            if self.service == "apig"
                && input.contains_key(name)
                && !also.iter().any(|(one, _)| *one == name)
            {
                input.insert(name.to_owned(), json!(value));
            }
        }
        input
    }

    async fn call(&self, cloud: &LocalCloud, name: &str, also: &[(&str, &str)]) -> Answer {
        let input = self.input(name, also);
        let operation = &self.operations[name];
        match self.service {
            "smc" => acs(&smc(cloud), name, &input).await,
            "smartag" => acs(&smartag(cloud), name, &input).await,
            _ => self.rest(cloud, operation, input).await,
        }
    }

    async fn rest(
        &self,
        cloud: &LocalCloud,
        operation: &Value,
        input: Map<String, Value>,
    ) -> Answer {
        let mut path = text(&operation["path"]).to_owned();
        let (mut query, mut body) = (Vec::new(), Map::new());
        for member in operation["input"].as_array().unwrap() {
            let name = text(&member["name"]);
            let Some(value) = input.get(name) else {
                continue;
            };
            match text(&member["in"]) {
                "path" => path = path.replace(&format!("{{{name}}}"), &pct(&plain(value))),
                "query" => {
                    let items = value.as_array().cloned().unwrap_or(vec![value.clone()]);
                    query.extend(
                        items
                            .iter()
                            .map(|one| format!("{name}={}", pct(&plain(one)))),
                    );
                }
                _ => {
                    body.insert(name.to_owned(), value.clone());
                }
            }
        }
        if !query.is_empty() {
            path = format!("{path}?{}", query.join("&"));
        }
        let method = text(&operation["method"]);
        let has_body = matches!(method, "POST" | "PUT");
        if self.service == "apig" {
            let request = Request::new(&cloud.apig_endpoint(), method, &path);
            let request = if has_body {
                request.json(&body.into())
            } else {
                request
            };
            return signed(request).send().await;
        }
        let key = operation["wrapper"].as_str().unwrap_or("params");
        let request = request(cloud, method, &path);
        let request = if has_body {
            request.json(&json!({ key: body }))
        } else {
            request
        };
        let answer = with_key(request).send().await;
        if answer.status == 202 {
            done(cloud, &answer).await
        } else {
            answer
        }
    }
}

async fn acs(acs: &Acs<'_>, name: &str, input: &Map<String, Value>) -> Answer {
    let mut pairs = Vec::new();
    for (name, value) in input {
        flatten(name, value, &mut pairs);
    }
    let pairs: Vec<(&str, &str)> = pairs
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    acs.v3(name, &pairs).send().await
}

fn flatten(name: &str, value: &Value, pairs: &mut Vec<(String, String)>) {
    match value {
        Value::Array(items) => {
            for (at, item) in (1..).zip(items) {
                flatten(&format!("{name}.{at}"), item, pairs);
            }
        }
        Value::Object(members) => {
            for (member, value) in members {
                flatten(&format!("{name}.{member}"), value, pairs);
            }
        }
        one => pairs.push((name.to_owned(), plain(one))),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// All values of a member, wherever it stands.
fn all(value: &Value, name: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (member, value) in members {
                if member == name && !value.is_object() && !value.is_array() {
                    found.push(plain(value));
                }
                all(value, name, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| all(item, name, found)),
        _ => {}
    }
}

fn has(answer: &Answer, name: &str, value: &str) -> bool {
    let mut found = Vec::new();
    if !answer.body.is_empty() {
        all(&answer.json(), name, &mut found);
    }
    found.iter().any(|one| one == value)
}

/// One row, from creation to its end; the steps that were made, or what went wrong.
async fn walk(table: &Table, row: &Value) -> Result<Vec<&'static str>, String> {
    let operation = |role: &str| row[role][0].as_str().or(row[role]["op"].as_str());
    let (Some(create), Some(delete)) = (operation("create"), operation("delete")) else {
        return Ok(Vec::new());
    };
    let (id, title) = (text(&row["id"]), row["title"].as_str());
    let cloud = LocalCloud::start().await;
    let mut steps = vec!["create"];
    let mut ids = Vec::new();
    for name in ["thing-1", "thing-2"] {
        let mut also = title
            .map(|title| (title, name))
            .into_iter()
            .collect::<Vec<_>>();
        let own = table.operations[create]["input"].as_array().unwrap();
        let chosen = own
            .iter()
            .find(|member| member["name"] == id && member["in"] != "path");
        let number = if name == "thing-1" { "7" } else { "8" };
        if let Some(chosen) = chosen {
            let value = if chosen["type"] == "string" {
                name
            } else {
                number
            };
            also.push((id, value));
        }
        let made = table.call(&cloud, create, &also).await;
        if made.status >= 300 {
            return Err(format!("{create}: {}", made.text()));
        }
        let mut found = Vec::new();
        if made.body.is_empty() {
            // Nothing is told.
        } else {
            for one in [id, "id", "uuid", "InstanceId", "instance_id", "Data"] {
                if found.is_empty() {
                    all(&made.json(), one, &mut found);
                }
            }
        }
        let own = also
            .iter()
            .find(|(one, _)| *one == id)
            .map(|(_, value)| (*value).to_owned());
        let Some(made_id) = own.or(found.into_iter().next()) else {
            return Err(format!("{create} tells no id: {}", made.text()));
        };
        ids.push(made_id);
    }
    if ids[0] == ids[1] {
        return Err(format!("{create} gave {} twice", ids[0]));
    }
    // Requests name it by the row's id or by the last name in their path.
    let by = text(&row["read"]["by"]);
    let alias = if create == "CreateSmartAccessGateway" {
        "InstanceId"
    } else {
        ""
    };
    let named = |operation: &str| -> Vec<(&str, &str)> {
        let path = text(&table.operations[operation]["path"]);
        let last = path
            .rsplit_once('{')
            .map(|(_, rest)| rest.split('}').next().unwrap());
        [Some(id), Some(by), last, Some(alias)]
            .into_iter()
            .flatten()
            .filter(|name| !name.is_empty())
            .map(|name| (name, ids[0].as_str()))
            .collect()
    };
    let list = operation("list");
    if let Some(list) = list {
        let answer = table.call(&cloud, list, &[]).await;
        if !ids.iter().all(|one| has(&answer, id, one)) {
            return Err(format!("{list} lacks {ids:?}: {}", answer.text()));
        }
        steps.push("list");
    }
    let read = operation("read").filter(|read| Some(*read) != list);
    if let Some(read) = read {
        let answer = table.call(&cloud, read, &named(read)).await;
        if answer.status != 200 || !has(&answer, id, &ids[0]) {
            return Err(format!(
                "{read} of {}: {} {}",
                ids[0],
                answer.status,
                answer.text()
            ));
        }
        steps.push("show");
    }
    if let (Some(update), Some(title)) = (operation("update"), title)
        && title != id
        && table.operations[update]["input"]
            .as_array()
            .unwrap()
            .iter()
            .any(|member| member["name"] == title)
    {
        let mut also = named(update);
        also.push((title, "renamed"));
        let answer = table.call(&cloud, update, &also).await;
        if answer.status >= 300 {
            return Err(format!("{update}: {}", answer.text()));
        }
        let shown = match (list, read) {
            (_, Some(read)) => table.call(&cloud, read, &named(read)).await,
            (Some(list), None) => table.call(&cloud, list, &[]).await,
            (None, None) => answer,
        };
        if !has(&shown, title, "renamed") {
            return Err(format!("{update} changed nothing: {}", shown.text()));
        }
        steps.push("update");
    }
    let gone = table.call(&cloud, delete, &named(delete)).await;
    if gone.status >= 300 {
        return Err(format!("{delete}: {}", gone.text()));
    }
    steps.push("delete");
    if let Some(list) = list {
        let answer = table.call(&cloud, list, &[]).await;
        if has(&answer, id, &ids[0]) || !has(&answer, id, &ids[1]) {
            return Err(format!(
                "{list} after {delete} of {}: {}",
                ids[0],
                answer.text()
            ));
        }
    }
    if let Some(read) = read {
        let answer = table.call(&cloud, read, &named(read)).await;
        if answer.status < 400 {
            return Err(format!("{read} finds what is gone: {}", answer.text()));
        }
    }
    let again = table.call(&cloud, delete, &named(delete)).await;
    if again.status < 400 {
        return Err(format!("{delete} removes twice: {}", again.text()));
    }
    steps.push("not found");
    Ok(steps)
}

/// Walks through all rows of a service, and counts.
async fn all_rows(service: &'static str, least: usize) {
    let table = Table::of(service);
    let mut counts: Vec<(&str, usize)> = Vec::new();
    let mut wrong = Vec::new();
    for row in &table.rows {
        let name = format!("{service}/{}", text(&row["name"]));
        if BY_HAND.contains(&name.as_str()) || NAMELESS.contains(&name.as_str()) {
            continue;
        }
        let complete = row["read"].is_object() || row["list"].is_object();
        if !complete {
            continue;
        }
        match walk(&table, row).await {
            Ok(steps) => {
                for step in steps {
                    match counts.iter_mut().find(|(one, _)| *one == step) {
                        Some((_, count)) => *count += 1,
                        None => counts.push((step, 1)),
                    }
                }
            }
            Err(why) => wrong.push(format!(
                "{name}: {}",
                why.chars().take(700).collect::<String>()
            )),
        }
    }
    println!("{service}: {counts:?}");
    assert!(
        wrong.is_empty(),
        "{} rows:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(counts[0].1 >= least, "{service}: {counts:?}");
}

#[tokio::test]
async fn of_server_migration_center() {
    all_rows("smc", 2).await;
}

#[tokio::test]
async fn of_smart_access_gateway() {
    all_rows("smartag", 19).await;
}

#[tokio::test]
async fn of_api_gateway() {
    all_rows("apig", 26).await;
}

#[tokio::test]
async fn of_zstack() {
    all_rows("zstack", 116).await;
}
