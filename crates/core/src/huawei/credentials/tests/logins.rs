use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::*;
use crate::credentials::testing::{html, json, reply, with_headers};
use crate::credentials::{Cache, Static};

fn password() -> Password {
    Password::new("me", "s3cr3t")
        .domain_name("OTC-1")
        .project_name("eu-de_prj")
        .iam_endpoint(IAM)
}

#[tokio::test]
async fn password_by_name_in_a_project_by_name() {
    let world = World::answering(&[], vec![logged_in("tok")]);
    let credential = world.provide(&password()).await.unwrap();
    assert_eq!(world.script.lines(), [format!("POST {IAM}/auth/tokens")]);
    assert_eq!(
        world.script.header(0, "content-type").as_deref(),
        Some("application/json;charset=utf8")
    );
    assert_eq!(
        world.script.json_body(0),
        json!({ "auth": {
            "identity": { "methods": ["password"], "password": { "user": {
                "name": "me", "password": "s3cr3t", "domain": { "name": "OTC-1" } } } },
            "scope": { "project": { "name": "eu-de_prj", "domain": { "name": "OTC-1" } } },
        } })
    );
    assert_eq!(token_of(&credential), "tok");
    let scope = &credential.scope;
    assert_eq!(scope.project_id.as_deref(), Some("p1"));
    assert_eq!(
        scope.account.as_deref(),
        Some("d1"),
        "the user's domain, not the project's"
    );
    assert_eq!(scope.user.as_deref(), Some("me"));
    let apig = &scope.endpoints[0];
    assert_eq!(
        (
            apig.service.as_str(),
            apig.region.as_str(),
            apig.url.as_str()
        ),
        ("apigv2", "eu-de", "https://apig.eu-de/v2/p1")
    );
    assert_eq!(scope.endpoints.len(), 1, "public endpoints only");
    let life = credential
        .expires_at
        .unwrap()
        .duration_since(world.context.clock.now())
        .unwrap();
    assert_eq!(life, Duration::from_secs(86_400));
    assert_eq!(
        credential.source,
        "login of me at iam.eu-de.otc.t-systems.com"
    );
}

/// Codes and ids of answers are told; one that is only what was sent is not.
#[tokio::test]
async fn what_a_login_sent_does_not_come_back_in_its_error() {
    for answer in [
        json(
            401,
            &json!({ "error": { "code": "s3cr3t", "message": "no" } }),
        ),
        json(
            503,
            &json!({ "error_code": "s3cr3t", "request_id": "s3cr3t" }),
        ),
        with_headers(401, &[("x-openstack-request-id", "req-1/s3cr3t")], "{}"),
        with_headers(401, &[("x-openstack-request-id", "s3cr3t")], "{}"),
    ] {
        let world = World::answering(&[], vec![answer; 3]);
        let error = world.provide(&password()).await.unwrap_err();
        crate::credentials::testing::no_secret(&error);
        assert!(error.to_string().contains("status"), "{error}");
    }
}

/// IAM has no code for most of what is wrong: its words are told, unless they quote a secret.
#[tokio::test]
async fn what_a_refusal_says_is_told_but_no_secret() {
    let agency = || {
        Agency::new(Static::token("s3cr3t"), "my-agency")
            .domain_name("A")
            .iam_endpoint(IAM)
    };
    let words = |text: &str| json(404, &json!({ "error": { "code": 404, "message": text } }));
    let world = World::answering(&[], vec![words("Could not find\n the agency my-agency.")]);
    let error = world.error(&agency()).await.to_string();
    assert!(
        error.ends_with("status 404, code 404: Could not find the agency my-agency."),
        "{error}"
    );
    let world = World::answering(&[], vec![words("no such token: s3cr3t")]);
    let error = world.error(&agency()).await;
    crate::credentials::testing::no_secret(&error);
    assert!(
        error.to_string().contains("status 404, code 404"),
        "{error}"
    );
    assert!(!error.to_string().contains("no such token"), "{error}");
    // However short: what is under the name of a secret is not told.
    let short = Password::new("me", "pw").domain_name("A").iam_endpoint(IAM);
    let world = World::answering(&[], vec![words("bad pw")]);
    assert!(!world.error(&short).await.to_string().contains("bad"));
    let long = "x ".repeat(1_000);
    let world = World::answering(&[], vec![words(&long)]);
    assert!(world.error(&agency()).await.to_string().len() < 600);
}

#[tokio::test]
async fn application_credentials_by_id_and_by_name() {
    let by_id = ApplicationCredential::new("ac-1", "s3cr3t").iam_endpoint(IAM);
    let world = World::answering(&[], vec![logged_in("tok")]);
    let credential = world.provide(&by_id).await.unwrap();
    assert_eq!(token_of(&credential), "tok");
    assert_eq!(
        credential.source,
        "application credential ac-1 at iam.eu-de.otc.t-systems.com"
    );
    assert_eq!(
        world.script.json_body(0),
        json!({ "auth": { "identity": {
            "methods": ["application_credential"],
            "application_credential": { "id": "ac-1", "secret": "s3cr3t" },
        } } }),
        "the credential is for its project: there is no scope"
    );
    assert!(!format!("{by_id:?}").contains("s3cr3t"));

    let by_name = || ApplicationCredential::by_name("ci", "s3cr3t").iam_endpoint(IAM);
    for (login, user) in [
        (by_name().user_id("u1"), json!({ "id": "u1" })),
        (
            by_name().user_name("me").domain_name("OTC-1"),
            json!({ "name": "me", "domain": { "name": "OTC-1" } }),
        ),
        (
            by_name().user_name("me").domain_id("d1"),
            json!({ "name": "me", "domain": { "id": "d1" } }),
        ),
    ] {
        let world = World::answering(&[], vec![logged_in("tok")]);
        world.provide(&login).await.unwrap();
        assert_eq!(
            world.script.json_body(0)["auth"]["identity"]["application_credential"],
            json!({ "name": "ci", "user": user, "secret": "s3cr3t" })
        );
    }
    for (login, missing) in [
        (by_name(), "OS_APPLICATION_CREDENTIAL_ID"),
        (by_name().user_name("me"), "OS_USER_DOMAIN_NAME"),
    ] {
        let error = World::new(&[]).error(&login).await.to_string();
        assert!(error.contains(missing), "{error}");
    }
}

#[tokio::test]
async fn users_and_scopes_in_all_their_forms() {
    let user = |login: Password| login.iam_endpoint(IAM);
    for (login, expected_user, scope) in [
        (
            user(Password::by_id("u1", "s3cr3t").domain_name("ignored")).project_id("p1"),
            json!({ "id": "u1", "password": "s3cr3t" }),
            json!({ "project": { "id": "p1" } }),
        ),
        (
            user(Password::by_id("u1", "s3cr3t")).project_name("n"),
            json!({ "id": "u1", "password": "s3cr3t" }),
            json!({ "project": { "name": "n" } }),
        ),
        (
            user(Password::new("me", "s3cr3t").domain_id("d"))
                .project_name("n")
                .project_domain_name("pd"),
            json!({ "name": "me", "password": "s3cr3t", "domain": { "id": "d" } }),
            json!({ "project": { "name": "n", "domain": { "name": "pd" } } }),
        ),
        (
            user(Password::new("me", "s3cr3t").domain_id("d"))
                .project_id("p")
                .scope_domain_id("d"),
            json!({ "name": "me", "password": "s3cr3t", "domain": { "id": "d" } }),
            json!({ "project": { "id": "p" } }),
        ),
        (
            user(Password::new("me", "s3cr3t").domain_id("d")).scope_domain_name("dd"),
            json!({ "name": "me", "password": "s3cr3t", "domain": { "id": "d" } }),
            json!({ "domain": { "name": "dd" } }),
        ),
        (
            user(Password::new("me", "s3cr3t").domain_id("d")),
            json!({ "name": "me", "password": "s3cr3t", "domain": { "id": "d" } }),
            Json::Null,
        ),
    ] {
        let world = World::answering(&[], vec![logged_in("tok")]);
        world.provide(&login).await.unwrap();
        let body = world.script.json_body(0);
        assert_eq!(body["auth"]["identity"]["password"]["user"], expected_user);
        assert_eq!(
            body["auth"].get("scope").cloned().unwrap_or_default(),
            scope
        );
    }
    let error = World::new(&[])
        .error(&Password::new("me", "s3cr3t").iam_endpoint(IAM))
        .await;
    assert!(error.to_string().contains("OS_USER_DOMAIN_NAME"), "{error}");
}

#[tokio::test]
async fn the_address_of_iam() {
    let plain = || Password::by_id("u", "s3cr3t");
    for (login, address) in [
        (
            plain().region("eu-de"),
            "https://iam.eu-de.otc.t-systems.com/v3/auth/tokens",
        ),
        (
            plain()
                .region("eu-de")
                .iam_endpoint("https://k.example.com:5000"),
            "https://k.example.com:5000/v3/auth/tokens",
        ),
        (
            plain().iam_endpoint("https://k.example.com/identity/v3/"),
            "https://k.example.com/identity/v3/auth/tokens",
        ),
        (
            plain().iam_endpoint("http://127.0.0.1:5000/v3"),
            "http://127.0.0.1:5000/v3/auth/tokens",
        ),
        (
            plain()
                .iam_endpoint("http://k.example.com/v3")
                .allow_http(true),
            "http://k.example.com/v3/auth/tokens",
        ),
    ] {
        let world = World::answering(&[], vec![logged_in("tok")]);
        world.provide(&login).await.unwrap();
        assert_eq!(world.script.lines(), [format!("POST {address}")]);
    }
    for (login, what) in [
        (plain(), "OS_REGION_NAME"),
        (
            plain().iam_endpoint("http://k.example.com/v3"),
            "plain HTTP",
        ),
        (
            plain().iam_endpoint("https://k.example.com/v2.0"),
            "End it with /v3",
        ),
        (
            plain().iam_endpoint("https://u:s3cr3t@k.example.com/v3"),
            "user name or password",
        ),
        (plain().region("../s3cr3t"), "no region id"),
    ] {
        let error = World::new(&[]).error(&login).await;
        assert_eq!(error.reason, Reason::Misconfigured);
        assert!(error.to_string().contains(what), "{what} is not in {error}");
    }
}

#[tokio::test]
async fn refused_logins_say_what_to_check() {
    let body = r#"{"error":{"code":401,"message":"s3cr3t was wrong","title":"Unauthorized"}}"#;
    let receipt = with_headers(401, &[("openstack-auth-receipt", "s3cr3t")], body);
    for (answer, what) in [
        (reply(401, body), "Check user, domain and password"),
        (receipt, "OS_PASSCODE"),
        (html(404), "ending with /v3"),
        (html(302), "leads elsewhere"),
        (reply(403, body), "is locked"),
    ] {
        let world = World::answering(&[], vec![answer]);
        let error = world.error(&password()).await;
        assert!(error.to_string().contains(what), "{what} is not in {error}");
        assert_eq!(world.script.asked().len(), 1, "never repeated");
    }
}

#[tokio::test]
async fn broken_answers_of_keystone_are_told_by_shape() {
    let with = |change: fn(&mut Json)| {
        let mut body = about();
        change(&mut body["token"]);
        with_headers(201, &[("x-subject-token", "s3cr3t")], body.to_string())
    };
    for (answers, what) in [
        (
            vec![json(201, &about())],
            "without the header X-Subject-Token",
        ),
        (
            vec![with(|token| token["expires_at"] = Json::Null)],
            "without expires_at",
        ),
        (
            vec![with(|token| token["expires_at"] = "soon".into())],
            "readable expires_at",
        ),
        (
            vec![with_headers(
                201,
                &[("x-subject-token", "s3cr3t")],
                "<html>",
            )],
            "not JSON",
        ),
        (vec![Err(TransportErrorKind::Timeout)], "no answer in time"),
        (vec![html(500), html(500), html(503)], "status 503"),
        (
            vec![
                Err(TransportErrorKind::Connect),
                Err(TransportErrorKind::Connect),
                Err(TransportErrorKind::Connect),
            ],
            "cannot connect",
        ),
    ] {
        let world = World::answering(&[], answers);
        let error = world.error(&password()).await;
        assert_eq!(error.reason, Reason::Unavailable);
        assert!(error.to_string().contains(what), "{what} is not in {error}");
    }
    // Server faults and throttling pass.
    let world = World::answering(&[], vec![html(503), reply(429, "{}"), logged_in("tok")]);
    world.provide(&password()).await.unwrap();
    // What a catalog lacks does no harm.
    let world = World::answering(
        &[],
        vec![with(|token| {
            token["catalog"] = json!([{ "type": "x", "endpoints": [{}] }, 1]);
        })],
    );
    assert!(
        world
            .provide(&password())
            .await
            .unwrap()
            .scope
            .endpoints
            .is_empty()
    );
}

#[tokio::test]
async fn a_token_is_renewed_five_minutes_before_its_end() {
    let world = World::answering(&[], vec![logged_in("t0"), logged_in("t1")]);
    let cache = Cache::new(Arc::new(password()));
    let get = async || token_of(&cache.get(&world.context).await.unwrap().credential).to_owned();
    assert_eq!(get().await, "t0");
    world.clock.advance(Duration::from_secs(86_400 - 361));
    assert_eq!(get().await, "t0");
    world.clock.advance(Duration::from_secs(61));
    assert_eq!(
        get().await,
        "t0",
        "the new one is fetched in the background"
    );
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    assert_eq!(get().await, "t1");
}

#[tokio::test]
async fn a_passcode_is_sent_once() {
    let world = World::answering(&[], vec![logged_in("tok")]);
    let cache = Cache::new(Arc::new(Totp::new(password(), "123456")));
    let held = cache.get(&world.context).await.unwrap();
    let identity = &world.script.json_body(0)["auth"]["identity"];
    assert_eq!(identity["methods"], json!(["password", "totp"]));
    assert_eq!(
        identity["totp"]["user"],
        json!({ "name": "me", "domain": { "name": "OTC-1" }, "passcode": "123456" })
    );
    // The server refuses the token: no silent second login.
    cache.invalidate(&held);
    let error = cache.get(&world.context).await.unwrap_err();
    assert_eq!(error.reason, Reason::Expired);
    assert!(error.to_string().contains("works only once"), "{error}");
    assert_eq!(world.script.asked().len(), 1);

    // Not even after a failure that may have used it up.
    let world = World::answering(&[], vec![html(503)]);
    let login = Totp::new(password(), "123456");
    world.error(&login).await;
    assert_eq!(world.error(&login).await.reason, Reason::Expired);
}

#[tokio::test]
async fn a_person_can_be_asked_for_passcodes() {
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let login = Totp::asking(password(), move || {
        match count.fetch_add(1, Ordering::Relaxed) {
            2 => None,
            number => Some(Secret::from(format!("00000{number}"))),
        }
    });
    assert!(!format!("{login:?}").contains("s3cr3t"));
    let world = World::answering(&[], vec![logged_in("t0"), logged_in("t1")]);
    world.provide(&login).await.unwrap();
    world.provide(&login).await.unwrap();
    assert_eq!(
        world.script.json_body(1)["auth"]["identity"]["totp"]["user"]["passcode"],
        "000001"
    );
    assert!(
        world
            .error(&login)
            .await
            .to_string()
            .contains("nobody gave a passcode")
    );
}

#[tokio::test]
async fn an_agency_with_a_token_gives_a_token() {
    let world = World::answering(&[], vec![logged_in("first"), logged_in("second")]);
    let agency = Agency::new(password(), "my-agency")
        .domain_name("A")
        .project_name("eu-de")
        .iam_endpoint(IAM);
    let credential = world.provide(&agency).await.unwrap();
    assert_eq!(token_of(&credential), "second");
    assert_eq!(
        world.script.header(1, "x-auth-token").as_deref(),
        Some("first")
    );
    assert_eq!(
        world.script.json_body(1),
        json!({ "auth": {
            "identity": { "methods": ["assume_role"], "assume_role": { "xrole_name": "my-agency", "domain_name": "A" } },
            "scope": { "project": { "name": "eu-de", "domain": { "name": "A" } } },
        } })
    );
    let whole = Agency::new(Static::token("t"), "my-agency")
        .domain_id("D")
        .iam_endpoint(IAM);
    let world = World::answering(&[], vec![logged_in("second")]);
    world.provide(&whole).await.unwrap();
    assert_eq!(
        world.script.json_body(0)["auth"]["scope"],
        json!({ "domain": { "id": "D" } })
    );
    let error = World::new(&[])
        .error(&Agency::new(Static::token("t"), "a").iam_endpoint(IAM))
        .await;
    assert!(
        error.to_string().contains("OS_AGENCY_DOMAIN_NAME"),
        "{error}"
    );
}

#[tokio::test]
async fn an_identity_providers_token_is_read_at_each_login() {
    let world = World::answering(&[], vec![logged_in("t0"), logged_in("t1")]);
    let path = world.file("id", "s3cr3t-0\n");
    let login = IdToken::new("my-idp", path.to_str().unwrap())
        .project_id("p1")
        .region("eu-de");
    world.provide(&login).await.unwrap();
    world.file("id", "s3cr3t-1");
    world.provide(&login).await.unwrap();
    assert_eq!(
        world.script.lines()[0],
        "POST https://iam.eu-de.otc.t-systems.com/v3.0/OS-AUTH/id-token/tokens"
    );
    assert_eq!(
        world.script.header(0, "x-idp-id").as_deref(),
        Some("my-idp")
    );
    assert_eq!(
        world.script.json_body(1),
        json!({ "auth": { "id_token": { "id": "s3cr3t-1" }, "scope": { "project": { "id": "p1" } } } })
    );
    world.file("id", "");
    assert!(world.error(&login).await.to_string().contains("is empty"));
    let missing = IdToken::new("my-idp", "/no/such/s3cr").region("eu-de");
    assert!(
        world
            .error(&missing)
            .await
            .to_string()
            .contains("does not exist")
    );
}
