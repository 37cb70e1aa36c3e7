//! AWS's SDK: a small call of STS.

use cumulo_bench_driver::{Contender, Failure};

struct Sts(aws_sdk_sts::Client);

impl Contender for Sts {
    async fn connect(address: &str) -> Result<Self, Failure> {
        let config = cumulo_bench_aws::config!(aws_sdk_sts, address);
        Ok(Self(aws_sdk_sts::Client::from_conf(config)))
    }

    async fn call(&self) -> Result<(), Failure> {
        let identity = self.0.get_caller_identity().send().await?;
        identity.account().ok_or("no account")?;
        Ok(())
    }
}

fn main() -> Result<(), Failure> {
    cumulo_bench_driver::main::<Sts>()
}
