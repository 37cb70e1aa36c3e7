//! Named repairs of wrong facts. A repair says what it expects to find; when that is gone, the model
//! has moved on and the repair must be looked at, so it fails.

use serde_json::{Map, Value};
use toml::Table;

use super::{Overlay, json};
use crate::fault::Faults;

/// Who reads the repaired model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// The client, whose types are what the pages say.
    Client,
    /// The local cloud, whose answers the vendors' own SDKs must decode: repairs that are marked
    /// `client` are not its.
    LocalCloud,
}

/// Applies the repairs of `overlay` to the JSON of a model.
pub fn repair(overlay: &Overlay, model: &mut Value, reader: Reader) -> Faults<()> {
    let mut faults = Vec::new();
    for (name, entry) in overlay.table("repair") {
        let Some(entry) = entry.as_table() else {
            faults.push(overlay.fault(format!("[repair.{name}]"), "is not a table"));
            continue;
        };
        let client_alone = entry.get("client").and_then(toml::Value::as_bool) == Some(true);
        if client_alone && reader == Reader::LocalCloud {
            continue;
        }
        if let Err((place, message)) = one(entry, model) {
            faults.push(overlay.fault(place, format!("[repair.{name}] {message}")));
        }
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults)
    }
}

fn one(entry: &Table, model: &mut Value) -> Result<(), (String, String)> {
    let word = |key: &str| {
        entry
            .get(key)
            .and_then(toml::Value::as_str)
            .unwrap_or_default()
    };
    let (owner, path) = match (word("operation"), word("type")) {
        (operation, "") => (operation, word("path")),
        (_, ty) => (ty, word("path")),
    };
    let place = format!("{owner}.{path}");
    let fault = |message: String| (place.clone(), message);
    if word("reason").is_empty() {
        return Err(fault("gives no reason".into()));
    }
    let (Some(from), Some(to)) = (entry.get("from").map(json), entry.get("to").map(json)) else {
        return Err(fault("needs `from` and `to`".into()));
    };
    let steps: Vec<&str> = path.split('.').collect();
    let target = if word("operation").is_empty() {
        let shared = model
            .get_mut("types")
            .and_then(|types| types.get_mut(owner));
        let shared = shared.ok_or_else(|| fault(format!("unknown type `{owner}`")))?;
        members(shared, "members", &steps)
    } else {
        let operation = model["operations"]
            .as_array_mut()
            .and_then(|all| all.iter_mut().find(|o| o["name"] == owner))
            .ok_or_else(|| fault(format!("unknown operation `{owner}`")))?;
        match steps.split_first() {
            Some((&side @ ("input" | "output"), rest)) => members(operation, side, rest),
            Some((attribute, [])) => match operation.as_object_mut() {
                Some(object) => Ok(Target::Attribute(object, (*attribute).to_owned())),
                None => Err("the operation is no object".into()),
            },
            _ => Err("the path starts with `input` or `output`".into()),
        }
    };
    change(target.map_err(&fault)?, from, to).map_err(fault)
}

enum Target<'a> {
    Member(&'a mut Map<String, Value>),
    Attribute(&'a mut Map<String, Value>, String),
    Missing(&'a mut Vec<Value>, String),
}

fn members<'a>(owner: &'a mut Value, key: &str, steps: &[&str]) -> Result<Target<'a>, String> {
    match owner.get_mut(key).and_then(Value::as_array_mut) {
        Some(list) => find(list, steps),
        None => Err(format!("has no `{key}`")),
    }
}

fn find<'a>(list: &'a mut Vec<Value>, steps: &[&str]) -> Result<Target<'a>, String> {
    let Some((name, rest)) = steps.split_first() else {
        return Err("the path names no member".into());
    };
    let Some(index) = list.iter().position(|member| member["name"] == *name) else {
        if rest.is_empty() {
            return Ok(Target::Missing(list, (*name).to_owned()));
        }
        return Err(format!("there is no member `{name}`"));
    };
    let Some(member) = list[index].as_object_mut() else {
        return Err(format!("`{name}` is no object"));
    };
    match rest {
        [] => Ok(Target::Member(member)),
        [attribute] if !has_member(&member["type"], attribute) => {
            Ok(Target::Attribute(member, (*attribute).to_owned()))
        }
        _ => match structure(&mut member["type"]) {
            Some(inner) => find(inner, rest),
            None => Err(format!("`{name}` has no members")),
        },
    }
}

fn structure(ty: &mut Value) -> Option<&mut Vec<Value>> {
    for wrap in ["list", "map"] {
        if ty.get(wrap).is_some() {
            return structure(&mut ty[wrap]);
        }
    }
    ty.get_mut("struct").and_then(Value::as_array_mut)
}

fn has_member(ty: &Value, name: &str) -> bool {
    let inner = ty.get("list").or_else(|| ty.get("map"));
    match (inner, ty.get("struct").and_then(Value::as_array)) {
        (Some(inner), _) => has_member(inner, name),
        (_, Some(members)) => members.iter().any(|member| member["name"] == name),
        _ => false,
    }
}

fn change(target: Target<'_>, from: Value, to: Value) -> Result<(), String> {
    match target {
        Target::Missing(list, name) if from == "absent" => {
            let mut member = Map::new();
            member.insert("name".into(), Value::from(name));
            member.insert("type".into(), to);
            list.push(Value::Object(member));
            Ok(())
        }
        Target::Missing(_, name) => Err(format!("there is no member `{name}`")),
        Target::Attribute(object, key) => set(object, &key, &from, &to),
        Target::Member(member) => {
            let (Value::Object(from), Value::Object(to)) = (from, to) else {
                return Err("no longer applies: the member exists".into());
            };
            for (key, old) in &from {
                set(member, key, old, to.get(key).unwrap_or(&Value::Null))?;
            }
            for (key, new) in to.iter().filter(|(key, _)| !from.contains_key(*key)) {
                set(member, key, &Value::Null, new)?;
            }
            Ok(())
        }
    }
}

/// Replaces `key`; null and, for flags, `false` stand for an absent key.
fn set(object: &mut Map<String, Value>, key: &str, from: &Value, to: &Value) -> Result<(), String> {
    let absent = |value: &Value| matches!(value, Value::Null | Value::Bool(false));
    let now = object.get(key).unwrap_or(&Value::Null);
    if now != from && !(absent(now) && absent(from)) {
        return Err(format!("no longer applies: `{key}` is {now}, not {from}"));
    }
    if absent(to) {
        object.remove(key);
    } else {
        object.insert(key.to_owned(), to.clone());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn model() -> Value {
        json!({
            "operations": [{"name": "Op", "wrapper": "params", "input": [
                {"name": "Disk", "type": {"list": {"struct": [{"name": "Size", "type": "int32"}]}}},
            ], "output": []}],
            "types": {"T": {"kind": "struct", "members": [{"name": "a", "type": "int32"}]}},
        })
    }

    fn run(toml: &str) -> Result<Value, String> {
        read_by(Reader::Client, toml)
    }

    fn read_by(reader: Reader, toml: &str) -> Result<Value, String> {
        let overlay = Overlay::parse("o.toml", toml).unwrap();
        let mut model = model();
        match repair(&overlay, &mut model, reader) {
            Ok(()) => Ok(model),
            Err(faults) => Err(faults[0].to_string()),
        }
    }

    fn entry(owner: &str, path: &str, from: &str, to: &str) -> String {
        format!("[repair.r]\nreason = \"r\"\n{owner}\npath = \"{path}\"\nfrom = {from}\nto = {to}")
    }

    #[test]
    fn a_repair_for_clients_alone_leaves_what_is_served() {
        let entry = entry("type = \"T\"", "a.type", "\"int32\"", "\"double\"");
        let toml = format!("{entry}\nclient = true");
        for (reader, ty) in [(Reader::Client, "double"), (Reader::LocalCloud, "int32")] {
            let json = read_by(reader, &toml).unwrap();
            assert_eq!(json["types"]["T"]["members"][0]["type"], ty, "{reader:?}");
        }
    }

    #[test]
    fn members_attributes_and_types_change() {
        let op = "operation = \"Op\"";
        let json = run(&entry(op, "input.Disk.Size", "{}", "{ min = 1 }")).unwrap();
        let size = &json["operations"][0]["input"][0]["type"]["list"]["struct"][0];
        assert_eq!(size["min"], 1);
        let json = run(&entry(op, "input.Disk.required", "false", "true")).unwrap();
        assert_eq!(json["operations"][0]["input"][0]["required"], true);
        let json = run(&entry(op, "output.x", "\"absent\"", "\"string\"")).unwrap();
        assert_eq!(json["operations"][0]["output"][0]["name"], "x");
        let json = run(&entry("type = \"T\"", "a.type", "\"int32\"", "\"double\"")).unwrap();
        assert_eq!(json["types"]["T"]["members"][0]["type"], "double");
        run(&entry(op, "wrapper", "\"params\"", "\"params\"")).unwrap();
    }

    #[test]
    fn an_obsolete_repair_names_file_operation_and_member() {
        let op = "operation = \"Op\"";
        let message = run(&entry(op, "input.Disk.Size", "{ type = \"int64\" }", "{}")).unwrap_err();
        assert_eq!(
            message,
            "o.toml: Op.input.Disk.Size: [repair.r] no longer applies: `type` is \"int32\", not \"int64\"",
        );
        assert!(run(&entry(op, "input.Disk.Size", "{}", "{ type = \"int64\" }")).is_err());
        assert!(run(&entry(op, "input.Disk", "\"absent\"", "\"string\"")).is_err());
        assert!(run(&entry(op, "wrapper", "\"\"", "\"\"")).is_err());
    }

    #[test]
    fn unknown_places_are_named() {
        let unknown = run(&entry("operation = \"No\"", "input.x", "{}", "{}")).unwrap_err();
        assert!(unknown.contains("unknown operation `No`"), "{unknown}");
        let unknown = run(&entry("type = \"No\"", "x", "{}", "{}")).unwrap_err();
        assert!(unknown.contains("unknown type `No`"), "{unknown}");
        let unknown = run(&entry("operation = \"Op\"", "input.No.x", "{}", "{}")).unwrap_err();
        assert!(unknown.contains("no member `No`"), "{unknown}");
    }
}
