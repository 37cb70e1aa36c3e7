//! What does an operation answer that nobody wrote by hand? Values made from its model, the same
//! at every call; what the request says comes back in the members of the same name, so that a
//! created thing has the name that was given to it.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::clock;
use crate::encode;

use super::input::Input;
use super::page::Page;
use super::{Location, Member, Model, Operation, Shared, Type};

/// The first moment of 2026: dates are counted from here.
const FIRST_DATE: i64 = 1_767_225_600;
/// Longer lists in a request are not repeated whole.
const MOST_REPEATED: usize = 1000;
/// Lists in lists in lists have one element, so that answers stay small.
const DEEP: usize = 2;

/// Under this name, which no model has, a kept thing says which one of its kind it is: all that
/// is made up about it is the same wherever it is shown.
pub(crate) const NUMBER: &str = "";

/// The habits of a service.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Dialect {
    Acs,
    Apig,
    /// With the server's wall clock, in seconds east of UTC.
    Zstack(i32),
}

/// Makes values for one answer.
pub(crate) struct Maker<'a> {
    pub(crate) model: &'a Model,
    pub(crate) dialect: Dialect,
    pub(crate) page: Option<Page<'a>>,
}

/// Where in an answer a value stands.
struct Place<'a> {
    /// Number of the element, in the innermost list that it belongs to.
    index: usize,
    depth: usize,
    /// The named types around: one of them again would never end.
    inside: Vec<&'a str>,
    /// The way from here to the list that is paged.
    paged: &'a [String],
}

impl<'a> Maker<'a> {
    /// The members of an answer's body.
    pub(crate) fn body(&'a self, operation: &'a Operation, input: &Input) -> Map<String, Value> {
        let mut place = Place::top(self.page.as_ref());
        let members = operation
            .output
            .iter()
            .filter(|member| member.location == Location::Body && !member.raw);
        self.object(members, Some(input), &mut place)
    }

    /// One value that stands alone, a raw body, a header or a row, with what `given` says of it.
    pub(crate) fn single(
        &'a self,
        member: &'a Member,
        index: usize,
        given: Option<&Value>,
    ) -> Value {
        let mut place = Place {
            index,
            ..Place::top(None)
        };
        self.value(member, &member.ty, given, &mut place)
            .unwrap_or_default()
    }

    /// The first elements of a list member, with what `given` says about each.
    pub(crate) fn rows(
        &'a self,
        member: &'a Member,
        count: usize,
        given: Option<&Value>,
    ) -> Vec<Value> {
        let Type::List(inner) = &member.ty else {
            return Vec::new();
        };
        (0..count)
            .filter_map(|index| {
                let mut place = Place {
                    index,
                    depth: 1,
                    ..Place::top(None)
                };
                self.value(member, inner, given, &mut place)
            })
            .collect()
    }

    /// One member of the `number`th row of a list, of which nothing is given: what it is in the whole
    /// row that [`rows`](Self::rows) makes.
    pub(crate) fn part(
        &'a self,
        list: &'a Member,
        member: &'a Member,
        number: u64,
    ) -> Option<Value> {
        let Type::List(inner) = &list.ty else {
            return None;
        };
        let mut place = Place {
            depth: 2,
            inside: match &**inner {
                Type::Ref(name) => vec![name],
                _ => Vec::new(),
            },
            ..Place::top(None)
        };
        let given = Input::from_iter([(NUMBER.to_owned(), number.into())]);
        let mut made = self.object(std::iter::once(member), Some(&given), &mut place);
        made.remove(&member.name)
    }

    fn object(
        &'a self,
        members: impl Iterator<Item = &'a Member>,
        given: Option<&Input>,
        place: &mut Place<'a>,
    ) -> Map<String, Value> {
        let top = place.depth == 0;
        let paged = place.paged;
        let before = place.index;
        let number = given.and_then(|given| given.get(NUMBER)?.as_u64());
        if let Some(number) = number {
            place.index = number as usize;
        }
        let mut out = Map::new();
        for member in members {
            let name = member.name.as_str();
            if top && let Some(value) = self.said(name, &member.ty) {
                out.insert(name.to_owned(), value);
                continue;
            }
            place.paged = match paged.split_first() {
                Some((first, rest)) if first == name => {
                    let kept = self.page.as_ref().is_some_and(|page| page.kept);
                    if rest.is_empty() && !kept && matches!(member.ty, Type::List(_)) {
                        let items = self.page_of(member, place);
                        out.insert(name.to_owned(), items);
                        continue;
                    }
                    rest
                }
                _ => &[],
            };
            let same = given.and_then(|given| given.get(name));
            if number.is_some()
                && let Some(value) = self.unsaid(&member.ty, same)
            {
                if !value.is_null() {
                    out.insert(name.to_owned(), value);
                }
                continue;
            }
            let value = match (same, self.model.members(&member.ty)) {
                // The envelope around a thing: what was said about the thing stands inside.
                (None, Some(_)) if top => {
                    let inside = given.map(|given| Value::Object(given.clone()));
                    self.value(member, &member.ty, inside.as_ref(), place)
                }
                _ => self.value(member, &member.ty, same, place),
            };
            if let Some(value) = value {
                out.insert(name.to_owned(), value);
            }
        }
        place.paged = paged;
        place.index = before;
        out
    }

    /// What a kept thing has where nobody gave anything: no elements, and no text. Null where the
    /// service leaves the member out.
    fn unsaid(&self, ty: &Type, given: Option<&Value>) -> Option<Value> {
        match (ty, given) {
            (Type::List(_), None) => Some(json!([])),
            (Type::Map(_), None) => Some(json!({})),
            (Type::Text, Some(Value::Null)) => Some(match self.dialect {
                Dialect::Zstack(_) => Value::Null,
                _ => json!(""),
            }),
            _ => None,
        }
    }

    /// What the answer as a whole says about its page or its success.
    fn said(&self, name: &str, ty: &Type) -> Option<Value> {
        if let Some(value) = self.page.as_ref().and_then(|page| page.says(name)) {
            return Some(value);
        }
        if !matches!(self.dialect, Dialect::Acs) {
            return None;
        }
        match (name, ty) {
            ("Success", Type::Bool) => Some(json!(true)),
            ("Success", Type::Text) => Some(json!("true")),
            ("Code" | "HttpStatusCode", Type::Text) => Some(json!("200")),
            ("HttpStatusCode", Type::Int32) => Some(json!(200)),
            ("Message", Type::Text) => Some(json!("successful")),
            _ => None,
        }
    }

    fn page_of(&'a self, member: &'a Member, place: &Place<'a>) -> Value {
        let (Type::List(inner), Some(page)) = (&member.ty, &self.page) else {
            return json!([]);
        };
        page.items()
            .filter_map(|index| {
                let mut place = Place {
                    index,
                    depth: place.depth + 1,
                    inside: Vec::new(),
                    paged: &[],
                };
                self.value(member, inner, None, &mut place)
            })
            .collect()
    }

    /// `None` where a type would hold itself without end.
    fn value(
        &'a self,
        member: &'a Member,
        ty: &'a Type,
        given: Option<&Value>,
        place: &mut Place<'a>,
    ) -> Option<Value> {
        let value = match ty {
            Type::Text => match given {
                // Ids that another answer lists, as one text.
                Some(Value::Array(items)) => {
                    let items: Vec<String> = items.iter().filter_map(scalar).collect();
                    json!(items.join(","))
                }
                given => json!(
                    given
                        .and_then(scalar)
                        .unwrap_or_else(|| self.text(member, place.index))
                ),
            },
            Type::Timestamp => match given.and_then(Value::as_str) {
                Some(text) if !text.is_empty() => json!(text),
                _ => json!(self.date(place.index)),
            },
            Type::Int32 | Type::Int64 => match given.and_then(parsed::<i64>) {
                Some(number) => json!(number),
                None => json!(number(member, place.index)),
            },
            Type::Float => match given.and_then(parsed::<f64>) {
                Some(number) => json!(number),
                None => json!(place.index as f64 + 1.5),
            },
            Type::Bool => json!(given.and_then(parsed::<bool>).unwrap_or(true)),
            Type::Any => match given {
                Some(value) if !value.is_null() => value.clone(),
                _ => json!({ "name": ordinal(&member.name, place.index) }),
            },
            Type::Binary => json!(encode::base64(BYTES)),
            Type::List(inner) => self.list(member, inner, given, place),
            Type::Map(inner) => self.map(member, inner, given, place),
            Type::Struct(members) => match (members.as_slice(), given) {
                // `AclIds: {AclId: [..]}`, Alibaba's way to write a list.
                ([only], Some(Value::Array(_))) => {
                    let items = self.value(only, &only.ty, given, place)?;
                    json!({ only.name.as_str(): items })
                }
                _ => self.nested(members, given, place),
            },
            Type::Ref(name) => match self.model.shared(name)? {
                Shared::Enum(values) => match given.and_then(Value::as_str) {
                    Some(text) => json!(text),
                    None => json!(values.first().unwrap_or(&member.name)),
                },
                Shared::Struct(members) => {
                    if place.inside.contains(&name.as_str()) {
                        return None;
                    }
                    place.inside.push(name);
                    let value = self.nested(members, given, place);
                    place.inside.pop();
                    value
                }
            },
        };
        Some(value)
    }

    fn nested(
        &'a self,
        members: &'a [Member],
        given: Option<&Value>,
        place: &mut Place<'a>,
    ) -> Value {
        place.depth += 1;
        let given = given.and_then(Value::as_object);
        let object = self.object(members.iter(), given, place);
        place.depth -= 1;
        Value::Object(object)
    }

    fn list(
        &'a self,
        member: &'a Member,
        ty: &'a Type,
        given: Option<&Value>,
        place: &mut Place<'a>,
    ) -> Value {
        let before = place.index;
        place.depth += 1;
        let items = if let Some(Value::Array(given)) = given {
            (0..)
                .zip(given.iter().take(MOST_REPEATED))
                .filter_map(|(index, item)| {
                    place.index = index;
                    self.value(member, ty, Some(item), place)
                })
                .collect()
        } else {
            let count = if place.depth > DEEP { 1 } else { 2 };
            (0..count)
                .filter_map(|index| {
                    place.index = index;
                    self.value(member, ty, None, place)
                })
                .collect()
        };
        place.depth -= 1;
        place.index = before;
        items
    }

    fn map(
        &'a self,
        member: &'a Member,
        ty: &'a Type,
        given: Option<&Value>,
        place: &mut Place<'a>,
    ) -> Value {
        let mut out = Map::new();
        place.depth += 1;
        if let Some(Value::Object(given)) = given {
            for (key, value) in given.iter().take(MOST_REPEATED) {
                if let Some(value) = self.value(member, ty, Some(value), place) {
                    out.insert(key.clone(), value);
                }
            }
        } else if let Some(value) = self.value(member, ty, None, place) {
            out.insert("key-1".to_owned(), value);
        }
        place.depth -= 1;
        Value::Object(out)
    }

    fn text(&self, member: &Member, index: usize) -> String {
        let name = member.name.as_str();
        if let Some(first) = member.values.first() {
            return first.clone();
        }
        let is_id = match self.dialect {
            Dialect::Acs => false,
            Dialect::Apig => name == "id" || name.ends_with("_id"),
            Dialect::Zstack(_) => name == "uuid" || name.ends_with("Uuid"),
        };
        if is_id {
            hex_id(name, index)
        } else {
            ordinal(name, index)
        }
    }

    fn date(&self, index: usize) -> String {
        let minutes = i64::try_from(index).unwrap_or(0).saturating_mul(60);
        let at = Timestamp::from_second(FIRST_DATE.saturating_add(minutes)).unwrap_or_default();
        match self.dialect {
            Dialect::Acs => clock::iso(at),
            Dialect::Apig => clock::iso_nanos(at),
            Dialect::Zstack(offset) => clock::gson(at, offset),
        }
    }
}

impl<'a> Place<'a> {
    fn top(page: Option<&'a Page<'a>>) -> Self {
        Self {
            index: 0,
            depth: 0,
            inside: Vec::new(),
            paged: page.map_or(&[], |page| page.paging.items.as_slice()),
        }
    }
}

/// A file: an empty zip archive, which is no text.
pub(crate) const BYTES: &[u8] = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// A scalar as text, which must say something.
fn scalar(given: &Value) -> Option<String> {
    match given {
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(given.to_string()),
        _ => None,
    }
}

/// What a request says as one type and an answer as another, such as a number as text.
fn parsed<T: std::str::FromStr>(given: &Value) -> Option<T> {
    scalar(given)?.parse().ok()
}

fn ordinal(name: &str, index: usize) -> String {
    format!("{name}-{}", index + 1)
}

/// Within the documented bounds.
fn number(member: &Member, index: usize) -> i64 {
    let documented = member.values.first().and_then(|value| value.parse().ok());
    let counted = i64::try_from(index).unwrap_or(0).saturating_add(1);
    documented.unwrap_or_else(|| {
        counted
            .min(member.max.unwrap_or(i64::MAX))
            .max(member.min.unwrap_or(i64::MIN))
    })
}

/// 32 hex digits in the form of a version 4 uuid, the same for the same name and number.
fn hex_id(name: &str, index: usize) -> String {
    let digest = encode::sha256_hex(ordinal(name, index).as_bytes());
    format!("{}4{}8{}", &digest[..12], &digest[13..16], &digest[17..32])
}
