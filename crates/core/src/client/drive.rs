//! Runs a call: does what the machine says, and writes down what happened.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use tokio::sync::SemaphorePermit;
use tracing::Instrument;

use crate::clock::within;
use crate::credentials::{Credential, CredentialError, Snapshot};
use crate::error::{Attempt, Error, Evidence, Kind, Outcome, Scrubber, is_plain};
use crate::idempotency::ClientToken;
use crate::operation::{Operation, RetryClass};
use crate::protocol::{Encoded, Endpoint, Failure, Prepared, Signing, Verdict};
use crate::record::{self, Record, Secret};
use crate::transport::{Broken, Reply, TransportError};

use super::call::{Finished, Plan};
use super::machine::{Event, Machine, Step};
use super::once::Begun;
use super::pace::Leave;
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
    /// What the last attempt wrote as its time.
    moment: Moment,
    /// How often the clock was set, and how often another way of writing the time was tried.
    corrected: (u32, usize),
    meta: Meta,
    evidence: Option<Evidence>,
    waited: Duration,
    /// What the ledger wrote down about this call.
    begun: Option<Box<Begun>>,
}

/// The time that an attempt carries.
#[derive(Clone, Copy, Default)]
struct Moment {
    /// In Unix seconds, corrected by what is known of the service's clock.
    now: i64,
    /// See [`Protocol::zone`](crate::protocol::Protocol::zone).
    zone: usize,
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
    let mut plan = plan;
    let claim = plan.claim.take();
    let mut drive = Drive::start(plan)?;
    let clock = &client.inner.context.clock;
    let total = timeout.unwrap_or(client.inner.timeouts.total);
    let from = clock.elapsed();
    let _turn = match claim {
        None => None,
        Some(claim) => {
            let turn = within(&**clock, total, client.inner.lanes.enter(claim)).await;
            drive.waited = clock.elapsed().saturating_sub(from);
            match turn {
                Some(turn) => Some(turn),
                None => return Err(drive.not_sent(
                    Kind::Timeout,
                    "all the time went by in waiting for other calls that change the same thing",
                )),
            }
        }
    };
    let mut machine = Machine::new(
        drive.operation,
        policy.as_ref().unwrap_or(&client.inner.retry),
        &client.inner.budget,
        &*client.inner.context.entropy,
        from.saturating_add(total),
    );
    machine.strict_deadline = timeout.is_some();
    machine.has_job = drive.operation.job;
    if drive.begun.as_ref().is_some_and(|begun| begun.doubt) {
        machine.resume();
    }
    let mut event = Event::Start;
    loop {
        let step = machine.next(clock.elapsed(), event);
        event = match step {
            Step::Send | Step::Poll => {
                let poll = matches!(step, Step::Poll);
                match drive.attempt(poll, machine.sent(), machine.deadline).await {
                    Ok(event) => event,
                    Err(mut error) => {
                        // An earlier attempt may have been executed, whatever stopped this one.
                        if poll || machine.in_doubt() {
                            error.inner().outcome = Outcome::Unknown;
                        }
                        return Err(error);
                    }
                }
            }
            Step::Sleep(duration) => {
                drive.waited += duration;
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
                    if let Some(begun) = &drive.begun {
                        begun.renew(&drive.job).await?;
                    }
                }
                Event::Refreshed
            }
            Step::CorrectClock(time) => Event::Corrected(drive.correct_clock(time)),
            Step::Done => return Ok(drive.finish()),
            Step::Gone => {
                drive.output = (drive.operation.output)();
                return Ok(drive.finish());
            }
            Step::Fail(failure, outcome) => {
                return Err(drive.fail(failure, outcome, machine.not_repeated));
            }
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
            moment: Moment::default(),
            corrected: (0, 0),
            meta: Meta::default(),
            evidence: None,
            waited: Duration::ZERO,
            begun: plan.begun,
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

    /// Where it goes, as far as that is known.
    fn host(&self) -> String {
        let endpoint = match &self.endpoint {
            Some(endpoint) => Ok(Cow::Borrowed(endpoint)),
            None => self.client.endpoint(self.credential()),
        };
        endpoint
            .map(|endpoint| endpoint.host().to_owned())
            .unwrap_or_default()
    }

    fn prepare(&mut self, poll: bool, timeout: Duration) -> Result<Prepared, Error> {
        let inner = &self.client.inner;
        self.moment = Moment {
            now: self.client.now(),
            zone: inner.protocol.zone(),
        };
        let credential = self.credential();
        let configuration = |message| Error::new(Kind::Configuration, self.operation.name, message);
        let endpoint = match &self.endpoint {
            Some(endpoint) => Cow::Borrowed(endpoint),
            None => self.client.endpoint(credential).map_err(configuration)?,
        };
        crate::address::check_exposed(endpoint.url(), inner.allow_http).map_err(configuration)?;
        let mut buffer = uuid::Uuid::encode_buffer();
        let nonce = inner.context.entropy.uuid();
        let signing = Signing {
            service: inner.service,
            endpoint: &endpoint,
            credential,
            now: self.moment.now,
            zone: self.moment.zone,
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
    async fn attempt(
        &mut self,
        poll: bool,
        number: u32,
        deadline: Duration,
    ) -> Result<Event, Error> {
        if !poll && let Err(error) = self.fetch_credentials(deadline).await {
            return Err(self.no_credentials(error));
        }
        let client = self.client.clone();
        let inner = &client.inner;
        let clock = &*inner.context.clock;
        let from = clock.elapsed();
        if let Some(held) = &self.held
            && inner.circuit.is_noted()
            && let Some(mut error) =
                inner
                    .circuit
                    .check(from, self.operation.name, &held.credential, &self.host())
        {
            self.complete(error.inner());
            return Err(error);
        }
        let (_room, leave) = self.admit(&client, deadline.saturating_sub(from)).await?;
        // Credentials, room and pace took their parts.
        let left = deadline.saturating_sub(clock.elapsed());
        let timeout = inner
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
        let (started, from) = (clock.now(), clock.elapsed());
        // Who watches a call from outside learns the job's id before the job can exist.
        let job = self.operation.job.then_some(self.job.as_str());
        let span = tracing::debug_span!("cumulo.attempt", number, poll, job);
        let sent = inner
            .context
            .transport
            .send(prepared.request)
            .instrument(span.clone())
            .await;
        let now = clock.elapsed();
        let took = now.saturating_sub(from);
        let event = match sent {
            Ok(reply) => {
                let answered = self.answered(reply, poll, started, took);
                answered.instrument(span).await
            }
            Err(error) => span.in_scope(|| self.broken(&error, started, took)),
        };
        match &event {
            Event::Answered(Verdict::Failed(failure)) if failure.kind == Kind::Throttled => {
                leave.throttled(now, failure.retry_after);
            }
            Event::Answered(_) => leave.answered(now),
            _ => {}
        }
        self.note_key(&event);
        Ok(event)
    }

    /// Whether the service knows the key, for the calls that follow.
    fn note_key(&self, event: &Event) {
        let inner = &self.client.inner;
        let Some(held) = &self.held else { return };
        match event {
            Event::Answered(Verdict::Failed(failure)) => {
                let now = inner.context.clock.elapsed();
                let wrong = inner
                    .circuit
                    .refused(now, &held.credential, &self.host(), failure);
                // The next call asks the source again: the key may have been replaced there.
                if wrong && let Some(cache) = &inner.credentials {
                    cache.invalidate(held);
                }
            }
            Event::Answered(_) => inner.circuit.accepted(),
            _ => {}
        }
    }

    /// Leave to send, once there is room and the service's pace allows it.
    async fn admit<'a>(
        &mut self,
        client: &'a Client,
        left: Duration,
    ) -> Result<(SemaphorePermit<'a>, Leave<'a>), Error> {
        let inner = &client.inner;
        let clock = &*inner.context.clock;
        let from = clock.elapsed();
        let pace = inner.pace.of(self.operation.retry);
        let admitted = within(clock, left, async {
            let leave = pace.admit(clock).await;
            (inner.room.acquire().await, leave)
        });
        let admitted = admitted.await;
        self.waited += clock.elapsed().saturating_sub(from);
        match admitted {
            Some((Ok(room), leave)) => Ok((room, leave)),
            _ => Err(self.not_sent(
                Kind::Timeout,
                "all the time went by in waiting for room among the client's own calls, or for the pace that the service allows",
            )),
        }
    }

    /// The error for a call that ended before it was sent.
    fn not_sent(&self, kind: Kind, message: &str) -> Error {
        let mut error = Error::new(kind, self.operation.name, message);
        self.complete(error.inner());
        error.inner().outcome = Outcome::NotSent;
        error
    }

    /// Reads an answer, large ones where they stall no other call.
    async fn read(&mut self, reply: &Reply) -> Verdict {
        let (service, operation) = (self.client.inner.service, self.operation);
        let protocol = &self.client.inner.protocol;
        let runtime = match tokio::runtime::Handle::try_current() {
            Ok(runtime) if reply.body.len() > LARGE => runtime,
            _ => return protocol.read(service, operation, reply, &mut *self.output),
        };
        let (protocol, reply) = (Arc::clone(protocol), reply.clone());
        let mut output = std::mem::replace(&mut self.output, (operation.output)());
        let read = runtime.spawn_blocking(move || {
            let verdict = protocol.read(service, operation, &reply, &mut *output);
            (verdict, output)
        });
        match read.await.map_err(tokio::task::JoinError::try_into_panic) {
            Ok((verdict, output)) => {
                self.output = output;
                verdict
            }
            Err(Ok(panic)) => std::panic::resume_unwind(panic),
            Err(Err(_)) => {
                let message = "the runtime ended while the answer was read";
                Verdict::Failed(Failure::new(Kind::InvalidResponse, message))
            }
        }
    }

    async fn answered(
        &mut self,
        reply: Reply,
        poll: bool,
        started: SystemTime,
        took: Duration,
    ) -> Event {
        let mut verdict = self.read(&reply).await;
        let protocol = &self.client.inner.protocol;
        let request_id = protocol
            .request_id(&reply)
            .or_else(|| record::get(&*self.output, "RequestId"));
        // Whatever goes on from here into errors and logs may be an echo of what was sent.
        let id = match &mut verdict {
            Verdict::Failed(failure) => {
                let code = failure.code.take();
                failure.code = code.map(|code| self.scrubber().tell(&code));
                request_id.or_else(|| failure.request_id.take())
            }
            _ => request_id,
        };
        self.meta.request_id = id.map(|id| self.told(id));
        if let Verdict::Done(problems) = &mut verdict {
            for problem in &mut *problems {
                problem.path = self.scrubber().tell(&problem.path);
            }
            self.meta.warnings.clone_from(problems);
        } else {
            // What was read of it is of no use, and may be large.
            self.output = (self.operation.output)();
        }
        if let Verdict::Pending(job, _) = &mut verdict
            && !is_plain(job, self.secrets())
        {
            job.clear();
        }
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
        if let Verdict::Pending(job, _) = &verdict
            && !job.is_empty()
        {
            self.job.clone_from(job);
        }
        // Whoever answers for the job knows it, also where the answer to its start was lost.
        let known = match &verdict {
            Verdict::Pending(..) | Verdict::DuplicateJob => true,
            Verdict::Done(_) => poll,
            Verdict::Failed(failure) => poll && failure.is_result,
            Verdict::NoSuchJob => false,
        };
        if known {
            self.meta.job = Some(self.job.clone());
        }
        self.meta.status = reply.status;
        self.meta.headers = reply.headers;
        self.meta.body = reply.body;
        Event::Answered(verdict)
    }

    fn broken(&mut self, error: &TransportError, started: SystemTime, took: Duration) -> Event {
        let kind = match error.broken {
            Broken::Unsendable => Kind::InvalidInput,
            Broken::Connect => Kind::Connect,
            Broken::Tls => Kind::Tls,
            Broken::Timeout => Kind::Timeout,
            Broken::Interrupted => Kind::Interrupted,
            Broken::TooLarge => Kind::InvalidResponse,
        };
        let mut failure = Failure::new(kind, error.to_string());
        failure.hint = error.advice().map(str::to_owned);
        if kind == Kind::Connect {
            let host = self.host();
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
    fn correct_clock(&mut self, server_time: Option<i64>) -> bool {
        let inner = &self.client.inner;
        // Compared with the time that this attempt carried: another call may have mended the clock
        // since, and then this one has only to be signed again.
        if let Some(server_time) = server_time
            && (server_time - self.moment.now).abs() > AGREEMENT
        {
            self.corrected.0 += 1;
            if self.corrected.0 > CORRECTIONS {
                return false;
            }
            let ours = crate::clock::unix_seconds(inner.context.clock.now());
            inner.offset.store(server_time - ours, Ordering::Relaxed);
            return true;
        }
        // Clocks that agree were not the cause: a correction would only repeat the failure.
        self.corrected.1 += 1;
        if self.corrected.1 >= inner.protocol.zones() {
            return false;
        }
        inner.protocol.shift_zone(self.moment.zone);
        true
    }

    fn finish(mut self) -> Finished {
        self.meta.client_token = self.token;
        Finished {
            output: self.output,
            meta: self.meta,
        }
    }

    /// What went out with the call and must not come back in a text.
    fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let credential = self.credential().into_iter().flat_map(Credential::secrets);
        self.encoded.secrets.iter().chain(credential)
    }

    fn scrubber(&self) -> Scrubber {
        let mut scrubber = Scrubber::default();
        for secret in self.secrets() {
            scrubber.add(secret.expose());
        }
        scrubber
    }

    /// An id of the service's, fit to be told.
    fn told(&self, id: String) -> String {
        if is_plain(&id, self.secrets()) {
            id
        } else {
            self.scrubber().tell(&id)
        }
    }

    fn no_credentials(&self, error: CredentialError) -> Error {
        let mut made = error.for_operation(self.operation.name);
        self.complete(made.inner());
        made
    }

    /// Adds what is known about the call.
    fn complete(&self, inner: &mut crate::error::Inner) {
        inner.attempts.clone_from(&self.meta.attempts);
        inner.client_token.clone_from(&self.token);
        inner.job.clone_from(&self.meta.job);
        inner.harmless = self.operation.retry == RetryClass::ReadOnly;
    }

    fn fail(self, failure: Failure, outcome: Outcome, not_repeated: Option<String>) -> Error {
        let scrubber = self.scrubber();
        let mut error = Error::new(
            failure.kind,
            self.operation.name,
            scrubber.tell(&without_quoted_request(&failure.message)),
        );
        let inner = error.inner();
        self.complete(inner);
        let answered = inner
            .attempts
            .last()
            .is_some_and(|attempt| attempt.status.is_some());
        inner.code = failure.code;
        inner.hint = failure.hint.map(|hint| scrubber.tell(&hint));
        inner.outcome = outcome;
        // An unanswered start may have made the job all the same.
        if outcome == Outcome::Unknown && self.operation.job && inner.job.is_none() {
            inner.job = Some(self.job);
        }
        inner.retry_after = failure.retry_after;
        inner.not_repeated = not_repeated;
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

/// Answers of more bytes are decoded on a thread of their own: it takes milliseconds.
const LARGE: usize = 256 << 10;

/// Clocks within so many seconds agree; services allow 15 minutes.
const AGREEMENT: i64 = 60;
/// A service's clock that jumps is followed so often.
const CORRECTIONS: u32 = 2;

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
