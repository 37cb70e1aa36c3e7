//! The declarative macros in which operations and structures are written.
//!
//! They exist so that a member is one line: wire name, place, Rust name, type, limits. Everything
//! else about it follows from the table.
//!
//! All functions are `#[inline]` or generic, and the tables in them constants, which keeps both out of a
//! client's own library: a program pays for the operations that it uses. A static would belong to the
//! library, with the code of all that it names.

/// Declares an operation: its input structure, constructor, setters, spec and `send`.
///
/// ```text
/// operation! {
///     /// One line: what it does.
///     Name -> Output: METHOD "/path/{id}" RetryClass [spec settings];
///     required { path "id" id: String, }
///     optional { query "Limit" limit: i64 [range(1, 100)], }
///     pages items: Item;            // only where the operation pages
///     found Clue::new(..);          // only where what it makes can be found again
///     constants { STATUS_ACTIVE = "active", }
/// }
/// ```
/// `required Named { .. }` puts the required members into a structure of that name. Optional members
/// become `Option<T>` with a setter each. The settings in brackets are functions of
/// [`Operation`](crate::operation::Operation) and [`Member`](crate::record::Member).
#[allow(
    clippy::crate_in_macro_def,
    reason = "`crate::Client` is the client of the crate that declares the operation"
)]
#[macro_export]
macro_rules! operation {
    (
        #[doc = $summary:literal] $(#[$meta:meta])*
        $op:ident -> $out:ty: $method:ident $path:literal $retry:ident
            $([$($set:ident $(($($arg:expr),* $(,)?))?),* $(,)?])?;
        required $($named:ident)? { $(
            $(#[$rmeta:meta])* $rplace:ident $rwire:literal $rfield:ident: $rty:ty
                $([$($rset:ident $(($($rarg:expr),* $(,)?))?),* $(,)?])?
        ),* $(,)? }
        optional { $(
            $(#[$ometa:meta])* $oplace:ident $owire:literal $ofield:ident: $oty:ty
                $([$($oset:ident $(($($oarg:expr),* $(,)?))?),* $(,)?])?
        ),* $(,)? }
        $(pages $items:ident: $item:ty;)?
        $(found $clue:expr $(, when $feature:literal)?;)?
        $(constants { $($constant:ident = $text:literal),* $(,)? })?
    ) => {
        #[doc = $summary]
        #[doc = concat!("\n\n`", stringify!($method), " ", $path, "`, retry class [`", stringify!($retry),
            "`](cumulo_core::operation::RetryClass::", stringify!($retry), ").")]
        $(#[doc = concat!($("\n\n`", stringify!($set $(($($arg),*))?), "`"),*)])?
        $(#[$meta])*
        #[derive(Clone, Default)]
        #[must_use = "an operation does nothing until it is sent"]
        #[non_exhaustive]
        pub struct $op {
            $($(#[$rmeta])* #[doc = concat!("\n\nRequired. Wire: ", stringify!($rplace), " `", $rwire, "`.")] $(#[doc = concat!($("\n\n`", stringify!($rset $(($($rarg),*))?), "`"),*)])? pub $rfield: $rty,)*
            $($(#[$ometa])* #[doc = concat!("\n\nWire: ", stringify!($oplace), " `", $owire, "`.")] $(#[doc = concat!($("\n\n`", stringify!($oset $(($($oarg),*))?), "`"),*)])? pub $ofield: ::core::option::Option<$oty>,)*
        }
        $crate::__new!([$($named)?] $op {
            $($(#[$rmeta])* $rwire $rfield: $rty,)*
        } { $($ofield)* });
        impl $op {
            $($(#[$ometa])* #[doc = concat!("\n\nSets `", $owire, "`.")]
            #[inline]
            pub fn $ofield(mut self, value: impl $crate::IntoMember<$oty>) -> Self {
                self.$ofield = ::core::option::Option::Some(value.into_member());
                self
            })*
            $($(
                #[doc = concat!("`", $text, "`")]
                pub const $constant: &'static str = $text;
            )*)?
            /// The operation's static description.
            #[inline]
            pub fn operation() -> &'static $crate::operation::Operation {
                const {
                    &$crate::operation::Operation::new(
                        stringify!($op),
                        $summary,
                        $crate::__private::Method::$method,
                        $path,
                        $crate::operation::RetryClass::$retry,
                        $crate::record::empty::<$op>,
                        $crate::record::empty::<$out>,
                    )$($(.$set($($($arg),*)?))*)?
                }
            }
            /// Encodes the call; awaiting it sends it.
            #[inline]
            pub fn send(&self, client: &crate::Client) -> $crate::Call<$out> {
                $crate::Call::new(client.as_ref(), Self::operation(), self)
            }
            /// Checks every documented limit, everything at once, without sending.
            #[inline]
            pub fn validate(&self) -> ::core::result::Result<(), $crate::record::ValidationError> {
                $crate::record::validate(self)
            }
            $(
            /// The answers, page by page.
            #[inline]
            pub fn pages(&self, client: &crate::Client) -> $crate::page::Pages<$out> {
                $crate::page::Pages::new(client.as_ref(), Self::operation(), ::std::boxed::Box::new(self.clone()))
            }
            /// The items of all pages, one by one.
            #[inline]
            pub fn items(&self, client: &crate::Client) -> $crate::page::Items<$out, $item> {
                self.pages(client).items(|page| page.output.$items)
            })?
            $(
            /// Encodes the call; awaiting it sends it. Where its outcome is not known, the thing is looked for
            /// before the call is sent again: see [`find`](cumulo_core::find).
            $(#[cfg(feature = $feature)])?
            #[inline]
            pub fn or_find(&self, client: &crate::Client) -> $crate::Call<$out> {
                const CLUE: $crate::find::Clue = $clue;
                self.send(client).or_find(&CLUE, Self::operation(), self)
            })?
        }
        $crate::__blocking_send!($op -> $out);
        impl $crate::operation::IsOperation for $op {
            type Output = $out;
            #[inline]
            fn spec() -> &'static $crate::operation::Operation {
                Self::operation()
            }
        }
        $crate::__record!($op {
            $($rfield: [$crate::record::Member::$rplace($rwire).required()$($(.$rset($($($rarg),*)?))*)?])*
            $($ofield: [$crate::record::Member::$oplace($owire)$($(.$oset($($($oarg),*)?))*)?])*
        });
    };
}

/// Declares a structure that callers fill: constructor, setters, and the tables.
///
/// The form is that of [`operation!`](crate::operation!) without places.
#[macro_export]
macro_rules! input {
    (
        $(#[$meta:meta])*
        $name:ident;
        required $($named:ident)? { $(
            $(#[$rmeta:meta])* $rwire:literal $rfield:ident: $rty:ty
                $([$($rset:ident $(($($rarg:expr),* $(,)?))?),* $(,)?])?
        ),* $(,)? }
        optional { $(
            $(#[$ometa:meta])* $owire:literal $ofield:ident: $oty:ty
                $([$($oset:ident $(($($oarg:expr),* $(,)?))?),* $(,)?])?
        ),* $(,)? }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Default)]
        #[must_use]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$rmeta])* #[doc = concat!("\n\nRequired. Wire: `", $rwire, "`.")] $(#[doc = concat!($("\n\n`", stringify!($rset $(($($rarg),*))?), "`"),*)])? pub $rfield: $rty,)*
            $($(#[$ometa])* #[doc = concat!("\n\nWire: `", $owire, "`.")] $(#[doc = concat!($("\n\n`", stringify!($oset $(($($oarg),*))?), "`"),*)])? pub $ofield: ::core::option::Option<$oty>,)*
        }
        $crate::__new!([$($named)?] $name {
            $($(#[$rmeta])* $rwire $rfield: $rty,)*
        } { $($ofield)* });
        impl $name {
            $($(#[$ometa])* #[doc = concat!("\n\nSets `", $owire, "`.")]
            #[inline]
            pub fn $ofield(mut self, value: impl $crate::IntoMember<$oty>) -> Self {
                self.$ofield = ::core::option::Option::Some(value.into_member());
                self
            })*
        }
        $crate::__record!($name {
            $($rfield: [$crate::record::Member::body($rwire).required()$($(.$rset($($($rarg),*)?))*)?])*
            $($ofield: [$crate::record::Member::body($owire)$($(.$oset($($($oarg),*)?))*)?])*
        });
    };
}

/// Declares a structure that only services fill.
///
/// ```text
/// output! {
///     /// What it is.
///     Name { "WireName" field: Option<String> [member settings], }
///     request_id "RequestId";       // only where the answer holds the request's id
/// }
/// ```
/// The request's id has no public field: [`Response::request_id`](crate::Response::request_id) tells it
/// for every service, and a field of that name beside the method would be mixed up with it.
#[macro_export]
macro_rules! output {
    (
        $(#[$meta:meta])*
        $name:ident { $(
            $(#[$fmeta:meta])* $wire:literal $field:ident: $ty:ty
                $([$($set:ident $(($($arg:expr),* $(,)?))?),* $(,)?])?
        ),* $(,)? }
        $(request_id $id:literal;)?
    ) => {
        $(#[$meta])*
        #[derive(Clone, Default)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$fmeta])* #[doc = concat!("\n\nWire: `", $wire, "`.")] pub $field: $ty,)*
            $(#[doc = concat!("Wire: `", $id, "`.")] request_id: ::core::option::Option<::std::string::String>,)?
        }
        $crate::__record!($name {
            $($field: [$crate::record::Member::body($wire)$($(.$set($($($arg),*)?))*)?])*
            $(request_id: [$crate::record::Member::body($id)])?
        });
    };
}

/// Declares the documented values of an enumeration that stays open: text constants in a unit type.
#[macro_export]
macro_rules! constants {
    ($(#[$meta:meta])* $name:ident { $($constant:ident = $text:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name;
        impl $name {
            $(#[doc = concat!("`", $text, "`")] pub const $constant: &'static str = $text;)*
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __new {
    ([] $name:ident { $($(#[$meta:meta])* $wire:literal $field:ident: $ty:ty,)* } { $($optional:ident)* }) => {
        impl $name {
            /// With the required members, in this order; the setters take the others.
            #[allow(clippy::new_without_default)]
            #[inline]
            pub fn new($($field: impl $crate::IntoMember<$ty>),*) -> Self {
                Self {
                    $($field: $field.into_member(),)*
                    $($optional: ::core::option::Option::None,)*
                }
            }
        }
    };
    ([$named:ident] $name:ident { $($(#[$meta:meta])* $wire:literal $field:ident: $ty:ty,)* } { $($optional:ident)* }) => {
        #[doc = concat!("The required members of [`", stringify!($name), "`], by name.")]
        #[derive(Clone)]
        pub struct $named {
            $($(#[$meta])* #[doc = concat!("\n\n`", $wire, "`")] pub $field: $ty,)*
        }
        impl $name {
            /// With the required members; the setters take the others.
            #[inline]
            pub fn new(required: $named) -> Self {
                Self {
                    $($field: required.$field,)*
                    $($optional: ::core::option::Option::None,)*
                }
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __record {
    ($name:ident { $($field:ident: [$member:expr])* }) => {
        impl $crate::record::seal::Sealed for $name {}
        impl $crate::record::Record for $name {
            #[inline]
            fn schema(&self) -> &'static $crate::record::Schema {
                const {
                    &$crate::record::Schema {
                        name: stringify!($name),
                        members: &[$($member),*],
                    }
                }
            }
            #[inline]
            fn read(&self, f: &mut dyn FnMut(&[&dyn $crate::record::Value])) {
                $crate::record::lend(f, &[$(&self.$field),*]);
            }
            #[inline]
            fn write(&mut self, f: &mut dyn FnMut(&mut [&mut dyn $crate::record::Value])) {
                $crate::record::lend_mut(f, &mut [$(&mut self.$field),*]);
            }
        }
        impl ::core::fmt::Debug for $name {
            #[inline]
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                $crate::record::fmt_debug(self, f)
            }
        }
        $crate::__serde!($name);
    };
}

#[cfg(feature = "serde")]
#[doc(hidden)]
#[macro_export]
macro_rules! __serde {
    ($name:ident) => {
        impl $crate::__private::serde::Serialize for $name {
            fn serialize<S: $crate::__private::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::core::result::Result<S::Ok, S::Error> {
                $crate::record::serialize(self, serializer)
            }
        }
        impl<'de> $crate::__private::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::__private::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::core::result::Result<Self, D::Error> {
                $crate::record::deserialize(deserializer)
            }
        }
    };
}

#[cfg(not(feature = "serde"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __serde {
    ($name:ident) => {};
}

#[cfg(feature = "blocking")]
#[allow(
    clippy::crate_in_macro_def,
    reason = "`crate::Client` is the client of the crate that declares the operation"
)]
#[doc(hidden)]
#[macro_export]
macro_rules! __blocking_send {
    ($op:ident -> $out:ty) => {
        impl $op {
            /// Sends the call and blocks the thread until it is done: `send(client).blocking()`.
            #[inline]
            pub fn send_blocking(
                &self,
                client: &crate::Client,
            ) -> ::core::result::Result<$crate::Response<$out>, $crate::Error> {
                $crate::blocking::Blocking::blocking(self.send(client))
            }
        }
    };
}

#[cfg(not(feature = "blocking"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __blocking_send {
    ($op:ident -> $out:ty) => {};
}

#[cfg(feature = "blocking")]
#[doc(hidden)]
#[macro_export]
macro_rules! __blocking_client {
    ($builder:ident for $client:ident) => {
        impl $client {
            /// Blocks the thread until [`from_env`](Self::from_env) is done.
            pub fn from_env_blocking() -> Result<Self, $crate::Error> {
                $crate::blocking::Blocking::blocking(Self::from_env())
            }
            /// Blocks the thread until [`close`](Self::close) is done.
            pub fn close_blocking(&self) -> Result<(), $crate::Error> {
                $crate::blocking::Blocking::blocking(async {
                    self.close().await;
                    Ok(())
                })
            }
        }
        impl $builder {
            /// Blocks the thread until [`connect`](Self::connect) is done.
            pub fn connect_blocking(self) -> Result<$client, $crate::Error> {
                $crate::blocking::Blocking::blocking(self.connect())
            }
        }
    };
}

#[cfg(not(feature = "blocking"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __blocking_client {
    ($builder:ident for $client:ident) => {};
}
