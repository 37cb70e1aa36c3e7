//! The runtime that the Cumulo cloud clients share. You probably want one of them instead:
//! `cumulo-smc`, `cumulo-smartag`, `cumulo-apig` or `cumulo-zstack`.
//!
//! Each re-exports all of [`api`], which is what programs touch: errors, retries, client tokens, the
//! ledger, pages, credentials, and what tests replace. The rest of this crate is for the client crates and
//! their generated code, and changes with them.
//!
//! A service crate describes its operations as data (the [`operation!`] macro) and hands this crate
//! a [`Service`](service::Service) table; everything that happens between `send` and the typed
//! answer is here: encoding, credentials, signing, retries, decoding and errors.
//!
//! Each layer knows only those before it:
//!
//! `wipe` < `record` < `sign` < `address`, `operation`, `region`, `resource` < `clock` < `idempotency`, `retry` < `error` <
//! `service`, `transport` < `credentials` < `protocol` < `ledger` < `client` < `page` < `find`, `wait` < `blocking` < `api` < the rooms
//! `alibaba`, `huawei`, `zstack`, each behind a feature of its name. Encoding, signing and reading
//! answers are functions of values, without I/O or clock.

// What only the rooms use is there all the same while theirs is switched off.
#![cfg_attr(
    not(all(feature = "alibaba", feature = "huawei", feature = "zstack")),
    allow(dead_code, unused_imports, unused_macros)
)]

mod address;
#[cfg(feature = "alibaba")]
pub mod alibaba;
pub mod api;
#[cfg(feature = "blocking")]
pub mod blocking;
pub mod client;
pub mod clock;
pub mod credentials;
pub mod error;
pub mod find;
#[cfg(feature = "huawei")]
pub mod huawei;
pub mod idempotency;
pub mod ledger;
mod macros;
pub mod operation;
pub mod page;
pub mod protocol;
pub mod record;
mod region;
pub mod resource;
pub mod retry;
pub mod service;
pub mod sign;
pub mod transport;
pub mod wait;
mod wipe;
#[cfg(feature = "zstack")]
pub mod zstack;

pub use client::{Call, Client, Response};
pub use error::{Error, Kind, Outcome};
pub use idempotency::ClientToken;
pub use ledger::Ledger;
pub use record::{IntoMember, Json, Secret, Timestamp};

/// What the macros need from other crates.
#[doc(hidden)]
pub mod __private {
    pub use http::Method;
    pub use serde;
}
