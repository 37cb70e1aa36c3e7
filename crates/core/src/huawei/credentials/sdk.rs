//! Credentials as Huawei Cloud's SDKs have them: `HUAWEICLOUD_SDK_*`, `~/.huaweicloud/credentials`.

use std::sync::Arc;

use crate::clock::BoxFuture;
use crate::record::Secret;

use super::iam::Iam;
use super::keystone::Named;
use super::{IdToken, KeysWithProject, LoginSettings};
use crate::credentials::ini::Ini;
use crate::credentials::{
    Context, Credential, CredentialError, Environment, Fixed, Identity, Keys, Provider, Window,
    file, misconfigured, not_set, pair,
};

const ID_TOKEN: &str = "HUAWEICLOUD_SDK_ identity provider";
const VARIABLES: &str = "HUAWEICLOUD_SDK_ environment";
const PROFILE: &str = "Huawei Cloud credentials file";
const FILE: &str = "HUAWEICLOUD_SDK_CREDENTIALS_FILE";
const SECTION: &str = "basic";

/// Which of the SDK's places.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// `HUAWEICLOUD_SDK_IDP_ID` and `HUAWEICLOUD_SDK_ID_TOKEN_FILE`.
    IdToken,
    /// `HUAWEICLOUD_SDK_AK` and `HUAWEICLOUD_SDK_SK`.
    Variables,
    /// `~/.huaweicloud/credentials`.
    Profile,
}

/// One of the SDK's places.
#[derive(Debug)]
pub(super) struct Sdk {
    place: Place,
    settings: LoginSettings,
    /// Kept over refreshes, with the project that it found.
    keys: std::sync::Mutex<Option<(Credential, Arc<KeysWithProject>)>>,
}

impl Sdk {
    pub(super) fn new(place: Place, settings: LoginSettings) -> Self {
        Self {
            place,
            settings,
            keys: std::sync::Mutex::default(),
        }
    }

    fn iam(&self, environment: &Environment, endpoint: Option<&str>) -> Iam {
        let set = self.settings.iam_endpoint.clone();
        let variable = || environment.var("HUAWEICLOUD_SDK_IAM_ENDPOINT");
        Iam {
            endpoint: set
                .or_else(|| endpoint.map(str::to_owned))
                .or_else(variable),
            region: self.settings.region.clone(),
            allow_http: self.settings.allow_http,
        }
    }

    fn resolve(&self, context: &Context) -> Result<Arc<dyn Provider>, CredentialError> {
        let environment = &context.environment;
        match self.place {
            Place::IdToken => self.id_token(environment),
            Place::Variables => {
                let found = pair(
                    environment,
                    VARIABLES,
                    &["HUAWEICLOUD_SDK_AK"],
                    &["HUAWEICLOUD_SDK_SK"],
                )?
                .ok_or_else(|| {
                    not_set(
                        VARIABLES,
                        "HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK are not set",
                    )
                })?;
                let token = environment.var("HUAWEICLOUD_SDK_SECURITY_TOKEN");
                let project = environment.var("HUAWEICLOUD_SDK_PROJECT_ID");
                Ok(self.with_project(found.keys(token), project, self.iam(environment, None)))
            }
            Place::Profile => self.profile(environment),
        }
    }

    fn id_token(&self, environment: &Environment) -> Result<Arc<dyn Provider>, CredentialError> {
        const ID: &str = "HUAWEICLOUD_SDK_IDP_ID";
        const TOKEN_FILE: &str = "HUAWEICLOUD_SDK_ID_TOKEN_FILE";
        let found = pair(environment, ID_TOKEN, &[ID], &[TOKEN_FILE])?
            .ok_or_else(|| not_set(ID_TOKEN, format!("{ID} and {TOKEN_FILE} are not set")))?;
        let variable = environment.var("HUAWEICLOUD_SDK_PROJECT_ID");
        let id = self.settings.project_id.clone().or(variable);
        let project = Named::of(id.as_deref(), self.settings.project_name.as_deref());
        let login = IdToken::new(found.id, found.secret.expose())
            .named_by(TOKEN_FILE)
            .with(project, self.iam(environment, None));
        Ok(Arc::new(login))
    }

    fn profile(&self, environment: &Environment) -> Result<Arc<dyn Provider>, CredentialError> {
        let (path, text) = match environment.var(FILE) {
            Some(path) => {
                let path = file::expand(environment, &path);
                let text = file::read_named(PROFILE, &path, FILE)?;
                (path, text)
            }
            None => {
                let path = file::in_home(environment, &[".huaweicloud", "credentials"])
                    .ok_or_else(|| {
                        not_set(
                            PROFILE,
                            "there is no home directory to look for .huaweicloud/credentials in",
                        )
                    })?;
                let text = file::read(PROFILE, &path)?.ok_or_else(|| {
                    not_set(PROFILE, format!("{} does not exist", path.display()))
                })?;
                (path, text)
            }
        };
        let ini = Ini::parse(PROFILE, &path, text.expose())?;
        let place = format!("[{SECTION}] in {}", path.display());
        let (id, secret) = match (ini.get(SECTION, "ak"), ini.get(SECTION, "sk")) {
            (Some(id), Some(secret)) => (id, secret),
            (None, None) => return Err(not_set(PROFILE, format!("{place} has no ak and sk"))),
            (id, _) => {
                let (set, missing) = if id.is_some() {
                    ("ak", "sk")
                } else {
                    ("sk", "ak")
                };
                return Err(
                    misconfigured(PROFILE, format!("{place} has {set}, but no {missing}"))
                        .with_hint(format!("Add `{missing} = ..` to the section")),
                );
            }
        };
        let keys = Keys {
            id: id.to_owned(),
            secret: Secret::from(secret),
            token: ini.get(SECTION, "security_token").map(Secret::from),
        };
        let credential = Credential::new(Identity::Keys(keys), place);
        let project = ini.get(SECTION, "project_id").map(str::to_owned);
        let iam = self.iam(environment, ini.get(SECTION, "iam_endpoint"));
        Ok(self.with_project(credential, project, iam))
    }

    fn with_project(
        &self,
        credential: Credential,
        project: Option<String>,
        iam: Iam,
    ) -> Arc<dyn Provider> {
        let mut kept = self
            .keys
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((of, provider)) = &*kept
            && *of == credential
        {
            return Arc::clone(provider) as _;
        }
        let fixed = Fixed {
            name: self.name(),
            credential: credential.clone(),
        };
        let id = self.settings.project_id.clone();
        let id = id.or_else(|| project.filter(|_| self.settings.project_name.is_none()));
        let provider =
            KeysWithProject::new(fixed).with(id, self.settings.project_name.clone(), iam);
        let provider = Arc::new(provider);
        *kept = Some((credential, Arc::clone(&provider)));
        provider
    }
}

impl Provider for Sdk {
    fn name(&self) -> &'static str {
        match self.place {
            Place::IdToken => ID_TOKEN,
            Place::Variables => VARIABLES,
            Place::Profile => PROFILE,
        }
    }

    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Credential, CredentialError>> {
        Box::pin(async move { self.resolve(context)?.provide(context).await })
    }

    fn window(&self) -> Window {
        match self.place {
            Place::IdToken => Window::TOKEN,
            Place::Variables | Place::Profile => Window::default(),
        }
    }
}
