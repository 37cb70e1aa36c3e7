//! Error bodies of any shape: JSON in half a dozen forms, XML, plain text, HTML, nothing.
//!
//! A failure whose text is lost costs its reader a day. Whatever came back, something of it ends up
//! in the message.

use std::borrow::Cow;

use crate::record::{self, Json};
use crate::wipe::Wiped;

/// What an error body tells.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Loose {
    pub code: Option<String>,
    pub message: Option<String>,
    pub request_id: Option<String>,
    /// Whether the body was in one of the documented forms, so that the service itself wrote it.
    pub structured: bool,
}

/// How much of a body that is not JSON goes into the message, in characters.
const EXCERPT: usize = 300;
/// How much of an error body is read. Services write some hundred bytes.
const MOST: usize = 1 << 20;
/// How deep error objects are looked into: `{"error":{"error":{..}}}` does not end by itself.
const DEEPEST: usize = 8;

const CODES: &[&str] = &["error_code", "errorCode", "Code", "code"];
const MESSAGES: &[&str] = &[
    "error_msg",
    "errorMsg",
    "Message",
    "message",
    "error_message",
    "details",
    "title",
    "description",
];
const IDS: &[&str] = &["RequestId", "requestId", "request_id"];

/// An error body, read once.
pub(crate) struct Page<'a> {
    /// Its text, or the beginning of it.
    pub text: Cow<'a, str>,
    /// The same as JSON, if it is.
    pub json: Option<Wiped>,
}

impl<'a> Page<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Self {
        let mut text = String::from_utf8_lossy(&body[..body.len().min(MOST)]);
        let trimmed = text.trim_start_matches('\u{feff}').trim();
        if trimmed.len() < text.len() {
            text = Cow::Owned(trimmed.to_owned());
        }
        let json = record::decode_json(text.as_bytes()).ok().map(Wiped);
        Self { text, json }
    }

    /// What it tells.
    pub(crate) fn read(&self) -> Loose {
        let text = &*self.text;
        if text.is_empty() {
            return Loose::default();
        }
        if let Some(json) = &self.json {
            let mut loose = from_json(json, 0).unwrap_or_default();
            if loose.message.is_none() && !loose.structured {
                loose.message = Some(excerpt(text));
            }
            return loose;
        }
        if text.starts_with('<') && !looks_like_html(text) {
            let loose = Loose {
                code: element(text, "Code"),
                message: element(text, "Message"),
                request_id: element(text, "RequestId"),
                structured: true,
            };
            if loose.code.is_some() {
                return loose;
            }
        }
        let message = if looks_like_html(text) {
            format!(
                "an HTML page instead of an answer: {}",
                excerpt(&strip_tags(text))
            )
        } else {
            excerpt(text)
        };
        Loose {
            message: Some(message),
            ..Loose::default()
        }
    }
}

pub(crate) fn looks_like_html(text: &str) -> bool {
    let start: String = text.chars().take(200).collect::<String>().to_lowercase();
    start.contains("<html") || start.contains("<!doctype html") || start.contains("<head")
}

/// A text or number under one of `names`, as text.
fn scalar(object: &serde_json::Map<String, Json>, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| match object.get(*name)? {
        Json::String(text) if !text.is_empty() => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

fn from_json(json: &Json, depth: usize) -> Option<Loose> {
    if let Json::String(text) = json {
        return Some(Loose {
            message: Some(excerpt(text)),
            ..Loose::default()
        });
    }
    let object = json.as_object()?;
    let mut loose = Loose {
        code: scalar(object, CODES),
        message: scalar(object, MESSAGES),
        request_id: scalar(object, IDS),
        structured: false,
    };
    loose.structured = loose.code.is_some();
    if !loose.structured && depth < DEEPEST {
        // `{"error": {..}}`, `{"badRequest": {..}}`: the facts stand one level down.
        let inner = object
            .values()
            .filter(|value| value.is_object())
            .filter_map(|value| from_json(value, depth + 1))
            .find(|inner| inner.structured);
        if let Some(inner) = inner {
            return Some(Loose {
                request_id: inner.request_id.or(loose.request_id),
                ..inner
            });
        }
    }
    Some(loose)
}

/// `{code, description, details, cause:{..}}`: the innermost cause says what happened.
pub(crate) fn error_object(error: &Json) -> Loose {
    let mut loose = from_json(error, DEEPEST).unwrap_or_default();
    let mut innermost = error;
    for _ in 0..16 {
        let causes = innermost.get("causes").and_then(|causes| causes.get(0));
        let cause = innermost.get("cause").filter(|cause| cause.is_object());
        match cause.or(causes) {
            Some(cause) => innermost = cause,
            None => break,
        }
    }
    if std::ptr::eq(innermost, error) {
        return loose;
    }
    let cause = from_json(innermost, DEEPEST).unwrap_or_default();
    let message = loose.message.get_or_insert_default();
    if let Some(why) = cause.message
        && !message.contains(&why)
    {
        let name = cause.code.unwrap_or_default();
        message.push_str(&format!("; cause: {name} {why}"));
    }
    loose
}

fn element(xml: &str, name: &str) -> Option<String> {
    let start = xml.find(&format!("<{name}>"))? + name.len() + 2;
    let end = xml[start..].find(&format!("</{name}>"))?;
    let text = xml[start..start + end]
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&");
    Some(text.trim().to_owned())
}

fn strip_tags(html: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for c in html.chars().take(4096) {
        match c {
            '<' => inside = true,
            '>' => {
                inside = false;
                text.push(' ');
            }
            _ if !inside => text.push(c),
            _ => {}
        }
    }
    text
}

/// One line of at most [`EXCERPT`] characters, control characters gone.
pub(crate) fn excerpt(text: &str) -> String {
    let mut line = String::new();
    let mut count = 0;
    let words = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty());
    for word in words {
        let space = usize::from(count > 0);
        if count + space + 1 > EXCERPT {
            line.push_str("..");
            break;
        }
        if space > 0 {
            line.push(' ');
        }
        let room = EXCERPT - count - space;
        match word.char_indices().nth(room) {
            Some((at, _)) => {
                line.push_str(&word[..at]);
                line.push_str("..");
                break;
            }
            None => line.push_str(word),
        }
        count += space + word.chars().count();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &str) -> (Option<String>, Option<String>) {
        let loose = Page::new(body.as_bytes()).read();
        (loose.code, loose.message)
    }

    fn some(code: &str, message: &str) -> (Option<String>, Option<String>) {
        (Some(code.into()), Some(message.into()))
    }

    #[test]
    fn every_documented_shape() {
        for (body, code, message) in [
            (
                r#"{"RequestId":"r","Code":"Throttling","Message":"m"}"#,
                "Throttling",
                "m",
            ),
            (
                r#"{"error_code":"APIG.2012","error_msg":"m"}"#,
                "APIG.2012",
                "m",
            ),
            (r#"{"errorCode":"A","errorMsg":"m"}"#, "A", "m"),
            (r#"{"code":401,"message":"m"}"#, "401", "m"),
            (
                r#"{"error":{"code":401,"message":"m","title":"Unauthorized"}}"#,
                "401",
                "m",
            ),
            (
                r#"{"error":{"code":"111401001","message":"m"}}"#,
                "111401001",
                "m",
            ),
            (r#"{"badRequest":{"message":"m","code":"401"}}"#, "401", "m"),
            (
                "<Error><RequestId>r</RequestId><Code>A</Code><Message>a &amp; b</Message></Error>",
                "A",
                "a & b",
            ),
        ] {
            assert_eq!(of(body), some(code, message), "{body}");
        }
    }

    #[test]
    fn nothing_is_lost() {
        assert_eq!(
            of("requestTimeTooSkewed").1.as_deref(),
            Some("requestTimeTooSkewed")
        );
        assert_eq!(of("[1,2]").1.as_deref(), Some("[1,2]"));
        assert!(
            of("<html><body><h1>502 Bad Gateway</h1></body></html>")
                .1
                .unwrap()
                .contains("502 Bad Gateway")
        );
        assert_eq!(of("").1, None);
        assert_eq!(
            of("\u{feff}{\"Code\":\"A\",\"Message\":\"m\"}"),
            some("A", "m")
        );
        assert_eq!(of("null").1.as_deref(), Some("null"));
        let long = of(&"é".repeat(100_000)).1.unwrap();
        assert!(long.chars().count() <= EXCERPT + 2);
    }

    #[test]
    fn deep_nesting_ends() {
        let deep = format!("{}1{}", "{\"error\":".repeat(100), "}".repeat(100));
        assert_eq!(of(&deep).0, None);
        let too_deep = "[".repeat(100_000);
        assert!(of(&too_deep).1.is_some());
    }

    #[test]
    fn no_more_is_read_than_errors_have() {
        let long = format!(r#"{{"Code":"A","Message":"{}"}}"#, "x".repeat(2 << 20));
        assert_eq!(Page::new(long.as_bytes()).text.len(), MOST);
        let (code, message) = of(&long);
        assert_eq!(code, None);
        assert!(message.unwrap().starts_with(r#"{"Code":"A""#));
        // Bytes that are no text become three bytes each, and no more of them are read.
        assert!(Page::new(&vec![0xff; 2 << 20]).text.len() <= 3 * MOST);
        // JSON that would swell is taken as text.
        let swollen = format!("[{}]", vec!["[]"; 300_000].join(","));
        assert!(Page::new(swollen.as_bytes()).json.is_none());
    }

    #[test]
    fn excerpts_are_one_short_line() {
        assert_eq!(excerpt(" a\u{1b}[31m\tb\r\n c "), "a [31m b c");
        assert_eq!(
            excerpt(&"ab ".repeat(100)),
            format!("{}ab", "ab ".repeat(99))
        );
        assert_eq!(
            excerpt(&"ab ".repeat(101)),
            format!("{}ab..", "ab ".repeat(99))
        );
        assert_eq!(excerpt(&"é".repeat(300)), "é".repeat(300));
        assert_eq!(excerpt(&"é".repeat(301)), format!("{}..", "é".repeat(300)));
    }
}
