//! Providers that hang, panic or come late, callers who leave, clocks that jump.

mod runtimes;

use std::sync::atomic::{AtomicU32, Ordering};

use tokio::task::{JoinHandle, yield_now};

use super::*;
use crate::clock::BoxFuture;
use crate::credentials::Identity;
use crate::credentials::testing::World;
use crate::record::Secret;

/// What the next fetch does.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mood {
    /// A token after this many seconds.
    After(u64),
    Never,
    Panics,
    PanicsAtOnce,
    Fails,
}

#[derive(Debug)]
struct Moody {
    mood: Mutex<Mood>,
    fetches: AtomicU32,
    released: Mutex<Vec<String>>,
    /// How long its tokens live, in seconds.
    life: u64,
}

impl Provider for Moody {
    fn name(&self) -> &'static str {
        "moody"
    }

    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Credential, CredentialError>> {
        let number = self.fetches.fetch_add(1, Ordering::Relaxed);
        let mood = *self.mood.lock().unwrap();
        assert!(mood != Mood::PanicsAtOnce, "as the test wants");
        Box::pin(async move {
            match mood {
                Mood::After(0) => {}
                Mood::After(seconds) => {
                    context.clock.expire(Duration::from_secs(seconds)).await;
                }
                Mood::Never => std::future::pending().await,
                Mood::Fails => {
                    let reason = Reason::Unavailable;
                    return Err(CredentialError::new(reason, "moody", "down"));
                }
                Mood::Panics | Mood::PanicsAtOnce => {
                    yield_now().await;
                    panic!("as the test wants");
                }
            }
            let token = Secret::from(format!("t{number}"));
            let mut credential = Credential::new(Identity::Token(token), "test");
            credential.expires_at = Some(context.clock.now() + Duration::from_secs(self.life));
            Ok(credential)
        })
    }

    fn release<'a>(&'a self, _: &'a Context, credential: &'a Credential) -> BoxFuture<'a, ()> {
        self.released.lock().unwrap().push(token(credential));
        Box::pin(std::future::ready(()))
    }
}

fn token(credential: &Credential) -> String {
    match &credential.identity {
        Identity::Token(token) => token.expose().to_owned(),
        Identity::Keys(_) => panic!("keys"),
    }
}

struct Setup {
    world: World,
    provider: Arc<Moody>,
    cache: Arc<Cache>,
}

const HOUR: u64 = 3600;

fn setup(mood: Mood) -> Setup {
    let provider = Arc::new(Moody {
        mood: Mutex::new(mood),
        fetches: AtomicU32::new(0),
        released: Mutex::default(),
        life: HOUR,
    });
    Setup {
        world: World::new(&[]),
        cache: Arc::new(Cache::new(Arc::clone(&provider) as _)),
        provider,
    }
}

type Got = Result<String, CredentialError>;

impl Setup {
    /// A caller who gives up after so many milliseconds.
    fn caller(&self, patience: u64) -> impl Future<Output = Got> + use<> {
        let (cache, context) = (Arc::clone(&self.cache), self.world.context.clone());
        async move {
            let deadline = context.clock.elapsed() + Duration::from_millis(patience);
            let held = cache.get_by(&context, deadline).await?;
            Ok(token(&held.credential))
        }
    }

    fn callers(&self, count: usize, patience: u64) -> Vec<JoinHandle<Got>> {
        (0..count)
            .map(|_| tokio::spawn(self.caller(patience)))
            .collect()
    }

    fn advance(&self, milliseconds: u64) {
        self.world
            .clock
            .advance(Duration::from_millis(milliseconds));
    }

    fn mood(&self, mood: Mood) {
        *self.provider.mood.lock().unwrap() = mood;
    }

    fn fetches(&self) -> u32 {
        self.provider.fetches.load(Ordering::Relaxed)
    }

    fn released(&self) -> Vec<String> {
        self.provider.released.lock().unwrap().clone()
    }
}

/// Lets everything go on as far as it can without time.
async fn settle() {
    for _ in 0..200 {
        yield_now().await;
    }
}

async fn all(callers: Vec<JoinHandle<Got>>) -> Vec<Got> {
    let mut results = Vec::new();
    for caller in callers {
        results.push(caller.await.unwrap());
    }
    results
}

#[tokio::test]
async fn callers_who_give_up_leave_the_refresh_to_those_who_come_later() {
    let setup = setup(Mood::After(3));
    let first = setup.callers(30, 2500);
    settle().await;
    setup.advance(2500);
    for result in all(first).await {
        let error = result.unwrap_err();
        assert_eq!(error.reason, Reason::TimedOut);
        assert_eq!(
            error.to_string(),
            "moody: no credentials yet after 2.5 s, and the time of the call is over \
             (The fetch goes on, and a later call takes what it brings)"
        );
    }
    let second = setup.callers(30, 2500);
    settle().await;
    setup.advance(500);
    for result in all(second).await {
        assert_eq!(result.unwrap(), "t0");
    }
    assert_eq!(setup.fetches(), 1);
}

#[tokio::test]
async fn a_value_that_comes_when_everybody_has_left_is_kept() {
    let setup = setup(Mood::After(3));
    let gone = setup.callers(1, 1000);
    settle().await;
    setup.advance(1000);
    assert!(all(gone).await[0].is_err());
    setup.advance(2000);
    settle().await;
    assert_eq!(
        setup.caller(0).await.unwrap(),
        "t0",
        "no time is needed for it"
    );
    assert_eq!(setup.fetches(), 1);
}

#[tokio::test]
async fn a_thousand_callers_cause_one_login_and_share_its_failure() {
    for (mood, good) in [(Mood::After(1), 1000), (Mood::Fails, 0)] {
        let setup = setup(mood);
        let callers = setup.callers(1000, 120_000);
        settle().await;
        setup.advance(1000);
        let results = all(callers).await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), good);
        assert_eq!(setup.fetches(), 1);
    }
}

#[tokio::test]
async fn a_provider_that_never_answers_is_asked_anew_after_two_minutes() {
    let setup = setup(Mood::Never);
    let callers = setup.callers(3, 200_000);
    settle().await;
    setup.advance(120_000);
    for result in all(callers).await {
        let error = result.unwrap_err();
        assert_eq!(error.reason, Reason::Unavailable);
        assert!(error.message.contains("no answer within 120 s"), "{error}");
    }
    setup.mood(Mood::After(0));
    assert_eq!(setup.caller(1000).await.unwrap(), "t1");
}

#[tokio::test]
async fn a_provider_that_panics_fails_and_can_be_asked_again() {
    let setup = setup(Mood::Panics);
    for mood in [Mood::Panics, Mood::PanicsAtOnce] {
        setup.mood(mood);
        for result in all(setup.callers(50, 120_000)).await {
            let error = result.unwrap_err();
            assert_eq!(error.to_string(), "moody: the provider panicked");
        }
    }
    assert_eq!(setup.fetches(), 2);
    setup.mood(Mood::After(0));
    assert_eq!(setup.caller(1000).await.unwrap(), "t2");
}

#[tokio::test]
async fn a_clock_that_jumps_ends_no_refresh_and_serves_nothing_that_ended() {
    let setup = setup(Mood::After(0));
    setup.caller(1000).await.unwrap();
    // A suspended machine wakes up a day later, in the middle of a refresh.
    setup.advance((HOUR - 600) * 1000);
    setup.mood(Mood::After(60));
    assert_eq!(setup.caller(1000).await.unwrap(), "t0");
    settle().await;
    setup.advance(86_400_000);
    let woken = setup.callers(10, 120_000);
    for result in all(woken).await {
        assert_eq!(result.unwrap(), "t1");
    }
    assert_eq!(setup.fetches(), 2);
}

#[tokio::test]
async fn a_hanging_refresh_costs_little_while_the_value_works() {
    let setup = setup(Mood::After(0));
    setup.caller(1000).await.unwrap();
    setup.mood(Mood::Never);
    // Two minutes before the end callers wait, but not until they fail.
    setup.advance((HOUR - 120) * 1000);
    let brief = setup.callers(1, 4000);
    let patient = setup.callers(1, 120_000);
    settle().await;
    setup.advance(2000);
    assert_eq!(all(brief).await[0].as_ref().unwrap(), "t0");
    assert!(!patient[0].is_finished());
    setup.advance(8000);
    assert_eq!(all(patient).await[0].as_ref().unwrap(), "t0");
    assert_eq!(
        setup.caller(120_000).await.unwrap(),
        "t0",
        "at once from now on"
    );
    // In the last seconds there is nothing to go on with.
    setup.advance(105_000);
    let late = setup.callers(1, 1000);
    settle().await;
    setup.advance(1000);
    let error = all(late).await.remove(0).unwrap_err();
    assert_eq!(error.reason, Reason::TimedOut);
    assert_eq!(setup.fetches(), 2);
}

#[tokio::test]
async fn what_comes_after_the_client_was_closed_is_given_up() {
    let setup = setup(Mood::After(1));
    let waiting = setup.callers(2, 120_000);
    settle().await;
    let (cache, context) = (Arc::clone(&setup.cache), setup.world.context.clone());
    let closing = tokio::spawn(async move { cache.release(&context).await });
    settle().await;
    assert!(
        !closing.is_finished(),
        "closing waits for a login under way"
    );
    setup.mood(Mood::After(0));
    setup.advance(1000);
    closing.await.unwrap();
    assert_eq!(setup.released(), ["t0"]);
    for result in all(waiting).await {
        assert_eq!(result.unwrap(), "t1", "who wants credentials gets new ones");
    }
    assert_eq!(setup.fetches(), 2);
}

#[tokio::test]
async fn closing_does_not_wait_long_for_a_login_that_hangs() {
    let setup = setup(Mood::After(20));
    let waiting = setup.callers(1, 5000);
    settle().await;
    let (cache, context) = (Arc::clone(&setup.cache), setup.world.context.clone());
    let closing = tokio::spawn(async move { cache.release(&context).await });
    settle().await;
    setup.advance(1000);
    closing.await.unwrap();
    setup.advance(4000);
    assert!(all(waiting).await[0].is_err());
    setup.advance(15_000);
    settle().await;
    assert_eq!(setup.released(), ["t0"]);
}
