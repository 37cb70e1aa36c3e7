//! The settings that clients of all services share.

mod unset;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use http::HeaderValue;
use tokio::sync::Semaphore;

use crate::address;
use crate::clock::{Clock, Entropy, SystemClock, SystemEntropy};
use crate::credentials::{Cache, Context, Environment, Provider, TlsSettings};
use crate::error::Error;
use crate::protocol::{Endpoint, Protocol};
use crate::retry::{Budget, Polling, RetryPolicy};
use crate::service::{Service, Settings, Settled};
use crate::transport::{HttpOptions, HttpTransport, Transport};

use super::circuit::Circuit;
use super::pace::Pace;
use super::{Client, EndpointSource, Inner, Timeouts};

const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(120);
/// Each needs a connection, and a process has 1,024 descriptors by default on many systems.
const MOST_IN_FLIGHT: usize = 1000;

/// Builds a [`Client`]; what the builders of the service crates wrap.
pub struct Builder {
    service: &'static Service,
    protocol: Arc<dyn Protocol>,
    settings: Settings,
    endpoint: Option<String>,
    provider: Option<Arc<dyn Provider>>,
    retry: RetryPolicy,
    polling: Polling,
    timeouts: Timeouts,
    http: HttpOptions,
    transport: Option<Arc<dyn Transport>>,
    clock: Option<Arc<dyn Clock>>,
    entropy: Option<Arc<dyn Entropy>>,
    environment: Environment,
    app_name: Option<String>,
    allow_http: bool,
    most_in_flight: usize,
}

impl fmt::Debug for Builder {
    /// Without what an address may hold beside the address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("service", &self.service.name)
            .field("endpoint", &self.endpoint.as_deref().map(address::shown))
            .field("settings", &self.settings)
            .field("provider", &self.provider)
            .field("http", &self.http)
            .field("allow_http", &self.allow_http)
            .finish_non_exhaustive()
    }
}

impl Builder {
    pub(super) fn new(service: &'static Service, protocol: Arc<dyn Protocol>) -> Self {
        Self {
            service,
            protocol,
            settings: Settings::default(),
            endpoint: None,
            provider: None,
            retry: RetryPolicy::default(),
            polling: Polling::default(),
            timeouts: Timeouts {
                attempt: ATTEMPT_TIMEOUT,
                total: TOTAL_TIMEOUT,
            },
            http: HttpOptions::default(),
            transport: None,
            clock: None,
            entropy: None,
            environment: Environment::process(),
            app_name: None,
            allow_http: false,
            most_in_flight: MOST_IN_FLIGHT,
        }
    }

    /// Replaces the protocol, to choose another signature.
    pub fn protocol(&mut self, protocol: Arc<dyn Protocol>) {
        self.protocol = protocol;
    }
    /// A value for members that operations leave out.
    pub fn setting(&mut self, name: &'static str, value: impl Into<String>) {
        self.settings.set(name, value, Settled::PROGRAM);
    }
    /// The address to call.
    pub fn endpoint(&mut self, address: impl Into<String>) {
        self.endpoint = Some(address.into());
    }
    /// Where credentials come from.
    pub fn provider(&mut self, provider: Arc<dyn Provider>) {
        self.provider = Some(provider);
    }
    /// Whether a provider was set.
    pub fn has_provider(&self) -> bool {
        self.provider.is_some()
    }
    /// How calls are repeated.
    pub fn retry(&mut self, policy: RetryPolicy) {
        self.retry = policy;
    }
    /// How jobs are asked after.
    pub fn polling(&mut self, polling: Polling) {
        self.polling = polling;
    }
    /// How long a call may take with all its attempts.
    pub fn timeout(&mut self, total: Duration) {
        self.timeouts.total = total;
    }
    /// How long one attempt may take.
    pub fn attempt_timeout(&mut self, attempt: Duration) {
        self.timeouts.attempt = attempt;
    }
    /// How many requests may be under way at once.
    pub fn max_in_flight(&mut self, most: usize) {
        self.most_in_flight = most.clamp(1, Semaphore::MAX_PERMITS);
    }
    /// How the default transport connects.
    pub fn http(&mut self) -> &mut HttpOptions {
        &mut self.http
    }
    /// Certificates as the environment names them, where `http` has none of its own.
    pub fn tls(&mut self, settings: &TlsSettings) -> Result<(), Error> {
        if self.transport.is_some() {
            return Ok(());
        }
        settings
            .apply(&self.environment, &mut self.http)
            .map_err(|error| Error::configuration(error.to_string()))
    }
    /// Another transport.
    pub fn transport(&mut self, transport: Arc<dyn Transport>) {
        self.transport = Some(transport);
    }
    /// Another clock.
    pub fn clock(&mut self, clock: Arc<dyn Clock>) {
        self.clock = Some(clock);
    }
    /// Another source of random numbers.
    pub fn entropy(&mut self, entropy: Arc<dyn Entropy>) {
        self.entropy = Some(entropy);
    }
    /// Another environment than the process's.
    pub fn environment(&mut self, environment: Environment) {
        self.environment = environment;
    }
    /// The environment.
    pub fn get_environment(&self) -> &Environment {
        &self.environment
    }
    /// What the User-Agent says after the client's own name.
    pub fn app_name(&mut self, name: impl Into<String>) {
        self.app_name = Some(name.into());
    }
    /// Allows plain HTTP to machines other than this one.
    pub fn allow_http(&mut self, allow: bool) {
        self.allow_http = allow;
    }

    /// Whether plain HTTP is allowed.
    pub fn get_allow_http(&self) -> bool {
        self.allow_http
    }

    /// The client. `default_endpoint` counts when no address was set.
    pub fn build(mut self, default_endpoint: EndpointSource) -> Result<Client, Error> {
        self.fill();
        let endpoint = match self.get_endpoint() {
            Some(address) => {
                EndpointSource::Fixed(Endpoint::parse(&address).map_err(Error::configuration)?)
            }
            None => default_endpoint,
        };
        let endpoint = match endpoint {
            EndpointSource::Fixed(endpoint) => {
                EndpointSource::Fixed(endpoint.or_below(self.protocol.context_path()))
            }
            listed @ EndpointSource::Catalog { .. } => listed,
        };
        if let EndpointSource::Fixed(endpoint) = &endpoint {
            address::guard(endpoint.url(), self.allow_http)
                .map_err(|exposed| Error::configuration(exposed.to_string()))?;
        }
        self.settle(&endpoint);
        let user_agent = match &self.app_name {
            Some(name) => format!("{} {name}", self.service.user_agent),
            None => self.service.user_agent.to_owned(),
        };
        let user_agent = HeaderValue::from_str(&user_agent).map_err(|_| {
            Error::configuration(
                "the application name must be visible ASCII, as it goes into a header",
            )
        })?;
        let built = |options: &HttpOptions| -> Result<Arc<dyn Transport>, Error> {
            match &self.transport {
                Some(transport) => Ok(Arc::clone(transport)),
                None => HttpTransport::new(options)
                    .map(|transport| Arc::new(transport) as _)
                    .map_err(|error| Error::configuration(format!("cannot set up HTTP: {error}"))),
            }
        };
        let transport = built(&self.http)?;
        let direct = if self.http.no_proxy || self.transport.is_some() {
            Arc::clone(&transport)
        } else {
            Arc::new(crate::transport::LazyDirect::default())
        };
        Ok(Client {
            inner: Arc::new(Inner {
                service: self.service,
                protocol: self.protocol,
                endpoint,
                settings: self.settings,
                credentials: self.provider.map(Cache::new),
                context: Context {
                    transport,
                    direct,
                    clock: self.clock.unwrap_or_else(|| Arc::new(SystemClock::new())),
                    entropy: self
                        .entropy
                        .unwrap_or_else(|| Arc::new(SystemEntropy::default())),
                    environment: self.environment,
                },
                retry: self.retry,
                polling: self.polling,
                budget: Budget::new(),
                lanes: Arc::default(),
                pace: Pace::default(),
                circuit: Circuit::default(),
                room: Semaphore::new(self.most_in_flight),
                timeouts: self.timeouts,
                offset: AtomicI64::new(0),
                user_agent,
                allow_http: self.allow_http,
            }),
        })
    }
}

/// Gives a service crate's builder, whose field `core` is a [`Builder`], the settings that all
/// clients share, and its client, which wraps a [`Client`], what all can do. The last word names the
/// operations by group.
#[macro_export]
macro_rules! common_settings {
    ($builder:ident for $client:ident: $groups:ident) => {
        impl $client {
            /// Calls an operation by its name, with a JSON input in wire names.
            #[inline]
            pub fn call(
                &self,
                name: &str,
                input: &$crate::Json,
            ) -> Result<$crate::Call<Box<dyn $crate::record::Record>>, $crate::Error> {
                self.0.call($groups, name, input)
            }
        }
        impl $client {
            /// Takes up the job `id` of an operation, begun by this program or by one before. Nothing
            /// is asked yet.
            pub fn job<T: $crate::operation::IsOperation>(
                &self,
                id: impl Into<String>,
            ) -> $crate::client::Job<T::Output> {
                self.0.job::<T>(id)
            }

            /// The credentials that calls would use now, fetched if need be, within the client's
            /// timeout. For diagnosis.
            pub async fn credentials(
                &self,
            ) -> Result<::std::sync::Arc<$crate::credentials::Credential>, $crate::Error> {
                Ok(self.0.credentials().await?)
            }

            /// Ends the session, where the credentials are one: servers allow a user only so many at a
            /// time. Other clients have nothing to end. Later calls log in again.
            pub async fn close(&self) {
                self.0.close().await;
            }
        }
        $crate::__blocking_client!($builder for $client);
        impl AsRef<$crate::Client> for $client {
            fn as_ref(&self) -> &$crate::Client {
                &self.0
            }
        }
        impl $builder {
            /// The client, once its credentials are there.
            pub async fn connect(self) -> Result<$client, $crate::Error> {
                let client = self.build()?;
                client.0.connect().await?;
                Ok(client)
            }
            /// The address to call, such as that of a private gateway or of a local cloud.
            pub fn endpoint(mut self, address: impl Into<String>) -> Self {
                self.core.endpoint(address);
                self
            }
            /// Where credentials come from, instead of the default chain.
            pub fn credentials(
                mut self,
                provider: impl $crate::credentials::Provider + 'static,
            ) -> Self {
                self.core.provider(::std::sync::Arc::new(provider));
                self
            }
            /// How calls are repeated; a call can have its own policy.
            pub fn retry(mut self, policy: $crate::retry::RetryPolicy) -> Self {
                self.core.retry(policy);
                self
            }
            /// How jobs are asked after; a call can have its own way.
            pub fn polling(mut self, polling: $crate::retry::Polling) -> Self {
                self.core.polling(polling);
                self
            }
            /// How long a call may take with all its attempts and waits; 120 s by default.
            pub fn timeout(mut self, total: ::std::time::Duration) -> Self {
                self.core.timeout(total);
                self
            }
            /// How long one attempt may take; 30 s by default.
            pub fn attempt_timeout(mut self, attempt: ::std::time::Duration) -> Self {
                self.core.attempt_timeout(attempt);
                self
            }
            /// How many requests may be under way at once, from 1 on; 1,000 by default. Further calls
            /// wait for room, and their time runs meanwhile.
            pub fn max_in_flight(mut self, most: usize) -> Self {
                self.core.max_in_flight(most);
                self
            }
            /// How long connecting may take; 5 s by default.
            pub fn connect_timeout(mut self, connect: ::std::time::Duration) -> Self {
                self.core.http().connect_timeout = Some(connect);
                self
            }
            /// A proxy for all requests, instead of what `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and
            /// `NO_PROXY` say: `http://host:port`, with `user:password@` before the host where it
            /// wants one. Requests to this machine itself never go through a proxy.
            pub fn proxy(mut self, address: impl Into<String>) -> Self {
                self.core.http().proxy = Some(address.into());
                self
            }
            /// Trusts a further certificate authority, given in PEM.
            pub fn extra_ca(mut self, pem: impl Into<Vec<u8>>) -> Self {
                self.core.http().extra_ca.push(pem.into());
                self
            }
            /// Presents a certificate to servers that ask for one: the certificate in PEM, followed by
            /// those between it and its authority's, and its private key in PEM, not encrypted.
            pub fn client_certificate(
                mut self,
                certificate: impl Into<Vec<u8>>,
                key: impl Into<$crate::Secret>,
            ) -> Self {
                self.core.http().client_certificate = Some($crate::transport::ClientCertificate {
                    certificate: certificate.into(),
                    key: key.into(),
                });
                self
            }
            /// Trusts servers with any certificate, so that anyone on the way can read and change
            /// everything, credentials included. `false` checks certificates even where the environment
            /// asks not to; without this setting such an environment is an error.
            pub fn danger_accept_invalid_certs(mut self, accept: bool) -> Self {
                self.core.http().accept_invalid_certs = Some(accept);
                self
            }
            /// The largest answer that is read, in bytes; 32 MiB by default. A larger one is an error
            /// (`Kind::InvalidResponse`). Of answers that report an error at most 1 MiB is read.
            pub fn largest_answer(mut self, bytes: usize) -> Self {
                self.core.http().largest_answer = Some(bytes);
                self
            }
            /// Another transport than hyper over rustls. How it connects, whom it trusts and how much it
            /// reads is its own: what this builder and the environment say of that does not concern it.
            pub fn transport(
                mut self,
                transport: impl $crate::transport::Transport + 'static,
            ) -> Self {
                self.core.transport(::std::sync::Arc::new(transport));
                self
            }
            /// Another clock, for tests.
            pub fn clock(mut self, clock: impl $crate::clock::Clock + 'static) -> Self {
                self.core.clock(::std::sync::Arc::new(clock));
                self
            }
            /// Another source of random numbers, for tests.
            pub fn entropy(mut self, entropy: impl $crate::clock::Entropy + 'static) -> Self {
                self.core.entropy(::std::sync::Arc::new(entropy));
                self
            }
            /// Another environment than the process's, for tests.
            pub fn environment(mut self, environment: $crate::credentials::Environment) -> Self {
                self.core.environment(environment);
                self
            }
            /// The application's name and version, appended to the User-Agent.
            pub fn app_name(mut self, name: impl Into<String>) -> Self {
                self.core.app_name(name);
                self
            }
            /// Allows plain HTTP to machines other than this one: credentials and data can be read on
            /// the way.
            pub fn allow_http(mut self, allow: bool) -> Self {
                self.core.allow_http(allow);
                self
            }
        }
    };
}
