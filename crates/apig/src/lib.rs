//! Open Telekom Cloud and Huawei Cloud API Gateway (APIG), dedicated gateways, API version 2.
//!
//! ```no_run
//! use cumulo_apig::{Client, app_code::CreateAppCodeV2};
//!
//! # async fn demo() -> Result<(), cumulo_core::Error> {
//! let apig = Client::builder().region("eu-de").instance_id("gateway-id").connect().await?;
//! let code = "A".repeat(64);
//! let made = CreateAppCodeV2::new("app-id", code).send(&apig).await?;
//! println!("{:?}", made.id);
//! # Ok(())
//! # }
//! ```
//!
//! Operations are values, one module per group: make one with `new`, set what is optional, `send` it
//! as often as you like. See `cumulo_core` for errors, retries and idempotency.

mod generated;
mod prepare;

pub use generated::*;
