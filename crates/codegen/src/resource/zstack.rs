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
        if let Some(query) = made(operation, &collections)
            && let Some(row) = rows.get_mut(query.path.as_str())
        {
            row.create.push(operation.name.clone());
            continue;
        }
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

/// The query that lists what an operation makes elsewhere: a snapshot is made below the address of its
/// volume, a disk from an image. One that answers with the thing in its own path has changed it.
fn made<'a>(operation: &Operation, collections: &[&'a Operation]) -> Option<&'a Operation> {
    let makes = ["Create", "Add", "Clone"];
    if operation.method != "POST" || !makes.iter().any(|verb| operation.name.starts_with(verb)) {
        return None;
    }
    let answer = operation.output.iter().find(|m| m.name == "inventory")?;
    let Type::Ref(thing) = answer.ty.innermost() else {
        return None;
    };
    let lists: Vec<&&Operation> = collections
        .iter()
        .filter(|query| inventory(query) == Some(thing))
        .collect();
    // Of several lists of one type it is that of its own address, or else that with the type's name,
    // which has all of them.
    let own = format!("Query{}", thing.trim_end_matches("Inventory"));
    let at_home = |query: &&&&Operation| below(&operation.path, &query.path).is_some();
    let list = match lists.as_slice() {
        [one] => one,
        several => several
            .iter()
            .find(at_home)
            .or_else(|| several.iter().find(|query| query.name == own))?,
    };
    let rest = below(&operation.path, &list.path);
    let changes = rest.is_some_and(|rest| rest.first() == Some(&"{}"));
    (!changes).then_some(**list)
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
