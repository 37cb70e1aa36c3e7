//! What a service crate tells the core about its service.

use std::fmt;

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
    /// The environment variables that name its address when none is set, the first one first.
    pub endpoint: &'static [&'static str],
}

/// What a client was told or found out about where and as whom it calls, and where that came from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settled {
    /// The setting, such as `region`, or `endpoint`.
    pub name: &'static str,
    /// Its value; of an address no user, password or query.
    pub value: String,
    /// Where it came from: [`Settled::PROGRAM`], a variable's name, or a place in words.
    pub origin: String,
}

impl Settled {
    /// The origin of what was set on the client's builder.
    pub const PROGRAM: &'static str = "the program";
}

/// What a client goes by, one of a name: `region`, `project_id`, .., and for people its address.
#[derive(Clone, Default)]
pub struct Settings(Vec<Settled>);

impl Settings {
    /// The value of a setting.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.settled(name).map(|settled| settled.value.as_str())
    }

    /// A setting with its origin.
    pub(crate) fn settled(&self, name: &str) -> Option<&Settled> {
        self.0.iter().find(|settled| settled.name == name)
    }

    /// In the place of what was there, sorted by name.
    pub(crate) fn set(
        &mut self,
        name: &'static str,
        value: impl Into<String>,
        origin: impl Into<String>,
    ) {
        let settled = Settled {
            name,
            value: value.into(),
            origin: origin.into(),
        };
        match self.0.binary_search_by_key(&name, |other| other.name) {
            Ok(at) => self.0[at] = settled,
            Err(at) => self.0.insert(at, settled),
        }
    }

    pub(crate) fn all(&self) -> &[Settled] {
        &self.0
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs = self.0.iter().map(|settled| (settled.name, &settled.value));
        f.debug_map().entries(pairs).finish()
    }
}

/// A client setting that supplies members.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Its name, as members refer to it.
    pub name: &'static str,
    /// How a user sets it, for the error that says it is missing: methods of the client's builder in
    /// backquotes (`region(..)`), so that a command can put its flags in their place.
    pub how: &'static str,
    /// The environment variables that count when it is not set, the first one first.
    pub variables: &'static [&'static str],
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

/// The first row of `table` that fits `code`.
pub fn find_code<'a>(table: &'a [Code], code: &str) -> Option<&'a Code> {
    table
        .iter()
        .find(|entry| match entry.code.strip_suffix('*') {
            Some(prefix) => code.starts_with(prefix),
            None => entry.code == code,
        })
}

#[cfg(test)]
mod tests {
    use super::{Code, find_code};
    use crate::{alibaba, huawei, zstack};

    /// A row that another one hides is knowledge that nobody ever sees.
    #[test]
    fn every_row_is_found_by_what_it_names() {
        use alibaba::codes::{CODES, STS};
        let tables: [&[Code]; 4] = [CODES, STS, huawei::codes::CODES, zstack::codes::CODES];
        for table in tables {
            for row in table {
                let code = row.code.replace('*', "Xy");
                let found = find_code(table, &code);
                let itself = found.is_some_and(|found| std::ptr::eq(found, row));
                assert!(itself, "{} is found as {found:?}", row.code);
            }
        }
        // STS is asked before the gateway.
        for row in STS {
            assert!(
                CODES.iter().all(|common| common.code != row.code),
                "{}",
                row.code
            );
        }
    }

    #[test]
    fn the_more_exact_row_counts() {
        let kind = |code| find_code(alibaba::codes::CODES, code).unwrap().kind;
        assert_eq!(kind("InvalidTimeStamp.Expired"), crate::Kind::ClockSkew);
        assert_eq!(
            kind("InvalidTimeStamp.Format"),
            crate::Kind::InvalidArgument
        );
    }
}
