//! Are two JSON values the same answer? What decoding may change on purpose does not count:
//! absence and emptiness, numbers and truth values written as text.

use serde_json::Value;

/// More places than these say nothing new.
const MOST: usize = 5;

/// The places in which `ours` is not what was `served`.
pub(crate) fn differences(served: &Value, ours: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk("", served, ours, &mut found);
    found.truncate(MOST);
    found
}

fn walk(path: &str, served: &Value, ours: &Value, found: &mut Vec<String>) {
    if found.len() > MOST || (is_nothing(served) && is_nothing(ours)) {
        return;
    }
    match (served, ours) {
        (Value::Object(left), Value::Object(right)) => {
            for (name, value) in left {
                let other = right.get(name).unwrap_or(&Value::Null);
                walk(&format!("{path}.{name}"), value, other, found);
            }
            for (name, value) in right {
                if !left.contains_key(name) {
                    walk(&format!("{path}.{name}"), &Value::Null, value, found);
                }
            }
        }
        (Value::Array(left), Value::Array(right)) => {
            if left.len() != right.len() {
                let (left, right) = (left.len(), right.len());
                found.push(format!("{path}: served {left} elements, decoded {right}"));
            }
            for (at, (left, right)) in left.iter().zip(right).enumerate() {
                walk(&format!("{path}[{at}]"), left, right, found);
            }
        }
        _ if is_same_scalar(served, ours) => {}
        _ => found.push(format!(
            "{path}: served {}, decoded {}",
            short(served),
            short(ours)
        )),
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.values().all(is_nothing),
        _ => false,
    }
}

fn is_same_scalar(left: &Value, right: &Value) -> bool {
    // Whole numbers are compared digit by digit: a double would hide a lost one.
    if left.is_f64() || right.is_f64() {
        return left.as_f64() == right.as_f64();
    }
    match (text(left), text(right)) {
        (Some(left), Some(right)) => left == right,
        _ => false,
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// A value for a message.
pub(crate) fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(160) {
        Some((at, _)) => format!("{}..", &text[..at]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_may_differ_does() {
        let same = [
            (json!({"a": null, "b": [], "c": {"d": []}}), json!({})),
            (
                json!({"a": 1, "b": "2", "c": true}),
                json!({"a": "1", "b": 2, "c": "true"}),
            ),
            (json!([1.5, 2.0]), json!([1.5, 2])),
        ];
        for (left, right) in same {
            assert_eq!(differences(&left, &right), Vec::<String>::new());
        }
        let other = [
            (json!({"a": ""}), json!({})),
            (json!({}), json!({"a": "x"})),
            (json!({"a": [1, 2]}), json!({"a": [1]})),
            (json!({"a": [1, 2]}), json!({"a": [2, 1]})),
            (
                json!(9_007_199_254_740_993_i64),
                json!(9_007_199_254_740_992_i64),
            ),
            (json!({"a": {"b": 1}}), json!({"a": 1})),
        ];
        for (left, right) in other {
            assert!(!differences(&left, &right).is_empty(), "{left} {right}");
        }
    }
}
