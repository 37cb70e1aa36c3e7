//! ZStack, signed by an access key.

use cumulo_bench_driver::{Contender, Failure};
use cumulo_zstack::Client;
use cumulo_zstack::credentials::Static;
use cumulo_zstack::zone::{GetZone, QueryZone};

struct Ours(Client);

impl Contender for Ours {
    async fn connect(address: &str) -> Result<Self, Failure> {
        let client = Client::builder()
            .endpoint(format!("http://{address}"))
            .credentials(Static::keys("testid", "testsecret"))
            .max_in_flight(20_000)
            .server_utc_offset(0);
        Ok(Self(client.build()?))
    }

    async fn call(&self) -> Result<(), Failure> {
        let call = GetZone::new("36c27e8ff05c4780bf6d2fa657001234");
        let found = call.send(&self.0).await?;
        found.inventories.first().ok_or("no zone")?;
        Ok(())
    }

    async fn list(&self) -> Result<usize, Failure> {
        Ok(QueryZone::new().send(&self.0).await?.inventories.len())
    }
}

fn main() -> Result<(), Failure> {
    cumulo_bench_driver::main::<Ours>()
}
