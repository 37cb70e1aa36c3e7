//! What do programs touch? Everything here, and nothing else of this crate.
//!
//! Each client crate re-exports all of it, so that a program depends on its client alone and writes
//! `cumulo_smc::Error`. The rest of this crate is for the client crates and their generated code.

#[cfg(feature = "blocking")]
pub use crate::blocking::Blocking;
pub use crate::client::{Call, DryRun, Response};
pub use crate::credentials::Environment;
pub use crate::error::{Attempt, Diagnosis, Error, Kind, Outcome};
pub use crate::idempotency::{ClientToken, InvalidClientToken};
pub use crate::ledger::Ledger;
pub use crate::page::{Items, Pages};
pub use crate::record::{
    Bytes, CivilTime, IntoMember, Json, Problem, Secret, Timestamp, ValidationError, Violation,
};
pub use crate::retry::{Polling, RetryPolicy};

/// Time and randomness, which tests replace: see [`ManualClock`](clock::ManualClock).
pub mod clock {
    pub use crate::clock::{
        BoxFuture, Clock, Entropy, ManualClock, SeededEntropy, SystemClock, SystemEntropy,
    };
}

/// What sources of credentials of all clouds share. Client crates add those of their own cloud.
pub mod credentials {
    pub use crate::credentials::{
        CatalogEndpoint, Chain, Context, Credential, CredentialError, Environment, Finding,
        Identity, Keys, Provider, ProviderReport, Reason, Scope, Static, TlsSettings, Window,
    };
}

/// How is a thing created exactly once when the program may die at any moment?
pub mod ledger {
    pub use crate::ledger::{Entry, FileJournal, Journal, JournalError, Ledger, State};
}

/// What operations are, as data: for programs that call them by name.
pub mod operation {
    pub use crate::operation::{Lane, Operation, Paging, RetryClass, Spec};
}

/// Inputs and answers of any operation, for programs that call them by name.
pub mod record {
    pub use crate::record::{Record, Wire, to_json, to_value};
}

/// How requests are sent, for programs that bring their own way.
pub mod transport {
    pub use crate::transport::{
        ClientCertificate, Download, DownloadBody, HttpOptions, HttpRequest, HttpResponse,
        HttpTransport, Transport, TransportError, TransportErrorKind, Upload,
    };
}
