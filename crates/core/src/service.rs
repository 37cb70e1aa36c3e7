//! What a service crate tells the core about its service.

use crate::error::Kind;

/// The static description of a service.
#[derive(Debug)]
pub struct Service {
    /// Its short name, such as `smc`.
    pub name: &'static str,
    /// API version, where the protocol sends one.
    pub version: &'static str,
    /// Name and version of the client crate, for the User-Agent.
    pub user_agent: &'static str,
    /// What its error codes mean, before the protocol's own codes and the HTTP status count.
    pub codes: &'static [Code],
    /// What the client supplies when an operation leaves it out, and how to set it.
    pub settings: &'static [Setting],
}

/// A client setting that supplies members.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Its name, as members refer to it.
    pub name: &'static str,
    /// How a user sets it, for the error that says it is missing.
    pub how: &'static str,
}

/// The meaning of an error code.
#[derive(Debug, Clone, Copy)]
pub struct Code {
    /// The code; a final `*` stands for any rest.
    pub code: &'static str,
    /// What kind of failure it is. The kind decides about repeating, see [`Kind`].
    pub kind: Kind,
    /// The next step for a person, or empty.
    pub hint: &'static str,
}

/// Finds `code` in `table`.
pub fn find_code<'a>(table: &'a [Code], code: &str) -> Option<&'a Code> {
    table
        .iter()
        .find(|entry| match entry.code.strip_suffix('*') {
            Some(prefix) => code.starts_with(prefix),
            None => entry.code == code,
        })
}
