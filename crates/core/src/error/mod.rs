//! The one error that calls return: what failed, whether it may have been executed, what to do next.
//!
//! ```no_run
//! # async fn demo(call: cumulo_core::Call<cumulo_core::client::Empty>) {
//! if let Err(error) = call.await {
//!     eprintln!("{error}");                       // operation, code, message, request id, next step
//!     if error.outcome() == cumulo_core::Outcome::Unknown {
//!         eprintln!("it may have been executed: look before repeating it");
//!     }
//! }
//! # }
//! ```

pub(crate) mod body;
mod explain;
mod scrub;

use std::error::Error as StdError;
use std::fmt;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use crate::idempotency::{ClientToken, InvalidClientToken};
use crate::record::ValidationError;
use crate::retry::Patience;

pub(crate) use explain::Evidence;
#[cfg(fuzzing)]
#[doc(hidden)]
pub use explain::diagnose;
pub use explain::{Diagnosis, Quoted};
pub(crate) use scrub::{Scrubber, is_plain};

/// What kind of failure it is.
///
/// Throttled, Busy, ClockSkew and TokenExpired failures were rejected before execution and may pass
/// later; Unavailable, Internal, Contended, Timeout, Interrupted and NonceReused leave the outcome
/// unknown, unless the error's outcome says that nothing was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The call cannot be right; nothing was sent.
    InvalidInput,
    /// The client lacks a setting or has a wrong one; nothing was sent.
    Configuration,
    /// No credentials were found, or a provider failed; nothing was sent.
    Credentials,
    /// No connection: name, network.
    Connect,
    /// No connection that can be trusted: a certificate is not accepted, or the server speaks no TLS.
    Tls,
    /// No answer in time, or no credentials, and then nothing was sent.
    Timeout,
    /// The connection broke before the whole answer came.
    Interrupted,
    /// The answer is not what the service documents, such as a proxy's HTML page.
    InvalidResponse,
    /// The service computed another signature.
    Signature,
    /// The request's time is too far from the service's clock.
    ClockSkew,
    /// A nonce was used before.
    NonceReused,
    /// Key, token or password is unknown or wrong.
    Unauthenticated,
    /// Token or session has expired.
    TokenExpired,
    /// Not allowed.
    PermissionDenied,
    /// It does not exist.
    NotFound,
    /// It exists already.
    AlreadyExists,
    /// Its present state does not allow this.
    Conflict,
    /// The service refuses a value.
    InvalidArgument,
    /// A quota is used up.
    QuotaExceeded,
    /// Too many requests.
    Throttled,
    /// Something else is going on with it; try later.
    Busy,
    /// The service failed while other changes of the same thing were going on, as it does when they
    /// cross; this one may have been executed.
    Contended,
    /// The service is down or overloaded.
    Unavailable,
    /// The service failed inside.
    Internal,
    /// The same client token came with other parameters.
    IdempotencyMismatch,
    /// The service accepted it, tried, and reports that it did not work.
    OperationFailed,
    /// Any other answer of the service.
    Other,
}

/// Whether the operation may have been executed, from certainly not to maybe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Nothing reached the service.
    NotSent,
    /// The service answered that it did not do it.
    Rejected,
    /// Nobody knows. Look at the state of things before repeating it.
    Unknown,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotSent => "not sent",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
        })
    }
}

impl Kind {
    /// The outcome that an answer of this kind implies.
    pub(crate) fn outcome(self) -> Outcome {
        match self {
            Self::InvalidInput
            | Self::Configuration
            | Self::Credentials
            | Self::Connect
            | Self::Tls => Outcome::NotSent,
            Self::Timeout
            | Self::Interrupted
            | Self::InvalidResponse
            | Self::NonceReused
            | Self::Contended
            | Self::Unavailable
            | Self::Internal => Outcome::Unknown,
            _ => Outcome::Rejected,
        }
    }

    /// How long it takes to pass.
    pub(crate) fn patience(self) -> Patience {
        match self {
            Self::Throttled => Patience::Throttled,
            Self::Busy | Self::Contended => Patience::Busy,
            _ => Patience::Short,
        }
    }

    /// Whether it may pass when repeated as it is.
    pub(crate) fn may_pass(self) -> bool {
        matches!(
            self,
            Self::Connect
                | Self::Timeout
                | Self::Interrupted
                | Self::InvalidResponse
                | Self::NonceReused
                | Self::Throttled
                | Self::Busy
                | Self::Contended
                | Self::Unavailable
                | Self::Internal
        )
    }
}

/// One attempt of a call, as the error and the response list it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Attempt {
    /// When it was sent.
    pub started: SystemTime,
    /// The wait before it.
    pub waited: Duration,
    /// How long it took.
    pub took: Duration,
    /// The HTTP status, if an answer came.
    pub status: Option<u16>,
    /// The service's error code.
    pub code: Option<String>,
    /// The service's id of the request.
    pub request_id: Option<String>,
    /// How it failed; `None` for the attempt that succeeded.
    pub failure: Option<Kind>,
}

impl Attempt {
    /// An attempt that nothing else is known about yet.
    #[doc(hidden)]
    pub fn new(started: SystemTime, waited: Duration, took: Duration) -> Self {
        Self {
            started,
            waited,
            took,
            status: None,
            code: None,
            request_id: None,
            failure: None,
        }
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.waited.is_zero() {
            write!(f, "after {} ms, ", self.waited.as_millis())?;
        }
        write!(f, "took {} ms: ", self.took.as_millis())?;
        match (self.status, self.failure) {
            (Some(status), _) => write!(f, "status {status}")?,
            (None, Some(kind)) => write!(f, "{kind:?}")?,
            (None, None) => f.write_str("no answer")?,
        }
        if let Some(code) = &self.code {
            write!(f, " {code}")?;
        }
        if let Some(id) = &self.request_id {
            write!(f, " (request {id})")?;
        }
        Ok(())
    }
}

/// A failed call.
pub struct Error(Box<Inner>);

pub(crate) struct Inner {
    pub kind: Kind,
    pub operation: &'static str,
    pub code: Option<String>,
    pub message: String,
    pub hint: Option<String>,
    pub status: Option<u16>,
    pub request_id: Option<String>,
    pub outcome: Outcome,
    pub attempts: Vec<Attempt>,
    pub client_token: Option<ClientToken>,
    pub job: Option<String>,
    pub retry_after: Option<Duration>,
    pub not_repeated: Option<String>,
    /// Nothing can have been changed, so that an unknown outcome is no worry.
    pub harmless: bool,
    pub body: Bytes,
    pub diagnosis: Option<Diagnosis>,
    pub source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error about `operation`, with the outcome that `kind` implies.
    pub fn new(kind: Kind, operation: &'static str, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            operation,
            code: None,
            message: message.into(),
            hint: None,
            status: None,
            request_id: None,
            outcome: kind.outcome(),
            attempts: Vec::new(),
            client_token: None,
            job: None,
            retry_after: None,
            not_repeated: None,
            harmless: false,
            body: Bytes::new(),
            diagnosis: None,
            source: None,
        }))
    }

    /// A client that cannot be built this way: `message` says what is wrong and what to do about it.
    pub fn configuration(message: impl Into<String>) -> Self {
        Self::new(Kind::Configuration, "build", message)
    }

    /// Adds the next step for a person.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds the cause.
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Adds the service's code and the HTTP status; for tests of programs that handle errors.
    pub fn with_code(mut self, code: impl Into<String>, status: u16) -> Self {
        self.0.code = Some(code.into());
        self.0.status = Some(status);
        self
    }

    /// Adds the service's id of the request.
    pub fn with_request_id(mut self, id: impl Into<String>) -> Self {
        self.0.request_id = Some(id.into());
        self
    }

    /// Adds what was tried, the outcome over all of it, and how long to wait before it is tried again.
    #[doc(hidden)]
    pub fn with_attempts(
        mut self,
        attempts: Vec<Attempt>,
        outcome: Outcome,
        retry_after: Option<Duration>,
    ) -> Self {
        self.0.attempts = attempts;
        self.0.outcome = outcome;
        self.0.retry_after = retry_after;
        self
    }

    /// Says that nothing can have been changed.
    #[doc(hidden)]
    pub fn harmless(mut self) -> Self {
        self.0.harmless = true;
        self
    }

    pub(crate) fn inner(&mut self) -> &mut Inner {
        &mut self.0
    }

    /// The attempts as they stand beneath the line of the error, each after a line break.
    fn write_attempts(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        for (index, attempt) in self.0.attempts.iter().enumerate() {
            write!(f, "\n  attempt {}: {attempt}", index + 1)?;
        }
        Ok(())
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }
    /// The operation's name.
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }
    /// The service's error code.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }
    /// What the service or the client says about it.
    pub fn message(&self) -> &str {
        &self.0.message
    }
    /// The next step for a person, where one is known.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
    /// The HTTP status of the last answer.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }
    /// The service's id of the last request, for its support.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }
    /// Whether the operation may have been executed, over all attempts.
    pub fn outcome(&self) -> Outcome {
        self.0.outcome
    }
    /// Every attempt, in order.
    pub fn attempts(&self) -> &[Attempt] {
        &self.0.attempts
    }
    /// The token that the attempts carried: pass it to a later call to repeat this one safely.
    pub fn client_token(&self) -> Option<&ClientToken> {
        self.0.client_token.as_ref()
    }
    /// The id of the job that may still be running, where the call runs as one.
    pub fn job(&self) -> Option<&str> {
        self.0.job.as_deref()
    }
    /// How long the service asked to wait before the call is made again.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }
    /// Why a failure that may pass ended the call all the same: its attempts, its time or the
    /// client's retry budget were used up.
    pub fn not_repeated(&self) -> Option<&str> {
        self.0.not_repeated.as_deref()
    }
    /// The last answer's body as it came. It may hold secrets that the service echoes.
    pub fn raw_body(&self) -> &[u8] {
        &self.0.body
    }

    /// Too many requests.
    pub fn is_throttled(&self) -> bool {
        self.0.kind == Kind::Throttled
    }
    /// The thing does not exist.
    pub fn is_not_found(&self) -> bool {
        self.0.kind == Kind::NotFound
    }
    /// The thing exists already.
    pub fn is_already_exists(&self) -> bool {
        self.0.kind == Kind::AlreadyExists
    }
    /// Not allowed.
    pub fn is_permission_denied(&self) -> bool {
        self.0.kind == Kind::PermissionDenied
    }
    /// Key, token, password or signature was not accepted.
    pub fn is_authentication(&self) -> bool {
        matches!(
            self.0.kind,
            Kind::Unauthenticated | Kind::Signature | Kind::TokenExpired | Kind::Credentials
        )
    }
    /// No answer in time.
    pub fn is_timeout(&self) -> bool {
        self.0.kind == Kind::Timeout
    }
    /// The same call may succeed later. Whether repeating it is safe is another question: see
    /// [`outcome`](Self::outcome).
    pub fn is_retryable(&self) -> bool {
        self.0.kind.may_pass() || matches!(self.0.kind, Kind::TokenExpired | Kind::ClockSkew)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        write!(f, "{} failed: ", inner.operation)?;
        if let Some(code) = &inner.code {
            write!(f, "{code}: ")?;
        }
        f.write_str(if inner.message.is_empty() {
            "no message"
        } else {
            &inner.message
        })?;
        let mut facts = Vec::new();
        if let Some(status) = inner.status {
            facts.push(format!("status {status}"));
        }
        if let Some(id) = &inner.request_id {
            facts.push(format!("request {id}"));
        }
        if inner.attempts.len() > 1 {
            facts.push(format!("{} attempts", inner.attempts.len()));
        }
        if let Some(why) = &inner.not_repeated {
            facts.push(format!("not repeated: {why}"));
        }
        if inner.outcome == Outcome::Unknown && !inner.harmless {
            facts.push("it may have been executed".into());
            if let Some(token) = &inner.client_token {
                facts.push(format!("client token {token}"));
            }
            if let Some(job) = &inner.job {
                facts.push(format!("job {job}"));
            }
        }
        if !facts.is_empty() {
            write!(f, " ({})", facts.join(", "))?;
        }
        if let Some(hint) = &inner.hint {
            write!(f, ". {hint}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    /// `{:?}` is what `fn main() -> Result<(), Error>` prints, so it is for people: the line of `{}`, and
    /// every attempt beneath it. `{:#?}` is the structure.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        if !f.alternate() {
            fmt::Display::fmt(self, f)?;
            return self.write_attempts(f);
        }
        f.debug_struct("Error")
            .field("kind", &inner.kind)
            .field("outcome", &inner.outcome)
            .field("operation", &inner.operation)
            .field("code", &inner.code)
            .field("message", &inner.message)
            .field("hint", &inner.hint)
            .field("status", &inner.status)
            .field("request_id", &inner.request_id)
            .field("client_token", &inner.client_token)
            .field("job", &inner.job)
            .field("retry_after", &inner.retry_after)
            .field("attempts", &inner.attempts)
            .field("not_repeated", &inner.not_repeated)
            .finish_non_exhaustive()
    }
}

impl From<ValidationError> for Error {
    fn from(invalid: ValidationError) -> Self {
        Self::new(Kind::InvalidInput, invalid.operation, invalid.to_string()).with_source(invalid)
    }
}

impl From<InvalidClientToken> for Error {
    fn from(invalid: InvalidClientToken) -> Self {
        Self::new(Kind::InvalidInput, "client_token", invalid.to_string()).with_source(invalid)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_ref().map(|source| &**source as _)
    }
}
