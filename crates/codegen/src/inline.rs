//! Names for structures that the model leaves nameless: after the member that holds them, as short as
//! the other structures of the service allow.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Member, Model, Shared, Type};
use crate::names;
use crate::shapes::wrapped;

/// Words that say nothing by themselves; names made of one of them take the name of what holds it.
const VAGUE: &[&str] = &[
    "Data",
    "System",
    "Part",
    "Disk",
    "Item",
    "Info",
    "Statistics",
    "Value",
    "Body",
    "List",
    "Detail",
    "Result",
    "Item",
    "Entry",
    "Model",
    "Resource",
    "Task",
    "Rule",
    "Job",
];

struct Place {
    operation: String,
    parent: String,
    base: String,
}

/// Names of all nameless structures, none of them in `taken`.
pub(crate) fn names(model: &Model, taken: &BTreeSet<String>) -> BTreeMap<Vec<Member>, String> {
    let mut found: BTreeMap<Vec<Member>, Vec<Place>> = BTreeMap::new();
    for operation in &model.operations {
        walk(&operation.input, &operation.name, "", true, &mut found);
        walk(&operation.output, &operation.name, "", false, &mut found);
    }
    for (name, shared) in &model.types {
        if let Shared::Struct(members) = shared {
            walk(members, name, "", true, &mut found);
        }
    }
    // How often each structure is used, per candidate name: the one used most takes the short name.
    let mut wanted: BTreeMap<String, BTreeMap<&Vec<Member>, usize>> = BTreeMap::new();
    for (shape, places) in &found {
        for place in places {
            *wanted
                .entry(place.base.clone())
                .or_default()
                .entry(shape)
                .or_default() += 1;
        }
    }
    let mut names = BTreeMap::new();
    let mut used = taken.clone();
    let mut order: Vec<(&Vec<Member>, &Vec<Place>)> = found.iter().collect();
    order.sort_by_key(|(_, places)| {
        places
            .iter()
            .map(|p| (p.operation.clone(), p.base.clone()))
            .min()
    });
    let winner = |base: &str| -> Option<&Vec<Member>> {
        let shapes = wanted.get(base)?;
        let most = shapes.values().max()?;
        let mut best = shapes.iter().filter(|(_, count)| *count == most);
        match (best.next(), best.next(), shapes.len()) {
            (Some((shape, _)), None, 1) => Some(*shape),
            (Some((shape, _)), None, _) if *most > 1 => Some(*shape),
            _ => None,
        }
    };
    for (shape, places) in order {
        let place = &places[0];
        let short = places
            .iter()
            .map(|p| &p.base)
            .find(|base| !VAGUE.contains(&base.as_str()) && winner(base) == Some(shape));
        let candidates = [
            short.cloned().unwrap_or_default(),
            thing(&place.operation)
                .filter(|thing| thing.ends_with(&place.base))
                .unwrap_or_default(),
            if place.parent.is_empty() {
                String::new()
            } else {
                format!("{}{}", place.parent, place.base)
            },
            format!("{}{}", place.operation, place.base),
            format!("{}{}{}", place.operation, place.parent, place.base),
        ];
        let free = candidates
            .into_iter()
            .filter(|name| !name.is_empty())
            .find(|name| !used.contains(name) && !names::reserved(name));
        let name = free.unwrap_or_else(|| {
            let name = format!("{}{}", place.operation, place.base);
            let numbers = 2..=found.len() + 2;
            numbers
                .map(|n| format!("{name}{n}"))
                .find(|name| !used.contains(name))
                .unwrap_or(name)
        });
        used.insert(name.clone());
        names.insert(shape.clone(), name);
    }
    names
}

/// What an operation is about: `BindableGateway` for `DescribeBindableGateways`.
fn thing(operation: &str) -> Option<String> {
    let verbs = ["Describe", "List", "Get", "View", "Query"];
    let noun = verbs.iter().find_map(|verb| operation.strip_prefix(verb))?;
    Some(names::singular(noun))
}

/// A structure without its notes, which do not make it another structure.
pub(crate) fn key(members: &[Member]) -> Vec<Member> {
    let plain = |member: &Member| {
        let mut member = Member {
            doc: None,
            default: None,
            ..member.clone()
        };
        if let Type::Struct(members) = member.ty.innermost_mut() {
            *members = key(members);
        }
        member
    };
    members.iter().map(plain).collect()
}

fn walk(
    members: &[Member],
    operation: &str,
    parent: &str,
    input: bool,
    found: &mut BTreeMap<Vec<Member>, Vec<Place>>,
) {
    for member in members {
        if let (Some(_), Type::Struct(list)) = (wrapped(member, input), &member.ty) {
            walk(list, operation, parent, input, found);
            continue;
        }
        let Type::Struct(inner) = member.ty.innermost() else {
            continue;
        };
        if member.style == "multipart" {
            continue;
        }
        let base = match member.ty {
            Type::Struct(_) => names::pascal(&member.name),
            _ => names::pascal(&names::singular(&member.name)),
        };
        found.entry(key(inner)).or_default().push(Place {
            operation: operation.to_owned(),
            parent: parent.to_owned(),
            base: base.clone(),
        });
        walk(inner, operation, &base, input, found);
    }
}
