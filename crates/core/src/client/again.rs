//! Runs a call whose thing can be found again: where its outcome is not known, it is looked for before
//! the call is sent once more.
//!
//! What is not seen at once may still be on its way. Only what is not there after as long as an attempt
//! may take will never be, and is made by a second copy.

use std::time::Duration;

use crate::clock::within;
use crate::error::{Attempt, Error, Outcome};
use crate::record::Record;

use super::drive;
use super::plan::{Again, Finished, Once, Plan, Probe};
use super::response::Meta;

/// Sends, looks and sends again, as often as the retry policy has attempts.
pub(super) async fn run(plan: Plan, once: Once) -> Result<Finished, Error> {
    let (Ok(encoded), Some(mut look), Some(Again { exact })) =
        (&plan.encoded, once.look, once.again)
    else {
        return drive::run(plan).await;
    };
    let inner = &plan.client.inner;
    let clock = &*inner.context.clock;
    let (began, since) = (clock.elapsed(), plan.client.now());
    // Without a limit of the caller's a job takes as long as the service gives it.
    let limit = plan
        .timeout
        .or_else(|| (!plan.operation.job).then_some(inner.timeouts.total));
    let left = || {
        let gone = clock.elapsed().saturating_sub(began);
        limit.map_or(Duration::MAX, |limit| limit.saturating_sub(gone))
    };
    let mut attempts: Vec<Attempt> = Vec::new();
    let mut round = 1;
    loop {
        let mut copy = plan.again(encoded);
        if round > 1 {
            copy.timeout = limit.map(|_| left());
        }
        let mut error = match drive::run(copy).await {
            Ok(mut finished) => {
                attempts.append(&mut finished.meta.attempts);
                finished.meta.attempts = attempts;
                return Ok(finished);
            }
            Err(error) => error,
        };
        attempts.append(&mut error.inner().attempts);
        error.inner().attempts.clone_from(&attempts);
        // What refuses a repeat may be the very thing that an earlier copy made.
        let refused = error.outcome() == Outcome::Rejected && (round > 1 || exact);
        if error.outcome() != Outcome::Unknown && !refused {
            return Err(error);
        }
        for wait in [Duration::ZERO, inner.timeouts.attempt] {
            if wait > Duration::ZERO {
                if wait >= left() {
                    let hint = format!(
                        "It is not there yet and may be on its way: look again in {} s",
                        wait.as_secs()
                    );
                    return Err(error.with_hint(hint));
                }
                clock.sleep(wait).await;
            }
            let time = left().min(inner.timeouts.total);
            match within(clock, time, look(Probe::of(&plan, since))).await {
                Some(Ok(Some(output))) => {
                    let mut finished = found(output);
                    finished.meta.client_token = error.inner().client_token.take();
                    finished.meta.attempts = attempts;
                    return Ok(finished);
                }
                Some(Ok(None)) if refused => return Err(error),
                Some(Ok(None)) => {}
                Some(Err(why)) => return Err(undecided(error, why)),
                None => return Err(error.with_hint("No time was left to look for the thing")),
            }
        }
        if round >= plan.retry.as_deref().unwrap_or(&inner.retry).attempts() {
            return Err(error);
        }
        round += 1;
    }
}

/// What a look found.
pub(super) fn found(output: Box<dyn Record>) -> Finished {
    Finished {
        output,
        meta: Box::new(Meta {
            status: 200,
            found: true,
            ..Meta::default()
        }),
        running: false,
    }
}

/// The look did not tell either; a refusal then says nothing about the thing.
pub(super) fn undecided(mut error: Error, why: Error) -> Error {
    error.inner().outcome = Outcome::Unknown;
    let hint = format!("It was looked for: {}", why.message());
    error.with_hint(hint).with_source(why)
}
