//! Fills records from JSON: leniently from services, strictly from users.
//!
//! Services drift from their documentation. A number where text is documented, an unknown member, a
//! `null` or an object of the wrong shape must not cost the caller the whole answer: what fits is
//! kept and the rest is reported with its path. What a user hands in is the opposite case: a
//! misspelt or missing member there is a mistake that must not reach the wire.

mod fill;
mod members;

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _};

use fill::Fill;

use super::{Location, Record, Slot};

/// A member that was not what the schema says, with its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where, such as `AccessTokens.AccessToken[1].Count`.
    pub path: String,
    /// What was wrong, such as `expected text, got object`.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.path, self.message)
        }
    }
}

/// Reads `json` into `record` and reports members that did not fit.
///
/// Fails only when `json` is not JSON; what was read up to there stays in the record.
pub fn decode(record: &mut dyn Record, json: &[u8]) -> Result<Vec<Problem>, serde_json::Error> {
    run(record, json, false)
}

/// Reads what a user gave: unknown names, wrong shapes and missing required members, nested ones
/// too, are all reported. The record is to be used only when the list is empty.
pub fn decode_strict(
    record: &mut dyn Record,
    json: &[u8],
) -> Result<Vec<Problem>, serde_json::Error> {
    run(record, json, true)
}

fn run(
    record: &mut dyn Record,
    json: &[u8],
    strict: bool,
) -> Result<Vec<Problem>, serde_json::Error> {
    let mut context = Context::new(strict);
    let whole = record
        .schema()
        .members
        .iter()
        .position(|member| member.location == Location::Raw);
    let mut result = Ok(());
    match whole {
        // What a user gives names its members; an answer is the member itself.
        Some(index) if !strict => record.write(&mut |values| {
            if let Some(value) = values.get_mut(index) {
                result = fill_whole(value.slot(), json, &mut context);
            }
        }),
        _ => result = fill_whole(Slot::Record(record), json, &mut context),
    }
    result.map(|()| context.problems)
}

fn fill_whole(
    target: Slot<'_>,
    json: &[u8],
    context: &mut Context,
) -> Result<(), serde_json::Error> {
    if let Slot::Bytes(bytes) = target {
        *bytes = bytes::Bytes::copy_from_slice(json);
        return Ok(());
    }
    // Checked once as a whole: the tokenizer would check every text by itself.
    let text = std::str::from_utf8(json).map_err(serde_json::Error::custom)?;
    let mut json = serde_json::Deserializer::from_str(text);
    Fill { target, context }.deserialize(&mut json)?;
    json.end()
}

/// The strict decoder for any self-describing format; what `Deserialize` of a record calls.
#[doc(hidden)]
pub fn fill_strict<'de, D: Deserializer<'de>>(
    record: &mut dyn Record,
    source: D,
) -> Result<(), D::Error> {
    let mut context = Context::new(true);
    Fill {
        target: Slot::Record(record),
        context: &mut context,
    }
    .deserialize(source)?;
    if context.problems.is_empty() {
        return Ok(());
    }
    let all: Vec<String> = context.problems.iter().map(Problem::to_string).collect();
    Err(D::Error::custom(all.join("; ")))
}

enum Step {
    Name(&'static str),
    Key(String),
    Index(usize),
}

struct Context {
    strict: bool,
    path: Vec<Step>,
    problems: Vec<Problem>,
}

/// Enough to see what is wrong, without turning a hostile answer into memory.
const MOST_PROBLEMS: usize = 100;

impl Context {
    fn new(strict: bool) -> Self {
        Self {
            strict,
            path: Vec::new(),
            problems: Vec::new(),
        }
    }

    fn report(&mut self, message: String) {
        if self.problems.len() >= MOST_PROBLEMS {
            return;
        }
        let mut path = String::new();
        for step in &self.path {
            let name = match step {
                Step::Index(index) => {
                    path.push_str(&format!("[{index}]"));
                    continue;
                }
                Step::Name(name) => name,
                Step::Key(key) => key.as_str(),
            };
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(name);
        }
        self.problems.push(Problem { path, message });
    }
}
