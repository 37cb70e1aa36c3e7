//! The table of error codes of a service, from its overlay.

use toml::Value as Toml;

use super::text::literal;
use crate::fault::{Fault, Faults};
use crate::overlay::Overlay;

/// Kinds of errors that a code can mean, as the runtime names them.
const KINDS: &[&str] = &[
    "Signature",
    "ClockSkew",
    "NonceReused",
    "Unauthenticated",
    "TokenExpired",
    "PermissionDenied",
    "NotFound",
    "AlreadyExists",
    "Conflict",
    "InvalidArgument",
    "QuotaExceeded",
    "Throttled",
    "Busy",
    "Contended",
    "Unavailable",
    "Internal",
    "IdempotencyMismatch",
    "OperationFailed",
    "Timeout",
    "Other",
];

/// The text of `codes.rs` without its first line, if the overlay explains codes.
pub(super) fn codes(overlay: &Overlay) -> Faults<Option<String>> {
    let mut faults: Vec<Fault> = Vec::new();
    let mut rows = String::new();
    for (code, meaning) in overlay.table("error") {
        let word = |key: &str| meaning.get(key).and_then(Toml::as_str).unwrap_or_default();
        let (kind, hint) = (word("kind"), word("hint"));
        if !KINDS.contains(&kind) {
            faults.push(overlay.fault(code, format!("[error] unknown kind `{kind}`")));
        }
        let (code, hint) = (literal(code), literal(hint));
        rows += &format!("    Code {{ code: {code}, kind: Kind::{kind}, hint: {hint} }},\n");
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    if rows.is_empty() {
        return Ok(None);
    }
    Ok(Some(format!(
        "//! What the service's error codes mean, and the next step.\n\n\
         use cumulo_core::Kind;\nuse cumulo_core::service::Code;\n\n\
         /// By code.\n#[rustfmt::skip]\npub static CODES: &[Code] = &[\n{rows}];\n",
    )))
}
