//! Fills one slot from whatever the tokenizer found for it.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::json::{self, Any};
use super::members::fill_record;
use super::{Context, Step};
use crate::record::{Json, List, Slot};

/// Whether the slot was filled; when not, its owner makes it absent again.
pub(super) type Filled = bool;

pub(super) struct Fill<'a, 'c> {
    pub(super) target: Slot<'a>,
    pub(super) context: &'c mut Context,
}

impl Fill<'_, '_> {
    fn expected(&self) -> &'static str {
        match self.target {
            Slot::Text(_) | Slot::Secret(_) | Slot::Bytes(_) => "text",
            Slot::Int(_) => "a whole number",
            Slot::Float(_) => "a number",
            Slot::Bool(_) => "true or false",
            Slot::Json(_) => "any value",
            Slot::List(_) => "a list",
            Slot::Map(_) | Slot::Record(_) => "an object",
        }
    }

    fn mismatch(&mut self, got: &str) -> Filled {
        let message = format!("expected {}, got {got}", self.expected());
        self.context.report(message);
        false
    }

    fn text(mut self, text: &str) -> Filled {
        match &mut self.target {
            Slot::Text(slot) => {
                // Exactly as long as the text: growing an empty string would round up.
                **slot = String::from(text);
                true
            }
            Slot::Secret(slot) => {
                slot.replace(text);
                true
            }
            Slot::Bytes(slot) => {
                **slot = bytes::Bytes::copy_from_slice(text.as_bytes());
                true
            }
            Slot::Json(slot) => {
                **slot = Json::from(text);
                true
            }
            // Services send "" for what they do not have, whatever its type.
            _ if text.is_empty() && !self.context.strict => false,
            Slot::Int(slot) => match text.trim().parse() {
                Ok(number) => {
                    **slot = number;
                    true
                }
                Err(_) => self.mismatch("text"),
            },
            // What JSON cannot say (`inf`, `NaN`) is no number of a service.
            Slot::Float(slot) => match text.trim().parse() {
                Ok(number) if f64::is_finite(number) => {
                    **slot = number;
                    true
                }
                _ => self.mismatch("text"),
            },
            Slot::Bool(slot) => match truth(text.trim()) {
                Some(truth) => {
                    **slot = truth;
                    true
                }
                None => self.mismatch("text"),
            },
            Slot::List(_) | Slot::Map(_) | Slot::Record(_) => self.mismatch("text"),
        }
    }

    fn number<E: serde::de::Error>(
        mut self,
        int: Option<i64>,
        float: f64,
        text: impl FnOnce() -> String,
    ) -> Result<Filled, E> {
        Ok(match &mut self.target {
            Slot::Int(slot) => match int {
                Some(number) => {
                    **slot = number;
                    true
                }
                None => self.mismatch("a number outside its range"),
            },
            Slot::Float(slot) => {
                **slot = float;
                true
            }
            Slot::Json(slot) => {
                **slot = int.map_or_else(|| Json::from(float), Json::from);
                true
            }
            Slot::Text(slot) => {
                let text = text();
                self.context.budget.spend_text(text.len())?;
                **slot = text;
                true
            }
            Slot::Secret(slot) => {
                let text = text();
                self.context.budget.spend_text(text.len())?;
                slot.replace(&text);
                true
            }
            Slot::Bool(slot) if int == Some(0) || int == Some(1) => {
                **slot = int == Some(1);
                true
            }
            _ => self.mismatch("a number"),
        })
    }
}

fn truth(text: &str) -> Option<bool> {
    match text {
        "1" => Some(true),
        "0" => Some(false),
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

impl<'de> DeserializeSeed<'de> for Fill<'_, '_> {
    type Value = Filled;
    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Filled, D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Fill<'_, '_> {
    type Value = Filled;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected())
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Filled, E> {
        if let Slot::Json(slot) = self.target {
            *slot = Json::Null;
            return Ok(true);
        }
        Ok(false)
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<Filled, E> {
        self.visit_unit()
    }

    fn visit_bool<E: serde::de::Error>(mut self, truth: bool) -> Result<Filled, E> {
        Ok(match &mut self.target {
            Slot::Bool(slot) => {
                **slot = truth;
                true
            }
            Slot::Text(slot) => {
                self.context.budget.spend_text(5)?;
                **slot = truth.to_string();
                true
            }
            Slot::Int(slot) => {
                **slot = i64::from(truth);
                true
            }
            Slot::Json(slot) => {
                **slot = Json::from(truth);
                true
            }
            _ => self.mismatch("true or false"),
        })
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Filled, E> {
        self.number(Some(number), number as f64, || number.to_string())
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Filled, E> {
        if let (Slot::Json(_), Err(_)) = (&self.target, i64::try_from(number)) {
            if let Slot::Json(slot) = self.target {
                *slot = Json::from(number);
            }
            return Ok(true);
        }
        let int = i64::try_from(number).ok();
        self.number(int, number as f64, || number.to_string())
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Filled, E> {
        // 2^63 is exact in f64 and is the first value that no longer fits.
        let whole = number.fract() == 0.0 && number.abs() < 9_223_372_036_854_775_808.0;
        let int = match &self.target {
            Slot::Json(_) => None,
            _ => whole.then_some(number as i64),
        };
        self.number(int, number, || number.to_string())
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Filled, E> {
        self.context.budget.spend_text(text.len())?;
        Ok(self.text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<Filled, A::Error> {
        let Slot::List(list) = &mut self.target else {
            if let Slot::Json(slot) = self.target {
                *slot = json::list(seq, self.context)?;
                return Ok(true);
            }
            while seq.next_element::<serde::de::IgnoredAny>()?.is_some() {}
            return Ok(self.mismatch("a list"));
        };
        let mut index = 0;
        loop {
            self.context.path.push(Step::Index(index));
            let element = Element {
                list: &mut **list,
                context: &mut *self.context,
            };
            let more = seq.next_element_seed(element)?;
            self.context.path.pop();
            if more.is_none() {
                return Ok(true);
            }
            index += 1;
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Filled, A::Error> {
        match self.target {
            Slot::Record(record) => {
                self.context.budget.spend(record.heap())?;
                fill_record(record, map, self.context)?;
                Ok(true)
            }
            Slot::Json(slot) => {
                *slot = json::object(map, self.context)?;
                Ok(true)
            }
            Slot::Map(entries) => {
                while let Some(key) = map.next_key::<String>()? {
                    if let Some(name) = self.context.watched(&key) {
                        let value = map.next_value_seed(Any(self.context))?;
                        self.context.tell(name, value)?;
                        continue;
                    }
                    self.context.budget.spend_text(key.len())?;
                    self.context.budget.spend(entries.entry_cost())?;
                    self.context.path.push(Step::Key(key.clone()));
                    let filled = map.next_value_seed(Fill {
                        target: entries.entry(&key).slot(),
                        context: &mut *self.context,
                    })?;
                    self.context.path.pop();
                    if !filled {
                        entries.remove(&key);
                    }
                }
                Ok(true)
            }
            // Some gateways drop the brackets around a list of one.
            Slot::List(list) if !self.context.strict => {
                self.context.make_room(list)?;
                let filled = if let Slot::Record(record) = list.push().slot() {
                    self.context
                        .report("expected a list, got an object: taken as its only element".into());
                    fill_record(record, map, self.context)?;
                    return Ok(true);
                } else {
                    false
                };
                list.pop();
                self.target = Slot::List(list);
                while map
                    .next_entry::<serde::de::IgnoredAny, serde::de::IgnoredAny>()?
                    .is_some()
                {}
                self.mismatch("an object");
                Ok(filled)
            }
            _ => {
                while map
                    .next_entry::<serde::de::IgnoredAny, serde::de::IgnoredAny>()?
                    .is_some()
                {}
                Ok(self.mismatch("an object"))
            }
        }
    }
}

/// One element of a list: appended, filled, and dropped again when it was `null`.
struct Element<'a, 'c> {
    list: &'a mut dyn List,
    context: &'c mut Context,
}

impl<'de> DeserializeSeed<'de> for Element<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
        self.context.make_room(self.list)?;
        let before = self.context.problems.len();
        let filled = Fill {
            target: self.list.push().slot(),
            context: &mut *self.context,
        }
        .deserialize(source)?;
        // A reported element keeps its place, so that paths in warnings stay true.
        if !filled && self.context.problems.len() == before {
            self.list.pop();
        }
        Ok(())
    }
}
