//! OpenAPI in, API out: how does a file of definitions become APIs that can be called?
//!
//! ```no_run
//! use cumulo_apig::invoke::Caller;
//! use cumulo_apig::openapi::{Definition, Import};
//! use cumulo_apig::{Client, Error};
//!
//! # async fn demo(apig: &Client, file: String, app: String) -> Result<(), Error> {
//! let definition = Definition::read(file)?;
//! let import = Import::new(definition)
//!     .publish_to("DEFAULT_ENVIRONMENT_RELEASE_ID")
//!     .authorize(app)
//!     .tried_by(|domain| Ok(Caller::builder(format!("https://{domain}")).build()?.get("/health")));
//! println!("{}", import.plan(apig).await?);
//! let report = import.run(apig).await;
//! println!("{report}");
//! # let _ = report.into_result()?;
//! # Ok(())
//! # }
//! ```
//!
//! [`Definition::read`] says what the gateway will refuse, before anything is sent; [`Import::plan`], what
//! will be made and changed; [`Import::run`] does it, and where something fails, takes back what it has
//! made. The operations of the gateway that export and import files stand here, too.

mod import;
mod read;
mod report;

#[doc(inline)]
pub use crate::generated::openapi::*;
pub use import::{Import, Plan, Planned, Step};
pub use read::{Defined, Definition, Effect, Restriction};
pub use report::{Report, Result as ApiResult};

/// What errors name where operations have their own names.
const NAME: &str = "openapi::Import";
