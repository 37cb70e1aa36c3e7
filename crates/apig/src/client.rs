//! The client: region, project, gateway, credentials.

use std::fmt;
use std::sync::Arc;

use cumulo_core::Error;
use cumulo_core::client::{self, EndpointSource};
use cumulo_core::huawei::credentials as huawei;
use cumulo_core::huawei::{Huawei, HuaweiSignature};
use cumulo_core::operation::Spec;
use cumulo_core::protocol::Endpoint;
use cumulo_core::service::{Service, Setting};

use crate::generated;

static SERVICE: Service = Service {
    name: "apig",
    version: "v2",
    user_agent: concat!("cumulo-apig/", env!("CARGO_PKG_VERSION")),
    codes: generated::codes::CODES,
    settings: &[
        Setting {
            name: "project_id",
            how: "Use credentials with a project scope, or set it on the client's builder with `project_id(..)` or in OS_PROJECT_ID",
        },
        Setting {
            name: "instance_id",
            how: "Set the gateway's id on the operation with `instance_id(..)` or on the client's builder with `instance_id(..)`",
        },
    ],
};

/// The catalog's name of the service.
const SERVICE_TYPE: &str = "apigv2";

/// A client for API Gateway. Clones share connections, credentials and the retry budget.
#[derive(Clone, Debug)]
pub struct Client(cumulo_core::Client);

impl Client {
    /// A builder with the default settings.
    pub fn builder() -> Builder {
        let huawei = Huawei::default();
        Builder {
            core: cumulo_core::Client::builder(&SERVICE, Arc::new(huawei)),
            huawei,
            region: None,
            iam_endpoint: None,
        }
    }

    /// A client with everything from the environment: credentials by the default chain, which is
    /// tried at once; region and project as `OS_*` or `HUAWEICLOUD_SDK_*` variables say.
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
pub struct Builder {
    core: client::Builder,
    huawei: Huawei,
    region: Option<String>,
    iam_endpoint: Option<String>,
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("core", &self.core)
            .field("huawei", &self.huawei)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

cumulo_core::common_settings!(Builder for Client);

impl Builder {
    /// The region, such as `eu-de`: it chooses the endpoints of the gateway service and of IAM.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// The project, where the credentials do not tell it.
    pub fn project_id(mut self, project: impl Into<String>) -> Self {
        self.core.setting("project_id", project);
        self
    }

    /// The gateway that operations mean when they name none.
    pub fn instance_id(mut self, instance: impl Into<String>) -> Self {
        self.core.setting("instance_id", instance);
        self
    }

    /// The address of IAM, such as `https://iam.eu-de.otc.t-systems.com/v3`.
    pub fn iam_endpoint(mut self, address: impl Into<String>) -> Self {
        self.iam_endpoint = Some(address.into());
        self
    }

    /// The AK/SK signature.
    pub fn signature(mut self, signature: HuaweiSignature) -> Self {
        self.huawei.signature = signature;
        self
    }

    /// The client. Nothing is sent yet.
    pub fn build(mut self) -> Result<Client, Error> {
        let environment = self.core.get_environment().clone();
        let known = match huawei::LoginSettings::from_environment(&environment) {
            Ok(known) => known,
            // Who brings credentials need not care about a broken file of others.
            Err(_) if self.core.has_provider() => huawei::LoginSettings::default(),
            Err(error) => return Err(Error::configuration(error.to_string())),
        };
        self.core.tls(&known.tls)?;
        let region = self.region.take().or(known.region);
        if self.core.has_provider() {
            if let (None, Some(project)) = (self.core.get_setting("project_id"), known.project_id) {
                self.core.setting("project_id", project);
            }
        } else {
            let settings = huawei::LoginSettings {
                region: region.clone(),
                iam_endpoint: self.iam_endpoint,
                project_id: self.core.get_setting("project_id").map(str::to_owned),
                allow_http: self.core.get_allow_http(),
                ..huawei::LoginSettings::default()
            };
            self.core
                .provider(Arc::new(huawei::DefaultChain::new(settings)));
        }
        self.core.protocol(Arc::new(self.huawei));
        let template = match &region {
            Some(region) => {
                Some(Endpoint::parse(&regional(region)?).map_err(Error::configuration)?)
            }
            None => None,
        };
        self.core
            .build(EndpointSource::Catalog(SERVICE_TYPE, region, template))
            .map(Client)
    }
}

/// The documented address in a region, where no catalog names one.
fn regional(region: &str) -> Result<String, Error> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if region.is_empty() || !region.bytes().all(plain) {
        return Err(Error::configuration(format!(
            "`{}` is no region id",
            region.escape_debug()
        )));
    }
    Ok(match region {
        "eu-de" | "eu-nl" => format!("https://apig.{region}.otc.t-systems.com"),
        "eu-ch2" => format!("https://apig.{region}.sc.otc.t-systems.com"),
        "eu-west-101" => format!("https://apig.{region}.myhuaweicloud.eu"),
        _ => format!("https://apig.{region}.myhuaweicloud.com"),
    })
}

#[cfg(test)]
mod tests {
    use super::regional;

    #[test]
    fn the_region_chooses_the_cloud() {
        assert_eq!(
            regional("eu-de").unwrap(),
            "https://apig.eu-de.otc.t-systems.com"
        );
        assert_eq!(
            regional("cn-north-4").unwrap(),
            "https://apig.cn-north-4.myhuaweicloud.com"
        );
        assert!(regional("eu-de.evil.example/").is_err());
    }
}
