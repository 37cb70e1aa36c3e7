//! What to do next in a call: a state machine without I/O, clock or randomness of its own.
//!
//! Two questions decide about a repeat. May the copy that went out have been executed? And does a
//! second execution do harm? Only "maybe" and "yes" together forbid it.

use std::time::Duration;

use crate::clock::Entropy;
use crate::error::{Kind, Outcome};
use crate::operation::{Operation, RetryClass};
use crate::protocol::{Failure, JobState, Verdict};
use crate::retry::{Budget, Patience, Polling, RetryPolicy};

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
    /// Request after the job.
    Poll,
    /// Wait.
    Sleep(Duration),
    /// Drop the credentials that failed and get others. The second value asks for a new job id.
    Refresh { new_job: bool },
    /// Set the clock by the service's, if the answer told it.
    CorrectClock(Option<i64>),
    /// It worked.
    Done,
    /// The job runs, and nobody wants to wait for it.
    Leave,
    /// The thing was gone already; an earlier attempt did it.
    Gone,
    /// It failed for good.
    Fail(Box<Failure>, Outcome),
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
    /// How its job is asked after.
    pub polling: &'a Polling,
    /// The job was begun before: it is asked after, and nothing is sent.
    pub follow: bool,
    /// A job that runs is left alone.
    pub leave: bool,
    state: State,
}

#[derive(Default)]
struct State {
    /// Attempts so far, those for corrected credentials or clocks and those after busy things not
    /// counted.
    sent: u32,
    /// Waits for something busy so far.
    busy: u32,
    /// What the repeats took from the budget.
    paid: u32,
    /// What follows the wait.
    polling: bool,
    /// An earlier copy may have been executed.
    doubt: bool,
    refreshed: bool,
    /// The job was seen running.
    seen: bool,
    poll_delay: Duration,
    /// How the last poll failed.
    poll_failure: Option<String>,
    failure: Option<Box<Failure>>,
}

/// What a job gets beyond the service's own limit, so that its answer can still be fetched.
const JOB_GRACE: Duration = Duration::from_secs(60);

impl<'a> Machine<'a> {
    pub(super) fn new(
        operation: &'static Operation,
        policy: &'a RetryPolicy,
        polling: &'a Polling,
        budget: &'a Budget,
        entropy: &'a dyn Entropy,
        deadline: Duration,
    ) -> Self {
        budget.begin();
        Self {
            operation,
            policy,
            budget,
            entropy,
            deadline,
            strict_deadline: false,
            has_job: false,
            polling,
            follow: false,
            leave: false,
            state: State::default(),
        }
    }

    /// An earlier process may have sent the same call.
    pub(super) fn resume(&mut self) {
        self.state.doubt = true;
    }

    /// The attempts so far.
    pub(super) fn sent(&self) -> u32 {
        self.state.sent
    }

    pub(super) fn next(&mut self, now: Duration, event: Event) -> Step {
        match event {
            Event::Start if self.follow => {
                self.state.polling = true;
                Step::Poll
            }
            Event::Slept if self.state.polling => Step::Poll,
            Event::Start | Event::Slept => self.send(),
            // The repeat for corrected credentials or clock takes no attempt from the policy.
            Event::Refreshed | Event::Corrected(true) => {
                self.state.polling = false;
                Step::Send
            }
            Event::Corrected(false) => match self.state.failure.take() {
                Some(failure) => self.fail(*failure),
                None => self.send(),
            },
            Event::Answered(Verdict::Done(_)) => {
                self.budget.succeeded(self.state.paid);
                Step::Done
            }
            Event::Answered(Verdict::Job(JobState::Running { limit, .. })) => {
                self.running(now, limit)
            }
            Event::Answered(Verdict::Job(JobState::Taken)) if self.leave => Step::Leave,
            Event::Answered(Verdict::Job(JobState::Taken)) => {
                self.state.seen = true;
                self.watch(now, self.polling.interval)
            }
            Event::Answered(Verdict::Job(JobState::Absent)) => self.absent(),
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

    /// Whether a copy that went out may have been executed.
    pub(super) fn in_doubt(&self) -> bool {
        self.state.doubt || self.state.seen
    }

    fn fail(&self, failure: Failure) -> Step {
        let outcome = if self.state.doubt {
            Outcome::Unknown
        } else {
            failure.kind.outcome()
        };
        Step::Fail(Box::new(failure), outcome)
    }

    /// Fails although the failure may pass, and says why it is not waited out.
    fn give_up(&self, mut failure: Failure, why: impl Into<String>) -> Step {
        failure.not_repeated = Some(why.into());
        self.fail(failure)
    }

    fn call_failed(&mut self, now: Duration, failure: Failure) -> Step {
        match failure.kind {
            Kind::TokenExpired if !self.state.refreshed && self.operation.auth => {
                self.state.refreshed = true;
                return Step::Refresh { new_job: false };
            }
            Kind::ClockSkew => {
                let time = failure.server_time;
                self.state.failure = Some(Box::new(failure));
                return Step::CorrectClock(time);
            }
            _ if failure.gone && self.state.doubt => return Step::Gone,
            _ => {}
        }
        let unknown = failure.kind.outcome() == Outcome::Unknown;
        self.state.doubt |= unknown;
        let harmless = self.operation.retry != RetryClass::Unsafe;
        if !failure.kind.may_pass() || failure.is_final || (unknown && !harmless) {
            return self.fail(failure);
        }
        let attempts = self.policy.attempts();
        // What is only busy is waited out for as long as the call may take: it ends in minutes, not
        // in attempts, and the service is well meanwhile.
        let busy = failure.kind == Kind::Busy && attempts > 1;
        if !busy && self.state.sent >= attempts {
            return self.give_up(failure, "all attempts used");
        }
        let before = match failure.kind.patience() {
            Patience::Busy => self.state.busy,
            Patience::Short | Patience::Throttled => self.state.sent.saturating_sub(1),
        };
        let hint = failure.retry_after;
        let delay = self
            .policy
            .delay(failure.kind.patience(), before, hint, self.entropy);
        if now.saturating_add(delay) >= self.deadline {
            let why = match hint {
                Some(hint) if hint >= delay => {
                    format!(
                        "the service asks to wait {} s, and the call ends before",
                        hint.as_secs()
                    )
                }
                _ => "no time is left for another attempt".into(),
            };
            return self.give_up(failure, why);
        }
        if busy {
            self.state.busy += 1;
            self.state.sent = self.state.sent.saturating_sub(1);
        } else {
            match self.budget.take() {
                Some(price) => self.state.paid += price,
                None => return self.give_up(failure, "retry budget spent"),
            }
            self.state.busy += u32::from(failure.kind.patience() == Patience::Busy);
        }
        // A job may be running under this call's id: ask before sending it again.
        self.state.polling = unknown && self.has_job && self.operation.retry == RetryClass::Keyed;
        Step::Sleep(delay)
    }

    fn running(&mut self, now: Duration, limit: Option<Duration>) -> Step {
        if self.leave {
            return Step::Leave;
        }
        if !self.state.seen {
            self.state.seen = true;
            if !self.strict_deadline {
                let limit = limit
                    .unwrap_or(self.polling.limit)
                    .saturating_add(JOB_GRACE);
                self.deadline = now.saturating_add(limit);
            }
        }
        self.state.poll_failure = None;
        self.watch_on(now)
    }

    fn watch_on(&mut self, now: Duration) -> Step {
        let delay = match self.state.poll_delay {
            Duration::ZERO => self.polling.interval,
            last => (last * 2).min(self.polling.max_interval),
        };
        self.watch(now, delay)
    }

    fn watch(&mut self, now: Duration, delay: Duration) -> Step {
        self.state.poll_delay = delay;
        self.state.polling = true;
        if now.saturating_add(delay) >= self.deadline {
            self.state.doubt = true;
            let message = match self.state.poll_failure.take() {
                None => "the job did not end in time".into(),
                Some(last) => {
                    format!("the job's result could not be had in time; the last answer: {last}")
                }
            };
            let mut failure = Failure::new(Kind::Timeout, message);
            failure.hint = Some("It may still be running: ask after the job by its id".into());
            return self.fail(failure);
        }
        Step::Sleep(delay)
    }

    fn absent(&mut self) -> Step {
        if self.state.seen {
            self.state.doubt = true;
            let message = "the service no longer knows the job, so its result is lost";
            return self.fail(Failure::new(Kind::InvalidResponse, message));
        }
        if self.follow {
            self.state.doubt = true;
            let mut failure = Failure::new(Kind::NotFound, "the service knows no such job");
            failure.hint = Some("It may have ended long ago: look at what it was to change".into());
            return self.fail(failure);
        }
        // The first copy never arrived, so that a second one is the first.
        self.state.doubt = false;
        self.send()
    }

    fn poll_failed(&mut self, now: Duration, failure: Failure) -> Step {
        // Whatever else answers stands between: it says nothing about the job, which may have ended
        // well. Only the job's own result settles the call.
        if !failure.is_result {
            self.state.poll_failure = Some(failure.message);
            return self.watch_on(now);
        }
        if failure.kind == Kind::TokenExpired && !self.state.refreshed && !self.follow {
            self.state.refreshed = true;
            self.state.seen = false;
            self.state.doubt = false;
            return Step::Refresh { new_job: true };
        }
        self.state.doubt = failure.kind.outcome() == Outcome::Unknown;
        self.fail(failure)
    }
}

impl Drop for Machine<'_> {
    fn drop(&mut self) {
        self.budget.end();
    }
}

#[cfg(test)]
mod tests;
