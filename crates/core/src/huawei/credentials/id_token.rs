//! Logs in with the token of another identity provider, as pods and CI runners have one in a file.

use serde_json::json;

use crate::clock::BoxFuture;
use crate::wipe::Wiped;

use super::REQUEST_IDS;
use super::iam::{Iam, iam_settings};
use super::keystone::{self, Named, Target};
use crate::credentials::fetch::Route;
use crate::credentials::{
    Context, Credential, CredentialError, Provider, Window, file, misconfigured,
};
use crate::transport::HttpRequest;

const NAME: &str = "identity provider token";
const ROUTE: Route = Route::new(NAME, "IAM", REQUEST_IDS).telling();

/// A Keystone token by the OIDC token in a file, which is read at each login.
///
/// Source: Huawei Cloud, "Obtaining a token with an OpenID Connect ID token".
#[derive(Debug, Clone)]
pub struct IdToken {
    identity_provider: String,
    token_file: String,
    named_by: &'static str,
    project: Option<Named>,
    iam: Iam,
}

iam_settings!(IdToken);

impl IdToken {
    /// By the identity provider's id in IAM and the file with its token.
    pub fn new(identity_provider: impl Into<String>, token_file: impl Into<String>) -> Self {
        Self {
            identity_provider: identity_provider.into(),
            token_file: token_file.into(),
            named_by: "the identity provider's settings",
            project: None,
            iam: Iam::default(),
        }
    }

    pub(super) fn named_by(mut self, variable: &'static str) -> Self {
        self.named_by = variable;
        self
    }

    pub(super) fn with(mut self, project: Option<Named>, iam: Iam) -> Self {
        (self.project, self.iam) = (project, iam);
        self
    }

    /// A token for the project with this id.
    pub fn project_id(mut self, id: impl Into<String>) -> Self {
        self.project = Some(Named::Id(id.into()));
        self
    }

    /// A token for the project of this name.
    pub fn project_name(mut self, name: impl Into<String>) -> Self {
        self.project = Some(Named::Name(name.into()));
        self
    }

    async fn log_in(&self, context: &Context) -> Result<Credential, CredentialError> {
        let url = self.iam.url(NAME, "/v3.0/OS-AUTH/id-token/tokens")?;
        let path = file::expand(&context.environment, &self.token_file);
        let token = file::read_named(NAME, &path, self.named_by)?;
        let token = token.expose().trim();
        if token.is_empty() {
            return Err(misconfigured(NAME, format!("{} is empty", path.display()))
                .with_hint("It should hold the identity provider's token"));
        }
        let mut body = Wiped(json!({ "auth": { "id_token": { "id": token } } }));
        let target = Target {
            project: self.project.clone(),
            ..Target::default()
        };
        if let Some(scope) = target.json(None) {
            body["auth"]["scope"] = scope;
        }
        let source = format!(
            "login by identity provider {} with {}",
            self.identity_provider,
            path.display()
        );
        let dress = |ask: HttpRequest| ask.header("x-idp-id", &self.identity_provider);
        keystone::log_in(context, &ROUTE, &url, &body, source, dress).await
    }
}

impl Provider for IdToken {
    fn name(&self) -> &'static str {
        NAME
    }

    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Credential, CredentialError>> {
        Box::pin(self.log_in(context))
    }

    fn window(&self) -> Window {
        Window::TOKEN
    }
}
