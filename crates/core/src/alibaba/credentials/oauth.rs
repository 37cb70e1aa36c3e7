//! Keys by a browser login (OAuth) that the vendor's command line made.
//!
//! Refresh tokens work once. So a new one is written back to the profile before anything else is
//! done with it, and a lock keeps two programs from using the same one up. Whoever comes second
//! reads the file again, and finds that the work is done.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use http::Method;
use url::Url;

use crate::clock::{BoxFuture, unix_seconds};
use crate::record::{Json, Secret};

use super::REQUEST_IDS;
use super::answer;
use super::cli_profile::store::{self, Profile};
use crate::credentials::fetch::{self, Route, member};
use crate::credentials::{Context, Credential, CredentialError, Provider, Reason, misconfigured};
use crate::transport::HttpRequest;

const NAME: &str = "OAuth";
/// A repeat could use up a refresh token whose successor is lost with the answer.
const TOKEN_ROUTE: Route = Route {
    attempts: 1,
    ..Route::new(NAME, "the OAuth server", REQUEST_IDS)
};
const EXCHANGE_ROUTE: Route = Route::new(NAME, "the OAuth server", REQUEST_IDS);
/// An access token is renewed when it lives no longer than this.
const LEFT: Duration = Duration::from_secs(1200);

/// The site's server, and the id of the vendor's command line as its client.
/// Source: Alibaba Cloud Credentials SDK for Go.
const SITES: [(&str, &str, &str); 2] = [
    ("CN", "https://oauth.aliyun.com", "4038181954557748008"),
    (
        "INTL",
        "https://oauth.alibabacloud.com",
        "4103531455503354461",
    ),
];

/// Temporary keys by the OAuth login in a profile of the vendor's command line.
#[derive(Debug, Clone)]
pub struct OAuth {
    path: PathBuf,
    profile: String,
    server: Option<String>,
}

struct Site {
    server: Url,
    client: &'static str,
}

impl OAuth {
    /// The login of `profile` in the configuration file at `path`.
    pub fn new(path: impl Into<PathBuf>, profile: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            profile: profile.into(),
            server: None,
        }
    }

    /// Asks the server at this address.
    pub fn server(mut self, address: impl Into<String>) -> Self {
        self.server = Some(address.into());
        self
    }

    fn login_again(&self, what: &str) -> CredentialError {
        let message = format!(
            "the OAuth login of profile `{}` in {} {what}",
            self.profile,
            self.path.display()
        );
        CredentialError::new(Reason::Expired, NAME, message).with_hint(format!(
            "Run `aliyun configure --mode OAuth --profile {}`",
            self.profile
        ))
    }

    fn site(&self, profile: &Profile<'_>) -> Result<Site, CredentialError> {
        let kind = profile.need(NAME, "oauth_site_type")?;
        let (_, server, client) = SITES
            .into_iter()
            .find(|(name, ..)| name.eq_ignore_ascii_case(kind))
            .ok_or_else(|| {
                misconfigured(
                    NAME,
                    format!(
                        "{}: oauth_site_type is neither CN nor INTL",
                        profile.place()
                    ),
                )
                .with_hint(format!(
                    "Run `aliyun configure --mode OAuth --profile {}`",
                    self.profile
                ))
            })?;
        let server = fetch::address(
            NAME,
            "the OAuth server",
            self.server.as_deref().unwrap_or(server),
        )?;
        fetch::guard(NAME, &server, false)?;
        Ok(Site { server, client })
    }

    /// The access token, if it lives long enough.
    fn fresh(profile: &Profile<'_>, now: SystemTime) -> Option<Secret> {
        let ends = answer::unix(profile.json("oauth_access_token_expire"))?;
        let token = profile.text("oauth_access_token")?;
        (ends > now + LEFT).then(|| Secret::from(token))
    }

    async fn fetch(&self, context: &Context) -> Result<Credential, CredentialError> {
        let file = store::read(NAME, &self.path)?;
        let profile = file.profile(NAME, &self.profile)?;
        let site = self.site(&profile)?;
        let token = match Self::fresh(&profile, context.clock.now()) {
            Some(token) => token,
            None => self.renew(context, &site).await?,
        };
        let mut url = site.server.clone();
        url.set_path("/v1/exchange");
        let bearer = format!("Bearer {}", token.expose());
        let reply = EXCHANGE_ROUTE
            .send(context, || {
                Ok(HttpRequest::new(Method::POST, url.clone())
                    .header("authorization", &bearer)
                    .form(&[]))
            })
            .await?;
        if reply.status == 401 {
            return Err(self.login_again("is no longer accepted"));
        }
        let json = EXCHANGE_ROUTE.json(&reply)?;
        let source = format!("the OAuth login of {}", profile.place());
        answer::temporary_keys(&EXCHANGE_ROUTE, &json, source)
    }

    async fn renew(&self, context: &Context, site: &Site) -> Result<Secret, CredentialError> {
        let _lock = store::lock(NAME, context, &self.path).await?;
        let file = store::read(NAME, &self.path)?;
        let profile = file.profile(NAME, &self.profile)?;
        if let Some(token) = Self::fresh(&profile, context.clock.now()) {
            return Ok(token);
        }
        let refresh = profile
            .text("oauth_refresh_token")
            .ok_or_else(|| self.login_again("has no refresh token"))?;
        let mut url = site.server.clone();
        url.set_path("/v1/token");
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh),
            ("client_id", site.client),
        ];
        let ask = || Ok(HttpRequest::new(Method::POST, url.clone()).form(&form));
        let reply = TOKEN_ROUTE.send(context, ask).await?;
        if matches!(reply.status, 400 | 401 | 403) {
            return Err(self.login_again("cannot be renewed"));
        }
        let json = TOKEN_ROUTE.json(&reply)?;
        let text =
            |name: &'static str| member(&json, name).ok_or_else(|| TOKEN_ROUTE.incomplete(name));
        let (access, next) = (text("access_token")?, text("refresh_token")?);
        let life = json.get("expires_in").and_then(|life| match life {
            Json::String(text) => text.parse().ok(),
            other => other.as_u64(),
        });
        let life = life.ok_or_else(|| TOKEN_ROUTE.incomplete("expires_in"))?;
        let ends = unix_seconds(context.clock.now()).saturating_add_unsigned(life);
        let mut changed = file.clone();
        changed.set(
            &self.profile,
            &[
                ("oauth_access_token", Json::from(access)),
                ("oauth_refresh_token", Json::from(next)),
                ("oauth_access_token_expire", Json::from(ends)),
            ],
        );
        changed.write(NAME)?;
        Ok(Secret::from(access))
    }
}

impl Provider for OAuth {
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
