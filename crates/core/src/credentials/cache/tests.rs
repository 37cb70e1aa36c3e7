use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::SystemTime;

use super::*;
use crate::clock::BoxFuture;
use crate::credentials::testing::World;
use crate::credentials::{Identity, Reason};
use crate::record::Secret;

/// Gives tokens that live for `life` seconds (0: for ever), or fails, and counts.
#[derive(Debug, Default)]
struct Source {
    life: AtomicU64,
    failing: AtomicU32,
    count: AtomicU32,
    released: AtomicU32,
    pauses: u32,
}

const OK: u32 = 0;
const DOWN: u32 = 1;
const BLANK: u32 = 2;
const ENDED: u32 = 3;

impl Source {
    fn living(life: u64) -> Arc<Self> {
        Arc::new(Self {
            life: AtomicU64::new(life),
            pauses: 20,
            ..Self::default()
        })
    }

    fn set(&self, state: u32) {
        self.failing.store(state, Ordering::Relaxed);
    }

    fn count(&self) -> u32 {
        self.count.load(Ordering::Relaxed)
    }
}

impl Provider for Source {
    fn name(&self) -> &'static str {
        "source"
    }

    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Credential, CredentialError>> {
        Box::pin(async move {
            let number = self.count.fetch_add(1, Ordering::Relaxed);
            for _ in 0..self.pauses {
                tokio::task::yield_now().await;
            }
            let token = match self.failing.load(Ordering::Relaxed) {
                DOWN => return Err(CredentialError::new(Reason::Unavailable, "source", "down")),
                BLANK => "with space ".to_owned(),
                _ => format!("t{number}"),
            };
            let mut credential = Credential::new(Identity::Token(Secret::from(token)), "test");
            let life = self.life.load(Ordering::Relaxed);
            let now = context.clock.now();
            credential.expires_at = match self.failing.load(Ordering::Relaxed) {
                ENDED => Some(now),
                _ => (life > 0).then(|| now + Duration::from_secs(life)),
            };
            Ok(credential)
        })
    }

    fn release<'a>(&'a self, _: &'a Context, _: &'a Credential) -> BoxFuture<'a, ()> {
        self.released.fetch_add(1, Ordering::Relaxed);
        Box::pin(std::future::ready(()))
    }
}

fn token(snapshot: &Snapshot) -> String {
    match &snapshot.credential.identity {
        Identity::Token(token) => token.expose().to_owned(),
        Identity::Keys(_) => panic!("keys"),
    }
}

struct Setup {
    world: World,
    source: Arc<Source>,
    cache: Arc<Cache>,
}

fn setup(life: u64) -> Setup {
    let source = Source::living(life);
    let cache = Arc::new(Cache::new(Arc::clone(&source) as _));
    let world = World::new(&[]);
    Setup {
        world,
        source,
        cache,
    }
}

impl Setup {
    async fn get(&self) -> Result<String, CredentialError> {
        self.cache
            .get(&self.world.context)
            .await
            .map(|snapshot| token(&snapshot))
    }

    fn advance(&self, seconds: u64) {
        self.world.clock.advance(Duration::from_secs(seconds));
    }

    /// Lets what runs in the background come to its end.
    async fn settle(&self) {
        for _ in 0..4 * (self.source.pauses + 1) {
            tokio::task::yield_now().await;
        }
    }

    /// What `callers` at once get: how many succeed.
    async fn crowd(&self, callers: usize) -> usize {
        let tasks: Vec<_> = (0..callers)
            .map(|_| {
                let (cache, context) = (Arc::clone(&self.cache), self.world.context.clone());
                tokio::spawn(async move { cache.get(&context).await.is_ok() })
            })
            .collect();
        let mut good = 0;
        for task in tasks {
            good += usize::from(task.await.unwrap());
        }
        good
    }
}

const HOUR: u64 = 3600;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_callers_cause_one_refresh() {
    let setup = setup(HOUR);
    assert_eq!(setup.crowd(10_000).await, 10_000);
    assert_eq!(setup.source.count(), 1);
    setup.advance(HOUR + 1);
    assert_eq!(setup.crowd(10_000).await, 10_000);
    assert_eq!(setup.source.count(), 2);
}

#[tokio::test]
async fn ten_thousand_callers_of_a_failing_refresh_share_its_error() {
    let setup = setup(HOUR);
    setup.source.set(DOWN);
    assert_eq!(setup.crowd(10_000).await, 0);
    assert_eq!(setup.source.count(), 1);
    // Whoever comes later tries again.
    setup.source.set(OK);
    assert_eq!(setup.crowd(100).await, 100);
    assert_eq!(setup.source.count(), 2);
}

#[tokio::test]
async fn refreshing_is_early_and_nobody_waits_for_it() {
    let setup = setup(HOUR);
    assert_eq!(setup.get().await.unwrap(), "t0");
    // An hour's early window is its last quarter: 900 s, jitter included.
    setup.advance(HOUR - 901);
    assert_eq!(setup.get().await.unwrap(), "t0");
    setup.settle().await;
    assert_eq!(setup.source.count(), 1);
    setup.advance(1);
    for _ in 0..3 {
        assert_eq!(setup.get().await.unwrap(), "t0", "the present value");
    }
    setup.settle().await;
    assert_eq!(setup.get().await.unwrap(), "t1");
    assert_eq!(setup.source.count(), 2);
}

#[tokio::test]
async fn early_refreshes_of_many_machines_are_spread() {
    let mut ends = std::collections::BTreeSet::new();
    for seed in 0..50 {
        let mut setup = setup(24 * HOUR);
        setup.world.context.entropy = Arc::new(crate::clock::SeededEntropy::new(seed));
        setup.get().await.unwrap();
        let early = setup
            .cache
            .shared
            .state()
            .current
            .as_ref()
            .unwrap()
            .early
            .unwrap();
        let before = Duration::from_secs(24 * HOUR).saturating_sub(early);
        assert!(
            before >= Duration::from_secs(900) && before <= Duration::from_secs(960),
            "{before:?}"
        );
        ends.insert(early);
    }
    assert!(ends.len() > 40);
}

#[tokio::test]
async fn a_failed_refresh_serves_the_valid_value_until_the_last_moment() {
    let setup = setup(HOUR);
    setup.get().await.unwrap();
    setup.source.set(DOWN);
    setup.advance(HOUR - 120);
    assert_eq!(setup.get().await.unwrap(), "t0");
    assert_eq!(setup.source.count(), 2);
    // It rests for a second, then for two, then for four, before it tries again.
    for (wait, count) in [(0, 2), (1, 3), (1, 3), (1, 4), (3, 4), (1, 5)] {
        setup.advance(wait);
        assert_eq!(setup.get().await.unwrap(), "t0");
        assert_eq!(setup.source.count(), count, "after {wait} s more");
    }
    setup.advance(120 - 7 - 10);
    assert_eq!(setup.get().await.unwrap_err().message, "down");
    setup.source.set(OK);
    assert!(setup.get().await.unwrap().starts_with('t'));
}

#[tokio::test]
async fn rests_are_capped() {
    let setup = setup(24 * HOUR);
    setup.get().await.unwrap();
    setup.source.set(DOWN);
    setup.advance(24 * HOUR - 800);
    for _ in 0..12 {
        setup.get().await.unwrap();
        setup.settle().await;
        setup.advance(60);
    }
    assert_eq!(setup.source.count(), 13, "one refresh a minute at least");
}

#[tokio::test]
async fn what_cannot_work_is_never_stored() {
    for (state, what) in [(BLANK, "white space"), (ENDED, "ended")] {
        let setup = setup(HOUR);
        setup.get().await.unwrap();
        setup.source.set(state);
        setup.advance(HOUR - 120);
        assert_eq!(setup.get().await.unwrap(), "t0", "the valid value stays");
        setup.advance(120);
        let error = setup.get().await.unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    }
}

#[tokio::test]
async fn invalidating_drops_only_what_was_seen() {
    let setup = setup(0);
    let first = setup.cache.get(&setup.world.context).await.unwrap();
    setup.cache.invalidate(&first);
    let second = setup.cache.get(&setup.world.context).await.unwrap();
    assert_eq!(
        (token(&first).as_str(), token(&second).as_str()),
        ("t0", "t1")
    );
    // A slow call reports the old value once more: the new one stays.
    setup.cache.invalidate(&first);
    assert_eq!(setup.get().await.unwrap(), "t1");
    assert_eq!(setup.source.count(), 2);
}

#[tokio::test]
async fn without_an_end_nothing_is_refreshed() {
    let setup = setup(0);
    for _ in 0..5 {
        assert_eq!(setup.get().await.unwrap(), "t0");
        setup.advance(1000 * HOUR);
    }
}

#[tokio::test]
async fn short_lives_have_short_windows() {
    let setup = setup(60);
    setup.get().await.unwrap();
    setup.advance(44);
    assert_eq!(setup.get().await.unwrap(), "t0");
    setup.advance(1);
    assert_eq!(setup.get().await.unwrap(), "t0");
    setup.settle().await;
    assert_eq!(setup.get().await.unwrap(), "t1");
}

#[tokio::test]
async fn a_dropped_caller_leaves_the_refresh_to_the_next() {
    let setup = setup(HOUR);
    {
        let mut get = Box::pin(setup.get());
        let waker = std::task::Waker::noop();
        let polled = get
            .as_mut()
            .poll(&mut std::task::Context::from_waker(waker));
        assert!(polled.is_pending());
    }
    assert_eq!(setup.get().await.unwrap(), "t0");
    assert_eq!(setup.source.count(), 1);
}

#[tokio::test]
async fn releasing_gives_up_what_is_held_once() {
    let setup = setup(HOUR);
    setup.cache.release(&setup.world.context).await;
    setup.get().await.unwrap();
    setup.cache.release(&setup.world.context).await;
    setup.cache.release(&setup.world.context).await;
    assert_eq!(setup.source.released.load(Ordering::Relaxed), 1);
    assert_eq!(setup.get().await.unwrap(), "t1");
}

#[tokio::test]
async fn a_machine_that_slept_does_not_use_what_ended_meanwhile() {
    /// Counts no time, as the counting clock of a sleeping machine.
    #[derive(Debug)]
    struct Slept(crate::clock::ManualClock);
    impl crate::clock::Clock for Slept {
        fn now(&self) -> SystemTime {
            self.0.now()
        }
        fn elapsed(&self) -> Duration {
            Duration::ZERO
        }
        fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
            self.0.sleep(duration)
        }
        fn expire(&self, duration: Duration) -> BoxFuture<'static, ()> {
            self.0.expire(duration)
        }
    }
    let mut setup = setup(HOUR);
    setup.world.context.clock = Arc::new(Slept(setup.world.clock.clone()));
    setup.get().await.unwrap();
    setup.advance(HOUR);
    assert_eq!(setup.get().await.unwrap(), "t1");
}
