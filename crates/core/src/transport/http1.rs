//! Sends a request over HTTP/1.1, and reads as much of the answer as is good for anybody.

use std::error::Error as StdError;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{self, Entry, HeaderValue};
use url::{Position, Url};

use crate::address;
use crate::clock::BoxFuture;

use super::error::{Cause, broken};
use super::options::{self, HttpOptions};
use super::pools::{Pools, Wanted};
use super::stream::{Download, DownloadBody, Outgoing, Upload};
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
        let proxy = options.proxy.as_deref().map(options::proxy).transpose()?;
        if proxy.is_none() && !options.no_proxy {
            options::check_environment();
        }
        let connect_timeout = options.connect_timeout.unwrap_or(CONNECT_TIMEOUT);
        Ok(Self(Arc::new(Inner {
            pools: Pools::new(tls, proxy, connect_timeout),
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
        let timeout = request.timeout;
        let (client, mut outgoing) = match self.ready(request) {
            Ok(ready) => ready,
            Err(error) => return Box::pin(std::future::ready(Err(error))),
        };
        *outgoing.timeout_mut() = Some(timeout);
        let sending = client.execute(outgoing);
        Box::pin(async move {
            let mut response = sending.await.map_err(broken)?;
            let status = response.status().as_u16();
            let headers = std::mem::take(response.headers_mut());
            let body = if status < 400 {
                self.whole(&mut response).await?
            } else {
                start(&mut response).await?
            };
            Ok(HttpResponse {
                status,
                headers,
                body,
            })
        })
    }

    async fn stream(
        &self,
        request: HttpRequest,
        upload: Option<Upload>,
    ) -> Result<Download, TransportError> {
        let timeout = request.timeout;
        let (client, mut outgoing) = self.ready(request)?;
        if let Some(upload) = upload {
            *outgoing.body_mut() = Some(reqwest::Body::wrap(Outgoing::from(upload)));
        }
        let sending = tokio::time::timeout(timeout, client.execute(outgoing));
        let late = |_| {
            let what = format!("no answer within {} s", timeout.as_secs());
            TransportError::new(TransportErrorKind::Timeout, what)
        };
        let response = sending.await.map_err(late)?.map_err(broken)?;
        let (head, body) = http::Response::<reqwest::Body>::from(response).into_parts();
        Ok(Download {
            status: head.status.as_u16(),
            headers: head.headers,
            body: DownloadBody::of_wire(body, timeout),
        })
    }

    /// The connections that a request goes over, and the request in their form.
    fn ready(
        &self,
        request: HttpRequest,
    ) -> Result<(reqwest::Client, reqwest::Request), TransportError> {
        let unsendable = |error: Box<dyn StdError + Send + Sync>| {
            TransportError::new(TransportErrorKind::Unsendable, error)
        };
        let wanted = Wanted {
            direct: self.no_proxy || address::is_loopback(&request.url),
            fresh: request.fresh,
        };
        let mut headers = request.headers;
        // The connection would add it to a copy, which then grows.
        if let Entry::Vacant(entry) = headers.entry(header::HOST)
            && let Ok(host) = HeaderValue::from_str(host(&request.url))
        {
            entry.insert(host);
        }
        let mut outgoing = reqwest::Request::new(request.method, request.url);
        *outgoing.headers_mut() = headers;
        if !request.body.is_empty() {
            *outgoing.body_mut() = Some(request.body.into());
        }
        let runtime = tokio::runtime::Handle::try_current();
        let runtime = runtime.map_err(|error| unsendable(Box::from(error)))?;
        let client = self.pools.get(runtime.id(), wanted);
        Ok((
            client.map_err(|error| unsendable(Box::from(error)))?,
            outgoing,
        ))
    }

    /// The whole body. Nothing is set aside for what is only announced.
    async fn whole(&self, response: &mut reqwest::Response) -> Result<Bytes, TransportError> {
        let largest = self.largest_answer;
        if response
            .content_length()
            .is_some_and(|announced| announced > largest as u64)
        {
            return Err(too_large(largest));
        }
        let first = response.chunk().await.map_err(broken)?.unwrap_or_default();
        let Some(mut chunk) = response.chunk().await.map_err(broken)? else {
            return match first.len() > largest {
                true => Err(too_large(largest)),
                false => Ok(first),
            };
        };
        let mut whole = BytesMut::from(first);
        loop {
            if whole.len() + chunk.len() > largest {
                return Err(too_large(largest));
            }
            whole.extend_from_slice(&chunk);
            match response.chunk().await.map_err(broken)? {
                Some(next) => chunk = next,
                None => return Ok(whole.freeze()),
            }
        }
    }
}

/// The start of a body that reports an error. The rest is left unread, and with it the connection.
async fn start(response: &mut reqwest::Response) -> Result<Bytes, TransportError> {
    let mut start = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        let room = LARGEST_ERROR - start.len();
        start.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() >= room {
            break;
        }
    }
    Ok(start.freeze())
}

/// Host, and port unless it is the scheme's default.
fn host(url: &Url) -> &str {
    &url[Position::BeforeHost..Position::AfterPort]
}

fn too_large(largest: usize) -> TransportError {
    TransportError::new(
        TransportErrorKind::TooLarge,
        Cause::new(
            format!("it has more than {largest} bytes"),
            "Request for less at a time, or allow more with `largest_answer(bytes)`",
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

    /// The future waits for the answer alone: what it holds, each call under way holds.
    #[tokio::test]
    async fn a_request_under_way_is_small() {
        let transport = HttpTransport::new(&HttpOptions::default()).unwrap();
        let url = "http://127.0.0.1:9".parse().unwrap();
        let sending = transport.send(HttpRequest::new(http::Method::GET, url));
        let size = std::mem::size_of_val(&*sending);
        assert!(size <= 400, "{size} bytes");
    }
}
