use super::*;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::SystemTime;

use crate::clock::{BoxFuture, SeededEntropy};
use crate::retry::{Patience, RetryPolicy};

/// tokio's paused time: it jumps to the next timer when nothing else is left to do.
#[derive(Debug, Clone)]
struct Paused(tokio::time::Instant);

impl Paused {
    fn start() -> Self {
        Self(tokio::time::Instant::now())
    }
}

impl Clock for Paused {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + self.elapsed()
    }
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// A service that allows so many calls a second, and as many at once.
struct Service {
    allowed: f64,
    bucket: Mutex<(f64, Duration)>,
    throttled: AtomicU32,
    served: AtomicU32,
}

impl Service {
    fn new(allowed: f64) -> Arc<Self> {
        Arc::new(Self::of(allowed))
    }

    fn of(allowed: f64) -> Self {
        Self {
            allowed,
            bucket: Mutex::new((allowed, Duration::ZERO)),
            throttled: AtomicU32::new(0),
            served: AtomicU32::new(0),
        }
    }

    /// Whether it takes a call.
    fn take(&self, now: Duration) -> bool {
        let mut bucket = self.bucket.lock().unwrap();
        let (tokens, filled) = *bucket;
        let tokens =
            (tokens + now.saturating_sub(filled).as_secs_f64() * self.allowed).min(self.allowed);
        let taken = tokens >= 1.0;
        *bucket = (if taken { tokens - 1.0 } else { tokens }, now);
        let count = if taken { &self.served } else { &self.throttled };
        count.fetch_add(1, Ordering::Relaxed);
        taken
    }
}

/// One call with its repeats; whether it succeeded.
async fn call(lane: &Lane, clock: &Paused, service: &Service, entropy: &SeededEntropy) -> bool {
    let policy = RetryPolicy::default();
    for before in 0..policy.attempts() {
        let leave = lane.admit(clock).await;
        clock.sleep(Duration::from_millis(20)).await;
        let now = clock.elapsed();
        if service.take(now) {
            leave.answered(now);
            return true;
        }
        leave.throttled(now, None);
        let wait = policy.delay(Patience::Throttled, before, None, entropy);
        clock.sleep(wait).await;
    }
    false
}

/// `calls` calls, `parallel` at a time; how many failed, and how long all took.
async fn run(
    clock: &Paused,
    pace: &Arc<Pace>,
    service: &Arc<Service>,
    calls: u32,
    parallel: u32,
) -> (u32, Duration) {
    let from = clock.elapsed();
    let next = Arc::new(AtomicU32::new(0));
    let mut workers = Vec::new();
    for worker in 0..parallel {
        let (clock, next) = (clock.clone(), Arc::clone(&next));
        let (pace, service) = (Arc::clone(pace), Arc::clone(service));
        workers.push(tokio::spawn(async move {
            let entropy = SeededEntropy::new(u64::from(worker));
            let mut failed = 0;
            while next.fetch_add(1, Ordering::Relaxed) < calls {
                let lane = pace.of(RetryClass::ReadOnly);
                failed += u32::from(!call(lane, &clock, &service, &entropy).await);
            }
            failed
        }));
    }
    let mut failed = 0;
    for worker in workers {
        failed += worker.await.unwrap();
    }
    (failed, clock.elapsed().saturating_sub(from))
}

#[tokio::test(start_paused = true)]
async fn a_service_that_allows_ten_calls_a_second_is_hardly_ever_asked_for_more() {
    for parallel in [4, 64, 256] {
        let service = Service::new(10.0);
        let (failed, took) = run(&Paused::start(), &Arc::default(), &service, 1000, parallel).await;
        let throttled = service.throttled.load(Ordering::Relaxed);
        assert_eq!(failed, 0, "{parallel}");
        assert!(
            throttled * 20 <= 1000 + throttled,
            "{parallel}: {throttled} throttled"
        );
        // And the service is used: it needs 99 s for them.
        assert!(took < Duration::from_secs(130), "{parallel}: {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_without_limits_is_not_slowed_down() {
    let service = Service::new(1e9);
    let (failed, took) = run(&Paused::start(), &Arc::default(), &service, 10_000, 1000).await;
    assert_eq!((failed, service.throttled.load(Ordering::Relaxed)), (0, 0));
    // Ten rounds of 20 ms, and some for the groups to grow.
    assert!(took < Duration::from_millis(500), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_long_for_answers_that_do_not_come() {
    let pace = Pace::default();
    let lane = pace.of(RetryClass::Unsafe);
    let clock = Paused::start();
    let mut leaves = Vec::new();
    for _ in 0..FIRST {
        leaves.push(lane.admit(&clock).await);
    }
    assert_eq!(clock.elapsed(), Duration::ZERO);
    let late = lane.admit(&clock).await;
    assert_eq!(clock.elapsed(), PATIENCE);
    drop((leaves, late));
    lane.admit(&clock).await.answered(clock.elapsed());
    assert_eq!(clock.elapsed(), PATIENCE, "there is room again");
}

#[tokio::test(start_paused = true)]
async fn a_hint_holds_the_whole_class_and_no_other() {
    let pace = Pace::default();
    let clock = Paused::start();
    let reads = pace.of(RetryClass::ReadOnly);
    let leave = reads.admit(&clock).await;
    leave.throttled(clock.elapsed(), Some(Duration::from_secs(7)));
    pace.of(RetryClass::Keyed)
        .admit(&clock)
        .await
        .answered(clock.elapsed());
    assert_eq!(clock.elapsed(), Duration::ZERO);
    reads.admit(&clock).await.answered(clock.elapsed());
    assert!(clock.elapsed() >= Duration::from_secs(7));
}

#[tokio::test(start_paused = true)]
async fn the_limit_is_forgotten_when_the_service_allows_more() {
    let (clock, pace) = (Paused::start(), Arc::default());
    let service = Service::new(10.0);
    run(&clock, &pace, &service, 200, 16).await;
    let service = Arc::new(Service {
        bucket: Mutex::new((1e9, clock.elapsed())),
        ..Service::of(1e9)
    });
    let (failed, took) = run(&clock, &pace, &service, 5000, 64).await;
    assert_eq!((failed, service.throttled.load(Ordering::Relaxed)), (0, 0));
    assert!(took < Duration::from_secs(40), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn refusals_now_and_then_slow_nobody_down() {
    let pace = Pace::default();
    let lane = pace.of(RetryClass::Keyed);
    let clock = Paused::start();
    for number in 0..2000 {
        let leave = lane.admit(&clock).await;
        clock.sleep(Duration::from_millis(1)).await;
        if number % 50 == 49 {
            leave.throttled(clock.elapsed(), None);
        } else {
            leave.answered(clock.elapsed());
        }
    }
    assert!(
        clock.elapsed() < Duration::from_secs(3),
        "{:?}",
        clock.elapsed()
    );
}
