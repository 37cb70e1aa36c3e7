//! Acts as a RAM role by an OIDC token, as pods of a Kubernetes cluster and CI runners have one.

use std::time::Duration;

use http::Method;

use crate::clock::{BoxFuture, unix_seconds};
use crate::sign::{percent, time};

use super::REQUEST_IDS;
use super::assume_role::{SHORTEST, USUAL};
use super::sts::{self, Sts};
use crate::credentials::fetch::Route;
use crate::credentials::{
    Context, Credential, CredentialError, Provider, file, misconfigured, not_set,
};
use crate::transport::HttpRequest;

const NAME: &str = "OIDC";
const ROUTE: Route = Route::new(NAME, "STS", REQUEST_IDS);
const ROLE: &str = "ALIBABA_CLOUD_ROLE_ARN";
const IDENTITY_PROVIDER: &str = "ALIBABA_CLOUD_OIDC_PROVIDER_ARN";
const TOKEN_FILE: &str = "ALIBABA_CLOUD_OIDC_TOKEN_FILE";

/// Temporary keys of a RAM role, by an OIDC token in a file. The file is read at each refresh, as
/// the cluster replaces the token in it.
#[derive(Debug, Clone)]
pub struct Oidc {
    given: Option<Given>,
    session_name: Option<String>,
    duration: Duration,
    policy: Option<String>,
    sts: Sts,
}

#[derive(Debug, Clone)]
struct Given {
    role_arn: String,
    provider_arn: String,
    token_file: String,
    /// Where the path of the file was told.
    named_by: &'static str,
}

impl Oidc {
    /// The role `role_arn`, by the identity provider `provider_arn` and the token in `token_file`.
    pub fn new(
        role_arn: impl Into<String>,
        provider_arn: impl Into<String>,
        token_file: impl Into<String>,
    ) -> Self {
        let given = Given {
            role_arn: role_arn.into(),
            provider_arn: provider_arn.into(),
            token_file: token_file.into(),
            named_by: "the OIDC provider",
        };
        Self {
            given: Some(given),
            ..Self::from_environment()
        }
    }

    /// By `ALIBABA_CLOUD_ROLE_ARN`, `ALIBABA_CLOUD_OIDC_PROVIDER_ARN` and
    /// `ALIBABA_CLOUD_OIDC_TOKEN_FILE`, which a cluster sets in its pods.
    pub fn from_environment() -> Self {
        Self {
            given: None,
            session_name: None,
            duration: USUAL,
            policy: None,
            sts: Sts::default(),
        }
    }

    /// Name of the session in the audit log.
    pub fn session_name(mut self, name: impl Into<String>) -> Self {
        self.session_name = Some(name.into());
        self
    }

    /// How long the keys live: 900 s up to what the role allows; 3600 s by default.
    pub fn duration(mut self, duration: Duration) -> Self {
        self.duration = duration;
        self
    }

    /// A policy in JSON that narrows down what the keys may do.
    pub fn policy(mut self, policy: impl Into<String>) -> Self {
        self.policy = Some(policy.into());
        self
    }

    /// Asks the STS of this region.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.sts.region = Some(region.into());
        self
    }

    /// Asks the region's STS by its address inside VPCs.
    pub fn vpc(mut self, vpc: bool) -> Self {
        self.sts.vpc = vpc;
        self
    }

    /// Asks the STS at this address.
    pub fn endpoint(mut self, address: impl Into<String>) -> Self {
        self.sts.endpoint = Some(address.into());
        self
    }

    fn resolve(&self, context: &Context) -> Result<Given, CredentialError> {
        if let Some(given) = &self.given {
            return Ok(given.clone());
        }
        let names = [ROLE, IDENTITY_PROVIDER, TOKEN_FILE];
        match names.map(|name| context.environment.var(name)) {
            [Some(role_arn), Some(provider_arn), Some(token_file)] => Ok(Given {
                role_arn,
                provider_arn,
                token_file,
                named_by: TOKEN_FILE,
            }),
            // A role alone says nothing of OIDC: other tools read it too.
            [_, None, None] => Err(not_set(
                NAME,
                format!("{IDENTITY_PROVIDER} and {TOKEN_FILE} are not set"),
            )),
            values => {
                let missing: Vec<&str> = names
                    .iter()
                    .zip(&values)
                    .filter_map(|(name, value)| value.is_none().then_some(*name))
                    .collect();
                let missing = missing.join(" and ");
                Err(misconfigured(
                    NAME,
                    format!("{missing} is not set, but the other OIDC variables are"),
                )
                .with_hint(format!("Set {missing}")))
            }
        }
    }

    async fn assume(&self, context: &Context) -> Result<Credential, CredentialError> {
        let given = self.resolve(context)?;
        if self.duration < SHORTEST {
            return Err(
                misconfigured(NAME, "the session duration is shorter than STS allows")
                    .with_hint("Set at least 900 s"),
            );
        }
        let path = file::expand(&context.environment, &given.token_file);
        let token = file::read_named(NAME, &path, given.named_by)?;
        let token = token.expose().trim();
        if token.is_empty() {
            return Err(misconfigured(NAME, format!("{} is empty", path.display()))
                .with_hint("It should hold the OIDC token"));
        }
        let url = self.sts.url(NAME, context)?;
        let session = self
            .session_name
            .clone()
            .or_else(|| context.environment.var("ALIBABA_CLOUD_ROLE_SESSION_NAME"))
            .unwrap_or_else(|| sts::session_name(context));
        let duration = self.duration.as_secs().to_string();
        let mut form = vec![
            ("DurationSeconds", duration.as_str()),
            ("OIDCProviderArn", &given.provider_arn),
            ("OIDCToken", token),
            ("RoleArn", &given.role_arn),
            ("RoleSessionName", &session),
        ];
        form.extend(self.policy.as_deref().map(|policy| ("Policy", policy)));
        let reply = ROUTE
            .send(context, || {
                let now = time::iso8601(unix_seconds(context.clock.now()));
                let mut query = [
                    ("Action", "AssumeRoleWithOIDC"),
                    ("Format", "JSON"),
                    ("Timestamp", now.as_str()),
                    ("Version", "2015-04-01"),
                ];
                let mut url = url.clone();
                url.set_query(Some(&percent::canonical_query(&mut query)));
                Ok(HttpRequest::new(Method::POST, url).form(&form))
            })
            .await?;
        let source = format!(
            "role {}, assumed with the OIDC token in {}",
            given.role_arn,
            path.display()
        );
        sts::keys(&ROUTE, &reply, source)
    }
}

impl Provider for Oidc {
    fn name(&self) -> &'static str {
        NAME
    }

    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Credential, CredentialError>> {
        Box::pin(self.assume(context))
    }
}
