//! `--dry-run`: what would be sent, without a secret, and without sending it.

use cumulo_localcloud::accounts;

use crate::clouds::{keystone, zstack};
use crate::common::{alibaba, bare, call_smc, cloud, run};

#[test]
fn nothing_is_sent_and_no_secret_is_printed() {
    let cloud = cloud();
    let user = r#"{"Bandwidth":100,"SmartAGId":"sag-1","UserMail":"a@example.com","Password":"Pass+Word_1@x"}"#;
    let v3 = [
        "call",
        "smartag",
        "CreateSmartAccessGatewayClientUser",
        user,
    ];
    let ended =
        run(alibaba()
            .args(v3)
            .args(["--dry-run", "--endpoint-url", &cloud.smartag_endpoint()]));
    assert_eq!((ended.status, ended.stderr.as_str()), (0, ""));
    assert!(
        ended.stdout.starts_with("curl -X POST 'http://127.0.0.1:"),
        "{}",
        ended.stdout
    );
    assert!(
        ended.stdout.contains("Password=** redacted **"),
        "{}",
        ended.stdout
    );
    let hash = |word: &str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    assert!(
        !ended.stdout.split([' ', '\'']).any(hash),
        "{}",
        ended.stdout
    );
    assert!(!ended.printed().contains("Word_1"), "{}", ended.stdout);
    assert!(cloud.requests().is_empty());

    // What shows a secret only once is not made, so that it needs no place.
    let ended = run(call_smc(&cloud, "CreateAccessToken", "{}").arg("--dry-run"));
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    assert!(!ended.printed().contains(accounts::ALIBABA_SECRET));
    assert!(cloud.requests().is_empty());

    let code = r#"{"app_id":"a-1","app_code":"AppCodeOfAtLeast64CharactersWithAllThatEncodersGetWrong_0123456789abcdef"}"#;
    let call = [
        "call",
        "apig",
        "CreateAppCodeV2",
        code,
        "--dry-run",
        "--instance-id",
        "i",
    ];
    let by_keys = run(bare()
        .env("HUAWEICLOUD_SDK_AK", accounts::HUAWEI_AK)
        .env("HUAWEICLOUD_SDK_SK", accounts::HUAWEI_SK)
        .args(call)
        .args([
            "--region",
            "eu-de",
            "--project-id",
            "p",
            "--endpoint-url",
            &cloud.apig_endpoint(),
        ]));
    let by_token = run(keystone(&cloud).args(call));
    for ended in [by_keys, by_token] {
        assert_eq!(ended.status, 0, "{}", ended.stderr);
        assert!(!ended.printed().contains("AppCodeOf"), "{}", ended.stdout);
        assert!(!ended.printed().contains(accounts::HUAWEI_SK));
        assert!(!ended.printed().contains(accounts::KEYSTONE_PASSWORD));
        assert!(ended.stdout.contains("** redacted **"), "{}", ended.stdout);
    }

    let user = r#"{"name":"u","password":"hunter-2"}"#;
    let ended = run(zstack(&cloud).args(["call", "zstack", "CreateUser", user, "--dry-run"]));
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    assert!(!ended.printed().contains("hunter"), "{}", ended.stdout);
    assert!(
        ended.stdout.contains("OAuth") || ended.stdout.contains("authorization: ** redacted **")
    );
    let made = cloud
        .requests()
        .iter()
        .any(|request| request.target.contains("users"));
    assert!(!made);
}

#[test]
fn mistakes_are_told_as_by_the_call() {
    let cloud = cloud();
    let ended = run(call_smc(&cloud, "CreateAccessToken", r#"{"Nam":"x"}"#).arg("--dry-run"));
    assert_eq!(ended.status, 2);
    assert!(ended.stderr.contains("`Name`"), "{}", ended.stderr);
    assert_eq!(ended.json()["ok"], false);
}
