//! Keys of the RAM role of the ECS instance that the program runs on, from its metadata service.
//!
//! Version 2 of the service (a session token first) is tried before version 1, which can be turned
//! off. Requests never go through a proxy, and never take longer than a second: on a machine that is
//! no ECS instance, nothing answers.

use std::time::Duration;

use http::Method;
use url::Url;

use crate::clock::BoxFuture;
use crate::sign::percent;
use crate::transport::{HttpRequest, HttpResponse, TransportError, TransportErrorKind};

use super::REQUEST_IDS;
use super::answer;
use crate::credentials::fetch::{self, Route, member};
use crate::credentials::{
    Context, Credential, CredentialError, Provider, Reason, misconfigured, not_set,
};

const NAME: &str = "ECS RAM role";
const HOST: &str = "http://100.100.100.200";
const ROLES: &str = "/latest/meta-data/ram/security-credentials/";
const ROLE_VARIABLE: &str = "ALIBABA_CLOUD_ECS_METADATA";
const TOKEN_SECONDS: &str = "21600";

const ROUTE: Route = Route {
    direct: true,
    attempts: 1,
    timeout: Duration::from_secs(1),
    ..Route::new(NAME, "the metadata service", REQUEST_IDS)
};

/// Keys of the instance's RAM role.
#[derive(Debug, Clone, Default)]
pub struct EcsRole {
    role: Option<String>,
    no_version_1: bool,
    /// In a chain, a machine without the service is simply no ECS instance.
    optional: bool,
}

impl EcsRole {
    /// The instance's role: that of `ALIBABA_CLOUD_ECS_METADATA`, or else the one that the metadata
    /// service names.
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn in_chain() -> Self {
        Self {
            optional: true,
            ..Self::default()
        }
    }

    /// The role of this name.
    pub fn role(mut self, name: impl Into<String>) -> Self {
        self.role = Some(name.into());
        self
    }

    /// Never falls back to version 1 of the metadata service, as with
    /// `ALIBABA_CLOUD_IMDSV1_DISABLED`.
    pub fn disable_v1(mut self, disable: bool) -> Self {
        self.no_version_1 = disable;
        self
    }

    async fn fetch(&self, context: &Context) -> Result<Credential, CredentialError> {
        let environment = &context.environment;
        if environment.flag("ALIBABA_CLOUD_ECS_METADATA_DISABLED") {
            let what = "ALIBABA_CLOUD_ECS_METADATA_DISABLED is set";
            return Err(match self.optional {
                true => not_set(NAME, what),
                false => misconfigured(NAME, what).with_hint("Unset it, or use other credentials"),
            });
        }
        let named = self.role.clone().or_else(|| environment.var(ROLE_VARIABLE));
        let absent = |error: TransportError| {
            let message = format!("nothing answers at {HOST}: {error}");
            match self.optional && named.is_none() {
                true => not_set(NAME, format!("this is no ECS instance: {message}")),
                false => CredentialError::new(Reason::Unavailable, NAME, message),
            }
        };
        let token = match self.token(context).await? {
            Ok(token) => token,
            Err(error) => return Err(absent(error)),
        };
        let role = match &named {
            Some(role) => role.clone(),
            None => match get(context, ROLES, token.as_deref()).await? {
                Ok(reply) => self.role_name(&reply)?,
                Err(error) => return Err(absent(error)),
            },
        };
        let mut path = ROLES.to_owned();
        percent::push(&mut path, &role);
        let reply = get(context, &path, token.as_deref())
            .await?
            .map_err(absent)?;
        if reply.status == 404 {
            return Err(
                misconfigured(NAME, format!("this instance has no RAM role `{role}`"))
                    .with_hint("Attach the role to the instance, or correct its name"),
            );
        }
        let json = ROUTE.json(&reply)?;
        match member(&json, "Code") {
            Some("Success") => {}
            None => return Err(ROUTE.incomplete("Code")),
            Some(_) => {
                let message = "the metadata service could not issue keys for the role";
                return Err(CredentialError::new(Reason::Unavailable, NAME, message)
                    .with_hint("Check that the role trusts ecs.aliyuncs.com"));
            }
        }
        let mut credential = answer::temporary_keys(&ROUTE, &json, format!("ECS RAM role {role}"))?;
        credential.scope.user = Some(role);
        Ok(credential)
    }

    /// The session token of version 2; `None` means version 1.
    async fn token(&self, context: &Context) -> Answer<Option<String>> {
        let ask = HttpRequest::new(Method::PUT, url("/latest/api/token")?)
            .header("x-aliyun-ecs-metadata-token-ttl-seconds", TOKEN_SECONDS);
        let no_version_1 =
            self.no_version_1 || context.environment.flag("ALIBABA_CLOUD_IMDSV1_DISABLED");
        match ROUTE.once(context, ask).await {
            Ok(reply) if reply.status == 200 && !reply.body.is_empty() => {
                let token =
                    std::str::from_utf8(&reply.body).map_err(|_| ROUTE.incomplete("a token"))?;
                Ok(Ok(Some(token.trim().to_owned())))
            }
            Ok(reply) if no_version_1 => Err(ROUTE
                .refused(&reply)
                .with_hint("Version 1 of the metadata service is turned off")),
            // Version 1 lives at the same address: where nothing listens, it does not either.
            Err(error) if no_version_1 || error.kind == TransportErrorKind::Connect => {
                Ok(Err(error))
            }
            Ok(_) | Err(_) => Ok(Ok(None)),
        }
    }

    fn role_name(&self, reply: &HttpResponse) -> Result<String, CredentialError> {
        if reply.status == 404 {
            let what = "this ECS instance has no RAM role";
            return Err(match self.optional {
                true => not_set(NAME, what),
                false => misconfigured(NAME, what).with_hint("Attach a role to the instance"),
            });
        }
        if reply.status != 200 {
            return Err(ROUTE.refused(reply));
        }
        let text = std::str::from_utf8(&reply.body).unwrap_or_default().trim();
        let is_role = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@');
        if text.is_empty() || !text.chars().all(is_role) {
            return Err(ROUTE.incomplete("the name of a role"));
        }
        Ok(text.to_owned())
    }
}

/// What is wrong with us outside, what is wrong with the network inside.
type Answer<T> = Result<Result<T, TransportError>, CredentialError>;

fn url(path: &str) -> Result<Url, CredentialError> {
    fetch::address(NAME, "the metadata address", &format!("{HOST}{path}"))
}

async fn get(context: &Context, path: &str, token: Option<&str>) -> Answer<HttpResponse> {
    let mut ask = HttpRequest::new(Method::GET, url(path)?);
    if let Some(token) = token {
        ask = ask.header("x-aliyun-ecs-metadata-token", token);
    }
    Ok(ROUTE.once(context, ask).await)
}

impl Provider for EcsRole {
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
