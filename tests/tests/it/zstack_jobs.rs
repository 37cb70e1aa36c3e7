//! Are ZStack's jobs started once, watched to their end, and never lost?

use std::time::Duration;

use cumulo_core::ClientToken;
use cumulo_localcloud::{Fault, FaultKind, LocalCloud, Service, accounts};
use cumulo_tests::{Answer, Bench, Script};
use cumulo_zstack::access_key::{
    AccessKeyState, ChangeAccessKeyState, CreateAccessKey, DeleteAccessKey, QueryAccessKey,
};
use cumulo_zstack::{Client, Kind, Outcome};

const CREATE: &str = "CreateAccessKey";

fn create() -> CreateAccessKey {
    CreateAccessKey::new(accounts::ZSTACK_ACCOUNT_UUID, accounts::ZSTACK_USER_UUID)
}

async fn keys(zstack: &Client) -> usize {
    QueryAccessKey::new()
        .send(zstack)
        .await
        .unwrap()
        .inventories
        .len()
}

#[tokio::test]
async fn a_job_is_polled_until_it_ends() {
    let bench = Bench::of(
        LocalCloud::builder()
            .zstack_job_polls(3)
            .start()
            .await
            .unwrap(),
    );
    let zstack = bench.zstack().build().unwrap();
    let changed = ChangeAccessKeyState::new(accounts::ZSTACK_KEY_UUID, "enable")
        .send(&zstack)
        .await
        .unwrap();
    assert_eq!(
        changed.inventory.as_ref().unwrap().state.as_deref(),
        Some(AccessKeyState::ENABLED)
    );
    assert_eq!(changed.http_status(), 200);
    assert_eq!(bench.seen("PollJob").len(), 4);
    let waits: Vec<u128> = bench
        .clock
        .slept()
        .iter()
        .map(Duration::as_millis)
        .collect();
    assert_eq!(waits, [500, 1000, 2000, 4000]);
    // The id of the job is the one that was sent, without hyphens.
    let sent = bench.only("ChangeAccessKeyState");
    let job = sent.header("x-job-uuid").unwrap();
    assert_eq!((job.len(), changed.job()), (32, Some(job)));
    assert_eq!(changed.client_token().unwrap().as_str(), job);
    assert!(bench.seen("PollJob")[0].target.ends_with(job));
    // `location` names an address that clients need not reach.
    assert_eq!(bench.cloud.stray_connections(), 0);
    assert!(
        bench
            .seen("PollJob")
            .iter()
            .all(|poll| poll.header("authorization").is_none())
    );
}

#[tokio::test]
async fn an_answer_at_once_is_taken_as_well() {
    let bench = Bench::of(
        LocalCloud::builder()
            .zstack_synchronous(true)
            .start()
            .await
            .unwrap(),
    );
    let zstack = bench.zstack().build().unwrap();
    let changed = ChangeAccessKeyState::new(accounts::ZSTACK_KEY_UUID, "enable")
        .send(&zstack)
        .await
        .unwrap();
    assert!(changed.inventory.is_some());
    assert_eq!(changed.job(), None);
    assert!(bench.seen("PollJob").is_empty());
    assert!(bench.clock.slept().is_empty());
}

#[tokio::test]
async fn a_lost_answer_is_settled_by_asking_after_the_job() {
    let bench = Bench::start().await;
    let zstack = bench.zstack().build().unwrap();
    bench.fault(Service::Zstack, CREATE, FaultKind::LoseResponse);
    let made = create().send(&zstack).await.unwrap();
    assert!(made.inventory.as_ref().unwrap().access_key_secret.is_some());
    // The call went out once; the rest was watching.
    let job = bench.only(CREATE).header("x-job-uuid").unwrap().to_owned();
    assert!(
        bench
            .seen("PollJob")
            .iter()
            .all(|poll| poll.target.ends_with(&job))
    );
    assert_eq!(keys(&zstack).await, 2);
}

#[tokio::test]
async fn a_lost_request_is_sent_again_with_the_same_job_id() {
    for fault in [
        FaultKind::LoseRequest,
        FaultKind::Reset,
        FaultKind::Html(502),
    ] {
        let bench = Bench::start().await;
        let zstack = bench.zstack().build().unwrap();
        bench.fault(Service::Zstack, CREATE, fault.clone());
        create().send(&zstack).await.unwrap();
        let seen = bench.seen(CREATE);
        assert_eq!(seen.len(), 2, "{fault:?}");
        assert_eq!(
            seen[0].header("x-job-uuid"),
            seen[1].header("x-job-uuid"),
            "{fault:?}"
        );
        assert_eq!(keys(&zstack).await, 2, "{fault:?}");
        // Before that, the client asked whether the job exists.
        let order: Vec<_> = bench
            .cloud
            .requests()
            .into_iter()
            .filter_map(|seen| seen.operation)
            .collect();
        assert_eq!(&order[..3], [CREATE, "PollJob", CREATE], "{fault:?}");
    }
}

#[tokio::test]
async fn a_job_that_the_server_knows_already_is_watched() {
    let bench = Bench::start().await;
    let zstack = bench.zstack().build().unwrap();
    let token = ClientToken::derived("rotation-7/new-key");
    let first = create()
        .send(&zstack)
        .client_token(token.clone())
        .await
        .unwrap();
    // After a crash, the same token finds the same job: `Duplicate job uuid` leads to polling.
    let second = create().send(&zstack).client_token(token).await.unwrap();
    assert_eq!(
        first.inventory.as_ref().unwrap().uuid,
        second.inventory.as_ref().unwrap().uuid
    );
    assert_eq!(bench.seen(CREATE)[1].status, Some(400));
    assert_eq!(keys(&zstack).await, 2);
}

#[tokio::test]
async fn only_uuids_are_job_ids_and_only_jobs_take_them() {
    let bench = Bench::start().await;
    let zstack = bench.zstack().build().unwrap();
    let bad = create()
        .send(&zstack)
        .client_token("order-42")
        .await
        .unwrap_err();
    assert_eq!(
        (bad.kind(), bad.outcome()),
        (Kind::InvalidInput, Outcome::NotSent)
    );
    assert!(bad.to_string().contains("UUID"), "{bad}");
    let query = QueryAccessKey::new()
        .send(&zstack)
        .client_token("0".repeat(32));
    assert_eq!(query.await.unwrap_err().kind(), Kind::InvalidInput);
    assert!(bench.cloud.requests().is_empty());
}

#[tokio::test]
async fn the_jobs_own_failure_is_the_calls_failure() {
    let bench = Bench::start().await;
    let zstack = bench.zstack().build().unwrap();
    let failed = create()
        .access_key_id(accounts::ZSTACK_KEY_ID)
        .send(&zstack)
        .await
        .unwrap_err();
    assert_eq!(failed.code(), Some("SYS.1002"));
    assert_eq!(
        (failed.kind(), failed.outcome()),
        (Kind::OperationFailed, Outcome::Rejected)
    );
    // The innermost cause says what happened.
    assert!(
        failed.message().contains("SYS.1007") && failed.message().contains("exists"),
        "{failed}"
    );
    assert_eq!(bench.seen(CREATE).len(), 1);
    assert!(failed.job().is_some());
}

#[tokio::test]
async fn polls_survive_an_outage() {
    let bench = Bench::start().await;
    let zstack = bench.zstack().build().unwrap();
    for fault in [
        FaultKind::Reset,
        FaultKind::Html(502),
        FaultKind::LoseResponse,
    ] {
        bench.fault(Service::Zstack, "PollJob", fault);
    }
    create().send(&zstack).await.unwrap();
    assert_eq!(bench.seen(CREATE).len(), 1);
    assert_eq!(keys(&zstack).await, 2);
}

#[tokio::test]
async fn a_forgotten_job_leaves_the_outcome_unknown() {
    let bench = Bench::start().await;
    let script = Script::new([
        Answer::new(
            202,
            r#"{"location":"http://10.0.0.1/zstack/v1/api-jobs/j1"}"#,
        ),
        Answer::new(202, "{}"),
        Answer::new(404, "the job has been expired"),
    ]);
    let zstack = bench.zstack().transport(script.clone()).build().unwrap();
    let lost = create().send(&zstack).await.unwrap_err();
    assert_eq!(lost.outcome(), Outcome::Unknown);
    assert_eq!(lost.job(), Some("j1"));
    let text = lost.to_string();
    assert!(
        text.contains("it may have been executed") && text.contains("job j1"),
        "{text}"
    );
    assert_eq!(script.sent().len(), 3);
    // The poll goes to the configured endpoint, whatever host `location` names.
    let polled = script.sent()[1].url.as_str().to_owned();
    assert_eq!(
        polled,
        format!("{}/v1/api-jobs/j1", bench.cloud.zstack_endpoint())
    );
}

#[tokio::test]
async fn a_job_gets_the_servers_own_time_and_a_little_more() {
    let bench = Bench::start().await;
    let pending = || Answer::new(202, r#"{"location":"/v1/api-jobs/j1","apiTimeout":20000}"#);
    let zstack = bench
        .zstack()
        .transport(Script::new((0..100).map(|_| pending())))
        .build()
        .unwrap();
    let late = create().send(&zstack).await.unwrap_err();
    assert_eq!(
        (late.kind(), late.outcome()),
        (Kind::Timeout, Outcome::Unknown)
    );
    let waited: Duration = bench.clock.slept().iter().sum();
    assert!((60..=80).contains(&waited.as_secs()), "{waited:?}");
    // A timeout of the caller's own counts instead.
    let bench = Bench::start().await;
    let zstack = bench
        .zstack()
        .transport(Script::new((0..100).map(|_| pending())))
        .build()
        .unwrap();
    let late = create()
        .send(&zstack)
        .timeout(Duration::from_secs(5))
        .await
        .unwrap_err();
    assert_eq!(late.outcome(), Outcome::Unknown);
    assert!(bench.clock.slept().iter().sum::<Duration>() < Duration::from_secs(5));
    assert_eq!(late.job(), Some("j1"));
}

#[tokio::test]
async fn deletes_are_safe_to_repeat() {
    let bench = Bench::start().await;
    let zstack = bench.zstack().build().unwrap();
    let made = create().send(&zstack).await.unwrap();
    let uuid = made.output.inventory.unwrap().uuid.unwrap();
    bench
        .cloud
        .inject(Fault::new(Service::Zstack, FaultKind::LoseResponse).operation("DeleteAccessKey"));
    DeleteAccessKey::new(&uuid).send(&zstack).await.unwrap();
    assert_eq!(keys(&zstack).await, 1);
    DeleteAccessKey::new(&uuid).send(&zstack).await.unwrap();
}

#[tokio::test]
async fn a_failure_beside_a_success_status_is_a_failure() {
    let bench = Bench::start().await;
    let body = r#"{"success":false,"error":{"code":"SYS.1006","description":"failed","details":"why","cause":null}}"#;
    let zstack = bench
        .zstack()
        .transport(Script::one(200, body))
        .build()
        .unwrap();
    let failed = create().send(&zstack).await.unwrap_err();
    assert_eq!((failed.code(), failed.message()), (Some("SYS.1006"), "why"));
    // The page documents `error` on every success; null there means none.
    let body = r#"{"success":true,"error":null,"inventory":{"uuid":"u"}}"#;
    let zstack = bench
        .zstack()
        .transport(Script::one(200, body))
        .build()
        .unwrap();
    let made = create().send(&zstack).await.unwrap();
    assert_eq!(made.inventory.as_ref().unwrap().uuid.as_deref(), Some("u"));
}
