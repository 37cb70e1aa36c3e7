//! Logs in with an application credential, which a user of Keystone made for one program: it works
//! in one project, can be taken back alone, and the program never learns the user's password.

use serde_json::json;

use crate::clock::BoxFuture;
use crate::record::{Json, Secret};
use crate::wipe::Wiped;

use super::REQUEST_IDS;
use super::iam::{Iam, iam_settings};
use super::keystone::{self, Named};
use crate::credentials::fetch::Route;
use crate::credentials::{Context, Credential, CredentialError, Provider, Window, misconfigured};

const NAME: &str = "application credential";
const ROUTE: Route = Route::new(NAME, "IAM", REQUEST_IDS).telling();

/// A Keystone token by an application credential, renewed before it ends.
///
/// It is for the project that the credential was made in. Source: OpenStack Identity API v3,
/// "Authenticating with an Application Credential".
#[derive(Debug, Clone)]
pub struct ApplicationCredential {
    pub(super) credential: Named,
    pub(super) secret: Secret,
    pub(super) user: Option<Named>,
    pub(super) user_domain: Option<Named>,
    pub(super) iam: Iam,
}

iam_settings!(ApplicationCredential);

impl ApplicationCredential {
    /// The credential by id.
    pub fn new(id: impl Into<String>, secret: impl Into<Secret>) -> Self {
        Self::of(Named::Id(id.into()), secret)
    }

    /// The credential by the name that its user gave it, which needs the user too.
    pub fn by_name(name: impl Into<String>, secret: impl Into<Secret>) -> Self {
        Self::of(Named::Name(name.into()), secret)
    }

    pub(super) fn of(credential: Named, secret: impl Into<Secret>) -> Self {
        Self {
            credential,
            secret: secret.into(),
            user: None,
            user_domain: None,
            iam: Iam::default(),
        }
    }

    /// Who made it, by id.
    pub fn user_id(mut self, id: impl Into<String>) -> Self {
        self.user = Some(Named::Id(id.into()));
        self
    }

    /// Who made it, by name, which needs the user's domain too.
    pub fn user_name(mut self, name: impl Into<String>) -> Self {
        self.user = Some(Named::Name(name.into()));
        self
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

    /// An id tells the credential; a name does so among those of its user.
    fn named(&self) -> Result<Json, CredentialError> {
        let mut named = self.credential.json();
        if let Named::Name(_) = self.credential {
            let user = self.user.as_ref().ok_or_else(|| {
                misconfigured(NAME, "an application credential's name alone does not tell it")
                    .with_hint("Set its user (OS_USERNAME, OS_USER_DOMAIN_NAME), or the credential's id (OS_APPLICATION_CREDENTIAL_ID)")
            })?;
            named["user"] = keystone::user(NAME, user, self.user_domain.as_ref())?;
        }
        Ok(named)
    }

    async fn log_in(&self, context: &Context) -> Result<Credential, CredentialError> {
        let url = self.iam.url(NAME, "/v3/auth/tokens")?;
        let mut named = Wiped(self.named()?);
        named["secret"] = Json::from(self.secret.expose());
        let identity = Wiped(json!({
            "methods": ["application_credential"],
            "application_credential": *named,
        }));
        // Keystone refuses a scope here: the credential is for its project.
        let body = keystone::body(&identity, None);
        let (Named::Id(name) | Named::Name(name)) = &self.credential;
        let source = format!("application credential {name} at {}", url.authority());
        keystone::log_in(context, &ROUTE, &url, &body, source, |ask| ask).await
    }
}

impl Provider for ApplicationCredential {
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
