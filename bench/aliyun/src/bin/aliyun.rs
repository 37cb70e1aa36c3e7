//! The generic crate for Alibaba Cloud's APIs: the small call and the list of SMC, signed by V1. It makes
//! a new HTTP client, and with it a connection, for each call; decoding is the caller's.

use aliyun_openapi_core_rust_sdk::client::rpc::RPClient;
use cumulo_bench_driver::{Contender, Failure};
use serde_json::Value;

struct Aliyun(RPClient);

impl Contender for Aliyun {
    async fn connect(address: &str) -> Result<Self, Failure> {
        let client = RPClient::new("testid", "testsecret", format!("http://{address}"));
        Ok(Self(client.version("2019-06-01")))
    }

    async fn call(&self) -> Result<(), Failure> {
        let call = self.0.clone().post("CreateAccessToken").query([
            ("Name", "web-servers"),
            ("Description", "a rack of servers"),
            ("Count", "10"),
            ("TimeToLiveInDays", "30"),
        ]);
        let made: Value = call.json().await?;
        made["AccessTokenId"].as_str().ok_or("no id")?;
        Ok(())
    }

    async fn list(&self) -> Result<usize, Failure> {
        let page: Value = self.0.clone().post("ListAccessTokens").json().await?;
        let items = page["AccessTokens"]["AccessToken"].as_array();
        Ok(items.ok_or("no list")?.len())
    }
}

fn main() -> Result<(), Failure> {
    cumulo_bench_driver::main::<Aliyun>()
}
