//! Sends one attempt: credentials, leave to go, signature, transport.

use std::borrow::Cow;
use std::future::poll_fn;
use std::time::{Duration, SystemTime};

use tokio::sync::SemaphorePermit;
use tracing::Instrument;

use crate::address;
use crate::clock::within;
use crate::credentials::{Credential, CredentialError};
use crate::error::{Error, Kind, Outcome};
use crate::protocol::{Prepared, Signing, Verdict};

use super::answer::is_large;
use super::{Drive, Moment};
use crate::client::Client;
use crate::client::machine::Event;
use crate::client::pace::Leave;

/// Room among the client's own requests, and leave of the pace, which polls need not have.
type Admitted<'a> = (SemaphorePermit<'a>, Option<Leave<'a>>);

impl Drive {
    /// Whether the next attempt has its credentials without a fetch, as most have.
    fn has_credentials(&mut self) -> bool {
        let inner = &self.client.inner;
        match &inner.credentials {
            Some(cache) if self.operation.auth => match cache.present(&inner.context) {
                Some(held) => {
                    self.held = Some(held);
                    true
                }
                None => false,
            },
            _ => true,
        }
    }

    /// Fetches credentials for the next attempt, until `deadline` by the clock's `elapsed`.
    pub(super) async fn fetch_credentials(
        &mut self,
        deadline: Duration,
    ) -> Result<(), CredentialError> {
        if self.operation.auth
            && let Some(cache) = &self.client.inner.credentials
        {
            let context = &self.client.inner.context;
            self.held = Some(cache.get_by(context, deadline).await?);
        }
        Ok(())
    }

    pub(super) fn credential(&self) -> Option<&Credential> {
        self.held.as_ref().map(|held| &*held.credential)
    }

    /// Where it goes, as far as that is known.
    pub(super) fn host(&self) -> String {
        let endpoint = match &self.endpoint {
            Some(endpoint) => Ok(Cow::Borrowed(&**endpoint)),
            None => self.client.endpoint(self.credential()),
        };
        endpoint
            .map(|endpoint| endpoint.host().to_owned())
            .unwrap_or_default()
    }

    /// What an attempt that begins at `started` is signed with.
    pub(super) fn moment(&self, started: SystemTime, poll: bool) -> Moment {
        let inner = &self.client.inner;
        Moment {
            now: self.client.service_time(started),
            zone: inner.protocol.zone(),
            nonce: crate::clock::uuid(&*inner.context.entropy),
            poll,
        }
    }

    /// The request of the last moment.
    pub(super) fn sign(&self, timeout: Duration) -> Result<Prepared, Error> {
        let inner = &self.client.inner;
        let moment = &self.moment;
        let credential = self.credential();
        let configuration = |message| Error::new(Kind::Configuration, self.operation.name, message);
        let endpoint = match &self.endpoint {
            Some(endpoint) => Cow::Borrowed(&**endpoint),
            None => self.client.endpoint(credential).map_err(configuration)?,
        };
        address::guard(endpoint.url(), inner.allow_http)
            .map_err(|exposed| configuration(exposed.to_string()))?;
        let mut buffer = uuid::Uuid::encode_buffer();
        let signing = Signing {
            service: inner.service,
            endpoint: &endpoint,
            credential,
            now: moment.now,
            zone: moment.zone,
            nonce: moment.nonce.hyphenated().encode_lower(&mut buffer),
            job: self.job.as_deref(),
            user_agent: &inner.user_agent,
            timeout,
        };
        if moment.poll {
            let job = self.job.as_deref().unwrap_or_default();
            inner.protocol.poll(&self.encoded, job, &signing)
        } else {
            inner.protocol.prepare(&self.encoded, &signing)
        }
    }

    /// How long an attempt may take, when so much of the call's time is `left` after credentials, room
    /// and pace took their parts.
    fn limit(&self, left: Duration) -> Duration {
        let most = self.client.inner.timeouts.attempt;
        most.min(left).max(Duration::from_millis(1))
    }

    fn span(&self, number: u32, poll: bool) -> tracing::Span {
        // Who watches a call from outside learns the job's id before the job can exist.
        let job = self.job.as_deref().filter(|_| self.operation.job);
        tracing::debug_span!("cumulo.attempt", number, poll, job)
    }

    /// Signs, sends, reads. An `Err` is a fault of ours that no repeat mends.
    pub(super) async fn attempt(
        &mut self,
        poll: bool,
        number: u32,
        deadline: Duration,
    ) -> Result<Event, Error> {
        if !(poll || self.has_credentials())
            && let Err(error) = Box::pin(self.fetch_credentials(deadline)).await
        {
            return Err(self.no_credentials(error));
        }
        let client = self.client.clone();
        let inner = &*client.inner;
        let now = inner.context.clock.elapsed();
        if let Some(held) = &self.held
            && inner.circuit.is_noted()
            && let Some(mut error) =
                inner
                    .circuit
                    .check(now, self.operation.name, &held.credential, &self.host())
        {
            self.complete(error.inner());
            return Err(error);
        }
        let mut admitted = self.admitted(&client, poll, now);
        if admitted.is_none() {
            let left = deadline.saturating_sub(now);
            admitted = Some(Box::pin(self.admit(&client, poll, left)).await?);
        }
        let started = inner.context.clock.now();
        self.moment = self.moment(started, poll);
        let from = inner.context.clock.elapsed();
        let request = match self.sign(self.limit(deadline.saturating_sub(from))) {
            Ok(prepared) => prepared.request,
            Err(mut error) => {
                self.complete(error.inner());
                return Err(error);
            }
        };
        let span = self.span(number, poll);
        let sent = {
            let mut sending = span.in_scope(|| inner.context.transport.send(request));
            poll_fn(|task| span.in_scope(|| sending.as_mut().poll(task))).await
        };
        let now = inner.context.clock.elapsed();
        let took = now.saturating_sub(from);
        let (large, sent) = is_large(sent);
        let read = if large {
            Box::pin(self.read_apart(sent, deadline).instrument(span.clone())).await
        } else {
            span.in_scope(|| self.read(sent))
        };
        let event = span.in_scope(|| match read {
            Ok((reply, verdict)) => self.answered(reply, verdict, poll, started, took),
            Err(error) => self.broken(&error, started, took),
        });
        match (&event, admitted.and_then(|(_, leave)| leave)) {
            (Event::Answered(Verdict::Failed(failure)), Some(leave))
                if failure.kind == Kind::Throttled =>
            {
                leave.throttled(now, failure.retry_after);
            }
            (Event::Answered(_), Some(leave)) => leave.answered(now),
            _ => {}
        }
        self.note_key(&event);
        Ok(event)
    }

    /// Whether the service knows the key, for the calls that follow.
    pub(super) fn note_key(&self, event: &Event) {
        let inner = &self.client.inner;
        let Some(held) = &self.held else { return };
        match event {
            Event::Answered(Verdict::Failed(failure)) => {
                let now = inner.context.clock.elapsed();
                let wrong = inner
                    .circuit
                    .refused(now, &held.credential, &self.host(), failure);
                // The next call asks the source again: the key may have been replaced there.
                if wrong && let Some(cache) = &inner.credentials {
                    cache.invalidate(held);
                }
            }
            Event::Answered(_) => inner.circuit.accepted(),
            _ => {}
        }
    }

    /// Leave to send, where nothing has to be waited for: most calls go through here.
    fn admitted<'a>(&self, client: &'a Client, poll: bool, now: Duration) -> Option<Admitted<'a>> {
        let inner = &client.inner;
        let leave = match poll {
            true => None,
            false => Some(inner.pace.of(self.operation.retry).try_admit(now)?),
        };
        Some((inner.room.try_acquire().ok()?, leave))
    }

    /// Leave to send, once there is room and the service's pace allows it.
    pub(super) async fn admit<'a>(
        &mut self,
        client: &'a Client,
        poll: bool,
        left: Duration,
    ) -> Result<Admitted<'a>, Error> {
        let inner = &client.inner;
        let clock = &*inner.context.clock;
        let from = clock.elapsed();
        let pace = inner.pace.of(self.operation.retry);
        let admitted = within(clock, left, async {
            // Whoever watches a job does not queue behind those who would start others.
            let leave = match poll {
                true => None,
                false => Some(pace.admit(clock).await),
            };
            (inner.room.acquire().await, leave)
        });
        let admitted = admitted.await;
        self.waited += clock.elapsed().saturating_sub(from);
        match admitted {
            Some((Ok(room), leave)) => Ok((room, leave)),
            _ => Err(self.not_sent(
                Kind::Timeout,
                "all the time went by in waiting for room among the client's own calls, or for the pace that the service allows",
            )),
        }
    }

    /// The error for a call that ended before it was sent.
    pub(super) fn not_sent(&self, kind: Kind, message: &str) -> Error {
        let mut error = Error::new(kind, self.operation.name, message);
        self.complete(error.inner());
        error.inner().outcome = Outcome::NotSent;
        error
    }
}
