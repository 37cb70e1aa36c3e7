//! Runs a call: does what the machine says, and writes down what happened.

mod answer;
mod outcome;
mod send;

use std::time::Duration;

use tracing::Instrument;

use crate::clock::{BoxFuture, within};
use crate::credentials::Snapshot;
use crate::error::{Error, Kind, Outcome};
use crate::idempotency::ClientToken;
use crate::operation::Operation;
use crate::protocol::{Encoded, Endpoint};
use crate::record::Record;
use crate::retry::{Polling, RetryPolicy};

use super::lanes::{Claim, Turn};
use super::machine::{Event, Machine, Step};
use super::plan::{Begun, Finished, Plan, as_token, new_job_id};
use super::response::Meta;
use super::{Client, DryRun};

/// A call under way.
struct Drive {
    client: Client,
    operation: &'static Operation,
    encoded: Encoded,
    endpoint: Option<Box<Endpoint>>,
    retry: Option<Box<RetryPolicy>>,
    polling: Option<Box<Polling>>,
    timeout: Option<Duration>,
    claim: Option<Box<Claim>>,
    /// A job was begun before: it is asked after, and nothing is sent.
    follow: bool,
    /// A job that runs is not waited for.
    leave: bool,
    token: Option<ClientToken>,
    /// The id of the call's job, where it may be one.
    job: Option<String>,
    output: Box<dyn Record>,
    /// Whether the answer must hold what the operation looks for one of, or the thing does not exist.
    expects: bool,
    held: Option<Snapshot>,
    /// What the last attempt was signed with.
    moment: Moment,
    /// How often the clock was set, and how often another way of writing the time was tried.
    corrected: (u8, u8),
    /// What is known of the answers so far.
    meta: Option<Box<Meta>>,
    waited: Duration,
    /// What the ledger wrote down about this call.
    begun: Option<Box<Begun>>,
}

/// What an attempt carries that no other does. Whoever signs with it once more gets the same request.
#[derive(Clone, Copy, Default)]
struct Moment {
    /// In Unix seconds, corrected by what is known of the service's clock.
    now: i64,
    /// See [`Protocol::zone`](crate::protocol::Protocol::zone).
    zone: usize,
    nonce: uuid::Uuid,
    /// The attempt asked after a job.
    poll: bool,
}

/// Runs `plan`. Nothing of it is kept but what the loop needs: calls under way are many, and each is as
/// large as the longest of its waits.
pub(super) fn run(plan: Plan) -> BoxFuture<'static, Result<Finished, Error>> {
    let span = tracing::info_span!(
        "cumulo.call",
        service = plan.client.inner.service.name,
        operation = plan.operation.name,
    );
    match Drive::start(plan) {
        Err(error) => Box::pin(std::future::ready(Err(error))),
        Ok(mut drive) => {
            let steps = async move {
                let running = drive.steps().await?;
                Ok(drive.finish(running))
            };
            Box::pin(steps.instrument(span))
        }
    }
}

impl Drive {
    /// Goes on until the call is done. Whether its job still runs.
    async fn steps(&mut self) -> Result<bool, Error> {
        let client = self.client.clone();
        let (retry, polling) = (self.retry.take(), self.polling.take());
        let inner = &*client.inner;
        let clock = &inner.context.clock;
        let total = self.timeout.unwrap_or(inner.timeouts.total);
        let from = clock.elapsed();
        // What few calls wait for is boxed, here and below: it would make every call larger.
        let _turn = match self.claim.take() {
            None => None,
            Some(claim) => Some(Box::pin(self.turn(*claim, from, total)).await?),
        };
        let mut machine = Machine::new(
            self.operation,
            retry.as_deref().unwrap_or(&inner.retry),
            polling.as_deref().unwrap_or(&inner.polling),
            &inner.budget,
            &*inner.context.entropy,
            from.saturating_add(total),
        );
        machine.strict_deadline = self.timeout.is_some();
        machine.has_job = self.operation.job;
        machine.follow = self.follow;
        machine.leave = self.leave;
        if self.begun.as_ref().is_some_and(|begun| begun.doubt) {
            machine.resume();
        }
        let mut event = Event::Start;
        loop {
            let poll = match machine.next(clock.elapsed(), event) {
                Step::Send => false,
                Step::Poll => true,
                Step::Sleep(duration) => {
                    self.waited += duration;
                    clock.sleep(duration).await;
                    event = Event::Slept;
                    continue;
                }
                Step::Refresh { new_job } => {
                    if let (Some(cache), Some(held)) = (&inner.credentials, self.held.take()) {
                        cache.invalidate(&held);
                    }
                    if new_job {
                        self.job = new_job_id(&client, self.operation)?;
                        self.token = as_token(self.job.as_deref());
                        if let Some(begun) = &self.begun {
                            Box::pin(begun.renew(self.token.as_ref())).await?;
                        }
                    }
                    event = Event::Refreshed;
                    continue;
                }
                Step::CorrectClock(time) => {
                    event = Event::Corrected(self.correct_clock(time));
                    continue;
                }
                Step::Done => return Ok(false),
                Step::Leave => {
                    self.meta.get_or_insert_default().job.clone_from(&self.job);
                    return Ok(true);
                }
                Step::Gone => {
                    self.output = (self.operation.output)();
                    return Ok(false);
                }
                Step::Fail(failure, outcome) => return Err(self.fail(*failure, outcome)),
            };
            event = match self.attempt(poll, machine.sent(), machine.deadline).await {
                Ok(event) => event,
                Err(mut error) => {
                    // An earlier attempt may have been executed, whatever stopped this one.
                    if poll || machine.in_doubt() {
                        error.inner().outcome = Outcome::Unknown;
                        if self.operation.job {
                            error.inner().job.clone_from(&self.job);
                        }
                    }
                    return Err(error);
                }
            };
        }
    }

    /// The call's turn among those that change the same thing.
    async fn turn(&mut self, claim: Claim, from: Duration, total: Duration) -> Result<Turn, Error> {
        let client = self.client.clone();
        let clock = &*client.inner.context.clock;
        let turn = within(clock, total, client.inner.lanes.enter(claim)).await;
        self.waited = clock.elapsed().saturating_sub(from);
        turn.ok_or_else(|| {
            self.not_sent(
                Kind::Timeout,
                "all the time went by in waiting for other calls that change the same thing",
            )
        })
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
    drive.moment = drive.moment(drive.client.inner.context.clock.now(), false);
    let prepared = drive.sign(timeout)?;
    let secret = !drive.encoded.secrets.is_empty();
    Ok(DryRun::of(&prepared, &drive.scrubber(), secret))
}

impl Drive {
    fn start(plan: Plan) -> Result<Self, Error> {
        let mut encoded = plan.encoded?;
        let inner = &plan.client.inner;
        let entropy = &*inner.context.entropy;
        let mut token = plan.token;
        let given = match plan.operation.token {
            Some(member) => {
                let value = token.get_or_insert_with(|| ClientToken::random(entropy));
                let text = value.as_str().into();
                inner.protocol.add(&mut encoded, member, text)?;
                None
            }
            None => token.as_ref(),
        };
        let job = match &plan.follow {
            Some(job) => Some(job.clone()),
            None => inner.protocol.job_id(plan.operation, given, entropy)?,
        };
        if plan.operation.is_keyed_by_job() {
            token = as_token(job.as_deref());
        }
        Ok(Self {
            operation: plan.operation,
            encoded,
            endpoint: plan.endpoint,
            token,
            job,
            output: (plan.operation.output)(),
            expects: plan.expects,
            retry: plan.retry,
            polling: plan.polling,
            timeout: plan.timeout,
            claim: plan.claim,
            follow: plan.follow.is_some(),
            leave: plan.leave,
            held: None,
            moment: Moment::default(),
            corrected: (0, 0),
            meta: plan.follow.map(|job| {
                Box::new(Meta {
                    job: Some(job),
                    ..Meta::default()
                })
            }),
            waited: Duration::ZERO,
            begun: plan.begun,
            client: plan.client,
        })
    }
}

#[cfg(test)]
mod tests;
