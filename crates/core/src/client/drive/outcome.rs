//! What a call comes to: the response, or the error with all that is known and nothing secret.

use std::time::Duration;

use crate::credentials::{Credential, CredentialError};
use crate::error::{Error, Evidence, Kind, Outcome, Scrubber, is_plain};
use crate::operation::RetryClass;
use crate::protocol::Failure;
use crate::record::Secret;

use super::Drive;
use crate::client::plan::Finished;
use crate::client::response::Meta;

impl Drive {
    pub(super) fn finish(mut self, running: bool) -> Finished {
        let mut meta = self.meta.take().unwrap_or_default();
        meta.client_token = self.token;
        Finished {
            output: self.output,
            meta,
            running,
        }
    }

    /// What went out with the call and must not come back in a text.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let credential = self.credential().into_iter().flat_map(Credential::secrets);
        self.encoded.secrets.iter().chain(credential)
    }

    pub(super) fn scrubber(&self) -> Scrubber {
        let mut scrubber = Scrubber::default();
        for secret in self.secrets() {
            scrubber.add(secret.expose());
        }
        scrubber
    }

    /// An id of the service's, fit to be told.
    pub(super) fn told(&self, id: String) -> String {
        if is_plain(&id, self.secrets()) {
            id
        } else {
            self.scrubber().tell(&id)
        }
    }

    pub(super) fn no_credentials(&self, error: CredentialError) -> Error {
        let mut made = error.for_operation(self.operation.name);
        self.complete(made.inner());
        made
    }

    /// Adds what is known about the call.
    pub(super) fn complete(&self, inner: &mut crate::error::Inner) {
        if let Some(meta) = &self.meta {
            inner.attempts.clone_from(&meta.attempts);
            inner.job.clone_from(&meta.job);
        }
        inner.client_token.clone_from(&self.token);
        inner.harmless = self.operation.retry == RetryClass::ReadOnly;
    }

    /// What the last request was signed from. Made once more, so that no call keeps these texts while it
    /// waits.
    fn evidence(&self) -> Option<Evidence> {
        self.sign(Duration::ZERO).ok()?.evidence
    }

    pub(super) fn fail(&mut self, failure: Failure, outcome: Outcome) -> Error {
        let scrubber = self.scrubber();
        let nothing = Meta::default();
        let meta = self.meta.as_deref().unwrap_or(&nothing);
        let answered = meta.attempts.last();
        let answered = answered.is_some_and(|attempt| attempt.status.is_some());
        // An excerpt of an answer in no known form could hold the secret that was to come.
        let named = |path: &&str| {
            let name = path.rsplit('.').next().unwrap_or(path).as_bytes();
            meta.body.windows(name.len()).any(|text| text == name)
        };
        let message =
            if answered && failure.code.is_none() && self.operation.shown_once.iter().any(named) {
                let status = meta.status;
                format!("status {status} with an answer that may hold a secret: see `raw_body()`")
            } else {
                scrubber.tell(&failure.message)
            };
        let diagnosis = match failure.kind {
            Kind::ClockSkew => failure
                .server_time
                .and_then(|theirs| Some(self.evidence()?.clock(theirs))),
            Kind::Signature => self
                .evidence()
                .map(|evidence| evidence.compare(failure.quoted.as_ref(), &failure.message)),
            _ => None,
        };
        let mut error = Error::new(failure.kind, self.operation.name, message);
        let inner = error.inner();
        self.complete(inner);
        inner.code = failure.code;
        inner.hint = failure.hint.map(|hint| scrubber.tell(&hint));
        inner.outcome = outcome;
        // An unanswered start may have made the job all the same.
        if outcome == Outcome::Unknown && self.operation.job && inner.job.is_none() {
            inner.job = self.job.take();
        }
        inner.retry_after = failure.retry_after;
        inner.not_repeated = failure.not_repeated;
        inner.diagnosis = diagnosis;
        if let Some(meta) = self.meta.take_if(|_| answered) {
            inner.status = Some(meta.status);
            inner.request_id = meta.request_id;
            inner.body = meta.body;
        }
        error
    }
}
