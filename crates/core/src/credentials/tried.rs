//! What one provider answered, for people who ask which credentials win and why.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::clock::{unix_seconds, within};
use crate::sign::time;

use super::{Context, Credential, CredentialError, Identity, Provider, Reason, Scope};

/// What a provider answered when it was asked for a report. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProviderReport {
    /// The provider.
    pub provider: &'static str,
    /// What it said.
    pub finding: Finding,
}

/// What came of asking a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// Its credentials count.
    Found {
        /// Where they come from: a file, variables, a service.
        source: String,
        /// The public half of a key pair.
        key_id: Option<String>,
        /// When they end, if they do.
        expires_at: Option<SystemTime>,
        /// What they say about themselves.
        scope: Scope,
    },
    /// It has none, or failed.
    Failed(CredentialError),
    /// One before it ended the search.
    NotAsked,
}

impl ProviderReport {
    pub(crate) fn of(provider: &'static str, result: Result<Credential, CredentialError>) -> Self {
        let finding = match result {
            Ok(credential) => Finding::Found {
                key_id: match credential.identity {
                    Identity::Keys(keys) => Some(keys.id),
                    Identity::Token(_) => None,
                },
                source: credential.source,
                expires_at: credential.expires_at,
                scope: credential.scope,
            },
            Err(error) => Finding::Failed(error),
        };
        Self { provider, finding }
    }

    pub(crate) fn not_asked(provider: &'static str) -> Self {
        Self {
            provider,
            finding: Finding::NotAsked,
        }
    }

    /// Whether providers after this one are not asked.
    pub fn ends_search(&self) -> bool {
        match &self.finding {
            Finding::Found { .. } => true,
            Finding::Failed(error) => error.reason != Reason::NotConfigured,
            Finding::NotAsked => false,
        }
    }
}

impl fmt::Display for ProviderReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.finding {
            Finding::Failed(error) => write!(f, "{error}"),
            Finding::NotAsked => write!(f, "{}: not asked", self.provider),
            Finding::Found {
                source,
                key_id,
                expires_at,
                scope,
            } => {
                write!(f, "{}: found in {source}", self.provider)?;
                let named = [
                    ("key", key_id),
                    ("account", &scope.account),
                    ("user", &scope.user),
                    ("project", &scope.project_id),
                ];
                for (what, value) in named {
                    if let Some(value) = value {
                        write!(f, ", {what} {value}")?;
                    }
                }
                if let Some(at) = expires_at {
                    write!(f, ", until {}", time::iso8601(unix_seconds(*at)))?;
                }
                Ok(())
            }
        }
    }
}

/// What `provider` says for a report, or that it took longer than `limit`.
pub async fn explain_within(
    provider: &dyn Provider,
    context: &Context,
    limit: Duration,
) -> Vec<ProviderReport> {
    let report = provider.explain(context);
    match within(&*context.clock, limit, report).await {
        Some(tried) => tried,
        None => {
            let message = format!("gave no answer within {} s", limit.as_secs_f64());
            let error = CredentialError::new(Reason::TimedOut, provider.asked(), message);
            vec![ProviderReport::of(provider.asked(), Err(error))]
        }
    }
}
