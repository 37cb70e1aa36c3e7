//! Alibaba Cloud: how its RPC gateway is called, signed for, and what its errors mean; and where its
//! users keep their credentials.
//!
//! | module | what |
//! |---|---|
//! | [`Acs`] | the protocol of RPC-style services |
//! | [`acs_v3`], [`acs_v1`] | its signatures |
//! | [`credentials`] | access keys, roles, profiles, and the chain that looks for them |

pub mod acs_v1;
pub mod acs_v3;
pub(crate) mod codes;
pub mod credentials;
mod protocol;

pub use protocol::{Acs, AcsSignature};
