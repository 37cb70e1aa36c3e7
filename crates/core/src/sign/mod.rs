//! Why does a cloud answer "signature does not match", and what exactly was signed?
//!
//! Every scheme here is a pure function: time, nonce and keys come in as arguments, texts come out.
//! So a signature can be repeated from a log, compared with the string a server says it expected,
//! and tested against the vendors' published examples.
//!
//! The schemes stand in the rooms of their clouds. What all of them share is here and in [`percent`] (encoding) and [`time`] (date texts).
//! None of them adds a header or a parameter: the caller puts the date, nonce and token where they
//! belong, signs last, and sends exactly what was signed.

pub mod percent;
#[cfg(test)]
pub(crate) mod testing;
pub mod time;

use std::fmt;
use std::ops::Range;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// SHA-256 of no bytes at all, in lower-case hex: the payload hash of every request without a body.
pub const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// The parts of a request that a header signature covers, ready to be joined.
///
/// What each part must look like differs between schemes only in the URI.
#[derive(Clone, Copy)]
pub struct CanonicalRequest<'a> {
    /// The verb as sent, in upper case.
    pub method: &'a str,
    /// The path, as the scheme wants it.
    pub canonical_uri: &'a str,
    /// The query as [`percent::canonical_query`] writes it, without `?`; empty when there is none.
    pub canonical_query: &'a str,
    /// The headers to sign: lower-case names, each once, in any order. Values are trimmed here.
    pub headers: &'a [(&'a str, &'a str)],
    /// Lower-case hex SHA-256 of the body exactly as sent, or what the scheme allows instead.
    pub payload_sha256: &'a str,
}

/// Says nothing of header values and query, which may hold a session token.
impl fmt::Debug for CanonicalRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CanonicalRequest")
            .field("method", &self.method)
            .field("canonical_uri", &self.canonical_uri)
            .field("headers", &HeaderNames(self.headers))
            .field("payload_sha256", &self.payload_sha256)
            .finish_non_exhaustive()
    }
}

struct HeaderNames<'a>(&'a [(&'a str, &'a str)]);

impl fmt::Debug for HeaderNames<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

/// A signature, with the texts it was made from so that a mismatch can be explained.
#[derive(Clone, PartialEq, Eq)]
pub struct Signed {
    /// Value of the `Authorization` header. Whoever holds it can repeat the request for a while.
    pub authorization: String,
    /// What was hashed into the string to sign, or empty for a scheme without this step.
    /// It quotes header values, so with temporary keys it holds the session token.
    pub canonical_request: String,
    /// What the key was applied to. Compare it with the one in a server's mismatch error.
    pub string_to_sign: String,
}

/// Shows the string to sign, which is what debugging needs, and nothing that could be replayed.
impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed")
            .field("authorization", &"[redacted]")
            .field("canonical_request", &"[redacted]")
            .field("string_to_sign", &self.string_to_sign)
            .finish()
    }
}

/// SHA-256 of a body in lower-case hex. An empty body costs no hashing.
pub fn sha256_hex(body: &[u8]) -> String {
    if body.is_empty() {
        return EMPTY_SHA256.to_owned();
    }
    let mut out = String::with_capacity(64);
    push_sha256(&mut out, body);
    out
}

/// Appends the SHA-256 of a text in lower-case hex.
pub(crate) fn push_sha256(out: &mut String, text: &[u8]) {
    push_hex(out, &Sha256::digest(text));
}

/// Appends bytes as lower-case hex.
pub(crate) fn push_hex(out: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.reserve(bytes.len() * 2);
    for byte in bytes {
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

/// Joins a canonical request of the headers that `keep` accepts; also says where in the text the
/// list of signed header names stands, since the `Authorization` header repeats it.
pub(crate) fn canonical(
    request: &CanonicalRequest<'_>,
    keep: fn(&str) -> bool,
) -> (String, Range<usize>) {
    let mut headers = Vec::with_capacity(request.headers.len());
    headers.extend(request.headers.iter().filter(|(name, _)| keep(name)));
    headers.sort_by_key(|(name, _)| *name);

    let header_bytes: usize = headers
        .iter()
        .map(|(name, value)| 2 * name.len() + value.len() + 3)
        .sum();
    let mut text = String::with_capacity(
        request.method.len()
            + request.canonical_uri.len()
            + request.canonical_query.len()
            + header_bytes
            + request.payload_sha256.len()
            + 5,
    );
    for part in [
        request.method,
        request.canonical_uri,
        request.canonical_query,
    ] {
        text.push_str(part);
        text.push('\n');
    }
    for (name, value) in &headers {
        text.push_str(name);
        text.push(':');
        // Only what HTTP itself strips on the way: a server never sees these, but sees the rest.
        text.push_str(value.trim_ascii());
        text.push('\n');
    }
    text.push('\n');
    let start = text.len();
    for (position, (name, _)) in headers.iter().enumerate() {
        if position > 0 {
            text.push(';');
        }
        text.push_str(name);
    }
    let signed_headers = start..text.len();
    text.push('\n');
    text.push_str(request.payload_sha256);
    (text, signed_headers)
}

/// An `Authorization` header: `parts`, and the signature in lower-case hex.
pub(crate) fn authorization(parts: &[&str], mac: &[u8]) -> String {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut text = String::with_capacity(length + 2 * mac.len());
    for part in parts {
        text.push_str(part);
    }
    push_hex(&mut text, mac);
    text
}

pub(crate) fn hmac_sha256(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.chain_update(text).finalize().into_bytes().into()
}

pub(crate) fn hmac_sha1(key: &[u8], text: &[u8]) -> [u8; 20] {
    let mac = Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.chain_update(text).finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request<'a>(headers: &'a [(&'a str, &'a str)]) -> CanonicalRequest<'a> {
        CanonicalRequest {
            method: "GET",
            canonical_uri: "/",
            canonical_query: "",
            headers,
            payload_sha256: EMPTY_SHA256,
        }
    }

    fn hex(bytes: &[u8]) -> String {
        let mut out = String::new();
        push_hex(&mut out, bytes);
        out
    }

    #[test]
    fn the_empty_hash_is_the_hash_of_nothing() {
        assert_eq!(hex(&Sha256::digest(b"")), EMPTY_SHA256);
        assert_eq!(sha256_hex(b""), EMPTY_SHA256);
    }

    #[test]
    fn hashes_and_macs_match_the_published_test_cases() {
        // FIPS 180-4, one-block message.
        assert_eq!(
            sha256_hex(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        // RFC 4231 and RFC 2202, test case 2, then a key longer than a block (case 6).
        assert_eq!(
            hex(&hmac_sha256(b"Jefe", b"what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            hex(&hmac_sha1(b"Jefe", b"what do ya want for nothing?")),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
        );
        assert_eq!(
            hex(&hmac_sha256(
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First"
            )),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }

    #[test]
    fn hex_keeps_leading_zeros() {
        assert_eq!(hex(&[0x00, 0x0a, 0xf0, 0xff]), "000af0ff");
    }

    #[test]
    fn headers_are_sorted_trimmed_and_listed() {
        let headers = [("x-b", " two  words\t"), ("host", "h"), ("x-a", "")];
        let (text, names) = canonical(&request(&headers), |_| true);
        assert_eq!(
            text,
            format!("GET\n/\n\nhost:h\nx-a:\nx-b:two  words\n\nhost;x-a;x-b\n{EMPTY_SHA256}")
        );
        assert_eq!(&text[names], "host;x-a;x-b");
    }

    #[test]
    fn a_refused_header_is_neither_signed_nor_listed() {
        let headers = [("a_b", "1"), ("host", "h")];
        let (text, names) = canonical(&request(&headers), |name| !name.contains('_'));
        assert_eq!(&text[names], "host");
        assert!(!text.contains("a_b"));
    }

    #[test]
    fn a_request_without_headers_is_well_formed() {
        let (text, names) = canonical(&request(&[]), |_| true);
        assert_eq!(text, format!("GET\n/\n\n\n\n{EMPTY_SHA256}"));
        assert!(names.is_empty());
    }

    #[test]
    fn the_text_is_written_without_growing() {
        let headers = [("host", "h"), ("x-a", "value")];
        let (text, _) = canonical(&request(&headers), |_| true);
        assert!(text.capacity() - text.len() <= 8, "{}", text.capacity());
    }

    #[test]
    fn debug_shows_no_signature_token_or_query() {
        let signed = Signed {
            authorization: "Signature=abc".to_owned(),
            canonical_request: "x-security-token:tok-en".to_owned(),
            string_to_sign: "ALGORITHM\nhash".to_owned(),
        };
        let text = format!("{signed:?}");
        assert!(!text.contains("abc") && !text.contains("tok-en"), "{text}");
        assert!(text.contains("ALGORITHM"), "{text}");

        let headers = [("x-security-token", "tok-en")];
        let text = format!(
            "{:?}",
            CanonicalRequest {
                canonical_query: "Password=abc",
                ..request(&headers)
            }
        );
        assert!(!text.contains("abc") && !text.contains("tok-en"), "{text}");
        assert!(text.contains("x-security-token"), "{text}");
    }
}
