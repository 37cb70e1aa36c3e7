//! A TCP proxy on loopback that does to requests and answers what networks and gateways do.
//!
//! The n-th request meets the n-th fault of the seed's sequence, so that a run can be repeated; which
//! call the n-th request belongs to depends on the machine.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cumulo_localcloud::LocalCloud;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// What happens to a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    LoseRequest,
    LoseAnswer,
    ResetBefore,
    ResetAfter,
    Truncate,
    DelayRequest,
    DelayAnswer,
    TooMany,
    Unavailable,
    FailAfter,
    HtmlBefore,
    HtmlAfter,
    HtmlLogin,
    /// For polls of jobs: a proxy's own 404. Other requests meet `HtmlBefore`.
    HtmlMissing,
}

use Fault::{
    DelayAnswer, DelayRequest, FailAfter, HtmlAfter, HtmlBefore, HtmlLogin, HtmlMissing,
    LoseAnswer, LoseRequest, ResetAfter, ResetBefore, TooMany, Truncate, Unavailable,
};

/// All faults with their names in the table.
pub(crate) const FAULTS: [(Fault, &str); 14] = [
    (LoseRequest, "request lost"),
    (LoseAnswer, "answer lost"),
    (ResetBefore, "reset before"),
    (ResetAfter, "reset after"),
    (Truncate, "truncated"),
    (DelayRequest, "request late"),
    (DelayAnswer, "answer late"),
    (TooMany, "429"),
    (Unavailable, "503"),
    (FailAfter, "500 after"),
    (HtmlBefore, "502 html"),
    (HtmlAfter, "502 html after"),
    (HtmlLogin, "200 html after"),
    (HtmlMissing, "404 html of a poll"),
];

/// How the network behaves.
#[derive(Clone, Copy)]
pub(crate) struct Weather {
    pub(crate) seed: u64,
    /// The part of requests that meet a fault.
    pub(crate) rate: f64,
    /// How long late requests and answers take: longer than an attempt may.
    pub(crate) late: Duration,
    /// The server's clock jumps two hours forth or back each so many requests; 0 for never.
    pub(crate) shift_every: u64,
}

/// SplitMix64: the `n`-th number of the sequence.
pub(crate) fn number(seed: u64, n: u64) -> u64 {
    let mut z = seed.wrapping_add(n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Weather {
    fn fault(&self, n: u64) -> Option<usize> {
        let drawn = number(self.seed, n);
        let fraction = (drawn >> 11) as f64 / (1u64 << 53) as f64;
        let which = usize::try_from(number(!self.seed, n) % FAULTS.len() as u64);
        which.ok().filter(|_| fraction < self.rate)
    }
}

/// The proxy of all services.
pub(crate) struct Proxy {
    cloud: Arc<LocalCloud>,
    weather: Weather,
    requests: AtomicU64,
    met: [AtomicU64; FAULTS.len()],
    shifts: AtomicU64,
    /// Requests that the local cloud did not answer, which is no fault of the plan.
    broken: AtomicU64,
    upstream: Semaphore,
}

/// So many requests are with the local cloud at a time.
const UPSTREAM: usize = 64;
const SHIFT: i64 = 7200;

impl Proxy {
    pub(crate) fn new(cloud: Arc<LocalCloud>, weather: Weather) -> Arc<Self> {
        Arc::new(Self {
            cloud,
            weather,
            requests: AtomicU64::new(0),
            met: std::array::from_fn(|_| AtomicU64::new(0)),
            shifts: AtomicU64::new(0),
            broken: AtomicU64::new(0),
            upstream: Semaphore::new(UPSTREAM),
        })
    }

    /// Stands before the service at `target`; answers the address to call instead.
    pub(crate) async fn stand_before(self: &Arc<Self>, target: &str) -> io::Result<String> {
        let rest = target.strip_prefix("http://").unwrap_or(target);
        let (host, path) = match rest.split_once('/') {
            Some((host, path)) => (host.to_owned(), format!("/{path}")),
            None => (rest.to_owned(), String::new()),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}{path}", listener.local_addr()?);
        let way = Arc::new(Way {
            host,
            idle: Mutex::default(),
        });
        let proxy = Arc::clone(self);
        tokio::spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => {
                        tokio::spawn(Arc::clone(&proxy).serve(stream, Arc::clone(&way)));
                    }
                    // Out of file descriptors: wait until some connection has ended.
                    Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                }
            }
        });
        Ok(address)
    }

    /// The requests, the faults by their names, and requests that failed without a plan.
    pub(crate) fn counts(&self) -> (u64, Vec<(&'static str, u64)>, u64) {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let met = self.met.iter().map(read);
        let mut faults: Vec<_> = FAULTS.iter().map(|(_, name)| *name).zip(met).collect();
        faults.push(("clock shifts", read(&self.shifts)));
        (read(&self.requests), faults, read(&self.broken))
    }

    async fn serve(self: Arc<Self>, mut stream: TcpStream, way: Arc<Way>) {
        let _ = stream.set_nodelay(true);
        let mut buffer = Vec::new();
        while let Ok(Some(request)) = read_message(&mut stream, &mut buffer).await {
            let n = self.requests.fetch_add(1, Ordering::Relaxed);
            self.shift(n);
            let mut fault = self.weather.fault(n).map(|at| FAULTS[at].0);
            let poll = request.windows(10).any(|part| part == b"/api-jobs/");
            if fault == Some(HtmlMissing) && !poll {
                fault = Some(HtmlBefore);
            }
            if let Some(at) = FAULTS.iter().position(|(one, _)| Some(*one) == fault) {
                self.met[at].fetch_add(1, Ordering::Relaxed);
            }
            if !self.pass(&mut stream, &way, &request, fault).await {
                return;
            }
        }
    }

    /// The server's clock, not the proxy's business but that of the weather.
    fn shift(&self, n: u64) {
        let every = self.weather.shift_every;
        if every > 0 && n % every == every - 1 {
            let ahead = (n / every).is_multiple_of(2);
            self.cloud.set_time_offset(if ahead { SHIFT } else { 0 });
            self.shifts.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Handles one request; whether the connection goes on.
    async fn pass(
        &self,
        stream: &mut TcpStream,
        way: &Way,
        request: &[u8],
        fault: Option<Fault>,
    ) -> bool {
        match fault {
            Some(LoseRequest) => return false,
            Some(ResetBefore) => return reset(stream),
            Some(DelayRequest) => tokio::time::sleep(self.weather.late).await,
            Some(TooMany) => return answer(stream, 429, "text/plain", "slow down").await,
            Some(Unavailable) => return answer(stream, 503, "text/plain", "try later").await,
            Some(HtmlBefore) => return answer(stream, 502, "text/html", HTML).await,
            Some(HtmlMissing) => return answer(stream, 404, "text/html", HTML).await,
            _ => {}
        }
        let Ok(reply) = self.forward(way, request).await else {
            self.broken.fetch_add(1, Ordering::Relaxed);
            return false;
        };
        match fault {
            Some(LoseAnswer) => return false,
            Some(ResetAfter) => return reset(stream),
            Some(Truncate) => {
                let _ = stream.write_all(&reply[..reply.len() - 3]).await;
                return false;
            }
            Some(DelayAnswer) => tokio::time::sleep(self.weather.late).await,
            Some(FailAfter) => return answer(stream, 500, "text/plain", "oops").await,
            Some(HtmlAfter) => return answer(stream, 502, "text/html", HTML).await,
            Some(HtmlLogin) => return answer(stream, 200, "text/html", HTML).await,
            _ => {}
        }
        stream.write_all(&reply).await.is_ok()
    }

    async fn forward(&self, way: &Way, request: &[u8]) -> io::Result<Vec<u8>> {
        let _permit = self.upstream.acquire().await.map_err(io::Error::other)?;
        let idle = way.idle().pop();
        let mut stream = match idle {
            Some(stream) => stream,
            None => TcpStream::connect(&way.host).await?,
        };
        stream.write_all(request).await?;
        let mut buffer = Vec::new();
        let reply = read_message(&mut stream, &mut buffer).await?;
        let reply = reply.ok_or(io::ErrorKind::UnexpectedEof)?;
        way.idle().push(stream);
        Ok(reply)
    }
}

const HTML: &str = "<html><body><h1>Something is in the way</h1></body></html>";

/// The way to one service.
struct Way {
    host: String,
    idle: Mutex<Vec<TcpStream>>,
}

impl Way {
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<TcpStream>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes the close a TCP reset.
fn reset(stream: &TcpStream) -> bool {
    let _ = stream.set_zero_linger();
    false
}

async fn answer(stream: &mut TcpStream, status: u16, kind: &str, body: &str) -> bool {
    let length = body.len();
    let text = format!(
        "HTTP/1.1 {status} Fault\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(text.as_bytes()).await.is_ok()
}

/// The bytes of the next message with a content length or without a body; `None` at the end.
async fn read_message(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>> {
    let head = loop {
        if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    };
    let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))
        .map_or(Ok(0), |length| length.trim().parse::<usize>())
        .map_err(io::Error::other)?;
    while buffer.len() < head + length {
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
    let rest = buffer.split_off(head + length);
    Ok(Some(std::mem::replace(buffer, rest)))
}
