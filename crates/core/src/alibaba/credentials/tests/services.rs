use super::*;
use crate::credentials::testing::{html, json, reply};
use crate::transport::TransportErrorKind;

const ROLES: &str = "http://100.100.100.200/latest/meta-data/ram/security-credentials/";

fn issued_here() -> Json {
    let mut body = issued();
    body["Code"] = "Success".into();
    body["LastUpdated"] = "2026-01-01T00:00:00Z".into();
    body
}

#[tokio::test]
async fn ecs_role_by_version_2() {
    let answers = vec![
        reply(200, "tok\n"),
        reply(200, " app-role\n"),
        json(200, &issued_here()),
    ];
    let world = World::with(&[], Vec::new(), answers);
    let credential = world.provide(&EcsRole::new()).await.unwrap();
    assert_eq!(credential.source, "ECS RAM role app-role");
    assert_eq!(
        world.direct.lines(),
        [
            "PUT http://100.100.100.200/latest/api/token".to_owned(),
            format!("GET {ROLES}"),
            format!("GET {ROLES}app-role"),
        ]
    );
    let header = |index, name| world.direct.header(index, name);
    assert_eq!(
        header(0, "x-aliyun-ecs-metadata-token-ttl-seconds").as_deref(),
        Some("21600")
    );
    assert_eq!(
        header(1, "x-aliyun-ecs-metadata-token").as_deref(),
        Some("tok")
    );
    assert_eq!(
        header(2, "x-aliyun-ecs-metadata-token").as_deref(),
        Some("tok")
    );
    assert!(world.script.asked().is_empty(), "never through a proxy");
    assert!(
        world
            .direct
            .asked()
            .iter()
            .all(|request| request.timeout.as_secs() <= 1)
    );
}

#[tokio::test]
async fn ecs_role_falls_back_to_version_1_unless_forbidden() {
    for token in [
        html(404),
        html(405),
        reply(403, ""),
        Err(TransportErrorKind::Timeout),
        reply(200, ""),
    ] {
        let again = match &token {
            Ok(reply) => Ok(reply.clone()),
            Err(broken) => Err(*broken),
        };
        let world = World::with(
            &[],
            Vec::new(),
            vec![token, reply(200, "r"), json(200, &issued_here())],
        );
        world.provide(&EcsRole::new()).await.unwrap();
        assert_eq!(world.direct.header(2, "x-aliyun-ecs-metadata-token"), None);

        let world = World::with(
            &[("ALIBABA_CLOUD_IMDSV1_DISABLED", "True")],
            Vec::new(),
            vec![again],
        );
        let error = world.error(&EcsRole::new()).await;
        assert_eq!(world.direct.asked().len(), 1, "{error}");
    }
    let world = World::with(&[], Vec::new(), vec![html(404)]);
    world.error(&EcsRole::new().disable_v1(true)).await;
}

#[tokio::test]
async fn ecs_role_of_a_given_name() {
    for (variables, provider) in [
        (
            &[("ALIBABA_CLOUD_ECS_METADATA", "my role")][..],
            EcsRole::new(),
        ),
        (&[][..], EcsRole::new().role("my role")),
    ] {
        let world = World::with(
            variables,
            Vec::new(),
            vec![reply(200, "tok"), json(200, &issued_here())],
        );
        world.provide(&provider).await.unwrap();
        assert_eq!(world.direct.lines()[1], format!("GET {ROLES}my%20role"));
    }
    let world = World::with(&[], Vec::new(), vec![reply(200, "tok"), html(404)]);
    let error = world.error(&EcsRole::new().role("r")).await;
    assert!(error.to_string().contains("no RAM role `r`"), "{error}");
}

#[tokio::test]
async fn in_the_chain_a_machine_without_metadata_is_no_ecs_instance() {
    for answers in [
        vec![Err(TransportErrorKind::Connect)],
        vec![
            Err(TransportErrorKind::Timeout),
            Err(TransportErrorKind::Timeout),
        ],
        vec![reply(200, "tok"), html(404)],
    ] {
        let world = World::with(&[], Vec::new(), answers);
        assert_eq!(
            world.error(&EcsRole::in_chain()).await.reason,
            Reason::NotConfigured
        );
    }
    // Whoever names a role says that there is one.
    let variables = [("ALIBABA_CLOUD_ECS_METADATA", "r")];
    let world = World::with(
        &variables,
        Vec::new(),
        vec![Err(TransportErrorKind::Connect)],
    );
    assert_eq!(
        world.error(&EcsRole::in_chain()).await.reason,
        Reason::Unavailable
    );
    // As does whoever builds the provider.
    let world = World::with(&[], Vec::new(), vec![Err(TransportErrorKind::Connect)]);
    assert_eq!(
        world.error(&EcsRole::new()).await.reason,
        Reason::Unavailable
    );
    let world = World::new(&[("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")]);
    assert_eq!(
        world.error(&EcsRole::in_chain()).await.reason,
        Reason::NotConfigured
    );
    assert_eq!(
        world.error(&EcsRole::new()).await.reason,
        Reason::Misconfigured
    );
}

#[tokio::test]
async fn broken_metadata_answers_are_errors() {
    let mut no_code = issued_here();
    no_code.as_object_mut().unwrap().remove("Code");
    let mut failed = issued_here();
    failed["Code"] = "Failed s3cr3t".into();
    let mut no_token = issued_here();
    no_token.as_object_mut().unwrap().remove("SecurityToken");
    for (answer, what) in [
        (json(200, &no_code), "without Code"),
        (json(200, &failed), "could not issue"),
        (json(200, &no_token), "without SecurityToken"),
        (html(200), "not JSON"),
        (html(500), "status 500"),
        (Err(TransportErrorKind::Timeout), "no answer in time"),
    ] {
        let world = World::with(
            &[],
            Vec::new(),
            vec![reply(200, "tok"), reply(200, "r"), answer],
        );
        let error = world.error(&EcsRole::new()).await;
        assert!(error.to_string().contains(what), "{what} is not in {error}");
    }
    let world = World::with(&[], Vec::new(), vec![reply(200, "tok"), html(200)]);
    assert!(
        world
            .error(&EcsRole::in_chain())
            .await
            .to_string()
            .contains("name of a role")
    );
}

#[tokio::test]
async fn credentials_uri() {
    let variables = [(
        "ALIBABA_CLOUD_CREDENTIALS_URI",
        "http://localhost:7002/?user=me",
    )];
    let world = World::answering(&variables, vec![json(200, &issued_here())]);
    let found = world.keys(&CredentialsUri::from_environment()).await;
    assert_eq!(
        parts(&found),
        ("STS.id", "s3cr3t-key", Some("s3cr3t-token"))
    );
    assert_eq!(world.script.lines(), ["GET http://localhost:7002/?user=me"]);

    // An address is shown without what may be secret.
    let uri = CredentialsUri::new("https://me:s3cr3t@keys.example.com/?t=s3cr3t");
    assert!(!format!("{uri:?}").contains("s3cr3t"), "{uri:?}");
    // `error` checks that the text tells none either.
    World::new(&[]).error(&uri).await;

    // From elsewhere, keys must not come in clear.
    let plain = || CredentialsUri::new("http://10.0.0.1/s3cr3t");
    let error = World::new(&[]).error(&plain()).await;
    assert_eq!(error.reason, Reason::Misconfigured);
    assert!(
        error.to_string().contains("http://10.0.0.1 is plain HTTP"),
        "{error}"
    );
    let world = World::answering(&[], vec![json(200, &issued())]);
    world.provide(&plain().allow_http(true)).await.unwrap();
    let world = World::answering(&[], vec![json(200, &issued())]);
    world
        .provide(&CredentialsUri::new("https://keys.example.com/x"))
        .await
        .unwrap();

    for (answers, what) in [
        (
            vec![reply(200, r#"{"Code":"Failed","Message":"s3cr3t"}"#)],
            "other than Success",
        ),
        (
            vec![reply(200, r#"{"Code":"Success"}"#)],
            "without AccessKeyId",
        ),
        (vec![html(404)], "status 404"),
        (vec![html(200)], "not JSON"),
        (vec![Err(TransportErrorKind::Timeout)], "no answer in time"),
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
        let error = world
            .error(&CredentialsUri::new("https://keys.example.com/s3cr3t"))
            .await;
        assert!(error.to_string().contains(what), "{what} is not in {error}");
    }
    let error = World::new(&[]).error(&CredentialsUri::new("s3cr3t")).await;
    assert_eq!(error.reason, Reason::Misconfigured);
}

#[tokio::test]
async fn an_expired_value_is_not_taken() {
    let mut old = issued();
    old["Expiration"] = "2025-12-31T23:59:59Z".into();
    let world = World::answering(&[], vec![json(200, &old)]);
    let cache =
        crate::credentials::Cache::new(Arc::new(CredentialsUri::new("https://k.example.com")));
    let error = cache.get(&world.context).await.unwrap_err();
    assert_eq!(error.reason, Reason::Expired);
    assert!(
        error
            .to_string()
            .contains("clock says 2026-01-01T00:00:00Z"),
        "{error}"
    );
}
