//! Where is IAM, the Keystone of these clouds, and how are requests to it signed?
//!
//! The address must follow the region: a fixed default would send a European account's keys to
//! another continent. Sources: Open Telekom Cloud and Huawei Cloud, "Regions and endpoints";
//! openstacksdk's vendor profile `otc-swiss`.

use std::fmt;

use http::header;
use url::Url;

use crate::address::shown;
use crate::clock::unix_seconds;
use crate::huawei::endpoints::HOSTS;
use crate::huawei::sdk_hmac;
use crate::record::Secret;
use crate::region;
use crate::sign::{CanonicalRequest, time};

use crate::credentials::fetch;
use crate::credentials::{Context, CredentialError, Keys, misconfigured};
use crate::transport::HttpRequest;

/// The address of `service` in `region`, such as that of `apig` in `eu-de`; what is no region id has none.
pub fn endpoint(service: &str, region: &str) -> Result<String, String> {
    let row = |place: &str| HOSTS.iter().find(|(row, _)| *row == place);
    let row = row(&format!("{service}.{region}"))
        .or_else(|| row(region))
        .or_else(|| row("*"));
    let rule = row.map_or("", |(_, rule)| *rule);
    let host = region::host(&rule.replace("{service}", service), region)?;
    Ok(format!("https://{host}"))
}

/// What is known of IAM's address before it is needed.
#[derive(Clone, Default)]
pub(super) struct Iam {
    pub(super) endpoint: Option<String>,
    pub(super) region: Option<String>,
    pub(super) allow_http: bool,
}

impl fmt::Debug for Iam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iam")
            .field("endpoint", &self.endpoint.as_deref().map(shown))
            .field("region", &self.region)
            .field("allow_http", &self.allow_http)
            .finish()
    }
}

impl Iam {
    /// The address of `path`, which starts with `/v3`.
    pub(super) fn url(&self, provider: &'static str, path: &str) -> Result<Url, CredentialError> {
        let text = match (&self.endpoint, &self.region) {
            (Some(endpoint), _) => endpoint.clone(),
            (None, Some(region)) => endpoint("iam", region).map_err(|_| {
                misconfigured(provider, "the region is no region id")
                    .with_hint("A region id looks like eu-de")
            })?,
            (None, None) => {
                return Err(misconfigured(provider, "the address of IAM is not known")
                    .with_hint("Set the region (OS_REGION_NAME) or the address (OS_AUTH_URL)"));
            }
        };
        let mut url = fetch::address(provider, "the address of IAM", &text)?;
        fetch::guard(provider, &url, self.allow_http)?;
        let base = url.path().trim_end_matches('/');
        if base.ends_with("/v2.0") {
            return Err(
                misconfigured(provider, "the address of IAM is that of Keystone v2")
                    .with_hint("End it with /v3"),
            );
        }
        let base = base
            .strip_suffix("/v3")
            .or(base.strip_suffix("/v3.0"))
            .unwrap_or(base);
        let path = format!("{base}{path}");
        url.set_path(&path);
        url.set_query(None);
        url.set_fragment(None);
        Ok(url)
    }
}

/// `ask` with the headers and the AK/SK signature that IAM checks. Signed per attempt: the date is
/// part of it.
pub(super) fn sign(context: &Context, ask: HttpRequest, keys: &Keys) -> HttpRequest {
    let date = time::basic(unix_seconds(context.clock.now()));
    let mut ask = ask.header("x-sdk-date", &date);
    if let Some(token) = &keys.token {
        ask = ask.header("x-security-token", token.expose());
    }
    let host = match (ask.url.host_str(), ask.url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (host, _) => host.unwrap_or_default().to_owned(),
    };
    let kind = ask
        .headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let (payload, _) = sdk_hmac::payload_hash(kind, &ask.body);
    let mut signed = vec![("host", host.as_str()), ("x-sdk-date", &date)];
    signed.extend(kind.map(|kind| ("content-type", kind)));
    signed.extend(
        keys.token
            .as_ref()
            .map(|token| ("x-security-token", Secret::expose(token))),
    );
    let request = CanonicalRequest {
        method: ask.method.as_str(),
        canonical_uri: &sdk_hmac::canonical_uri(ask.url.path()),
        canonical_query: ask.url.query().unwrap_or_default(),
        headers: &signed,
        payload_sha256: &payload,
    };
    let signature = sdk_hmac::sign(
        sdk_hmac::Style::Access,
        &keys.id,
        keys.secret.expose(),
        &date,
        &request,
    );
    ask.header("authorization", &signature.authorization)
}

/// The settings of IAM's address that providers share.
macro_rules! iam_settings {
    ($provider:ident) => {
        impl $provider {
            /// Asks IAM at this address, such as `https://iam.eu-de.otc.t-systems.com/v3`.
            pub fn iam_endpoint(mut self, address: impl Into<String>) -> Self {
                self.iam.endpoint = Some(address.into());
                self
            }
            /// Asks the IAM of this region, unless its address is given.
            pub fn region(mut self, region: impl Into<String>) -> Self {
                self.iam.region = Some(region.into());
                self
            }
            /// Allows secrets to go over plain HTTP to another machine.
            pub fn allow_http(mut self, allow: bool) -> Self {
                self.iam.allow_http = allow;
                self
            }
        }
    };
}
pub(super) use iam_settings;
