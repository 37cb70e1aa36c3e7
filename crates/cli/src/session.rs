//! What a command that calls services needs around it: threads, signals, clients, and a polite end.

use std::io;

use tokio::sync::mpsc;

use crate::args::Connection;
use crate::progress;
use crate::service::Clients;
use crate::signals::{self, Signal};

/// Runs `work`, and ends the sessions that it began.
pub(crate) fn run(
    options: Connection,
    work: impl AsyncFnOnce(&Clients, &mut mpsc::Receiver<Signal>) -> io::Result<u8>,
) -> io::Result<u8> {
    // Whatever a server floods one thread with, another keeps the time and hears signals.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let status = runtime.block_on(async {
        let clients = Clients::new(options);
        let mut signals = signals::listen()?;
        let status = work(&clients, &mut signals).await;
        progress::farewell(clients.close(), &mut signals).await;
        status
    });
    // A name lookup may still be running on another thread; nobody waits for it.
    runtime.shutdown_background();
    status
}
