//! In which of the many ISO 8601 forms does this cloud want its date?
//!
//! Seconds since 1970 in, text out, always UTC. The calendar is jiff's; the digits are written here
//! because every attempt has a new date, and this takes under a thousand instructions.
//! Times before 1970 or after 9999 are taken for the nearest one that a date can show.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// The extended form: `2026-01-31T08:05:09Z`.
pub fn iso8601(epoch_seconds: i64) -> String {
    text(epoch_seconds, "-", ":")
}

/// The basic form: `20260131T080509Z`.
pub fn basic(epoch_seconds: i64) -> String {
    text(epoch_seconds, "", "")
}

fn text(epoch_seconds: i64, date_separator: &str, clock_separator: &str) -> String {
    let utc = at_offset(epoch_seconds, 0);
    let mut out = String::with_capacity(20);
    push_digits::<4>(&mut out, i32::from(utc.year()));
    out.push_str(date_separator);
    push_digits::<2>(&mut out, i32::from(utc.month()));
    out.push_str(date_separator);
    push_digits::<2>(&mut out, i32::from(utc.day()));
    out.push('T');
    push_clock(&mut out, utc, clock_separator);
    out.push('Z');
    out
}

/// The wall clock at a time, in a zone that many seconds east of UTC (less than a day).
pub(crate) fn at_offset(epoch_seconds: i64, offset_seconds: i32) -> DateTime {
    let seconds = epoch_seconds.clamp(0, Timestamp::MAX.as_second());
    let timestamp = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
    Offset::from_seconds(offset_seconds)
        .unwrap_or(Offset::UTC)
        .to_datetime(timestamp)
}

/// Appends hours, minutes and seconds.
pub(crate) fn push_clock(out: &mut String, time: DateTime, separator: &str) {
    push_digits::<2>(out, i32::from(time.hour()));
    out.push_str(separator);
    push_digits::<2>(out, i32::from(time.minute()));
    out.push_str(separator);
    push_digits::<2>(out, i32::from(time.second()));
}

/// Appends the last `WIDTH` decimal digits of a number that is not negative, with leading zeros.
pub(crate) fn push_digits<const WIDTH: usize>(out: &mut String, number: i32) {
    let mut rest = number.unsigned_abs();
    let mut digits = [b'0'; WIDTH];
    for digit in digits.iter_mut().rev() {
        *digit += (rest % 10) as u8;
        rest /= 10;
    }
    out.extend(digits.map(char::from));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_times() {
        for (epoch, extended, short) in [
            (0, "1970-01-01T00:00:00Z", "19700101T000000Z"),
            (951_782_400, "2000-02-29T00:00:00Z", "20000229T000000Z"),
            (1_573_789_015, "2019-11-15T03:36:55Z", "20191115T033655Z"),
            (1_698_315_752, "2023-10-26T10:22:32Z", "20231026T102232Z"),
            (1_767_225_599, "2025-12-31T23:59:59Z", "20251231T235959Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z", "21000301T000000Z"),
        ] {
            assert_eq!(iso8601(epoch), extended);
            assert_eq!(basic(epoch), short);
        }
    }

    #[test]
    fn impossible_times_are_taken_for_the_nearest_possible_one() {
        assert_eq!(iso8601(-1), "1970-01-01T00:00:00Z");
        assert_eq!(basic(i64::MIN), "19700101T000000Z");
        assert!(iso8601(i64::MAX).starts_with("9999-12-"));
    }

    proptest! {
        #[test]
        fn dates_agree_with_an_independent_formatter(epoch in 0_i64..253_000_000_000) {
            let moment = Timestamp::from_second(epoch).unwrap();
            prop_assert_eq!(iso8601(epoch), moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
            prop_assert_eq!(basic(epoch), moment.strftime("%Y%m%dT%H%M%SZ").to_string());
        }
    }
}
