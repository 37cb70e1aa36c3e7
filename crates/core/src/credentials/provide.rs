//! Credentials that a program hands in.

use std::time::{Duration, SystemTime};

use crate::clock::{BoxFuture, unix_seconds, within};
use crate::record::Secret;
use crate::sign::time;

use super::{
    Context, Credential, CredentialError, Environment, Identity, Keys, Provider, ProviderReport,
    Reason,
};

/// Credentials that never change: a key pair, a temporary pair, a token.
#[derive(Clone, Debug)]
pub struct Static(Credential);

impl Static {
    /// A key pair.
    pub fn keys(id: impl Into<String>, secret: impl Into<Secret>) -> Self {
        Self::of(Identity::Keys(Keys {
            id: id.into(),
            secret: secret.into(),
            token: None,
        }))
    }

    /// A temporary key pair with its session token.
    pub fn temporary(
        id: impl Into<String>,
        secret: impl Into<Secret>,
        token: impl Into<Secret>,
    ) -> Self {
        Self::of(Identity::Keys(Keys {
            id: id.into(),
            secret: secret.into(),
            token: Some(token.into()),
        }))
    }

    /// A token that is sent as it is.
    pub fn token(token: impl Into<Secret>) -> Self {
        Self::of(Identity::Token(token.into()))
    }

    fn of(identity: Identity) -> Self {
        Self(Credential::new(identity, "given by the program"))
    }
}

impl Provider for Static {
    fn name(&self) -> &'static str {
        "static"
    }

    fn provide<'a>(&'a self, _: &'a Context) -> BoxFuture<'a, Result<Credential, CredentialError>> {
        Box::pin(std::future::ready(Ok(self.0.clone())))
    }
}

/// Credentials that another provider found in its own place.
#[derive(Debug)]
pub(crate) struct Fixed {
    pub(crate) name: &'static str,
    pub(crate) credential: Credential,
}

impl Provider for Fixed {
    fn name(&self) -> &'static str {
        self.name
    }

    fn provide<'a>(&'a self, _: &'a Context) -> BoxFuture<'a, Result<Credential, CredentialError>> {
        Box::pin(std::future::ready(Ok(self.credential.clone())))
    }
}

/// Whether `credential` can work at all.
///
/// A space or a line break at the end of a pasted secret is the commonest cause of signatures that
/// do not match, and a wrong clock that of credentials that seem to have ended when they are issued.
pub(crate) fn check(credential: &Credential, now: SystemTime) -> Result<(), CredentialError> {
    if let Some(end) = credential.expires_at
        && end <= now
    {
        let written = |at| time::iso8601(unix_seconds(at));
        let message = format!(
            "the credentials from {} ended at {}",
            credential.source,
            written(end)
        );
        return Err(
            CredentialError::new(Reason::Expired, "credentials", message)
                .with_hint(format!("This machine's clock says {}", written(now))),
        );
    }
    let named = match &credential.identity {
        Identity::Keys(keys) => vec![
            ("key id", Some(keys.id.as_str())),
            ("secret", Some(keys.secret.expose())),
            ("session token", keys.token.as_ref().map(Secret::expose)),
        ],
        Identity::Token(token) => vec![("token", Some(token.expose()))],
    };
    for (name, text) in named {
        let problem = match text {
            Some("") => "is empty",
            Some(text) if text.trim() != text => "has white space at its start or end",
            Some(text) if text.chars().any(|c| c.is_control() || c.is_whitespace()) => {
                "holds white space or a control character"
            }
            _ => continue,
        };
        let message = format!("the {name} from {} {problem}", credential.source);
        return Err(CredentialError::new(
            Reason::Misconfigured,
            "credentials",
            message,
        ));
    }
    Ok(())
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

/// A pair of variables of which neither makes sense alone.
///
/// `None` where none is set; an error where one is: going on would silently act as somebody else.
pub(crate) fn pair(
    environment: &Environment,
    provider: &'static str,
    id: &[&str],
    secret: &[&str],
) -> Result<Option<Pair>, CredentialError> {
    let half = |set: &str, missing: &str| {
        let message = format!("{set} is set, but {missing} is not, or is empty");
        CredentialError::new(Reason::Misconfigured, provider, message)
            .with_hint(format!("Set {missing}, or unset {set}"))
    };
    match (environment.first(id), environment.first(secret)) {
        (None, None) => Ok(None),
        (Some((set, _)), None) => Err(half(set, secret.first().copied().unwrap_or_default())),
        (None, Some((set, _))) => Err(half(set, id.first().copied().unwrap_or_default())),
        (Some((id_name, id)), Some((secret_name, secret))) => Ok(Some(Pair {
            id,
            secret: Secret::from(secret),
            source: format!("{id_name} and {secret_name}"),
        })),
    }
}

/// What [`pair`] found.
pub(crate) struct Pair {
    pub(crate) id: String,
    pub(crate) secret: Secret,
    /// The variables, for messages.
    pub(crate) source: String,
}

impl Pair {
    /// The pair as credentials, temporary ones if there is a token.
    pub(crate) fn keys(self, token: Option<String>) -> Credential {
        let keys = Keys {
            id: self.id,
            secret: self.secret,
            token: token.map(Secret::from),
        };
        Credential::new(Identity::Keys(keys), self.source)
    }
}

/// Where a provider looked and found nothing set up.
pub(crate) fn not_set(provider: &'static str, what: impl Into<String>) -> CredentialError {
    CredentialError::new(Reason::NotConfigured, provider, what)
}

/// A source of credentials that is set up wrongly.
pub(crate) fn misconfigured(provider: &'static str, what: impl Into<String>) -> CredentialError {
    CredentialError::new(Reason::Misconfigured, provider, what)
}

#[cfg(test)]
mod tests;
