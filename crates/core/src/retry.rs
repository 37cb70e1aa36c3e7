//! When to try again, how long to wait first, and when the client as a whole has tried enough.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::clock::Entropy;

/// How often and how patiently one call is tried.
///
/// Waits are random between zero and a bound that doubles with each attempt ("full jitter"). A
/// service's own hint (`Retry-After`, or a header of its own) is waited out in full, or, where the call
/// may not take as long, ends it at once. What is busy ([`Kind::Busy`](crate::Kind::Busy)) is waited
/// out until the call's time is over, whatever number of attempts that takes.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a policy does nothing until a client or a call is given it"]
pub struct RetryPolicy {
    max_attempts: u32,
    backoff: Backoff,
    throttle: Backoff,
    busy: Backoff,
}

/// The bounds of the first wait and of all.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Backoff {
    base: Duration,
    cap: Duration,
}

impl Backoff {
    const fn seconds(base: u64, cap: u64) -> Self {
        Self {
            base: Duration::from_secs(base),
            cap: Duration::from_secs(cap),
        }
    }

    /// The bound of the wait after `before` others.
    fn bound(self, before: u32) -> Duration {
        self.base.saturating_mul(1 << before.min(20)).min(self.cap)
    }
}

/// How long a failure takes to pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Parts of a second: a lost connection, a node that restarts.
    Short,
    /// Seconds: a limit of calls per time.
    Throttled,
    /// Seconds to minutes: another change of the same thing has to end first.
    Busy,
}

impl Default for RetryPolicy {
    /// 5 attempts; waits below 200 ms, 400 ms, .. 10 s; after throttling below 1 s, 2 s, .. 60 s; for
    /// what is busy 1 to 2 s, 2 to 4 s, .. 60 s.
    ///
    /// Where 30 % of all attempts fail, 1 call in 400 uses up five by chance; of four it was 1 in 120.
    fn default() -> Self {
        Self {
            max_attempts: 5,
            backoff: Backoff {
                base: Duration::from_millis(200),
                cap: Duration::from_secs(10),
            },
            throttle: Backoff::seconds(1, 60),
            busy: Backoff::seconds(2, 60),
        }
    }
}

impl RetryPolicy {
    /// A single attempt. Expired credentials and a wrong clock are still corrected once.
    pub fn never() -> Self {
        Self {
            max_attempts: 1,
            ..Self::default()
        }
    }

    /// The most attempts, the first one included; at least 1.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts.max(1);
        self
    }

    /// The bound of the first wait, and of all waits, after failures other than throttling.
    pub fn backoff(mut self, base: Duration, cap: Duration) -> Self {
        self.backoff = Backoff { base, cap };
        self
    }

    /// The bound of the first wait, and of all waits, after throttling.
    pub fn throttle_backoff(mut self, base: Duration, cap: Duration) -> Self {
        self.throttle = Backoff { base, cap };
        self
    }

    /// The bound of the first wait, and of all waits, for something that is busy.
    pub fn busy_backoff(mut self, base: Duration, cap: Duration) -> Self {
        self.busy = Backoff { base, cap };
        self
    }

    pub(crate) fn attempts(&self) -> u32 {
        self.max_attempts
    }

    /// The wait for a repeat, after `before` waits of the same sort.
    pub(crate) fn delay(
        &self,
        patience: Patience,
        before: u32,
        hint: Option<Duration>,
        entropy: &dyn Entropy,
    ) -> Duration {
        let fraction = entropy.fraction();
        let jittered = match patience {
            Patience::Short => self.backoff.bound(before).mul_f64(fraction),
            Patience::Throttled => self.throttle.bound(before).mul_f64(fraction),
            // Never at once: no change ends within milliseconds.
            Patience::Busy => self.busy.bound(before).mul_f64(0.5 + fraction / 2.0),
        };
        hint.map_or(jittered, |hint| hint.max(jittered))
    }
}

/// A bucket of tokens shared by all clones of a client: repeats take from it, successes give back.
///
/// When a service is down, every call would otherwise multiply the load by its attempts. A call that
/// succeeds in the end gives back all that it took, so that many scattered faults, which repeats do
/// mend, do not empty the bucket as an outage does. The bucket grows, once, with the most calls that
/// were under way together: the first faults of a burst come before any repeat can have succeeded.
#[derive(Debug)]
pub(crate) struct Budget {
    tokens: AtomicU32,
    /// Calls under way, and the most that ever were.
    open: AtomicU32,
    most: AtomicU32,
}

impl Budget {
    const FULL: u32 = 500;
    const REPEAT: u32 = 5;
    const SUCCESS: u32 = 1;
    /// What a call that makes the crowd larger than ever brings along.
    const SHARE: u32 = 2;

    pub(crate) fn new() -> Self {
        Self {
            tokens: AtomicU32::new(Self::FULL),
            open: AtomicU32::new(0),
            most: AtomicU32::new(0),
        }
    }

    /// A call begins; [`end`](Self::end) ends it.
    pub(crate) fn begin(&self) {
        let open = self.open.fetch_add(1, Ordering::Relaxed) + 1;
        let most = self.most.fetch_max(open, Ordering::Relaxed);
        self.add(open.saturating_sub(most).saturating_mul(Self::SHARE));
    }

    pub(crate) fn end(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    /// Takes the price of a repeat and returns it; `None` when the bucket does not hold it.
    pub(crate) fn take(&self) -> Option<u32> {
        self.tokens
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |tokens| {
                tokens.checked_sub(Self::REPEAT)
            })
            .ok()
            .map(|_| Self::REPEAT)
    }

    /// Gives back what a call paid, and what its success earns.
    pub(crate) fn succeeded(&self, paid: u32) {
        self.add(paid + Self::SUCCESS);
    }

    fn add(&self, more: u32) {
        let share = self
            .most
            .load(Ordering::Relaxed)
            .saturating_mul(Self::SHARE);
        let full = Self::FULL.saturating_add(share);
        let _ = self
            .tokens
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |tokens| {
                (more > 0 && tokens < full).then(|| tokens.saturating_add(more).min(full))
            });
    }
}

/// How a job is asked after: a setting of the client and of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Polling {
    pub(crate) interval: Duration,
    pub(crate) max_interval: Duration,
    pub(crate) limit: Duration,
}

impl Default for Polling {
    fn default() -> Self {
        Self {
            interval: Duration::from_millis(500),
            max_interval: Duration::from_secs(5),
            limit: Duration::from_secs(30 * 60),
        }
    }
}

impl Polling {
    /// The usual way.
    pub fn new() -> Self {
        Self::default()
    }
    /// The wait before the first question: 500 ms unless set. Each further one is twice as long.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }
    /// The longest wait between two questions: 5 s unless set.
    #[must_use]
    pub fn max_interval(mut self, interval: Duration) -> Self {
        self.max_interval = interval;
        self
    }
    /// How long a job may run when neither the service nor the call's `timeout` says: 30 minutes
    /// unless set.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SeededEntropy;

    #[test]
    fn waits_stay_below_their_bound_and_honour_hints() {
        let policy = RetryPolicy::default();
        let entropy = SeededEntropy::new(7);
        let wait = |patience, before, hint| policy.delay(patience, before, hint, &entropy);
        for before in 0..40 {
            assert!(wait(Patience::Short, before, None) <= Duration::from_secs(10));
            let busy = wait(Patience::Busy, before, None);
            assert!((1..=60).contains(&busy.as_secs()), "{before}: {busy:?}");
        }
        assert!(wait(Patience::Short, 0, None) <= Duration::from_millis(200));
        let hint = Some(Duration::from_secs(3600));
        assert_eq!(
            wait(Patience::Throttled, 0, hint),
            Duration::from_secs(3600)
        );
    }

    #[test]
    fn the_budget_runs_dry_and_recovers() {
        let budget = Budget::new();
        let taken = std::iter::from_fn(|| budget.take()).count();
        assert_eq!(taken, 100);
        for _ in 0..Budget::REPEAT {
            budget.succeeded(0);
        }
        assert!(budget.take().is_some());
        assert!(budget.take().is_none());
        budget.succeeded(15);
        assert_eq!(std::iter::from_fn(|| budget.take()).count(), 3);
    }
}
