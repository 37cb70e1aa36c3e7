//! Is it told apart what was certainly not sent from what may have arrived?

use std::time::Duration;

use cumulo_core::retry::RetryPolicy;
use cumulo_smc::access_token::{CreateAccessToken, ListAccessTokens};
use cumulo_smc::{Error, Kind, Outcome};
use cumulo_tests::{Bench, failed_create, serve, smc_at};

fn not_connected(error: &Error) {
    assert_eq!(
        (error.kind(), error.outcome()),
        (Kind::Connect, Outcome::NotSent),
        "{error}"
    );
    assert!(error.is_retryable());
    // Nothing was sent, so that even a call that must not go out twice may be tried again.
    assert_eq!(error.attempts().len(), 5);
    assert!(
        error
            .attempts()
            .iter()
            .all(|attempt| attempt.failure == Some(Kind::Connect))
    );
    assert!(error.to_string().contains("cannot connect"), "{error}");
}

#[tokio::test]
async fn a_refused_connection() {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let error = failed_create(smc_at(&format!("http://{free}"))).await;
    not_connected(&error);
    assert!(error.hint().unwrap().contains(&free.to_string()), "{error}");
    assert!(
        error.message().to_lowercase().contains("refused"),
        "{error}"
    );
}

#[tokio::test]
async fn an_unknown_host() {
    // Names under `invalid` never exist.
    let error = failed_create(smc_at("https://no-such-host.invalid")).await;
    not_connected(&error);
    assert!(
        error.hint().unwrap().contains("no-such-host.invalid"),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_speaks_no_http() {
    for bytes in [
        "SSH-2.0-OpenSSH_9.9\r\n",
        "\0\u{1}\u{2}garbage",
        "HTTP/9.9 what\r\n\r\n",
        "HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
    ] {
        let server = serve(bytes).await;
        let error = failed_create(smc_at(&format!("http://{}", server.address))).await;
        assert_eq!(
            (error.kind(), error.outcome()),
            (Kind::Interrupted, Outcome::Unknown),
            "{bytes:?}: {error}"
        );
        assert_eq!(
            (error.attempts().len(), server.connections()),
            (1, 1),
            "{bytes:?}"
        );
    }
}

#[tokio::test]
async fn a_server_that_never_answers() {
    let server = serve("").await;
    let smc =
        smc_at(&format!("http://{}", server.address)).attempt_timeout(Duration::from_millis(10));
    let smc = smc.build().unwrap();
    let error = CreateAccessToken::new().send(&smc).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (Kind::Timeout, Outcome::Unknown)
    );
    assert_eq!(server.connections(), 1);
    let error = ListAccessTokens::new().send(&smc).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts().len()), (Kind::Timeout, 5));
    assert_eq!(server.connections(), 6);
    // Nothing can have changed, so that the text does not frighten anybody.
    assert!(
        !error.to_string().contains("may have been executed"),
        "{error}"
    );
}

#[tokio::test]
async fn odd_http_that_is_still_http() {
    for head in [
        "HTTP/1.0 200 OK\r\n\r\n",
        "HTTP/1.1 200\r\ncontent-length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx-odd: \u{e9}\r\ncontent-length: 2\r\n\r\n",
    ] {
        let body = if head.contains("chunked") { "" } else { "{}" };
        let server = serve(format!("{head}{body}")).await;
        let smc = smc_at(&format!("http://{}", server.address))
            .build()
            .unwrap();
        let listed = ListAccessTokens::new().send(&smc).await;
        assert!(listed.is_ok(), "{head:?}: {:?}", listed.err());
    }
    // Compressed although nobody asked for it: an error that shows, not letters that do not.
    let zipped =
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\n\x1f\x8b\x08\x00";
    let server = serve(&zipped[..]).await;
    let error = failed_create(smc_at(&format!("http://{}", server.address))).await;
    assert_eq!(error.kind(), Kind::InvalidResponse);
}

#[tokio::test]
async fn the_user_agent_names_client_and_application() {
    let bench = Bench::start().await;
    let version = env!("CARGO_PKG_VERSION");
    ListAccessTokens::new()
        .send(&bench.smc().build().unwrap())
        .await
        .unwrap();
    let named = bench.smc().app_name("migrator/2.1 (ops)").build().unwrap();
    ListAccessTokens::new().send(&named).await.unwrap();
    let sag = bench.smartag().build().unwrap();
    cumulo_smartag::enterprise_code::ListEnterpriseCode::new()
        .send(&sag)
        .await
        .unwrap();
    cumulo_apig::app::ListAppsV2::new()
        .send(&bench.apig().build().unwrap())
        .await
        .unwrap();
    let zstack = bench.zstack().build().unwrap();
    cumulo_zstack::access_key::QueryAccessKey::new()
        .send(&zstack)
        .await
        .unwrap();
    let agents: Vec<String> = bench
        .cloud
        .requests()
        .iter()
        .map(|request| request.header("user-agent").unwrap().to_owned())
        .collect();
    assert_eq!(
        agents,
        [
            format!("cumulo-smc/{version}"),
            format!("cumulo-smc/{version} migrator/2.1 (ops)"),
            format!("cumulo-smartag/{version}"),
            format!("cumulo-apig/{version}"),
            format!("cumulo-zstack/{version}"),
        ]
    );
}

#[tokio::test]
async fn one_client_without_retries_tries_once() {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let error = failed_create(smc_at(&format!("http://{free}")).retry(RetryPolicy::never())).await;
    assert_eq!((error.kind(), error.attempts().len()), (Kind::Connect, 1));
}
