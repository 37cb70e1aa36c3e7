//! Access keys from environment variables.

use crate::clock::BoxFuture;

use crate::credentials::{Context, Credential, CredentialError, Provider, not_set, pair};

const NAME: &str = "environment";
const ID: &str = "ALIBABA_CLOUD_ACCESS_KEY_ID";
const SECRET: &str = "ALIBABA_CLOUD_ACCESS_KEY_SECRET";
const TOKEN: &str = "ALIBABA_CLOUD_SECURITY_TOKEN";

/// `ALIBABA_CLOUD_ACCESS_KEY_ID`, `ALIBABA_CLOUD_ACCESS_KEY_SECRET` and, for temporary keys,
/// `ALIBABA_CLOUD_SECURITY_TOKEN`; read at each refresh.
#[derive(Debug, Clone, Copy, Default)]
pub struct EnvironmentKeys;

impl Provider for EnvironmentKeys {
    fn name(&self) -> &'static str {
        NAME
    }

    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Credential, CredentialError>> {
        Box::pin(std::future::ready(read(context)))
    }
}

fn read(context: &Context) -> Result<Credential, CredentialError> {
    let environment = &context.environment;
    let found = pair(environment, NAME, &[ID], &[SECRET])?
        .ok_or_else(|| not_set(NAME, format!("{ID} and {SECRET} are not set")))?;
    Ok(found.keys(environment.var(TOKEN)))
}
