//! What did the client really send, and what does it get back? Requests and answers as plain
//! values, close to the bytes: the target of the request line is kept exactly as it was sent,
//! since signatures are judged by it.

use std::net::SocketAddr;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::clock;
use crate::encode;

/// One of the services that the local cloud plays; each has its own port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Service {
    /// Alibaba Cloud Server Migration Center, 2019-06-01.
    Smc,
    /// Alibaba Cloud Smart Access Gateway, 2018-03-13.
    Smartag,
    /// OTC / Huawei Cloud API Gateway, dedicated, v2.
    Apig,
    /// The identity service in front of APIG: Keystone v3 and its extensions.
    Iam,
    /// ZStack, REST v1.
    Zstack,
}

impl Service {
    /// All services, in the order of their ports.
    pub const ALL: [Self; 5] = [
        Self::Smc,
        Self::Smartag,
        Self::Apig,
        Self::Iam,
        Self::Zstack,
    ];

    /// The service of a name.
    pub(crate) fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// Lower-case name: `smc`, `smartag`, `apig`, `iam`, `zstack`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Smc => "smc",
            Self::Smartag => "smartag",
            Self::Apig => "apig",
            Self::Iam => "iam",
            Self::Zstack => "zstack",
        }
    }
}

/// A request as it stood on the wire.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) service: Service,
    pub(crate) method: String,
    /// Second word of the request line, untouched.
    pub(crate) target: String,
    /// In the order of the wire, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// After removal of the transfer encoding.
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The target without scheme and authority, should the client have sent them.
    fn origin_form(&self) -> &str {
        match self.target.split_once("://") {
            Some((scheme, rest)) if !scheme.contains(['/', '?']) => {
                rest.find(['/', '?']).map_or("/", |at| &rest[at..])
            }
            _ => &self.target,
        }
    }

    /// The path, still encoded.
    pub(crate) fn path(&self) -> &str {
        let target = self.origin_form();
        let path = target.split_once('?').map_or(target, |(path, _)| path);
        if path.is_empty() { "/" } else { path }
    }

    /// The query, still encoded; empty when there is none.
    pub(crate) fn query(&self) -> &str {
        self.origin_form()
            .split_once('?')
            .map_or("", |(_, query)| query)
    }

    pub(crate) fn query_pairs(&self) -> Vec<(String, String)> {
        encode::pairs(self.query())
    }

    /// First value of a query member.
    pub(crate) fn query_value(&self, name: &str) -> Option<String> {
        self.query_pairs()
            .into_iter()
            .find_map(|(key, value)| (key == name).then_some(value))
    }

    /// The pairs of a form body; empty when the body is no form.
    pub(crate) fn form_pairs(&self) -> Vec<(String, String)> {
        let is_form = self.header("content-type").is_some_and(|value| {
            value
                .trim_start()
                .to_ascii_lowercase()
                .starts_with("application/x-www-form-urlencoded")
        });
        match std::str::from_utf8(&self.body) {
            Ok(body) if is_form => encode::pairs(body),
            _ => Vec::new(),
        }
    }

    /// First value of a header, without the white space around it.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }

    /// The decoded segments of the path after `prefix`; `None` when the path lies elsewhere.
    pub(crate) fn segments(&self, prefix: &str) -> Option<Vec<String>> {
        let rest = self.path().strip_prefix(prefix)?;
        let rest = match rest.strip_prefix('/') {
            Some(rest) => rest,
            None if rest.is_empty() || prefix.is_empty() => rest,
            None => return None,
        };
        Some(rest.split('/').map(encode::unpercent).collect())
    }

    /// Whether the target or the body holds a text, as it stands on the wire.
    pub(crate) fn holds(&self, text: &str) -> bool {
        let in_body = || {
            self.body
                .windows(text.len().max(1))
                .any(|part| part == text.as_bytes())
        };
        self.target.contains(text) || in_body()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// An answer before it is written.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Why the request was refused: what was expected, and what came.
    pub(crate) verdict: Option<String>,
    /// Made by a fault, not by the service.
    pub(crate) injected: bool,
    /// Who answers instead: a backend.
    pub(crate) forward: Option<Box<Forward>>,
}

/// A request to a backend on this machine, without its body.
#[derive(Clone, Debug)]
pub(crate) struct Forward {
    pub(crate) address: SocketAddr,
    /// What the backend is told as `Host`.
    pub(crate) host: String,
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    /// How long the head of the answer may take.
    pub(crate) timeout: Duration,
}

impl Reply {
    pub(crate) fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            verdict: None,
            injected: false,
            forward: None,
        }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::json_text(status, body.to_string())
    }

    /// A text that is JSON already.
    pub(crate) fn json_text(status: u16, body: String) -> Self {
        Self::typed(status, "application/json;charset=utf-8", body.into_bytes())
    }

    pub(crate) fn text(status: u16, body: impl Into<String>) -> Self {
        Self::typed(status, "text/plain;charset=utf-8", body.into().into_bytes())
    }

    pub(crate) fn html(status: u16) -> Self {
        let reason = reason(status);
        let page = format!(
            "<html>\r\n<head><title>{status} {reason}</title></head>\r\n<body>\r\n<center><h1>{status} {reason}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
        );
        Self::typed(status, "text/html", page.into_bytes())
    }

    fn typed(status: u16, content_type: &str, body: Vec<u8>) -> Self {
        Self {
            body,
            ..Self::new(status)
        }
        .header("content-type", content_type)
    }

    /// A file to download.
    pub(crate) fn file(status: u16, body: &[u8]) -> Self {
        Self::typed(status, "application/octet-stream", body.to_vec())
    }

    /// `body` as it is, with the content type that its first character suggests.
    pub(crate) fn raw(status: u16, body: &[u8]) -> Self {
        let start = body.iter().find(|byte| !byte.is_ascii_whitespace());
        let content_type = match start {
            Some(b'{' | b'[') => "application/json;charset=utf-8",
            Some(b'<')
                if body
                    .windows(5)
                    .any(|part| part.eq_ignore_ascii_case(b"<html")) =>
            {
                "text/html"
            }
            Some(b'<') => "text/xml;charset=utf-8",
            _ => "text/plain;charset=utf-8",
        };
        Self::typed(status, content_type, body.to_vec())
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn verdict(mut self, text: impl Into<String>) -> Self {
        self.verdict = Some(text.into());
        self
    }

    /// With a hint when to ask again; the header knows whole seconds only.
    pub(crate) fn retry_after(self, milliseconds: Option<u64>) -> Self {
        match milliseconds {
            Some(hint) => self.header("retry-after", hint.div_ceil(1000).to_string()),
            None => self,
        }
    }

    pub(crate) fn dated(mut self, now: Timestamp) -> Self {
        if !self
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("date"))
        {
            self.headers.push(("date".into(), clock::http_date(now)));
        }
        self
    }
}

/// One request in the hands of a service.
pub(crate) struct Call<'a> {
    pub(crate) request: &'a Request,
    /// The server's time for this request.
    pub(crate) now: Timestamp,
    /// Whether timestamps outside the window are refused.
    pub(crate) strict_time: bool,
    /// Answer this instead of executing, once the request has passed authentication.
    pub(crate) instead: Option<Reply>,
}

/// The reason phrase of a status.
pub(crate) fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        413 => "Payload Too Large",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(target: &str) -> Request {
        Request {
            service: Service::Apig,
            method: "GET".into(),
            target: target.into(),
            headers: vec![("Host".into(), " h ".into())],
            body: Vec::new(),
        }
    }

    #[test]
    fn targets() {
        for (target, path, query) in [
            ("/a/../b?x=1?2", "/a/../b", "x=1?2"),
            ("http://h:1/a?b", "/a", "b"),
            ("http://h", "/", ""),
            ("?a=b", "/", "a=b"),
            ("/a?u=http://x/y", "/a", "u=http://x/y"),
        ] {
            let request = request(target);
            assert_eq!((request.path(), request.query()), (path, query), "{target}");
        }
        assert_eq!(request("/").header("HOST"), Some("h"));
    }

    #[test]
    fn segments_are_decoded_one_by_one() {
        let one = request("/zstack/v1/a%2Fb/../");
        assert_eq!(one.segments("/zstack/v1").unwrap(), ["a/b", "..", ""]);
        assert_eq!(one.segments("/zs"), None);
        assert_eq!(one.segments("/other"), None);
    }
}
