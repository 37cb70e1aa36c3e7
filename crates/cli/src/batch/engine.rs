//! Runs many pieces of work at once and hands out their results in the order of the input, whatever
//! ends it.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cumulo_core::{Error, Json, Outcome};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::in_flight::InFlight;
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
    open: Arc<InFlight>,
    /// Its number in the input.
    number: u64,
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
    start: impl Fn(u64, Vec<u8>, Arc<InFlight>) -> F,
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

    fn take(&mut self, line: Line, start: &impl Fn(u64, Vec<u8>, Arc<InFlight>) -> F) {
        self.summary.last += 1;
        let number = self.summary.last;
        let open = Arc::new(InFlight::default());
        let (work, weight) = match line {
            Line::Text(text) => {
                let weight = text.len();
                (Work::Queued(start(number, text, Arc::clone(&open))), weight)
            }
            Line::TooLong => {
                let done = Done::failed(number, &line::too_long(number));
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
        self.waiting.push_back(Waiting {
            work,
            open,
            number,
            weight,
        });
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
        let under_way = self.under_way();
        let _ = (self.sink)(Output::Stopping(&stop, under_way));
        self.summary.stop = Some(stop);
        self.phase = Phase::Grace;
    }

    /// How many calls have been sent and have no result.
    fn under_way(&self) -> usize {
        self.waiting
            .iter()
            .filter(|one| matches!(&one.work, Work::Running(task) if !task.is_finished()))
            .count()
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
        let done = ended.unwrap_or_else(|| Done::open(one.number, &one.open, why));
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
            self.under_way()
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
    pub(super) fn failed(number: u64, error: &Error) -> Self {
        Self {
            failed: Some(error.outcome()),
            text: numbered(number, failure(error)),
            fatal: None,
        }
    }

    /// For a call that has no result.
    fn open(number: u64, open: &InFlight, why: &str) -> Self {
        Self {
            failed: Some(open.outcome()),
            text: numbered(number, open.ended(why)),
            fatal: None,
        }
    }
}

/// A result as a line, with the number of the line that asked for it.
pub(super) fn numbered(number: u64, mut result: Json) -> String {
    result["line"] = number.into();
    term::json(&result)
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
mod tests;
