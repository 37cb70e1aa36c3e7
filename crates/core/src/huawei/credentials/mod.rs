//! Where does a program for Open Telekom Cloud or Huawei Cloud find its credentials and its project?
//!
//! [`DefaultChain`] looks where OpenStack tools and Huawei Cloud's own SDKs look. Each place and each
//! kind of login is a provider of its own, to be used alone where a program knows what it wants.
//!
//! Sources: Open Telekom Cloud, "Identity and Access Management" API reference; Huawei Cloud SDK for
//! Python; OpenStack Identity API v3; openstacksdk's configuration files.

mod agency;
mod application;
mod iam;
mod id_token;
mod keystone;
mod metadata;
mod openstack;
mod options;
mod password;
mod projects;
mod sdk;
mod temporary_keys;
mod totp;
mod yaml;

use std::fmt;
use std::sync::Arc;

use crate::address::shown;
use crate::clock::BoxFuture;

use crate::credentials::{
    Chain, Context, Credential, CredentialError, Environment, ProviderReport, TlsSettings, Window,
};
#[cfg(fuzzing)]
#[doc(hidden)]
pub use openstack::of_text as cloud_of_text;
use options::Options;
use sdk::{Place, Sdk};
#[doc(hidden)]
pub use yaml::of_text as yaml_of_text;

pub use agency::Agency;
pub use application::ApplicationCredential;
pub use iam::endpoint;
pub use id_token::IdToken;
pub use metadata::Metadata;
pub use password::Password;
pub use projects::KeysWithProject;
pub use temporary_keys::TemporaryKeys;
pub use totp::Totp;

use super::protocol::REQUEST_IDS;

/// What a client already knows when it looks for credentials; each part may be left to the
/// environment. What is set here counts more.
#[derive(Clone, Default)]
pub struct LoginSettings {
    /// Region, such as `eu-de`.
    pub region: Option<String>,
    /// Address of IAM (Keystone), such as `https://iam.eu-de.otc.t-systems.com/v3`.
    pub iam_endpoint: Option<String>,
    /// Project to work in, by id.
    pub project_id: Option<String>,
    /// Project to work in, by name.
    pub project_name: Option<String>,
    /// Whether passwords and tokens may go over plain HTTP to another machine.
    pub allow_http: bool,
    /// Certificates, for whoever sets up the connections: `cacert`, `cert`, `key`, `verify` and
    /// `insecure` of the cloud, else `OS_CACERT`, `OS_CERT`, `OS_KEY`, `OS_VERIFY`, `OS_INSECURE`.
    pub tls: TlsSettings,
}

impl fmt::Debug for LoginSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginSettings")
            .field("region", &self.region)
            .field("iam_endpoint", &self.iam_endpoint.as_deref().map(shown))
            .field("project_id", &self.project_id)
            .field("project_name", &self.project_name)
            .field("allow_http", &self.allow_http)
            .field("tls", &self.tls)
            .finish()
    }
}

impl LoginSettings {
    /// What the environment says: the cloud that `OS_CLOUD` names, else `OS_*`, else
    /// `HUAWEICLOUD_SDK_*` variables.
    ///
    /// An error where `OS_CLOUD` names a cloud that cannot be read.
    pub fn from_environment(environment: &Environment) -> Result<Self, CredentialError> {
        let variables = Options::from_environment("environment", environment);
        let cloud = openstack::cloud(environment)?;
        let (options, others) = match &cloud {
            Some(cloud) => (cloud, Some(&variables)),
            None => (&variables, None),
        };
        let text = |option: &str, variable: &str| {
            let value = options.get(option).map(str::to_owned);
            value.or_else(|| environment.var(variable))
        };
        Ok(Self {
            region: options.region(),
            iam_endpoint: text("auth_url", "HUAWEICLOUD_SDK_IAM_ENDPOINT"),
            project_id: text("project_id", "HUAWEICLOUD_SDK_PROJECT_ID"),
            project_name: options.get("project_name").map(str::to_owned),
            allow_http: false,
            tls: options.tls(others),
        })
    }
}

/// `clouds.yaml` where `OS_CLOUD` is set, `OS_*` variables, an identity provider's token,
/// `HUAWEICLOUD_SDK_*` variables, `~/.huaweicloud/credentials`, the server's metadata.
#[derive(Debug)]
pub struct DefaultChain(Chain);

impl DefaultChain {
    /// The chain, in the documented order.
    pub fn new(settings: LoginSettings) -> Self {
        Self(Chain::of_cloud("Huawei Cloud default chain", || {
            let metadata = KeysWithProject::new(Metadata::in_chain()).with(
                settings.project_id.clone(),
                settings.project_name.clone(),
                iam::Iam {
                    endpoint: settings.iam_endpoint.clone(),
                    region: settings.region.clone(),
                    allow_http: settings.allow_http,
                },
            );
            vec![
                Arc::new(openstack::Clouds::new(settings.clone())),
                Arc::new(openstack::Variables::new(settings.clone())),
                Arc::new(Sdk::new(Place::IdToken, settings.clone())),
                Arc::new(Sdk::new(Place::Variables, settings.clone())),
                Arc::new(Sdk::new(Place::Profile, settings)),
                Arc::new(metadata),
            ]
        }))
    }
}

crate::credentials::chain::delegate!(DefaultChain);

#[cfg(test)]
mod tests;
