//! Do the services find every form of every signature right, and no secret in any URL?

use std::collections::BTreeSet;

use cumulo_apig::app::{CreateAnAppV2, ListAppsV2};
use cumulo_core::alibaba::AcsSignature;
use cumulo_core::credentials::Static;
use cumulo_localcloud::{SeenRequest, accounts};
use cumulo_smartag::client_user::CreateSmartAccessGatewayClientUser;
use cumulo_smc::access_token::{CreateAccessToken, ListAccessTokens};
use cumulo_tests::{Bench, Script, alibaba_key};
use proptest::prelude::*;

const HARD: &str = "a b*c~d/中'()+&=%:?#\"<>|\\^`{}[]@!$;,\u{7f}\r\n\té😀";

fn sts_key() -> Static {
    Static::temporary(
        accounts::ALIBABA_STS_KEY_ID,
        accounts::ALIBABA_STS_SECRET,
        accounts::ALIBABA_STS_TOKEN,
    )
}

fn has_form(request: &SeenRequest) -> bool {
    request.header("content-type") == Some("application/x-www-form-urlencoded")
}

#[tokio::test]
async fn both_alibaba_signatures_in_query_and_form_with_plain_and_temporary_keys() {
    for signature in [AcsSignature::V3, AcsSignature::V1] {
        for form in [false, true] {
            for temporary in [false, true] {
                let case = format!("{signature:?} form {form} temporary {temporary}");
                let bench = Bench::start().await;
                let key = if temporary { sts_key() } else { alibaba_key() };
                let smc = bench
                    .smc()
                    .signature(signature)
                    .form_body(form)
                    .credentials(key)
                    .build()
                    .unwrap();
                let made = CreateAccessToken::new()
                    .name("web-1")
                    .description(HARD)
                    .send(&smc)
                    .await;
                made.unwrap_or_else(|error| panic!("{case}: {}", error.explain()));
                let listed = ListAccessTokens::new()
                    .name("web-1")
                    .send(&smc)
                    .await
                    .unwrap();
                assert_eq!(
                    listed.access_tokens[0].description.as_deref(),
                    Some(HARD),
                    "{case}"
                );

                let request = bench.only("CreateAccessToken");
                let token_in_parameters = signature == AcsSignature::V1 && temporary;
                assert_eq!(has_form(&request), form || token_in_parameters, "{case}");
                assert_eq!(request.method, "POST");
                for request in bench.cloud.requests() {
                    for secret in [
                        "alibaba-secret",
                        "sts-secret",
                        "localcloud%2Bsts",
                        "sts~token",
                    ] {
                        assert!(
                            !request.target.contains(secret),
                            "{case}: {}",
                            request.target
                        );
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn version_3_says_in_headers_what_version_1_says_in_parameters() {
    let bench = Bench::start().await;
    ListAccessTokens::new()
        .send(&bench.smc().build().unwrap())
        .await
        .unwrap();
    let v1 = bench.smc().signature(AcsSignature::V1).build().unwrap();
    ListAccessTokens::new().send(&v1).await.unwrap();
    let seen = bench.seen("ListAccessTokens");
    let (v3, v1) = (&seen[0], &seen[1]);

    assert_eq!(v3.target, "/");
    for (name, value) in [
        ("x-acs-action", "ListAccessTokens"),
        ("x-acs-version", "2019-06-01"),
        ("accept", "application/json"),
    ] {
        assert_eq!(v3.header(name), Some(value));
    }
    let authorization = v3.header("authorization").unwrap();
    let expected = format!("ACS3-HMAC-SHA256 Credential={},", accounts::ALIBABA_KEY_ID);
    assert!(authorization.starts_with(&expected), "{authorization}");
    assert!(
        v3.header("accept-encoding").is_none(),
        "answers are read as they come"
    );

    assert!(v1.header("authorization").is_none() && v1.header("x-acs-action").is_none());
    for (name, value) in [
        ("Action", "ListAccessTokens"),
        ("Version", "2019-06-01"),
        ("Format", "JSON"),
        ("SignatureMethod", "HMAC-SHA1"),
        ("SignatureVersion", "1.0"),
        ("AccessKeyId", accounts::ALIBABA_KEY_ID),
    ] {
        assert_eq!(v1.parameter(name).as_deref(), Some(value), "{name}");
    }
    let time = v1.parameter("Timestamp").unwrap();
    assert!(time.len() == 20 && time.ends_with('Z'), "{time}");
}

#[tokio::test]
async fn an_operation_with_a_password_sends_a_form() {
    let bench = Bench::start().await;
    for signature in [AcsSignature::V3, AcsSignature::V1] {
        let script = Script::one(200, "{}");
        let sag = bench
            .smartag()
            .signature(signature)
            .transport(script.clone())
            .build()
            .unwrap();
        let operation = CreateSmartAccessGatewayClientUser::new(100, "sag-1", "a@example.com");
        operation
            .user_name("user-one")
            .password("Pass+Word_1@x")
            .send(&sag)
            .await
            .unwrap();
        let sent = &script.sent()[0];
        assert!(!sent.url.as_str().contains("Pass"), "{}", sent.url);
        assert_eq!(sent.url.query(), None);
        let body = std::str::from_utf8(&sent.body).unwrap();
        assert!(body.contains("Password=Pass%2BWord_1%40x"), "{body}");
        assert_eq!(
            sent.headers["content-type"],
            "application/x-www-form-urlencoded"
        );
    }
    // Without the password it is a query as ever.
    let script = Script::one(200, "{}");
    let sag = bench.smartag().transport(script.clone()).build().unwrap();
    CreateSmartAccessGatewayClientUser::new(100, "sag-1", "a@example.com")
        .send(&sag)
        .await
        .unwrap();
    assert!(
        script.sent()[0]
            .url
            .query()
            .unwrap()
            .contains("SmartAGId=sag-1")
    );
    assert!(script.sent()[0].body.is_empty());
}

#[tokio::test]
async fn bearer_tokens_stay_out_of_the_url_too() {
    let bench = Bench::start().await;
    for (signature, place) in [(AcsSignature::V3, "header"), (AcsSignature::V1, "body")] {
        let script = Script::one(200, "{}");
        let builder = bench
            .smc()
            .signature(signature)
            .credentials(Static::token("bearer-token-text"));
        let smc = builder.transport(script.clone()).build().unwrap();
        ListAccessTokens::new().send(&smc).await.unwrap();
        let sent = &script.sent()[0];
        assert!(
            !sent.url.as_str().contains("bearer-token-text"),
            "{}",
            sent.url
        );
        let body = String::from_utf8_lossy(&sent.body).into_owned();
        match place {
            "header" => {
                assert_eq!(sent.headers["x-acs-bearer-token"], "bearer-token-text");
                assert!(
                    sent.url
                        .query()
                        .unwrap()
                        .contains("SignatureType=BEARERTOKEN")
                );
            }
            _ => assert!(body.contains("BearerToken=bearer-token-text"), "{body}"),
        }
    }
}

#[tokio::test]
async fn nonces_never_repeat() {
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();
    for _ in 0..50 {
        ListAccessTokens::new().send(&smc).await.unwrap();
    }
    let nonces: BTreeSet<String> = bench
        .seen("ListAccessTokens")
        .iter()
        .map(|request| request.header("x-acs-signature-nonce").unwrap().to_owned())
        .collect();
    assert_eq!(nonces.len(), 50);
    assert!(nonces.iter().all(|nonce| nonce.len() == 36));
}

#[tokio::test]
async fn further_headers_and_members_are_signed_where_signatures_cover_them() {
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();
    let call = ListAccessTokens::new().send(&smc);
    let call = call
        .header("x-acs-custom", "v 1")
        .header("x-other", "v")
        .param("Extra", "中+ &");
    call.await.unwrap();
    let request = bench.only("ListAccessTokens");
    assert_eq!(request.parameter("Extra").as_deref(), Some("中+ &"));
    assert!(
        request
            .header("authorization")
            .unwrap()
            .contains("x-acs-custom")
    );
    let apig = bench.apig().build().unwrap();
    ListAppsV2::new()
        .send(&apig)
        .header("x-custom", "v 1")
        .param("extra", "中+ &")
        .await
        .unwrap();
}

#[test]
fn any_text_arrives_as_it_was_given() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let bench = runtime.block_on(Bench::start());
    let v3 = bench.smc().build().unwrap();
    let v1 = bench.smc().signature(AcsSignature::V1).build().unwrap();
    let form = bench.smc().form_body(true).build().unwrap();
    let apig = bench.apig().build().unwrap();
    proptest!(ProptestConfig::with_cases(32), |(text in any::<String>(), name in "[a-z][a-z0-9_]{9,19}")| {
        runtime.block_on(async {
            for smc in [&v3, &v1, &form] {
                let made = CreateAccessToken::new().description(&text).send(smc).await.unwrap();
                let id = made.output.access_token_id.unwrap();
                let found = ListAccessTokens::new().access_token_id([id]).send(smc).await.unwrap();
                assert_eq!(found.access_tokens[0].description.as_deref().unwrap_or_default(), text);
            }
            let made = CreateAnAppV2::new(name.as_str()).remark(&text).send(&apig).await;
            if let Ok(made) = made {
                assert_eq!(made.remark.as_deref().unwrap_or_default(), text);
            }
            let listed = ListAppsV2::new().name(&text).send(&apig).await;
            listed.unwrap_or_else(|error| panic!("{text:?}: {}", error.explain()));
        });
    });
}
