//! Spreads nested values over flat key-value pairs, as query strings and forms need them.

use std::borrow::Cow;

use super::{Shape, Value, View};

/// How the elements of a list are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListKeys {
    /// `Key.1`, `Key.2`.
    Numbered,
    /// The key again for each element.
    Repeated,
}

/// Calls `emit` with a key and a text for each scalar in `value`.
///
/// Structures go out as `Key.Member`, maps as `Key.entry`. Absent values send nothing; an empty
/// list has no form here and sends nothing either.
pub fn flatten(
    key: &mut String,
    value: &dyn Value,
    shape: Shape,
    lists: ListKeys,
    emit: &mut dyn FnMut(&str, Cow<'_, str>),
) {
    match value.view() {
        View::Absent => {}
        View::Text(text) | View::Secret(text) => emit(key, Cow::Borrowed(text)),
        View::Int(number) => emit(key, Cow::Owned(number.to_string())),
        View::Float(number) => emit(key, Cow::Owned(number.to_string())),
        View::Bool(true) => emit(key, Cow::Borrowed("true")),
        View::Bool(false) => emit(key, Cow::Borrowed("false")),
        View::Bytes(bytes) => emit(key, String::from_utf8_lossy(bytes)),
        View::Json(json) => match json.as_str() {
            Some(text) => emit(key, Cow::Borrowed(text)),
            None => emit(key, Cow::Owned(json.to_string())),
        },
        View::List(list) if shape == Shape::Comma => {
            let mut joined = String::new();
            for element in (0..list.len()).filter_map(|index| list.at(index)) {
                flatten(key, element, Shape::Plain, lists, &mut |_, text| {
                    if !joined.is_empty() {
                        joined.push(',');
                    }
                    joined.push_str(&text);
                });
            }
            if !joined.is_empty() {
                emit(key, Cow::Owned(joined));
            }
        }
        View::List(list) => {
            let length = key.len();
            for index in 0..list.len() {
                if lists == ListKeys::Numbered {
                    key.push('.');
                    key.push_str(&(index + 1).to_string());
                }
                if let Some(element) = list.at(index) {
                    flatten(key, element, Shape::Plain, lists, emit);
                }
                key.truncate(length);
            }
        }
        View::Map(entries) => {
            let length = key.len();
            entries.each(&mut |name, value| {
                key.push('.');
                key.push_str(name);
                flatten(key, value, Shape::Plain, lists, emit);
                key.truncate(length);
            });
        }
        View::Record(record) => {
            let length = key.len();
            let schema = record.schema();
            record.read(&mut |values| {
                for (member, value) in schema.members.iter().zip(values) {
                    key.push('.');
                    key.push_str(member.name);
                    if let Shape::Wrapped(inner) = member.shape {
                        key.push('.');
                        key.push_str(inner);
                    }
                    flatten(key, *value, member.shape, lists, emit);
                    key.truncate(length);
                }
            });
        }
    }
}
