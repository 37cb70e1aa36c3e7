//! Which STS is asked, and what its answers hold.
//!
//! The address: the one given, else that of the region given, else that of
//! `ALIBABA_CLOUD_STS_REGION`, else `sts.aliyuncs.com`. Inside a VPC, a region's STS has an address
//! of its own; without a region there is none.

use std::fmt;

use url::Url;

use crate::address::shown;
use crate::alibaba::codes::{CODES, STS};
use crate::region;
use crate::service::find_code;
use crate::transport::HttpResponse;

use super::answer;
use crate::credentials::fetch::{self, Route, member};
use crate::credentials::{Context, Credential, CredentialError, misconfigured};

/// Which STS.
#[derive(Clone, Default)]
pub(super) struct Sts {
    pub(super) endpoint: Option<String>,
    pub(super) region: Option<String>,
    pub(super) vpc: bool,
}

impl fmt::Debug for Sts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sts")
            .field("endpoint", &self.endpoint.as_deref().map(shown))
            .field("region", &self.region)
            .field("vpc", &self.vpc)
            .finish()
    }
}

impl Sts {
    pub(super) fn url(
        &self,
        provider: &'static str,
        context: &Context,
    ) -> Result<Url, CredentialError> {
        let environment = &context.environment;
        let host = match &self.endpoint {
            Some(endpoint) => endpoint.clone(),
            None => {
                let vpc = self.vpc || environment.flag("ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED");
                let sts = if vpc { "sts-vpc" } else { "sts" };
                let region = self.region.clone();
                match region.or_else(|| environment.var("ALIBABA_CLOUD_STS_REGION")) {
                    None => "sts.aliyuncs.com".to_owned(),
                    Some(region) => {
                        let rule = format!("{sts}.{{region}}.aliyuncs.com");
                        region::host(&rule, &region).map_err(|_| {
                            misconfigured(provider, "the STS region is no region id")
                                .with_hint("A region id looks like cn-hangzhou")
                        })?
                    }
                }
            }
        };
        let text = if host.contains("://") {
            host
        } else {
            format!("https://{host}")
        };
        let url = fetch::address(provider, "the STS endpoint", &text)?;
        fetch::guard(provider, &url, false)?;
        Ok(url)
    }
}

/// The keys in an answer, and the role that they act as.
pub(super) fn keys(
    route: &Route,
    reply: &HttpResponse,
    source: String,
) -> Result<Credential, CredentialError> {
    let json = match route.json(reply) {
        Ok(json) => json,
        Err(error) => return Err(hinted(error, reply)),
    };
    let object = json
        .get("Credentials")
        .ok_or_else(|| route.incomplete("Credentials"))?;
    let mut credential = answer::temporary_keys(route, object, source)?;
    let user = json.get("AssumedRoleUser");
    credential.scope.user = user.and_then(|user| member(user, "Arn")).map(str::to_owned);
    credential.scope.account = credential.scope.user.as_deref().and_then(account);
    Ok(credential)
}

/// `acs:ram::1234:assumed-role/name/session` names the account in its fourth place.
fn account(arn: &str) -> Option<String> {
    let account = arn.split(':').nth(3)?;
    (!account.is_empty()).then(|| account.to_owned())
}

fn hinted(error: CredentialError, reply: &HttpResponse) -> CredentialError {
    let Some(code) = fetch::code(reply) else {
        return error;
    };
    match find_code(STS, &code).or_else(|| find_code(CODES, &code)) {
        Some(known) if !known.hint.is_empty() => error.with_hint(known.hint),
        _ => error,
    }
}

/// The role session's name where none is given.
pub(super) fn session_name(context: &Context) -> String {
    let seconds = crate::clock::unix_seconds(context.clock.now());
    format!("cumulo-{seconds}")
}
