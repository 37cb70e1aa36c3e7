//! Runs a call that is to make its thing once. Where a ledger knows it: decides from what is written there
//! whether to send, to resend, to look first, or to answer without sending.

use std::time::Duration;

use crate::error::{Error, Kind, Outcome, Scrubber};
use crate::idempotency::ClientToken;
use crate::ledger::{self, Ended, Entry, Ledger, State, Taken};
use crate::operation::{Operation, RetryClass};
use crate::record::{self, Json, Record, Secret, Wire};

use super::plan::{Begun, Finished, Plan, Probe, as_token, new_job_id};
use super::response::Meta;
use super::{again, drive};

/// What is to be done about a key.
enum Next {
    /// Send, with the token of an earlier call.
    Resend(Option<String>),
    /// Send as if for the first time.
    Send,
    /// Look for the thing first.
    Look(Entry),
    /// Nothing: it was done.
    Recall(Entry),
}

pub(super) async fn run(mut plan: Plan) -> Result<Finished, Error> {
    let mut once = plan.once.take().unwrap_or_default();
    let operation = plan.operation;
    let Ok(encoded) = &plan.encoded else {
        return drive::run(plan).await;
    };
    if once.under.is_none() && once.again.is_some() {
        mint(&mut plan)?;
        return again::run(plan, *once).await;
    }
    let service = plan.client.inner.service.name;
    let input = ledger::hash(service, encoded);
    let mut scrubber = Scrubber::default();
    for secret in &encoded.secrets {
        scrubber.add(secret.expose());
    }
    let mut taken = take(operation, once.under.take())?;
    let entry = Entry::new(
        format!("{service}.{}", operation.name),
        input,
        None,
        State::Begun,
        taken.ledger.now(),
    );
    let before = taken.ledger.read(&taken.key).await;
    let before = before.map_err(|error| ledger::unusable(operation.name, error))?;
    let mut begun = Begun {
        ledger: taken.ledger.clone(),
        key: taken.key.clone(),
        entry,
        operation,
        doubt: false,
    };
    match next(&begun, before)? {
        Next::Send => {}
        Next::Resend(token) => {
            resend(&mut plan, &mut begun, token)?;
        }
        Next::Recall(entry) => return recall(&begun, entry),
        Next::Look(entry) => {
            let Some(look) = &mut once.look else {
                return Err(cut_off(&begun, &entry));
            };
            let most = plan.timeout.unwrap_or(plan.client.inner.timeouts.total);
            settle(most, &begun, &entry, &taken).await?;
            match look(Probe::of(&plan, entry.at / 1000)).await {
                Err(why) => return Err(again::undecided(cut_off(&begun, &entry), why)),
                Ok(Some(output)) => {
                    begun.entry.token = entry.token;
                    let finished = again::found(output);
                    let Finished { output, meta, .. } = &finished;
                    close(&mut taken, begun.entry, &**output, meta, &scrubber).await;
                    return Ok(finished);
                }
                Ok(None) => {}
            }
        }
    }
    if begun.entry.token.is_none() {
        begun.entry.token = mint(&mut plan)?;
    }
    let entry = begun.entry.clone();
    let written = taken.ledger.put(&taken.key, entry.clone()).await;
    written.map_err(|error| ledger::unusable(operation.name, error))?;
    taken.ended = Ended::Open;
    let doubt = begun.doubt;
    plan.begun = Some(Box::new(begun));
    let mut result = match once.again {
        None => drive::run(plan).await,
        Some(_) => again::run(plan, *once).await,
    };
    if let Err(error) = &mut result
        && doubt
        && error.outcome() == Outcome::NotSent
    {
        // This copy went nowhere; the one of before may have arrived.
        let inner = error.inner();
        inner.outcome = Outcome::Unknown;
        inner.job = inner
            .job
            .take()
            .or(job_of(operation, inner.client_token.as_ref()));
    }
    match &result {
        // The ledger goes on saying that it was begun: with the job's id, by which it is taken up.
        Ok(Finished { running: true, .. }) => {}
        Ok(Finished { output, meta, .. }) => {
            close(&mut taken, entry, &**output, meta, &scrubber).await;
        }
        Err(error) => {
            let (state, ended) = match error.outcome() {
                Outcome::Unknown => (State::Unknown, Ended::Open),
                Outcome::NotSent | Outcome::Rejected => (State::Rejected, Ended::Settled),
            };
            let token = error.client_token().map(|token| token.as_str().to_owned());
            let token = token.or(entry.token);
            let entry = Entry {
                token,
                state,
                ..entry
            };
            write(&mut taken, entry, ended).await;
        }
    }
    result
}

fn take(operation: &'static Operation, under: Option<(Ledger, String)>) -> Result<Taken, Error> {
    let invalid = |message: String| Error::new(Kind::InvalidInput, operation.name, message);
    let Some((ledger, key)) = under else {
        let message = "`reconcile(..)` belongs to `once(..)`, which names ledger and key";
        return Err(invalid(message.into()));
    };
    if !(1..=LONGEST_KEY).contains(&key.len()) {
        let message = format!("a key of a ledger has 1 to {LONGEST_KEY} bytes");
        return Err(invalid(message));
    }
    ledger.take(&key).ok_or_else(|| {
        invalid(format!(
            "another call under the key `{}` is under way",
            key.escape_debug()
        ))
    })
}

const LONGEST_KEY: usize = 512;

/// Decides by what the ledger holds.
fn next(begun: &Begun, before: Option<Entry>) -> Result<Next, Error> {
    let Some(before) = before else {
        return Ok(Next::Send);
    };
    if before.state == State::Rejected {
        return Ok(Next::Send);
    }
    if (&before.operation, &before.input) != (&begun.entry.operation, &begun.entry.input) {
        let what = if before.operation == begun.entry.operation {
            "another input".to_owned()
        } else {
            before.operation
        };
        let message = format!(
            "the ledger has {what} under the key `{}`",
            begun.key.escape_debug()
        );
        let mut error = Error::new(Kind::IdempotencyMismatch, begun.operation.name, message)
            .with_hint("A key names one thing: use another one, or `forget` it in the ledger");
        error.inner().outcome = Outcome::NotSent;
        return Err(error);
    }
    if let State::Done { .. } = before.state {
        return Ok(Next::Recall(before));
    }
    Ok(match begun.operation.retry {
        RetryClass::ReadOnly | RetryClass::Idempotent => Next::Resend(before.token),
        RetryClass::Keyed if before.token.is_some() && begun.ledger.remembered(&before) => {
            Next::Resend(before.token)
        }
        RetryClass::Keyed | RetryClass::Unsafe => Next::Look(before),
    })
}

/// Puts the token of before into the call.
fn resend(plan: &mut Plan, begun: &mut Begun, token: Option<String>) -> Result<(), Error> {
    begun.doubt = true;
    let Some(token) = token else {
        return Ok(());
    };
    let plain = |token: &str| token.replace('-', "");
    if let Some(set) = &plan.token
        && plain(set.as_str()) != plain(&token)
    {
        let message = format!(
            "the ledger has the client token `{token}` under the key `{}`, and the call has `{set}`",
            begun.key.escape_debug()
        );
        let mut error = Error::new(Kind::IdempotencyMismatch, plan.operation.name, message);
        error.inner().outcome = Outcome::NotSent;
        return Err(error);
    }
    plan.token = ClientToken::new(token.as_str()).ok();
    begun.entry.token = Some(token);
    Ok(())
}

/// A token for the call, unless it has one or takes none.
fn mint(plan: &mut Plan) -> Result<Option<String>, Error> {
    let operation = plan.operation;
    if plan.token.is_none() {
        if operation.token.is_some() {
            let entropy = &*plan.client.inner.context.entropy;
            plan.token = Some(ClientToken::random(entropy));
        } else if operation.is_keyed_by_job() {
            let job = new_job_id(&plan.client, operation)?;
            plan.token = as_token(job.as_deref());
        }
    }
    let token = plan.token.as_ref();
    Ok(token.map(|token| token.as_str().to_owned()))
}

/// Waits until nothing can be on its way any more.
async fn settle(most: Duration, begun: &Begun, entry: &Entry, taken: &Taken) -> Result<(), Error> {
    let wait = taken.unsettled();
    if wait >= most {
        let seconds = wait.as_secs_f64();
        let hint = format!("It may still be on its way: look again in {seconds:.1} s");
        return Err(cut_off(begun, entry).with_hint(hint));
    }
    if wait > Duration::ZERO {
        taken.sleep(wait).await;
    }
    Ok(())
}

/// An earlier call may have been executed, and nothing tells.
fn cut_off(begun: &Begun, entry: &Entry) -> Error {
    let message = format!(
        "an earlier call under the key `{}` has an unknown outcome",
        begun.key.escape_debug()
    );
    let mut error = Error::new(Kind::Conflict, begun.operation.name, message).with_hint(
        "Nothing was sent now. Look for the thing: give the call `reconcile(..)`, or `forget` the key once you know",
    );
    let inner = error.inner();
    inner.outcome = Outcome::Unknown;
    inner.client_token = entry.token.as_ref().and_then(|t| ClientToken::new(t).ok());
    inner.job = job_of(begun.operation, inner.client_token.as_ref());
    error
}

/// The job that a call with this token runs as, where it does.
fn job_of(operation: &Operation, token: Option<&ClientToken>) -> Option<String> {
    let token = token.filter(|_| operation.is_keyed_by_job())?;
    Some(token.as_str().to_owned())
}

/// The answer of before.
fn recall(begun: &Begun, entry: Entry) -> Result<Finished, Error> {
    let State::Done { request_id, answer } = entry.state else {
        return Err(cut_off(begun, &entry));
    };
    let mut output = (begun.operation.output)();
    let read = answer.map(|answer| record::decode(&mut *output, answer.to_string().as_bytes()));
    let Some(Ok(warnings)) = read else {
        let message = format!(
            "it was done before, by request {}, and the ledger could not keep the answer",
            request_id.as_deref().unwrap_or("-")
        );
        let mut error = Error::new(Kind::AlreadyExists, begun.operation.name, message)
            .with_hint("Read the thing itself");
        error.inner().outcome = Outcome::NotSent;
        return Err(error);
    };
    let client_token = entry.token.and_then(|token| ClientToken::new(token).ok());
    let job = job_of(begun.operation, client_token.as_ref());
    let meta = Meta {
        request_id,
        job,
        client_token,
        status: 200,
        warnings,
        ..Meta::default()
    };
    Ok(Finished {
        output,
        meta: Box::new(meta),
        running: false,
    })
}

/// Writes down that the thing is there.
async fn close(
    taken: &mut Taken,
    entry: Entry,
    output: &dyn Record,
    meta: &Meta,
    scrubber: &Scrubber,
) {
    let mut answer = record::to_value(Wire::redacted(output));
    without_secrets(&mut answer, scrubber);
    let small = answer.to_string().len() <= LARGEST_ANSWER;
    let token = meta.client_token.as_ref();
    let entry = Entry {
        state: State::Done {
            request_id: meta.request_id.clone(),
            answer: small.then_some(answer),
        },
        token: token.map(|token| token.as_str().to_owned()).or(entry.token),
        ..entry
    };
    write(taken, entry, Ended::Settled).await;
}

/// Answers to creates are small; the ledger is held in memory.
const LARGEST_ANSWER: usize = 64 << 10;

/// What the call came to stands whether or not it can be written down: then the ledger goes on saying
/// that it was begun, and the next call with the key finds out anew.
async fn write(taken: &mut Taken, entry: Entry, ended: Ended) {
    taken.ended = ended;
    if let Err(error) = taken.ledger.put(&taken.key, entry).await {
        tracing::warn!(%error, "the ledger could not be told how the call ended");
    }
}

/// Leaves out what the model calls secret, and hides what went out as a secret and was echoed.
fn without_secrets(json: &mut Json, scrubber: &Scrubber) {
    match json {
        Json::Object(members) => {
            members.retain(|_, value| value != Secret::REDACTED);
            for value in members.values_mut() {
                without_secrets(value, scrubber);
            }
        }
        Json::Array(items) => {
            items.retain(|value| value != Secret::REDACTED);
            for value in items {
                without_secrets(value, scrubber);
            }
        }
        Json::String(text) => *text = scrubber.clean(text),
        _ => {}
    }
}
