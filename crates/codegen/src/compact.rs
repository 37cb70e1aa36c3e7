//! The model as the local cloud carries it: after repairs, without words, limits and sources.

use serde_json::{Map, Value};

const FILE: &[&str] = &[
    "service",
    "version",
    "protocol",
    "base_path",
    "query_input",
    "operations",
    "types",
];
const OPERATION: &[&str] = &[
    "name",
    "method",
    "path",
    "job",
    "anonymous",
    "wrapper",
    "token",
    "paging",
    "success",
    "errors",
    "input",
    "output",
];
const MEMBER: &[&str] = &[
    "name", "in", "type", "required", "style", "values", "min", "max",
];

/// The compact form: one operation or type a line.
pub fn model(json: &Value) -> String {
    let mut parts = Vec::new();
    for key in FILE {
        let Some(value) = json.get(key) else {
            continue;
        };
        let body = match (*key, value) {
            ("operations", Value::Array(all)) => {
                let all: Vec<String> = all.iter().map(|o| operation(o).to_string()).collect();
                format!("[\n{}\n]", all.join(",\n"))
            }
            ("types", Value::Object(types)) => {
                let types: Vec<String> = types
                    .iter()
                    .map(|(name, shared)| {
                        format!("{}:{}", Value::from(name.as_str()), shared_type(shared))
                    })
                    .collect();
                format!("{{\n{}\n}}", types.join(",\n"))
            }
            ("query_input", members) => self::members(members).to_string(),
            (_, value) => value.to_string(),
        };
        parts.push(format!("\"{key}\":{body}"));
    }
    format!("{{{}}}\n", parts.join(",\n"))
}

fn pick(json: &Value, keys: &[&str], convert: fn(&str, &Value) -> Value) -> Value {
    let entry = |key: &&str| {
        json.get(*key)
            .map(|value| ((*key).to_owned(), convert(key, value)))
    };
    Value::Object(keys.iter().filter_map(entry).collect::<Map<_, _>>())
}

fn operation(json: &Value) -> Value {
    pick(json, OPERATION, |key, value| match key {
        "input" | "output" => members(value),
        _ => value.clone(),
    })
}

fn shared_type(json: &Value) -> Value {
    pick(
        json,
        &["kind", "members", "values"],
        |key, value| match key {
            "members" => members(value),
            _ => value.clone(),
        },
    )
}

fn members(json: &Value) -> Value {
    json.as_array().into_iter().flatten().map(member).collect()
}

fn member(json: &Value) -> Value {
    pick(json, MEMBER, |key, value| match key {
        "type" => ty(value),
        _ => value.clone(),
    })
}

fn ty(json: &Value) -> Value {
    let Some(object) = json.as_object() else {
        return json.clone();
    };
    let entries = object.iter().map(|(kind, inner)| {
        let inner = match kind.as_str() {
            "struct" => members(inner),
            _ => ty(inner),
        };
        (kind.clone(), inner)
    });
    Value::Object(entries.collect())
}
