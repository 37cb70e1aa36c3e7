//! As bare-reqwest, with the parameters as a form.

use cumulo_bench::{QUERY, hand};
use cumulo_bench_driver::{Contender, Failure};

struct Bare(reqwest::Client, String);

impl Contender for Bare {
    async fn connect(address: &str) -> Result<Self, Failure> {
        Ok(Self(hand::client()?, address.to_owned()))
    }

    async fn call(&self) -> Result<(), Failure> {
        let request = self
            .0
            .post(format!("http://{}/", self.1))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(QUERY);
        let body = request.send().await?.bytes().await?;
        if body.is_empty() {
            return Err("an empty answer".into());
        }
        Ok(())
    }
}

fn main() -> Result<(), Failure> {
    cumulo_bench_driver::main::<Bare>()
}
