//! Where does a ZStack program find its credentials, and what becomes of the sessions it opens?
//!
//! An [`AccessKey`] signs every call. The logins open a session, which the client shares among its
//! clones, opens again when the server has forgotten it, and ends when it is closed: a user can have
//! 500 sessions, and each lives on for two hours after its last call. Sessions tell no end that could
//! be relied on (every call pushes it out), so none is kept here.
//!
//! Source: ZStack REST API documentation; its open server source.

mod access_key;
mod environment;
mod iam2;
mod login;
mod session;

use std::fmt;
use std::sync::Arc;

use crate::address::shown;
use crate::clock::BoxFuture;

use crate::credentials::{
    Chain, Context, Credential, CredentialError, Environment, ProviderReport, TlsSettings, Window,
};

pub use access_key::AccessKey;
pub use iam2::Iam2Login;
pub use login::{AccountLogin, LdapLogin, UserLogin};
pub use session::Session;

/// What a client already knows when it looks for credentials.
#[derive(Clone, Default)]
pub struct LoginSettings {
    /// Address of the management node, such as `https://zstack.example.com:8080`, with its context path
    /// where that is not `/zstack`; else that of the environment, see [`endpoint`].
    pub endpoint: Option<String>,
    /// Whether passwords and sessions may go over plain HTTP to another machine.
    pub allow_http: bool,
}

impl fmt::Debug for LoginSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginSettings")
            .field("endpoint", &self.endpoint.as_deref().map(shown))
            .field("allow_http", &self.allow_http)
            .finish()
    }
}

/// The address of the management node that the environment names: `ZSTACK_ENDPOINT`, or else
/// `ZSTACK_HOST`, `ZSTACK_PORT` (8080) and `ZSTACK_CONTEXT_PATH` (`zstack`), with HTTPS.
///
/// A host with a scheme before it (`http://10.0.0.1`) keeps its scheme.
pub fn endpoint(environment: &Environment) -> Option<String> {
    if let Some(endpoint) = environment.var("ZSTACK_ENDPOINT") {
        return Some(endpoint);
    }
    let host = environment.var("ZSTACK_HOST")?;
    let host = host.trim_end_matches('/');
    let base = if host.contains("://") {
        host.to_owned()
    } else {
        format!("https://{host}")
    };
    let port = environment
        .var("ZSTACK_PORT")
        .unwrap_or_else(|| "8080".into());
    let path = environment
        .var("ZSTACK_CONTEXT_PATH")
        .unwrap_or_else(|| "zstack".into());
    Some(format!("{base}:{port}/{}", path.trim_matches('/')))
}

/// The certificate of an authority to trust, in the file that `ZSTACK_CA_FILE` names.
pub fn tls(environment: &Environment) -> TlsSettings {
    const VARIABLE: &str = "ZSTACK_CA_FILE";
    environment
        .var(VARIABLE)
        .map(|path| TlsSettings::ca_file(VARIABLE, path))
        .unwrap_or_default()
}

/// A session, an access key, an account's login, each from `ZSTACK_*` variables.
#[derive(Debug)]
pub struct DefaultChain(Chain);

impl DefaultChain {
    /// The chain, in the documented order.
    pub fn new(settings: LoginSettings) -> Self {
        Self(Chain::of_cloud("ZStack default chain", || {
            vec![
                Arc::new(session::FromEnvironment),
                Arc::new(access_key::FromEnvironment),
                Arc::new(environment::AccountVariables::new(settings)),
            ]
        }))
    }
}

crate::credentials::chain::delegate!(DefaultChain);

#[cfg(test)]
mod tests;
