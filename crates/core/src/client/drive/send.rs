//! Sends one attempt: credentials, leave to go, signature, transport.

use std::borrow::Cow;
use std::time::Duration;

use tokio::sync::SemaphorePermit;
use tracing::Instrument;

use crate::address;
use crate::clock::within;
use crate::credentials::{Credential, CredentialError};
use crate::error::{Error, Kind, Outcome};
use crate::protocol::{Prepared, Signing, Verdict};

use super::{Drive, Moment};
use crate::client::Client;
use crate::client::machine::Event;
use crate::client::pace::Leave;

impl Drive {
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
            Some(endpoint) => Ok(Cow::Borrowed(endpoint)),
            None => self.client.endpoint(self.credential()),
        };
        endpoint
            .map(|endpoint| endpoint.host().to_owned())
            .unwrap_or_default()
    }

    pub(super) fn prepare(&mut self, poll: bool, timeout: Duration) -> Result<Prepared, Error> {
        let inner = &self.client.inner;
        self.moment = Moment {
            now: self.client.now(),
            zone: inner.protocol.zone(),
        };
        let credential = self.credential();
        let configuration = |message| Error::new(Kind::Configuration, self.operation.name, message);
        let endpoint = match &self.endpoint {
            Some(endpoint) => Cow::Borrowed(endpoint),
            None => self.client.endpoint(credential).map_err(configuration)?,
        };
        address::guard(endpoint.url(), inner.allow_http)
            .map_err(|exposed| configuration(exposed.to_string()))?;
        let mut buffer = uuid::Uuid::encode_buffer();
        let nonce = crate::clock::uuid(&*inner.context.entropy);
        let signing = Signing {
            service: inner.service,
            endpoint: &endpoint,
            credential,
            now: self.moment.now,
            zone: self.moment.zone,
            nonce: nonce.hyphenated().encode_lower(&mut buffer),
            job: self.job.as_deref(),
            user_agent: &inner.user_agent,
            timeout,
        };
        if poll {
            let job = self.job.as_deref().unwrap_or_default();
            inner.protocol.poll(&self.encoded, job, &signing)
        } else {
            inner.protocol.prepare(&self.encoded, &signing)
        }
    }

    /// Signs, sends, reads. An `Err` is a fault of ours that no repeat mends.
    pub(super) async fn attempt(
        &mut self,
        poll: bool,
        number: u32,
        deadline: Duration,
    ) -> Result<Event, Error> {
        if !poll && let Err(error) = self.fetch_credentials(deadline).await {
            return Err(self.no_credentials(error));
        }
        let client = self.client.clone();
        let inner = &client.inner;
        let clock = &*inner.context.clock;
        let from = clock.elapsed();
        if let Some(held) = &self.held
            && inner.circuit.is_noted()
            && let Some(mut error) =
                inner
                    .circuit
                    .check(from, self.operation.name, &held.credential, &self.host())
        {
            self.complete(error.inner());
            return Err(error);
        }
        let left = deadline.saturating_sub(from);
        let (_room, leave) = self.admit(&client, poll, left).await?;
        // Credentials, room and pace took their parts.
        let left = deadline.saturating_sub(clock.elapsed());
        let timeout = inner
            .timeouts
            .attempt
            .min(left)
            .max(Duration::from_millis(1));
        let prepared = match self.prepare(poll, timeout) {
            Ok(prepared) => prepared,
            Err(mut error) => {
                self.complete(error.inner());
                return Err(error);
            }
        };
        if !poll {
            self.evidence = prepared.evidence;
        }
        let (started, from) = (clock.now(), clock.elapsed());
        // Who watches a call from outside learns the job's id before the job can exist.
        let job = self.job.as_deref().filter(|_| self.operation.job);
        let span = tracing::debug_span!("cumulo.attempt", number, poll, job);
        let sent = inner
            .context
            .transport
            .send(prepared.request)
            .instrument(span.clone())
            .await;
        let now = clock.elapsed();
        let took = now.saturating_sub(from);
        let event = match sent {
            Ok(reply) => {
                let answered = self.answered(reply, poll, started, took, deadline);
                answered.instrument(span).await
            }
            Err(error) => span.in_scope(|| self.broken(&error, started, took)),
        };
        match (&event, leave) {
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

    /// Leave to send, once there is room and the service's pace allows it.
    pub(super) async fn admit<'a>(
        &mut self,
        client: &'a Client,
        poll: bool,
        left: Duration,
    ) -> Result<(SemaphorePermit<'a>, Option<Leave<'a>>), Error> {
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
