//! ZStack: what has a query has a row. The query's address is the collection, its inventory the thing,
//! and whatever lies below that address and below no longer one belongs to it.

use std::collections::BTreeMap;

use super::rule::{below, has, removes, segments};
use super::{Find, Resource, States, members_at};
use crate::model::{Model, Operation, Paging, Type};
use crate::names;

pub(super) fn rows(model: &Model) -> Vec<Resource> {
    let mut collections: Vec<&Operation> = model
        .operations
        .iter()
        .filter(|operation| matches!(operation.paging, Some(Paging::Query { .. })))
        .collect();
    collections.sort_by_key(|query| std::cmp::Reverse(segments(&query.path).len()));
    let mut rows: BTreeMap<&str, Resource> = collections
        .iter()
        .map(|query| (query.path.as_str(), row(model, query)))
        .collect();
    for operation in &model.operations {
        let home = collections.iter().find_map(|query| {
            let rest = below(&operation.path, &query.path)?;
            Some((query, rest))
        });
        if let Some((query, rest)) = home
            && let Some(row) = rows.get_mut(query.path.as_str())
        {
            place(operation, query, &rest, row);
        }
    }
    let parents = parents(&rows);
    for (row, parents) in rows.values_mut().zip(parents) {
        row.parents = parents;
    }
    rows.into_values().collect()
}

/// The row of a query, without the operations below its address.
fn row(model: &Model, query: &Operation) -> Resource {
    let noun = query.name.strip_prefix("Query").unwrap_or(&query.name);
    let things = members_at(model, query, "inventories").unwrap_or_default();
    let member = |names: &[&str]| {
        let found = names.iter().find(|name| has(things, name));
        found.map(ToString::to_string).unwrap_or_default()
    };
    let id = member(&["uuid", "id", "name"]);
    let find = |by: &str| Find {
        operation: query.name.clone(),
        by: by.to_owned(),
        at: "inventories".to_owned(),
    };
    let state = member(&["status", "state"]);
    Resource {
        name: names::words(noun).join("-"),
        title: member(&["name"]),
        read: (!id.is_empty()).then(|| find(&id)),
        list: Some(find("")),
        states: (!state.is_empty()).then(|| States {
            member: state,
            ..States::default()
        }),
        id,
        ..Resource::default()
    }
}

/// Puts an operation below the address of `query` where it belongs in the row.
fn place(operation: &Operation, query: &Operation, rest: &[&str], row: &mut Resource) {
    let name = operation.name.clone();
    // Operations that add to a collection answer with what they made.
    let makes = operation.method == "POST"
        && !rest.contains(&"{}")
        && inventory(operation).is_some()
        && inventory(operation) == inventory(query);
    if name == query.name {
    } else if makes {
        row.create.push(name);
    } else if removes(operation, rest) {
        row.delete.push(name);
    } else if operation.method == "PUT"
        && name.starts_with("Update")
        && rest.first() == Some(&"{}")
        && inventory(operation) == inventory(query)
    {
        row.update.push(name);
    } else {
        row.others.push(name);
    }
}

/// The type of the things in an answer.
fn inventory(operation: &Operation) -> Option<&str> {
    let named = |name: &str| operation.output.iter().find(|member| member.name == name);
    match named("inventory")
        .or_else(|| named("inventories"))?
        .ty
        .innermost()
    {
        Type::Ref(name) => Some(name),
        _ => None,
    }
}

/// What a thing belongs to: the nearest row whose address its own goes on from.
fn parents(rows: &BTreeMap<&str, Resource>) -> Vec<Vec<String>> {
    let above = |path: &str| {
        let nearest = rows
            .iter()
            .filter(|(other, _)| **other != path && below(path, other).is_some())
            .max_by_key(|(other, _)| segments(other).len());
        nearest.map(|(_, row)| row.name.clone())
    };
    rows.keys()
        .map(|path| above(path).into_iter().collect())
        .collect()
}
