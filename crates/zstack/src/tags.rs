//! How does every operation get its tags? They are the same two lists everywhere, so that the model
//! states them once, and one macro gives them to all.

/// An operation that takes `systemTags` and `userTags` beside its own members: in the body where it has
/// one, else in the query, as the vendor's SDK sends them.
///
/// The form is that of `cumulo_core::operation!`. An operation with a member of such a name is written
/// in that macro instead.
#[allow(unused_macros, reason = "without features there are no operations")]
macro_rules! tagged_operation {
    ($(#[$($doc:tt)*])* $op:ident -> $out:ident: GET $($rest:tt)*) => {
        tagged_operation! { @query $(#[$($doc)*])* $op -> $out: GET $($rest)* }
    };
    ($(#[$($doc:tt)*])* $op:ident -> $out:ident: DELETE $($rest:tt)*) => {
        tagged_operation! { @query $(#[$($doc)*])* $op -> $out: DELETE $($rest)* }
    };
    ($(#[$($doc:tt)*])* $op:ident -> $out:ident: POST $($rest:tt)*) => {
        tagged_operation! { @body $(#[$($doc)*])* $op -> $out: POST $($rest)* }
    };
    ($(#[$($doc:tt)*])* $op:ident -> $out:ident: PUT $($rest:tt)*) => {
        tagged_operation! { @body $(#[$($doc)*])* $op -> $out: PUT $($rest)* }
    };
    (
        @$place:ident $(#[$($doc:tt)*])*
        $op:ident -> $out:ident: $method:ident $path:literal $retry:ident $([$($set:tt)*])?;
        required $($named:ident)? { $($required:tt)* }
        optional { $($optional:tt)* }
        $($rest:tt)*
    ) => {
        cumulo_core::operation! {
            $(#[$($doc)*])*
            $op -> $out: $method $path $retry $([$($set)*])?;
            required $($named)? { $($required)* }
            optional {
                $($optional)*
                /// See [tags](crate#tags).
                $place "systemTags" system_tags: Vec<String>,
                /// See [tags](crate#tags).
                $place "userTags" user_tags: Vec<String>,
            }
            $($rest)*
        }
    };
}
