//! What a call carries on its way through this folder: the plan that its options change, and what came
//! of it in the end.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::clock::BoxFuture;
use crate::error::Error;
use crate::idempotency::ClientToken;
use crate::ledger::{self, Entry, Ledger};
use crate::operation::Operation;
use crate::protocol::{Encoded, Endpoint};
use crate::record::Record;
use crate::retry::{Polling, RetryPolicy};

use super::Client;
use super::lanes::Claim;
use super::response::Meta;

/// What is to be sent and how.
pub(super) struct Plan {
    pub client: Client,
    pub operation: &'static Operation,
    pub encoded: Result<Encoded, Error>,
    pub token: Option<ClientToken>,
    // What few calls set is boxed: every call has room for it as long as it runs.
    pub retry: Option<Box<RetryPolicy>>,
    pub polling: Option<Box<Polling>>,
    /// The job that is asked after; nothing is sent then.
    pub follow: Option<String>,
    /// A job that runs is not waited for.
    pub leave: bool,
    pub timeout: Option<Duration>,
    pub endpoint: Option<Box<Endpoint>>,
    /// The ledger that the call was given.
    pub once: Option<Box<Once>>,
    /// What the ledger wrote down about this call.
    pub begun: Option<Box<Begun>>,
    /// What it must not run beside.
    pub claim: Option<Box<Claim>>,
    /// Whether the answer must hold what the operation looks for one of, or the thing does not exist.
    pub expects: bool,
}

impl Plan {
    /// The same call once more, without what is done for it once.
    pub(super) fn again(&self, encoded: &Encoded) -> Self {
        Self {
            token: self.token.clone(),
            retry: self.retry.clone(),
            polling: self.polling.clone(),
            leave: self.leave,
            timeout: self.timeout,
            endpoint: self.endpoint.clone(),
            begun: self.begun.clone(),
            claim: self.claim.clone(),
            expects: self.expects,
            ..Self::new(&self.client, self.operation, Ok(encoded.clone()))
        }
    }

    /// The call with no options.
    pub(super) fn new(
        client: &Client,
        operation: &'static Operation,
        encoded: Result<Encoded, Error>,
    ) -> Self {
        Self {
            client: client.clone(),
            operation,
            encoded,
            token: None,
            retry: None,
            polling: None,
            follow: None,
            leave: false,
            timeout: None,
            endpoint: None,
            once: None,
            begun: None,
            claim: None,
            expects: false,
        }
    }
}

/// What came of it.
pub(super) struct Finished {
    pub output: Box<dyn Record>,
    pub meta: Box<Meta>,
    /// The job still runs, and the output is empty.
    pub running: bool,
}

/// What a call was given so that its thing is made once.
#[derive(Default)]
pub(super) struct Once {
    /// The ledger, and the key in it.
    pub under: Option<(Ledger, String)>,
    pub look: Option<Look>,
    /// Where `look` may be asked again and again: it stands in for a token then.
    pub again: Option<Again>,
}

/// What is known of a search that may be made again.
#[derive(Clone, Copy)]
pub(super) struct Again {
    /// No other thing can be meant by what it looks for.
    pub exact: bool,
}

pub(crate) type Found = Result<Option<Box<dyn Record>>, Error>;
/// Looks for the thing that a call was to make.
pub(crate) type Look = Box<dyn FnMut(Probe) -> BoxFuture<'static, Found> + Send>;

/// What a look is told about the call.
pub(crate) struct Probe {
    pub client: Client,
    /// Where the call was sent, if not where the client sends.
    pub endpoint: Option<Endpoint>,
    /// When the first copy may have gone out, by the service's clock as far as it is known.
    pub since: SystemTime,
}

impl Probe {
    /// What is known about `plan`, first sent at `since`, in Unix seconds.
    pub(super) fn of(plan: &Plan, since: i64) -> Self {
        let since = Duration::from_secs(since.unsigned_abs());
        Self {
            client: plan.client.clone(),
            endpoint: plan.endpoint.as_deref().cloned(),
            since: UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH),
        }
    }
}

/// What the ledger says of a call that goes out now.
#[derive(Clone)]
pub(super) struct Begun {
    pub ledger: Ledger,
    pub key: String,
    pub entry: Entry,
    pub operation: &'static Operation,
    /// An earlier copy may have been executed.
    pub doubt: bool,
}

impl Begun {
    /// The call goes on under another job id.
    pub(super) async fn renew(&self, job: Option<&ClientToken>) -> Result<(), Error> {
        let mut entry = self.entry.clone();
        entry.token = job.map(|job| job.as_str().to_owned());
        let written = self.ledger.put(&self.key, entry).await;
        written.map_err(|error| ledger::unusable(self.operation.name, error))
    }
}

/// An id for another job of the same call.
pub(super) fn new_job_id(
    client: &Client,
    operation: &'static Operation,
) -> Result<Option<String>, Error> {
    let inner = &client.inner;
    let entropy = &*inner.context.entropy;
    inner.protocol.job_id(operation, None, entropy)
}

/// A job's id as the token by which the service recognises the call.
pub(super) fn as_token(job: Option<&str>) -> Option<ClientToken> {
    job.and_then(|job| ClientToken::new(job).ok())
}
