//! What to do next in a call: a state machine without I/O, clock or randomness of its own.
//!
//! Two questions decide about a repeat. May the copy that went out have been executed? And does a
//! second execution do harm? Only "maybe" and "yes" together forbid it.

use std::time::Duration;

use crate::clock::Entropy;
use crate::error::{Kind, Outcome};
use crate::operation::{Operation, RetryClass};
use crate::protocol::{Failure, Verdict};
use crate::retry::{Budget, RetryPolicy};

/// What happened.
pub(super) enum Event {
    /// The call begins.
    Start,
    /// An answer was read.
    Answered(Verdict),
    /// No whole answer came, or the credentials could not be had.
    Failed(Failure),
    /// The wait is over.
    Slept,
    /// New credentials are there.
    Refreshed,
    /// The clock was corrected; or, if not, there is no other way of writing the time.
    Corrected(bool),
}

/// What to do.
#[derive(Debug)]
pub(super) enum Step {
    /// Sign and send the call.
    Send,
    /// Ask after the job.
    Poll,
    /// Wait.
    Sleep(Duration),
    /// Drop the credentials that failed and get others. The second value asks for a new job id.
    Refresh { new_job: bool },
    /// Set the clock by the service's, if the answer told it.
    CorrectClock(Option<i64>),
    /// It worked.
    Done,
    /// The thing was gone already; an earlier attempt did it.
    Gone,
    /// It failed for good.
    Fail(Failure, Outcome),
}

pub(super) struct Machine<'a> {
    pub operation: &'static Operation,
    pub policy: &'a RetryPolicy,
    pub budget: &'a Budget,
    pub entropy: &'a dyn Entropy,
    /// By the clock's `elapsed`.
    pub deadline: Duration,
    /// Whether the caller set the deadline, so that it holds for jobs too.
    pub strict_deadline: bool,
    /// Whether the job id of this call may be asked after when the outcome is unknown.
    pub has_job: bool,
    state: State,
}

#[derive(Default)]
struct State {
    /// Attempts so far, those for corrected credentials or clocks not counted.
    sent: u32,
    /// What follows the wait.
    polling: bool,
    /// An earlier copy may have been executed.
    doubt: bool,
    refreshed: bool,
    corrections: u32,
    /// The job was seen running.
    seen: bool,
    poll_failures: u32,
    poll_delay: Duration,
    failure: Option<Failure>,
}

/// Job polling starts with this wait, and doubles it up to the second.
const POLL: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));
/// How long a job may run when the service does not say.
const JOB_TIMEOUT: Duration = Duration::from_secs(30 * 60);
/// What a job gets beyond the service's own limit, so that its answer can still be fetched.
const JOB_GRACE: Duration = Duration::from_secs(60);
/// So many polls in a row may fail before the call gives up watching.
const POLL_FAILURES: u32 = 20;
/// A wrong clock is corrected twice at most: ZStack has two likely time zones.
const CORRECTIONS: u32 = 2;

impl<'a> Machine<'a> {
    pub(super) fn new(
        operation: &'static Operation,
        policy: &'a RetryPolicy,
        budget: &'a Budget,
        entropy: &'a dyn Entropy,
        deadline: Duration,
    ) -> Self {
        Self {
            operation,
            policy,
            budget,
            entropy,
            deadline,
            strict_deadline: false,
            has_job: false,
            state: State::default(),
        }
    }

    /// The attempts so far.
    pub(super) fn sent(&self) -> u32 {
        self.state.sent
    }

    pub(super) fn next(&mut self, now: Duration, event: Event) -> Step {
        match event {
            Event::Slept if self.state.polling => Step::Poll,
            Event::Start | Event::Slept => self.send(),
            // The repeat for corrected credentials or clock takes no attempt from the policy.
            Event::Refreshed | Event::Corrected(true) => {
                self.state.polling = false;
                Step::Send
            }
            Event::Corrected(false) => match self.state.failure.take() {
                Some(failure) => self.fail(failure),
                None => self.send(),
            },
            Event::Answered(Verdict::Done(_)) => Step::Done,
            Event::Answered(Verdict::Pending(_, timeout)) => self.pending(now, timeout),
            Event::Answered(Verdict::DuplicateJob) => {
                self.state.seen = true;
                self.watch(now, POLL.0)
            }
            Event::Answered(Verdict::NoSuchJob) => self.no_such_job(),
            Event::Answered(Verdict::Failed(failure)) | Event::Failed(failure) => {
                if self.state.polling {
                    self.poll_failed(now, failure)
                } else {
                    self.call_failed(now, failure)
                }
            }
        }
    }

    fn send(&mut self) -> Step {
        self.state.sent += 1;
        self.state.polling = false;
        Step::Send
    }

    fn fail(&self, failure: Failure) -> Step {
        let outcome = if self.state.doubt {
            Outcome::Unknown
        } else {
            failure.kind.outcome()
        };
        Step::Fail(failure, outcome)
    }

    fn call_failed(&mut self, now: Duration, failure: Failure) -> Step {
        match failure.kind {
            Kind::TokenExpired if !self.state.refreshed && self.operation.auth => {
                self.state.refreshed = true;
                return Step::Refresh { new_job: false };
            }
            Kind::ClockSkew if self.state.corrections < CORRECTIONS => {
                self.state.corrections += 1;
                let time = failure.server_time;
                self.state.failure = Some(failure);
                return Step::CorrectClock(time);
            }
            _ if failure.gone && self.state.doubt => return Step::Gone,
            _ => {}
        }
        let unknown = failure.kind.outcome() == Outcome::Unknown;
        self.state.doubt |= unknown;
        let harmless = self.operation.retry != RetryClass::Unsafe;
        let throttled = matches!(failure.kind, Kind::Throttled);
        if !failure.kind.may_pass()
            || (unknown && !harmless)
            || self.state.sent >= self.policy.attempts()
        {
            return self.fail(failure);
        }
        let next = self.state.sent + 1;
        let delay = self
            .policy
            .delay(next, throttled, failure.retry_after, self.entropy);
        if now + delay >= self.deadline || !self.budget.take(throttled) {
            return self.fail(failure);
        }
        // A job may be running under this call's id: ask before sending it again.
        self.state.polling = unknown && self.has_job && self.operation.retry == RetryClass::Keyed;
        Step::Sleep(delay)
    }

    fn pending(&mut self, now: Duration, timeout: Option<Duration>) -> Step {
        if !self.state.seen {
            self.state.seen = true;
            if !self.strict_deadline {
                self.deadline = now + timeout.unwrap_or(JOB_TIMEOUT) + JOB_GRACE;
            }
        }
        self.state.poll_failures = 0;
        let delay = match self.state.poll_delay {
            Duration::ZERO => POLL.0,
            last => (last * 2).min(POLL.1),
        };
        self.watch(now, delay)
    }

    fn watch(&mut self, now: Duration, delay: Duration) -> Step {
        self.state.poll_delay = delay;
        self.state.polling = true;
        if now + delay >= self.deadline {
            self.state.doubt = true;
            let mut failure = Failure::new(Kind::Timeout, "the job did not end in time");
            failure.hint = Some("It may still be running: ask after the job by its id".into());
            return self.fail(failure);
        }
        Step::Sleep(delay)
    }

    fn no_such_job(&mut self) -> Step {
        if self.state.seen {
            self.state.doubt = true;
            let message = "the service no longer knows the job, so its result is lost";
            return self.fail(Failure::new(Kind::InvalidResponse, message));
        }
        // The first copy never arrived, so that a second one is the first.
        self.state.doubt = false;
        self.send()
    }

    fn poll_failed(&mut self, now: Duration, failure: Failure) -> Step {
        if failure.kind == Kind::TokenExpired && !self.state.refreshed {
            self.state.refreshed = true;
            self.state.seen = false;
            self.state.doubt = false;
            return Step::Refresh { new_job: true };
        }
        // A code is the job's own result; without one it is the way to the server that failed.
        let transient = failure.code.is_none() && failure.kind.may_pass();
        self.state.poll_failures += 1;
        if transient && self.state.poll_failures < POLL_FAILURES {
            let delay = (self.state.poll_delay * 2).clamp(POLL.0, POLL.1);
            return self.watch(now, delay);
        }
        if transient {
            self.state.doubt = true;
        } else {
            self.state.doubt = failure.kind.outcome() == Outcome::Unknown;
        }
        self.fail(failure)
    }
}

#[cfg(test)]
mod tests;
