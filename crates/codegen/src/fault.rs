//! A mistake in a model or overlay must say where to look: every fault names file, place and reason.

use std::fmt;

/// One mistake in an input of the generator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file, relative to the workspace.
    pub file: String,
    /// The operation or type, with the member where there is one, such as `CreateAcl.input.Name`.
    pub place: String,
    /// What is wrong.
    pub message: String,
}

impl Fault {
    /// A fault in `file` at `place`.
    pub fn new(
        file: impl Into<String>,
        place: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            file: file.into(),
            place: place.into(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place.is_empty() {
            return write!(f, "{}: {}", self.file, self.message);
        }
        write!(f, "{}: {}: {}", self.file, self.place, self.message)
    }
}

impl std::error::Error for Fault {}

/// What the steps of the generator return: all faults at once, so that one run shows them all.
pub type Faults<T> = Result<T, Vec<Fault>>;
