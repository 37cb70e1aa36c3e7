//! Alibaba Cloud Smart Access Gateway (SAG), API version 2018-03-13: all 205 operations, typed and async.
//!
//! ```no_run
//! use cumulo_smartag::{Client, Error, enterprise_code::CreateEnterpriseCode};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Error> {
//!     let sag = Client::builder().region("cn-shanghai").connect().await?;
//!     let made = CreateEnterpriseCode::new("a1b2c").send(&sag).await?;
//!     println!("request {:?}, client token {:?}", made.request_id(), made.client_token());
//!     Ok(())
//! }
//! ```
//!
//! Credentials come from `ALIBABA_CLOUD_ACCESS_KEY_ID` and `ALIBABA_CLOUD_ACCESS_KEY_SECRET`, or from
//! `~/.aliyun/config.json`; the region from the builder or `ALIBABA_CLOUD_REGION_ID`. [`credentials`] has the other sources.
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
//! - **Testing.** The crate `cumulo-localcloud` serves this API on this machine. [`Builder::environment`],
//!   [`Builder::clock`] and [`Builder::transport`] replace what a test must hold in its hand;
//!   [`Error::new`] and [`Response::new`] make what functions under test are given.

mod generated;

#[doc(inline)]
pub use cumulo_core::alibaba::AcsSignature;
#[doc(inline)]
pub use cumulo_core::api::*;
pub use generated::*;

/// Where credentials come from: the default chain of this cloud, each source alone, and what a source of
/// your own needs.
pub mod credentials {
    #[doc(inline)]
    pub use cumulo_core::alibaba::credentials::*;
    #[doc(inline)]
    pub use cumulo_core::api::credentials::*;
}
