//! Time, sleep and randomness, injected so that tests need neither.

use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant, SystemTime};

/// A boxed future, for traits whose implementations are chosen at run time.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What time it is, and how to wait.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The wall clock, for timestamps in requests.
    fn now(&self) -> SystemTime;
    /// Time since some fixed point, never going back, for deadlines.
    fn elapsed(&self) -> Duration;
    /// Waits.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
    /// Ends when `duration` is over: a limit on something else that is awaited beside it.
    ///
    /// The same as [`sleep`](Self::sleep) on clocks that run by themselves. A clock whose `sleep`
    /// ends at once must override it, or every limit would be over at once.
    fn expire(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.sleep(duration)
    }
}

/// What `work` comes to, or `None` where it takes longer than `limit`. It is dropped then.
///
/// A limit of [`Duration::MAX`] is none. No timer is set for work that is done at once.
pub async fn within<T>(
    clock: &dyn Clock,
    limit: Duration,
    work: impl Future<Output = T>,
) -> Option<T> {
    let mut work = pin!(work);
    let mut timer = None;
    poll_fn(|task| {
        if let Poll::Ready(done) = work.as_mut().poll(task) {
            return Poll::Ready(Some(done));
        }
        let timer = timer.get_or_insert_with(|| clock.expire(limit));
        timer.as_mut().poll(task).map(|()| None)
    })
    .await
}

/// Seconds since 1970 of a wall-clock time, negative before.
pub fn unix_seconds(time: SystemTime) -> i64 {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX),
    }
}

/// This machine's offset from UTC in seconds, now; 0 where its time zone cannot be read.
///
/// Windows has names of zones and no rules for them: those that are compiled in count there.
pub fn local_utc_offset() -> i32 {
    jiff::Zoned::now().offset().seconds()
}

/// The operating system's clock and tokio's timer.
#[derive(Debug, Clone)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// Starts counting now.
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place that reads the clock"
    )]
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place that reads the clock"
    )]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// A clock for tests: sleeping moves it forward at once; a limit ends when something else has moved
/// it that far.
#[derive(Debug, Clone)]
pub struct ManualClock {
    state: Arc<Mutex<Manual>>,
}

#[derive(Debug)]
struct Manual {
    start: SystemTime,
    elapsed: Duration,
    slept: Vec<Duration>,
    /// Whoever waits for a limit, by number.
    waiting: BTreeMap<u64, Waker>,
    limits: u64,
}

impl Manual {
    /// Moves forward, and says whom to wake.
    fn pass(&mut self, duration: Duration) -> BTreeMap<u64, Waker> {
        self.elapsed = self.elapsed.saturating_add(duration);
        std::mem::take(&mut self.waiting)
    }
}

/// Wakers run code of others: call this without the lock.
fn wake(waiting: BTreeMap<u64, Waker>) {
    waiting.into_values().for_each(Waker::wake);
}

impl ManualClock {
    /// A clock that stands at `start`.
    pub fn new(start: SystemTime) -> Self {
        Self {
            state: Arc::new(Mutex::new(Manual {
                start,
                elapsed: Duration::ZERO,
                slept: Vec::new(),
                waiting: BTreeMap::new(),
                limits: 0,
            })),
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, Manual> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let waiting = self.state().pass(by);
        wake(waiting);
    }

    /// Every wait so far, in order.
    pub fn slept(&self) -> Vec<Duration> {
        self.state().slept.clone()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        let state = self.state();
        let now = state.start.checked_add(state.elapsed);
        now.unwrap_or(state.start)
    }
    fn elapsed(&self) -> Duration {
        self.state().elapsed
    }
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let clock = self.clone();
        Box::pin(async move {
            let waiting = {
                let mut state = clock.state();
                state.slept.push(duration);
                state.pass(duration)
            };
            wake(waiting);
            tokio::task::yield_now().await;
        })
    }
    fn expire(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let mut state = self.state();
        state.limits += 1;
        Box::pin(Expire {
            clock: self.clone(),
            until: state.elapsed.saturating_add(duration),
            number: state.limits,
        })
    }
}

/// A limit by a [`ManualClock`].
struct Expire {
    clock: ManualClock,
    until: Duration,
    number: u64,
}

impl Future for Expire {
    type Output = ();

    fn poll(self: Pin<&mut Self>, task: &mut std::task::Context<'_>) -> Poll<()> {
        let mut state = self.clock.state();
        if state.elapsed >= self.until {
            return Poll::Ready(());
        }
        state.waiting.insert(self.number, task.waker().clone());
        Poll::Pending
    }
}

impl Drop for Expire {
    fn drop(&mut self) {
        let waiting = self.clock.state().waiting.remove(&self.number);
        drop(waiting);
    }
}

/// A source of random bytes.
pub trait Entropy: Send + Sync + fmt::Debug {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);

    /// A random fraction, at least 0 and below 1.
    fn fraction(&self) -> f64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        // 53 bits are what a double holds.
        (u64::from_le_bytes(bytes) >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// A random UUID, version 4.
pub(crate) fn uuid(entropy: &dyn Entropy) -> uuid::Uuid {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

/// The operating system's random numbers, drawn in blocks to spare system calls.
#[derive(Default)]
pub struct SystemEntropy {
    pool: Mutex<Pool>,
}

struct Pool {
    bytes: [u8; Pool::SIZE],
    used: usize,
}

impl Pool {
    const SIZE: usize = 512;
}

impl Default for Pool {
    fn default() -> Self {
        Self {
            bytes: [0; Self::SIZE],
            used: Self::SIZE,
        }
    }
}

impl fmt::Debug for SystemEntropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SystemEntropy")
    }
}

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        for byte in bytes {
            if pool.used == Pool::SIZE {
                // Without random numbers no nonce is safe to send; the system has none only when it
                // is broken beyond what a caller could handle.
                getrandom::fill(&mut pool.bytes)
                    .expect("the operating system has no random numbers");
                pool.used = 0;
            }
            let used = pool.used;
            *byte = std::mem::take(&mut pool.bytes[used]);
            pool.used += 1;
        }
    }
}

/// Reproducible numbers for tests; never for real requests.
#[derive(Debug)]
pub struct SeededEntropy(Mutex<u64>);

impl SeededEntropy {
    /// Starts from `seed`.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for byte in bytes {
            // SplitMix64.
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = *state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            *byte = (z ^ (z >> 31)) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without them `local_utc_offset` is 0 there, whatever the clock on the wall says.
    #[cfg(windows)]
    #[test]
    fn windows_knows_the_rules_of_zones() {
        let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
        let offset = zone.to_offset(jiff::Timestamp::UNIX_EPOCH);
        assert_eq!(offset.seconds(), 8 * 3600);
    }

    #[tokio::test]
    async fn a_limit_by_hand_ends_when_somebody_moves_the_clock() {
        let clock = ManualClock::new(SystemTime::UNIX_EPOCH);
        let limit = Duration::from_secs(2);
        assert_eq!(within(&clock, limit, std::future::ready(7)).await, Some(7));
        let mover = clock.clone();
        let moved = tokio::spawn(async move {
            for _ in 0..3 {
                tokio::task::yield_now().await;
                mover.sleep(Duration::from_secs(1)).await;
            }
        });
        assert_eq!(
            within(&clock, limit, std::future::pending::<()>()).await,
            None
        );
        assert_eq!(clock.elapsed(), limit);
        moved.await.unwrap();
        assert!(
            clock.state().waiting.is_empty(),
            "a limit that is over waits for nothing"
        );
        // Without a limit, work that takes time is waited for.
        let slow = async { clock.sleep(Duration::from_secs(1000)).await };
        assert_eq!(within(&clock, Duration::MAX, slow).await, Some(()));
    }
}
