//! Sends a request over HTTP/1.1, and reads as much of the answer as is good for anybody.

use std::error::Error as StdError;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::Uri;
use http::header::{self, HeaderValue};
use http::uri::Scheme;
use http_body::Body as _;
use hyper::body::Incoming;
use hyper_util::client::legacy::ResponseFuture;

use crate::address;
use crate::clock::BoxFuture;

use super::error::{Cause, late, unsent};
use super::options::HttpOptions;
use super::pools::{Pools, Wanted};
use super::proxy::Proxy;
use super::stream::{Download, DownloadBody, Outgoing, Upload, poll_piece};
use super::{HttpRequest, HttpResponse, Transport, TransportError, TransportErrorKind, tls};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The largest answer that is read, unless the client is told otherwise.
const LARGEST_ANSWER: usize = 32 << 20;
/// As much is read of an answer that reports an error.
const LARGEST_ERROR: usize = 1 << 20;

/// The default transport. Clones share connections.
#[derive(Clone)]
pub struct HttpTransport(Arc<Inner>);

struct Inner {
    pools: Pools,
    no_proxy: bool,
    largest_answer: usize,
}

impl HttpTransport {
    /// Builds a transport; the error says which option does not work.
    pub fn new(options: &HttpOptions) -> Result<Self, Box<dyn StdError + Send + Sync>> {
        let tls = tls::tls_config(options)?;
        let proxy = Proxy::new(options)?;
        let connect_timeout = options.connect_timeout.unwrap_or(CONNECT_TIMEOUT);
        Ok(Self(Arc::new(Inner {
            pools: Pools::new(Arc::new(tls), proxy, connect_timeout),
            no_proxy: options.no_proxy,
            largest_answer: options.largest_answer.unwrap_or(LARGEST_ANSWER),
        })))
    }
}

impl fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpTransport").finish_non_exhaustive()
    }
}

impl Transport for HttpTransport {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        self.0.send(request)
    }

    fn stream(
        &self,
        request: HttpRequest,
        upload: Option<Upload>,
    ) -> BoxFuture<'_, Result<Download, TransportError>> {
        Box::pin(self.0.stream(request, upload))
    }
}

impl Inner {
    /// The request is handed over before the future is made, which would hold it for as long as the
    /// answer takes.
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        let limit = request.timeout;
        let sending = match self.hand_over(request, None) {
            Ok(sending) => sending,
            Err(error) => return Box::pin(std::future::ready(Err(error))),
        };
        let largest = self.largest_answer;
        Box::pin(async move {
            let answer = tokio::time::timeout(limit, answer(sending, largest));
            answer.await.unwrap_or_else(|_| Err(late(limit)))
        })
    }

    async fn stream(
        &self,
        request: HttpRequest,
        upload: Option<Upload>,
    ) -> Result<Download, TransportError> {
        let limit = request.timeout;
        let sending = tokio::time::timeout(limit, self.hand_over(request, upload)?);
        let answer = sending.await.map_err(|_| late(limit))?.map_err(unsent)?;
        let (head, body) = answer.into_parts();
        Ok(Download {
            status: head.status.as_u16(),
            headers: head.headers,
            body: DownloadBody::of_wire(body, limit),
        })
    }

    /// Hands the request over to the connections that it goes over, with `upload` in its body's place.
    fn hand_over(
        &self,
        request: HttpRequest,
        upload: Option<Upload>,
    ) -> Result<ResponseFuture, TransportError> {
        let unsendable = |error: Box<dyn StdError + Send + Sync>| {
            TransportError::new(TransportErrorKind::Unsendable, error)
        };
        let wanted = Wanted {
            direct: self.no_proxy || address::is_loopback(&request.url),
            fresh: request.fresh,
        };
        let uri = Uri::from_maybe_shared(Bytes::from(String::from(request.url)));
        let uri = uri.map_err(|error| unsendable(Box::from(error)))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(unsendable("only http and https are spoken here".into()));
        }
        let body = upload.map_or(Outgoing::Whole(request.body), Outgoing::Pieces);
        let mut outgoing = http::Request::new(body);
        *outgoing.method_mut() = request.method;
        *outgoing.headers_mut() = request.headers;
        let headers = outgoing.headers_mut();
        headers
            .entry(header::ACCEPT)
            .or_insert(const { HeaderValue::from_static("*/*") });
        if !wanted.direct
            && uri.scheme() == Some(&Scheme::HTTP)
            && let Some(proxy) = self.pools.proxy().of(&uri)
            && let Some(password) = proxy.basic_auth()
        {
            // Within a tunnel only the server would read it.
            headers.insert(header::PROXY_AUTHORIZATION, password.clone());
        }
        *outgoing.uri_mut() = uri;
        let runtime = tokio::runtime::Handle::try_current();
        let runtime = runtime.map_err(|error| unsendable(Box::from(error)))?;
        Ok(self.pools.get(runtime.id(), wanted).request(outgoing))
    }
}

async fn answer(sending: ResponseFuture, largest: usize) -> Result<HttpResponse, TransportError> {
    let (head, mut body) = sending.await.map_err(unsent)?.into_parts();
    let status = head.status.as_u16();
    let headers = head.headers;
    let body = match status < 400 {
        true => whole(&mut body, largest).await?,
        false => start(&mut body).await?,
    };
    Ok(HttpResponse {
        status,
        headers,
        body,
    })
}

/// The whole body, if it has no more than `largest` bytes. Nothing is set aside for what is only
/// announced.
async fn whole(body: &mut Incoming, largest: usize) -> Result<Bytes, TransportError> {
    if body.size_hint().lower() > largest as u64 {
        return Err(too_large(largest));
    }
    let first = piece(body).await?.unwrap_or_default();
    let Some(mut next) = piece(body).await? else {
        return match first.len() > largest {
            true => Err(too_large(largest)),
            false => Ok(first),
        };
    };
    let mut whole = BytesMut::from(first);
    loop {
        if whole.len() + next.len() > largest {
            return Err(too_large(largest));
        }
        whole.extend_from_slice(&next);
        match piece(body).await? {
            Some(more) => next = more,
            None => return Ok(whole.freeze()),
        }
    }
}

/// The start of a body that reports an error. The rest is left unread, and with it the connection.
async fn start(body: &mut Incoming) -> Result<Bytes, TransportError> {
    let mut start = BytesMut::new();
    while let Some(piece) = piece(body).await? {
        let room = LARGEST_ERROR - start.len();
        start.extend_from_slice(&piece[..piece.len().min(room)]);
        if piece.len() >= room {
            break;
        }
    }
    Ok(start.freeze())
}

async fn piece(body: &mut Incoming) -> Result<Option<Bytes>, TransportError> {
    std::future::poll_fn(|cx| poll_piece(body, cx))
        .await
        .transpose()
}

fn too_large(largest: usize) -> TransportError {
    TransportError::new(
        TransportErrorKind::TooLarge,
        Cause::new(
            format!("it has more than {largest} bytes"),
            "Ask for less at a time, or allow more with `largest_answer(bytes)`",
        ),
    )
}

/// A transport without a proxy, set up when it is first used: few programs ask a metadata service.
#[derive(Debug, Default)]
pub(crate) struct LazyDirect(OnceLock<Result<HttpTransport, String>>);

impl Transport for LazyDirect {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        let transport = self.0.get_or_init(|| {
            let options = HttpOptions {
                no_proxy: true,
                connect_timeout: Some(Duration::from_secs(1)),
                ..HttpOptions::default()
            };
            HttpTransport::new(&options).map_err(|error| error.to_string())
        });
        match transport {
            Ok(transport) => transport.send(request),
            Err(message) => {
                let error = TransportError::new(TransportErrorKind::Connect, message.clone());
                Box::pin(std::future::ready(Err(error)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;

    /// Without a runtime there is nothing to send with; that is an error, not a panic.
    #[test]
    fn a_call_outside_of_a_runtime() {
        let transport = HttpTransport::new(&HttpOptions::default()).unwrap();
        let request = HttpRequest {
            method: http::Method::GET,
            url: "http://127.0.0.1:9".parse().unwrap(),
            headers: http::HeaderMap::new(),
            body: Bytes::new(),
            timeout: Duration::from_secs(1),
            fresh: false,
        };
        let mut sending = transport.send(request);
        let polled = sending
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(Err(error)) = polled else {
            panic!("it waits for what never comes");
        };
        assert_eq!(error.kind, TransportErrorKind::Unsendable);
    }

    #[tokio::test]
    async fn only_http_is_spoken() {
        let transport = HttpTransport::new(&HttpOptions::default()).unwrap();
        for address in ["ftp://127.0.0.1:9/", "file:///etc/passwd", "data:,x"] {
            let request = HttpRequest::new(http::Method::GET, address.parse().unwrap());
            let error = transport.send(request).await.unwrap_err();
            assert_eq!(error.kind, TransportErrorKind::Unsendable, "{error}");
        }
    }

    /// The future waits for the answer alone: what it holds, each call under way holds.
    #[tokio::test]
    async fn a_request_under_way_is_small() {
        let transport = HttpTransport::new(&HttpOptions::default()).unwrap();
        let url = "http://127.0.0.1:9".parse().unwrap();
        let sending = transport.send(HttpRequest::new(http::Method::GET, url));
        let size = std::mem::size_of_val(&*sending);
        assert!(size <= 600, "{size} bytes");
    }
}
