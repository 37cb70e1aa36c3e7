//! What stood on the wire? A reader for HTTP/1.1 that keeps the request line as it was sent.
//!
//! HTTP libraries normalise targets (`..`, case of escapes), which signatures are made over;
//! so the request is read here and handed on beside the normalised one.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::wire::{Reply, Request, Service, reason};

const MAX_HEAD: usize = 512 * 1024;
const MAX_HEADERS: usize = 90;
const READ: usize = 16 * 1024;
/// Larger request bodies are refused.
pub(super) const MAX_BODY: usize = 32 * 1024 * 1024;

/// What came next on a connection.
pub(super) enum Incoming {
    Request { request: Request, keep_alive: bool },
    Malformed(Reply),
    Closed,
}

/// A client's connection.
pub(super) struct Connection<S = TcpStream> {
    stream: S,
    buffer: Vec<u8>,
}

/// The end of reading: the peer went away, or sent what no server takes.
enum Stop {
    Gone,
    Bad(u16, &'static str),
}

impl From<std::io::Error> for Stop {
    fn from(_: std::io::Error) -> Self {
        Self::Gone
    }
}

struct Head {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    keep_alive: bool,
    length: usize,
}

enum Length {
    Known(usize),
    Chunked,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
        }
    }

    /// Reads the next request; a pipelined one may already be in the buffer.
    pub(super) async fn next(&mut self, service: Service) -> Incoming {
        match self.read(service).await {
            Ok((request, keep_alive)) => Incoming::Request {
                request,
                keep_alive,
            },
            Err(Stop::Gone) => Incoming::Closed,
            Err(Stop::Bad(status, text)) => Incoming::Malformed(Reply::text(status, text)),
        }
    }

    async fn read(&mut self, service: Service) -> Result<(Request, bool), Stop> {
        let head = loop {
            match parse_head(&self.buffer)? {
                Some(head) => break head,
                None if self.buffer.len() > MAX_HEAD => {
                    return Err(Stop::Bad(431, "request head too large"));
                }
                None => self.fill().await?,
            }
        };
        self.buffer.drain(..head.length);
        let length = body_length(&head.headers)?;
        if has_token(&head.headers, "expect", "100-continue") && !matches!(length, Length::Known(0))
        {
            self.stream
                .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
                .await?;
        }
        let body = match length {
            Length::Known(length) => self.take(length).await?,
            Length::Chunked => self.chunks().await?,
        };
        let Head {
            method,
            target,
            headers,
            keep_alive,
            ..
        } = head;
        Ok((
            Request {
                service,
                method,
                target,
                headers,
                body,
            },
            keep_alive,
        ))
    }

    async fn fill(&mut self) -> Result<(), Stop> {
        self.buffer.reserve(READ);
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(Stop::Gone),
            _ => Ok(()),
        }
    }

    async fn take(&mut self, length: usize) -> Result<Vec<u8>, Stop> {
        while self.buffer.len() < length {
            self.fill().await?;
        }
        let rest = self.buffer.split_off(length);
        Ok(std::mem::replace(&mut self.buffer, rest))
    }

    async fn line(&mut self) -> Result<String, Stop> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|two| two == b"\r\n") {
                let line = self.take(end + 2).await?;
                return Ok(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            if self.buffer.len() > MAX_HEAD {
                return Err(Stop::Bad(400, "chunk line too long"));
            }
            self.fill().await?;
        }
    }

    async fn chunks(&mut self) -> Result<Vec<u8>, Stop> {
        let mut body = Vec::new();
        loop {
            let line = self.line().await?;
            let digits = line.split(';').next().unwrap_or("").trim();
            let size =
                usize::from_str_radix(digits, 16).map_err(|_| Stop::Bad(400, "bad chunk size"))?;
            if size == 0 {
                while !self.line().await?.is_empty() {}
                return Ok(body);
            }
            if size > MAX_BODY - body.len() {
                return Err(Stop::Bad(413, "request body too large"));
            }
            body.extend(self.take(size).await?);
            if self.take(2).await? != b"\r\n" {
                return Err(Stop::Bad(400, "chunk without end"));
            }
        }
    }

    /// Writes an answer, with at most `cut` bytes of its body.
    pub(super) async fn write(
        &mut self,
        reply: &Reply,
        head_only: bool,
        keep_alive: bool,
        cut: Option<usize>,
    ) -> std::io::Result<()> {
        let mut out = format!("HTTP/1.1 {} {}\r\n", reply.status, reason(reply.status));
        for (name, value) in &reply.headers {
            if !value.contains(['\r', '\n']) && !name.contains(['\r', '\n', ' ', ':']) {
                out.push_str(name);
                out.push_str(": ");
                out.push_str(value);
                out.push_str("\r\n");
            }
        }
        let bodiless = matches!(reply.status, 204 | 304);
        if !bodiless {
            out.push_str("content-length: ");
            out.push_str(&reply.body.len().to_string());
            out.push_str("\r\n");
        }
        if !keep_alive {
            out.push_str("connection: close\r\n");
        }
        out.push_str("\r\n");
        let mut out = out.into_bytes();
        if !head_only && !bodiless {
            let length = cut.unwrap_or(usize::MAX).min(reply.body.len());
            out.extend_from_slice(&reply.body[..length]);
        }
        self.stream.write_all(&out).await
    }

    /// Ends the connection in good order, taking in what the peer is still sending.
    pub(super) async fn close(mut self) {
        if self.stream.shutdown().await.is_ok() {
            let mut part = Vec::with_capacity(READ);
            let drain = async {
                while let Ok(1..) = self.stream.read_buf(&mut part).await {
                    part.clear();
                }
            };
            // A peer that neither sends nor closes must not hold the task.
            let _ = tokio::time::timeout(Duration::from_millis(500), drain).await;
        }
    }
}

impl Connection {
    /// Ends the connection with a TCP reset.
    pub(super) fn reset(self) {
        // Zero linger makes the close send RST; if the system refuses, it is a plain close.
        let _ = self.stream.set_zero_linger();
    }
}

fn parse_head(buffer: &[u8]) -> Result<Option<Head>, Stop> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let length = match parsed.parse(buffer) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(Stop::Bad(431, "too many headers")),
        Err(_) => return Err(Stop::Bad(400, "not an HTTP/1.1 request")),
    };
    let headers: Vec<(String, String)> = parsed
        .headers
        .iter()
        .map(|header| {
            (
                header.name.to_owned(),
                String::from_utf8_lossy(header.value).into_owned(),
            )
        })
        .collect();
    let keep_alive = if parsed.version == Some(0) {
        has_token(&headers, "connection", "keep-alive")
    } else {
        !has_token(&headers, "connection", "close")
    };
    Ok(Some(Head {
        method: parsed.method.unwrap_or_default().to_owned(),
        target: parsed.path.unwrap_or_default().to_owned(),
        headers,
        keep_alive,
        length,
    }))
}

fn values<'a>(headers: &'a [(String, String)], name: &'a str) -> impl Iterator<Item = &'a str> {
    headers
        .iter()
        .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

fn has_token(headers: &[(String, String)], name: &str, token: &str) -> bool {
    values(headers, name)
        .flat_map(|value| value.split(','))
        .any(|part| part.trim().eq_ignore_ascii_case(token))
}

fn body_length(headers: &[(String, String)]) -> Result<Length, Stop> {
    let mut lengths = values(headers, "content-length");
    let length = lengths.next();
    if lengths.any(|other| Some(other) != length) {
        return Err(Stop::Bad(400, "contradicting content lengths"));
    }
    if has_token(headers, "transfer-encoding", "chunked") {
        return match length {
            Some(_) => Err(Stop::Bad(400, "both a content length and chunks")),
            None => Ok(Length::Chunked),
        };
    }
    match length {
        None => Ok(Length::Known(0)),
        Some(text) => match text.parse::<usize>() {
            Ok(length) if length <= MAX_BODY => Ok(Length::Known(length)),
            Ok(_) => Err(Stop::Bad(413, "request body too large")),
            Err(_) => Err(Stop::Bad(400, "bad content length")),
        },
    }
}
