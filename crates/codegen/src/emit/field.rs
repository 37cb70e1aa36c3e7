//! One member as one line: place, wire name, Rust name, type, settings.

use std::collections::BTreeSet;

use super::Emit;
use super::text::{docs, literal, with_settings};
use crate::model::{Limits, Member, Shared, Type};
use crate::names;
use crate::shapes::wrapped;

/// A member as it is written.
pub(super) struct Field {
    pub docs: Vec<String>,
    pub place: &'static str,
    pub wire: String,
    pub name: String,
    pub ty: String,
    pub settings: Vec<String>,
    /// Whether it is an argument of `new`.
    pub argument: bool,
}

impl Field {
    pub(super) fn line(&self, indent: &str) -> String {
        let space = if self.place.is_empty() { "" } else { " " };
        let wire = literal(&self.wire);
        let head = format!("{}{space}{wire} {}: {}", self.place, self.name, self.ty);
        docs(indent, &self.docs) + &with_settings(indent, &head, &self.settings, ",")
    }
}

impl Emit<'_> {
    /// The members of an operation, in the order of the table: path members first.
    pub(super) fn operation_fields(&self, members: &[Member]) -> Vec<Field> {
        let mut flat: Vec<(&'static str, &Member)> = Vec::new();
        for member in members {
            match (&member.ty, member.style.as_str()) {
                (Type::Struct(parts), "multipart") => {
                    let is_file = |m: &&Member| m.ty == Type::Bytes;
                    flat.extend(parts.iter().filter(|m| !is_file(m)).map(|m| ("part", m)));
                    flat.extend(parts.iter().filter(is_file).map(|m| ("part", m)));
                }
                (_, "raw") => flat.push(("raw", member)),
                _ => flat.push((place(&member.place), member)),
            }
        }
        flat.sort_by_key(|(place, _)| *place != "path");
        let mut taken = BTreeSet::new();
        flat.iter()
            .map(|(place, member)| self.input_field(place, member, None, &mut taken))
            .collect()
    }

    /// The members of a structure that callers fill.
    pub(super) fn input_fields(&self, owner: &str, members: &[Member]) -> Vec<Field> {
        let mut taken = BTreeSet::new();
        members
            .iter()
            .map(|m| self.input_field("", m, Some(owner), &mut taken))
            .collect()
    }

    fn input_field(
        &self,
        place: &'static str,
        member: &Member,
        owner: Option<&str>,
        taken: &mut BTreeSet<String>,
    ) -> Field {
        let mut settings = Vec::new();
        if let Some(setting) = &member.setting {
            settings.push("required()".to_owned());
            settings.push(format!("setting({})", literal(setting)));
        }
        if member.style == "comma" {
            settings.push("comma()".into());
        }
        if owner.is_some() && self.is_enum(&member.ty) {
            settings.push("named(\"name\")".into());
        }
        settings.extend(self.limits(member));
        Field {
            docs: self.notes(member),
            place,
            wire: member.name.clone(),
            name: names::field(&member.name, place, taken),
            ty: self.boxed(&member.ty, owner),
            settings,
            argument: member.required && member.setting.is_none(),
        }
    }

    /// The members of an answer, or of a structure that only services fill.
    pub(super) fn output_fields(&self, owner: &str, members: &[Member]) -> Vec<Field> {
        let mut taken = BTreeSet::new();
        let field = |member: &Member| {
            let mut settings = Vec::new();
            let mut ty = &member.ty;
            if let Some(inner) = wrapped(member, false) {
                settings.push(format!("wrapped({})", literal(&inner.name)));
                ty = &inner.ty;
            }
            if member.style == "raw" {
                settings.push("whole()".into());
            }
            if member.place == "header" {
                settings.push("in_header()".into());
            }
            if self.is_enum(ty) {
                settings.push("named(\"name\")".into());
            }
            let ty = match ty {
                Type::List(_) | Type::Map(_) => self.rust(ty),
                _ => format!("Option<{}>", self.boxed(ty, Some(owner))),
            };
            let mut docs = Vec::new();
            docs.extend(member.doc.clone());
            docs.extend(self.one_of(&member.ty));
            Field {
                docs,
                place: "",
                wire: member.name.clone(),
                name: names::field(&member.name, "", &mut taken),
                ty,
                settings,
                argument: false,
            }
        };
        members.iter().map(field).collect()
    }

    fn notes(&self, member: &Member) -> Vec<String> {
        let mut notes = Vec::new();
        notes.extend(member.doc.clone());
        if let Some(rule) = &member.limits.rule
            && member.doc.is_none()
        {
            let mut chars = rule.chars();
            let first = chars
                .next()
                .map(|c| c.to_uppercase().to_string())
                .unwrap_or_default();
            notes.push(format!("{first}{}.", chars.as_str()));
        }
        notes.extend(self.one_of(&member.ty));
        if let Some(pattern) = member
            .limits
            .pattern
            .as_deref()
            .filter(|p| whole(p).is_none())
        {
            notes.push(format!("Documented pattern: `{pattern}`."));
        }
        let said = member.doc.as_ref().is_some_and(|doc| doc.contains("unset"));
        let default = member
            .default
            .as_deref()
            .filter(|d| !said && !d.is_empty() && *d != "null");
        if let Some(default) = default {
            notes.push(format!(
                "Taken if unset: `{}`.",
                default.replace(['`', '\n'], " ")
            ));
        }
        notes
    }

    fn one_of(&self, ty: &Type) -> Option<String> {
        let inner = ty.innermost();
        if !self.is_enum(inner) {
            return None;
        }
        self.shapes
            .name(inner)
            .map(|name| format!("Values: [`{name}`]."))
    }

    pub(super) fn is_enum(&self, ty: &Type) -> bool {
        matches!(ty, Type::Ref(name) if matches!(self.model.types.get(name), Some(Shared::Enum(_))))
    }

    /// The Rust form of a type.
    pub(super) fn rust(&self, ty: &Type) -> String {
        match ty {
            Type::Text => "String".into(),
            Type::Int => "i64".into(),
            Type::Float => "f64".into(),
            Type::Bool => "bool".into(),
            Type::Time => "Timestamp".into(),
            Type::Any => "Json".into(),
            Type::Bytes => "Bytes".into(),
            Type::Secret => "Secret".into(),
            Type::List(inner) => format!("Vec<{}>", self.rust(inner)),
            Type::Map(inner) => format!("BTreeMap<String, {}>", self.rust(inner)),
            ty if self.is_enum(ty) => "String".into(),
            ty => self.shapes.name(ty).unwrap_or("Json").to_owned(),
        }
    }

    fn boxed(&self, ty: &Type, owner: Option<&str>) -> String {
        let rust = self.rust(ty);
        match (owner, ty) {
            (Some(owner), Type::Ref(_) | Type::Struct(_))
                if self.shapes.recursive(owner, &rust) =>
            {
                format!("Box<{rust}>")
            }
            _ => rust,
        }
    }

    fn limits(&self, member: &Member) -> Vec<String> {
        let limits = &member.limits;
        let mut settings = Vec::new();
        let text = matches!(member.ty.innermost(), Type::Text | Type::Secret);
        if text || matches!(member.ty.innermost(), Type::Int | Type::Float) {
            settings.extend(range(limits));
        }
        if text {
            settings.extend(length(limits));
        }
        let enumeration = match member.ty.innermost() {
            Type::Ref(name) => match self.model.types.get(name) {
                Some(Shared::Enum(values)) => values.as_slice(),
                _ => &[],
            },
            _ => &[],
        };
        let values = if limits.values.is_empty() {
            enumeration
        } else {
            &limits.values
        };
        if !values.is_empty() {
            let values: Vec<String> = values.iter().map(|value| literal(value)).collect();
            settings.push(format!("values(&[{}])", values.join(", ")));
        }
        if let Some(pattern) = limits.pattern.as_deref().and_then(whole) {
            let rule = limits
                .rule
                .clone()
                .unwrap_or_else(|| format!("must match {pattern}"));
            settings.push(format!(
                "pattern({}, {})",
                literal(&pattern),
                literal(&rule)
            ));
        }
        if !limits.not_prefix.is_empty() {
            let prefixes: Vec<String> = limits.not_prefix.iter().map(|p| literal(p)).collect();
            settings.push(format!("not_prefix(&[{}])", prefixes.join(", ")));
        }
        settings
    }
}

fn place(place: &str) -> &'static str {
    match place {
        "path" => "path",
        "header" => "header",
        "body" => "body",
        _ => "query",
    }
}

fn range(limits: &Limits) -> Option<String> {
    let bound = |number: i64| match number {
        i64::MAX => "i64::MAX".to_owned(),
        i64::MIN => "i64::MIN".to_owned(),
        number => number.to_string(),
    };
    match (limits.min, limits.max) {
        (None, None) => None,
        (min, max) => {
            let (min, max) = (min.unwrap_or(i64::MIN), max.unwrap_or(i64::MAX));
            Some(format!("range({}, {})", bound(min), bound(max)))
        }
    }
}

fn length(limits: &Limits) -> Option<String> {
    match (limits.min_len, limits.max_len) {
        (None, None) => None,
        (min, None) => Some(format!("len({}, u32::MAX)", min.unwrap_or(0))),
        (min, Some(max)) => Some(format!("len({}, {max})", min.unwrap_or(0))),
    }
}

/// A pattern for the whole value, if the runtime's regular expressions know its syntax.
fn whole(pattern: &str) -> Option<String> {
    let anchored = if pattern.starts_with('^') && pattern.ends_with('$') {
        pattern.to_owned()
    } else {
        format!("^(?:{pattern})$")
    };
    regex_lite::Regex::new(&anchored).ok().map(|_| anchored)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_that_the_runtime_cannot_read_are_dropped() {
        assert_eq!(whole("[a-z]+").as_deref(), Some("^(?:[a-z]+)$"));
        assert_eq!(whole("^a$").as_deref(), Some("^a$"));
        assert_eq!(whole("(?=a)b"), None);
    }

    #[test]
    fn one_bound_leaves_the_other_open() {
        let limits = Limits {
            min: Some(1),
            ..Limits::default()
        };
        assert_eq!(range(&limits).as_deref(), Some("range(1, i64::MAX)"));
        let limits = Limits {
            max_len: Some(64),
            ..Limits::default()
        };
        assert_eq!(length(&limits).as_deref(), Some("len(0, 64)"));
    }
}
