use std::time::Duration;

use super::*;
use crate::credentials::Static;
use crate::credentials::testing::{html, json, reply, with_headers};
use crate::huawei::sdk_hmac;
use crate::sign::{CanonicalRequest, EMPTY_SHA256, sha256_hex};

fn keys() -> Static {
    Static::keys("AK1", "s3cr3t-sk")
}

#[tokio::test]
async fn keys_find_the_project_of_their_region() {
    let world = World::answering(&[], vec![json(200, &projects(&["p1"]))]);
    let provider = KeysWithProject::new(keys()).region("eu-de");
    let credential = world.provide(&provider).await.unwrap();
    assert_eq!(credential.scope.project_id.as_deref(), Some("p1"));
    assert_eq!(
        world.script.lines(),
        ["GET https://iam.eu-de.otc.t-systems.com/v3/projects?name=eu-de"]
    );
    assert_eq!(world.script.header(0, "x-project-id"), None);
    assert_eq!(world.script.header(0, "content-type"), None);
    let date = "20260101T000000Z";
    let expected = sdk_hmac::sign(
        sdk_hmac::Style::Access,
        "AK1",
        "s3cr3t-sk",
        date,
        &CanonicalRequest {
            method: "GET",
            canonical_uri: "/v3/projects/",
            canonical_query: "name=eu-de",
            headers: &[
                ("host", "iam.eu-de.otc.t-systems.com"),
                ("x-sdk-date", date),
            ],
            payload_sha256: EMPTY_SHA256,
        },
    );
    assert_eq!(
        world.script.header(0, "authorization").unwrap(),
        expected.authorization
    );
    // The answer is kept.
    world.provide(&provider).await.unwrap();
    assert_eq!(world.script.asked().len(), 1);
}

#[tokio::test]
async fn a_known_project_costs_no_request() {
    let world = World::new(&[]);
    let provider = KeysWithProject::new(keys())
        .project_id("p9")
        .region("eu-de");
    assert_eq!(
        world
            .provide(&provider)
            .await
            .unwrap()
            .scope
            .project_id
            .as_deref(),
        Some("p9")
    );
    let nothing = KeysWithProject::new(keys());
    assert_eq!(
        world.provide(&nothing).await.unwrap().scope.project_id,
        None
    );
}

#[tokio::test]
async fn it_must_be_exactly_one_project() {
    let provider = || {
        KeysWithProject::new(keys())
            .region("eu-de")
            .project_name("eu-de_x y")
    };
    let world = World::answering(&[], vec![json(200, &projects(&[]))]);
    let error = world.error(&provider()).await;
    assert!(
        error.to_string().contains("no project named `eu-de_x y`"),
        "{error}"
    );
    assert!(world.script.lines()[0].ends_with("?name=eu-de_x%20y"));
    let world = World::answering(&[], vec![json(200, &projects(&["p1", "p2"]))]);
    let error = world.error(&provider()).await;
    assert!(
        error
            .to_string()
            .contains("several projects named `eu-de_x y`: p1, p2"),
        "{error}"
    );
    let world = World::answering(&[], vec![reply(200, "{}")]);
    assert!(
        world
            .error(&provider())
            .await
            .to_string()
            .contains("without projects")
    );
}

#[tokio::test]
async fn refused_keys_are_never_tried_again() {
    for status in [401, 403] {
        let body = r#"{"error_code":"APIGW.0301","error_msg":"Incorrect IAM authentication information: s3cr3t-sk"}"#;
        let world = World::answering(&[], vec![reply(status, body)]);
        let error = world
            .error(&KeysWithProject::new(keys()).region("eu-de"))
            .await;
        assert_eq!(
            (error.reason, world.script.asked().len()),
            (Reason::Refused, 1)
        );
        assert!(
            error.to_string().contains("APIGW.0301") && error.to_string().contains("lock"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn temporary_keys_by_a_token() {
    let world = World::answering(&[], vec![logged_in("tok"), json(201, &temporary())]);
    let login = Password::by_id("u", "s3cr3t").region("eu-de");
    let provider = TemporaryKeys::new(login)
        .region("eu-de")
        .duration(Duration::from_secs(900));
    let credential = world.provide(&provider).await.unwrap();
    assert_eq!(
        world.script.lines()[1],
        "POST https://iam.eu-de.otc.t-systems.com/v3.0/OS-CREDENTIAL/securitytokens"
    );
    assert_eq!(
        world.script.header(1, "x-auth-token").as_deref(),
        Some("tok")
    );
    assert_eq!(
        world.script.json_body(1),
        json!({ "auth": { "identity": { "methods": ["token"], "token": { "id": "tok", "duration_seconds": 900 } } } })
    );
    assert_eq!(credential.scope.project_id.as_deref(), Some("p1"));
    let Identity::Keys(keys) = &credential.identity else {
        panic!("a token")
    };
    assert_eq!(parts(keys), ("TMP", "s3cr3t-tmp", Some("s3cr3t-st")));
    let end = credential
        .expires_at
        .unwrap()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    assert_eq!(end.as_secs(), NOW + 3600);

    for (duration, source) in [
        (899, Static::token("t")),
        (86_401, Static::token("t")),
        (900, super::keys::keys()),
    ] {
        let provider = TemporaryKeys::new(source)
            .region("eu-de")
            .duration(Duration::from_secs(duration));
        assert_eq!(
            World::new(&[]).error(&provider).await.reason,
            Reason::Misconfigured
        );
    }
}

#[tokio::test]
async fn an_agency_with_keys_gives_temporary_keys() {
    let world = World::answering(
        &[],
        vec![json(201, &temporary()), json(200, &projects(&["p7"]))],
    );
    let source = Static::temporary("AK1", "s3cr3t-sk", "s3cr3t-old");
    let agency = Agency::new(source, "my-agency")
        .domain_id("D")
        .project_name("eu-de")
        .region("eu-de");
    let credential = world.provide(&agency).await.unwrap();
    assert_eq!(credential.scope.project_id.as_deref(), Some("p7"));
    assert_eq!(
        world.script.json_body(0),
        json!({ "auth": { "identity": { "methods": ["assume_role"], "assume_role": {
            "xrole_name": "my-agency", "domain_id": "D", "duration_seconds": 3600 } } } })
    );
    // Signed with the caller's keys, whose token is covered too.
    let date = "20260101T000000Z";
    let kind = "application/json;charset=utf8";
    let expected = sdk_hmac::sign(
        sdk_hmac::Style::Access,
        "AK1",
        "s3cr3t-sk",
        date,
        &CanonicalRequest {
            method: "POST",
            canonical_uri: "/v3.0/OS-CREDENTIAL/securitytokens/",
            canonical_query: "",
            headers: &[
                ("content-type", kind),
                ("host", "iam.eu-de.otc.t-systems.com"),
                ("x-sdk-date", date),
                ("x-security-token", "s3cr3t-old"),
            ],
            payload_sha256: &sha256_hex(world.script.body(0).as_bytes()),
        },
    );
    assert_eq!(
        world.script.header(0, "authorization").unwrap(),
        expected.authorization
    );
    // The project is looked for with the new keys.
    assert!(
        world
            .script
            .header(1, "authorization")
            .unwrap()
            .contains("Access=TMP")
    );
    assert_eq!(
        world.script.header(1, "x-security-token").as_deref(),
        Some("s3cr3t-st")
    );
}

#[tokio::test]
async fn metadata_with_and_without_a_session_token() {
    let world = World::with(
        &[],
        vec![],
        vec![reply(200, "tok"), json(200, &temporary())],
    );
    let found = world.keys(&Metadata::new()).await;
    assert_eq!(parts(&found), ("TMP", "s3cr3t-tmp", Some("s3cr3t-st")));
    assert_eq!(
        world.direct.lines(),
        [
            "PUT http://169.254.169.254/meta-data/latest/api/token",
            "GET http://169.254.169.254/openstack/latest/securitykey",
        ]
    );
    assert_eq!(
        world
            .direct
            .header(0, "x-metadata-token-ttl-seconds")
            .as_deref(),
        Some("21600")
    );
    assert_eq!(
        world.direct.header(1, "x-metadata-token").as_deref(),
        Some("tok")
    );
    assert!(
        world
            .direct
            .asked()
            .iter()
            .all(|request| request.timeout.as_secs() <= 3)
    );
    for none in [
        html(404),
        html(405),
        html(503),
        Err(TransportErrorKind::Timeout),
    ] {
        let world = World::with(&[], vec![], vec![none, json(200, &temporary())]);
        world.keys(&Metadata::new()).await;
        assert_eq!(world.direct.header(1, "x-metadata-token"), None);
    }
}

#[tokio::test]
async fn metadata_that_gives_nothing() {
    let no_agency = || reply(401, "Please configure Cloud Service Agency first. s3cr3t");
    for (answers, in_chain, alone) in [
        (
            || vec![Err(TransportErrorKind::Connect)],
            Reason::NotConfigured,
            Reason::Unavailable,
        ),
        (
            || {
                vec![
                    Err(TransportErrorKind::Timeout),
                    Err(TransportErrorKind::Timeout),
                ]
            },
            Reason::NotConfigured,
            Reason::Unavailable,
        ),
        (|| vec![html(500)], Reason::Unavailable, Reason::Unavailable),
        (
            || vec![reply(200, "tok"), html(200)],
            Reason::Unavailable,
            Reason::Unavailable,
        ),
        (
            || vec![reply(200, "tok"), reply(200, "{}")],
            Reason::Unavailable,
            Reason::Unavailable,
        ),
        (
            || vec![reply(200, "tok"), reply(401, "s3cr3t")],
            Reason::Refused,
            Reason::Refused,
        ),
        (
            || vec![reply(200, "tok"), html(404)],
            Reason::NotConfigured,
            Reason::Misconfigured,
        ),
    ]
        as [(
            fn() -> Vec<Result<HttpResponse, TransportErrorKind>>,
            Reason,
            Reason,
        ); 7]
    {
        let world = World::with(&[], vec![], answers());
        assert_eq!(world.error(&Metadata::in_chain()).await.reason, in_chain);
        let world = World::with(&[], vec![], answers());
        assert_eq!(world.error(&Metadata::new()).await.reason, alone);
    }
    let world = World::with(&[], vec![], vec![reply(200, "tok"), no_agency()]);
    assert_eq!(
        world.error(&Metadata::in_chain()).await.reason,
        Reason::NotConfigured
    );
    let half = with_headers(
        200,
        &[],
        r#"{"credential":{"access":"a","secret":"s3cr3t","expires_at":"2026-01-01T01:00:00Z"}}"#,
    );
    let world = World::with(&[], vec![], vec![reply(200, "tok"), half]);
    assert!(
        world
            .error(&Metadata::new())
            .await
            .to_string()
            .contains("without securitytoken")
    );
}
