//! Why is `a b*c~d` signed differently here than by the usual form or URL encoders?
//!
//! All four clouds sign text in the strict RFC 3986 form: UTF-8 bytes, only `A-Z a-z 0-9 - _ . ~`
//! kept (section 2.3, "unreserved"), everything else as `%XX` with upper-case digits. Form encoders
//! write a space as `+` and escape `~`, URL encoders leave `*` and `'` alone: each of them breaks a
//! signature now and then, on rare input. Query and signature are written by this one encoder.

/// How many bytes longer each byte becomes: 0 for what stays as it is.
const GROWTH: [u8; 256] = {
    let mut table = [2; 256];
    let mut byte = 0_usize;
    while byte < 256 {
        if matches!(
            byte as u8,
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~'
        ) {
            table[byte] = 0;
        }
        byte += 1;
    }
    table
};

/// Appends the encoded form of `text`.
pub fn push(out: &mut String, text: &str) {
    let bytes = text.as_bytes();
    // Most texts need few escapes, so whole runs are copied instead of single bytes. A run that is
    // not empty is ASCII: its ends never fall inside a character.
    let mut run = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if !is_unreserved(byte) {
            if run < at {
                out.push_str(&text[run..at]);
            }
            push_escape(out, byte);
            run = at + 1;
        }
    }
    out.push_str(&text[run..]);
}

/// The encoded form of `text`.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(encoded_length(text));
    push(&mut out, text);
    out
}

/// How long the encoded form of `text` is. A text that may be secret is written without growing: what
/// it outgrows would stay in memory.
fn encoded_length(text: &str) -> usize {
    let growth = text
        .bytes()
        .map(|byte| usize::from(GROWTH[usize::from(byte)]));
    text.len() + growth.sum::<usize>()
}

/// Sorts the pairs by raw key, then value (both by bytes), and writes them as `key=value` joined by
/// `&`. An empty value keeps its `=`, which the signatures require.
///
/// Sorting comes before encoding: `a-b` and `a:b` change places once escaped.
pub fn canonical_query<K: AsRef<str>, V: AsRef<str>>(pairs: &mut [(K, V)]) -> String {
    canonical_query_with(pairs, 0)
}

/// As [`canonical_query`], with room for `more` bytes at its end.
pub(crate) fn canonical_query_with<K: AsRef<str>, V: AsRef<str>>(
    pairs: &mut [(K, V)],
    more: usize,
) -> String {
    pairs.sort_unstable_by(|(k1, v1), (k2, v2)| {
        (k1.as_ref(), v1.as_ref()).cmp(&(k2.as_ref(), v2.as_ref()))
    });
    let length: usize = pairs
        .iter()
        .map(|(key, value)| encoded_length(key.as_ref()) + encoded_length(value.as_ref()) + 2)
        .sum();
    let mut out = String::with_capacity(length + more);
    for (position, (key, value)) in pairs.iter().enumerate() {
        if position > 0 {
            out.push('&');
        }
        push(&mut out, key.as_ref());
        out.push('=');
        push(&mut out, value.as_ref());
    }
    out
}

/// Whether a byte stays as it is.
pub(crate) fn is_unreserved(byte: u8) -> bool {
    GROWTH[usize::from(byte)] == 0
}

/// Appends one byte: as it is when unreserved, else escaped.
pub(crate) fn push_byte(out: &mut String, byte: u8) {
    if is_unreserved(byte) {
        out.push(char::from(byte));
    } else {
        push_escape(out, byte);
    }
}

fn push_escape(out: &mut String, byte: u8) {
    out.push_str(ESCAPES[usize::from(byte)]);
}

/// `%00` to `%FF`, so that an escape is appended at once.
static ESCAPES: [&str; 256] = {
    let mut table = [""; 256];
    let mut byte = 0;
    while byte < 256 {
        if let Ok(escape) = std::str::from_utf8(&ESCAPE_BYTES[byte]) {
            table[byte] = escape;
        }
        byte += 1;
    }
    table
};

static ESCAPE_BYTES: [[u8; 3]; 256] = {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut table = [*b"%00"; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = [b'%', DIGITS[byte >> 4], DIGITS[byte & 15]];
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Written from RFC 3986 section 2.1, knowing nothing of the encoder.
    fn decode(text: &str) -> String {
        let mut bytes = Vec::new();
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            if c == '%' {
                let pair: String = rest.by_ref().take(2).collect();
                assert_eq!(pair.len(), 2, "cut escape in {text}");
                bytes.push(u8::from_str_radix(&pair, 16).expect("hex digits"));
            } else {
                bytes.extend(c.to_string().bytes());
            }
        }
        String::from_utf8(bytes).expect("UTF-8")
    }

    #[test]
    fn every_ascii_byte_is_kept_or_escaped_as_the_rfc_says() {
        let kept = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
        for byte in 0_u8..128 {
            let c = char::from(byte);
            let want = if kept.contains(c) {
                c.to_string()
            } else {
                format!("%{byte:02X}")
            };
            assert_eq!(encode(&c.to_string()), want);
        }
    }

    #[test]
    fn the_characters_that_other_encoders_get_wrong() {
        assert_eq!(encode("a b*c~d/中'()"), "a%20b%2Ac~d%2F%E4%B8%AD%27%28%29");
        assert_eq!(
            encode("+%!@:,;?#&=\"\\"),
            "%2B%25%21%40%3A%2C%3B%3F%23%26%3D%22%5C"
        );
        assert_eq!(encode("é😀"), "%C3%A9%F0%9F%98%80");
        assert_eq!(encode("\0\r\n\x7f"), "%00%0D%0A%7F");
        assert_eq!(encode(""), "");
        assert_eq!(encode("~"), "~");
    }

    #[test]
    fn a_query_is_sorted_by_raw_bytes_and_keeps_empty_values() {
        let mut pairs = [
            ("b", "x y"),
            ("a", "2"),
            ("Tag.10", "x"),
            ("a", "10"),
            ("c", ""),
            ("Tag.1", "é"),
            ("Z", "*~"),
            ("Tag.2", "x"),
        ];
        assert_eq!(
            canonical_query(&mut pairs),
            "Tag.1=%C3%A9&Tag.10=x&Tag.2=x&Z=%2A~&a=10&a=2&b=x%20y&c="
        );
        assert_eq!(canonical_query::<&str, &str>(&mut []), "");
        assert_eq!(canonical_query(&mut [("", "")]), "=");
    }

    #[test]
    fn order_is_that_of_the_raw_keys_not_of_the_encoded_ones() {
        // Raw `-` is before `:`; encoded, `%3A` would be before `-`.
        let mut pairs = [("a:", "2"), ("a-", "1")];
        assert_eq!(canonical_query(&mut pairs), "a-=1&a%3A=2");
    }

    #[test]
    fn a_longer_key_is_never_split_by_its_value() {
        // Sorting joined `key=value` texts would put `a-=1` before `a=2`.
        let mut pairs = [("a-", "1"), ("a", "2")];
        assert_eq!(canonical_query(&mut pairs), "a=2&a-=1");
    }

    proptest! {
        #[test]
        fn decoding_gives_the_text_back(text in any::<String>()) {
            prop_assert_eq!(decode(&encode(&text)), text);
        }

        #[test]
        fn output_has_only_unreserved_characters_and_whole_upper_case_escapes(text in any::<String>()) {
            let encoded = encode(&text);
            let mut rest = encoded.bytes();
            while let Some(byte) = rest.next() {
                if byte == b'%' {
                    for _ in 0..2 {
                        prop_assert!(matches!(rest.next(), Some(b'0'..=b'9' | b'A'..=b'F')));
                    }
                } else {
                    prop_assert!(byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte));
                }
            }
        }

        #[test]
        fn byte_by_byte_gives_the_same(text in any::<String>()) {
            let mut out = String::new();
            text.bytes().for_each(|byte| push_byte(&mut out, byte));
            prop_assert_eq!(out, encode(&text));
        }

        #[test]
        fn encoding_parts_equals_encoding_the_whole(a in any::<String>(), b in any::<String>()) {
            let mut out = encode(&a);
            push(&mut out, &b);
            prop_assert_eq!(out, encode(&(a + &b)));
        }

        #[test]
        fn a_query_does_not_depend_on_the_order_of_its_pairs(
            (mut pairs, mut shuffled) in prop::collection::vec(("[a-c:-]{0,2}", any::<String>()), 0..8)
                .prop_flat_map(|pairs| (Just(pairs.clone()), Just(pairs).prop_shuffle())),
        ) {
            prop_assert_eq!(canonical_query(&mut pairs), canonical_query(&mut shuffled));
        }

        #[test]
        fn a_query_reads_back_as_the_sorted_pairs(
            mut pairs in prop::collection::vec((any::<String>(), any::<String>()), 1..6),
        ) {
            let query = canonical_query(&mut pairs);
            let read: Vec<(String, String)> = query
                .split('&')
                .map(|pair| {
                    let (key, value) = pair.split_once('=').expect("every pair has its =");
                    (decode(key), decode(value))
                })
                .collect();
            pairs.sort();
            prop_assert_eq!(read, pairs);
        }
    }
}
