//! Do the options of a call hold for that call, and is nothing sent before it is awaited?

use std::time::Duration;

use cumulo_core::alibaba::AcsSignature;
use cumulo_core::credentials::Static;
use cumulo_core::retry::RetryPolicy;
use cumulo_localcloud::{FaultKind, LocalCloud, Service, accounts};
use cumulo_smartag::client_user::CreateSmartAccessGatewayClientUser;
use cumulo_smc::access_token::{CreateAccessToken, ListAccessTokens};
use cumulo_smc::{Kind, Outcome, Response};
use cumulo_tests::{Bench, HARD_APP_CODE, Script};
use cumulo_zstack::access_key::CreateAccessKey;

#[tokio::test]
async fn nothing_goes_out_before_the_first_poll() {
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();
    let call = CreateAccessToken::new().send(&smc);
    assert_eq!(format!("{call:?}"), "Call(CreateAccessToken, not sent)");
    drop(call);
    let kept = CreateAccessToken::new().send(&smc);
    assert!(bench.cloud.requests().is_empty());
    kept.await.unwrap();
    assert_eq!(bench.cloud.requests().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_can_be_spawned_joined_and_outlive_client_and_operation() {
    fn assert_spawnable<T: Send + 'static>(call: T) -> T {
        call
    }
    let bench = Bench::start().await;
    let call = {
        let smc = bench.smc().build().unwrap();
        let operation = CreateAccessToken::new().name("spawned");
        assert_spawnable(operation.send(&smc))
    };
    let made = tokio::spawn(call).await.unwrap().unwrap();
    assert!(made.access_token_id.is_some());

    let smc = bench.smc().build().unwrap();
    let operation = ListAccessTokens::new();
    let (one, two) = tokio::join!(operation.send(&smc), operation.send(&smc));
    assert_eq!(one.unwrap().total_count, two.unwrap().total_count);
    let many: Vec<_> = (0..50)
        .map(|_| tokio::spawn(operation.send(&smc)))
        .collect();
    for call in many {
        call.await.unwrap().unwrap();
    }
    assert_eq!(bench.seen("ListAccessTokens").len(), 52);
}

#[tokio::test]
async fn a_call_that_is_dropped_midway_harms_nobody() {
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();
    bench.fault(
        Service::Smc,
        "ListAccessTokens",
        FaultKind::Delay(Duration::from_millis(50)),
    );
    let call = ListAccessTokens::new().send(&smc);
    let given_up = tokio::time::timeout(Duration::from_millis(5), call).await;
    assert!(given_up.is_err());
    ListAccessTokens::new().send(&smc).await.unwrap();
}

#[tokio::test]
async fn an_attempt_that_takes_too_long_is_given_up() {
    let bench = Bench::start().await;
    let slow = FaultKind::Delay(Duration::from_millis(100));
    let smc = bench
        .smc()
        .attempt_timeout(Duration::from_millis(20))
        .build()
        .unwrap();
    bench.fault(Service::Smc, "CreateAccessToken", slow.clone());
    let error = CreateAccessToken::new().send(&smc).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (Kind::Timeout, Outcome::Unknown)
    );
    assert!(error.is_timeout());

    // The time of a call counts even where a single attempt may take longer.
    let smc = bench.smc().build().unwrap();
    bench.fault(Service::Smc, "ListAccessTokens", slow);
    let call = ListAccessTokens::new()
        .send(&smc)
        .timeout(Duration::from_millis(20));
    let error = call.retry(RetryPolicy::never()).await.unwrap_err();
    assert!(error.is_timeout());
    assert!(error.message().contains("no answer in time"), "{error}");
}

#[tokio::test]
async fn a_call_can_go_to_another_address_and_is_signed_for_it() {
    let bench = Bench::start().await;
    let other = LocalCloud::start().await;
    let smc = bench.smc().build().unwrap();
    CreateAccessToken::new()
        .name("there")
        .send(&smc)
        .endpoint(&other.smc_endpoint())
        .await
        .unwrap();
    assert!(bench.cloud.requests().is_empty());
    assert_eq!(other.requests()[0].status, Some(200));
    ListAccessTokens::new().send(&smc).await.unwrap();
    assert_eq!(
        (bench.cloud.requests().len(), other.requests().len()),
        (1, 1)
    );
}

#[tokio::test]
async fn headers_of_a_call_go_out_with_it() {
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();
    let call = ListAccessTokens::new()
        .send(&smc)
        .header("x-trace", "t-1")
        .header("X-Other", "v");
    call.await.unwrap();
    ListAccessTokens::new().send(&smc).await.unwrap();
    let seen = bench.seen("ListAccessTokens");
    assert_eq!(
        (seen[0].header("x-trace"), seen[0].header("x-other")),
        (Some("t-1"), Some("v"))
    );
    assert_eq!(seen[1].header("x-trace"), None);
}

#[tokio::test]
async fn a_dry_run_shows_the_request_and_sends_nothing() {
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();
    let shown = CreateAccessToken::new()
        .name("it's")
        .send(&smc)
        .dry_run()
        .await
        .unwrap();
    assert_eq!(shown.method, "POST");
    assert!(shown.url.ends_with("/?Name=it%27s"), "{}", shown.url);
    assert!(
        shown.string_to_sign.starts_with("ACS3-HMAC-SHA256\n"),
        "{}",
        shown.string_to_sign
    );
    let line = shown.curl();
    for part in [
        "curl -X POST '",
        "-H 'x-acs-action: CreateAccessToken'",
        "-H 'authorization: ",
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert!(!line.contains("Signature="), "{line}");
    assert!(shown.to_string().contains("string to sign:"));

    let v1 = bench.smc().signature(AcsSignature::V1).build().unwrap();
    let shown = ListAccessTokens::new().send(&v1).dry_run().await.unwrap();
    assert!(
        shown.string_to_sign.starts_with("POST&%2F&AccessKeyId%3D"),
        "{}",
        shown.string_to_sign
    );
    let apig = bench.apig().build().unwrap();
    let call = cumulo_apig::app_code::CreateAppCodeV2::new("app", HARD_APP_CODE).send(&apig);
    let shown = call.dry_run().await.unwrap();
    assert!(!shown.to_string().contains("AppCodeOf"), "{shown}");
    assert!(shown.body.starts_with(r#"{"app_code":""#), "{}", shown.body);
    assert!(shown.string_to_sign.starts_with("SDK-HMAC-SHA256\n"));
    let zstack = bench.zstack().build().unwrap();
    let operation = CreateAccessKey::new("a", "u").access_key_secret("chosen-secret-text");
    let shown = operation.send(&zstack).dry_run().await.unwrap();
    assert!(!shown.to_string().contains("chosen-secret"), "{shown}");
    assert!(shown.string_to_sign.starts_with("POST\n"));
    assert!(bench.cloud.requests().is_empty());
}

#[tokio::test]
async fn a_dry_run_hides_tokens_and_passwords_in_every_place() {
    let bench = Bench::start().await;
    let key = Static::temporary(
        accounts::ALIBABA_STS_KEY_ID,
        accounts::ALIBABA_STS_SECRET,
        accounts::ALIBABA_STS_TOKEN,
    );
    for signature in [AcsSignature::V3, AcsSignature::V1] {
        let sag = bench
            .smartag()
            .signature(signature)
            .credentials(key.clone())
            .build()
            .unwrap();
        let operation = CreateSmartAccessGatewayClientUser::new(100, "sag-1", "a@example.com");
        let call = operation
            .user_name("user-one")
            .password("Pass+Word_1@x")
            .send(&sag);
        let shown = call.dry_run().await.unwrap();
        let text = format!("{shown} {shown:?}");
        for secret in [
            "sts~token",
            "sts-secret",
            "Word_1",
            "localcloud%2Bsts",
            "localcloud%252Bsts",
        ] {
            assert!(!text.contains(secret), "{signature:?} {secret}: {text}");
        }
    }
    let apig = bench
        .apig()
        .credentials(Static::token("keystone-token-text"))
        .build()
        .unwrap();
    let shown = cumulo_apig::app::ListAppsV2::new()
        .send(&apig)
        .dry_run()
        .await
        .unwrap();
    assert!(
        !shown.to_string().contains("keystone-token-text"),
        "{shown}"
    );
    let zstack = bench
        .zstack()
        .credentials(Static::token("session-id-text"))
        .build()
        .unwrap();
    let shown = cumulo_zstack::access_key::QueryAccessKey::new()
        .send(&zstack)
        .dry_run()
        .await
        .unwrap();
    assert!(!shown.to_string().contains("session-id-text"), "{shown}");
}

#[tokio::test]
async fn what_a_call_would_refuse_its_dry_run_refuses() {
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();
    let error = ListAccessTokens::new()
        .send(&smc)
        .header("host", "x")
        .dry_run()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidInput);
    let apig = bench.apig().build().unwrap();
    let call = cumulo_apig::app_code::ListAppCodesV2::new("..").send(&apig);
    assert_eq!(call.dry_run().await.unwrap_err().kind(), Kind::InvalidInput);
}

#[tokio::test]
async fn operations_are_values() {
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();
    let mut operation = CreateAccessToken::new().name("web-1");
    let copy = operation.clone();
    operation.name = None;
    operation.description = Some("set as a field".into());
    assert_eq!(
        format!("{copy:?}"),
        r#"CreateAccessToken { Name: "web-1" }"#
    );
    operation.send(&smc).await.unwrap();
    copy.send(&smc).await.unwrap();
    assert_eq!(
        ListAccessTokens::new()
            .send(&smc)
            .await
            .unwrap()
            .access_tokens
            .len(),
        2
    );
}

#[tokio::test]
async fn responses_can_be_made_and_changed() {
    let made = Response::new(7);
    assert_eq!((*made, made.http_status()), (7, 200));
    let text = made.map(|number| number.to_string());
    assert_eq!(text.output, "7");
    let bench = Bench::start().await;
    let smc = bench.smc().transport(Script::new([
        cumulo_tests::Answer::new(200, "{}").header("x-other", "v")
    ]));
    let listed = ListAccessTokens::new()
        .send(&smc.build().unwrap())
        .await
        .unwrap();
    assert_eq!(listed.headers()["x-other"], "v");
    assert_eq!(listed.raw_body(), b"{}");
}
