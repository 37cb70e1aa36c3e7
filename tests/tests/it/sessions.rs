//! Are tokens and sessions fetched when needed, shared, renewed once, and given up?

use std::time::Duration;

use cumulo_apig::app::ListAppsV2;
use cumulo_core::huawei::credentials as huawei;
use cumulo_localcloud::{FaultKind, Service, accounts};
use cumulo_tests::Bench;
use cumulo_zstack::access_key::{ChangeAccessKeyState, CreateAccessKey, QueryAccessKey};
use cumulo_zstack::{Kind, Outcome};

#[tokio::test]
async fn one_keystone_token_serves_all_calls_and_tells_the_project() {
    let bench = Bench::start().await;
    let apig = bench.apig_by_password().build().unwrap();
    assert!(bench.cloud.requests().is_empty(), "building asks nothing");
    let calls: Vec<_> = (0..8)
        .map(|_| tokio::spawn(ListAppsV2::new().send(&apig)))
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let requests = bench.cloud.requests();
    let logins = requests
        .iter()
        .filter(|request| request.service == Service::Iam)
        .count();
    assert_eq!(logins, 1);
    for request in bench.seen("ListAppsV2") {
        assert!(request.target.contains(accounts::KEYSTONE_PROJECT_ID));
        assert!(request.header("x-auth-token").unwrap().len() > 1000);
        assert!(request.header("authorization").is_none());
    }
}

fn logins(bench: &Bench) -> usize {
    bench
        .cloud
        .requests()
        .iter()
        .filter(|request| request.service == Service::Iam)
        .count()
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends_and_once_when_refused() {
    let bench = Bench::start().await;
    let apig = bench.apig_by_password().build().unwrap();
    ListAppsV2::new().send(&apig).await.unwrap();
    // Nearly a day later, on both sides.
    let later = Duration::from_secs(24 * 3600 - 50);
    bench.clock.advance(later);
    bench.cloud.set_time_offset(later.as_secs().cast_signed());
    let listed = ListAppsV2::new().send(&apig).await.unwrap();
    assert_eq!((logins(&bench), listed.attempts().len()), (2, 1));

    bench.cloud.expire_tokens();
    let listed = ListAppsV2::new().send(&apig).await.unwrap();
    assert_eq!(listed.attempts().len(), 2);
    assert_eq!(listed.attempts()[0].failure, Some(Kind::TokenExpired));
    assert_eq!(logins(&bench), 3);
    // Writes that may not be sent twice are repeated too: they were refused.
    bench.cloud.expire_tokens();
    cumulo_tests::new_app(&apig, "shop").await;
    assert_eq!(logins(&bench), 4);
}

#[tokio::test]
async fn a_wrong_password_is_told_without_it() {
    let bench = Bench::start().await;
    let login = huawei::Password::new(accounts::KEYSTONE_USER, "Wrong-Password-1")
        .domain_name(accounts::KEYSTONE_DOMAIN)
        .project_name(accounts::KEYSTONE_PROJECT_NAME)
        .iam_endpoint(bench.cloud.iam_endpoint());
    let apig = bench.apig_by_password().credentials(login).build().unwrap();
    let error = ListAppsV2::new().send(&apig).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (Kind::Credentials, Outcome::NotSent)
    );
    assert!(error.is_authentication());
    let text = error.explain();
    assert!(
        text.contains("password") && !text.contains("Wrong-Password"),
        "{text}"
    );
    assert!(bench.seen("ListAppsV2").is_empty());
    let connecting = bench
        .apig_by_password()
        .credentials(huawei::Password::new("nobody", "x").iam_endpoint(bench.cloud.iam_endpoint()))
        .connect()
        .await;
    assert_eq!(connecting.unwrap_err().operation(), "connect");
}

#[tokio::test]
async fn a_reader_may_read_and_is_told_when_it_writes() {
    let bench = Bench::start().await;
    let login = huawei::Password::new(
        accounts::KEYSTONE_READER,
        accounts::KEYSTONE_READER_PASSWORD,
    )
    .domain_name(accounts::KEYSTONE_DOMAIN)
    .project_name(accounts::KEYSTONE_PROJECT_NAME)
    .iam_endpoint(bench.cloud.iam_endpoint());
    let apig = bench.apig_by_password().credentials(login).build().unwrap();
    ListAppsV2::new().send(&apig).await.unwrap();
    let refused = cumulo_apig::app::CreateAnAppV2::new("shop")
        .send(&apig)
        .await
        .unwrap_err();
    assert_eq!(
        (refused.code(), refused.status()),
        (Some("APIG.1005"), Some(403))
    );
    assert!(refused.is_permission_denied());
}

#[tokio::test]
async fn a_session_is_shared_renewed_and_ended() {
    let bench = Bench::start().await;
    let zstack = bench.zstack_by_login().build().unwrap();
    let list = QueryAccessKey::new();
    let (one, two, three) =
        tokio::join!(list.send(&zstack), list.send(&zstack), list.send(&zstack));
    for answer in [one, two, three] {
        answer.unwrap();
    }
    assert_eq!(bench.seen("LogInByAccount").len(), 1);

    bench.cloud.expire_sessions();
    let listed = QueryAccessKey::new().send(&zstack).await.unwrap();
    assert_eq!(
        (listed.attempts().len(), bench.seen("LogInByAccount").len()),
        (2, 2)
    );

    zstack.close().await;
    assert_eq!(bench.seen("LogOut").len(), 1);
    // A closed client logs in again when it is used again.
    QueryAccessKey::new().send(&zstack).await.unwrap();
    assert_eq!(bench.seen("LogInByAccount").len(), 3);
}

#[tokio::test]
async fn an_expired_session_shows_when_polling_and_the_call_starts_anew() {
    let bench = Bench::start().await;
    let zstack = bench.zstack_by_login().build().unwrap();
    QueryAccessKey::new().send(&zstack).await.unwrap();
    bench.cloud.expire_sessions();
    let create = CreateAccessKey::new(accounts::ZSTACK_ACCOUNT_UUID, accounts::ZSTACK_USER_UUID);
    let made = create.send(&zstack).await.unwrap();
    assert!(made.inventory.is_some());
    let seen = bench.seen("CreateAccessKey");
    assert_eq!(seen.len(), 2);
    // The first job ended in a refusal; its id is used up.
    assert_ne!(seen[0].header("x-job-uuid"), seen[1].header("x-job-uuid"));
    assert_eq!(made.job(), seen[1].header("x-job-uuid"));
    let token = made.client_token().map(ToString::to_string);
    assert_eq!(token.as_deref(), seen[1].header("x-job-uuid"));
    assert_eq!(
        QueryAccessKey::new()
            .send(&zstack)
            .await
            .unwrap()
            .inventories
            .len(),
        2
    );
}

#[tokio::test]
async fn a_session_that_ends_at_once_is_not_renewed_for_ever() {
    let bench = Bench::start().await;
    let zstack = bench.zstack_by_login().build().unwrap();
    let expired = r#"{"error":{"code":"ID.1001","description":"Invalid session","details":"Session expired"}}"#;
    for _ in 0..3 {
        bench.fault(
            Service::Zstack,
            "QueryAccessKey",
            FaultKind::body(503, expired),
        );
    }
    let error = QueryAccessKey::new().send(&zstack).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (Kind::TokenExpired, Outcome::Rejected)
    );
    assert_eq!(error.attempts().len(), 2);
    bench.cloud.clear_faults();
    ChangeAccessKeyState::new(accounts::ZSTACK_KEY_UUID, "enable")
        .send(&zstack)
        .await
        .unwrap();
}
