//! When to try again, how long to wait first, and when the client as a whole has tried enough.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::clock::Entropy;

/// How often and how patiently one call is tried.
///
/// Waits are random between zero and a bound that doubles with each attempt ("full jitter"). A
/// service's own hint (`Retry-After`, `x-acs-retry-after`) is waited out in full.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryPolicy {
    max_attempts: u32,
    base: Duration,
    cap: Duration,
    throttle_base: Duration,
    throttle_cap: Duration,
}

impl Default for RetryPolicy {
    /// 3 attempts; waits below 200 ms, 400 ms, .. 10 s; after throttling below 1 s, 2 s, .. 60 s.
    fn default() -> Self {
        Self {
            max_attempts: 3,
            base: Duration::from_millis(200),
            cap: Duration::from_secs(10),
            throttle_base: Duration::from_secs(1),
            throttle_cap: Duration::from_secs(60),
        }
    }
}

/// No hint of a service holds a call longer than this.
const LONGEST_HINT: Duration = Duration::from_secs(120);

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
        (self.base, self.cap) = (base, cap);
        self
    }

    /// The bound of the first wait, and of all waits, after throttling.
    pub fn throttle_backoff(mut self, base: Duration, cap: Duration) -> Self {
        (self.throttle_base, self.throttle_cap) = (base, cap);
        self
    }

    pub(crate) fn attempts(&self) -> u32 {
        self.max_attempts
    }

    /// The wait before attempt `next` (2 for the first repeat).
    pub(crate) fn delay(
        &self,
        next: u32,
        throttled: bool,
        hint: Option<Duration>,
        entropy: &dyn Entropy,
    ) -> Duration {
        let (base, cap) = if throttled {
            (self.throttle_base, self.throttle_cap)
        } else {
            (self.base, self.cap)
        };
        let doubled = base.saturating_mul(1 << next.saturating_sub(2).min(20));
        let jittered = doubled.min(cap).mul_f64(entropy.fraction());
        match hint {
            Some(hint) => hint.min(LONGEST_HINT).max(jittered),
            None => jittered,
        }
    }
}

/// A bucket of tokens shared by all clones of a client: repeats take from it, successes give back.
///
/// When a service is down, every call would otherwise multiply the load by its attempts.
#[derive(Debug)]
pub(crate) struct Budget {
    tokens: AtomicU32,
}

impl Budget {
    const FULL: u32 = 500;
    const REPEAT: u32 = 10;
    const THROTTLED: u32 = 5;
    const SUCCESS: u32 = 1;

    pub(crate) fn new() -> Self {
        Self {
            tokens: AtomicU32::new(Self::FULL),
        }
    }

    /// Takes the price of a repeat; `false` when the bucket does not hold it.
    pub(crate) fn take(&self, throttled: bool) -> bool {
        let price = if throttled {
            Self::THROTTLED
        } else {
            Self::REPEAT
        };
        self.tokens
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |tokens| {
                tokens.checked_sub(price)
            })
            .is_ok()
    }

    /// Gives back what a success earns.
    pub(crate) fn earn(&self) {
        let _ = self
            .tokens
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |tokens| {
                (tokens < Self::FULL).then(|| (tokens + Self::SUCCESS).min(Self::FULL))
            });
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
        for next in 2..40 {
            let wait = policy.delay(next, false, None, &entropy);
            assert!(wait <= Duration::from_secs(10), "{next}: {wait:?}");
        }
        assert!(policy.delay(2, false, None, &entropy) <= Duration::from_millis(200));
        let hint = Some(Duration::from_secs(30));
        assert!(policy.delay(2, true, hint, &entropy) >= Duration::from_secs(30));
        let absurd = Some(Duration::from_secs(1 << 40));
        assert_eq!(policy.delay(2, true, absurd, &entropy), LONGEST_HINT);
    }

    #[test]
    fn the_budget_runs_dry_and_recovers() {
        let budget = Budget::new();
        let taken = (0..1000).filter(|_| budget.take(false)).count();
        assert_eq!(taken, 50);
        for _ in 0..Budget::REPEAT {
            budget.earn();
        }
        assert!(budget.take(false));
        assert!(!budget.take(true));
    }
}
