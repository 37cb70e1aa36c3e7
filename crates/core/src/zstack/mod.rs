//! ZStack: how its management node is called, signed for, and what its errors mean; and the sessions
//! and keys that its users have.
//!
//! | module | what |
//! |---|---|
//! | [`ZStack`] | the protocol, with its jobs |
//! | [`access_key`] | the signature of access keys |
//! | [`credentials`] | logins, keys, and the chain that looks for them |

pub mod access_key;
pub(crate) mod codes;
pub mod credentials;
mod progress;
mod protocol;

use http::Method;

use crate::client::Empty;
use crate::operation::{Operation, RetryClass};
use crate::record::empty;

pub use protocol::ZStack;

/// A call of which nothing is known but its job: [`Client::job_of`](crate::Client::job_of) takes it up
/// by this. Its answer is read by [`Response::redacted_body`](crate::Response::redacted_body).
pub static API_JOB: Operation = Operation::new(
    "GetApiJob",
    "Asks after the job of a call.",
    Method::GET,
    "/api-jobs/{uuid}",
    RetryClass::ReadOnly,
    empty::<Empty>,
    empty::<Empty>,
)
.job();

/// Where servers answer that were not set up otherwise: what an endpoint without a path means.
const CONTEXT_PATH: &str = "/zstack";
