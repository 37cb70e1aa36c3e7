//! What is said in a call? Values of every type, no two alike, with all that encoders get wrong.

use std::cell::Cell;

use serde_json::{Map, Value, json};

use super::model::{Kind, Member, Model};

/// What paths, queries, forms, headers of parts and JSON must each bring over unharmed.
pub(crate) const HARD: &str = " +/?&=%#~*'()!@:,;\"\\%2F%é中😀";

/// Larger than any number that a double holds exactly.
const BEYOND_DOUBLES: i64 = 9_007_199_254_740_993;

/// Makes values of a model's types.
#[derive(Debug)]
pub(crate) struct Maker<'m> {
    model: &'m Model,
    only_required: bool,
    count: Cell<i32>,
}

impl<'m> Maker<'m> {
    /// All members, of nested structures too.
    pub(crate) fn all(model: &'m Model) -> Self {
        Self {
            model,
            only_required: false,
            count: Cell::new(0),
        }
    }

    /// Required members only, of nested structures too.
    pub(crate) fn required(model: &'m Model) -> Self {
        Self {
            only_required: true,
            ..Self::all(model)
        }
    }

    fn next(&self) -> i32 {
        self.count.set(self.count.get() + 1);
        self.count.get()
    }

    /// Values of members by their names. `None` where a structure would hold itself for ever.
    pub(crate) fn members(&self, members: &[Member]) -> Map<String, Value> {
        self.object(members, &[])
    }

    fn object(&self, members: &[Member], inside: &[&str]) -> Map<String, Value> {
        members
            .iter()
            .filter(|member| member.is_required() || !self.only_required)
            .filter_map(|member| {
                let value = self.value(member.name(), member.ty(), inside)?;
                Some((member.name().to_owned(), value))
            })
            .collect()
    }

    /// A structure without required members cannot be sent in pairs when none is set.
    fn nested(&self, members: &[Member], inside: &[&str]) -> Value {
        let mut object = self.object(members, inside);
        if object.is_empty() {
            object = Self::all(self.model).object(members, inside);
        }
        Value::Object(object)
    }

    fn text(&self, name: &str) -> String {
        format!("{name}-{}{HARD}", self.next())
    }

    fn value(&self, name: &str, ty: &Value, inside: &[&str]) -> Option<Value> {
        let value = match self.model.kind(ty) {
            Kind::Text | Kind::Binary => json!(self.text(name)),
            Kind::Enum(values) => {
                let at = usize::try_from(self.next()).unwrap_or_default() % values.len().max(1);
                values
                    .get(at)
                    .cloned()
                    .unwrap_or_else(|| json!(self.text(name)))
            }
            Kind::Int32 => json!(1000 + self.next()),
            Kind::Int64 => json!(BEYOND_DOUBLES + 2 * i64::from(self.next())),
            Kind::Float => json!(f64::from(self.next()) + 0.25),
            Kind::Bool => json!(self.next() % 2 == 0),
            Kind::Any => json!({ "any": [self.text(name), self.next(), true, {"deep": 1.5}] }),
            Kind::List(inner) => {
                // Lists in lists in lists would grow without need.
                let count = if inside.len() > 2 { 1 } else { 2 };
                let items = (0..count).filter_map(|_| self.value(name, inner, inside));
                Value::Array(items.collect())
            }
            Kind::Map(inner) => {
                let entries = (0..2).filter_map(|_| {
                    let key = self.text("key");
                    Some((key, self.value(name, inner, inside)?))
                });
                Value::Object(entries.collect())
            }
            Kind::Struct(None, members) => self.nested(&members, inside),
            Kind::Struct(Some(shared), members) => {
                let around = inside.iter().filter(|one| **one == shared).count();
                if around > 1 {
                    return None;
                }
                let inside = [inside, &[shared]].concat();
                self.nested(&members, &inside)
            }
        };
        Some(value)
    }
}
