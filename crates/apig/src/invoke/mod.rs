//! How is an API called that was published on a gateway? By its address, with what proves who calls; and
//! what the gateway refuses is told apart from what the backend answers.
//!
//! ```no_run
//! use cumulo_apig::Error;
//! use cumulo_apig::invoke::{Auth, Caller};
//!
//! # async fn demo(secret: cumulo_apig::Secret) -> Result<(), Error> {
//! let pets = Caller::builder("https://api.example.com")
//!     .auth(Auth::Signature { key: "the AppKey".into(), secret })
//!     .build()?;
//! let answer = pets.get("/pets/{id}").path("id", "7").query("limit", "10").send().await?;
//! println!("{} {:?}", answer.status(), answer.body());
//! # Ok(())
//! # }
//! ```
//!
//! Whatever the backend answers is an [`Answer`], of any status. An [`Error`] is what went wrong before:
//! nothing was sent, nothing came back, or the gateway itself refused, with its code and the next step.
//! A gateway's refusal is known by its form (`error_code` of `APIG.` or `APIGW.`, and a `request_id` that is the one
//! of the headers); a group that has responses of its own for errors hides them, and then they are
//! answers.
//!
//! Calls that reached nobody and those that were throttled are repeated; those whose outcome is unknown
//! only with methods that may be repeated (GET, HEAD, OPTIONS, PUT, DELETE). A body that comes in pieces
//! is sent once. Redirects are not followed.

mod answer;
mod auth;
mod call;
mod refusal;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use cumulo_core::clock::{Clock, Entropy, SystemClock, SystemEntropy};
use cumulo_core::transport::{self, HttpOptions, HttpTransport, Transport};
use http::{HeaderValue, Method};
use url::{Host, Url};

use crate::Error;

pub use answer::{Answer, Streamed};
pub use auth::Auth;
pub use call::Invoke;

/// What errors name where operations have their own names.
const NAME: &str = "Invoke";

/// Calls the APIs of one group. Clones share connections.
#[derive(Clone)]
pub struct Caller(Arc<Inner>);

struct Inner {
    base: Url,
    /// What the gateway is told as `Host`, where it is not the address's own.
    host: Option<HeaderValue>,
    auth: Auth,
    stage: Option<HeaderValue>,
    timeout: Duration,
    total: Duration,
    attempts: u32,
    largest: usize,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("base", &self.0.base.as_str())
            .field("host", &self.0.host)
            .field("auth", &self.0.auth)
            .field("stage", &self.0.stage)
            .finish_non_exhaustive()
    }
}

impl Caller {
    /// A caller of the APIs at an address: `https://` and a domain that is bound to their group, or the
    /// group's own domain (which takes 1,000 calls a day). Where the gateway is addressed by its IP
    /// address, [`host`](CallerBuilder::host) says which group is meant. A path before those of the APIs
    /// may follow.
    pub fn builder(address: impl Into<String>) -> CallerBuilder {
        CallerBuilder {
            address: address.into(),
            host: None,
            auth: Auth::None,
            stage: None,
            timeout: Duration::from_secs(30),
            total: Duration::from_secs(120),
            attempts: 3,
            largest: 32 << 20,
            http: HttpOptions::default(),
            transport: None,
            clock: None,
            entropy: None,
            allow_http: false,
        }
    }

    /// A call by any method. `{names}` in the path are filled in by [`Invoke::path`].
    pub fn invoke(&self, method: Method, path: impl Into<String>) -> Invoke {
        Invoke::new(self.clone(), method, path.into())
    }

    /// A call by GET.
    pub fn get(&self, path: impl Into<String>) -> Invoke {
        self.invoke(Method::GET, path)
    }

    /// A call by POST.
    pub fn post(&self, path: impl Into<String>) -> Invoke {
        self.invoke(Method::POST, path)
    }

    /// A call by PUT.
    pub fn put(&self, path: impl Into<String>) -> Invoke {
        self.invoke(Method::PUT, path)
    }

    /// A call by DELETE.
    pub fn delete(&self, path: impl Into<String>) -> Invoke {
        self.invoke(Method::DELETE, path)
    }
}

/// Settings of a [`Caller`].
#[must_use = "nothing is called before `build`"]
pub struct CallerBuilder {
    address: String,
    host: Option<String>,
    auth: Auth,
    stage: Option<String>,
    timeout: Duration,
    total: Duration,
    attempts: u32,
    largest: usize,
    http: HttpOptions,
    transport: Option<Arc<dyn Transport>>,
    clock: Option<Arc<dyn Clock>>,
    entropy: Option<Arc<dyn Entropy>>,
    allow_http: bool,
}

impl fmt::Debug for CallerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallerBuilder")
            .field("host", &self.host)
            .field("auth", &self.auth)
            .field("stage", &self.stage)
            .finish_non_exhaustive()
    }
}

impl CallerBuilder {
    /// What proves who calls; nothing unless set.
    pub fn auth(mut self, auth: Auth) -> Self {
        self.auth = auth;
        self
    }
    /// The domain of the group (`Host`), where the address is the gateway's IP address.
    pub fn host(mut self, domain: impl Into<String>) -> Self {
        self.host = Some(domain.into());
        self
    }
    /// The environment by its name (`X-Stage`); the gateway takes `RELEASE` unless told.
    pub fn stage(mut self, name: impl Into<String>) -> Self {
        self.stage = Some(name.into());
        self
    }
    /// How long an attempt may take, the answer's body included; 30 s by default. Of a body that is read
    /// in pieces, each piece may take as long.
    pub fn timeout(mut self, attempt: Duration) -> Self {
        self.timeout = attempt;
        self
    }
    /// How long all attempts of a call may take; 120 s by default.
    pub fn total_timeout(mut self, total: Duration) -> Self {
        self.total = total;
        self
    }
    /// The most attempts, the first one included; 3 by default.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }
    /// The largest body that [`Invoke::send`] reads, in bytes; 32 MiB by default.
    pub fn largest_answer(mut self, bytes: usize) -> Self {
        self.largest = bytes;
        self
    }
    /// Whom to trust, through which proxy, and how long connecting may take.
    pub fn http(mut self, options: HttpOptions) -> Self {
        self.http = options;
        self
    }
    /// Another transport; it must be able to [`stream`](Transport::stream).
    pub fn transport(mut self, transport: impl Transport + 'static) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }
    /// Another clock, for tests.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }
    /// Another source of random numbers, for tests.
    pub fn entropy(mut self, entropy: impl Entropy + 'static) -> Self {
        self.entropy = Some(Arc::new(entropy));
        self
    }
    /// Allows plain HTTP to machines other than this one: secrets and data can be read on the way.
    pub fn allow_http(mut self, allow: bool) -> Self {
        self.allow_http = allow;
        self
    }

    /// The caller; nothing is sent.
    ///
    /// # Errors
    /// When the address is none, or plain HTTP to another machine, or a setting fits in no header.
    pub fn build(self) -> Result<Caller, Error> {
        let mut base = Url::parse(&self.address)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or_else(|| Error::configuration("the address is no http:// or https:// URL"))?;
        if !base.username().is_empty() || base.password().is_some() {
            return Err(Error::configuration(
                "the address holds a password: use `auth(..)`",
            ));
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(Error::configuration(
                "the address ends with a query: use `query(..)`",
            ));
        }
        transport::guard(&base, self.allow_http)?;
        let mut host = self.host;
        // Names below `localhost` are this machine (RFC 6761), whether the resolver knows it or not.
        let below = matches!(base.host(), Some(Host::Domain(name)) if name.ends_with(".localhost"));
        if below {
            host = host.or_else(|| Some(authority(&base)));
            if base.set_host(Some("127.0.0.1")).is_err() {
                return Err(Error::configuration("the address has no host"));
            }
        }
        let header = |what: &str, text: Option<String>| match text {
            None => Ok(None),
            Some(text) => HeaderValue::from_str(&text)
                .map(Some)
                .map_err(|_| Error::configuration(format!("the {what} fits in no header"))),
        };
        let transport = match self.transport {
            Some(transport) => transport,
            None => {
                let built = HttpTransport::new(&self.http);
                Arc::new(built.map_err(|error| {
                    Error::configuration(format!("cannot set up HTTP: {error}"))
                })?)
            }
        };
        Ok(Caller(Arc::new(Inner {
            base,
            host: header("host", host)?,
            auth: self.auth,
            stage: header("stage", self.stage)?,
            timeout: self.timeout,
            total: self.total,
            attempts: self.attempts,
            largest: self.largest,
            transport,
            clock: self.clock.unwrap_or_else(|| Arc::new(SystemClock::new())),
            entropy: self
                .entropy
                .unwrap_or_else(|| Arc::new(SystemEntropy::default())),
        })))
    }
}

/// Host and port of an address, as `Host` has them.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}
