//! Is a connection used only where it can be trusted to work?

use std::sync::mpsc;
use std::time::Duration;

use cumulo_smc::access_token::{CreateAccessToken, ListAccessTokens};
use cumulo_smc::{Client, Kind};
use cumulo_tests::{Listener, alibaba_key, manual_clock, no_environment, serve_by};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 17\r\n\r\n{\"RequestId\":\"r\"}";

fn client(server: &Listener) -> Client {
    Client::builder()
        .endpoint(format!("http://{}", server.address))
        .credentials(alibaba_key())
        .clock(manual_clock())
        .environment(no_environment())
        .attempt_timeout(Duration::from_secs(5))
        .build()
        .unwrap()
}

async fn request(stream: &mut TcpStream) -> bool {
    let mut start = [0; 4096];
    matches!(stream.read(&mut start).await, Ok(count) if count > 0)
}

/// Answers the requests of a connection one after the other.
async fn keep_alive(mut stream: TcpStream, _: usize) {
    while request(&mut stream).await {
        if stream.write_all(ANSWER).await.is_err() {
            return;
        }
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// A server that lives on a thread of its own for the rest of the process.
fn elsewhere() -> Listener {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        runtime().block_on(async {
            sender.send(serve_by(keep_alive).await).unwrap();
            std::future::pending::<()>().await;
        });
    });
    receiver.recv().unwrap()
}

/// Nobody drives the connections of a runtime that stands still.
#[test]
fn a_second_runtime_works_while_the_first_stands_still() {
    let server = elsewhere();
    let smc = client(&server);
    let (first, second) = (runtime(), runtime());
    for _ in 0..3 {
        first.block_on(ListAccessTokens::new().send(&smc)).unwrap();
        second.block_on(ListAccessTokens::new().send(&smc)).unwrap();
    }
    // Each goes on with its own connection.
    assert_eq!(server.connections(), 2);
}

#[test]
fn a_runtime_for_each_call() {
    let server = elsewhere();
    let smc = client(&server);
    for _ in 0..100 {
        runtime()
            .block_on(ListAccessTokens::new().send(&smc))
            .unwrap();
    }
    assert_eq!(server.connections(), 100);
}

/// A server may close a connection that idles just when the next request comes. Whoever must not
/// send twice would have to say that nobody knows; so such calls never meet that.
#[tokio::test]
async fn calls_that_must_not_be_repeated_never_meet_a_connection_that_idled() {
    let server = serve_by(|mut stream, number| async move {
        if !request(&mut stream).await || stream.write_all(ANSWER).await.is_err() {
            return;
        }
        match number % 3 {
            // At once.
            0 => {}
            // When the next request is there: it may have been executed.
            1 => {
                request(&mut stream).await;
            }
            // After a while.
            _ => keep_alive(stream, number).await,
        }
    })
    .await;
    let smc = client(&server);
    for number in 0..500 {
        let created = CreateAccessToken::new().send(&smc).await;
        assert!(created.is_ok(), "{number}: {}", created.unwrap_err());
        // Others leave idle connections behind, and are repeated where these break.
        let listed = ListAccessTokens::new().send(&smc).await;
        if let Err(error) = listed {
            assert_eq!(error.kind(), Kind::Interrupted, "{error}");
        }
    }
}

#[tokio::test]
async fn calls_that_may_be_repeated_share_a_connection() {
    let server = serve_by(keep_alive).await;
    let smc = client(&server);
    for _ in 0..50 {
        ListAccessTokens::new().send(&smc).await.unwrap();
    }
    assert_eq!(server.connections(), 1);
    for _ in 0..10 {
        CreateAccessToken::new().send(&smc).await.unwrap();
    }
    assert_eq!(server.connections(), 11);
}
