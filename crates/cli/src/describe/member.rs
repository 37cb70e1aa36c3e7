//! A member in words: what the schema says of it, and the type that its place in a record shows.

use std::collections::BTreeSet;

use cumulo_core::Json;
use cumulo_core::record::{Limits, Location, Member, Record, Shape, Slot};
use serde_json::json;

/// A member and, where it is an object, its members.
pub(crate) struct Doc {
    member: &'static Member,
    kind: Kind,
    /// Empty for an object that was described before: records can contain themselves.
    pub(crate) members: Vec<Doc>,
}

/// A type.
enum Kind {
    Scalar(&'static str),
    Object(&'static str, bool),
    List(Box<Kind>),
    Map(Box<Kind>),
}

/// The members of `record`, which is used up as scratch paper.
pub(crate) fn docs(record: &mut dyn Record) -> Vec<Doc> {
    members(record, &mut BTreeSet::new())
}

fn members(record: &mut dyn Record, known: &mut BTreeSet<&'static str>) -> Vec<Doc> {
    let schema = record.schema();
    let mut docs = Vec::new();
    record.write(&mut |values| {
        for (member, value) in schema.members.iter().zip(values) {
            let (kind, members) = look(value.slot(), known);
            docs.push(Doc {
                member,
                kind,
                members,
            });
        }
    });
    docs
}

/// The type of a place, by the kind of slot it offers.
fn look(slot: Slot<'_>, known: &mut BTreeSet<&'static str>) -> (Kind, Vec<Doc>) {
    let scalar = |name| (Kind::Scalar(name), Vec::new());
    match slot {
        Slot::Text(_) => scalar("text"),
        Slot::Secret(_) => scalar("secret text"),
        Slot::Int(_) => scalar("whole number"),
        Slot::Float(_) => scalar("number"),
        Slot::Bool(_) => scalar("true or false"),
        Slot::Bytes(_) => scalar("bytes"),
        Slot::Json(_) => scalar("any JSON"),
        Slot::List(list) => {
            let (kind, docs) = look(list.push().slot(), known);
            (Kind::List(Box::new(kind)), docs)
        }
        Slot::Map(map) => {
            let (kind, docs) = look(map.entry("").slot(), known);
            (Kind::Map(Box::new(kind)), docs)
        }
        Slot::Record(record) => {
            let name = record.schema().name;
            let first = known.insert(name);
            let docs = if first {
                members(record, known)
            } else {
                Vec::new()
            };
            (Kind::Object(name, first), docs)
        }
    }
}

impl Kind {
    fn text(&self) -> String {
        match self {
            Self::Scalar(name) => (*name).to_owned(),
            Self::Object(..) => format!("object{}", self.name()),
            Self::List(element) => format!("list of {}", element.plural()),
            Self::Map(element) => format!("map from text to {}", element.plural()),
        }
    }

    fn plural(&self) -> String {
        match self {
            Self::Scalar("whole number") => "whole numbers".to_owned(),
            Self::Scalar("number") => "numbers".to_owned(),
            Self::Object(..) => format!("objects{}", self.name()),
            Self::List(element) => format!("lists of {}", element.plural()),
            Self::Map(element) => format!("maps from text to {}", element.plural()),
            Self::Scalar(_) => self.text(),
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Object(name, true) => format!(" ({name})"),
            Self::Object(name, false) => format!(" ({name}, as above)"),
            _ => String::new(),
        }
    }

    fn json(&self) -> Json {
        match self {
            Self::Scalar(name) => json!(name),
            Self::Object(name, _) => json!({ "object": name }),
            Self::List(element) => json!({ "list": element.json() }),
            Self::Map(element) => json!({ "map": element.json() }),
        }
    }
}

impl Doc {
    /// Its name in natural nesting.
    fn name(&self) -> String {
        match self.member.shape {
            Shape::Wrapped(inner) => format!("{}.{inner}", self.member.name),
            _ => self.member.name.to_owned(),
        }
    }

    /// One line; with the place where it travels if `placed`.
    pub(crate) fn text(&self, placed: bool) -> String {
        let mut text = format!("{}: {}", self.name(), self.kind.text());
        if let Some(place) = place(self.member.location)
            && (placed || self.member.location == Location::Header)
        {
            text += &format!(", in the {place}");
        }
        if self.member.required {
            text += ", required";
        }
        if let Some(setting) = self.member.setting {
            text += &format!(" (or {})", flag(setting));
        }
        if self.member.shape == Shape::Comma {
            text += "; sent joined with commas";
        }
        for limit in limits(&self.member.limits) {
            text += &format!("; {limit}");
        }
        text
    }

    pub(crate) fn json(&self) -> Json {
        let Limits {
            range,
            len,
            values,
            pattern,
            not_prefix,
        } = self.member.limits;
        let mut json = json!({
            "name": self.member.name,
            "type": self.kind.json(),
            "in": place(self.member.location).unwrap_or("body"),
            "required": self.member.required,
        });
        let mut add = |name: &str, value: Option<Json>| {
            if let Some(value) = value {
                json[name] = value;
            }
        };
        add("setting", self.member.setting.map(Json::from));
        if let Shape::Wrapped(inner) = self.member.shape {
            add("wraps", Some(inner.into()));
        }
        add("range", range.map(|(min, max)| json!([min, max])));
        add("length", len.map(|(min, max)| json!([min, max])));
        add("values", (!values.is_empty()).then(|| json!(values)));
        add("pattern", pattern.map(|(pattern, _)| json!(pattern)));
        add(
            "not_prefix",
            (!not_prefix.is_empty()).then(|| json!(not_prefix)),
        );
        if !self.members.is_empty() {
            add(
                "members",
                Some(self.members.iter().map(Self::json).collect()),
            );
        }
        json
    }
}

fn place(location: Location) -> Option<&'static str> {
    match location {
        Location::Path => Some("path"),
        Location::Query => Some("query"),
        Location::Header => Some("header"),
        Location::Part => Some("multipart body"),
        Location::Raw => Some("body, which it is as a whole"),
        Location::Body => None,
    }
}

/// The option of this command that sets a client's setting.
fn flag(setting: &str) -> &str {
    match setting {
        "region" => "--region",
        "project_id" => "--project-id",
        "instance_id" => "--instance-id",
        other => other,
    }
}

fn limits(limits: &Limits) -> Vec<String> {
    let mut all = Vec::new();
    if let Some((min, max)) = limits.range {
        all.push(match (min, max) {
            (i64::MIN, max) => format!("at most {max}"),
            (min, i64::MAX) => format!("at least {min}"),
            (min, max) => format!("from {min} to {max}"),
        });
    }
    // A pattern's rule tells the length too.
    if let Some((_, rule)) = limits.pattern {
        all.push(rule.to_owned());
    } else if let Some((min, max)) = limits.len {
        all.push(match (min, max) {
            (0, max) => format!("at most {max} characters"),
            (min, u32::MAX) => format!("at least {min} characters"),
            (min, max) if min == max => format!("{min} characters"),
            (min, max) => format!("{min} to {max} characters"),
        });
    }
    if !limits.values.is_empty() {
        all.push(format!("one of {}", limits.values.join(", ")));
    }
    if !limits.not_prefix.is_empty() {
        all.push(format!(
            "not starting with {}",
            limits.not_prefix.join(", ")
        ));
    }
    all
}
