//! Typed values that know their wire names: one table per type, one interpreter for all.
//!
//! Every operation, answer and nested structure is a [`Record`]: a static [`Schema`] that names its
//! members, and two functions that hand the members over in the schema's order. Encoding, decoding,
//! validation, redaction and by-name access are written once, over these tables, instead of being
//! generated for each of some thousands of types.

mod debug;
mod decode;
mod encode;
mod flatten;
mod into_member;
mod lookup;
mod nearest;
mod scalar;
mod schema;
#[cfg(test)]
mod tests;
mod timestamp;
mod validate;
mod value;

/// Bytes that are not JSON.
pub use bytes::Bytes;
pub use debug::fmt as fmt_debug;
#[doc(hidden)]
pub use decode::deserialize;
pub use decode::{Problem, decode, decode_strict};
pub(crate) use decode::{Unreadable, decode_answer, decode_json};
#[doc(hidden)]
pub use encode::serialize;
pub(crate) use encode::to_json_value;
pub use encode::{Wire, to_json, to_value};
pub use flatten::{ListKeys, flatten};
pub use into_member::IntoMember;
pub use lookup::{get, items, set};
pub(crate) use lookup::{is_empty_list, is_list, item_ends, put, rows, texts};
pub use nearest::nearest;
pub use scalar::{Json, Secret};
pub use schema::{Limits, Location, Member, Schema, Shape};
pub use timestamp::{CivilTime, Timestamp};
pub use validate::{ValidationError, Violation, validate};
pub use value::{List, Map, Record, Slot, Value, View};
#[doc(hidden)]
pub use value::{empty, lend, lend_mut, seal};
