//! Google's SDK: the Secret Manager, which has no signature.

use cumulo_bench_driver::{Contender, Failure};
use google_cloud_auth::credentials::anonymous;
use google_cloud_secretmanager_v1::client::SecretManagerService;

struct Google(SecretManagerService);

impl Contender for Google {
    async fn connect(address: &str) -> Result<Self, Failure> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = SecretManagerService::builder()
            .with_endpoint(format!("http://{address}"))
            .with_credentials(anonymous::Builder::new().build())
            .build()
            .await?;
        Ok(Self(client))
    }

    async fn call(&self) -> Result<(), Failure> {
        let call = self.0.get_secret().set_name("projects/shop/secrets/one");
        if call.send().await?.name.is_empty() {
            return Err("no name".into());
        }
        Ok(())
    }

    async fn list(&self) -> Result<usize, Failure> {
        let call = self.0.list_secrets().set_parent("projects/shop");
        Ok(call.send().await?.secrets.len())
    }
}

fn main() -> Result<(), Failure> {
    cumulo_bench_driver::main::<Google>()
}
