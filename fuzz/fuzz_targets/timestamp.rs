//! Times in any form, against jiff where both read it.

#![no_main]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cumulo_core::Timestamp;
use cumulo_core::zstack::access_key;
use cumulo_core::sign::time;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let stamp = Timestamp::from(text);
    assert_eq!(stamp.as_str(), text);
    let (civil, unix, system) = (stamp.civil(), stamp.unix_seconds(), stamp.system_time());
    if let Some(civil) = civil {
        assert!((1..=12).contains(&civil.month) && (1..=31).contains(&civil.day));
        assert!(civil.hour < 24 && civil.minute < 60 && civil.second <= 60);
        assert!(civil.nanosecond < 1_000_000_000);
    }
    // A point in time has a date, and both ways to it agree.
    assert!(unix.is_none() || civil.is_some());
    assert!(system.is_none() || unix.is_some());
    if let (Some(unix), Some(system)) = (unix, system) {
        let whole = Duration::from_secs(unix.unsigned_abs());
        let base = if unix < 0 {
            UNIX_EPOCH - whole
        } else {
            UNIX_EPOCH + whole
        };
        let rest: Duration = system
            .duration_since(base)
            .expect("fractions count forward");
        assert!(rest < Duration::from_secs(1));
        let _: SystemTime = base;
    }
    if let (Some(unix), Ok(theirs)) = (unix, text.parse::<jiff::Timestamp>()) {
        let leap = civil.is_some_and(|civil| civil.second == 60);
        // Theirs are rounded towards 1970, ours down.
        let theirs = theirs.as_nanosecond().div_euclid(1_000_000_000);
        assert_eq!(i128::from(unix - i64::from(leap)), theirs, "{text}");
    }
    if let Some(unix) = unix {
        // What we write ourselves is read back.
        let written = time::iso8601(unix);
        let read = Timestamp::from(written.as_str()).unix_seconds();
        assert_eq!(
            read,
            Some(unix.clamp(0, jiff::Timestamp::MAX.as_second())),
            "{written}"
        );
        let _ = access_key::date(unix, unix as i32);
    }
});
