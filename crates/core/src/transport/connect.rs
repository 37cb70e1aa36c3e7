//! How does a connection come about: directly, or through a proxy?
//!
//! For `https` a proxy is asked for a tunnel and sees no more than the host; for `http` it is sent the
//! request itself.

use std::error::Error as StdError;
use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{
    DefaultServerNameResolver, HttpsConnector, MaybeHttpsStream, ResolveServerName as _,
};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::client::proxy::matcher::Intercept;
use hyper_util::rt::TokioIo;
use tokio_rustls::TlsConnector;
use tower_service::Service;

use super::proxy::Proxy;

type BoxError = Box<dyn StdError + Send + Sync>;

/// A connection to a peer that fell silent is given up after three unanswered probes.
const PROBE: Duration = Duration::from_secs(15);
const PROBES: u32 = 3;
/// The same, for a peer that does not say that what was sent has arrived.
#[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
const UNCONFIRMED: Duration = Duration::from_secs(30);

/// Makes the connections of one kind.
#[derive(Clone)]
pub(super) struct Connector(Arc<Inner>);

struct Inner {
    tcp: HttpConnector,
    tls: Arc<rustls::ClientConfig>,
    proxy: Proxy,
    patience: Duration,
}

impl Connector {
    /// Connections through `proxy` that take no longer than `patience` to make.
    pub(super) fn new(tls: Arc<rustls::ClientConfig>, proxy: Proxy, patience: Duration) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        // Of several addresses each has its share.
        tcp.set_connect_timeout(Some(patience));
        tcp.set_keepalive(Some(PROBE));
        tcp.set_keepalive_interval(Some(PROBE));
        tcp.set_keepalive_retries(Some(PROBES));
        #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
        tcp.set_tcp_user_timeout(Some(UNCONFIRMED));
        Self(Arc::new(Inner {
            tcp,
            tls,
            proxy,
            patience,
        }))
    }
}

impl Service<Uri> for Connector {
    type Response = Wire;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Wire, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let inner = Arc::clone(&self.0);
        Box::pin(async move {
            let proxy = inner.proxy.of(&to);
            let connecting = inner.connect(to, proxy.as_ref());
            let connected = tokio::time::timeout(inner.patience, connecting).await;
            connected.unwrap_or_else(|_| {
                let late = Late(inner.patience);
                Err(match proxy {
                    Some(proxy) => ByProxy::new(proxy.uri(), late).into(),
                    None => late.into(),
                })
            })
        })
    }
}

impl Inner {
    async fn connect(&self, to: Uri, proxy: Option<&Intercept>) -> Result<Wire, BoxError> {
        let mut first = HttpsConnector::from((self.tcp.clone(), Arc::clone(&self.tls)));
        let Some(proxy) = proxy else {
            return Ok(Wire::new(first.call(to).await?));
        };
        let at = proxy.uri();
        let blame = |error: BoxError| ByProxy::new(at, error);
        if to.scheme() == Some(&Scheme::HTTP) {
            let mut wire = Wire::new(first.call(at.clone()).await.map_err(blame)?);
            wire.is_proxied = true;
            return Ok(wire);
        }
        let mut tunnel = Tunnel::new(at.clone(), first);
        if let Some(password) = proxy.basic_auth() {
            tunnel = tunnel.with_auth(password.clone());
        }
        let tunneled = tunnel.call(to.clone()).await;
        let tunneled = TokioIo::new(tunneled.map_err(|error| blame(error.into()))?);
        let server = DefaultServerNameResolver::default().resolve(&to)?;
        let tls = TlsConnector::from(Arc::clone(&self.tls));
        let tls = tls.connect(server, tunneled).await?;
        Ok(Wire::new(MaybeHttpsStream::Https(TokioIo::new(tls))))
    }
}

/// No connection in time.
#[derive(Debug)]
struct Late(Duration);

impl fmt::Display for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no connection within {:?}", self.0)
    }
}

impl StdError for Late {}

/// What went wrong with a proxy, and not with the server behind it.
#[derive(Debug)]
pub(super) struct ByProxy {
    /// Its address, without user and password.
    proxy: Uri,
    source: BoxError,
}

impl ByProxy {
    fn new(proxy: &Uri, source: impl Into<BoxError>) -> Self {
        Self {
            proxy: proxy.clone(),
            source: source.into(),
        }
    }
}

impl fmt::Display for ByProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the proxy {}", self.proxy)
    }
}

impl StdError for ByProxy {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.source)
    }
}

/// A connection, through TLS or not.
pub(super) struct Wire {
    stream: Box<dyn Stream>,
    /// Whether a proxy reads the requests, which then name the host in their first line.
    is_proxied: bool,
}

trait Stream: Read + Write + Send + Unpin {}

impl<T: Read + Write + Send + Unpin> Stream for T {}

impl Wire {
    fn new<T: Read + Write + Send + Unpin + 'static>(stream: MaybeHttpsStream<T>) -> Self {
        Self {
            stream: match stream {
                MaybeHttpsStream::Http(plain) => Box::new(plain),
                MaybeHttpsStream::Https(tls) => Box::new(tls),
            },
            is_proxied: false,
        }
    }
}

impl Connection for Wire {
    fn connected(&self) -> Connected {
        Connected::new().proxy(self.is_proxied)
    }
}

impl Read for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_read(cx, into)
    }
}

impl Write for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.stream).poll_write(cx, from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.stream).poll_write_vectored(cx, from)
    }
}
