//! Environment variables and the home directory, injected so that tests need not change the process.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Where variables come from.
#[derive(Clone)]
pub struct Environment {
    /// Only these; else those of the process.
    fixed: Option<Arc<BTreeMap<String, String>>>,
    /// What counts before all of them.
    first: Option<Arc<BTreeMap<String, String>>>,
}

impl Environment {
    /// The process's own environment, read at each call.
    pub fn process() -> Self {
        Self {
            fixed: None,
            first: None,
        }
    }

    /// Exactly these variables.
    pub fn fixed<K: Into<String>, V: Into<String>>(
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let all = variables
            .into_iter()
            .map(|(key, value)| (key.into(), value.into()));
        Self {
            fixed: Some(Arc::new(all.collect())),
            first: None,
        }
    }

    /// The same, where the variable `name` has this value.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let first = self.first.get_or_insert_default();
        Arc::make_mut(first).insert(name.into(), value.into());
        self
    }

    /// No variables at all.
    pub fn empty() -> Self {
        Self {
            fixed: Some(Arc::default()),
            first: None,
        }
    }

    /// A variable's value; an empty one counts as not set.
    pub fn var(&self, name: &str) -> Option<String> {
        let first = self.first.as_ref().and_then(|first| first.get(name));
        let value = match (first, &self.fixed) {
            (Some(value), _) => Some(value.clone()),
            (None, None) => std::env::var(name).ok(),
            (None, Some(fixed)) => fixed.get(name).cloned(),
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
        let first = self.first.iter().flat_map(|first| first.keys());
        match &self.fixed {
            None => f.write_str("Environment(process)"),
            Some(fixed) => f.debug_set().entries(first.chain(fixed.keys())).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_can_be_put_before_all_others() {
        let environment = Environment::fixed([("A", "1"), ("B", "2")]);
        let changed = environment.clone().with("A", "3").with("C", "s3cr3t");
        let all = |environment: &Environment| ["A", "B", "C"].map(|name| environment.var(name));
        let texts = |values: [Option<&str>; 3]| values.map(|value| value.map(str::to_owned));
        assert_eq!(all(&environment), texts([Some("1"), Some("2"), None]));
        assert_eq!(all(&changed), texts([Some("3"), Some("2"), Some("s3cr3t")]));
        assert!(!format!("{changed:?}").contains("s3cr3t"));
    }
}
