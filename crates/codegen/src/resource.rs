//! Which operations are about the same kind of thing? The second table of a service: its nouns.
//!
//! Rules read most rows off the model; `[resource.NAME]` of the overlay adds rows, completes those of
//! a rule, or (`skip = true`) says that there is no such thing.

mod overlay;
mod rest;
mod rule;
mod zstack;

use std::collections::{BTreeMap, BTreeSet};

use crate::fault::Faults;
use crate::model::{Member, Model, Operation, Shared, Type};
use crate::overlay::Overlay;

pub(crate) use overlay::find;

/// One kind of thing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resource {
    /// Kebab case.
    pub name: String,
    /// The member that names one, in answers; empty for settings.
    pub id: String,
    /// The member that people name it by, or empty.
    pub title: String,
    /// What it belongs to.
    pub parents: Vec<String>,
    /// Operations that make one.
    pub create: Vec<String>,
    /// How one is read.
    pub read: Option<Find>,
    /// How all are listed.
    pub list: Option<Find>,
    /// Operations that change one.
    pub update: Vec<String>,
    /// Operations that remove one.
    pub delete: Vec<String>,
    /// Other operations that belong to it.
    pub others: Vec<String>,
    /// Its states.
    pub states: Option<States>,
    /// Who said so.
    pub origin: Origin,
}

/// An operation that answers with things.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Find {
    pub operation: String,
    pub by: String,
    pub at: String,
}

/// The states of a thing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct States {
    pub member: String,
    pub good: Vec<String>,
    pub bad: Vec<String>,
    /// What the local cloud alone plays: the state after a creation, the states through which an
    /// operation leads, and the member that tells the progress on the way.
    pub first: String,
    pub moves: BTreeMap<String, Vec<String>>,
    pub progress: String,
}

/// Where a row comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Origin {
    #[default]
    Rule,
    Overlay,
    Both,
}

/// All rows of a service, by name.
pub fn resources(model: &Model, overlay: &Overlay) -> Faults<Vec<Resource>> {
    let mut rows: BTreeMap<String, Resource> = BTreeMap::new();
    let ruled = match model.protocol.as_str() {
        "zstack-rest" => zstack::rows(model),
        "huawei-rest" => rest::rows(model),
        // Actions of RPC services have no addresses that a rule could read.
        _ => Vec::new(),
    };
    for row in ruled {
        rows.insert(row.name.clone(), row);
    }
    overlay::lay_over(overlay, model, &mut rows)?;
    Ok(rows.into_values().collect())
}

/// The operations that belong to no row.
pub fn unowned<'a>(model: &'a Model, rows: &[Resource]) -> Vec<&'a str> {
    let owned: BTreeSet<&str> = rows.iter().flat_map(Resource::operations).collect();
    let names = model.operations.iter().map(|o| o.name.as_str());
    names.filter(|name| !owned.contains(name)).collect()
}

impl Resource {
    /// Every operation that it names.
    pub fn operations(&self) -> impl Iterator<Item = &str> {
        let found = [&self.read, &self.list].into_iter().flatten();
        let lists = [&self.create, &self.update, &self.delete, &self.others];
        let named = lists.into_iter().flatten();
        named
            .map(String::as_str)
            .chain(found.map(|find| find.operation.as_str()))
    }
}

/// The members of the things at `path` in the answer of `operation`.
pub(crate) fn members_at<'a>(
    model: &'a Model,
    operation: &'a Operation,
    path: &str,
) -> Option<&'a [Member]> {
    let mut members = operation.output.as_slice();
    for name in path.split('.').filter(|name| !name.is_empty()) {
        let member = members.iter().find(|member| member.name == name)?;
        // What the model leaves open has no members that could be checked.
        members = fields(model, &member.ty).unwrap_or_default();
    }
    Some(members)
}

/// The members of a structure, or of the structures in a list.
pub(crate) fn fields<'a>(model: &'a Model, ty: &'a Type) -> Option<&'a [Member]> {
    match ty.innermost() {
        Type::Struct(members) => Some(members),
        Type::Ref(name) => match model.types.get(name)? {
            Shared::Struct(members) => Some(members),
            Shared::Enum(_) => None,
        },
        _ => None,
    }
}

/// The documented values of a member.
pub(crate) fn values(model: &Model, member: &Member) -> Vec<String> {
    match &member.ty {
        Type::Ref(name) => match model.types.get(name) {
            Some(Shared::Enum(values)) => values.clone(),
            _ => Vec::new(),
        },
        _ => member.limits.values.clone(),
    }
}
