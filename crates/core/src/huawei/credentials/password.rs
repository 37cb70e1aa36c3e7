//! Logs in with user and password.

use serde_json::json;

use crate::clock::BoxFuture;
use crate::record::{Json, Secret};

use crate::wipe::Wiped;

use super::REQUEST_IDS;
use super::iam::{Iam, iam_settings};
use super::keystone::{self, Named, Target};
use crate::credentials::fetch::Route;
use crate::credentials::{Context, Credential, CredentialError, Provider, Window};

const NAME: &str = "Keystone password";
const ROUTE: Route = Route::new(NAME, "IAM", REQUEST_IDS).telling();

/// A Keystone token by user and password, renewed before it ends.
///
/// For API Gateway the token must be for a project: set one by id or by name.
#[derive(Debug, Clone)]
pub struct Password {
    pub(super) user: Named,
    pub(super) password: Secret,
    pub(super) user_domain: Option<Named>,
    pub(super) target: Target,
    pub(super) iam: Iam,
}

iam_settings!(Password);

impl Password {
    /// The user by name, which needs the user's domain too.
    pub fn new(user_name: impl Into<String>, password: impl Into<Secret>) -> Self {
        Self::of(Named::Name(user_name.into()), password)
    }

    /// The user by id.
    pub fn by_id(user_id: impl Into<String>, password: impl Into<Secret>) -> Self {
        Self::of(Named::Id(user_id.into()), password)
    }

    pub(super) fn of(user: Named, password: impl Into<Secret>) -> Self {
        Self {
            user,
            password: password.into(),
            user_domain: None,
            target: Target::default(),
            iam: Iam::default(),
        }
    }

    /// The user's domain, by name.
    pub fn domain_name(mut self, name: impl Into<String>) -> Self {
        self.user_domain = Some(Named::Name(name.into()));
        self
    }

    /// The user's domain, by id.
    pub fn domain_id(mut self, id: impl Into<String>) -> Self {
        self.user_domain = Some(Named::Id(id.into()));
        self
    }

    /// A token for the project with this id.
    pub fn project_id(mut self, id: impl Into<String>) -> Self {
        self.target.project = Some(Named::Id(id.into()));
        self
    }

    /// A token for the project of this name, in its domain or else the user's.
    pub fn project_name(mut self, name: impl Into<String>) -> Self {
        self.target.project = Some(Named::Name(name.into()));
        self
    }

    /// The project's domain, by name.
    pub fn project_domain_name(mut self, name: impl Into<String>) -> Self {
        self.target.project_domain = Some(Named::Name(name.into()));
        self
    }

    /// The project's domain, by id.
    pub fn project_domain_id(mut self, id: impl Into<String>) -> Self {
        self.target.project_domain = Some(Named::Id(id.into()));
        self
    }

    /// A token for a whole domain, by name. A project counts more.
    pub fn scope_domain_name(mut self, name: impl Into<String>) -> Self {
        self.target.domain = Some(Named::Name(name.into()));
        self
    }

    /// A token for a whole domain, by id. A project counts more.
    pub fn scope_domain_id(mut self, id: impl Into<String>) -> Self {
        self.target.domain = Some(Named::Id(id.into()));
        self
    }

    /// The user as Keystone wants it: an id alone, or a name with its domain.
    pub(super) fn user(&self, provider: &'static str) -> Result<Json, CredentialError> {
        keystone::user(provider, &self.user, self.user_domain.as_ref())
    }

    /// Where the login goes, for messages.
    pub(super) fn source(&self, url: &url::Url) -> String {
        let (Named::Id(user) | Named::Name(user)) = &self.user;
        format!("login of {user} at {}", url.authority())
    }

    async fn log_in(&self, context: &Context) -> Result<Credential, CredentialError> {
        let url = self.iam.url(NAME, "/v3/auth/tokens")?;
        let mut user = Wiped(self.user(NAME)?);
        user["password"] = Json::from(self.password.expose());
        let identity = Wiped(json!({ "methods": ["password"], "password": { "user": *user } }));
        let body = keystone::body(&identity, self.target.json(self.user_domain.as_ref()));
        keystone::log_in(context, &ROUTE, &url, &body, self.source(&url), |ask| ask).await
    }
}

impl Provider for Password {
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
