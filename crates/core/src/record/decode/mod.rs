//! Fills records from JSON: leniently from services, strictly from users.
//!
//! Services drift from their documentation. A number where text is documented, an unknown member, a
//! `null` or an object of the wrong shape must not cost the caller the whole answer: what fits is
//! kept and the rest is reported with its path. What a user hands in is the opposite case: a
//! misspelt or missing member there is a mistake that must not reach the wire.

mod budget;
mod fill;
mod json;
mod members;

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _};

use budget::Budget;
use fill::Fill;

use super::{Json, Location, Record, Slot};

/// A member that was not what the schema says, with its path.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
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

/// What an answer held.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// Members that did not fit.
    pub problems: Vec<Problem>,
    /// Members of the top level that the record lacks and the caller asked for, in order.
    pub told: Vec<(&'static str, Json)>,
}

/// Why an answer cannot be decoded.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// It is not JSON.
    NotJson(serde_json::Error),
    /// It is JSON, and of another kind than the record.
    OtherKind(String),
    /// It would take more than so many bytes of memory.
    TooMuch(usize),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson(error) => error.fmt(f),
            Self::OtherKind(message) => f.write_str(message),
            Self::TooMuch(limit) => {
                write!(f, "it would take more than {} MiB of memory", limit >> 20)
            }
        }
    }
}

/// Reads `json` into `record` and reports members that did not fit.
///
/// Fails when `json` is not JSON, is of another kind than the record, or would take many times its
/// own length in memory; what was read up to there stays in the record.
pub fn decode(record: &mut dyn Record, json: &[u8]) -> Result<Vec<Problem>, serde_json::Error> {
    match decode_answer(record, json, &[]) {
        Ok(answer) => Ok(answer.problems),
        Err(Unreadable::NotJson(error)) => Err(error),
        Err(other) => Err(serde_json::Error::custom(other)),
    }
}

/// Like [`decode`], and picks up members of the top level named in `watch` that the record lacks.
pub(crate) fn decode_answer(
    record: &mut dyn Record,
    json: &[u8],
    watch: &'static [&'static str],
) -> Result<Answer, Unreadable> {
    let mut context = Context::new(false, Budget::of_answer(json.len()));
    context.watch = watch;
    let whole = whole(record);
    let mut result = Ok(true);
    match whole {
        // An answer is the member itself.
        Some(index) => record.write(&mut |values| {
            if let Some(value) = values.get_mut(index) {
                result = fill_whole(value.slot(), json, &mut context);
            }
        }),
        None => result = fill_whole(Slot::Record(record), json, &mut context),
    }
    context.finish(result)
}

/// Reads free-form JSON, within the budget of an answer.
pub(crate) fn decode_json(json: &[u8]) -> Result<Json, Unreadable> {
    let mut context = Context::new(false, Budget::of_answer(json.len()));
    let mut value = Json::Null;
    let result = fill_whole(Slot::Json(&mut value), json, &mut context);
    context.finish(result)?;
    Ok(value)
}

/// Reads what a user gave: unknown names, wrong shapes and missing required members, nested ones
/// too, are all reported. The record is to be used only when the list is empty.
pub fn decode_strict(
    record: &mut dyn Record,
    json: &[u8],
) -> Result<Vec<Problem>, serde_json::Error> {
    let mut context = Context::new(true, Budget::unlimited());
    let filled = fill_whole(Slot::Record(record), json, &mut context)?;
    Ok(context.complaints(filled))
}

/// The index of the member that is the whole body.
fn whole(record: &dyn Record) -> Option<usize> {
    let members = record.schema().members;
    members.iter().position(|m| m.location == Location::Raw)
}

fn fill_whole(
    target: Slot<'_>,
    json: &[u8],
    context: &mut Context,
) -> Result<bool, serde_json::Error> {
    if let Slot::Bytes(bytes) = target {
        *bytes = bytes::Bytes::copy_from_slice(json);
        return Ok(true);
    }
    // Some services and proxies write a byte order mark.
    let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json);
    // Checked once as a whole: the tokenizer would check every text by itself.
    let text = std::str::from_utf8(json).map_err(serde_json::Error::custom)?;
    let mut json = serde_json::Deserializer::from_str(text);
    let filled = Fill { target, context }.deserialize(&mut json)?;
    json.end()?;
    Ok(filled)
}

/// The strict decoder for any self-describing format: what `Deserialize` of a record does.
#[doc(hidden)]
pub fn deserialize<'de, R: Record + Default, D: Deserializer<'de>>(
    source: D,
) -> Result<R, D::Error> {
    let mut record = R::default();
    fill_strict(&mut record, source)?;
    Ok(record)
}

fn fill_strict<'de, D: Deserializer<'de>>(
    record: &mut dyn Record,
    source: D,
) -> Result<(), D::Error> {
    let mut context = Context::new(true, Budget::unlimited());
    let filled = Fill {
        target: Slot::Record(record),
        context: &mut context,
    }
    .deserialize(source)?;
    let problems = context.complaints(filled);
    if problems.is_empty() {
        return Ok(());
    }
    let all: Vec<String> = problems.iter().map(Problem::to_string).collect();
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
    budget: Budget,
    /// Names of the top level to pick up where the record lacks them.
    watch: &'static [&'static str],
    told: Vec<(&'static str, Json)>,
}

/// Enough to see what is wrong, without turning a hostile answer into memory.
const MOST_PROBLEMS: usize = 100;
/// So much of a map's key stands in a path.
const LONGEST_KEY: usize = 100;

impl Context {
    fn new(strict: bool, budget: Budget) -> Self {
        Self {
            strict,
            path: Vec::new(),
            problems: Vec::new(),
            budget,
            watch: &[],
            told: Vec::new(),
        }
    }

    /// The watched name that is `name`, at the top level only.
    fn watched(&self, name: &str) -> Option<&'static str> {
        if !self.path.is_empty() {
            return None;
        }
        self.watch.iter().copied().find(|watched| *watched == name)
    }

    fn finish(self, result: Result<bool, serde_json::Error>) -> Result<Answer, Unreadable> {
        if let Some(limit) = self.budget.exceeded() {
            return Err(Unreadable::TooMuch(limit));
        }
        match result {
            Err(error) => Err(Unreadable::NotJson(error)),
            Ok(true) => Ok(Answer {
                problems: self.problems,
                told: self.told,
            }),
            Ok(false) => Err(Unreadable::OtherKind(
                match self.problems.into_iter().next() {
                    Some(problem) => problem.message,
                    None => "expected an object, got null or an empty text".into(),
                },
            )),
        }
    }

    /// What is wrong with what a user gave. A `null` for the whole would pass for a record of which
    /// nothing is required.
    fn complaints(mut self, filled: bool) -> Vec<Problem> {
        if !filled && self.problems.is_empty() {
            self.report("expected an object, got null".into());
        }
        self.problems
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
                Step::Name(name) => Cow::Borrowed(*name),
                // Whoever wrote the answer chose the key: it ends up in logs and on terminals.
                Step::Key(key) => {
                    let key = key.chars().take(LONGEST_KEY);
                    Cow::Owned(key.flat_map(char::escape_debug).collect())
                }
            };
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(&name);
        }
        self.problems.push(Problem { path, message });
    }
}
