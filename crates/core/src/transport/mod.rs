//! Sends one HTTP request and tells apart what was certainly not sent from what may have arrived.
//!
//! [`HttpTransport`] is hyper over rustls: HTTP/1.1, no redirects, no replay of its own, idle
//! connections dropped after 5 s (the gateways drop them after about 10 s). Another transport can
//! be injected in a client's builder.

mod connect;
mod error;
mod http1;
mod options;
mod pools;
mod proxy;
mod stream;
mod tls;
mod tls_error;
mod trust;

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use url::Url;

use crate::address;
use crate::clock::BoxFuture;
use crate::error::{Error, Kind};

pub use http1::HttpTransport;
pub(crate) use http1::LazyDirect;
pub use options::{ClientCertificate, HttpOptions};
pub(crate) use proxy::warnings;
pub use stream::{Download, DownloadBody, Upload};
#[doc(hidden)]
pub use tls::tls_config;
pub(crate) use tls::{certificates, check_pair, private_key};

use error::{Cause, innermost};

/// A request, ready to go.
#[derive(Clone)]
pub struct HttpRequest {
    /// Method.
    pub method: Method,
    /// Full address, path and query already encoded.
    pub url: Url,
    /// Headers, signature included.
    pub headers: HeaderMap,
    /// Body; empty for none.
    pub body: Bytes,
    /// How long the answer may take, its body included.
    pub timeout: Duration,
    /// Whether it must go over a connection of its own. A server may close a connection that has
    /// idled just when the next request comes, and then nobody knows whether it was read.
    pub fresh: bool,
}

impl HttpRequest {
    /// A request without headers and body, whose answer may take 30 s.
    pub fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            timeout: Duration::from_secs(30),
            fresh: false,
        }
    }
}

impl fmt::Debug for HttpRequest {
    /// Method and host only: query, headers and body may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {}{}",
            self.method,
            self.url.authority(),
            self.url.path()
        )
    }
}

/// An answer of any status.
#[derive(Clone)]
pub struct HttpResponse {
    /// Status code.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl HttpResponse {
    /// A header's value, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {}, {} bytes", self.status, self.body.len())
    }
}

/// How sending failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// The request cannot be written as HTTP, such as an address of more than 65,534 bytes. Nothing
    /// was sent, and a repeat would end the same way.
    Unsendable,
    /// No connection: name not resolved, refused, cut off. Nothing was sent.
    Connect,
    /// No TLS connection that can be trusted: a certificate of the server or of this client is not
    /// accepted, or the server speaks no TLS. Nothing was sent, and a repeat would end the same way.
    Tls,
    /// No answer in time, after the request may have arrived.
    Timeout,
    /// The connection broke after the request may have arrived.
    Interrupted,
    /// The answer is larger than the client accepts. It did arrive.
    TooLarge,
}

/// A request that got no whole answer.
#[derive(Debug)]
#[non_exhaustive]
pub struct TransportError {
    /// How it failed.
    pub kind: TransportErrorKind,
    /// What is known about it, without secrets.
    pub source: Box<dyn StdError + Send + Sync>,
}

impl TransportError {
    /// A failure of this kind. `source` is shown to people, so it must hold no secret.
    pub fn new(
        kind: TransportErrorKind,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self {
            kind,
            source: source.into(),
        }
    }

    /// The kind of error that it is for a call.
    pub(crate) fn call_kind(&self) -> Kind {
        match self.kind {
            TransportErrorKind::Unsendable => Kind::InvalidInput,
            TransportErrorKind::Connect => Kind::Connect,
            TransportErrorKind::Tls => Kind::Tls,
            TransportErrorKind::Timeout => Kind::Timeout,
            TransportErrorKind::Interrupted => Kind::Interrupted,
            TransportErrorKind::TooLarge => Kind::InvalidResponse,
        }
    }

    /// The error of a call that nothing else is known about.
    #[doc(hidden)]
    pub fn for_call(self, operation: &'static str) -> Error {
        let error = Error::new(self.call_kind(), operation, self.to_string());
        let error = match self.advice() {
            Some(advice) => error.with_hint(advice),
            None => error,
        };
        error.with_source(self)
    }

    /// Whether a repeat would end the same way, although others of the kind may not.
    pub(crate) fn is_final(&self) -> bool {
        let cause = self.source.downcast_ref::<Cause>();
        self.kind == TransportErrorKind::TooLarge || cause.is_some_and(Cause::is_final)
    }

    /// What a person can do about it, where that is known.
    pub fn advice(&self) -> Option<&str> {
        self.source.downcast_ref::<Cause>()?.advice()
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            TransportErrorKind::Unsendable => "the request cannot be sent",
            TransportErrorKind::Connect => "cannot connect",
            TransportErrorKind::Tls => "no connection that can be trusted",
            TransportErrorKind::Timeout => "no answer in time",
            TransportErrorKind::Interrupted => "the connection broke",
            TransportErrorKind::TooLarge => "the answer is too large",
        })?;
        write!(f, ": {}", innermost(&*self.source))
    }
}

impl StdError for TransportError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.source)
    }
}

/// Sends requests. It must not follow redirects and must not send a request twice, and one that is
/// to be [`fresh`](HttpRequest::fresh) goes over a connection of its own.
pub trait Transport: Send + Sync + fmt::Debug {
    /// Sends one request and reads the whole answer.
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>>;

    /// Sends one request, with a body that comes in pieces where there is an `upload`, and hands over
    /// the answer before its body is there. The request's time limits how long that takes, and then
    /// each piece. A transport that lacks this sends nothing.
    fn stream(
        &self,
        request: HttpRequest,
        upload: Option<Upload>,
    ) -> BoxFuture<'_, Result<Download, TransportError>> {
        drop((request, upload));
        let error = TransportError::new(
            TransportErrorKind::Unsendable,
            "this transport cannot pass bodies on piece by piece",
        );
        Box::pin(std::future::ready(Err(error)))
    }
}

/// Refuses plain HTTP to another machine unless that is allowed.
#[doc(hidden)]
pub fn guard(url: &Url, allow_http: bool) -> Result<(), Error> {
    address::guard(url, allow_http).map_err(|exposed| Error::configuration(exposed.to_string()))
}
