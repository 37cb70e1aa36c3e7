//! An access key, which signs every call. No session, no password: the choice for programs.

use crate::clock::BoxFuture;
use crate::record::Secret;

use crate::credentials::{
    Context, Credential, CredentialError, Identity, Keys, Provider, not_set, pair,
};

const NAME: &str = "ZStack access key";
const ID: &str = "ZSTACK_ACCESS_KEY_ID";
const SECRET: &str = "ZSTACK_ACCESS_KEY_SECRET";

/// A ZStack access key.
#[derive(Debug, Clone)]
pub struct AccessKey(Credential);

impl AccessKey {
    /// The key `id` with its secret.
    pub fn new(id: impl Into<String>, secret: impl Into<Secret>) -> Self {
        let keys = Keys {
            id: id.into(),
            secret: secret.into(),
            token: None,
        };
        Self(Credential::new(
            Identity::Keys(keys),
            "access key given by the program",
        ))
    }
}

impl Provider for AccessKey {
    fn name(&self) -> &'static str {
        NAME
    }

    fn provide<'a>(&'a self, _: &'a Context) -> BoxFuture<'a, Result<Credential, CredentialError>> {
        Box::pin(std::future::ready(Ok(self.0.clone())))
    }
}

/// `ZSTACK_ACCESS_KEY_ID` and `ZSTACK_ACCESS_KEY_SECRET`.
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
        let found = pair(&context.environment, NAME, &[ID], &[SECRET]).and_then(|found| {
            let found =
                found.ok_or_else(|| not_set(NAME, format!("{ID} and {SECRET} are not set")))?;
            Ok(found.keys(None))
        });
        Box::pin(std::future::ready(found))
    }
}
