//! The client: endpoint, credentials, and the server's habits.

use std::sync::Arc;

use cumulo_core::Error;
use cumulo_core::client::{self, EndpointSource};
use cumulo_core::operation::Spec;
use cumulo_core::protocol::Endpoint;
use cumulo_core::service::Service;
use cumulo_core::zstack::ZStack;
use cumulo_core::zstack::credentials as zstack;

use crate::generated;

static SERVICE: Service = Service {
    name: "zstack",
    version: "v1",
    user_agent: concat!("cumulo-zstack/", env!("CARGO_PKG_VERSION")),
    codes: generated::codes::CODES,
    settings: &[],
};

/// A client for ZStack. Clones share connections, the session and the retry budget.
#[derive(Clone, Debug)]
pub struct Client(cumulo_core::Client);

impl Client {
    /// A builder with the default settings.
    pub fn builder() -> Builder {
        Builder {
            core: cumulo_core::Client::builder(&SERVICE, Arc::new(ZStack::new(0, false))),
            utc_offset: None,
            lower_case_keys: false,
        }
    }

    /// A client with everything from the `ZSTACK_*` variables; it logs in at once where they name an
    /// account.
    pub async fn from_env() -> Result<Self, Error> {
        Self::builder().connect().await
    }

    /// All operations whose groups are compiled in.
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
    utc_offset: Option<i32>,
    lower_case_keys: bool,
}

cumulo_core::common_settings!(Builder for Client);

impl Builder {
    /// The server's time zone in seconds east of UTC, for access keys: by default servers compare wall
    /// clocks. This machine's own offset when not set.
    pub fn server_utc_offset(mut self, seconds: i32) -> Self {
        self.utc_offset = Some(seconds);
        self
    }

    /// Sends body keys in lower case (`changeaccesskeystate`), as one page of the documentation prints
    /// them, for deployments that follow it. Real servers know only the camel-case form.
    pub fn lower_case_body_keys(mut self, lower: bool) -> Self {
        self.lower_case_keys = lower;
        self
    }

    /// The client. Nothing is sent yet.
    pub fn build(mut self) -> Result<Client, Error> {
        let environment = self.core.get_environment().clone();
        let address = match self.core.get_endpoint() {
            Some(address) => address.to_owned(),
            None => zstack::endpoint(&environment).ok_or_else(|| {
                Error::configuration(
                    "no endpoint is set: use `endpoint(\"https://host:8080/zstack\")` or ZSTACK_ENDPOINT",
                )
            })?,
        };
        let endpoint = Endpoint::parse(&address).map_err(Error::configuration)?;
        self.core.tls(&zstack::tls(&environment))?;
        if environment.flag("ZSTACK_ALLOW_HTTP") {
            self.core.allow_http(true);
        }
        if !self.core.has_provider() {
            let settings = zstack::LoginSettings {
                endpoint: Some(address),
                allow_http: self.core.get_allow_http(),
            };
            self.core
                .provider(Arc::new(zstack::DefaultChain::new(settings)));
        }
        let offset = self
            .utc_offset
            .unwrap_or_else(cumulo_core::clock::local_utc_offset);
        self.core
            .protocol(Arc::new(ZStack::new(offset, self.lower_case_keys)));
        self.core.build(EndpointSource::Fixed(endpoint)).map(Client)
    }
}
