use super::*;
use crate::credentials::testing::{html, json, shown};

const LOGIN: [(&str, &str); 4] = [
    ("OS_AUTH_URL", IAM),
    ("OS_USERNAME", "me"),
    ("OS_PASSWORD", "s3cr3t"),
    ("OS_USER_DOMAIN_NAME", "OTC-1"),
];

pub(super) fn chain() -> DefaultChain {
    DefaultChain::new(LoginSettings::default())
}

fn and<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&LOGIN, more].concat()
}

#[tokio::test]
async fn os_variables_with_a_password() {
    let world = World::answering(
        &and(&[("OS_PROJECT_NAME", "eu-de_prj")]),
        vec![logged_in("tok")],
    );
    let credential = world.provide(&chain()).await.unwrap();
    assert_eq!(token_of(&credential), "tok");
    let scope = &world.script.json_body(0)["auth"]["scope"];
    assert_eq!(
        scope,
        &json!({ "project": { "name": "eu-de_prj", "domain": { "name": "OTC-1" } } })
    );

    // What the program sets counts more.
    let settings = LoginSettings {
        iam_endpoint: Some("https://other.example.com/v3".into()),
        project_id: Some("p9".into()),
        ..LoginSettings::default()
    };
    let world = World::answering(
        &and(&[("OS_PROJECT_NAME", "eu-de_prj")]),
        vec![logged_in("tok")],
    );
    world.provide(&DefaultChain::new(settings)).await.unwrap();
    assert_eq!(
        world.script.asked()[0].url.host_str(),
        Some("other.example.com")
    );
    assert_eq!(
        world.script.json_body(0)["auth"]["scope"],
        json!({ "project": { "id": "p9" } })
    );
}

#[tokio::test]
async fn names_of_older_tools_count_too() {
    let variables = [
        ("OS_AUTH_URL", IAM),
        ("OS_USERID", "u1"),
        ("OS_PASSWORD", "s3cr3t"),
        ("OS_TENANT_ID", "p1"),
        ("OS_DOMAIN_NAME", "OTC-1"),
        ("OS_USER_DOMAIN_ID", "d1"),
    ];
    let world = World::answering(&variables, vec![logged_in("tok")]);
    world.provide(&chain()).await.unwrap();
    let auth = &world.script.json_body(0)["auth"];
    assert_eq!(auth["identity"]["password"]["user"]["id"], "u1");
    assert_eq!(
        auth["scope"],
        json!({ "project": { "id": "p1" } }),
        "a user's domain is no project"
    );
}

#[tokio::test]
async fn the_region_is_the_first_part_of_the_projects_name() {
    let variables = [
        ("OS_AK", "AK1"),
        ("OS_SK", "s3cr3t"),
        ("OS_PROJECT_NAME", "eu-nl_prj"),
    ];
    let world = World::answering(&variables, vec![json(200, &projects(&["p1"]))]);
    world.provide(&chain()).await.unwrap();
    assert_eq!(
        world.script.lines(),
        ["GET https://iam.eu-nl.otc.t-systems.com/v3/projects?name=eu-nl_prj"]
    );
}

#[tokio::test]
async fn a_token_counts_before_keys_and_keys_before_a_password() {
    let all = and(&[
        ("OS_TOKEN", "s3cr3t-tok"),
        ("OS_PROJECT_ID", "p1"),
        ("OS_ACCESS_KEY", "AK1"),
        ("OS_SECRET_KEY", "s3cr3t"),
        ("OS_SECURITY_TOKEN", "s3cr3t-st"),
    ]);
    let world = World::new(&all);
    let credential = world.provide(&chain()).await.unwrap();
    assert_eq!(token_of(&credential), "s3cr3t-tok");
    assert_eq!(credential.scope.project_id.as_deref(), Some("p1"));
    assert_eq!(credential.source, "OS_TOKEN in the environment");
    let without: Vec<_> = all
        .into_iter()
        .filter(|(name, _)| *name != "OS_TOKEN")
        .collect();
    let world = World::new(&without);
    let found = world.keys(&chain()).await;
    assert_eq!(parts(&found), ("AK1", "s3cr3t", Some("s3cr3t-st")));
}

#[tokio::test]
async fn a_passcode_in_the_environment_is_sent_once() {
    let world = World::answering(&and(&[("OS_PASSCODE", "123456")]), vec![logged_in("tok")]);
    let chain = chain();
    world.provide(&chain).await.unwrap();
    assert_eq!(
        world.script.json_body(0)["auth"]["identity"]["methods"],
        json!(["password", "totp"])
    );
    assert_eq!(world.error(&chain).await.reason, Reason::Expired);
}

#[tokio::test]
async fn an_agency_in_the_environment() {
    let variables = and(&[
        ("OS_AGENCY_NAME", "ag"),
        ("OS_AGENCY_DOMAIN_NAME", "A"),
        ("OS_DELEGATED_PROJECT", "eu-de"),
    ]);
    let world = World::answering(&variables, vec![logged_in("first"), logged_in("second")]);
    assert_eq!(token_of(&world.provide(&chain()).await.unwrap()), "second");
    let auth = &world.script.json_body(1)["auth"];
    assert_eq!(
        auth["identity"]["assume_role"],
        json!({ "xrole_name": "ag", "domain_name": "A" })
    );

    let variables = [
        ("OS_AUTH_URL", IAM),
        ("OS_ACCESS_KEY_ID", "AK1"),
        ("OS_ACCESS_KEY_SECRET", "s3cr3t"),
        ("OS_AGENCY_NAME", "ag"),
        ("OS_AGENCY_DOMAIN_NAME", "A"),
    ];
    let world = World::answering(&variables, vec![json(201, &temporary())]);
    assert_eq!(world.keys(&chain()).await.id, "TMP");
}

#[tokio::test]
async fn an_application_credential_counts_before_a_password() {
    let variables = and(&[
        ("OS_PROJECT_NAME", "eu-de_prj"),
        ("OS_APPLICATION_CREDENTIAL_NAME", "ci"),
        ("OS_APPLICATION_CREDENTIAL_SECRET", "s3cr3t"),
    ]);
    let world = World::answering(&variables, vec![logged_in("tok")]);
    world.provide(&chain()).await.unwrap();
    assert_eq!(
        world.script.json_body(0),
        json!({ "auth": { "identity": {
            "methods": ["application_credential"],
            "application_credential": {
                "name": "ci",
                "user": { "name": "me", "domain": { "name": "OTC-1" } },
                "secret": "s3cr3t",
            },
        } } })
    );
}

#[tokio::test]
async fn half_set_variables_are_errors() {
    for (variables, what) in [
        (
            vec![("OS_AK", "x")],
            "OS_AK is set, but OS_SECRET_KEY is not",
        ),
        (
            vec![("OS_SECRET_KEY", "s3cr3t")],
            "OS_SECRET_KEY is set, but OS_ACCESS_KEY is not",
        ),
        (
            vec![("OS_APPLICATION_CREDENTIAL_ID", "x")],
            "OS_APPLICATION_CREDENTIAL_ID is set, but OS_APPLICATION_CREDENTIAL_SECRET is not",
        ),
        (
            vec![("OS_APPLICATION_CREDENTIAL_SECRET", "s3cr3t")],
            "OS_APPLICATION_CREDENTIAL_SECRET is set, but OS_APPLICATION_CREDENTIAL_ID is not",
        ),
        (
            vec![("OS_USERNAME", "me")],
            "OS_USERNAME is set, but OS_PASSWORD is not",
        ),
        (
            vec![("OS_PASSWORD", "s3cr3t")],
            "OS_PASSWORD is set, but OS_USERNAME is not",
        ),
        (
            vec![("HUAWEICLOUD_SDK_AK", "x")],
            "HUAWEICLOUD_SDK_AK is set, but HUAWEICLOUD_SDK_SK is not",
        ),
        (
            vec![("HUAWEICLOUD_SDK_IDP_ID", "x")],
            "HUAWEICLOUD_SDK_ID_TOKEN_FILE is not",
        ),
    ] {
        let error = World::new(&variables).error(&chain()).await;
        assert_eq!(error.reason, Reason::Misconfigured);
        assert!(error.to_string().contains(what), "{what} is not in {error}");
    }
}

#[tokio::test]
async fn huaweicloud_sdk_variables() {
    let variables = [
        ("HUAWEICLOUD_SDK_AK", "AK1"),
        ("HUAWEICLOUD_SDK_SK", "s3cr3t"),
        ("HUAWEICLOUD_SDK_SECURITY_TOKEN", "st"),
        ("HUAWEICLOUD_SDK_PROJECT_ID", "p1"),
    ];
    let world = World::new(&variables);
    let credential = world.provide(&chain()).await.unwrap();
    assert_eq!(credential.scope.project_id.as_deref(), Some("p1"));
    assert_eq!(
        parts(&world.keys(&chain()).await),
        ("AK1", "s3cr3t", Some("st"))
    );

    let variables = [
        variables[0],
        variables[1],
        ("HUAWEICLOUD_SDK_IAM_ENDPOINT", "https://iam.example.com"),
    ];
    let world = World::answering(&variables, vec![json(200, &projects(&["p2"]))]);
    let settings = LoginSettings {
        region: Some("cn-north-4".into()),
        ..LoginSettings::default()
    };
    let chain = DefaultChain::new(settings);
    world.provide(&chain).await.unwrap();
    world.provide(&chain).await.unwrap();
    assert_eq!(
        world.script.lines(),
        ["GET https://iam.example.com/v3/projects?name=cn-north-4"],
        "asked once"
    );
}

#[tokio::test]
async fn huaweicloud_sdk_identity_provider() {
    let variables = [
        ("HUAWEICLOUD_SDK_IDP_ID", "idp"),
        ("HUAWEICLOUD_SDK_ID_TOKEN_FILE", "{home}/token"),
        ("HUAWEICLOUD_SDK_PROJECT_ID", "p1"),
        ("HUAWEICLOUD_SDK_IAM_ENDPOINT", "https://iam.example.com"),
    ];
    let world = World::answering(&variables, vec![logged_in("tok")]);
    world.file("token", "s3cr3t");
    assert_eq!(token_of(&world.provide(&chain()).await.unwrap()), "tok");
    assert_eq!(
        world.script.lines(),
        ["POST https://iam.example.com/v3.0/OS-AUTH/id-token/tokens"]
    );
    let error = World::new(&variables).error(&chain()).await;
    assert!(
        error
            .to_string()
            .contains("HUAWEICLOUD_SDK_ID_TOKEN_FILE names"),
        "{error}"
    );
}

#[tokio::test]
async fn huaweicloud_credentials_file() {
    let text = "[basic]\nak = AK1\nsk = s3cr3t\nsecurity_token = st\nproject_id = p1\n[global]\nak = other\n";
    for (path, variables) in [
        (".huaweicloud/credentials", &[][..]),
        (
            "mine",
            &[("HUAWEICLOUD_SDK_CREDENTIALS_FILE", "{home}/mine")][..],
        ),
    ] {
        let world = World::new(variables);
        world.file(path, text);
        assert_eq!(
            parts(&world.keys(&chain()).await),
            ("AK1", "s3cr3t", Some("st"))
        );
    }
    for (text, what) in [
        ("[basic]\nak = AK1\n", "has ak, but no sk"),
        ("[basic]\nsk = s3cr3t\n", "has sk, but no ak"),
        ("[basic]\ns3cr3t\n", "line 2 of"),
    ] {
        let world = World::new(&[]);
        let path = world.file(".huaweicloud/credentials", text);
        let error = world.error(&chain()).await;
        let inner = error.tried.last().unwrap();
        assert!(
            inner.message.contains(what) && inner.message.contains(&shown(&path)),
            "{inner}"
        );
    }
    let world = World::with(&[], vec![], vec![html(404), html(404)]);
    world.file(".huaweicloud/credentials", "[global]\nak = x\n");
    assert_eq!(world.error(&chain()).await.reason, Reason::NotConfigured);
}

#[tokio::test]
async fn metadata_closes_the_chain_and_finds_its_project() {
    let settings = LoginSettings {
        region: Some("eu-de".into()),
        ..LoginSettings::default()
    };
    let world = World::with(
        &[],
        vec![json(200, &projects(&["p1"]))],
        vec![html(404), json(200, &temporary())],
    );
    let credential = world.provide(&DefaultChain::new(settings)).await.unwrap();
    assert_eq!(credential.scope.project_id.as_deref(), Some("p1"));
    assert_eq!(
        world.script.header(0, "x-security-token").as_deref(),
        Some("s3cr3t-st")
    );
}

#[test]
fn settings_come_from_the_environment() {
    let from = |variables: &[(&str, &str)]| {
        LoginSettings::from_environment(&Environment::fixed(variables.iter().copied())).unwrap()
    };
    let settings = from(&[("OS_PROJECT_NAME", "eu-de_prj"), ("OS_AUTH_URL", IAM)]);
    assert_eq!(settings.region.as_deref(), Some("eu-de"));
    assert_eq!(settings.project_name.as_deref(), Some("eu-de_prj"));
    assert_eq!(settings.iam_endpoint.as_deref(), Some(IAM));
    let settings = from(&[
        ("OS_REGION_NAME", "eu-nl"),
        ("OS_PROJECT_NAME", "eu-de_prj"),
    ]);
    assert_eq!(settings.region.as_deref(), Some("eu-nl"));
    let settings = from(&[("HUAWEICLOUD_SDK_PROJECT_ID", "p")]);
    assert_eq!(
        (settings.project_id.as_deref(), settings.region),
        (Some("p"), None)
    );
}
