//! Does a proxy see what it should see, and nothing else?

use std::sync::{Arc, Mutex};

use cumulo_smc::access_token::{CreateAccessToken, ListAccessTokens};
use cumulo_smc::{Client, Kind, Outcome};
use cumulo_tests::{
    Authority, Bench, Listener, TlsServer, alibaba_key, manual_clock, no_environment, serve_by,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

type Heads = Arc<Mutex<Vec<String>>>;

/// A proxy that does `then` with each connection after the head of its request; and the heads.
async fn proxy_by<F>(
    then: impl Fn(TcpStream) -> F + Clone + Send + Sync + 'static,
) -> (Listener, Heads)
where
    F: Future<Output = ()> + Send + 'static,
{
    let seen = Heads::default();
    let heads = Arc::clone(&seen);
    let listener = serve_by(move |mut stream, _| {
        let (heads, then) = (Arc::clone(&heads), then.clone());
        async move {
            let mut start = [0; 4096];
            let count = stream.read(&mut start).await.unwrap_or(0);
            let head = String::from_utf8_lossy(&start[..count]).into_owned();
            heads.lock().unwrap().push(head);
            then(stream).await;
        }
    })
    .await;
    (listener, seen)
}

/// One that answers everything itself, with `status`.
async fn proxy(status: u16) -> (Listener, Heads) {
    proxy_by(move |mut stream| async move {
        let answer =
            format!("HTTP/1.1 {status} x\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}");
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.shutdown().await;
    })
    .await
}

/// One that opens a tunnel to `target` whatever host it is asked for.
async fn tunnel(target: String) -> (Listener, Heads) {
    proxy_by(move |mut stream| {
        let target = target.clone();
        async move {
            let mut server = TcpStream::connect(target).await.unwrap();
            let _ = stream.write_all(b"HTTP/1.1 200 open\r\n\r\n").await;
            let _ = tokio::io::copy_bidirectional(&mut stream, &mut server).await;
        }
    })
    .await
}

fn builder() -> cumulo_smc::Builder {
    Client::builder()
        .credentials(alibaba_key())
        .clock(manual_clock())
        .environment(no_environment())
}

#[tokio::test]
async fn other_machines_are_asked_through_the_proxy() {
    let (listener, seen) = proxy(200).await;
    let smc = builder()
        .endpoint("http://smc.invalid")
        .allow_http(true)
        .proxy(format!("http://me:s3cr3t@{}", listener.address))
        .build()
        .unwrap();
    ListAccessTokens::new().send(&smc).await.unwrap();
    CreateAccessToken::new().send(&smc).await.unwrap();
    let seen = seen.lock().unwrap();
    for head in &*seen {
        assert!(head.starts_with("POST http://smc.invalid/"), "{head}");
        assert!(
            head.to_lowercase().contains("proxy-authorization: basic"),
            "{head}"
        );
    }
    assert_eq!(seen.len(), 2);
}

/// A proxy that opens no tunnel has sent nothing on.
#[tokio::test]
async fn https_asks_the_proxy_for_a_tunnel() {
    let (listener, seen) = proxy(407).await;
    let smc = builder()
        .endpoint("https://smc.invalid")
        .proxy(&listener.address)
        .build()
        .unwrap();
    let error = CreateAccessToken::new().send(&smc).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (Kind::Connect, Outcome::NotSent),
        "{error}"
    );
    let proxy = format!("by the proxy http://{}/", listener.address);
    assert!(error.message().contains(&proxy), "{error}");
    assert!(
        error.hint().unwrap().contains("user and password"),
        "{error}"
    );
    // Five attempts with a wrong password would lock an account.
    assert_eq!((error.attempts().len(), seen.lock().unwrap().len()), (1, 1));
    let plain = builder()
        .endpoint("http://smc.invalid")
        .allow_http(true)
        .proxy(&listener.address)
        .build()
        .unwrap();
    let refused = CreateAccessToken::new().send(&plain).await.unwrap_err();
    assert!(
        refused.hint().unwrap().contains("user and password"),
        "{refused}"
    );
    let seen = seen.lock().unwrap();
    for head in seen.iter().filter(|head| !head.starts_with("POST ")) {
        assert!(
            head.starts_with("CONNECT smc.invalid:443 HTTP/1.1\r\n"),
            "{head}"
        );
        assert!(!head.to_lowercase().contains("\r\nauthorization"), "{head}");
    }
}

/// A proxy by TLS is no different: there is TLS within TLS then.
#[tokio::test]
async fn a_tunnel_shows_the_proxy_nothing_but_the_host() {
    let authority = Authority::new();
    let shown = authority.issue("smc.invalid", (2020, 4000));
    let server = TlsServer::showing(&shown).start().await;
    let (plain, seen) = tunnel(server.replace("https://localhost", "127.0.0.1")).await;
    let own = authority.for_localhost();
    let by_tls = TlsServer {
        target: Some(plain.address.clone()),
        ..TlsServer::showing(&own)
    };
    let by_tls = by_tls.start().await.replace("//", "//me:s3cr3t@");
    for proxy in [format!("http://me:s3cr3t@{}", plain.address), by_tls] {
        let smc = builder()
            .endpoint("https://smc.invalid")
            .extra_ca(authority.pem())
            .proxy(proxy)
            .build()
            .unwrap();
        ListAccessTokens::new().send(&smc).await.unwrap();
        CreateAccessToken::new().send(&smc).await.unwrap();
    }
    let seen = seen.lock().unwrap();
    for head in &*seen {
        assert_eq!(
            head,
            "CONNECT smc.invalid:443 HTTP/1.1\r\nHost: smc.invalid:443\r\n\
             Proxy-Authorization: Basic bWU6czNjcjN0\r\n\r\n"
        );
    }
    assert_eq!(seen.len(), 4);
}

/// Nobody looks for the fault at the server then.
#[tokio::test]
async fn a_proxy_that_fails_is_named() {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let (refusing, _) = proxy(502).await;
    let shown = Authority::new().for_localhost();
    let untrusted = TlsServer::showing(&shown).start().await;
    for (proxy, kind, what, advice) in [
        (
            format!("http://me:s3cr3t@{free}"),
            Kind::Connect,
            "refused",
            "right proxy",
        ),
        (
            format!("http://{}", refusing.address),
            Kind::Connect,
            "unsuccessful",
            "may connect",
        ),
        (untrusted, Kind::Tls, "unknown authority", "extra_ca(..)"),
    ] {
        for endpoint in ["https://smc.invalid", "http://smc.invalid"] {
            if endpoint.starts_with("http:") && what == "unsuccessful" {
                // It answers in the server's place.
                continue;
            }
            let smc = builder().endpoint(endpoint).allow_http(true).proxy(&proxy);
            let smc = smc.build().unwrap();
            let error = CreateAccessToken::new().send(&smc).await.unwrap_err();
            assert_eq!(
                (error.kind(), error.outcome()),
                (kind, Outcome::NotSent),
                "{error}"
            );
            let address = proxy.replace("me:s3cr3t@", "");
            let text = error.to_string();
            assert!(
                text.contains(&format!("by the proxy {address}/: ")),
                "{text}"
            );
            assert!(text.to_lowercase().contains(what), "{text}");
            assert!(error.hint().unwrap().contains(advice), "{text}");
            assert!(
                !format!("{text}{}", error.explain()).contains("s3cr3t"),
                "{text}"
            );
        }
    }
}

/// The server's certificate counts behind a tunnel, too, and not the proxy's.
#[tokio::test]
async fn a_tunnel_to_another_server() {
    let authority = Authority::new();
    let shown = authority.for_localhost();
    let server = TlsServer::showing(&shown).start().await;
    let (proxy, _) = tunnel(server.replace("https://localhost", "127.0.0.1")).await;
    let smc = builder()
        .endpoint("https://smc.invalid")
        .extra_ca(authority.pem())
        .proxy(&proxy.address)
        .build()
        .unwrap();
    let error = CreateAccessToken::new().send(&smc).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome(), error.attempts().len()),
        (Kind::Tls, Outcome::NotSent, 1),
        "{error}"
    );
    assert!(
        error
            .message()
            .contains("is for localhost, not smc.invalid"),
        "{error}"
    );
}

#[tokio::test]
async fn this_machine_is_never_asked_through_a_proxy() {
    let bench = Bench::start().await;
    let (listener, _) = proxy(200).await;
    let address = format!("http://{}", listener.address);
    let port = bench
        .cloud
        .smc_endpoint()
        .rsplit_once(':')
        .unwrap()
        .1
        .to_owned();
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
        let smc = bench
            .smc()
            .endpoint(format!("http://{host}:{port}"))
            .proxy(&address)
            .build()
            .unwrap();
        CreateAccessToken::new()
            .name(host.trim_matches(['[', ']']))
            .send(&smc)
            .await
            .ok();
        ListAccessTokens::new().send(&smc).await.unwrap();
    }
    // The login is no exception.
    let apig = bench.apig_by_password().proxy(&address).build().unwrap();
    cumulo_apig::app::ListAppsV2::new()
        .send(&apig)
        .await
        .unwrap();
    let zstack = bench.zstack_by_login().proxy(&address).build().unwrap();
    cumulo_zstack::access_key::QueryAccessKey::new()
        .send(&zstack)
        .await
        .unwrap();
    assert_eq!(listener.connections(), 0);
}

#[tokio::test]
async fn a_builder_shows_no_password_and_quotes_none() {
    let builder = builder()
        .endpoint("https://me:s3cr3t@smc.invalid:99999")
        .proxy("http://me:s3cr3t@proxy.invalid:3128");
    assert!(!format!("{builder:?}").contains("s3cr3t"), "{builder:?}");
    let error = builder.build().unwrap_err();
    assert!(!error.to_string().contains("s3cr3t"), "{error}");
    let apig = cumulo_apig::Client::builder().iam_endpoint("https://me:s3cr3t@iam.invalid");
    assert!(!format!("{apig:?}").contains("s3cr3t"), "{apig:?}");
}
