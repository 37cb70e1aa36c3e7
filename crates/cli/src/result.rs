//! The result: what scripts and people read, and the exit status that goes with it.

use std::io::{self, IsTerminal, Write};

use cumulo_core::credentials::CredentialError;
use cumulo_core::record::{Problem, Record, Wire, to_value};
use cumulo_core::{Error, Json, Kind, Outcome, Response};
use serde_json::json;

use crate::args::Output;
use crate::query::Query;
use crate::service::Service;
use crate::signals::Signal;
use crate::{lines, table, term, wording};

/// The service or the call failed.
pub(crate) const FAILED: u8 = 1;
/// Wrong usage: nothing was sent, and the command line or the input has to be changed.
pub(crate) const USAGE: u8 = 2;

/// The output in wire names.
pub(crate) fn output(response: &Response<Box<dyn Record>>, show_secrets: bool) -> Json {
    let record = &*response.output;
    to_value(if show_secrets {
        Wire::clear(record)
    } else {
        Wire::redacted(record)
    })
}

/// The result line of a call that succeeded.
pub(crate) fn success(response: &Response<Box<dyn Record>>, show_secrets: bool) -> Json {
    let mut line = json!({
        "ok": true,
        "output": output(response, show_secrets),
        "request_id": response.request_id(),
        "attempts": response.attempts().len(),
    });
    if !response.warnings().is_empty() {
        line["warnings"] = response.warnings().iter().map(Problem::to_string).collect();
    }
    line
}

/// The result line of a call that failed.
pub(crate) fn failure(error: &Error) -> Json {
    let mut line = json!({
        "ok": false,
        "error": {
            "kind": format!("{:?}", error.kind()),
            "code": error.code(),
            "message": wording::plain(error.message()),
            "status": error.status(),
            "request_id": error.request_id(),
            "outcome": format!("{:?}", error.outcome()),
            "client_token": error.client_token().map(ToString::to_string),
            "job": error.job(),
        },
        "attempts": error.attempts().len(),
    });
    if let Some(hint) = error.hint() {
        line["error"]["hint"] = wording::plain(hint).into();
    }
    line
}

pub(crate) fn exit_status(error: &Error) -> u8 {
    match error.kind() {
        Kind::InvalidInput | Kind::Configuration => USAGE,
        _ => FAILED,
    }
}

/// How a result is printed.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) output: Output,
    /// The columns of a table; all where none is named.
    pub(crate) columns: Vec<String>,
    /// What of it is printed.
    pub(crate) query: Option<Query>,
}

/// A result on its way to standard output.
pub(crate) struct Told<'a> {
    pub(crate) view: &'a View,
    /// The result line, in which the result stands as `output`.
    pub(crate) line: Json,
}

impl Told<'_> {
    /// Prints `result`, or what the expression makes of it; the exit status.
    pub(crate) fn print(self, result: Json) -> u8 {
        let (text, fits) = self.text(result);
        if deliver(&text) && fits { 0 } else { FAILED }
    }

    /// What is printed, and whether the expression fits. If not, it is told, and nothing is left out.
    pub(crate) fn text(mut self, result: Json) -> (String, bool) {
        let found = self.view.query.as_ref().map(|query| query.apply(&result));
        let mut fits = true;
        let shown = match found {
            None => result,
            Some(Ok(found)) => found,
            Some(Err(mistake)) => {
                fits = false;
                term::say(format_args!(
                    "error: --query: {mistake}; the whole result is printed"
                ));
                result
            }
        };
        let lines = |line: fn(&Json) -> String| {
            let rows = lines::rows(&shown).iter();
            rows.map(|row| line(row) + "\n").collect()
        };
        let text = match self.view.output {
            Output::Table => table::render(&shown, term::room(), &self.view.columns),
            Output::Jsonl => lines(term::json),
            Output::Text => lines(lines::text),
            Output::Json => {
                self.line["output"] = shown;
                json(&self.line)
            }
        };
        (text, fits)
    }
}

/// Tells of a failure; the exit status.
pub(crate) fn refused(error: &Error, service: Service, output: Output) -> u8 {
    // A person is told once.
    let quiet = output != Output::Json || term::seen_at_once();
    let delivered = quiet || deliver(&json(&failure(error)));
    complain(error, service);
    if delivered {
        exit_status(error)
    } else {
        FAILED
    }
}

/// Tells that reading was ended: it changes nothing, so that no more is to be said.
pub(crate) fn ended(signal: Signal, output: Output) -> u8 {
    let why = format!("ended by {}", signal.name());
    if output == Output::Json && !term::seen_at_once() {
        let error = Error::new(Kind::Interrupted, "read", why.as_str());
        deliver(&json(&failure(&error)));
    }
    term::say(why);
    signal.status()
}

/// One line, or several for a person.
pub(crate) fn json(result: &Json) -> String {
    let text = if io::stdout().is_terminal() {
        term::pretty(result)
    } else {
        term::json(result)
    };
    text + "\n"
}

/// Writes the result. What standard output does not take goes to standard error: the call was made, and
/// its result must not be lost.
pub(crate) fn deliver(text: &str) -> bool {
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
pub(crate) fn complain(error: &Error, service: Service) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_has_every_documented_member() {
        let error =
            Error::new(Kind::Throttled, "ListTags", "slow down").with_code("Throttling", 400);
        assert_eq!(
            failure(&error).to_string(),
            r#"{"ok":false,"error":{"kind":"Throttled","code":"Throttling","message":"slow down","status":400,"request_id":null,"outcome":"Rejected","client_token":null,"job":null},"attempts":0}"#
        );
        assert_eq!(exit_status(&error), FAILED);
        assert_eq!(
            exit_status(&Error::new(Kind::InvalidInput, "ListTags", "")),
            USAGE
        );
    }
}
