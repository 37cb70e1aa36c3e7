//! Whose connections may a request travel on?
//!
//! A connection is driven by the runtime that it was made in: used from another one, it stands still
//! whenever that runtime does. So every runtime has connections of its own. Programs may make a
//! runtime for each call; of many, those used last keep their connections.
//!
//! Requests to this machine never go through a proxy, and those that must not be sent twice never
//! over a connection that has idled. So a runtime has up to four kinds of connections.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::runtime::Id;

use super::connect::Connector;
use super::proxy::Proxy;
use super::stream::Outgoing;

/// Connections of one kind, by host: those that idle, and the way to more.
pub(super) type Connections = Client<Connector, Outgoing>;

/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(5);
/// So many runtimes at once have connections of their own.
const RUNTIMES: usize = 64;

/// The kind of connection that a request needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// Past any proxy.
    pub(super) direct: bool,
    /// Never used before.
    pub(super) fresh: bool,
}

/// All connections of a client.
pub(super) struct Pools {
    tls: Arc<rustls::ClientConfig>,
    proxy: Proxy,
    connect_timeout: Duration,
    runtimes: Mutex<Runtimes>,
}

#[derive(Default)]
struct Runtimes {
    all: Vec<Runtime>,
    /// How often connections were asked for.
    uses: u64,
}

/// The connections of one runtime, by kind.
struct Runtime {
    id: Id,
    /// The use that was its last.
    used: u64,
    connections: [Option<Arc<Connections>>; 4],
}

impl Pools {
    pub(super) fn new(
        tls: Arc<rustls::ClientConfig>,
        proxy: Proxy,
        connect_timeout: Duration,
    ) -> Self {
        Self {
            tls,
            proxy,
            connect_timeout,
            runtimes: Mutex::default(),
        }
    }

    /// Connections of the kind that is wanted, for the runtime with this id.
    pub(super) fn get(&self, id: Id, wanted: Wanted) -> Arc<Connections> {
        let mut runtimes = self.runtimes.lock().unwrap_or_else(PoisonError::into_inner);
        let runtime = runtimes.used(id);
        let kind = usize::from(wanted.direct) + 2 * usize::from(wanted.fresh);
        let connections = &mut runtime.connections[kind];
        Arc::clone(connections.get_or_insert_with(|| Arc::new(self.build(wanted))))
    }

    /// The proxies of those that are not direct.
    pub(super) fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    /// How many runtimes have connections.
    #[cfg(test)]
    pub(super) fn runtimes(&self) -> usize {
        self.runtimes.lock().unwrap().all.len()
    }

    fn build(&self, wanted: Wanted) -> Connections {
        let proxy = match wanted.direct {
            true => Proxy::NONE,
            false => self.proxy.clone(),
        };
        let mut builder = Client::builder(TokioExecutor::new());
        builder.pool_timer(TokioTimer::new());
        builder.pool_idle_timeout(IDLE);
        if wanted.fresh {
            builder.pool_max_idle_per_host(0);
        }
        // All share the store of TLS sessions, so that further handshakes are short ones.
        let tls = Arc::clone(&self.tls);
        builder.build(Connector::new(tls, proxy, self.connect_timeout))
    }
}

impl Runtimes {
    /// The runtime with this id, used now. Another one makes room where there are too many: requests
    /// under way hold what they need, and only connections that idle are lost.
    fn used(&mut self, id: Id) -> &mut Runtime {
        self.uses += 1;
        let at = match self.all.iter().position(|runtime| runtime.id == id) {
            Some(at) => at,
            None => {
                if self.all.len() >= RUNTIMES
                    && let Some(oldest) = (0..RUNTIMES).min_by_key(|at| self.all[*at].used)
                {
                    self.all.swap_remove(oldest);
                }
                self.all.push(Runtime {
                    id,
                    used: 0,
                    connections: [const { None }; 4],
                });
                self.all.len() - 1
            }
        };
        let runtime = &mut self.all[at];
        runtime.used = self.uses;
        runtime
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pools() -> Pools {
        let tls = crate::transport::tls_config(&crate::transport::HttpOptions::default()).unwrap();
        Pools::new(Arc::new(tls), Proxy::NONE, Duration::from_secs(1))
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
    }

    const WANTED: Wanted = Wanted {
        direct: true,
        fresh: false,
    };

    #[test]
    fn many_runtimes_leave_a_few() {
        let pools = pools();
        let steady = runtime();
        for _ in 0..3 * RUNTIMES {
            pools.get(steady.handle().id(), WANTED);
            pools.get(runtime().handle().id(), WANTED);
        }
        assert_eq!(pools.runtimes(), RUNTIMES);
        // The one that is in use all the time is still there.
        let runtimes = pools.runtimes.lock().unwrap();
        assert!(
            runtimes
                .all
                .iter()
                .any(|entry| entry.id == steady.handle().id())
        );
    }
}
