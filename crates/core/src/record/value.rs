//! What a member can hold, and how the interpreter reads and fills it.
//!
//! [`Value`] is the whole contract between a Rust type and the wire: look at it ([`View`]), fill it
//! ([`Slot`]), empty it. It is implemented for text, numbers, booleans, lists, maps and every record.

use std::any::Any;
use std::collections::BTreeMap;

use bytes::Bytes;

use super::{Json, Schema, Secret};

/// A value as the encoder sees it.
pub enum View<'a> {
    /// Nothing is set.
    Absent,
    /// Text, timestamps included.
    Text(&'a str),
    /// Text that must not be printed.
    Secret(&'a str),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// A body that is not JSON.
    Bytes(&'a Bytes),
    /// Any JSON, where the vendor gives no type.
    Json(&'a Json),
    /// A list.
    List(&'a dyn List),
    /// A map from text.
    Map(&'a dyn Map),
    /// A structure.
    Record(&'a dyn Record),
}

/// The place that the decoder fills.
pub enum Slot<'a> {
    /// Text, timestamps included.
    Text(&'a mut String),
    /// Text that must not be printed.
    Secret(&'a mut Secret),
    /// A whole number.
    Int(&'a mut i64),
    /// A number with a fraction.
    Float(&'a mut f64),
    /// A truth value.
    Bool(&'a mut bool),
    /// A body that is not JSON.
    Bytes(&'a mut Bytes),
    /// Any JSON.
    Json(&'a mut Json),
    /// A list.
    List(&'a mut dyn List),
    /// A map from text.
    Map(&'a mut dyn Map),
    /// A structure.
    Record(&'a mut dyn Record),
}

/// A member's type: something with a wire form.
pub trait Value: Send + Sync {
    /// The value as it is now.
    fn view(&self) -> View<'_>;
    /// The place to fill; an absent value becomes its default first.
    fn slot(&mut self) -> Slot<'_>;
    /// Makes it absent, or the default where the type has no absent state.
    fn clear(&mut self);
}

/// A list of values.
pub trait List {
    /// How many elements it has.
    fn len(&self) -> usize;
    /// Whether it has none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The element at `index`, if there is one.
    fn at(&self, index: usize) -> Option<&dyn Value>;
    /// Appends a default element and returns it.
    fn push(&mut self) -> &mut dyn Value;
    /// Makes room for one more element with at most `most` bytes allocated on the way; how many bytes
    /// more it holds then, or `None` where that is not enough.
    fn make_room(&mut self, most: usize) -> Option<usize>;
    /// Drops the last element.
    fn pop(&mut self);
}

/// A map from text to values.
pub trait Map {
    /// How many entries it has.
    fn len(&self) -> usize;
    /// Whether it has none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Calls `f` for each entry, in key order.
    fn each(&self, f: &mut dyn FnMut(&str, &dyn Value));
    /// About how many bytes one more entry takes, its key and what it points to left out.
    fn entry_cost(&self) -> usize;
    /// The value under `key`, made default where there is none.
    fn entry(&mut self, key: &str) -> &mut dyn Value;
    /// Drops the entry under `key`.
    fn remove(&mut self, key: &str);
}

/// Whose records there are: those of the client crates, whose macros say so.
#[doc(hidden)]
pub mod seal {
    pub trait Sealed {}
}

/// A structure whose members a [`Schema`] names. Only the crates of this project implement it.
///
/// `read` and `write` hand over the members in the schema's order.
pub trait Record: seal::Sealed + Any + Send + Sync {
    /// The table of members.
    fn schema(&self) -> &'static Schema;
    /// Lends the members to `f`.
    fn read(&self, f: &mut dyn FnMut(&[&dyn Value]));
    /// Lends the members to `f`, to be filled.
    fn write(&mut self, f: &mut dyn FnMut(&mut [&mut dyn Value]));
    /// Why it can never be sent, where its own way of being written knows more than the schema.
    fn refused(&self) -> Option<String> {
        None
    }
    /// Bytes of the record itself that stand on the heap.
    fn heap(&self) -> usize {
        0
    }
    /// Makes every member absent, or its default where it has no absent state.
    fn reset(&mut self) {
        self.write(&mut |values| {
            for value in values {
                value.clear();
            }
        });
    }
}

/// Calls `f`. For the compiler a call of a function is less work than one of an `FnMut`, and there are
/// thousands of records.
#[doc(hidden)]
#[inline]
pub fn lend(f: &mut dyn FnMut(&[&dyn Value]), values: &[&dyn Value]) {
    f(values);
}

/// The same for values to be filled.
#[doc(hidden)]
#[inline]
pub fn lend_mut(f: &mut dyn FnMut(&mut [&mut dyn Value]), values: &mut [&mut dyn Value]) {
    f(values);
}

/// A record in which nothing is set; the tables of operations hold it for each of their types.
#[doc(hidden)]
pub fn empty<R: Record + Default>() -> Box<dyn Record> {
    Box::new(R::default())
}

impl<R: Record> Value for R {
    fn view(&self) -> View<'_> {
        View::Record(self)
    }
    fn slot(&mut self) -> Slot<'_> {
        Slot::Record(self)
    }
    fn clear(&mut self) {
        self.reset();
    }
}

impl<R: Record> seal::Sealed for Box<R> {}

/// Structures that contain themselves stand behind a box.
impl<R: Record> Record for Box<R> {
    fn schema(&self) -> &'static Schema {
        (**self).schema()
    }
    fn read(&self, f: &mut dyn FnMut(&[&dyn Value])) {
        (**self).read(f);
    }
    fn write(&mut self, f: &mut dyn FnMut(&mut [&mut dyn Value])) {
        (**self).write(f);
    }
    fn heap(&self) -> usize {
        size_of::<R>()
    }
}

macro_rules! scalar {
    ($($ty:ty: $view:ident(|$v:ident| $get:expr), $slot:ident(|$s:ident| $set:expr);)*) => {$(
        impl Value for $ty {
            fn view(&self) -> View<'_> {
                let $v = self;
                View::$view($get)
            }
            fn slot(&mut self) -> Slot<'_> {
                let $s = self;
                Slot::$slot($set)
            }
            fn clear(&mut self) {
                *self = <$ty>::default();
            }
        }
    )*};
}
scalar! {
    String: Text(|v| v.as_str()), Text(|v| v);
    Secret: Secret(|v| v.expose()), Secret(|v| v);
    super::Timestamp: Text(|v| v.as_str()), Text(|v| v.text_mut());
    i64: Int(|v| *v), Int(|v| v);
    f64: Float(|v| *v), Float(|v| v);
    bool: Bool(|v| *v), Bool(|v| v);
    Bytes: Bytes(|v| v), Bytes(|v| v);
    Json: Json(|v| v), Json(|v| v);
}

impl<T: Value + Default> Value for Option<T> {
    fn view(&self) -> View<'_> {
        self.as_ref().map_or(View::Absent, Value::view)
    }
    fn slot(&mut self) -> Slot<'_> {
        self.get_or_insert_with(T::default).slot()
    }
    fn clear(&mut self) {
        *self = None;
    }
}

impl<T: Value + Default> Value for Vec<T> {
    fn view(&self) -> View<'_> {
        View::List(self)
    }
    fn slot(&mut self) -> Slot<'_> {
        Slot::List(self)
    }
    fn clear(&mut self) {
        Vec::clear(self);
    }
}

impl<T: Value + Default> List for Vec<T> {
    fn len(&self) -> usize {
        Vec::len(self)
    }
    fn at(&self, index: usize) -> Option<&dyn Value> {
        self.get(index).map(|v| v as &dyn Value)
    }
    fn push(&mut self) -> &mut dyn Value {
        Vec::push(self, T::default());
        let last = Vec::len(self) - 1;
        &mut self[last]
    }
    fn make_room(&mut self, most: usize) -> Option<usize> {
        let (len, before) = (Vec::len(self), self.capacity());
        if len < before {
            return Some(0);
        }
        // As a vector grows by itself, but no further than `most`: the old and the new elements stand
        // side by side while they move.
        let size = size_of::<T>();
        let wanted = (len * 2).max(if size > 1024 { 1 } else { 4 });
        let capacity = wanted.min(most / size.max(1));
        // A few elements at a time would move the whole list for each few.
        if capacity <= len + len / 8 {
            return None;
        }
        self.reserve_exact(capacity - len);
        Some((self.capacity() - before) * size)
    }
    fn pop(&mut self) {
        Vec::pop(self);
    }
}

impl<T: Value + Default> Value for BTreeMap<String, T> {
    fn view(&self) -> View<'_> {
        View::Map(self)
    }
    fn slot(&mut self) -> Slot<'_> {
        Slot::Map(self)
    }
    fn clear(&mut self) {
        BTreeMap::clear(self);
    }
}

impl<T: Value + Default> Map for BTreeMap<String, T> {
    fn len(&self) -> usize {
        BTreeMap::len(self)
    }
    fn each(&self, f: &mut dyn FnMut(&str, &dyn Value)) {
        for (key, value) in self {
            f(key, value);
        }
    }
    fn entry_cost(&self) -> usize {
        // A node has room for eleven entries, and half of it is used when keys come in order.
        let entries = if BTreeMap::is_empty(self) { 12 } else { 2 };
        entries * (size_of::<String>() + size_of::<T>())
    }
    fn entry(&mut self, key: &str) -> &mut dyn Value {
        BTreeMap::entry(self, key.to_owned()).or_default()
    }
    fn remove(&mut self, key: &str) {
        BTreeMap::remove(self, key);
    }
}
