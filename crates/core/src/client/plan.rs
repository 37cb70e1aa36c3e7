//! What a call carries on its way through this folder: the plan that its options change, and what came
//! of it in the end.

use std::time::Duration;

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
    pub retry: Option<RetryPolicy>,
    pub polling: Option<Polling>,
    /// The job that is asked after; nothing is sent then.
    pub follow: Option<String>,
    /// A job that runs is not waited for.
    pub leave: bool,
    pub timeout: Option<Duration>,
    pub endpoint: Option<Endpoint>,
    /// The ledger that the call was given.
    pub once: Option<Box<Once>>,
    /// What the ledger wrote down about this call.
    pub begun: Option<Box<Begun>>,
    /// What it must not run beside.
    pub claim: Option<Claim>,
}

impl Plan {
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
        }
    }
}

/// What came of it.
pub(super) struct Finished {
    pub output: Box<dyn Record>,
    pub meta: Meta,
    /// The job still runs, and the output is empty.
    pub running: bool,
}

/// What a call was given for its ledger.
#[derive(Default)]
pub(super) struct Once {
    /// The ledger, and the key in it.
    pub under: Option<(Ledger, String)>,
    pub look: Option<Look>,
}

pub(super) type Found = Result<Option<Box<dyn Record>>, Error>;
pub(super) type Look = Box<dyn FnOnce() -> BoxFuture<'static, Found> + Send>;

/// What the ledger says of a call that goes out now.
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
