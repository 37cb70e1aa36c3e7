//! Where does an Alibaba Cloud program find its credentials, on a laptop, a runner or in a cluster?
//!
//! [`DefaultChain`] looks in the places, and in the order, of the vendor's own SDKs. Each place is
//! a provider of its own, to be used alone where a program knows where its credentials are.
//!
//! Source: Alibaba Cloud, "Manage access credentials", and the behaviour of the Alibaba Cloud
//! Credentials SDKs for Go and Python.

mod answer;
mod assume_role;
mod bearer_token;
mod cli_profile;
mod cloud_sso;
mod ecs_role;
mod environment;
mod external;
mod ini_profile;
mod oauth;
mod oidc;
mod sts;
mod uri;

use std::sync::Arc;

use crate::clock::BoxFuture;

use crate::credentials::{Chain, Context, Credential, CredentialError, ProviderReport, Window};

pub use assume_role::AssumeRole;
pub use bearer_token::BearerToken;
pub use cli_profile::CliProfile;
#[cfg(fuzzing)]
#[doc(hidden)]
pub use cli_profile::of_text as cli_profile_of_text;
pub use cloud_sso::CloudSso;
pub use ecs_role::EcsRole;
pub use environment::EnvironmentKeys;
pub use external::External;
pub use ini_profile::IniProfile;
#[cfg(fuzzing)]
#[doc(hidden)]
pub use ini_profile::of_text as ini_profile_of_text;
pub use oauth::OAuth;
pub use oidc::Oidc;
pub use uri::CredentialsUri;

/// Headers that name a request, in the order in which they are looked for.
const REQUEST_IDS: &[&str] = &[super::protocol::REQUEST_ID, "x-request-id"];

/// Environment, OIDC, CLI profile, ini profile, ECS role, credentials URI.
#[derive(Debug)]
pub struct DefaultChain(Chain);

impl DefaultChain {
    /// The chain, in the documented order.
    pub fn new() -> Self {
        Self(Chain::of_cloud("Alibaba Cloud default chain", || {
            vec![
                Arc::new(EnvironmentKeys),
                Arc::new(Oidc::from_environment()),
                Arc::new(CliProfile::new()),
                Arc::new(IniProfile::new()),
                Arc::new(EcsRole::in_chain()),
                Arc::new(CredentialsUri::from_environment()),
            ]
        }))
    }
}

impl Default for DefaultChain {
    fn default() -> Self {
        Self::new()
    }
}

crate::credentials::chain::delegate!(DefaultChain);

#[cfg(test)]
mod tests;
