//! `cumulo`: calls operations of four clouds by name, lists their things, waits for them, and serves a
//! local cloud.

mod args;
mod batch;
mod call;
mod complete;
mod describe;
mod get;
mod in_flight;
mod job;
mod json;
mod lines;
mod list;
mod local;
mod log;
mod man;
mod noun;
mod ops;
mod pages;
mod progress;
mod query;
mod ready;
mod request;
mod rerun;
mod resources;
mod result;
mod secrets;
mod service;
mod session;
mod signals;
mod table;
mod term;
mod topics;
mod wait;
mod whoami;
mod wording;
mod words;

use std::io;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use args::{Command, Cumulo};

fn main() -> ExitCode {
    let Cumulo { command, talk } = match Cumulo::try_parse() {
        Ok(parsed) => parsed,
        Err(shown) => {
            let status = u8::try_from(shown.exit_code()).unwrap_or(result::USAGE);
            // A help text that nobody got is no success.
            return ExitCode::from(match shown.print() {
                Ok(()) => status,
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => status,
                Err(_) => result::FAILED,
            });
        }
    };
    term::talk(talk);
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
        Command::List(args) => list::run(args),
        Command::Get(args) => get::run(args),
        Command::Wait(args) => wait::run(args),
        Command::Job(args) => job::run(args),
        Command::Whoami(args) => whoami::run(&args),
        Command::Ops(args) => ops::run(&args),
        Command::Resources(args) => resources::run(&args),
        Command::Describe(args) => describe::run(&args),
        Command::Local(args) => local::run(&args),
        Command::Help(args) => topics::run(&args),
        Command::Man { folder } => man::run(folder.as_deref()),
        Command::Complete { shell, line } => complete::run(shell, &line),
        Command::Completions { shell } => completions(shell),
    };
    for warning in cumulo_core::credentials::warnings() {
        term::note(format_args!("warning: {warning}"));
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
    match complete::script(shell) {
        Some(own) => script.extend_from_slice(own.as_bytes()),
        // These know commands and flags alone.
        None => clap_complete::generate(shell, &mut Cumulo::command(), "cumulo", &mut script),
    }
    let mut stdout = io::stdout().lock();
    io::Write::write_all(&mut stdout, &script)?;
    io::Write::flush(&mut stdout)?;
    Ok(0)
}
