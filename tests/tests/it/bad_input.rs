//! Is what can never be right refused before anything is sent, with the way to mend it?

use cumulo_apig::app::{CreateAnAppV2, ListAppsV2};
use cumulo_apig::app_code::{CreateAppCodeV2, DeleteAppCodeV2};
use cumulo_localcloud::accounts;
use cumulo_smartag::enterprise_code::{CreateEnterpriseCode, ListEnterpriseCode};
use cumulo_smc::access_token::{CreateAccessToken, ListAccessTokens};
use cumulo_smc::replication_job::CreateReplicationJob;
use cumulo_smc::{Error, Kind, Outcome};
use cumulo_tests::{Bench, HARD_APP_CODE, Script, alibaba_key, no_environment};
use cumulo_zstack::access_key::{ChangeAccessKeyState, DeleteAccessKey};

fn not_sent(error: &Error, kind: Kind) {
    assert_eq!(
        (error.kind(), error.outcome()),
        (kind, Outcome::NotSent),
        "{error}"
    );
    assert!(error.attempts().is_empty());
    assert_eq!(error.status(), None);
}

#[tokio::test]
async fn ids_that_would_name_something_else() {
    let bench = Bench::start().await;
    let apig = bench.apig().build().unwrap();
    let zstack = bench.zstack().build().unwrap();
    for id in ["", ".", "..", "a\r\nb", "a\nHost: evil", "\0", "a\u{7f}"] {
        for error in [
            CreateAppCodeV2::new(id, HARD_APP_CODE)
                .send(&apig)
                .await
                .unwrap_err(),
            DeleteAppCodeV2::new("app", id)
                .send(&apig)
                .await
                .unwrap_err(),
            ListAppsV2::new()
                .project_id(id)
                .send(&apig)
                .await
                .unwrap_err(),
            ListAppsV2::new()
                .instance_id(id)
                .send(&apig)
                .await
                .unwrap_err(),
            ChangeAccessKeyState::new(id, "enable")
                .send(&zstack)
                .await
                .unwrap_err(),
            DeleteAccessKey::new(id).send(&zstack).await.unwrap_err(),
        ] {
            not_sent(&error, Kind::InvalidInput);
            assert!(
                error.to_string().contains("path member `"),
                "{id:?}: {error}"
            );
        }
    }
    // A bad setting of the client is no better than a bad member.
    let apig = bench.apig().instance_id("..").build().unwrap();
    not_sent(
        &ListAppsV2::new().send(&apig).await.unwrap_err(),
        Kind::InvalidInput,
    );
    assert!(bench.cloud.requests().is_empty());
}

#[tokio::test]
async fn line_breaks_cannot_become_headers() {
    let bench = Bench::start().await;
    let script = Script::one(200, "{}");
    let smc = bench.smc().transport(script.clone()).build().unwrap();
    let list = ListAccessTokens::new();
    for value in ["a\r\nX-Evil: 1", "a\nb", "a\rb", "\0", "a\u{7f}", "中"] {
        let error = list.send(&smc).header("x-custom", value).await.unwrap_err();
        not_sent(&error, Kind::InvalidInput);
        assert!(error.to_string().contains("`x-custom`"), "{error}");
        assert!(!error.to_string().contains("Evil"), "{error}");
    }
    for name in ["", "x y", "x:y", "x\r\ny", "中"] {
        let error = list.send(&smc).header(name, "v").await.unwrap_err();
        not_sent(&error, Kind::InvalidInput);
        assert!(!error.to_string().contains('\n'), "{error}");
    }
    for name in [
        "Authorization",
        "HOST",
        "content-length",
        "transfer-encoding",
        "connection",
        "date",
    ] {
        let error = list.send(&smc).header(name, "v").await.unwrap_err();
        not_sent(&error, Kind::InvalidInput);
        assert!(
            error.to_string().contains("set by the client itself"),
            "{error}"
        );
    }
    assert!(script.sent().is_empty());
}

#[tokio::test]
async fn line_breaks_in_members_arrive_as_line_breaks() {
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();
    let evil = "a\r\nX-Evil: 1\r\n\r\nGET / HTTP/1.1";
    CreateAccessToken::new()
        .description(evil)
        .send(&smc)
        .await
        .unwrap();
    let listed = ListAccessTokens::new().send(&smc).await.unwrap();
    assert_eq!(listed.access_tokens[0].description.as_deref(), Some(evil));
    let apig = bench.apig().build().unwrap();
    let made = CreateAnAppV2::new("shop")
        .remark(evil)
        .send(&apig)
        .await
        .unwrap();
    assert_eq!(made.remark.as_deref(), Some(evil));
    let listed = ListAppsV2::new().name(evil).send(&apig).await.unwrap();
    assert_eq!(listed.total, Some(0));
    let sag = bench.smartag().build().unwrap();
    let error = CreateEnterpriseCode::new(evil)
        .send(&sag)
        .await
        .unwrap_err();
    assert_eq!(
        error.kind(),
        Kind::InvalidArgument,
        "the service decides: {error}"
    );
    for request in bench.cloud.requests() {
        assert_eq!(request.header("x-evil"), None);
        assert!(!request.target.contains(['\r', '\n', ' ']));
    }
}

#[tokio::test]
async fn what_neither_operation_nor_client_knows_names_the_places_to_set_it() {
    let bench = Bench::start().await;
    let sag = cumulo_smartag::Client::builder()
        .endpoint(bench.cloud.smartag_endpoint())
        .credentials(alibaba_key())
        .environment(no_environment())
        .build()
        .unwrap();
    let error = ListEnterpriseCode::new().send(&sag).await.unwrap_err();
    not_sent(&error, Kind::Configuration);
    for part in ["RegionId", "`region(..)`", "ALIBABA_CLOUD_REGION_ID"] {
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
    ListEnterpriseCode::new()
        .region_id("cn-shanghai")
        .send(&sag)
        .await
        .unwrap();

    let smc = cumulo_smc::Client::builder()
        .endpoint(bench.cloud.smc_endpoint())
        .credentials(alibaba_key())
        .environment(no_environment())
        .build()
        .unwrap();
    let error = CreateReplicationJob::new("s-1")
        .send(&smc)
        .await
        .unwrap_err();
    not_sent(&error, Kind::Configuration);
    assert!(error.to_string().contains("RegionId"), "{error}");

    let bare = || {
        cumulo_apig::Client::builder()
            .endpoint(bench.cloud.apig_endpoint())
            .credentials(cumulo_core::credentials::Static::keys(
                accounts::HUAWEI_AK,
                accounts::HUAWEI_SK,
            ))
            .environment(no_environment())
    };
    let no_project = bare().instance_id(accounts::INSTANCE_ID).build().unwrap();
    let error = ListAppsV2::new().send(&no_project).await.unwrap_err();
    not_sent(&error, Kind::Configuration);
    for part in ["`project_id`", "project_id(..)", "OS_PROJECT_ID"] {
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
    let no_gateway = bare()
        .project_id(accounts::KEYSTONE_PROJECT_ID)
        .build()
        .unwrap();
    let error = ListAppsV2::new().send(&no_gateway).await.unwrap_err();
    not_sent(&error, Kind::Configuration);
    for part in ["`instance_id`", "instance_id(..)"] {
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
    ListAppsV2::new()
        .instance_id(accounts::INSTANCE_ID)
        .send(&no_gateway)
        .await
        .unwrap();
    let apig_requests = bench.seen("ListAppsV2").len();
    assert_eq!(apig_requests, 1);
}

#[tokio::test]
async fn members_that_the_model_lacks_go_where_the_others_go() {
    use serde_json::json;
    let bench = Bench::start().await;
    let script = Script::new((0..4).map(|_| cumulo_tests::Answer::new(200, "{}")));
    let smc = bench.smc().transport(script.clone()).build().unwrap();
    let call = CreateAccessToken::new().count(3).send(&smc);
    let call = call
        .param("New", "v")
        .param("List", json!(["a", {"K": true}]))
        .param("Count", 5)
        .param("Null", json!(null));
    call.await.unwrap();
    let pairs: Vec<(String, String)> = script.sent()[0].url.query_pairs().into_owned().collect();
    for (key, value) in [
        ("New", "v"),
        ("List.1", "a"),
        ("List.2.K", "true"),
        ("Count", "5"),
    ] {
        let values: Vec<_> = pairs
            .iter()
            .filter(|(name, _)| name == key)
            .map(|(_, value)| value.as_str())
            .collect();
        assert_eq!(values, [value], "{key}");
    }
    assert!(!pairs.iter().any(|(name, _)| name == "Null"));

    let apig = bench.apig().transport(script.clone()).build().unwrap();
    CreateAnAppV2::new("shop")
        .send(&apig)
        .param("new", json!({"a": [1]}))
        .param("name", "other")
        .await
        .unwrap();
    ListAppsV2::new()
        .send(&apig)
        .param("new", "中 &")
        .await
        .unwrap();
    let sent = script.sent();
    let body: serde_json::Value = serde_json::from_slice(&sent[1].body).unwrap();
    assert_eq!(body, json!({"name": "other", "new": {"a": [1]}}));
    assert_eq!(sent[2].url.query(), Some("new=%E4%B8%AD%20%26"));

    let zstack = bench.zstack().transport(script.clone()).build().unwrap();
    ChangeAccessKeyState::new("u", "enable")
        .send(&zstack)
        .param("new", 1)
        .await
        .unwrap();
    let body: serde_json::Value = serde_json::from_slice(&script.sent()[3].body).unwrap();
    assert_eq!(
        body,
        json!({"changeAccessKeyState": {"stateEvent": "enable", "new": 1}})
    );
}

#[test]
fn clients_that_cannot_work_are_not_built() {
    fn refused(result: Result<impl std::fmt::Debug, Error>, words: &str) {
        let error = result.unwrap_err();
        not_sent(&error, Kind::Configuration);
        assert!(error.message().contains(words), "{words}: {error}");
    }
    let smc = || cumulo_smc::Client::builder().environment(no_environment());
    refused(smc().endpoint("not a url").build(), "is no URL");
    refused(smc().endpoint("ftp://h").build(), "https://");
    refused(
        smc().endpoint("http://smc.example.com").build(),
        "plain HTTP",
    );
    refused(
        smc().endpoint("https://user:secret@h").build(),
        "must not hold",
    );
    refused(smc().app_name("a\r\nb").build(), "visible ASCII");
    refused(smc().extra_ca("no certificate").build(), "PEM");
    for proxy in ["::", "nonsense", "socks5://h:1", "http://me:s3cr3t@:1"] {
        refused(smc().proxy(proxy).build(), "is no proxy");
    }
    smc()
        .endpoint("http://smc.example.com")
        .allow_http(true)
        .build()
        .unwrap();
    smc().endpoint("http://localhost:1").build().unwrap();
    smc().endpoint("http://[::1]:1").build().unwrap();

    let sag = || cumulo_smartag::Client::builder().environment(no_environment());
    refused(sag().build(), "ALIBABA_CLOUD_REGION_ID");
    refused(sag().region("evil.example/").build(), "no region id");
    let apig = cumulo_apig::Client::builder()
        .environment(no_environment())
        .region("a@b");
    refused(apig.build(), "no region id");
    let zstack = || cumulo_zstack::Client::builder().environment(no_environment());
    refused(zstack().build(), "ZSTACK_ENDPOINT");
    refused(
        zstack()
            .endpoint("http://zstack.example.com:8080/zstack")
            .build(),
        "plain HTTP",
    );
}

#[tokio::test]
async fn more_headers_than_anybody_takes() {
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();
    let mut call = ListAccessTokens::new().send(&smc);
    for number in 0..100_000 {
        call = call.header(&format!("x-{number}"), "1");
    }
    let error = call.await.unwrap_err();
    not_sent(&error, Kind::InvalidInput);
    assert!(error.to_string().contains("headers at most"), "{error}");
}

#[tokio::test]
async fn an_address_of_a_call_is_checked_like_that_of_a_client() {
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();
    for (address, words) in [
        ("http://smc.example.com", "plain HTTP"),
        ("nonsense", "no URL"),
        ("file:///etc/passwd", "https://"),
    ] {
        let error = ListAccessTokens::new()
            .send(&smc)
            .endpoint(address)
            .await
            .unwrap_err();
        not_sent(&error, Kind::InvalidInput);
        assert!(error.to_string().contains(words), "{error}");
    }
}
