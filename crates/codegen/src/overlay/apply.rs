//! Lays words, retry classes and settings over the operations of a model.

use std::collections::BTreeSet;

use toml::Value as Toml;

use super::{Overlay, Words, lane, member, texts};
use crate::fault::{Fault, Faults};
use crate::model::{Member, Model, Operation};

const RETRY: &[&str] = &["ReadOnly", "Idempotent", "Keyed", "Unsafe"];

/// Applies `overlay` to `model`. Repairs come before, on the model's JSON.
pub fn apply(overlay: &Overlay, model: &mut Model) -> Faults<()> {
    let mut faults = unknown_names(overlay, model);
    member::secrets(overlay, model, &mut faults);
    member::shown_once(overlay, model, &mut faults);
    member::times(overlay, model, &mut faults);
    member::notes(overlay, model, &mut faults);
    member::constraints(overlay, model, &mut faults);
    settings(overlay, model, &mut faults);
    summaries(overlay, model, &mut faults);
    retry(overlay, model, &mut faults);
    gone(overlay, model, &mut faults);
    lane::lanes(overlay, model, &mut faults);
    huawei_only(overlay, model);
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults)
    }
}

/// Names of operations and groups that the model does not have.
fn unknown_names(overlay: &Overlay, model: &Model) -> Vec<Fault> {
    let names: BTreeSet<&str> = model.operations.iter().map(|o| o.name.as_str()).collect();
    let groups: BTreeSet<&str> = model.operations.iter().map(|o| o.group.as_str()).collect();
    let mut faults = Vec::new();
    let mut check = |table: &str, known: &BTreeSet<&str>, name: &str, what: &str| {
        if !known.contains(name) {
            faults.push(overlay.fault(name, format!("[{table}] unknown {what}")));
        }
    };
    for table in ["summary", "retry", "name"] {
        for name in overlay.table(table).keys() {
            check(table, &names, name, "operation");
        }
    }
    for name in overlay.table("gone").keys().filter(|name| *name != "rule") {
        check("gone", &names, name, "operation");
    }
    let huawei_only = overlay.table("otc").get("huawei_only");
    for name in huawei_only.into_iter().flat_map(texts) {
        check("otc", &names, name, "operation");
    }
    let features = overlay.table("feature");
    let described = features
        .get("group")
        .and_then(Toml::as_table)
        .unwrap_or(overlay.table("group"));
    for name in described.keys() {
        check("group", &groups, name, "group");
    }
    for name in features.get("default").into_iter().flat_map(texts) {
        check("feature", &groups, name, "group");
    }
    for group in groups
        .iter()
        .filter(|group| !described.contains_key(**group))
    {
        faults.push(overlay.fault(*group, "the group has no description"));
    }
    faults
}

/// `[client_default]`: required members that a client setting supplies.
fn settings(overlay: &Overlay, model: &mut Model, faults: &mut Vec<Fault>) {
    for (name, setting) in overlay.table("client_default") {
        let mut used = false;
        for operation in &mut model.operations {
            for member in &mut operation.input {
                if member.name == *name && member.required {
                    member.setting = setting.as_str().map(str::to_owned);
                    used = true;
                }
            }
        }
        if !used {
            faults.push(overlay.fault(name, "[client_default] no operation requires it"));
        }
    }
}

/// `[summary]`, or a sentence made by the rule where the overlay has one.
fn summaries(overlay: &Overlay, model: &mut Model, faults: &mut Vec<Fault>) {
    let words = Words::new(overlay);
    for operation in &mut model.operations {
        let written = overlay
            .table("summary")
            .get(&operation.name)
            .and_then(Toml::as_str);
        let summary = match written {
            Some(text) => Some(text.to_owned()),
            None => words.summary(&operation.name),
        };
        match summary {
            Some(text) if text.ends_with('.') && !text.contains('\n') => operation.summary = text,
            Some(_) => {
                let message = "[summary] must be one line that ends with a period";
                faults.push(overlay.fault(&operation.name, message));
            }
            None => faults.push(overlay.fault(&operation.name, "has no summary")),
        }
    }
}

/// `[retry]`. ZStack states exceptions only; the rule follows from method and kind of answer.
fn retry(overlay: &Overlay, model: &mut Model, faults: &mut Vec<Fault>) {
    let by_rule = model.protocol == "zstack-rest";
    for operation in &mut model.operations {
        let stated = overlay
            .table("retry")
            .get(&operation.name)
            .and_then(Toml::as_str);
        let class = match (stated, operation.method.as_str(), operation.job) {
            (Some(class), _, _) => class,
            (None, "GET", false) if by_rule => "ReadOnly",
            (None, "POST" | "PUT" | "DELETE", true) if by_rule => "Keyed",
            (None, "POST" | "PUT" | "DELETE", false) if by_rule => "Unsafe",
            _ => {
                faults.push(overlay.fault(&operation.name, "has no retry class"));
                continue;
            }
        };
        let keyed = if by_rule {
            operation.job
        } else {
            operation.token.is_some()
        };
        if !RETRY.contains(&class) {
            let message = format!("[retry] unknown retry class `{class}`");
            faults.push(overlay.fault(&operation.name, message));
        } else if class == "Keyed" && !keyed {
            let message = "[retry] Keyed needs a client token or a job";
            faults.push(overlay.fault(&operation.name, message));
        }
        class.clone_into(&mut operation.retry);
    }
}

/// `[gone]`: for an operation the codes that say that what it removes is gone. `rule.deletes` holds
/// the codes of every DELETE whose path ends with the one id that it takes.
fn gone(overlay: &Overlay, model: &mut Model, faults: &mut Vec<Fault>) {
    let table = overlay.table("gone");
    let rule = table.get("rule").and_then(Toml::as_table);
    for name in rule.into_iter().flat_map(|rule| rule.keys()) {
        if name != "deletes" {
            faults.push(overlay.fault("[gone]", format!("unknown rule `{name}`")));
        }
    }
    let deletes = rule.and_then(|rule| rule.get("deletes"));
    for operation in &mut model.operations {
        let stated = table.get(&operation.name);
        let by_rule = deletes.filter(|_| removes_one_thing(operation));
        let codes = stated.or(by_rule).map(texts).unwrap_or_default();
        if stated.is_some() && codes.is_empty() {
            faults.push(overlay.fault(&operation.name, "[gone] names no code"));
        }
        operation.gone = codes.into_iter().map(str::to_owned).collect();
    }
}

/// Whether "not found" can mean nothing but the thing itself: with a second id in the request, it may
/// be the parent.
fn removes_one_thing(operation: &Operation) -> bool {
    let other = |member: &Member| {
        let name = member.name.to_ascii_lowercase();
        member.place != "path" && (name.ends_with("uuid") || name.ends_with("uuids"))
    };
    operation.method == "DELETE"
        && operation.path.ends_with('}')
        && operation.path.matches('{').count() == 1
        && !operation.input.iter().any(other)
}

/// `[otc]`: what Open Telekom Cloud lacks is said in the documentation.
fn huawei_only(overlay: &Overlay, model: &mut Model) {
    let names = overlay.table("otc").get("huawei_only");
    let names: BTreeSet<&str> = names.into_iter().flat_map(texts).collect();
    for operation in &mut model.operations {
        if names.contains(operation.name.as_str()) {
            operation
                .notes
                .push("Huawei Cloud only; Open Telekom Cloud lacks it.".into());
        }
    }
}
