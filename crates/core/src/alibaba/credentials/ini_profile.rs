//! Credentials from `~/.alibabacloud/credentials`, the file of the vendor's SDKs.

use std::path::PathBuf;
use std::sync::Arc;

use crate::clock::BoxFuture;
use crate::record::Secret;

use super::{AssumeRole, BearerToken, EcsRole, Oidc};
use crate::credentials::ini::Ini;
use crate::credentials::{
    Context, Credential, CredentialError, Fixed, Identity, Keys, Provider, file, misconfigured,
    not_set,
};

const NAME: &str = "ini profile";
const FILE: &str = "ALIBABA_CLOUD_CREDENTIALS_FILE";
const PROFILE: &str = "ALIBABA_CLOUD_PROFILE";
/// The SDKs for Go and for Python differ in the file's name.
const FILES: [&str; 2] = ["credentials", "credentials.ini"];
const TYPES: &str = "access_key, sts, ecs_ram_role, ram_role_arn, oidc_role_arn and bearer";

/// A section of an ini file: the one given, else that of `ALIBABA_CLOUD_PROFILE`, else `default`.
#[derive(Debug, Clone, Default)]
pub struct IniProfile {
    path: Option<PathBuf>,
    section: Option<String>,
}

struct Section<'a> {
    ini: &'a Ini,
    path: &'a std::path::Path,
    name: &'a str,
}

impl IniProfile {
    /// In `ALIBABA_CLOUD_CREDENTIALS_FILE`, or else in `~/.alibabacloud/credentials` or
    /// `~/.alibabacloud/credentials.ini`.
    pub fn new() -> Self {
        Self::default()
    }

    /// In this file.
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// The section of this name.
    pub fn section(mut self, name: impl Into<String>) -> Self {
        self.section = Some(name.into());
        self
    }

    fn open(&self, context: &Context) -> Result<(PathBuf, Secret), CredentialError> {
        let environment = &context.environment;
        let named = self
            .path
            .clone()
            .map(|path| (path, "the program"))
            .or_else(|| {
                let path = environment.var(FILE)?;
                Some((file::expand(environment, &path), FILE))
            });
        if let Some((path, named_by)) = named {
            let text = file::read_named(NAME, &path, named_by)?;
            return Ok((path, text));
        }
        for name in FILES {
            let Some(path) = file::in_home(environment, &[".alibabacloud", name]) else {
                return Err(not_set(
                    NAME,
                    "there is no home directory to look for .alibabacloud/credentials in",
                ));
            };
            if let Some(text) = file::read(NAME, &path)? {
                return Ok((path, text));
            }
        }
        Err(not_set(
            NAME,
            "there is neither ~/.alibabacloud/credentials nor ~/.alibabacloud/credentials.ini",
        ))
    }

    async fn fetch(&self, context: &Context) -> Result<Credential, CredentialError> {
        let (path, text) = self.open(context)?;
        let ini = Ini::parse(NAME, &path, text.expose())?;
        let chosen = self
            .section
            .clone()
            .or_else(|| context.environment.var(PROFILE));
        let name = chosen.as_deref().unwrap_or("default");
        if !ini.has(name) {
            let message = format!("{} has no section [{name}]", path.display());
            return Err(match chosen {
                None => not_set(NAME, message),
                Some(_) => misconfigured(NAME, message)
                    .with_hint(format!("Add the section, or name another one in {PROFILE}")),
            });
        }
        let section = Section {
            ini: &ini,
            path: &path,
            name,
        };
        if section
            .get("enable")
            .is_some_and(|value| value.eq_ignore_ascii_case("false"))
        {
            return Err(not_set(NAME, format!("{} is not enabled", section.place())));
        }
        let provider = section.provider()?;
        let Some(provider) = provider else {
            return section.written(false);
        };
        let mut credential = provider.provide(context).await?;
        credential.source = format!("{} ({})", section.place(), provider.name());
        Ok(credential)
    }
}

impl Section<'_> {
    fn place(&self) -> String {
        format!("[{}] in {}", self.name, self.path.display())
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.ini.get(self.name, key)
    }

    fn need(&self, key: &str) -> Result<&str, CredentialError> {
        self.get(key).ok_or_else(|| {
            misconfigured(NAME, format!("{} has no {key}", self.place()))
                .with_hint(format!("Add `{key} = ..` to the section"))
        })
    }

    fn written(&self, with_token: bool) -> Result<Credential, CredentialError> {
        let token = match with_token {
            true => Some(self.need("security_token")?),
            false => self.get("security_token"),
        };
        let keys = Keys {
            id: self.need("access_key_id")?.to_owned(),
            secret: Secret::from(self.need("access_key_secret")?),
            token: token.map(Secret::from),
        };
        Ok(Credential::new(Identity::Keys(keys), self.place()))
    }

    fn fixed(&self, with_token: bool) -> Result<Fixed, CredentialError> {
        let credential = self.written(with_token)?;
        Ok(Fixed {
            name: NAME,
            credential,
        })
    }

    /// What the section stands for; `None` for keys that stand in it.
    fn provider(&self) -> Result<Option<Arc<dyn Provider>>, CredentialError> {
        Ok(match self.need("type")? {
            "access_key" => None,
            "sts" => Some(Arc::new(self.fixed(true)?)),
            "ecs_ram_role" => {
                let role = EcsRole::new();
                Some(Arc::new(match self.get("role_name") {
                    Some(name) => role.role(name),
                    None => role,
                }))
            }
            "ram_role_arn" => {
                let source = self.fixed(false)?;
                let mut role = AssumeRole::new(source, self.need("role_arn")?);
                if let Some(name) = self.get("role_session_name") {
                    role = role.session_name(name);
                }
                if let Some(policy) = self.get("policy") {
                    role = role.policy(policy);
                }
                Some(Arc::new(role))
            }
            "oidc_role_arn" => {
                let mut oidc = Oidc::new(
                    self.need("role_arn")?,
                    self.need("oidc_provider_arn")?,
                    self.need("oidc_token_file_path")?,
                );
                if let Some(name) = self.get("role_session_name") {
                    oidc = oidc.session_name(name);
                }
                if let Some(policy) = self.get("policy") {
                    oidc = oidc.policy(policy);
                }
                Some(Arc::new(oidc))
            }
            "bearer" => Some(Arc::new(BearerToken::from(
                self.need("bearer_token")?,
                self.place(),
            ))),
            _ => {
                return Err(misconfigured(
                    NAME,
                    format!("{} has a type that is not supported", self.place()),
                )
                .with_hint(format!("Supported are {TYPES}")));
            }
        })
    }
}

/// What a section of a file's text stands for; `None` for keys that stand in it.
#[cfg(fuzzing)]
pub fn of_text(text: &str, name: &str) -> Result<Option<Arc<dyn Provider>>, CredentialError> {
    let path = std::path::Path::new("credentials");
    let ini = Ini::parse(NAME, path, text)?;
    let section = Section {
        ini: &ini,
        path,
        name,
    };
    match section.provider()? {
        None => section.written(false).map(|_| None),
        provider => Ok(provider),
    }
}

impl Provider for IniProfile {
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
