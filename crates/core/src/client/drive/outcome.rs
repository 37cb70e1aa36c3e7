//! What a call comes to: the response, or the error with all that is known and nothing secret.

use crate::credentials::{Credential, CredentialError};
use crate::error::{Error, Kind, Outcome, Scrubber, is_plain};
use crate::operation::RetryClass;
use crate::protocol::Failure;
use crate::record::Secret;

use super::Drive;
use crate::client::plan::Finished;

impl Drive {
    pub(super) fn finish(mut self) -> Finished {
        self.meta.client_token = self.token;
        Finished {
            output: self.output,
            meta: self.meta,
            running: false,
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
        inner.attempts.clone_from(&self.meta.attempts);
        inner.client_token.clone_from(&self.token);
        inner.job.clone_from(&self.meta.job);
        inner.harmless = self.operation.retry == RetryClass::ReadOnly;
    }

    pub(super) fn fail(
        self,
        failure: Failure,
        outcome: Outcome,
        not_repeated: Option<String>,
    ) -> Error {
        let scrubber = self.scrubber();
        // An excerpt of an answer in no known form could hold the secret that was to come.
        let answered = self.meta.attempts.last();
        let answered = answered.is_some_and(|attempt| attempt.status.is_some());
        let named = |path: &&str| {
            let name = path.rsplit('.').next().unwrap_or(path).as_bytes();
            self.meta.body.windows(name.len()).any(|text| text == name)
        };
        let message =
            if answered && failure.code.is_none() && self.operation.shown_once.iter().any(named) {
                let status = self.meta.status;
                format!("status {status} with an answer that may hold a secret: see `raw_body()`")
            } else {
                scrubber.tell(&failure.message)
            };
        let evidence = self.evidence.as_ref();
        let diagnosis = evidence.and_then(|evidence| match failure.kind {
            Kind::ClockSkew => failure.server_time.map(|theirs| evidence.clock(theirs)),
            Kind::Signature => Some(evidence.compare(failure.quoted.as_ref(), &failure.message)),
            _ => None,
        });
        let mut error = Error::new(failure.kind, self.operation.name, message);
        let inner = error.inner();
        self.complete(inner);
        inner.code = failure.code;
        inner.hint = failure.hint.map(|hint| scrubber.tell(&hint));
        inner.outcome = outcome;
        // An unanswered start may have made the job all the same.
        if outcome == Outcome::Unknown && self.operation.job && inner.job.is_none() {
            inner.job = self.job;
        }
        inner.retry_after = failure.retry_after;
        inner.not_repeated = not_repeated;
        inner.diagnosis = diagnosis;
        if answered {
            inner.status = Some(self.meta.status);
            inner.request_id = self.meta.request_id;
            inner.body = self.meta.body;
        }
        error
    }
}
