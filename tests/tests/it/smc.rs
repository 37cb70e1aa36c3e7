//! Do SMC's activation codes work end to end, with all that their pages leave unclear?

use cumulo_core::transport::HttpRequest;
use cumulo_smc::access_token::{
    CreateAccessToken, DeleteAccessToken, DisableAccessToken, ListAccessTokens,
};
use cumulo_smc::workgroup::CreateWorkgroup;
use cumulo_smc::{Kind, Outcome};
use cumulo_tests::{Bench, Script};

#[tokio::test]
async fn a_code_lives_from_creation_to_deletion() {
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();

    let made = CreateAccessToken::new()
        .name("web-servers")
        .count(10)
        .time_to_live_in_days(7)
        .description("中文 a b*c~d/'()+&=%:?#")
        .send(&smc)
        .await
        .unwrap();
    assert_eq!(made.http_status(), 200);
    assert!(made.request_id().is_some());
    assert_eq!(made.attempts().len(), 1);
    assert_eq!(made.client_token(), None);
    assert_eq!(made.access_token_code.as_ref().unwrap().expose().len(), 32);
    assert!(made.warnings().is_empty());
    let id = made.output.access_token_id.unwrap();

    let all = ListAccessTokens::new().send(&smc).await.unwrap();
    assert_eq!(all.total_count, Some(1));
    let code = &all.access_tokens[0];
    assert_eq!(code.access_token_id.as_ref(), Some(&id));
    assert_eq!(code.name.as_deref(), Some("web-servers"));
    assert_eq!(code.description.as_deref(), Some("中文 a b*c~d/'()+&=%:?#"));
    assert_eq!(
        code.status.as_deref(),
        Some(ListAccessTokens::STATUS_ACTIVATED)
    );

    DisableAccessToken::new(&id).send(&smc).await.unwrap();
    let stopped = ListAccessTokens::new().status(ListAccessTokens::STATUS_UNACTIVATED);
    assert_eq!(stopped.send(&smc).await.unwrap().access_tokens.len(), 1);
    DeleteAccessToken::new(&id).send(&smc).await.unwrap();
    assert!(
        ListAccessTokens::new()
            .send(&smc)
            .await
            .unwrap()
            .access_tokens
            .is_empty()
    );

    let gone = DeleteAccessToken::new(&id).send(&smc).await.unwrap_err();
    assert!(gone.is_not_found());
    assert_eq!(gone.code(), Some("InvalidAccessTokenId.NotFound"));
}

#[tokio::test]
async fn count_and_days_are_text_on_the_wire_and_in_answers() {
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();
    let operation = CreateAccessToken::new()
        .count(1000)
        .time_to_live_in_days("90");
    assert_eq!(operation.count.as_deref(), Some("1000"));
    operation.send(&smc).await.unwrap();
    let request = bench.only("CreateAccessToken");
    assert_eq!(request.parameter("Count").as_deref(), Some("1000"));
    assert_eq!(request.parameter("TimeToLiveInDays").as_deref(), Some("90"));

    let listed = ListAccessTokens::new().send(&smc).await.unwrap();
    assert_eq!(listed.access_tokens[0].count.as_deref(), Some("1000"));
    assert_eq!(
        listed.access_tokens[0].registered_count.as_deref(),
        Some("0")
    );

    // A service that drifts to numbers costs nothing.
    let drifted = r#"{"AccessTokens":{"AccessToken":[{"Count":10,"TimeToLiveInDays":30,"RegisteredCount":2}]},
        "TotalCount":"1","PageNumber":1,"PageSize":50,"RequestId":"r"}"#;
    let smc = bench
        .smc()
        .transport(Script::one(200, drifted))
        .build()
        .unwrap();
    let listed = ListAccessTokens::new().send(&smc).await.unwrap();
    assert_eq!(listed.access_tokens[0].count.as_deref(), Some("10"));
    assert_eq!(
        listed.access_tokens[0].time_to_live_in_days.as_deref(),
        Some("30")
    );
    assert_eq!(listed.total_count, Some(1));
    // The page swaps the descriptions of these two: what arrives under a name stays under it.
    assert_eq!((listed.page_number, listed.page_size), (Some(1), Some(50)));
    assert!(listed.warnings().is_empty(), "{:?}", listed.warnings());
}

#[tokio::test]
async fn ids_are_numbered_and_filter_the_list() {
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();
    let mut ids = Vec::new();
    for name in ["one", "two", "three"] {
        let made = CreateAccessToken::new()
            .name(name)
            .send(&smc)
            .await
            .unwrap();
        ids.push(made.output.access_token_id.unwrap());
    }
    let found = ListAccessTokens::new()
        .access_token_id(&ids[1..])
        .send(&smc)
        .await
        .unwrap();
    let names: Vec<_> = found
        .access_tokens
        .iter()
        .filter_map(|code| code.name.as_deref())
        .collect();
    assert_eq!(names, ["two", "three"]);

    let request = bench.only("ListAccessTokens");
    assert_eq!(request.parameter("AccessTokenId.1").as_ref(), Some(&ids[1]));
    assert_eq!(request.parameter("AccessTokenId.2").as_ref(), Some(&ids[2]));
    assert_eq!(request.parameter("AccessTokenId.3"), None);
    assert_eq!(request.parameter("AccessTokenId"), None);
    // An empty list and unset members leave no trace.
    let none = ListAccessTokens::new()
        .access_token_id(Vec::<String>::new())
        .send(&smc)
        .await
        .unwrap();
    assert_eq!(none.access_tokens.len(), 3);
    assert!(
        !bench.seen("ListAccessTokens")[1]
            .target
            .contains("AccessTokenId")
    );
}

#[tokio::test]
async fn the_code_itself_is_a_secret() {
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();
    let made = CreateAccessToken::new().send(&smc).await.unwrap();
    let code = made.access_token_code.clone().unwrap();
    for shown in [
        format!("{made:?}"),
        format!("{:?}", made.output),
        format!("{code:?}"),
    ] {
        assert!(!shown.contains(code.expose()), "{shown}");
    }
    // Reading it is explicit, and its exact bytes are there for who needs them.
    assert!(String::from_utf8_lossy(made.raw_body()).contains(code.expose()));
}

#[tokio::test]
async fn wrapped_lists_decode_in_every_form_they_may_take() {
    let bench = Bench::start().await;
    for (body, count, warnings) in [
        (
            r#"{"AccessTokens":{"AccessToken":[{"Name":"a"},{"Name":"b"}]}}"#,
            2,
            0,
        ),
        (r#"{"AccessTokens":{"AccessToken":[]}}"#, 0, 0),
        (r#"{"AccessTokens":{"AccessToken":null}}"#, 0, 0),
        (r#"{"AccessTokens":{}}"#, 0, 0),
        (r#"{"AccessTokens":null}"#, 0, 0),
        (r#"{"AccessTokens":""}"#, 0, 0),
        ("{}", 0, 1),
        (
            r#"{"AccessTokens":{"AccessToken":[{"Name":{"x":1}},{"Name":"b"}]}}"#,
            2,
            1,
        ),
        (r#"{"AccessTokens":{"AccessToken":7},"TotalCount":3}"#, 0, 1),
    ] {
        let smc = bench
            .smc()
            .transport(Script::one(200, body))
            .build()
            .unwrap();
        let listed = ListAccessTokens::new().send(&smc).await.unwrap();
        assert_eq!(listed.access_tokens.len(), count, "{body}");
        assert_eq!(
            listed.warnings().len(),
            warnings,
            "{body}: {:?}",
            listed.warnings()
        );
    }
}

#[tokio::test]
async fn a_warning_names_the_member_that_did_not_fit() {
    let bench = Bench::start().await;
    let body = r#"{"AccessTokens":{"AccessToken":[{"Count":"1"},{"Count":{"a":1},"Name":"b"}]}}"#;
    let smc = bench
        .smc()
        .transport(Script::one(200, body))
        .build()
        .unwrap();
    let listed = ListAccessTokens::new().send(&smc).await.unwrap();
    assert_eq!(
        listed.warnings()[0].to_string(),
        "AccessTokens.AccessToken[1].Count: expected text, got an object"
    );
    assert_eq!(listed.access_tokens[1].count, None);
    assert_eq!(listed.access_tokens[1].name.as_deref(), Some("b"));
}

#[tokio::test]
async fn a_code_without_a_token_is_reported_and_not_sent_again() {
    use cumulo_localcloud::{FaultKind, Service};
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();
    bench.fault(Service::Smc, "CreateAccessToken", FaultKind::LoseResponse);
    let lost = CreateAccessToken::new()
        .name("once")
        .send(&smc)
        .await
        .unwrap_err();
    assert_eq!(
        (lost.kind(), lost.outcome()),
        (Kind::Interrupted, Outcome::Unknown)
    );
    assert!(
        lost.to_string().contains("it may have been executed"),
        "{lost}"
    );
    assert_eq!(lost.client_token(), None);
    assert_eq!(bench.seen("CreateAccessToken").len(), 1);
    // It was indeed executed, and looking tells.
    let found = ListAccessTokens::new()
        .name("once")
        .send(&smc)
        .await
        .unwrap();
    assert_eq!(found.total_count, Some(1));
}

#[tokio::test]
async fn structures_in_lists_are_numbered_and_tokens_minted() {
    let bench = Bench::start().await;
    let script = Script::one(200, r#"{"WorkgroupId":"w-1","RequestId":"r"}"#);
    let smc = bench.smc().transport(script.clone()).build().unwrap();
    let tag = |key: &str| {
        cumulo_smc::types::CreateReplicationJobTag::new()
            .key(key)
            .value("v&1")
    };
    let made = CreateWorkgroup::new()
        .tag([tag("a"), tag("b")])
        .send(&smc)
        .await
        .unwrap();
    let sent: Vec<HttpRequest> = script.sent();
    let pairs: Vec<(String, String)> = sent[0].url.query_pairs().into_owned().collect();
    for (key, value) in [
        ("Tag.1.Key", "a"),
        ("Tag.1.Value", "v&1"),
        ("Tag.2.Key", "b"),
    ] {
        assert!(pairs.contains(&(key.into(), value.into())), "{pairs:?}");
    }
    let token = made.client_token().unwrap().as_str().to_owned();
    assert!(pairs.contains(&("ClientToken".into(), token)), "{pairs:?}");
}
