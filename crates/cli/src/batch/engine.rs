//! Runs many pieces of work at once and hands out their results in the order of the input, whatever
//! ends it.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cumulo_core::{Error, Outcome};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::open::Open;
use crate::progress::TICK;
use crate::result::failure;
use crate::signals::Signal;
use crate::term;

use super::input::Line;
use super::line;

/// How many lines may be taken in per call under way: some, so that a slow call does not idle the
/// others at once.
const AHEAD: usize = 4;
/// So many bytes of lines and results may wait for the head of the line.
pub(super) const HELD: usize = 32 << 20;
/// How long a call that was ended may take to notice it; only one that computes takes any time.
const FORCE: Duration = Duration::from_secs(2);

/// What came of one line.
pub(super) struct Done {
    /// `None` means that it worked.
    pub(super) failed: Option<Outcome>,
    pub(super) text: String,
    /// Why no further call may be started.
    pub(super) fatal: Option<String>,
}

/// How much may be done at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) concurrency: usize,
    pub(super) held: usize,
    /// What calls under way get when it is to end.
    pub(super) grace: Duration,
}

/// What came of all lines.
#[derive(Debug, Default)]
pub(super) struct Summary {
    /// The number of the last line that was taken in.
    pub(super) last: u64,
    pub(super) ok: u64,
    pub(super) rejected: u64,
    pub(super) unknown: u64,
    pub(super) not_sent: u64,
    pub(super) stop: Option<Stop>,
    pub(super) broken_input: Option<io::Error>,
}

/// Why it ended before the input did.
#[derive(Debug)]
pub(super) enum Stop {
    Signal(Signal),
    /// Results can no longer be written.
    Output(io::Error),
    /// Something that must be kept cannot be.
    Fatal(String),
}

/// What the engine has to say.
pub(super) enum Output<'a> {
    /// The next result.
    Line(&'a str),
    /// A result of a call that was sent, when the output is broken.
    Lost(&'a str),
    /// It is to end, and so many calls are under way.
    Stopping(&'a Stop, usize),
    /// How far it is, for a person.
    Progress(String),
}

/// A line whose result has not been handed out.
struct Waiting<F> {
    work: Work<F>,
    open: Arc<Open>,
    /// The bytes of the line.
    weight: usize,
}

enum Work<F> {
    /// Not begun.
    Queued(F),
    Running(JoinHandle<Ended>),
    /// There was nothing to do, or it is about to begin.
    Nothing(Option<Done>),
}

/// A piece of work that came to its end.
struct Ended {
    done: Done,
    /// Kept while too much waits for the head of the line, so that no further call is started.
    _permit: Option<OwnedSemaphorePermit>,
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    Running,
    /// Calls under way may still end by themselves.
    Grace,
    /// They have been ended.
    Aborted,
    /// They are not even waited for.
    Forced,
}

struct Engine<S, F> {
    limits: Limits,
    sink: S,
    permits: Arc<Semaphore>,
    held: Arc<AtomicUsize>,
    waiting: VecDeque<Waiting<F>>,
    /// So many of them, from the head of the line, have begun: none overtakes another, so that the head
    /// never waits for one behind it.
    begun: usize,
    summary: Summary,
    phase: Phase,
    closed: bool,
}

/// Runs `start` on each line, and ends in good order on a signal or when `sink` fails.
pub(super) async fn run<F>(
    mut lines: mpsc::Receiver<Line>,
    signals: &mut mpsc::Receiver<Signal>,
    limits: Limits,
    start: impl Fn(u64, Vec<u8>, Arc<Open>) -> F,
    sink: impl FnMut(Output<'_>) -> io::Result<()>,
) -> Summary
where
    F: Future<Output = Done> + Send + 'static,
{
    let mut engine = Engine {
        limits,
        sink,
        permits: Arc::new(Semaphore::new(limits.concurrency)),
        held: Arc::default(),
        waiting: VecDeque::new(),
        begun: 0,
        summary: Summary::default(),
        phase: Phase::Running,
        closed: false,
    };
    let mut open = true;
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ticks.reset();
    let mut alarm = pin!(sleep(Duration::ZERO));
    while open || !engine.waiting.is_empty() {
        let before = engine.phase;
        tokio::select! {
            biased;
            Some(signal) = signals.recv() => match engine.phase {
                Phase::Running => engine.stop(Stop::Signal(signal)),
                _ => engine.abort(),
            },
            () = &mut alarm, if matches!(engine.phase, Phase::Grace | Phase::Aborted) => engine.abort(),
            // Results before lines: they free memory.
            done = next(&mut engine.waiting, engine.phase) => engine.hand_out(done),
            Ok(permit) = Arc::clone(&engine.permits).acquire_owned(), if engine.may_begin() => {
                engine.begin(permit);
            }
            line = lines.recv(), if open && engine.has_room() => match line {
                Some(line) => engine.take(line, &start),
                None => open = false,
            },
            _ = ticks.tick() => engine.progress(),
        }
        if engine.phase != before {
            // What has been read is still answered; nothing more is read.
            lines.close();
            alarm.as_mut().reset(
                Instant::now()
                    + match engine.phase {
                        Phase::Grace => limits.grace,
                        _ => FORCE,
                    },
            );
        }
    }
    engine.summary
}

impl<S, F> Engine<S, F>
where
    S: FnMut(Output<'_>) -> io::Result<()>,
    F: Future<Output = Done> + Send + 'static,
{
    fn has_room(&self) -> bool {
        let held = self.held.load(Ordering::SeqCst);
        self.waiting.is_empty()
            || (self.waiting.len() < self.limits.concurrency * AHEAD && held < self.limits.held)
    }

    fn take(&mut self, line: Line, start: &impl Fn(u64, Vec<u8>, Arc<Open>) -> F) {
        self.summary.last += 1;
        let number = self.summary.last;
        let open = Arc::new(Open::default());
        let (work, weight) = match line {
            Line::Text(text) => {
                let weight = text.len();
                (Work::Queued(start(number, text, Arc::clone(&open))), weight)
            }
            Line::TooLong => {
                let done = Done::failed(&line::too_long(number));
                (Work::Nothing(Some(done)), 0)
            }
            Line::Blank => return,
            Line::Broken(error) => {
                self.summary.last -= 1;
                self.summary.broken_input = Some(error);
                return;
            }
        };
        self.held.fetch_add(weight, Ordering::SeqCst);
        self.waiting.push_back(Waiting { work, open, weight });
    }

    fn may_begin(&self) -> bool {
        self.phase == Phase::Running && self.begun < self.waiting.len()
    }

    /// Begins the oldest work that has not.
    fn begin(&mut self, permit: OwnedSemaphorePermit) {
        let (held, most) = (Arc::clone(&self.held), self.limits.held);
        let Some(one) = self.waiting.get_mut(self.begun) else {
            return;
        };
        self.begun += 1;
        one.work = match std::mem::replace(&mut one.work, Work::Nothing(None)) {
            Work::Queued(work) => Work::Running(tokio::spawn(async move {
                let done = work.await;
                let size = done.text.len();
                let now = held.fetch_add(size, Ordering::SeqCst) + size;
                Ended {
                    done,
                    _permit: (now >= most).then_some(permit),
                }
            })),
            other => other,
        };
    }

    /// No new call is sent from now on; those under way get their grace.
    fn stop(&mut self, stop: Stop) {
        let under_way = self
            .waiting
            .iter()
            .filter(|one| matches!(&one.work, Work::Running(task) if !task.is_finished()));
        let _ = (self.sink)(Output::Stopping(&stop, under_way.count()));
        self.summary.stop = Some(stop);
        self.phase = Phase::Grace;
    }

    /// One step further towards the end.
    fn abort(&mut self) {
        self.phase = match self.phase {
            Phase::Running | Phase::Grace => Phase::Aborted,
            Phase::Aborted | Phase::Forced => Phase::Forced,
        };
        for one in &self.waiting {
            if let Work::Running(task) = &one.work {
                task.abort();
            }
        }
    }

    /// Hands out the result of the oldest line.
    fn hand_out(&mut self, head: Head) {
        let Some(one) = self.waiting.pop_front() else {
            return;
        };
        self.begun = self.begun.saturating_sub(1);
        let (ended, why) = match head {
            Head::Ended(ended) => {
                self.held.fetch_sub(ended.done.text.len(), Ordering::SeqCst);
                (Some(ended.done), "")
            }
            // A panic is a fault of this program, and still no reason to lose the rest.
            Head::Panicked => (
                None,
                "the call ended without a result; this is a fault of this program",
            ),
            Head::Aborted => (None, "the batch was ended before its answer came"),
            Head::Idle => match one.work {
                Work::Nothing(done) => (done, ""),
                _ => (None, "the batch was ended before it was sent"),
            },
        };
        let done = ended.unwrap_or_else(|| Done::open(&one.open, why));
        self.held.fetch_sub(one.weight, Ordering::SeqCst);
        *match done.failed {
            None => &mut self.summary.ok,
            Some(Outcome::Rejected) => &mut self.summary.rejected,
            Some(Outcome::Unknown) => &mut self.summary.unknown,
            Some(Outcome::NotSent) => &mut self.summary.not_sent,
        } += 1;
        if !self.closed
            && let Err(error) = (self.sink)(Output::Line(&done.text))
        {
            self.closed = true;
            if self.phase == Phase::Running {
                self.stop(Stop::Output(error));
            }
        }
        if self.closed && done.failed != Some(Outcome::NotSent) {
            let _ = (self.sink)(Output::Lost(&done.text));
        }
        if let Some(fatal) = done.fatal
            && self.phase == Phase::Running
        {
            self.stop(Stop::Fatal(fatal));
        }
    }

    fn progress(&mut self) {
        let failed = self.summary.failed();
        let text = format!(
            "{} done, {failed} failed, {} under way",
            self.summary.ok + failed,
            self.waiting.len()
        );
        let _ = (self.sink)(Output::Progress(text));
    }
}

impl Summary {
    pub(super) fn failed(&self) -> u64 {
        self.rejected + self.unknown + self.not_sent
    }
}

impl Done {
    pub(super) fn failed(error: &Error) -> Self {
        Self {
            failed: Some(error.outcome()),
            text: term::json(&failure(error)),
            fatal: None,
        }
    }

    /// For a call that has no result.
    fn open(open: &Open, why: &str) -> Self {
        Self {
            failed: Some(open.outcome()),
            text: term::json(&open.ended(why)),
            fatal: None,
        }
    }
}

/// What has become of the oldest line.
enum Head {
    Ended(Ended),
    Panicked,
    Aborted,
    /// There is nothing to wait for.
    Idle,
}

/// Waits for the oldest line; for ever when there is none, or when it is still to begin.
async fn next<F>(waiting: &mut VecDeque<Waiting<F>>, phase: Phase) -> Head {
    let Some(first) = waiting.front_mut() else {
        return std::future::pending().await;
    };
    match &mut first.work {
        Work::Queued(_) if phase == Phase::Running => std::future::pending().await,
        Work::Queued(_) | Work::Nothing(_) => Head::Idle,
        Work::Running(task) if phase == Phase::Forced && !task.is_finished() => Head::Aborted,
        Work::Running(task) => match task.await {
            Ok(ended) => Head::Ended(ended),
            Err(error) if error.is_panic() => Head::Panicked,
            Err(_) => Head::Aborted,
        },
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
            failed: None,
            text: String::from_utf8_lossy(line).into_owned(),
            fatal: None,
        }
    }

    fn limits(concurrency: usize) -> Limits {
        Limits {
            concurrency,
            held: HELD,
            grace: Duration::from_secs(3600),
        }
    }

    /// Runs to the end of the input, without signals.
    async fn run<F>(
        lines: mpsc::Receiver<Line>,
        limits: Limits,
        start: impl Fn(u64, Vec<u8>) -> F,
        sink: impl FnMut(Output<'_>) -> io::Result<()>,
    ) -> Summary
    where
        F: Future<Output = Done> + Send + 'static,
    {
        let (_silent, mut signals) = mpsc::channel(1);
        let start = |number, line, _| start(number, line);
        super::run(lines, &mut signals, limits, start, sink).await
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
        let engine = tokio::spawn(run(lines, limits(3), work, sink));
        settle().await;
        // Each line's work is made at once, and begun when it is its turn.
        assert_eq!(started.load(Ordering::SeqCst), 3 * AHEAD);
        assert!(written.lock().unwrap().is_empty());
        release.send(()).unwrap();
        let summary = engine.await.unwrap();
        assert_eq!((summary.ok, summary.failed()), (1000, 0));
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
        let summary = run(lines, limits(3), work, |_| Ok(())).await;
        assert_eq!(summary.ok, 100);
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
        let engine = tokio::spawn(run(
            lines,
            limits(8),
            |_, line| async move { echo(&line) },
            sink,
        ));
        for number in 0..3 {
            sender.send(text(number)).await.unwrap();
            assert_eq!(results.recv().await.unwrap(), number.to_string());
        }
        drop(sender);
        assert_eq!(engine.await.unwrap().ok, 3);
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
        let summary = run(lines, limits(2), work, |_| Ok(())).await;
        // It was not sent when it broke down.
        assert_eq!((summary.ok, summary.not_sent), (2, 1));
    }

    #[tokio::test]
    async fn a_closed_output_ends_it_and_loses_no_result() {
        let (sender, lines) = mpsc::channel(4);
        for number in 0..3 {
            sender.send(text(number)).await.unwrap();
        }
        // The input stays open.
        let mut lost = Vec::new();
        let sink = |event: Output<'_>| match event {
            Output::Line(_) => Err(io::ErrorKind::BrokenPipe.into()),
            Output::Lost(text) => {
                lost.push(text.to_owned());
                Ok(())
            }
            _ => Ok(()),
        };
        let summary = run(lines, limits(1), |_, line| async move { echo(&line) }, sink).await;
        let Some(Stop::Output(error)) = summary.stop else {
            panic!("{summary:?}");
        };
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(lost.len() as u64, summary.ok);
        assert_eq!(summary.ok + summary.not_sent, summary.last);
        assert_eq!(lost.first().map(String::as_str), Some("0"));
        drop(sender);
    }

    #[tokio::test]
    async fn what_is_lost_to_the_user_ends_it() {
        let (sender, lines) = mpsc::channel(4);
        sender.send(text(0)).await.unwrap();
        let work = |_, line: Vec<u8>| async move {
            Done {
                fatal: Some("disk full".into()),
                ..echo(&line)
            }
        };
        let summary = run(lines, limits(2), work, |_| Ok(())).await;
        assert!(
            matches!(&summary.stop, Some(Stop::Fatal(why)) if why == "disk full"),
            "{summary:?}"
        );
        drop(sender);
    }

    #[tokio::test]
    async fn large_results_stop_input_and_calls_until_they_are_handed_out() {
        let (sender, lines) = mpsc::channel(1);
        let (release, held) = oneshot::channel::<()>();
        let held = Arc::new(Mutex::new(Some(held)));
        let started = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&started);
        let work = move |_, line: Vec<u8>| {
            let (counter, held) = (Arc::clone(&counter), Arc::clone(&held));
            async move {
                counter.fetch_add(1, Ordering::SeqCst);
                if line == b"0" {
                    let first = held.lock().unwrap().take().unwrap();
                    first.await.unwrap();
                }
                Done {
                    text: "x".repeat(1000),
                    ..echo(&line)
                }
            }
        };
        tokio::spawn(async move {
            for number in 0..1000 {
                sender.send(text(number)).await.unwrap();
            }
        });
        let bounds = Limits {
            held: 2500,
            ..limits(8)
        };
        let engine = tokio::spawn(run(lines, bounds, work, |_| Ok(())));
        settle().await;
        // The head of the line, what fills the space, and the others that were under way by then.
        let begun = started.load(Ordering::SeqCst);
        assert!((4..=8 + 2).contains(&begun), "{begun}");
        release.send(()).unwrap();
        assert_eq!(engine.await.unwrap().ok, 1000);
    }
    #[tokio::test]
    async fn a_signal_answers_every_line_that_was_taken_in() {
        let (sender, lines) = mpsc::channel(1);
        let (signal, mut signals) = mpsc::channel(2);
        let (begun, mut seen) = mpsc::unbounded_channel();
        let work = move |_, _, _| {
            let begun = begun.clone();
            async move {
                begun.send(()).unwrap();
                std::future::pending::<Done>().await
            }
        };
        let written = Arc::new(Mutex::new(0));
        let output = Arc::clone(&written);
        let sink = move |event: Output<'_>| {
            if let Output::Line(text) = event {
                assert!(text.contains(r#""outcome":"NotSent""#), "{text}");
                *output.lock().unwrap() += 1;
            }
            Ok(())
        };
        let bounds = limits(3);
        let engine =
            tokio::spawn(async move { super::run(lines, &mut signals, bounds, work, sink).await });
        for number in 0..3 * AHEAD {
            sender.send(text(number)).await.unwrap();
        }
        for _ in 0..3 {
            seen.recv().await.unwrap();
        }
        settle().await;
        signal.send(Signal::Interrupt).await.unwrap();
        signal.send(Signal::Interrupt).await.unwrap();
        let summary = engine.await.unwrap();
        assert!(matches!(
            summary.stop,
            Some(Stop::Signal(Signal::Interrupt))
        ));
        assert_eq!(summary.last, 3 * AHEAD as u64);
        assert_eq!(
            (summary.not_sent, *written.lock().unwrap()),
            (summary.last, summary.last)
        );
        assert!(seen.try_recv().is_err(), "no other began");
        assert!(sender.is_closed());
    }
}
