//! Why does ZStack refuse an access key with `requestTimeTooSkewed` though both clocks are right?
//!
//! Unless told otherwise the server ignores the zone in the `Date` header and compares its wall
//! clock with its own. So the date is written in the server's zone, as `GMT+08:00`: right whether
//! the server looks at the zone or not. The signature covers verb, date and path only: neither
//! query nor body, so nothing but TLS protects those. Source: ZStack's Java SDK and server.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use jiff::civil::Weekday;

use crate::sign::time::{at_offset, push_clock, push_digits};
use crate::sign::{Signed, hmac_sha1};

/// No zone on earth is further than this from UTC, and Java's `ZoneOffset` allows no more.
const MAX_OFFSET_SECONDS: i32 = 18 * 3600;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// The string to sign. `uri` is the path without percent-encoding, without the context path
/// (`/zstack`) and without the query: `/v1/zones`.
pub fn string_to_sign(method: &str, date: &str, uri: &str) -> String {
    [method, "\n", date, "\n", uri].concat()
}

/// Signs a request whose `Date` header is `date`, as [`date`] writes it.
pub fn authorization(key_id: &str, secret: &str, method: &str, date: &str, uri: &str) -> Signed {
    let string_to_sign = string_to_sign(method, date, uri);
    let signature = BASE64_STANDARD.encode(hmac_sha1(secret.as_bytes(), string_to_sign.as_bytes()));
    Signed {
        authorization: ["ZStack ", key_id, ":", &signature].concat(),
        canonical_request: String::new(),
        string_to_sign,
    }
}

/// A point in time (seconds since 1970) as the `Date` header wants it, on the wall clock of a zone
/// that many seconds east of UTC: `Thu, 01 Jan 2026 08:00:00 GMT+08:00`, or plain `GMT` for UTC.
///
/// The zone is cut to whole minutes and to 18 hours either way, so that the clock and the zone
/// beside it always agree.
pub fn date(epoch_seconds: i64, utc_offset_seconds: i32) -> String {
    let offset = utc_offset_seconds.clamp(-MAX_OFFSET_SECONDS, MAX_OFFSET_SECONDS) / 60 * 60;
    let local = at_offset(epoch_seconds, offset);

    let mut out = String::with_capacity(35);
    out.push_str(match local.weekday() {
        Weekday::Monday => "Mon, ",
        Weekday::Tuesday => "Tue, ",
        Weekday::Wednesday => "Wed, ",
        Weekday::Thursday => "Thu, ",
        Weekday::Friday => "Fri, ",
        Weekday::Saturday => "Sat, ",
        Weekday::Sunday => "Sun, ",
    });
    push_digits::<2>(&mut out, i32::from(local.day()));
    out.push(' ');
    out.push_str(MONTHS[usize::from(local.month().unsigned_abs() - 1)]);
    out.push(' ');
    push_digits::<4>(&mut out, i32::from(local.year()));
    out.push(' ');
    push_clock(&mut out, local, ":");
    out.push_str(" GMT");
    if offset != 0 {
        out.push(if offset < 0 { '-' } else { '+' });
        push_digits::<2>(&mut out, offset.abs() / 3600);
        out.push(':');
        push_digits::<2>(&mut out, offset.abs() / 60 % 60);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign::testing::each_altered_byte;
    use proptest::prelude::*;

    const SECRET: &str = "abcdefghij1234567890abcdefghij1234567890";
    /// 2026-01-01T00:00:00Z
    const NEW_YEAR: i64 = 1_767_225_600;

    /// Derived with the algorithm of ZStack's Java SDK.
    #[test]
    fn query_and_change_of_access_keys() {
        let date = date(NEW_YEAR, 8 * 3600);
        let signed = authorization("some-id", SECRET, "GET", &date, "/v1/accesskeys");
        assert_eq!(
            signed.string_to_sign,
            "GET\nThu, 01 Jan 2026 08:00:00 GMT+08:00\n/v1/accesskeys"
        );
        assert_eq!(
            signed.authorization,
            "ZStack some-id:/QP8i6rR3h11NLbhtpmILNqBtIY="
        );
        let path = "/v1/accesskeys/defe79b1a43f35818dc6d3959b571773/actions";
        assert_eq!(
            authorization("some-id", SECRET, "PUT", &date, path).authorization,
            "ZStack some-id:JTWnSWntNcxt16evv+h69pYJFWs="
        );
    }

    #[test]
    fn dates_are_on_the_wall_clock_of_the_zone() {
        for (offset, want) in [
            (0, "Thu, 01 Jan 2026 00:00:00 GMT"),
            (59, "Thu, 01 Jan 2026 00:00:00 GMT"),
            (-59, "Thu, 01 Jan 2026 00:00:00 GMT"),
            (60, "Thu, 01 Jan 2026 00:01:00 GMT+00:01"),
            (5 * 3600 + 1800, "Thu, 01 Jan 2026 05:30:00 GMT+05:30"),
            (8 * 3600 + 7, "Thu, 01 Jan 2026 08:00:00 GMT+08:00"),
            (-(3 * 3600 + 1800), "Wed, 31 Dec 2025 20:30:00 GMT-03:30"),
            (i32::MAX, "Thu, 01 Jan 2026 18:00:00 GMT+18:00"),
            (i32::MIN, "Wed, 31 Dec 2025 06:00:00 GMT-18:00"),
        ] {
            assert_eq!(date(NEW_YEAR, offset), want, "{offset}");
        }
        assert_eq!(date(1_078_016_584, 0), "Sun, 29 Feb 2004 01:03:04 GMT");
        assert_eq!(date(0, -3600), "Wed, 31 Dec 1969 23:00:00 GMT-01:00");
    }

    proptest! {
        #[test]
        fn dates_agree_with_an_independent_formatter(
            epoch in 0_i64..253_000_000_000,
            minutes in -1080_i32..=1080,
        ) {
            let zone = jiff::tz::Offset::from_seconds(minutes * 60).unwrap().to_time_zone();
            let moment = jiff::Timestamp::from_second(epoch).unwrap().to_zoned(zone);
            let zone = if minutes == 0 { "" } else { "%:z" };
            let want = moment.strftime(&format!("%a, %d %b %Y %H:%M:%S GMT{zone}")).to_string();
            prop_assert_eq!(date(epoch, minutes * 60), want);
        }

        #[test]
        fn any_time_and_zone_gives_a_date_of_the_right_shape(epoch in any::<i64>(), offset in any::<i32>()) {
            let text = date(epoch, offset);
            prop_assert!(text.len() == 29 || text.len() == 35, "{}", text);
        }
    }

    #[test]
    fn any_changed_byte_changes_the_signature() {
        let sign = |secret: &str, method: &str, date: &str, uri: &str| {
            authorization("id", secret, method, date, uri).authorization
        };
        let (method, date, uri) = ("PUT", "Thu, 01 Jan 2026 08:00:00 GMT+08:00", "/v1/zones/x");
        let original = sign(SECRET, method, date, uri);
        assert_eq!(original, sign(SECRET, method, date, uri));
        for secret in each_altered_byte(SECRET) {
            assert_ne!(sign(&secret, method, date, uri), original, "{secret}");
        }
        for method in each_altered_byte(method) {
            assert_ne!(sign(SECRET, &method, date, uri), original, "{method}");
        }
        for date in each_altered_byte(date) {
            assert_ne!(sign(SECRET, method, &date, uri), original, "{date}");
        }
        for uri in each_altered_byte(uri) {
            assert_ne!(sign(SECRET, method, date, &uri), original, "{uri}");
        }
    }

    #[test]
    fn debug_shows_no_secret_and_no_signature() {
        let signed = authorization("id", SECRET, "GET", &date(NEW_YEAR, 0), "/v1/zones");
        let (_, signature) = signed.authorization.split_once(':').unwrap();
        let debug = format!("{signed:?}");
        assert!(
            !debug.contains(SECRET) && !debug.contains(signature),
            "{debug}"
        );
        assert!(debug.contains("/v1/zones"), "{debug}");
    }
}
