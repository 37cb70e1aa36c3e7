//! Was this key refused a moment ago? Then asking again only brings its lock nearer.
//!
//! Some services lock a key after five refusals, for minutes and for every program that uses it. So
//! a client that was told that its key is wrong says the same to further calls by itself, for a
//! minute, then lets one call through to see whether it was mended. A single signature that does
//! not match may be that of an odd request; three in a row without a success between are the key's.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::credentials::{Credential, Identity};
use crate::error::{Error, Kind, Outcome};
use crate::protocol::Failure;

/// For so long the first time; then twice as long, up to the second.
const OPEN: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(300));
/// So many signatures in a row that did not match.
const SIGNATURES: u32 = 3;

/// Which keys were refused where.
#[derive(Debug, Default)]
pub(crate) struct Circuit {
    /// Whether there is anything to look at.
    noted: AtomicBool,
    state: Mutex<Option<Refused>>,
}

#[derive(Debug)]
struct Refused {
    credential: Arc<Credential>,
    host: String,
    signatures: u32,
    /// How often it was opened since the last success.
    opened: u32,
    since: Duration,
    until: Duration,
    kind: Kind,
    code: Option<String>,
    message: String,
    hint: Option<String>,
}

impl Circuit {
    fn state(&self) -> MutexGuard<'_, Option<Refused>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is anything to check: hardly ever.
    pub(super) fn is_noted(&self) -> bool {
        self.noted.load(Ordering::Relaxed)
    }

    /// The refusal that a call with `credential` would meet at `host`.
    pub(super) fn check(
        &self,
        now: Duration,
        operation: &'static str,
        credential: &Credential,
        host: &str,
    ) -> Option<Error> {
        let mut state = self.state();
        let refused = state.as_mut()?;
        if refused.opened == 0 || *refused.credential != *credential || refused.host != host {
            return None;
        }
        if now >= refused.until {
            // This call tries; the others wait for what it hears.
            refused.until = now + OPEN.0;
            return None;
        }
        let ago = now.saturating_sub(refused.since).as_secs();
        let message = format!(
            "{} (not sent: the service refused this key {ago} s ago)",
            refused.message
        );
        let mut error = Error::new(refused.kind, operation, message);
        let inner = error.inner();
        inner.outcome = Outcome::NotSent;
        inner.code.clone_from(&refused.code);
        inner.hint.clone_from(&refused.hint);
        Some(error)
    }

    /// Notes a refusal; whether the key is taken for wrong from now on.
    pub(super) fn refused(
        &self,
        now: Duration,
        credential: &Arc<Credential>,
        host: &str,
        failure: &Failure,
    ) -> bool {
        // A proxy's 401 has neither code nor known words.
        let known = failure.code.is_some() || failure.hint.is_some();
        let wrong = failure.kind == Kind::Unauthenticated;
        if !known || !(wrong || failure.kind == Kind::Signature) {
            return false;
        }
        if !matches!(credential.identity, Identity::Keys(_)) {
            return false;
        }
        let mut state = self.state();
        let same = state
            .as_ref()
            .is_some_and(|held| *held.credential == **credential && held.host == host);
        if !same {
            *state = None;
        }
        let refused = state.get_or_insert_with(|| Refused {
            credential: Arc::clone(credential),
            host: host.to_owned(),
            signatures: 0,
            opened: 0,
            since: now,
            until: now,
            kind: failure.kind,
            code: None,
            message: String::new(),
            hint: None,
        });
        self.noted.store(true, Ordering::Relaxed);
        refused.signatures += 1;
        if !wrong && refused.signatures < SIGNATURES {
            return false;
        }
        // Calls that were under way together are refused together; that is one refusal.
        if refused.opened == 0 || now >= refused.since + OPEN.0 {
            let span = OPEN
                .0
                .saturating_mul(1 << refused.opened.min(8))
                .min(OPEN.1);
            refused.opened += 1;
            refused.since = now;
            refused.until = now + span;
        }
        refused.kind = failure.kind;
        refused.code.clone_from(&failure.code);
        refused.message.clone_from(&failure.message);
        refused.hint.clone_from(&failure.hint);
        true
    }

    /// The service took a key.
    pub(super) fn accepted(&self) {
        if self.noted.swap(false, Ordering::Relaxed) {
            *self.state() = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::Keys;
    use crate::record::Secret;

    fn key(secret: &str) -> Arc<Credential> {
        let keys = Keys {
            id: "id".into(),
            secret: Secret::from(secret),
            token: None,
        };
        Arc::new(Credential::new(Identity::Keys(keys), "test"))
    }

    fn failure(kind: Kind) -> Failure {
        let mut failure = Failure::new(kind, "no such key");
        failure.code = Some("Code".into());
        failure
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_refused_key_is_refused_for_a_while_and_another_is_not() {
        let circuit = Circuit::default();
        let wrong = key("wrong");
        assert!(circuit.refused(SECOND, &wrong, "host", &failure(Kind::Unauthenticated)));
        let error = circuit.check(SECOND * 11, "Op", &wrong, "host").unwrap();
        assert_eq!(
            error.to_string(),
            "Op failed: Code: no such key (not sent: the service refused this key 10 s ago)"
        );
        assert_eq!(
            (error.kind(), error.outcome()),
            (Kind::Unauthenticated, Outcome::NotSent)
        );
        assert!(circuit.check(SECOND, "Op", &key("right"), "host").is_none());
        assert!(circuit.check(SECOND, "Op", &wrong, "elsewhere").is_none());
        // After a minute one call tries, the next one does not.
        assert!(circuit.check(SECOND * 61, "Op", &wrong, "host").is_none());
        assert!(circuit.check(SECOND * 61, "Op", &wrong, "host").is_some());
        // Refused again: for longer.
        assert!(circuit.refused(SECOND * 62, &wrong, "host", &failure(Kind::Unauthenticated)));
        assert!(circuit.check(SECOND * 180, "Op", &wrong, "host").is_some());
        assert!(circuit.check(SECOND * 182, "Op", &wrong, "host").is_none());
        circuit.accepted();
        assert!(circuit.check(SECOND * 183, "Op", &wrong, "host").is_none());
    }

    #[test]
    fn a_signature_counts_only_with_others() {
        let circuit = Circuit::default();
        let wrong = key("wrong");
        let signature = failure(Kind::Signature);
        assert!(!circuit.refused(SECOND, &wrong, "host", &signature));
        assert!(!circuit.refused(SECOND, &wrong, "host", &signature));
        circuit.accepted();
        assert!(!circuit.refused(SECOND, &wrong, "host", &signature));
        assert!(!circuit.refused(SECOND, &wrong, "host", &signature));
        assert!(circuit.check(SECOND, "Op", &wrong, "host").is_none());
        assert!(circuit.refused(SECOND, &wrong, "host", &signature));
        assert!(circuit.check(SECOND, "Op", &wrong, "host").is_some());
    }

    #[test]
    fn what_no_service_said_counts_for_nothing() {
        let circuit = Circuit::default();
        let wrong = key("wrong");
        let proxy = Failure::new(Kind::Unauthenticated, "<html>");
        assert!(!circuit.refused(SECOND, &wrong, "host", &proxy));
        assert!(!circuit.refused(SECOND, &wrong, "host", &failure(Kind::PermissionDenied)));
        let session = Arc::new(Credential::new(Identity::Token(Secret::from("t")), "test"));
        assert!(!circuit.refused(SECOND, &session, "host", &failure(Kind::Unauthenticated)));
        assert!(circuit.check(SECOND, "Op", &wrong, "host").is_none());
    }
}
