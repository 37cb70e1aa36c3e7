//! Writes records as JSON, in clear for the wire or redacted for people.

use std::cell::RefCell;

use serde::ser::{Error as _, Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::wipe;

use super::{Json, Location, Record, Secret, Shape, Value, View};

/// A record in its wire form, for any serde serializer.
#[derive(Clone, Copy)]
pub struct Wire<'a> {
    record: &'a dyn Record,
    only: Option<Location>,
    redact: bool,
}

impl<'a> Wire<'a> {
    /// The whole record, secrets in clear.
    pub fn clear(record: &'a dyn Record) -> Self {
        Self {
            record,
            only: None,
            redact: false,
        }
    }
    /// The whole record, with a placeholder for each secret: for people and logs.
    pub fn redacted(record: &'a dyn Record) -> Self {
        Self {
            redact: true,
            ..Self::clear(record)
        }
    }
    /// Only the members that travel in `location`, secrets in clear.
    pub fn only(record: &'a dyn Record, location: Location) -> Self {
        Self {
            only: Some(location),
            ..Self::clear(record)
        }
    }
}

/// The record as JSON text, secrets in clear.
pub fn to_json(wire: Wire<'_>) -> Vec<u8> {
    wipe::to_json(&wire)
}

/// Any value as JSON text, secrets in clear.
pub(crate) fn to_json_value(value: &dyn Value) -> Vec<u8> {
    wipe::to_json(&Any::of(value, false))
}

/// The record as a JSON value.
pub fn to_value(wire: Wire<'_>) -> Json {
    serde_json::to_value(wire).unwrap_or_default()
}

/// What `Serialize` of a record does.
#[doc(hidden)]
pub fn serialize<S: Serializer>(record: &dyn Record, serializer: S) -> Result<S::Ok, S::Error> {
    Wire::clear(record).serialize(serializer)
}

impl Serialize for Wire<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let schema = self.record.schema();
        let mut serializer = Some(serializer);
        let mut result = None;
        self.record.read(&mut |values| {
            let Some(serializer) = serializer.take() else {
                return;
            };
            result = Some((|| {
                let mut map = serializer.serialize_map(None)?;
                for (member, value) in schema.members.iter().zip(values) {
                    if self.only.is_some_and(|only| only != member.location) {
                        continue;
                    }
                    let view = value.view();
                    if matches!(view, View::Absent) {
                        continue;
                    }
                    let any = Any {
                        view: RefCell::new(Some(view)),
                        redact: self.redact,
                    };
                    match member.shape {
                        Shape::Wrapped(inner) => {
                            map.serialize_entry(member.name, &Wrapped(inner, any))?;
                        }
                        _ => map.serialize_entry(member.name, &any)?,
                    }
                }
                map.end()
            })());
        });
        result.unwrap_or_else(|| Err(S::Error::custom("the record lent no members")))
    }
}

struct Wrapped<'a>(&'static str, Any<'a>);

impl Serialize for Wrapped<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(self.0, &self.1)?;
        map.end()
    }
}

/// Any value. The view is taken out when it is written, which happens once.
struct Any<'a> {
    view: RefCell<Option<View<'a>>>,
    redact: bool,
}

impl<'a> Any<'a> {
    fn of(value: &'a dyn Value, redact: bool) -> Self {
        Self {
            view: RefCell::new(Some(value.view())),
            redact,
        }
    }
}

impl Serialize for Any<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.view.take().unwrap_or(View::Absent) {
            View::Absent => serializer.serialize_unit(),
            View::Secret(_) if self.redact => serializer.serialize_str(Secret::REDACTED),
            View::Text(text) | View::Secret(text) => serializer.serialize_str(text),
            View::Int(number) => serializer.serialize_i64(number),
            View::Float(number) => serializer.serialize_f64(number),
            View::Bool(truth) => serializer.serialize_bool(truth),
            View::Bytes(bytes) => serializer.serialize_str(&String::from_utf8_lossy(bytes)),
            View::Json(json) => json.serialize(serializer),
            View::Record(record) => Wire {
                record,
                only: None,
                redact: self.redact,
            }
            .serialize(serializer),
            View::List(list) => {
                let mut seq = serializer.serialize_seq(Some(list.len()))?;
                for value in (0..list.len()).filter_map(|index| list.at(index)) {
                    seq.serialize_element(&Any::of(value, self.redact))?;
                }
                seq.end()
            }
            View::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                let mut result = Ok(());
                entries.each(&mut |key, value| {
                    if result.is_ok() {
                        result = map.serialize_entry(key, &Any::of(value, self.redact));
                    }
                });
                result?;
                map.end()
            }
        }
    }
}
