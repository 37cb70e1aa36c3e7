//! What setters accept: the things people write, without `.to_string()` on every line.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;

use super::{Json, Record, Secret, Timestamp};

/// A value that a setter of type `M` accepts. Programs may implement it for types of their own, such as ids.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be set as a member of type `{M}`",
    label = "not accepted here",
    note = "text members take `&str`, `String` or a number; integer members take literals and `i64`, so that \
            other integers are written `i64::from(..)`; \
            list members take arrays, slices and `Vec`s of what their elements take; \
            structures take their own type, made with its `new`"
)]
pub trait IntoMember<M> {
    /// Converts it.
    fn into_member(self) -> M;
}

macro_rules! into {
    ($($target:ty: $($source:ty => $convert:expr),* $(,)?;)*) => {$($(
        impl IntoMember<$target> for $source {
            fn into_member(self) -> $target {
                let convert: fn($source) -> $target = $convert;
                convert(self)
            }
        }
    )*)*};
}
into! {
    String:
        String => |v| v, char => String::from, bool => |v| v.to_string(),
        u8 => |v| v.to_string(), u16 => |v| v.to_string(), u32 => |v| v.to_string(), u64 => |v| v.to_string(),
        usize => |v| v.to_string(),
        i8 => |v| v.to_string(), i16 => |v| v.to_string(), i32 => |v| v.to_string(), i64 => |v| v.to_string();
    Secret: String => Secret::from, Secret => |v| v;
    Timestamp: String => Timestamp::from, Timestamp => |v| v;
    // Nothing else: with one way in, a literal is an `i64` from the start. With more, arithmetic such as
    // `4 * 1024 * 1024 * 1024` would be made of `i32`, and overflow.
    i64: i64 => |v| v;
    f64:
        f32 => f64::from, f64 => |v| v,
        u8 => f64::from, u16 => f64::from, u32 => f64::from, i8 => f64::from, i16 => f64::from, i32 => f64::from;
    bool: bool => |v| v;
    Bytes: Bytes => |v| v, Vec<u8> => Bytes::from, String => Bytes::from;
    Json:
        Json => |v| v, String => Json::from, bool => Json::from,
        i64 => Json::from, f64 => Json::from;
}

macro_rules! from_text {
    ($($target:ty),*) => {$(
        impl IntoMember<$target> for &str {
            fn into_member(self) -> $target {
                <$target>::from(self.to_owned())
            }
        }
        impl IntoMember<$target> for &String {
            fn into_member(self) -> $target {
                <$target>::from(self.clone())
            }
        }
        impl IntoMember<$target> for Cow<'_, str> {
            fn into_member(self) -> $target {
                <$target>::from(self.into_owned())
            }
        }
    )*};
}
from_text!(String, Secret, Timestamp, Bytes, Json);

impl IntoMember<Secret> for &Secret {
    fn into_member(self) -> Secret {
        self.clone()
    }
}

impl<R: Record> IntoMember<R> for R {
    fn into_member(self) -> R {
        self
    }
}

fn all<M, T: IntoMember<M>>(items: impl IntoIterator<Item = T>) -> Vec<M> {
    items.into_iter().map(IntoMember::into_member).collect()
}

impl<M, T: IntoMember<M>> IntoMember<Vec<M>> for Vec<T> {
    fn into_member(self) -> Vec<M> {
        all(self)
    }
}
impl<M, T: IntoMember<M>, const N: usize> IntoMember<Vec<M>> for [T; N] {
    fn into_member(self) -> Vec<M> {
        all(self)
    }
}
impl<M, T: IntoMember<M> + Clone> IntoMember<Vec<M>> for &[T] {
    fn into_member(self) -> Vec<M> {
        all(self.iter().cloned())
    }
}
impl<M, T: IntoMember<M> + Clone> IntoMember<Vec<M>> for &Vec<T> {
    fn into_member(self) -> Vec<M> {
        all(self.iter().cloned())
    }
}

fn pairs<M, K: Into<String>, T: IntoMember<M>>(
    items: impl IntoIterator<Item = (K, T)>,
) -> BTreeMap<String, M> {
    items
        .into_iter()
        .map(|(key, value)| (key.into(), value.into_member()))
        .collect()
}

impl<M, K: Into<String>, T: IntoMember<M>> IntoMember<BTreeMap<String, M>> for BTreeMap<K, T> {
    fn into_member(self) -> BTreeMap<String, M> {
        pairs(self)
    }
}
impl<M, K: Into<String>, T: IntoMember<M>, S> IntoMember<BTreeMap<String, M>> for HashMap<K, T, S> {
    fn into_member(self) -> BTreeMap<String, M> {
        pairs(self)
    }
}
impl<M, K: Into<String>, T: IntoMember<M>, const N: usize> IntoMember<BTreeMap<String, M>>
    for [(K, T); N]
{
    fn into_member(self) -> BTreeMap<String, M> {
        pairs(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take<M>(value: impl IntoMember<M>) -> M {
        value.into_member()
    }

    #[test]
    fn setters_take_what_people_write() {
        assert_eq!(take::<String>(10), "10");
        assert_eq!(take::<String>("x"), "x");
        assert_eq!(take::<Vec<String>>(["a", "b"]), ["a", "b"]);
        assert_eq!(take::<Vec<String>>(vec!["a"]), ["a"]);
        assert_eq!(take::<Vec<i64>>(&[1, 2][..]), [1, 2]);
        assert_eq!(take::<BTreeMap<String, String>>([("k", "v")])["k"], "v");
        assert_eq!(take::<Secret>("s").expose(), "s");
    }

    #[test]
    fn literals_of_integer_members_have_64_bits() {
        assert_eq!(take::<i64>(4 * 1024 * 1024 * 1024), 1 << 32);
        assert_eq!(take::<Vec<i64>>([1 << 40, 2]), [1 << 40, 2]);
        assert_eq!(
            take::<Json>(4 * 1024 * 1024 * 1024),
            Json::from(1_i64 << 32)
        );
    }
}
