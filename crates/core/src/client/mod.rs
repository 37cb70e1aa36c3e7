//! The one loop that runs every call of every service, and the client that holds its settings.

mod again;
mod builder;
mod call;
mod circuit;
mod drive;
mod dry_run;
mod job;
mod lanes;
mod machine;
mod once;
mod pace;
mod plan;
mod response;
mod secret_name;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use http::HeaderValue;
use tokio::sync::Semaphore;

use crate::clock::within;
use crate::credentials::{Cache, Context, Credential, CredentialError};
use crate::error::{Error, Kind};
use crate::operation::{IsOperation, Operation, Spec};
use crate::output;
use crate::protocol::{Endpoint, Protocol};
use crate::record::{Json, Record, decode_strict, nearest};
use crate::retry::{Budget, Polling, RetryPolicy};
use crate::service::{Service, Settings, Settled};

pub use builder::Builder;
pub use call::Call;
pub use dry_run::DryRun;
pub use job::Job;
pub(crate) use plan::{Look, Probe};
pub use response::{FromRecord, Response};

output! {
    /// An answer without members.
    Empty {}
}

/// A client of one service. Clones share connections, credentials and the retry budget.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub service: &'static Service,
    pub protocol: Arc<dyn Protocol>,
    pub endpoint: EndpointSource,
    pub settings: Settings,
    pub credentials: Option<Cache>,
    pub context: Context,
    pub retry: RetryPolicy,
    pub polling: Polling,
    pub budget: Budget,
    pub lanes: Arc<lanes::Lanes>,
    pub pace: pace::Pace,
    pub circuit: circuit::Circuit,
    /// Room for requests under way.
    pub room: Semaphore,
    pub timeouts: Timeouts,
    /// The service's clock minus ours, in seconds, as the last skew error told it.
    pub offset: AtomicI64,
    pub user_agent: HeaderValue,
    pub allow_http: bool,
}

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeouts {
    pub attempt: Duration,
    pub total: Duration,
}

/// Where a client sends its calls.
#[derive(Debug, Clone)]
pub enum EndpointSource {
    /// Always there.
    Fixed(Endpoint),
    /// Where the credentials' service catalog says.
    Catalog {
        /// The service's type in the catalog.
        service: &'static str,
        /// What paths of operations begin with and addresses of the catalog may go on with, such as
        /// `/v2`: what follows the endpoint from there on is cut off.
        version: &'static str,
        /// The region, where the catalog may list several.
        region: Option<String>,
        /// Where the service answers when no catalog lists it.
        fallback: Option<Endpoint>,
    },
}

impl AsRef<Client> for Client {
    fn as_ref(&self) -> &Client {
        self
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("service", &self.inner.service.name)
            .field("endpoint", &self.inner.endpoint)
            .field("settings", &self.inner.settings)
            .field("credentials", &self.inner.credentials)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A builder for a client of `service`.
    pub fn builder(service: &'static Service, protocol: Arc<dyn Protocol>) -> Builder {
        Builder::new(service, protocol)
    }

    /// Calls the operation named `name` with a JSON input in wire names.
    ///
    /// The input goes through the same typed record as a library call. An unknown operation or
    /// member is an error that names the nearest one; missing required members are all listed.
    ///
    /// `groups` are the operations of the service by group, in each by name: there are thousands, of which a
    /// call looks at a few in each group.
    pub fn call(
        &self,
        groups: &[(&str, &[Spec])],
        name: &str,
        input: &Json,
    ) -> Result<Call<Box<dyn Record>>, Error> {
        for (_, specs) in groups {
            if let Ok(at) = specs.binary_search_by_key(&name, |spec| spec().name) {
                return self.call_operation(specs[at](), input);
            }
        }
        let message = format!("{} has no operation `{name}`", self.inner.service.name);
        let error = Error::new(Kind::InvalidInput, "call", message);
        let names = groups.iter().flat_map(|(_, specs)| specs.iter());
        Err(match nearest(name, names.map(|spec| spec().name)) {
            Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
            None => error,
        })
    }

    /// What the client goes by (region, address and the like), and where each came from. For diagnosis.
    pub fn settled(&self) -> &[Settled] {
        self.inner.settings.all()
    }

    /// Takes up the job `id` of the operation `T`, begun by this program or by one before. Nothing is
    /// asked yet.
    pub fn job<T: IsOperation>(&self, id: impl Into<String>) -> Job<T::Output> {
        Job::taken_up(self.clone(), T::spec(), id.into())
    }

    /// The same for an operation that is known by its description only.
    pub fn job_of(
        &self,
        operation: &'static Operation,
        id: impl Into<String>,
    ) -> Job<Box<dyn Record>> {
        Job::taken_up(self.clone(), operation, id.into())
    }

    fn call_operation(
        &self,
        operation: &'static Operation,
        input: &Json,
    ) -> Result<Call<Box<dyn Record>>, Error> {
        Ok(Call::new(self, operation, &*input_of(operation, input)?))
    }

    /// The credentials that calls would use now, fetched if need be, within the client's timeout.
    /// For diagnosis.
    pub async fn credentials(&self) -> Result<Arc<Credential>, CredentialError> {
        let context = &self.inner.context;
        let deadline = context
            .clock
            .elapsed()
            .saturating_add(self.inner.timeouts.total);
        match &self.inner.credentials {
            Some(cache) => cache
                .get_by(context, deadline)
                .await
                .map(|held| held.credential),
            None => Err(CredentialError::new(
                crate::credentials::Reason::NotConfigured,
                "client",
                "the client was built without credentials",
            )),
        }
    }

    /// Fetches the credentials, so that what is wrong with them shows at the start of a program. It
    /// takes no longer than the client's timeout.
    pub async fn connect(&self) -> Result<(), Error> {
        match self.credentials().await {
            Ok(_) => Ok(()),
            Err(error) => Err(error.for_operation("connect")),
        }
    }

    /// What each source of credentials says, asked afresh; nothing secret. For diagnosis. It takes no
    /// longer than the client's timeout.
    pub async fn explain_credentials(&self) -> Vec<crate::credentials::ProviderReport> {
        match &self.inner.credentials {
            Some(cache) => {
                let limit = self.inner.timeouts.total;
                cache.explain_within(&self.inner.context, limit).await
            }
            None => Vec::new(),
        }
    }

    /// Ends the session, where the credentials are one. Later calls log in again; a login that is
    /// under way is ended when it is there. It takes no longer than the client's timeout.
    pub async fn close(&self) {
        if let Some(cache) = &self.inner.credentials {
            let context = &self.inner.context;
            let limit = self.inner.timeouts.total;
            let _ = within(&*context.clock, limit, cache.release(context)).await;
        }
    }

    /// What the client fills in for operations that leave it out.
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.inner.settings.get(name)
    }

    /// The endpoint for calls with `credential`.
    pub(crate) fn endpoint(
        &self,
        credential: Option<&Credential>,
    ) -> Result<Cow<'_, Endpoint>, String> {
        match &self.inner.endpoint {
            EndpointSource::Fixed(endpoint) => Ok(Cow::Borrowed(endpoint)),
            EndpointSource::Catalog {
                service,
                version,
                region,
                fallback,
            } => {
                let listed = credential
                    .map(|credential| credential.scope.endpoints.as_slice())
                    .unwrap_or_default();
                let mut found = listed.iter().filter(|entry| {
                    entry.service == *service
                        && region.as_ref().is_none_or(|region| entry.region == *region)
                });
                match (found.next(), fallback) {
                    (Some(entry), _) if found.any(|other| other.region != entry.region) => {
                        Err(format!(
                            "the credentials' catalog lists `{service}` in several regions: set one"
                        ))
                    }
                    (Some(entry), _) => Endpoint::unversioned(&entry.url, version).map(Cow::Owned),
                    (None, Some(endpoint)) => Ok(Cow::Borrowed(endpoint)),
                    (None, None) => Err(format!(
                        "no endpoint is set, and the credentials' catalog lists no `{service}`"
                    )),
                }
            }
        }
    }

    pub(crate) fn now(&self) -> i64 {
        self.service_time(self.inner.context.clock.now())
    }

    /// The service's time at `at` by this machine's clock, as far as it is known.
    fn service_time(&self, at: SystemTime) -> i64 {
        crate::clock::unix_seconds(at) + self.inner.offset.load(Ordering::Relaxed)
    }
}

/// `input` as the operation's record. A member that it does not know is an error.
pub(crate) fn input_of(
    operation: &'static Operation,
    input: &Json,
) -> Result<Box<dyn Record>, Error> {
    let mut record = (operation.input)();
    let outermost = record.schema().name;
    let text = match input {
        Json::Null => "{}".to_owned(),
        other => other.to_string(),
    };
    let invalid = |message: String| Error::new(Kind::InvalidInput, operation.name, message);
    let problems = decode_strict(&mut *record, text.as_bytes())
        .map_err(|error| invalid(format!("the input cannot be read: {error}")))?;
    if !problems.is_empty() {
        // Operations that share a structure are told apart by their own names.
        let all = problems.iter().map(|problem| {
            let text = problem.to_string();
            match text.strip_prefix(outermost) {
                Some(rest) if rest.starts_with(' ') => format!("{}{rest}", operation.name),
                _ => text,
            }
        });
        return Err(invalid(all.collect::<Vec<_>>().join("; ")));
    }
    Ok(record)
}
