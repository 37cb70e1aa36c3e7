//! Does only ZStack's own word about a job settle it, whatever stands between?

use std::time::Duration;

use cumulo_localcloud::{Fault, FaultKind, Service, accounts};
use cumulo_tests::Bench;
use cumulo_zstack::access_key::ChangeAccessKeyState;
use cumulo_zstack::{Kind, Outcome};

const CHANGE: &str = "ChangeAccessKeyState";

fn change() -> ChangeAccessKeyState {
    ChangeAccessKeyState::new(accounts::ZSTACK_KEY_UUID, "disable")
}

/// What proxies, portals and limits answer in the service's place.
fn strangers() -> Vec<FaultKind> {
    vec![
        FaultKind::body(400, "Bad Request"),
        FaultKind::body(401, r#"{"message":"log in"}"#),
        FaultKind::body(403, "<html>blocked</html>"),
        FaultKind::body(404, "<html>nginx</html>"),
        FaultKind::body(404, ""),
        FaultKind::body(413, "too large"),
        FaultKind::body(307, ""),
        FaultKind::body(502, r#"{"error":{"code":502,"message":"bad gateway"}}"#),
        FaultKind::body(200, "<html>welcome</html>"),
        FaultKind::body(200, "null"),
        // Objects of ZStack's form, but not from where it tells results.
        FaultKind::body(
            401,
            r#"{"error":{"code":"ID.1001","description":"expired"}}"#,
        ),
        FaultKind::body(404, r#"{"error":{"code":"SYS.1007","details":"no"}}"#),
        FaultKind::body(400, r#"{"error":{"code":"WAF-1","message":"blocked"}}"#),
        FaultKind::body(503, r#"{"error":{"description":"gateway busy"}}"#),
        FaultKind::body(200, "null"),
        FaultKind::Reset,
    ]
}

fn poll(kind: FaultKind, times: u32) -> Fault {
    Fault::new(Service::Zstack, kind)
        .operation("PollJob")
        .times(times)
}

#[tokio::test]
async fn a_stranger_among_the_answers_does_not_end_a_job() {
    for stranger in strangers() {
        for lost_start in [false, true] {
            let bench = Bench::start().await;
            if lost_start {
                let lost = Fault::new(Service::Zstack, FaultKind::Html(502));
                bench.cloud.inject(lost.operation(CHANGE).executed());
            }
            bench.cloud.inject(poll(stranger.clone(), 5));
            let zstack = bench.zstack().build().unwrap();
            let made = change().send(&zstack).await;
            let made = made.unwrap_or_else(|error| panic!("{stranger:?}: {error}"));
            assert!(made.job().is_some(), "{stranger:?}");
            assert_eq!(bench.seen(CHANGE).len(), 1, "{stranger:?}");
        }
    }
}

#[tokio::test]
async fn a_job_hidden_to_the_end_is_unknown_with_its_id() {
    for stranger in strangers() {
        let bench = Bench::start().await;
        bench.cloud.inject(poll(stranger.clone(), 1000));
        let zstack = bench.zstack().build().unwrap();
        let call = change().send(&zstack);
        let error = call.timeout(Duration::from_secs(60)).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Unknown, "{stranger:?}: {error}");
        assert_eq!(error.kind(), Kind::Timeout, "{stranger:?}: {error}");
        let sent = bench.only(CHANGE);
        assert_eq!(error.job(), sent.header("x-job-uuid"), "{stranger:?}");
    }
}

#[tokio::test]
async fn the_jobs_own_failure_is_a_rejection() {
    let bench = Bench::start().await;
    let own = r#"{"error":{"code":"SYS.1006","description":"failed","details":"no"}}"#;
    bench.cloud.inject(poll(FaultKind::body(503, own), 1));
    let zstack = bench.zstack().build().unwrap();
    let error = change().send(&zstack).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome(), error.code()),
        (Kind::OperationFailed, Outcome::Rejected, Some("SYS.1006"))
    );
}
