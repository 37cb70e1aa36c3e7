//! How is a local cloud started, steered and stopped?

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use crate::cloud::{Addresses, Choices, Cloud};
use crate::fault::Fault;
use crate::front;
use crate::seen::SeenRequest;
use crate::wire::Service;

/// Settings of a local cloud; see [`LocalCloud::builder`].
#[derive(Debug, Default)]
#[must_use = "nothing runs before `start`"]
pub struct Builder {
    port: u16,
    choices: Choices,
}

impl Builder {
    /// First of six ports in a row: smc, smartag, apig, iam, zstack, and one behind which
    /// nothing answers. Free ports are taken when it is 0, the default.
    pub fn port(mut self, first: u16) -> Self {
        self.port = first;
        self
    }

    /// Whether timestamps more than 15 minutes off are refused, as the real services do (the
    /// default). Turn it off to send recorded requests or published examples.
    pub fn strict_time(mut self, on: bool) -> Self {
        self.choices.strict_time = on;
        self
    }

    /// Whether requests are kept for [`LocalCloud::requests`]; on unless turned off. A process
    /// that runs for long should turn it off.
    pub fn record(mut self, on: bool) -> Self {
        self.choices.record = on;
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
        let mut listeners = Vec::new();
        for (at, service) in (0..).zip(Service::ALL) {
            listeners.push((service, listen(self.port, at)?));
        }
        let unreachable = listen(self.port, 5)?;
        let mut ports = [0; Service::ALL.len()];
        for (port, (_, listener)) in ports.iter_mut().zip(&listeners) {
            *port = listener.local_addr()?.port();
        }
        let addresses = Addresses::new(ports, unreachable.local_addr()?.port());
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
                move || runtime.block_on(front::run(cloud, listeners, unreachable, ready, stopped))
            })?;
        let local = LocalCloud {
            cloud,
            stop: Some(stop),
            thread: Some(thread),
        };
        started.await.map_err(io::Error::other)??;
        Ok(local)
    }
}

fn listen(first: u16, at: u16) -> io::Result<TcpListener> {
    let port = if first == 0 {
        0
    } else {
        first.checked_add(at).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, "six ports in a row are needed")
        })?
    };
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("cannot listen on 127.0.0.1:{port}: {error}"),
        )
    })
}

/// Four cloud services on loopback. Dropping it stops them and frees the ports.
pub struct LocalCloud {
    cloud: Arc<Cloud>,
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

    /// Queues a fault for the next requests that match it.
    pub fn inject(&self, fault: Fault) {
        self.cloud.faults().push(fault);
    }

    /// Drops all faults that have not happened.
    pub fn clear_faults(&self) {
        self.cloud.faults().clear();
    }

    /// The requests so far, oldest first; empty when recording is off.
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.cloud.seen().clone()
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
