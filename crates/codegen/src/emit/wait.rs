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
        let group = |row: &Wait| {
            let group = groups.get(row.read.operation.as_str()).copied();
            group.unwrap_or_default()
        };
        let table: String = rows
            .iter()
            .map(|row| {
                let gate = self.gate(group(row)).replace('\n', " ");
                format!("    {gate}&{},\n", constant(row))
            })
            .collect();
        let rows: Vec<String> = rows.iter().map(|row| self.wait(row, group(row))).collect();
        format!(
            "//! Waiting until things are ready, done or gone.\n\n\
             pub use cumulo_core::wait::{{Observation, Observations, Target, Waiter}};\n\n\
             /// All that can be waited for, by name: what the functions below wait for, as data.\n\
             #[rustfmt::skip]\n\
             pub const TARGETS: &[&Target] = &[\n{table}];\n\n{}",
            rows.join("\n")
        )
    }

    /// The attribute of what needs an operation of `group`.
    fn gate(&self, group: &str) -> String {
        match self.gated() {
            true => format!("#[cfg(feature = {group:?})]\n"),
            false => String::new(),
        }
    }

    fn wait(&self, row: &Wait, group: &str) -> String {
        let name = row.name.replace('-', "_");
        let id = match (row.read.by.as_str(), row.id.as_str()) {
            ("", id) | (id, _) => names::snake(id),
        };
        let further: Vec<(String, String)> = further(row)
            .into_iter()
            .map(|name| (names::snake(name.trim_start_matches('$')), name))
            .collect();
        let arguments: String = further
            .iter()
            .map(|(argument, _)| format!(", {argument}: impl Into<String>"))
            .collect();
        let with: String = further
            .iter()
            .map(|(argument, name)| format!(".with({}, {argument})", literal(name)))
            .collect();
        format!(
            "{doc}{gate}#[rustfmt::skip]\npub fn {name}({id}: impl Into<String>{arguments}) -> Waiter {{\n    \
             Waiter::new(&{constant}, {id}){with}\n}}\n\
             {gate}#[rustfmt::skip]\nconst {constant}: Target = Target::new({fname}, {of}, super::{module}::{read}::operation)\n{rest};\n",
            doc = text::paragraph("", &told(row)),
            gate = self.gate(group),
            constant = constant(row),
            fname = literal(&name),
            of = literal(&row.of),
            module = names::snake_group(group),
            read = row.read.operation,
            rest = settings(row).join("\n"),
        )
    }
}

/// The name of its row.
fn constant(row: &Wait) -> String {
    row.name.replace('-', "_").to_uppercase()
}

/// What else a waiter must be given: members of the read, and states.
fn further(row: &Wait) -> Vec<String> {
    let good = row.good.iter().filter_map(|good| good.split(" if ").next());
    let states = good.filter(|good| good.starts_with('$'));
    let members = row.with.iter().map(String::as_str);
    members.chain(states).map(str::to_owned).collect()
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
    let mut set = |setting: String| settings.push(format!("    .{setting}"));
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
    for (name, all) in [("with", further(row)), ("after", row.after.clone())] {
        if !all.is_empty() {
            set(format!("{name}({})", list(&all)));
        }
    }
    settings
}
