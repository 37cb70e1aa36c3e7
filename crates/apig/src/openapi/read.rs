//! What does an OpenAPI file define, and what of it will the gateway refuse or leave out?
//!
//! Source: the user manual's page "Restrictions and Compatibility" of imports, and those of the
//! `x-apigateway-` extensions.

use std::fmt;

use cumulo_core::huawei::credentials::yaml_of_text;
use serde_json::Value;

use super::NAME;
use crate::{Error, Kind};

const METHODS: &[&str] = &[
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];
/// In place of a method: every method.
const ANY: &str = "x-apigateway-any-method";

/// What becomes of a part of a file that the gateway cannot take as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// The operation does not become an API.
    Refused,
    /// The operation becomes an API without this part.
    LeftOut,
}

/// A part of a file that the gateway does not take as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Restriction {
    /// Where it stands, such as `paths./pets.get.parameters.0`.
    pub place: String,
    /// What is not taken.
    pub what: String,
    /// What becomes of it.
    pub effect: Effect,
}

impl fmt::Display for Restriction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let effect = match self.effect {
            Effect::Refused => "refused",
            Effect::LeftOut => "left out",
        };
        write!(f, "{effect}: {} ({})", self.what, self.place)
    }
}

/// An operation of a file.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Defined {
    /// In upper case; `ANY` for every method.
    pub method: String,
    /// With what stands before all paths.
    pub path: String,
    /// What the API will be called, where the file says so.
    pub name: Option<String>,
    /// What the gateway does not take of it.
    pub restrictions: Vec<Restriction>,
    /// Whether the path is only the beginning (`x-apigateway-match-mode: SWA`).
    pub prefix: bool,
}

impl Defined {
    /// Whether it becomes no API.
    pub fn is_refused(&self) -> bool {
        let mut all = self.restrictions.iter();
        all.any(|one| one.effect == Effect::Refused)
    }

    /// What no two APIs of a group may share; the names of path parameters do not count.
    pub(super) fn key(&self) -> (String, String, bool) {
        key(&self.method, &self.path, self.prefix)
    }
}

pub(super) fn key(method: &str, path: &str, prefix: bool) -> (String, String, bool) {
    let parts = path.split('/');
    let parts = parts.map(|part| if part.starts_with('{') { "{}" } else { part });
    (
        method.to_owned(),
        parts.collect::<Vec<_>>().join("/"),
        prefix,
    )
}

/// A file of definitions: OpenAPI 3, or 2, called Swagger then; JSON or YAML.
#[derive(Clone)]
pub struct Definition {
    pub(super) text: String,
    title: String,
    operations: Vec<Defined>,
}

impl fmt::Debug for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Definition")
            .field("title", &self.title)
            .field("operations", &self.operations)
            .finish_non_exhaustive()
    }
}

impl Definition {
    /// Reads a file's text.
    ///
    /// # Errors
    /// When it is neither JSON nor YAML, with the line; or no OpenAPI 2 or 3, with the place.
    pub fn read(text: impl Into<String>) -> Result<Self, Error> {
        let text = text.into();
        let wrong = |why: String| Error::new(Kind::InvalidInput, NAME, why);
        let root = if text.trim_start().starts_with('{') {
            serde_json::from_str(&text)
                .map_err(|error| wrong(format!("the file is no JSON: {error}")))?
        } else {
            yaml_of_text(&text)
                .map_err(|(line, what)| wrong(format!("line {line} of the file {what}")))?
        };
        let version = |name: &str| match &root[name] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let old = version("swagger").starts_with('2');
        if !old && !version("openapi").starts_with("3.") {
            return Err(wrong(
                "the file has neither `swagger: \"2.0\"` nor `openapi: 3.x`".into(),
            ));
        }
        let paths = root["paths"]
            .as_object()
            .ok_or_else(|| wrong("`paths` is no object".into()))?;
        let title = root["info"]["title"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let base = root["basePath"]
            .as_str()
            .filter(|_| old)
            .unwrap_or_default();
        let reader = Reader { root: &root, old };
        let mut operations: Vec<Defined> = Vec::new();
        for (path, item) in paths {
            let place = format!("paths.{path}");
            if path.starts_with("x-") {
                continue;
            }
            if !path.starts_with('/') {
                return Err(wrong(format!("`{place}` does not start with `/`")));
            }
            let item = item
                .as_object()
                .ok_or_else(|| wrong(format!("`{place}` is no object")))?;
            for (method, one) in item.iter().filter(|(name, _)| is_method(name)) {
                let place = format!("{place}.{method}");
                if !one.is_object() {
                    return Err(wrong(format!("`{place}` is no object")));
                }
                let path = format!("{}{path}", base.trim_end_matches('/'));
                let mut defined = reader.operation(&path, method, one, &place);
                if let Some(twin) = operations.iter().find(|other| other.key() == defined.key()) {
                    let what = format!("it is the same API as {} {}", twin.method, twin.path);
                    defined.restrictions.push(refused(&place, what));
                }
                operations.push(defined);
            }
        }
        Ok(Self {
            text,
            title,
            operations,
        })
    }

    /// `info.title`: what a new group is called.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The operations, in the order of the file's paths.
    pub fn operations(&self) -> &[Defined] {
        &self.operations
    }

    /// All that the gateway does not take as it is.
    pub fn restrictions(&self) -> impl Iterator<Item = &Restriction> {
        self.operations.iter().flat_map(|one| &one.restrictions)
    }
}

fn is_method(name: &str) -> bool {
    METHODS.contains(&name) || name == ANY
}

fn refused(place: &str, what: impl Into<String>) -> Restriction {
    Restriction {
        place: place.to_owned(),
        what: what.into(),
        effect: Effect::Refused,
    }
}

fn left_out(place: &str, what: impl Into<String>) -> Restriction {
    Restriction {
        effect: Effect::LeftOut,
        ..refused(place, what)
    }
}

struct Reader<'a> {
    root: &'a Value,
    old: bool,
}

impl Reader<'_> {
    fn operation(&self, path: &str, method: &str, one: &Value, place: &str) -> Defined {
        let mut found = Vec::new();
        if method == "trace" {
            found.push(refused(place, "the gateway has no method TRACE"));
        }
        for part in path.split('/').filter(|part| part.contains(['{', '}'])) {
            let name = part
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'));
            if name.is_none_or(|name| name.contains(['{', '}', '+'])) {
                let what = format!("`{part}`: a path parameter is a whole part of the path");
                found.push(refused(place, what));
            }
        }
        let parameters = one["parameters"].as_array().into_iter().flatten();
        for (at, parameter) in parameters.enumerate() {
            let place = format!("{place}.parameters.{at}");
            found.extend(self.parameter(parameter, &place));
        }
        for name in ["consumes", "produces"] {
            if one.get(name).is_some() {
                let what = format!("the gateway does not know `{name}`: any type of body passes");
                found.push(left_out(&format!("{place}.{name}"), what));
            }
        }
        if one.get("requestBody").is_some() {
            let what = "bodies pass as they are: the gateway keeps no schema of them";
            found.push(left_out(&format!("{place}.requestBody"), what));
        }
        found.extend(self.security(one, place));
        found.extend(backend(&one["x-apigateway-backend"], place));
        Defined {
            method: if method == ANY {
                "ANY".to_owned()
            } else {
                method.to_uppercase()
            },
            path: path.to_owned(),
            name: one["operationId"].as_str().map(str::to_owned),
            restrictions: found,
            prefix: one["x-apigateway-match-mode"] == "SWA",
        }
    }

    fn parameter(&self, parameter: &Value, place: &str) -> Option<Restriction> {
        let parameter = match parameter["$ref"].as_str() {
            None => parameter,
            Some(to) => match to.strip_prefix('#').and_then(|at| self.root.pointer(at)) {
                Some(there) => there,
                None => return Some(refused(place, format!("`{to}` leads nowhere in this file"))),
            },
        };
        let name = parameter["name"].as_str().unwrap_or_default();
        let place_of = parameter["in"].as_str().unwrap_or_default();
        if !matches!(place_of, "path" | "query" | "header" | "cookie") {
            let what = format!("`{name}`: parameters in `{place_of}` cannot be configured");
            return Some(refused(place, what));
        }
        let schema = if self.old {
            parameter
        } else {
            &parameter["schema"]
        };
        match schema["type"].as_str() {
            Some("string" | "integer" | "long" | "float" | "double" | "number") => None,
            other => {
                let other = other.unwrap_or("no type");
                let what = format!("`{name}`: {other}, where parameters are texts or numbers");
                Some(refused(place, what))
            }
        }
    }

    fn security(&self, one: &Value, place: &str) -> Option<Restriction> {
        let wanted = one.get("security").or_else(|| self.root.get("security"))?;
        let name = wanted.get(0)?.as_object()?.keys().next()?;
        let schemes = match self.old {
            true => &self.root["securityDefinitions"],
            false => &self.root["components"]["securitySchemes"],
        };
        match schemes[name]["x-apigateway-auth-type"].as_str() {
            Some("AppSigv1" | "IAM") if schemes[name]["type"] == "apiKey" => None,
            _ => Some(refused(
                &format!("{place}.security"),
                format!("`{name}` is no apiKey with x-apigateway-auth-type AppSigv1 or IAM"),
            )),
        }
    }
}

fn backend(given: &Value, place: &str) -> Option<Restriction> {
    let place = format!("{place}.x-apigateway-backend");
    if given.is_null() {
        return Some(refused(&place, "nothing says what answers the API"));
    }
    let kind = given["type"].as_str().unwrap_or_default().to_uppercase();
    let (inner, members): (&str, &[&str]) = match kind.as_str() {
        "HTTP" => ("httpEndpoints", &["address", "scheme", "method", "path"]),
        "HTTP-VPC" => ("httpVpcEndpoints", &["name", "scheme", "method", "path"]),
        "FUNCTION" => ("functionEndpoints", &["function-urn"]),
        "MOCK" => ("mockEndpoints", &[]),
        other => return Some(refused(&place, format!("`{other}` is no type of backend"))),
    };
    let missing = members.iter().find(|name| given[inner][**name].is_null());
    missing.map(|name| refused(&place, format!("`{inner}.{name}` is missing")))
}
