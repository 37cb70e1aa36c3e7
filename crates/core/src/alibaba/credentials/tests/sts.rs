use std::time::Duration;

use super::*;
use crate::alibaba::acs_v1;
use crate::credentials::testing::{html, json, reply, with_headers};
use crate::sign::percent;
use crate::transport::TransportErrorKind;

const OIDC: [(&str, &str); 3] = [
    ("ALIBABA_CLOUD_ROLE_ARN", "acs:ram::1234:role/app"),
    (
        "ALIBABA_CLOUD_OIDC_PROVIDER_ARN",
        "acs:ram::1234:oidc-provider/ack",
    ),
    ("ALIBABA_CLOUD_OIDC_TOKEN_FILE", "{home}/token"),
];

fn role() -> AssumeRole {
    AssumeRole::new(source(), "acs:ram::1234:role/app")
}

#[tokio::test]
async fn assume_role_signs_and_reads() {
    let world = World::answering(&[], vec![json(200, &assumed())]);
    let temporary =
        crate::credentials::Static::temporary("STS.1", "s3cr3t-source", "s3cr3t-source-token");
    let role = AssumeRole::new(temporary, "acs:ram::1234:role/app")
        .session_name("my-session")
        .duration(Duration::from_secs(1800))
        .policy(r#"{"Version":"1"}"#)
        .external_id("ext");
    let credential = world.provide(&role).await.unwrap();
    assert_eq!(credential.scope.account.as_deref(), Some("1234"));
    assert_eq!(
        credential.scope.user.as_deref(),
        Some("acs:ram::1234:assumed-role/app/session")
    );
    assert_eq!(
        credential.expires_at,
        crate::alibaba::credentials::answer::time(LATER)
    );
    assert_eq!(
        credential.source,
        "role acs:ram::1234:role/app, assumed with given by the program"
    );

    let request = world.script.asked().remove(0);
    assert_eq!(request.method, "POST");
    assert_eq!(request.url.host_str(), Some("sts.aliyuncs.com"));
    assert!(
        !request.url.as_str().contains("s3cr3t"),
        "no secret in the address"
    );
    let mut query: Vec<(String, String)> = request.url.query_pairs().into_owned().collect();
    let body = world.script.body(0);
    let form: Vec<(String, String)> = url::form_urlencoded::parse(body.as_bytes())
        .into_owned()
        .collect();
    let value = |all: &[(String, String)], name: &str| {
        all.iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.clone())
    };
    for (name, expected) in [
        ("RoleArn", "acs:ram::1234:role/app"),
        ("RoleSessionName", "my-session"),
        ("DurationSeconds", "1800"),
        ("Policy", r#"{"Version":"1"}"#),
        ("ExternalId", "ext"),
        ("SecurityToken", "s3cr3t-source-token"),
    ] {
        assert_eq!(value(&form, name).as_deref(), Some(expected));
    }
    for (name, expected) in [
        ("Action", "AssumeRole"),
        ("Version", "2015-04-01"),
        ("Format", "JSON"),
        ("AccessKeyId", "STS.1"),
        ("Timestamp", "2026-01-01T00:00:00Z"),
    ] {
        assert_eq!(value(&query, name).as_deref(), Some(expected));
    }
    let signature = value(&query, "Signature").unwrap();
    query.retain(|(name, _)| name != "Signature");
    query.extend(form);
    let text = acs_v1::string_to_sign("POST", &percent::canonical_query(&mut query));
    assert_eq!(signature, acs_v1::signature("s3cr3t-source", &text));
}

#[tokio::test]
async fn each_attempt_is_signed_afresh() {
    let answers = vec![
        Err(TransportErrorKind::Connect),
        reply(503, r#"{"Code":"ServiceUnavailable"}"#),
        json(200, &assumed()),
    ];
    let world = World::answering(&[], answers);
    world.provide(&role()).await.unwrap();
    let asked = world.script.asked();
    let nonce = |index: usize| {
        let pairs = asked[index].url.query_pairs();
        pairs
            .into_owned()
            .find(|(name, _)| name == "SignatureNonce")
            .unwrap()
            .1
    };
    assert_ne!(nonce(0), nonce(1));
    assert_ne!(nonce(1), nonce(2));
    assert_eq!(world.clock.slept().len(), 2);
}

#[tokio::test]
async fn the_sts_address_follows_region_and_vpc() {
    let hosts = [
        (&[][..], role(), "sts.aliyuncs.com"),
        (&[][..], role().vpc(true), "sts.aliyuncs.com"),
        (
            &[][..],
            role().region("cn-beijing"),
            "sts.cn-beijing.aliyuncs.com",
        ),
        (
            &[][..],
            role().region("cn-beijing").vpc(true),
            "sts-vpc.cn-beijing.aliyuncs.com",
        ),
        (
            &[("ALIBABA_CLOUD_STS_REGION", "eu-central-1")][..],
            role(),
            "sts.eu-central-1.aliyuncs.com",
        ),
        (
            &[("ALIBABA_CLOUD_STS_REGION", "eu-central-1")][..],
            role().region("cn-beijing"),
            "sts.cn-beijing.aliyuncs.com",
        ),
        (
            &[
                ("ALIBABA_CLOUD_STS_REGION", "eu-central-1"),
                ("ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED", "True"),
            ][..],
            role(),
            "sts-vpc.eu-central-1.aliyuncs.com",
        ),
        (
            &[][..],
            role().region("cn-beijing").endpoint("sts.example.com"),
            "sts.example.com",
        ),
        (
            &[][..],
            role().endpoint("http://127.0.0.1:9/x"),
            "127.0.0.1",
        ),
    ];
    for (variables, role, host) in hosts {
        let world = World::answering(variables, vec![json(200, &assumed())]);
        world.provide(&role).await.unwrap();
        assert_eq!(world.script.asked()[0].url.host_str(), Some(host));
    }
    for role in [
        role().endpoint("http://sts.example.com"),
        role().endpoint("https://u:s3cr3t@sts.example.com"),
        role().endpoint("ftp://sts.example.com"),
        role().region("cn beijing/s3cr3t"),
        role().duration(Duration::from_secs(899)),
    ] {
        let error = World::new(&[]).error(&role).await;
        assert_eq!(error.reason, Reason::Misconfigured, "{error}");
        assert!(error.hint.is_some());
    }
}

#[tokio::test]
async fn refusals_of_sts_tell_code_and_remedy_and_no_more() {
    let body = |code: &str| {
        reply(
            403,
            format!(r#"{{"Code":"{code}","Message":"s3cr3t string to sign","RequestId":"r-9"}}"#),
        )
    };
    for (code, remedy) in [
        ("NoPermission", "root cannot assume"),
        ("EntityNotExist.Role", "role ARN"),
        ("SignatureDoesNotMatch", "access key secret"),
        ("InvalidTimeStamp.Expired", "clock"),
        ("AuthenticationFail.OIDCToken.Expired", "get a new one"),
    ] {
        let world = World::answering(&[], vec![body(code)]);
        let error = world.error(&role()).await;
        assert_eq!(error.reason, Reason::Refused);
        let text = error.to_string();
        assert!(
            text.contains(code) && text.contains(remedy) && text.contains("r-9"),
            "{text}"
        );
    }
    // A code that is no code is not quoted either.
    let world = World::answering(&[], vec![body("your token s3cr3t is bad")]);
    assert!(
        world
            .error(&role())
            .await
            .to_string()
            .contains("status 403")
    );
}

#[tokio::test]
async fn broken_answers_of_sts_are_told_by_shape() {
    let without = |name: &str| {
        let mut body = assumed();
        body["Credentials"].as_object_mut().unwrap().remove(name);
        json(200, &body)
    };
    let mut unreadable = assumed();
    unreadable["Credentials"]["Expiration"] = "soon".into();
    let cases = [
        (vec![Err(TransportErrorKind::Timeout)], "no answer in time"),
        (vec![html(200)], "text/html, not JSON"),
        (vec![html(404)], "status 404 with text/html"),
        (vec![html(502), html(502), html(502)], "status 502"),
        (vec![reply(200, "{}")], "without Credentials"),
        (vec![reply(200, "")], "without a body, not JSON"),
        (vec![without("AccessKeyId")], "without AccessKeyId"),
        (vec![without("AccessKeySecret")], "without AccessKeySecret"),
        (vec![without("SecurityToken")], "without SecurityToken"),
        (vec![without("Expiration")], "without Expiration"),
        (vec![json(200, &unreadable)], "readable Expiration"),
        (
            vec![with_headers(302, &[("location", "http://s3cr3t")], "")],
            "status 302",
        ),
    ];
    for (answers, what) in cases {
        let world = World::answering(&[], answers);
        let error = world.error(&role()).await;
        assert!(error.to_string().contains(what), "{what} is not in {error}");
    }
}

#[tokio::test]
async fn a_role_needs_keys_that_work_to_be_assumed_with() {
    let world = World::new(&[]);
    let by_token = AssumeRole::new(BearerToken::new("s3cr3t"), "arn");
    assert!(
        world
            .error(&by_token)
            .await
            .to_string()
            .contains("gives a token")
    );
    let blank = AssumeRole::new(crate::credentials::Static::keys("id", "s3cr3t "), "arn");
    assert!(
        world
            .error(&blank)
            .await
            .to_string()
            .contains("white space")
    );
    let missing = AssumeRole::new(EnvironmentKeys, "arn");
    assert_eq!(world.error(&missing).await.provider, "environment");
}

#[tokio::test]
async fn oidc_sends_the_token_of_the_file_in_the_body_each_time() {
    let world = World::answering(&OIDC, vec![json(200, &assumed()), json(200, &assumed())]);
    world.file("token", "s3cr3t-one\n");
    let provider = Oidc::from_environment();
    let found = world.keys(&provider).await;
    assert_eq!(
        parts(&found),
        ("STS.id", "s3cr3t-key", Some("s3cr3t-token"))
    );
    world.file("token", "s3cr3t-two");
    world.keys(&provider).await;
    for (index, token) in ["s3cr3t-one", "s3cr3t-two"].into_iter().enumerate() {
        let line = &world.script.lines()[index];
        assert_eq!(
            line,
            "POST https://sts.aliyuncs.com/?Action=AssumeRoleWithOIDC&Format=JSON\
             &Timestamp=2026-01-01T00%3A00%3A00Z&Version=2015-04-01"
        );
        let body = world.script.body(index);
        assert!(
            body.contains(&format!(
                "OIDCToken={token}&RoleArn=acs%3Aram%3A%3A1234%3Arole%2Fapp"
            )),
            "{body}"
        );
        assert!(
            body.contains("DurationSeconds=3600") && body.contains("RoleSessionName=cumulo-"),
            "{body}"
        );
        assert!(world.script.header(index, "authorization").is_none());
    }
}

#[tokio::test]
async fn oidc_names_what_is_missing() {
    let mut half = OIDC.to_vec();
    half.remove(1);
    let error = World::new(&half).error(&Oidc::from_environment()).await;
    assert_eq!(error.reason, Reason::Misconfigured);
    assert!(
        error
            .to_string()
            .contains("ALIBABA_CLOUD_OIDC_PROVIDER_ARN is not set"),
        "{error}"
    );

    let error = World::new(&OIDC[..1])
        .error(&Oidc::from_environment())
        .await;
    assert_eq!(error.reason, Reason::NotConfigured);

    let world = World::new(&OIDC);
    let error = world.error(&Oidc::from_environment()).await;
    assert!(
        error
            .to_string()
            .contains("ALIBABA_CLOUD_OIDC_TOKEN_FILE names"),
        "{error}"
    );
    world.file("token", " \n");
    assert!(
        world
            .error(&Oidc::from_environment())
            .await
            .to_string()
            .contains("is empty")
    );

    let world = World::answering(
        &OIDC,
        vec![reply(
            400,
            r#"{"Code":"AuthenticationFail.NoPermission","Message":"s3cr3t-one"}"#,
        )],
    );
    world.file("token", "s3cr3t-one");
    assert!(
        world
            .error(&Oidc::from_environment())
            .await
            .to_string()
            .contains("trust policy")
    );
}

#[tokio::test]
async fn a_session_name_comes_from_the_environment() {
    let variables = [
        OIDC[0],
        OIDC[1],
        OIDC[2],
        ("ALIBABA_CLOUD_ROLE_SESSION_NAME", "pod-7"),
    ];
    let world = World::answering(
        &variables,
        vec![json(200, &assumed()), json(200, &assumed())],
    );
    world.file("token", "t");
    world.provide(&Oidc::from_environment()).await.unwrap();
    world.provide(&role()).await.unwrap();
    for index in 0..2 {
        assert!(world.script.body(index).contains("RoleSessionName=pod-7"));
    }
}
