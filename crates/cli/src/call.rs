//! `cumulo call`: one operation, its result on standard output.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

use cumulo_core::credentials::CredentialError;
use cumulo_core::record::{Record, decode_strict};
use cumulo_core::{Error, Json, Outcome, Response};

use crate::args::{Call, Output};
use crate::open::{self, Open};
use crate::request::{Request, find, perform};
use crate::result::{FAILED, exit_status, failure, output};
use crate::secrets::{self, Secrets};
use crate::service::{Clients, Service};
use crate::signals::{self, Signal};
use crate::{again, progress, table, term, words};

pub(crate) fn run(mut args: Call) -> io::Result<u8> {
    let typed = std::mem::take(&mut args.input);
    let listed = find(args.service, &args.operation);
    let input = listed.and_then(|listed| words::input(listed.operation(), &typed));
    // Whatever a server floods one thread with, another keeps the time and hears signals.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let status = runtime.block_on(serve(args, &typed, input));
    // A name lookup may still be running on another thread; nobody waits for it.
    runtime.shutdown_background();
    status
}

async fn serve(mut args: Call, typed: &[String], input: Result<Json, Error>) -> io::Result<u8> {
    let printed = Printed {
        service: args.service,
        output: match args.columns.is_empty() {
            true => args.output,
            false => Output::Table,
        },
        columns: std::mem::take(&mut args.columns),
    };
    // Before anything is sent: a secret must not come without a place for it.
    let ready = input.and_then(|input| Ok((input, Secrets::open(&args.options, false)?)));
    let (input, secrets) = match ready {
        Ok(ready) => ready,
        Err(error) => return Ok(printed.failure(&error)),
    };
    let request = Request {
        service: args.service,
        operation: args.operation,
        input,
        client_token: args.client_token,
    };
    let clients = Clients::new(args.options.connection);
    let open = Arc::new(Open::default());
    let mut signals = signals::listen()?;
    open::observe();
    let call = perform(&clients, &request, args.options.timeout, &secrets, &open);
    let status = tokio::select! {
        biased;
        result = progress::watch(&request.operation, &open, call) => match result {
            Ok(response) => printed.success(&response, &secrets, &open),
            Err(error) => printed.failure(&error),
        },
        Some(signal) = signals.recv() => printed.interrupted(signal, &request, typed, &open),
    };
    progress::farewell(clients.close(), &mut signals).await;
    Ok(status)
}

/// How the result is told.
struct Printed {
    service: Service,
    output: Output,
    columns: Vec<String>,
}

impl Printed {
    fn success(&self, response: &Response<Box<dyn Record>>, secrets: &Secrets, open: &Open) -> u8 {
        let Some(operation) = open.operation() else {
            return FAILED;
        };
        let mut kept = true;
        match secrets.keep(self.service, operation, None, response) {
            Ok(false) => {}
            Ok(true) => {
                if let Some(path) = secrets.path() {
                    term::note(format_args!("the secrets are in {}", path.display()));
                }
            }
            Err(homeless) => kept = homeless.shelter(),
        }
        let line = || secrets.success(operation, response);
        let text = match self.output {
            Output::Json => json(&line()),
            // Cells are cut, and what is shown only once must not be.
            Output::Table => {
                let mut text = table::render(
                    &output(response, secrets.shown),
                    term::room(),
                    &self.columns,
                );
                if secrets.shown && !operation.shown_once.is_empty() {
                    text.push('\n');
                    for (path, value) in secrets::of(operation, response) {
                        let value = value.as_str().map_or(value.to_string(), str::to_owned);
                        text += &format!("{}: {}\n", term::clean(&path), term::clean(&value));
                    }
                }
                text
            }
        };
        for problem in response.warnings() {
            term::note(format_args!("warning: in the answer, {problem}"));
        }
        if deliver(&text) && kept { 0 } else { FAILED }
    }

    fn failure(&self, error: &Error) -> u8 {
        // A person is told once.
        let quiet = self.output == Output::Table || term::seen_at_once();
        let delivered = quiet || deliver(&json(&failure(error)));
        complain(error, self.service);
        if delivered {
            exit_status(error)
        } else {
            FAILED
        }
    }

    /// Tells what may have been done, and how to take it up again.
    fn interrupted(&self, signal: Signal, request: &Request, typed: &[String], open: &Open) -> u8 {
        let why = match open.outcome() {
            Outcome::NotSent => format!("ended by {} before it was sent", signal.name()),
            _ => format!("ended by {} before its answer came", signal.name()),
        };
        if self.output == Output::Json && !term::seen_at_once() {
            deliver(&json(&open.ended(&why)));
        }
        term::say(format_args!("{} was {why}", request.operation));
        if open.outcome() == Outcome::Unknown {
            if let Some(job) = open.job() {
                term::say(format_args!("  job: {job}"));
            }
            if let Some(token) = open.token() {
                let hidden = if holds_secrets(request, open) {
                    typed
                } else {
                    &[]
                };
                let words: Vec<String> = std::env::args_os()
                    .map(|word| word.to_string_lossy().into_owned())
                    .collect();
                term::say(format_args!("  client token: {token}"));
                term::say(format_args!(
                    "  it may have been executed; this takes it up again and does nothing twice:\n  {}",
                    again::command(&words, &token, hidden)
                ));
            } else if let Some(advice) = open.advice() {
                term::say(format_args!("  it may have been executed. {advice}"));
            }
        }
        signal.status()
    }
}

/// Whether the input holds a secret.
fn holds_secrets(request: &Request, open: &Open) -> bool {
    open.operation().is_none_or(|operation| {
        let mut record = (operation.input)();
        let known = decode_strict(&mut *record, request.input.to_string().as_bytes());
        known.is_err() || secrets::any(&*record)
    })
}

/// One line, or several for a person.
fn json(result: &Json) -> String {
    let text = if io::stdout().is_terminal() {
        term::pretty(result)
    } else {
        term::json(result)
    };
    text + "\n"
}

/// Writes the result. What standard output does not take goes to standard error: the call was made, and
/// its result must not be lost.
fn deliver(text: &str) -> bool {
    let mut stdout = io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    if let Err(error) = &written {
        term::say(format_args!(
            "error: the result cannot be written: {error}. It is:\n{text}"
        ));
    }
    written.is_ok()
}

/// Tells a person what went wrong, with what is known about each attempt.
fn complain(error: &Error, service: Service) {
    if let Some(sources) = sources(error) {
        term::say(sources);
    } else if error.attempts().is_empty() {
        term::say(format_args!("error: {error}"));
    } else {
        term::say(format_args!("error: {}", error.explain().trim_end()));
    }
    if error.outcome() == Outcome::Unknown {
        if let Some(job) = error.job() {
            term::say(format_args!("  job: {job}"));
        }
        if let Some(token) = error.client_token() {
            term::say(format_args!("  client token: {token}"));
        }
    }
    if error.is_authentication() {
        let name = service.name();
        term::say(format_args!(
            "`cumulo whoami {name} --explain` shows where credentials were looked for"
        ));
    }
}

/// Where credentials were looked for in vain, a line for each source.
fn sources(error: &Error) -> Option<String> {
    let source = std::error::Error::source(error)?;
    let chain = source.downcast_ref::<CredentialError>()?;
    if chain.tried.is_empty() {
        return None;
    }
    let mut text = format!("error: {} failed: {}", error.operation(), chain.message);
    for tried in &chain.tried {
        text += &format!("\n  {tried}");
    }
    Some(text)
}
