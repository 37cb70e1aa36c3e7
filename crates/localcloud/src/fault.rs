//! What goes wrong, and when? Faults are queued; each waits for the next requests that match it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::random;
use crate::wire::{Reply, Service};

/// What happens to a request instead of its ordinary fate.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum FaultKind {
    /// The request is read and dropped, the connection closed: nothing is executed.
    LoseRequest,
    /// The request is executed, its answer is dropped and the connection closed.
    LoseResponse,
    /// The connection is reset (TCP RST); not executed, unless [`Fault::executed`].
    Reset,
    /// The request waits before it is handled.
    Delay(Duration),
    /// Refused as throttled after authentication; not executed.
    Throttle {
        /// HTTP status; the service's usual one when `None`.
        status: Option<u16>,
        /// Error code; the service's usual one when `None`.
        code: Option<String>,
        /// Hint in the form of the service: `x-acs-retry-after` in milliseconds, or
        /// `Retry-After` in whole seconds, rounded up.
        retry_after_ms: Option<u64>,
    },
    /// The service's own error body with this status; not executed, unless [`Fault::executed`].
    ServerError(u16),
    /// The answer announces its full length, but the connection closes after so many body bytes.
    TruncateBody(usize),
    /// A proxy's HTML page with this status; not executed, unless [`Fault::executed`].
    Html(u16),
    /// Any answer, word for word; not executed, unless [`Fault::executed`].
    Body {
        /// HTTP status.
        status: u16,
        /// The body; its content type follows from its first character.
        body: Vec<u8>,
    },
    /// The server's clock is so many seconds ahead (or behind) for this one request.
    ClockSkew(i64),
}

impl FaultKind {
    /// A throttled answer as the service usually gives it, without a hint.
    pub fn throttle() -> Self {
        Self::Throttle {
            status: None,
            code: None,
            retry_after_ms: None,
        }
    }

    /// A throttled answer with a hint.
    pub fn throttle_for(retry_after: Duration) -> Self {
        let hint = u64::try_from(retry_after.as_millis()).unwrap_or(u64::MAX);
        Self::Throttle {
            status: None,
            code: None,
            retry_after_ms: Some(hint),
        }
    }

    /// An answer with this body.
    pub fn body(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::Body {
            status,
            body: body.into(),
        }
    }

    /// The name in [`SeenRequest::fault`](crate::SeenRequest::fault).
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::LoseRequest => "LoseRequest",
            Self::LoseResponse => "LoseResponse",
            Self::Reset => "Reset",
            Self::Delay(_) => "Delay",
            Self::Throttle { .. } => "Throttle",
            Self::ServerError(_) => "ServerError",
            Self::TruncateBody(_) => "TruncateBody",
            Self::Html(_) => "Html",
            Self::Body { .. } => "Body",
            Self::ClockSkew(_) => "ClockSkew",
        }
    }
}

/// A fault waiting for its request. Built with [`Fault::new`], queued with
/// [`LocalCloud::inject`](crate::LocalCloud::inject).
#[derive(Clone, Debug)]
pub struct Fault {
    service: Service,
    kind: FaultKind,
    operation: Option<String>,
    matching: Option<String>,
    probability: f64,
    times: u32,
    after: u32,
    executed: bool,
    headers: Vec<(String, String)>,
}

impl Fault {
    /// A fault for the next request to `service`.
    pub fn new(service: Service, kind: FaultKind) -> Self {
        Self {
            service,
            kind,
            operation: None,
            matching: None,
            probability: 1.0,
            times: 1,
            after: 0,
            executed: false,
            headers: Vec::new(),
        }
    }

    /// Only for this operation (`CreateEnterpriseCode`; ZStack job polls are `PollJob`).
    pub fn operation(mut self, name: impl Into<String>) -> Self {
        self.operation = Some(name.into());
        self
    }

    /// Only for requests whose target or body holds this text, as it stands on the wire.
    pub fn matching(mut self, text: impl Into<String>) -> Self {
        self.matching = Some(text.into());
        self
    }

    /// How likely a matching request meets the fault, from 0 to 1; it always does unless set.
    pub fn probability(mut self, probability: f64) -> Self {
        self.probability = probability;
        self
    }

    /// How many requests meet the fault; 1 unless set.
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// How many matching requests pass unharmed before.
    pub fn after(mut self, requests: u32) -> Self {
        self.after = requests;
        self
    }

    /// The request is executed before its answer is replaced or its connection reset.
    pub fn executed(mut self) -> Self {
        self.executed = true;
        self
    }

    /// Adds a header to the answer that the fault gives.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    fn matches(
        &self,
        service: Service,
        operation: Option<&str>,
        holds: &impl Fn(&str) -> bool,
    ) -> bool {
        self.service == service
            && self
                .operation
                .as_deref()
                .is_none_or(|wanted| operation == Some(wanted))
            && self.matching.as_deref().is_none_or(holds)
    }

    /// As the control interface shows it.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "service": self.service.name(),
            "operation": self.operation,
            "match": self.matching,
            "probability": self.probability,
            "times": self.times,
            "after": self.after,
            "what": self.kind.name(),
        })
    }

    pub(crate) fn kind(&self) -> &FaultKind {
        &self.kind
    }

    pub(crate) fn is_executed(&self) -> bool {
        self.executed
    }

    /// `reply` with the headers of the fault.
    pub(crate) fn dress(&self, mut reply: Reply) -> Reply {
        reply.headers.extend(self.headers.iter().cloned());
        reply
    }
}

/// The queue of faults.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    queue: Vec<Fault>,
}

impl Plan {
    pub(crate) fn push(&mut self, fault: Fault) {
        self.queue.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.queue.clear();
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.queue.iter()
    }

    /// The fault for this request, if one is due; counts the request against those that wait.
    /// `holds` says whether the request holds a text.
    pub(crate) fn take(
        &mut self,
        service: Service,
        operation: Option<&str>,
        holds: impl Fn(&str) -> bool,
    ) -> Option<Fault> {
        let mut due = None;
        for fault in &mut self.queue {
            if fault.times == 0 || !fault.matches(service, operation, &holds) {
                continue;
            }
            if fault.after > 0 {
                fault.after -= 1;
                continue;
            }
            if fault.probability < 1.0 && random::fraction() >= fault.probability {
                continue;
            }
            fault.times -= 1;
            due = Some(fault.clone());
            break;
        }
        self.queue.retain(|fault| fault.times > 0);
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_wait_for_their_request() {
        let mut plan = Plan::default();
        plan.push(
            Fault::new(Service::Smc, FaultKind::Reset)
                .operation("A")
                .after(1)
                .times(2),
        );
        plan.push(Fault::new(Service::Smc, FaultKind::LoseRequest));
        let names: Vec<_> = [
            (Service::Apig, Some("A")),
            (Service::Smc, Some("A")),
            (Service::Smc, Some("B")),
            (Service::Smc, Some("A")),
            (Service::Smc, None),
            (Service::Smc, Some("A")),
            (Service::Smc, Some("A")),
        ]
        .into_iter()
        .map(|(service, operation)| {
            plan.take(service, operation, |_| true)
                .map(|fault| fault.kind.name())
        })
        .collect();
        let reset = Some("Reset");
        assert_eq!(
            names,
            [None, Some("LoseRequest"), None, reset, None, reset, None]
        );
    }
}
