//! Reads and sets one scalar member by its wire name: what paging, tokens and settings need.

use super::{List, Record, Shape, Slot, Value, View, to_json_value};

/// The text of the scalar member `path`, such as `TotalCount` or `Page.Next`; `None` where it is
/// absent or not a scalar.
pub fn get(record: &dyn Record, path: &str) -> Option<String> {
    let (name, rest) = path.split_once('.').unwrap_or((path, ""));
    let schema = record.schema();
    let mut found = None;
    record.read(&mut |values| {
        for (member, value) in schema.members.iter().zip(values) {
            if member.name != name || found.is_some() {
                continue;
            }
            found = match value.view() {
                View::Text(text) | View::Secret(text) if rest.is_empty() => Some(text.to_owned()),
                View::Int(number) if rest.is_empty() => Some(number.to_string()),
                View::Float(number) if rest.is_empty() => Some(number.to_string()),
                View::Bool(truth) if rest.is_empty() => Some(truth.to_string()),
                View::Record(inner) if !rest.is_empty() => get(inner, rest),
                _ => None,
            };
        }
    });
    found
}

/// The texts of the member `name`: one for a scalar, one for each element of a list of scalars, none
/// where it is absent or something else.
pub(crate) fn texts(record: &dyn Record, name: &str) -> Vec<String> {
    let text = |value: &dyn Value| match value.view() {
        View::Text(text) | View::Secret(text) => Some(text.to_owned()),
        View::Int(number) => Some(number.to_string()),
        _ => None,
    };
    let schema = record.schema();
    let mut found = Vec::new();
    record.read(&mut |values| {
        let named = schema
            .members
            .iter()
            .zip(values)
            .find(|(m, _)| m.name == name);
        match named.map(|(_, value)| (value, value.view())) {
            Some((_, View::List(list))) => {
                let elements = (0..list.len()).filter_map(|index| list.at(index));
                found.extend(elements.filter_map(text));
            }
            Some((value, _)) => found.extend(text(*value)),
            None => {}
        }
    });
    found
}

/// Sets every scalar member named `name` to `text`; whether there was one that took it.
pub fn set(record: &mut dyn Record, name: &str, text: &str) -> bool {
    let schema = record.schema();
    let mut done = false;
    record.write(&mut |values| {
        for (member, value) in schema.members.iter().zip(values) {
            if member.name != name || matches!(member.shape, Shape::Wrapped(_)) {
                continue;
            }
            done |= match value.slot() {
                Slot::Text(slot) => {
                    text.clone_into(slot);
                    true
                }
                Slot::Secret(slot) => {
                    slot.replace(text);
                    true
                }
                Slot::Int(slot) => text.parse().map(|number| *slot = number).is_ok(),
                _ => false,
            };
        }
    });
    done
}

/// The same as [`set`], and appends to a list of scalars.
pub(crate) fn put(record: &mut dyn Record, name: &str, text: &str) -> bool {
    let schema = record.schema();
    let mut done = false;
    record.write(&mut |values| {
        let named = schema.members.iter().zip(values);
        for (_, value) in named.filter(|(member, _)| member.name == name) {
            if let Slot::List(list) = value.slot()
                && let Slot::Text(slot) = list.push().slot()
            {
                text.clone_into(slot);
                done = true;
            }
        }
    });
    done || set(record, name, text)
}

/// Calls `f` for each structure at `path`: those of a list, the one that stands there, or `record`
/// itself where the path is empty.
pub(crate) fn rows(record: &dyn Record, path: &str, f: &mut dyn FnMut(&dyn Record)) {
    if path.is_empty() {
        return f(record);
    }
    let (name, rest) = path.split_once('.').unwrap_or((path, ""));
    let schema = record.schema();
    record.read(&mut |values| {
        for (member, value) in schema.members.iter().zip(values) {
            if member.name != name {
                continue;
            }
            // A wrapper has no structure of its own.
            let rest = match member.shape {
                Shape::Wrapped(inner) => rest.strip_prefix(inner).unwrap_or(rest),
                _ => rest,
            };
            let rest = rest.trim_start_matches('.');
            match value.view() {
                View::Record(inner) => rows(inner, rest, f),
                View::List(list) => {
                    for index in 0..list.len() {
                        if let Some(View::Record(inner)) = list.at(index).map(Value::view) {
                            rows(inner, rest, f);
                        }
                    }
                }
                _ => {}
            }
        }
    });
}

/// How many elements the longest list of `record` has: the items of a page.
pub fn items(record: &dyn Record) -> u64 {
    let mut count = 0;
    longest(record, &mut |list| count = list.len() as u64);
    count
}

/// Whether the member called `name` is a list.
pub(crate) fn is_list(record: &dyn Record, name: Option<&str>) -> bool {
    let members = record.schema().members;
    let mut found = false;
    record.read(&mut |values| {
        found = members.iter().zip(values).any(|(member, value)| {
            Some(member.name) == name && matches!(value.view(), View::List(_))
        });
    });
    found
}

/// Whether it has lists, and nothing in them.
pub(crate) fn is_empty_list(record: &dyn Record) -> bool {
    let mut empty = false;
    longest(record, &mut |list| empty = list.is_empty());
    empty
}

/// The first and the last of these elements as JSON, for `f`.
pub(crate) fn item_ends(record: &dyn Record, f: &mut dyn FnMut(&[u8])) {
    longest(record, &mut |list| {
        let ends = [
            list.at(0),
            list.len().checked_sub(1).and_then(|last| list.at(last)),
        ];
        for end in ends.into_iter().flatten() {
            f(&to_json_value(end));
        }
    });
}

fn longest(record: &dyn Record, f: &mut dyn FnMut(&dyn List)) {
    record.read(&mut |values| {
        let lists = values.iter().filter_map(|value| match value.view() {
            View::List(list) => Some(list),
            _ => None,
        });
        if let Some(list) = lists.max_by_key(|list| list.len()) {
            f(list);
        }
    });
}
