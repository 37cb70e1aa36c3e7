//! Alibaba Cloud Server Migration Center (SMC), API version 2019-06-01.
//!
//! ```no_run
//! use cumulo_smc::{Client, access_token::CreateAccessToken};
//!
//! # async fn demo() -> Result<(), cumulo_core::Error> {
//! let smc = Client::from_env().await?;
//! let code = CreateAccessToken::new().name("web-servers").count(10).send(&smc).await?;
//! println!("{:?} (request {:?})", code.access_token_id, code.request_id());
//! # Ok(())
//! # }
//! ```
//!
//! Operations are values, one module per group: make one with `new`, set what is optional, `send` it
//! as often as you like. See `cumulo_core` for errors, retries and idempotency.

mod generated;

pub use generated::*;
