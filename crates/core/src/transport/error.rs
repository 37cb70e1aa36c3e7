//! What became of a request that got no answer, and what can a person do about it?
//!
//! hyper wraps what happened in several layers. Here they become one of [`TransportErrorKind`], a text,
//! and where possible the next step.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::time::Duration;

use hyper_util::client::legacy;

use super::connect::ByProxy;
use super::tls_error::of_tls;
use super::{TransportError, TransportErrorKind};

/// What happened, in words for people.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cause {
    what: String,
    advice: Option<String>,
    /// Whether a repeat would end the same way, although others of the kind may not.
    is_final: bool,
}

impl Cause {
    pub(super) fn new(what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            advice: Some(advice.into()),
            is_final: false,
        }
    }

    pub(super) fn plain(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            advice: None,
            is_final: false,
        }
    }

    pub(super) fn advice(&self) -> Option<&str> {
        self.advice.as_deref()
    }

    pub(super) fn is_final(&self) -> bool {
        self.is_final
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl StdError for Cause {}

/// What it means that a request got no answer.
pub(super) fn unsent(error: legacy::Error) -> TransportError {
    let connecting = error.is_connect();
    let kind = match connecting {
        true => TransportErrorKind::Connect,
        false => broken(&error),
    };
    of(error, connecting, kind)
}

/// What it means that the body of an answer ended early.
pub(super) fn unread(error: hyper::Error) -> TransportError {
    let kind = broken(&error);
    of(error, false, kind)
}

/// How a connection ended. The system itself gives up one whose peer fell silent.
fn broken(error: &(dyn StdError + 'static)) -> TransportErrorKind {
    match find::<io::Error>(error) {
        Some(error) if error.kind() == io::ErrorKind::TimedOut => TransportErrorKind::Timeout,
        _ => TransportErrorKind::Interrupted,
    }
}

/// What it means that there was no answer within `limit`.
pub(super) fn late(limit: Duration) -> TransportError {
    // What is left of a call's time has a fraction of nanoseconds.
    let what = format!("no answer within {:.1} s", limit.as_secs_f64());
    TransportError::new(TransportErrorKind::Timeout, Cause::plain(what))
}

fn of(
    error: impl StdError + Send + Sync + 'static,
    connecting: bool,
    kind: TransportErrorKind,
) -> TransportError {
    let fault = find(&error).and_then(|inner| of_tls(inner, connecting));
    let kind = match fault {
        Some(_) => TransportErrorKind::Tls,
        None => kind,
    };
    match (find::<ByProxy>(&error), fault) {
        (Some(by), fault) => TransportError::new(kind, of_proxy(by, fault)),
        (None, Some(fault)) => TransportError::new(kind, fault),
        (None, None) => TransportError::new(kind, error),
    }
}

/// What went wrong with a proxy, whose address is told in the place of the server's.
fn of_proxy(by: &ByProxy, fault: Option<Cause>) -> Cause {
    let mut cause = fault.unwrap_or_else(|| {
        let what = innermost(by).to_string();
        // A wrong password is not tried five times: accounts are locked for that.
        let is_final = what.contains("proxy authorization required");
        let advice = match is_final {
            true => "Write its user and password into its address: http://user:password@host:port",
            false => {
                "Check that it is the right proxy, can be reached from here and may connect to the endpoint"
            }
        };
        Cause {
            is_final,
            ..Cause::new(what, advice)
        }
    });
    cause.what = format!("by {by}: {}", cause.what);
    cause
}

/// The last of the chain: those before it say where it happened, and repeat the address.
pub(super) fn innermost<'a>(error: &'a (dyn StdError + 'static)) -> &'a (dyn StdError + 'static) {
    let mut last = error;
    while let Some(inner) = last.source() {
        last = inner;
    }
    last
}

/// The first of this type in the chain. I/O errors hide what they wrap from `source`.
pub(super) fn find<'a, T: StdError + 'static>(
    error: &'a (dyn StdError + 'static),
) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        let inner = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        if let Some(found) = inner.and_then(|inner| find(inner)) {
            return Some(found);
        }
        next = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_told_in_tenths_of_a_second() {
        for (limit, told) in [
            (Duration::from_secs(30), "30.0 s"),
            (Duration::from_nanos(2_993_497_948), "3.0 s"),
            (Duration::from_millis(250), "0.2 s"),
            (Duration::MAX, "18446744073709551616.0 s"),
        ] {
            let expected = format!("no answer in time: no answer within {told}");
            assert_eq!(late(limit).to_string(), expected);
        }
    }

    #[test]
    fn a_connection_that_the_system_gave_up_is_a_timeout() {
        #[derive(Debug)]
        struct Wrapped(io::Error);
        impl fmt::Display for Wrapped {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("wrapped")
            }
        }
        impl StdError for Wrapped {
            fn source(&self) -> Option<&(dyn StdError + 'static)> {
                Some(&self.0)
            }
        }
        for (kind, expected) in [
            (io::ErrorKind::TimedOut, TransportErrorKind::Timeout),
            (
                io::ErrorKind::ConnectionReset,
                TransportErrorKind::Interrupted,
            ),
            (
                io::ErrorKind::UnexpectedEof,
                TransportErrorKind::Interrupted,
            ),
        ] {
            assert_eq!(broken(&Wrapped(kind.into())), expected, "{kind:?}");
        }
    }
}
