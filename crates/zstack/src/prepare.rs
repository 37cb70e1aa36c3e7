//! Where the server is, and what it expects of a client: a login, and the time of its own zone.

use std::sync::Arc;

use cumulo_core::Error;
use cumulo_core::client::EndpointSource;
use cumulo_core::protocol::Endpoint;
use cumulo_core::zstack::ZStack;
use cumulo_core::zstack::credentials as zstack;

use crate::Builder;

/// Settles what the builder left to the environment, and says where the server is.
pub(crate) fn endpoint(builder: &mut Builder) -> Result<EndpointSource, Error> {
    let core = &mut builder.core;
    let environment = core.get_environment().clone();
    let address = match core.get_endpoint() {
        Some(address) => address,
        None => {
            let address = zstack::endpoint(&environment).ok_or_else(|| {
                Error::configuration(
                    "no endpoint is set: use `endpoint(..)` or ZSTACK_ENDPOINT, such as https://host:8080",
                )
            })?;
            core.found("endpoint", address.as_str(), "ZSTACK_HOST");
            address
        }
    };
    let endpoint = Endpoint::parse(&address).map_err(Error::configuration)?;
    core.tls(&zstack::tls(&environment))?;
    if environment.flag("ZSTACK_ALLOW_HTTP") {
        core.allow_http(true);
    }
    if !core.has_provider() {
        let settings = zstack::LoginSettings {
            endpoint: Some(address),
            allow_http: core.get_allow_http(),
        };
        core.provider(Arc::new(zstack::DefaultChain::new(settings)));
    }
    let offset = builder
        .server_utc_offset
        .unwrap_or_else(cumulo_core::clock::local_utc_offset);
    core.protocol(Arc::new(ZStack::new(offset, builder.lower_case_body_keys)));
    Ok(EndpointSource::Fixed(endpoint))
}
