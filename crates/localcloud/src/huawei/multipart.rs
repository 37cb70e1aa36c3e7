//! Which parts has a form that carries a file? `multipart/form-data` (RFC 7578), read as far as
//! names and values go.

use serde_json::Value;

use crate::model::input::Input;
use crate::wire::Request;

use super::refusal::Refusal;

/// The parts by name; their bytes as text, as far as they are text.
pub(super) fn read(request: &Request) -> Result<Input, Refusal> {
    let content_type = request.header("content-type").unwrap_or_default();
    let boundary = content_type
        .to_ascii_lowercase()
        .starts_with("multipart/form-data")
        .then(|| parameter(content_type, "boundary"))
        .flatten()
        .ok_or_else(|| {
            Refusal::invalid("body", "expected multipart/form-data with a boundary")
                .verdict(format!("the content type is {content_type:?}"))
        })?;
    parts(&request.body, &boundary)
        .ok_or_else(|| Refusal::invalid("body", "the parts do not follow RFC 7578"))
}

/// The value of `name="value"` or `name=value` among parameters that semicolons part.
fn parameter(text: &str, name: &str) -> Option<String> {
    text.split(';').skip(1).find_map(|part| {
        let (key, value) = part.trim().split_once('=')?;
        key.eq_ignore_ascii_case(name)
            .then(|| value.trim_matches('"').to_owned())
    })
}

fn parts(body: &[u8], boundary: &str) -> Option<Input> {
    let delimiter = format!("--{boundary}");
    let mut out = Input::new();
    let mut rest = &body[find(body, delimiter.as_bytes())? + delimiter.len()..];
    let line_delimiter = format!("\r\n{delimiter}");
    while !rest.starts_with(b"--") {
        let part = rest.strip_prefix(b"\r\n")?;
        let end = find(part, line_delimiter.as_bytes())?;
        let head = find(&part[..end], b"\r\n\r\n")?;
        let name = String::from_utf8_lossy(&part[..head])
            .split("\r\n")
            .find_map(|line| {
                let (key, value) = line.split_once(':')?;
                key.eq_ignore_ascii_case("content-disposition")
                    .then(|| parameter(value, "name"))
                    .flatten()
            })?;
        let value = String::from_utf8_lossy(&part[head + 4..end]).into_owned();
        out.insert(name, scalar(value));
        rest = &part[end + line_delimiter.len()..];
    }
    Some(out)
}

/// Parts have no types: what reads as a truth value is one.
fn scalar(text: String) -> Value {
    match text.as_str() {
        "true" | "True" => true.into(),
        "false" | "False" => false.into(),
        _ => text.into(),
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|part| part == what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn parts_are_found() {
        let body = b"preamble\r\n--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\ntrue\r\n--x\r\n\
            content-disposition: form-data; name=f; filename=\"f.json\"\r\nContent-Type: text/plain\r\n\r\n\
            {\r\n--not}\r\n--x--\r\n";
        assert_eq!(
            parts(body, "x").map(Value::Object),
            Some(json!({"a": true, "f": "{\r\n--not}"}))
        );
        for broken in [
            &b""[..],
            b"--x",
            b"--x\r\n",
            b"--x\r\nno head\r\n--x--",
            b"--x\r\nContent-Disposition: form-data\r\n\r\nv\r\n--x--",
            b"--y\r\n",
        ] {
            assert_eq!(
                parts(broken, "x"),
                None,
                "{:?}",
                String::from_utf8_lossy(broken)
            );
        }
        assert_eq!(parts(b"--x--", "x"), Some(Input::new()));
    }
}
