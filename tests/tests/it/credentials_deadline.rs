//! Does a call's timeout hold while its credentials are fetched, and does its error stay true?

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cumulo_core::clock::BoxFuture;
use cumulo_core::credentials::{Context, Credential, CredentialError, Provider, Reason, Static};
use cumulo_core::huawei::credentials as huawei;
use cumulo_core::zstack::credentials as zstack;
use cumulo_localcloud::{FaultKind, Service, accounts};
use cumulo_smc::access_token::{CreateAccessToken, ListAccessTokens};
use cumulo_smc::replication_job::CreateReplicationJob;
use cumulo_smc::{Kind, Outcome};
use cumulo_tests::{Bench, serve};
use tokio::task::yield_now;

/// Keys that come after a while, or never.
#[derive(Debug, Clone, Default)]
struct Slow {
    takes: Option<Duration>,
    /// How long the keys work.
    life: Option<Duration>,
    /// After so many fetches no further one ends.
    ends_after: Option<u32>,
    fetches: Arc<AtomicU32>,
    done: Arc<AtomicU32>,
}

impl Provider for Slow {
    fn name(&self) -> &'static str {
        "slow"
    }

    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Credential, CredentialError>> {
        Box::pin(async move {
            let number = self.fetches.fetch_add(1, Ordering::Relaxed);
            match self.takes {
                Some(takes) if self.ends_after.is_none_or(|ends| number < ends) => {
                    context.clock.expire(takes).await;
                }
                _ => std::future::pending().await,
            }
            self.done.fetch_add(1, Ordering::Relaxed);
            let keys = Static::keys(accounts::ALIBABA_KEY_ID, accounts::ALIBABA_SECRET);
            let mut credential = keys.provide(context).await?;
            credential.expires_at = self.life.map(|life| context.clock.now() + life);
            Ok(credential)
        })
    }
}

const SECONDS: Duration = Duration::from_secs(1);

async fn settle() {
    for _ in 0..100 {
        yield_now().await;
    }
}

#[tokio::test]
async fn every_way_to_credentials_ends_with_its_timeout() {
    let bench = Bench::start().await;
    let slow = Slow::default();
    let smc = bench
        .smc()
        .credentials(slow.clone())
        .timeout(5 * SECONDS)
        .build()
        .unwrap();
    let call = tokio::spawn(ListAccessTokens::new().send(&smc).timeout(2 * SECONDS));
    let usual = tokio::spawn(ListAccessTokens::new().send(&smc));
    let dry = tokio::spawn(CreateAccessToken::new().send(&smc).dry_run());
    let core = smc.as_ref().clone();
    let connecting = tokio::spawn({
        let core = core.clone();
        async move { core.connect().await }
    });
    let asking = tokio::spawn({
        let core = core.clone();
        async move { core.credentials().await }
    });
    let explaining = tokio::spawn(async move { core.explain_credentials().await });
    settle().await;
    assert_eq!(
        slow.fetches.load(Ordering::Relaxed),
        2,
        "one is the report's own"
    );
    bench.clock.advance(2 * SECONDS);
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(
        error.to_string(),
        "ListAccessTokens failed: slow: no credentials yet after 2.0 s, and the time of the call \
         is over (The fetch goes on, and a later call takes what it brings)"
    );
    assert_eq!(
        (error.kind(), error.outcome()),
        (Kind::Timeout, Outcome::NotSent)
    );
    assert!(error.is_timeout() && error.is_retryable() && !error.is_authentication());
    assert!(error.attempts().is_empty());
    settle().await;
    assert!(!usual.is_finished() && !connecting.is_finished() && !explaining.is_finished());
    bench.clock.advance(3 * SECONDS);
    let ends = [
        usual.await.unwrap().unwrap_err(),
        dry.await.unwrap().unwrap_err(),
        connecting.await.unwrap().unwrap_err(),
    ];
    for error in ends {
        assert_eq!(
            (error.kind(), error.outcome()),
            (Kind::Timeout, Outcome::NotSent)
        );
    }
    let error = asking.await.unwrap().unwrap_err();
    assert_eq!(error.reason, Reason::TimedOut);
    let report = explaining.await.unwrap();
    assert_eq!(report[0].to_string(), "slow: gave no answer within 5 s");
    assert!(bench.cloud.requests().is_empty());
}

#[tokio::test]
async fn callers_without_patience_succeed_in_the_end() {
    let bench = Bench::start().await;
    let slow = Slow {
        takes: Some(3 * SECONDS),
        ..Slow::default()
    };
    let smc = bench.smc().credentials(slow.clone()).build().unwrap();
    let patience = 2500 * SECONDS / 1000;
    let mut good = 0;
    for _ in 0..30 {
        let call = tokio::spawn(ListAccessTokens::new().send(&smc).timeout(patience));
        settle().await;
        // The first one leaves; the second one waits for what the first one began.
        for _ in 0..5 {
            if good == 0 {
                bench.clock.advance(patience / 5);
                settle().await;
            }
            if slow.done.load(Ordering::Relaxed) > 0 {
                break;
            }
        }
        good += usize::from(call.await.unwrap().is_ok());
    }
    assert_eq!(good, 29);
    assert_eq!(slow.fetches.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn what_the_fetch_took_is_not_left_for_the_answer() {
    let bench = Bench::start().await;
    let slow = Slow {
        takes: Some(SECONDS),
        ..Slow::default()
    };
    let smc = bench.smc().credentials(slow).build().unwrap();
    bench.fault(
        Service::Smc,
        "ListAccessTokens",
        FaultKind::ServerError(503),
    );
    let call = tokio::spawn(
        ListAccessTokens::new()
            .send(&smc)
            .timeout(SECONDS + SECONDS / 1000),
    );
    settle().await;
    bench.clock.advance(SECONDS);
    // A millisecond is left, and no repeat waits less.
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(error.attempts().len(), 1);
}

#[tokio::test]
async fn a_fetch_that_fails_does_not_hide_that_an_earlier_attempt_may_have_worked() {
    let bench = Bench::start().await;
    let slow = Slow {
        takes: Some(Duration::ZERO),
        life: Some(Duration::from_millis(1)),
        ends_after: Some(1),
        ..Slow::default()
    };
    let smc = bench.smc().credentials(slow).build().unwrap();
    bench.fault(
        Service::Smc,
        "CreateReplicationJob",
        FaultKind::LoseResponse,
    );
    let create = CreateReplicationJob::new("s-1").send(&smc);
    let call = tokio::spawn(create.timeout(5 * SECONDS));
    // The first keys have ended when the call is to be repeated, and no others come.
    while bench.clock.slept().is_empty() && !call.is_finished() {
        yield_now().await;
    }
    settle().await;
    bench.clock.advance(5 * SECONDS);
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome(), error.attempts().len()),
        (Kind::Timeout, Outcome::Unknown, 1)
    );
    assert!(error.client_token().is_some());
    let text = error.to_string();
    assert!(text.contains("it may have been executed"), "{text}");
}

#[tokio::test]
async fn keystone_and_zstack_that_hang_hold_no_call_longer_than_its_timeout() {
    let bench = Bench::start().await;
    let silent = serve("").await;
    let address = format!("http://{}", silent.address);
    let login = huawei::Password::new("u", "s3cr3t")
        .domain_name("d")
        .project_name("p")
        .iam_endpoint(&address);
    let apig = bench.apig().credentials(login).build().unwrap();
    let zstack = bench
        .zstack()
        .credentials(zstack::AccountLogin::new(&address, "admin", "s3cr3t"))
        .build()
        .unwrap();
    let list = cumulo_apig::app::ListAppsV2::new().send(&apig);
    let apps = tokio::spawn(list.timeout(2 * SECONDS));
    let list = cumulo_zstack::access_key::QueryAccessKey::new().send(&zstack);
    let keys = tokio::spawn(list.timeout(2 * SECONDS));
    while silent.connections() < 2 && !apps.is_finished() && !keys.is_finished() {
        yield_now().await;
    }
    bench.clock.advance(2 * SECONDS);
    for (error, provider) in [
        (apps.await.unwrap().unwrap_err(), "Keystone password"),
        (keys.await.unwrap().unwrap_err(), "ZStack login"),
    ] {
        assert_eq!(
            (error.kind(), error.outcome()),
            (Kind::Timeout, Outcome::NotSent)
        );
        let text = error.explain();
        assert!(
            text.contains(provider) && !text.contains("s3cr3t"),
            "{text}"
        );
    }
}
