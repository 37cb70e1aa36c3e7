//! Open Telekom Cloud and Huawei Cloud: how their REST gateways are called, signed for, and what their
//! errors mean; and where their users keep their credentials.
//!
//! | module | what |
//! |---|---|
//! | [`Huawei`] | the protocol |
//! | [`sdk_hmac`] | the AK/SK signature |
//! | [`credentials`] | Keystone logins, keys, `clouds.yaml`, and the chain that looks for them |

pub(crate) mod codes;
pub mod credentials;
pub(crate) mod endpoints;
mod protocol;
pub mod sdk_hmac;

pub use protocol::{Huawei, HuaweiSignature};
