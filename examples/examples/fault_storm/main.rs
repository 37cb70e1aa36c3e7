//! Is anything made twice, lost, or untruly told when a network loses a third of all messages?
//!
//! ```text
//! cargo run --release --example fault_storm
//!     --calls 10000  --rate 0.3  --seed 7  --concurrency 10000
//!     --kill N       the program is killed N times and goes on by its ledger
//! ```
//!
//! Creates of all four services go through a proxy on loopback that loses, resets, cuts, delays and
//! falsifies, and past a clock that jumps; then what the local cloud holds is compared with what the
//! callers were told. The exit code is 1 when a promise is broken.

mod creates;
mod kill;
mod proxy;
mod report;

use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use cumulo_localcloud::LocalCloud;
use cumulo_smc::clock::{Clock as _, SystemClock};
use tokio::sync::Semaphore;

use creates::{Clients, Thing, Told};
use proxy::{Proxy, Weather};
use report::Report;

/// What the command line says.
pub(crate) struct Options {
    calls: usize,
    rate: f64,
    seed: u64,
    concurrency: usize,
    kill: Option<usize>,
    /// How long an attempt may take, in milliseconds.
    attempt: u64,
    endpoints: String,
    child: Option<String>,
    /// The child asks again for each so-many-th thing that is done.
    recall: u64,
}

impl Options {
    fn read() -> Result<Self, String> {
        let mut options = Self {
            calls: 10_000,
            rate: 0.3,
            seed: 7,
            concurrency: 10_000,
            kill: None,
            attempt: 4000,
            endpoints: String::new(),
            child: None,
            recall: 1,
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or(format!("{name} needs a value"))?;
            let number = || {
                value
                    .parse::<u64>()
                    .map_err(|_| format!("{name} {value}: no number"))
            };
            match name.as_str() {
                "--calls" => options.calls = number()? as usize,
                "--rate" => {
                    let rate = value
                        .parse()
                        .map_err(|_| format!("{name} {value}: no number"))?;
                    options.rate = rate;
                }
                "--seed" => options.seed = number()?,
                "--concurrency" => options.concurrency = number()?.max(1) as usize,
                "--kill" => options.kill = Some(number()? as usize),
                "--attempt-ms" => options.attempt = number()?,
                "--endpoints" => options.endpoints = value,
                "--recall" => options.recall = number()?.max(1),
                "--child" => options.child = Some(value),
                _ => return Err(format!("{name} is not known")),
            }
        }
        Ok(options)
    }
}

/// The text of what a caller was told, if it was an error.
pub(crate) fn text_of(told: &Told) -> &str {
    told.error.as_deref().unwrap_or_default()
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Options::read() {
        Err(message) => Err(message.into()),
        Ok(options) => match &options.child {
            Some(ledger) => kill::child(&options, ledger).await.map(|()| Vec::new()),
            None => storm(&options).await,
        },
    };
    match outcome {
        Ok(broken) if broken.is_empty() => ExitCode::SUCCESS,
        Ok(broken) => {
            println!("\nBROKEN:\n{}", broken.join("\n"));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("fault_storm: {error}");
            ExitCode::from(2)
        }
    }
}

/// So many requests pass at least between two jumps of the server's clock.
const SHIFT_EVERY: usize = 300;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Runs it; the promises that were broken.
async fn storm(options: &Options) -> Result<Vec<String>, Failure> {
    let clock = SystemClock::new();
    let cloud = Arc::new(
        LocalCloud::builder()
            .record(false)
            .zstack_job_polls(1)
            .start()
            .await?,
    );
    let (calls, late) = match options.kill {
        Some(kills) => (kill::things(kills), kill::LATE),
        None => (options.calls, Duration::from_millis(options.attempt + 500)),
    };
    let weather = Weather {
        seed: options.seed,
        rate: options.rate,
        late,
        // A clock that jumps more often than a call has corrections is no clock.
        shift_every: (calls / 8).max(SHIFT_EVERY) as u64,
    };
    let proxy = Proxy::new(Arc::clone(&cloud), weather);
    let direct = [
        cloud.smc_endpoint(),
        cloud.smartag_endpoint(),
        cloud.apig_endpoint(),
        cloud.zstack_endpoint(),
    ];
    let mut through = Vec::new();
    for target in &direct {
        through.push(proxy.stand_before(target).await?);
    }

    let mut broken = Vec::new();
    let told = if let Some(kills) = options.kill {
        let (seed, endpoints) = (options.seed, through);
        let lives = tokio::task::spawn_blocking(move || kill::run(seed, &endpoints, kills));
        let lives = lives.await??;
        println!(
            "killed {} times in {} lives, {} things told under two ids",
            lives.killed, lives.lives, lives.two_ids
        );
        if lives.two_ids > 0 {
            broken.push(format!("{} things told under two ids", lives.two_ids));
        }
        if lives.told.len() < calls {
            broken.push(format!(
                "{} things of which nothing was told",
                calls - lives.told.len()
            ));
        }
        lives.told
    } else {
        calm(options, &through).await?
    };

    // What is still on its way arrives.
    tokio::time::sleep(late + Duration::from_millis(500)).await;
    cloud.set_time_offset(0);
    let clients = Clients::new(&direct, Duration::from_secs(60)).map_err(|e| e.to_string())?;
    let existing = clients.existing().await?;
    let report = Report::new(&told, &existing);
    let (requests, faults, failed) = proxy.counts();
    println!(
        "fault storm: seed {}, {:.0} % faults, {calls} things, concurrency {}, {requests} requests, {:.1} s",
        options.seed,
        options.rate * 100.0,
        options.concurrency,
        clock.elapsed().as_secs_f64(),
    );
    let faults: Vec<String> = faults
        .iter()
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    println!("faults: {}", faults.join(", "));
    report.print();
    report.print_errors();
    if failed > 0 {
        broken.push(format!(
            "the local cloud left {failed} requests without an answer"
        ));
    }
    broken.extend(report.broken(0.99, options.kill.is_some()));
    Ok(broken)
}

/// All calls in one process that lives.
async fn calm(options: &Options, endpoints: &[String]) -> Result<HashMap<usize, Told>, Failure> {
    let attempt = Duration::from_millis(options.attempt);
    let clients = Clients::new(endpoints, attempt).map_err(|error| error.to_string())?;
    let permits = Arc::new(Semaphore::new(options.concurrency));
    let mut running = tokio::task::JoinSet::new();
    for number in 0..options.calls {
        let (clients, permits) = (clients.clone(), Arc::clone(&permits));
        running.spawn(async move {
            let _permit = permits.acquire_owned().await;
            (number, clients.make(Thing(number), None).await)
        });
    }
    let mut told = HashMap::new();
    while let Some(ended) = running.join_next().await {
        let (number, one) = ended?;
        told.insert(number, one);
    }
    Ok(told)
}
