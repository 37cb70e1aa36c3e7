//! What answers are called. Alibaba's and Huawei's are named after their operation; ZStack's 2,043
//! answers have 780 shapes, and operations of the same shape share one type, named after what it holds.

use std::collections::BTreeMap;

use crate::model::{Member, Model, Type};

/// An output type.
#[derive(Debug, Clone)]
pub struct Output {
    /// Its members.
    pub members: Vec<Member>,
    /// The operations that answer it, by name.
    pub operations: Vec<String>,
}

/// All output types, by name.
pub(crate) fn outputs(model: &Model, named: &BTreeMap<String, String>) -> BTreeMap<String, Output> {
    if model.protocol == "zstack-rest" {
        return by_shape(model, named);
    }
    let mut outputs: BTreeMap<String, Output> = BTreeMap::new();
    for operation in &model.operations {
        let members = operation.output.clone();
        let empty = members.iter().all(|member| member.name == "RequestId");
        let name = if empty {
            "Empty".to_owned()
        } else {
            format!("{}Output", operation.name)
        };
        let output = outputs.entry(name).or_insert(Output {
            members,
            operations: Vec::new(),
        });
        output.operations.push(operation.name.clone());
    }
    outputs
}

fn by_shape(model: &Model, named: &BTreeMap<String, String>) -> BTreeMap<String, Output> {
    let mut shapes: BTreeMap<Vec<(String, String)>, Output> = BTreeMap::new();
    for operation in &model.operations {
        let output = shapes
            .entry(shape(&operation.output))
            .or_insert_with(|| Output {
                members: operation.output.clone(),
                operations: Vec::new(),
            });
        output.operations.push(operation.name.clone());
    }
    let mut outputs: BTreeMap<String, Output> = BTreeMap::new();
    for (shape, output) in shapes {
        let given = output.operations.iter().find_map(|name| named.get(name));
        let mut name = given.cloned().unwrap_or_else(|| rule(&shape));
        // Two shapes of one name are told apart by their first operation; an overlay names them better.
        if outputs.contains_key(&name) {
            name = format!("{}Reply", output.operations[0]);
        }
        outputs.insert(name, output);
    }
    outputs
}

fn shape(members: &[Member]) -> Vec<(String, String)> {
    let mut shape: Vec<(String, String)> = members
        .iter()
        .map(|member| (member.name.clone(), spell(&member.ty)))
        .collect();
    shape.sort();
    shape
}

fn spell(ty: &Type) -> String {
    match ty {
        Type::Ref(name) => name.clone(),
        Type::List(inner) => format!("list<{}>", spell(inner)),
        Type::Map(inner) => format!("map<{}>", spell(inner)),
        Type::Struct(members) => format!("{:?}", shape(members)),
        other => format!("{other:?}").to_lowercase(),
    }
}

/// The name of a shape after what it holds.
fn rule(shape: &[(String, String)]) -> String {
    match shape {
        [] => "Empty".into(),
        [(name, ty)] if name == "inventory" && !ty.contains('<') => format!("{}Reply", base(ty)),
        [(name, ty), (total, _)] if name == "inventories" && total == "total" => {
            format!("{}Page", base(ty))
        }
        [(name, ty)] if name == "inventories" && ty.starts_with("list<") => {
            format!("{}List", base(ty))
        }
        members => {
            let joined: String = members.iter().map(|(name, _)| pascal(name)).collect();
            format!("{joined}Reply")
        }
    }
}

fn base(ty: &str) -> String {
    let ty = ty
        .strip_prefix("list<")
        .and_then(|ty| ty.strip_suffix('>'))
        .unwrap_or(ty);
    let ty = match ty {
        "any" => "Json",
        "text" => "Text",
        other => other,
    };
    ty.strip_suffix("Inventory").unwrap_or(ty).to_owned()
}

fn pascal(name: &str) -> String {
    crate::names::pascal(name.strip_suffix("Inventory").unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_named_after_what_they_hold() {
        let shape = |members: &[(&str, &str)]| -> Vec<(String, String)> {
            members
                .iter()
                .map(|(n, t)| ((*n).to_owned(), (*t).to_owned()))
                .collect()
        };
        assert_eq!(rule(&shape(&[])), "Empty");
        assert_eq!(
            rule(&shape(&[("inventory", "VmInstanceInventory")])),
            "VmInstanceReply"
        );
        assert_eq!(
            rule(&shape(&[
                ("inventories", "list<ZoneInventory>"),
                ("total", "int")
            ])),
            "ZonePage",
        );
        assert_eq!(rule(&shape(&[("inventories", "list<any>")])), "JsonList");
        assert_eq!(
            rule(&shape(&[("available", "bool"), ("reason", "text")])),
            "AvailableReasonReply"
        );
    }
}
