#![allow(unreachable_pub, reason = "what the macro makes is public")]

use std::time::{Duration, UNIX_EPOCH};

use super::was_before;
use crate::Timestamp;

crate::output! {
    /// A thing in a list.
    Row {
        "made" made: Option<Timestamp>,
    }
}

#[test]
fn only_what_is_surely_older_was_there_before() {
    // 2026-01-01T12:00:00Z
    let since = UNIX_EPOCH + Duration::from_secs(1_767_268_800);
    for (made, before) in [
        ("2026-01-01T11:44:59Z", true),
        ("2026-01-01T11:45:00Z", false),
        ("2026-01-01T12:00:01Z", false),
        ("2026-01-01T19:44:59+08:00", true),
        ("1767260000", true),
        // Without a zone it may be any: this is after the call in the zone that is the farthest behind.
        ("Jan 1, 2026 1:00:00 AM", false),
        ("Dec 31, 2025 11:44:59 PM", true),
        ("no time", false),
        ("", false),
    ] {
        let row = Row {
            made: Some(made.into()),
        };
        assert_eq!(was_before(&row, "made", since), before, "{made}");
    }
    assert!(!was_before(&Row::default(), "made", since));
    assert!(!was_before(&Row::default(), "", since));
}
