//! Keeps credentials: one refresh for all who wait, early, and never at the cost of a valid value.
//!
//! No lock is held while anything is awaited: [`State`] is looked at and changed in one go, and
//! whoever has to wait does so on a [`Flight`].

mod flight;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Context, Credential, CredentialError, Provider, ProviderReport, Reason, tried};
use crate::clock::within;
use flight::{Flight, Task, Wait};

/// How long before expiry credentials are refreshed. For short-lived ones both shrink with the
/// lifetime.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// An early refresh comes in the last of this many parts of the lifetime; 4 for its last quarter.
    pub share: u32,
    /// From here on they are refreshed in the background, while callers go on with the present value.
    pub early: Duration,
    /// From here on callers wait for the refresh, if not for long while the present value works.
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
/// As long is a refresh waited for while the present value still works.
const COURTESY: Duration = Duration::from_secs(10);
/// How long giving up waits for a refresh under way, as most logins take less.
const GOODBYE: Duration = Duration::from_secs(1);
/// Refreshes that are lost with their runtime before a caller is told.
const LOSSES: u32 = 3;
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
    shared: Arc<Shared>,
}

/// What a refresh keeps when its caller is gone.
struct Shared {
    provider: Arc<dyn Provider>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    current: Option<Held>,
    generation: u64,
    failures: u32,
    /// By the clock's `elapsed`: no early refresh before.
    rest_until: Duration,
    /// The refresh under way. One that is no longer here when it ends has been given up.
    flight: Option<Flight>,
    /// Refreshes so far.
    flights: u64,
}

struct Held {
    snapshot: Snapshot,
    early: Option<Duration>,
    blocking: Option<Duration>,
    last: Option<Duration>,
}

enum Need {
    Nothing(Snapshot),
    /// A refresh in the background.
    Early(Snapshot),
    /// A refresh, which is worth a wait.
    Soon(Snapshot),
    /// A refresh, as there is nothing to go on with.
    Now,
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cache({:?})", self.shared.provider)
    }
}

impl Cache {
    /// An empty cache.
    pub fn new(provider: Arc<dyn Provider>) -> Self {
        Self {
            shared: Arc::new(Shared {
                provider,
                state: Mutex::default(),
            }),
        }
    }

    /// The present credentials, where they need no refresh.
    pub(crate) fn present(&self, context: &Context) -> Option<Snapshot> {
        match self.shared.state().need(context) {
            Need::Nothing(snapshot) => Some(snapshot),
            _ => None,
        }
    }

    /// The present credentials, refreshed if they need it.
    pub async fn get(&self, context: &Context) -> Result<Snapshot, CredentialError> {
        self.get_by(context, Duration::MAX).await
    }

    /// As [`get`](Self::get), until `deadline` by the clock's `elapsed`. A refresh goes on without
    /// the caller, and its result is there for the next one.
    pub(crate) async fn get_by(
        &self,
        context: &Context,
        deadline: Duration,
    ) -> Result<Snapshot, CredentialError> {
        let shared = &self.shared;
        let clock = &*context.clock;
        let (mut overtaken, mut losses) = (None, 0);
        loop {
            let (need, flight, task) = shared.look(context, overtaken);
            let inline = task.and_then(Task::launch);
            let (Some(flight), Need::Soon(_) | Need::Now) = (flight, &need) else {
                return need.served().ok_or_else(|| shared.lost());
            };
            let now = clock.elapsed();
            let until = match &need {
                Need::Soon(_) => (now + deadline.saturating_sub(now) / 2)
                    .min(flight.started.saturating_add(COURTESY)),
                _ => deadline,
            };
            if let Some(work) = inline {
                let _ = within(clock, until.saturating_sub(now), work).await;
            }
            match flight.wait(clock, until).await {
                Wait::Landed(result) => return result,
                Wait::Standing => overtaken = Some(flight.number),
                Wait::Lost if clock.elapsed() < until => {
                    losses += 1;
                    if losses >= LOSSES {
                        return need.served().ok_or_else(|| shared.lost());
                    }
                }
                Wait::Lost | Wait::TooLate => {
                    let age = clock.elapsed().saturating_sub(flight.started);
                    return need.served().ok_or_else(|| shared.too_late(age));
                }
            }
        }
    }

    /// Drops the value that `seen` is, and no later one.
    pub fn invalidate(&self, seen: &Snapshot) {
        let mut state = self.shared.state();
        if state
            .current
            .as_ref()
            .is_some_and(|held| held.snapshot.generation == seen.generation)
        {
            state.current = None;
            state.rest_until = Duration::ZERO;
        }
    }

    /// Gives the present credentials up and forgets them. Those that a refresh is fetching are given
    /// up when they come, which is waited for a second; who wants them gets others.
    pub async fn release(&self, context: &Context) {
        let (held, flight) = {
            let mut state = self.shared.state();
            (state.current.take(), state.flight.take())
        };
        if let Some(held) = held {
            let credential = &held.snapshot.credential;
            self.shared.provider.release(context, credential).await;
        }
        if let Some(flight) = flight {
            let clock = &*context.clock;
            flight.wait(clock, clock.elapsed() + GOODBYE).await;
        }
    }

    /// Asks the provider afresh and reports what it, or each part of it, said.
    pub async fn explain(&self, context: &Context) -> Vec<ProviderReport> {
        self.shared.provider.explain(context).await
    }

    /// As [`explain`](Self::explain), for no longer than `limit`.
    pub(crate) async fn explain_within(
        &self,
        context: &Context,
        limit: Duration,
    ) -> Vec<ProviderReport> {
        let provider = &*self.shared.provider;
        tried::explain_within(provider, context, limit).await
    }
}

impl Need {
    /// What to go on with.
    fn served(self) -> Option<Snapshot> {
        match self {
            Self::Nothing(snapshot) | Self::Early(snapshot) | Self::Soon(snapshot) => {
                Some(snapshot)
            }
            Self::Now => None,
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a caller needs, with the refresh for it, which is begun where there is none but the one
    /// that is `overtaken`.
    fn look(
        self: &Arc<Self>,
        context: &Context,
        overtaken: Option<u64>,
    ) -> (Need, Option<Flight>, Option<Task>) {
        let mut state = self.state();
        let need = state.need(context);
        if matches!(need, Need::Nothing(_)) {
            return (need, None, None);
        }
        let flight = state.flight.as_ref();
        let going = flight.filter(|flight| overtaken != Some(flight.number) && !flight.is_lost());
        if let Some(flight) = going {
            let flight = flight.clone();
            return (need, Some(flight), None);
        }
        state.flights += 1;
        let (flight, task) = Flight::new(self, context, state.flights);
        state.flight = Some(flight.clone());
        (need, Some(flight), Some(task))
    }

    /// Takes what the refresh `number` came to. `None` where nobody wants it any more: the refresh
    /// was overtaken, or given up.
    fn land(
        &self,
        context: &Context,
        number: u64,
        fetched: Result<Arc<Credential>, CredentialError>,
    ) -> Option<Result<Snapshot, CredentialError>> {
        let now = context.clock.elapsed();
        let mut state = self.state();
        if state.flight.as_ref().map(|flight| flight.number) != Some(number) {
            return None;
        }
        state.flight = None;
        Some(match fetched {
            Ok(credential) => {
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
                match &state.current {
                    Some(held) if held.last.is_none_or(|last| now < last) => {
                        Ok(held.snapshot.clone())
                    }
                    _ => Err(error),
                }
            }
        })
    }

    fn too_late(&self, age: Duration) -> CredentialError {
        let message = format!(
            "no credentials yet after {:.1} s, and the time of the call is over",
            age.as_secs_f64()
        );
        CredentialError::new(Reason::TimedOut, self.provider.asked(), message)
            .with_hint("The fetch goes on, and a later call takes what it brings")
    }

    fn lost(&self) -> CredentialError {
        let message = "the task that fetched credentials was ended each time, as happens when a runtime is shut down";
        CredentialError::new(Reason::Unavailable, self.provider.asked(), message)
    }

    fn hold(
        &self,
        credential: Arc<Credential>,
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
                credential,
                generation,
            },
        }
    }
}

impl State {
    fn need(&self, context: &Context) -> Need {
        let now = context.clock.elapsed();
        let Some(held) = &self.current else {
            return Need::Now;
        };
        let reached = |limit: Option<Duration>| limit.is_some_and(|limit| now >= limit);
        // The counting clock stands still while a machine sleeps; the wall clock does not.
        let ends = held.snapshot.credential.expires_at;
        if ends.is_some_and(|end| end <= context.clock.now()) || reached(held.last) {
            return Need::Now;
        }
        let snapshot = held.snapshot.clone();
        if now < self.rest_until {
            Need::Nothing(snapshot)
        } else if reached(held.blocking) {
            Need::Soon(snapshot)
        } else if reached(held.early) {
            Need::Early(snapshot)
        } else {
            Need::Nothing(snapshot)
        }
    }
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;
