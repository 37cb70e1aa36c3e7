//! What is a cloud that can be asked? Its rules and what it remembers. It is handed the request,
//! the time and the faults that concern it, and does not know who holds it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::wire::{Call, Reply, Request, Service};

/// One of the clouds, which may have several services that share what it remembers.
pub(crate) trait Platform: Send + Sync {
    /// The operation that a request addresses, before anything is checked.
    fn operation(&self, request: &Request) -> Option<String>;

    /// Checks the request and executes it.
    fn answer(&self, call: &Call<'_>) -> Reply;

    /// What the families keep that are written by hand.
    fn snapshot(&self) -> Value;

    /// Takes up what a snapshot holds; `None`, and nothing changes, when it holds something else.
    fn restore(&self, kept: &Value) -> Option<()>;

    /// The service's own error for a status of 500 and above (or any other).
    fn server_error(&self, service: Service, status: u16) -> Reply;

    /// The service's throttling error, with its usual status and code where none is given.
    fn throttled(
        &self,
        service: Service,
        status: Option<u16>,
        code: Option<&str>,
        retry_after_ms: Option<u64>,
    ) -> Reply;
}

/// Locks; a handler that panicked leaves data that is still good enough to answer with.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
