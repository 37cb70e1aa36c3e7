//! What counts where a user set nothing: variables of the environment, and the address that a region has.

use crate::client::EndpointSource;
use crate::protocol::Endpoint;
use crate::region;
use crate::service::Setting;

use super::Builder;
use crate::error::Error;

impl Builder {
    /// What `setting` put there, or else the environment variables of the setting.
    pub fn get_setting(&self, name: &str) -> Option<String> {
        self.settings.get(name).cloned().or_else(|| {
            let (_, value) = self.environment.first(self.known(name)?.variables)?;
            Some(value)
        })
    }

    fn known(&self, name: &str) -> Option<&'static Setting> {
        let mut all = self.service.settings.iter();
        all.find(|setting| setting.name == name)
    }

    /// Sets what the environment says.
    pub(super) fn fill(&mut self) {
        for setting in self.service.settings {
            if let Some(value) = self.get_setting(setting.name) {
                self.settings.insert(setting.name, value);
            }
        }
    }

    /// The address that was set, or else `host`, in which `{region}` is the setting `region`.
    ///
    /// An error where the address is no address, and where `host` needs a region that is not set or is none.
    pub fn at(&self, host: &str) -> Result<EndpointSource, Error> {
        let address = match &self.endpoint {
            Some(address) => address.clone(),
            None if host.contains("{region}") => {
                let region = self.get_setting("region").ok_or_else(|| self.no_region())?;
                let host = region::host(host, &region).map_err(Error::configuration)?;
                format!("https://{host}")
            }
            None => format!("https://{host}"),
        };
        let endpoint = Endpoint::parse(&address).map_err(Error::configuration)?;
        Ok(EndpointSource::Fixed(endpoint))
    }

    fn no_region(&self) -> Error {
        let setting = self.known("region");
        let mut ways = vec!["`region(..)`"];
        ways.extend(setting.map_or(&[][..], |setting| setting.variables));
        Error::configuration(format!(
            "no region is set: use {}, or give an endpoint",
            ways.join(" or ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::alibaba::Acs;
    use crate::client::Client;
    use crate::credentials::Environment;
    use crate::service::Service;

    const REGIONAL: &str = "demo.{region}.example";

    fn builder(variables: &[(&str, &str)]) -> Builder {
        static SERVICE: Service = Service {
            name: "demo",
            version: "1",
            user_agent: "demo",
            codes: &[],
            settings: &[Setting {
                name: "region",
                how: "Set it",
                variables: &["DEMO_REGION", "REGION"],
            }],
        };
        let mut builder = Client::builder(&SERVICE, Arc::new(Acs::default()));
        builder.environment(Environment::fixed(variables.iter().copied()));
        builder
    }

    fn address(builder: &Builder, host: &str) -> Result<String, String> {
        match builder.at(host) {
            Ok(EndpointSource::Fixed(endpoint)) => Ok(endpoint.url().to_string()),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.message().to_owned()),
        }
    }

    #[test]
    fn the_region_chooses_the_address_unless_one_is_set() {
        let mut builder = builder(&[("REGION", "r2"), ("DEMO_REGION", "r1")]);
        let at = |builder: &Builder| address(builder, REGIONAL).unwrap();
        assert_eq!(at(&builder), "https://demo.r1.example/");
        builder.setting("region", "r3");
        assert_eq!(at(&builder), "https://demo.r3.example/");
        builder.endpoint("https://private.example/x");
        assert_eq!(at(&builder), "https://private.example/x");
    }

    #[test]
    fn a_region_is_needed_only_where_the_host_names_one() {
        let mut builder = builder(&[]);
        assert_eq!(
            address(&builder, "demo.example").unwrap(),
            "https://demo.example/"
        );
        let error = address(&builder, REGIONAL).unwrap_err();
        assert!(
            error.contains("`region(..)` or DEMO_REGION or REGION"),
            "{error}"
        );
        builder.setting("region", "evil.example/");
        let error = address(&builder, REGIONAL).unwrap_err();
        assert!(error.contains("no region id"), "{error}");
        assert_eq!(
            address(&builder, "demo.example").unwrap(),
            "https://demo.example/"
        );
    }

    #[test]
    fn operations_get_what_the_environment_says() {
        let builder = builder(&[("REGION", "r2")]);
        let endpoint = builder.at(REGIONAL).unwrap();
        assert_eq!(
            builder.build(endpoint).unwrap().setting("region"),
            Some("r2")
        );
    }
}
