//! Trades a login token for temporary keys, which sign requests instead of being sent with them.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde_json::json;

use crate::clock::BoxFuture;
use crate::record::{Json, Secret, Timestamp};
use crate::transport::{HttpRequest, HttpResponse};
use crate::wipe::Wiped;

use super::REQUEST_IDS;
use super::iam::{Iam, iam_settings};
use crate::credentials::fetch::{Route, member};
use crate::credentials::{
    Context, Credential, CredentialError, Identity, Keys, Provider, check, misconfigured,
};

const NAME: &str = "temporary keys";
const ROUTE: Route = Route::new(NAME, "IAM", REQUEST_IDS).telling();
pub(super) const PATH: &str = "/v3.0/OS-CREDENTIAL/securitytokens";
/// Source: Open Telekom Cloud, "Obtaining a temporary AK/SK".
const LIVES: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(900)..=Duration::from_secs(86_400);
/// Long enough that refreshes stay rare, short enough that a leaked key soon is worthless.
pub(super) const USUAL: Duration = Duration::from_secs(3600);

/// Temporary AK/SK with security token, by the token of another provider.
#[derive(Debug, Clone)]
pub struct TemporaryKeys {
    source: Arc<dyn Provider>,
    duration: Duration,
    iam: Iam,
}

iam_settings!(TemporaryKeys);

impl TemporaryKeys {
    /// By the token that `source` gives.
    pub fn new(source: impl Provider + 'static) -> Self {
        Self {
            source: Arc::new(source),
            duration: USUAL,
            iam: Iam::default(),
        }
    }

    /// How long the keys live: 900 s to 24 h; one hour by default.
    pub fn duration(mut self, duration: Duration) -> Self {
        self.duration = duration;
        self
    }

    async fn fetch(&self, context: &Context) -> Result<Credential, CredentialError> {
        let seconds = seconds(NAME, self.duration)?;
        let url = self.iam.url(NAME, PATH)?;
        let source = self.source.provide(context).await?;
        check(&source, context.clock.now())?;
        let Identity::Token(token) = &source.identity else {
            return Err(misconfigured(NAME, "the source already gives keys")
                .with_hint("Use it as it is, or give one that logs in"));
        };
        let body = Wiped(json!({ "auth": { "identity": {
            "methods": ["token"],
            "token": { "id": token.expose(), "duration_seconds": seconds },
        } } }));
        let ask = || {
            let ask = HttpRequest::new(Method::POST, url.clone()).json(&body);
            Ok(ask.header("x-auth-token", token.expose()))
        };
        let reply = ROUTE.send(context, ask).await?;
        let text = format!("temporary keys by the {}", source.source);
        let mut credential = keys(&ROUTE, &reply, text)?;
        credential.scope = source.scope;
        Ok(credential)
    }
}

/// A lifetime that IAM takes.
pub(super) fn seconds(provider: &'static str, duration: Duration) -> Result<u64, CredentialError> {
    if !LIVES.contains(&duration) {
        return Err(misconfigured(
            provider,
            "IAM does not issue keys that live so long or so short",
        )
        .with_hint("Set 900 s to 24 h"));
    }
    Ok(duration.as_secs())
}

/// The keys in the answer to a request for temporary ones.
pub(super) fn keys(
    route: &Route,
    reply: &HttpResponse,
    source: String,
) -> Result<Credential, CredentialError> {
    let json = route.json(reply)?;
    let object = json
        .get("credential")
        .ok_or_else(|| route.incomplete("credential"))?;
    from_object(route, object, source)
}

/// Keys from an object with `access`, `secret`, `securitytoken` and `expires_at`.
pub(super) fn from_object(
    route: &Route,
    object: &Json,
    source: String,
) -> Result<Credential, CredentialError> {
    let text = |name: &'static str| member(object, name).ok_or_else(|| route.incomplete(name));
    let keys = Keys {
        id: text("access")?.to_owned(),
        secret: Secret::from(text("secret")?),
        token: Some(Secret::from(text("securitytoken")?)),
    };
    let ends = Timestamp::from(text("expires_at")?);
    let ends = ends
        .system_time()
        .or_else(|| ends.civil()?.to_system_time(0));
    let mut credential = Credential::new(Identity::Keys(keys), source);
    credential.expires_at = Some(ends.ok_or_else(|| route.incomplete("a readable expires_at"))?);
    Ok(credential)
}

impl Provider for TemporaryKeys {
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
