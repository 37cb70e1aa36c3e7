//! While a job runs or a call is repeated, a person at a terminal sees that something goes on.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cumulo_core::clock::{Clock, SystemClock};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::term::Status;

/// Calls that are quicker than this show nothing.
pub(crate) const PATIENCE: Duration = Duration::from_millis(500);
/// How often the line is rewritten.
pub(crate) const TICK: Duration = Duration::from_millis(200);
/// How long ending a session may hold up the end of the program.
const FAREWELL: Duration = Duration::from_secs(3);

static ATTEMPTS: AtomicU64 = AtomicU64::new(0);
static POLLS: AtomicU64 = AtomicU64::new(0);

/// Awaits `work`, which shows on the status line as `name`.
pub(crate) async fn watch<T>(name: &str, work: impl Future<Output = T>) -> T {
    let mut status = Status::new();
    if !status.visible() {
        return work.await;
    }
    // Fails when there is a subscriber already; the line then shows the time only.
    let _ = tracing::subscriber::set_global_default(Attempts);
    let clock = SystemClock::new();
    let mut ticks = tokio::time::interval(TICK);
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            _ = ticks.tick() => {
                if clock.elapsed() >= PATIENCE {
                    status.draw(&describe(name, clock.elapsed()));
                }
            }
        }
    }
}

/// Awaits the end of sessions, but not for long.
pub(crate) async fn farewell(closing: impl Future<Output = ()>) {
    let _ = tokio::time::timeout(FAREWELL, closing).await;
}

fn describe(name: &str, elapsed: Duration) -> String {
    let (attempts, polls) = (
        ATTEMPTS.load(Ordering::Relaxed),
        POLLS.load(Ordering::Relaxed),
    );
    let mut line = format!("{name}: {} s", elapsed.as_secs());
    if attempts > 1 {
        line += &format!(", attempt {attempts}");
    }
    if polls > 0 {
        line += &format!(", the service works on it (asked {polls} times)");
    }
    line
}

/// Counts the attempts that core's spans tell of.
struct Attempts;

struct IsPoll(bool);

impl Visit for IsPoll {
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0 |= field.name() == "poll" && value;
    }
    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

impl Subscriber for Attempts {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.name() == "cumulo.attempt"
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut poll = IsPoll(false);
        span.record(&mut poll);
        let counter = if poll.0 { &POLLS } else { &ATTEMPTS };
        counter.fetch_add(1, Ordering::Relaxed);
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_and_polls_are_counted_apart() {
        tracing::subscriber::with_default(Attempts, || {
            for (number, poll) in [(1, false), (2, false), (2, true)] {
                let _span = tracing::debug_span!("cumulo.attempt", number, poll);
            }
            let _other = tracing::debug_span!("other", poll = true);
        });
        let line = describe("StartVmInstance", Duration::from_millis(61_500));
        assert_eq!(
            line,
            "StartVmInstance: 61 s, attempt 2, the service works on it (asked 1 times)"
        );
    }
}
