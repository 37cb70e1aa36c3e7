//! A call that has been encoded and not yet sent, with its options.

use std::fmt;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::{HeaderName, HeaderValue, header};

use crate::address;
use crate::clock::BoxFuture;
use crate::error::{Error, Kind};
use crate::idempotency::ClientToken;
use crate::ledger::Ledger;
use crate::operation::Operation;
use crate::protocol::Endpoint;
use crate::record::{self, Json, Record, Secret};
use crate::retry::{Polling, RetryPolicy};

use super::job::{self, Job};
use super::lanes::Claim;
use super::plan::{Again, Finished, Look, Plan, Probe};
use super::{Client, DryRun, FromRecord, Response, drive, once, secret_name};

/// Servers take about a hundred headers, and a map of them holds 24,576 at most.
const MOST_HEADERS: usize = 100;

/// An encoded call. Awaiting it sends it; nothing goes out before.
///
/// It owns all that it needs, so that it can be spawned or joined with others.
#[must_use = "a call does nothing until it is awaited"]
pub struct Call<O> {
    state: State,
    output: PhantomData<fn() -> O>,
}

enum State {
    Ready(Box<Plan>),
    Running(BoxFuture<'static, Result<Finished, Error>>),
    Ended,
}

impl<O> Call<O> {
    /// Encodes `input`. What can never be right is reported when the call is awaited.
    pub fn new(client: &Client, operation: &'static Operation, input: &dyn Record) -> Self {
        let inner = &client.inner;
        let how = |setting: &str| {
            let known = inner
                .service
                .settings
                .iter()
                .find(|known| known.name == setting);
            known.map(|known| known.how.to_owned()).unwrap_or_default()
        };
        let mut encoded = inner
            .protocol
            .encode(operation, input, &inner.settings, &how);
        if let Some(why) = input.refused() {
            encoded = Err(invalid(operation, why));
        }
        let mut token = None;
        if let Some(member) = operation.token
            && let Some(text) = record::get(input, member)
        {
            match ClientToken::new(text) {
                Ok(valid) => token = Some(valid),
                Err(error) => encoded = Err(invalid(operation, error.to_string())),
            }
        }
        let claim = Claim::of(operation, input, &inner.settings).map(Box::new);
        let one = operation.one;
        let expects = one.is_some_and(|(member, _)| record::get(input, member).is_some());
        Self::of(Plan {
            token,
            claim,
            expects,
            ..Plan::new(client, operation, encoded)
        })
    }

    pub(super) fn of(plan: Plan) -> Self {
        Self {
            state: State::Ready(Box::new(plan)),
            output: PhantomData,
        }
    }

    /// A call that came to this already.
    pub(super) fn ended(finished: Finished) -> Self {
        Self {
            state: State::Running(Box::pin(std::future::ready(Ok(finished)))),
            output: PhantomData,
        }
    }

    /// Changes the plan; after the first poll it is too late, and nothing happens.
    fn plan(mut self, change: impl FnOnce(&mut Plan)) -> Self {
        if let State::Ready(plan) = &mut self.state {
            change(plan);
        }
        self
    }

    /// How long the call may take with all its attempts, waits and job polling.
    pub fn timeout(self, total: Duration) -> Self {
        self.plan(|plan| plan.timeout = Some(total))
    }

    /// How this call is repeated.
    pub fn retry(self, policy: RetryPolicy) -> Self {
        self.plan(|plan| plan.retry = Some(Box::new(policy)))
    }

    /// How the job of this call is asked after, where it runs as one.
    pub fn polling(self, polling: Polling) -> Self {
        self.plan(|plan| plan.polling = Some(Box::new(polling)))
    }

    /// Sends the call, and does not wait for its job: once the service runs it, the job is given
    /// back. Where the service does it at once, the job is done already.
    ///
    /// What queues behind the call for a lane of the service does not wait for the job either.
    pub async fn submit(self) -> Result<Job<O>, Error> {
        let mut call = self.plan(|plan| plan.leave = true);
        let (client, operation) = match &call.state {
            State::Ready(plan) => (plan.client.clone(), plan.operation),
            _ => return Err(job::sent()),
        };
        let finished = poll_fn(|context| poll(&mut call.state, context)).await?;
        Ok(Job::new(client, operation, finished))
    }

    /// The token by which the service recognises a repeat of this call, now or after a crash.
    ///
    /// An operation without a token of its own that runs as a job takes it as the job's id: a UUID,
    /// with or without hyphens.
    pub fn client_token(self, token: impl TryInto<ClientToken, Error: fmt::Display>) -> Self {
        self.plan(|plan| match token.try_into() {
            Err(error) => plan.fail(error.to_string()),
            Ok(token) => match &plan.token {
                Some(set) if *set != token => plan.fail(format!(
                    "the operation has client token `{set}` and the call `{token}`: set one of them"
                )),
                _ => plan.token = Some(token),
            },
        })
    }

    /// Writes the call into `ledger` under `key` before it is sent, so that it is made once, even
    /// across crashes. See [`ledger`](crate::ledger).
    ///
    /// `key` is the caller's own name of the thing, 1 to 512 bytes; calls of several accounts or
    /// regions that share a ledger name these in the key. An answer from the ledger has no
    /// [`attempts`](Response::attempts).
    pub fn once(self, ledger: &Ledger, key: impl Into<String>) -> Self {
        self.plan(|plan| {
            let once = plan.once.get_or_insert_default();
            once.under = Some((ledger.clone(), key.into()));
        })
    }

    /// How the thing is found when nobody knows whether an earlier call under the same key of the
    /// ledger made it: by its name, or by another member that no other thing has.
    ///
    /// `Ok(None)` means that it does not exist; the call is sent then. An error ends the call with an
    /// unknown outcome.
    pub fn reconcile<F, R>(self, look: F) -> Self
    where
        O: Record,
        F: FnOnce() -> R + Send + 'static,
        R: Future<Output = Result<Option<O>, Error>> + Send + 'static,
    {
        let mut look = Some(look);
        self.plan(|plan| {
            let operation = plan.operation;
            plan.once.get_or_insert_default().look = Some(Box::new(move |_| {
                let looking = look.take().map(|look| look());
                Box::pin(async move {
                    let Some(looking) = looking else {
                        return Err(invalid(operation, "it was looked for before".into()));
                    };
                    let found = looking.await?;
                    Ok(found.map(|found| Box::new(found) as Box<dyn Record>))
                })
            }));
        })
    }

    /// Looks by `look`, as often as need be, where the outcome of the call is not known; the second value
    /// is whether no other thing can be meant. An error says why nothing can be looked for.
    pub(crate) fn looking(self, look: Result<(Look, bool), String>) -> Self {
        self.plan(|plan| match look {
            Err(why) => plan.fail(why),
            Ok((look, exact)) => {
                let once = plan.once.get_or_insert_default();
                once.look = Some(look);
                once.again = Some(Again { exact });
            }
        })
    }

    /// Another address for this call.
    pub fn endpoint(self, address: &str) -> Self {
        self.plan(|plan| {
            let endpoint = Endpoint::parse(address).and_then(|endpoint| {
                let inner = &plan.client.inner;
                address::guard(endpoint.url(), inner.allow_http)
                    .map_err(|exposed| exposed.to_string())?;
                Ok(endpoint.or_below(inner.protocol.context_path()))
            });
            match endpoint {
                Ok(endpoint) => plan.endpoint = Some(Box::new(endpoint)),
                Err(message) => plan.fail(message),
            }
        })
    }

    /// A further header. Those of authentication and framing cannot be set. Under a name such as
    /// `X-Auth-Token` the value is kept out of every text like other secrets.
    pub fn header(self, name: &str, value: &str) -> Self {
        self.plan(|plan| {
            let reserved = [
                header::AUTHORIZATION,
                header::HOST,
                header::CONTENT_LENGTH,
                header::TRANSFER_ENCODING,
                header::CONNECTION,
                header::DATE,
            ];
            match (
                HeaderName::from_bytes(name.as_bytes()),
                // Other bytes than ASCII have no agreed meaning there, and signatures leave them out.
                HeaderValue::from_str(value).ok().filter(|value| value.to_str().is_ok()),
            ) {
                (Ok(name), _) if reserved.contains(&name) => {
                    plan.fail(format!("header `{name}` is set by the client itself"));
                }
                (Ok(name), Some(mut value)) => match &mut plan.encoded {
                    Ok(encoded) if encoded.headers.len() >= MOST_HEADERS => {
                        plan.fail(format!("a call takes {MOST_HEADERS} headers at most"));
                    }
                    Ok(encoded) => {
                        if secret_name::is_secret(name.as_str()) {
                            encoded.secrets.extend(value.to_str().ok().map(Secret::from));
                            value.set_sensitive(true);
                        }
                        encoded.headers.push((name, value));
                    }
                    Err(_) => {}
                },
                (Err(_), _) => plan.fail(format!("`{}` is no header name", name.escape_debug())),
                (_, None) => plan.fail(format!(
                    "the value of header `{name}` holds a line break or another character that headers cannot hold"
                )),
            }
        })
    }

    /// A further member, which the model lacks: at the place where the operation's members travel.
    /// Under a name such as `Password` the value is kept out of every text like other secrets.
    pub fn param(self, name: &str, value: impl Into<Json>) -> Self {
        self.plan(|plan| {
            if plan.operation.token == Some(name) {
                plan.fail(format!(
                    "`{name}` is kept over all attempts: set it with `client_token(..)`"
                ));
            }
            let protocol = &plan.client.inner.protocol;
            if let Ok(encoded) = &mut plan.encoded {
                let value = value.into();
                secret_name::collect(name, &value, &mut encoded.secrets);
                if let Err(error) = protocol.add(encoded, name, value) {
                    plan.encoded = Err(error);
                }
            }
        })
    }

    /// The request as it would go out, without sending it: a curl line with secrets hidden, and the
    /// text that is signed. Credentials are fetched if need be.
    pub async fn dry_run(mut self) -> Result<DryRun, Error> {
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Ready(plan) => drive::dry_run(*plan).await,
            _ => Err(Error::new(
                Kind::InvalidInput,
                "call",
                "the call has been sent",
            )),
        }
    }
}

impl Probe {
    /// The call of a look goes where the call itself went.
    pub(crate) fn prepare<O>(&self, call: Call<O>) -> Call<O> {
        call.plan(|plan| plan.endpoint = self.endpoint.clone().map(Box::new))
    }
}

impl Plan {
    fn fail(&mut self, message: String) {
        if self.encoded.is_ok() {
            self.encoded = Err(invalid(self.operation, message));
        }
    }
}

fn invalid(operation: &'static Operation, message: String) -> Error {
    Error::new(Kind::InvalidInput, operation.name, message)
}

impl<O: FromRecord> Future for Call<O> {
    type Output = Result<Response<O>, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let finished = ready!(poll(&mut self.state, context));
        Poll::Ready(finished.and_then(typed))
    }
}

/// The answer as what the operation's table says that it is.
fn typed<O: FromRecord>(finished: Finished) -> Result<Response<O>, Error> {
    let Finished { output, meta, .. } = finished;
    match O::from_record(output) {
        Some(output) => Ok(Response { output, meta }),
        None => Err(Error::new(
            Kind::InvalidInput,
            "call",
            "the operation's table names another output type",
        )),
    }
}

/// What the call comes to, untyped.
pub(super) async fn run(plan: Plan) -> Result<Finished, Error> {
    let mut state = State::Ready(Box::new(plan));
    poll_fn(|context| poll(&mut state, context)).await
}

/// Compiled once, not per output type.
fn poll(state: &mut State, context: &mut Context<'_>) -> Poll<Result<Finished, Error>> {
    loop {
        match state {
            State::Running(running) => {
                let finished = ready!(running.as_mut().poll(context));
                *state = State::Ended;
                return Poll::Ready(finished);
            }
            State::Ready(_) => {
                if let State::Ready(plan) = std::mem::replace(state, State::Ended) {
                    *state = State::Running(match plan.once {
                        None => drive::run(*plan),
                        Some(_) => Box::pin(once::run(*plan)),
                    });
                }
            }
            State::Ended => {
                let error = Error::new(Kind::InvalidInput, "call", "the call was awaited before");
                return Poll::Ready(Err(error));
            }
        }
    }
}

impl<O> fmt::Debug for Call<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state {
            State::Ready(plan) => write!(f, "Call({}, not sent)", plan.operation.name),
            State::Running(_) => f.write_str("Call(running)"),
            State::Ended => f.write_str("Call(ended)"),
        }
    }
}
