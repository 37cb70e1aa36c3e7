//! The storm with a program that is killed again and again: the child makes things under a ledger, the
//! parent holds the clouds and pulls the plug.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use cumulo_smc::Outcome;
use cumulo_smc::clock::{Clock as _, SystemClock};
use cumulo_smc::ledger::{Ledger, State};
use tokio::sync::Semaphore;

use crate::creates::{Clients, Thing, Told};
use crate::proxy::number;
use crate::{Options, text_of};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Each life of the program has so many things more to make than the one before.
const WINDOW: usize = 40;
/// After the last kill, so many lives more may finish what was left.
const CALM: usize = 20;
/// How many calls the child has in flight.
const CONCURRENCY: usize = 64;

/// How long late messages of the weather take in this mode, how long an attempt waits, and how long
/// the child lets a dead predecessor's messages arrive.
pub(crate) const LATE: Duration = Duration::from_millis(400);
pub(crate) const ATTEMPT: Duration = Duration::from_millis(300);
const SETTLE: Duration = Duration::from_secs(1);

/// The things that all lives together make.
pub(crate) fn things(kills: usize) -> usize {
    (kills + 1) * WINDOW
}

/// What the lives were, beside what they told.
pub(crate) struct Lives {
    pub(crate) told: HashMap<usize, Told>,
    pub(crate) killed: usize,
    pub(crate) lives: usize,
    /// Things that were told to be made under two ids.
    pub(crate) two_ids: usize,
}

/// Starts and kills the child, until all is made.
pub(crate) fn run(seed: u64, endpoints: &[String], kills: usize) -> Result<Lives, Failure> {
    let directory = std::env::temp_dir().join(format!("cumulo-storm-{}", std::process::id()));
    std::fs::create_dir_all(&directory)?;
    let ledger = directory.join("ledger");
    let mut lives = Lives {
        told: HashMap::new(),
        killed: 0,
        lives: 0,
        two_ids: 0,
    };
    let total = things(kills);
    for life in 0..kills + CALM {
        let until = ((life + 1) * WINDOW).min(total);
        let mut command = Command::new(std::env::current_exe()?);
        command
            .arg("--child")
            .arg(&ledger)
            .arg("--calls")
            .arg(until.to_string());
        // What is done is asked again now and then: the answer must stay the same. In the end all of it
        // is, since the caller may have died before it was told.
        let recall = if life < kills { 50 } else { 1 };
        command.arg("--recall").arg(recall.to_string());
        command.arg("--endpoints").arg(endpoints.join(","));
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        lives.lives += 1;
        // One life in four is long enough for the calls that must settle first.
        let longest = if life % 4 == 3 { 2500 } else { 150 };
        let plug = (life < kills).then(|| number(seed, life as u64) % longest);
        let (told, whole) = watch(&mut child, plug)?;
        lives.killed += usize::from(!whole);
        for (number, told) in told {
            let mut told = told;
            if let Some(before) = lives.told.get(&number) {
                told.attempts += before.attempts;
                if let (Ok(before), Ok(now)) = (&before.result, &told.result)
                    && before != now
                {
                    lives.two_ids += 1;
                }
            }
            lives.told.insert(number, told);
        }
        let made = lives
            .told
            .values()
            .filter(|told| told.result.is_ok())
            .count();
        if life >= kills && made == total {
            break;
        }
    }
    std::fs::remove_dir_all(directory)?;
    Ok(lives)
}

type Lines = Vec<(usize, Told)>;

/// Reads what the child is told, and kills it so many milliseconds after its first call; the second
/// value says whether it came to its end.
fn watch(child: &mut Child, plug: Option<u64>) -> Result<(Lines, bool), Failure> {
    let output = child.stdout.take().ok_or("the child has no output")?;
    let (ready, begun) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut lines = Lines::new();
        for line in BufReader::new(output).lines() {
            // The last line may be cut off by the kill: the caller was not told then.
            match line {
                Ok(line) if line == "ready" => drop(ready.send(())),
                Ok(line) => lines.extend(read(&line)),
                Err(_) => break,
            }
        }
        lines
    });
    if let Some(plug) = plug {
        // Or it has ended before.
        if begun.recv().is_ok() {
            std::thread::sleep(Duration::from_millis(plug));
        }
        child.kill()?;
    }
    let status = child.wait()?;
    let lines = reader.join().map_err(|_| "the reader failed")?;
    if plug.is_none() && !status.success() {
        return Err(format!("the child failed: {status}").into());
    }
    Ok((lines, status.success()))
}

/// `NUMBER ATTEMPTS ok ID;` or `NUMBER ATTEMPTS unknown TEXT;`
fn read(line: &str) -> Option<(usize, Told)> {
    let mut parts = line.strip_suffix(';')?.splitn(4, ' ');
    let number = parts.next()?.parse().ok()?;
    let attempts = parts.next()?.parse().ok()?;
    let word = parts.next()?;
    let rest = parts.next()?.to_owned();
    let result = match word {
        "ok" => Ok(rest.clone()),
        "rejected" => Err(Outcome::Rejected),
        "unsent" => Err(Outcome::NotSent),
        _ => Err(Outcome::Unknown),
    };
    let told = Told {
        error: result.is_err().then_some(rest),
        result,
        attempts,
        took: Duration::ZERO,
        unnamed: word == "unnamed",
    };
    Some((number, told))
}

fn write(number: usize, told: &Told) -> String {
    let (word, rest) = match &told.result {
        Ok(id) => ("ok", id.as_str()),
        Err(outcome) => {
            let word = match outcome {
                Outcome::Rejected => "rejected",
                Outcome::NotSent => "unsent",
                Outcome::Unknown if told.unnamed => "unnamed",
                Outcome::Unknown => "unknown",
            };
            (word, text_of(told))
        }
    };
    let attempts = told.attempts;
    format!("{number} {attempts} {word} {};\n", rest.replace('\n', " "))
}

/// The program that is killed: makes everything below `--calls` under the ledger.
pub(crate) async fn child(options: &Options, ledger: &str) -> Result<(), Failure> {
    let endpoints: Vec<String> = options.endpoints.split(',').map(str::to_owned).collect();
    let clients = Clients::new(&endpoints, ATTEMPT).map_err(|error| error.to_string())?;
    let ledger = Ledger::open(ledger).await?.settle(SETTLE);
    let permits = Arc::new(Semaphore::new(CONCURRENCY));
    println!("ready");
    let mut running = tokio::task::JoinSet::new();
    let begun = SystemClock::new();
    for number in 0..options.calls {
        let thing = Thing(number);
        let done = ledger
            .get(&thing.key())
            .await?
            .is_some_and(|entry| matches!(entry.state, State::Done { .. }));
        let drawn = number as u64 + begun.elapsed().as_micros() as u64;
        if done && !drawn.is_multiple_of(options.recall) {
            continue;
        }
        let (clients, ledger) = (clients.clone(), ledger.clone());
        let permit = Arc::clone(&permits).acquire_owned().await?;
        running.spawn(async move {
            let told = clients.make(thing, Some(&ledger)).await;
            drop(permit);
            let line = write(thing.0, &told);
            std::io::stdout().lock().write_all(line.as_bytes())
        });
    }
    while let Some(ended) = running.join_next().await {
        ended??;
    }
    Ok(())
}
