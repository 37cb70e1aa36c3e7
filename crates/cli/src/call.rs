//! `cumulo call`: one operation, its result on standard output.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use cumulo_core::record::{Record, decode_strict};
use cumulo_core::wait::Target;
use cumulo_core::{Error, Json, Outcome, Response};
use serde_json::json;
use tokio::sync::mpsc;

use crate::args::{Call, Output, Patience};
use crate::in_flight::{self, InFlight};
use crate::noun::in_stable_order;
use crate::pages::Listing;
use crate::ready::{self, Goal, Pace};
use crate::request::{Request, dry_run, find, invalid, perform};
use crate::result::{self, FAILED, Told, View, complain, deliver, failure, output, refused};
use crate::secrets::{self, Secrets};
use crate::service::{Clients, Service};
use crate::signals::Signal;
use crate::{progress, rerun, session, term, words};

pub(crate) fn run(mut args: Call) -> io::Result<u8> {
    let typed = std::mem::take(&mut args.input);
    let listed = find(args.service, &args.operation);
    let input = listed.and_then(|listed| words::input(listed.operation(), &typed));
    let options = args.options.connection.clone();
    session::run(options, async move |clients, signals| {
        serve(args, &typed, input, clients, signals).await
    })
}

async fn serve(
    mut args: Call,
    typed: &[String],
    input: Result<Json, Error>,
    clients: &Clients,
    signals: &mut mpsc::Receiver<Signal>,
) -> io::Result<u8> {
    let view = View {
        output: match args.columns.is_empty() {
            true => args.output,
            false => Output::Table,
        },
        columns: std::mem::take(&mut args.columns),
        query: args.query.take(),
    };
    let printed = Printed {
        service: args.service,
        view,
    };
    // Before anything is sent: a secret must not come without a place for it.
    let ready = input.and_then(|input| {
        let goal = goal(&args)?;
        Ok((input, goal, Secrets::open(&args.options, false)?))
    });
    let (input, goal, secrets) = match ready {
        Ok(ready) => ready,
        Err(error) => return Ok(printed.failure(&error)),
    };
    if args.all {
        return match listing(args, printed.view.clone(), input) {
            Ok((client, listing)) => match clients.get(client) {
                Ok(client) => listing.print(client, signals).await,
                Err(error) => Ok(printed.failure(&error)),
            },
            Err(error) => Ok(printed.failure(&error)),
        };
    }
    let request = Request {
        service: args.service,
        operation: args.operation,
        input,
        client_token: args.client_token,
    };
    if args.dry_run {
        return Ok(
            match dry_run(clients, &request, args.options.timeout).await {
                Ok(line) => status(deliver(&(term::clean(&line) + "\n"))),
                Err(error) => printed.failure(&error),
            },
        );
    }
    let open = Arc::new(InFlight::default());
    in_flight::observe();
    let call = perform(clients, &request, args.options.timeout, &secrets, &open);
    let made = tokio::select! {
        biased;
        result = progress::watch(&request.operation, &open, call) => result,
        Some(signal) = signals.recv() => {
            return Ok(printed.interrupted(signal, &request, typed, &open));
        }
    };
    let response = match made {
        Ok(response) => response,
        Err(error) => return Ok(printed.failure(&error)),
    };
    let Some(goal) = goal else {
        return Ok(printed.success(&response, &secrets, &open));
    };
    // Nothing that was made is to be lost while it is waited for.
    let kept = printed.keep(&response, &secrets, &open);
    let waiting = async {
        let output = output(&response, false);
        let goal = Goal::of_call(goal, &request.input, &output)?;
        let pace = Pace {
            timeout: args.wait.and_then(|Patience(limit)| limit),
            interval: None,
        };
        goal.reach(clients.get(args.service)?, pace).await
    };
    let (waited, ended) = tokio::select! {
        biased;
        Some(signal) = signals.recv() => {
            let waited = json!({ "ended": signal.name() });
            term::say(format_args!("{} was made; the wait was ended by {}", request.operation, signal.name()));
            (waited, signal.status())
        }
        seen = waiting => match seen {
            Ok(seen) => (ready::told(&seen), 0),
            Err(error) => {
                term::say(format_args!("{} was made: do not repeat it", request.operation));
                complain(&error, args.service);
                (failure(&error)["error"].take(), FAILED)
            }
        },
    };
    let shown = printed.print(&response, &secrets, &open, waited);
    Ok(if kept && shown { ended } else { FAILED })
}

/// What the call's thing is to be waited for, if it is.
fn goal(args: &Call) -> Result<Option<&'static Target>, Error> {
    if !args.all && !args.part.is_whole() {
        return Err(invalid("--max-items and --resume belong to --all"));
    }
    if args.wait.is_none() {
        return Ok(None);
    }
    let operation = find(args.service, &args.operation)?.operation();
    let target = ready::after(args.service, operation);
    // Jobs are waited for anyway.
    if target.is_none() && !operation.job {
        let message = format!("it is not known what to wait for after {}", operation.name);
        let hint = format!(
            "`cumulo wait {} RESOURCE ID --for STATE` waits for any thing",
            args.service.name()
        );
        return Err(invalid(message).with_hint(hint));
    }
    Ok(target)
}

/// The list that `--all` walks.
fn listing(args: Call, view: View, mut input: Json) -> Result<(Service, Listing), Error> {
    let operation = find(args.service, &args.operation)?.operation();
    if input.is_object() {
        in_stable_order(operation, &mut input);
    }
    let listing = Listing {
        service: args.service,
        operation,
        input,
        at: None,
        part: args.part,
        view,
        show_secrets: args.options.show_secrets,
        timeout: args.options.timeout,
    };
    Ok((args.service, listing))
}

/// `text` as it stands within JSON.
fn quoted(text: &str) -> String {
    let json = term::json(&text.into());
    json.trim_matches('"').to_owned()
}

fn status(done: bool) -> u8 {
    if done { 0 } else { FAILED }
}

/// How the result is told.
struct Printed {
    service: Service,
    view: View,
}

impl Printed {
    fn success(
        &self,
        response: &Response<Box<dyn Record>>,
        secrets: &Secrets,
        open: &InFlight,
    ) -> u8 {
        let kept = self.keep(response, secrets, open);
        status(self.print(response, secrets, open, Json::Null) && kept)
    }

    /// Puts the secrets into their place.
    fn keep(
        &self,
        response: &Response<Box<dyn Record>>,
        secrets: &Secrets,
        open: &InFlight,
    ) -> bool {
        let Some(operation) = open.operation() else {
            return false;
        };
        match secrets.keep(self.service, operation, None, response) {
            Ok(false) => true,
            Ok(true) => {
                if let Some(path) = secrets.path() {
                    term::note(format_args!("the secrets are in {}", path.display()));
                }
                true
            }
            Err(homeless) => homeless.shelter(),
        }
    }

    /// Prints the answer; `waited` is what was seen of the thing since, or null.
    fn print(
        &self,
        response: &Response<Box<dyn Record>>,
        secrets: &Secrets,
        open: &InFlight,
        waited: Json,
    ) -> bool {
        let Some(operation) = open.operation() else {
            return false;
        };
        let mut line = secrets.success(operation, response);
        if !waited.is_null() {
            // An error has a kind.
            line["ok"] = waited.get("kind").is_none().into();
            line["waited"] = waited;
        }
        let result = line["output"].take();
        let told = Told {
            view: &self.view,
            line,
        };
        let (mut text, fits) = told.text(result);
        if secrets.shown && !operation.shown_once.is_empty() {
            text += &self.left_out(&text, &secrets::of(operation, response));
        }
        for problem in response.warnings() {
            term::note(format_args!("warning: in the answer, {problem}"));
        }
        deliver(&text) && fits
    }

    /// What is shown only once and does not stand in `text`, since cells are cut, or since the
    /// expression leaves it out.
    fn left_out(&self, text: &str, all: &BTreeMap<String, Json>) -> String {
        let mut lines = String::new();
        for (path, value) in all {
            let value = value.as_str().map_or(value.to_string(), str::to_owned);
            if self.view.output == Output::Table {
                lines += &format!("{}: {}\n", term::clean(path), term::clean(&value));
            } else if !text.contains(value.as_str()) && !text.contains(&quoted(&value)) {
                term::say(format_args!("{path}: {value}"));
            }
        }
        match lines.as_str() {
            "" => lines,
            lines => format!("\n{lines}"),
        }
    }

    fn failure(&self, error: &Error) -> u8 {
        refused(error, self.service, self.view.output)
    }

    /// Tells what may have been done, and how to take it up again.
    fn interrupted(
        &self,
        signal: Signal,
        request: &Request,
        typed: &[String],
        open: &InFlight,
    ) -> u8 {
        let why = match open.outcome() {
            Outcome::NotSent => format!("ended by {} before it was sent", signal.name()),
            _ => format!("ended by {} before its answer came", signal.name()),
        };
        if self.view.output == Output::Json && !term::seen_at_once() {
            deliver(&result::json(&open.ended(&why)));
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
                    rerun::command(&words, &token, hidden)
                ));
            } else if let Some(advice) = open.advice() {
                term::say(format_args!("  it may have been executed. {advice}"));
            }
        }
        signal.status()
    }
}

/// Whether the input holds a secret.
fn holds_secrets(request: &Request, open: &InFlight) -> bool {
    open.operation().is_none_or(|operation| {
        let mut record = (operation.input)();
        let known = decode_strict(&mut *record, request.input.to_string().as_bytes());
        known.is_err() || secrets::any(&*record)
    })
}
