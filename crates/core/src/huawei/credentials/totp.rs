//! Logs in with password and passcode. A passcode works once, so nothing here logs in twice with it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::clock::BoxFuture;
use crate::record::{Json, Secret};
use crate::wipe::Wiped;

use super::REQUEST_IDS;
use super::keystone;
use super::password::Password;
use crate::credentials::fetch::Route;
use crate::credentials::{Context, Credential, CredentialError, Provider, Reason, Window};

const NAME: &str = "Keystone passcode";
/// A repeat would send a passcode that may have been used up.
const ROUTE: Route = Route {
    attempts: 1,
    ..Route::new(NAME, "IAM", REQUEST_IDS).telling()
};

/// A Keystone token by user, password and a passcode (TOTP).
///
/// When the token ends, calls fail with [`Reason::Expired`], unless a function was given that asks
/// the person for another passcode.
#[derive(Clone)]
pub struct Totp {
    password: Password,
    passcode: Passcode,
}

#[derive(Clone)]
enum Passcode {
    Once(Secret, Arc<AtomicBool>),
    Asked(Arc<dyn Fn() -> Option<Secret> + Send + Sync>),
}

impl fmt::Debug for Totp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Totp").field(&self.password).finish()
    }
}

impl Totp {
    /// With this passcode, once.
    pub fn new(password: Password, passcode: impl Into<Secret>) -> Self {
        Self::using(password, passcode, Arc::default())
    }

    /// With what `ask` returns, each time a login is needed; `None` ends it.
    pub fn asking(
        password: Password,
        ask: impl Fn() -> Option<Secret> + Send + Sync + 'static,
    ) -> Self {
        Self {
            password,
            passcode: Passcode::Asked(Arc::new(ask)),
        }
    }

    /// As [`new`](Self::new); `used` remembers over several values that the passcode was sent.
    pub(super) fn using(
        password: Password,
        passcode: impl Into<Secret>,
        used: Arc<AtomicBool>,
    ) -> Self {
        Self {
            password,
            passcode: Passcode::Once(passcode.into(), used),
        }
    }

    fn passcode(&self) -> Result<Secret, CredentialError> {
        let (passcode, what) = match &self.passcode {
            Passcode::Once(passcode, used) => {
                let first = !used.swap(true, Ordering::Relaxed);
                (
                    first.then(|| passcode.clone()),
                    "the passcode has been used, and works only once",
                )
            }
            Passcode::Asked(ask) => (ask(), "nobody gave a passcode"),
        };
        passcode.ok_or_else(|| {
            CredentialError::new(Reason::Expired, NAME, what).with_hint(
                "Log in with a new passcode: build the client anew, or use `Totp::asking`",
            )
        })
    }

    async fn log_in(&self, context: &Context) -> Result<Credential, CredentialError> {
        let password = &self.password;
        let url = password.iam.url(NAME, "/v3/auth/tokens")?;
        let user = password.user(NAME)?;
        let passcode = self.passcode()?;
        let (mut first, mut second) = (Wiped(user.clone()), Wiped(user));
        first["password"] = Json::from(password.password.expose());
        second["passcode"] = Json::from(passcode.expose());
        let identity = Wiped(json!({
            "methods": ["password", "totp"],
            "password": { "user": *first },
            "totp": { "user": *second },
        }));
        let scope = password.target.json(password.user_domain.as_ref());
        let body = keystone::body(&identity, scope);
        keystone::log_in(context, &ROUTE, &url, &body, password.source(&url), |ask| {
            ask
        })
        .await
    }
}

impl Provider for Totp {
    fn name(&self) -> &'static str {
        NAME
    }

    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Credential, CredentialError>> {
        Box::pin(self.log_in(context))
    }

    fn window(&self) -> Window {
        // Nothing is gained by refreshing early what cannot be refreshed.
        Window {
            share: 10,
            early: std::time::Duration::ZERO,
            blocking: std::time::Duration::ZERO,
        }
    }
}
