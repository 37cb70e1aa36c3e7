//! The dedicated API Gateway (APIG) of Open Telekom Cloud and Huawei Cloud, API version 2: all 216
//! operations, typed and async. 18 of them exist in Huawei Cloud only.
//!
//! ```no_run
//! use cumulo_apig::{Client, Error, app::ListAppsV2};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Error> {
//!     let apig = Client::builder().region("eu-de").instance_id("the gateway's id").connect().await?;
//!     let mut apps = ListAppsV2::new().items(&apig);
//!     while let Some(app) = apps.next().await {
//!         println!("{:?}", app?.name);
//!     }
//!     Ok(())
//! }
//! ```
//!
//! Credentials come from `OS_AUTH_URL`, `OS_USERNAME`, `OS_PASSWORD`, `OS_USER_DOMAIN_NAME` and
//! `OS_PROJECT_NAME`, from `clouds.yaml`, or from `HUAWEICLOUD_SDK_AK` and `HUAWEICLOUD_SDK_SK`. [`credentials`] has the other sources.
//!
//! Operations are values, one module per group: `new` takes what is required, setters take the rest, `send`
//! sends it as often as you like. Lists have `pages` and `items`.
//!
//! - **Errors.** Everything fails with one type, [`Error`], from [`Builder::build`] to the last page: its
//!   [`Kind`], whether the operation may have been executed ([`Outcome`]), every [`Attempt`], and the next step.
//!   [`Error::explain`] tells all of it, and why a signature did not match.
//! - **Retries.** What is safe to repeat is repeated, as [`RetryPolicy`] says; what may have been executed and
//!   must not happen twice is not. A [`ClientToken`] or a [`ledger`] makes a thing once even across crashes.
//! - **Waiting.** A call ends with its answer, after as many attempts as it takes; [`Call::timeout`] says how
//!   long it may take in all. Busy things are waited out within that time.
//! - **Calls of what was published.** [`invoke`] calls APIs; [`openapi`] makes them of OpenAPI files.
//! - **Testing.** The crate `cumulo-localcloud` serves this API on this machine. [`Builder::environment`],
//!   [`Builder::clock`] and [`Builder::transport`] replace what a test must hold in its hand;
//!   [`Error::new`] and [`Response::new`] make what functions under test are given.

#[expect(
    unreachable_pub,
    reason = "the generated `openapi` is reached through the module of that name here"
)]
mod generated;
pub mod invoke;
pub mod openapi;
mod prepare;

#[doc(inline)]
pub use cumulo_core::api::*;
#[doc(inline)]
pub use cumulo_core::huawei::HuaweiSignature;
pub use generated::*;

/// Where credentials come from: the default chain of this cloud, each source alone, and what a source of
/// your own needs.
pub mod credentials {
    #[doc(inline)]
    pub use cumulo_core::api::credentials::*;
    #[doc(inline)]
    pub use cumulo_core::huawei::credentials::*;
}
