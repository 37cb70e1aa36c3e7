//! How do you test a program against Alibaba Cloud SMC and Smart Access Gateway, OTC / Huawei
//! Cloud APIG, and ZStack without an account? With [`LocalCloud`]: the four services on loopback.
//!
//! It checks what the real services check: signatures are recomputed from the bytes that came,
//! nonces may not be reused, timestamps must be fresh, tokens must be known and alive, client
//! tokens are replayed. A refusal says what was expected ([`SeenRequest::verdict`]). Faults are
//! injected by plan: lost requests and answers, resets, delays, throttling, clock skew.
//!
//! ```
//! use cumulo_localcloud::{Fault, FaultKind, LocalCloud, Service};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let cloud = LocalCloud::start().await;
//! cloud.inject(Fault::new(Service::Smc, FaultKind::LoseResponse).operation("CreateAccessToken"));
//! println!("point the client at {}", cloud.smc_endpoint());
//! assert!(cloud.requests().is_empty());
//! # }
//! ```
//!
//! Some operations keep state (see the README); every other one of the four services answers what
//! its model says, with what the request gave, after the same checks. Tables that would grow
//! with time keep the newest entries: at least 50,000 nonces, 10,000 calls with a client token,
//! 2,000 Keystone tokens, and the jobs of 32 MB of answers.
//!
//! The identities it knows are in [`accounts`]. It is written from the vendors' public
//! documentation and from no client's code: a second reader of the same rules.

pub mod accounts;

mod acs;
mod clock;
mod cloud;
mod control;
mod encode;
mod fault;
mod forward;
mod front;
mod huawei;
mod local;
mod model;
mod platform;
mod random;
mod recent;
mod route;
mod seen;
mod store;
#[cfg(feature = "tls")]
mod tls;
mod wire;
mod zstack;

/// What fuzzing reaches without a socket.
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing {
    pub use crate::front::fuzzing::serve;

    /// Field, operator and value of a condition, as the server takes it apart.
    pub fn condition(text: &str) -> Option<(&str, &'static str, &str)> {
        crate::zstack::condition(text)
    }
}

pub use fault::{Fault, FaultKind};
pub use local::{Builder, LocalCloud};
pub use seen::SeenRequest;
pub use store::{Moves, Samples, Transition};
pub use wire::Service;
