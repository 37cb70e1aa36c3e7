//! `cumulo batch`: thousands of calls from a pipe, in order, in bounded memory.
//!
//! Lines are taken in only while fewer than a window of them wait for their turn, so that one slow
//! call holds up the input and does not pile up results.

mod engine;
mod input;
mod line;

use std::io::{self, Write};
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::args::Batch;
use crate::progress;
use crate::request::perform;
use crate::result::{FAILED, failure, success};
use crate::service::Clients;
use crate::term::{self, Status};

use engine::Done;

pub(crate) fn run(args: Batch) -> io::Result<u8> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let result = runtime.block_on(serve(args));
    // Calls may be under way when the reader of the results has gone; nobody waits for them.
    runtime.shutdown_background();
    let summary = result?;
    if let Some(error) = summary.broken_input {
        term::say(format_args!(
            "error: standard input cannot be read: {error}"
        ));
        return Ok(FAILED);
    }
    Ok(if summary.failed > 0 { FAILED } else { 0 })
}

async fn serve(args: Batch) -> io::Result<engine::Summary> {
    let show_secrets = args.options.show_secrets;
    let timeout = args.options.timeout;
    let clients = Arc::new(Clients::new(args.options.connection));
    let (sender, lines) = mpsc::channel(1);
    // A thread of its own, since a read from a terminal or a pipe cannot be called off.
    std::thread::Builder::new()
        .name("stdin".into())
        .spawn(move || input::read(io::stdin().lock(), &sender))?;

    let shared = Arc::clone(&clients);
    let start = move |number: u64, line: Vec<u8>| {
        let clients = Arc::clone(&shared);
        async move {
            let result = match line::parse(&line) {
                Ok(request) => {
                    // The bytes are of no use any more, and the call may take long.
                    drop(line);
                    perform(&clients, &request, timeout).await
                }
                Err(message) => Err(line::bad(number, &message)),
            };
            let (ok, json) = match result {
                Ok(response) => (true, success(&response, show_secrets)),
                Err(error) => (false, failure(&error)),
            };
            Done {
                ok,
                text: json.to_string(),
            }
        }
    };

    let mut status = Status::new();
    let mut stdout = io::stdout().lock();
    let sink = |event: engine::Output<'_>| match event {
        engine::Output::Line(text) => {
            status.clear();
            stdout.write_all(text.as_bytes())?;
            stdout.write_all(b"\n")?;
            stdout.flush()
        }
        engine::Output::Progress(text) => {
            status.draw(&text);
            Ok(())
        }
    };
    let summary = engine::run(lines, usize::from(args.concurrency), start, sink).await;
    if summary.is_ok() {
        progress::farewell(clients.close()).await;
    }
    summary
}
