//! A session that somebody else opened. It is used as it is, and never ended from here.

use crate::clock::BoxFuture;
use crate::record::Secret;

use crate::credentials::{Context, Credential, CredentialError, Identity, Provider, not_set};

const NAME: &str = "ZStack session";
const VARIABLE: &str = "ZSTACK_SESSION_ID";

/// A session, by its id.
#[derive(Debug, Clone)]
pub struct Session(Secret);

impl Session {
    /// The session with this id.
    pub fn new(id: impl Into<Secret>) -> Self {
        Self(id.into())
    }
}

fn credential(session: Secret, source: &str) -> Credential {
    Credential::new(Identity::Token(session), source)
}

impl Provider for Session {
    fn name(&self) -> &'static str {
        NAME
    }

    fn provide<'a>(&'a self, _: &'a Context) -> BoxFuture<'a, Result<Credential, CredentialError>> {
        let credential = credential(self.0.clone(), "session given by the program");
        Box::pin(std::future::ready(Ok(credential)))
    }
}

/// `ZSTACK_SESSION_ID`.
#[derive(Debug)]
pub(super) struct FromEnvironment;

impl Provider for FromEnvironment {
    fn name(&self) -> &'static str {
        NAME
    }

    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Credential, CredentialError>> {
        let session = context.environment.var(VARIABLE);
        let found = session
            .map(|session| credential(Secret::from(session), VARIABLE))
            .ok_or_else(|| not_set(NAME, format!("{VARIABLE} is not set")));
        Box::pin(std::future::ready(found))
    }
}
