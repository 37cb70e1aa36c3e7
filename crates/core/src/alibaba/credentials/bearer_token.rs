//! A token that stands in place of a signature.

use crate::clock::BoxFuture;
use crate::record::Secret;

use crate::credentials::{Context, Credential, CredentialError, Identity, Provider};

/// A bearer token, sent as it is.
#[derive(Debug, Clone)]
pub struct BearerToken {
    token: Secret,
    source: String,
}

impl BearerToken {
    /// With this token.
    pub fn new(token: impl Into<Secret>) -> Self {
        Self::from(token, "given by the program")
    }

    pub(super) fn from(token: impl Into<Secret>, source: impl Into<String>) -> Self {
        Self {
            token: token.into(),
            source: source.into(),
        }
    }
}

impl Provider for BearerToken {
    fn name(&self) -> &'static str {
        "bearer token"
    }

    fn provide<'a>(&'a self, _: &'a Context) -> BoxFuture<'a, Result<Credential, CredentialError>> {
        let identity = Identity::Token(self.token.clone());
        let credential = Credential::new(identity, self.source.clone());
        Box::pin(std::future::ready(Ok(credential)))
    }
}
