//! How is a client measured without code of its own for each figure?
//!
//! A contender is a type with one small call and one list; [`main`] makes so many of them at once, and
//! reports what that took. Everything else, such as counting instructions, looks at the process from
//! outside (`bench/measure.py`).

pub mod answers;
pub mod bodies;
pub mod usage;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// Whatever ends a measurement: it has no figure then.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A client that is measured.
pub trait Contender: Send + Sync + Sized + 'static {
    /// A client for the server at this address, `HOST:PORT`.
    fn connect(address: &str) -> impl Future<Output = Result<Self, Failure>>;

    /// One small call, whose answer is read.
    fn call(&self) -> impl Future<Output = Result<(), Failure>> + Send;

    /// One list of 1,000 items, decoded; how many it found.
    fn list(&self) -> impl Future<Output = Result<usize, Failure>> + Send {
        async { Err("it has no list".into()) }
    }
}

/// So many calls begin at once.
const GROUP: usize = 300;

#[derive(Clone, Copy)]
enum What {
    Call,
    List,
}

/// Runs `PROGRAM ADDRESS call|list TIMES AT_ONCE [BEFORE]`: so many calls, of which at most `AT_ONCE`
/// are under way, after `BEFORE` of them that are not measured. Prints one line of JSON: microseconds of
/// wall clock and of CPU (user and system, all threads), and kilobytes of memory before, and at most.
pub fn main<C: Contender>() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (address, what, times, at_once, before) = match &arguments[..] {
        [address, what, times, at_once] => (address, what, times, at_once, "0"),
        [address, what, times, at_once, before] => (address, what, times, at_once, &**before),
        _ => return Err("usage: PROGRAM ADDRESS call|list TIMES AT_ONCE [BEFORE]".into()),
    };
    let what = match what.as_str() {
        "call" => What::Call,
        "list" => What::List,
        other => return Err(format!("neither `call` nor `list`: {other}").into()),
    };
    let (times, at_once, before) = (times.parse()?, at_once.parse()?, before.parse()?);
    // One thread, so that all are measured alike; the server has the other core.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let contender = Arc::new(C::connect(address).await?);
        run(&contender, what, before, at_once).await?;
        let rss = usage::memory("VmRSS:");
        let (wall, cpu) = (usage::wall(), usage::process());
        run(&contender, what, times, at_once).await?;
        let (wall, cpu) = (usage::wall() - wall, usage::process() - cpu);
        println!(
            r#"{{"wall_us": {wall:.0}, "cpu_us": {cpu:.0}, "before_kb": {rss}, "peak_kb": {}}}"#,
            usage::memory("VmHWM:")
        );
        Ok(())
    })
}

async fn run<C: Contender>(
    contender: &Arc<C>,
    what: What,
    times: usize,
    at_once: usize,
) -> Result<(), Failure> {
    let mut tasks = Vec::new();
    for task in 0..at_once.min(times) {
        let contender = contender.clone();
        let share = times / at_once + usize::from(task < times % at_once);
        tasks.push(tokio::spawn(async move {
            for _ in 0..share {
                match what {
                    What::Call => contender.call().await?,
                    What::List => {
                        let found = contender.list().await?;
                        if found != 1000 {
                            return Err(format!("a list of {found} items").into());
                        }
                    }
                }
            }
            Ok::<_, Failure>(())
        }));
        // Thousands of connections at a time would overflow the server's queue of those to accept.
        if task % GROUP == GROUP - 1 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    for task in tasks {
        task.await??;
    }
    Ok(())
}
