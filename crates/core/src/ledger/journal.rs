//! What a ledger needs from the place where it keeps its entries.

use std::fmt;
use std::io;

use crate::clock::BoxFuture;
use crate::error::Error;
use crate::record::Json;

/// Where a ledger keeps its entries: a file, a database.
///
/// One process at a time may have it open, since a key must not be taken twice.
pub trait Journal: Send + Sync + fmt::Debug {
    /// The latest entry under `key`.
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>, JournalError>>;

    /// Keeps `entry` under `key`, in the place of an earlier one. When it returns `Ok`, the entry
    /// outlives the process and the machine's power; when it returns an error, nothing has changed.
    fn put<'a>(&'a self, key: &'a str, entry: Entry) -> BoxFuture<'a, Result<(), JournalError>>;

    /// Forgets `key`; nothing happens when it is not there.
    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), JournalError>>;

    /// All keys with their entries, in any order.
    fn all(&self) -> BoxFuture<'_, Result<Vec<(String, Entry)>, JournalError>>;
}

/// What is known about one key. It holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// Service and operation, such as `smc.CreateAccessToken`.
    pub operation: String,
    /// SHA-256 of the input, in hex.
    pub input: String,
    /// The client token, or the id of the job; none for operations that take neither.
    pub token: Option<String>,
    /// How far it came.
    pub state: State,
    /// When the call was begun, in milliseconds since 1970.
    pub at: i64,
}

/// How far a call came.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// It was about to be sent. Nothing is known about what came of it.
    Begun,
    /// It succeeded.
    Done {
        /// The service's id of the request.
        request_id: Option<String>,
        /// The answer in wire names, without its secrets; `None` when it was too large to keep.
        answer: Option<Json>,
    },
    /// The service refused it, or nothing reached the service. Nothing was done.
    Rejected,
    /// It may have been executed.
    Unknown,
}

impl Entry {
    /// An entry of this state, for journals that read their own format.
    pub fn new(
        operation: impl Into<String>,
        input: impl Into<String>,
        token: Option<String>,
        state: State,
        at: i64,
    ) -> Self {
        Self {
            operation: operation.into(),
            input: input.into(),
            token,
            state,
            at,
        }
    }
}

/// A journal cannot be read or written.
#[derive(Debug)]
pub struct JournalError {
    message: String,
    source: Option<io::Error>,
}

impl JournalError {
    /// With this message, which says where.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            source: None,
        }
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: io::Error) -> Self {
        self.source = Some(source);
        self
    }
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl From<JournalError> for Error {
    fn from(error: JournalError) -> Self {
        super::unusable("ledger", error)
    }
}

impl std::error::Error for JournalError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}
