//! A place in a list, as text that outlives the program.

use crate::error::{Error, Kind};
use crate::operation::Operation;
use crate::record::{self, Json, Record, Wire};
use crate::sign::sha256_hex;

/// The members of an input that choose the page, with what they hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Cursor(Vec<(&'static str, String)>);

impl Cursor {
    /// Where `input` points.
    pub(super) fn of(operation: &Operation, input: &dyn Record) -> Self {
        let held = members(operation)
            .filter_map(|member| Some((member, record::get(input, member)?)))
            .collect();
        Self(held)
    }

    /// The place of the item after the first `taken` of this page, as text.
    pub(super) fn store(&self, operation: &Operation, input: &dyn Record, taken: usize) -> String {
        let page: serde_json::Map<String, Json> = self
            .0
            .iter()
            .map(|(member, text)| ((*member).to_owned(), text.as_str().into()))
            .collect();
        serde_json::json!({
            "operation": operation.name,
            "of": filter(operation, input),
            "page": page,
            "taken": taken,
        })
        .to_string()
    }
}

/// Points `input` where `text` says; how many items of that page were taken before.
pub(super) fn restore(
    operation: &'static Operation,
    input: &mut dyn Record,
    text: &str,
) -> Result<usize, Error> {
    let invalid = |what: &str| {
        let message = format!("the position {what}");
        Error::new(Kind::InvalidInput, operation.name, message)
    };
    let stored: Json =
        serde_json::from_str(text).map_err(|_| invalid("is none that a list gave"))?;
    if stored["operation"] != operation.name {
        return Err(invalid("is one of another operation"));
    }
    if stored["of"] != filter(operation, input) {
        let hint = "Resume with the input that the list was begun with";
        return Err(invalid("is one of a list with other conditions").with_hint(hint));
    }
    for member in members(operation) {
        let text = match &stored["page"][member] {
            Json::Null => continue,
            text => text.as_str().unwrap_or_default(),
        };
        if !record::set(input, member, text) {
            return Err(invalid(&format!("holds no valid `{member}`")));
        }
    }
    let taken = stored["taken"]
        .as_u64()
        .and_then(|taken| usize::try_from(taken).ok());
    taken.ok_or_else(|| invalid("is none that a list gave"))
}

fn members(operation: &Operation) -> impl Iterator<Item = &'static str> {
    let paging = operation.paging;
    let size = paging.and_then(|paging| paging.size());
    let members = [
        paging.map(|paging| paging.cursor()),
        size.map(|(member, _)| member),
    ];
    members.into_iter().flatten()
}

/// A short hash of what chooses the items: a place in one list is none in another. Nothing of the
/// input can be read from it.
fn filter(operation: &Operation, input: &dyn Record) -> String {
    let mut conditions = record::to_value(Wire::clear(input));
    if let Json::Object(conditions) = &mut conditions {
        for member in members(operation) {
            conditions.remove(member);
        }
    }
    let mut hash = sha256_hex(conditions.to_string().as_bytes());
    hash.truncate(16);
    hash
}
