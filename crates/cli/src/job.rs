//! `cumulo job`: calls that a service works on, asked after by their ids.

use std::io;
use std::time::Duration;

use clap::{Args, Subcommand};
use cumulo_core::record::Record;
use cumulo_core::retry::Polling;
use cumulo_core::zstack::API_JOB;
use cumulo_core::{Client, Error, Json, Kind, Response};
use serde_json::json;

use crate::args::Connection;
use crate::noun::{self, Shape};
use crate::ready::{self, Goal, bar};
use crate::request::invalid;
use crate::result::{self, Told, View, ended, refused};
use crate::service::Service;
use crate::session;
use crate::term::Status;
use crate::wait::{self, Limits};

pub(crate) const EXAMPLES: &str = "Examples:
  cumulo job wait 8a6f2b0c1d3e4f5a9b8c7d6e5f4a3b2c
  cumulo job show 8a6f2b0c1d3e4f5a9b8c7d6e5f4a3b2c
  cumulo job wait TASK --service apig --instance-id ID";

#[derive(Debug, Args)]
pub(crate) struct Job {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Waits for its end, and prints what it answers; with a bar where its progress is told.
    Wait(Of),
    /// Asks after it once: whether it runs, and what it answers when it is done.
    Show(Of),
}

#[derive(Debug, Args)]
struct Of {
    /// The job: of a ZStack call, of a ZStack long job, or of an API Gateway task.
    id: String,
    /// The service: zstack or apig.
    #[arg(long, value_enum, default_value_t = Service::Zstack)]
    service: Service,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    shape: Shape,
    #[command(flatten)]
    options: Connection,
}

/// How often the progress of a job is asked after.
const PROGRESS: Duration = Duration::from_secs(2);

pub(crate) fn run(args: Job) -> io::Result<u8> {
    let (of, wait) = match args.what {
        What::Wait(of) => (of, true),
        What::Show(of) => (of, false),
    };
    let (service, view) = (of.service, of.shape.clone().view());
    let output = view.output;
    let kind = match service {
        Service::Zstack => "long-job",
        Service::Apig => "async-task",
        Service::Smc | Service::Smartag => {
            let error = invalid(format!("{} has no jobs", service.name()));
            let hint = "zstack and apig have; wait for a thing with `cumulo wait`";
            return Ok(refused(&error.with_hint(hint), service, output));
        }
    };
    session::run(of.options.clone(), async move |clients, signals| {
        let asking = async {
            let client = clients.get(service)?;
            if service == Service::Zstack
                && let Some(status) = api_job(client, &of, wait, &view).await?
            {
                return Ok(status);
            }
            let row = noun::row(service, kind)?;
            let target = ready::target(service, row, None)?;
            let goal = Goal::new(target, of.id.clone(), &json!({}))?;
            let mut seen = goal.look(client).await;
            if let (true, Ok(first)) = (wait, &seen) {
                let api = first.thing["apiId"].as_str().unwrap_or(&of.id);
                let reaching = goal.reach(client, of.limits.pace());
                seen = match service {
                    Service::Zstack => watched(client, api, reaching).await,
                    _ => reaching.await,
                };
            }
            let seen = seen.map_err(|error| unknown(error, service, &of.id));
            Ok(wait::print(seen, service, &view))
        };
        tokio::select! {
            biased;
            Some(signal) = signals.recv() => Ok(ended(signal, output)),
            done = asking => Ok(done.unwrap_or_else(|error| refused(&error, service, output))),
        }
    })
}

/// An id that nobody knows.
fn unknown(error: Error, service: Service, id: &str) -> Error {
    if !error.is_not_found() {
        return error;
    }
    let message = format!("{} knows no job `{}`", service.name(), id.escape_debug());
    let error = Error::new(Kind::NotFound, "job", message).with_source(error);
    error.with_hint("Services forget jobs some hours after their end; look for what it made")
}

/// The job of a call; `None` where there is no such job.
async fn api_job(client: &Client, of: &Of, wait: bool, view: &View) -> Result<Option<u8>, Error> {
    let mut job = client.job_of(&API_JOB, of.id.as_str());
    let done = match job.poll().await {
        Ok(done) => done,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(error),
    };
    let told = |line: Json| Told { view, line };
    if !done && !wait {
        let seen =
            json!({ "job": of.id, "state": "Running", "progress": progress(client, &of.id).await });
        let line = json!({ "ok": true, "output": null });
        return Ok(Some(told(line).print(seen)));
    }
    let mut call = job.wait();
    if let Some(timeout) = of.limits.timeout {
        call = call.timeout(timeout);
    }
    if let Some(interval) = of.limits.interval {
        call = call.polling(Polling::new().interval(interval).max_interval(interval));
    }
    let response: Response<Box<dyn Record>> = watched(client, &of.id, call).await?;
    let mut line = result::success(&response, false);
    line["job"] = of.id.as_str().into();
    Ok(Some(told(line).print(response.redacted_body())))
}

/// Awaits the job, and draws its progress for a person.
async fn watched<T>(client: &Client, id: &str, job: impl Future<Output = T>) -> T {
    let mut status = Status::new();
    if !status.visible() {
        return job.await;
    }
    let mut ticks = tokio::time::interval(PROGRESS);
    let mut seconds = 0;
    let mut job = std::pin::pin!(job);
    loop {
        tokio::select! {
            biased;
            done = &mut job => return done,
            _ = ticks.tick() => {}
        }
        // The job may end while its progress is asked for.
        let percent = tokio::select! {
            biased;
            done = &mut job => return done,
            percent = progress(client, id) => percent,
        };
        let bar = percent.map_or("runs".to_owned(), bar);
        status.draw(&format!("job {id}: {bar}, {seconds} s"));
        seconds += PROGRESS.as_secs();
    }
}

/// How far a job of ZStack is, in percent, where it tells that.
async fn progress(client: &Client, id: &str) -> Option<u8> {
    let job = client.job_of(&API_JOB, id);
    tokio::time::timeout(PROGRESS, job.progress())
        .await
        .ok()?
        .ok()?
}
