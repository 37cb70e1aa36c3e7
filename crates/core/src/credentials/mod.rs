//! Who is calling: one trait for every source of credentials, one cache around it.
//!
//! A [`Provider`] fetches a [`Credential`]; the client keeps it in a [`Cache`], which refreshes it
//! early, once for all waiting calls, and gives every attempt one consistent snapshot.

pub(crate) mod cache;
pub mod chain;
pub(crate) mod check;
pub(crate) mod environment;
pub(crate) mod error;
pub(crate) mod fetch;
pub(crate) mod file;
pub(crate) mod given;
pub(crate) mod ini;
pub(crate) mod pair;
pub(crate) mod process;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod tls;
pub(crate) mod tried;

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use crate::clock::{BoxFuture, Clock, Entropy};
use crate::record::Secret;
use crate::transport::Transport;

pub use cache::{Cache, Snapshot, Window};
pub use chain::Chain;
pub use environment::Environment;
pub use error::{CredentialError, Reason};
pub use file::warnings;
pub use given::Static;
pub use tls::TlsSettings;
pub use tried::{Finding, ProviderReport, explain_within};

pub(crate) use check::check;
pub(crate) use error::{misconfigured, not_set};
pub(crate) use given::Fixed;
pub(crate) use pair::pair;

/// An access key pair, with the session token of temporary ones.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Keys {
    /// The public half.
    pub id: String,
    /// The secret half.
    pub secret: Secret,
    /// The session token of temporary keys.
    pub token: Option<Secret>,
}

impl Keys {
    /// A key pair.
    pub fn new(id: impl Into<String>, secret: impl Into<Secret>) -> Self {
        Self {
            id: id.into(),
            secret: secret.into(),
            token: None,
        }
    }

    /// The session token of a temporary pair.
    #[must_use]
    pub fn with_token(mut self, token: impl Into<Secret>) -> Self {
        self.token = Some(token.into());
        self
    }
}

/// What a request proves its sender with.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Identity {
    /// A key pair that signs.
    Keys(Keys),
    /// A token that is sent as it is: a bearer token, a session.
    Token(Secret),
}

/// What the credentials say about themselves, beside proving an identity.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scope {
    /// The project they are for.
    pub project_id: Option<String>,
    /// The domain or account that they belong to.
    pub account: Option<String>,
    /// The user or role.
    pub user: Option<String>,
    /// Endpoints from a service catalog: service type, region, address.
    pub endpoints: Vec<CatalogEndpoint>,
}

/// An endpoint that a service catalog names.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CatalogEndpoint {
    /// The service type, such as `apigv2`.
    pub service: String,
    /// The region.
    pub region: String,
    /// The address.
    pub url: String,
}

/// Credentials as one consistent whole.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Credential {
    /// Key pair or token.
    pub identity: Identity,
    /// When they stop working, if they do.
    pub expires_at: Option<SystemTime>,
    /// Where they came from, for people.
    pub source: String,
    /// What they say about themselves.
    pub scope: Scope,
}

impl Credential {
    /// Credentials without expiry or scope.
    pub fn new(identity: Identity, source: impl Into<String>) -> Self {
        Self {
            identity,
            expires_at: None,
            source: source.into(),
            scope: Scope::default(),
        }
    }

    /// The texts that must not show up in messages.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let (first, second) = match &self.identity {
            Identity::Keys(keys) => (&keys.secret, keys.token.as_ref()),
            Identity::Token(token) => (token, None),
        };
        std::iter::once(first).chain(second)
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let identity = match &self.identity {
            Identity::Keys(keys) if keys.token.is_some() => format!("temporary key {}", keys.id),
            Identity::Keys(keys) => format!("key {}", keys.id),
            Identity::Token(_) => "token".to_owned(),
        };
        f.debug_struct("Credential")
            .field("identity", &identity)
            .field("source", &self.source)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// What providers work with: everything that is injected into a client.
#[derive(Debug, Clone)]
pub struct Context {
    /// Sends requests, through the proxy where one is configured.
    pub transport: Arc<dyn Transport>,
    /// Sends requests to metadata services, never through a proxy.
    pub direct: Arc<dyn Transport>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Environment variables and the home directory.
    pub environment: Environment,
}

/// A source of credentials.
pub trait Provider: Send + Sync + fmt::Debug {
    /// A short name for messages, such as `environment`.
    fn name(&self) -> &'static str;

    /// The part of it that is being asked, or was last, for messages: in a chain, one provider.
    fn asked(&self) -> &'static str {
        self.name()
    }

    /// Fetches credentials. Called again when they expire or are refused.
    ///
    /// A client awaits it in a task of its own on the runtime of the caller who needs them first,
    /// for at most two minutes, and goes on with it when that caller leaves.
    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Credential, CredentialError>>;

    /// How long before expiry they are refreshed.
    fn window(&self) -> Window {
        Window::default()
    }

    /// Gives them up where that means something, such as ending a session.
    fn release<'a>(
        &'a self,
        context: &'a Context,
        credential: &'a Credential,
    ) -> BoxFuture<'a, ()> {
        let _ = (context, credential);
        Box::pin(std::future::ready(()))
    }

    /// Fetches credentials only to report on it: what was looked at, and what came of it.
    fn explain<'a>(&'a self, context: &'a Context) -> BoxFuture<'a, Vec<ProviderReport>> {
        Box::pin(async move {
            let result = self.provide(context).await;
            let result = match result {
                Ok(credential) => {
                    self.release(context, &credential).await;
                    check(&credential, context.clock.now()).map(|()| credential)
                }
                Err(error) => Err(error),
            };
            vec![ProviderReport::of(self.name(), result)]
        })
    }
}
