//! Keeps credentials: one refresh for all who wait, early, and never at the cost of a valid value.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Context, Credential, CredentialError, Provider, Tried, provide};

/// How long before expiry credentials are refreshed. For short-lived ones both shrink with the
/// lifetime.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// An early refresh comes in the last of this many parts of the lifetime; 4 for its last quarter.
    pub share: u32,
    /// From here on the next caller refreshes, while others go on with the present value.
    pub early: Duration,
    /// From here on every caller waits for the refresh.
    pub blocking: Duration,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            share: 4,
            early: Duration::from_secs(15 * 60),
            blocking: Duration::from_secs(3 * 60),
        }
    }
}

impl Window {
    /// For login tokens: 5 minutes before the end, or in the last tenth of their life.
    pub const TOKEN: Self = Self {
        share: 10,
        early: Duration::from_secs(5 * 60),
        blocking: Duration::from_secs(60),
    };
}

/// A value in use is served until this long before its expiry when refreshing fails.
const LAST_MOMENT: Duration = Duration::from_secs(10);
/// Waits between failed refreshes: from, to.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// Early refreshes of many machines are spread over this.
const SPREAD: Duration = Duration::from_secs(60);

/// One value of the cache.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The credentials.
    pub credential: Arc<Credential>,
    generation: u64,
}

/// The cache around a provider.
pub struct Cache {
    provider: Arc<dyn Provider>,
    state: Mutex<State>,
    flight: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    current: Option<Held>,
    generation: u64,
    failures: u32,
    /// By the clock's `elapsed`: no early refresh before.
    rest_until: Duration,
    /// Refreshes that have ended, well or not.
    flights: u64,
    /// How the last of them failed, if it did.
    error: Option<CredentialError>,
}

struct Held {
    snapshot: Snapshot,
    early: Option<Duration>,
    blocking: Option<Duration>,
    last: Option<Duration>,
}

enum Need {
    Nothing(Snapshot),
    Early(Snapshot),
    /// With the number of refreshes that had ended by then.
    Blocking(u64),
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cache({:?})", self.provider)
    }
}

impl Cache {
    /// An empty cache.
    pub fn new(provider: Arc<dyn Provider>) -> Self {
        Self {
            provider,
            state: Mutex::default(),
            flight: tokio::sync::Mutex::new(()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The present credentials, refreshed if they need it.
    pub async fn get(&self, context: &Context) -> Result<Snapshot, CredentialError> {
        let flights = match self.need(context) {
            Need::Nothing(snapshot) => return Ok(snapshot),
            Need::Early(snapshot) => {
                let Ok(_flight) = self.flight.try_lock() else {
                    return Ok(snapshot);
                };
                // Someone may have refreshed between the look and the lock.
                return match self.need(context) {
                    Need::Nothing(snapshot) => Ok(snapshot),
                    _ => self.refresh(context).await,
                };
            }
            Need::Blocking(flights) => flights,
        };
        let _flight = self.flight.lock().await;
        match self.need(context) {
            Need::Nothing(snapshot) | Need::Early(snapshot) => Ok(snapshot),
            // Whoever waited for a refresh that failed shares its error. Trying again for each of
            // thousands would lock an account, and take the last one minutes to hear.
            Need::Blocking(now) if now != flights => match self.failure() {
                Some(error) => Err(error),
                None => self.refresh(context).await,
            },
            Need::Blocking(_) => self.refresh(context).await,
        }
    }

    fn failure(&self) -> Option<CredentialError> {
        self.state().error.clone()
    }

    /// Drops the value that `seen` is, and no later one.
    pub fn invalidate(&self, seen: &Snapshot) {
        let mut state = self.state();
        if state
            .current
            .as_ref()
            .is_some_and(|held| held.snapshot.generation == seen.generation)
        {
            state.current = None;
            state.rest_until = Duration::ZERO;
        }
    }

    /// Gives the present credentials up and forgets them.
    pub async fn release(&self, context: &Context) {
        let held = self.state().current.take();
        if let Some(held) = held {
            self.provider
                .release(context, &held.snapshot.credential)
                .await;
        }
    }

    /// Asks the provider afresh and reports what it, or each part of it, said.
    pub async fn explain(&self, context: &Context) -> Vec<Tried> {
        self.provider.explain(context).await
    }

    fn need(&self, context: &Context) -> Need {
        let now = context.clock.elapsed();
        let state = self.state();
        let Some(held) = &state.current else {
            return Need::Blocking(state.flights);
        };
        let snapshot = held.snapshot.clone();
        let reached = |limit: Option<Duration>| limit.is_some_and(|limit| now >= limit);
        // The counting clock stands still while a machine sleeps; the wall clock does not.
        let ends = snapshot.credential.expires_at;
        if ends.is_some_and(|end| end <= context.clock.now()) {
            return Need::Blocking(state.flights);
        }
        if now < state.rest_until && !reached(held.last) {
            return Need::Nothing(snapshot);
        }
        if reached(held.blocking) {
            Need::Blocking(state.flights)
        } else if reached(held.early) {
            Need::Early(snapshot)
        } else {
            Need::Nothing(snapshot)
        }
    }

    async fn refresh(&self, context: &Context) -> Result<Snapshot, CredentialError> {
        let fetched = self.provider.provide(context).await;
        let fetched = fetched.and_then(|credential| {
            provide::check(&credential, context.clock.now())?;
            Ok(credential)
        });
        let now = context.clock.elapsed();
        let mut state = self.state();
        state.flights += 1;
        match fetched {
            Ok(credential) => {
                state.error = None;
                state.generation += 1;
                state.failures = 0;
                state.rest_until = Duration::ZERO;
                let held = self.hold(credential, state.generation, context, now);
                let snapshot = held.snapshot.clone();
                state.current = Some(held);
                Ok(snapshot)
            }
            Err(error) => {
                let doubled = BACKOFF.0.saturating_mul(1 << state.failures.min(6));
                state.failures += 1;
                state.rest_until = now + doubled.min(BACKOFF.1);
                tracing::warn!(%error, "credentials could not be refreshed");
                state.error = Some(error.clone());
                match &state.current {
                    Some(held) if held.last.is_none_or(|last| now < last) => {
                        Ok(held.snapshot.clone())
                    }
                    _ => Err(error),
                }
            }
        }
    }

    fn hold(
        &self,
        credential: Credential,
        generation: u64,
        context: &Context,
        now: Duration,
    ) -> Held {
        let life = credential
            .expires_at
            .map(|at| at.duration_since(context.clock.now()).unwrap_or_default());
        let window = self.provider.window();
        let jitter = SPREAD.mul_f64(context.entropy.fraction());
        let before = |lead: Duration, share: u32| {
            life.map(|life| now + life.saturating_sub(lead.min(life / share)))
        };
        Held {
            early: before(window.early + jitter, window.share.max(1)),
            blocking: before(window.blocking, 20),
            last: before(LAST_MOMENT, 20),
            snapshot: Snapshot {
                credential: Arc::new(credential),
                generation,
            },
        }
    }
}

#[cfg(test)]
mod tests;
