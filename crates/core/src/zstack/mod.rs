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

pub use protocol::ZStack;

/// Where servers answer that were not set up otherwise: what an endpoint without a path means.
const CONTEXT_PATH: &str = "/zstack";
