//! How fast does the service let us go? Learnt from its refusals, for all clones of a client.
//!
//! A limit that each call finds for itself is found a thousand times. Here the calls of a class
//! (reads, writes) share one pace. It does not exist until the service throttles; then it starts at
//! four fifths of what the service just took, returns to that within five seconds, and feels its
//! way up from there, ever faster, as CUBIC does for TCP. Sixty seconds without throttling end it.
//! Calls wait in the order of their arrival, reads and writes each in a queue of their own, so that
//! a flood of reads leaves the writes their way.
//!
//! Before anything is known, a burst goes out in growing groups: eight calls, and two for each that
//! was answered. Whoever has waited a tenth of a second for an answer to others goes anyway.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::clock::{Clock, within};
use crate::operation::RetryClass;

/// The part of the last pace that is given up when the service throttles.
const CUT: f64 = 0.2;
/// Seconds until the last pace is reached again.
const RETURN: f64 = 5.0;
/// One refusal among so many answers says nothing about the pace.
const RARE: u32 = 30;
/// So long after the last throttling there is no limit any more.
const FORGET: Duration = Duration::from_secs(60);
/// The slowest pace, in calls a second.
const SLOWEST: f64 = 0.1;
/// Calls of the first group.
const FIRST: usize = 8;
/// From this group on there are none.
const GROWN: usize = 512;
/// Nobody waits longer for the answers to others.
const PATIENCE: Duration = Duration::from_millis(100);

/// The paces of a client.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    reads: Lane,
    writes: Lane,
}

impl Pace {
    /// The pace of an operation's class.
    pub(super) fn of(&self, class: RetryClass) -> &Lane {
        match class {
            RetryClass::ReadOnly => &self.reads,
            _ => &self.writes,
        }
    }
}

/// The pace of one class of operations.
#[derive(Debug)]
pub(super) struct Lane {
    /// Whoever holds it is the next to go.
    turn: tokio::sync::Mutex<()>,
    groups: Semaphore,
    /// Whether groups have grown out of sight.
    open: AtomicBool,
    state: Mutex<State>,
}

impl Default for Lane {
    fn default() -> Self {
        Self {
            turn: tokio::sync::Mutex::new(()),
            groups: Semaphore::new(FIRST),
            open: AtomicBool::new(false),
            state: Mutex::default(),
        }
    }
}

#[derive(Debug, Default)]
struct State {
    limit: Option<Limit>,
    group: usize,
    /// Answers in the present second and in the one before; and refusals to go faster.
    second: u64,
    answers: [u32; 2],
    throttled: [u32; 2],
}

impl State {
    /// Goes on to the second of `now`.
    fn turn(&mut self, now: Duration) {
        let second = now.as_secs();
        if second == self.second {
            return;
        }
        let next = second == self.second.wrapping_add(1);
        for counts in [&mut self.answers, &mut self.throttled] {
            *counts = [0, if next { counts[0] } else { 0 }];
        }
        self.second = second;
    }
}

#[derive(Debug)]
struct Limit {
    /// Calls a second when the service throttled last.
    peak: f64,
    cut: Duration,
    /// Calls that may go, below 1, at the time of `filled`.
    tokens: f64,
    filled: Duration,
    /// The service asked for silence until then.
    hold: Duration,
}

impl Limit {
    fn rate(&self, now: Duration) -> f64 {
        let since = now.saturating_sub(self.cut).as_secs_f64();
        let grown = 1.0 + CUT * ((since - RETURN) / RETURN).powi(3);
        (self.peak * grown).max(SLOWEST)
    }

    /// Takes leave to go, or says how long to wait first.
    fn take(&mut self, now: Duration) -> Option<Duration> {
        if now < self.hold {
            return Some(self.hold.saturating_sub(now));
        }
        let rate = self.rate(now);
        let since = now.saturating_sub(self.filled).as_secs_f64();
        self.tokens = (self.tokens + since * rate).min(1.0);
        self.filled = now;
        // Sums of fractions fall short of 1 by their last bit.
        if self.tokens > 1.0 - 1e-6 {
            self.tokens = 0.0;
            return None;
        }
        let wait = (1.0 - self.tokens) / rate;
        Some(Duration::from_secs_f64(wait.min(1.0)).max(Duration::from_millis(1)))
    }
}

/// Leave to send one request. Dropping it makes room in its group.
pub(super) struct Leave<'a> {
    lane: &'a Lane,
    group: Option<SemaphorePermit<'a>>,
    /// When the request went out, by the clock's `elapsed`.
    sent: Duration,
}

impl Lane {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The wait that the limit asks for; `None` to go at once.
    fn wait(&self, now: Duration) -> Option<Duration> {
        let mut state = self.state();
        let limit = state.limit.as_mut()?;
        if now.saturating_sub(limit.cut) > FORGET {
            state.limit = None;
            return None;
        }
        limit.take(now)
    }

    fn is_limited(&self) -> bool {
        self.state().limit.is_some()
    }

    /// Leave to send, where there is no limit and no group to wait for.
    pub(super) fn try_admit(&self, now: Duration) -> Option<Leave<'_>> {
        if self.is_limited() {
            return None;
        }
        let group = match self.open.load(Ordering::Relaxed) {
            true => None,
            false => Some(self.groups.try_acquire().ok()?),
        };
        Some(Leave {
            lane: self,
            group,
            sent: now,
        })
    }

    /// Waits for leave to send.
    pub(super) async fn admit(&self, clock: &dyn Clock) -> Leave<'_> {
        let mut group = None;
        if !self.open.load(Ordering::Relaxed) && !self.is_limited() {
            let permit = within(clock, PATIENCE, self.groups.acquire()).await;
            group = permit.and_then(Result::ok);
        }
        // Without a limit there is no queue.
        if self.is_limited() {
            group = None;
            let _turn = self.turn.lock().await;
            while let Some(wait) = self.wait(clock.elapsed()) {
                clock.sleep(wait).await;
            }
        }
        Leave {
            lane: self,
            group,
            sent: clock.elapsed(),
        }
    }
}

impl Leave<'_> {
    /// The service answered, and did not throttle.
    pub(super) fn answered(self, now: Duration) {
        let mut state = self.lane.state();
        state.turn(now);
        state.answers[0] = state.answers[0].saturating_add(1);
        if self.group.is_some() && state.group < GROWN {
            state.group += 1;
            self.lane.groups.add_permits(1);
            if state.group == GROWN {
                self.lane.open.store(true, Ordering::Relaxed);
            }
        }
    }

    /// The service throttled, and perhaps said for how long.
    pub(super) fn throttled(self, now: Duration, hint: Option<Duration>) {
        let mut state = self.lane.state();
        state.turn(now);
        state.throttled[0] = state.throttled[0].saturating_add(1);
        // A limit shows in a share of the answers; a refusal now and then is that call's own affair.
        let all: u32 = state.answers.iter().sum();
        let throttled: u32 = state.throttled.iter().sum();
        if throttled.saturating_mul(RARE) < all {
            return;
        }
        let seen = f64::from(state.answers[0].max(state.answers[1]));
        let peak = match &state.limit {
            // It was under way when the pace was cut: that is the same news.
            Some(limit) if self.sent <= limit.cut => None,
            Some(limit) => Some(limit.rate(now)),
            None => Some(seen.max(1.0)),
        };
        let until = now.saturating_add(hint.unwrap_or_default());
        match (peak, &mut state.limit) {
            (None, Some(limit)) => limit.hold = limit.hold.max(until),
            (peak, limit) => {
                // The first to be told may try once more at its own time.
                let tokens = if limit.is_some() { 0.0 } else { 1.0 };
                *limit = Some(Limit {
                    peak: peak.unwrap_or(1.0),
                    cut: now,
                    tokens,
                    filled: now,
                    hold: until,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests;
