//! Reads a model file, and refuses what the generator would misread: unknown words, double names,
//! references to nothing.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::fault::{Fault, Faults};
use crate::model::{Limits, Member, Model, Operation, Paging, Shared, Type, text};

/// Reads a model from its JSON form.
pub fn model(file: &str, json: &Value) -> Faults<Model> {
    let mut reader = Reader {
        file,
        faults: Vec::new(),
        place: String::new(),
    };
    let model = reader.model(json);
    reader.faults.extend(dangling(&model));
    if reader.faults.is_empty() {
        Ok(model)
    } else {
        Err(reader.faults)
    }
}

const OPERATION_KEYS: &[&str] = &[
    "name",
    "group",
    "method",
    "path",
    "job",
    "anonymous",
    "wrapper",
    "token",
    "paging",
    "success",
    "otc",
    "deprecated",
    "errors",
    "input",
    "output",
];
const MEMBER_KEYS: &[&str] = &[
    "name", "in", "type", "required", "style", "values", "min", "max", "min_len", "max_len",
    "pattern", "default",
];

struct Reader<'a> {
    file: &'a str,
    faults: Vec<Fault>,
    place: String,
}

impl Reader<'_> {
    fn fault(&mut self, message: impl Into<String>) {
        self.faults
            .push(Fault::new(self.file, self.place.clone(), message));
    }

    fn known(&mut self, object: &Map<String, Value>, keys: &[&str]) {
        for key in object.keys().filter(|key| !keys.contains(&key.as_str())) {
            self.fault(format!("unknown key `{key}`"));
        }
    }

    fn word(&mut self, json: &Value, key: &str) -> String {
        let word = json.get(key).and_then(Value::as_str).map(str::to_owned);
        word.unwrap_or_else(|| {
            self.fault(format!("`{key}` is missing or not text"));
            String::new()
        })
    }

    fn model(&mut self, json: &Value) -> Model {
        let mut model = Model {
            file: self.file.to_owned(),
            service: self.word(json, "service"),
            version: self.word(json, "version"),
            protocol: self.word(json, "protocol"),
            host: json
                .pointer("/endpoints/default")
                .and_then(Value::as_str)
                .map(str::to_owned),
            ..Model::default()
        };
        let mut names = BTreeSet::new();
        for operation in list(json, "operations") {
            let operation = self.operation(operation);
            if !names.insert(operation.name.clone()) {
                self.place.clone_from(&operation.name);
                self.fault("duplicate operation");
            }
            model.operations.push(operation);
        }
        let types = json.get("types").and_then(Value::as_object);
        for (name, shared) in types.into_iter().flatten() {
            self.place = format!("types.{name}");
            let shared = match shared.get("kind").and_then(Value::as_str) {
                Some("struct") => Shared::Struct(self.members(list(shared, "members"))),
                Some("enum") => Shared::Enum(list(shared, "values").iter().map(text).collect()),
                _ => {
                    self.fault("the kind of a type is `struct` or `enum`");
                    continue;
                }
            };
            model.types.insert(name.clone(), shared);
        }
        self.place = "query_input".into();
        model.query_input = self.members(list(json, "query_input"));
        self.place = "common_input".into();
        model.common_input = self.members(list(json, "common_input"));
        model
    }

    fn operation(&mut self, json: &Value) -> Operation {
        self.place = "operations".into();
        let name = self.word(json, "name");
        self.place.clone_from(&name);
        if let Some(object) = json.as_object() {
            self.known(object, OPERATION_KEYS);
        }
        let flag = |key: &str| json.get(key) == Some(&Value::Bool(true));
        let maybe = |key: &str| json.get(key).and_then(Value::as_str).map(str::to_owned);
        let mut operation = Operation {
            group: self.word(json, "group"),
            method: self.word(json, "method"),
            path: self.word(json, "path"),
            job: flag("job"),
            anonymous: flag("anonymous"),
            deprecated: flag("deprecated"),
            wrapper: maybe("wrapper"),
            token: maybe("token"),
            paging: json.get("paging").map(|paging| self.paging(paging)),
            ..Operation::default()
        };
        self.place = format!("{name}.input");
        operation.input = self.members(list(json, "input"));
        self.place = format!("{name}.output");
        operation.output = self.members(list(json, "output"));
        self.place.clone_from(&name);
        for variable in path_variables(&operation.path) {
            let member = |m: &&Member| m.place == "path" && m.name == variable;
            if operation.input.iter().filter(member).count() != 1 {
                self.fault(format!(
                    "the path names `{variable}`, which is no path member"
                ));
            }
        }
        if let Some(token) = &operation.token
            && !operation.input.iter().any(|m| m.name == *token)
        {
            self.fault(format!("the token member `{token}` does not exist"));
        }
        operation.name = name;
        operation
    }

    fn paging(&mut self, json: &Value) -> Paging {
        let style = self.word(json, "style");
        let items = self.word(json, "items");
        match style.as_str() {
            "page-number" => Paging::Number {
                page: self.word(json, "page"),
                size: self.word(json, "size"),
                total: self.word(json, "total"),
                items,
            },
            "token" => Paging::Token {
                token: self.word(json, "token"),
                next: self.word(json, "next"),
                size: json["limit"].as_str().unwrap_or_default().to_owned(),
                items,
            },
            "offset" => Paging::Offset {
                offset: self.word(json, "offset"),
                limit: self.word(json, "limit"),
                total: self.word(json, "total"),
                items,
            },
            _ => {
                if style != "zstack-query" {
                    self.fault(format!("unknown paging style `{style}`"));
                }
                Paging::Query { items }
            }
        }
    }

    fn members(&mut self, json: &[Value]) -> Vec<Member> {
        let place = self.place.clone();
        let mut names = BTreeSet::new();
        let mut members = Vec::new();
        for member in json {
            let member = self.member(member);
            self.place = format!("{place}.{}", member.name);
            if !names.insert((member.place.clone(), member.name.clone())) {
                self.fault("duplicate member");
            }
            members.push(member);
            self.place.clone_from(&place);
        }
        members
    }

    fn member(&mut self, json: &Value) -> Member {
        let name = self.word(json, "name");
        let place = std::mem::take(&mut self.place);
        self.place = format!("{place}.{name}");
        let Some(object) = json.as_object() else {
            return Member::default();
        };
        self.known(object, MEMBER_KEYS);
        let word = |key: &str| object.get(key).map(text).unwrap_or_default();
        let location = word("in");
        if !["", "path", "query", "header", "body"].contains(&location.as_str()) {
            self.fault(format!("unknown place `{location}`"));
        }
        let style = word("style");
        if !["", "raw", "multipart", "comma"].contains(&style.as_str()) {
            self.fault(format!("unknown style `{style}`"));
        }
        let ty = object.get("type").map(|ty| self.ty(ty));
        let ty = ty.unwrap_or_else(|| {
            self.fault("has no type");
            Type::Any
        });
        let length = |key: &str| object.get(key).and_then(Value::as_u64).map(|n| n as u32);
        let member = Member {
            name,
            place: location,
            style,
            ty,
            required: object.get("required") == Some(&Value::Bool(true)),
            limits: Limits {
                min: object.get("min").and_then(Value::as_i64),
                max: object.get("max").and_then(Value::as_i64),
                min_len: length("min_len"),
                max_len: length("max_len"),
                values: list(json, "values").iter().map(text).collect(),
                pattern: object.get("pattern").map(text),
                ..Limits::default()
            },
            default: object.get("default").map(text),
            doc: None,
            setting: None,
        };
        self.place = place;
        member
    }

    fn ty(&mut self, json: &Value) -> Type {
        if let Some(word) = json.as_str() {
            return match word {
                "string" => Type::Text,
                "int32" | "int64" => Type::Int,
                "float" | "double" => Type::Float,
                "bool" => Type::Bool,
                "timestamp" => Type::Time,
                "any" => Type::Any,
                "binary" => Type::Bytes,
                _ => {
                    self.fault(format!("unknown type `{word}`"));
                    Type::Any
                }
            };
        }
        if let Some(inner) = json.get("list") {
            return Type::List(Box::new(self.ty(inner)));
        }
        if let Some(inner) = json.get("map") {
            return Type::Map(Box::new(self.ty(inner)));
        }
        if let Some(name) = json.get("ref").and_then(Value::as_str) {
            return Type::Ref(name.to_owned());
        }
        if json.get("struct").is_some_and(Value::is_array) {
            return Type::Struct(self.members(list(json, "struct")));
        }
        self.fault(format!("unknown type `{json}`"));
        Type::Any
    }
}

fn list<'a>(json: &'a Value, key: &str) -> &'a [Value] {
    json.get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// The names in braces of a path template.
pub(crate) fn path_variables(path: &str) -> Vec<&str> {
    path.split('{')
        .skip(1)
        .filter_map(|rest| rest.split('}').next())
        .collect()
}

fn dangling(model: &Model) -> Vec<Fault> {
    let mut faults = Vec::new();
    for operation in &model.operations {
        for (side, members) in [("input", &operation.input), ("output", &operation.output)] {
            refs(
                model,
                &format!("{}.{side}", operation.name),
                members,
                &mut faults,
            );
        }
    }
    for (name, shared) in &model.types {
        if let Shared::Struct(members) = shared {
            refs(model, &format!("types.{name}"), members, &mut faults);
        }
    }
    faults
}

fn refs(model: &Model, place: &str, members: &[Member], faults: &mut Vec<Fault>) {
    for member in members {
        let place = format!("{place}.{}", member.name);
        match member.ty.innermost() {
            Type::Ref(name) if !model.types.contains_key(name) => {
                faults.push(Fault::new(
                    &model.file,
                    place,
                    format!("there is no type `{name}`"),
                ));
            }
            Type::Struct(members) => refs(model, &place, members, faults),
            _ => {}
        }
    }
}
