//! What is the command doing? `-v` prints what is sent, each attempt and how long it took, on standard error.
//!
//! Only what Cumulo's own crates trace is printed: they keep secrets out of their spans and events, and nobody
//! knows that of the crates beneath them.

use std::collections::BTreeMap;
use std::fmt::{Debug, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cumulo_core::Json;
use cumulo_core::clock::{Clock, SystemClock};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Metadata};

use crate::args::LogFormat;
use crate::term;

thread_local! {
    /// The spans that this thread is in, the innermost last.
    static INSIDE: std::cell::RefCell<Vec<u64>> = const { std::cell::RefCell::new(Vec::new()) };
}

/// Writes spans and events as lines.
pub(crate) struct Log {
    verbose: u8,
    clock: SystemClock,
    next: AtomicU64,
    open: Mutex<BTreeMap<u64, Open>>,
    print: fn(&Line),
}

/// A span that has not ended.
struct Open {
    name: &'static str,
    fields: Vec<(&'static str, Json)>,
    since: Duration,
    references: u32,
}

/// One thing that happened.
pub(crate) struct Line {
    /// Since the command began, in milliseconds.
    at: u128,
    level: Level,
    message: String,
    fields: Vec<(&'static str, Json)>,
}

#[derive(Default)]
struct Fields {
    message: String,
    all: Vec<(&'static str, Json)>,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            name => self.all.push((name, format!("{value:?}").into())),
        }
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.all.push((field.name(), value.into()));
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.all.push((field.name(), value.into()));
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.all.push((field.name(), value.into()));
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        // What is not so is not worth a word.
        if value {
            self.all.push((field.name(), true.into()));
        }
    }
}

impl Log {
    /// A log of calls and attempts (1), or of all that Cumulo traces (2).
    pub(crate) fn new(verbose: u8, print: fn(&Line)) -> Self {
        Self {
            verbose,
            clock: SystemClock::new(),
            next: AtomicU64::new(1),
            open: Mutex::default(),
            print,
        }
    }

    pub(crate) fn wants(&self, metadata: &Metadata<'_>) -> bool {
        let target = metadata.target();
        let least = match self.verbose {
            0 => return false,
            1 if !target.starts_with("cumulo_core::client") => Level::INFO,
            _ => Level::DEBUG,
        };
        target.starts_with("cumulo") && (metadata.is_span() || *metadata.level() <= least)
    }

    pub(crate) fn begin(&self, span: &Attributes<'_>) -> Id {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        if self.wants(span.metadata()) {
            let mut fields = Fields::default();
            span.record(&mut fields);
            let open = Open {
                name: span.metadata().name(),
                fields: fields.all,
                since: self.clock.elapsed(),
                references: 1,
            };
            self.spans().insert(id, open);
        }
        Id::from_u64(id)
    }

    pub(crate) fn share(&self, id: &Id) {
        if let Some(open) = self.spans().get_mut(&id.into_u64()) {
            open.references += 1;
        }
    }

    /// Whether the span has ended.
    pub(crate) fn end(&self, id: &Id) -> bool {
        let mut spans = self.spans();
        let Some(open) = spans.get_mut(&id.into_u64()) else {
            return false;
        };
        open.references -= 1;
        if open.references > 0 {
            return false;
        }
        spans.remove(&id.into_u64());
        true
    }

    pub(crate) fn enter(id: &Id) {
        INSIDE.with_borrow_mut(|inside| inside.push(id.into_u64()));
    }

    pub(crate) fn exit(id: &Id) {
        INSIDE.with_borrow_mut(|inside| {
            if let Some(at) = inside.iter().rposition(|one| *one == id.into_u64()) {
                inside.remove(at);
            }
        });
    }

    pub(crate) fn event(&self, event: &Event<'_>) {
        if !self.wants(event.metadata()) {
            return;
        }
        let mut said = Fields::default();
        event.record(&mut said);
        let now = self.clock.elapsed();
        let mut fields = Vec::new();
        {
            let spans = self.spans();
            let inside = INSIDE.with_borrow(Clone::clone);
            for open in inside.iter().filter_map(|id| spans.get(id)) {
                fields.extend(open.fields.iter().cloned());
                if open.name == "cumulo.attempt" {
                    let took = now.saturating_sub(open.since).as_millis();
                    fields.push(("took_ms", u64::try_from(took).unwrap_or(u64::MAX).into()));
                }
            }
        }
        fields.extend(said.all);
        (self.print)(&Line {
            at: now.as_millis(),
            level: *event.metadata().level(),
            message: said.message,
            fields,
        });
    }

    fn spans(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    fn json(&self) -> Json {
        let mut line = serde_json::Map::new();
        line.insert("level".into(), self.level.as_str().to_lowercase().into());
        line.insert("message".into(), self.message.as_str().into());
        let at = u64::try_from(self.at).unwrap_or(u64::MAX);
        line.insert("at_ms".into(), at.into());
        for (name, value) in &self.fields {
            line.insert((*name).into(), value.clone());
        }
        line.into()
    }

    fn text(&self) -> String {
        let mut line = format!("{:>6} ms  {}", self.at, self.message);
        for (name, value) in &self.fields {
            let value = value.as_str().map_or(value.to_string(), str::to_owned);
            let _ = write!(line, " {name}={value}");
        }
        line
    }
}

/// Prints a line as `--log-format` says.
pub(crate) fn print(line: &Line) {
    match term::log_format() {
        LogFormat::Text => term::raw(&line.text()),
        LogFormat::Json => term::raw(&term::json(&line.json())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_for_people_and_one_for_programs() {
        let line = Line {
            at: 12,
            level: Level::DEBUG,
            message: "answered".into(),
            fields: vec![("operation", "ListTags".into()), ("number", 1.into())],
        };
        assert_eq!(
            line.text(),
            "    12 ms  answered operation=ListTags number=1"
        );
        assert_eq!(
            line.json().to_string(),
            r#"{"level":"debug","message":"answered","at_ms":12,"operation":"ListTags","number":1}"#
        );
    }
}
