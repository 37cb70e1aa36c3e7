//! What do calls that are under way at the same time do to each other?

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use cumulo_apig::app_auth::CreateAuthorizingAppsV2;
use cumulo_core::clock::BoxFuture;
use cumulo_core::transport::{HttpRequest, HttpResponse, Transport, TransportError};
use cumulo_localcloud::accounts;
use cumulo_smc::access_token::ListAccessTokens;
use cumulo_smc::{Kind, Outcome};
use cumulo_tests::Bench;
use http::HeaderMap;
use tokio::task::JoinSet;

/// How many requests of each kind were under way at once, at most.
#[derive(Debug, Clone, Default)]
struct Crowd {
    now: Arc<Mutex<BTreeMap<String, usize>>>,
    most: Arc<Mutex<BTreeMap<String, usize>>>,
    served: Arc<AtomicUsize>,
    /// Never answers.
    silent: bool,
}

impl Crowd {
    fn most(&self, key: &str) -> usize {
        self.most.lock().unwrap().get(key).copied().unwrap_or(0)
    }
}

impl Transport for Crowd {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        // By application where the body names one.
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let key = ["app-1", "app-2"].iter().find(|app| body.contains(**app));
        let keys = ["all", key.copied().unwrap_or("none")];
        Box::pin(async move {
            for key in keys {
                let mut now = self.now.lock().unwrap();
                let count = now.entry(key.to_owned()).or_default();
                *count += 1;
                let mut most = self.most.lock().unwrap();
                let most = most.entry(key.to_owned()).or_default();
                *most = (*most).max(*count);
            }
            if self.silent {
                std::future::pending::<()>().await;
            }
            for _ in 0..50 {
                tokio::task::yield_now().await;
            }
            for key in keys {
                *self.now.lock().unwrap().get_mut(key).unwrap() -= 1;
            }
            self.served.fetch_add(1, Ordering::SeqCst);
            Ok(HttpResponse {
                status: 200,
                headers: HeaderMap::new(),
                body: Bytes::from_static(br#"{"AccessTokens":{"AccessToken":[]},"TotalCount":0}"#),
            })
        })
    }
}

async fn all<T: Send + 'static>(
    calls: impl Iterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let mut set = JoinSet::new();
    for call in calls {
        set.spawn(call);
    }
    set.join_all().await
}

#[tokio::test]
async fn no_more_requests_are_under_way_than_the_client_allows() {
    let bench = Bench::start().await;
    let crowd = Crowd::default();
    let smc = bench.smc().transport(crowd.clone()).max_in_flight(7);
    let smc = smc.build().unwrap();
    let results = all((0..200).map(|_| ListAccessTokens::new().send(&smc))).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(
        (crowd.most("all"), crowd.served.load(Ordering::SeqCst)),
        (7, 200)
    );
}

#[tokio::test]
async fn waiting_for_room_counts_in_a_calls_time_and_sends_nothing() {
    let bench = Bench::start().await;
    let crowd = Crowd {
        silent: true,
        ..Crowd::default()
    };
    let smc = bench.smc().transport(crowd.clone()).max_in_flight(1);
    let smc = smc.build().unwrap();
    let hanging = tokio::spawn({
        let smc = smc.clone();
        async move { ListAccessTokens::new().send(&smc).await }
    });
    while crowd.most("all") == 0 {
        tokio::task::yield_now().await;
    }
    let late = ListAccessTokens::new().send(&smc);
    let late = tokio::spawn(async move { late.timeout(Duration::from_secs(9)).await });
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    bench.clock.advance(Duration::from_secs(10));
    let error = late.await.unwrap().unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (Kind::Timeout, Outcome::NotSent)
    );
    assert!(error.message().contains("room"), "{error}");
    // Whoever gives up leaves the room to others.
    hanging.abort();
    assert!(hanging.await.unwrap_err().is_cancelled());
    let freed = ListAccessTokens::new().send(&smc);
    let freed = tokio::spawn(freed);
    while crowd.now.lock().unwrap()["all"] < 2 {
        tokio::task::yield_now().await;
    }
    freed.abort();
}

#[tokio::test]
async fn changes_of_the_same_thing_take_turns_and_others_do_not_wait() {
    let bench = Bench::start().await;
    let crowd = Crowd::default();
    let apig = bench.apig().transport(crowd.clone()).build().unwrap();
    let authorize =
        |app: &str| CreateAuthorizingAppsV2::new("env-1", [app], ["api-1"]).send(&apig.clone());
    let calls = (0..40).map(|number| authorize(if number % 2 == 0 { "app-1" } else { "app-2" }));
    let results = all(calls).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(
        (crowd.most("app-1"), crowd.most("app-2"), crowd.most("all")),
        (1, 1, 2)
    );
    let waited = results.iter().flatten().filter(|made| {
        // By a clock that stands still nobody waits, but everybody has an attempt that tells.
        made.attempts().len() == 1
    });
    assert_eq!(waited.count(), 40);
}

#[tokio::test]
async fn a_key_that_was_refused_is_not_tried_again_at_once() {
    let bench = Bench::start().await;
    let wrong = cumulo_core::credentials::Static::keys("LTAI-nobody", accounts::ALIBABA_SECRET);
    let smc = bench.smc().credentials(wrong).build().unwrap();
    let first = ListAccessTokens::new().send(&smc).await.unwrap_err();
    assert_eq!(
        (first.kind(), first.outcome()),
        (Kind::Unauthenticated, Outcome::Rejected)
    );
    let second = ListAccessTokens::new()
        .send(&smc.clone())
        .await
        .unwrap_err();
    assert_eq!(
        (second.kind(), second.outcome()),
        (Kind::Unauthenticated, Outcome::NotSent)
    );
    assert!(second.message().starts_with(first.message()), "{second}");
    assert_eq!((second.code(), second.hint()), (first.code(), first.hint()));
    assert_eq!(bench.cloud.requests().len(), 1);
    // After a while it is asked again: the key may exist by now.
    bench.clock.advance(Duration::from_secs(61));
    assert!(ListAccessTokens::new().send(&smc).await.is_err());
    assert_eq!(bench.cloud.requests().len(), 2);
}
