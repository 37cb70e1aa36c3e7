//! Alibaba Cloud Smart Access Gateway (SAG), API version 2018-03-13.
//!
//! ```no_run
//! use cumulo_smartag::{Client, enterprise_code::CreateEnterpriseCode};
//!
//! # async fn demo() -> Result<(), cumulo_core::Error> {
//! let sag = Client::builder().region("cn-shanghai").connect().await?;
//! let made = CreateEnterpriseCode::new("a1b2c").send(&sag).await?;
//! println!("made with client token {:?}", made.client_token());
//! # Ok(())
//! # }
//! ```
//!
//! Operations are values, one module per group: make one with `new`, set what is optional, `send` it
//! as often as you like. See `cumulo_core` for errors, retries and idempotency.

mod generated;

pub use generated::*;
