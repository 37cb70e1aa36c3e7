//! What counts where a user set nothing: variables of the environment, and the address that a region has.

use crate::address;
use crate::client::EndpointSource;
use crate::protocol::Endpoint;
use crate::region;
use crate::service::{Setting, Settled};

use super::Builder;
use crate::error::Error;

impl Builder {
    /// What `setting` put there, or else the environment variables of the setting, or else what `found`
    /// brought.
    pub fn get_setting(&self, name: &str) -> Option<String> {
        let variable = match self.is_set(name) {
            true => None,
            false => self.variable(name).map(|(_, value)| value),
        };
        variable.or_else(|| self.settings.get(name).map(str::to_owned))
    }

    /// What counts as the setting `name` where neither the program nor a variable says it: a value, and
    /// the place where it was found.
    pub fn found(
        &mut self,
        name: &'static str,
        value: impl Into<String>,
        place: impl Into<String>,
    ) {
        if !self.is_set(name) {
            self.settings.set(name, value, place);
        }
    }

    /// Whether the program says it.
    fn is_set(&self, name: &str) -> bool {
        let settled = self.settings.settled(name);
        settled.is_some_and(|settled| settled.origin == Settled::PROGRAM)
    }

    /// The address that `endpoint` set, or that a variable names; one without a scheme means HTTPS.
    pub fn get_endpoint(&self) -> Option<String> {
        self.endpoint.clone().or_else(|| {
            let (_, address) = self.environment.first(self.service.endpoint)?;
            Some(if address.contains("://") {
                address
            } else {
                format!("https://{address}")
            })
        })
    }

    fn known(&self, name: &str) -> Option<&'static Setting> {
        let mut all = self.service.settings.iter();
        all.find(|setting| setting.name == name)
    }

    fn variable(&self, name: &str) -> Option<(&'static str, String)> {
        self.environment.first(self.known(name)?.variables)
    }

    /// Sets what the environment says where the program says nothing.
    pub(super) fn fill(&mut self) {
        for setting in self.service.settings {
            if let Some((variable, value)) = self.variable(setting.name) {
                self.found(setting.name, value, variable);
            }
        }
    }

    /// Adds the address, for people who ask what the client goes by. Call `fill` before.
    pub(super) fn settle(&mut self, endpoint: &EndpointSource) {
        let (address, usual) = match endpoint {
            EndpointSource::Fixed(endpoint) => {
                (Some(endpoint), "the address of the service and region")
            }
            EndpointSource::Catalog { fallback, .. } => (
                fallback.as_ref(),
                "the address of the region, unless the token's catalog has one",
            ),
        };
        let Some(address) = address else {
            return;
        };
        let origin = if self.endpoint.is_some() {
            Settled::PROGRAM
        } else if let Some((variable, _)) = self.environment.first(self.service.endpoint) {
            variable
        } else {
            usual
        };
        // Where it was found elsewhere, that is known already.
        if self.settings.get("endpoint").is_none() {
            let shown = address::shown(address.url().as_str());
            self.settings.set("endpoint", shown, origin);
        }
    }

    /// The address that was set, or else `host`, in which `{region}` is the setting `region`.
    ///
    /// An error where the address is no address, and where `host` needs a region that is not set or is none.
    pub fn at(&self, host: &str) -> Result<EndpointSource, Error> {
        let address = match self.get_endpoint() {
            Some(address) => address,
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
            endpoint: &["DEMO_ENDPOINT"],
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

    #[test]
    fn an_address_of_the_environment_counts_where_none_is_set() {
        let mut builder = builder(&[("DEMO_ENDPOINT", "demo.internal:8443")]);
        let at = |builder: &Builder| address(builder, REGIONAL).unwrap();
        assert_eq!(at(&builder), "https://demo.internal:8443/");
        builder.endpoint("http://127.0.0.1:1");
        assert_eq!(at(&builder), "http://127.0.0.1:1/");
    }

    /// Each value with the place that it came from, the nearest place first.
    #[test]
    fn what_counts_is_told_with_its_origin() {
        let settled = |change: &dyn Fn(&mut Builder), variables: &[(&str, &str)]| {
            let mut builder = builder(variables);
            builder.found("region", "r1", "profile `p`");
            change(&mut builder);
            let endpoint = builder.at(REGIONAL).unwrap();
            let client = builder.build(endpoint).unwrap();
            let all = client.settled().iter();
            all.map(|one| format!("{} {} ({})", one.name, one.value, one.origin))
                .collect::<Vec<_>>()
        };
        let usual = "the address of the service and region";
        assert_eq!(
            settled(&|_| {}, &[]),
            [
                format!("endpoint https://demo.r1.example/ ({usual})"),
                "region r1 (profile `p`)".into()
            ]
        );
        assert_eq!(
            settled(&|_| {}, &[("REGION", "r2"), ("DEMO_ENDPOINT", "x.example")]),
            [
                "endpoint https://x.example/ (DEMO_ENDPOINT)",
                "region r2 (REGION)"
            ]
        );
        let program: &dyn Fn(&mut Builder) = &|builder| {
            builder.setting("region", "r3");
            builder.endpoint("https://y.example");
        };
        assert_eq!(
            settled(program, &[("REGION", "r2"), ("DEMO_ENDPOINT", "x.example")]),
            [
                "endpoint https://y.example/ (the program)",
                "region r3 (the program)"
            ]
        );
    }
}
