//! How do many calls at once get along with a service that allows ten a second?
//!
//! A server on loopback throttles whatever comes faster. The clones of one client learn its pace from
//! the first refusals; every call succeeds, and hardly any attempt is wasted. It takes as long as the
//! service makes it: 100 s for the 1,000 calls of `cargo run --release --example pace -- 1000`.

use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cumulo_smc::Client;
use cumulo_smc::access_token::ListAccessTokens;
use cumulo_smc::clock::{Clock as _, SystemClock};
use cumulo_smc::credentials::Static;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Calls a second, and at once.
const ALLOWED: f64 = 10.0;
const AT_ONCE: usize = 64;

#[derive(Debug)]
struct Service {
    clock: SystemClock,
    bucket: Mutex<(f64, Duration)>,
    served: AtomicU32,
    throttled: AtomicU32,
}

impl Service {
    fn allows(&self) -> bool {
        let now = self.clock.elapsed();
        let Ok(mut bucket) = self.bucket.lock() else {
            return false;
        };
        let (tokens, filled) = *bucket;
        let since = now.saturating_sub(filled).as_secs_f64();
        let tokens = (tokens + since * ALLOWED).min(ALLOWED);
        let allowed = tokens >= 1.0;
        *bucket = (if allowed { tokens - 1.0 } else { tokens }, now);
        allowed
    }

    /// Answers the requests of one connection; none of them has a body.
    async fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let (mut read, mut buffer) = (Vec::new(), [0; 4096]);
        loop {
            let length = stream.read(&mut buffer).await?;
            if length == 0 {
                return Ok(());
            }
            read.extend_from_slice(&buffer[..length]);
            while let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") {
                read.drain(..end + 4);
                let (count, status, body) = if self.allows() {
                    (&self.served, "200 OK", r#"{"TotalCount":0}"#)
                } else {
                    let body = r#"{"Code":"Throttling.User","Message":"Slow down"}"#;
                    (&self.throttled, "400 Bad Request", body)
                };
                count.fetch_add(1, Ordering::Relaxed);
                let length = body.len();
                let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n");
                stream.write_all((head + body).as_bytes()).await?;
            }
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let calls: u32 = match std::env::args().nth(1) {
        Some(text) => text.parse()?,
        None => 60,
    };
    let socket = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", socket.local_addr()?);
    let service = Arc::new(Service {
        clock: SystemClock::new(),
        bucket: Mutex::new((ALLOWED, Duration::ZERO)),
        served: AtomicU32::new(0),
        throttled: AtomicU32::new(0),
    });
    let server = Arc::clone(&service);
    tokio::spawn(async move {
        while let Ok((stream, _)) = socket.accept().await {
            let server = Arc::clone(&server);
            tokio::spawn(async move { server.serve(stream).await });
        }
    });
    let smc = Client::builder()
        .endpoint(address)
        .region("cn-hangzhou")
        .credentials(Static::keys("key", "secret"))
        .build()?;
    let next = Arc::new(AtomicU32::new(0));
    let mut workers = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (smc, next) = (smc.clone(), Arc::clone(&next));
        workers.spawn(async move {
            let mut failed = Vec::new();
            while next.fetch_add(1, Ordering::Relaxed) < calls {
                failed.extend(ListAccessTokens::new().send(&smc).await.err());
            }
            failed
        });
    }
    let failed: Vec<_> = workers.join_all().await.into_iter().flatten().collect();
    let [served, throttled] =
        [&service.served, &service.throttled].map(|count| count.load(Ordering::Relaxed));
    let took = service.clock.elapsed().as_secs_f64();
    let share = f64::from(throttled) * 100.0 / f64::from(served + throttled);
    println!(
        "{calls} calls, {AT_ONCE} at once, in {took:.1} s; {} failed",
        failed.len()
    );
    println!("{served} served, {throttled} throttled: {share:.1} % of all attempts");
    match failed.into_iter().next() {
        None => Ok(()),
        Some(error) => Err(error.into()),
    }
}
