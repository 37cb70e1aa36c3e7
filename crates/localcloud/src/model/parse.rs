//! How does a model become a table? Read leniently: what is not understood stays at its
//! default, and the tests say that nothing is.

use serde_json::Value;

use super::routes::Routes;
use super::{Location, Member, Model, Operation, Paging, PagingStyle, Shared, Type};

/// Reads a model.
pub(super) fn model(text: &str) -> Model {
    let json: Value = serde_json::from_str(text).unwrap_or_default();
    let operations: Vec<Operation> = array(&json["operations"]).map(operation).collect();
    let by_name = (0..)
        .zip(&operations)
        .map(|(at, operation)| (operation.name.clone(), at))
        .collect();
    let types = json["types"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, shared_type)| (name.clone(), shared(shared_type)))
        .collect();
    let paths = operations.iter().map(|operation| operation.path.clone());
    Model {
        routes: Routes::new(paths),
        by_name,
        types,
        operations,
    }
}

fn array(json: &Value) -> impl Iterator<Item = &Value> {
    json.as_array().into_iter().flatten()
}

fn text_of(json: &Value) -> String {
    json.as_str().unwrap_or_default().to_owned()
}

fn optional(json: &Value) -> Option<String> {
    json.as_str().map(str::to_owned)
}

fn flag(json: &Value) -> bool {
    json.as_bool().unwrap_or_default()
}

fn operation(json: &Value) -> Operation {
    Operation {
        name: text_of(&json["name"]),
        method: text_of(&json["method"]),
        path: text_of(&json["path"]),
        job: flag(&json["job"]),
        anonymous: flag(&json["anonymous"]),
        wrapper: optional(&json["wrapper"]),
        paging: json.get("paging").map(paging),
        success: json["success"][0].as_u64().and_then(|n| n.try_into().ok()),
        errors: array(&json["errors"])
            .filter_map(|one| {
                let status = one["status"].as_u64()?.try_into().ok()?;
                Some((text_of(&one["code"]), status))
            })
            .collect(),
        input: members(&json["input"]),
        output: members(&json["output"]),
    }
}

fn paging(json: &Value) -> Paging {
    let (style, position, length) = match json["style"].as_str().unwrap_or_default() {
        "token" => (PagingStyle::Token, "token", "limit"),
        "offset" => (PagingStyle::Offset, "offset", "limit"),
        "zstack-query" => (PagingStyle::Query, "start", "limit"),
        _ => (PagingStyle::PageNumber, "page", "size"),
    };
    Paging {
        style,
        items: text_of(&json["items"])
            .split('.')
            .map(str::to_owned)
            .collect(),
        position: text_of(&json[position]),
        length: optional(&json[length]),
        total: optional(&json["total"]),
        next: optional(&json["next"]),
    }
}

fn shared(json: &Value) -> Shared {
    if json["kind"] == "enum" {
        Shared::Enum(array(&json["values"]).map(text_of).collect())
    } else {
        Shared::Struct(members(&json["members"]))
    }
}

fn members(json: &Value) -> Vec<Member> {
    array(json).map(member).collect()
}

fn member(json: &Value) -> Member {
    Member {
        name: text_of(&json["name"]),
        location: match json["in"].as_str() {
            Some("query") => Location::Query,
            Some("path") => Location::Path,
            Some("header") => Location::Header,
            _ => Location::Body,
        },
        ty: ty(&json["type"]),
        required: flag(&json["required"]),
        raw: json["style"] == "raw",
        multipart: json["style"] == "multipart",
        values: array(&json["values"])
            .map(|value| optional(value).unwrap_or_else(|| value.to_string()))
            .collect(),
        min: json["min"].as_i64(),
        max: json["max"].as_i64(),
    }
}

fn ty(json: &Value) -> Type {
    if let Some((kind, inner)) = json.as_object().and_then(|object| object.iter().next()) {
        return match kind.as_str() {
            "list" => Type::List(Box::new(ty(inner))),
            "map" => Type::Map(Box::new(ty(inner))),
            "ref" => Type::Ref(text_of(inner)),
            "struct" => Type::Struct(members(inner)),
            _ => Type::Any,
        };
    }
    match json.as_str().unwrap_or_default() {
        "string" => Type::Text,
        "int32" => Type::Int32,
        "int64" => Type::Int64,
        "float" | "double" => Type::Float,
        "bool" => Type::Bool,
        "timestamp" => Type::Timestamp,
        "binary" => Type::Binary,
        _ => Type::Any,
    }
}

#[cfg(test)]
mod tests {
    use super::super::*;
    use super::*;

    #[test]
    fn all_operations_are_there() {
        let count = |service| Model::of(service).operations.len();
        assert_eq!(
            Service::ALL.map(count),
            [24, 205, 216, 0, 2043],
            "2,488 operations in all"
        );
        for service in Service::ALL {
            let model = Model::of(service);
            for operation in &model.operations {
                assert_eq!(
                    model.operation(&operation.name).map(|one| &one.path),
                    Some(&operation.path)
                );
                for member in operation.input.iter().chain(&operation.output) {
                    known(model, &member.ty);
                }
            }
        }
    }

    fn known(model: &Model, ty: &Type) {
        match ty {
            Type::List(inner) | Type::Map(inner) => known(model, inner),
            Type::Ref(name) => assert!(model.shared(name).is_some(), "{name}"),
            Type::Struct(members) => members.iter().for_each(|one| known(model, &one.ty)),
            _ => {}
        }
    }

    #[test]
    fn members_keep_what_is_documented() {
        let json = serde_json::json!({
            "name": "Size", "in": "query", "type": {"list": "int32"}, "required": true,
            "values": ["a", 7], "min": 2, "max": 9,
        });
        let member = member(&json);
        assert_eq!(member.values, ["a", "7"]);
        assert_eq!((member.min, member.max), (Some(2), Some(9)));
        assert!(member.required && member.location == Location::Query);
        assert!(matches!(member.ty, Type::List(inner) if matches!(*inner, Type::Int32)));
    }
}
