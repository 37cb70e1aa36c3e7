//! Lays out model JSON so that a change of one member is a change of one line.

use serde_json::Value;

/// JSON on one line, with a space after each comma and colon.
pub fn inline(json: &Value) -> String {
    match json {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| format!("{}: {}", Value::from(key.as_str()), inline(value)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        scalar => scalar.to_string(),
    }
}

/// The text of a model file.
pub fn model(json: &Value) -> String {
    let Some(object) = json.as_object() else {
        return inline(json);
    };
    let entries: Vec<String> = object
        .iter()
        .map(|(key, value)| {
            let body = match (key.as_str(), value) {
                ("operations", Value::Array(items)) => {
                    lines('[', items.iter().map(operation), ']', 1)
                }
                ("types", Value::Object(types)) => {
                    let types = types.iter().map(|(name, shared)| {
                        format!(
                            "{}: {}",
                            Value::from(name.as_str()),
                            split(shared, &["members"], 2)
                        )
                    });
                    lines('{', types, '}', 1)
                }
                (_, Value::Array(items)) => lines('[', items.iter().map(inline), ']', 1),
                (_, Value::Object(map)) => {
                    let map = map.iter().map(|(key, value)| {
                        format!("{}: {}", Value::from(key.as_str()), inline(value))
                    });
                    lines('{', map, '}', 1)
                }
                (_, scalar) => inline(scalar),
            };
            format!("{}: {body}", Value::from(key.as_str()))
        })
        .collect();
    lines('{', entries, '}', 0) + "\n"
}

fn operation(json: &Value) -> String {
    split(json, &["input", "output"], 2)
}

/// An object on one line, except for the arrays under `keys`: one element a line.
fn split(json: &Value, keys: &[&str], depth: usize) -> String {
    let Some(object) = json.as_object() else {
        return inline(json);
    };
    let mut text = String::from("{");
    for (index, (key, value)) in object.iter().enumerate() {
        let separator = if index == 0 { "" } else { "," };
        match value {
            Value::Array(items) if keys.contains(&key.as_str()) && !items.is_empty() => {
                let body = lines('[', items.iter().map(inline), ']', depth + 1);
                let indent = " ".repeat(depth + 1);
                text.push_str(&format!(
                    "{separator}\n{indent}{}: {body}",
                    Value::from(key.as_str())
                ));
            }
            _ => {
                let space = if index == 0 { "" } else { " " };
                let key = Value::from(key.as_str());
                text.push_str(&format!("{separator}{space}{key}: {}", inline(value)));
            }
        }
    }
    text.push('}');
    text
}

fn lines(open: char, items: impl IntoIterator<Item = String>, close: char, depth: usize) -> String {
    let items: Vec<String> = items.into_iter().collect();
    if items.is_empty() {
        return format!("{open}{close}");
    }
    let indent = " ".repeat(depth + 1);
    let body = items.join(&format!(",\n{indent}"));
    format!("{open}\n{indent}{body}\n{}{close}", " ".repeat(depth))
}
