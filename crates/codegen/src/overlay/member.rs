//! Finds members by their wire path, and lays secrets, notes and rules on them.

use toml::{Table, Value as Toml};

use super::{Overlay, texts};
use crate::fault::Fault;
use crate::model::{Member, Model, Shared, Type};

/// Finds what `Operation.input.A.B` or `types.Type.a` names.
pub(super) fn find<'a>(model: &'a mut Model, path: &str) -> Result<&'a mut Member, String> {
    let mut steps = path.split('.');
    let owner = steps.next().unwrap_or_default();
    let second = steps.next().unwrap_or_default();
    let members = if owner == "types" {
        match model.types.get_mut(second) {
            Some(Shared::Struct(members)) => members,
            _ => return Err(format!("unknown type `{second}`")),
        }
    } else {
        let operation = model.operations.iter_mut().find(|o| o.name == owner);
        let operation = operation.ok_or_else(|| format!("unknown operation `{owner}`"))?;
        match second {
            "input" => &mut operation.input,
            "output" => &mut operation.output,
            _ => return Err("the path goes on with `input` or `output`".into()),
        }
    };
    let rest: Vec<&str> = steps.collect();
    walk(members, &rest)
}

fn walk<'a>(members: &'a mut [Member], steps: &[&str]) -> Result<&'a mut Member, String> {
    let Some((name, rest)) = steps.split_first() else {
        return Err("the path names no member".into());
    };
    let member = members.iter_mut().find(|member| member.name == *name);
    let member = member.ok_or_else(|| format!("unknown member `{name}`"))?;
    if rest.is_empty() {
        return Ok(member);
    }
    match member.ty.innermost_mut() {
        Type::Struct(members) => walk(members, rest),
        _ => Err(format!("`{name}` has no members of its own")),
    }
}

/// `[secret]` and `[secret.types]`.
pub(super) fn secrets(overlay: &Overlay, model: &mut Model, faults: &mut Vec<Fault>) {
    let mut mark = |place: String| match find(model, &place) {
        Ok(member) => match member.ty.innermost_mut() {
            ty @ (Type::Text | Type::Any) => *ty = Type::Secret,
            other => {
                let message = format!("a secret must be text, not {other:?}");
                faults.push(overlay.fault(place, message));
            }
        },
        Err(message) => faults.push(overlay.fault(place, message)),
    };
    for (owner, paths) in overlay.table("secret") {
        if let ("types", Some(types)) = (owner.as_str(), paths.as_table()) {
            for (ty, members) in types {
                for member in texts(members) {
                    mark(format!("types.{ty}.{member}"));
                }
            }
            continue;
        }
        for path in texts(paths) {
            mark(format!("{owner}.{path}"));
        }
    }
}

/// `[time]`: texts that are points in time.
pub(super) fn times(overlay: &Overlay, model: &mut Model, faults: &mut Vec<Fault>) {
    for (owner, paths) in overlay.table("time") {
        for path in texts(paths) {
            let place = format!("{owner}.{path}");
            match find(model, &place).map(|member| member.ty.innermost_mut()) {
                Ok(ty @ Type::Text) => *ty = Type::Time,
                Ok(other) => {
                    let message = format!("[time] a time must be text, not {other:?}");
                    faults.push(overlay.fault(place, message));
                }
                Err(message) => faults.push(overlay.fault(place, format!("[time] {message}"))),
            }
        }
    }
}

/// `[shown_once]`: paths into an answer, each to a secret.
pub(super) fn shown_once(overlay: &Overlay, model: &mut Model, faults: &mut Vec<Fault>) {
    for (owner, paths) in overlay.table("shown_once") {
        for path in texts(paths) {
            if let Err(message) = mark_shown_once(model, owner, path) {
                let place = format!("{owner}.output.{path}");
                faults.push(overlay.fault(place, format!("[shown_once] {message}")));
            }
        }
    }
}

fn mark_shown_once(model: &mut Model, owner: &str, path: &str) -> Result<(), String> {
    let index = model.operations.iter().position(|o| o.name == owner);
    let index = index.ok_or_else(|| format!("unknown operation `{owner}`"))?;
    let mut members = model.operations[index].output.as_slice();
    let mut last = &Type::Any;
    for name in path.split('.') {
        let member = members.iter().find(|member| member.name == name);
        last = member
            .ok_or_else(|| format!("unknown member `{name}`"))?
            .ty
            .innermost();
        members = match last {
            Type::Struct(members) => members,
            Type::Ref(name) => match model.types.get(name) {
                Some(Shared::Struct(members)) => members,
                _ => &[],
            },
            _ => &[],
        };
    }
    if *last != Type::Secret {
        return Err("is no secret; name it in [secret] first".into());
    }
    model.operations[index].shown_once.push(path.to_owned());
    Ok(())
}

/// `[doc]`.
pub(super) fn notes(overlay: &Overlay, model: &mut Model, faults: &mut Vec<Fault>) {
    for (path, note) in overlay.table("doc") {
        match (find(model, path), note.as_str()) {
            (Ok(member), Some(note)) => member.doc = Some(note.to_owned()),
            (Ok(_), None) => faults.push(overlay.fault(path, "[doc] a note is text")),
            (Err(message), _) => faults.push(overlay.fault(path, format!("[doc] {message}"))),
        }
    }
}

/// `[constraint]`.
pub(super) fn constraints(overlay: &Overlay, model: &mut Model, faults: &mut Vec<Fault>) {
    for (path, rules) in overlay.table("constraint") {
        let done = match (find(model, path), rules.as_table()) {
            (Ok(member), Some(rules)) => constrain(member, rules),
            (Err(message), _) => Err(message),
            _ => Err("is not a table".into()),
        };
        if let Err(message) = done {
            faults.push(overlay.fault(path, format!("[constraint] {message}")));
        }
    }
}

fn constrain(member: &mut Member, rules: &Table) -> Result<(), String> {
    let limits = &mut member.limits;
    for (key, value) in rules {
        let length = || value.as_integer().and_then(|n| u32::try_from(n).ok());
        match (key.as_str(), value) {
            ("min", Toml::Integer(n)) => limits.min = Some(*n),
            ("max", Toml::Integer(n)) => limits.max = Some(*n),
            ("min_len", Toml::Integer(_)) => limits.min_len = length(),
            ("max_len", Toml::Integer(_)) => limits.max_len = length(),
            ("pattern", Toml::String(text)) => limits.pattern = Some(text.clone()),
            ("rule", Toml::String(text)) => limits.rule = Some(text.clone()),
            ("not_prefix", list @ Toml::Array(_)) => {
                limits.not_prefix = texts(list).into_iter().map(str::to_owned).collect();
            }
            _ => return Err(format!("unknown rule `{key} = {value}`")),
        }
    }
    Ok(())
}
