//! By what the things of an operation are found again: the `found` line of its block.

use super::Emit;
use super::text::literal;
use crate::clue::{Clue, Key};
use crate::model::Operation;
use crate::names;

impl Emit<'_> {
    pub(super) fn clue(&self, create: &Operation, clue: &Clue) -> String {
        let lists = &self.model.operations;
        let list = lists.iter().find(|o| o.name == clue.list);
        let group = list.map(|list| list.group.as_str()).unwrap_or_default();
        let gate = match self.gated() && group != create.group {
            true => format!(", when {}", literal(group)),
            false => String::new(),
        };
        let keys: Vec<String> = clue.keys.iter().map(key).collect();
        let within: Vec<String> = clue.within.iter().map(|name| literal(name)).collect();
        let mut text = format!(
            "    found cumulo_core::find::Clue::new({}, super::{}::{}::operation, &[{}])\n        .at({}, {})",
            literal(&clue.of.replace('-', " ")),
            names::snake_group(group),
            clue.list,
            keys.join(", "),
            literal(&clue.at),
            literal(&clue.id),
        );
        if !within.is_empty() {
            text += &format!(".within(&[{}])", within.join(", "));
        }
        for (name, member) in [
            ("made", &clue.made),
            ("inside", &clue.inside),
            ("told", &clue.told),
        ] {
            if !member.is_empty() {
                text += &format!(".{name}({})", literal(member));
            }
        }
        text + &gate + ";\n"
    }
}

fn key(key: &Key) -> String {
    let kind = if key.exact { "id" } else { "name" };
    let (member, before) = &key.filter;
    let names = [&key.given, &key.shown]
        .map(|name| literal(name))
        .join(", ");
    format!(
        "cumulo_core::find::Key::{kind}({names}, ({}, {}))",
        literal(member),
        literal(before)
    )
}
