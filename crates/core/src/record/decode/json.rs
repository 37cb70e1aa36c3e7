//! Builds free-form JSON within the budget: `[[],[],..` costs 24 times its own length.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::Context;
use crate::record::{Json, List};

/// What an entry costs: name, value, hash and index, and the room that a growing table holds.
const ENTRY: usize = 3 * (size_of::<String>() + size_of::<Json>() + 24);

/// Reads any value.
pub(super) struct Any<'c>(pub(super) &'c mut Context);

impl<'de> DeserializeSeed<'de> for Any<'_> {
    type Value = Json;
    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Json, D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Any<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_unit<E: serde::de::Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }
    fn visit_bool<E: serde::de::Error>(self, truth: bool) -> Result<Json, E> {
        Ok(Json::from(truth))
    }
    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Json, E> {
        Ok(Json::from(number))
    }
    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Json, E> {
        Ok(Json::from(number))
    }
    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Json, E> {
        Ok(Json::from(number))
    }
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Json, E> {
        self.0.budget.spend_text(text.len())?;
        Ok(Json::from(text))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Json, A::Error> {
        list(seq, self.0)
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Json, A::Error> {
        object(map, self.0)
    }
}

pub(super) fn list<'de, A: SeqAccess<'de>>(
    mut seq: A,
    context: &mut Context,
) -> Result<Json, A::Error> {
    let mut items: Vec<Json> = Vec::new();
    while let Some(item) = seq.next_element_seed(Any(context))? {
        context.make_room(&mut items)?;
        items.push(item);
    }
    Ok(Json::Array(items))
}

pub(super) fn object<'de, A: MapAccess<'de>>(
    mut map: A,
    context: &mut Context,
) -> Result<Json, A::Error> {
    let mut members = serde_json::Map::new();
    while let Some(name) = map.next_key::<String>()? {
        context.budget.spend_text(name.len())?;
        context.budget.spend(ENTRY)?;
        let value = map.next_value_seed(Any(context))?;
        members.insert(name, value);
    }
    Ok(Json::Object(members))
}

impl Context {
    /// Makes room in `list` for one more element, as far as the budget goes.
    pub(super) fn make_room<E: serde::de::Error>(&mut self, list: &mut dyn List) -> Result<(), E> {
        match list.make_room(self.budget.left()) {
            Some(bytes) => self.budget.spend(bytes),
            None => Err(self.budget.exceed()),
        }
    }

    /// Keeps a watched member.
    pub(super) fn tell<E: serde::de::Error>(
        &mut self,
        name: &'static str,
        value: Json,
    ) -> Result<(), E> {
        self.budget.spend(ENTRY)?;
        self.told.push((name, value));
        Ok(())
    }
}
