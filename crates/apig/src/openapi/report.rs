//! What became of an import: each API, each step, and what was taken back.

use std::fmt;

use crate::Error;
use crate::invoke::Answer;

/// What became of one operation of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Result {
    /// A new API, by its id.
    Created(String),
    /// An API that was there and has this definition now, by its id.
    Updated(String),
    /// The gateway's code and reason.
    Failed(String, String),
    /// The gateway did nothing about it.
    Ignored,
}

impl Result {
    /// The id of the API, where it has one.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Created(id) | Self::Updated(id) => Some(id),
            Self::Failed(..) | Self::Ignored => None,
        }
    }
}

/// What an import did.
#[derive(Debug, Default)]
#[non_exhaustive]
#[must_use = "it says whether the import failed"]
pub struct Report {
    /// The group.
    pub group_id: Option<String>,
    /// The group's own domain, at which its APIs are called.
    pub domain: Option<String>,
    /// Method, path and result of each operation.
    pub apis: Vec<(String, String, Result)>,
    /// The ids of publications.
    pub published: Vec<String>,
    /// What the test call was answered.
    pub answer: Option<Answer>,
    /// What was taken back, in words, in order.
    pub undone: Vec<String>,
    /// What could not be taken back, and why.
    pub left: Vec<String>,
    /// What went wrong; nothing, when all is done.
    pub error: Option<Error>,
}

impl Report {
    /// Ids of the APIs that are there now, unless they were taken back.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.apis.iter().filter_map(|(_, _, result)| result.id())
    }

    /// The error, if there is one, with what could not be taken back.
    ///
    /// # Errors
    /// What went wrong.
    pub fn into_result(mut self) -> std::result::Result<Self, Error> {
        match self.error.take() {
            None => Ok(self),
            Some(error) if self.left.is_empty() => Err(error),
            Some(error) => {
                let hint = format!("Left as it is: {}", self.left.join("; "));
                Err(error.with_hint(hint))
            }
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(group) = &self.group_id {
            writeln!(
                f,
                "group {group} at {}",
                self.domain.as_deref().unwrap_or("-")
            )?;
        }
        for (method, path, result) in &self.apis {
            match result {
                Result::Created(id) => writeln!(f, "created {method} {path} ({id})")?,
                Result::Updated(id) => writeln!(f, "updated {method} {path} ({id})")?,
                Result::Failed(code, why) => writeln!(f, "failed {method} {path}: {code}: {why}")?,
                Result::Ignored => writeln!(f, "ignored {method} {path}")?,
            }
        }
        if !self.published.is_empty() {
            writeln!(f, "published {} APIs", self.published.len())?;
        }
        if let Some(answer) = &self.answer {
            writeln!(f, "test call: {answer:?}")?;
        }
        if let Some(error) = &self.error {
            writeln!(f, "{error}")?;
        }
        for one in &self.undone {
            writeln!(f, "taken back: {one}")?;
        }
        for one in &self.left {
            writeln!(f, "left: {one}")?;
        }
        Ok(())
    }
}
