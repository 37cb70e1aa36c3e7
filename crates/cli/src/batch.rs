//! `cumulo batch`: thousands of calls from a pipe, in order, in bounded memory.
//!
//! Lines are taken in only while few of them wait for their turn, so that one slow call holds up the
//! input and does not pile up results.

mod engine;
mod input;
mod line;

use std::io::{self, Write};
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::args::Batch;
use crate::in_flight::{self, InFlight};
use crate::request::perform;
use crate::result::{FAILED, exit_status};
use crate::secrets::Secrets;
use crate::service::Clients;
use crate::term::{self, Status};
use crate::{progress, signals};

use engine::{Done, HELD, Limits, Stop, Summary};

pub(crate) fn run(args: Batch) -> io::Result<u8> {
    let secrets = match Secrets::open(&args.options, true) {
        Ok(secrets) => Arc::new(secrets),
        Err(error) => {
            term::say(format_args!("error: {}", error.message()));
            return Ok(exit_status(&error));
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let summary = runtime.block_on(serve(args, Arc::clone(&secrets)));
    // A call that computes may still be running; it has been told of, and nobody waits for it.
    runtime.shutdown_background();
    Ok(conclude(&summary?))
}

async fn serve(args: Batch, secrets: Arc<Secrets>) -> io::Result<Summary> {
    let timeout = args.options.timeout;
    let clients = Arc::new(Clients::new(args.options.connection));
    let mut signals = signals::listen()?;
    in_flight::observe();
    let (sender, lines) = mpsc::channel(1);
    // A thread of its own, since a read from a terminal or a pipe cannot be called off.
    std::thread::Builder::new()
        .name("stdin".into())
        .spawn(move || input::read(io::stdin().lock(), &sender))?;

    let shared = Arc::clone(&clients);
    let start = move |number: u64, line: Vec<u8>, open: Arc<InFlight>| {
        let (clients, secrets) = (Arc::clone(&shared), Arc::clone(&secrets));
        async move {
            let request = match line::parse(&line) {
                Ok(request) => request,
                Err(message) => return Done::failed(number, &line::bad(number, &message)),
            };
            // The bytes are of no use any more, and the call may take long.
            drop(line);
            let response = match perform(&clients, &request, timeout, &secrets, &open).await {
                Ok(response) => response,
                Err(error) => return Done::failed(number, &error),
            };
            let mut done = Done {
                failed: None,
                text: String::new(),
                fatal: None,
            };
            if let Some(operation) = open.operation() {
                // Writing waits for the disk.
                let kept = tokio::task::block_in_place(|| {
                    secrets.keep(request.service, operation, Some(number), &response)
                });
                if let Err(homeless) = kept {
                    done.fatal = Some(homeless.error.clone());
                    homeless.shelter();
                }
                done.text = engine::numbered(number, secrets.success(operation, &response));
            }
            done
        }
    };

    let mut status = Status::new();
    let mut stdout = io::stdout().lock();
    let sink = |event: engine::Output<'_>| {
        match event {
            engine::Output::Line(text) => {
                status.clear();
                stdout.write_all(text.as_bytes())?;
                stdout.write_all(b"\n")?;
                stdout.flush()?;
            }
            engine::Output::Lost(text) => {
                status.clear();
                term::say(text);
            }
            engine::Output::Stopping(stop, under_way) => {
                status.clear();
                term::say(format_args!("{}", stopping(stop, under_way, args.grace)));
            }
            engine::Output::Progress(text) => status.draw(&text),
        }
        Ok(())
    };
    let limits = Limits {
        concurrency: usize::from(args.concurrency),
        held: HELD,
        grace: args.grace,
    };
    let summary = engine::run(lines, &mut signals, limits, start, sink).await;
    progress::farewell(clients.close(), &mut signals).await;
    Ok(summary)
}

/// What a person is told when it is to end early.
fn stopping(stop: &Stop, under_way: usize, grace: std::time::Duration) -> String {
    let (what, then) = match stop {
        Stop::Signal(signal) => (signal.name().to_owned(), "; once more ends them at once"),
        Stop::Output(error) => (
            format!("error: results cannot be written: {error}"),
            "; results of calls that were sent follow here",
        ),
        Stop::Fatal(error) => (format!("error: {error}"), ""),
    };
    format!(
        "{what}: no further line is read, and {under_way} under way may take {grace:?} more{then}"
    )
}

/// The last words, and the exit status.
fn conclude(summary: &Summary) -> u8 {
    if let Some(error) = &summary.broken_input {
        term::say(format_args!(
            "error: standard input cannot be read: {error}"
        ));
    }
    if summary.stop.is_some() {
        term::say(format_args!(
            "ended after line {} of the input: {} ok, {} rejected, {} unknown, {} not sent",
            summary.last, summary.ok, summary.rejected, summary.unknown, summary.not_sent
        ));
    }
    match &summary.stop {
        Some(Stop::Signal(signal)) => signal.status(),
        Some(_) => FAILED,
        None if summary.failed() > 0 || summary.broken_input.is_some() => FAILED,
        None => 0,
    }
}
