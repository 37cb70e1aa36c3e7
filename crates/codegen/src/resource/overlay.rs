//! `[resource.NAME]`: rows that no rule finds, and what a rule cannot know about those that it does.

use std::collections::BTreeMap;

use toml::{Table, Value as Toml};

use super::rule::has;
use super::{Find, Origin, Resource, States, members_at};
use crate::fault::{Fault, Faults};
use crate::model::{Model, Operation, Paging};
use crate::overlay::{Overlay, texts};

const KEYS: &[&str] = &[
    "skip",
    "of",
    "id",
    "name",
    "parent",
    "create",
    "read",
    "list",
    "update",
    "delete",
    "operations",
    "states",
];

/// Lays the overlay's rows over those of the rules, and checks all of them against the model.
pub(super) fn lay_over(
    overlay: &Overlay,
    model: &Model,
    rows: &mut BTreeMap<String, Resource>,
) -> Faults<()> {
    let mut check = Check {
        overlay,
        model,
        faults: Vec::new(),
    };
    for (name, given) in overlay.table("resource") {
        let Some(given) = given.as_table() else {
            check.fault(name, "must be a table");
            continue;
        };
        if given.get("skip").and_then(Toml::as_bool) == Some(true) {
            check.skip(name, rows);
            continue;
        }
        if let Some(of) = given.get("of").and_then(Toml::as_str) {
            check.rename(of, name, rows);
        }
        let known = rows.entry(name.clone()).or_insert_with(|| Resource {
            name: name.clone(),
            origin: Origin::Overlay,
            ..Resource::default()
        });
        if known.origin == Origin::Rule {
            known.origin = Origin::Both;
        }
        check.lay(given, known);
    }
    // What a person gave to a row is no verb of the row where the rule put it.
    let given: Vec<String> = rows
        .values()
        .filter(|row| row.origin == Origin::Overlay)
        .flat_map(|row| row.operations().map(ToOwned::to_owned).collect::<Vec<_>>())
        .collect();
    for row in rows
        .values_mut()
        .filter(|row| row.origin != Origin::Overlay)
    {
        row.others.retain(|name| !given.contains(name));
    }
    let names: Vec<String> = rows.keys().cloned().collect();
    for row in rows.values() {
        check.row(row, &names);
    }
    if check.faults.is_empty() {
        Ok(())
    } else {
        Err(check.faults)
    }
}

struct Check<'a> {
    overlay: &'a Overlay,
    model: &'a Model,
    faults: Vec<Fault>,
}

impl Check<'_> {
    fn fault(&mut self, row: &str, message: impl AsRef<str>) {
        let place = format!("[resource.{row}]");
        self.faults
            .push(self.overlay.fault(place, message.as_ref()));
    }

    fn operation(&self, name: &str) -> Option<&Operation> {
        self.model.operations.iter().find(|o| o.name == name)
    }

    /// A row that is no thing of its own: what it has are verbs of the thing that it belongs to.
    fn skip(&mut self, name: &str, rows: &mut BTreeMap<String, Resource>) {
        let Some(row) = rows.remove(name) else {
            self.fault(name, "no rule makes this row: there is nothing to skip");
            return;
        };
        let parent = row.parents.first().and_then(|parent| rows.get_mut(parent));
        if let Some(parent) = parent {
            parent
                .others
                .extend(row.operations().map(ToOwned::to_owned));
        }
    }

    /// Another name for a row of a rule.
    fn rename(&mut self, from: &str, to: &str, rows: &mut BTreeMap<String, Resource>) {
        let Some(mut row) = rows.remove(from) else {
            self.fault(to, format!("no rule makes the row `{from}`"));
            return;
        };
        to.clone_into(&mut row.name);
        rows.insert(to.to_owned(), row);
        for parent in rows.values_mut().flat_map(|row| &mut row.parents) {
            if parent == from {
                to.clone_into(parent);
            }
        }
    }

    /// Takes what a table says into `row`.
    fn lay(&mut self, given: &Table, row: &mut Resource) {
        for key in given.keys().filter(|key| !KEYS.contains(&key.as_str())) {
            self.fault(
                &row.name,
                format!("unknown key `{key}`; known are {}", KEYS.join(", ")),
            );
        }
        let text = |key: &str, to: &mut String| {
            if let Some(text) = given.get(key).and_then(Toml::as_str) {
                text.clone_into(to);
            }
        };
        text("id", &mut row.id);
        text("name", &mut row.title);
        let list = |key: &str, to: &mut Vec<String>| {
            if let Some(names) = given.get(key) {
                *to = texts(names).into_iter().map(ToOwned::to_owned).collect();
            }
        };
        list("parent", &mut row.parents);
        list("create", &mut row.create);
        list("update", &mut row.update);
        list("delete", &mut row.delete);
        list("operations", &mut row.others);
        // What has a place of its own now is none of the others any more.
        let placed = [&row.create, &row.update, &row.delete];
        row.others
            .retain(|name| !placed.iter().any(|list| list.contains(name)));
        if let Some(read) = given.get("read") {
            row.read = Some(find(self.model, read));
        }
        if let Some(list) = given.get("list") {
            row.list = Some(find(self.model, list));
        }
        if let Some(states) = given.get("states").and_then(Toml::as_table) {
            let words = |key: &str| -> Vec<String> {
                let words = states.get(key).map(texts).unwrap_or_default();
                words.into_iter().map(ToOwned::to_owned).collect()
            };
            row.states = Some(States {
                member: words("member").concat(),
                good: words("good"),
                bad: words("bad"),
                first: words("first").concat(),
                moves: states
                    .get("moves")
                    .and_then(Toml::as_table)
                    .into_iter()
                    .flatten()
                    .map(|(operation, way)| {
                        let way = texts(way).into_iter().map(ToOwned::to_owned);
                        (operation.clone(), way.collect())
                    })
                    .collect(),
                progress: words("progress").concat(),
            });
        }
    }

    /// Whether the model has everything that a row names.
    fn row(&mut self, row: &Resource, names: &[String]) {
        let missing: Vec<String> = row
            .operations()
            .filter(|name| self.operation(name).is_none())
            .map(|name| format!("unknown operation `{name}`"))
            .collect();
        let moves = row.states.iter().flat_map(|states| states.moves.keys());
        let moves: Vec<String> = moves
            .filter(|name| !row.operations().any(|own| own == name.as_str()))
            .map(|name| format!("its states move by `{name}`, which is none of its operations"))
            .collect();
        for message in &moves {
            self.fault(&row.name, message);
        }
        let parents = row.parents.iter().filter(|parent| !names.contains(parent));
        let parents: Vec<String> = parents
            .map(|parent| format!("unknown parent `{parent}`"))
            .collect();
        for message in missing.iter().chain(&parents) {
            self.fault(&row.name, message);
        }
        let mut found = false;
        for find in [&row.read, &row.list].into_iter().flatten() {
            let Some(operation) = self.operation(&find.operation) else {
                continue;
            };
            let query = matches!(operation.paging, Some(Paging::Query { .. }));
            let by = find.by.is_empty() || query || has(&operation.input, &find.by);
            let Some(things) = members_at(self.model, operation, &find.at) else {
                self.fault(
                    &row.name,
                    format!("`{}` answers nothing at `{}`", find.operation, find.at),
                );
                continue;
            };
            found |= has(things, &row.id);
            let state = row.states.as_ref().map(|states| states.member.clone());
            let has_state = state.as_ref().is_none_or(|member| has(things, member));
            let is_read = row.read.as_ref() == Some(find);
            if !by {
                self.fault(
                    &row.name,
                    format!("`{}` takes no `{}`", find.operation, find.by),
                );
            }
            if is_read && !has_state {
                let member = state.unwrap_or_default();
                self.fault(
                    &row.name,
                    format!("`{}` answers no `{member}`", find.operation),
                );
            }
        }
        let looked = row.read.is_some() || row.list.is_some();
        if looked && !row.id.is_empty() && !found {
            self.fault(&row.name, format!("no answer has its id `{}`", row.id));
        }
    }
}

/// `"Operation"`, or `{ op = .., by = .., at = .. }`; where the list stands is known of pages.
pub(crate) fn find(model: &Model, toml: &Toml) -> Find {
    let word = |key: &str| {
        let word = toml.get(key).and_then(Toml::as_str);
        word.map(ToOwned::to_owned)
    };
    let operation = toml.as_str().map(ToOwned::to_owned).or_else(|| word("op"));
    let operation = operation.unwrap_or_default();
    let paged = || {
        let known = model.operations.iter().find(|o| o.name == operation)?;
        match known.paging.as_ref()? {
            Paging::Number { items, .. }
            | Paging::Token { items, .. }
            | Paging::Offset { items, .. }
            | Paging::Query { items } => Some(items.clone()),
        }
    };
    let at = word("at").or_else(paged).unwrap_or_default();
    Find {
        by: word("by").unwrap_or_default(),
        at,
        operation,
    }
}
