//! What may a call have done that was interrupted?
//!
//! Whoever ends a call before its answer has come must still be told under which token or job it ran,
//! and whether anything went out at all. So both are written down before the first attempt.

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use cumulo_core::operation::{Operation, RetryClass};
use cumulo_core::{Error, Json, Kind, Outcome};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::log::{self, Log};
use crate::result::failure;
use crate::term;

/// A call under way, as seen from outside.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    named: OnceLock<Named>,
    attempts: AtomicU32,
    polls: AtomicU32,
    job: Mutex<Option<String>>,
}

#[derive(Debug)]
struct Named {
    operation: &'static Operation,
    token: Option<String>,
}

tokio::task_local! {
    static IN_FLIGHT: Arc<InFlight>;
}

impl InFlight {
    /// Writes down what is about to be sent.
    pub(crate) fn name(&self, operation: &'static Operation, token: Option<String>) {
        let _ = self.named.set(Named { operation, token });
    }

    /// Runs `work`, whose attempts are counted here once [`observe`] was called.
    pub(crate) async fn watch<T>(self: &Arc<Self>, work: impl Future<Output = T>) -> T {
        IN_FLIGHT.scope(Arc::clone(self), work).await
    }

    /// How often the call was sent.
    pub(crate) fn attempts(&self) -> u32 {
        self.attempts.load(Ordering::SeqCst)
    }

    /// How often its job was asked after.
    pub(crate) fn polls(&self) -> u32 {
        self.polls.load(Ordering::SeqCst)
    }

    /// ZStack: the job that runs, or may run.
    pub(crate) fn job(&self) -> Option<String> {
        self.job
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The token that takes the call up again. A job's id is one.
    pub(crate) fn token(&self) -> Option<String> {
        self.job()
            .or_else(|| self.named.get().and_then(|named| named.token.clone()))
    }

    pub(crate) fn operation(&self) -> Option<&'static Operation> {
        self.named.get().map(|named| named.operation)
    }

    /// Whether it may have been executed.
    pub(crate) fn outcome(&self) -> Outcome {
        if self.attempts() == 0 {
            Outcome::NotSent
        } else {
            Outcome::Unknown
        }
    }

    /// The next step for a person, where the call may have been executed.
    pub(crate) fn advice(&self) -> Option<&'static str> {
        let operation = self.operation()?;
        if self.outcome() == Outcome::NotSent {
            return None;
        }
        match operation.retry {
            RetryClass::ReadOnly => None,
            RetryClass::Idempotent => Some("Doing it twice is the same as once: repeat it"),
            RetryClass::Keyed => Some("Repeat it with the same client token"),
            RetryClass::Unsafe => Some(
                "The operation takes no client token: look whether it was done before repeating it",
            ),
        }
    }

    /// The result line of a call that ended without a result, for the reason `why`.
    pub(crate) fn ended(&self, why: &str) -> Json {
        let name = self.operation().map_or("call", |operation| operation.name);
        let mut error = Error::new(Kind::Interrupted, name, why);
        if let Some(advice) = self.advice() {
            error = error.with_hint(advice);
        }
        let mut line = failure(&error);
        line["error"]["outcome"] = format!("{:?}", self.outcome()).into();
        line["error"]["client_token"] = self.token().into();
        line["error"]["job"] = self.job().into();
        line["attempts"] = self.attempts().into();
        line
    }
}

/// From now on, calls under [`InFlight::watch`] are counted, and told of where `-v` asks for it.
pub(crate) fn observe() {
    // Nobody else in this program sets one.
    let log = Log::new(term::verbose(), log::print);
    let _ = tracing::subscriber::set_global_default(Attempts(log));
}

/// Hears of attempts by core's spans, which begin on the task of the call.
struct Attempts(Log);

#[derive(Default)]
struct Facts {
    poll: bool,
    job: Option<String>,
}

impl Visit for Facts {
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.poll |= field.name() == "poll" && value;
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "job" {
            self.job = Some(value.to_owned());
        }
    }
    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

impl Subscriber for Attempts {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.name() == "cumulo.attempt" || self.0.wants(metadata)
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        if span.metadata().name() == "cumulo.attempt" {
            count(span);
        }
        self.0.begin(span)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        self.0.event(event);
    }
    fn enter(&self, id: &Id) {
        Log::enter(id);
    }
    fn exit(&self, id: &Id) {
        Log::exit(id);
    }
    fn clone_span(&self, id: &Id) -> Id {
        self.0.share(id);
        id.clone()
    }
    fn try_close(&self, id: Id) -> bool {
        self.0.end(&id)
    }
}

/// Counts an attempt for the call whose task this is.
fn count(span: &Attributes<'_>) {
    let mut facts = Facts::default();
    span.record(&mut facts);
    let _ = IN_FLIGHT.try_with(|open| {
        let counter = if facts.poll {
            &open.polls
        } else {
            &open.attempts
        };
        if facts.job.is_some() {
            *open.job.lock().unwrap_or_else(PoisonError::into_inner) = facts.job.take();
        }
        counter.fetch_add(1, Ordering::SeqCst);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::find;
    use crate::service::Service;

    /// `open` after one attempt and a poll, seen by the subscriber.
    async fn tried(open: &Arc<InFlight>, job: Option<&str>) {
        open.watch(async {
            tracing::subscriber::with_default(Attempts(Log::new(0, |_| ())), || {
                for (number, poll) in [(1, false), (1, true)] {
                    let _span = tracing::debug_span!("cumulo.attempt", number, poll, job);
                }
                let _other = tracing::debug_span!("other", poll = true);
            });
        })
        .await;
    }

    #[tokio::test]
    async fn attempts_count_for_their_own_call() {
        let (one, other) = (Arc::new(InFlight::default()), Arc::new(InFlight::default()));
        tried(&one, None).await;
        tried(&one, None).await;
        tried(&other, Some("j-1")).await;
        assert_eq!((one.attempts(), one.polls(), one.job()), (2, 2, None));
        assert_eq!((other.attempts(), other.job()), (1, Some("j-1".into())));
    }

    #[tokio::test]
    async fn what_was_not_sent_is_no_worry() {
        let open = Arc::new(InFlight::default());
        let listed = find(Service::Smartag, "CreateEnterpriseCode").unwrap();
        open.name(listed.operation(), Some("t-1".into()));
        let line = open.ended("interrupted");
        assert_eq!(line["error"]["outcome"], "NotSent");
        assert_eq!(line["error"]["hint"], Json::Null);
        tried(&open, None).await;
        let line = open.ended("interrupted");
        assert_eq!(line["error"]["outcome"], "Unknown");
        assert_eq!(line["error"]["client_token"], "t-1");
        assert_eq!(line["attempts"], 1);
        let hint = line["error"]["hint"].as_str().unwrap();
        assert!(hint.contains("same client token"), "{hint}");
    }
}
