//! What the rules of all REST services share: addresses, and the verbs that methods stand for.

use crate::model::{Member, Operation};

/// An address as segments, with every parameter alike: names of parameters differ between operations.
pub(super) fn segments(path: &str) -> Vec<&str> {
    let parts = path.split('/').filter(|part| !part.is_empty());
    parts
        .map(|part| if part.starts_with('{') { "{}" } else { part })
        .collect()
}

/// How `path` goes on after `collection`, if it lies at it or below.
pub(super) fn below<'a>(path: &'a str, collection: &str) -> Option<Vec<&'a str>> {
    let (path, collection) = (segments(path), segments(collection));
    let (above, rest) = path.split_at_checked(collection.len())?;
    (above == collection).then(|| rest.to_vec())
}

/// Whether `members` has one of this name.
pub(super) fn has(members: &[Member], name: &str) -> bool {
    members.iter().any(|member| member.name == name)
}

/// Whether the operation removes the one thing that its address names.
pub(super) fn removes(operation: &Operation, rest: &[&str]) -> bool {
    operation.method == "DELETE" && rest == ["{}"]
}
