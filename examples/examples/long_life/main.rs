//! Does a program that runs for months grow? A million calls in one process, and thousands that are
//! dropped half-way.
//!
//! ```text
//! cargo run --release --example long_life
//!     --calls 1000000  --drops 10000  --every 100000  --concurrency 64
//! ```
//!
//! After each part it prints memory, descriptors, connections and tasks of the process, the stub server
//! included. The exit code is 1 when one of them has grown after the warm-up.

mod stub;

use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use cumulo_apig::app::CreateAnAppV2;
use cumulo_smartag::clock::{BoxFuture, Clock, SystemClock};
use cumulo_smartag::credentials::{
    Context, Credential, CredentialError, Environment, Provider, Static,
};
use cumulo_smartag::enterprise_code::CreateEnterpriseCode;
use cumulo_smc::access_token::ListAccessTokens;
use cumulo_zstack::access_key::CreateAccessKey;
use tokio::sync::Semaphore;

use stub::Stub;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Waits take next to no time; credentials and requests see the real one.
#[derive(Debug)]
struct Brisk(SystemClock);

impl Clock for Brisk {
    fn now(&self) -> SystemTime {
        self.0.now()
    }
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.0.sleep(duration / 500)
    }
}

/// Credentials that end soon, and whose refresh is a few steps long: calls are dropped within it.
#[derive(Debug)]
struct Fleeting(Static);

impl Provider for Fleeting {
    fn name(&self) -> &'static str {
        "fleeting"
    }
    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Credential, CredentialError>> {
        Box::pin(async move {
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            let mut credential = self.0.provide(context).await?;
            credential.expires_at = Some(context.clock.now() + Duration::from_secs(5));
            Ok(credential)
        })
    }
}

#[derive(Clone)]
struct Clients {
    smc: cumulo_smc::Client,
    smartag: cumulo_smartag::Client,
    apig: cumulo_apig::Client,
    zstack: cumulo_zstack::Client,
}

impl Clients {
    fn new(address: &str) -> Result<Self, Failure> {
        macro_rules! built {
            ($builder:expr, $path:literal) => {
                $builder
                    .endpoint(format!("{address}{}", $path))
                    .environment(Environment::empty())
                    .credentials(Fleeting(Static::keys("id", "secret")))
                    .clock(Brisk(SystemClock::new()))
                    .build()
                    .map_err(|error| error.to_string())?
            };
        }
        let smc = cumulo_smc::Client::builder().region("r");
        let smartag = cumulo_smartag::Client::builder().region("r");
        let apig = cumulo_apig::Client::builder()
            .project_id("p")
            .instance_id("i");
        let zstack = cumulo_zstack::Client::builder().server_utc_offset(0);
        Ok(Self {
            smc: built!(smc, ""),
            smartag: built!(smartag, ""),
            apig: built!(apig, ""),
            zstack: built!(zstack, "/zstack"),
        })
    }

    /// The `n`-th call of the mixture: whether it succeeded.
    fn call(&self, n: usize) -> Pin<Box<dyn Future<Output = bool> + Send>> {
        match n % 8 {
            0..3 => {
                let call = ListAccessTokens::new().send(&self.smc);
                Box::pin(async { call.await.is_ok() })
            }
            3 | 4 => {
                let call = CreateEnterpriseCode::new("a1b2c").send(&self.smartag);
                Box::pin(async { call.await.is_ok() })
            }
            5 => {
                let call = CreateAnAppV2::new("app").send(&self.apig);
                Box::pin(async { call.await.is_ok() })
            }
            _ => {
                let call = CreateAccessKey::new("account", "user").send(&self.zstack);
                Box::pin(async { call.await.is_ok() })
            }
        }
    }
}

struct Options {
    calls: usize,
    drops: usize,
    every: usize,
    concurrency: usize,
}

impl Options {
    fn read() -> Result<Self, String> {
        let mut options = Self {
            calls: 1_000_000,
            drops: 10_000,
            every: 100_000,
            concurrency: 64,
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            let value = arguments.next().unwrap_or_default();
            let number = value.parse::<usize>();
            let number = number.map_err(|_| format!("{name} {value}: no number"))?;
            match name.as_str() {
                "--calls" => options.calls = number,
                "--drops" => options.drops = number,
                "--every" => options.every = number.max(1),
                "--concurrency" => options.concurrency = number.max(1),
                _ => return Err(format!("{name} is not known")),
            }
        }
        Ok(options)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Options::read() {
        Ok(options) => run(&options).await,
        Err(message) => Err(message.into()),
    };
    match outcome {
        Ok(grown) if grown.is_empty() => ExitCode::SUCCESS,
        Ok(grown) => {
            println!("\nBROKEN:\n{}", grown.join("\n"));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("long_life: {error}");
            ExitCode::from(2)
        }
    }
}

/// What the process holds.
#[derive(Clone, Copy)]
struct Held {
    /// Resident memory in KiB; 0 where the system does not tell.
    memory: usize,
    descriptors: usize,
    sockets: usize,
    tasks: usize,
}

impl Held {
    fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let memory = status.lines().find_map(|line| {
            line.strip_prefix("VmRSS:")?
                .split_whitespace()
                .next()?
                .parse()
                .ok()
        });
        let open: Vec<_> = std::fs::read_dir("/proc/self/fd")
            .into_iter()
            .flatten()
            .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
            .collect();
        Self {
            memory: memory.unwrap_or(0),
            descriptors: open.len(),
            sockets: open
                .iter()
                .filter(|target| target.to_string_lossy().starts_with("socket:"))
                .count(),
            tasks: tokio::runtime::Handle::current()
                .metrics()
                .num_alive_tasks(),
        }
    }

    fn print(&self, done: usize, ok: usize, stub: &Stub, seconds: f64) {
        println!(
            "{done:>9} {ok:>9} {:>10} {:>12} {:>8} {:>7} {:>6} {:>11} {seconds:>8.1}",
            self.memory,
            self.descriptors,
            self.sockets,
            stub.open.load(Ordering::Relaxed),
            self.tasks,
            stub.connections.load(Ordering::Relaxed),
        );
    }
}

/// Idle connections are kept for 5 s, and looked through as seldom; after so long they must be gone.
const QUIET: Duration = Duration::from_secs(20);
/// What the allocator may keep or give back between two looks, in KiB.
const SLACK: usize = 8 * 1024;

/// Waits until the pools have let go of their connections, or should have.
async fn quiet(stub: &Stub) -> Held {
    let clock = SystemClock::new();
    while stub.open.load(Ordering::Relaxed) > 0 && clock.elapsed() < QUIET {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Held::now()
}

async fn run(options: &Options) -> Result<Vec<String>, Failure> {
    let clock = SystemClock::new();
    let stub = Arc::new(Stub::default());
    let clients = Clients::new(&stub.start().await?)?;
    if Held::now().memory == 0 {
        println!("no /proc/self here: memory and descriptors are not measured");
    }
    println!(
        "{:>9} {:>9} {:>10} {:>12} {:>8} {:>7} {:>6} {:>11} {:>8}",
        "calls",
        "ok",
        "RSS KiB",
        "descriptors",
        "sockets",
        "open",
        "tasks",
        "connections",
        "seconds"
    );
    let mut grown = Vec::new();
    let (mut done, mut ok, mut warm) = (0, 0, None::<Held>);
    while done < options.calls {
        let part = options.every.min(options.calls - done);
        ok += calls(&clients, done..done + part, options.concurrency).await?;
        done += part;
        let held = quiet(&stub).await;
        held.print(done, ok, &stub, clock.elapsed().as_secs_f64());
        match warm {
            // The first two parts warm up: pools, caches, the allocator's arenas.
            None if done >= options.every * 2 => warm = Some(held),
            None => {}
            Some(warm) => grown.extend(compare("calls", warm, held)),
        }
    }
    if ok < done * 9 / 10 {
        grown.push(format!("only {ok} of {done} calls succeeded"));
    }

    let before = Held::now();
    let dropped = drops(&clients, options.drops, options.concurrency).await?;
    let held = quiet(&stub).await;
    println!(
        "{} calls dropped half-way, {} ended before that",
        dropped,
        options.drops - dropped
    );
    held.print(done, ok, &stub, clock.elapsed().as_secs_f64());
    grown.extend(compare("drops", before, held));
    if dropped * 4 < options.drops {
        grown.push(format!(
            "only {dropped} of {} calls could be dropped",
            options.drops
        ));
    }
    // Whatever a dropped call had taken, others can have.
    let after = calls(&clients, 0..1000, 1000).await?;
    println!("{after} of 1000 calls at once succeeded after that");
    if after < 900 {
        grown.push(format!(
            "only {after} of 1000 calls succeeded after the drops"
        ));
    }
    Ok(grown)
}

fn compare(when: &str, before: Held, now: Held) -> Vec<String> {
    let mut grown = Vec::new();
    let mut check = |what: &str, before: usize, now: usize, slack: usize| {
        if now > before + slack {
            grown.push(format!(
                "{what} grew from {before} to {now} over the {when}"
            ));
        }
    };
    check(
        "memory (KiB)",
        before.memory,
        now.memory,
        SLACK.max(before.memory / 10),
    );
    check("descriptors", before.descriptors, now.descriptors, 4);
    check("sockets", before.sockets, now.sockets, 4);
    check("tasks", before.tasks, now.tasks, 4);
    grown
}

/// Makes the calls with these numbers; how many succeeded.
async fn calls(
    clients: &Clients,
    numbers: std::ops::Range<usize>,
    concurrency: usize,
) -> Result<usize, Failure> {
    let next = Arc::new(std::sync::atomic::AtomicUsize::new(numbers.start));
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..concurrency {
        let (clients, next, end) = (clients.clone(), Arc::clone(&next), numbers.end);
        running.spawn(async move {
            let mut ok = 0;
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= end {
                    return ok;
                }
                ok += usize::from(clients.call(n).await);
            }
        });
    }
    let mut ok = 0;
    while let Some(part) = running.join_next().await {
        ok += part?;
    }
    Ok(ok)
}

/// Begins calls and drops each after a number of polls; how many had not ended by then.
async fn drops(clients: &Clients, count: usize, concurrency: usize) -> Result<usize, Failure> {
    let permits = Arc::new(Semaphore::new(concurrency));
    let mut running = tokio::task::JoinSet::new();
    let mut dropped = 0;
    for n in 0..count {
        let permit = Arc::clone(&permits).acquire_owned().await?;
        let mut call = clients.call(n);
        // From before the first step up to about where the answer is read.
        let mut steps = (n / 8) % 6;
        running.spawn(async move {
            let ended = std::future::poll_fn(|context| {
                if steps == 0 {
                    return std::task::Poll::Ready(false);
                }
                steps -= 1;
                call.as_mut().poll(context).map(|_| true)
            });
            let dropped = !ended.await;
            drop((call, permit));
            dropped
        });
        while let Some(ended) = running.try_join_next() {
            dropped += usize::from(ended?);
        }
    }
    while let Some(ended) = running.join_next().await {
        dropped += usize::from(ended?);
    }
    Ok(dropped)
}
