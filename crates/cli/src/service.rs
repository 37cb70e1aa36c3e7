//! Which services are there, what can they do, and how is a client of one made?

use std::sync::OnceLock;

use clap::ValueEnum;
use cumulo_cli::Groups;
use cumulo_core::alibaba::credentials as alibaba;
use cumulo_core::credentials::{Environment, TlsSettings};
use cumulo_core::huawei::credentials as huawei;
use cumulo_core::operation::{Operation, Spec};
use cumulo_core::record::nearest;
use cumulo_core::resource::Resource;
use cumulo_core::transport::HttpOptions;
use cumulo_core::wait::Target;
use cumulo_core::zstack::credentials as zstack;
use cumulo_core::{Client, Error, Kind};

use crate::args::Connection;

/// One of the four services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Service {
    /// Alibaba Cloud Server Migration Center.
    Smc,
    /// Alibaba Cloud Smart Access Gateway.
    Smartag,
    /// OTC / Huawei Cloud API Gateway.
    Apig,
    /// ZStack private cloud.
    Zstack,
}

/// An operation with the group it belongs to.
#[derive(Clone, Copy)]
pub(crate) struct Listed {
    pub(crate) service: Service,
    pub(crate) group: &'static str,
    pub(crate) spec: Spec,
}

impl Listed {
    pub(crate) fn operation(&self) -> &'static Operation {
        (self.spec)()
    }
}

impl Service {
    pub(crate) const ALL: [Self; 4] = [Self::Smc, Self::Smartag, Self::Apig, Self::Zstack];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Smc => "smc",
            Self::Smartag => "smartag",
            Self::Apig => "apig",
            Self::Zstack => "zstack",
        }
    }

    /// The service called `name`, or what to say about a name that none has.
    pub(crate) fn find(name: &str) -> Result<Self, String> {
        let known = Self::ALL.iter().find(|service| service.name() == name);
        known.copied().ok_or_else(|| {
            let names = Self::ALL.map(Self::name);
            let all = names.join(", ");
            match nearest(name, names.into_iter()) {
                Some(near) => format!("no service is called `{name}`; did you mean `{near}`?"),
                None => format!("no service is called `{name}`; there are {all}"),
            }
        })
    }

    fn groups(self) -> Groups {
        match self {
            Self::Smc => cumulo_cli::SMC,
            Self::Smartag => cumulo_cli::SMARTAG,
            Self::Apig => cumulo_cli::APIG,
            Self::Zstack => cumulo_cli::ZSTACK,
        }
    }

    /// The things that it keeps.
    pub(crate) fn resources(self) -> &'static [Resource] {
        match self {
            Self::Smc => cumulo_smc::resources::RESOURCES,
            Self::Smartag => cumulo_smartag::resources::RESOURCES,
            Self::Apig => cumulo_apig::resources::RESOURCES,
            Self::Zstack => cumulo_zstack::resources::RESOURCES,
        }
    }

    /// What can be waited for.
    pub(crate) fn targets(self) -> &'static [&'static Target] {
        match self {
            Self::Smc => cumulo_smc::wait::TARGETS,
            Self::Smartag => cumulo_smartag::wait::TARGETS,
            Self::Apig => cumulo_apig::wait::TARGETS,
            Self::Zstack => cumulo_zstack::wait::TARGETS,
        }
    }

    /// Every operation, group by group.
    pub(crate) fn operations(self) -> impl Iterator<Item = Listed> {
        self.groups().iter().flat_map(move |(group, specs)| {
            specs.iter().map(move |spec| Listed {
                service: self,
                group,
                spec: *spec,
            })
        })
    }

    /// A client; nothing is sent yet.
    pub(crate) fn connect(self, options: &Connection) -> Result<Client, Error> {
        let http = options.http()?;
        macro_rules! common {
            ($builder:expr) => {{
                let mut builder = $builder
                    .app_name(APP_NAME)
                    .allow_http(options.allow_http)
                    .environment(options.environment());
                for pem in http.extra_ca {
                    builder = builder.extra_ca(pem);
                }
                if let Some(address) = http.proxy {
                    builder = builder.proxy(address);
                }
                if let Some(accept) = http.accept_invalid_certs {
                    builder = builder.danger_accept_invalid_certs(accept);
                }
                if let Some(address) = endpoint_for(self, &options.endpoint_url) {
                    builder = builder.endpoint(address);
                }
                builder
            }};
        }
        macro_rules! with {
            ($builder:ident: $($set:ident)*) => {$(
                if let Some(value) = &options.$set {
                    $builder = $builder.$set(value);
                }
            )*};
        }
        // A profile that was asked for counts more than variables.
        macro_rules! profile {
            ($builder:ident) => {
                if let Some(profile) = options.cli_profile() {
                    if let Some((region, _)) = profile.region(&options.environment()) {
                        $builder = $builder.region(region);
                    }
                    $builder = $builder.credentials(profile);
                }
            };
        }
        Ok(match self {
            Self::Smc => {
                let mut builder = common!(cumulo_smc::Client::builder());
                profile!(builder);
                with!(builder: region);
                builder.build()?.as_ref().clone()
            }
            Self::Smartag => {
                let mut builder = common!(cumulo_smartag::Client::builder());
                profile!(builder);
                with!(builder: region);
                builder.build()?.as_ref().clone()
            }
            Self::Apig => {
                let mut builder = common!(cumulo_apig::Client::builder());
                with!(builder: region project_id instance_id iam_endpoint);
                builder.build()?.as_ref().clone()
            }
            Self::Zstack => {
                // An explicit `false` would take back what ZSTACK_ALLOW_HTTP allows.
                common!(cumulo_zstack::Client::builder())
                    .build()?
                    .as_ref()
                    .clone()
            }
        })
    }
}

impl Connection {
    /// The process's environment, with the cloud that a flag names.
    pub(crate) fn environment(&self) -> Environment {
        let environment = Environment::process();
        match &self.os_cloud {
            Some(cloud) => environment.with("OS_CLOUD", cloud),
            None => environment,
        }
    }

    /// The profile of the aliyun command line that a flag names.
    pub(crate) fn cli_profile(&self) -> Option<alibaba::CliProfile> {
        let name = self.profile.as_deref()?;
        Some(alibaba::CliProfile::new().profile(name))
    }

    /// How to connect, as far as flags say it.
    fn http(&self) -> Result<HttpOptions, Error> {
        let mut http = HttpOptions {
            proxy: self.proxy.clone(),
            accept_invalid_certs: self.insecure.then_some(true),
            ..HttpOptions::default()
        };
        if let Some(path) = &self.ca_file {
            add(&TlsSettings::ca_file("--ca-file", path), &mut http)?;
        }
        Ok(http)
    }

    /// How to connect to `service`, by flags and, where they say nothing, the environment.
    pub(crate) fn http_for(&self, service: Service) -> Result<HttpOptions, Error> {
        let environment = self.environment();
        let mut http = self.http()?;
        match service {
            Service::Smc | Service::Smartag => {}
            Service::Apig => {
                // What cannot be read is told by the source of credentials that reads it too.
                if let Ok(settings) = huawei::LoginSettings::from_environment(&environment) {
                    add(&settings.tls, &mut http)?;
                }
            }
            Service::Zstack => add(&zstack::tls(&environment), &mut http)?,
        }
        Ok(http)
    }
}

fn add(settings: &TlsSettings, http: &mut HttpOptions) -> Result<(), Error> {
    settings
        .apply(&Environment::process(), http)
        .map_err(|error| Error::configuration(error.to_string()))
}

const APP_NAME: &str = concat!("cumulo-cli/", env!("CARGO_PKG_VERSION"));

/// The address for `service` among `URL` and `SERVICE=URL`; the one that names it counts more.
pub(crate) fn endpoint_for(service: Service, given: &[String]) -> Option<&str> {
    let mut general = None;
    for text in given {
        match text.split_once('=') {
            Some((name, address)) if name == service.name() => return Some(address),
            Some((name, _)) if Service::find(name).is_ok() => {}
            _ => general = Some(text.as_str()),
        }
    }
    general
}

/// One client per service, made when it is first needed and shared by all calls.
pub(crate) struct Clients {
    options: Connection,
    made: [OnceLock<Result<Client, Error>>; 4],
}

impl Clients {
    pub(crate) fn new(options: Connection) -> Self {
        Self {
            options,
            made: Default::default(),
        }
    }

    pub(crate) fn get(&self, service: Service) -> Result<&Client, Error> {
        self.made[service as usize]
            .get_or_init(|| service.connect(&self.options))
            .as_ref()
            .map_err(|error| Error::new(Kind::Configuration, "connect", error.message()))
    }

    /// Ends the sessions that the clients opened.
    pub(crate) async fn close(&self) {
        for client in self
            .made
            .iter()
            .filter_map(|made| made.get()?.as_ref().ok())
        {
            client.close().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_listed_once() {
        let counts = Service::ALL.map(|service| service.operations().count());
        assert_eq!(counts, [24, 205, 216, 2043]);
        for service in Service::ALL {
            let mut names: Vec<_> = service
                .operations()
                .map(|listed| listed.operation().name)
                .collect();
            let all = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), all, "{}", service.name());
        }
    }

    #[test]
    fn an_endpoint_can_be_meant_for_one_service() {
        let given = [
            "http://a/?x=1".to_owned(),
            "zstack=http://b/zstack".to_owned(),
        ];
        assert_eq!(endpoint_for(Service::Smc, &given), Some("http://a/?x=1"));
        assert_eq!(
            endpoint_for(Service::Zstack, &given),
            Some("http://b/zstack")
        );
        assert_eq!(endpoint_for(Service::Smc, &given[1..]), None);
    }

    #[test]
    fn an_unknown_service_is_answered_with_a_near_one() {
        assert_eq!(Service::find("apig"), Ok(Service::Apig));
        let error = Service::find("smartags").unwrap_err();
        assert!(error.contains("did you mean `smartag`"), "{error}");
        let error = Service::find("s3-compatible").unwrap_err();
        assert!(error.contains("smc, smartag, apig, zstack"), "{error}");
    }
}
