//! The client: region, credentials, signature.

use std::sync::Arc;

use cumulo_core::Error;
use cumulo_core::alibaba::credentials as alibaba;
use cumulo_core::alibaba::{Acs, AcsSignature};
use cumulo_core::client::{self, EndpointSource};
use cumulo_core::operation::Spec;
use cumulo_core::protocol::Endpoint;
use cumulo_core::service::{Service, Setting};

use crate::{codes, generated};

static SERVICE: Service = Service {
    name: "smartag",
    version: "2018-03-13",
    user_agent: concat!("cumulo-smartag/", env!("CARGO_PKG_VERSION")),
    codes: codes::CODES,
    settings: &[Setting {
        name: "region",
        how: "Set it on the operation with `region_id(..)`, on the client's builder with `region(..)`, or in ALIBABA_CLOUD_REGION_ID",
    }],
};

/// A client for Smart Access Gateway. Clones share connections, credentials and the retry budget.
#[derive(Clone, Debug)]
pub struct Client(cumulo_core::Client);

impl Client {
    /// A builder with the default settings.
    pub fn builder() -> Builder {
        let acs = Acs::default();
        Builder {
            core: cumulo_core::Client::builder(&SERVICE, Arc::new(acs)),
            acs,
            vpc: false,
        }
    }

    /// A client with everything from the environment: credentials by the default chain, which is
    /// tried at once, region from `ALIBABA_CLOUD_REGION_ID`.
    pub async fn from_env() -> Result<Self, Error> {
        Self::builder().connect().await
    }

    /// All operations.
    pub fn operations() -> impl Iterator<Item = Spec> {
        generated::GROUPS
            .iter()
            .flat_map(|(_, specs)| specs.iter().copied())
    }
}

/// Builds a [`Client`].
#[must_use = "no client is there until it is built"]
#[derive(Debug)]
pub struct Builder {
    core: client::Builder,
    acs: Acs,
    vpc: bool,
}

cumulo_core::common_settings!(Builder for Client);

impl Builder {
    /// The region: it chooses the endpoint, and operations mean it when they name none.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.core.setting("region", region);
        self
    }

    /// The signature; version 3 by default.
    pub fn signature(mut self, signature: AcsSignature) -> Self {
        self.acs.signature = signature;
        self
    }

    /// Sends all parameters as a form body, not only those of operations with secrets.
    pub fn form_body(mut self, form: bool) -> Self {
        self.acs.form = form;
        self
    }

    /// Calls the endpoint inside the region's VPC network.
    pub fn vpc(mut self, vpc: bool) -> Self {
        self.vpc = vpc;
        self
    }

    /// The client. Nothing is sent yet.
    pub fn build(mut self) -> Result<Client, Error> {
        if self.core.get_setting("region").is_none()
            && let Some(region) = self.core.get_environment().var("ALIBABA_CLOUD_REGION_ID")
        {
            self.core.setting("region", region);
        }
        if !self.core.has_provider() {
            self.core.provider(Arc::new(alibaba::DefaultChain::new()));
        }
        self.core.protocol(Arc::new(self.acs));
        let endpoint = match (self.core.get_endpoint(), self.core.get_setting("region")) {
            (Some(address), _) => address.to_owned(),
            (None, Some(region)) => regional(region, self.vpc)?,
            (None, None) => {
                return Err(Error::configuration(
                    "no region is set: use `region(..)` or ALIBABA_CLOUD_REGION_ID, or give an endpoint",
                ));
            }
        };
        let endpoint = Endpoint::parse(&endpoint).map_err(Error::configuration)?;
        self.core.build(EndpointSource::Fixed(endpoint)).map(Client)
    }
}

/// Regions that are not documented yet get an endpoint by the same rule.
fn regional(region: &str, vpc: bool) -> Result<String, Error> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if region.is_empty() || !region.bytes().all(plain) {
        return Err(Error::configuration(format!(
            "`{}` is no region id",
            region.escape_debug()
        )));
    }
    let network = if vpc { "-vpc" } else { "" };
    Ok(format!("https://smartag{network}.{region}.aliyuncs.com"))
}

#[cfg(test)]
mod tests {
    use super::regional;

    #[test]
    fn the_region_chooses_the_endpoint() {
        assert_eq!(
            regional("cn-shanghai", false).unwrap(),
            "https://smartag.cn-shanghai.aliyuncs.com"
        );
        assert_eq!(
            regional("cn-shanghai", true).unwrap(),
            "https://smartag-vpc.cn-shanghai.aliyuncs.com"
        );
        for bad in ["", "a.evil.example/", "x y", "a@b"] {
            assert!(regional(bad, false).is_err(), "{bad}");
        }
    }
}
