//! Fills the members of a record: finds them by name, unwraps them, and misses those that are required.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::fill::{Fill, Filled};
use super::json::Any;
use super::{Context, Step};
use crate::record::{Member, Record, Schema, Shape, Slot, Value, View, nearest};

/// Reads a member name without copying it.
struct Name<'a> {
    schema: &'a Schema,
    /// Where the last name stood: members mostly come in the schema's order.
    next: usize,
    strict: bool,
    /// Names to pick up although the schema lacks them.
    watch: &'static [&'static str],
}

enum Found {
    At(usize),
    Watched(&'static str),
    /// The name itself only where it will be reported.
    Unknown(String),
}

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Found;
    // Two callers would make it a function of its own, which costs long lists a twentieth.
    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Found, D::Error> {
        source.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Found;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }
    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Found, E> {
        let members = self.schema.members;
        if members.get(self.next).is_some_and(|m| m.name == name) {
            return Ok(Found::At(self.next));
        }
        // Those that come later, then those that were passed: what an answer leaves out is passed once.
        let mut order = (self.next + 1..members.len()).chain(0..self.next.min(members.len()));
        if let Some(index) = order.find(|&at| members[at].name == name) {
            return Ok(Found::At(index));
        }
        Ok(match self.watch.iter().find(|watched| **watched == name) {
            Some(watched) => Found::Watched(watched),
            None if self.strict => Found::Unknown(name.to_owned()),
            None => Found::Unknown(String::new()),
        })
    }
}

pub(super) fn fill_record<'de, A: MapAccess<'de>>(
    record: &mut dyn Record,
    map: A,
    context: &mut Context,
) -> Result<(), A::Error> {
    let schema = record.schema();
    let mut map = Some(map);
    let mut result = Ok(());
    record.write(&mut |members| {
        if let Some(map) = map.take() {
            result = fill_members(schema, members, map, context);
        }
    });
    result
}

fn fill_members<'de, A: MapAccess<'de>>(
    schema: &'static Schema,
    members: &mut [&mut dyn Value],
    mut map: A,
    context: &mut Context,
) -> Result<(), A::Error> {
    let mut seen = if context.strict {
        vec![false; members.len()]
    } else {
        Vec::new()
    };
    let mut next = 0;
    let watch = if context.path.is_empty() {
        context.watch
    } else {
        &[]
    };
    while let Some(found) = map.next_key_seed(Name {
        schema,
        next,
        strict: context.strict,
        watch,
    })? {
        let index = match found {
            Found::At(index) => index,
            Found::Watched(name) => {
                let value = map.next_value_seed(Any(context))?;
                context.tell(name, value)?;
                continue;
            }
            Found::Unknown(name) => {
                map.next_value::<serde::de::IgnoredAny>()?;
                if context.strict {
                    context.report(unknown(schema, &name));
                }
                continue;
            }
        };
        next = index + 1;
        let (Some(value), Some(member)) = (members.get_mut(index), schema.members.get(index))
        else {
            continue;
        };
        context.path.push(Step::Name(member.name));
        let filled = map.next_value_seed(Entry {
            member,
            value: &mut **value,
            context,
        })?;
        // The same name may stand for a path member and a body member; both take the value.
        let mut twin = index;
        if filled && context.strict {
            seen[index] = true;
            while let Some(other) =
                (twin + 1..members.len()).find(|&other| schema.members[other].name == member.name)
            {
                copy(members, index, other);
                seen[other] = true;
                twin = other;
            }
        }
        context.path.pop();
    }
    if context.strict {
        for (member, seen) in schema.members.iter().zip(seen) {
            if member.required && !seen && member.setting.is_none() {
                context.path.push(Step::Name(member.name));
                context.report("required, but not set".into());
                context.path.pop();
            }
        }
    }
    Ok(())
}

/// Copies a scalar between two members of one record.
fn copy(members: &mut [&mut dyn Value], from: usize, to: usize) {
    let text = match members[from].view() {
        View::Text(text) => text.to_owned(),
        View::Int(number) => number.to_string(),
        _ => return,
    };
    match members[to].slot() {
        Slot::Text(slot) => *slot = text,
        Slot::Int(slot) => *slot = text.parse().unwrap_or_default(),
        _ => {}
    }
}

fn unknown(schema: &Schema, name: &str) -> String {
    let names = schema.members.iter().map(|m| m.name);
    match nearest(name, names) {
        Some(near) => format!(
            "{} has no member `{name}`; did you mean `{near}`?",
            schema.name
        ),
        None => format!("{} has no member `{name}`", schema.name),
    }
}

/// One member, whose wire form may be a wrapper object.
struct Entry<'a, 'c> {
    member: &'static Member,
    value: &'a mut dyn Value,
    context: &'c mut Context,
}

impl<'de> DeserializeSeed<'de> for Entry<'_, '_> {
    type Value = Filled;
    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Filled, D::Error> {
        let filled = match self.member.shape {
            Shape::Plain | Shape::Comma => Fill {
                target: self.value.slot(),
                context: &mut *self.context,
            }
            .deserialize(source)?,
            Shape::Wrapped(inner) | Shape::Named(inner) => source.deserialize_any(Unwrap {
                inner,
                value: &mut *self.value,
                context: &mut *self.context,
            })?,
        };
        if !filled {
            self.value.clear();
        }
        Ok(filled)
    }
}

struct Unwrap<'a, 'c> {
    inner: &'static str,
    value: &'a mut dyn Value,
    context: &'c mut Context,
}

impl<'a, 'c> Unwrap<'a, 'c> {
    fn bare(self) -> Fill<'a, 'c> {
        Fill {
            target: self.value.slot(),
            context: self.context,
        }
    }
}

impl<'de> Visitor<'de> for Unwrap<'_, '_> {
    type Value = Filled;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with `{}`", self.inner)
    }
    fn visit_unit<E: serde::de::Error>(self) -> Result<Filled, E> {
        Ok(false)
    }
    fn visit_bool<E: serde::de::Error>(self, truth: bool) -> Result<Filled, E> {
        self.bare().visit_bool(truth)
    }
    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Filled, E> {
        self.bare().visit_i64(number)
    }
    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Filled, E> {
        self.bare().visit_u64(number)
    }
    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Filled, E> {
        self.bare().visit_f64(number)
    }
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Filled, E> {
        self.bare().visit_str(text)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Filled, A::Error> {
        self.bare().visit_seq(seq)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Filled, A::Error> {
        let mut filled = false;
        while let Some(key) = map.next_key::<String>()? {
            if key != self.inner {
                map.next_value::<serde::de::IgnoredAny>()?;
                if self.context.strict {
                    let message = format!("has no member `{key}`; did you mean `{}`?", self.inner);
                    self.context.report(message);
                }
                continue;
            }
            self.context.path.push(Step::Name(self.inner));
            filled = map.next_value_seed(Fill {
                target: self.value.slot(),
                context: &mut *self.context,
            })?;
            self.context.path.pop();
        }
        Ok(filled)
    }
}
