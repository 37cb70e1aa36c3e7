//! The options that OpenStack tools share, from variables or from a cloud's entry in `clouds.yaml`.
//!
//! One table says what each option is called in both. What the options add up to is decided in one
//! place: a token counts before AK/SK, AK/SK before an application credential, and that before a password.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use zeroize::Zeroize as _;

use crate::record::{Json, Secret};
use crate::region::is_region;

use super::iam::Iam;
use super::keystone::{Named, Target};
use super::{Agency, ApplicationCredential, KeysWithProject, LoginSettings, Password, Totp};
use crate::credentials::{
    Credential, CredentialError, Environment, Fixed, Identity, Keys, Provider, TlsSettings,
    misconfigured, tls,
};

/// An option, what it is called in `clouds.yaml` besides its name, and its variables.
#[rustfmt::skip]
const OPTIONS: &[(&str, &[&str], &[&str])] = &[
    ("auth_url", &[], &["OS_AUTH_URL"]),
    ("username", &["user_name"], &["OS_USERNAME"]),
    ("user_id", &["userid"], &["OS_USER_ID", "OS_USERID"]),
    ("password", &[], &["OS_PASSWORD"]),
    ("passcode", &[], &["OS_PASSCODE"]),
    ("user_domain_name", &[], &["OS_USER_DOMAIN_NAME"]),
    ("user_domain_id", &[], &["OS_USER_DOMAIN_ID"]),
    ("project_name", &["tenant_name"], &["OS_PROJECT_NAME", "OS_TENANT_NAME"]),
    ("project_id", &["tenant_id"], &["OS_PROJECT_ID", "OS_TENANT_ID"]),
    ("project_domain_name", &[], &["OS_PROJECT_DOMAIN_NAME"]),
    ("project_domain_id", &[], &["OS_PROJECT_DOMAIN_ID"]),
    ("domain_name", &[], &["OS_DOMAIN_NAME"]),
    ("domain_id", &[], &["OS_DOMAIN_ID"]),
    ("token", &["token_id"], &["OS_TOKEN", "OS_TOKEN_ID", "OS_AUTH_TOKEN"]),
    ("ak", &["access_key"], &["OS_ACCESS_KEY", "OS_ACCESS_KEY_ID", "OS_AK"]),
    ("sk", &["secret_key"], &["OS_SECRET_KEY", "OS_ACCESS_KEY_SECRET", "OS_SK"]),
    ("security_token", &[], &["OS_SECURITY_TOKEN", "OS_AKSK_SECURITY_TOKEN", "OS_ST"]),
    ("application_credential_id", &[], &["OS_APPLICATION_CREDENTIAL_ID"]),
    ("application_credential_name", &[], &["OS_APPLICATION_CREDENTIAL_NAME"]),
    ("application_credential_secret", &[], &["OS_APPLICATION_CREDENTIAL_SECRET"]),
    ("agency_name", &[], &["OS_AGENCY_NAME"]),
    ("agency_domain_name", &[], &["OS_AGENCY_DOMAIN_NAME"]),
    ("delegated_project", &["delegated_project_name"], &["OS_DELEGATED_PROJECT"]),
    ("region_name", &["region"], &["OS_REGION_NAME"]),
    ("cacert", &[], &["OS_CACERT"]),
    ("cert", &[], &["OS_CERT"]),
    ("key", &[], &["OS_KEY"]),
    ("verify", &[], &["OS_VERIFY"]),
    ("insecure", &[], &["OS_INSECURE"]),
];

/// The place of variables.
const ENVIRONMENT: &str = "the environment";

/// Options that are set, from one place.
pub(super) struct Options {
    provider: &'static str,
    /// The place, for messages.
    place: String,
    /// For each option: what it is called there, and its value.
    values: BTreeMap<&'static str, (String, String)>,
}

impl Drop for Options {
    fn drop(&mut self) {
        self.values
            .values_mut()
            .for_each(|(_, value)| value.zeroize());
    }
}

impl Options {
    pub(super) fn from_environment(provider: &'static str, environment: &Environment) -> Self {
        let values = OPTIONS.iter().filter_map(|(name, _, variables)| {
            let (variable, value) = environment.first(variables)?;
            Some((*name, (variable.to_owned(), value)))
        });
        Self {
            provider,
            place: ENVIRONMENT.into(),
            values: values.collect(),
        }
    }

    /// From a cloud's entry, where most options stand below `auth`.
    ///
    /// An error where an option is no text: a list of passwords is none.
    pub(super) fn from_cloud(
        provider: &'static str,
        place: String,
        cloud: &Json,
    ) -> Result<Self, CredentialError> {
        let auth = cloud.get("auth").unwrap_or(&Json::Null);
        let mut values = BTreeMap::new();
        for (name, others, _) in OPTIONS {
            for called in std::iter::once(name).chain(*others) {
                let text = match auth.get(called).or_else(|| cloud.get(called)) {
                    Some(Json::String(text)) if !text.is_empty() => text,
                    Some(Json::Array(_) | Json::Object(_)) => {
                        let message = format!("{place}: `{called}` must be one text");
                        return Err(misconfigured(provider, message).with_hint(
                            "Put quotes around a value that begins with a bracket or a brace",
                        ));
                    }
                    _ => continue,
                };
                values.insert(*name, ((*called).to_owned(), text.clone()));
                break;
            }
        }
        Ok(Self {
            provider,
            place,
            values,
        })
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|(_, value)| value.as_str())
    }

    /// What an option is called where the options stand.
    fn called(&self, name: &str) -> String {
        let known = self.values.get(name).map(|(called, _)| called.clone());
        let in_environment = self.place == ENVIRONMENT;
        known.unwrap_or_else(|| {
            let row = OPTIONS.iter().find(|(option, ..)| *option == name);
            match row.and_then(|(_, _, variables)| variables.first()) {
                Some(variable) if in_environment => (*variable).to_owned(),
                _ => name.to_owned(),
            }
        })
    }

    /// What the options say about TLS, or else what `other` ones do.
    pub(super) fn tls(&self, other: Option<&Self>) -> TlsSettings {
        let setting = |name: &str| {
            let mut places = std::iter::once(self).chain(other);
            places.find_map(|options| {
                let (called, value) = options.values.get(name)?;
                let called = match options.place.as_str() {
                    ENVIRONMENT => called.clone(),
                    place => format!("{called} in {place}"),
                };
                let value = value.clone();
                Some(tls::Named { called, value })
            })
        };
        TlsSettings {
            authority: setting("cacert"),
            certificate: setting("cert"),
            key: setting("key"),
            verify: setting("verify"),
            insecure: setting("insecure"),
        }
    }

    fn named(&self, id: &str, name: &str) -> Option<Named> {
        Named::of(self.get(id), self.get(name))
    }

    /// The region, which is also the first part of a project's name.
    pub(super) fn region(&self) -> Option<String> {
        let of_project = || self.get("project_name")?.split('_').next();
        let region = self.get("region_name").or_else(of_project)?;
        Some(region.to_owned())
    }

    pub(super) fn iam(&self, settings: &LoginSettings) -> Iam {
        let endpoint = settings.iam_endpoint.as_deref().or(self.get("auth_url"));
        Iam {
            endpoint: endpoint.map(str::to_owned),
            region: settings
                .region
                .clone()
                .or_else(|| self.region().filter(|region| is_region(region))),
            allow_http: settings.allow_http,
        }
    }

    fn half(&self, set: &str, missing: &str) -> CredentialError {
        let (set, missing) = (self.called(set), self.called(missing));
        let message = format!(
            "{}: {set} is set, but {missing} is not, or is empty",
            self.place
        );
        misconfigured(self.provider, message).with_hint(format!("Set {missing}, or remove {set}"))
    }

    /// What the options log in as; `None` where they hold no credentials.
    /// `used` remembers that the passcode was sent.
    pub(super) fn provider(
        &self,
        settings: &LoginSettings,
        used: &Arc<AtomicBool>,
    ) -> Result<Option<Arc<dyn Provider>>, CredentialError> {
        let Some(source) = self.source(settings, used)? else {
            return Ok(None);
        };
        let Some(agency) = self.get("agency_name") else {
            return Ok(Some(source));
        };
        let mut agency = Agency::shared(source, agency);
        let iam = self.iam(settings);
        if let Some(name) = self.get("agency_domain_name") {
            agency = agency.domain_name(name);
        }
        if let Some(name) = self.get("delegated_project") {
            agency = agency.project_name(name);
        }
        if let Some(endpoint) = iam.endpoint {
            agency = agency.iam_endpoint(endpoint);
        }
        if let Some(region) = iam.region {
            agency = agency.region(region);
        }
        Ok(Some(Arc::new(agency.allow_http(iam.allow_http))))
    }

    fn source(
        &self,
        settings: &LoginSettings,
        used: &Arc<AtomicBool>,
    ) -> Result<Option<Arc<dyn Provider>>, CredentialError> {
        if let Some(token) = self.get("token") {
            let identity = Identity::Token(Secret::from(token));
            let mut credential = Credential::new(
                identity,
                format!("{} in {}", self.called("token"), self.place),
            );
            let project = settings.project_id.as_deref().or(self.get("project_id"));
            credential.scope.project_id = project.map(str::to_owned);
            let name = self.provider;
            return Ok(Some(Arc::new(Fixed { name, credential })));
        }
        match (self.get("ak"), self.get("sk")) {
            (Some(id), Some(secret)) => return Ok(Some(self.keys(settings, id, secret))),
            (Some(_), None) => return Err(self.half("ak", "sk")),
            (None, Some(_)) => return Err(self.half("sk", "ak")),
            (None, None) => {}
        }
        let (id, name, secret) = (
            "application_credential_id",
            "application_credential_name",
            "application_credential_secret",
        );
        match (self.named(id, name), self.get(secret)) {
            (Some(named), Some(secret)) => {
                return Ok(Some(self.application(settings, named, secret)));
            }
            (Some(Named::Id(_)), None) => return Err(self.half(id, secret)),
            (Some(Named::Name(_)), None) => return Err(self.half(name, secret)),
            (None, Some(_)) => return Err(self.half(secret, id)),
            (None, None) => {}
        }
        match (self.named("user_id", "username"), self.get("password")) {
            (Some(user), Some(password)) => Ok(Some(self.password(settings, used, user, password))),
            (None, Some(_)) => Err(self.half("password", "username")),
            (Some(Named::Id(_)), None) => Err(self.half("user_id", "password")),
            (Some(Named::Name(_)), None) => Err(self.half("username", "password")),
            (None, None) => Ok(None),
        }
    }

    fn keys(&self, settings: &LoginSettings, id: &str, secret: &str) -> Arc<dyn Provider> {
        let keys = Keys {
            id: id.to_owned(),
            secret: Secret::from(secret),
            token: self.get("security_token").map(Secret::from),
        };
        let source = format!(
            "{} and {} in {}",
            self.called("ak"),
            self.called("sk"),
            self.place
        );
        let fixed = Fixed {
            name: self.provider,
            credential: Credential::new(Identity::Keys(keys), source),
        };
        // An agency's project is that of the agency; the caller's own would only cost a request.
        if self.get("agency_name").is_some() {
            return Arc::new(fixed);
        }
        let (id, name) = match (&settings.project_id, &settings.project_name) {
            (None, None) => (
                self.get("project_id").map(str::to_owned),
                self.get("project_name").map(str::to_owned),
            ),
            (id, name) => (id.clone(), name.clone()),
        };
        Arc::new(KeysWithProject::new(fixed).with(id, name, self.iam(settings)))
    }

    fn application(
        &self,
        settings: &LoginSettings,
        credential: Named,
        secret: &str,
    ) -> Arc<dyn Provider> {
        let mut login = ApplicationCredential::of(credential, secret);
        login.user = self.named("user_id", "username");
        login.user_domain = self.user_domain();
        login.iam = self.iam(settings);
        Arc::new(login)
    }

    /// The domain of the user, which is also that of a login for a whole domain.
    fn user_domain(&self) -> Option<Named> {
        let own = self.named("user_domain_id", "user_domain_name");
        own.or_else(|| self.named("domain_id", "domain_name"))
    }

    fn password(
        &self,
        settings: &LoginSettings,
        used: &Arc<AtomicBool>,
        user: Named,
        password: &str,
    ) -> Arc<dyn Provider> {
        let domain = self.named("domain_id", "domain_name");
        let given = Named::of(
            settings.project_id.as_deref(),
            settings.project_name.as_deref(),
        );
        let mut login = Password::of(user, password);
        login.user_domain = self.user_domain();
        login.target = Target {
            project: given.or_else(|| self.named("project_id", "project_name")),
            project_domain: self.named("project_domain_id", "project_domain_name"),
            domain,
        };
        login.iam = self.iam(settings);
        match self.get("passcode") {
            Some(passcode) => Arc::new(Totp::using(login, passcode, Arc::clone(used))),
            None => Arc::new(login),
        }
    }
}
