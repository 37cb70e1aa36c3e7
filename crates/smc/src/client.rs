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
    name: "smc",
    version: "2019-06-01",
    user_agent: concat!("cumulo-smc/", env!("CARGO_PKG_VERSION")),
    codes: codes::CODES,
    settings: &[Setting {
        name: "region",
        how: "Set it on the operation with `region_id(..)`, on the client's builder with `region(..)`, or in ALIBABA_CLOUD_REGION_ID",
    }],
};

/// SMC has one endpoint for all regions.
const ENDPOINT: &str = "https://smc.aliyuncs.com";

/// A client for SMC. Clones share connections, credentials and the retry budget.
#[derive(Clone, Debug)]
pub struct Client(cumulo_core::Client);

impl Client {
    /// A builder with the default settings.
    pub fn builder() -> Builder {
        let acs = Acs::default();
        Builder {
            core: cumulo_core::Client::builder(&SERVICE, Arc::new(acs)),
            acs,
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
}

cumulo_core::common_settings!(Builder for Client);

impl Builder {
    /// The region that operations mean when they name none.
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
        let endpoint = Endpoint::parse(ENDPOINT).map_err(Error::configuration)?;
        self.core.build(EndpointSource::Fixed(endpoint)).map(Client)
    }
}
