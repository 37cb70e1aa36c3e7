//! The JSON file of the vendor's command line, up to the provider that a profile stands for.

#![no_main]

use std::sync::{Arc, LazyLock};

use cumulo_core::clock::{BoxFuture, SystemClock, SystemEntropy};
use cumulo_core::alibaba::credentials as alibaba;
use cumulo_core::credentials::{Context, Environment};
use cumulo_core::transport::{HttpResponse, HttpRequest, Transport, TransportError};
use libfuzzer_sys::fuzz_target;

/// Building a provider sends nothing.
#[derive(Debug)]
struct Nowhere;

impl Transport for Nowhere {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        panic!("{request:?} was sent")
    }
}

static CONTEXT: LazyLock<Context> = LazyLock::new(|| Context {
    transport: Arc::new(Nowhere),
    direct: Arc::new(Nowhere),
    clock: Arc::new(SystemClock::default()),
    entropy: Arc::new(SystemEntropy::default()),
    environment: Environment::empty(),
});

fuzz_target!(|text: &str| {
    for name in [None, Some("default")] {
        if let Err(error) = alibaba::cli_profile_of_text(&CONTEXT, text, name) {
            assert!(!error.message.is_empty());
        }
    }
});
