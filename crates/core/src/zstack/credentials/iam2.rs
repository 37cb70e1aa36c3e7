//! Logs in by IAM2: as a virtual id, and from there to a project.

use std::sync::{Mutex, PoisonError};

use serde_json::json;

use crate::clock::BoxFuture;
use crate::record::{Json, Secret};

use super::login::{Login, NAME, login, open};
use crate::credentials::{Context, Credential, CredentialError, Identity, Provider};

/// Logs in as a virtual id of IAM2, and on to a project where one is set.
#[derive(Debug)]
pub struct Iam2Login {
    login: Login,
    project: Option<String>,
    /// The session that the project's one was opened with; it ends with it.
    first: Mutex<Option<Secret>>,
}
login!(Iam2Login);

impl Iam2Login {
    /// At `endpoint` (with the context path), as the virtual id `name`.
    pub fn new(
        endpoint: impl Into<String>,
        name: impl Into<String>,
        password: impl Into<Secret>,
    ) -> Self {
        let who = ("name", name.into());
        Self {
            login: Login::new(
                endpoint,
                "/iam2/virtual-ids/login",
                "loginIAM2VirtualID",
                who,
                password.into(),
            ),
            project: None,
            first: Mutex::default(),
        }
    }

    /// Works in the project of this name.
    pub fn project(mut self, name: impl Into<String>) -> Self {
        self.project = Some(name.into());
        self
    }

    async fn log_in(&self, context: &Context) -> Result<Credential, CredentialError> {
        let mut credential = self.login.log_in(context).await?;
        let (Some(project), Identity::Token(session)) = (&self.project, &credential.identity)
        else {
            return Ok(credential);
        };
        let url = self.login.url("/iam2/projects/login")?;
        let body = json!({ "loginIAM2Project": { "projectName": project } });
        match open(context, &url, &body, Some(session)).await {
            Ok(opened) => {
                let first = session.clone();
                let mut kept = self.first.lock().unwrap_or_else(PoisonError::into_inner);
                *kept = Some(first);
                credential.identity = Identity::Token(opened.session);
                credential.scope.account = opened.account.or(credential.scope.account);
                credential.source = format!("{}, project {project}", credential.source);
                Ok(credential)
            }
            Err(error) => {
                self.login.log_out(context, session.expose()).await;
                Err(error.with_hint("Check that the virtual id belongs to the project"))
            }
        }
    }
}

impl Provider for Iam2Login {
    fn name(&self) -> &'static str {
        NAME
    }

    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Credential, CredentialError>> {
        Box::pin(self.log_in(context))
    }

    fn release<'a>(
        &'a self,
        context: &'a Context,
        credential: &'a Credential,
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if let Identity::Token(session) = &credential.identity {
                self.login.log_out(context, session.expose()).await;
            }
            let first = self
                .first
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            if let Some(session) = first {
                self.login.log_out(context, session.expose()).await;
            }
        })
    }
}
