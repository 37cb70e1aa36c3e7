//! Acts as a RAM role: trades credentials for temporary keys of the role, through STS.

use std::sync::Arc;
use std::time::Duration;

use http::Method;

use crate::alibaba::acs_v1;
use crate::clock::{BoxFuture, unix_seconds};
use crate::sign::{percent, time};

use super::REQUEST_IDS;
use super::sts::{self, Sts};
use crate::credentials::fetch::Route;
use crate::credentials::{
    Context, Credential, CredentialError, Identity, Keys, Provider, misconfigured,
};
use crate::transport::HttpRequest;

const NAME: &str = "AssumeRole";
const ROUTE: Route = Route::new(NAME, "STS", REQUEST_IDS);
/// STS refuses less. Source: Alibaba Cloud, AssumeRole, `DurationSeconds`.
pub(super) const SHORTEST: Duration = Duration::from_secs(900);
pub(super) const USUAL: Duration = Duration::from_secs(3600);

/// Temporary keys of a RAM role, assumed with the credentials of another provider.
#[derive(Debug, Clone)]
pub struct AssumeRole {
    source: Arc<dyn Provider>,
    role_arn: String,
    session_name: Option<String>,
    duration: Duration,
    policy: Option<String>,
    external_id: Option<String>,
    sts: Sts,
}

impl AssumeRole {
    /// The role `role_arn` (`acs:ram::<account>:role/<name>`), assumed by whom `source` tells.
    pub fn new(source: impl Provider + 'static, role_arn: impl Into<String>) -> Self {
        Self::shared(Arc::new(source), role_arn)
    }

    pub(super) fn shared(source: Arc<dyn Provider>, role_arn: impl Into<String>) -> Self {
        Self {
            source,
            role_arn: role_arn.into(),
            session_name: None,
            duration: USUAL,
            policy: None,
            external_id: None,
            sts: Sts::default(),
        }
    }

    /// Name of the session in the audit log. By default `ALIBABA_CLOUD_ROLE_SESSION_NAME`, or a name
    /// with the time.
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

    /// The external id that the role's trust policy asks for.
    pub fn external_id(mut self, id: impl Into<String>) -> Self {
        self.external_id = Some(id.into());
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

    async fn assume(&self, context: &Context) -> Result<Credential, CredentialError> {
        if self.duration < SHORTEST {
            return Err(
                misconfigured(NAME, "the session duration is shorter than STS allows")
                    .with_hint("Set at least 900 s"),
            );
        }
        let url = self.sts.url(NAME, context)?;
        let source = self.source.provide(context).await?;
        crate::credentials::check(&source, context.clock.now())?;
        let Identity::Keys(keys) = &source.identity else {
            let message = format!(
                "a role is assumed with keys, and {} gives a token",
                source.source
            );
            return Err(misconfigured(NAME, message).with_hint("Use a source of access keys"));
        };
        let session = self
            .session_name
            .clone()
            .or_else(|| context.environment.var("ALIBABA_CLOUD_ROLE_SESSION_NAME"))
            .unwrap_or_else(|| sts::session_name(context));
        let duration = self.duration.as_secs().to_string();
        let mut form = vec![
            ("DurationSeconds", duration.as_str()),
            ("RoleArn", &self.role_arn),
            ("RoleSessionName", &session),
        ];
        form.extend(self.policy.as_deref().map(|policy| ("Policy", policy)));
        form.extend(self.external_id.as_deref().map(|id| ("ExternalId", id)));
        // A token among the parameters is signed wherever it stands; URLs end up in logs.
        form.extend(
            keys.token
                .as_ref()
                .map(|token| ("SecurityToken", token.expose())),
        );
        let reply = ROUTE
            .send(context, || {
                let mut url = url.clone();
                url.set_query(Some(&signed_query(context, keys, &form)));
                Ok(HttpRequest::new(Method::POST, url)
                    .header(
                        "x-acs-credentials-provider",
                        &self.source.name().replace(' ', "_"),
                    )
                    .form(&form))
            })
            .await?;
        let source = format!("role {}, assumed with {}", self.role_arn, source.source);
        sts::keys(&ROUTE, &reply, source)
    }
}

/// The query of the request: what is no secret, and the signature over query and form together.
fn signed_query(context: &Context, keys: &Keys, form: &[(&str, &str)]) -> String {
    let nonce = crate::clock::uuid(&*context.entropy).to_string();
    let now = time::iso8601(unix_seconds(context.clock.now()));
    let mut query = vec![
        ("AccessKeyId", keys.id.as_str()),
        ("Action", "AssumeRole"),
        ("Format", "JSON"),
        ("SignatureMethod", "HMAC-SHA1"),
        ("SignatureNonce", &nonce),
        ("SignatureVersion", "1.0"),
        ("Timestamp", &now),
        ("Version", "2015-04-01"),
    ];
    let mut all = query.clone();
    all.extend(form);
    let text = acs_v1::string_to_sign("POST", &percent::canonical_query(&mut all));
    let signature = acs_v1::signature(keys.secret.expose(), &text);
    query.push(("Signature", &signature));
    percent::canonical_query(&mut query)
}

impl Provider for AssumeRole {
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
