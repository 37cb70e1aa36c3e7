//! Is every documented form of an error read, and what it says passed on whole?

use cumulo_apig::app::ListAppsV2;
use cumulo_smc::access_token::CreateAccessToken;
use cumulo_smc::{Error, Kind};
use cumulo_tests::{Answer, Bench, Script};
use cumulo_zstack::access_key::QueryAccessKey;

/// Status, body; code, message, kind, request id of the body.
type Row = (
    u16,
    &'static str,
    Option<&'static str>,
    &'static str,
    Kind,
    Option<&'static str>,
);

fn check(row: &Row, error: &Error) {
    let (status, body, code, message, kind, request_id) = *row;
    assert_eq!(error.status(), Some(status), "{body}");
    assert_eq!(error.code(), code, "{body}");
    assert_eq!(error.message(), message, "{body}");
    assert_eq!(error.kind(), kind, "{body}");
    assert_eq!(error.request_id(), request_id, "{body}");
    assert_eq!(error.raw_body(), body.as_bytes());
    let text = error.to_string();
    assert!(
        text.starts_with(&format!("{} failed: ", error.operation())),
        "{text}"
    );
    for part in [code, request_id, Some(message)].into_iter().flatten() {
        assert!(text.contains(part), "{part}: {text}");
    }
}

fn refused(row: &Row) -> Script {
    Script::new((0..5).map(|_| Answer::new(row.0, row.1)))
}

#[tokio::test]
async fn alibabas_forms() {
    let bench = Bench::start().await;
    let rows: &[Row] = &[
        (
            400,
            r#"{"Recommend":"https://error-center.aliyun.com/x","Message":"Specified signature nonce was used already.","RequestId":"4BC0","HostId":"rds.aliyuncs.com","Code":"SignatureNonceUsed"}"#,
            Some("SignatureNonceUsed"),
            "Specified signature nonce was used already.",
            Kind::NonceReused,
            Some("4BC0"),
        ),
        (
            400,
            r#"{"Code":"Throttling","Message":"Request was denied due to request throttling.","RequestId":"r"}"#,
            Some("Throttling"),
            "Request was denied due to request throttling.",
            Kind::Throttled,
            Some("r"),
        ),
        (
            403,
            r#"{"requestId":"r","code":"Forbidden.RAM","message":"no","AccessDeniedDetail":{"PolicyType":"x"}}"#,
            Some("Forbidden.RAM"),
            "no",
            Kind::PermissionDenied,
            Some("r"),
        ),
        (
            404,
            "<?xml version='1.0'?><Error><RequestId>554A</RequestId><HostId>h</HostId><Code>InvalidAccessKeyId.NotFound</Code><Message>Specified &lt;key&gt; &amp; all</Message></Error>",
            Some("InvalidAccessKeyId.NotFound"),
            "Specified <key> & all",
            Kind::Unauthenticated,
            Some("554A"),
        ),
        (
            403,
            r#"{"Code":"InternalError","Message":"m","RequestId":"r"}"#,
            Some("InternalError"),
            "m",
            Kind::Internal,
            Some("r"),
        ),
        (
            500,
            r#"{"Code":409,"Message":"m"}"#,
            Some("409"),
            "m",
            Kind::Internal,
            None,
        ),
        (
            400,
            r#"{"Code":"InvalidParameter","Message":"\"SecurityToken.Expired\" is not valid.","RequestId":"r"}"#,
            Some("InvalidParameter"),
            "\"SecurityToken.Expired\" is not valid.",
            Kind::TokenExpired,
            Some("r"),
        ),
        (
            400,
            r#"{"Code":"SourceServerState.Invalid","Message":"m"}"#,
            Some("SourceServerState.Invalid"),
            "m",
            Kind::Conflict,
            None,
        ),
        (
            418,
            r#"{"Code":"Brand.New","Message":"m"}"#,
            Some("Brand.New"),
            "m",
            Kind::Other,
            None,
        ),
        (
            400,
            r#"["a"]"#,
            None,
            r#"["a"]"#,
            Kind::InvalidArgument,
            None,
        ),
        (500, "null", None, "null", Kind::Unavailable, None),
        (
            403,
            "",
            None,
            "status 403 with an empty body",
            Kind::PermissionDenied,
            None,
        ),
        (
            502,
            "upstream down",
            None,
            "upstream down",
            Kind::Unavailable,
            None,
        ),
    ];
    for row in rows {
        let smc = bench.smc().transport(refused(row)).build().unwrap();
        let error = CreateAccessToken::new().send(&smc).await.unwrap_err();
        check(row, &error);
    }
}

#[tokio::test]
async fn huaweis_forms() {
    let bench = Bench::start().await;
    let rows: &[Row] = &[
        (
            400,
            r#"{"error_code":"APIG.2012","error_msg":"Invalid parameter value,parameterName:app_id."}"#,
            Some("APIG.2012"),
            "Invalid parameter value,parameterName:app_id.",
            Kind::InvalidArgument,
            None,
        ),
        (
            404,
            r#"{"error_code":"APIG.3004","error_msg":"App x does not exist","request_id":"r"}"#,
            Some("APIG.3004"),
            "App x does not exist",
            Kind::NotFound,
            Some("r"),
        ),
        (
            403,
            r#"{"errorCode":"X.1","errorMsg":"m"}"#,
            Some("X.1"),
            "m",
            Kind::PermissionDenied,
            None,
        ),
        (
            404,
            r#"{"code":"X.1","message":"m"}"#,
            Some("X.1"),
            "m",
            Kind::NotFound,
            None,
        ),
        (
            401,
            r#"{"error":{"code":401,"message":"The request you have made requires authentication.","title":"Unauthorized"}}"#,
            Some("401"),
            "The request you have made requires authentication.",
            Kind::Unauthenticated,
            None,
        ),
        (
            401,
            r#"{"error":{"code":"111401001","message":"m","ext_message":null}}"#,
            Some("111401001"),
            "m",
            Kind::Unauthenticated,
            None,
        ),
        (
            400,
            r#"{"badRequest":{"message":"m","code":"401"}}"#,
            Some("401"),
            "m",
            Kind::InvalidArgument,
            None,
        ),
        (
            429,
            r#"{"error_code":"APIG.0308","error_msg":"m"}"#,
            Some("APIG.0308"),
            "m",
            Kind::Throttled,
            None,
        ),
        (
            400,
            r#"{"error_code":"APIG.3309","error_msg":"done already"}"#,
            Some("APIG.3309"),
            "done already",
            Kind::AlreadyExists,
            None,
        ),
        (
            403,
            r#"{"error_code":"APIG.3131","error_msg":"m"}"#,
            Some("APIG.3131"),
            "m",
            Kind::QuotaExceeded,
            None,
        ),
        (
            504,
            "<html><body>Gateway Time-out</body></html>",
            None,
            "an HTML page instead of an answer: Gateway Time-out",
            Kind::Unavailable,
            None,
        ),
    ];
    for row in rows {
        let apig = bench.apig().transport(refused(row)).build().unwrap();
        let error = ListAppsV2::new().send(&apig).await.unwrap_err();
        check(row, &error);
    }
}

#[tokio::test]
async fn zstacks_forms() {
    let bench = Bench::start().await;
    let rows: &[Row] = &[
        (
            503,
            r#"{"error":{"code":"SYS.1003","description":"not found","details":"no such thing"}}"#,
            Some("SYS.1003"),
            "no such thing",
            Kind::NotFound,
            None,
        ),
        (
            503,
            r#"{"error":{"code":"ID.1002","description":"permission denied"}}"#,
            Some("ID.1002"),
            "permission denied",
            Kind::PermissionDenied,
            None,
        ),
        (
            503,
            r#"{"error":{"code":"HOST.1000","details":"x","opaque":{"a":1},"messages":null}}"#,
            Some("HOST.1000"),
            "x",
            Kind::OperationFailed,
            None,
        ),
        (
            400,
            "missing header 'Authorization'",
            None,
            "missing header 'Authorization'",
            Kind::InvalidArgument,
            None,
        ),
        (
            403,
            "wrong accessKey signature",
            None,
            "wrong accessKey signature",
            Kind::Signature,
            None,
        ),
        (
            404,
            "no api mapping to /v1/x",
            None,
            "no api mapping to /v1/x",
            Kind::NotFound,
            None,
        ),
        (
            503,
            "<html>proxy</html>",
            None,
            "an HTML page instead of an answer: proxy",
            Kind::Unavailable,
            None,
        ),
        (
            503,
            "",
            None,
            "status 503 with an empty body",
            Kind::Unavailable,
            None,
        ),
    ];
    for row in rows {
        let zstack = bench.zstack().transport(refused(row)).build().unwrap();
        let error = QueryAccessKey::new().send(&zstack).await.unwrap_err();
        check(row, &error);
    }
}
