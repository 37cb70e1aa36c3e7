//! Logs in to ZStack, and out again.
//!
//! Passwords go as their SHA-512 in lower-case hex, except to LDAP, which needs the password itself.
//! A login that the server refuses is never repeated: servers lock accounts for that.

use std::fmt;
use std::time::Duration;

use http::Method;
use serde_json::json;
use sha2::{Digest, Sha512};
use url::Url;
use zeroize::Zeroizing;

use crate::clock::BoxFuture;
use crate::error::Kind;
use crate::record::{Json, Secret};
use crate::service::find_code;
use crate::sign::{percent, push_hex};
use crate::transport::{HttpRequest, HttpResponse};
use crate::wipe::Wiped;
use crate::zstack::CONTEXT_PATH;
use crate::zstack::codes::CODES;

use crate::credentials::fetch::{self, Route};
use crate::credentials::{Context, Credential, CredentialError, Identity, Provider, Reason};

pub(super) const NAME: &str = "ZStack login";
const ROUTE: Route = Route {
    timeout: Duration::from_secs(30),
    passing,
    ..Route::new(NAME, "ZStack", &[])
};
/// Nobody waits long for a log-out.
const LOG_OUT: Duration = Duration::from_secs(5);

/// Server faults pass, unless they are how ZStack says no: 503 with a code in the body.
fn passing(reply: &HttpResponse) -> bool {
    if reply.status < 500 {
        return false;
    }
    match fetch::code(reply) {
        // No management node is ready, or none can be reached.
        Some(code) => find_code(CODES, &code).is_some_and(|known| known.kind == Kind::Unavailable),
        None => true,
    }
}

/// What all logins share.
#[derive(Clone)]
pub(super) struct Login {
    pub(super) endpoint: String,
    pub(super) allow_http: bool,
    pub(super) path: &'static str,
    pub(super) key: &'static str,
    pub(super) members: serde_json::Map<String, Json>,
    pub(super) password: Secret,
    pub(super) clear: bool,
    pub(super) tags: Vec<String>,
    /// Who logs in, for messages.
    pub(super) who: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("who", &self.who)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Login {
    pub(super) fn new(
        endpoint: impl Into<String>,
        path: &'static str,
        key: &'static str,
        who: (&'static str, String),
        password: Secret,
    ) -> Self {
        let mut members = serde_json::Map::new();
        members.insert(who.0.to_owned(), Json::from(who.1.clone()));
        Self {
            endpoint: endpoint.into(),
            allow_http: false,
            path,
            key,
            members,
            password,
            clear: false,
            tags: Vec::new(),
            who: who.1,
        }
    }

    pub(super) fn url(&self, path: &str) -> Result<Url, CredentialError> {
        let mut url = fetch::address(NAME, "the ZStack endpoint", &self.endpoint)?;
        fetch::guard(NAME, &url, self.allow_http)?;
        let below = match url.path().trim_end_matches('/') {
            "" => CONTEXT_PATH,
            below => below,
        };
        let path = format!("{below}/v1{path}");
        url.set_path(&path);
        url.set_query(None);
        url.set_fragment(None);
        Ok(url)
    }

    pub(super) async fn log_in(&self, context: &Context) -> Result<Credential, CredentialError> {
        let password = match self.clear {
            true => self.password.expose().to_owned(),
            false => sha512_hex(self.password.expose()),
        };
        let mut members = Wiped(Json::Object(self.members.clone()));
        members["password"] = Json::from(password);
        let mut body = Wiped(json!({ self.key: *members }));
        if !self.tags.is_empty() {
            body["systemTags"] = json!(self.tags);
        }
        let url = self.url(self.path)?;
        let session = open(context, &url, &body, None).await?;
        let source = format!("login of {} at {}", self.who, url.authority());
        Ok(credential(session, source))
    }

    /// Ends a session; whether that worked is of no use to anybody.
    pub(super) async fn log_out(&self, context: &Context, session: &str) {
        let Ok(url) = self.url(&format!("/accounts/sessions/{}", percent::encode(session))) else {
            return;
        };
        let route = Route {
            attempts: 1,
            timeout: LOG_OUT,
            ..ROUTE
        };
        if let Err(error) = route
            .once(context, HttpRequest::new(Method::DELETE, url))
            .await
        {
            tracing::debug!(%error, "the session could not be ended");
        }
    }
}

/// What a login tells.
pub(super) struct Opened {
    pub(super) session: Secret,
    pub(super) account: Option<String>,
    pub(super) user: Option<String>,
}

fn credential(opened: Opened, source: String) -> Credential {
    let mut credential = Credential::new(Identity::Token(opened.session), source);
    credential.scope.account = opened.account;
    credential.scope.user = opened.user;
    credential
}

pub(super) async fn open(
    context: &Context,
    url: &Url,
    body: &Json,
    session: Option<&Secret>,
) -> Result<Opened, CredentialError> {
    let ask = || {
        let ask = HttpRequest::new(Method::PUT, url.clone()).json(body);
        Ok(match session {
            Some(session) => ask.header(
                "authorization",
                &Zeroizing::new(["OAuth ", session.expose()].concat()),
            ),
            None => ask,
        })
    };
    let reply = ROUTE.send(context, ask).await?;
    let json = if reply.status == 200 {
        ROUTE.json(&reply)?
    } else {
        return Err(refused(&reply));
    };
    let text = |name: &str| {
        let value = json.pointer(&format!("/inventory/{name}"))?.as_str()?;
        (!value.is_empty()).then(|| value.to_owned())
    };
    Ok(Opened {
        session: Secret::from(text("uuid").ok_or_else(|| ROUTE.incomplete("a session"))?),
        account: text("accountUuid"),
        user: text("userUuid"),
    })
}

fn refused(reply: &HttpResponse) -> CredentialError {
    let mut error = ROUTE.refused(reply);
    if let Some(code) = fetch::code(reply) {
        error.reason = Reason::Refused;
        if let Some(known) = find_code(CODES, &code) {
            return error.with_hint(known.hint);
        }
    }
    if reply.status == 404 {
        return error.with_hint("Check the endpoint's context path, which usually is /zstack");
    }
    error
}

fn sha512_hex(text: &str) -> String {
    let mut out = String::with_capacity(128);
    push_hex(&mut out, &Sha512::digest(text.as_bytes()));
    out
}

/// The settings that logins share.
macro_rules! login {
    ($type:ident) => {
        impl $type {
            /// Sends the password as it is, not its SHA-512. Directories behind ZStack need it so.
            pub fn clear_password(mut self, clear: bool) -> Self {
                self.login.clear = clear;
                self
            }
            /// Allows the password to go over plain HTTP to another machine.
            pub fn allow_http(mut self, allow: bool) -> Self {
                self.login.allow_http = allow;
                self
            }
            /// Adds a system tag to the login, which is how some versions take a second factor.
            pub fn system_tag(mut self, tag: impl Into<String>) -> Self {
                self.login.tags.push(tag.into());
                self
            }
            /// Answers the captcha that the server asks for after several failures.
            pub fn captcha(mut self, uuid: impl Into<String>, code: impl Into<String>) -> Self {
                self.login
                    .members
                    .insert("captchaUuid".into(), Json::from(uuid.into()));
                self.login
                    .members
                    .insert("verifyCode".into(), Json::from(code.into()));
                self
            }
        }
    };
    (provider $type:ident) => {
        login!($type);

        impl Provider for $type {
            fn name(&self) -> &'static str {
                NAME
            }
            fn provide<'a>(
                &'a self,
                context: &'a Context,
            ) -> BoxFuture<'a, Result<Credential, CredentialError>> {
                Box::pin(self.login.log_in(context))
            }
            fn release<'a>(
                &'a self,
                context: &'a Context,
                credential: &'a Credential,
            ) -> BoxFuture<'a, ()> {
                Box::pin(async move {
                    if let Identity::Token(session) = &credential.identity {
                        self.login.log_out(context, session.expose()).await;
                    }
                })
            }
        }
    };
}

pub(super) use login;

/// Logs in as an account, such as `admin`.
#[derive(Debug, Clone)]
pub struct AccountLogin {
    login: Login,
}

impl AccountLogin {
    /// At `endpoint` (with the context path), as the account `name`.
    pub fn new(
        endpoint: impl Into<String>,
        name: impl Into<String>,
        password: impl Into<Secret>,
    ) -> Self {
        let who = ("accountName", name.into());
        Self {
            login: Login::new(
                endpoint,
                "/accounts/login",
                "logInByAccount",
                who,
                password.into(),
            ),
        }
    }
}
login!(provider AccountLogin);

/// Logs in as a user of an account.
#[derive(Debug, Clone)]
pub struct UserLogin {
    login: Login,
}

impl UserLogin {
    /// At `endpoint` (with the context path), as `user` of the account named `account`.
    pub fn new(
        endpoint: impl Into<String>,
        account: impl Into<String>,
        user: impl Into<String>,
        password: impl Into<Secret>,
    ) -> Self {
        let who = ("userName", user.into());
        let mut login = Login::new(
            endpoint,
            "/accounts/users/login",
            "logInByUser",
            who,
            password.into(),
        );
        login
            .members
            .insert("accountName".into(), Json::from(account.into()));
        Self { login }
    }

    /// Tells the account by its uuid, not its name.
    pub fn account_uuid(mut self, uuid: impl Into<String>) -> Self {
        self.login.members.remove("accountName");
        self.login
            .members
            .insert("accountUuid".into(), Json::from(uuid.into()));
        self
    }
}
login!(provider UserLogin);

/// Logs in by a directory (LDAP). The password goes in clear: use HTTPS.
#[derive(Debug, Clone)]
pub struct LdapLogin {
    login: Login,
}

impl LdapLogin {
    /// At `endpoint` (with the context path), as the directory's user `uid`.
    pub fn new(
        endpoint: impl Into<String>,
        uid: impl Into<String>,
        password: impl Into<Secret>,
    ) -> Self {
        let who = ("uid", uid.into());
        let mut login = Login::new(endpoint, "/ldap/login", "logInByLdap", who, password.into());
        login.clear = true;
        Self { login }
    }
}
login!(provider LdapLogin);
