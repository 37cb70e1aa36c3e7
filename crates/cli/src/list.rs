//! `cumulo list`: all things of one kind.

use std::io;
use std::time::Duration;

use clap::Args;

use crate::args::{Connection, duration};
use crate::noun::{self, Given, Read, Shape};
use crate::pages::{Listing, Part};
use crate::request::{find, invalid};
use crate::result::refused;
use crate::service::Service;
use crate::session;

pub(crate) const EXAMPLES: &str = "Examples:
  cumulo list smc source-server
  cumulo list zstack vm-instance state=Running 'name~=web%' --output jsonl
  cumulo list apig app-code --parent app=ID --max-items 100";

#[derive(Debug, Args)]
pub(crate) struct List {
    /// The service.
    service: Service,
    /// The kind of thing, such as vm-instance; `cumulo resources` lists them.
    resource: String,
    #[command(flatten)]
    given: Given,
    #[command(flatten)]
    part: Part,
    #[command(flatten)]
    shape: Shape,
    /// Prints secrets in clear instead of a placeholder.
    #[arg(long)]
    show_secrets: bool,
    /// How long one page may take with its repeats: 90, 1.5, 250ms, 30s, 2m.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    timeout: Option<Duration>,
    #[command(flatten)]
    options: Connection,
}

pub(crate) fn run(args: List) -> io::Result<u8> {
    let (service, view) = (args.service, args.shape.view());
    let output = view.output;
    let listing = noun::row(service, &args.resource).and_then(|row| {
        let Some(list) = row.list else {
            let error = invalid(format!("no operation lists every {}", row.name));
            return Err(match row.read {
                Some(read) => error.with_hint(format!(
                    "`cumulo get` reads one by its id, with {}",
                    read.operation
                )),
                None => error,
            });
        };
        let operation = find(service, list.operation)?.operation();
        let read = Read {
            service,
            row,
            operation,
        };
        Ok(Listing {
            service,
            operation,
            input: read.input(&args.given, None)?,
            at: Some(list.at),
            part: args.part,
            view,
            show_secrets: args.show_secrets,
            timeout: args.timeout,
        })
    });
    let listing = match listing {
        Ok(listing) => listing,
        Err(error) => return Ok(refused(&error, service, output)),
    };
    session::run(args.options, async move |clients, signals| {
        match clients.get(service) {
            Ok(client) => listing.print(client, signals).await,
            Err(error) => Ok(refused(&error, service, output)),
        }
    })
}
