//! Credentials as OpenStack tools have them: `OS_*` variables, or a cloud of `clouds.yaml`.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::clock::BoxFuture;
use crate::record::Json;
use crate::wipe::Wiped;

use super::options::Options;
use super::{LoginSettings, yaml};
use crate::credentials::chain::LEFT_OUT;
use crate::credentials::{
    Context, Credential, CredentialError, Environment, Provider, Window, file, misconfigured,
    not_set,
};

const VARIABLES: &str = "OS_ environment";
const CLOUDS: &str = "clouds.yaml";
const CLOUD: &str = "OS_CLOUD";

/// `OS_*` variables, read at each login.
#[derive(Debug, Default)]
pub(super) struct Variables {
    settings: LoginSettings,
    passcode_used: Arc<AtomicBool>,
}

/// The cloud that `OS_CLOUD` names in `clouds.yaml`, with its secrets from `secure.yaml`.
#[derive(Debug, Default)]
pub(super) struct Clouds {
    settings: LoginSettings,
    passcode_used: Arc<AtomicBool>,
}

impl Variables {
    pub(super) fn new(settings: LoginSettings) -> Self {
        Self {
            settings,
            ..Self::default()
        }
    }

    async fn fetch(&self, context: &Context) -> Result<Credential, CredentialError> {
        let options = Options::from_environment(VARIABLES, &context.environment);
        match options.provider(&self.settings, &self.passcode_used)? {
            Some(provider) => provider.provide(context).await,
            None => Err(not_set(
                VARIABLES,
                "none of OS_TOKEN, OS_ACCESS_KEY, OS_APPLICATION_CREDENTIAL_ID and OS_USERNAME is set",
            )),
        }
    }
}

impl Clouds {
    pub(super) fn new(settings: LoginSettings) -> Self {
        Self {
            settings,
            ..Self::default()
        }
    }

    async fn fetch(&self, context: &Context) -> Result<Credential, CredentialError> {
        let options = cloud(&context.environment)?
            .ok_or_else(|| not_set(CLOUDS, format!("{CLOUD} is not set")))?;
        match options.provider(&self.settings, &self.passcode_used)? {
            Some(provider) => {
                let mut credential = provider.provide(context).await?;
                if let Some(name) = context.environment.var(CLOUD) {
                    credential.source = format!("cloud `{name}`: {}", credential.source);
                }
                Ok(credential)
            }
            None => Err(misconfigured(CLOUDS, "the cloud holds no credentials")
                .with_hint("Add auth.username and auth.password, or auth.ak and auth.sk, to clouds.yaml or secure.yaml")),
        }
    }
}

/// The options of the cloud that `OS_CLOUD` names; `None` where it names none.
pub(super) fn cloud(environment: &Environment) -> Result<Option<Options>, CredentialError> {
    let Some(name) = environment.var(CLOUD) else {
        return Ok(None);
    };
    if cfg!(not(feature = "default-chain")) {
        let message = format!("{CLOUD} names `{name}`, but {LEFT_OUT}");
        return Err(misconfigured(CLOUDS, message)
            .with_hint(format!("Switch the feature on, or unset {CLOUD}")));
    }
    let file = locate(environment, "OS_CLIENT_CONFIG_FILE", "clouds")?.ok_or_else(|| {
        let message = format!("{CLOUD} names `{name}`, but there is no clouds.yaml in ., ~/.config/openstack or /etc/openstack");
        misconfigured(CLOUDS, message)
            .with_hint("Create the file, or name it in OS_CLIENT_CONFIG_FILE, or unset OS_CLOUD")
    })?;
    let secure = locate(environment, "OS_CLIENT_SECURE_FILE", "secure")?;
    let clouds = file.json.get("clouds").and_then(Json::as_object);
    let mut entry = clouds
        .and_then(|clouds| clouds.get(&name))
        .cloned()
        .ok_or_else(|| {
            let known: Vec<&str> = clouds
                .into_iter()
                .flatten()
                .map(|(name, _)| name.as_str())
                .collect();
            let message = format!("{} has no cloud `{name}`", file.path.display());
            misconfigured(CLOUDS, message).with_hint(match known.as_slice() {
                [] => format!("Add it below `clouds:`, or correct {CLOUD}"),
                known => format!("Correct {CLOUD}; the file has {}", known.join(", ")),
            })
        })
        .map(Wiped)?;
    if let Some(secrets) = secure
        .as_ref()
        .and_then(|secure| secure.json.get("clouds")?.get(&name))
    {
        merge(&mut entry, secrets);
    }
    let place = format!("cloud `{name}` of {}", file.path.display());
    Options::from_cloud(CLOUDS, place, &entry).map(Some)
}

/// A YAML file that was found.
struct Found {
    path: PathBuf,
    json: Wiped,
}

/// The file that `variable` names, or the first `{stem}.yaml` or `{stem}.yml` in the usual places.
fn locate(
    environment: &Environment,
    variable: &'static str,
    stem: &str,
) -> Result<Option<Found>, CredentialError> {
    if let Some(path) = environment.var(variable) {
        let path = file::expand(environment, &path);
        let text = file::read_named(CLOUDS, &path, variable)?;
        return parse(path, text.expose()).map(Some);
    }
    let home = file::in_home(environment, &[".config", "openstack"]);
    let folders = [
        Some(PathBuf::from(".")),
        home,
        Some(PathBuf::from("/etc/openstack")),
    ];
    for folder in folders.into_iter().flatten() {
        for extension in ["yaml", "yml"] {
            let path = folder.join(format!("{stem}.{extension}"));
            if let Some(text) = file::read(CLOUDS, &path)? {
                return parse(path, text.expose()).map(Some);
            }
        }
    }
    Ok(None)
}

/// What a cloud of a file's text logs in as.
#[cfg(fuzzing)]
pub fn of_text(
    text: &str,
    secure: &str,
    name: &str,
) -> Result<Option<Arc<dyn Provider>>, CredentialError> {
    let found = parse(PathBuf::from("clouds.yaml"), text)?;
    let entry = |json: &Json| json.get("clouds")?.get(name).cloned();
    let mut cloud = entry(&found.json).unwrap_or_default();
    if let Some(secrets) = entry(&parse(PathBuf::from("secure.yaml"), secure)?.json) {
        merge(&mut cloud, &secrets);
    }
    Options::from_cloud(CLOUDS, "clouds.yaml".into(), &cloud)?
        .provider(&LoginSettings::default(), &Arc::default())
}

fn parse(path: PathBuf, text: &str) -> Result<Found, CredentialError> {
    match yaml::parse(text) {
        Ok(json) => Ok(Found { path, json }),
        Err(fault) => {
            let message = format!("line {} of {} {}", fault.line, path.display(), fault.what);
            Err(misconfigured(CLOUDS, message)
                .with_hint("Correct the line, or put quotes around its value"))
        }
    }
}

/// Adds the members of `more` to those of `base`, replacing what both have.
fn merge(base: &mut Json, more: &Json) {
    match (base, more) {
        (Json::Object(base), Json::Object(more)) => {
            for (name, value) in more {
                match base.get_mut(name) {
                    Some(present) => merge(present, value),
                    None => {
                        base.insert(name.clone(), value.clone());
                    }
                }
            }
        }
        (base, more) => *base = more.clone(),
    }
}

macro_rules! provider {
    ($type:ident, $name:expr) => {
        impl Provider for $type {
            fn name(&self) -> &'static str {
                $name
            }
            fn provide<'a>(
                &'a self,
                context: &'a Context,
            ) -> BoxFuture<'a, Result<Credential, CredentialError>> {
                Box::pin(self.fetch(context))
            }
            fn window(&self) -> Window {
                Window::TOKEN
            }
        }
    };
}
provider!(Variables, VARIABLES);
provider!(Clouds, CLOUDS);
