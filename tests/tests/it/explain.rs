//! Does the error of a failed signature say what to mend, and hide what must stay hidden?

use cumulo_core::alibaba::AcsSignature;
use cumulo_core::clock::BoxFuture;
use cumulo_core::credentials::Static;
use cumulo_core::error::Diagnosis;
use cumulo_core::transport::{
    HttpOptions, HttpRequest, HttpResponse, HttpTransport, Transport, TransportError,
};
use cumulo_localcloud::accounts;
use cumulo_smc::access_token::{CreateAccessToken, ListAccessTokens};
use cumulo_smc::{Error, Kind, Outcome};
use cumulo_tests::{Answer, Bench, Script};
use cumulo_zstack::access_key::QueryAccessKey;

/// A proxy that changes requests.
#[derive(Debug)]
struct Tamper {
    change: fn(&mut HttpRequest),
    http: HttpTransport,
}

impl Tamper {
    fn new(change: fn(&mut HttpRequest)) -> Self {
        let http = HttpTransport::new(&HttpOptions::default()).unwrap();
        Self { change, http }
    }
}

impl Transport for Tamper {
    fn send(
        &self,
        mut request: HttpRequest,
    ) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        (self.change)(&mut request);
        self.http.send(request)
    }
}

fn signature_error(error: &Error) {
    assert_eq!(
        (error.kind(), error.outcome()),
        (Kind::Signature, Outcome::Rejected),
        "{error}"
    );
    assert_eq!(error.attempts().len(), 1, "{error}");
    assert!(error.is_authentication());
}

#[tokio::test]
async fn a_wrong_secret_is_named_as_such() {
    let bench = Bench::start().await;
    for signature in [AcsSignature::V3, AcsSignature::V1] {
        let wrong = Static::keys(accounts::ALIBABA_KEY_ID, "wrong-secret-of-thirty-letters");
        let smc = bench
            .smc()
            .signature(signature)
            .credentials(wrong)
            .build()
            .unwrap();
        let error = CreateAccessToken::new()
            .description("a b*~")
            .send(&smc)
            .await
            .unwrap_err();
        signature_error(&error);
        assert_eq!(error.code(), Some("SignatureDoesNotMatch"));
        assert_eq!(
            error.diagnosis(),
            Some(Diagnosis::WrongSecret),
            "{signature:?}"
        );
        let text = error.explain();
        assert!(
            text.contains("exactly the text") && text.contains("secret"),
            "{text}"
        );
        assert!(!text.contains("wrong-secret"), "{text}");
    }

    let wrong = Static::keys(
        accounts::HUAWEI_AK,
        "wrong-secret-of-forty-letters-abcdefghij",
    );
    let apig = bench.apig().credentials(wrong).build().unwrap();
    let error = cumulo_apig::app::ListAppsV2::new()
        .send(&apig)
        .await
        .unwrap_err();
    signature_error(&error);
    assert_eq!(
        error.diagnosis(),
        Some(Diagnosis::WrongSecret),
        "{}",
        String::from_utf8_lossy(error.raw_body())
    );

    let wrong = Static::keys(accounts::ZSTACK_KEY_ID, "WrongSecretOfForty");
    let zstack = bench.zstack().credentials(wrong).build().unwrap();
    let error = QueryAccessKey::new().send(&zstack).await.unwrap_err();
    signature_error(&error);
    // ZStack does not tell what it signed; the advice is the likeliest cause.
    assert_eq!(error.diagnosis(), Some(Diagnosis::Unknown));
    assert!(error.explain().contains("secret"), "{error}");
}

#[tokio::test]
async fn a_parameter_that_a_proxy_changed_is_named() {
    let bench = Bench::start().await;
    let spaces = |request: &mut HttpRequest| {
        let query = request
            .url
            .query()
            .unwrap_or_default()
            .replace("a%20b", "a%2Bb");
        request.url.set_query(Some(&query));
    };
    let smc = bench
        .smc()
        .signature(AcsSignature::V1)
        .transport(Tamper::new(spaces))
        .build()
        .unwrap();
    let error = CreateAccessToken::new()
        .description("a b")
        .send(&smc)
        .await
        .unwrap_err();
    signature_error(&error);
    assert_eq!(
        error.diagnosis(),
        Some(Diagnosis::Altered(vec!["parameter Description".into()]))
    );
    assert!(
        error.explain().contains("parameter Description"),
        "{}",
        error.explain()
    );

    let added = |request: &mut HttpRequest| {
        let query = format!("{}&trace=1", request.url.query().unwrap_or_default());
        request.url.set_query(Some(&query));
    };
    let smc = bench
        .smc()
        .signature(AcsSignature::V1)
        .transport(Tamper::new(added))
        .build()
        .unwrap();
    let error = CreateAccessToken::new().send(&smc).await.unwrap_err();
    let Some(Diagnosis::Altered(parts)) = error.diagnosis() else {
        panic!("{:?}", error.diagnosis());
    };
    assert_eq!(parts, ["parameter trace (added on the way)"]);

    // Version 3 tells only a hash, Huawei the whole canonical request.
    let smc = bench.smc().transport(Tamper::new(added)).build().unwrap();
    let error = CreateAccessToken::new().send(&smc).await.unwrap_err();
    signature_error(&error);
    assert!(
        matches!(error.diagnosis(), Some(Diagnosis::Altered(_))),
        "{:?}",
        error.diagnosis()
    );

    let apig = bench.apig().transport(Tamper::new(added)).build().unwrap();
    let error = cumulo_apig::app::ListAppsV2::new()
        .name("x")
        .send(&apig)
        .await
        .unwrap_err();
    signature_error(&error);
    assert_eq!(
        error.diagnosis(),
        Some(Diagnosis::Altered(vec!["query".into()]))
    );
}

#[tokio::test]
async fn a_header_and_a_body_that_were_changed_are_named() {
    let bench = Bench::start().await;
    let header = |request: &mut HttpRequest| {
        request.headers.insert("x-custom", "other".parse().unwrap());
    };
    let apig = bench.apig().transport(Tamper::new(header)).build().unwrap();
    let call = cumulo_apig::app::ListAppsV2::new()
        .send(&apig)
        .header("x-custom", "mine");
    let error = call.await.unwrap_err();
    assert_eq!(
        error.diagnosis(),
        Some(Diagnosis::Altered(vec!["header x-custom".into()]))
    );

    let body = |request: &mut HttpRequest| {
        request.body = String::from_utf8_lossy(&request.body)
            .replace("shop", "sh0p")
            .into();
    };
    let apig = bench.apig().transport(Tamper::new(body)).build().unwrap();
    let error = cumulo_apig::app::CreateAnAppV2::new("shop")
        .send(&apig)
        .await
        .unwrap_err();
    signature_error(&error);
    assert_eq!(
        error.diagnosis(),
        Some(Diagnosis::Altered(vec!["payload".into()]))
    );
}

#[tokio::test]
async fn a_clock_is_told_by_its_difference() {
    let bench = Bench::start().await;
    let expired = r#"{"Code":"InvalidTimeStamp.Expired","Message":"expired","RequestId":"r"}"#;
    let answers = ["2031", "2032", "2033"].map(|year| {
        Answer::new(400, expired).header("date", &format!("{} {year} 00:00:00 GMT", day(year)))
    });
    let smc = bench.smc().transport(Script::new(answers)).build().unwrap();
    let error = ListAccessTokens::new().send(&smc).await.unwrap_err();
    assert_eq!(error.kind(), Kind::ClockSkew);
    // What was signed last was the second answer's time; the third is a leap year later.
    let Some(Diagnosis::Clock(seconds)) = error.diagnosis() else {
        panic!("{:?}", error.diagnosis());
    };
    assert_eq!(seconds, 366 * 86_400);
    assert!(
        error.explain().contains(&format!("by {seconds} s")),
        "{}",
        error.explain()
    );
}

fn day(year: &str) -> &'static str {
    match year {
        "2031" => "Wed, 01 Jan",
        "2032" => "Thu, 01 Jan",
        _ => "Sat, 01 Jan",
    }
}

#[tokio::test]
async fn other_errors_have_no_diagnosis() {
    let bench = Bench::start().await;
    let script = Script::one(403, r#"{"Code":"Forbidden.RAM","Message":"no"}"#);
    let smc = bench.smc().transport(script).build().unwrap();
    let error = ListAccessTokens::new().send(&smc).await.unwrap_err();
    assert_eq!(error.diagnosis(), None);
    assert!(error.explain().contains("Forbidden.RAM: no"));
}

#[tokio::test]
async fn white_space_in_a_secret_is_found_before_anything_is_sent() {
    let bench = Bench::start().await;
    for (id, secret) in [
        (accounts::ALIBABA_KEY_ID, "secret-with-newline\n"),
        (accounts::ALIBABA_KEY_ID, " secret"),
        ("key id", "secret"),
        (accounts::ALIBABA_KEY_ID, ""),
    ] {
        let smc = bench
            .smc()
            .credentials(Static::keys(id, secret))
            .build()
            .unwrap();
        let error = ListAccessTokens::new().send(&smc).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.outcome()),
            (Kind::Credentials, Outcome::NotSent)
        );
        let text = error.to_string();
        assert!(
            text.contains("white space") || text.contains("is empty"),
            "{text}"
        );
        assert!(!text.contains("secret-with"), "{text}");
    }
    assert!(bench.cloud.requests().is_empty());
}
