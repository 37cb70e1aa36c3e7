//! What stood on the wire? The raw request line and body, taken apart by the rules of RFC 3986,
//! RFC 7578 and of HTML forms, and held against what must be there.

use std::collections::BTreeMap;

use cumulo_localcloud::SeenRequest;
use serde_json::Value;

use super::compare::short;
use super::expect::{Body, Expected, Pairs};

/// What version 1 of Alibaba's signature adds to the parameters of a call.
const OF_SIGNATURE: &[&str] = &[
    "AccessKeyId",
    "Action",
    "Format",
    "Signature",
    "SignatureMethod",
    "SignatureNonce",
    "SignatureVersion",
    "Timestamp",
    "Version",
];

/// Where the request is not what it must be.
pub(crate) fn differences(expected: &Expected, seen: &SeenRequest) -> Vec<String> {
    let mut found = Vec::new();
    if seen.method != expected.method {
        found.push(format!(
            "method: expected {}, sent {}",
            expected.method, seen.method
        ));
    }
    let (path, query) = seen.target.split_once('?').unwrap_or((&seen.target, ""));
    let segments: Vec<String> = path
        .split('/')
        .map(|segment| decode(segment, false))
        .collect();
    if segments != expected.path {
        found.push(format!(
            "path: expected {:?}, sent {segments:?}",
            expected.path
        ));
    }
    compare_pairs("query", &expected.query, &pairs(query), &mut found);
    compare_body(expected, seen, &mut found);
    let authenticated = seen.header("authorization").is_some();
    if authenticated != expected.authenticated {
        found.push(format!("authorization header: {authenticated}"));
    }
    found
}

fn compare_pairs(place: &str, expected: &Pairs, sent: &Pairs, found: &mut Vec<String>) {
    for pair in sent.iter().filter(|pair| !expected.contains(pair)) {
        found.push(format!(
            "{place}: sent {pair:?}, which is not in the model's form"
        ));
    }
    for pair in expected.iter().filter(|pair| !sent.contains(pair)) {
        found.push(format!("{place}: {pair:?} was not sent"));
    }
    if found.is_empty() && expected != sent {
        found.push(format!("{place}: some pairs were sent twice"));
    }
}

fn compare_body(expected: &Expected, seen: &SeenRequest, found: &mut Vec<String>) {
    let kind = seen.header("content-type").unwrap_or_default();
    let text = String::from_utf8_lossy(&seen.body);
    let (essence, right) = match &expected.body {
        Body::Empty if seen.body.is_empty() => return,
        Body::Empty => {
            found.push(format!("body: expected none, sent {text}"));
            return;
        }
        Body::Json(json) => {
            match serde_json::from_slice::<Value>(&seen.body) {
                Ok(sent) if sent == *json => {}
                Ok(sent) => found.push(difference(json, &sent)),
                Err(error) => found.push(format!("body: no JSON ({error}): {text}")),
            }
            ("application/json", true)
        }
        Body::Form(pairs_of_form) => {
            compare_pairs("form", pairs_of_form, &pairs(&text), found);
            ("application/x-www-form-urlencoded", true)
        }
        parts @ Body::Parts { .. } => {
            let sent = read_parts(kind, &text);
            let right = sent.as_ref() == Some(parts);
            ("multipart/form-data", right)
        }
    };
    if !right {
        found.push(format!("parts: expected {:?}, sent {text}", expected.body));
    }
    if kind.split(';').next() != Some(essence) {
        found.push(format!("content type: expected {essence}, sent {kind}"));
    }
}

/// The first place, down to the member, in which two bodies differ.
fn difference(expected: &Value, sent: &Value) -> String {
    fn place(path: &str, expected: &Value, sent: &Value) -> Option<String> {
        match (expected, sent) {
            (Value::Object(left), Value::Object(right)) => {
                let missing = left.iter().find_map(|(name, value)| {
                    let path = format!("{path}.{name}");
                    match right.get(name) {
                        Some(other) => place(&path, value, other),
                        None => Some(format!("{path}: {} was not sent", short(value))),
                    }
                });
                missing.or_else(|| {
                    let more = right.iter().find(|(name, _)| !left.contains_key(*name))?;
                    Some(format!("{path}.{}: sent, but not given", more.0))
                })
            }
            _ if expected == sent => None,
            _ => Some(format!(
                "{path}: expected {}, sent {}",
                short(expected),
                short(sent)
            )),
        }
    }
    place("body", expected, sent).unwrap_or_default()
}

/// Sorted, without those that belong to the signature.
fn pairs(text: &str) -> Pairs {
    let mut out: Pairs = text
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(key, value)| (decode(key, true), decode(value, true)))
        .collect();
    out.sort();
    if out.iter().any(|(key, _)| key == "SignatureNonce") {
        out.retain(|(key, _)| !OF_SIGNATURE.contains(&key.as_str()));
    }
    out
}

fn decode(text: &str, plus_is_space: bool) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        rest = more;
        let escaped = more
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok());
        match escaped {
            Some(byte) => {
                out.push(byte);
                rest = &more[2..];
            }
            None if *first == b'+' && plus_is_space => out.push(b' '),
            None => out.push(*first),
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| format!("no UTF-8: {text}"))
}

/// `None` when the body is no `multipart/form-data`.
fn read_parts(kind: &str, text: &str) -> Option<Body> {
    let (_, boundary) = kind.split_once("boundary=")?;
    let boundary = boundary.trim_matches('"');
    let inner = text
        .strip_prefix(&format!("--{boundary}\r\n"))?
        .strip_suffix(&format!("\r\n--{boundary}--\r\n"))?;
    let mut fields = BTreeMap::new();
    let mut files = BTreeMap::new();
    for part in inner.split(&format!("\r\n--{boundary}\r\n")) {
        let (head, content) = part.split_once("\r\n\r\n")?;
        let (_, name) = head.split_once("; name=\"")?;
        let (name, _) = name.split_once('"')?;
        let is_file = head.contains("; filename=\"");
        let map = if is_file { &mut files } else { &mut fields };
        map.insert(name.to_owned(), content.to_owned());
    }
    Some(Body::Parts { fields, files })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_taken_apart() {
        assert_eq!(decode("a%2Fb+c%zz%E4%B8%AD%", false), "a/b+c%zz中%");
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let expected = vec![pair("a", ""), pair("k k", "v v"), pair("z", "1=2")];
        assert_eq!(pairs("z=1=2&k%20k=v+v&&a"), expected);
        let body = "--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n2\r\n\
            --b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\n\r\n--b--\r\n";
        let map = |name: &str, value: &str| BTreeMap::from([pair(name, value)]);
        let parts = Body::Parts {
            fields: map("x", "1\r\n2"),
            files: map("f", ""),
        };
        assert_eq!(
            read_parts("multipart/form-data; boundary=b", body),
            Some(parts)
        );
        assert_eq!(read_parts("multipart/form-data; boundary=c", body), None);
    }
}
