//! Times as services write them: many formats, some without a zone.
//!
//! A [`Timestamp`] keeps the text it came with, so that nothing is lost when a format is new. The
//! accessors read RFC 3339 (any number of fraction digits, `Z`, `+08:00`, `+0000` or no zone, a
//! space instead of `T`, single-digit months), Unix seconds and milliseconds, and the form that
//! some print in their server's local time: `Jun 7, 2017 9:20:28 PM`.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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
        Some(civil.unix_seconds() - i64::from(offset?))
    }
}

impl CivilTime {
    fn unix_seconds(&self) -> i64 {
        let seconds = i64::from(self.hour) * 3600 + i64::from(self.minute) * 60;
        days_from_civil(self.year, self.month, self.day) * 86_400 + seconds + i64::from(self.second)
    }

    /// The point in time, given the writer's offset from UTC in seconds.
    pub fn to_system_time(self, utc_offset: i32) -> Option<SystemTime> {
        let seconds = self.unix_seconds() - i64::from(utc_offset);
        let whole = Duration::from_secs(seconds.unsigned_abs());
        let base = if seconds < 0 {
            UNIX_EPOCH.checked_sub(whole)
        } else {
            UNIX_EPOCH.checked_add(whole)
        };
        base?.checked_add(Duration::from_nanos(u64::from(self.nanosecond)))
    }

    fn from_unix(seconds: i64, nanosecond: u32) -> Option<Self> {
        let days = seconds.div_euclid(86_400);
        let rest = seconds.rem_euclid(86_400);
        let (year, month, day) = civil_from_days(days)?;
        Some(Self {
            year,
            month,
            day,
            hour: (rest / 3600) as u8,
            minute: (rest / 60 % 60) as u8,
            second: (rest % 60) as u8,
            nanosecond,
        })
    }

    fn checked(self) -> Option<Self> {
        let valid = (1..=12).contains(&self.month)
            && self.day >= 1
            && self.day <= days_in_month(self.year, self.month)
            && self.hour < 24
            && self.minute < 60
            && self.second <= 60;
        valid.then_some(self)
    }
}

fn days_in_month(year: i32, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar, counting years from March.
fn days_from_civil(year: i32, month: u8, day: u8) -> i64 {
    let (year, month, day) = (i64::from(year), i64::from(month), i64::from(day));
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_from_days(days: i64) -> Option<(i32, u8, u8)> {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Some((i32::try_from(year).ok()?, month as u8, day as u8))
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
    fn civil_dates_round_trip() {
        for days in (-800_000..800_000).step_by(97) {
            let (year, month, day) = civil_from_days(days).unwrap();
            assert_eq!(days_from_civil(year, month, day), days);
        }
    }
}
