//! What the example programs share: clients of a local cloud, or with `--live` of the real ones.
//!
//! Both ways take credentials from the environment as any program would; for the local cloud it is a
//! made-up environment. `cargo run --example NAME` needs no account; `cargo run --example NAME -- --live`
//! reads the variables that the README names.

use std::time::Duration;

use cumulo_localcloud::{Fault, LocalCloud, accounts};
use cumulo_zstack::credentials::Provider;
use cumulo_zstack::{ClientToken, Environment, Error, Polling, clock::SystemEntropy};

/// Where an example runs.
pub struct Stage {
    cloud: Option<LocalCloud>,
}

impl Stage {
    /// Starts a local cloud, unless the program was called with `--live`.
    pub async fn open() -> Self {
        let live = std::env::args()
            .skip(1)
            .any(|argument| argument == "--live");
        let cloud = if live {
            None
        } else {
            Some(LocalCloud::start().await)
        };
        Self { cloud }
    }

    /// Starts a local cloud for a program without async.
    ///
    /// # Errors
    /// When a port cannot be had.
    pub fn local_blocking() -> std::io::Result<Self> {
        let cloud = LocalCloud::builder().start_blocking()?;
        Ok(Self { cloud: Some(cloud) })
    }

    /// Starts a local cloud, whatever the program was called with: for jobs that cost money.
    pub async fn local() -> Self {
        let cloud = Some(LocalCloud::start().await);
        Self { cloud }
    }

    /// The local cloud, to be made ready for a job; `None` where the real clouds are called.
    pub fn cloud(&self) -> Option<&LocalCloud> {
        self.cloud.as_ref()
    }

    /// Whether the real clouds are called.
    pub fn is_live(&self) -> bool {
        self.cloud.is_none()
    }

    /// Makes something go wrong; false where that is not in our hands.
    pub fn inject(&self, fault: Fault) -> bool {
        if let Some(cloud) = &self.cloud {
            cloud.inject(fault);
        }
        self.cloud.is_some()
    }

    fn environment(&self) -> Environment {
        let Some(cloud) = &self.cloud else {
            return Environment::process();
        };
        let iam = cloud.iam_endpoint();
        let zstack = cloud.zstack_endpoint();
        Environment::fixed([
            ("ALIBABA_CLOUD_ACCESS_KEY_ID", accounts::ALIBABA_KEY_ID),
            ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", accounts::ALIBABA_SECRET),
            ("ALIBABA_CLOUD_REGION_ID", accounts::ALIBABA_REGION),
            ("OS_AUTH_URL", iam.as_str()),
            ("OS_USERNAME", accounts::KEYSTONE_USER),
            ("OS_PASSWORD", accounts::KEYSTONE_PASSWORD),
            ("OS_USER_DOMAIN_NAME", accounts::KEYSTONE_DOMAIN),
            ("OS_PROJECT_NAME", accounts::KEYSTONE_PROJECT_NAME),
            ("APIG_INSTANCE_ID", accounts::INSTANCE_ID),
            ("ZSTACK_ENDPOINT", zstack.as_str()),
            ("ZSTACK_ACCOUNT_NAME", accounts::ZSTACK_ACCOUNT),
            ("ZSTACK_ACCOUNT_PASSWORD", accounts::ZSTACK_PASSWORD),
        ])
    }

    /// A client for SMC.
    pub async fn smc(&self) -> Result<cumulo_smc::Client, Error> {
        let mut builder = cumulo_smc::Client::builder().environment(self.environment());
        if let Some(cloud) = &self.cloud {
            builder = builder.endpoint(cloud.smc_endpoint());
        }
        builder.connect().await
    }

    /// A client for Smart Access Gateway.
    pub async fn smartag(&self) -> Result<cumulo_smartag::Client, Error> {
        let mut builder = cumulo_smartag::Client::builder().environment(self.environment());
        if let Some(cloud) = &self.cloud {
            builder = builder.endpoint(cloud.smartag_endpoint());
        }
        builder.connect().await
    }

    /// A client for API Gateway. The gateway's id comes from `APIG_INSTANCE_ID`; the endpoint from the
    /// service catalog of the login.
    pub async fn apig(&self) -> Result<cumulo_apig::Client, Error> {
        let builder = cumulo_apig::Client::builder().environment(self.environment());
        builder.connect().await
    }

    /// A client for ZStack.
    pub async fn zstack(&self) -> Result<cumulo_zstack::Client, Error> {
        let mut builder = cumulo_zstack::Client::builder().environment(self.environment());
        if self.cloud.is_some() {
            // Jobs on this machine take no half second.
            builder = builder.polling(Polling::new().interval(Duration::from_millis(10)));
        }
        builder.connect().await
    }
}

impl Stage {
    /// A client for ZStack with these credentials.
    pub fn zstack_with(
        &self,
        provider: impl Provider + 'static,
    ) -> Result<cumulo_zstack::Client, Error> {
        cumulo_zstack::Client::builder()
            .environment(self.environment())
            .credentials(provider)
            .build()
    }
}

/// The account and the user that a ZStack client is logged in as.
pub async fn logged_in(zstack: &cumulo_zstack::Client) -> Result<(String, String), Error> {
    let credential = zstack.credentials().await?;
    let scope = &credential.scope;
    let account = scope.account.clone().unwrap_or_default();
    let user = scope.user.clone().unwrap_or_else(|| account.clone());
    Ok((account, user))
}

/// A name that another run of the example will not have taken.
pub fn unique(prefix: &str) -> String {
    let random = ClientToken::random(&SystemEntropy::default());
    format!("{prefix}{}", &random.as_str()[..8])
}
