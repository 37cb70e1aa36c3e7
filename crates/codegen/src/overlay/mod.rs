//! What the vendors' facts do not say, and what they say wrongly: our own words, retry classes,
//! secrets and repairs, laid over a model.
//!
//! Everything an overlay names must exist, so that an entry cannot outlive what it was written for.

mod apply;
mod client;
mod lane;
mod member;
mod repair;
mod words;

use serde_json::Value;
use toml::{Table, Value as Toml};

use crate::fault::{Fault, Faults};

pub use apply::apply;
pub use client::{Choice, Client, Setting, client};
pub use repair::{Reader, repair};
pub use words::Words;

const TABLES: &[&str] = &[
    "summary",
    "verb",
    "noun",
    "link",
    "article",
    "retry",
    "gone",
    "lane",
    "secret",
    "shown_once",
    "client",
    "time",
    "client_default",
    "doc",
    "constraint",
    "repair",
    "error",
    "otc",
    "feature",
    "name",
    "group",
    "resource",
    "wait",
];

/// The tables of a file for a whole cloud.
const CLOUD_TABLES: &[&str] = &["client", "endpoint", "error", "marker", "service"];

/// An overlay file.
#[derive(Debug, Default)]
pub struct Overlay {
    /// The file, as faults name it.
    pub file: String,
    tables: Table,
}

impl Overlay {
    /// Parses the text of a service's overlay.
    pub fn parse(file: &str, text: &str) -> Faults<Self> {
        Self::with_tables(file, text, TABLES)
    }

    /// Parses the text of the file that the services of a cloud share.
    pub fn cloud(file: &str, text: &str) -> Faults<Self> {
        Self::with_tables(file, text, CLOUD_TABLES)
    }

    fn with_tables(file: &str, text: &str, known: &[&str]) -> Faults<Self> {
        let tables: Table = text
            .parse()
            .map_err(|error: toml::de::Error| vec![Fault::new(file, "", error.to_string())])?;
        let faults: Vec<Fault> = tables
            .keys()
            .filter(|table| !known.contains(&table.as_str()))
            .map(|table| Fault::new(file, format!("[{table}]"), "unknown table"))
            .collect();
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Self {
            file: file.to_owned(),
            tables,
        })
    }

    /// A table, empty where it is missing.
    pub(crate) fn table(&self, name: &str) -> &Table {
        static EMPTY: std::sync::LazyLock<Table> = std::sync::LazyLock::new(Table::new);
        self.tables
            .get(name)
            .and_then(Toml::as_table)
            .unwrap_or(&EMPTY)
    }

    pub(crate) fn fault(&self, place: impl Into<String>, message: impl Into<String>) -> Fault {
        Fault::new(&self.file, place, message)
    }
}

/// The texts of a TOML array, or the one text.
pub(crate) fn texts(toml: &Toml) -> Vec<&str> {
    match toml {
        Toml::Array(items) => items.iter().filter_map(Toml::as_str).collect(),
        other => other.as_str().into_iter().collect(),
    }
}

/// TOML as JSON, for comparing overlays with models.
pub(crate) fn json(toml: &Toml) -> Value {
    match toml {
        Toml::String(text) => Value::from(text.as_str()),
        Toml::Integer(number) => Value::from(*number),
        Toml::Float(number) => Value::from(*number),
        Toml::Boolean(truth) => Value::from(*truth),
        Toml::Array(items) => items.iter().map(json).collect(),
        Toml::Table(table) => Value::Object(
            table
                .iter()
                .map(|(key, value)| (key.clone(), json(value)))
                .collect(),
        ),
        Toml::Datetime(moment) => Value::from(moment.to_string()),
    }
}
