//! A service as the generator sees it: operations, members and types, after repairs.

use std::collections::BTreeMap;

use serde_json::Value;

/// The type of a member.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Type {
    /// Text.
    #[default]
    Text,
    /// A whole number of any width.
    Int,
    /// A number with a fraction.
    Float,
    /// A truth value.
    Bool,
    /// A moment, as text.
    Time,
    /// Any JSON.
    Any,
    /// A file, or a body that is not JSON.
    Bytes,
    /// Text that must not be printed.
    Secret,
    /// A list.
    List(Box<Type>),
    /// A map from text.
    Map(Box<Type>),
    /// A shared type of the model.
    Ref(String),
    /// A structure without a name.
    Struct(Vec<Member>),
}

impl Type {
    /// The type inside all lists and maps.
    pub fn innermost(&self) -> &Self {
        match self {
            Self::List(inner) | Self::Map(inner) => inner.innermost(),
            other => other,
        }
    }
    /// The same, to be changed.
    pub fn innermost_mut(&mut self) -> &mut Self {
        match self {
            Self::List(inner) | Self::Map(inner) => inner.innermost_mut(),
            other => other,
        }
    }
}

/// What the vendor documents about permitted values.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Limits {
    /// Smallest number.
    pub min: Option<i64>,
    /// Largest number.
    pub max: Option<i64>,
    /// Fewest characters.
    pub min_len: Option<u32>,
    /// Most characters.
    pub max_len: Option<u32>,
    /// Documented values, as text.
    pub values: Vec<String>,
    /// A regular expression for the whole value.
    pub pattern: Option<String>,
    /// The rule in words.
    pub rule: Option<String>,
    /// Texts that it must not start with.
    pub not_prefix: Vec<String>,
}

/// A member of an input, an output or a structure.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    /// Its name on the wire.
    pub name: String,
    /// `path`, `query`, `header` or `body`; empty inside structures.
    pub place: String,
    /// `raw` and `multipart`: the member is the whole body.
    pub style: String,
    /// Its type.
    pub ty: Type,
    /// Whether the service insists on it.
    pub required: bool,
    /// Documented limits.
    pub limits: Limits,
    /// What the service takes if it is not set.
    pub default: Option<String>,
    /// A note of our own.
    pub doc: Option<String>,
    /// The client setting that supplies it.
    pub setting: Option<String>,
}

/// A shared type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shared {
    /// A structure.
    Struct(Vec<Member>),
    /// Text with documented values.
    Enum(Vec<String>),
}

/// How an operation hands out its pages. `items` is the wire path of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Paging {
    Number {
        page: String,
        size: String,
        total: String,
        items: String,
    },
    Token {
        token: String,
        next: String,
        /// Empty where the caller has no say in the size of a page.
        size: String,
        items: String,
    },
    Offset {
        offset: String,
        limit: String,
        total: String,
        items: String,
    },
    Query {
        items: String,
    },
}

/// One operation.
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools)] // Each is a fact of its own; no two make a state.
pub struct Operation {
    /// Its official name.
    pub name: String,
    /// Its group, in kebab case.
    pub group: String,
    /// HTTP method.
    pub method: String,
    /// Path template.
    pub path: String,
    /// Members of the request.
    pub input: Vec<Member>,
    /// Members of the answer.
    pub output: Vec<Member>,
    /// The member that carries the client token.
    pub token: Option<String>,
    /// How it pages.
    pub paging: Option<Paging>,
    /// Whether it runs as a job.
    pub job: bool,
    /// Whether it needs no credentials.
    pub anonymous: bool,
    /// The key that wraps the body's members.
    pub wrapper: Option<String>,
    /// Whether the vendor advises against it.
    pub deprecated: bool,
    /// Our own line, from the overlay.
    pub summary: String,
    /// Its retry class, from the overlay.
    pub retry: String,
    /// What it must not run beside, from the overlay: a lane, and its own names of the lane's members.
    pub lane: Option<(String, Vec<String>)>,
    /// Codes that mean success on a repeat, since the thing is gone; from the overlay.
    pub gone: Vec<String>,
    /// Secrets of its answer that no other call returns, as wire paths, from the overlay.
    pub shown_once: Vec<String>,
    /// Further lines of documentation.
    pub notes: Vec<String>,
}

/// A service.
#[derive(Debug, Clone, Default)]
pub struct Model {
    /// The file that it was read from.
    pub file: String,
    /// `smc`, `smartag`, `apig` or `zstack`.
    pub service: String,
    /// Version of the API.
    pub version: String,
    /// `acs-rpc`, `huawei-rest` or `zstack-rest`.
    pub protocol: String,
    /// Where the service answers, with `{region}` where it matters, if one rule says so.
    pub host: Option<String>,
    /// All operations, by name.
    pub operations: Vec<Operation>,
    /// Shared types.
    pub types: BTreeMap<String, Shared>,
    /// Members of every query operation (ZStack).
    pub query_input: Vec<Member>,
    /// Members that every writing call takes (ZStack): system tags and user tags.
    pub common_input: Vec<Member>,
}

/// The text of a scalar.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
