use super::profiles::{FILE, config, world};
use super::*;
use crate::credentials::testing::{html, json, reply};

fn sso(ends: u64) -> Json {
    json!({
        "mode": "CloudSSO", "cloud_sso_sign_in_url": "https://signin-cn.alibabacloudsso.com/start/login",
        "cloud_sso_account_id": "1234", "cloud_sso_access_config": "ac-1",
        "access_token": "s3cr3t-login", "cloud_sso_access_token_expire": ends,
    })
}

#[tokio::test]
async fn cloud_sso() {
    let answer = json!({ "CloudCredential": issued(), "RequestId": "r" });
    let given = world(vec![json(200, &answer)], &sso(NOW + 60));
    let credential = given.provide(&CliProfile::new()).await.unwrap();
    assert_eq!(credential.scope.account.as_deref(), Some("1234"));
    assert_eq!(
        given.script.lines(),
        ["POST https://signin-cn.alibabacloudsso.com/cloud-credentials"]
    );
    assert_eq!(
        given.script.header(0, "authorization").as_deref(),
        Some("Bearer s3cr3t-login")
    );
    assert_eq!(
        given.script.json_body(0),
        json!({ "AccountId": "1234", "AccessConfigurationId": "ac-1" })
    );

    for (answers, ends) in [(vec![], NOW), (vec![reply(401, "{}")], NOW + 60)] {
        let given = world(answers, &sso(ends));
        let error = given.error(&CliProfile::new()).await;
        assert_eq!(error.reason, Reason::Expired);
        assert!(
            error
                .to_string()
                .contains("aliyun configure --mode CloudSSO --profile p"),
            "{error}"
        );
    }
    let given = world(vec![reply(200, "{}")], &sso(NOW + 60));
    assert!(
        given
            .error(&CliProfile::new())
            .await
            .to_string()
            .contains("without CloudCredential")
    );
}

fn oauth(ends: u64) -> Json {
    json!({
        "mode": "OAuth", "oauth_site_type": "INTL", "oauth_access_token": "s3cr3t-access",
        "oauth_access_token_expire": ends, "oauth_refresh_token": "s3cr3t-refresh", "region_id": "x",
    })
}

#[tokio::test]
async fn oauth_with_a_token_that_lives() {
    let exchanged = json!({ "accessKeyId": "i", "accessKeySecret": "s", "securityToken": "t", "expiration": LATER });
    let given = world(vec![json(200, &exchanged)], &oauth(NOW + 1201));
    assert_eq!(
        parts(&given.keys(&CliProfile::new()).await),
        ("i", "s", Some("t"))
    );
    assert_eq!(
        given.script.lines(),
        ["POST https://oauth.alibabacloud.com/v1/exchange"]
    );
    assert_eq!(
        given.script.header(0, "authorization").as_deref(),
        Some("Bearer s3cr3t-access")
    );
}

#[tokio::test]
async fn oauth_writes_the_new_refresh_token_back_before_it_is_used() {
    let renewed = json!({ "access_token": "a2", "refresh_token": "r2", "expires_in": 3600 });
    // The exchange fails: the new refresh token must have been kept all the same.
    let given = world(vec![json(200, &renewed), html(400)], &oauth(NOW + 1200));
    given.error(&CliProfile::new()).await;
    assert_eq!(
        given.script.lines(),
        [
            "POST https://oauth.alibabacloud.com/v1/token",
            "POST https://oauth.alibabacloud.com/v1/exchange"
        ]
    );
    assert_eq!(
        given.script.body(0),
        "grant_type=refresh_token&refresh_token=s3cr3t-refresh&client_id=4103531455503354461"
    );
    assert_eq!(
        given.script.header(1, "authorization").as_deref(),
        Some("Bearer a2")
    );
    let path = given.directory.join(FILE);
    let kept: Json = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let profile = &kept["profiles"][0];
    assert_eq!(profile["oauth_access_token"], "a2");
    assert_eq!(profile["oauth_refresh_token"], "r2");
    assert_eq!(profile["oauth_access_token_expire"], NOW + 3600);
    assert_eq!(
        (&kept["current"], &profile["region_id"]),
        (&json!("p"), &json!("x")),
        "the rest stays"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    assert!(!path.with_extension("json.new").exists());
}

#[tokio::test]
async fn oauth_that_cannot_be_renewed_says_how_to_log_in() {
    let given = world(
        vec![reply(400, r#"{"error":"invalid_grant"}"#)],
        &oauth(NOW),
    );
    let error = given.error(&CliProfile::new()).await;
    assert_eq!(error.reason, Reason::Expired);
    assert!(
        error
            .to_string()
            .contains("aliyun configure --mode OAuth --profile p"),
        "{error}"
    );
    // A lost answer may have used the refresh token up: it is sent once.
    let given = world(
        vec![Err(crate::transport::TransportErrorKind::Interrupted)],
        &oauth(NOW),
    );
    given.error(&CliProfile::new()).await;
    assert_eq!(given.script.asked().len(), 1);
}

#[tokio::test]
async fn oauth_waits_for_another_program_and_uses_its_token() {
    let exchanged = json!({ "accessKeyId": "i", "accessKeySecret": "s", "securityToken": "t", "expiration": LATER });
    let given = world(vec![json(200, &exchanged)], &oauth(NOW));
    let path = given.directory.join(FILE);
    let lock = std::fs::File::create(path.with_extension("json.lock")).unwrap();
    lock.lock().unwrap();
    let context = given.context.clone();
    let waiting = tokio::spawn(async move { CliProfile::new().provide(&context).await });
    while given.clock.slept().is_empty() {
        tokio::task::yield_now().await;
    }
    let mut fresh = oauth(NOW + 100_000);
    fresh["name"] = "p".into();
    fresh["oauth_access_token"] = "theirs".into();
    given.file(FILE, &config(&fresh));
    drop(lock);
    waiting.await.unwrap().unwrap();
    assert_eq!(
        given.script.header(0, "authorization").as_deref(),
        Some("Bearer theirs")
    );
}
