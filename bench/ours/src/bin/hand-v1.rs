//! The calls of SMC without a client, signed by V1.

use cumulo_bench::hand;
use cumulo_bench_driver::{Contender, Failure};

struct Hand(reqwest::Client, String);

impl Contender for Hand {
    async fn connect(address: &str) -> Result<Self, Failure> {
        Ok(Self(hand::client()?, address.to_owned()))
    }

    async fn call(&self) -> Result<(), Failure> {
        let request = hand::v1(&self.0, &self.1, hand::SMALL)?;
        let made: hand::Made = hand::send(request).await?;
        made.access_token_id.ok_or("no id")?;
        Ok(())
    }

    async fn list(&self) -> Result<usize, Failure> {
        let request = hand::v1(&self.0, &self.1, hand::LIST)?;
        let page: hand::Page = hand::send(request).await?;
        Ok(page.access_tokens.access_token.len())
    }
}

fn main() -> Result<(), Failure> {
    cumulo_bench_driver::main::<Hand>()
}
