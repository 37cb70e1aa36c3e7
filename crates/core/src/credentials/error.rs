//! Why no credentials could be had: every source that was tried, what it looked at, why it said no.

use std::fmt;

use crate::error::{Error, Kind, Outcome};

/// Why a provider gave nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// It is not set up; the next provider may be.
    NotConfigured,
    /// It is set up, but wrongly: half a key pair, an unreadable file.
    Misconfigured,
    /// The service that issues credentials refused.
    Refused,
    /// The service that issues credentials could not be reached or did not answer properly.
    Unavailable,
    /// They ended and cannot be renewed without a person.
    Expired,
    /// The caller's time was over before they came. Nothing is wrong with them so far.
    TimedOut,
}

/// A failure to get credentials. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CredentialError {
    /// Why.
    pub reason: Reason,
    /// The provider.
    pub provider: &'static str,
    /// What it looked at and what was wrong.
    pub message: String,
    /// What a person can do.
    pub hint: Option<String>,
    /// For a chain: what each provider said.
    pub tried: Vec<CredentialError>,
}

impl CredentialError {
    /// An error of `provider`.
    pub fn new(reason: Reason, provider: &'static str, message: impl Into<String>) -> Self {
        Self {
            reason,
            provider,
            message: message.into(),
            hint: None,
            tried: Vec::new(),
        }
    }

    /// Adds what a person can do.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The failure of `operation` for want of credentials. Nothing was sent.
    pub(crate) fn for_operation(self, operation: &'static str) -> Error {
        let kind = match self.reason {
            Reason::TimedOut => Kind::Timeout,
            _ => Kind::Credentials,
        };
        let mut error = Error::new(kind, operation, self.to_string());
        error.inner().outcome = Outcome::NotSent;
        error.with_source(self)
    }
}

impl fmt::Display for CredentialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.provider, self.message)?;
        for (index, error) in self.tried.iter().enumerate() {
            let separator = if index == 0 { ": " } else { "; " };
            write!(f, "{separator}{error}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, " ({hint})")?;
        }
        Ok(())
    }
}

impl std::error::Error for CredentialError {}

/// Where a provider looked and found nothing set up.
pub(crate) fn not_set(provider: &'static str, what: impl Into<String>) -> CredentialError {
    CredentialError::new(Reason::NotConfigured, provider, what)
}

/// A source of credentials that is set up wrongly.
pub(crate) fn misconfigured(provider: &'static str, what: impl Into<String>) -> CredentialError {
    CredentialError::new(Reason::Misconfigured, provider, what)
}

impl From<CredentialError> for Error {
    fn from(error: CredentialError) -> Self {
        error.for_operation("credentials")
    }
}
