//! Brings gathered facts into the model format: one set of words for all services, everything in a
//! fixed order, nothing that the protocol implies.

use serde_json::{Map, Value};

use crate::fault::{Fault, Faults};

/// New name of each key of an operation, in the order in which the model writes them.
const OPERATION: &[(&str, &str)] = &[
    ("name", "name"),
    ("group", "group"),
    ("method", "method"),
    ("path", "path"),
    ("async", "job"),
    ("auth", "anonymous"),
    ("body_param", "wrapper"),
    ("idempotency_token", "token"),
    ("pagination", "paging"),
    ("success", "success"),
    ("otc", "otc"),
    ("deprecated", "deprecated"),
    ("errors", "errors"),
    ("input", "input"),
    ("output", "output"),
];
const MEMBER: &[&str] = &[
    "name", "in", "type", "required", "style", "values", "min", "max", "min_len", "max_len",
    "pattern", "default",
];
/// Keys of the file that are taken over, in this order.
const FILE: &[(&str, &str)] = &[
    ("service", "service"),
    ("api_version", "version"),
    ("source", "source"),
    ("protocol", "protocol"),
    ("base_path", "base_path"),
    ("endpoints", "endpoints"),
    ("errors", "errors"),
    ("common_input", "common_input"),
    ("query_input", "query_input"),
    ("subtypes", "subtypes"),
    ("inferred_by_name", "inferred"),
    ("operations", "operations"),
    ("types", "types"),
];
/// Keys that are left behind: the overlays have taken from them what counts.
const LEFT: &[&str] = &["otc_only", "otc_differences"];

/// The model of the service whose facts these are. `file` is named in faults.
pub fn model(file: &str, facts: &Value) -> Faults<Value> {
    let mut import = Import {
        file,
        faults: Vec::new(),
    };
    let model = import.file(facts);
    if import.faults.is_empty() {
        Ok(model)
    } else {
        Err(import.faults)
    }
}

struct Import<'a> {
    file: &'a str,
    faults: Vec<Fault>,
}

impl Import<'_> {
    fn fault(&mut self, place: &str, message: String) {
        self.faults.push(Fault::new(self.file, place, message));
    }

    fn file(&mut self, facts: &Value) -> Value {
        let Some(facts) = facts.as_object() else {
            self.fault("", "is not an object".into());
            return Value::Null;
        };
        for key in facts.keys() {
            if !LEFT.contains(&key.as_str()) && !FILE.iter().any(|(old, _)| old == key) {
                self.fault("", format!("unknown key `{key}`"));
            }
        }
        let mut model = Map::new();
        for (old, new) in FILE {
            let Some(value) = facts.get(*old) else {
                continue;
            };
            let value = match *old {
                "operations" => {
                    let mut all: Vec<Value> = array(value).map(|o| self.operation(o)).collect();
                    all.sort_by(|a, b| a["name"].as_str().cmp(&b["name"].as_str()));
                    Value::Array(all)
                }
                "types" => self.types(value),
                "query_input" => array(value).filter_map(|m| self.query_member(m)).collect(),
                "common_input" => array(value).filter_map(|m| self.common_member(m)).collect(),
                "errors" => sorted(value.clone()),
                _ => value.clone(),
            };
            if !is_empty(&value) {
                model.insert((*new).to_owned(), value);
            }
        }
        Value::Object(model)
    }

    fn operation(&mut self, facts: &Value) -> Value {
        let name = facts["name"].as_str().unwrap_or("operations").to_owned();
        let Some(facts) = facts.as_object() else {
            self.fault(&name, "is not an object".into());
            return Value::Null;
        };
        for key in facts
            .keys()
            .filter(|key| !OPERATION.iter().any(|(old, _)| old == key))
        {
            self.fault(&name, format!("unknown key `{key}`"));
        }
        let mut operation = Map::new();
        for (old, new) in OPERATION {
            let Some(value) = facts.get(*old) else {
                continue;
            };
            let value = match *old {
                "input" => self.members(&format!("{name}.input"), value, true),
                "output" => self.members(&format!("{name}.output"), value, false),
                "async" if *value == Value::Bool(false) => continue,
                "auth" => Value::Bool(*value == Value::Bool(false)),
                "pagination" => paging(value),
                _ => value.clone(),
            };
            operation.insert((*new).to_owned(), value);
        }
        Value::Object(operation)
    }

    fn members(&mut self, place: &str, facts: &Value, input: bool) -> Value {
        array(facts)
            .map(|member| self.member(place, member, input))
            .collect()
    }

    fn member(&mut self, place: &str, facts: &Value, input: bool) -> Value {
        let place = format!("{place}.{}", facts["name"].as_str().unwrap_or("?"));
        let Some(facts) = facts.as_object() else {
            self.fault(&place, "is not an object".into());
            return Value::Null;
        };
        for key in facts.keys().filter(|key| !MEMBER.contains(&key.as_str())) {
            self.fault(&place, format!("unknown key `{key}`"));
        }
        let mut member = Map::new();
        for key in MEMBER {
            let Some(value) = facts.get(*key) else {
                continue;
            };
            let value = match (*key, value.as_str()) {
                // Answers travel in the body; lists and structures in a query have one form a protocol.
                ("in", Some("body")) if !input => continue,
                ("style", Some("repeat" | "flat")) => continue,
                ("type", _) => self.ty(&place, value, input),
                _ => value.clone(),
            };
            member.insert((*key).to_owned(), value);
        }
        Value::Object(member)
    }

    fn ty(&mut self, place: &str, facts: &Value, input: bool) -> Value {
        let Some(object) = facts.as_object() else {
            return facts.clone();
        };
        let entries = object.iter().map(|(kind, inner)| {
            let inner = match kind.as_str() {
                "struct" => self.members(place, inner, input),
                "list" | "map" => self.ty(place, inner, input),
                _ => inner.clone(),
            };
            (kind.clone(), inner)
        });
        Value::Object(entries.collect())
    }

    fn types(&mut self, facts: &Value) -> Value {
        let mut types: Vec<(String, Value)> = Vec::new();
        for (name, shared) in facts.as_object().into_iter().flatten() {
            let mut shared = shared.clone();
            if let Some(members) = shared.get("members") {
                shared["members"] = self.members(&format!("types.{name}"), members, true);
            }
            types.push((name.clone(), shared));
        }
        types.sort_by(|a, b| a.0.cmp(&b.0));
        Value::Object(types.into_iter().collect())
    }

    /// The members of a query, by the keys that stand in the URL. The direction is part of `sort`.
    fn query_member(&mut self, facts: &Value) -> Option<Value> {
        let mut facts = facts.clone();
        let object = facts.as_object_mut()?;
        object.remove("wire");
        let name = match object.get("name")?.as_str()? {
            "conditions" => "q",
            "sortBy" => "sort",
            "sortDirection" => return None,
            other => other,
        };
        let name = Value::from(name);
        object.insert("name".into(), name);
        Some(self.member("query_input", &facts, true))
    }

    /// Of what every call takes, only the members of the body: the others are headers of the protocol.
    fn common_member(&mut self, facts: &Value) -> Option<Value> {
        let mut facts = facts.clone();
        let object = facts.as_object_mut()?;
        object.remove("wire");
        if object.get("in")?.as_str()? != "body" {
            return None;
        }
        Some(self.member("common_input", &facts, true))
    }
}

fn paging(facts: &Value) -> Value {
    let order = [
        "style", "page", "offset", "token", "size", "limit", "next", "total", "items",
    ];
    let entries = order.iter().filter_map(|key| {
        // Of offset paging, `size` is what an answer holds; nobody needs it to turn the page.
        if *key == "size" && facts["style"] == "offset" {
            return None;
        }
        facts
            .get(*key)
            .map(|value| ((*key).to_owned(), value.clone()))
    });
    Value::Object(entries.collect())
}

fn array(json: &Value) -> impl Iterator<Item = &Value> {
    json.as_array().into_iter().flatten()
}

fn sorted(json: Value) -> Value {
    let Value::Array(mut items) = json else {
        return json;
    };
    items.sort_by_key(Value::to_string);
    Value::Array(items)
}

fn is_empty(json: &Value) -> bool {
    json.as_array().is_some_and(Vec::is_empty) || json.as_object().is_some_and(Map::is_empty)
}
