//! What becomes of a request? The cloud finds who answers it, lets the fault happen that is due,
//! and keeps a record. It knows the clouds and no socket.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard};

use hyper::body::Incoming;
use serde_json::Value;

use crate::acs::Acs;
use crate::clock::Clock;
use crate::control;
use crate::encode::Object;
use crate::fault::{Fault, FaultKind, Plan};
use crate::forward::{self, Body};
use crate::huawei::Huawei;
use crate::platform::{Platform, lock};
use crate::seen::{Record, SeenRequest};
use crate::store::{self, Samples, Store};
use crate::wire::{Call, Reply, Request, Service};
use crate::zstack::{self, Zstack};

/// Behaviour that is chosen before the start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choices {
    /// Refuse timestamps outside the window.
    pub(crate) strict_time: bool,
    /// How many of the newest requests are kept; all unless told otherwise.
    pub(crate) record: Option<usize>,
    pub(crate) samples: Samples,
    /// Whether there is room for no more things than the documentation says.
    pub(crate) quotas: bool,
    pub(crate) zstack: zstack::Switches,
}

impl Default for Choices {
    fn default() -> Self {
        Self {
            strict_time: true,
            record: None,
            samples: Samples::default(),
            quotas: false,
            zstack: zstack::Switches::default(),
        }
    }
}

/// Where the services listen.
#[derive(Clone, Debug)]
pub(crate) struct Addresses {
    /// Where clients on this machine reach them.
    host: IpAddr,
    ports: [u16; Service::ALL.len()],
    /// Port of the address behind which no ZStack answers.
    unreachable: u16,
    /// Whether all but that one speak TLS.
    secure: bool,
}

impl Addresses {
    pub(crate) fn new(host: IpAddr, ports: [u16; Service::ALL.len()], unreachable: u16) -> Self {
        let host = match host {
            IpAddr::V4(host) if host.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(host) if host.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            host => host,
        };
        Self {
            host,
            ports,
            unreachable,
            secure: false,
        }
    }

    /// The same, where clients come by HTTPS.
    #[cfg(feature = "tls")]
    pub(crate) fn secure(mut self) -> Self {
        self.secure = true;
        self
    }

    pub(crate) fn base(&self, service: Service) -> String {
        let port = Service::ALL
            .iter()
            .position(|one| *one == service)
            .map_or(0, |at| self.ports[at]);
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}", SocketAddr::new(self.host, port))
    }
}

/// What becomes of a connection after a request.
pub(crate) enum Fate {
    /// The client gets this answer.
    Answer(Reply),
    /// The client gets this answer without all that comes after so many bytes of its body.
    Cut(Reply, usize),
    /// The client gets the head of this answer, and the body as a backend sends it.
    Stream(Reply, Incoming),
    Close,
    Reset,
}

/// Whether an operation only looks, by its name.
fn is_read(operation: &str) -> bool {
    [
        "List", "Describe", "Query", "Show", "Get", "View", "PollJob",
    ]
    .iter()
    .any(|verb| operation.starts_with(verb))
}

/// The whole cloud but its sockets.
pub(crate) struct Cloud {
    pub(crate) addresses: Addresses,
    pub(crate) clock: Clock,
    pub(crate) stray_connections: AtomicU64,
    pub(crate) huawei: Huawei,
    pub(crate) zstack: Zstack,
    store: store::Handle,
    acs: Acs,
    strict_time: bool,
    /// What the platforms had at the start.
    first: Vec<Value>,
    faults: Mutex<Plan>,
    seen: Mutex<Record>,
}

impl Cloud {
    pub(crate) fn new(addresses: Addresses, choices: Choices) -> Self {
        let clock = Clock::default();
        let store: store::Handle = Arc::default();
        lock(&store).begin(choices.samples);
        lock(&store).quotas = choices.quotas;
        let mut cloud = Self {
            stray_connections: AtomicU64::new(0),
            huawei: Huawei::new(
                &addresses.base(Service::Iam),
                &addresses.base(Service::Apig),
                Arc::clone(&store),
            ),
            zstack: Zstack::new(
                choices.zstack,
                addresses.unreachable,
                clock.now(0),
                Arc::clone(&store),
            ),
            acs: Acs::new(Arc::clone(&store)),
            store,
            strict_time: choices.strict_time,
            first: Vec::new(),
            faults: Mutex::default(),
            seen: Mutex::new(Record::new(choices.record)),
            addresses,
            clock,
        };
        cloud.first = cloud.told();
        cloud
    }

    /// As it was at the start, but for the clock.
    pub(crate) fn reset(&self) {
        self.faults().clear();
        self.seen().clear();
        self.put_back(&self.first);
        let mut store = self.store();
        let samples = store.samples;
        store.begin(samples);
        store.transitions.clear();
    }

    fn platforms(&self) -> [(&'static str, &dyn Platform); 3] {
        [
            ("alibaba", &self.acs),
            ("huawei", &self.huawei),
            ("zstack", &self.zstack),
        ]
    }

    /// All that is kept, as JSON.
    pub(crate) fn snapshot(&self) -> String {
        let mut out = Vec::new();
        let mut snapshot = Object::begin(&mut out);
        snapshot.value("version", 1);
        snapshot.member("kept", |out| self.store().write(out));
        snapshot.member("families", |out| {
            let mut families = Object::begin(out);
            for (name, platform) in self.platforms() {
                families.value(name, platform.snapshot());
            }
            families.end();
        });
        snapshot.end();
        // All of it was text before.
        String::from_utf8(out).unwrap_or_default()
    }

    /// Takes up a snapshot instead of what is kept, wholly or not at all.
    pub(crate) fn restore(&self, snapshot: &Value) -> Result<(), control::Wrong> {
        let kept = self.store().restored(snapshot)?;
        let before = self.told();
        for (name, platform) in self.platforms() {
            if platform.restore(&snapshot["families"][name]).is_none() {
                self.put_back(&before);
                return Err(format!("families {name}: not as a snapshot has it"));
            }
        }
        self.store().take_up(kept);
        Ok(())
    }

    /// What the platforms tell of themselves.
    fn told(&self) -> Vec<Value> {
        let platforms = self.platforms().into_iter();
        platforms.map(|(_, one)| one.snapshot()).collect()
    }

    fn put_back(&self, told: &[Value]) {
        for ((_, platform), kept) in self.platforms().into_iter().zip(told) {
            // It is what the platform itself has told.
            let _ = platform.restore(kept);
        }
    }

    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        lock(&self.store)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Plan> {
        lock(&self.faults)
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, Record> {
        lock(&self.seen)
    }

    /// Who answers at the port of a service.
    fn platform(&self, service: Service) -> &dyn Platform {
        match service {
            Service::Smc | Service::Smartag => &self.acs,
            Service::Apig | Service::Iam => &self.huawei,
            Service::Zstack => &self.zstack,
        }
    }

    /// Has a request answered, or lost: the way in for all that comes to the ports of services.
    pub(crate) async fn handle(&self, request: Request, body: Option<Incoming>) -> Fate {
        if let Some(reply) = control::answer(self, &request) {
            return Fate::Answer(reply);
        }
        let service = request.service;
        let operation = self.platform(service).operation(&request);
        let fault = self
            .faults()
            .take(service, operation.as_deref(), |text| request.holds(text));
        let kind = fault.as_ref().map(Fault::kind);
        if operation.as_deref().is_some_and(|name| !is_read(name)) {
            self.store().changes += 1;
        }
        let reply = match &fault {
            None => Some(self.answer(&request, 0, None)),
            Some(fault) => self.answer_with(fault, &request).await,
        };
        let (reply, stream) = self.forwarded(reply, &request, body).await;
        let delivered = !matches!(kind, Some(FaultKind::LoseResponse | FaultKind::Reset));
        self.seen().push(SeenRequest {
            service,
            operation,
            method: request.method,
            target: request.target,
            headers: request.headers,
            body: request.body,
            status: reply
                .as_ref()
                .filter(|_| delivered)
                .map(|reply| reply.status),
            verdict: reply.as_ref().and_then(|reply| reply.verdict.clone()),
            fault: kind.map(FaultKind::name),
        });
        match (reply, kind) {
            (_, Some(FaultKind::Reset)) => Fate::Reset,
            (Some(reply), Some(FaultKind::TruncateBody(length))) => Fate::Cut(reply, *length),
            (Some(reply), _) if delivered => match stream {
                Some(stream) => Fate::Stream(reply, stream),
                None => Fate::Answer(reply),
            },
            _ => Fate::Close,
        }
    }

    /// Has a backend answer where the reply says so.
    async fn forwarded(
        &self,
        reply: Option<Reply>,
        request: &Request,
        body: Option<Incoming>,
    ) -> (Option<Reply>, Option<Incoming>) {
        let Some(mut reply) = reply else {
            return (None, None);
        };
        let Some(forward) = reply.forward.take() else {
            return (Some(reply), None);
        };
        let body = match body {
            Some(body) => Body::Stream(body),
            None => Body::Whole(request.body.clone().into()),
        };
        match forward::send(*forward, body).await {
            Ok((status, headers, stream)) => {
                reply.status = status;
                reply
                    .headers
                    .retain(|(name, _)| !headers.iter().any(|(own, _)| own == name));
                reply.headers.extend(headers);
                (Some(reply), Some(stream))
            }
            Err(status) => {
                let platform = self.platform(request.service);
                let refusal = platform.server_error(request.service, status);
                (Some(refusal.dated(self.clock.now(0))), None)
            }
        }
    }

    /// Whether the body of a request is passed on while it comes.
    pub(crate) fn streams(&self, request: &Request) -> bool {
        request.service == Service::Apig && self.huawei.streams(request)
    }

    /// Checks the request and executes it, or gives the answer `instead` once it is checked.
    fn answer(&self, request: &Request, skew: i64, instead: Option<Reply>) -> Reply {
        let call = Call {
            request,
            now: self.clock.now(skew),
            strict_time: self.strict_time,
            instead,
        };
        self.platform(request.service).answer(&call).dated(call.now)
    }

    /// The answer under a fault; `None` when the request is not even handled.
    async fn answer_with(&self, fault: &Fault, request: &Request) -> Option<Reply> {
        let injected = self.answer_of(fault.kind(), request.service);
        let mut skew = 0;
        let mut instead = None;
        match fault.kind() {
            FaultKind::LoseRequest => return None,
            FaultKind::Reset if !fault.is_executed() => return None,
            // A proxy before the service answers: nothing is even checked.
            FaultKind::Html(_) if !fault.is_executed() => {
                return injected.map(|reply| fault.dress(reply).dated(self.clock.now(0)));
            }
            FaultKind::Delay(time) => tokio::time::sleep(*time).await,
            FaultKind::ClockSkew(seconds) => skew = *seconds,
            _ if !fault.is_executed() => instead.clone_from(&injected),
            _ => {}
        }
        let reply = self.answer(request, skew, instead);
        if reply.injected {
            return Some(fault.dress(reply));
        }
        match injected.filter(|_| fault.is_executed()) {
            Some(injected) => {
                let mut other = fault.dress(injected).dated(self.clock.now(0));
                other.verdict = reply.verdict;
                Some(other)
            }
            None => Some(reply),
        }
    }

    /// The answer that a fault calls for in the words of the service; `None` when the fault
    /// is not about the answer.
    fn answer_of(&self, kind: &FaultKind, service: Service) -> Option<Reply> {
        let platform = self.platform(service);
        let mut reply = match kind {
            FaultKind::Html(status) => Reply::html(*status),
            FaultKind::Body { status, body } => Reply::raw(*status, body),
            FaultKind::ServerError(status) => platform.server_error(service, *status),
            FaultKind::Throttle {
                status,
                code,
                retry_after_ms,
            } => platform.throttled(service, *status, code.as_deref(), *retry_after_ms),
            FaultKind::LoseRequest
            | FaultKind::LoseResponse
            | FaultKind::Reset
            | FaultKind::Delay(_)
            | FaultKind::TruncateBody(_)
            | FaultKind::ClockSkew(_) => return None,
        };
        reply.injected = true;
        Some(reply)
    }
}
