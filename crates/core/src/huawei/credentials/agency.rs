//! Acts in another account, by an agency that it made for the caller's account.
//!
//! With a token as the source, the agency gives a token; with keys it gives temporary keys, since a
//! token would leave nothing to sign with.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde_json::json;

use crate::clock::BoxFuture;

use super::REQUEST_IDS;
use super::iam::{self, Iam, iam_settings};
use super::keystone::{self, Named, Target};
use super::{projects, temporary_keys};
use crate::credentials::fetch::Route;
use crate::credentials::{
    Context, Credential, CredentialError, Identity, Keys, Provider, Window, check, misconfigured,
};
use crate::transport::HttpRequest;

const NAME: &str = "agency";
const ROUTE: Route = Route::new(NAME, "IAM", REQUEST_IDS).telling();

/// Credentials for another account that has delegated rights through an agency.
#[derive(Debug, Clone)]
pub struct Agency {
    source: Arc<dyn Provider>,
    agency: String,
    domain: Option<Named>,
    project: Option<Named>,
    duration: Duration,
    iam: Iam,
}

iam_settings!(Agency);

impl Agency {
    /// The agency of this name, used by whom `source` tells.
    pub fn new(source: impl Provider + 'static, agency: impl Into<String>) -> Self {
        Self::shared(Arc::new(source), agency)
    }

    pub(super) fn shared(source: Arc<dyn Provider>, agency: impl Into<String>) -> Self {
        Self {
            source,
            agency: agency.into(),
            domain: None,
            project: None,
            duration: temporary_keys::USUAL,
            iam: Iam::default(),
        }
    }

    /// The account that made the agency, by its domain's name.
    pub fn domain_name(mut self, name: impl Into<String>) -> Self {
        self.domain = Some(Named::Name(name.into()));
        self
    }

    /// The account that made the agency, by its domain's id.
    pub fn domain_id(mut self, id: impl Into<String>) -> Self {
        self.domain = Some(Named::Id(id.into()));
        self
    }

    /// The project of that account to work in, by id.
    pub fn project_id(mut self, id: impl Into<String>) -> Self {
        self.project = Some(Named::Id(id.into()));
        self
    }

    /// The project of that account to work in, by name.
    pub fn project_name(mut self, name: impl Into<String>) -> Self {
        self.project = Some(Named::Name(name.into()));
        self
    }

    /// How long temporary keys live: 900 s to 24 h; one hour by default. Tokens live for 24 h.
    pub fn duration(mut self, duration: Duration) -> Self {
        self.duration = duration;
        self
    }

    async fn assume(&self, context: &Context) -> Result<Credential, CredentialError> {
        let domain = self.domain.as_ref().ok_or_else(|| {
            misconfigured(NAME, "the account that made the agency is not set")
                .with_hint("Set its domain (OS_AGENCY_DOMAIN_NAME)")
        })?;
        let seconds = temporary_keys::seconds(NAME, self.duration)?;
        let source = self.source.provide(context).await?;
        check(&source, context.clock.now())?;
        let mut role = json!({ "xrole_name": self.agency });
        match domain {
            Named::Id(id) => role["domain_id"] = json!(id),
            Named::Name(name) => role["domain_name"] = json!(name),
        }
        let text = format!("agency {}, used by the {}", self.agency, source.source);
        match &source.identity {
            Identity::Token(token) => {
                let identity = json!({ "methods": ["assume_role"], "assume_role": role });
                let target = Target {
                    project: self.project.clone(),
                    project_domain: None,
                    domain: Some(domain.clone()),
                };
                let body = keystone::body(&identity, target.json(Some(domain)));
                let url = self.iam.url(NAME, "/v3/auth/tokens")?;
                let dress = |ask: HttpRequest| ask.header("x-auth-token", token.expose());
                keystone::log_in(context, &ROUTE, &url, &body, text, dress).await
            }
            Identity::Keys(keys) => {
                role["duration_seconds"] = json!(seconds);
                let body = json!({ "auth": { "identity": {
                    "methods": ["assume_role"], "assume_role": role,
                } } });
                let url = self.iam.url(NAME, temporary_keys::PATH)?;
                let ask = || {
                    let ask = HttpRequest::new(Method::POST, url.clone()).json(&body);
                    Ok(iam::sign(context, ask, keys))
                };
                let reply = ROUTE.send(context, ask).await?;
                let credential = temporary_keys::keys(&ROUTE, &reply, text)?;
                self.in_project(context, credential).await
            }
        }
    }

    /// Temporary keys say nothing of a project: it is told, or found by its name.
    async fn in_project(
        &self,
        context: &Context,
        mut credential: Credential,
    ) -> Result<Credential, CredentialError> {
        credential.scope.project_id = match (&self.project, &credential.identity) {
            (Some(Named::Id(id)), _) => Some(id.clone()),
            (Some(Named::Name(name)), Identity::Keys(keys)) => {
                Some(projects::find(context, &self.iam, keys as &Keys, name).await?)
            }
            _ => None,
        };
        Ok(credential)
    }
}

impl Provider for Agency {
    fn name(&self) -> &'static str {
        NAME
    }

    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Credential, CredentialError>> {
        Box::pin(self.assume(context))
    }

    fn window(&self) -> Window {
        Window::TOKEN
    }
}
