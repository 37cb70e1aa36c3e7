//! Does an error tell kind, outcome and request id, wherever the answer has them?

use cumulo_apig::app::ListAppsV2;
use cumulo_localcloud::{FaultKind, Service};
use cumulo_smc::access_token::{CreateAccessToken, ListAccessTokens};
use cumulo_smc::{Error, Kind, Outcome};
use cumulo_tests::{Answer, Bench, Script};

#[tokio::test]
async fn the_request_id_survives_a_body_that_tells_none() {
    let bench = Bench::start().await;
    for (body, header, expected) in [
        ("<html>oops</html>", "x-acs-request-id", "from-header"),
        ("", "x-acs-request-id", "from-header"),
        (
            r#"{"Code":"A","Message":"m","RequestId":"from-body"}"#,
            "x-other",
            "from-body",
        ),
    ] {
        let answer = Answer::new(403, body).header(header, "from-header");
        let smc = bench
            .smc()
            .transport(Script::new([answer]))
            .build()
            .unwrap();
        let error = ListAccessTokens::new().send(&smc).await.unwrap_err();
        assert_eq!(error.request_id(), Some(expected), "{body}");
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(error.attempts()[0].request_id.as_deref(), Some(expected));
    }
    let answer = Answer::new(404, "").header("x-request-id", "apig-id");
    let apig = bench
        .apig()
        .transport(Script::new([answer]))
        .build()
        .unwrap();
    assert_eq!(
        ListAppsV2::new()
            .send(&apig)
            .await
            .unwrap_err()
            .request_id(),
        Some("apig-id")
    );
}

#[tokio::test]
async fn success_false_in_a_200_is_a_failure() {
    use cumulo_smartag::device::ModifySagRemoteAccess;
    let bench = Bench::start().await;
    for (success, fails) in [
        ("false", true),
        (r#""false""#, true),
        ("true", false),
        (r#""True""#, false),
        ("null", false),
    ] {
        let body = format!(
            r#"{{"Success":{success},"Code":200,"Message":"device offline","RequestId":"r"}}"#
        );
        let sag = bench
            .smartag()
            .transport(Script::one(200, body))
            .build()
            .unwrap();
        let spec = ModifySagRemoteAccess::operation();
        let mut input = (spec.input)();
        input.reset();
        let call = cumulo_core::Call::<cumulo_smartag::device::ModifySagRemoteAccessOutput>::new(
            sag.as_ref(),
            spec,
            &*input,
        );
        match call.await {
            Err(error) => {
                assert!(fails, "{success}: {error}");
                assert_eq!(error.kind(), Kind::OperationFailed);
                assert_eq!(error.message(), "device offline");
                assert_eq!((error.request_id(), error.status()), (Some("r"), Some(200)));
            }
            Ok(answer) => {
                assert!(!fails, "{success}");
                assert_eq!(answer.code.as_deref(), Some("200"));
            }
        }
    }
}

#[tokio::test]
async fn predicates_agree_with_kinds() {
    let bench = Bench::start().await;
    let refused = |status, code: &str| {
        let body = format!(r#"{{"Code":"{code}","Message":"m"}}"#);
        bench
            .smc()
            .transport(Script::new(
                (0..5).map(|_| Answer::new(status, body.clone())),
            ))
            .build()
            .unwrap()
    };
    let list = ListAccessTokens::new();
    let throttled = list
        .send(&refused(400, "Throttling.Api"))
        .await
        .unwrap_err();
    assert!(throttled.is_throttled() && throttled.is_retryable() && !throttled.is_not_found());
    let missing = list
        .send(&refused(404, "InvalidAccessTokenId.NotFound"))
        .await
        .unwrap_err();
    assert!(missing.is_not_found() && !missing.is_retryable());
    let twice = list
        .send(&refused(400, "SourceServerName.Duplicate"))
        .await
        .unwrap_err();
    assert!(twice.is_already_exists());
    let denied = list.send(&refused(403, "NoPermission")).await.unwrap_err();
    assert!(denied.is_permission_denied() && !denied.is_authentication());
    let inactive = list
        .send(&refused(400, "InvalidAccessKeyId.Inactive"))
        .await
        .unwrap_err();
    assert!(inactive.is_authentication());
    assert_eq!(inactive.outcome(), Outcome::Rejected);
    // An expired token of a static provider is tried once more, then told.
    let expired = list
        .send(&refused(400, "InvalidSecurityToken.Expired"))
        .await
        .unwrap_err();
    assert_eq!(
        (expired.kind(), expired.attempts().len()),
        (Kind::TokenExpired, 2)
    );
}

#[tokio::test]
async fn an_expired_token_says_so() {
    use cumulo_core::credentials::Static;
    use cumulo_localcloud::accounts;
    let bench = Bench::start().await;
    let expired = Static::temporary(
        accounts::ALIBABA_EXPIRED_STS_KEY_ID,
        accounts::ALIBABA_EXPIRED_STS_SECRET,
        accounts::ALIBABA_EXPIRED_STS_TOKEN,
    );
    let smc = bench.smc().credentials(expired).build().unwrap();
    let error = CreateAccessToken::new().send(&smc).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (Kind::TokenExpired, Outcome::Rejected)
    );
    assert_eq!(error.code(), Some("InvalidSecurityToken.Expired"));
    let unknown = bench
        .smc()
        .credentials(Static::keys("nobody", "secret"))
        .build()
        .unwrap();
    let error = CreateAccessToken::new().send(&unknown).await.unwrap_err();
    assert_eq!(error.code(), Some("InvalidAccessKeyId.NotFound"));
    assert!(error.is_authentication() && error.hint().is_some());
}

#[tokio::test]
async fn a_pages_example_of_an_internal_error() {
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();
    bench.fault(
        Service::Smc,
        "CreateAccessToken",
        FaultKind::ServerError(500),
    );
    let error = CreateAccessToken::new().send(&smc).await.unwrap_err();
    assert_eq!(
        (error.code(), error.kind()),
        (Some("InternalError"), Kind::Internal)
    );
    assert_eq!(error.outcome(), Outcome::Unknown);
}

#[test]
fn programs_can_make_errors_for_their_own_tests() {
    fn assert_traits<T: Send + Sync + std::error::Error + 'static>(_: &T) {}
    let error = Error::new(Kind::NotFound, "Op", "words")
        .with_code("A.B", 404)
        .with_hint("look");
    assert_eq!(
        error.to_string(),
        "Op failed: A.B: words (status 404). look"
    );
    assert_traits(&error);
    assert!(size_of::<Error>() <= size_of::<usize>());
}
