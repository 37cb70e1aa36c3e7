//! Runs a call: does what the machine says, and writes down what happened.

use std::borrow::Cow;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use tracing::Instrument;

use crate::credentials::{Credential, CredentialError, Snapshot};
use crate::error::{Attempt, Error, Evidence, Kind, Outcome, Scrubber};
use crate::idempotency::ClientToken;
use crate::operation::{Operation, RetryClass};
use crate::protocol::{Encoded, Endpoint, Failure, Prepared, Signing, Verdict};
use crate::record::{self, Record};
use crate::transport::{Broken, Reply, TransportError};

use super::call::{Finished, Plan};
use super::machine::{Event, Machine, Step};
use super::response::Meta;
use super::{Client, DryRun};

/// A call under way.
struct Drive {
    client: Client,
    operation: &'static Operation,
    encoded: Encoded,
    endpoint: Option<Endpoint>,
    token: Option<ClientToken>,
    /// ZStack's job id; a random one that nothing reads for the others.
    job: String,
    output: Box<dyn Record>,
    held: Option<Snapshot>,
    meta: Meta,
    evidence: Option<Evidence>,
    waited: Duration,
}

pub(super) async fn run(plan: Plan) -> Result<Finished, Error> {
    let span = tracing::info_span!(
        "cumulo.call",
        service = plan.client.inner.service.name,
        operation = plan.operation.name,
    );
    steps(plan).instrument(span).await
}

async fn steps(plan: Plan) -> Result<Finished, Error> {
    let client = plan.client.clone();
    let policy = plan.retry.clone();
    let timeout = plan.timeout;
    let mut drive = Drive::start(plan)?;
    let clock = &client.inner.context.clock;
    let total = timeout.unwrap_or(client.inner.timeouts.total);
    let mut machine = Machine::new(
        drive.operation,
        policy.as_ref().unwrap_or(&client.inner.retry),
        &client.inner.budget,
        &*client.inner.context.entropy,
        clock.elapsed() + total,
    );
    machine.strict_deadline = timeout.is_some();
    machine.has_job = drive.operation.job;
    let mut event = Event::Start;
    loop {
        event = match machine.next(clock.elapsed(), event) {
            Step::Send => {
                let left = machine.deadline.saturating_sub(clock.elapsed());
                drive.attempt(false, machine.sent(), left).await?
            }
            Step::Poll => {
                let left = machine.deadline.saturating_sub(clock.elapsed());
                drive.attempt(true, machine.sent(), left).await?
            }
            Step::Sleep(duration) => {
                drive.waited = duration;
                clock.sleep(duration).await;
                Event::Slept
            }
            Step::Refresh { new_job } => {
                if let (Some(cache), Some(held)) = (&client.inner.credentials, drive.held.take()) {
                    cache.invalidate(&held);
                }
                if new_job {
                    drive.job = client.inner.context.entropy.uuid().simple().to_string();
                    drive.token = ClientToken::new(drive.job.clone()).ok();
                }
                Event::Refreshed
            }
            Step::CorrectClock(time) => Event::Corrected(drive.correct_clock(time)),
            Step::Done => {
                client.inner.budget.earn();
                return Ok(drive.finish());
            }
            Step::Gone => {
                drive.output = (drive.operation.output)();
                return Ok(drive.finish());
            }
            Step::Fail(failure, outcome) => return Err(drive.fail(failure, outcome)),
        };
    }
}

pub(super) async fn dry_run(plan: Plan) -> Result<DryRun, Error> {
    let total = plan.timeout.unwrap_or(plan.client.inner.timeouts.total);
    let mut drive = Drive::start(plan)?;
    let deadline = drive
        .client
        .inner
        .context
        .clock
        .elapsed()
        .saturating_add(total);
    drive
        .fetch_credentials(deadline)
        .await
        .map_err(|error| drive.no_credentials(error))?;
    let timeout = drive.client.inner.timeouts.attempt;
    let prepared = drive.prepare(false, timeout)?;
    Ok(DryRun::of(&prepared, &drive.scrubber()))
}

impl Drive {
    fn start(plan: Plan) -> Result<Self, Error> {
        let mut encoded = plan.encoded?;
        let entropy = &*plan.client.inner.context.entropy;
        let mut token = plan.token;
        let mut job = String::new();
        if let Some(member) = plan.operation.token {
            let value = token.get_or_insert_with(|| ClientToken::random(entropy));
            encoded.query.retain(|(name, _)| name != member);
            encoded
                .query
                .push((member.into(), value.as_str().to_owned()));
        } else if let Some(given) = &token {
            if !(plan.operation.job && plan.operation.retry == RetryClass::Keyed) {
                let message =
                    "this operation has no client token: the service would not recognise a repeat";
                return Err(Error::new(Kind::InvalidInput, plan.operation.name, message));
            }
            job = given.as_str().replace('-', "");
            if job.len() != 32 || !job.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                let message =
                    format!("`{given}` is no job id: ZStack takes a UUID of 32 hexadecimal digits");
                return Err(Error::new(Kind::InvalidInput, plan.operation.name, message));
            }
        }
        if job.is_empty() {
            job = entropy.uuid().simple().to_string();
        }
        if plan.operation.job && plan.operation.retry == RetryClass::Keyed {
            token = ClientToken::new(job.clone()).ok();
        }
        Ok(Self {
            operation: plan.operation,
            encoded,
            endpoint: plan.endpoint,
            token,
            job,
            output: (plan.operation.output)(),
            held: None,
            meta: Meta::default(),
            evidence: None,
            waited: Duration::ZERO,
            client: plan.client,
        })
    }

    /// Fetches credentials for the next attempt, until `deadline` by the clock's `elapsed`.
    async fn fetch_credentials(&mut self, deadline: Duration) -> Result<(), CredentialError> {
        if self.operation.auth
            && let Some(cache) = &self.client.inner.credentials
        {
            let context = &self.client.inner.context;
            self.held = Some(cache.get_by(context, deadline).await?);
        }
        Ok(())
    }

    fn credential(&self) -> Option<&Credential> {
        self.held.as_ref().map(|held| &*held.credential)
    }

    fn prepare(&self, poll: bool, timeout: Duration) -> Result<Prepared, Error> {
        let inner = &self.client.inner;
        let credential = self.credential();
        let configuration = |message| Error::new(Kind::Configuration, self.operation.name, message);
        let endpoint = match &self.endpoint {
            Some(endpoint) => Cow::Borrowed(endpoint),
            None => self.client.endpoint(credential).map_err(configuration)?,
        };
        super::builder::check_exposed(&endpoint, inner.allow_http).map_err(configuration)?;
        let mut buffer = uuid::Uuid::encode_buffer();
        let nonce = inner.context.entropy.uuid();
        let signing = Signing {
            service: inner.service,
            endpoint: &endpoint,
            credential,
            now: self.client.now(),
            nonce: nonce.hyphenated().encode_lower(&mut buffer),
            job: &self.job,
            user_agent: &inner.user_agent,
            timeout,
        };
        if poll {
            inner.protocol.poll(&self.encoded, &self.job, &signing)
        } else {
            inner.protocol.prepare(&self.encoded, &signing)
        }
    }

    /// Signs, sends, reads. An `Err` is a fault of ours that no repeat mends.
    async fn attempt(&mut self, poll: bool, number: u32, left: Duration) -> Result<Event, Error> {
        let deadline = self
            .client
            .inner
            .context
            .clock
            .elapsed()
            .saturating_add(left);
        if !poll && let Err(error) = self.fetch_credentials(deadline).await {
            return Err(self.no_credentials(error));
        }
        // Fetching credentials took its part.
        let left = deadline.saturating_sub(self.client.inner.context.clock.elapsed());
        let timeout = self
            .client
            .inner
            .timeouts
            .attempt
            .min(left)
            .max(Duration::from_millis(1));
        let prepared = match self.prepare(poll, timeout) {
            Ok(prepared) => prepared,
            Err(mut error) => {
                self.complete(error.inner());
                return Err(error);
            }
        };
        if !poll {
            self.evidence = prepared.evidence;
        }
        let context = &self.client.inner.context;
        let (started, from) = (context.clock.now(), context.clock.elapsed());
        let span = tracing::debug_span!("cumulo.attempt", number, poll);
        let sent = context
            .transport
            .send(prepared.request)
            .instrument(span.clone())
            .await;
        let took = self
            .client
            .inner
            .context
            .clock
            .elapsed()
            .saturating_sub(from);
        let _entered = span.enter();
        let event = match sent {
            Ok(reply) => self.answered(reply, poll, started, took),
            Err(error) => self.broken(&error, started, took),
        };
        Ok(event)
    }

    fn answered(&mut self, reply: Reply, poll: bool, started: SystemTime, took: Duration) -> Event {
        let inner = &self.client.inner;
        self.output.reset();
        let verdict = inner
            .protocol
            .read(inner.service, self.operation, &reply, &mut *self.output);
        self.meta.request_id = inner
            .protocol
            .request_id(&reply)
            .or_else(|| record::get(&*self.output, "RequestId"))
            .or_else(|| body_request_id(&verdict, &reply));
        let failure = match &verdict {
            Verdict::Failed(failure) => Some(failure),
            _ => None,
        };
        tracing::debug!(
            status = reply.status,
            code = failure.and_then(|failure| failure.code.as_deref()),
            request_id = self.meta.request_id.as_deref(),
            "answered"
        );
        if !poll || failure.is_some() {
            self.meta.attempts.push(Attempt {
                started,
                waited: std::mem::take(&mut self.waited),
                took,
                status: Some(reply.status),
                code: failure.and_then(|failure| failure.code.clone()),
                request_id: self.meta.request_id.clone(),
                failure: failure.map(|failure| failure.kind),
            });
        }
        if let Verdict::Done(problems) = &verdict {
            self.meta.warnings.clone_from(problems);
        }
        if let Verdict::Pending(job, _) = &verdict
            && !job.is_empty()
        {
            self.job.clone_from(job);
            self.meta.job = Some(job.clone());
        }
        self.meta.status = reply.status;
        self.meta.headers = reply.headers;
        self.meta.body = reply.body;
        Event::Answered(verdict)
    }

    fn broken(&mut self, error: &TransportError, started: SystemTime, took: Duration) -> Event {
        let kind = match error.broken {
            Broken::Connect => Kind::Connect,
            Broken::Timeout => Kind::Timeout,
            Broken::Interrupted => Kind::Interrupted,
            Broken::TooLarge => Kind::InvalidResponse,
        };
        let mut failure = Failure::new(kind, error.to_string());
        if kind == Kind::Connect {
            let endpoint = match &self.endpoint {
                Some(endpoint) => Ok(Cow::Borrowed(endpoint)),
                None => self.client.endpoint(self.credential()),
            };
            let host = endpoint
                .map(|endpoint| endpoint.host().to_owned())
                .unwrap_or_default();
            failure.hint = Some(format!(
                "Check that {host} is the right endpoint and can be reached from here"
            ));
        }
        tracing::debug!(?kind, "no answer");
        self.meta.attempts.push(Attempt {
            started,
            waited: std::mem::take(&mut self.waited),
            took,
            status: None,
            code: None,
            request_id: None,
            failure: Some(kind),
        });
        Event::Failed(failure)
    }

    /// Whether time will be written differently from now on.
    fn correct_clock(&self, server_time: Option<i64>) -> bool {
        let inner = &self.client.inner;
        let Some(server_time) = server_time else {
            return inner.protocol.shift_zone();
        };
        let ours = crate::clock::unix_seconds(inner.context.clock.now());
        let offset = server_time - ours;
        let before = inner.offset.swap(offset, Ordering::Relaxed);
        // Clocks that agree were not the cause: a correction would only repeat the failure.
        (offset - before).abs() > AGREEMENT || inner.protocol.shift_zone()
    }

    fn finish(mut self) -> Finished {
        self.meta.client_token = self.token;
        Finished {
            output: self.output,
            meta: self.meta,
        }
    }

    fn scrubber(&self) -> Scrubber {
        let mut scrubber = Scrubber::default();
        let credential = self.credential().into_iter().flat_map(Credential::secrets);
        for secret in self.encoded.secrets.iter().chain(credential) {
            scrubber.add(secret.expose());
        }
        scrubber
    }

    fn no_credentials(&self, error: CredentialError) -> Error {
        let mut made = error.for_operation(self.operation.name);
        self.complete(made.inner());
        // This attempt was not sent; one before it may have been.
        let before = self
            .meta
            .attempts
            .iter()
            .filter_map(|attempt| attempt.failure);
        for outcome in before.map(Kind::outcome) {
            let inner = made.inner();
            inner.outcome = inner.outcome.max(outcome);
        }
        made
    }

    /// Adds what is known about the call.
    fn complete(&self, inner: &mut crate::error::Inner) {
        inner.attempts.clone_from(&self.meta.attempts);
        inner.client_token.clone_from(&self.token);
        inner.job.clone_from(&self.meta.job);
        inner.harmless = self.operation.retry == RetryClass::ReadOnly;
    }

    fn fail(self, failure: Failure, outcome: Outcome) -> Error {
        let scrubber = self.scrubber();
        let mut error = Error::new(
            failure.kind,
            self.operation.name,
            scrubber.clean(&without_quoted_request(&failure.message)),
        );
        let inner = error.inner();
        self.complete(inner);
        let answered = inner
            .attempts
            .last()
            .is_some_and(|attempt| attempt.status.is_some());
        inner.code = failure.code;
        inner.hint = failure.hint;
        inner.outcome = outcome;
        inner.evidence = self
            .evidence
            .map(|evidence| evidence.answered_at(failure.server_time));
        if answered {
            inner.status = Some(self.meta.status);
            inner.request_id = self.meta.request_id;
            inner.body = self.meta.body;
        }
        error
    }
}

/// Clocks within so many seconds agree; services allow 15 minutes.
const AGREEMENT: i64 = 60;

/// The request id of a body whose headers have none.
fn body_request_id(verdict: &Verdict, reply: &Reply) -> Option<String> {
    let Verdict::Failed(_) = verdict else {
        return None;
    };
    let json: record::Json = serde_json::from_slice(&reply.body).ok()?;
    ["RequestId", "requestId", "request_id"]
        .iter()
        .find_map(|name| json.get(*name)?.as_str())
        .map(str::to_owned)
}

/// Services quote the whole request when a signature is wrong, tokens and all; `explain()` compares
/// it instead.
fn without_quoted_request(message: &str) -> String {
    for marker in ["string to sign is", "StringToSign is", "canonicalRequest"] {
        if let Some((before, _)) = message.split_once(marker) {
            return format!("{before}{marker} .. (see `explain()`)");
        }
    }
    message.to_owned()
}
