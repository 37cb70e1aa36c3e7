//! Does an answer that no documentation foresees become a correct result or a clear error?

use cumulo_apig::app::{DeleteAppV2, ListAppsV2};
use cumulo_apig::app_code::CreateAppCodeV2;
use cumulo_localcloud::{FaultKind, Service};
use cumulo_smc::access_token::{CreateAccessToken, DisableAccessToken, ListAccessTokens};
use cumulo_smc::{Client, Error, Kind, Outcome};
use cumulo_tests::{Answer, Bench, HARD_APP_CODE, Script};
use cumulo_zstack::access_key::{CreateAccessKey, DeleteAccessKey, QueryAccessKey};

async fn answered(status: u16, body: impl Into<bytes::Bytes>) -> Client {
    let bench = Bench::start().await;
    bench
        .smc()
        .transport(Script::one(status, body))
        .build()
        .unwrap()
}

async fn refused(status: u16, body: impl Into<bytes::Bytes>) -> Error {
    CreateAccessToken::new()
        .send(&answered(status, body).await)
        .await
        .unwrap_err()
}

#[tokio::test]
async fn a_success_that_cannot_be_read_leaves_the_outcome_unknown() {
    for (body, words) in [
        ("<html><head><title>Login</title></head></html>", "HTML"),
        ("<!DOCTYPE html><p>captive portal", "HTML"),
        ("", "the body is empty"),
        (r#"{"AccessTokenId":"at-1","Acce"#, "not the JSON"),
        ("at-1", "not the JSON"),
        ("{} trailing", "not the JSON"),
        ("\u{1f}\u{8b}\u{8}\u{0}binary", "not the JSON"),
    ] {
        let error = refused(200, body).await;
        assert_eq!(error.kind(), Kind::InvalidResponse, "{body}");
        assert_eq!(error.outcome(), Outcome::Unknown, "{body}");
        assert!(error.message().contains(words), "{body}: {error}");
        assert_eq!(error.raw_body(), body.as_bytes());
        assert_eq!(error.status(), Some(200));
        assert!(
            error.to_string().contains("may have been executed"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn odd_but_harmless_answers_are_read() {
    // What is missing is absent, what does not fit is reported, and the rest is there.
    for (body, id, warnings) in [
        // Nothing of what was asked for is there.
        ("{}", None, 1),
        (r#"{"RequestId":"r"}"#, None, 1),
        (r#"{"New":{"AccessTokenId":"at-1"}}"#, None, 1),
        ("\u{feff}{\"AccessTokenId\":\"at-1\"}", Some("at-1"), 0),
        ("  {\"AccessTokenId\":\"at-1\"}\r\n", Some("at-1"), 0),
        (
            r#"{"AccessTokenId":12345678901234567890}"#,
            Some("12345678901234567890"),
            0,
        ),
        (r#"{"AccessTokenId":1.5}"#, Some("1.5"), 0),
        (r#"{"AccessTokenId":true}"#, Some("true"), 0),
        (
            r#"{"AccessTokenId":null,"New":{"a":[1,{"b":null}]}}"#,
            None,
            0,
        ),
        (r#"{"AccessTokenId":["at-1"]}"#, None, 1),
        (r#"{"AccessTokenId":{"a":1},"AccessTokenCode":[]}"#, None, 2),
        (r#"{"AccessTokenId":"a","AccessTokenId":"b"}"#, Some("b"), 0),
        (
            r#"{"AccessTokenId":"\ud83d\ude00 \u4e2d"}"#,
            Some("😀 中"),
            0,
        ),
    ] {
        let made = CreateAccessToken::new()
            .send(&answered(200, body).await)
            .await;
        let made = made.unwrap_or_else(|error| panic!("{body}: {error}"));
        assert_eq!(made.access_token_id.as_deref(), id, "{body}");
        assert_eq!(
            made.warnings().len(),
            warnings,
            "{body}: {:?}",
            made.warnings()
        );
    }
}

#[tokio::test]
async fn nulls_and_wrong_shapes_at_every_level() {
    let body = r#"{"AccessTokens":{"AccessToken":[null,7,{"Name":"ok","Count":[1]},"x",[]]},"TotalCount":"many","PageSize":1e3}"#;
    let listed = ListAccessTokens::new()
        .send(&answered(200, body).await)
        .await
        .unwrap();
    let names: Vec<_> = listed
        .access_tokens
        .iter()
        .map(|code| code.name.as_deref())
        .collect();
    assert!(names.contains(&Some("ok")), "{names:?}");
    assert_eq!(listed.total_count, None);
    let paths: Vec<_> = listed
        .warnings()
        .iter()
        .map(|problem| problem.path.as_str())
        .collect();
    assert!(paths.contains(&"TotalCount"), "{paths:?}");
    assert!(
        paths.contains(&"AccessTokens.AccessToken[2].Count"),
        "{paths:?}"
    );
}

#[tokio::test]
async fn ten_megabytes_are_read() {
    let entry = format!(r#"{{"Name":"{}"}}"#, "n".repeat(1000));
    let entries = vec![entry.as_str(); 10_000].join(",");
    let body = format!(r#"{{"AccessTokens":{{"AccessToken":[{entries}]}}}}"#);
    assert!(body.len() > 10_000_000);
    // Over a real connection, in many pieces.
    let bench = Bench::start().await;
    bench.fault(
        Service::Smc,
        "ListAccessTokens",
        FaultKind::body(200, body.clone()),
    );
    let listed = ListAccessTokens::new()
        .send(&bench.smc().build().unwrap())
        .await
        .unwrap();
    assert_eq!(listed.access_tokens.len(), 10_000);

    // An error of that size is not read whole, and its message stays one that can be read.
    for body in [
        body,
        "x".repeat(10_000_000),
        format!("<html>{}</html>", "y ".repeat(5_000_000)),
        format!(r#"{{"Code":"{0}","Message":"{0}"}}"#, "z".repeat(500_000)),
    ] {
        let error = refused(500, body).await;
        let long = [error.code().unwrap_or_default(), error.message()];
        assert!(long.iter().all(|text| text.len() <= 4096));
        assert!(error.to_string().len() < 10_000);
        assert!(format!("{error:?}").len() < 20_000);
    }
    // Many faults in one answer do not become many megabytes of warnings.
    let wrong = format!(r#"{{"Name":{{}},"Description":"{}"}}"#, "d".repeat(40));
    let wrong = vec![wrong; 100_000].join(",");
    let body = format!(r#"{{"AccessTokens":{{"AccessToken":[{wrong}]}}}}"#);
    let listed = ListAccessTokens::new()
        .send(&answered(200, body).await)
        .await
        .unwrap();
    assert_eq!(listed.access_tokens.len(), 100_000);
    assert!(listed.warnings().len() <= 100);
}

#[tokio::test]
async fn nesting_without_end_is_an_error_and_not_a_crash() {
    for deep in [
        "[".repeat(200_000),
        r#"{"AccessTokens":"#.repeat(50_000),
        r#"{"x":"#.repeat(50_000),
    ] {
        assert_eq!(
            refused(200, deep.clone()).await.kind(),
            Kind::InvalidResponse
        );
        assert_eq!(refused(400, deep).await.kind(), Kind::InvalidArgument);
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let bench = Bench::start().await;
    let elsewhere = bench.cloud.smartag_endpoint();
    let host = elsewhere
        .trim_start_matches("http://")
        .trim_end_matches('/')
        .to_owned();
    for status in [301, 302, 303, 307, 308] {
        let fault = cumulo_localcloud::Fault::new(Service::Smc, FaultKind::body(status, ""));
        let target = format!("{elsewhere}/login?session=5e55105e#there");
        bench.cloud.inject(fault.header("location", target));
        let smc = bench.smc().build().unwrap();
        let error = CreateAccessToken::new().send(&smc).await.unwrap_err();
        // Whoever sends elsewhere did nothing itself.
        assert_eq!(
            (error.kind(), error.outcome()),
            (Kind::Other, Outcome::Rejected)
        );
        assert_eq!(error.status(), Some(status));
        let words = format!("redirected to {host}, which is not followed");
        assert!(error.message().ends_with(&words), "{error}");
        assert!(!error.explain().contains("5e55105e"), "{}", error.explain());
    }
    assert!(
        bench
            .cloud
            .requests()
            .iter()
            .all(|request| request.service == Service::Smc)
    );
    assert_eq!(bench.cloud.requests().len(), 5);
}

#[tokio::test]
async fn odd_redirects_are_rejections_too() {
    let bench = Bench::start().await;
    for (location, words) in [
        (
            Some("https://user:pa55word@h.example:8443/x?a=b"),
            "redirected to h.example:8443,",
        ),
        (
            Some("/other/path?a=b"),
            "redirected to another path of the same host,",
        ),
        (
            Some("data:text/plain,x"),
            "redirected to an address without a host,",
        ),
        (None, "redirected to nowhere,"),
    ] {
        let answer = || match location {
            Some(location) => Answer::new(307, "<html>").header("location", location),
            None => Answer::new(307, r#"{"Code":"Throttling"}"#),
        };
        let smc = bench
            .smc()
            .transport(Script::new([answer()]))
            .build()
            .unwrap();
        let apig = bench
            .apig()
            .transport(Script::new([answer()]))
            .build()
            .unwrap();
        let zstack = bench
            .zstack()
            .transport(Script::new([answer()]))
            .build()
            .unwrap();
        let code = CreateAppCodeV2::new("app", HARD_APP_CODE);
        for error in [
            CreateAccessToken::new().send(&smc).await.unwrap_err(),
            code.send(&apig).await.unwrap_err(),
            CreateAccessKey::new("a", "u")
                .send(&zstack)
                .await
                .unwrap_err(),
        ] {
            assert_eq!(error.outcome(), Outcome::Rejected, "{error}");
            assert!(error.message().contains(words), "{error}");
            let text = format!("{error} {error:?}");
            assert!(
                !text.contains("pa55word") && !text.contains("a=b"),
                "{text}"
            );
        }
    }
    // After an attempt that may have worked, the redirect of the next proves nothing.
    let script = Script::new([
        Answer::new(502, "<html>"),
        Answer::new(307, "").header("location", "https://elsewhere.example/"),
    ]);
    let smc = bench.smc().transport(script).build().unwrap();
    let error = DisableAccessToken::new("at-1")
        .send(&smc)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (Kind::Other, Outcome::Unknown)
    );
}

#[tokio::test]
async fn other_statuses() {
    for (status, kind) in [
        (100, Kind::InvalidResponse),
        (304, Kind::InvalidResponse),
        (402, Kind::Other),
        (408, Kind::Timeout),
        (410, Kind::NotFound),
        (422, Kind::InvalidArgument),
        (599, Kind::Unavailable),
        (600, Kind::InvalidResponse),
        (999, Kind::InvalidResponse),
    ] {
        let error = refused(status, "").await;
        assert_eq!((error.kind(), error.status()), (kind, Some(status)));
        if kind == Kind::InvalidResponse {
            assert_eq!(error.outcome(), Outcome::Unknown, "{status}");
        }
    }
    // Of a status that nobody defined, a known code still says what it is.
    let error = refused(999, r#"{"Code":"Forbidden.RAM"}"#).await;
    assert_eq!(error.kind(), Kind::PermissionDenied);
    for status in [199, 600, 700, 999] {
        let error = refused(status, r#"{"Code":"Brand.New","Message":"m"}"#).await;
        assert_eq!(
            (error.kind(), error.outcome()),
            (Kind::InvalidResponse, Outcome::Unknown)
        );
        let bench = Bench::start().await;
        let apig = bench
            .apig()
            .transport(Script::one(status, ""))
            .build()
            .unwrap();
        let code = CreateAppCodeV2::new("app", HARD_APP_CODE);
        let error = code.send(&apig).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Unknown);
        let script = Script::new((0..3).map(|_| Answer::new(status, "")));
        let zstack = bench.zstack().transport(script).build().unwrap();
        let error = CreateAccessKey::new("a", "u")
            .send(&zstack)
            .await
            .unwrap_err();
        assert_eq!(error.outcome(), Outcome::Unknown);
    }
}

#[tokio::test]
async fn a_body_that_ends_early_is_an_interruption() {
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();
    bench.fault(
        Service::Smc,
        "CreateAccessToken",
        FaultKind::TruncateBody(20),
    );
    let error = CreateAccessToken::new().send(&smc).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (Kind::Interrupted, Outcome::Unknown)
    );
    // A read is simply asked for again.
    bench.fault(Service::Smc, "ListAccessTokens", FaultKind::TruncateBody(0));
    let listed = ListAccessTokens::new().send(&smc).await.unwrap();
    assert_eq!((listed.total_count, listed.attempts().len()), (Some(1), 2));
}

#[tokio::test]
async fn an_empty_body_is_right_only_where_nothing_is_due() {
    let bench = Bench::start().await;
    let script = || Script::new((0..5).map(|_| Answer::new(200, "")));
    // An output without members has nothing to miss.
    let apig = bench
        .apig()
        .transport(Script::one(204, ""))
        .build()
        .unwrap();
    DeleteAppV2::new("app").send(&apig).await.unwrap();
    let zstack = bench.zstack().transport(script()).build().unwrap();
    DeleteAccessKey::new("key").send(&zstack).await.unwrap();
    // Others do; Alibaba Cloud answers every call with a request id at least.
    let smc = bench.smc().transport(script()).build().unwrap();
    let error = DisableAccessToken::new("at-1")
        .send(&smc)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.attempts().len()),
        (Kind::InvalidResponse, 5)
    );
    let apig = bench.apig().transport(script()).build().unwrap();
    let error = CreateAppCodeV2::new("app", HARD_APP_CODE)
        .send(&apig)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (Kind::InvalidResponse, Outcome::Unknown)
    );
    assert!(error.message().contains("empty"), "{error}");
    let error = ListAppsV2::new().send(&apig).await.unwrap_err();
    assert_eq!(
        error.kind(),
        Kind::Connect,
        "the two answers that were left, then none: {error}"
    );
    let zstack = bench.zstack().transport(script()).build().unwrap();
    assert_eq!(
        QueryAccessKey::new()
            .send(&zstack)
            .await
            .unwrap_err()
            .kind(),
        Kind::InvalidResponse
    );
}

#[tokio::test]
async fn jobs_with_odd_answers() {
    let bench = Bench::start().await;
    for accepted in [
        "",
        "null",
        "{}",
        r#"{"location":7}"#,
        "<html>",
        r#"{"location":"","apiTimeout":"x"}"#,
    ] {
        let script = Script::new([Answer::new(202, accepted), Answer::new(200, "{}")]);
        let zstack = bench.zstack().transport(script.clone()).build().unwrap();
        DeleteAccessKey::new("key").send(&zstack).await.unwrap();
        // Without a location, the job's id is the one that was sent.
        let sent = script.sent();
        let job = sent[0].headers["x-job-uuid"].to_str().unwrap();
        assert!(
            sent[1].url.path().ends_with(job),
            "{accepted}: {}",
            sent[1].url
        );
    }
    for location in [
        "http://h/zstack/v1/api-jobs/j1/",
        "/v1/api-jobs/j1?a=b#c",
        "j1",
        "http://h/../../j1",
    ] {
        let accepted = format!(r#"{{"location":"{location}"}}"#);
        let script = Script::new([Answer::new(202, accepted), Answer::new(200, "{}")]);
        let zstack = bench.zstack().transport(script.clone()).build().unwrap();
        DeleteAccessKey::new("key").send(&zstack).await.unwrap();
        assert_eq!(
            script.sent()[1].url.path(),
            "/zstack/v1/api-jobs/j1",
            "{location}"
        );
    }
    // A hostile location does not lead anywhere else.
    for location in [
        "http://h/..",
        "http://h/.",
        "http://h/%2e%2e",
        "http://h/a:b@c",
    ] {
        let accepted = format!(r#"{{"location":"{location}"}}"#);
        let script = Script::new([Answer::new(202, accepted), Answer::new(200, "{}")]);
        let zstack = bench.zstack().transport(script.clone()).build().unwrap();
        let _ = DeleteAccessKey::new("key").send(&zstack).await;
        for request in script.sent().iter().skip(1) {
            let (_, job) = request
                .url
                .path()
                .split_once("/zstack/v1/api-jobs/")
                .unwrap();
            assert_eq!(script.sent()[0].headers["x-job-uuid"], job, "{location}");
        }
    }
}
