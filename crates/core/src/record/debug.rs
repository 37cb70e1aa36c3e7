//! One `Debug` for all records: set members only, secrets hidden.

use std::fmt;

use super::{List, Map, Record, Secret, Value, View};

/// Prints `record` with its wire names; what `Debug` of every record calls.
pub fn fmt(record: &dyn Record, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let schema = record.schema();
    let mut out = f.debug_struct(schema.name);
    record.read(&mut |values| {
        for (member, value) in schema.members.iter().zip(values) {
            let view = value.view();
            if !matches!(view, View::Absent) {
                out.field(member.name, &Shown(*value));
            }
        }
    });
    out.finish()
}

/// So that the answers of by-name calls can be printed too.
impl fmt::Debug for dyn Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self::fmt(self, f)
    }
}

struct Shown<'a>(&'a dyn Value);
struct Items<'a>(&'a dyn List);
struct Entries<'a>(&'a dyn Map);

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.view() {
            View::Absent => f.write_str("absent"),
            View::Text(text) => text.fmt(f),
            View::Secret(_) => f.write_str(Secret::REDACTED),
            View::Int(number) => number.fmt(f),
            View::Float(number) => number.fmt(f),
            View::Bool(truth) => truth.fmt(f),
            View::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            View::Json(json) => json.fmt(f),
            View::List(list) => Items(list).fmt(f),
            View::Map(map) => Entries(map).fmt(f),
            View::Record(record) => self::fmt(record, f),
        }
    }
}

impl fmt::Debug for Items<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = (0..self.0.len()).filter_map(|index| self.0.at(index));
        f.debug_list().entries(all.map(Shown)).finish()
    }
}

impl fmt::Debug for Entries<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_map();
        self.0.each(&mut |key, value| {
            out.entry(&key, &Shown(value));
        });
        out.finish()
    }
}
