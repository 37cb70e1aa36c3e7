//! Sends one HTTP request and tells apart what was certainly not sent from what may have arrived.
//!
//! [`HttpTransport`] is reqwest over rustls: HTTP/1.1, no redirects, no replay of its own, idle
//! connections dropped after 5 s (the gateways drop them after about 10 s). Another transport can
//! be injected in a client's builder.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method};
use url::Url;

use crate::clock::BoxFuture;

/// A request, ready to go.
#[derive(Clone)]
pub struct Request {
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
}

impl fmt::Debug for Request {
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
pub struct Reply {
    /// Status code.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Reply {
    /// A header's value, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {}, {} bytes", self.status, self.body.len())
    }
}

/// How sending failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// No connection: name not resolved, refused, TLS failure. Nothing was sent.
    Connect,
    /// No answer in time, after the request may have arrived.
    Timeout,
    /// The connection broke after the request may have arrived.
    Interrupted,
    /// The answer is larger than the client accepts. It did arrive.
    TooLarge,
}

/// A request that got no whole answer.
#[derive(Debug)]
pub struct TransportError {
    /// How it failed.
    pub broken: Broken,
    /// What is known about it, without secrets.
    pub source: Box<dyn StdError + Send + Sync>,
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.broken {
            Broken::Connect => "cannot connect",
            Broken::Timeout => "no answer in time",
            Broken::Interrupted => "the connection broke",
            Broken::TooLarge => "the answer is too large",
        })?;
        // The outermost text repeats the address; the innermost says what happened.
        let mut cause: &dyn StdError = &*self.source;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        write!(f, ": {cause}")
    }
}

impl StdError for TransportError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.source)
    }
}

/// Sends requests. It must not follow redirects and must not send a request twice.
pub trait Transport: Send + Sync + fmt::Debug {
    /// Sends one request and reads the whole answer.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Reply, TransportError>>;
}

/// How an [`HttpTransport`] connects.
#[derive(Debug, Clone, Default)]
pub struct HttpOptions {
    /// Certificates of further authorities to trust, each in PEM.
    pub extra_ca: Vec<Vec<u8>>,
    /// Address of a proxy for all requests; otherwise `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY` count.
    pub proxy: Option<String>,
    /// Never use a proxy: for metadata services.
    pub no_proxy: bool,
    /// How long connecting may take; 5 s when not set.
    pub connect_timeout: Option<Duration>,
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(5);
/// The largest answer that is read.
const LARGEST_BODY: usize = 256 << 20;

/// The default transport.
#[derive(Debug, Clone)]
pub struct HttpTransport {
    client: reqwest::Client,
}

impl HttpTransport {
    /// Builds a transport; the error says which option does not work.
    pub fn new(options: &HttpOptions) -> Result<Self, Box<dyn StdError + Send + Sync>> {
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls_config(&options.extra_ca)?)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(options.connect_timeout.unwrap_or(CONNECT_TIMEOUT))
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .tcp_nodelay(true);
        if let Some(address) = &options.proxy {
            builder = builder.proxy(reqwest::Proxy::all(address)?);
        }
        if options.no_proxy {
            builder = builder.no_proxy();
        }
        Ok(Self {
            client: builder.build()?,
        })
    }
}

/// The TLS settings of the default transport: the operating system's trusted roots and `extra_ca`.
///
/// The ring provider is named here, so that no process-wide default is read or set.
pub fn tls_config(
    extra_ca: &[Vec<u8>],
) -> Result<rustls::ClientConfig, Box<dyn StdError + Send + Sync>> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = Vec::new();
    for pem in extra_ca {
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            roots.push(certificate?);
        }
        if roots.len() == before {
            return Err("an extra CA holds no PEM certificate".into());
        }
    }
    let verifier =
        rustls_platform_verifier::Verifier::new_with_extra_roots(roots, Arc::clone(&provider))?;
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

impl Transport for HttpTransport {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Reply, TransportError>> {
        let mut outgoing = reqwest::Request::new(request.method, request.url);
        *outgoing.headers_mut() = request.headers;
        *outgoing.timeout_mut() = Some(request.timeout);
        if !request.body.is_empty() {
            *outgoing.body_mut() = Some(request.body.into());
        }
        Box::pin(async move {
            let mut response = self.client.execute(outgoing).await.map_err(broken)?;
            let status = response.status().as_u16();
            let headers = std::mem::take(response.headers_mut());
            let first = response.chunk().await.map_err(broken)?.unwrap_or_default();
            let body = match response.chunk().await.map_err(broken)? {
                None => first,
                Some(second) => {
                    let mut whole = BytesMut::from(first);
                    whole.extend_from_slice(&second);
                    while let Some(chunk) = response.chunk().await.map_err(broken)? {
                        if whole.len() + chunk.len() > LARGEST_BODY {
                            return Err(TransportError {
                                broken: Broken::TooLarge,
                                source: format!("over {LARGEST_BODY} bytes").into(),
                            });
                        }
                        whole.extend_from_slice(&chunk);
                    }
                    whole.freeze()
                }
            };
            Ok(Reply {
                status,
                headers,
                body,
            })
        })
    }
}

fn broken(error: reqwest::Error) -> TransportError {
    let broken = if error.is_connect() || error.is_builder() {
        Broken::Connect
    } else if error.is_timeout() {
        Broken::Timeout
    } else {
        Broken::Interrupted
    };
    TransportError {
        broken,
        // The address holds the query, and the query may hold secrets.
        source: error.without_url().into(),
    }
}

/// A transport without a proxy, set up when it is first used: few programs ask a metadata service.
#[derive(Debug, Default)]
pub(crate) struct LazyDirect(std::sync::OnceLock<Result<HttpTransport, String>>);

impl Transport for LazyDirect {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Reply, TransportError>> {
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
                let source = message.clone().into();
                let broken = Broken::Connect;
                Box::pin(std::future::ready(Err(TransportError { broken, source })))
            }
        }
    }
}
