//! Does `validate()` report every documented limit at once, and `send` leave them to the service?

use cumulo_apig::app_code::CreateAppCodeV2;
use cumulo_core::record::ValidationError;
use cumulo_localcloud::accounts;
use cumulo_smartag::enterprise_code::{CreateEnterpriseCode, ListEnterpriseCode};
use cumulo_smc::Kind;
use cumulo_smc::access_token::{CreateAccessToken, ListAccessTokens};
use cumulo_tests::{Bench, HARD_APP_CODE, new_app};
use cumulo_zstack::access_key::{ChangeAccessKeyState, CreateAccessKey};

fn paths(result: Result<(), ValidationError>) -> Vec<String> {
    match result {
        Ok(()) => Vec::new(),
        Err(invalid) => {
            let mut paths: Vec<String> = invalid
                .violations
                .into_iter()
                .map(|fault| fault.path)
                .collect();
            paths.dedup();
            paths
        }
    }
}

#[test]
fn all_faults_of_an_operation_at_once() {
    let operation = CreateAccessToken::new()
        .name("1")
        .count(1001)
        .time_to_live_in_days("soon");
    let invalid = operation.validate().unwrap_err();
    let text = invalid.to_string();
    for part in [
        "CreateAccessToken",
        "Count must be a number from 1 to 1000",
        "TimeToLiveInDays must be a number from 1 to 90",
        "Name",
        "2 to 128",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(
        paths(operation.validate()),
        ["Count", "Name", "TimeToLiveInDays"]
    );
}

#[test]
fn names_of_activation_codes() {
    let valid = |name: &str| CreateAccessToken::new().name(name).validate().is_ok();
    let long = "n".repeat(128);
    for name in ["ab", "a1", "web-servers", "a:b_c-d", "中文", long.as_str()] {
        assert!(valid(name), "{name}");
    }
    let too_long = "n".repeat(129);
    for name in [
        "",
        "a",
        "1a",
        "-a",
        "_a",
        "a b",
        "a.b",
        "http://a",
        "https://a",
        "a/b",
        "ab\n",
        too_long.as_str(),
    ] {
        assert!(!valid(name), "{name:?}");
    }
}

#[test]
fn numbers_in_text() {
    for (count, days, valid) in [
        ("1", "1", true),
        ("1000", "90", true),
        ("0", "1", false),
        ("1001", "1", false),
        ("1", "0", false),
        ("1", "91", false),
        ("-1", "1", false),
        ("ten", "1", false),
        ("", "1", false),
        ("1.5e400", "1", false),
        ("NaN", "1", false),
    ] {
        let operation = CreateAccessToken::new()
            .count(count)
            .time_to_live_in_days(days);
        assert_eq!(operation.validate().is_ok(), valid, "{count} {days}");
    }
    assert!(CreateAccessToken::new().validate().is_ok());
}

#[test]
fn the_list_the_code_the_app_code_and_the_state() {
    assert!(
        ListAccessTokens::new()
            .status("activated")
            .validate()
            .is_ok()
    );
    assert_eq!(
        paths(ListAccessTokens::new().status("Activated!").validate()),
        ["Status"]
    );

    for (code, valid) in [
        ("a1b2c", true),
        ("ABCDE", true),
        ("12345", true),
        ("abcd", false),
        ("abcdef", false),
        ("ab-de", false),
        ("äbcde", false),
        ("", false),
    ] {
        assert_eq!(
            CreateEnterpriseCode::new(code).validate().is_ok(),
            valid,
            "{code}"
        );
    }
    assert!(
        ListEnterpriseCode::new()
            .max_results(101)
            .validate()
            .is_err()
    );
    assert!(
        CreateEnterpriseCode::new("a1b2c")
            .client_token("x".repeat(65))
            .validate()
            .is_err()
    );

    let good = "A".repeat(64);
    let longest = "A".repeat(180);
    for (code, valid) in [
        (good.as_str(), true),
        (longest.as_str(), true),
        (HARD_APP_CODE, true),
        (&good[1..], false),
        (&format!("{longest}A"), false),
        (&format!("-{good}"), false),
        (&format!("{good} "), false),
        (&format!("{good}&"), false),
    ] {
        assert_eq!(
            CreateAppCodeV2::new("app", code).validate().is_ok(),
            valid,
            "{code}"
        );
    }
    // The value may be a secret, so that no fault repeats it.
    let invalid = CreateAppCodeV2::new("app", "short-secret")
        .validate()
        .unwrap_err();
    assert!(
        !format!("{invalid} {invalid:?}").contains("short-secret"),
        "{invalid}"
    );

    for (event, valid) in [
        ("enable", true),
        ("disable", true),
        ("Disable!", false),
        ("", false),
    ] {
        assert_eq!(
            ChangeAccessKeyState::new("u", event).validate().is_ok(),
            valid,
            "{event}"
        );
    }
    let key = CreateAccessKey::new("a".repeat(33), "u")
        .access_key_id("short")
        .access_key_secret("s");
    assert_eq!(
        paths(key.validate()),
        ["accountUuid", "AccessKeyID", "AccessKeySecret"]
    );
}

#[tokio::test]
async fn sending_leaves_the_limits_to_the_service() {
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();
    let error = CreateAccessToken::new()
        .count(1001)
        .send(&smc)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (Kind::InvalidArgument, Some("InvalidParameter"))
    );
    let sag = bench.smartag().build().unwrap();
    let error = CreateEnterpriseCode::new("toolong")
        .send(&sag)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidArgument);
    let apig = bench.apig().build().unwrap();
    let app = new_app(&apig, "shop").await;
    let error = CreateAppCodeV2::new(app, "short")
        .send(&apig)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidArgument);
    let zstack = bench.zstack().build().unwrap();
    let error = ChangeAccessKeyState::new(accounts::ZSTACK_KEY_UUID, "stop")
        .send(&zstack)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (Kind::InvalidArgument, Some("SYS.1007"))
    );
    // Each was asked exactly once.
    assert_eq!(bench.seen("CreateAccessToken").len(), 1);
    assert_eq!(bench.seen("ChangeAccessKeyState").len(), 1);
}
