//! How are requests and answers lost? This small TCP front stands before wiremock: it reads each
//! request, asks the fault plan, has it answered, and returns, cuts, drops or resets.

#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod http1;
mod upstream;

use std::io;
use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{RwLock, oneshot};
use wiremock::MockServer;

use crate::backend;
use crate::cloud::{Cloud, Exchange, on};
use crate::fault::{Fault, FaultKind};
use crate::seen::SeenRequest;
use crate::wire::{Reply, Request, Service};
use http1::{Connection, Incoming};
use upstream::Upstream;

/// wiremock keeps every request that a mock matched; past this many bytes it is emptied.
const KEPT_BYTES: usize = 16 * 1024 * 1024;
/// What a kept request costs beside its body, as measured.
const KEPT_OVERHEAD: usize = 9 * 1024;

/// What becomes of a connection after a request.
enum Fate {
    Answer(Reply),
    Cut(Reply, usize),
    Close,
    Reset,
}

/// The sockets' side of the cloud.
struct Front {
    cloud: Arc<Cloud>,
    server: MockServer,
    upstream: Upstream,
    /// Held shared by every exchange with wiremock, alone while wiremock is emptied.
    gate: RwLock<()>,
    kept: AtomicUsize,
    next_id: AtomicU64,
}

/// Serves until `stop` is dropped; reports through `ready` once the ports are served.
pub(crate) async fn run(
    cloud: Arc<Cloud>,
    listeners: Vec<(Service, StdListener)>,
    unreachable: StdListener,
    ready: oneshot::Sender<io::Result<()>>,
    stop: oneshot::Receiver<()>,
) {
    let server = backend::start(&cloud).await;
    let front = Arc::new(Front {
        upstream: Upstream::new(*server.address()),
        cloud,
        server,
        gate: RwLock::new(()),
        kept: AtomicUsize::new(0),
        next_id: AtomicU64::new(1),
    });
    let started = front.listen(listeners, unreachable);
    let failed = started.is_err();
    if ready.send(started).is_err() || failed {
        return;
    }
    // Either a message or the loss of the sender ends the cloud.
    let _ = stop.await;
}

impl Front {
    fn listen(
        self: &Arc<Self>,
        listeners: Vec<(Service, StdListener)>,
        unreachable: StdListener,
    ) -> io::Result<()> {
        for (service, listener) in listeners {
            let listener = into_tokio(listener)?;
            let front = Arc::clone(self);
            tokio::spawn(async move {
                loop {
                    match listener.accept().await {
                        Ok((stream, _)) => {
                            tokio::spawn(Arc::clone(&front).serve(service, stream));
                        }
                        // Out of file descriptors: wait until some connection has ended.
                        Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
                    }
                }
            });
        }
        let unreachable = into_tokio(unreachable)?;
        let front = Arc::clone(self);
        tokio::spawn(async move {
            while let Ok((stream, _)) = unreachable.accept().await {
                front.cloud.stray_connections.fetch_add(1, Ordering::SeqCst);
                drop(stream);
            }
        });
        Ok(())
    }

    async fn serve(self: Arc<Self>, service: Service, stream: TcpStream) {
        // Without it, an answer of two segments would wait for the client's acknowledgement.
        let _ = stream.set_nodelay(true);
        let mut connection = Connection::new(stream);
        loop {
            let (request, keep_alive) = match connection.next(service).await {
                Incoming::Request {
                    request,
                    keep_alive,
                } => (request, keep_alive),
                Incoming::Malformed(reply) => {
                    let _ = connection.write(&reply, false, false, None).await;
                    return connection.close().await;
                }
                Incoming::Closed => return,
            };
            let head_only = request.method == "HEAD";
            let written = match self.handle(request).await {
                Fate::Answer(reply) => connection
                    .write(&reply, head_only, keep_alive, None)
                    .await
                    .is_ok(),
                Fate::Cut(reply, length) => {
                    let _ = connection
                        .write(&reply, head_only, true, Some(length))
                        .await;
                    return connection.close().await;
                }
                Fate::Close => return connection.close().await,
                Fate::Reset => return connection.reset(),
            };
            if !written {
                return;
            }
            if !keep_alive {
                return connection.close().await;
            }
        }
    }

    async fn handle(&self, request: Request) -> Fate {
        let service = request.service;
        let operation = Cloud::operation(&request);
        let fault = self.cloud.faults().take(service, operation.as_deref());
        let (reply, verdict, delivered) = self.execute(&request, fault.as_ref()).await;
        let kind = fault.as_ref().map(Fault::kind);
        if on(&self.cloud.switches.record) {
            self.cloud.seen().push(SeenRequest {
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
                verdict,
                fault: kind.map(FaultKind::name),
            });
        }
        match (reply, kind) {
            (_, Some(FaultKind::Reset)) => Fate::Reset,
            (Some(reply), Some(FaultKind::TruncateBody(length))) => Fate::Cut(reply, *length),
            (Some(reply), _) if delivered => Fate::Answer(reply),
            _ => Fate::Close,
        }
    }

    /// The answer (if the request was handled), the service's verdict, and whether the client
    /// gets the answer.
    async fn execute(
        &self,
        request: &Request,
        fault: Option<&Fault>,
    ) -> (Option<Reply>, Option<String>, bool) {
        let Some(fault) = fault else {
            let (reply, verdict, _) = self.exchange(request, Exchange::default()).await;
            return (Some(reply), verdict, true);
        };
        let mut exchange = Exchange::default();
        let injected = Cloud::fault_reply(request.service, fault.kind());
        match fault.kind() {
            FaultKind::LoseRequest => return (None, None, false),
            FaultKind::Reset if !fault.is_executed() => return (None, None, false),
            // A proxy before the service answers: nothing is even checked.
            FaultKind::Html(_) if !fault.is_executed() => {
                let now = self.cloud.clock.now(0);
                let reply = injected.map(|reply| fault.dress(reply).dated(now));
                return (reply, None, true);
            }
            FaultKind::Delay(time) => tokio::time::sleep(*time).await,
            FaultKind::ClockSkew(seconds) => exchange.skew = *seconds,
            _ if !fault.is_executed() => exchange.instead.clone_from(&injected),
            _ => {}
        }
        let (mut reply, verdict, was_injected) = self.exchange(request, exchange).await;
        if was_injected {
            reply = fault.dress(reply);
        } else if fault.is_executed()
            && let Some(injected) = injected
        {
            reply = fault.dress(injected).dated(self.cloud.clock.now(0));
        }
        let delivered = !matches!(fault.kind(), FaultKind::LoseResponse | FaultKind::Reset);
        (Some(reply), verdict, delivered)
    }

    /// One round to the services: the answer, the verdict, and whether a fault made the answer.
    async fn exchange(
        &self,
        request: &Request,
        exchange: Exchange,
    ) -> (Reply, Option<String>, bool) {
        let id = self.next_id.fetch_add(1, Ordering::SeqCst);
        self.cloud.exchanges().insert(id, exchange);
        let result = {
            let _gate = self.gate.read().await;
            self.upstream.send(id, request).await
        };
        let exchange = self.cloud.exchanges().remove(&id).unwrap_or_default();
        self.empty_when_full(request.body.len() + KEPT_OVERHEAD)
            .await;
        match result {
            Ok(reply) => (reply, exchange.verdict, exchange.injected),
            Err(error) => {
                let text = format!("the local cloud could not answer: {error}");
                (Reply::text(502, text.as_str()), Some(text), false)
            }
        }
    }

    async fn empty_when_full(&self, more: usize) {
        if self.kept.fetch_add(more, Ordering::SeqCst) + more < KEPT_BYTES {
            return;
        }
        let _gate = self.gate.write().await;
        // Others may have waited for the same; the first one through has done the work.
        if self.kept.swap(0, Ordering::SeqCst) >= KEPT_BYTES {
            self.server.reset().await;
            backend::mount(&self.server, &self.cloud).await;
        }
    }
}

fn into_tokio(listener: StdListener) -> io::Result<TcpListener> {
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}
