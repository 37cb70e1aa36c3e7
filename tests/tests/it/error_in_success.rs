//! Does an error that comes with a success status end as the failure that it says, and data as data?

use cumulo_apig::app::{CreateAnAppV2, ListAppsV2};
use cumulo_apig::gateway_response::UpdateGatewayResponseTypeV2;
use cumulo_apig::openapi::ExportApiDefinitionsV2;
use cumulo_smartag::enterprise_code::CreateEnterpriseCode;
use cumulo_smc::access_token::{CreateAccessToken, ListAccessTokens};
use cumulo_smc::{Error, Kind, Outcome};
use cumulo_tests::{Bench, Script};
use cumulo_zstack::access_key::{CreateAccessKey, DeleteAccessKey, QueryAccessKey};

/// A body that is an error; code, beginning of the message, kind.
type Row = (&'static str, Option<&'static str>, &'static str, Kind);

fn check((body, code, words, kind): Row, error: &Error) {
    assert_eq!(error.code(), code, "{body}: {error}");
    assert!(error.message().contains(words), "{body}: {error}");
    assert_eq!(error.kind(), kind, "{body}: {error}");
    let outcome = match kind {
        Kind::Internal | Kind::InvalidResponse => Outcome::Unknown,
        _ => Outcome::Rejected,
    };
    assert_eq!(error.outcome(), outcome, "{body}: {error}");
    assert_eq!(error.status(), Some(200), "{body}");
    assert_eq!(error.attempts().len(), 1, "{body}");
    assert_eq!(error.raw_body(), body.as_bytes());
}

const ALIBABA: &[Row] = &[
    (
        r#"{"Code":"Forbidden.RAM","Message":"no","RequestId":"r"}"#,
        Some("Forbidden.RAM"),
        "no",
        Kind::PermissionDenied,
    ),
    (
        r#"{"RequestId":"r","Code":"Brand.New","Message":"m"}"#,
        Some("Brand.New"),
        "m",
        Kind::OperationFailed,
    ),
    (
        r#"{"Code":"InternalError"}"#,
        Some("InternalError"),
        "",
        Kind::Internal,
    ),
    (
        r#"{"Code":500,"Message":"m"}"#,
        Some("500"),
        "m",
        Kind::OperationFailed,
    ),
    (
        r#"{"Success":false,"Code":"X"}"#,
        Some("X"),
        "",
        Kind::OperationFailed,
    ),
    (
        r#"{"Success":"False","Message":"m"}"#,
        None,
        "m",
        Kind::OperationFailed,
    ),
    (
        r#"{"success":false}"#,
        None,
        "answered Success: false",
        Kind::OperationFailed,
    ),
    (
        r#"{"code":"A.B","message":"m","requestId":"r"}"#,
        Some("A.B"),
        "m",
        Kind::OperationFailed,
    ),
    (
        r#"{"error":{"code":"A.B","message":"m"}}"#,
        Some("A.B"),
        "m",
        Kind::OperationFailed,
    ),
];

#[tokio::test]
async fn alibaba() {
    let bench = Bench::start().await;
    for row in ALIBABA {
        let smc = bench
            .smc()
            .transport(Script::one(200, row.0))
            .build()
            .unwrap();
        check(
            *row,
            &CreateAccessToken::new().send(&smc).await.unwrap_err(),
        );
        if row.3 == Kind::Internal {
            // With a token it is repeated.
            continue;
        }
        let smartag = bench
            .smartag()
            .transport(Script::one(200, row.0))
            .build()
            .unwrap();
        let create = CreateEnterpriseCode::new("a1b2c");
        check(*row, &create.send(&smartag).await.unwrap_err());
    }
    let body = "\u{feff}{\"AccessTokens\":{\"AccessToken\":[]},\"TotalCount\":0,\"Code\":\"Forbidden.RAM\"}";
    let smc = bench
        .smc()
        .transport(Script::one(200, body))
        .build()
        .unwrap();
    let error = ListAccessTokens::new().send(&smc).await.unwrap_err();
    assert_eq!(error.kind(), Kind::PermissionDenied);
    let body = r#"{"Code":"Forbidden.RAM","RequestId":"of the body"}"#;
    let smc = bench
        .smc()
        .transport(Script::one(200, body))
        .build()
        .unwrap();
    let error = ListAccessTokens::new().send(&smc).await.unwrap_err();
    assert_eq!(error.request_id(), Some("of the body"));
}

#[tokio::test]
async fn alibabas_codes_that_are_no_errors() {
    let bench = Bench::start().await;
    for body in [
        r#"{"AccessTokenId":"at-1","Code":200}"#,
        r#"{"AccessTokenId":"at-1","Code":"200"}"#,
        r#"{"AccessTokenId":"at-1","Code":"OK"}"#,
        r#"{"AccessTokenId":"at-1","Code":"Success","Message":"done"}"#,
        r#"{"AccessTokenId":"at-1","Code":"","Message":""}"#,
        r#"{"AccessTokenId":"at-1","Code":null}"#,
        r#"{"AccessTokenId":"at-1","Code":"X","Success":true}"#,
        r#"{"AccessTokenId":"at-1","Code":"0","Success":"True"}"#,
        r#"{"AccessTokenId":"at-1","error":null,"Message":"hello"}"#,
        r#"{"AccessTokenId":"at-1","code":"lonely"}"#,
        r#"{"AccessTokenId":"at-1","New":{"Code":"Forbidden.RAM","error":{"code":1}}}"#,
    ] {
        let smc = bench
            .smc()
            .transport(Script::one(200, body))
            .build()
            .unwrap();
        let made = CreateAccessToken::new().send(&smc).await;
        let made = made.unwrap_or_else(|error| panic!("{body}: {error}"));
        assert_eq!(made.access_token_id.as_deref(), Some("at-1"), "{body}");
        assert_eq!(made.warnings().len(), 0, "{body}");
    }
}

#[tokio::test]
async fn outputs_that_have_a_code_of_their_own() {
    use cumulo_smartag::probe_task::ListProbeTask;
    let bench = Bench::start().await;
    for (body, kind) in [
        (r#"{"Code":"200","Message":"Successful"}"#, None),
        (r#"{"Code":200}"#, None),
        (r#"{"Code":"Whatever.This.Is"}"#, None),
        (
            r#"{"Code":"Forbidden.RAM","Message":"no"}"#,
            Some(Kind::PermissionDenied),
        ),
        (
            r#"{"Code":"Whatever.This.Is","Success":false}"#,
            Some(Kind::OperationFailed),
        ),
    ] {
        let smartag = bench
            .smartag()
            .transport(Script::one(200, body))
            .build()
            .unwrap();
        let listed = ListProbeTask::new().send(&smartag).await;
        assert_eq!(listed.err().map(|error| error.kind()), kind, "{body}");
    }
}

const HUAWEI: &[Row] = &[
    (
        r#"{"error_code":"APIG.3004","error_msg":"no app"}"#,
        Some("APIG.3004"),
        "no app",
        Kind::NotFound,
    ),
    (
        r#"{"error_code":"APIG.1"}"#,
        Some("APIG.1"),
        "",
        Kind::OperationFailed,
    ),
    (
        r#"{"error_msg":"something broke"}"#,
        None,
        "something broke",
        Kind::OperationFailed,
    ),
    (
        r#"{"errorCode":"X.1","errorMsg":"m"}"#,
        Some("X.1"),
        "m",
        Kind::OperationFailed,
    ),
    (
        r#"{"code":"X.1","message":"m"}"#,
        Some("X.1"),
        "m",
        Kind::OperationFailed,
    ),
    (
        r#"{"error":{"code":401,"message":"m","title":"t"}}"#,
        Some("401"),
        "m",
        Kind::OperationFailed,
    ),
    (r#"{"error":"no"}"#, None, "no", Kind::OperationFailed),
];

#[tokio::test]
async fn huawei() {
    let bench = Bench::start().await;
    let apig = |body| {
        bench
            .apig()
            .transport(Script::one(200, body))
            .build()
            .unwrap()
    };
    for row in HUAWEI {
        let create = CreateAnAppV2::new("shop");
        check(*row, &create.send(&apig(row.0)).await.unwrap_err());
        // An answer that is a map as a whole, and one that is a file.
        let update = UpdateGatewayResponseTypeV2::new("group", "response", "AUTH_FAILURE");
        check(*row, &update.send(&apig(row.0)).await.unwrap_err());
        let export = ExportApiDefinitionsV2::new("env", "group");
        check(*row, &export.send(&apig(row.0)).await.unwrap_err());
    }
    for body in [
        r#"{"id":"app","error_code":"","error_msg":""}"#,
        r#"{"id":"app","error_code":null,"error":null}"#,
        r#"{"id":"app","error_code":"0","error_msg":"success"}"#,
        r#"{"id":"app","error":[],"message":"hello"}"#,
    ] {
        let made = CreateAnAppV2::new("shop").send(&apig(body)).await;
        let made = made.unwrap_or_else(|error| panic!("{body}: {error}"));
        assert_eq!(made.id.as_deref(), Some("app"), "{body}");
    }
    // A file is whatever it is, but for a page.
    for file in [
        "{\"swagger\":\"2.0\",\"info\":{\"error_code\":1}}",
        "swagger: 2.0",
        "PK\u{3}",
        "[1]",
    ] {
        let export = ExportApiDefinitionsV2::new("env", "group");
        let read = export.send(&apig(file)).await.unwrap();
        assert_eq!(read.raw_body(), file.as_bytes());
    }
    let page = "<html><title>Login</title></html>";
    let script = Script::new((0..5).map(|_| cumulo_tests::Answer::new(200, page)));
    let apig = bench.apig().transport(script).build().unwrap();
    let export = ExportApiDefinitionsV2::new("env", "group");
    let error = export.send(&apig).await.unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidResponse);
}

const ZSTACK: &[Row] = &[
    (
        r#"{"error":{"code":"SYS.1003","details":"no such thing"}}"#,
        Some("SYS.1003"),
        "no such thing",
        Kind::NotFound,
    ),
    (
        r#"{"error":{"code":"SYS.1006","description":"failed","cause":{"code":"A.1","details":"why"}}}"#,
        Some("SYS.1006"),
        "failed; cause: A.1 why",
        Kind::OperationFailed,
    ),
    (
        r#"{"error":{"description":"no code"}}"#,
        None,
        "no code",
        Kind::OperationFailed,
    ),
    (
        r#"{"error":{}}"#,
        None,
        "without words",
        Kind::OperationFailed,
    ),
    (r#"{"error":"text"}"#, None, "text", Kind::OperationFailed),
    (
        r#"{"errors":[{"code":"SYS.1003","details":"no such thing"}]}"#,
        Some("SYS.1003"),
        "no such thing",
        Kind::NotFound,
    ),
    (
        r#"{"Code":"Forbidden.RAM","Message":"no"}"#,
        Some("Forbidden.RAM"),
        "no",
        Kind::OperationFailed,
    ),
    (
        r#"{"error_code":"APIG.1","error_msg":"x"}"#,
        Some("APIG.1"),
        "x",
        Kind::OperationFailed,
    ),
    (
        r#"{"success":false}"#,
        None,
        "answered Success: false",
        Kind::OperationFailed,
    ),
];

#[tokio::test]
async fn zstack() {
    let bench = Bench::start().await;
    let zstack = |body: &str| {
        let script = Script::one(200, body.to_owned());
        bench.zstack().transport(script).build().unwrap()
    };
    for row in ZSTACK {
        check(
            *row,
            &CreateAccessKey::new("a", "u")
                .send(&zstack(row.0))
                .await
                .unwrap_err(),
        );
        check(
            *row,
            &DeleteAccessKey::new("k")
                .send(&zstack(row.0))
                .await
                .unwrap_err(),
        );
    }
    // Whatever stands around it, of any size.
    for size in [10, 10_000, 1_000_000] {
        let padding = "x".repeat(size);
        let body = format!(
            r#"{{"inventory":{{"uuid":"{padding}"}},"schema":{{}},"error":{{"code":"ID.1002","details":"no"}}}}"#
        );
        let error = CreateAccessKey::new("a", "u")
            .send(&zstack(&body))
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.code()),
            (Kind::PermissionDenied, Some("ID.1002"))
        );
    }
    let body = r#"{"inventories":[],"error":null,"errors":[],"success":true}"#;
    let found = QueryAccessKey::new().send(&zstack(body)).await;
    assert!(found.is_ok(), "{body}");
    // A reconciler would see that nothing exists.
    let body = r#"{"inventories":[],"code":"X","message":"m","error_code":"Z"}"#;
    let error = QueryAccessKey::new().send(&zstack(body)).await.unwrap_err();
    assert_eq!(error.code(), Some("Z"), "{error}");
}

#[tokio::test]
async fn a_top_level_of_another_kind_is_no_answer() {
    let bench = Bench::start().await;
    for body in [
        "null",
        "[]",
        "[{}]",
        "\"x\"",
        "\"\"",
        "7",
        "true",
        "\u{feff}null",
        " null ",
    ] {
        let refused = |error: Error| {
            assert_eq!(
                (error.kind(), error.outcome()),
                (Kind::InvalidResponse, Outcome::Unknown),
                "{body}: {error}"
            );
            assert!(error.message().contains("expected an object"), "{error}");
        };
        let script = || Script::new((0..5).map(|_| cumulo_tests::Answer::new(200, body)));
        let smc = bench.smc().transport(script()).build().unwrap();
        refused(CreateAccessToken::new().send(&smc).await.unwrap_err());
        let smc = bench.smc().transport(script()).build().unwrap();
        refused(ListAccessTokens::new().send(&smc).await.unwrap_err());
        let smartag = bench.smartag().transport(script()).build().unwrap();
        refused(
            CreateEnterpriseCode::new("a1b2c")
                .send(&smartag)
                .await
                .unwrap_err(),
        );
        let apig = bench.apig().transport(script()).build().unwrap();
        refused(ListAppsV2::new().send(&apig).await.unwrap_err());
        let apig = bench.apig().transport(script()).build().unwrap();
        let update = UpdateGatewayResponseTypeV2::new("group", "response", "AUTH_FAILURE");
        refused(update.send(&apig).await.unwrap_err());
        let zstack = bench.zstack().transport(script()).build().unwrap();
        refused(QueryAccessKey::new().send(&zstack).await.unwrap_err());
    }
}

#[tokio::test]
async fn a_byte_order_mark_is_no_part_of_an_answer() {
    let bench = Bench::start().await;
    let marked = |body: &str| format!("\u{feff}{body}");
    let smc = bench
        .smc()
        .transport(Script::one(200, marked(r#"{"TotalCount":7}"#)));
    let listed = ListAccessTokens::new()
        .send(&smc.build().unwrap())
        .await
        .unwrap();
    assert_eq!(listed.total_count, Some(7));
    let apig = bench
        .apig()
        .transport(Script::one(200, marked(r#"{"total":7}"#)));
    let listed = ListAppsV2::new()
        .send(&apig.build().unwrap())
        .await
        .unwrap();
    assert_eq!(listed.total, Some(7));
    let zstack = bench
        .zstack()
        .transport(Script::one(200, marked(r#"{"total":7}"#)));
    let listed = QueryAccessKey::new()
        .send(&zstack.build().unwrap())
        .await
        .unwrap();
    assert_eq!(listed.total, Some(7));

    let apig = bench
        .apig()
        .transport(Script::one(404, marked(r#"{"error_code":"APIG.3004"}"#)));
    let error = ListAppsV2::new()
        .send(&apig.build().unwrap())
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("APIG.3004"));
    let body = marked(r#"{"error":{"code":"SYS.1007","details":"m"}}"#);
    let zstack = bench.zstack().transport(Script::one(503, body));
    let error = QueryAccessKey::new()
        .send(&zstack.build().unwrap())
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("SYS.1007"));
    // An accepted job too.
    let script = Script::new([
        cumulo_tests::Answer::new(202, marked(r#"{"location":"http://h/v1/api-jobs/j1"}"#)),
        cumulo_tests::Answer::new(200, marked("{}")),
    ]);
    let zstack = bench.zstack().transport(script.clone()).build().unwrap();
    DeleteAccessKey::new("key").send(&zstack).await.unwrap();
    assert!(script.sent()[1].url.path().ends_with("/j1"));
}
