//! Times as services write them: many formats, some without a zone.
//!
//! A [`Timestamp`] keeps the text it came with, so that nothing is lost when a format is new. The
//! accessors read RFC 3339 (any number of fraction digits, `Z`, `+08:00`, `+0000` or no zone, a
//! space instead of `T`, single-digit months), Unix seconds and milliseconds, and the form that
//! some print in their server's local time: `Jun 7, 2017 9:20:28 PM`.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::SignedDuration;
use jiff::civil::DateTime;

/// A point in time as the service wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Timestamp(String);

/// A date and time of day, in the zone of whoever wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CivilTime {
    /// Year, such as 2026.
    pub year: i32,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month, 1 to 31.
    pub day: u8,
    /// Hour, 0 to 23.
    pub hour: u8,
    /// Minute, 0 to 59.
    pub minute: u8,
    /// Second, 0 to 60.
    pub second: u8,
    /// Nanosecond, 0 to 999,999,999.
    pub nanosecond: u32,
}

impl Timestamp {
    /// The text as it came.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn text_mut(&mut self) -> &mut String {
        &mut self.0
    }

    /// Date and time as written, whatever the zone; `None` where the format is unknown.
    pub fn civil(&self) -> Option<CivilTime> {
        parse(&self.0).map(|(civil, _)| civil)
    }

    /// The point in time; `None` where the text names no zone or the format is unknown.
    pub fn system_time(&self) -> Option<SystemTime> {
        let (civil, offset) = parse(&self.0)?;
        civil.to_system_time(offset?)
    }

    /// Seconds since 1970-01-01T00:00:00Z, under the conditions of
    /// [`system_time`](Self::system_time).
    pub fn unix_seconds(&self) -> Option<i64> {
        let (civil, offset) = parse(&self.0)?;
        Some(civil.unix_seconds()? - i64::from(offset?))
    }
}

/// The first second that Unix counts.
const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

impl CivilTime {
    /// The same for jiff, which takes a leap second for the one before; `None` where the calendar
    /// has no such time.
    fn date_time(&self) -> Option<DateTime> {
        let [month, day, hour, minute, second] = [
            self.month,
            self.day,
            self.hour,
            self.minute,
            self.second.min(59),
        ]
        .map(|part| i8::try_from(part).unwrap_or(i8::MAX));
        let year = i16::try_from(self.year).ok()?;
        let nanosecond = i32::try_from(self.nanosecond).ok()?;
        DateTime::new(year, month, day, hour, minute, second, nanosecond).ok()
    }

    fn unix_seconds(&self) -> Option<i64> {
        let leap = i64::from(self.second.saturating_sub(59));
        let whole = Self {
            nanosecond: 0,
            ..*self
        };
        Some(whole.date_time()?.duration_since(EPOCH).as_secs() + leap)
    }

    /// The point in time, given the writer's offset from UTC in seconds; `None` where the
    /// calendar has no such time.
    pub fn to_system_time(self, utc_offset: i32) -> Option<SystemTime> {
        let seconds = self.unix_seconds()? - i64::from(utc_offset);
        let whole = Duration::from_secs(seconds.unsigned_abs());
        let base = if seconds < 0 {
            UNIX_EPOCH.checked_sub(whole)
        } else {
            UNIX_EPOCH.checked_add(whole)
        };
        base?.checked_add(Duration::from_nanos(u64::from(self.nanosecond)))
    }

    fn from_unix(seconds: i64, nanosecond: u32) -> Option<Self> {
        let at = EPOCH.checked_add(SignedDuration::from_secs(seconds)).ok()?;
        Some(Self {
            year: at.year().into(),
            month: at.month() as u8,
            day: at.day() as u8,
            hour: at.hour() as u8,
            minute: at.minute() as u8,
            second: at.second() as u8,
            nanosecond,
        })
    }

    fn checked(self) -> Option<Self> {
        (self.second <= 60 && self.date_time().is_some()).then_some(self)
    }
}

/// The civil time, and the offset from UTC in seconds where the text tells it.
fn parse(text: &str) -> Option<(CivilTime, Option<i32>)> {
    let text = text.trim();
    if let Ok(number) = text.parse::<i64>() {
        return from_number(number).map(|civil| (civil, Some(0)));
    }
    if text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return month_first(text).map(|civil| (civil, None));
    }
    year_first(text)
}

/// Numbers this large are milliseconds: as seconds they would lie after the year 5138.
const MILLISECONDS_FROM: i64 = 100_000_000_000;

fn from_number(number: i64) -> Option<CivilTime> {
    if number.unsigned_abs() < MILLISECONDS_FROM as u64 {
        return CivilTime::from_unix(number, 0);
    }
    let nanos = number.rem_euclid(1000) as u32 * 1_000_000;
    CivilTime::from_unix(number.div_euclid(1000), nanos)
}

fn year_first(text: &str) -> Option<(CivilTime, Option<i32>)> {
    let split = text.find(['T', 't', ' ']);
    let (date, time) = match split {
        Some(at) => (&text[..at], text[at + 1..].trim_start()),
        None => (text, ""),
    };
    let mut parts = date.split('-');
    let year = parts.next()?.parse().ok()?;
    let month = parts.next()?.parse().ok()?;
    let day = parts.next()?.parse().ok()?;
    if parts.next().is_some() {
        return None;
    }
    let zone_at = time.find(['Z', 'z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = time.split_at(zone_at);
    let (hour, minute, second, nanosecond) = clock_of_day(clock.trim_end())?;
    let civil = CivilTime {
        year,
        month,
        day,
        hour,
        minute,
        second,
        nanosecond,
    };
    let offset = match zone {
        "" => None,
        zone => Some(offset(zone)?),
    };
    Some((civil.checked()?, offset))
}

fn clock_of_day(text: &str) -> Option<(u8, u8, u8, u32)> {
    if text.is_empty() {
        return Some((0, 0, 0, 0));
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = whole.split(':');
    let hour = parts.next()?.parse().ok()?;
    let minute = parts.next()?.parse().ok()?;
    let second = parts.next().map_or(Some(0), |part| part.parse().ok())?;
    if parts.next().is_some() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits: String = fraction
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect();
    Some((hour, minute, second, digits.parse().ok()?))
}

/// Seconds east of UTC; `None` where what is written is not a zone.
fn offset(zone: &str) -> Option<i32> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let digits: String = zone[1..].chars().filter(|c| *c != ':').collect();
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let hours: i32 = digits[..2].parse().ok()?;
    let minutes: i32 = digits.get(2..4).map_or(Some(0), |m| m.parse().ok())?;
    Some(sign * (hours * 3600 + minutes * 60))
}

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// `Jun 7, 2017 9:20:28 PM`; newer Java runtimes put a comma after the year and a narrow no-break
/// space before `PM`.
fn month_first(text: &str) -> Option<CivilTime> {
    let mut words = text
        .split(|c: char| c.is_whitespace() || c == ',' || c == '\u{202f}')
        .filter(|word| !word.is_empty());
    let name = words.next()?.to_lowercase();
    let month = MONTHS.iter().position(|month| name.starts_with(month))? as u8 + 1;
    let day = words.next()?.parse().ok()?;
    let year = words.next()?.parse().ok()?;
    let (hour, minute, second, nanosecond) = clock_of_day(words.next()?)?;
    let hour = match words.next() {
        None => hour,
        Some(half) if (1..=12).contains(&hour) => {
            let afternoon = match half.to_ascii_lowercase().as_str() {
                "am" => 0,
                "pm" => 12,
                _ => return None,
            };
            hour % 12 + afternoon
        }
        Some(_) => return None,
    };
    CivilTime {
        year,
        month,
        day,
        hour,
        minute,
        second,
        nanosecond,
    }
    .checked()
}

impl From<String> for Timestamp {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Timestamp {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unix(text: &str) -> Option<i64> {
        Timestamp::from(text).unix_seconds()
    }

    #[test]
    fn reads_the_formats_that_services_send() {
        let at = 1_595_558_244; // 2020-07-24T02:37:24Z
        assert_eq!(unix("2020-07-24T02:37:24.835128293Z"), Some(at));
        assert_eq!(unix("2020-07-24T10:37:24+08:00"), Some(at));
        assert_eq!(unix("2020-07-24T02:37:24.8+0000"), Some(at));
        assert_eq!(unix("1595558244"), Some(at));
        assert_eq!(unix("1595558244835"), Some(at));
        assert_eq!(unix("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(unix("1969-12-31T23:59:59Z"), Some(-1));
        assert_eq!(unix("2024-02-29T00:00:00Z"), Some(1_709_164_800));
    }

    #[test]
    fn a_text_without_zone_gives_the_civil_time_only() {
        for text in ["2020-07-24 15:44:56", "2020-7-24T15:44:56"] {
            let stamp = Timestamp::from(text);
            let civil = stamp.civil().unwrap();
            assert_eq!((civil.year, civil.month, civil.hour), (2020, 7, 15));
            assert_eq!(stamp.system_time(), None);
        }
        for text in [
            "Jun 7, 2017 9:20:28 PM",
            "Jun 7, 2017, 9:20:28 PM",
            "Jun 7, 2017, 9:20:28\u{202f}PM",
        ] {
            let civil = Timestamp::from(text).civil().unwrap();
            assert_eq!((civil.month, civil.day, civil.hour), (6, 7, 21));
        }
        let noon = Timestamp::from("Jun 7, 2017 12:00:00 AM").civil().unwrap();
        assert_eq!(noon.hour, 0);
    }

    #[test]
    fn what_is_not_a_time_is_none_and_keeps_its_text() {
        for text in [
            "",
            "soon",
            "2020-13-01",
            "2020-02-30T00:00:00Z",
            "2020-01-01T00:00:00+8",
            "é",
        ] {
            assert_eq!(Timestamp::from(text).civil(), None, "{text}");
            assert_eq!(Timestamp::from(text).as_str(), text);
        }
    }

    #[test]
    fn the_whole_calendar_is_read() {
        for (text, seconds) in [
            ("9999-12-31T23:59:59Z", 253_402_300_799),
            ("0001-01-01T00:00:00Z", -62_135_596_800),
            ("2016-12-31T23:59:60Z", 1_483_228_800),
            ("2016-12-31T23:59:60.5Z", 1_483_228_800),
            ("1900-03-01T00:00:00Z", -2_203_891_200),
        ] {
            assert_eq!(unix(text), Some(seconds), "{text}");
        }
        for text in ["1900-02-29", "99999-01-01", "2020-01-01T24:00:00Z"] {
            assert_eq!(Timestamp::from(text).civil(), None, "{text}");
        }
        assert_eq!(unix(&i64::MAX.to_string()), None);
    }

    #[test]
    fn a_time_that_the_calendar_lacks_is_no_point_in_time() {
        let civil = |month, day, hour| CivilTime {
            year: 2020,
            month,
            day,
            hour,
            minute: 0,
            second: 0,
            nanosecond: 0,
        };
        assert!(civil(2, 29, 23).to_system_time(3600).is_some());
        for (month, day, hour) in [(13, 1, 0), (200, 1, 0), (2, 30, 0), (2, 1, 24)] {
            assert_eq!(civil(month, day, hour).to_system_time(0), None);
        }
    }
}
