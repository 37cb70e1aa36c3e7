//! Temporary keys of the agency of the server that the program runs on, from its metadata service.
//!
//! Requests never go through a proxy, and never take longer than three seconds.

use std::time::Duration;

use http::Method;

use crate::clock::BoxFuture;
use crate::record::Json;
use crate::transport::{HttpRequest, HttpResponse, TransportError, TransportErrorKind};

use super::REQUEST_IDS;
use super::temporary_keys;
use crate::credentials::fetch::{self, Route};
use crate::credentials::{
    Context, Credential, CredentialError, Provider, Reason, misconfigured, not_set,
};

const NAME: &str = "ECS metadata";
const HOST: &str = "http://169.254.169.254";
const ROUTE: Route = Route {
    direct: true,
    attempts: 1,
    timeout: Duration::from_secs(3),
    ..Route::new(NAME, "the metadata service", REQUEST_IDS)
};
/// What the service says where the server has no agency.
const NO_AGENCY: &str = "configure Cloud Service Agency first";

/// Temporary AK/SK of the server's agency.
#[derive(Debug, Clone, Copy, Default)]
pub struct Metadata {
    /// In a chain, a machine without the service is simply no server of these clouds.
    optional: bool,
}

/// What is wrong with us outside, what is wrong with the network inside.
type Answer<T> = Result<Result<T, TransportError>, CredentialError>;

impl Metadata {
    /// The server's agency.
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn in_chain() -> Self {
        Self { optional: true }
    }

    fn absent(self, what: String) -> CredentialError {
        match self.optional {
            true => not_set(NAME, what),
            false => CredentialError::new(Reason::Unavailable, NAME, what),
        }
    }

    async fn fetch(&self, context: &Context) -> Result<Credential, CredentialError> {
        let silent =
            |error: TransportError| self.absent(format!("nothing answers at {HOST}: {error}"));
        let token = token(context).await?.map_err(silent)?;
        let mut ask = ask(Method::GET, "/openstack/latest/securitykey")?;
        if let Some(token) = &token {
            ask = ask.header("x-metadata-token", token);
        }
        let reply = ROUTE.once(context, ask).await.map_err(silent)?;
        if has_no_agency(&reply) {
            let what = "this server has no agency";
            return Err(match self.optional {
                true => not_set(NAME, what),
                false => misconfigured(NAME, what)
                    .with_hint("Give the server an agency of the type cloud service (ECS)"),
            });
        }
        temporary_keys::keys(
            &ROUTE,
            &reply,
            "agency of this server, from its metadata".into(),
        )
    }
}

fn ask(method: Method, path: &str) -> Result<HttpRequest, CredentialError> {
    let url = fetch::address(NAME, "the metadata address", &format!("{HOST}{path}"))?;
    Ok(HttpRequest::new(method, url))
}

/// The session token, which older services do not know.
async fn token(context: &Context) -> Answer<Option<String>> {
    let ask = ask(Method::PUT, "/meta-data/latest/api/token")?
        .header("x-metadata-token-ttl-seconds", "21600");
    match ROUTE.once(context, ask).await {
        Ok(reply) if reply.status == 200 && !reply.body.is_empty() => {
            let token =
                std::str::from_utf8(&reply.body).map_err(|_| ROUTE.incomplete("a token"))?;
            Ok(Ok(Some(token.trim().to_owned())))
        }
        Ok(reply) if matches!(reply.status, 404 | 405 | 503) => Ok(Ok(None)),
        Ok(reply) => Err(ROUTE.refused(&reply)),
        // What hangs on the token may know keys without one; what is not there will not.
        Err(error) if error.kind == TransportErrorKind::Connect => Ok(Err(error)),
        Err(_) => Ok(Ok(None)),
    }
}

fn has_no_agency(reply: &HttpResponse) -> bool {
    let text = String::from_utf8_lossy(&reply.body);
    reply.status == 404
        || (reply.status == 401 && text.contains(NO_AGENCY))
        || serde_json::from_slice::<Json>(&reply.body)
            .is_ok_and(|json| json.get("credential").is_some_and(Json::is_null))
}

impl Provider for Metadata {
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
