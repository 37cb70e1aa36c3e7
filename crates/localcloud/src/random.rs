//! Where do ids and tokens come from? The operating system's random source.

use crate::encode;

/// `length` random bytes; zeros should the system have no source, so that ids stay well formed.
pub(crate) fn bytes(length: usize) -> Vec<u8> {
    let mut out = vec![0; length];
    if getrandom::fill(&mut out).is_err() {
        out.fill(0);
    }
    out
}

/// A number from 0 up to, but not, 1.
pub(crate) fn fraction() -> f64 {
    let number = bytes(4)
        .into_iter()
        .fold(0, |sum, byte| sum << 8 | u32::from(byte));
    f64::from(number) / (f64::from(u32::MAX) + 1.0)
}

/// 32 hex digits in the form of a version 4 uuid without dashes.
pub(crate) fn uuid_hex() -> String {
    let mut raw = bytes(16);
    raw[6] = (raw[6] & 0x0f) | 0x40;
    raw[8] = (raw[8] & 0x3f) | 0x80;
    encode::hex(&raw)
}

/// A version 4 uuid with dashes, upper case: the form of Alibaba Cloud request ids.
pub(crate) fn request_id() -> String {
    let hex = uuid_hex().to_uppercase();
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

/// `length` random lower-case letters and digits.
pub(crate) fn word(length: usize) -> String {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    bytes(length)
        .into_iter()
        .map(|byte| char::from(LETTERS[usize::from(byte) % LETTERS.len()]))
        .collect()
}
