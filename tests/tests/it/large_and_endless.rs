//! Does whatever a server sends cost bounded memory and time, and is it told what came of it?

use std::time::Duration;

use cumulo_core::Outcome;
use cumulo_core::clock::{BoxFuture, ManualClock};
use cumulo_core::transport::{HttpRequest, HttpResponse, Transport, TransportError};
use cumulo_smc::access_token::{CreateAccessToken, ListAccessTokens};
use cumulo_smc::{Error, Kind};
use cumulo_tests::{Listener, failed_create, manual_clock, serve, serve_by, smc_at};
use http::HeaderMap;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

fn builder(server: &Listener) -> cumulo_smc::Builder {
    smc_at(&format!("http://{}", server.address))
}

/// A body of exactly `length` bytes that says no more than a short one.
fn body(length: usize) -> String {
    format!("{{{}}}", " ".repeat(length - 2))
}

fn chunked(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    )
}

fn measured(status: u16, body: &str) -> String {
    format!(
        "HTTP/1.1 {status} x\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn too_large(error: &Error, limit: usize) {
    assert_eq!(
        (error.kind(), error.outcome()),
        (Kind::InvalidResponse, Outcome::Unknown),
        "{error}"
    );
    assert!(error.message().contains(&limit.to_string()), "{error}");
    assert!(error.hint().unwrap().contains("largest_answer"), "{error}");
}

/// Answers with `body`; all the time in the world goes by while it is read.
#[derive(Debug)]
struct Heavy {
    body: String,
    clock: ManualClock,
}

impl Transport for Heavy {
    fn send(&self, _: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        let clock = self.clock.clone();
        // It runs when the call waits for the first time: for the thread that decodes.
        tokio::spawn(async move { clock.advance(Duration::from_secs(3600)) });
        let answer = HttpResponse {
            status: 200,
            headers: HeaderMap::new(),
            body: self.body.clone().into(),
        };
        Box::pin(std::future::ready(Ok(answer)))
    }
}

#[tokio::test]
async fn a_call_ends_at_its_deadline_while_its_answer_is_decoded() {
    let code =
        r#"{"AccessTokenId":"at-bp1akz2zp67r0k6r0001","Count":"100","Name":"web-servers-1"}"#;
    let codes = vec![code; 20_000].join(",");
    let body = format!(r#"{{"AccessTokens":{{"AccessToken":[{codes}]}}}}"#);
    let clock = manual_clock();
    let heavy = Heavy {
        body,
        clock: clock.clone(),
    };
    let smc = smc_at("http://127.0.0.1:1").transport(heavy).clock(clock);
    let smc = smc.build().unwrap();
    let error = ListAccessTokens::new().send(&smc).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Timeout, "{error}");
    assert!(error.message().contains("while it was read"), "{error}");
    assert_eq!(error.attempts().len(), 1);
    let error = CreateAccessToken::new().send(&smc).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (Kind::Timeout, Outcome::Unknown)
    );
}

#[tokio::test]
async fn an_answer_may_be_as_large_as_the_client_says() {
    for answer in [chunked, |text: &str| measured(200, text)] {
        let server = serve(answer(&body(1000))).await;
        let smc = builder(&server).largest_answer(1000).build().unwrap();
        CreateAccessToken::new().send(&smc).await.unwrap();
        let error = failed_create(builder(&server).largest_answer(999)).await;
        too_large(&error, 999);
        let server = serve(answer(&body(5_000_000))).await;
        let smc = builder(&server).build().unwrap();
        ListAccessTokens::new().send(&smc).await.unwrap();
        too_large(
            &failed_create(builder(&server).largest_answer(4_999_999)).await,
            4_999_999,
        );
    }
}

/// What is announced is believed when it is too much, and never set aside.
#[tokio::test]
async fn an_announced_length_is_not_waited_for_and_not_set_aside() {
    const LIMIT: usize = 32 << 20;
    for announced in ["33554433", "9223372036854775807"] {
        let server = serve_by(move |mut stream, _| async move {
            let mut start = [0; 4096];
            let _ = stream.read(&mut start).await;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {announced}\r\n\r\n{{");
            let _ = stream.write_all(head.as_bytes()).await;
            std::future::pending::<()>().await;
        })
        .await;
        too_large(&failed_create(builder(&server)).await, LIMIT);
    }
    // Announced, and never sent.
    let server = serve("HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551615\r\n\r\n{}").await;
    assert_eq!(
        failed_create(builder(&server)).await.kind(),
        Kind::Interrupted
    );
    let server = serve(format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {LIMIT}\r\n\r\n{{}}"
    ))
    .await;
    let error = failed_create(builder(&server)).await;
    assert_eq!(error.kind(), Kind::Interrupted, "{error}");
}

#[tokio::test]
async fn of_an_error_no_more_than_a_mebibyte_is_read() {
    let head = "HTTP/1.1 400 x\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunk = format!("{:x}\r\n{}\r\n", 65536, "x".repeat(65536));
    let endless = serve_by(move |mut stream, _| {
        let chunk = chunk.clone();
        async move {
            let mut start = [0; 4096];
            let _ = stream.read(&mut start).await;
            let _ = stream.write_all(head.as_bytes()).await;
            while stream.write_all(chunk.as_bytes()).await.is_ok() {}
        }
    })
    .await;
    let whole = serve(measured(400, &"x".repeat(3 << 20))).await;
    for server in [endless, whole] {
        let error = failed_create(builder(&server)).await;
        assert_eq!(
            (error.status(), error.outcome(), error.raw_body().len()),
            (Some(400), Outcome::Rejected, 1 << 20),
        );
    }
}

/// Serves what `more` says again and again, after `head`.
async fn endless(head: &'static str, more: Vec<u8>, pause: Duration) -> Listener {
    serve_by(move |mut stream, _| {
        let more = more.clone();
        async move {
            let mut start = [0; 4096];
            let _ = stream.read(&mut start).await;
            let _ = stream.write_all(head.as_bytes()).await;
            while stream.write_all(&more).await.is_ok() {
                if !pause.is_zero() {
                    tokio::time::sleep(pause).await;
                }
            }
        }
    })
    .await
}

#[tokio::test]
async fn answers_without_end_end_with_the_attempt() {
    let pause = Duration::from_millis(5);
    for (head, more, pause) in [
        // Interim answers, as fast as they go.
        ("", "HTTP/1.1 100 Continue\r\n\r\n", Duration::ZERO),
        (
            "",
            "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n",
            Duration::ZERO,
        ),
        // One byte at a time: interim answers, a header, a body, a chunk's length.
        ("HTTP/1.1 200 OK\r\nx: ", "a", pause),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n",
            " ",
            pause,
        ),
        ("HTTP/1.1 200 OK\r\n\r\n", " ", pause),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            "1\r\n \r\n",
            pause,
        ),
        (
            "HTTP/1.1 500 x\r\ntransfer-encoding: chunked\r\n\r\n",
            "1\r\n \r\n",
            pause,
        ),
    ] {
        let server = endless(head, more.as_bytes().to_vec(), pause).await;
        let error =
            failed_create(builder(&server).attempt_timeout(Duration::from_millis(100))).await;
        assert_eq!(
            (error.kind(), error.outcome(), server.connections()),
            (Kind::Timeout, Outcome::Unknown, 1),
            "{head:?} {more:?}: {error}"
        );
    }
}

/// Nothing that is not the body grows without bound.
#[tokio::test]
async fn heads_without_end_are_cut_off() {
    let line = vec![b'a'; 1 << 16];
    let mut header = b"x-h: ".to_vec();
    header.extend(vec![b'a'; 1000]);
    header.extend(b"\r\n");
    let long_chunk = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;";
    let trailers = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n";
    for (head, more) in [
        ("HTTP/1.1 200 OK\r\nx: ", line.clone()),
        ("HTTP/1.1 200 OK\r\n", header.clone()),
        ("HTTP/1.1 200 ", line.clone()),
        ("", line.clone()),
        (long_chunk, line),
        (trailers, header),
    ] {
        let server = endless(head, more, Duration::ZERO).await;
        let error = failed_create(builder(&server)).await;
        assert_eq!(
            (error.kind(), error.outcome()),
            (Kind::Interrupted, Outcome::Unknown),
            "{head:?}: {error}"
        );
    }
}

#[tokio::test]
async fn broken_chunks() {
    for chunks in [
        "zz\r\n{}\r\n0\r\n\r\n",
        "-2\r\n{}\r\n0\r\n\r\n",
        "ffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
        "ffffffffffffffff\r\n{}\r\n0\r\n\r\n",
        "2\r\n{}garbage\r\n0\r\n\r\n",
        "2\r\n{}\r\n",
        "2 2\r\n{}\r\n0\r\n\r\n",
        "\r\n",
    ] {
        let server = serve(format!(
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{chunks}"
        ))
        .await;
        let error = failed_create(builder(&server)).await;
        assert_eq!(
            (error.kind(), error.outcome()),
            (Kind::Interrupted, Outcome::Unknown),
            "{chunks:?}: {error}"
        );
    }
}

/// An answer that breaks off anywhere is no answer.
#[tokio::test]
async fn an_answer_that_breaks_off_at_every_byte() {
    let text = r#"{"RequestId":"r","AccessTokenId":"at-1"}"#;
    for whole in [measured(200, text), chunked(text)] {
        let bytes = whole.clone().into_bytes();
        // The first connection gets nothing, the next one byte, ..
        let server = serve_by(move |mut stream, number| {
            let part = bytes[..number.min(bytes.len())].to_vec();
            async move {
                let mut start = [0; 4096];
                let _ = stream.read(&mut start).await;
                let _ = stream.write_all(&part).await;
                let _ = stream.shutdown().await;
            }
        })
        .await;
        let smc = builder(&server).build().unwrap();
        for end in 0..whole.len() {
            let error = CreateAccessToken::new().send(&smc).await.unwrap_err();
            assert_eq!(
                (error.kind(), error.outcome(), error.attempts().len()),
                (Kind::Interrupted, Outcome::Unknown, 1),
                "{end} of {whole:?}: {error}"
            );
        }
        CreateAccessToken::new().send(&smc).await.unwrap();
    }
}

/// What HTTP cannot write is the caller's to mend: nothing is sent, and nothing repeated.
#[tokio::test]
async fn a_request_that_is_too_large_to_be_sent() {
    let server = serve("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
    let smc = builder(&server).build().unwrap();
    for (length, sent) in [(60_000, true), (70_000, false), (1 << 20, false)] {
        let before = server.connections();
        let listed = ListAccessTokens::new()
            .send(&smc)
            .param("Note", "n".repeat(length))
            .await;
        assert_eq!(server.connections() - before, usize::from(sent), "{length}");
        if let Err(error) = listed {
            assert!(!sent, "{error}");
            assert_eq!(
                (error.kind(), error.outcome(), error.attempts().len()),
                (Kind::InvalidInput, Outcome::NotSent, 1),
                "{error}"
            );
            assert!(!error.is_retryable());
        } else {
            assert!(sent, "{length}");
        }
    }
}
