//! `cumulo`: calls operations of four clouds by name, alone or in batches, and serves a local cloud.

mod again;
mod args;
mod batch;
mod call;
mod describe;
mod local;
mod open;
mod ops;
mod progress;
mod request;
mod resources;
mod result;
mod secrets;
mod service;
mod signals;
mod table;
mod term;
mod whoami;
mod wording;

use std::io;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use args::{Command, Cumulo};

fn main() -> ExitCode {
    let command = Cumulo::parse().command;
    // Before anything is sent: its result would be lost without a word.
    if matches!(command, Command::Call(_) | Command::Batch(_)) && term::output_is_closed() {
        term::say(format_args!(
            "error: standard output is closed, so that no result could be told; nothing was sent"
        ));
        return ExitCode::from(result::FAILED);
    }
    let done = match command {
        Command::Call(args) => call::run(args),
        Command::Batch(args) => batch::run(args),
        Command::Whoami(args) => whoami::run(&args),
        Command::Ops(args) => ops::run(&args),
        Command::Resources(args) => resources::run(&args),
        Command::Describe(args) => describe::run(&args),
        Command::Local(args) => local::run(&args),
        Command::Completions { shell } => completions(shell),
    };
    for warning in cumulo_core::credentials::warnings() {
        term::say(format_args!("warning: {warning}"));
    }
    match done {
        Ok(status) => ExitCode::from(status),
        // Whoever read the listing has seen enough, as in `cumulo ops | head`. Calls report it themselves.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            term::say(format_args!("error: {error}"));
            ExitCode::from(result::FAILED)
        }
    }
}

fn completions(shell: clap_complete::Shell) -> io::Result<u8> {
    // Written to memory first: the generator does not survive a closed pipe.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cumulo::command(), "cumulo", &mut script);
    let mut stdout = io::stdout().lock();
    io::Write::write_all(&mut stdout, &script)?;
    io::Write::flush(&mut stdout)?;
    Ok(0)
}
