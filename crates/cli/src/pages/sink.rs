//! Where items go: onto standard output at once, or together when the list has ended.

use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};

use cumulo_core::Json;

use crate::args::Output;
use crate::result::{View, json};
use crate::{lines, table, term};

/// Takes the items one by one.
pub(super) struct Sink<'a> {
    out: BufWriter<StdoutLock<'a>>,
    view: &'a View,
    /// The items, where they are printed together.
    held: Option<Vec<Json>>,
    count: u64,
    /// What stands between two items, and around them: a terminal is read by people.
    gap: &'static str,
}

impl<'a> Sink<'a> {
    pub(super) fn new(view: &'a View, stdout: StdoutLock<'a>) -> Self {
        let gap = if stdout.is_terminal() { "\n" } else { "" };
        let together = match view.output {
            Output::Table => true,
            Output::Json | Output::Text => view.query.is_some(),
            Output::Jsonl => false,
        };
        Self {
            out: BufWriter::new(stdout),
            view,
            held: together.then(Vec::new),
            count: 0,
            gap,
        }
    }

    /// How many items came.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Whether nothing is seen on the terminal before the end.
    pub(super) fn is_silent(&self) -> bool {
        self.held.is_some() || self.gap.is_empty()
    }

    /// Takes an item. The outer error is an expression that does not fit it.
    pub(super) fn item(&mut self, item: Json) -> Result<io::Result<()>, String> {
        self.count += 1;
        if let Some(held) = &mut self.held {
            held.push(item);
            return Ok(Ok(()));
        }
        Ok(match self.view.output {
            Output::Json => {
                let before = if self.count == 1 {
                    "{\"output\":["
                } else {
                    ","
                };
                let item = term::json(&item);
                write!(self.out, "{before}{}{item}", self.gap)
            }
            Output::Text => writeln!(self.out, "{}", lines::text(&item)),
            Output::Jsonl | Output::Table => {
                let found = match &self.view.query {
                    None => item,
                    Some(query) => query.apply(&item)?,
                };
                // As `[].EXPRESSION` of the whole list leaves them out.
                match found {
                    Json::Null => Ok(()),
                    found => writeln!(self.out, "{}", term::json(&found)),
                }
            }
        })
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Prints what is left; `tail` are the members beside the items. The inner error is an expression
    /// that does not fit the list; then the list is printed as it is.
    pub(super) fn finish(mut self, tail: &Json) -> io::Result<Result<(), String>> {
        let mut done = Ok(());
        match self.held.take() {
            None if self.view.output == Output::Json => {
                let start = if self.count == 0 {
                    "{\"output\":["
                } else {
                    self.gap
                };
                let tail = term::json(tail);
                let tail = tail.strip_prefix('{').unwrap_or(&tail);
                writeln!(self.out, "{start}],{}{tail}", self.gap)?;
            }
            None => {}
            Some(held) => {
                let list = Json::Array(held);
                let found = match self.view.query.as_ref().map(|query| query.apply(&list)) {
                    None => list,
                    Some(Ok(found)) => found,
                    Some(Err(mistake)) => {
                        done = Err(mistake);
                        list
                    }
                };
                self.whole(&found, tail)?;
            }
        }
        self.out.flush()?;
        Ok(done)
    }

    fn whole(&mut self, found: &Json, tail: &Json) -> io::Result<()> {
        match self.view.output {
            Output::Table => {
                let text = table::render(found, term::room(), &self.view.columns);
                write!(self.out, "{text}")
            }
            Output::Json => {
                let mut line = serde_json::json!({ "output": found });
                if let (Some(line), Some(tail)) = (line.as_object_mut(), tail.as_object()) {
                    line.extend(tail.clone());
                }
                write!(self.out, "{}", json(&line))
            }
            Output::Text | Output::Jsonl => lines::rows(found)
                .iter()
                .try_for_each(|row| writeln!(self.out, "{}", lines::text(row))),
        }
    }
}
