//! An account's login, as variables tell it.

use crate::clock::BoxFuture;

use super::login::NAME;
use super::{AccountLogin, LoginSettings};
use crate::credentials::{
    Context, Credential, CredentialError, Provider, misconfigured, not_set, pair,
};

/// `ZSTACK_ACCOUNT_NAME` and `ZSTACK_ACCOUNT_PASSWORD`, at the endpoint that the client or the
/// environment names.
#[derive(Debug)]
pub(super) struct AccountVariables(LoginSettings);

impl AccountVariables {
    pub(super) fn new(settings: LoginSettings) -> Self {
        Self(settings)
    }

    fn login(&self, context: &Context) -> Result<(AccountLogin, String), CredentialError> {
        const NAMES: [&str; 2] = ["ZSTACK_ACCOUNT_NAME", "ZSTACK_ACCOUNT"];
        const PASSWORDS: [&str; 2] = ["ZSTACK_ACCOUNT_PASSWORD", "ZSTACK_PASSWORD"];
        let environment = &context.environment;
        let found = pair(environment, NAME, &NAMES, &PASSWORDS)?.ok_or_else(|| {
            not_set(
                NAME,
                format!("{} and {} are not set", NAMES[0], PASSWORDS[0]),
            )
        })?;
        let endpoint = self
            .0
            .endpoint
            .clone()
            .or_else(|| super::endpoint(environment));
        let endpoint = endpoint.ok_or_else(|| {
            misconfigured(NAME, "the address to log in at is not known")
                .with_hint("Set ZSTACK_ENDPOINT, such as https://zstack.example.com:8080/zstack")
        })?;
        let login =
            AccountLogin::new(endpoint, found.id, found.secret).allow_http(self.0.allow_http);
        Ok((login, found.source))
    }
}

impl Provider for AccountVariables {
    fn name(&self) -> &'static str {
        NAME
    }

    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Credential, CredentialError>> {
        Box::pin(async move {
            let (login, source) = self.login(context)?;
            let mut credential = login.provide(context).await?;
            credential.source = format!("{}, by {source}", credential.source);
            Ok(credential)
        })
    }

    fn release<'a>(
        &'a self,
        context: &'a Context,
        credential: &'a Credential,
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if let Ok((login, _)) = self.login(context) {
                login.release(context, credential).await;
            }
        })
    }
}
