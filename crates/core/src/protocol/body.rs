//! Error bodies of any shape: JSON in half a dozen forms, XML, plain text, HTML, nothing.
//!
//! A failure whose text is lost costs its reader a day. Whatever came back, something of it ends up
//! in the message.

use crate::record::Json;

/// What an error body tells.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Loose {
    pub code: Option<String>,
    pub message: Option<String>,
    pub request_id: Option<String>,
    /// Whether the body was in one of the documented forms, so that the service itself wrote it.
    pub structured: bool,
}

/// How much of a body that is not JSON goes into the message.
const EXCERPT: usize = 300;
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

/// Reads an error body.
pub(super) fn read(body: &[u8]) -> Loose {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Loose::default();
    }
    if let Ok(json) = serde_json::from_str::<Json>(text) {
        let mut loose = from_json(&json, 0).unwrap_or_default();
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

pub(super) fn looks_like_html(text: &str) -> bool {
    let start: String = text.chars().take(200).collect::<String>().to_lowercase();
    start.contains("<html") || start.contains("<!doctype html") || start.contains("<head")
}

fn from_json(json: &Json, depth: usize) -> Option<Loose> {
    if let Json::String(text) = json {
        return Some(Loose {
            message: Some(excerpt(text)),
            ..Loose::default()
        });
    }
    let object = json.as_object()?;
    let scalar = |names: &[&str]| {
        names.iter().find_map(|name| match object.get(*name)? {
            Json::String(text) if !text.is_empty() => Some(text.clone()),
            Json::Number(number) => Some(number.to_string()),
            _ => None,
        })
    };
    let mut loose = Loose {
        code: scalar(CODES),
        message: scalar(MESSAGES),
        request_id: scalar(IDS),
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

/// One line of at most 4,000 characters, for messages that the service itself wrote.
pub(super) fn excerpt_long(text: &str) -> String {
    one_line(text, 4000)
}

/// One line of at most [`EXCERPT`] characters, control characters gone.
pub(super) fn excerpt(text: &str) -> String {
    one_line(text, EXCERPT)
}

fn one_line(text: &str, most: usize) -> String {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let line = words.join(" ");
    match line.char_indices().nth(most) {
        Some((at, _)) => format!("{}..", &line[..at]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &str) -> (Option<String>, Option<String>) {
        let loose = read(body.as_bytes());
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
}
