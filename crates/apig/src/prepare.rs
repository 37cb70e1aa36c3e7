//! Where the service answers, and whose credentials it is told: what the tools of both clouds read counts
//! here too.

use std::sync::Arc;

use cumulo_core::Error;
use cumulo_core::client::EndpointSource;
use cumulo_core::credentials::Environment;
use cumulo_core::huawei::Huawei;
use cumulo_core::huawei::credentials as huawei;
use cumulo_core::protocol::Endpoint;
use cumulo_core::service::Settled;

use crate::Builder;

/// The catalog's name of the service.
const SERVICE_TYPE: &str = "apigv2";

/// Settles what the builder left to the environment, and says where the service answers.
pub(crate) fn endpoint(builder: &mut Builder) -> Result<EndpointSource, Error> {
    let core = &mut builder.core;
    let environment = core.get_environment().clone();
    let known = match huawei::LoginSettings::from_environment(&environment) {
        Ok(known) => known,
        // Who brings credentials need not care about a broken file of others.
        Err(_) if core.has_provider() => huawei::LoginSettings::default(),
        Err(error) => return Err(Error::configuration(error.to_string())),
    };
    core.tls(&known.tls)?;
    let region = match (builder.region.take(), known.region) {
        (Some(region), _) => {
            core.found("region", region.as_str(), Settled::PROGRAM);
            Some(region)
        }
        (None, Some(region)) => {
            core.found("region", region.as_str(), place(&environment));
            Some(region)
        }
        (None, None) => None,
    };
    if core.has_provider() {
        if let (None, Some(project)) = (core.get_setting("project_id"), known.project_id) {
            core.setting("project_id", project);
        }
    } else {
        let settings = huawei::LoginSettings {
            region: region.clone(),
            iam_endpoint: builder.iam_endpoint.take(),
            project_id: core.get_setting("project_id"),
            allow_http: core.get_allow_http(),
            ..huawei::LoginSettings::default()
        };
        core.provider(Arc::new(huawei::DefaultChain::new(settings)));
    }
    core.protocol(Arc::new(Huawei {
        signature: builder.signature,
    }));
    let documented = match &region {
        Some(region) => {
            let address = huawei::endpoint("apig", region).map_err(Error::configuration)?;
            Some(Endpoint::parse(&address).map_err(Error::configuration)?)
        }
        None => None,
    };
    Ok(EndpointSource::Catalog {
        service: SERVICE_TYPE,
        version: "/v2",
        region,
        fallback: documented,
    })
}

/// Where the environment says the region.
fn place(environment: &Environment) -> String {
    match (
        environment.var("OS_CLOUD"),
        environment.var("OS_REGION_NAME"),
    ) {
        (Some(cloud), _) => format!("the cloud `{cloud}`"),
        (None, Some(_)) => "OS_REGION_NAME".to_owned(),
        (None, None) => "the project's name".to_owned(),
    }
}
