//! Runs a call: does what the machine says, and writes down what happened.

mod answer;
mod outcome;
mod send;

use std::time::Duration;

use tracing::Instrument;

use crate::clock::within;
use crate::credentials::Snapshot;
use crate::error::{Error, Evidence, Kind, Outcome};
use crate::idempotency::ClientToken;
use crate::operation::Operation;
use crate::protocol::{Encoded, Endpoint};
use crate::record::Record;

use super::machine::{Event, Machine, Step};
use super::plan::{Begun, Finished, Plan, as_token, new_job_id};
use super::response::Meta;
use super::{Client, DryRun};

/// A call under way.
struct Drive {
    client: Client,
    operation: &'static Operation,
    encoded: Encoded,
    endpoint: Option<Endpoint>,
    token: Option<ClientToken>,
    /// The id of the call's job, where it may be one.
    job: Option<String>,
    output: Box<dyn Record>,
    /// Where the answer must hold something, or the thing does not exist.
    expects: Option<&'static str>,
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
    let polling = plan.polling.unwrap_or(client.inner.polling);
    let (follow, leave) = (plan.follow.is_some(), plan.leave);
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
    machine.polling = polling;
    machine.follow = follow;
    machine.leave = leave;
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
                            if drive.operation.job {
                                error.inner().job.clone_from(&drive.job);
                            }
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
                    drive.job = new_job_id(&client, drive.operation)?;
                    drive.token = as_token(drive.job.as_deref());
                    if let Some(begun) = &drive.begun {
                        begun.renew(drive.token.as_ref()).await?;
                    }
                }
                Event::Refreshed
            }
            Step::CorrectClock(time) => Event::Corrected(drive.correct_clock(time)),
            Step::Done => return Ok(drive.finish()),
            Step::Leave => {
                drive.meta.job.clone_from(&drive.job);
                let mut finished = drive.finish();
                finished.running = true;
                return Ok(finished);
            }
            Step::Gone => {
                drive.output = (drive.operation.output)();
                return Ok(drive.finish());
            }
            Step::Fail(failure, outcome) => {
                return Err(drive.fail(failure, outcome, machine.not_repeated.take()));
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
        let meta = Meta {
            job: plan.follow,
            ..Meta::default()
        };
        Ok(Self {
            operation: plan.operation,
            encoded,
            endpoint: plan.endpoint,
            token,
            job,
            output: (plan.operation.output)(),
            expects: plan.expects,
            held: None,
            moment: Moment::default(),
            corrected: (0, 0),
            meta,
            evidence: None,
            waited: Duration::ZERO,
            begun: plan.begun,
            client: plan.client,
        })
    }
}
