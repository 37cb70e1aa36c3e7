//! Whose connections may a request travel on?
//!
//! A connection is driven by the runtime that it was made in: used from another one, it stands still
//! whenever that runtime does. So every runtime has connections of its own. Programs may make a
//! runtime for each call; of many, those used last keep their connections.
//!
//! Requests to this machine never go through a proxy, and those that must not be sent twice never
//! over a connection that has idled. So a runtime has up to four kinds of connections.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Id;

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
    tls: rustls::ClientConfig,
    proxy: Option<reqwest::Proxy>,
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
    clients: [Option<reqwest::Client>; 4],
}

impl Pools {
    pub(super) fn new(
        tls: rustls::ClientConfig,
        proxy: Option<reqwest::Proxy>,
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
    pub(super) fn get(&self, id: Id, wanted: Wanted) -> reqwest::Result<reqwest::Client> {
        let mut runtimes = self.runtimes.lock().unwrap_or_else(PoisonError::into_inner);
        let runtime = runtimes.used(id);
        let kind = usize::from(wanted.direct) + 2 * usize::from(wanted.fresh);
        if let Some(client) = &runtime.clients[kind] {
            return Ok(client.clone());
        }
        let client = self.build(wanted)?;
        runtime.clients[kind] = Some(client.clone());
        Ok(client)
    }

    /// How many runtimes have connections.
    #[cfg(test)]
    pub(super) fn runtimes(&self) -> usize {
        self.runtimes.lock().unwrap().all.len()
    }

    fn build(&self, wanted: Wanted) -> reqwest::Result<reqwest::Client> {
        let mut builder = reqwest::Client::builder()
            // Clones share the store of TLS sessions, so that further handshakes are short ones.
            .tls_backend_preconfigured(self.tls.clone())
            .redirect(reqwest::redirect::Policy::none())
            // Without repeats no copy of the request is kept for one.
            .retry(reqwest::retry::never().max_retries_per_request(0))
            .referer(false)
            .connect_timeout(self.connect_timeout)
            .pool_idle_timeout(IDLE)
            .tcp_nodelay(true);
        if wanted.fresh {
            builder = builder.pool_max_idle_per_host(0);
        }
        if wanted.direct {
            builder = builder.no_proxy();
        } else if let Some(proxy) = &self.proxy {
            builder = builder.proxy(proxy.clone());
        }
        builder.build()
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
                    clients: [const { None }; 4],
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
        Pools::new(tls, None, Duration::from_secs(1))
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
            pools.get(steady.handle().id(), WANTED).unwrap();
            pools.get(runtime().handle().id(), WANTED).unwrap();
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
