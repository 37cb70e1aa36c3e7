//! Ctrl-C and a polite end by the system: heard, so that what is under way can still be told.

use std::io;

use tokio::sync::mpsc;

/// A wish that the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// SIGINT, as by Ctrl-C.
    Interrupt,
    /// SIGQUIT, as by Ctrl-\.
    #[cfg_attr(not(unix), allow(dead_code))]
    Quit,
    /// SIGHUP, as by a terminal that closes.
    #[cfg_attr(not(unix), allow(dead_code))]
    Hangup,
    /// SIGTERM, as by `kill` or a supervisor.
    #[cfg_attr(not(unix), allow(dead_code))]
    Terminate,
}

impl Signal {
    /// The exit status that shells give to a program ended by it.
    pub(crate) fn status(self) -> u8 {
        match self {
            Self::Hangup => 129,
            Self::Interrupt => 130,
            Self::Quit => 131,
            Self::Terminate => 143,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Hangup => "SIGHUP",
            Self::Interrupt => "SIGINT",
            Self::Quit => "SIGQUIT",
            Self::Terminate => "SIGTERM",
        }
    }
}

/// Signals as they come, from now on: they no longer end the program by themselves.
pub(crate) fn listen() -> io::Result<mpsc::Receiver<Signal>> {
    let (sender, signals) = mpsc::channel(4);
    listen_for(sender)?;
    Ok(signals)
}

#[cfg(unix)]
fn listen_for(sender: mpsc::Sender<Signal>) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut quit = signal(SignalKind::quit())?;
    let mut terminate = signal(SignalKind::terminate())?;
    // A terminal or a session that closes must lose no result either.
    let mut hangup = signal(SignalKind::hangup())?;
    // Heard by nobody: writing beyond the limit of a file is an error then, which is told.
    let too_large = rustix::process::Signal::XFSZ;
    drop(signal(SignalKind::from_raw(too_large.as_raw()))?);
    tokio::spawn(async move {
        loop {
            let signal = tokio::select! {
                Some(()) = interrupt.recv() => Signal::Interrupt,
                Some(()) = quit.recv() => Signal::Quit,
                Some(()) = terminate.recv() => Signal::Terminate,
                Some(()) = hangup.recv() => Signal::Hangup,
                else => return,
            };
            if sender.send(signal).await.is_err() {
                return;
            }
        }
    });
    Ok(())
}

#[cfg(not(unix))]
fn listen_for(sender: mpsc::Sender<Signal>) -> io::Result<()> {
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            if sender.send(Signal::Interrupt).await.is_err() {
                return;
            }
        }
    });
    Ok(())
}
