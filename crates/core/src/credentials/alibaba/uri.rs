//! Keys from an address that a platform offers to its programs.

use http::Method;

use crate::clock::BoxFuture;

use super::super::fetch::{self, Ask, Route, member};
use super::super::provide::not_set;
use super::super::{Context, Credential, CredentialError, Provider, Reason};
use super::answer;

const NAME: &str = "credentials URI";
const VARIABLE: &str = "ALIBABA_CLOUD_CREDENTIALS_URI";
const ROUTE: Route = Route::new(NAME, "the credentials URI");

/// Temporary keys from a GET of an address.
#[derive(Debug, Clone)]
pub struct CredentialsUri(Option<String>);

impl CredentialsUri {
    /// From this address.
    pub fn new(address: impl Into<String>) -> Self {
        Self(Some(address.into()))
    }

    /// From the address in `ALIBABA_CLOUD_CREDENTIALS_URI`.
    pub fn from_environment() -> Self {
        Self(None)
    }

    async fn fetch(&self, context: &Context) -> Result<Credential, CredentialError> {
        let (address, source) = match &self.0 {
            Some(address) => (address.clone(), "the credentials URI given".to_owned()),
            None => match context.environment.var(VARIABLE) {
                Some(address) => (address, format!("the address in {VARIABLE}")),
                None => return Err(not_set(NAME, format!("{VARIABLE} is not set"))),
            },
        };
        let url = fetch::address(NAME, "the credentials URI", &address)?;
        let route = Route {
            // No proxy knows this machine's own addresses.
            direct: fetch::is_loopback(&url),
            ..ROUTE
        };
        let reply = route
            .send(context, || Ok(Ask::new(Method::GET, url.clone())))
            .await?;
        let json = ROUTE.json(&reply)?;
        if member(&json, "Code").is_some_and(|code| code != "Success") {
            let message = "the credentials URI answered with a Code other than Success";
            return Err(CredentialError::new(Reason::Refused, NAME, message));
        }
        answer::temporary_keys(&ROUTE, &json, source)
    }
}

impl Provider for CredentialsUri {
    fn name(&self) -> &'static str {
        NAME
    }

    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Credential, CredentialError>> {
        Box::pin(self.fetch(context))
    }
}
