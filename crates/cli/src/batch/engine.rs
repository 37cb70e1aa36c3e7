//! Runs many pieces of work at once and hands out their results in the order of the input.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;

use crate::progress::TICK;

use super::input::Line;
use super::line;
use crate::result::failure;

/// How many lines may be taken in per call under way: some, so that a slow call does not idle the
/// others at once.
const AHEAD: usize = 4;

/// What came of one line.
pub(super) struct Done {
    pub(super) ok: bool,
    pub(super) text: String,
}

/// What came of all lines.
#[derive(Debug, Default)]
pub(super) struct Summary {
    pub(super) done: u64,
    pub(super) failed: u64,
    pub(super) broken_input: Option<io::Error>,
}

/// What the engine has to say.
pub(super) enum Output<'a> {
    /// The next result.
    Line(&'a str),
    /// How far it is, for a person.
    Progress(String),
}

/// Runs `start` on each line, at most `concurrency` at once. Ends early when `sink` fails.
pub(super) async fn run<F>(
    mut lines: mpsc::Receiver<Line>,
    concurrency: usize,
    start: impl Fn(u64, Vec<u8>) -> F,
    mut sink: impl FnMut(Output<'_>) -> io::Result<()>,
) -> io::Result<Summary>
where
    F: Future<Output = Done> + Send + 'static,
{
    let window = concurrency * AHEAD;
    let permits = Arc::new(Semaphore::new(concurrency));
    let mut waiting: VecDeque<JoinHandle<Done>> = VecDeque::new();
    let mut summary = Summary::default();
    let mut number = 0;
    let mut open = true;
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ticks.reset();
    while open || !waiting.is_empty() {
        tokio::select! {
            // Results first: they free memory.
            biased;
            done = next(&mut waiting) => {
                // A call that panics is a fault of this program, and still no reason to lose the rest.
                let done = done.unwrap_or_else(|_| Done {
                    ok: false,
                    text: failure(&line::lost()).to_string(),
                });
                summary.done += 1;
                summary.failed += u64::from(!done.ok);
                sink(Output::Line(&done.text))?;
            }
            line = lines.recv(), if open && waiting.len() < window => match line {
                Some(Line::Text(text)) => {
                    number += 1;
                    let (work, permits) = (start(number, text), Arc::clone(&permits));
                    waiting.push_back(tokio::spawn(async move {
                        let _permit = permits.acquire_owned().await;
                        work.await
                    }));
                }
                Some(Line::Blank) => number += 1,
                Some(Line::TooLong) => {
                    number += 1;
                    let text = failure(&line::too_long(number)).to_string();
                    waiting.push_back(tokio::spawn(async { Done { ok: false, text } }));
                }
                Some(Line::Broken(error)) => summary.broken_input = Some(error),
                None => open = false,
            },
            _ = ticks.tick() => {
                let Summary { done, failed, .. } = summary;
                sink(Output::Progress(format!("{done} done, {failed} failed, {} under way", waiting.len())))?;
            }
        }
    }
    Ok(summary)
}

/// The oldest work's result; never when there is none.
async fn next(waiting: &mut VecDeque<JoinHandle<Done>>) -> Result<Done, tokio::task::JoinError> {
    match waiting.front_mut() {
        Some(first) => {
            let done = first.await;
            waiting.pop_front();
            done
        }
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::oneshot;

    use super::*;

    fn text(number: usize) -> Line {
        Line::Text(number.to_string().into_bytes())
    }

    fn echo(line: &[u8]) -> Done {
        Done {
            ok: true,
            text: String::from_utf8_lossy(line).into_owned(),
        }
    }

    /// Lets everything else run until nothing can go on.
    async fn settle() {
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_slow_first_call_stops_the_input_at_the_window() {
        let (sender, lines) = mpsc::channel(1);
        let (release, held) = oneshot::channel::<()>();
        let held = Arc::new(Mutex::new(Some(held)));
        let started = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&started);
        let work = move |_, line: Vec<u8>| {
            counter.fetch_add(1, Ordering::SeqCst);
            let first = (line == b"0").then(|| held.lock().unwrap().take().unwrap());
            async move {
                if let Some(first) = first {
                    first.await.unwrap();
                }
                echo(&line)
            }
        };
        let written = Arc::new(Mutex::new(Vec::new()));
        let output = Arc::clone(&written);
        let sink = move |event: Output<'_>| {
            if let Output::Line(text) = event {
                output.lock().unwrap().push(text.to_owned());
            }
            Ok(())
        };
        tokio::spawn(async move {
            for number in 0..1000 {
                sender.send(text(number)).await.unwrap();
            }
        });
        let engine = tokio::spawn(run(lines, 3, work, sink));
        settle().await;
        assert_eq!(started.load(Ordering::SeqCst), 3 * AHEAD);
        assert!(written.lock().unwrap().is_empty());
        release.send(()).unwrap();
        let summary = engine.await.unwrap().unwrap();
        assert_eq!((summary.done, summary.failed), (1000, 0));
        let expected: Vec<String> = (0..1000).map(|number| number.to_string()).collect();
        assert_eq!(*written.lock().unwrap(), expected);
    }

    #[tokio::test]
    async fn no_more_calls_than_asked_for_are_under_way() {
        let (sender, lines) = mpsc::channel(1);
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (under_way, peak) = (Arc::clone(&now), Arc::clone(&most));
        let work = move |_, line: Vec<u8>| {
            let (under_way, peak) = (Arc::clone(&under_way), Arc::clone(&peak));
            async move {
                peak.fetch_max(
                    under_way.fetch_add(1, Ordering::SeqCst) + 1,
                    Ordering::SeqCst,
                );
                for _ in 0..10 {
                    tokio::task::yield_now().await;
                }
                under_way.fetch_sub(1, Ordering::SeqCst);
                echo(&line)
            }
        };
        tokio::spawn(async move {
            for number in 0..100 {
                sender.send(text(number)).await.unwrap();
            }
        });
        let summary = run(lines, 3, work, |_| Ok(())).await.unwrap();
        assert_eq!(summary.done, 100);
        assert_eq!(most.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn a_result_is_written_before_the_next_line_comes() {
        let (sender, lines) = mpsc::channel(1);
        let (written, mut results) = mpsc::unbounded_channel();
        let sink = move |event: Output<'_>| {
            if let Output::Line(text) = event {
                written.send(text.to_owned()).unwrap();
            }
            Ok(())
        };
        let engine = tokio::spawn(run(lines, 8, |_, line| async move { echo(&line) }, sink));
        for number in 0..3 {
            sender.send(text(number)).await.unwrap();
            assert_eq!(results.recv().await.unwrap(), number.to_string());
        }
        drop(sender);
        assert_eq!(engine.await.unwrap().unwrap().done, 3);
    }

    #[tokio::test]
    async fn a_panic_costs_one_line() {
        let (sender, lines) = mpsc::channel(4);
        for number in 0..3 {
            sender.send(text(number)).await.unwrap();
        }
        drop(sender);
        let work = |number, line: Vec<u8>| async move {
            assert_ne!(number, 2, "on purpose");
            echo(&line)
        };
        let summary = run(lines, 2, work, |_| Ok(())).await.unwrap();
        assert_eq!((summary.done, summary.failed), (3, 1));
    }

    #[tokio::test]
    async fn a_closed_output_ends_it() {
        let (sender, lines) = mpsc::channel(4);
        sender.send(text(0)).await.unwrap();
        // The input stays open.
        let sink = |event: Output<'_>| match event {
            Output::Line(_) => Err(io::ErrorKind::BrokenPipe.into()),
            Output::Progress(_) => Ok(()),
        };
        let ended = run(lines, 2, |_, line| async move { echo(&line) }, sink).await;
        assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
