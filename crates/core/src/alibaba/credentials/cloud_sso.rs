//! Keys by a CloudSSO login that the vendor's command line made.

use std::time::SystemTime;

use http::Method;

use crate::clock::BoxFuture;
use crate::record::Secret;

use super::REQUEST_IDS;
use super::answer;
use crate::credentials::fetch::{self, Route};
use crate::credentials::{Context, Credential, CredentialError, Provider, Reason};
use crate::transport::HttpRequest;

const NAME: &str = "CloudSSO";
const ROUTE: Route = Route::new(NAME, "CloudSSO", REQUEST_IDS);

/// Temporary keys for an access configuration on an account, by the access token of a login.
///
/// The login itself takes a browser: when its token has ended, the error says how to renew it.
#[derive(Debug, Clone)]
pub struct CloudSso {
    sign_in_url: String,
    account_id: String,
    access_configuration: String,
    access_token: Secret,
    pub(super) token_ends: Option<SystemTime>,
    pub(super) source: String,
    pub(super) login: String,
}

impl CloudSso {
    /// By the address of the sign-in page, the account, the access configuration and the token.
    pub fn new(
        sign_in_url: impl Into<String>,
        account_id: impl Into<String>,
        access_configuration: impl Into<String>,
        access_token: impl Into<Secret>,
    ) -> Self {
        Self {
            sign_in_url: sign_in_url.into(),
            account_id: account_id.into(),
            access_configuration: access_configuration.into(),
            access_token: access_token.into(),
            token_ends: None,
            source: "the CloudSSO login given".into(),
            login: "Log in again".into(),
        }
    }

    async fn fetch(&self, context: &Context) -> Result<Credential, CredentialError> {
        let ended = |what: &str| {
            let message = format!("the CloudSSO login of {} {what}", self.source);
            CredentialError::new(Reason::Expired, NAME, message).with_hint(self.login.clone())
        };
        if self
            .token_ends
            .is_some_and(|end| end <= context.clock.now())
        {
            return Err(ended("has ended"));
        }
        let mut url = fetch::address(NAME, "cloud_sso_sign_in_url", &self.sign_in_url)?;
        fetch::guard(NAME, &url, false)?;
        url.set_path("/cloud-credentials");
        url.set_query(None);
        url.set_fragment(None);
        let bearer = format!("Bearer {}", self.access_token.expose());
        let body = serde_json::json!({
            "AccountId": self.account_id,
            "AccessConfigurationId": self.access_configuration,
        });
        let reply = ROUTE
            .send(context, || {
                Ok(HttpRequest::new(Method::POST, url.clone())
                    .header("authorization", &bearer)
                    .header("accept", "application/json")
                    .json(&body))
            })
            .await?;
        if reply.status == 401 {
            return Err(ended("is no longer accepted"));
        }
        let json = ROUTE.json(&reply)?;
        let object = json
            .get("CloudCredential")
            .ok_or_else(|| ROUTE.incomplete("CloudCredential"))?;
        let mut credential = answer::temporary_keys(&ROUTE, object, self.source.clone())?;
        credential.scope.account = Some(self.account_id.clone());
        credential.scope.user = Some(self.access_configuration.clone());
        Ok(credential)
    }
}

impl Provider for CloudSso {
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
