//! How do members travel as name and value pairs? `Name`, `List.1`, `List.1.Member` at Alibaba
//! Cloud; repeated names, `list.0` and `map.key` at ZStack. This reads them back into objects.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::input::{Input, Problem};
use super::{Location, Member, Model, Shared, Type};

/// Decoded pairs in the order of the wire.
pub(crate) type Pairs = [(String, String)];

/// Reads the members that are no part of a path or a body; unknown names are ignored.
pub(crate) fn read(model: &Model, members: &[Member], pairs: &Pairs) -> Result<Input, Problem> {
    let members = members
        .iter()
        .filter(|member| member.location == Location::Query);
    these(model, members, pairs)
}

/// Reads just these members, wherever their model has them.
pub(crate) fn these<'a>(
    model: &Model,
    members: impl Iterator<Item = &'a Member>,
    pairs: &Pairs,
) -> Result<Input, Problem> {
    object(model, members, "", &pairs.iter().collect::<Vec<_>>())
}

fn object<'a>(
    model: &Model,
    members: impl Iterator<Item = &'a Member>,
    prefix: &str,
    pairs: &[&(String, String)],
) -> Result<Input, Problem> {
    let mut out = Input::new();
    for member in members {
        let path = format!("{prefix}{}", member.name);
        if let Some(value) = value(model, &member.ty, &path, pairs)? {
            out.insert(member.name.clone(), value);
        }
    }
    Ok(out)
}

fn value(
    model: &Model,
    ty: &Type,
    path: &str,
    pairs: &[&(String, String)],
) -> Result<Option<Value>, Problem> {
    match ty {
        Type::List(inner) => list(model, inner, path, pairs),
        Type::Map(inner) => map(model, inner, path, pairs),
        Type::Struct(members) => nested(model, members, path, pairs),
        Type::Ref(name) => match model.shared(name) {
            Some(Shared::Struct(members)) => nested(model, members, path, pairs),
            _ => value(model, &Type::Text, path, pairs),
        },
        scalar => pairs
            .iter()
            .find(|(name, _)| name == path)
            .map(|(_, text)| read_scalar(scalar, path, text))
            .transpose(),
    }
}

fn nested(
    model: &Model,
    members: &[Member],
    path: &str,
    pairs: &[&(String, String)],
) -> Result<Option<Value>, Problem> {
    let prefix = format!("{path}.");
    let inside = below(&prefix, pairs);
    if inside.is_empty() {
        return Ok(None);
    }
    let object = object(model, members.iter(), &prefix, &inside)?;
    Ok(Some(Value::Object(object)))
}

fn list(
    model: &Model,
    ty: &Type,
    path: &str,
    pairs: &[&(String, String)],
) -> Result<Option<Value>, Problem> {
    let repeated: Vec<Value> = pairs
        .iter()
        .filter(|(name, _)| name == path)
        .map(|(_, text)| read_scalar(ty, path, text))
        .collect::<Result<_, _>>()?;
    let prefix = format!("{path}.");
    let inside = below(&prefix, pairs);
    let numbers: BTreeSet<u32> = inside
        .iter()
        .filter_map(|(name, _)| name[prefix.len()..].split('.').next()?.parse().ok())
        .collect();
    let mut items = repeated;
    for number in numbers {
        items.extend(value(model, ty, &format!("{prefix}{number}"), &inside)?);
    }
    Ok((!items.is_empty()).then_some(Value::Array(items)))
}

fn map(
    model: &Model,
    ty: &Type,
    path: &str,
    pairs: &[&(String, String)],
) -> Result<Option<Value>, Problem> {
    let prefix = format!("{path}.");
    let inside = below(&prefix, pairs);
    let mut out = Input::new();
    for (name, _) in &inside {
        let key = &name[prefix.len()..];
        if !out.contains_key(key)
            && let Some(value) = value(model, ty, name, &inside)?
        {
            out.insert(key.to_owned(), value);
        }
    }
    Ok((!out.is_empty()).then_some(Value::Object(out)))
}

fn below<'p>(prefix: &str, pairs: &[&'p (String, String)]) -> Vec<&'p (String, String)> {
    pairs
        .iter()
        .copied()
        .filter(|(name, _)| name.starts_with(prefix))
        .collect()
}

fn read_scalar(ty: &Type, path: &str, text: &str) -> Result<Value, Problem> {
    let trimmed = text.trim();
    let read = match ty {
        // An empty parameter says nothing, whatever its type.
        _ if text.is_empty() => Ok(json!("")),
        Type::Int32 => trimmed
            .parse::<i32>()
            .map(Value::from)
            .map_err(|_| "a 32-bit integer"),
        Type::Int64 => trimmed
            .parse::<i64>()
            .map(Value::from)
            .map_err(|_| "an integer"),
        Type::Float => trimmed
            .parse::<f64>()
            .map(Value::from)
            .map_err(|_| "a number"),
        // Python writes True and False.
        Type::Bool if trimmed.eq_ignore_ascii_case("true") => Ok(json!(true)),
        Type::Bool if trimmed.eq_ignore_ascii_case("false") => Ok(json!(false)),
        Type::Bool => Err("true or false"),
        _ => Ok(json!(text)),
    };
    read.map_err(|expected| Problem::invalid(path, expected))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode;
    use crate::wire::Service;

    fn run(service: Service, operation: &str, query: &str) -> Result<Value, Problem> {
        let model = Model::of(service);
        let operation = model.operation(operation).unwrap();
        read(model, &operation.input, &encode::pairs(query)).map(Value::Object)
    }

    #[test]
    fn numbered_lists_and_structs() {
        let query = "DataDisk.2.Size=40&DataDisk.1.Size=20&DataDisk.1.Part.1.Block=True\
                     &DataDisk.1.Part.1.Device=x+y&Tag.1.Key=a&Unknown.1=b&Disks.System.LVM=false";
        assert_eq!(
            run(Service::Smc, "CreateReplicationJob", query).unwrap(),
            json!({
                "DataDisk": [
                    {"Part": [{"Block": true, "Device": "x y"}], "Size": 20},
                    {"Size": 40},
                ],
                "Disks": {"System": {"LVM": false}},
                "Tag": [{"Key": "a"}],
            })
        );
        assert_eq!(
            run(Service::Smc, "CreateReplicationJob", "DataDisk.1.Size=big"),
            Err(Problem::invalid("DataDisk.1.Size", "a 32-bit integer"))
        );
    }

    #[test]
    fn repeated_names_and_maps() {
        let query = "l3NetworkUuid=path&other=x&networkServices.a=1&networkServices.b=2&networkServices.a=3";
        let read = run(Service::Zstack, "DetachNetworkServiceFromL3Network", query).unwrap();
        assert_eq!(
            read,
            json!({"networkServices": {"a": ["1", "3"], "b": ["2"]}})
        );
        let read = run(Service::Zstack, "GetVmMigrationCandidateHosts", "x=1").unwrap();
        assert_eq!(read, json!({}));
    }
}
