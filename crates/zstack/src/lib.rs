//! ZStack private cloud, REST API version 1.
//!
//! ```no_run
//! use cumulo_zstack::{Client, access_key::ChangeAccessKeyState};
//!
//! # async fn demo() -> Result<(), cumulo_core::Error> {
//! let zstack = Client::builder().endpoint("https://cloud.example:8080").connect().await?;
//! let key = ChangeAccessKeyState::new("defe79b1a43f35818dc6d3959b571773", "disable").send(&zstack).await?;
//! println!("{:?}", key.inventory);
//! # Ok(())
//! # }
//! ```
//!
//! Operations are values, one module per group; every group is a feature, and `all` is all of them.
//! Calls that the server runs as jobs are waited for. See `cumulo_core` for errors and retries.
//!
//! # Tags
//!
//! Every operation takes `system_tags` and `user_tags` beside its own members. System tags tell the
//! server what its API has no member for; user tags are the caller's own words. They travel in the body,
//! and in the query where there is none. Queries take them in their [`Query`].
//!
//! ```
//! # #[cfg(feature = "zone")] {
//! use cumulo_zstack::zone::{CreateZone, DeleteZone};
//!
//! let create = CreateZone::new("zone-1").user_tags(["team-a"]);
//! let delete = DeleteZone::new("defe79b1a43f35818dc6d3959b571773").system_tags(["reason::retired"]);
//! # }
//! ```

mod prepare;
// Before the operations, which are written in their macros.
#[macro_use]
mod query;
#[macro_use]
mod tags;
mod generated;

pub use generated::*;
pub use query::{Query, UnrepresentableCondition};
