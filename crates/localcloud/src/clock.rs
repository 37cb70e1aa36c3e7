//! What time is it at the server? The real time plus an offset that a test may move.
//!
//! Every window that the local cloud checks (timestamps, token lives, lock-outs) is measured
//! with this clock, so that expiry and clock skew are tested without waiting.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// Signatures older or younger than this are refused; the limit of all three clouds.
pub(crate) const SIGNATURE_WINDOW_SECONDS: i64 = 15 * 60;

/// The server's clock.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    offset: AtomicI64,
}

impl Clock {
    pub(crate) fn set_offset(&self, seconds: i64) {
        self.offset.store(seconds, Ordering::SeqCst);
    }

    pub(crate) fn offset(&self) -> i64 {
        self.offset.load(Ordering::SeqCst)
    }

    /// Now, with `skew` seconds added for this one request.
    pub(crate) fn now(&self, skew: i64) -> Timestamp {
        let offset = self.offset.load(Ordering::SeqCst).saturating_add(skew);
        shift(Timestamp::now(), offset)
    }
}

/// `at` moved by `seconds`; stays where it is when that leaves the calendar.
pub(crate) fn shift(at: Timestamp, seconds: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(seconds))
        .unwrap_or(at)
}

/// Whether `at` is over at `now`.
pub(crate) fn is_over(at: Option<Timestamp>, now: Timestamp) -> bool {
    at.is_some_and(|at| at <= now)
}

/// Whether two instants are close enough for a signature.
pub(crate) fn within_window(a: Timestamp, b: Timestamp) -> bool {
    (a.as_second() - b.as_second()).abs() <= SIGNATURE_WINDOW_SECONDS
}

/// `2022-09-09T02:35:44Z`
pub(crate) const ISO: &str = "%Y-%m-%dT%H:%M:%SZ";
/// `20191115T033655Z`
pub(crate) const BASIC: &str = "%Y%m%dT%H%M%SZ";

pub(crate) fn iso(at: Timestamp) -> String {
    at.strftime(ISO).to_string()
}

pub(crate) fn basic(at: Timestamp) -> String {
    at.strftime(BASIC).to_string()
}

/// Keystone's form, six fraction digits.
pub(crate) fn iso_micros(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

/// APIG's form, nine fraction digits.
pub(crate) fn iso_nanos(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%9fZ").to_string()
}

/// The form of ZStack's answers, Gson's default: local, without a zone.
pub(crate) fn gson(at: Timestamp, offset_seconds: i32) -> String {
    wall(at, offset_seconds)
        .strftime("%b %-d, %Y %-I:%M:%S %p")
        .to_string()
}

/// The form of the `Date` header.
pub(crate) fn http_date(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Parses `text` by `format` as UTC and insists that it is written exactly so.
pub(crate) fn parse_utc(format: &str, text: &str) -> Option<Timestamp> {
    let at = DateTime::strptime(format, text).ok()?;
    let at = at.to_zoned(TimeZone::UTC).ok()?.timestamp();
    (at.strftime(format).to_string() == text).then_some(at)
}

/// What a wall clock shows, `offset_seconds` east of UTC.
pub(crate) fn wall(at: Timestamp, offset_seconds: i32) -> DateTime {
    Offset::from_seconds(offset_seconds)
        .unwrap_or(Offset::UTC)
        .to_datetime(at)
}

/// The instant at which a clock `offset_seconds` east of UTC shows `wall`.
pub(crate) fn instant(wall: DateTime, offset_seconds: i32) -> Option<Timestamp> {
    Offset::from_seconds(offset_seconds)
        .ok()?
        .to_timestamp(wall)
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let at = Timestamp::from_second(1_595_558_244).unwrap();
        assert_eq!(iso(at), "2020-07-24T02:37:24Z");
        assert_eq!(basic(at), "20200724T023724Z");
        assert_eq!(iso_micros(at), "2020-07-24T02:37:24.000000Z");
        assert_eq!(iso_nanos(at), "2020-07-24T02:37:24.000000000Z");
        assert_eq!(http_date(at), "Fri, 24 Jul 2020 02:37:24 GMT");
        assert_eq!(gson(at, 12 * 3600), "Jul 24, 2020 2:37:24 PM");
        assert_eq!(wall(at, 8 * 3600).to_string(), "2020-07-24T10:37:24");
        assert_eq!(instant(wall(at, 8 * 3600), 8 * 3600), Some(at));
    }

    #[test]
    fn only_the_exact_form_is_read() {
        let at = parse_utc(ISO, "2020-07-24T02:37:24Z").unwrap();
        assert_eq!(at.as_second(), 1_595_558_244);
        for wrong in [
            "2020-07-24T02:37:24",
            "2020-7-24T02:37:24Z",
            "2020-07-24 02:37:24Z",
            "20200724T023724Z",
            "",
        ] {
            assert_eq!(parse_utc(ISO, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_offset_moves_the_clock() {
        let clock = Clock::default();
        let before = clock.now(0).as_second();
        clock.set_offset(3600);
        let after = clock.now(60).as_second();
        assert!(
            (3655..=3665).contains(&(after - before)),
            "{before} {after}"
        );
    }
}
