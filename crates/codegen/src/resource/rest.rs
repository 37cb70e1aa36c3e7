//! APIG: an address that ends in a parameter names a thing, and the address before it is the
//! collection. Whatever lies below the collection and below no longer one belongs to the thing.

use std::collections::BTreeMap;

use super::rule::{below, has, removes, segments};
use super::{Find, Resource, fields};
use crate::model::{Model, Operation, Paging};
use crate::names;

pub(super) fn rows(model: &Model) -> Vec<Resource> {
    let mut items: BTreeMap<String, &str> = BTreeMap::new();
    for operation in &model.operations {
        let Some((collection, parameter)) = operation.path.rsplit_once('/') else {
            continue;
        };
        if parameter.starts_with('{') && !collection.ends_with('}') {
            items.insert(segments(collection).join("/"), collection);
        }
    }
    let mut collections: Vec<&str> = items.into_values().collect();
    collections.retain(|collection| keeps(model, collection));
    collections.sort_by_key(|path| std::cmp::Reverse(segments(path).len()));
    let mut rows: BTreeMap<&str, (Resource, Vec<&Operation>)> = BTreeMap::new();
    for operation in &model.operations {
        let mut homes = collections.iter();
        if let Some(home) = homes.find(|home| below(&operation.path, home).is_some()) {
            rows.entry(home).or_default().1.push(operation);
        }
    }
    let names = nouns(rows.keys().copied());
    let mut made = Vec::new();
    for (path, (mut row, operations)) in rows {
        row.name.clone_from(&names[path]);
        row.parents = collections
            .iter()
            .find(|other| **other != path && below(path, other).is_some())
            .and_then(|other| names.get(other).cloned())
            .into_iter()
            .collect();
        fill(model, path, &operations, &mut row);
        made.push(row);
    }
    made
}

/// Whether things can be made, listed or removed there; an address such as `/apis/debug/{api_id}` is a
/// verb of another thing.
fn keeps(model: &Model, collection: &str) -> bool {
    model.operations.iter().any(|operation| {
        let rest = below(&operation.path, collection);
        rest.is_some_and(|rest| match operation.method.as_str() {
            "POST" | "GET" => rest.is_empty(),
            _ => removes(operation, &rest) || operation.method == "GET" && rest == ["{}"],
        })
    })
}

/// A name for each collection; of two that are alike the deeper one says what it belongs to.
fn nouns<'a>(paths: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, String> {
    let mut paths: Vec<&str> = paths.collect();
    paths.sort_by_key(|path| segments(path).len());
    let mut named: BTreeMap<&str, String> = BTreeMap::new();
    for path in paths {
        let mut name = noun(path);
        if named.values().any(|other| *other == name) {
            let above = segments(path);
            let above = above.iter().rev().filter(|part| **part != "{}").nth(1);
            name = format!("{}-{name}", noun(above.unwrap_or(&"")));
        }
        named.insert(path, name);
    }
    named
}

/// `/v2/{project_id}/apigw/instances/{instance_id}/app-auths` is about an `app-auth`.
fn noun(collection: &str) -> String {
    let last = segments(collection).into_iter().rfind(|part| *part != "{}");
    let last = last.unwrap_or_default();
    match last.rsplit_once('-') {
        Some((first, word)) => format!("{first}-{}", names::singular(word)),
        None => names::singular(last),
    }
}

fn fill(model: &Model, collection: &str, operations: &[&Operation], row: &mut Resource) {
    for operation in operations {
        let Some(rest) = below(&operation.path, collection) else {
            continue;
        };
        let name = operation.name.clone();
        match (operation.method.as_str(), rest.as_slice()) {
            ("POST", []) if row.create.is_empty() => row.create.push(name),
            ("GET", []) if row.list.is_none() => {
                let at = match &operation.paging {
                    Some(Paging::Offset { items, .. }) => items.clone(),
                    _ => list_of(model, operation),
                };
                row.list = Some(Find {
                    operation: name,
                    by: String::new(),
                    at,
                });
            }
            ("GET", ["{}"]) if row.read.is_none() => {
                row.read = Some(Find {
                    operation: name,
                    by: parameter(&operation.path),
                    at: String::new(),
                });
            }
            ("PUT", ["{}"]) => row.update.push(name),
            _ if removes(operation, &rest) => row.delete.push(name),
            _ => row.others.push(name),
        }
    }
    let things = |find: &Find| {
        let operation = model.operations.iter().find(|o| o.name == find.operation)?;
        super::members_at(model, operation, &find.at)
    };
    let members = [&row.read, &row.list]
        .into_iter()
        .flatten()
        .find_map(things);
    let members = members.unwrap_or_default();
    let item = operations
        .iter()
        .find(|o| below(&o.path, collection).as_deref() == Some(&["{}"]));
    let parameter = item.map(|o| parameter(&o.path)).unwrap_or_default();
    let named = [parameter.as_str(), "id", "instance_id"];
    row.id = named
        .iter()
        .find(|name| has(members, name))
        .map(ToString::to_string)
        .unwrap_or_default();
    if has(members, "name") {
        row.title = "name".into();
    }
}

/// The parameter that an address ends in.
fn parameter(path: &str) -> String {
    let last = path.rsplit('/').next().unwrap_or_default();
    last.trim_matches(['{', '}']).to_owned()
}

/// The only list of structures in an answer.
fn list_of(model: &Model, operation: &Operation) -> String {
    let lists = operation.output.iter().filter(|member| {
        matches!(member.ty, crate::model::Type::List(_)) && fields(model, &member.ty).is_some()
    });
    let mut lists = lists.map(|member| member.name.clone());
    lists.next().unwrap_or_default()
}
