//! Tables of error codes, from the overlays of a service and of its cloud.

use std::cmp::Reverse;

use toml::{Table, Value as Toml};

use super::text::literal;
use crate::fault::Fault;
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

/// The static `name` with a row for each entry of `codes`, the more exact ones first: the runtime takes
/// the first row that fits.
pub(crate) fn table(
    overlay: &Overlay,
    place: &str,
    codes: &Table,
    (name, visible): (&str, &str),
    faults: &mut Vec<Fault>,
) -> String {
    let mut rows: Vec<(&String, &Toml)> = codes.iter().collect();
    rows.sort_by_key(|(code, _)| {
        let open = code.ends_with('*');
        (open, Reverse(usize::from(open) * code.len()), *code)
    });
    let mut text = format!("#[rustfmt::skip]\npub({visible}) static {name}: &[Code] = &[\n");
    for (code, meaning) in rows {
        let word = |key: &str| meaning.get(key).and_then(Toml::as_str).unwrap_or_default();
        let (kind, hint) = (word("kind"), word("hint"));
        if !KINDS.contains(&kind) {
            faults.push(overlay.fault(code, format!("[{place}] unknown kind `{kind}`")));
        }
        let keys = meaning.as_table().into_iter().flat_map(Table::keys);
        for key in keys.filter(|key| !matches!(key.as_str(), "kind" | "hint")) {
            faults.push(overlay.fault(code, format!("[{place}] unknown key `{key}`")));
        }
        let (code, hint) = (literal(code), literal(hint));
        text += &format!("    Code {{ code: {code}, kind: Kind::{kind}, hint: {hint} }},\n");
    }
    text + "];\n"
}

/// Codes of a service that would keep rows of its cloud from being found: the service's count first.
pub(crate) fn hidden(
    overlay: &Overlay,
    place: &str,
    codes: &Table,
    cloud: &Overlay,
    faults: &mut Vec<Fault>,
) {
    for code in codes.keys() {
        for other in cloud.table("error").keys() {
            if covers(code, other) {
                let message = format!("[{place}] hides `{other}` of {}", cloud.file);
                faults.push(overlay.fault(code, message));
            }
        }
    }
}

/// Whether a row for `code` fits whatever a row for `other` fits.
fn covers(code: &str, other: &str) -> bool {
    code == other || code.ends_with('*') && prefix(other).starts_with(prefix(code))
}

fn prefix(code: &str) -> &str {
    code.strip_suffix('*').unwrap_or(code)
}

/// The text of a service's `codes.rs` without its first line, if its overlay explains codes.
pub(super) fn service(
    overlay: &Overlay,
    cloud: &Overlay,
    faults: &mut Vec<Fault>,
) -> Option<String> {
    let codes = overlay.table("error");
    if codes.is_empty() {
        return None;
    }
    hidden(overlay, "error", codes, cloud, faults);
    let rows = table(overlay, "error", codes, ("CODES", "super"), faults);
    Some(format!(
        "//! What the service's error codes mean, and the next step.\n\n\
         use cumulo_core::Kind;\nuse cumulo_core::service::Code;\n\n/// The more exact ones first.\n{rows}",
    ))
}
