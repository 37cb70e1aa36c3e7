//! AWS's SDK: a list of IAM, and a small call that names what it wants.

use cumulo_bench_driver::{Contender, Failure};

struct Iam(aws_sdk_iam::Client);

impl Contender for Iam {
    async fn connect(address: &str) -> Result<Self, Failure> {
        let config = cumulo_bench_aws::config!(aws_sdk_iam, address);
        Ok(Self(aws_sdk_iam::Client::from_conf(config)))
    }

    async fn call(&self) -> Result<(), Failure> {
        let call = self.0.get_group_policy();
        let policy = call.group_name("admins").policy_name("all").send().await?;
        if policy.policy_document().is_empty() {
            return Err("no policy".into());
        }
        Ok(())
    }

    async fn list(&self) -> Result<usize, Failure> {
        Ok(self.0.list_users().send().await?.users().len())
    }
}

fn main() -> Result<(), Failure> {
    cumulo_bench_driver::main::<Iam>()
}
