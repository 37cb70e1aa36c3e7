//! What the integration tests share: a local cloud with a clock that nobody has to wait for, clients
//! for it, and stand-ins for a network that misbehaves.

mod gateway;
mod list;
#[cfg(doctest)]
mod pages;
mod script;
mod server;
mod tls;

pub use gateway::{Gateway, Pieces, RELEASE, call, echo};
pub use list::LongList;
pub use script::{Answer, Script};
pub use server::{Listener, serve, serve_by};
pub use tls::{Authority, Issued, TlsServer};

use cumulo_core::clock::{Clock as _, ManualClock, SystemClock};
use cumulo_core::credentials::{Environment, Static};
use cumulo_core::huawei::credentials as huawei;
use cumulo_core::zstack::credentials as zstack;
use cumulo_localcloud::{Fault, FaultKind, LocalCloud, SeenRequest, Service, accounts};

/// The SHA-512 of the local ZStack account's password in hex: what goes over the wire.
pub const ZSTACK_PASSWORD_HASH: &str = concat!(
    "a845788d73424aaf2121f25d0b0d07ac64ed501cf6e72aa5d1d4add9cc26cae9",
    "4e3d4ac959550ec4a4bfec6a322f503e5e14becb119cb05a59cbf2a5bab4004b",
);

/// An AppCode with every character that paths, queries and JSON get wrong.
pub const HARD_APP_CODE: &str =
    "+/ab0_!@#$%/=-AppCodeOfAtLeast64CharactersWithAllThatEncodersGetWrong%2F";

/// A clock that stands at the real time, as the local cloud compares timestamps with it.
pub fn manual_clock() -> ManualClock {
    ManualClock::new(SystemClock::new().now())
}

/// A local cloud, and clients whose waits take no time.
#[derive(Debug)]
pub struct Bench {
    /// The services.
    pub cloud: LocalCloud,
    /// The clients' clock.
    pub clock: ManualClock,
}

impl Bench {
    /// A cloud with the default settings.
    pub async fn start() -> Self {
        Self::of(LocalCloud::start().await)
    }

    /// Clients for this cloud.
    pub fn of(cloud: LocalCloud) -> Self {
        Self {
            cloud,
            clock: manual_clock(),
        }
    }

    /// SMC with the main account's key.
    pub fn smc(&self) -> cumulo_smc::Builder {
        cumulo_smc::Client::builder()
            .endpoint(self.cloud.smc_endpoint())
            .region(accounts::ALIBABA_REGION)
            .credentials(alibaba_key())
            .clock(self.clock.clone())
            .environment(no_environment())
    }

    /// Smart Access Gateway with the main account's key.
    pub fn smartag(&self) -> cumulo_smartag::Builder {
        cumulo_smartag::Client::builder()
            .endpoint(self.cloud.smartag_endpoint())
            .region(accounts::ALIBABA_REGION)
            .credentials(alibaba_key())
            .clock(self.clock.clone())
            .environment(no_environment())
    }

    /// API Gateway with the account's AK/SK.
    pub fn apig(&self) -> cumulo_apig::Builder {
        cumulo_apig::Client::builder()
            .endpoint(self.cloud.apig_endpoint())
            .project_id(accounts::KEYSTONE_PROJECT_ID)
            .instance_id(accounts::INSTANCE_ID)
            .credentials(Static::keys(accounts::HUAWEI_AK, accounts::HUAWEI_SK))
            .clock(self.clock.clone())
            .environment(no_environment())
    }

    /// ZStack with the access key that exists from the start.
    pub fn zstack(&self) -> cumulo_zstack::Builder {
        cumulo_zstack::Client::builder()
            .endpoint(self.cloud.zstack_endpoint())
            .server_utc_offset(0)
            .credentials(Static::keys(
                accounts::ZSTACK_KEY_ID,
                accounts::ZSTACK_KEY_SECRET,
            ))
            .clock(self.clock.clone())
            .environment(no_environment())
    }

    /// API Gateway with a Keystone token for the gateway's project, got with the user's password.
    pub fn apig_by_password(&self) -> cumulo_apig::Builder {
        let login = huawei::Password::new(accounts::KEYSTONE_USER, accounts::KEYSTONE_PASSWORD)
            .domain_name(accounts::KEYSTONE_DOMAIN)
            .project_name(accounts::KEYSTONE_PROJECT_NAME)
            .iam_endpoint(self.cloud.iam_endpoint());
        cumulo_apig::Client::builder()
            .endpoint(self.cloud.apig_endpoint())
            .instance_id(accounts::INSTANCE_ID)
            .credentials(login)
            .clock(self.clock.clone())
            .environment(no_environment())
    }

    /// ZStack with a session of the account.
    pub fn zstack_by_login(&self) -> cumulo_zstack::Builder {
        let login = zstack::AccountLogin::new(
            self.cloud.zstack_endpoint(),
            accounts::ZSTACK_ACCOUNT,
            accounts::ZSTACK_PASSWORD,
        );
        self.zstack().credentials(login)
    }

    /// The next request for `operation` meets this fault.
    pub fn fault(&self, service: Service, operation: &str, kind: FaultKind) {
        self.cloud
            .inject(Fault::new(service, kind).operation(operation));
    }

    /// The requests for `operation`, oldest first.
    pub fn seen(&self, operation: &str) -> Vec<SeenRequest> {
        let mut all = self.cloud.requests();
        all.retain(|request| request.operation.as_deref() == Some(operation));
        all
    }

    /// The only request for `operation`.
    ///
    /// # Panics
    /// When there was none or more than one.
    pub fn only(&self, operation: &str) -> SeenRequest {
        let mut all = self.seen(operation);
        assert_eq!(all.len(), 1, "{operation}: {all:?}");
        all.remove(0)
    }
}

/// The key of the main Alibaba Cloud account.
pub fn alibaba_key() -> Static {
    Static::keys(accounts::ALIBABA_KEY_ID, accounts::ALIBABA_SECRET)
}

/// An environment without variables, so that tests do not depend on the machine's.
pub fn no_environment() -> Environment {
    Environment::empty()
}

/// An SMC client for a server of the test's own.
pub fn smc_at(address: &str) -> cumulo_smc::Builder {
    cumulo_smc::Client::builder()
        .endpoint(address)
        .credentials(alibaba_key())
        .clock(manual_clock())
        .environment(no_environment())
}

/// How a call that must not go out twice fails.
///
/// # Panics
/// When it succeeds.
pub async fn failed_create(smc: cumulo_smc::Builder) -> cumulo_smc::Error {
    let create = cumulo_smc::access_token::CreateAccessToken::new();
    match create.send(&smc.build().expect("a client")).await {
        Ok(_) => panic!("the create succeeded"),
        Err(error) => error,
    }
}

/// A new app on the local gateway; its id.
///
/// # Panics
/// When it cannot be made.
pub async fn new_app(apig: &cumulo_apig::Client, name: &str) -> String {
    let made = cumulo_apig::app::CreateAnAppV2::new(name).send(apig).await;
    let app = made.unwrap_or_else(|error| panic!("{}", error.explain()));
    app.output.id.unwrap_or_default()
}
