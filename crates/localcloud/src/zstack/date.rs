//! Which dates can the server read? `EEE, dd MMM yyyy HH:mm:ss z` as Java parses it, which
//! refuses one-digit days and offsets such as `+0800`.

use jiff::civil::DateTime;

const FORMAT: &str = "%a, %d %b %Y %H:%M:%S";
const LENGTH: usize = "Thu, 01 Jan 2026 08:00:00".len();

/// Zones without summer time that access key users meet, in hours east of UTC.
const NAMED: [(&str, i32); 12] = [
    ("GMT", 0),
    ("UTC", 0),
    ("UT", 0),
    ("Z", 0),
    ("Etc/UTC", 0),
    ("Asia/Shanghai", 8),
    ("Asia/Hong_Kong", 8),
    ("Asia/Singapore", 8),
    ("Asia/Tokyo", 9),
    ("Asia/Seoul", 9),
    ("Asia/Dubai", 4),
    ("Asia/Bangkok", 7),
];

/// The wall clock and the zone of a date.
pub(super) fn parse(text: &str) -> Option<(DateTime, &str)> {
    let (wall, zone) = text.split_at_checked(LENGTH)?;
    let zone = zone.strip_prefix(' ')?;
    let at = DateTime::strptime(FORMAT, wall).ok()?;
    let exact = at.strftime(FORMAT).to_string() == wall;
    (exact && (offset(zone).is_some() || is_name(zone))).then_some((at, zone))
}

/// Region names and abbreviations that Java knows; which ones exactly does not matter here.
fn is_name(zone: &str) -> bool {
    zone.starts_with(|one: char| one.is_ascii_alphabetic())
        && zone
            .bytes()
            .all(|one| one.is_ascii_alphabetic() || b"/_-".contains(&one))
}

/// Seconds east of UTC.
pub(super) fn offset(zone: &str) -> Option<i32> {
    if let Some((_, hours)) = NAMED.iter().find(|(name, _)| *name == zone) {
        return Some(hours * 3600);
    }
    let signed = zone
        .strip_prefix("GMT")
        .or_else(|| zone.strip_prefix("UTC"))
        .unwrap_or(zone);
    let (sign, digits) = match signed.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = digits.split_once(':')?;
    let two = |text: &str| {
        (text.len() == 2)
            .then(|| text.parse::<i32>().ok())
            .flatten()
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    (hours <= 18 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        for (text, seconds) in [
            ("Thu, 01 Jan 2026 08:00:00 GMT+08:00", Some(8 * 3600)),
            ("Thu, 01 Jan 2026 08:00:00 +08:00", Some(8 * 3600)),
            ("Thu, 01 Jan 2026 08:00:00 -03:30", Some(-12_600)),
            ("Thu, 01 Jan 2026 08:00:00 GMT", Some(0)),
            ("Thu, 01 Jan 2026 08:00:00 Asia/Shanghai", Some(8 * 3600)),
            ("Thu, 01 Jan 2026 08:00:00 CST", None),
        ] {
            let (wall, zone) = parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(wall.to_string(), "2026-01-01T08:00:00");
            assert_eq!(offset(zone), seconds, "{text}");
        }
        for text in [
            "Thu, 1 Jan 2026 08:00:00 GMT",
            "Thu, 01 Jan 2026 08:00:00 +0800",
            "Thu, 01 Jan 2026 08:00:00 +07",
            "Fri, 01 Jan 2026 08:00:00 GMT",
            "Thu, 01 Jan 2026 08:00:00",
            "2026-01-01T08:00:00Z",
            "Thü, 01 Jän 2026 08:00:0é GMT",
        ] {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
