//! What does `~/.aliyun/config.json`, the file of the vendor's command line, log in as?
//!
//! The file holds named profiles; each has a mode, which says what its other members mean. It is
//! read at each refresh, as the command line changes it.

pub(super) mod store;

use std::path::PathBuf;
use std::sync::Arc;

use crate::clock::BoxFuture;
use crate::record::Secret;

use super::{
    AssumeRole, BearerToken, CloudSso, CredentialsUri, EcsRole, External, OAuth, Oidc, answer,
    external,
};
use crate::credentials::{
    Context, Credential, CredentialError, Environment, Fixed, Identity, Keys, Provider, Reason,
    file, misconfigured, not_set,
};
use store::{Profile, Store};

const NAME: &str = "CLI profile";
const FILE: &str = "ALIBABA_CLOUD_CONFIG_FILE";
const PROFILE: &str = "ALIBABA_CLOUD_PROFILE";

/// A profile of the vendor's command line: the one given, else that of `ALIBABA_CLOUD_PROFILE`, else
/// the current one.
#[derive(Debug, Clone, Default)]
pub struct CliProfile {
    path: Option<PathBuf>,
    profile: Option<String>,
}

impl CliProfile {
    /// In `ALIBABA_CLOUD_CONFIG_FILE`, or else in `~/.aliyun/config.json`.
    pub fn new() -> Self {
        Self::default()
    }

    /// In this file.
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// The profile of this name.
    pub fn profile(mut self, name: impl Into<String>) -> Self {
        self.profile = Some(name.into());
        self
    }

    /// The region of the profile, and where it stands; none where there is no such profile, or none that
    /// can be read, which whoever asks for its credentials is told.
    pub fn region(&self, environment: &Environment) -> Option<(String, String)> {
        let store = self.open(environment).ok()?;
        let chosen = self.chosen(environment);
        let name = chosen.as_deref().or(store.current()).unwrap_or("default");
        let profile = store.profile(NAME, name).ok()?;
        let region = profile.text("region_id")?;
        Some((region.to_owned(), profile.place()))
    }

    /// The profile that somebody named.
    fn chosen(&self, environment: &Environment) -> Option<String> {
        self.profile.clone().or_else(|| environment.var(PROFILE))
    }

    /// The file, and where its path comes from if somebody named it.
    fn open(&self, environment: &Environment) -> Result<Store, CredentialError> {
        if self.profile.is_none()
            && self.path.is_none()
            && environment.flag("ALIBABA_CLOUD_CLI_PROFILE_DISABLED")
        {
            return Err(not_set(NAME, "ALIBABA_CLOUD_CLI_PROFILE_DISABLED is set"));
        }
        let named = self
            .path
            .clone()
            .map(|path| (path, "the program"))
            .or_else(|| {
                let path = environment.var(FILE)?;
                Some((file::expand(environment, &path), FILE))
            });
        if let Some((path, named_by)) = named {
            return store::find(NAME, &path)?.ok_or_else(|| {
                misconfigured(
                    NAME,
                    format!("{named_by} names {}, which does not exist", path.display()),
                )
                .with_hint(format!("Create the file or correct {named_by}"))
            });
        }
        let path = file::in_home(environment, &[".aliyun", "config.json"]).ok_or_else(|| {
            not_set(
                NAME,
                "there is no home directory to look for .aliyun/config.json in",
            )
        })?;
        store::find(NAME, &path)?
            .filter(|store| !store.is_empty())
            .ok_or_else(|| {
                not_set(
                    NAME,
                    format!("{} does not exist or has no profiles", path.display()),
                )
            })
    }

    async fn fetch(&self, context: &Context) -> Result<Credential, CredentialError> {
        let environment = &context.environment;
        let store = self.open(environment)?;
        let chosen = self.chosen(environment);
        let name = chosen.as_deref().or(store.current()).unwrap_or("default");
        let profile = store.profile(NAME, name)?;
        // A fresh installation has a profile with nothing in it.
        if chosen.is_none()
            && is_mode(&profile, "AK")
            && profile.text("access_key_id").is_none()
            && profile.text("access_key_secret").is_none()
        {
            return Err(not_set(
                NAME,
                format!("{} has no access key", profile.place()),
            ));
        }
        let provider = provider(context, &store, &profile, &mut vec![name.to_owned()])?;
        let mut credential = provider.provide(context).await?;
        credential.source = match provider.name() {
            NAME => profile.place(),
            inner => format!("{} ({inner})", profile.place()),
        };
        Ok(credential)
    }
}

fn is_mode(profile: &Profile<'_>, mode: &str) -> bool {
    profile
        .text("mode")
        .unwrap_or("AK")
        .eq_ignore_ascii_case(mode)
}

fn written(profile: &Profile<'_>, with_token: bool) -> Result<Arc<dyn Provider>, CredentialError> {
    let keys = Keys {
        id: profile.need(NAME, "access_key_id")?.to_owned(),
        secret: Secret::from(profile.need(NAME, "access_key_secret")?),
        token: match with_token {
            true => Some(Secret::from(profile.need(NAME, "sts_token")?)),
            false => profile.text("sts_token").map(Secret::from),
        },
    };
    let mut credential = Credential::new(Identity::Keys(keys), profile.place());
    if with_token {
        credential.expires_at = answer::unix(profile.json("sts_expiration"));
    }
    Ok(Arc::new(Fixed {
        name: NAME,
        credential,
    }))
}

fn assume(
    profile: &Profile<'_>,
    source: Arc<dyn Provider>,
) -> Result<Arc<dyn Provider>, CredentialError> {
    let mut role = AssumeRole::shared(source, profile.need(NAME, "ram_role_arn")?);
    if let Some(name) = profile.text("ram_session_name") {
        role = role.session_name(name);
    }
    if let Some(duration) = profile.seconds("expired_seconds") {
        role = role.duration(duration);
    }
    if let Some(region) = profile.text("sts_region") {
        role = role.region(region);
    }
    if let Some(policy) = profile.text("policy") {
        role = role.policy(policy);
    }
    if let Some(id) = profile.text("external_id") {
        role = role.external_id(id);
    }
    if let Some(endpoint) = profile.text("sts_endpoint") {
        role = role.endpoint(endpoint);
    }
    Ok(Arc::new(role.vpc(profile.is_true("enable_vpc"))))
}

fn oidc(profile: &Profile<'_>) -> Result<Arc<dyn Provider>, CredentialError> {
    let mut oidc = Oidc::new(
        profile.need(NAME, "ram_role_arn")?,
        profile.need(NAME, "oidc_provider_arn")?,
        profile.need(NAME, "oidc_token_file")?,
    );
    // One SDK reads the session's name from another member than all others.
    if let Some(name) = profile
        .text("ram_session_name")
        .or(profile.text("role_session_name"))
    {
        oidc = oidc.session_name(name);
    }
    if let Some(duration) = profile.seconds("expired_seconds") {
        oidc = oidc.duration(duration);
    }
    if let Some(region) = profile.text("sts_region") {
        oidc = oidc.region(region);
    }
    if let Some(policy) = profile.text("policy") {
        oidc = oidc.policy(policy);
    }
    if let Some(endpoint) = profile.text("sts_endpoint") {
        oidc = oidc.endpoint(endpoint);
    }
    Ok(Arc::new(oidc.vpc(profile.is_true("enable_vpc"))))
}

fn ecs(profile: &Profile<'_>) -> EcsRole {
    match profile.text("ram_role_name") {
        Some(name) => EcsRole::new().role(name),
        None => EcsRole::new(),
    }
}

fn cloud_sso(profile: &Profile<'_>) -> Result<Arc<dyn Provider>, CredentialError> {
    let login = format!(
        "Run `aliyun configure --mode CloudSSO --profile {}`",
        profile.name()
    );
    let token = profile.text("access_token").ok_or_else(|| {
        let message = format!("{} has no access_token", profile.place());
        CredentialError::new(Reason::Expired, NAME, message).with_hint(login.clone())
    })?;
    let mut sso = CloudSso::new(
        profile.need(NAME, "cloud_sso_sign_in_url")?,
        profile.need(NAME, "cloud_sso_account_id")?,
        profile.need(NAME, "cloud_sso_access_config")?,
        token,
    );
    sso.token_ends = answer::unix(profile.json("cloud_sso_access_token_expire"));
    sso.source = profile.place();
    sso.login = login;
    Ok(Arc::new(sso))
}

const MODES: &str = "AK, StsToken, RamRoleArn, EcsRamRole, RamRoleArnWithEcs, ChainableRamRoleArn, OIDC, External, CredentialsURI, BearerToken, CloudSSO and OAuth";

/// What a profile stands for; `seen` are the profiles on the way here.
fn provider(
    context: &Context,
    store: &Store,
    profile: &Profile<'_>,
    seen: &mut Vec<String>,
) -> Result<Arc<dyn Provider>, CredentialError> {
    let (mode, path) = (profile.text("mode").unwrap_or("AK"), profile.path());
    match mode.to_ascii_lowercase().as_str() {
        "ak" => written(profile, false),
        "ststoken" => written(profile, true),
        "ramrolearn" => assume(profile, written(profile, false)?),
        "ecsramrole" => Ok(Arc::new(ecs(profile))),
        "ramrolearnwithecs" | "ramrolearnwithrolename" => assume(profile, Arc::new(ecs(profile))),
        "chainableramrolearn" => {
            let name = profile.need(NAME, "source_profile")?;
            if seen.iter().any(|seen| seen == name) {
                let way = seen.join(" -> ");
                return Err(misconfigured(
                    NAME,
                    format!(
                        "the profiles in {} lead in a circle: {way} -> {name}",
                        path.display()
                    ),
                )
                .with_hint("Correct one of the source_profile members"));
            }
            seen.push(name.to_owned());
            let source = store.profile(NAME, name)?;
            assume(profile, provider(context, store, &source, seen)?)
        }
        "oidc" => oidc(profile),
        "external" => {
            file::refuse_open_to_change(NAME, path)?;
            let command = profile.need(NAME, "process_command")?;
            Ok(Arc::new(External::from(command, profile.place())))
        }
        "credentialsuri" => {
            external::refuse_if_disabled(context, NAME)?;
            Ok(Arc::new(CredentialsUri::new(
                profile.need(NAME, "credentials_uri")?,
            )))
        }
        "bearertoken" => {
            let token = profile.need(NAME, "bearer_token")?;
            Ok(Arc::new(BearerToken::from(token, profile.place())))
        }
        "cloudsso" => cloud_sso(profile),
        "oauth" => Ok(Arc::new(OAuth::new(path, profile.name()))),
        // The mode is no secret, but only names are quoted.
        _ => {
            let shown: String = mode
                .chars()
                .filter(char::is_ascii_alphanumeric)
                .take(40)
                .collect();
            Err(misconfigured(
                NAME,
                format!(
                    "{} has the mode `{shown}`, which is not supported",
                    profile.place()
                ),
            )
            .with_hint(format!("Supported are {MODES}")))
        }
    }
}

/// What the profile `name` of a file's text stands for. Nothing is sent or run.
#[cfg(fuzzing)]
pub fn of_text(
    context: &Context,
    text: &str,
    name: Option<&str>,
) -> Result<Arc<dyn Provider>, CredentialError> {
    let store = store::parse(NAME, std::path::Path::new("config.json"), text)?;
    let name = name.or(store.current()).unwrap_or("default");
    let profile = store.profile(NAME, name)?;
    provider(context, &store, &profile, &mut vec![name.to_owned()])
}

impl Provider for CliProfile {
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
