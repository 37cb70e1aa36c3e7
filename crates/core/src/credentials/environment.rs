//! Environment variables and the home directory, injected so that tests need not change the process.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Where variables come from.
#[derive(Clone)]
pub struct Environment(Option<Arc<BTreeMap<String, String>>>);

impl Environment {
    /// The process's own environment, read at each call.
    pub fn process() -> Self {
        Self(None)
    }

    /// Exactly these variables.
    pub fn fixed<K: Into<String>, V: Into<String>>(
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let all = variables
            .into_iter()
            .map(|(key, value)| (key.into(), value.into()));
        Self(Some(Arc::new(all.collect())))
    }

    /// No variables at all.
    pub fn empty() -> Self {
        Self(Some(Arc::default()))
    }

    /// A variable's value; an empty one counts as not set.
    pub fn var(&self, name: &str) -> Option<String> {
        let value = match &self.0 {
            None => std::env::var(name).ok(),
            Some(fixed) => fixed.get(name).cloned(),
        };
        value.filter(|value| !value.is_empty())
    }

    /// The first of several variables that is set, with its name.
    pub fn first<'a>(&self, names: &[&'a str]) -> Option<(&'a str, String)> {
        names.iter().find_map(|name| Some((*name, self.var(name)?)))
    }

    /// Whether a switch is on: `true` or `1`, in any case.
    pub fn flag(&self, name: &str) -> bool {
        self.var(name)
            .is_some_and(|value| value == "1" || value.eq_ignore_ascii_case("true"))
    }

    /// The home directory.
    pub fn home(&self) -> Option<PathBuf> {
        self.first(&["HOME", "USERPROFILE"])
            .map(|(_, home)| PathBuf::from(home))
    }
}

impl fmt::Debug for Environment {
    /// Names only: values are secrets as likely as not.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_str("Environment(process)"),
            Some(fixed) => f.debug_set().entries(fixed.keys()).finish(),
        }
    }
}
