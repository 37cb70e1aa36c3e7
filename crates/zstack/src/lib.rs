//! ZStack private cloud, REST API version 1.
//!
//! ```no_run
//! use cumulo_zstack::{Client, access_key::ChangeAccessKeyState};
//!
//! # async fn demo() -> Result<(), cumulo_core::Error> {
//! let zstack = Client::builder().endpoint("https://cloud.example:8080/zstack").connect().await?;
//! let key = ChangeAccessKeyState::new("defe79b1a43f35818dc6d3959b571773", "disable").send(&zstack).await?;
//! println!("{:?}", key.inventory);
//! # Ok(())
//! # }
//! ```
//!
//! Operations are values, one module per group; every group is a feature, and `all` is all of them.
//! Calls that the server runs as jobs are waited for. See `cumulo_core` for errors and retries.

mod prepare;
// Before the operations, which are written in its macro.
#[macro_use]
mod query;
mod generated;

pub use generated::*;
pub use query::{Query, UnrepresentableCondition};
