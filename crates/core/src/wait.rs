//! Waiting until a thing is ready, done or gone, without a loop of one's own.
//!
//! ```text
//! let job = wait::replication_job_finished("j-1")
//!     .timeout(Duration::from_secs(3600))
//!     .on_progress(|seen| println!("{:?} {:?} %", seen.state, seen.progress))
//!     .on(&smc)
//!     .await?;
//! ```
//!
//! What each state means is data ([`Target`]); this module is the one loop for all of them. Whatever is
//! neither good nor bad is on its way. Dropping the future ends the wait; nothing goes on behind it.

mod look;
mod target;

use std::fmt;
use std::time::Duration;

use crate::client::Client;
use crate::error::{Error, Kind};
use crate::record::Json;

use look::Seen;
use target::Meaning;
pub use target::Target;

/// The first wait between two reads.
const INTERVAL: Duration = Duration::from_secs(2);
/// Waits grow up to this one.
const MAX_INTERVAL: Duration = Duration::from_secs(30);
/// So many reads in a row may fail, or find nothing, before the wait ends.
const TOLERATED: u32 = 4;
/// The last read, when time is up, takes no longer.
const LAST_READ: Duration = Duration::from_secs(10);

type OnProgress = Box<dyn FnMut(&Observation) + Send>;

/// A wait that was not begun yet, with its limits.
#[must_use = "a waiter reads nothing until `on(..)` is awaited"]
pub struct Waiter {
    thing: Thing,
    interval: Duration,
    max_interval: Duration,
    timeout: Option<Duration>,
    tolerated: u32,
    on_progress: Option<OnProgress>,
}

/// What is waited for.
#[derive(Clone)]
struct Thing {
    target: &'static Target,
    id: String,
    /// What else the read needs, or the good state is, by name.
    given: Vec<(&'static str, String)>,
}

/// What one read found.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Observation {
    /// The state, in the service's words; `None` where the thing tells none, or is gone.
    pub state: Option<String>,
    /// The progress in percent, 0 to 100, where the service tells it.
    pub progress: Option<u8>,
    /// Since the wait began, by the client's clock.
    pub elapsed: Duration,
    /// Whether this is what was waited for.
    pub done: bool,
    /// The thing as the service described it, in wire names, secrets hidden; null where it is gone.
    pub thing: Json,
}

impl Waiter {
    /// Waits for `target` of the thing `id`.
    pub fn new(target: &'static Target, id: impl Into<String>) -> Self {
        Self {
            thing: Thing {
                target,
                id: id.into(),
                given: Vec::new(),
            },
            interval: INTERVAL,
            max_interval: MAX_INTERVAL,
            timeout: None,
            tolerated: TOLERATED,
            on_progress: None,
        }
    }

    /// Gives the member `name` of the read, for reads that need parents; under a name that begins with
    /// `$`, a good state.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.thing.given.push((name, value.into()));
        self
    }

    /// The wait before the second read: 2 s unless set. Each further one is twice as long, until the
    /// state changes.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// The longest wait between two reads: 30 s unless set.
    pub fn max_interval(mut self, interval: Duration) -> Self {
        self.max_interval = interval;
        self
    }

    /// How long the wait may take. Without this it takes as long as it takes. When time is up, the
    /// thing is read once more.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// How many reads in a row may fail, or find no such thing: 4 unless set. Each read is repeated as
    /// any call is before it counts as failed. What cannot pass, such as missing rights, ends the
    /// wait at once.
    pub fn tolerate(mut self, failures: u32) -> Self {
        self.tolerated = failures;
        self
    }

    /// Calls `f` after each read.
    pub fn on_progress(mut self, f: impl FnMut(&Observation) + Send + 'static) -> Self {
        self.on_progress = Some(Box::new(f));
        self
    }

    /// Waits; what the last read found.
    ///
    /// The error names the last state that was seen: `OperationFailed` for one from which no good one
    /// follows, `NotFound` where the thing is not there or vanished, `Timeout` where time was up, and
    /// otherwise what kept it from being read.
    pub fn on<C: AsRef<Client>>(
        self,
        client: &C,
    ) -> impl Future<Output = Result<Observation, Error>> + Send + use<C> {
        let mut observations = self.observe(client);
        async move {
            loop {
                match observations.step().await {
                    Ok(seen) if !seen.done => {}
                    ended => return ended,
                }
            }
        }
    }

    /// The same wait, read by read.
    pub fn observe(self, client: &impl AsRef<Client>) -> Observations {
        Observations {
            delay: self.interval,
            waiter: self,
            client: client.as_ref().clone(),
            began: None,
            due: Duration::ZERO,
            misses: 0,
            hits: 0,
            passed: false,
            last: None,
            ended: false,
        }
    }
}

impl fmt::Debug for Waiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiter")
            .field("target", &self.thing.target.name)
            .field("id", &self.thing.id)
            .field("interval", &self.interval)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// A wait under way: one [`Observation`] after the other, until the last.
#[derive(Debug)]
#[must_use = "nothing is read until `next()` is awaited"]
pub struct Observations {
    waiter: Waiter,
    client: Client,
    /// When the first read began, by the clock's `elapsed`.
    began: Option<Duration>,
    /// When the next read is due.
    due: Duration,
    delay: Duration,
    /// Reads in a row that failed or found nothing.
    misses: u32,
    /// Reads in a row that found it good.
    hits: u32,
    /// A state was seen from which another one means failure.
    passed: bool,
    last: Option<Observation>,
    ended: bool,
}

impl Observations {
    /// What the next read finds, once it is due; `None` after the wait's end, which is an observation
    /// that is `done`, or an error. Dropping this future loses nothing: the next one goes on.
    pub async fn next(&mut self) -> Option<Result<Observation, Error>> {
        if self.ended {
            return None;
        }
        let step = self.step().await;
        self.ended = step.as_ref().map_or(true, |seen| seen.done);
        Some(step)
    }

    async fn step(&mut self) -> Result<Observation, Error> {
        let clock = self.client.inner.context.clock.clone();
        loop {
            let now = clock.elapsed();
            let began = *self.began.get_or_insert(now);
            let deadline = self
                .waiter
                .timeout
                .map_or(Duration::MAX, |timeout| began.saturating_add(timeout));
            let last_read = self.due >= deadline;
            let wait = self.due.min(deadline).saturating_sub(now);
            if wait > Duration::ZERO {
                clock.sleep(wait).await;
            }
            let left = match last_read {
                true => LAST_READ,
                false => deadline.saturating_sub(clock.elapsed()),
            };
            let limit = self.waiter.timeout.map(|_| left);
            let read = look::look(&self.client, &self.waiter.thing, self.passed, limit).await;
            let now = clock.elapsed();
            let elapsed = now.saturating_sub(began);
            let seen = self.judge(read, elapsed)?;
            self.due = now.saturating_add(self.delay);
            self.delay = self.delay.saturating_mul(2).min(self.waiter.max_interval);
            let done = seen.as_ref().is_some_and(|seen| seen.done);
            // A read that took all the time that was left is not followed by another.
            if (last_read || now >= deadline) && !done {
                return Err(self.late(elapsed));
            }
            if let Some(seen) = seen {
                return Ok(seen);
            }
        }
    }

    /// What a read means for the wait; `None` where it is to be made again.
    fn judge(
        &mut self,
        read: Result<Option<Seen>, Error>,
        elapsed: Duration,
    ) -> Result<Option<Observation>, Error> {
        let target = self.waiter.thing.target;
        let seen = match read {
            Ok(seen) => seen,
            Err(error) if error.is_not_found() => None,
            Err(error) => return self.unreadable(error).map(|()| None),
        };
        let Some(seen) = seen else {
            if target.gone {
                self.misses = 0;
                return Ok(Some(self.note(None, true, elapsed)));
            }
            return self.absent().map(|()| None);
        };
        self.misses = 0;
        let meaning = seen.meaning;
        self.passed |= target.is_passing(seen.state.as_deref().unwrap_or_default());
        if meaning == Meaning::Bad {
            let why = seen.why.clone();
            self.note(Some(seen), false, elapsed);
            return Err(self.failed(why));
        }
        let good = meaning == Meaning::Good && !target.gone;
        Ok(Some(self.note(Some(seen), good, elapsed)))
    }

    /// Keeps what was seen, and tells it.
    fn note(&mut self, seen: Option<Seen>, good: bool, elapsed: Duration) -> Observation {
        self.hits = if good { self.hits + 1 } else { 0 };
        let done = self.hits >= self.waiter.thing.target.hits;
        let (state, progress, thing) = match seen {
            Some(seen) => (seen.state, seen.progress, seen.json),
            None => (None, None, Json::Null),
        };
        let before = self.last.as_ref().and_then(|last| last.state.as_ref());
        if before != state.as_ref() {
            self.delay = self.waiter.interval;
        }
        let observation = Observation {
            state,
            progress,
            elapsed,
            done,
            thing,
        };
        if let Some(f) = &mut self.waiter.on_progress {
            f(&observation);
        }
        self.last = Some(observation.clone());
        observation
    }

    fn unreadable(&mut self, error: Error) -> Result<(), Error> {
        self.misses += 1;
        self.hits = 0;
        if error.is_retryable() && self.misses <= self.waiter.tolerated {
            return Ok(());
        }
        let message = format!(
            "{} cannot be read: {error}; {}",
            self.thing(),
            self.last_seen()
        );
        Err(self.error(error.kind(), message).with_source(error))
    }

    fn absent(&mut self) -> Result<(), Error> {
        self.misses += 1;
        self.hits = 0;
        if self.misses <= self.waiter.tolerated {
            return Ok(());
        }
        let message = match &self.last {
            Some(_) => format!("{} vanished; {}", self.thing(), self.last_seen()),
            None => format!("{} does not exist", self.thing()),
        };
        Err(self.error(Kind::NotFound, message))
    }

    fn failed(&self, why: Option<String>) -> Error {
        let why = why.map(|why| format!(": {why}")).unwrap_or_default();
        let target = self.waiter.thing.target;
        let state = self.last.as_ref().and_then(|last| last.state.as_deref());
        let state = state.unwrap_or_default();
        let passed = match target.through {
            Some((first, then)) if self.passed && state.eq_ignore_ascii_case(then) => {
                format!(", having been {first}")
            }
            _ => String::new(),
        };
        let message = format!("{} is {state}{passed}{why}", self.thing());
        self.error(Kind::OperationFailed, message)
    }

    fn late(&self, elapsed: Duration) -> Error {
        let message = format!(
            "{} is not there yet after {} s; {}",
            self.thing(),
            elapsed.as_secs(),
            self.last_seen()
        );
        self.error(Kind::Timeout, message)
            .with_hint("It may still get there: wait on")
    }

    fn thing(&self) -> String {
        let Thing { target, id, .. } = &self.waiter.thing;
        format!(
            "the {} `{}`",
            target.of.replace('-', " "),
            id.escape_debug()
        )
    }

    fn last_seen(&self) -> String {
        let Some(last) = &self.last else {
            return "it was never seen".into();
        };
        let state = match &last.state {
            Some(state) => format!("it was last seen in state {state}"),
            None => "it was last seen without a state".into(),
        };
        match last.progress {
            Some(progress) => format!("{state}, at {progress} %"),
            None => state,
        }
    }

    /// Reading changes nothing, so that an unknown outcome is no worry.
    fn error(&self, kind: Kind, message: String) -> Error {
        let mut error = Error::new(kind, self.waiter.thing.target.name, message);
        error.inner().harmless = true;
        error
    }
}
