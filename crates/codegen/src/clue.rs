//! By what is a thing found again whose create was not answered? Read off the rows of resources: by an id
//! that the caller chose, by its name, or not at all.

use std::collections::BTreeSet;

use crate::model::{Member, Model, Operation, Paging, Type};
use crate::resource::{Resource, members_at};

/// A member of ZStack's creates in which the caller may choose the id of what is made.
const CHOSEN: &str = "resourceUuid";

/// What members are called that tell when a thing was made.
const MADE: &[&str] = &[
    "CreationTime",
    "CreateTime",
    "GmtCreate",
    "create_time",
    "register_time",
    "createDate",
];

/// How the things that one operation makes are found again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clue {
    /// The operation.
    pub create: String,
    /// The resource.
    pub of: String,
    /// The operation that lists them.
    pub list: String,
    /// Where they stand in its answer.
    pub at: String,
    /// The member that tells them apart.
    pub id: String,
    /// By which members, the first that is set.
    pub keys: Vec<Key>,
    /// What both operations take: what the thing belongs to.
    pub within: Vec<String>,
    /// The member that tells when it was made, or empty.
    pub made: String,
    /// The member of the answer that holds the thing; empty where the answer is the thing.
    pub inside: String,
    /// The member of the answer that tells the id under another name, or empty.
    pub told: String,
}

/// A member by which a thing is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// In the create.
    pub given: String,
    /// In the list.
    pub shown: String,
    /// The member of the list that asks for it, and what stands before the value there; or empty.
    pub filter: (String, String),
    /// No two things have the same.
    pub exact: bool,
}

/// Of all operations that make something which can be found again, in the order of the rows.
pub fn clues(model: &Model, resources: &[Resource]) -> Vec<Clue> {
    let creates = resources
        .iter()
        .flat_map(|row| row.create.iter().map(move |create| (row, create)));
    creates
        .filter_map(|(row, create)| clue(model, resources, row, operation(model, create)?))
        .collect()
}

fn operation<'a>(model: &'a Model, name: &str) -> Option<&'a Operation> {
    model.operations.iter().find(|o| o.name == name)
}

fn clue(model: &Model, resources: &[Resource], row: &Resource, create: &Operation) -> Option<Clue> {
    let find = row.list.as_ref()?;
    let list = operation(model, &find.operation)?;
    let things = members_at(model, list, &find.at)?;
    let has = |members: &[Member], name: &str| members.iter().any(|m| m.name == name);
    let query = matches!(list.paging, Some(Paging::Query { .. }));
    let key = |given: &str, shown: &str, exact: bool| {
        let known = !shown.is_empty() && takes_text(create, given) && has(things, shown);
        known.then(|| Key {
            given: given.to_owned(),
            shown: shown.to_owned(),
            filter: match query {
                true => ("q".into(), format!("{shown}=")),
                false if takes_text(list, shown) => (shown.to_owned(), String::new()),
                false => Default::default(),
            },
            exact,
        })
    };
    let chosen = query.then(|| key(CHOSEN, &row.id, true)).flatten();
    let keys: Vec<Key> = chosen
        .into_iter()
        .chain(key(&row.title, &row.title, false))
        .collect();
    let above = ids_above(resources, row);
    let shared = list.input.iter().filter(|member| {
        let parent = member.required || above.contains(&member.name);
        parent && has(&create.input, &member.name) && !keys.iter().any(|k| k.given == member.name)
    });
    let within: Vec<String> = shared.map(|member| member.name.clone()).collect();
    let supplied = |member: &Member| member.setting.is_some() || within.contains(&member.name);
    let answerable = list
        .input
        .iter()
        .all(|m| !m.required || supplied(m) || is_page(list, m));
    if keys.is_empty() || !answerable {
        return None;
    }
    let inside = match has(&create.output, "inventory") && query {
        true => "inventory",
        false => "",
    };
    let made = MADE.iter().find(|name| has(things, name));
    Some(Clue {
        create: create.name.clone(),
        of: row.name.clone(),
        list: list.name.clone(),
        at: find.at.clone(),
        id: row.id.clone(),
        keys,
        within,
        made: made.map(ToString::to_string).unwrap_or_default(),
        told: told(create, row, inside),
        inside: inside.into(),
    })
}

/// The ids of whatever the things of `row` belong to, however far above.
fn ids_above(resources: &[Resource], row: &Resource) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    let mut open: Vec<&str> = row.parents.iter().map(String::as_str).collect();
    let mut seen = BTreeSet::new();
    while let Some(name) = open.pop() {
        if !seen.insert(name) {
            continue;
        }
        if let Some(parent) = resources.iter().find(|row| row.name == name) {
            ids.insert(parent.id.clone());
            open.extend(parent.parents.iter().map(String::as_str));
        }
        ids.insert(format!("{}_id", name.replace('-', "_")));
    }
    ids
}

fn is_page(list: &Operation, member: &Member) -> bool {
    let named = |name: &str| name == member.name;
    match &list.paging {
        Some(Paging::Number { page, size, .. }) => named(page) || named(size),
        Some(Paging::Offset { offset, limit, .. }) => named(offset) || named(limit),
        _ => false,
    }
}

fn takes_text(operation: &Operation, name: &str) -> bool {
    let named = |member: &&Member| member.name == name;
    let member = operation.input.iter().find(named);
    member.is_some_and(|member| member.ty == Type::Text)
}

/// Some answers call the id otherwise than lists: `instance_id` for `id`.
fn told(create: &Operation, row: &Resource, inside: &str) -> String {
    let texts = |name: &str| {
        let named = |m: &&Member| m.name == name && m.ty == Type::Text;
        create.output.iter().any(|m| named(&m))
    };
    if !inside.is_empty() || row.id.is_empty() || texts(&row.id) {
        return String::new();
    }
    let other = [
        format!("{}_{}", row.name.replace('-', "_"), row.id),
        "InstanceId".to_owned(),
    ];
    let found = other.iter().find(|name| texts(name));
    found.cloned().unwrap_or_default()
}
