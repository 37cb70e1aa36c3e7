//! The operations of all four services, compiled once.
//!
//! A client crate holds no code of its operations: whoever lists them compiles them all. Here that is a
//! crate of its own, so that the command is built anew without them.

use cumulo_core::operation::Spec;

/// The operations of a service, by group.
pub type Groups = &'static [(&'static str, &'static [Spec])];

/// Server Migration Center.
pub static SMC: Groups = cumulo_smc::GROUPS;
/// Smart Access Gateway.
pub static SMARTAG: Groups = cumulo_smartag::GROUPS;
/// API Gateway.
pub static APIG: Groups = cumulo_apig::GROUPS;
/// ZStack.
pub static ZSTACK: Groups = cumulo_zstack::GROUPS;
