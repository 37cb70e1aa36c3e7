//! APIG, with a token of a login.

use cumulo_apig::Client;
use cumulo_apig::app::{ListAppsV2, ShowDetailsOfAppV2};
use cumulo_apig::credentials::Static;
use cumulo_bench_driver::{Contender, Failure};

struct Ours(Client);

impl Contender for Ours {
    async fn connect(address: &str) -> Result<Self, Failure> {
        let client = Client::builder()
            .endpoint(format!("http://{address}"))
            .credentials(Static::token("testtoken"))
            .max_in_flight(20_000)
            .project_id("73d69ae0cfcf460190522d06b6098c12")
            .instance_id("eddc4d25480b4cd6b512f270a1b8b341");
        Ok(Self(client.build()?))
    }

    async fn call(&self) -> Result<(), Failure> {
        let call = ShowDetailsOfAppV2::new("98df09fb-d459-4cbf-83a7-2b55ca6f1234");
        call.send(&self.0).await?.name.as_ref().ok_or("no name")?;
        Ok(())
    }

    async fn list(&self) -> Result<usize, Failure> {
        Ok(ListAppsV2::new().send(&self.0).await?.apps.len())
    }
}

fn main() -> Result<(), Failure> {
    cumulo_bench_driver::main::<Ours>()
}
