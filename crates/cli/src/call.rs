//! `cumulo call`: one operation, its result on standard output.

use std::io::{self, IsTerminal, Read, Write};

use cumulo_core::record::Record;
use cumulo_core::{Error, Json, Response};

use crate::args::{Call, Output};
use crate::request::{Request, invalid, perform};
use crate::result::{exit_status, failure, output, success};
use crate::service::{Clients, Service};
use crate::{progress, table, term};

pub(crate) fn run(args: Call) -> io::Result<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let shown = args.output;
    let show_secrets = args.options.show_secrets;
    let service = args.service;
    let result = match read_input(args.input)? {
        Ok(input) => {
            let request = Request {
                service,
                operation: args.operation,
                input,
                client_token: args.client_token,
            };
            let clients = Clients::new(args.options.connection);
            runtime.block_on(async {
                let call = perform(&clients, &request, args.options.timeout);
                let result = progress::watch(&request.operation, call).await;
                progress::farewell(clients.close()).await;
                result
            })
        }
        Err(error) => Err(error),
    };
    // A name lookup may still be running on another thread; nobody waits for it.
    runtime.shutdown_background();
    match (&result, shown) {
        (Ok(response), Output::Json) => print(&success(response, show_secrets))?,
        (Ok(response), Output::Table) => {
            let text = table::render(&output(response, show_secrets), term::width());
            let mut stdout = io::stdout().lock();
            stdout.write_all(text.as_bytes())?;
            stdout.flush()?;
        }
        (Err(error), Output::Json) => print(&failure(error))?,
        (Err(_), Output::Table) => {}
    }
    Ok(match result {
        Ok(response) => {
            warn(&response);
            0
        }
        Err(error) => {
            complain(&error, service);
            exit_status(&error)
        }
    })
}

/// The outer error is that standard input cannot be read.
fn read_input(input: Option<String>) -> io::Result<Result<Json, Error>> {
    let text = match input {
        None => return Ok(Ok(Json::Object(serde_json::Map::new()))),
        Some(text) if text == "-" => {
            let mut bytes = Vec::new();
            io::stdin().lock().read_to_end(&mut bytes)?;
            match String::from_utf8(bytes) {
                Ok(text) => text,
                Err(_) => return Ok(Err(invalid("the input is not UTF-8 text"))),
            }
        }
        Some(text) => text,
    };
    let text = text.trim_start_matches('\u{feff}');
    Ok(serde_json::from_str(text)
        .map_err(|error| invalid(format!("the input is not JSON: {error}"))))
}

fn print(result: &Json) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    if stdout.is_terminal() {
        writeln!(stdout, "{result:#}")?;
    } else {
        writeln!(stdout, "{result}")?;
    }
    stdout.flush()
}

fn warn(response: &Response<Box<dyn Record>>) {
    for problem in response.warnings() {
        term::say(format_args!("warning: in the answer, {problem}"));
    }
}

/// Tells a person what went wrong, with what is known about each attempt.
fn complain(error: &Error, service: Service) {
    if error.attempts().is_empty() {
        term::say(format_args!("error: {error}"));
    } else {
        term::say(format_args!("error: {}", error.explain().trim_end()));
    }
    if error.is_authentication() {
        let name = service.name();
        term::say(format_args!(
            "`cumulo whoami {name} --explain` shows where credentials were looked for"
        ));
    }
}
