//! What do all services share? The clock, the switches, the fault plan, the record of requests,
//! and the way from a request to the service that answers it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::Clock;
use crate::fault::{FaultKind, Plan};
use crate::seen::SeenRequest;
use crate::wire::{Call, Reply, Request, Service};
use crate::{acs, huawei, zstack};

/// Behaviour that the builder sets and a test may change while the cloud runs.
#[derive(Debug)]
pub(crate) struct Switches {
    /// Refuse timestamps outside the window.
    pub(crate) strict_time: AtomicBool,
    /// Keep what is asked.
    pub(crate) record: AtomicBool,
    /// ZStack: take the lower-case body key of the documentation page.
    pub(crate) zstack_follow_page: AtomicBool,
    /// ZStack: answer 200 where the real server answers 202.
    pub(crate) zstack_synchronous: AtomicBool,
    /// ZStack: write `state` as `{name, ordinal}`.
    pub(crate) zstack_state_as_object: AtomicBool,
    /// ZStack: compare instants instead of wall clocks.
    pub(crate) zstack_check_time_zone: AtomicBool,
    /// ZStack: the server's wall clock, seconds east of UTC.
    pub(crate) zstack_utc_offset: AtomicI32,
    /// ZStack: how many polls find a job still running.
    pub(crate) zstack_job_polls: AtomicU32,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            strict_time: AtomicBool::new(true),
            record: AtomicBool::new(true),
            zstack_follow_page: AtomicBool::new(false),
            zstack_synchronous: AtomicBool::new(false),
            zstack_state_as_object: AtomicBool::new(false),
            zstack_check_time_zone: AtomicBool::new(false),
            zstack_utc_offset: AtomicI32::new(0),
            zstack_job_polls: AtomicU32::new(1),
        }
    }
}

/// `switch`, read.
pub(crate) fn on(switch: &AtomicBool) -> bool {
    switch.load(Ordering::SeqCst)
}

/// Where the services listen.
#[derive(Clone, Debug)]
pub(crate) struct Addresses {
    ports: [u16; Service::ALL.len()],
    /// Port of the address behind which no ZStack answers.
    pub(crate) unreachable: u16,
}

impl Addresses {
    pub(crate) fn new(ports: [u16; Service::ALL.len()], unreachable: u16) -> Self {
        Self { ports, unreachable }
    }

    pub(crate) fn port(&self, service: Service) -> u16 {
        Service::ALL
            .iter()
            .position(|one| *one == service)
            .map_or(0, |at| self.ports[at])
    }

    pub(crate) fn base(&self, service: Service) -> String {
        format!("http://127.0.0.1:{}", self.port(service))
    }
}

/// What the front asks of the services for one request, and what they tell it.
#[derive(Default)]
pub(crate) struct Exchange {
    pub(crate) skew: i64,
    pub(crate) instead: Option<Reply>,
    pub(crate) verdict: Option<String>,
    pub(crate) injected: bool,
}

/// The whole cloud but its sockets.
pub(crate) struct Cloud {
    pub(crate) addresses: Addresses,
    pub(crate) switches: Switches,
    pub(crate) clock: Clock,
    pub(crate) stray_connections: AtomicU64,
    faults: Mutex<Plan>,
    seen: Mutex<Vec<SeenRequest>>,
    exchanges: Mutex<HashMap<u64, Exchange>>,
    acs: Mutex<acs::State>,
    huawei: Mutex<huawei::State>,
    zstack: Mutex<zstack::State>,
}

/// Locks; a handler that panicked leaves data that is still good enough to answer with.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Cloud {
    pub(crate) fn new(addresses: Addresses, switches: Switches) -> Self {
        let now = Clock::default().now(0);
        Self {
            addresses,
            switches,
            clock: Clock::default(),
            stray_connections: AtomicU64::new(0),
            faults: Mutex::default(),
            seen: Mutex::default(),
            exchanges: Mutex::default(),
            acs: Mutex::new(acs::State::new()),
            huawei: Mutex::new(huawei::State::new()),
            zstack: Mutex::new(zstack::State::new(now)),
        }
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Plan> {
        lock(&self.faults)
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, Vec<SeenRequest>> {
        lock(&self.seen)
    }

    pub(crate) fn exchanges(&self) -> MutexGuard<'_, HashMap<u64, Exchange>> {
        lock(&self.exchanges)
    }

    pub(crate) fn acs(&self) -> MutexGuard<'_, acs::State> {
        lock(&self.acs)
    }

    pub(crate) fn huawei(&self) -> MutexGuard<'_, huawei::State> {
        lock(&self.huawei)
    }

    pub(crate) fn zstack(&self) -> MutexGuard<'_, zstack::State> {
        lock(&self.zstack)
    }

    /// The operation that a request addresses, before anything is checked.
    pub(crate) fn operation(request: &Request) -> Option<String> {
        match request.service {
            Service::Smc | Service::Smartag => acs::operation(request),
            Service::Apig => huawei::apig_operation(request),
            Service::Iam => huawei::iam_operation(request),
            Service::Zstack => zstack::operation(request),
        }
    }

    /// Checks the request and executes it.
    pub(crate) fn answer(&self, call: &Call<'_>) -> Reply {
        let reply = match call.request.service {
            Service::Smc | Service::Smartag => acs::answer(self, call),
            Service::Apig => huawei::answer_apig(self, call),
            Service::Iam => huawei::answer_iam(self, call),
            Service::Zstack => zstack::answer(self, call),
        };
        reply.dated(call.now)
    }

    /// The answer that a fault calls for in the words of the service; `None` when the fault
    /// is not about the answer.
    pub(crate) fn fault_reply(service: Service, kind: &FaultKind) -> Option<Reply> {
        let mut reply = Self::fault_answer(service, kind)?;
        reply.injected = true;
        Some(reply)
    }

    fn fault_answer(service: Service, kind: &FaultKind) -> Option<Reply> {
        match kind {
            FaultKind::Html(status) => Some(Reply::html(*status)),
            FaultKind::Body { status, body } => Some(Reply::raw(*status, body)),
            FaultKind::ServerError(status) => Some(match service {
                Service::Smc | Service::Smartag => acs::server_error(service, *status),
                Service::Apig => huawei::apig_server_error(*status),
                Service::Iam => huawei::iam_server_error(*status),
                Service::Zstack => zstack::server_error(*status),
            }),
            FaultKind::Throttle {
                status,
                code,
                retry_after_ms,
            } => {
                let code = code.as_deref();
                Some(match service {
                    Service::Smc | Service::Smartag => {
                        acs::throttled(service, *status, code, *retry_after_ms)
                    }
                    Service::Apig => huawei::apig_throttled(*status, code, *retry_after_ms),
                    Service::Iam => huawei::iam_throttled(*status, code, *retry_after_ms),
                    Service::Zstack => zstack::throttled(*status, code, *retry_after_ms),
                })
            }
            FaultKind::LoseRequest
            | FaultKind::LoseResponse
            | FaultKind::Reset
            | FaultKind::Delay(_)
            | FaultKind::TruncateBody(_)
            | FaultKind::ClockSkew(_) => None,
        }
    }
}

/// `Retry-After` knows whole seconds only.
pub(crate) fn with_retry_after(reply: Reply, milliseconds: Option<u64>) -> Reply {
    match milliseconds {
        Some(hint) => reply.header("retry-after", hint.div_ceil(1000).to_string()),
        None => reply,
    }
}
