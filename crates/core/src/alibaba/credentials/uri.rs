//! Keys from an address that a platform offers to its programs.

use std::fmt;

use http::Method;

use crate::address;
use crate::clock::BoxFuture;

use super::REQUEST_IDS;
use super::answer;
use crate::credentials::fetch::{self, Route, member};
use crate::credentials::{Context, Credential, CredentialError, Provider, Reason, not_set};
use crate::transport::HttpRequest;

const NAME: &str = "credentials URI";
const VARIABLE: &str = "ALIBABA_CLOUD_CREDENTIALS_URI";
const ROUTE: Route = Route::new(NAME, "the credentials URI", REQUEST_IDS);

/// Temporary keys from a GET of an address: by HTTPS, or from this machine itself.
#[derive(Clone)]
pub struct CredentialsUri {
    address: Option<String>,
    allow_http: bool,
}

impl fmt::Debug for CredentialsUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialsUri")
            .field("address", &self.address.as_deref().map(address::shown))
            .field("allow_http", &self.allow_http)
            .finish()
    }
}

impl CredentialsUri {
    /// From this address.
    pub fn new(address: impl Into<String>) -> Self {
        Self {
            address: Some(address.into()),
            allow_http: false,
        }
    }

    /// From the address in `ALIBABA_CLOUD_CREDENTIALS_URI`.
    pub fn from_environment() -> Self {
        Self {
            address: None,
            allow_http: false,
        }
    }

    /// Allows keys to come over plain HTTP from another machine.
    pub fn allow_http(mut self, allow: bool) -> Self {
        self.allow_http = allow;
        self
    }

    async fn fetch(&self, context: &Context) -> Result<Credential, CredentialError> {
        let (address, source) = match &self.address {
            Some(address) => (address.clone(), "the credentials URI given".to_owned()),
            None => match context.environment.var(VARIABLE) {
                Some(address) => (address, format!("the address in {VARIABLE}")),
                None => return Err(not_set(NAME, format!("{VARIABLE} is not set"))),
            },
        };
        let url = fetch::address(NAME, "the credentials URI", &address)?;
        fetch::guard(NAME, &url, self.allow_http)?;
        let reply = ROUTE
            .send(context, || Ok(HttpRequest::new(Method::GET, url.clone())))
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
