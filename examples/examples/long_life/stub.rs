//! A server that answers at once and keeps nothing, so that what grows is the clients'.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What the stub has seen.
#[derive(Default)]
pub(crate) struct Stub {
    pub(crate) requests: AtomicU64,
    pub(crate) connections: AtomicU64,
    pub(crate) open: AtomicU64,
}

impl Stub {
    /// Serves; answers the address.
    pub(crate) async fn start(self: &Arc<Self>) -> io::Result<String> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}", listener.local_addr()?);
        let stub = Arc::clone(self);
        tokio::spawn(async move {
            loop {
                if let Ok((stream, _)) = listener.accept().await {
                    let stub = Arc::clone(&stub);
                    tokio::spawn(async move {
                        stub.connections.fetch_add(1, Ordering::Relaxed);
                        stub.open.fetch_add(1, Ordering::Relaxed);
                        // A client that goes away is what is tested.
                        let _ = stub.serve(stream).await;
                        stub.open.fetch_sub(1, Ordering::Relaxed);
                    });
                }
            }
        });
        Ok(address)
    }

    async fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut buffer = Vec::with_capacity(4096);
        loop {
            let head = loop {
                if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                    break at + 4;
                }
                if stream.read_buf(&mut buffer).await? == 0 {
                    return Ok(());
                }
            };
            let text = String::from_utf8_lossy(&buffer[..head]).into_owned();
            let length: usize = text
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase()
                        .strip_prefix("content-length:")?
                        .trim()
                        .parse()
                        .ok()
                })
                .unwrap_or(0);
            while buffer.len() < head + length {
                if stream.read_buf(&mut buffer).await? == 0 {
                    return Ok(());
                }
            }
            buffer.drain(..head + length);
            let n = self.requests.fetch_add(1, Ordering::Relaxed);
            let (status, body) = answer(n, &text);
            let length = body.len();
            let reply = format!(
                "HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
            );
            stream.write_all(reply.as_bytes()).await?;
        }
    }
}

/// By the path of the request; now and then an error, and a job for some writes of ZStack.
fn answer(n: u64, head: &str) -> (u16, &'static str) {
    let line = head.lines().next().unwrap_or_default();
    let poll = line.contains("/api-jobs/");
    if n % 61 == 60 {
        return (503, "<html>busy</html>");
    }
    if poll {
        return (
            200,
            r#"{"inventory":{"uuid":"0123456789abcdef0123456789abcdef","state":"Enabled"}}"#,
        );
    }
    if line.contains("/zstack/") {
        return match n % 2 {
            0 => (
                202,
                r#"{"location":"http://10.0.0.1/zstack/v1/api-jobs/0123456789abcdef0123456789abcdef","apiTimeout":60000}"#,
            ),
            _ => (
                200,
                r#"{"inventory":{"uuid":"0123456789abcdef0123456789abcdef","state":"Enabled"}}"#,
            ),
        };
    }
    if line.contains("/apigw/") {
        return match n % 37 {
            36 => (
                404,
                r#"{"error_code":"APIG.3004","error_msg":"App x does not exist"}"#,
            ),
            _ => (
                201,
                r#"{"id":"14986794a4b14d5680e66d9e6cd8ee59","name":"app","app_key":"k","app_secret":"s","status":1}"#,
            ),
        };
    }
    if head.contains("EnterpriseCode") {
        return (200, r#"{"RequestId":"r-1"}"#);
    }
    (200, LIST)
}

const LIST: &str = r#"{"RequestId":"r-1","TotalCount":2,"PageNumber":1,"PageSize":10,"AccessTokens":{"AccessToken":[{"AccessTokenId":"at-1","Name":"a","Status":"activated","Count":"1"},{"AccessTokenId":"at-2","Name":"b","Status":"activated","Count":"1"}]}}"#;
