//! While a job runs or a call is repeated, a person at a terminal sees that something goes on.

use std::future::Future;
use std::time::Duration;

use cumulo_core::clock::{Clock, SystemClock};
use tokio::sync::mpsc;

use crate::in_flight::InFlight;
use crate::signals::Signal;
use crate::term::Status;

/// Calls that are quicker than this show nothing.
pub(crate) const PATIENCE: Duration = Duration::from_millis(500);
/// How often the line is rewritten.
pub(crate) const TICK: Duration = Duration::from_millis(200);
/// How long ending a session may hold up the end of the program.
const FAREWELL: Duration = Duration::from_secs(3);

/// Awaits `work`, which shows on the status line as `name` with the attempts that `open` counts.
pub(crate) async fn watch<T>(name: &str, open: &InFlight, work: impl Future<Output = T>) -> T {
    let mut status = Status::new();
    if !status.visible() {
        return work.await;
    }
    let clock = SystemClock::new();
    let mut ticks = tokio::time::interval(TICK);
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            _ = ticks.tick() => {
                if clock.elapsed() >= PATIENCE {
                    let (attempts, polls) = (open.attempts(), open.polls());
                    status.draw(&describe(name, clock.elapsed(), attempts, polls));
                }
            }
        }
    }
}

/// Awaits the end of sessions, but not for long, and not against the user's will.
pub(crate) async fn farewell(
    closing: impl Future<Output = ()>,
    signals: &mut mpsc::Receiver<Signal>,
) {
    tokio::select! {
        _ = tokio::time::timeout(FAREWELL, closing) => {}
        Some(_) = signals.recv() => {}
    }
}

fn describe(name: &str, elapsed: Duration, attempts: u32, polls: u32) -> String {
    let mut line = format!("{name}: {} s", elapsed.as_secs());
    if attempts > 1 {
        line += &format!(", attempt {attempts}");
    }
    if polls > 0 {
        line += &format!(", the service works on it (asked {polls} times)");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_and_polls_are_told_apart() {
        let line = describe("StartVmInstance", Duration::from_millis(61_500), 2, 1);
        assert_eq!(
            line,
            "StartVmInstance: 61 s, attempt 2, the service works on it (asked 1 times)"
        );
    }
}
