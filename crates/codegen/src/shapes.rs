//! Which structures a crate needs, what they are called, which file they stand in, and which of them
//! callers fill.

use std::collections::{BTreeMap, BTreeSet};

use crate::fault::{Fault, Faults};
use crate::model::{Member, Model, Shared, Type};
use crate::names;
use crate::outputs;

/// A structure or enum of the crate, found by its name in Rust.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Name in the model, or the name in Rust where the model has none.
    pub model_name: String,
    /// What it is.
    pub content: Shared,
    /// Whether an operation's input reaches it.
    pub input: bool,
    /// Groups that use it.
    pub groups: BTreeSet<String>,
}

/// All structures of a crate.
#[derive(Debug, Default)]
pub struct Shapes {
    /// By name in Rust.
    pub all: BTreeMap<String, Shape>,
    /// Rust name of each shared type.
    named: BTreeMap<String, String>,
    /// Rust name of each structure that has no name in the model.
    inline: BTreeMap<Vec<Member>, String>,
    /// Output type of each operation.
    pub outputs: BTreeMap<String, String>,
    /// What each output type holds, and its operations.
    pub output_types: BTreeMap<String, outputs::Output>,
}

impl Shapes {
    /// Finds and names the structures of `model`. `named` are output names that an overlay gives.
    pub fn new(model: &Model, named: &BTreeMap<String, String>) -> Faults<Self> {
        let mut shapes = Self::default();
        let mut faults = Vec::new();
        let mut taken: BTreeMap<String, String> = BTreeMap::new();
        let mut claim = |name: &str, place: &str| {
            if let Some(other) = taken.insert(name.to_owned(), place.to_owned()) {
                let message = format!("the name `{name}` is also that of {other}");
                faults.push(Fault::new(&model.file, place, message));
            }
        };
        for operation in &model.operations {
            claim(&operation.name, &operation.name);
        }
        shapes.output_types = outputs::outputs(model, named);
        for (name, output) in &shapes.output_types {
            claim(name, &format!("the output of {}", output.operations[0]));
            for operation in &output.operations {
                shapes.outputs.insert(operation.clone(), name.clone());
            }
        }
        for name in model.types.keys() {
            let rust = if names::reserved(name) || model.operations.iter().any(|o| o.name == *name)
            {
                format!("{name}Info")
            } else {
                name.clone()
            };
            claim(&rust, &format!("types.{name}"));
            shapes.named.insert(name.clone(), rust);
        }
        let used: BTreeSet<String> = taken.into_keys().collect();
        shapes.inline = crate::inline::names(model, &used);
        if !faults.is_empty() {
            return Err(faults);
        }
        for operation in &model.operations {
            shapes.reach(model, &operation.input, &operation.group, true);
            shapes.reach(model, &operation.output, &operation.group, false);
        }
        Ok(shapes)
    }

    fn reach(&mut self, model: &Model, members: &[Member], group: &str, input: bool) {
        for member in members {
            let inner = match member.ty.innermost() {
                Type::Struct(parts) if member.style == "multipart" => {
                    self.reach(model, parts, group, input);
                    continue;
                }
                _ if wrapped(member, input).is_some() => {
                    let Type::Struct(list) = &member.ty else {
                        continue;
                    };
                    self.reach(model, list, group, input);
                    continue;
                }
                inner => inner,
            };
            let Some(name) = self.name(inner).map(str::to_owned) else {
                continue;
            };
            let content = match inner {
                Type::Ref(name) => match model.types.get(name) {
                    Some(shared) => shared.clone(),
                    None => continue,
                },
                Type::Struct(members) => Shared::Struct(members.clone()),
                _ => continue,
            };
            let model_name = match inner {
                Type::Ref(name) => name.clone(),
                _ => name.clone(),
            };
            let shape = self.all.entry(name).or_insert_with(|| Shape {
                model_name,
                content: content.clone(),
                input: false,
                groups: BTreeSet::new(),
            });
            let new_group = shape.groups.insert(group.to_owned());
            let new_side = input && !shape.input;
            shape.input |= input;
            if (new_group || new_side)
                && let Shared::Struct(members) = content
            {
                self.reach(model, &members, group, input);
            }
        }
    }

    /// The Rust name of a structure or enum.
    pub fn name(&self, ty: &Type) -> Option<&str> {
        match ty {
            Type::Ref(name) => self.named.get(name).map(String::as_str),
            Type::Struct(members) => self
                .inline
                .get(&crate::inline::key(members))
                .map(String::as_str),
            _ => None,
        }
    }

    /// Whether a member of type `name` makes `owner` contain itself without a list in between.
    pub fn recursive(&self, owner: &str, name: &str) -> bool {
        let mut seen = BTreeSet::new();
        let mut next = vec![name.to_owned()];
        while let Some(name) = next.pop() {
            if name == owner {
                return true;
            }
            if !seen.insert(name.clone()) {
                continue;
            }
            if let Some(Shape {
                content: Shared::Struct(members),
                ..
            }) = self.all.get(&name)
            {
                next.extend(
                    members
                        .iter()
                        .filter_map(|m| self.name(&m.ty))
                        .map(str::to_owned),
                );
            }
        }
        false
    }
}

/// The list inside a wrapper object that holds nothing else. Only answers have such.
pub fn wrapped(member: &Member, input: bool) -> Option<&Member> {
    match &member.ty {
        Type::Struct(inner) if !input => match inner.as_slice() {
            [only] if matches!(only.ty, Type::List(_)) => Some(only),
            _ => None,
        },
        _ => None,
    }
}
