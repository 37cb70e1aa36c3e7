//! How do bytes become signatures and URLs? Percent-encoding, hashes and codes, all written
//! from RFC 3986, RFC 2104 and FIPS 180, so that no client's encoder is judged by itself.

use base64::Engine as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

/// A JSON object that is written member by member: one that is too large to be built first.
pub(crate) struct Object<'o> {
    out: &'o mut Vec<u8>,
    before: u8,
}

impl<'o> Object<'o> {
    pub(crate) fn begin(out: &'o mut Vec<u8>) -> Self {
        Self { out, before: b'{' }
    }

    /// A member whose value `write` writes.
    pub(crate) fn member(&mut self, name: &str, write: impl FnOnce(&mut Vec<u8>)) {
        self.out.push(self.before);
        self.before = b',';
        json(self.out, &name.into());
        self.out.push(b':');
        write(self.out);
    }

    pub(crate) fn value(&mut self, name: &str, value: impl Into<Value>) {
        let value = value.into();
        self.member(name, |out| json(out, &value));
    }

    pub(crate) fn end(self) {
        if self.before == b'{' {
            self.out.push(b'{');
        }
        self.out.push(b'}');
    }
}

fn json(out: &mut Vec<u8>, value: &Value) {
    // Memory refuses nothing.
    let _ = serde_json::to_writer(out, value);
}

/// Percent-encodes everything but the unreserved characters of RFC 3986.
pub(crate) fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            other => {
                const HEX: &[u8; 16] = b"0123456789ABCDEF";
                out.push('%');
                out.push(char::from(HEX[usize::from(other >> 4)]));
                out.push(char::from(HEX[usize::from(other & 15)]));
            }
        }
    }
    out
}

/// Undoes percent-encoding; a `%` without two hex digits stays as it is.
pub(crate) fn unpercent(text: &str) -> String {
    decode(text, false)
}

/// Undoes percent-encoding as in a query or a form, where `+` is a space.
pub(crate) fn unform(text: &str) -> String {
    decode(text, true)
}

fn decode(text: &str, plus_is_space: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .and_then(|two| Some((nibble(two[0])? << 4) | nibble(two[1])?));
        if let Some(byte) = hex {
            out.push(byte);
            at += 3;
        } else {
            let byte = bytes[at];
            out.push(if plus_is_space && byte == b'+' {
                b' '
            } else {
                byte
            });
            at += 1;
        }
    }
    String::from_utf8(out)
        .unwrap_or_else(|bad| String::from_utf8_lossy(bad.as_bytes()).into_owned())
}

fn nibble(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// The pairs of a query string or a form, decoded, in order.
pub(crate) fn pairs(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            (unform(key), unform(value))
        })
        .collect()
}

/// Pairs in canonical form: encoded, sorted by decoded name and value, `k=` for an empty value.
pub(crate) fn canonical_query(mut pairs: Vec<(String, String)>) -> String {
    pairs.sort();
    let mut out = String::new();
    for (key, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        out.push_str(&percent(&key));
        out.push('=');
        out.push_str(&percent(&value));
    }
    out
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        out.push(char::from(HEX[usize::from(byte >> 4)]));
        out.push(char::from(HEX[usize::from(byte & 15)]));
    }
    out
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(crate) fn sha512_hex(bytes: &[u8]) -> String {
    hex(&Sha512::digest(bytes))
}

/// HMAC-SHA1 (any key length, as RFC 2104 has it).
pub(crate) fn hmac_sha1(key: &[u8], message: &[u8]) -> Vec<u8> {
    Hmac::<Sha1>::new_from_slice(key).map_or_else(
        |_| Vec::new(),
        |mut mac| {
            mac.update(message);
            mac.finalize().into_bytes().to_vec()
        },
    )
}

/// HMAC-SHA256 (any key length, as RFC 2104 has it).
pub(crate) fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(key).map_or_else(
        |_| Vec::new(),
        |mut mac| {
            mac.update(message);
            mac.finalize().into_bytes().to_vec()
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unreserved_characters_stay() {
        assert_eq!(percent("aZ9-_.~"), "aZ9-_.~");
        assert_eq!(percent(" *+/中'()!"), "%20%2A%2B%2F%E4%B8%AD%27%28%29%21");
        assert_eq!(unpercent("%E4%B8%ad+%zz%2"), "中+%zz%2");
        assert_eq!(unform("a+b%2Bc"), "a b+c");
    }

    #[test]
    fn queries_are_canonical() {
        let sorted = canonical_query(pairs("b=2&a=x+y&Tag.10=&Tag.2=1&b=1&flag"));
        assert_eq!(sorted, "Tag.10=&Tag.2=1&a=x%20y&b=1&b=2&flag=");
    }

    #[test]
    fn known_digests() {
        assert_eq!(
            sha256_hex(b""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert!(sha512_hex(b"password").starts_with("b109f3bbbc244eb82441917ed06d618b"));
        // RFC 2202 and RFC 4231, test case 2.
        let data = b"what do ya want for nothing?";
        assert_eq!(
            hex(&hmac_sha1(b"Jefe", data)),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
        );
        assert!(hex(&hmac_sha256(b"Jefe", data)).starts_with("5bdcc146bf60754e6a042426089575c7"));
    }
}
