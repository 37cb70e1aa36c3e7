//! `[lane.NAME]`: operations that must not run side by side on the same thing.
//!
//! `members` says what the same thing is: a name for each part of it, or a list of the names under
//! which operations know it (`app_id`, `app_ids`). `operations` lists them, or is `writes` for all that
//! change something and have every member. An operation listed may lack members, but for the first.

use toml::Value as Toml;

use super::{Overlay, texts};
use crate::fault::Fault;
use crate::model::{Model, Operation};

pub(super) fn lanes(overlay: &Overlay, model: &mut Model, faults: &mut Vec<Fault>) {
    for (name, lane) in overlay.table("lane") {
        let place = format!("[lane.{name}]");
        let parts: Vec<Vec<&str>> = match lane.get("members").and_then(Toml::as_array) {
            Some(parts) => parts.iter().map(|part| names(part)).collect(),
            None => Vec::new(),
        };
        if parts.is_empty() || parts.iter().any(Vec::is_empty) {
            faults.push(overlay.fault(&place, "`members` must be a list of names"));
            continue;
        }
        match lane.get("operations") {
            Some(Toml::String(rule)) if rule == "writes" => {
                for operation in &mut model.operations {
                    let known = known(operation, &parts);
                    if operation.retry != "ReadOnly" && known.iter().all(|name| !name.is_empty()) {
                        set(overlay, operation, name, known, faults);
                    }
                }
            }
            Some(Toml::Array(listed)) => {
                for listed in listed.iter().filter_map(Toml::as_str) {
                    let mut all = model.operations.iter_mut();
                    let Some(operation) = all.find(|operation| operation.name == listed) else {
                        faults.push(overlay.fault(listed, format!("{place} unknown operation")));
                        continue;
                    };
                    let known = known(operation, &parts);
                    if known.first().is_some_and(String::is_empty) {
                        let message = format!("{place} it has none of {:?}", parts[0]);
                        faults.push(overlay.fault(listed, message));
                    }
                    set(overlay, operation, name, known, faults);
                }
            }
            _ => faults.push(overlay.fault(&place, "`operations` must be a list or `writes`")),
        }
    }
}

fn names(part: &Toml) -> Vec<&str> {
    match part {
        Toml::String(name) => vec![name],
        list => texts(list),
    }
}

/// The names that `operation` has for the parts; empty for those it lacks.
fn known(operation: &Operation, parts: &[Vec<&str>]) -> Vec<String> {
    let has = |name: &&&str| operation.input.iter().any(|member| member.name == **name);
    let known = parts.iter().map(|part| part.iter().find(has));
    known
        .map(|name| name.map(ToString::to_string).unwrap_or_default())
        .collect()
}

fn set(
    overlay: &Overlay,
    operation: &mut Operation,
    name: &str,
    members: Vec<String>,
    faults: &mut Vec<Fault>,
) {
    if let Some((other, _)) = &operation.lane {
        let message = format!("stands in [lane.{other}] and in [lane.{name}]: one is the limit");
        faults.push(overlay.fault(&operation.name, message));
    }
    operation.lane = Some((name.to_owned(), members));
}
