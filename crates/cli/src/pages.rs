//! Lists as long as they are: every item once, in bounded memory, and a place to go on from when it
//! ends early.
//!
//! Items are written as they come, but for tables, which need the width of all, and for a `--query`
//! over the whole list.

mod sink;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use clap::Args;
use cumulo_core::operation::Operation;
use cumulo_core::page::{End, Items};
use cumulo_core::record::Record;
use cumulo_core::{Client, Error, Json, Kind, Response};
use tokio::sync::mpsc;

use crate::in_flight::{self, InFlight};
use crate::rerun::quoted;
use crate::result::{FAILED, USAGE, View, complain, exit_status, failure, output, refused};
use crate::service::Service;
use crate::signals::Signal;
use crate::term::{self, Status};

use sink::Sink;

/// How much of a list is wanted.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Part {
    /// Ends the list after so many items, and says where to go on.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_items: Option<u64>,
    /// Goes on where an earlier list of the same input ended: the position that it told.
    #[arg(long, value_name = "POSITION")]
    pub(crate) resume: Option<String>,
}

impl Part {
    pub(crate) fn is_whole(&self) -> bool {
        self.max_items.is_none() && self.resume.is_none()
    }
}

/// A list to be printed.
pub(crate) struct Listing {
    pub(crate) service: Service,
    pub(crate) operation: &'static Operation,
    pub(crate) input: Json,
    /// Where the items stand in an answer; where nobody says, it is the longest list.
    pub(crate) at: Option<&'static str>,
    pub(crate) part: Part,
    pub(crate) view: View,
    pub(crate) show_secrets: bool,
    pub(crate) timeout: Option<Duration>,
}

type Page = Box<dyn Record>;

/// Why there is no next item.
enum Ended {
    /// The list says so.
    By(Option<End>),
    Failed(Box<Error>),
    Signal(Signal),
    /// The expression does not fit an item.
    Query(String),
}

impl Listing {
    /// Prints it. The outer error is a reader that has seen enough.
    pub(crate) async fn print(
        self,
        client: &Client,
        signals: &mut mpsc::Receiver<Signal>,
    ) -> io::Result<u8> {
        let left = Arc::new(AtomicUsize::new(0));
        let mut items = match self.items(client, &left) {
            Ok(items) => items,
            Err(error) => return Ok(refused(&error, self.service, self.view.output)),
        };
        let open = Arc::new(InFlight::default());
        open.name(self.operation, None);
        in_flight::observe();
        let mut sink = Sink::new(&self.view, io::stdout().lock());
        let mut status = Status::new();
        // What was handed over to the system, for an output that breaks.
        let mut kept = items.position();
        let ended = loop {
            let next = tokio::select! {
                biased;
                Some(signal) = signals.recv() => break Ended::Signal(signal),
                next = open.watch(items.next()) => next,
            };
            let item = match next {
                None => break Ended::By(items.end()),
                Some(Err(error)) => break Ended::Failed(Box::new(error)),
                Some(Ok(item)) => item,
            };
            let written = match sink.item(item) {
                Ok(written) => written,
                Err(mistake) => break Ended::Query(mistake),
            };
            // The end of a page: the next item may take a while.
            let full = left.load(Ordering::Relaxed) <= 1;
            left.fetch_sub(usize::from(!full), Ordering::Relaxed);
            let written = written.and_then(|()| if full { sink.flush() } else { Ok(()) });
            if let Err(error) = written {
                status.clear();
                return broken(error, kept.as_deref());
            }
            if full {
                kept = items.position();
                if sink.is_silent() {
                    status.draw(&format!("{}: {} items", self.operation.name, sink.count()));
                }
            }
        };
        status.clear();
        let position = items.position();
        let tail = self.tail(&ended, sink.count(), position.as_deref(), open.attempts());
        let count = sink.count();
        let shown = match sink.finish(&tail) {
            Ok(shown) => shown,
            Err(error) => return broken(error, kept.as_deref()),
        };
        if items.changed() {
            term::say("warning: the list was changed while it was read: read it again to be sure");
        }
        let status = self.told(&ended, count, position.as_deref());
        Ok(match shown {
            Ok(()) => status,
            Err(mistake) => {
                term::say(format_args!(
                    "error: --query: {mistake}; the whole list stands above"
                ));
                status.max(FAILED)
            }
        })
    }

    /// The items; `left` is how many of the page are still to come.
    fn items(&self, client: &Client, left: &Arc<AtomicUsize>) -> Result<Items<Page, Json>, Error> {
        let mut pages = client.pages(self.operation, &self.input)?;
        if let Some(timeout) = self.timeout {
            pages = pages.timeout(timeout);
        }
        let (at, show_secrets, left) = (self.at, self.show_secrets, Arc::clone(left));
        let mut items = pages.items_by(Box::new(move |page: Response<Page>| {
            for problem in page.warnings() {
                term::say(format_args!("warning: in the answer, {problem}"));
            }
            let found = take(output(&page, show_secrets), at);
            left.store(found.len(), Ordering::Relaxed);
            found
        }));
        if let Some(most) = self.part.max_items {
            items = items.max_items(most);
        }
        match &self.part.resume {
            Some(position) => items.resume(position),
            None => Ok(items),
        }
    }

    /// What follows the items in the result line.
    fn tail(&self, ended: &Ended, count: u64, position: Option<&str>, attempts: u32) -> Json {
        let end = match ended {
            Ended::By(end) => end.map(|end| format!("{end:?}")),
            _ => None,
        };
        let mut line = match ended {
            Ended::By(_) => serde_json::json!({ "ok": true }),
            Ended::Failed(error) => failure(error),
            Ended::Signal(signal) => self.interrupted(signal.name()),
            Ended::Query(mistake) => failure(&self.mistaken(mistake)),
        };
        line["items"] = count.into();
        line["end"] = end.into();
        line["position"] = position.into();
        line["attempts"] = attempts.into();
        line
    }

    fn interrupted(&self, by: &str) -> Json {
        let why = format!("ended by {by}");
        failure(&Error::new(Kind::Interrupted, self.operation.name, why))
    }

    fn mistaken(&self, mistake: &str) -> Error {
        let message = format!("--query: {mistake}");
        Error::new(Kind::InvalidInput, self.operation.name, message)
    }

    /// Says why the list ended, where it is not whole, and where to go on; the exit status.
    fn told(&self, ended: &Ended, count: u64, position: Option<&str>) -> u8 {
        let status = match ended {
            Ended::By(Some(End::MaxItems)) => {
                term::say(format_args!("ended by --max-items after {count} items"));
                0
            }
            Ended::By(_) => return 0,
            Ended::Failed(error) => {
                complain(error, self.service);
                exit_status(error)
            }
            Ended::Signal(signal) => {
                term::say(format_args!(
                    "ended by {} after {count} items",
                    signal.name()
                ));
                signal.status()
            }
            Ended::Query(mistake) => {
                complain(&self.mistaken(mistake), self.service);
                return FAILED;
            }
        };
        let begun = count > 0 || self.part.resume.is_some();
        if let Some(position) = position.filter(|_| begun) {
            term::say(format_args!("the rest: --resume {}", quoted(position)));
        }
        // What was read stands, so that it is no matter of usage any more.
        if count > 0 && status == USAGE {
            return FAILED;
        }
        status
    }
}

/// The output takes no more.
fn broken(error: io::Error, kept: Option<&str>) -> io::Result<u8> {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Err(error);
    }
    term::say(format_args!("error: the list cannot be written: {error}"));
    if let Some(kept) = kept {
        term::say(format_args!(
            "what may be missing, with some items twice: --resume {}",
            quoted(kept)
        ));
    }
    Ok(FAILED)
}

/// The items of an answer.
pub(crate) fn take(answer: Json, at: Option<&str>) -> Vec<Json> {
    match at {
        Some(path) => below(answer, path),
        None => longest(answer).unwrap_or_default(),
    }
}

/// What stands at `path`, through lists on the way.
fn below(json: Json, path: &str) -> Vec<Json> {
    match json {
        Json::Null => Vec::new(),
        Json::Array(list) => list
            .into_iter()
            .flat_map(|item| below(item, path))
            .collect(),
        json if path.is_empty() => vec![json],
        Json::Object(mut members) => {
            let (name, rest) = path.split_once('.').unwrap_or((path, ""));
            members
                .remove(name)
                .map_or_else(Vec::new, |inner| below(inner, rest))
        }
        _ => Vec::new(),
    }
}

/// The longest list that is not within another one.
fn longest(json: Json) -> Option<Vec<Json>> {
    match json {
        Json::Array(list) => Some(list),
        Json::Object(members) => members
            .into_iter()
            .filter_map(|(_, inner)| longest(inner))
            .max_by_key(Vec::len),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn items_are_found_where_they_stand() {
        let answer = json!({"TotalCount": 2, "Servers": {"Server": [{"Id": 1, "Disks": [1, 2, 3]}, {"Id": 2}]}});
        assert_eq!(take(answer.clone(), None).len(), 2);
        assert_eq!(take(answer.clone(), Some("Servers.Server")).len(), 2);
        assert_eq!(take(answer.clone(), Some("Servers.Server.Disks")).len(), 3);
        assert!(take(answer.clone(), Some("Servers.Other")).is_empty());
        assert_eq!(take(answer.clone(), Some("")), [answer]);
        assert!(take(json!({"TotalCount": 0}), None).is_empty());
    }
}
