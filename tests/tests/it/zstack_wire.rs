//! Does ZStack get the requests that real servers take, whatever its page says?

use cumulo_core::credentials::{Environment, Static};
use cumulo_localcloud::{FaultKind, LocalCloud, Service, accounts};
use cumulo_tests::{Answer, Bench, Script, ZSTACK_PASSWORD_HASH};
use cumulo_zstack::access_key::{
    ChangeAccessKeyState, CreateAccessKey, DeleteAccessKey, QueryAccessKey,
};
use cumulo_zstack::account::{LogInByAccount, LogOut};
use cumulo_zstack::zone::{ChangeZoneState, CreateZone, DeleteZone, GetZone, QueryZone};
use cumulo_zstack::{Kind, Query};

fn disable() -> ChangeAccessKeyState {
    ChangeAccessKeyState::new(
        accounts::ZSTACK_KEY_UUID,
        ChangeAccessKeyState::STATE_EVENT_DISABLE,
    )
}

#[tokio::test]
async fn the_body_key_is_the_one_that_servers_compare() {
    let bench = Bench::start().await;
    let zstack = bench.zstack().build().unwrap();
    disable().send(&zstack).await.unwrap();
    let request = bench.only("ChangeAccessKeyState");
    assert_eq!(request.method, "PUT");
    assert_eq!(
        request.target,
        format!(
            "/zstack/v1/accesskeys/{}/actions",
            accounts::ZSTACK_KEY_UUID
        )
    );
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(
        body,
        serde_json::json!({"changeAccessKeyState": {"stateEvent": "disable"}})
    );
}

#[tokio::test]
async fn a_deployment_that_follows_the_page_gets_the_pages_key() {
    let cloud = LocalCloud::builder()
        .zstack_follow_page(true)
        .start()
        .await
        .unwrap();
    let bench = Bench::of(cloud);
    let real = bench.zstack().build().unwrap();
    let refused = disable().send(&real).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::InvalidArgument, "{refused}");

    let page = bench.zstack().lower_case_body_keys(true).build().unwrap();
    let operation = disable().system_tags(["a::b"]);
    let changed = operation.send(&page).param("extra", true).await.unwrap();
    assert_eq!(
        changed.inventory.as_ref().unwrap().state.as_deref(),
        Some("Disabled")
    );
    let seen = bench.seen("ChangeAccessKeyState");
    let body: serde_json::Value = serde_json::from_slice(&seen[1].body).unwrap();
    let inner = serde_json::json!({"stateEvent": "disable", "systemTags": ["a::b"], "extra": true});
    assert_eq!(body, serde_json::json!({ "changeaccesskeystate": inner }));
}

#[tokio::test]
async fn every_verb_carries_the_tags() {
    let bench = Bench::start().await;
    let zstack = bench.zstack().build().unwrap();
    let uuid = accounts::ZSTACK_KEY_UUID;
    macro_rules! send {
        ($operation:expr) => {
            $operation
                .system_tags(["a::b&c", "d"])
                .user_tags(["e"])
                .send(&zstack)
                .await
                .unwrap()
        };
    }
    send!(GetZone::new(uuid));
    send!(DeleteZone::new(uuid));
    send!(CreateZone::new("z").resource_uuid(uuid));
    send!(ChangeZoneState::new(uuid, "enable"));
    let query = Query::new().system_tags(["a::b&c", "d"]).user_tags(["e"]);
    QueryZone::new().query(query).send(&zstack).await.unwrap();
    for name in ["GetZone", "DeleteZone", "QueryZone"] {
        let sent = bench.only(name);
        let (_, query) = sent.target.split_once('?').unwrap();
        assert_eq!(query, "systemTags=a%3A%3Ab%26c&systemTags=d&userTags=e");
        assert_eq!(sent.body, b"");
    }
    for (name, key) in [
        ("CreateZone", "params"),
        ("ChangeZoneState", "changeZoneState"),
    ] {
        let sent = bench.only(name);
        assert!(!sent.target.contains('?'), "{}", sent.target);
        let body: serde_json::Value = serde_json::from_slice(&sent.body).unwrap();
        assert_eq!(body[key]["systemTags"], serde_json::json!(["a::b&c", "d"]));
        assert_eq!(body[key]["userTags"], serde_json::json!(["e"]));
    }
}

#[tokio::test]
async fn an_endpoint_without_a_path_means_zstack() {
    let bench = Bench::start().await;
    let whole = bench.cloud.zstack_endpoint();
    let origin = whole.strip_suffix("/zstack").unwrap();
    let get = || GetZone::new(accounts::ZSTACK_KEY_UUID);
    for address in [origin.to_owned(), format!("{origin}/"), whole.clone()] {
        let zstack = bench.zstack().endpoint(address.as_str()).build().unwrap();
        get().send(&zstack).await.unwrap();
        let login = bench.zstack_by_login().endpoint(address.as_str());
        get().send(&login.build().unwrap()).await.unwrap();
        let environment = Environment::fixed([
            ("ZSTACK_ENDPOINT", address.as_str()),
            ("ZSTACK_ACCOUNT_NAME", accounts::ZSTACK_ACCOUNT),
            ("ZSTACK_ACCOUNT_PASSWORD", accounts::ZSTACK_PASSWORD),
        ]);
        let zstack = cumulo_zstack::Client::builder().environment(environment);
        let zstack = zstack.build().unwrap();
        get().send(&zstack).await.unwrap();
        get().send(&zstack).endpoint(&address).await.unwrap();
    }
    // A path that is there stays.
    let elsewhere = bench.zstack().endpoint(format!("{origin}/other")).build();
    let refused = get().send(&elsewhere.unwrap()).await.unwrap_err();
    assert_eq!(refused.status(), Some(404), "{refused}");
}

#[tokio::test]
async fn a_state_is_read_as_object_and_as_text() {
    let cloud = LocalCloud::builder()
        .zstack_state_as_object(true)
        .start()
        .await
        .unwrap();
    let bench = Bench::of(cloud);
    let zstack = bench.zstack().build().unwrap();
    for as_object in [true, false] {
        bench.cloud.zstack_state_as_object(as_object);
        let changed = ChangeAccessKeyState::new(accounts::ZSTACK_KEY_UUID, "enable")
            .send(&zstack)
            .await
            .unwrap();
        assert_eq!(
            changed.inventory.as_ref().unwrap().state.as_deref(),
            Some("Enabled")
        );
        assert!(changed.warnings().is_empty(), "{:?}", changed.warnings());
    }
}

#[tokio::test]
async fn a_disabled_key_is_refused_and_its_error_says_so() {
    let bench = Bench::start().await;
    let zstack = bench.zstack().build().unwrap();
    disable().send(&zstack).await.unwrap();
    let refused = disable().send(&zstack).await.unwrap_err();
    assert_eq!(
        (refused.kind(), refused.status()),
        (Kind::Unauthenticated, Some(403))
    );
    assert!(
        refused.message().contains("does not existed or disabled"),
        "{refused}"
    );
    assert!(refused.hint().unwrap().contains("disabled"));
}

#[tokio::test]
async fn a_session_is_begun_used_and_ended() {
    let bench = Bench::start().await;
    let anonymous = bench.zstack().build().unwrap();
    let login = LogInByAccount::new(accounts::ZSTACK_ACCOUNT, ZSTACK_PASSWORD_HASH);
    let session = login.send(&anonymous).await.unwrap();
    assert_eq!(session.attempts().len(), 1);
    assert_eq!(bench.only("LogInByAccount").header("authorization"), None);
    let uuid = session.inventory.as_ref().unwrap().uuid.clone().unwrap();

    let zstack = bench
        .zstack()
        .credentials(Static::token(uuid.expose()))
        .build()
        .unwrap();
    let keys = QueryAccessKey::new().send(&zstack).await.unwrap();
    assert_eq!(keys.inventories.len(), 1);
    let sent = bench.only("QueryAccessKey");
    assert_eq!(
        sent.header("authorization"),
        Some(format!("OAuth {}", uuid.expose()).as_str())
    );
    LogOut::new(uuid).send(&zstack).await.unwrap();
    let ended = QueryAccessKey::new().send(&zstack).await.unwrap_err();
    assert_eq!(
        (ended.code(), ended.kind()),
        (Some("ID.1001"), Kind::TokenExpired)
    );

    let wrong = LogInByAccount::new(accounts::ZSTACK_ACCOUNT, "0".repeat(128))
        .send(&anonymous)
        .await;
    let wrong = wrong.unwrap_err();
    assert_eq!(
        (wrong.code(), wrong.kind()),
        (Some("ID.1000"), Kind::Unauthenticated)
    );
}

#[tokio::test]
async fn new_keys_of_the_callers_choice_work_at_once() {
    let bench = Bench::start().await;
    let zstack = bench.zstack().build().unwrap();
    let made = CreateAccessKey::new(accounts::ZSTACK_ACCOUNT_UUID, accounts::ZSTACK_USER_UUID)
        .access_key_id("RotatedKey01")
        .access_key_secret("SecretOfTheRotatedKey1")
        .description("中文 + &")
        .send(&zstack)
        .await
        .unwrap();
    assert!(!format!("{made:?}").contains("SecretOfTheRotatedKey1"));
    let inventory = made.output.inventory.unwrap();
    assert_eq!(inventory.description.as_deref(), Some("中文 + &"));
    assert!(inventory.create_date.is_some());
    let rotated = bench
        .zstack()
        .credentials(Static::keys("RotatedKey01", "SecretOfTheRotatedKey1"))
        .build()
        .unwrap();
    DeleteAccessKey::new(accounts::ZSTACK_KEY_UUID)
        .send(&rotated)
        .await
        .unwrap();
    let left = QueryAccessKey::new().send(&rotated).await.unwrap();
    assert_eq!(left.inventories.len(), 1);
}

#[tokio::test]
async fn conditions_reach_the_server_as_they_were_meant() {
    let bench = Bench::start().await;
    let zstack = bench.zstack().build().unwrap();
    let query = Query::new()
        .eq("AccessKeyID", accounts::ZSTACK_KEY_ID)
        .like("state", "Ena%")
        .sort_asc("uuid")
        .limit(5)
        .with_total();
    let found = QueryAccessKey::new()
        .query(query)
        .send(&zstack)
        .await
        .unwrap();
    assert_eq!((found.total, found.inventories.len()), (Some(1), 1));
    let target = bench.only("QueryAccessKey").target;
    for part in [
        "q=AccessKeyID%3DLocalCloudZstackKey1",
        "q=state~%3DEna%25",
        "sort=%2Buuid",
        "limit=5",
    ] {
        assert!(target.contains(part), "{part}: {target}");
    }
    let none = Query::new().eq("AccessKeyID", "nobody");
    assert!(
        QueryAccessKey::new()
            .query(none)
            .send(&zstack)
            .await
            .unwrap()
            .inventories
            .is_empty()
    );
}

#[tokio::test]
async fn a_condition_that_would_be_misread_is_reported_by_the_call_and_not_sent() {
    let bench = Bench::start().await;
    let zstack = bench.zstack().build().unwrap();
    let list = QueryAccessKey::new().query(Query::new().eq("description", "a>=b"));
    let refused = |error: cumulo_zstack::Error| {
        assert_eq!(error.kind(), cumulo_zstack::Kind::InvalidInput);
        assert_eq!(error.outcome(), cumulo_zstack::Outcome::NotSent);
        assert!(error.message().contains("`description`"), "{error}");
    };
    refused(list.send(&zstack).await.unwrap_err());
    refused(list.pages(&zstack).next().await.unwrap().unwrap_err());
    refused(list.items(&zstack).collect().await.unwrap_err());
    assert!(bench.seen("QueryAccessKey").is_empty());
}

#[tokio::test]
async fn causes_nest_and_the_innermost_is_told() {
    let bench = Bench::start().await;
    let body = r#"{"error":{"code":"SYS.1006","description":"failed","details":"outer","elaboration":null,"opaque":null,
        "cause":{"code":"HOST.1000","details":"middle","cause":{"code":"HOST.2000","description":"Async Http Timeout","details":""}}}}"#;
    bench.fault(
        Service::Zstack,
        "QueryAccessKey",
        FaultKind::body(503, body),
    );
    let zstack = bench.zstack().build().unwrap();
    let failed = QueryAccessKey::new().send(&zstack).await.unwrap_err();
    assert_eq!(failed.code(), Some("SYS.1006"));
    assert_eq!(
        failed.message(),
        "outer; cause: HOST.2000 Async Http Timeout"
    );
    // 503 is the status of every failure there: it alone says nothing about trying again.
    assert_eq!(
        (failed.kind(), failed.attempts().len()),
        (Kind::OperationFailed, 1)
    );

    // Lists of causes, and causes without end, end.
    let list = r#"{"error":{"code":"SYS.1006","details":"outer","causes":[{"code":"A.1","details":"first"},{"code":"A.2"}]}}"#;
    let endless = format!(
        r#"{{"error":{}{{"code":"X.1"}}{}}}"#,
        r#"{"code":"X.1","cause":"#.repeat(60),
        "}".repeat(60)
    );
    let script = Script::new([Answer::new(503, list), Answer::new(503, endless)]);
    let zstack = bench.zstack().transport(script).build().unwrap();
    let failed = QueryAccessKey::new().send(&zstack).await.unwrap_err();
    assert_eq!(failed.message(), "outer; cause: A.1 first");
    let failed = QueryAccessKey::new().send(&zstack).await.unwrap_err();
    assert_eq!(failed.code(), Some("X.1"));
}
