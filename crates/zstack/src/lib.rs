//! ZStack private clouds, REST API version 1: all 2,043 operations, typed and async.
//!
//! ```no_run
//! use cumulo_zstack::{Client, Error, Query, access_key::QueryAccessKey};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Error> {
//!     let zstack = Client::builder().endpoint("https://cloud.example:8080").connect().await?;
//!     let enabled = QueryAccessKey::new().query(Query::new().eq("state", "Enabled"));
//!     for key in enabled.items(&zstack).collect().await? {
//!         println!("{:?}", key.access_key_id);
//!     }
//!     zstack.close().await;
//!     Ok(())
//! }
//! ```
//!
//! Credentials come from `ZSTACK_ACCOUNT_NAME` and `ZSTACK_ACCOUNT_PASSWORD`, or from `ZSTACK_ACCESS_KEY_ID`
//! and `ZSTACK_ACCESS_KEY_SECRET`; the endpoint from the builder or `ZSTACK_ENDPOINT`. [`credentials`] has the other sources.
//!
//! Operations are values, one module per group: `new` takes what is required, setters take the rest, `send`
//! sends it as often as you like. Lists have `pages` and `items`. Every group is a feature of this crate
//! (`vm-instance` for the module `vm_instance`); `all` is all of them.
//!
//! - **Errors.** Everything fails with one type, [`Error`], from [`Builder::build`] to the last page: its
//!   [`Kind`], whether the operation may have been executed ([`Outcome`]), every [`Attempt`], and the next step.
//!   [`Error::explain`] tells all of it, and why a signature did not match.
//! - **Retries.** What is safe to repeat is repeated, as [`RetryPolicy`] says; what may have been executed and
//!   must not happen twice is not. A [`ClientToken`] or a [`ledger`] makes a thing once even across crashes.
//! - **Waiting.** A call that the server runs as a job ends when the job has ended; [`Response::job`] and
//!   [`Error::job`] name it. [`Call::timeout`] says how long it may take in all.
//! - **Testing.** The crate `cumulo-localcloud` serves this API on this machine. [`Builder::environment`],
//!   [`Builder::clock`] and [`Builder::transport`] replace what a test must hold in its hand;
//!   [`Error::new`] and [`Response::new`] make what functions under test are given.
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
#[cfg(feature = "management")]
pub mod zql;
// Before the operations, which are written in their macros.
#[macro_use]
mod query;
#[macro_use]
mod tags;
#[macro_use]
mod generated;

name_groups!();

#[doc(inline)]
pub use cumulo_core::api::*;
pub use generated::*;
pub use query::Query;

/// Where credentials come from: the default chain of this cloud, each source alone, and what a source of
/// your own needs.
pub mod credentials {
    #[doc(inline)]
    pub use cumulo_core::api::credentials::*;
    #[doc(inline)]
    pub use cumulo_core::zstack::credentials::*;
}
