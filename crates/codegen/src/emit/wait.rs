//! The waiters of a service: a function for each, which holds its row.

use std::collections::BTreeMap;

use super::Emit;
use super::text::{self, literal};
use crate::names;
use crate::wait::Wait;

impl Emit<'_> {
    /// The text of `wait.rs` without its first line.
    pub(super) fn waits(&self, rows: &[Wait]) -> String {
        let groups: BTreeMap<&str, &str> = self
            .model
            .operations
            .iter()
            .map(|o| (o.name.as_str(), o.group.as_str()))
            .collect();
        let rows: Vec<String> = rows
            .iter()
            .map(|row| {
                let group = groups.get(row.read.operation.as_str()).copied();
                self.wait(row, group.unwrap_or_default())
            })
            .collect();
        format!(
            "//! Waiting until things are ready, done or gone.\n\n\
             pub use cumulo_core::wait::{{Observation, Observations, Waiter}};\n\n{}",
            rows.join("\n")
        )
    }

    fn wait(&self, row: &Wait, group: &str) -> String {
        let name = row.name.replace('-', "_");
        let id = match (row.read.by.as_str(), row.id.as_str()) {
            ("", id) | (id, _) => names::snake(id),
        };
        let good = row.good.iter().map(|good| good.split(" if ").next());
        let named = good.flatten().filter(|good| good.starts_with('$'));
        let further: Vec<(String, String)> = row
            .with
            .iter()
            .map(|member| (names::snake(member), member.clone()))
            .chain(named.map(|name| (name.trim_start_matches('$').to_owned(), name.to_owned())))
            .collect();
        let arguments: String = further
            .iter()
            .map(|(argument, _)| format!(", {argument}: impl Into<String>"))
            .collect();
        let with: String = further
            .iter()
            .map(|(argument, name)| format!(".with({}, {argument})", literal(name)))
            .collect();
        let gate = match self.gated() {
            true => format!("#[cfg(feature = {group:?})]\n"),
            false => String::new(),
        };
        format!(
            "{doc}{gate}#[rustfmt::skip]\npub fn {name}({id}: impl Into<String>{arguments}) -> Waiter {{\n    \
             static TARGET: cumulo_core::wait::Target = cumulo_core::wait::Target::new({fname}, {noun}, super::{module}::{read}::operation)\n{rest};\n    \
             Waiter::new(&TARGET, {id}){with}\n}}\n",
            doc = text::paragraph("", &told(row)),
            fname = literal(&name),
            noun = literal(&row.of.replace('-', " ")),
            module = names::snake_group(group),
            read = row.read.operation,
            rest = settings(row).join("\n"),
        )
    }
}

/// What it waits for, in words.
fn told(row: &Wait) -> String {
    let quoted = |states: &[String]| {
        let all: Vec<String> = states.iter().map(|state| format!("`{state}`")).collect();
        all.join(", ")
    };
    let mut text = format!("{} Read with `{}`.", row.doc, row.read.operation);
    if !row.good.is_empty() {
        text += &format!(" `{}` ends it with {}", row.member, quoted(&row.good));
        text += if row.bad.is_empty() { "." } else { "," };
    }
    if !row.bad.is_empty() {
        let start = if row.good.is_empty() {
            " It fails"
        } else {
            " and in failure"
        };
        text += &format!("{start} with {}.", quoted(&row.bad));
    }
    if let Some((first, then)) = &row.through {
        text += &format!(" `{then}` after `{first}` is a failure too.");
    }
    text
}

fn settings(row: &Wait) -> Vec<String> {
    let list = |states: &[String]| {
        let all: Vec<String> = states.iter().map(|state| literal(state)).collect();
        format!("&[{}]", all.join(", "))
    };
    let mut settings = Vec::new();
    let mut set = |setting: String| settings.push(format!("        .{setting}"));
    if row.query {
        let before = format!("{}=", row.read.by);
        set(format!("by(\"q\", {})", literal(&before)));
    } else if !row.read.by.is_empty() {
        set(format!("by({}, \"\")", literal(&row.read.by)));
    }
    set(format!(
        "at({}, {})",
        literal(&row.read.at),
        literal(&row.id)
    ));
    if !row.member.is_empty() {
        let (good, bad) = (list(&row.good), list(&row.bad));
        set(format!("states({}, {good}, {bad})", literal(&row.member)));
    }
    if let Some((first, then)) = &row.through {
        set(format!("through({}, {})", literal(first), literal(then)));
    }
    if row.gone {
        set("gone()".into());
    }
    if row.hits != 1 {
        set(format!("hits({})", row.hits));
    }
    for (name, member) in [("progress", &row.progress), ("why", &row.why)] {
        if !member.is_empty() {
            set(format!("{name}({})", literal(member)));
        }
    }
    settings
}
