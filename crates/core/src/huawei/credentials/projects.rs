//! Which project do these keys work in? Keys do not say, and calls without one fail obscurely.

use std::sync::{Arc, Mutex, PoisonError};

use http::Method;

use crate::clock::BoxFuture;
use crate::record::Json;
use crate::sign::percent;

use super::REQUEST_IDS;
use super::iam::{self, Iam, iam_settings};
use crate::credentials::fetch::{Route, member};
use crate::credentials::{
    Context, Credential, CredentialError, Identity, Keys, Provider, Reason, Window, misconfigured,
};
use crate::transport::HttpRequest;

const NAME: &str = "project discovery";
const ROUTE: Route = Route::new(NAME, "IAM", REQUEST_IDS);

/// The keys of another provider, with the project that they are to be used in.
///
/// Without a project's id, IAM is asked for the project of the given name, or else for the one named
/// as the region. It must be exactly one; the answer is kept.
#[derive(Debug, Clone)]
pub struct KeysWithProject {
    source: Arc<dyn Provider>,
    project_id: Option<String>,
    project_name: Option<String>,
    iam: Iam,
    /// The last answer: key id, name, project id.
    found: Arc<Mutex<Option<(String, String, String)>>>,
}

iam_settings!(KeysWithProject);

impl KeysWithProject {
    /// The keys that `source` gives.
    pub fn new(source: impl Provider + 'static) -> Self {
        Self::shared(Arc::new(source))
    }

    pub(super) fn shared(source: Arc<dyn Provider>) -> Self {
        Self {
            source,
            project_id: None,
            project_name: None,
            iam: Iam::default(),
            found: Arc::default(),
        }
    }

    /// The project, by id.
    pub fn project_id(mut self, id: impl Into<String>) -> Self {
        self.project_id = Some(id.into());
        self
    }

    /// The project, by name.
    pub fn project_name(mut self, name: impl Into<String>) -> Self {
        self.project_name = Some(name.into());
        self
    }

    pub(super) fn with(mut self, id: Option<String>, name: Option<String>, iam: Iam) -> Self {
        (self.project_id, self.project_name, self.iam) = (id, name, iam);
        self
    }

    async fn fetch(&self, context: &Context) -> Result<Credential, CredentialError> {
        let mut credential = self.source.provide(context).await?;
        if let Some(id) = &self.project_id {
            credential.scope.project_id = Some(id.clone());
        }
        let name = self.project_name.as_ref().or(self.iam.region.as_ref());
        if let (None, Some(name), Identity::Keys(keys)) =
            (&credential.scope.project_id, name, &credential.identity)
        {
            crate::credentials::check(&credential, context.clock.now())?;
            credential.scope.project_id = Some(self.known_or_find(context, keys, name).await?);
        }
        Ok(credential)
    }

    async fn known_or_find(
        &self,
        context: &Context,
        keys: &Keys,
        name: &str,
    ) -> Result<String, CredentialError> {
        let lock = || self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((id, of, project)) = &*lock()
            && (id, of.as_str()) == (&keys.id, name)
        {
            return Ok(project.clone());
        }
        let project = find(context, &self.iam, keys, name).await?;
        *lock() = Some((keys.id.clone(), name.to_owned(), project.clone()));
        Ok(project)
    }
}

/// The id of the one project named `name`.
pub(super) async fn find(
    context: &Context,
    iam: &Iam,
    keys: &Keys,
    name: &str,
) -> Result<String, CredentialError> {
    let mut url = iam.url(NAME, "/v3/projects")?;
    url.set_query(Some(&format!("name={}", percent::encode(name))));
    let ask = || {
        Ok(iam::sign(
            context,
            HttpRequest::new(Method::GET, url.clone()),
            keys,
        ))
    };
    let reply = ROUTE.send(context, ask).await?;
    if matches!(reply.status, 401 | 403) {
        return Err(ROUTE.refused(&reply).with_hint(
            "Check the access key and its secret, but not by trying: five failures lock a key for five minutes",
        ));
    }
    let json = ROUTE.json(&reply)?;
    let projects = json.get("projects").and_then(Json::as_array);
    let projects = projects.ok_or_else(|| ROUTE.incomplete("projects"))?;
    let ids: Vec<&str> = projects
        .iter()
        .filter_map(|project| member(project, "id"))
        .collect();
    match ids.as_slice() {
        [id] => Ok((*id).to_owned()),
        [] => Err(
            misconfigured(NAME, format!("these keys see no project named `{name}`"))
                .with_hint("Set the project's id (OS_PROJECT_ID), or its name (OS_PROJECT_NAME)"),
        ),
        several => Err(CredentialError::new(
            Reason::Misconfigured,
            NAME,
            format!(
                "these keys see several projects named `{name}`: {}",
                several.join(", ")
            ),
        )
        .with_hint("Set the id of one of them (OS_PROJECT_ID)")),
    }
}

impl Provider for KeysWithProject {
    fn name(&self) -> &'static str {
        self.source.name()
    }

    fn asked(&self) -> &'static str {
        self.source.asked()
    }

    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Credential, CredentialError>> {
        Box::pin(self.fetch(context))
    }

    fn window(&self) -> Window {
        self.source.window()
    }

    fn release<'a>(
        &'a self,
        context: &'a Context,
        credential: &'a Credential,
    ) -> BoxFuture<'a, ()> {
        self.source.release(context, credential)
    }
}
