//! What can be waited for, and how is it told? `[wait.NAME]` of the overlay, on the rows of resources.
//!
//! A row says which resource it is `of`; how one is read and what its states mean is taken from there
//! unless the row says otherwise. Whatever it names must be in the model.

use toml::{Table, Value as Toml};

use crate::fault::{Fault, Faults};
use crate::model::{Member, Model, Operation, Paging, Type};
use crate::overlay::{Overlay, texts};
use crate::resource::{Find, Resource, find, members_at, values};

const KEYS: &[&str] = &[
    "doc", "of", "read", "id", "member", "good", "bad", "through", "gone", "hits", "with",
    "progress", "why", "after",
];

/// A thing to wait for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wait {
    /// Kebab case.
    pub name: String,
    /// One line: until when.
    pub doc: String,
    /// The resource.
    pub of: String,
    /// How it is read.
    pub read: Find,
    /// Whether `by` is a condition of a query.
    pub query: bool,
    /// The member that tells it from others in the answer, or empty.
    pub id: String,
    /// The member that tells the state, or empty.
    pub member: String,
    /// States that end it, with their conditions.
    pub good: Vec<String>,
    /// States that end it in failure.
    pub bad: Vec<String>,
    /// Two states that in this order mean failure.
    pub through: Option<(String, String)>,
    /// It is waited for to be gone.
    pub gone: bool,
    /// How many reads in a row must find it good.
    pub hits: i64,
    /// Further members that the read needs.
    pub with: Vec<String>,
    /// The member that tells the progress, or empty.
    pub progress: String,
    /// The member that says why it failed, or empty.
    pub why: String,
    /// Operations that bring a thing on its way there.
    pub after: Vec<String>,
}

/// All rows, by name.
pub fn waits(model: &Model, overlay: &Overlay, resources: &[Resource]) -> Faults<Vec<Wait>> {
    let mut rows = Vec::new();
    let mut faults = Vec::new();
    for (name, given) in overlay.table("wait") {
        let mut fault = |message: String| faults.push(at(overlay, name, &message));
        let Some(given) = given.as_table() else {
            fault("must be a table".into());
            continue;
        };
        for key in given.keys().filter(|key| !KEYS.contains(&key.as_str())) {
            fault(format!(
                "unknown key `{key}`; known are {}",
                KEYS.join(", ")
            ));
        }
        let of = word(given, "of");
        let Some(resource) = resources.iter().find(|row| row.name == of) else {
            fault(format!("no resource `{of}`"));
            continue;
        };
        let row = row(model, name, given, resource);
        check(model, &row, &mut fault);
        rows.push(row);
    }
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    if faults.is_empty() {
        Ok(rows)
    } else {
        Err(faults)
    }
}

fn at(overlay: &Overlay, name: &str, message: &str) -> Fault {
    overlay.fault(format!("[wait.{name}]"), message)
}

fn word(given: &Table, key: &str) -> String {
    let word = given.get(key).and_then(Toml::as_str);
    word.unwrap_or_default().to_owned()
}

fn row(model: &Model, name: &str, given: &Table, resource: &Resource) -> Wait {
    let states = resource.states.clone().unwrap_or_default();
    let read = match given.get("read") {
        Some(read) => find(model, read),
        None => resource.read.clone().unwrap_or_default(),
    };
    let or = |key: &str, usual: &str| match given.get(key) {
        Some(_) => word(given, key),
        None => usual.to_owned(),
    };
    let list = |key: &str, usual: &[String]| match given.get(key) {
        Some(list) => texts(list).into_iter().map(ToOwned::to_owned).collect(),
        None => usual.to_vec(),
    };
    let gone = given.get("gone").and_then(Toml::as_bool) == Some(true);
    let operation = operation(model, &read.operation);
    Wait {
        name: name.to_owned(),
        doc: word(given, "doc"),
        of: resource.name.clone(),
        query: operation.is_some_and(|o| matches!(o.paging, Some(Paging::Query { .. }))),
        id: or("id", &resource.id),
        // What is only waited for to be gone may tell no state at all.
        member: or("member", &states.member),
        good: if gone {
            Vec::new()
        } else {
            list("good", &states.good)
        },
        bad: list("bad", &states.bad),
        through: word(given, "through")
            .split_once(" > ")
            .map(|(first, then)| (first.to_owned(), then.to_owned())),
        gone,
        hits: given.get("hits").and_then(Toml::as_integer).unwrap_or(1),
        with: list("with", &[]),
        after: list("after", &[]),
        progress: word(given, "progress"),
        why: word(given, "why"),
        read,
    }
}

fn operation<'a>(model: &'a Model, name: &str) -> Option<&'a Operation> {
    model.operations.iter().find(|o| o.name == name)
}

fn check(model: &Model, row: &Wait, fault: &mut dyn FnMut(String)) {
    if row.doc.is_empty() {
        fault("needs a `doc`: until when it waits".into());
    }
    let Some(operation) = operation(model, &row.read.operation) else {
        return fault(format!("no operation `{}` to read it", row.read.operation));
    };
    let takes = |name: &str| operation.input.iter().any(|member| member.name == name);
    let named = (!row.read.by.is_empty() && !row.query).then_some(&row.read.by);
    for name in named
        .into_iter()
        .chain(&row.with)
        .filter(|name| !takes(name))
    {
        fault(format!("`{}` takes no `{name}`", operation.name));
    }
    let Some(things) = members_at(model, operation, &row.read.at) else {
        return fault(format!(
            "`{}` answers nothing at `{}`",
            operation.name, row.read.at
        ));
    };
    let conditions = row.good.iter().filter_map(|good| {
        let (member, _) = good.split_once(" if ")?.1.split_once('=')?;
        Some(member)
    });
    let told = [&row.id, &row.member, &row.progress, &row.why];
    let told = told.into_iter().map(String::as_str).chain(conditions);
    for name in told.filter(|name| !name.is_empty()) {
        if !things.iter().any(|member| member.name == name) {
            fault(format!("`{}` answers no `{name}`", operation.name));
        }
    }
    if !row.gone && (row.member.is_empty() || row.good.is_empty()) {
        fault("has no state that ends it".into());
    }
    let state = things.iter().find(|member| member.name == row.member);
    let known = state
        .map(|member| values(model, member))
        .unwrap_or_default();
    let through = row.through.iter().flat_map(|(first, then)| [first, then]);
    for state in row.good.iter().chain(&row.bad).chain(through) {
        let state = state.split(" if ").next().unwrap_or(state);
        let open = known.is_empty() || state.starts_with('$');
        if !open && !known.iter().any(|known| known == state) {
            fault(format!("the model knows no `{}` `{state}`", row.member));
        }
    }
    for name in &row.after {
        match self::operation(model, name) {
            None => fault(format!("no operation `{name}` to wait after")),
            Some(after) if !tells_id(model, after, row) => {
                fault(format!("`{name}` does not tell which thing it is about"));
            }
            Some(_) => {}
        }
    }
    let types = things.iter().filter(|member| member.name == row.progress);
    for member in types.filter(|m| !matches!(m.ty, Type::Int | Type::Float | Type::Text)) {
        fault(format!("`{}` is no number", member.name));
    }
}

/// Whether a call of `operation` tells the id of the thing, in its answer or in its input.
fn tells_id(model: &Model, operation: &Operation, row: &Wait) -> bool {
    let among = |members: &[Member]| {
        let names = [&row.read.by, &row.id];
        members.iter().any(|member| names.contains(&&member.name))
    };
    let inventory = members_at(model, operation, "inventory").unwrap_or_default();
    among(&operation.output) || among(&operation.input) || among(inventory)
}
