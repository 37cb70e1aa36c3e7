use std::time::Duration;

use serde_json::json;

use super::*;
use crate::credentials::testing::{World, html, parts, reply};
use crate::credentials::{Identity, Provider, Reason};
use crate::record::Json;
use crate::transport::{HttpResponse, TransportErrorKind};

const AT: &str = "https://zs.example.com:8080/zstack";
/// SHA-512 of `password`, as ZStack's documentation prints it.
const HASHED: &str = "b109f3bbbc244eb82441917ed06d618b9008dd09b3befd1b5e07394c706a8bb9\
80b1d7785e5976ec049b46df5f1326af5a2ea6d103fd07c95385ffab0cacbc86";

fn session(uuid: &str) -> Result<HttpResponse, TransportErrorKind> {
    let body = json!({ "inventory": {
        "uuid": uuid, "accountUuid": "a1", "userUuid": "u1",
        "expiredDate": "Jan 1, 2026 2:00:00 AM", "createDate": "Jan 1, 2026 12:00:00 AM",
    } });
    reply(200, body.to_string())
}

fn refusal(code: &str) -> Result<HttpResponse, TransportErrorKind> {
    let body = json!({ "error": { "code": code, "description": "no", "details": "s3cr3t" } });
    reply(503, body.to_string())
}

fn token(credential: &Credential) -> &str {
    match &credential.identity {
        Identity::Token(token) => token.expose(),
        Identity::Keys(_) => panic!("keys"),
    }
}

#[tokio::test]
async fn account_login_and_log_out() {
    let world = World::answering(&[], vec![session("s1"), reply(204, "")]);
    let login = AccountLogin::new(AT, "admin", "password");
    let credential = world.provide(&login).await.unwrap();
    assert_eq!(token(&credential), "s1");
    assert_eq!(
        credential.expires_at, None,
        "the end that the server tells is a lower bound only"
    );
    assert_eq!(credential.scope.account.as_deref(), Some("a1"));
    assert_eq!(credential.source, "login of admin at zs.example.com:8080");
    assert_eq!(
        world.script.json_body(0),
        json!({ "logInByAccount": { "accountName": "admin", "password": HASHED } })
    );
    login.release(&world.context, &credential).await;
    assert_eq!(
        world.script.lines(),
        [
            format!("PUT {AT}/v1/accounts/login"),
            format!("DELETE {AT}/v1/accounts/sessions/s1")
        ]
    );
}

#[tokio::test]
async fn user_ldap_and_captcha() {
    let user = UserLogin::new(AT, "acc", "bob", "password");
    let by_uuid = UserLogin::new(AT, "acc", "bob", "password").account_uuid("a9");
    let ldap = LdapLogin::new(AT, "uid-1", "password");
    let captcha = AccountLogin::new(AT, "admin", "password")
        .captcha("c1", "XY")
        .system_tag("twofa::1");
    let clear = AccountLogin::new(AT, "admin", "password").clear_password(true);
    let cases: [(&dyn Provider, &str, Json); 5] = [
        (
            &user,
            "accounts/users/login",
            json!({ "logInByUser": { "userName": "bob", "accountName": "acc", "password": HASHED } }),
        ),
        (
            &by_uuid,
            "accounts/users/login",
            json!({ "logInByUser": { "userName": "bob", "accountUuid": "a9", "password": HASHED } }),
        ),
        (
            &ldap,
            "ldap/login",
            json!({ "logInByLdap": { "uid": "uid-1", "password": "password" } }),
        ),
        (
            &captcha,
            "accounts/login",
            json!({
                "logInByAccount": { "accountName": "admin", "captchaUuid": "c1", "verifyCode": "XY", "password": HASHED },
                "systemTags": ["twofa::1"],
            }),
        ),
        (
            &clear,
            "accounts/login",
            json!({ "logInByAccount": { "accountName": "admin", "password": "password" } }),
        ),
    ];
    for (login, path, body) in cases {
        let world = World::answering(&[], vec![session("s1")]);
        world.provide(login).await.unwrap();
        assert_eq!(world.script.lines(), [format!("PUT {AT}/v1/{path}")]);
        assert_eq!(world.script.json_body(0), body);
        assert!(!format!("{login:?}").contains("password\""), "{login:?}");
    }
}

#[tokio::test]
async fn iam2_login_to_a_project_and_out_of_both_sessions() {
    let world = World::answering(
        &[],
        vec![
            session("s1"),
            session("s2"),
            reply(200, "{}"),
            reply(200, "{}"),
        ],
    );
    let login = Iam2Login::new(AT, "vid", "password").project("p");
    let credential = world.provide(&login).await.unwrap();
    assert_eq!(token(&credential), "s2");
    assert_eq!(
        world.script.json_body(0),
        json!({ "loginIAM2VirtualID": { "name": "vid", "password": HASHED } })
    );
    assert_eq!(
        world.script.json_body(1),
        json!({ "loginIAM2Project": { "projectName": "p" } })
    );
    assert_eq!(
        world.script.header(1, "authorization").as_deref(),
        Some("OAuth s1")
    );
    login.release(&world.context, &credential).await;
    assert_eq!(
        world.script.lines()[2..],
        [
            format!("DELETE {AT}/v1/accounts/sessions/s2"),
            format!("DELETE {AT}/v1/accounts/sessions/s1"),
        ]
    );

    let world = World::answering(
        &[],
        vec![session("s1"), refusal("ID.1002"), reply(200, "{}")],
    );
    let error = world
        .error(&Iam2Login::new(AT, "vid", "password").project("p"))
        .await;
    assert!(
        error.to_string().contains("belongs to the project"),
        "{error}"
    );
    assert!(
        world.script.lines()[2].ends_with("/sessions/s1"),
        "the first session does not pile up"
    );

    let world = World::answering(&[], vec![session("s1")]);
    assert_eq!(
        token(
            &world
                .provide(&Iam2Login::new(AT, "vid", "password"))
                .await
                .unwrap()
        ),
        "s1"
    );
}

#[tokio::test]
async fn refused_logins_are_never_repeated() {
    for (code, what) in [
        ("ID.1000", "Check name and password"),
        ("ID.1006", "too many open sessions"),
        ("LOGIN_CONTROL.1002", "locked"),
        ("LOGIN_CONTROL.1005", "captcha"),
        ("ID.2001", "second factor"),
    ] {
        let world = World::answering(&[], vec![refusal(code)]);
        let error = world.error(&AccountLogin::new(AT, "admin", "s3cr3t")).await;
        assert_eq!(
            (error.reason, world.script.asked().len()),
            (Reason::Refused, 1)
        );
        assert!(
            error.to_string().contains(code) && error.to_string().contains(what),
            "{error}"
        );
    }
}

#[tokio::test]
async fn broken_answers_to_a_login() {
    let thrice = |answer: fn() -> Result<HttpResponse, TransportErrorKind>| {
        vec![answer(), answer(), answer()]
    };
    for (answers, what) in [
        (vec![html(404)], "context path"),
        (vec![reply(200, "{}")], "without a session"),
        (vec![html(200)], "not JSON"),
        (vec![reply(202, "{}")], "status 202"),
        (vec![Err(TransportErrorKind::Timeout)], "no answer in time"),
        (thrice(|| html(503)), "status 503"),
        (thrice(|| refusal("SYS.1010")), "SYS.1010"),
    ] {
        let world = World::answering(&[], answers);
        let error = world.error(&AccountLogin::new(AT, "admin", "s3cr3t")).await;
        assert!(error.to_string().contains(what), "{what} is not in {error}");
    }
    let world = World::answering(
        &[],
        vec![
            refusal("SYS.1010"),
            Err(TransportErrorKind::Connect),
            session("s1"),
        ],
    );
    world
        .provide(&AccountLogin::new(AT, "admin", "s3cr3t"))
        .await
        .unwrap();
}

#[tokio::test]
async fn plain_http_to_another_machine_is_refused_unless_allowed() {
    let login = || AccountLogin::new("http://10.0.0.1:8080/zstack", "admin", "s3cr3t");
    let world = World::new(&[]);
    let error = world.error(&login()).await;
    assert!(
        error
            .to_string()
            .contains("http://10.0.0.1:8080 is plain HTTP"),
        "{error}"
    );
    let world = World::answering(&[], vec![session("s1")]);
    world.provide(&login().allow_http(true)).await.unwrap();
    let world = World::answering(&[], vec![session("s1")]);
    let local = AccountLogin::new("http://127.0.0.1:8080/zstack/", "admin", "s3cr3t");
    world.provide(&local).await.unwrap();
    assert_eq!(
        world.script.lines(),
        ["PUT http://127.0.0.1:8080/zstack/v1/accounts/login"]
    );
}

#[tokio::test]
async fn access_keys_and_given_sessions() {
    let world = World::new(&[]);
    let found = world.keys(&AccessKey::new("i", "s3cr3t")).await;
    assert_eq!(parts(&found), ("i", "s3cr3t", None));
    let given = Session::new("s3cr3t");
    let credential = world.provide(&given).await.unwrap();
    assert_eq!(token(&credential), "s3cr3t");
    given.release(&world.context, &credential).await;
    assert!(
        world.script.asked().is_empty(),
        "somebody else's session is not ended"
    );
    for debug in [
        format!("{given:?}"),
        format!("{:?}", AccessKey::new("i", "s3cr3t")),
    ] {
        assert!(!debug.contains("s3cr3t"), "{debug}");
    }
}

#[tokio::test]
async fn the_chain_reads_zstack_variables_in_order() {
    let chain = || DefaultChain::new(LoginSettings::default());
    let mut variables = vec![
        ("ZSTACK_SESSION_ID", "s0"),
        ("ZSTACK_ACCESS_KEY_ID", "i"),
        ("ZSTACK_ACCESS_KEY_SECRET", "s3cr3t"),
        ("ZSTACK_ACCOUNT_NAME", "admin"),
        ("ZSTACK_ACCOUNT_PASSWORD", "password"),
        ("ZSTACK_ENDPOINT", AT),
    ];
    let world = World::new(&variables);
    assert_eq!(token(&world.provide(&chain()).await.unwrap()), "s0");
    variables.remove(0);
    let world = World::new(&variables);
    assert_eq!(world.keys(&chain()).await.id, "i");
    variables.drain(..2);
    let world = World::answering(&variables, vec![session("s1"), reply(200, "{}")]);
    let chain_by_login = chain();
    let credential = world.provide(&chain_by_login).await.unwrap();
    assert_eq!(token(&credential), "s1");
    chain_by_login.release(&world.context, &credential).await;
    assert_eq!(
        world.script.lines()[1],
        format!("DELETE {AT}/v1/accounts/sessions/s1")
    );

    let older = [("ZSTACK_ACCOUNT", "admin"), ("ZSTACK_PASSWORD", "password")];
    let world = World::answering(&older, vec![session("s1")]);
    let settings = LoginSettings {
        endpoint: Some(AT.into()),
        ..LoginSettings::default()
    };
    world.provide(&DefaultChain::new(settings)).await.unwrap();
    let error = World::new(&older).error(&chain()).await;
    assert!(error.to_string().contains("ZSTACK_ENDPOINT"), "{error}");

    let error = World::new(&[]).error(&chain()).await;
    assert_eq!(
        (error.reason, error.tried.len()),
        (Reason::NotConfigured, 3)
    );
    for (variables, missing) in [
        (
            [("ZSTACK_ACCESS_KEY_ID", "i")],
            "ZSTACK_ACCESS_KEY_SECRET is not",
        ),
        (
            [("ZSTACK_ACCOUNT_PASSWORD", "s3cr3t")],
            "ZSTACK_ACCOUNT_NAME is not",
        ),
    ] {
        let error = World::new(&variables).error(&chain()).await;
        assert_eq!(error.reason, Reason::Misconfigured);
        assert!(error.to_string().contains(missing), "{error}");
    }
}

#[test]
fn the_endpoint_of_the_environment() {
    let from =
        |variables: &[(&str, &str)]| endpoint(&Environment::fixed(variables.iter().copied()));
    assert_eq!(from(&[]), None);
    assert_eq!(
        from(&[("ZSTACK_ENDPOINT", AT), ("ZSTACK_HOST", "x")]).as_deref(),
        Some(AT)
    );
    assert_eq!(
        from(&[("ZSTACK_HOST", "zs")]).as_deref(),
        Some("https://zs:8080/zstack")
    );
    let all = [
        ("ZSTACK_HOST", "http://10.0.0.1"),
        ("ZSTACK_PORT", "80"),
        ("ZSTACK_CONTEXT_PATH", "/zs/"),
    ];
    assert_eq!(from(&all).as_deref(), Some("http://10.0.0.1:80/zs"));
}

#[tokio::test]
async fn an_endpoint_without_a_path_means_zstack() {
    for (endpoint, below) in [
        ("https://zs", "https://zs/zstack"),
        ("https://zs:8080/", "https://zs:8080/zstack"),
        ("https://zs/zstack/", "https://zs/zstack"),
        ("https://zs/other", "https://zs/other"),
    ] {
        let variables = [
            ("ZSTACK_ENDPOINT", endpoint),
            ("ZSTACK_ACCOUNT_NAME", "admin"),
            ("ZSTACK_ACCOUNT_PASSWORD", "s3cr3t"),
        ];
        let world = World::answering(&variables, vec![session("s1"), session("s1")]);
        let chain = DefaultChain::new(LoginSettings::default());
        world.provide(&chain).await.unwrap();
        let login = AccountLogin::new(endpoint, "admin", "s3cr3t");
        world.provide(&login).await.unwrap();
        let line = format!("PUT {below}/v1/accounts/login");
        assert_eq!(world.script.lines(), [line.as_str(), &line]);
    }
}

#[tokio::test]
async fn a_log_out_that_fails_bothers_nobody() {
    let world = World::answering(&[], vec![session("s1"), Err(TransportErrorKind::Timeout)]);
    let login = AccountLogin::new(AT, "admin", "s3cr3t");
    let credential = world.provide(&login).await.unwrap();
    login.release(&world.context, &credential).await;
    assert!(world.script.asked()[1].timeout <= Duration::from_secs(5));
}

#[test]
fn the_authority_of_a_zstack_server() {
    let world = World::new(&[("ZSTACK_CA_FILE", "~/ca.pem")]);
    let certificate = include_str!("../../credentials/tls/testdata/certificate.pem");
    world.file("ca.pem", certificate);
    let environment = &world.context.environment;
    let mut http = crate::transport::HttpOptions::default();
    tls(environment).apply(environment, &mut http).unwrap();
    assert_eq!(http.extra_ca, [certificate.as_bytes()]);
}
