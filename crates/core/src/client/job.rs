//! A call that the service works on: looked at, waited for, and taken up again after a restart.
//!
//! ```text
//! let job = CreateVmInstance::new(..).send(&client).submit().await?;
//! store(job.id());
//! let made = job.wait().await?;
//! // .. or, in the next program:
//! let made = client.job::<CreateVmInstance>(id).wait().timeout(limit).await?;
//! ```

use std::fmt;
use std::marker::PhantomData;

use crate::error::{Error, Kind, is_plain};
use crate::operation::{Operation, RetryClass};
use crate::protocol::{Body, Encoded};
use crate::record::{self, Record};

use super::call::run;
use super::plan::{Finished, Plan};
use super::{Call, Client};

/// A call that the service works on, or is done with.
#[must_use = "a job that is dropped goes on, and its result can only be had by its id"]
pub struct Job<O> {
    client: Client,
    operation: &'static Operation,
    id: String,
    /// It was given by its id, and nobody knows whether there is one.
    taken_up: bool,
    /// What it came to, where that is known.
    done: Option<Finished>,
    output: PhantomData<fn() -> O>,
}

impl<O> Job<O> {
    pub(super) fn new(client: Client, operation: &'static Operation, finished: Finished) -> Self {
        Self {
            client,
            operation,
            id: finished.meta.job.clone().unwrap_or_default(),
            taken_up: false,
            done: (!finished.running).then_some(finished),
            output: PhantomData,
        }
    }

    pub(super) fn taken_up(client: Client, operation: &'static Operation, id: String) -> Self {
        Self {
            client,
            operation,
            id,
            taken_up: true,
            done: None,
            output: PhantomData,
        }
    }

    /// Its id, to be stored: [`Client::job`] takes it up by it. Empty where the service did the call
    /// at once, without a job.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether the last look found it done.
    pub fn is_done(&self) -> bool {
        self.done.is_some()
    }

    /// Asks after it once; whether it is done, and then [`wait`](Self::wait) gives the answer without
    /// asking again.
    ///
    /// The job's own failure is an error, with what it says. One that nobody knows is `NotFound`, and
    /// leaves open what it did: services forget jobs some time after their end.
    pub async fn poll(&mut self) -> Result<bool, Error> {
        if self.done.is_none() {
            let plan = Plan {
                leave: true,
                ..self.plan()
            };
            let finished = run(plan).await?;
            self.done = (!finished.running).then_some(finished);
        }
        Ok(self.is_done())
    }

    /// How far it is in percent, 0 to 100, where the service tells that: of many jobs it tells nothing.
    /// One that the last look found done is at 100.
    pub async fn progress(&self) -> Result<Option<u8>, Error> {
        if self.is_done() {
            return Ok(Some(100));
        }
        self.check()?;
        let Some(progress) = self.client.inner.protocol.progress() else {
            return Ok(None);
        };
        let mut input = (progress.operation.input)();
        record::set(&mut *input, progress.id, &self.id);
        let call = Call::<Box<dyn Record>>::new(&self.client, progress.operation, &*input);
        let told = (progress.percent)(&*call.await?.output);
        Ok(told.map(|percent| percent.clamp(0.0, 100.0) as u8))
    }

    /// Waits for it; the answer is that of the call. As any [`Call`], it takes options before it is
    /// awaited: `timeout`, `polling`.
    pub fn wait(self) -> Call<O> {
        match self.done {
            Some(finished) => Call::ended(finished),
            None => Call::of(self.plan()),
        }
    }

    /// Nothing is sent but questions after the job.
    fn plan(&self) -> Plan {
        let encoded = Encoded {
            operation: self.operation,
            path: "".into(),
            plain_path: "".into(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Body::Empty,
            secrets: Vec::new(),
        };
        Plan {
            follow: Some(self.id.clone()),
            ..Plan::new(&self.client, self.operation, self.check().map(|()| encoded))
        }
    }

    /// Whether it can be asked after.
    fn check(&self) -> Result<(), Error> {
        let only_reads = self.operation.retry == RetryClass::ReadOnly && !self.operation.job;
        let message = if self.taken_up && only_reads {
            "the operation only reads: it never runs as a job, so that no id is that of one".into()
        } else if self.id.is_empty() || !is_plain(&self.id, std::iter::empty()) {
            format!("`{}` is no id of a job", self.id.escape_debug())
        } else {
            return Ok(());
        };
        Err(Error::new(Kind::InvalidInput, self.operation.name, message))
    }
}

/// A call that is under way gives no job any more.
pub(super) fn sent() -> Error {
    Error::new(Kind::InvalidInput, "call", "the call has been sent")
}

impl<O> fmt::Debug for Job<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("operation", &self.operation.name)
            .field("id", &self.id)
            .field("done", &self.is_done())
            .finish_non_exhaustive()
    }
}
