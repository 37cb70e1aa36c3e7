//! `cumulo wait`: until a thing is ready, in some other state, or gone.

use std::io;
use std::time::Duration;

use clap::Args;
use cumulo_core::wait::Observation;
use cumulo_core::{Error, Json};

use crate::args::{Connection, duration};
use crate::noun::{self, Given, Read, Shape};
use crate::ready::{self, Goal, Pace};
use crate::request::invalid;
use crate::result::{Told, View, ended, refused};
use crate::service::Service;
use crate::session;

pub(crate) const EXAMPLES: &str = "Examples:
  cumulo wait smc replication-job j-bp152fgllsp2 --timeout 360m
  cumulo wait zstack vm-instance UUID --for stopped
  cumulo wait zstack vm-instance UUID --for gone";

#[derive(Debug, Args)]
pub(crate) struct Wait {
    /// The service.
    service: Service,
    /// The kind of thing, such as vm-instance; `cumulo resources` lists them.
    resource: String,
    /// Its id.
    id: String,
    #[command(flatten)]
    given: Given,
    /// What is waited for: a condition such as running, a state in the service's words, or gone; when
    /// left out, until it is ready.
    #[arg(long = "for", value_name = "STATE|CONDITION")]
    until: Option<String>,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    shape: Shape,
    #[command(flatten)]
    options: Connection,
}

/// How long, and how often.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct Limits {
    /// How long the wait may take; as long as it takes when left out: 90, 1.5, 250ms, 30s, 2m.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
    /// The time between two reads; from 2 s up to 30 s when left out.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) interval: Option<Duration>,
}

impl Limits {
    pub(crate) fn pace(self) -> Pace {
        Pace {
            timeout: self.timeout,
            interval: self.interval,
        }
    }
}

pub(crate) fn run(args: Wait) -> io::Result<u8> {
    let (service, view) = (args.service, args.shape.clone().view());
    let output = view.output;
    let goal = match goal(&args) {
        Ok(goal) => goal,
        Err(error) => return Ok(refused(&error, service, output)),
    };
    let pace = args.limits.pace();
    session::run(args.options, async move |clients, signals| {
        let waiting = async { goal.reach(clients.get(service)?, pace).await };
        tokio::select! {
            biased;
            Some(signal) = signals.recv() => Ok(ended(signal, output)),
            seen = waiting => Ok(print(seen, service, &view)),
        }
    })
}

/// Prints how a wait ended.
pub(crate) fn print(seen: Result<Observation, Error>, service: Service, view: &View) -> u8 {
    match seen {
        Err(error) => refused(&error, service, view.output),
        Ok(seen) => {
            let mut line = serde_json::json!({ "ok": true, "output": Json::Null });
            if let (Some(line), Json::Object(told)) = (line.as_object_mut(), ready::told(&seen)) {
                line.extend(told);
            }
            Told { view, line }.print(seen.thing)
        }
    }
}

fn goal(args: &Wait) -> Result<Goal, Error> {
    let row = noun::row(args.service, &args.resource)?;
    let target = ready::target(args.service, row, args.until.as_deref())?;
    if args.id.is_empty() {
        return Err(invalid(format!("the id of the {} is empty", row.name)));
    }
    let read = Read {
        service: args.service,
        row,
        operation: (target.read)(),
    };
    // What only the wait knows is no member of the read.
    let mut given = args.given.clone();
    let mut own = serde_json::Map::new();
    given.members.retain(|word| match word.split_once('=') {
        Some((name, value))
            if target
                .with
                .iter()
                .any(|with| with.strip_prefix('$') == Some(name)) =>
        {
            own.insert(name.to_owned(), value.into());
            false
        }
        _ => true,
    });
    let mut input = read.input(&given, None)?;
    if let Some(input) = input.as_object_mut() {
        input.extend(own);
    }
    Goal::new(target, args.id.clone(), &input)
}
