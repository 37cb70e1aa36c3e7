//! How is a local cloud started, steered and stopped?

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use crate::cloud::{Addresses, Choices, Cloud};
use crate::control;
use crate::fault::Fault;
use crate::front::{self, Secrecy};
use crate::seen::SeenRequest;
use crate::store::{Samples, Transition};
use crate::wire::Service;

/// Settings of a local cloud; see [`LocalCloud::builder`].
#[derive(Debug, Default)]
#[must_use = "nothing runs before `start`"]
pub struct Builder {
    port: u16,
    host: Option<IpAddr>,
    #[cfg(feature = "tls")]
    tls: bool,
    choices: Choices,
}

impl Builder {
    /// First of six ports in a row: smc, smartag, apig, iam, zstack, and one behind which
    /// nothing answers. Free ports are taken when it is 0, the default.
    pub fn port(mut self, first: u16) -> Self {
        self.port = first;
        self
    }

    /// The address to listen on; 127.0.0.1 unless set. Behind any other, everybody who reaches this
    /// machine may call the services and steer them.
    pub fn host(mut self, host: IpAddr) -> Self {
        self.host = Some(host);
        self
    }

    /// Whether the services speak HTTPS alone, with a certificate that is made at the start for
    /// `localhost`, the loopback addresses and the host; clients must trust
    /// [`LocalCloud::authority`]. Needs the feature `tls`.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, on: bool) -> Self {
        self.tls = on;
        self
    }

    /// Whether timestamps more than 15 minutes off are refused, as the real services do (the
    /// default). Turn it off to send recorded requests or published examples.
    pub fn strict_time(mut self, on: bool) -> Self {
        self.choices.strict_time = on;
        self
    }

    /// Whether requests are kept for [`LocalCloud::requests`]: all of them, unless turned off. A
    /// process that runs for long keeps some, by [`record_last`](Self::record_last).
    pub fn record(mut self, on: bool) -> Self {
        self.choices.record = if on { None } else { Some(0) };
        self
    }

    /// Keeps the newest so many requests for [`LocalCloud::requests`]; fewer where they have more
    /// than 16 MiB together.
    pub fn record_last(mut self, most: usize) -> Self {
        self.choices.record = Some(most);
        self
    }

    /// What is answered about things that nobody has made here: samples, until the first thing of
    /// the kind is made, unless told otherwise.
    pub fn samples(mut self, samples: Samples) -> Self {
        self.choices.samples = samples;
        self
    }

    /// Whether what exceeds a documented quota is refused; off unless turned on, since real accounts have
    /// quotas of their own.
    pub fn quotas(mut self, on: bool) -> Self {
        self.choices.quotas = on;
        self
    }

    /// ZStack: take the body key of the documentation page (`changeaccesskeystate`) instead of
    /// the one that the real server takes (`changeAccessKeyState`).
    pub fn zstack_follow_page(mut self, on: bool) -> Self {
        self.choices.zstack.follow_page = on;
        self
    }

    /// ZStack: answer writes at once with 200, where the real server answers 202 and a job.
    pub fn zstack_synchronous(mut self, on: bool) -> Self {
        self.choices.zstack.synchronous = on;
        self
    }

    /// ZStack: write an access key's `state` as `{name, ordinal}`, as its page documents it,
    /// instead of as text, as the page's example shows it.
    pub fn zstack_state_as_object(mut self, on: bool) -> Self {
        self.choices.zstack.state_as_object = on;
        self
    }

    /// ZStack: compare instants instead of wall clocks when access key signatures are checked
    /// (the server's `rest.checkTimeZone`, off by default).
    pub fn zstack_check_time_zone(mut self, on: bool) -> Self {
        self.choices.zstack.check_time_zone = on;
        self
    }

    /// ZStack: the server's local time, in seconds east of UTC; UTC unless set.
    pub fn zstack_utc_offset(mut self, seconds: i32) -> Self {
        self.choices.zstack.utc_offset = seconds;
        self
    }

    /// ZStack: how many polls find a job still running; 1 unless set.
    pub fn zstack_job_polls(mut self, polls: u32) -> Self {
        self.choices.zstack.job_polls = polls;
        self
    }

    /// Starts the cloud on a thread of its own.
    ///
    /// # Errors
    /// When a port cannot be had.
    pub async fn start(self) -> io::Result<LocalCloud> {
        let (local, started) = self.begin()?;
        started.await.map_err(io::Error::other)??;
        Ok(local)
    }

    /// The same for programs and tests without async: blocks the thread until the cloud serves.
    ///
    /// # Errors
    /// When a port cannot be had.
    ///
    /// # Panics
    /// Inside an async runtime.
    pub fn start_blocking(self) -> io::Result<LocalCloud> {
        let (local, started) = self.begin()?;
        started.blocking_recv().map_err(io::Error::other)??;
        Ok(local)
    }

    /// The cloud, and word of when it serves.
    fn begin(self) -> io::Result<(LocalCloud, oneshot::Receiver<io::Result<()>>)> {
        let host = self.host.unwrap_or(Ipv4Addr::LOCALHOST.into());
        let mut listeners = Vec::new();
        for (at, service) in (0..).zip(Service::ALL) {
            listeners.push((service, listen(host, self.port, at)?));
        }
        let unreachable = listen(host, self.port, 5)?;
        let mut ports = [0; Service::ALL.len()];
        for (port, (_, listener)) in ports.iter_mut().zip(&listeners) {
            *port = listener.local_addr()?.port();
        }
        let addresses = Addresses::new(host, ports, unreachable.local_addr()?.port());
        let secrecy = Secrecy::default();
        #[cfg(feature = "tls")]
        let (addresses, secrecy) = match self.tls {
            true => (addresses.secure(), Some(crate::tls::Tls::new(host)?)),
            false => (addresses, secrecy),
        };
        let served = front::Served {
            listeners,
            unreachable,
            secrecy: secrecy.clone(),
        };
        let cloud = Arc::new(Cloud::new(addresses, self.choices));

        let (stop, stopped) = oneshot::channel();
        let (ready, started) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let thread = std::thread::Builder::new()
            .name("localcloud".into())
            .spawn({
                let cloud = Arc::clone(&cloud);
                move || runtime.block_on(front::run(cloud, served, ready, stopped))
            })?;
        let local = LocalCloud {
            cloud,
            #[cfg(feature = "tls")]
            authority: secrecy.map(|tls| tls.authority),
            stop: Some(stop),
            thread: Some(thread),
        };
        Ok((local, started))
    }
}

fn invalid(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

fn listen(host: IpAddr, first: u16, at: u16) -> io::Result<TcpListener> {
    let port = if first == 0 {
        0
    } else {
        first.checked_add(at).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, "six ports in a row are needed")
        })?
    };
    TcpListener::bind((host, port)).map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("cannot listen on {}: {error}", SocketAddr::new(host, port)),
        )
    })
}

/// Four cloud services on loopback. Dropping it stops them and frees the ports.
pub struct LocalCloud {
    cloud: Arc<Cloud>,
    #[cfg(feature = "tls")]
    authority: Option<String>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl LocalCloud {
    /// Starts a cloud with default settings on free ports.
    ///
    /// # Panics
    /// When the machine has no free loopback port or cannot start a thread.
    pub async fn start() -> Self {
        Self::builder()
            .start()
            .await
            .unwrap_or_else(|error| panic!("the local cloud does not start: {error}"))
    }

    /// A cloud with settings of your own.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// `http://127.0.0.1:PORT` of Alibaba Cloud SMC.
    pub fn smc_endpoint(&self) -> String {
        self.cloud.addresses.base(Service::Smc)
    }

    /// `http://127.0.0.1:PORT` of Alibaba Cloud Smart Access Gateway.
    pub fn smartag_endpoint(&self) -> String {
        self.cloud.addresses.base(Service::Smartag)
    }

    /// `http://127.0.0.1:PORT` of OTC / Huawei Cloud APIG.
    pub fn apig_endpoint(&self) -> String {
        self.cloud.addresses.base(Service::Apig)
    }

    /// `http://127.0.0.1:PORT/v3` of Keystone.
    pub fn iam_endpoint(&self) -> String {
        format!("{}/v3", self.cloud.addresses.base(Service::Iam))
    }

    /// `http://127.0.0.1:PORT/zstack` of ZStack.
    pub fn zstack_endpoint(&self) -> String {
        format!("{}/zstack", self.cloud.addresses.base(Service::Zstack))
    }

    /// The certificate that clients must trust, in PEM, where the services speak HTTPS.
    #[cfg(feature = "tls")]
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// Queues a fault for the next requests that match it.
    pub fn inject(&self, fault: Fault) {
        self.cloud.faults().push(fault);
    }

    /// Drops all faults that have not happened.
    pub fn clear_faults(&self) {
        self.cloud.faults().clear();
    }

    /// Has the things of a resource come to their next state in another way from now on: at once,
    /// after reads or after a time, to a good end or a bad one.
    ///
    /// ```
    /// use cumulo_localcloud::{LocalCloud, Moves, Service, Transition};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let cloud = LocalCloud::start().await;
    /// let broken = Transition::new("replication-job", Moves::AfterReads(2)).ending("InError");
    /// assert!(cloud.transitions(Service::Smc, broken).is_ok());
    /// let wrong = Transition::new("replicaton-job", Moves::AtOnce);
    /// let why = cloud.transitions(Service::Smc, wrong).unwrap_err().to_string();
    /// assert!(why.ends_with("did you mean replication-job?"), "{why}");
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the service has no such resource, or the resource no such state: with the nearest name.
    pub fn transitions(&self, service: Service, transition: Transition) -> io::Result<()> {
        let set = self.cloud.store().set_transition(service, transition);
        set.map_err(invalid)
    }

    /// Makes things as a JSON object says, by service and resource:
    /// `{"smc": {"source-server": [{"SourceId": "s-1"}]}}`.
    ///
    /// # Errors
    /// When a service, a resource or a member is unknown: with its place and the nearest name. What
    /// stands before it is made.
    pub fn seed(&self, json: &str) -> io::Result<()> {
        let json = serde_json::from_str(json).map_err(invalid)?;
        let now = self.cloud.clock.now(0);
        control::seed(&mut self.cloud.store(), &json, now).map_err(invalid)
    }

    /// All that is kept, but for sessions and tokens, as JSON; it holds secrets that were given.
    pub fn snapshot(&self) -> String {
        self.cloud.snapshot()
    }

    /// Grows with every call that may have changed what is kept: to tell when a snapshot is old.
    pub fn changes(&self) -> u64 {
        self.cloud.store().changes
    }

    /// Takes up a snapshot instead of what is kept.
    ///
    /// # Errors
    /// When it is none; what is kept stays then.
    pub fn restore(&self, snapshot: &str) -> io::Result<()> {
        let snapshot = serde_json::from_str(snapshot).map_err(invalid)?;
        self.cloud.restore(&snapshot).map_err(invalid)
    }

    /// The requests so far, oldest first: all of them, unless the [`Builder`] was told otherwise.
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.cloud.seen().iter().cloned().collect()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.cloud.seen().clear();
    }

    /// Sets the server's clock to the real time plus `seconds`.
    pub fn set_time_offset(&self, seconds: i64) {
        self.cloud.clock.set_offset(seconds);
    }

    /// All ZStack sessions are invalid from now on.
    pub fn expire_sessions(&self) {
        self.cloud.zstack.expire_sessions();
    }

    /// All ZStack jobs are forgotten: polls answer 404.
    pub fn expire_jobs(&self) {
        self.cloud.zstack.expire_jobs();
    }

    /// All Keystone tokens are invalid from now on.
    pub fn expire_tokens(&self) {
        self.cloud.huawei.expire_tokens();
    }

    /// See [`Builder::zstack_follow_page`].
    pub fn zstack_follow_page(&self, on: bool) {
        self.cloud
            .zstack
            .switch(|switches| switches.follow_page = on);
    }

    /// See [`Builder::zstack_synchronous`].
    pub fn zstack_synchronous(&self, on: bool) {
        self.cloud
            .zstack
            .switch(|switches| switches.synchronous = on);
    }

    /// See [`Builder::zstack_state_as_object`].
    pub fn zstack_state_as_object(&self, on: bool) {
        self.cloud
            .zstack
            .switch(|switches| switches.state_as_object = on);
    }

    /// See [`Builder::zstack_utc_offset`].
    pub fn zstack_utc_offset(&self, seconds: i32) {
        self.cloud
            .zstack
            .switch(|switches| switches.utc_offset = seconds);
    }

    /// See [`Builder::zstack_job_polls`].
    pub fn zstack_job_polls(&self, polls: u32) {
        self.cloud
            .zstack
            .switch(|switches| switches.job_polls = polls);
    }

    /// Connections made to the address that ZStack's job `location` names. A client that builds
    /// the address from its own endpoint, as it must behind a NAT, never makes one.
    pub fn stray_connections(&self) -> u64 {
        self.cloud.stray_connections.load(Ordering::SeqCst)
    }
}

/// Shows where the services listen, and nothing of what they hold.
impl fmt::Debug for LocalCloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalCloud")
            .field("addresses", &self.cloud.addresses)
            .finish_non_exhaustive()
    }
}

impl Drop for LocalCloud {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // Waiting frees the ports before the owner goes on; a panic there is not ours to raise.
            let _ = thread.join();
        }
    }
}
