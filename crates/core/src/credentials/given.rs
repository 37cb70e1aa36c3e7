//! Credentials that are at hand: given by a program, or found by a provider in its own place.

use crate::clock::BoxFuture;
use crate::record::Secret;

use super::{Context, Credential, CredentialError, Identity, Keys, Provider};

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::testing::{World, parts};

    #[tokio::test]
    async fn static_credentials_are_given_as_they_are() {
        let world = World::new(&[]);
        let found = world.keys(&Static::temporary("i", "s", "t")).await;
        assert_eq!(parts(&found), ("i", "s", Some("t")));
        let debug = format!("{:?}", Static::temporary("i", "s3cr3t", "s3cr3t"));
        assert!(!debug.contains("s3cr3t"), "{debug}");
        let token = world.provide(&Static::token("t")).await.unwrap();
        assert!(matches!(token.identity, Identity::Token(_)));
    }
}
