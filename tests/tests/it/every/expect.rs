//! What must stand on the wire? A walk of the model, with the input as plain JSON: method, path,
//! pairs and body by the rules of each cloud's public API pages.

use std::collections::BTreeMap;

use cumulo_core::alibaba::AcsSignature;
use serde_json::{Map, Value};

use super::model::{Model, Operation};
use super::special::supplied;

/// How an Alibaba client is set up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Acs {
    pub(crate) signature: AcsSignature,
    /// All parameters in a form body.
    pub(crate) form: bool,
}

/// Names and values, in the order of the names.
pub(crate) type Pairs = Vec<(String, String)>;

/// A request as it must be.
#[derive(Debug)]
pub(crate) struct Expected {
    pub(crate) method: String,
    /// Decoded segments.
    pub(crate) path: Vec<String>,
    pub(crate) query: Pairs,
    pub(crate) body: Body,
    pub(crate) authenticated: bool,
}

/// A body as it must be.
#[derive(Debug, PartialEq)]
pub(crate) enum Body {
    Empty,
    Json(Value),
    Form(Pairs),
    /// Parts by name; files apart from fields.
    Parts {
        fields: BTreeMap<String, String>,
        files: BTreeMap<String, String>,
    },
}

/// How lists stand in pairs.
#[derive(Clone, Copy, PartialEq)]
enum Lists {
    /// `Key.1`, `Key.2`
    Numbered,
    /// `key`, `key`
    Repeated,
}

/// The request of a call. `token` is the one that the client made, where it made one.
pub(crate) fn request(
    model: &Model,
    operation: &Operation,
    input: &Map<String, Value>,
    acs: Option<Acs>,
    token: Option<&str>,
) -> Expected {
    for member in &operation.input {
        let known = matches!(member.place(), "path" | "query" | "body");
        assert!(
            known,
            "{}: nothing is known of members in {}",
            operation.name(),
            member.place()
        );
    }
    let query = pairs(model, operation, input, token);
    let mut expected = Expected {
        method: operation.method().to_owned(),
        path: path(model, operation, input),
        query,
        body: Body::Empty,
        authenticated: !operation.is_anonymous(),
    };
    if let Some(acs) = acs {
        let secret = input
            .keys()
            .any(|name| model.is_secret(operation.name(), name));
        if acs.form || secret {
            expected.body = Body::Form(std::mem::take(&mut expected.query));
        }
        // Version 1 signs with parameters instead of headers.
        expected.authenticated = acs.signature == AcsSignature::V3;
        return expected;
    }
    expected.body = body(model, operation, input);
    expected
}

fn path(model: &Model, operation: &Operation, input: &Map<String, Value>) -> Vec<String> {
    let fill = |segment: &str| {
        let Some((before, rest)) = segment.split_once('{') else {
            return segment.to_owned();
        };
        let (name, after) = rest.split_once('}').expect("a closed brace");
        let given = input
            .get(name)
            .and_then(Value::as_str)
            .or_else(|| supplied(model, name));
        let value = given.unwrap_or_else(|| panic!("{}: {name} has no value", operation.name()));
        format!("{before}{value}{after}")
    };
    operation.path.split('/').map(fill).collect()
}

fn pairs(
    model: &Model,
    operation: &Operation,
    input: &Map<String, Value>,
    token: Option<&str>,
) -> Pairs {
    let lists = match model.service {
        "smc" | "smartag" => Lists::Numbered,
        _ => Lists::Repeated,
    };
    let mut out = Pairs::new();
    for member in operation
        .input
        .iter()
        .filter(|member| member.place() == "query")
    {
        let name = member.name();
        match input.get(name) {
            Some(Value::Array(items)) if member.style() == "comma" => {
                let joined: Vec<String> = items.iter().map(text).collect();
                out.push((name.to_owned(), joined.join(",")));
            }
            Some(value) => flatten(name, value, lists, &mut out),
            None if operation.token() == Some(name) => {
                out.push((name.to_owned(), token.unwrap_or_default().to_owned()));
            }
            None if member.is_required() => {
                let value = supplied(model, name).expect("a value for a required member");
                out.push((name.to_owned(), value.to_owned()));
            }
            None => {}
        }
    }
    out.sort();
    out
}

fn flatten(key: &str, value: &Value, lists: Lists, out: &mut Pairs) {
    match value {
        Value::Array(items) => {
            for (number, item) in (1..).zip(items) {
                match lists {
                    Lists::Numbered => flatten(&format!("{key}.{number}"), item, lists, out),
                    Lists::Repeated => flatten(key, item, lists, out),
                }
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                flatten(&format!("{key}.{name}"), member, lists, out);
            }
        }
        scalar => out.push((key.to_owned(), text(scalar))),
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn body(model: &Model, operation: &Operation, input: &Map<String, Value>) -> Body {
    let mut in_body = operation
        .input
        .iter()
        .filter(|member| member.place() == "body")
        .peekable();
    if let Some(form) = in_body
        .peek()
        .filter(|member| member.style() == "multipart")
    {
        return parts(model, form.ty(), input);
    }
    if in_body.peek().is_none() && operation.wrapper().is_none() {
        return Body::Empty;
    }
    let members: Map<String, Value> = in_body
        .filter_map(|member| Some((member.name().to_owned(), input.get(member.name())?.clone())))
        .collect();
    let members = Value::Object(members);
    Body::Json(match operation.wrapper() {
        Some(key) => Value::Object(Map::from_iter([(key.to_owned(), members)])),
        None => members,
    })
}

fn parts(model: &Model, ty: &Value, input: &Map<String, Value>) -> Body {
    let super::model::Kind::Struct(_, members) = model.kind(ty) else {
        panic!("a form with parts is a structure")
    };
    let mut fields = BTreeMap::new();
    let mut files = BTreeMap::new();
    for member in members {
        if let Some(value) = input.get(member.name()) {
            let is_file = member.ty() == "binary";
            let map = if is_file { &mut files } else { &mut fields };
            map.insert(member.name().to_owned(), text(value));
        }
    }
    Body::Parts { fields, files }
}
