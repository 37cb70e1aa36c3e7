//! `cumulo get`: one thing by its id.

use std::io;
use std::time::Duration;

use clap::Args;
use cumulo_core::record::Record;
use cumulo_core::resource::{Find, Resource};
use cumulo_core::{Client, Error, Json, Kind, Response};

use crate::args::{Connection, duration};
use crate::noun::{self, Given, Read, Shape};
use crate::pages::take;
use crate::request::{find, invalid};
use crate::result::{self, Told, ended, refused};
use crate::service::Service;
use crate::session;

pub(crate) const EXAMPLES: &str = "Examples:
  cumulo get smc replication-job j-bp152fgllsp2
  cumulo get zstack vm-instance UUID --output text --query state";

#[derive(Debug, Args)]
pub(crate) struct Get {
    /// The service.
    service: Service,
    /// The kind of thing, such as vm-instance; `cumulo resources` lists them.
    resource: String,
    /// Its id; of settings, of which there is one for each parent, the parent's.
    id: String,
    #[command(flatten)]
    given: Given,
    #[command(flatten)]
    shape: Shape,
    /// Prints secrets in clear instead of a placeholder.
    #[arg(long)]
    show_secrets: bool,
    /// How long one call may take with its repeats: 90, 1.5, 250ms, 30s, 2m.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    timeout: Option<Duration>,
    #[command(flatten)]
    options: Connection,
}

/// One thing that is to be read.
pub(crate) struct Wanted {
    read: Read,
    by: Find,
    id: String,
    input: Json,
    timeout: Option<Duration>,
}

pub(crate) fn run(args: Get) -> io::Result<u8> {
    let (service, view) = (args.service, args.shape.view());
    let output = view.output;
    let wanted = noun::row(service, &args.resource)
        .and_then(|row| Wanted::new(service, row, args.id, &args.given, args.timeout));
    let wanted = match wanted {
        Ok(wanted) => wanted,
        Err(error) => return Ok(refused(&error, service, output)),
    };
    session::run(args.options, async move |clients, signals| {
        let reading = async {
            let client = clients.get(service)?;
            wanted.read(client, args.show_secrets).await
        };
        let found = tokio::select! {
            biased;
            Some(signal) = signals.recv() => return Ok(ended(signal, output)),
            found = reading => found,
        };
        Ok(match found {
            Err(error) => refused(&error, service, output),
            Ok((thing, response)) => Told {
                view: &view,
                line: result::success(&response, args.show_secrets),
            }
            .print(thing),
        })
    })
}

impl Wanted {
    pub(crate) fn new(
        service: Service,
        row: &'static Resource,
        id: String,
        given: &Given,
        timeout: Option<Duration>,
    ) -> Result<Self, Error> {
        let by = row.read.or(row.list).ok_or_else(|| {
            let all: Vec<&str> = row.operations().collect();
            let error = invalid(format!("no operation reads a {}", row.name));
            error.with_hint(format!("`cumulo call` makes these: {}", all.join(", ")))
        })?;
        let operation = find(service, by.operation)?.operation();
        let read = Read {
            service,
            row,
            operation,
        };
        if id.is_empty() {
            return Err(invalid(format!("the id of the {} is empty", row.name)));
        }
        let input = read.input(given, Some((by.by, &id)))?;
        Ok(Self {
            read,
            by,
            id,
            input,
            timeout,
        })
    }

    /// Reads until the thing is found, or to the end of the list.
    async fn read(
        &self,
        client: &Client,
        show_secrets: bool,
    ) -> Result<(Json, Response<Box<dyn Record>>), Error> {
        let mut pages = client.pages(self.read.operation, &self.input)?;
        if let Some(timeout) = self.timeout {
            pages = pages.timeout(timeout);
        }
        while let Some(page) = pages.next().await {
            let page = page?;
            let things = take(result::output(&page, show_secrets), Some(self.by.at));
            if let Some(thing) = things.into_iter().find(|thing| self.is_it(thing)) {
                return Ok((thing, page));
            }
        }
        let row = self.read.row.name;
        let message = format!("there is no {row} `{}`", self.id.escape_debug());
        Err(Error::new(
            Kind::NotFound,
            self.read.operation.name,
            message,
        ))
    }

    fn is_it(&self, thing: &Json) -> bool {
        let name = self.read.row.id;
        match &thing[name] {
            // Settings have no id; what an answer as a whole is about was named by the question.
            _ if name.is_empty() => true,
            Json::Null => false,
            _ if self.by.at.is_empty() => true,
            Json::String(id) => *id == self.id,
            Json::Number(id) => id.to_string() == self.id,
            _ => false,
        }
    }
}
