//! SMC: a thousand servers are moved, and the program is stopped half way. Each gets one job all the same.
//!
//! The list is read page by page, and the position of the page to come is stored when all jobs of the page before are
//! made; a ledger knows which were begun. So the next run goes on where this one stopped, and who is asked for
//! twice is made once. Three answers in a hundred are lost on the way.

use std::collections::BTreeSet;
use std::time::Duration;

use cumulo_examples::Stage;
use cumulo_localcloud::{Fault, FaultKind, Service};
use cumulo_smc::replication_job::{CreateReplicationJob, DescribeReplicationJobs};
use cumulo_smc::source_server::DescribeSourceServers;
use cumulo_smc::{Client, Error, Ledger};
use tokio::task::JoinSet;

const SERVERS: usize = 1000;
/// So many calls are under way at once; what the service can bear is learnt by the client itself.
const AT_ONCE: usize = 16;

/// What a run did.
#[derive(Debug, Default)]
struct Report {
    jobs: usize,
    repeated: usize,
}

/// Makes a job for each server, from `position` on, for at most `pages` pages; the position to go on at, until all
/// have one.
async fn migrate(
    smc: &Client,
    ledger: &Ledger,
    position: Option<String>,
    pages: usize,
) -> Result<(Option<String>, Report), Error> {
    let mut report = Report::default();
    let mut servers = DescribeSourceServers::new().pages(smc);
    if let Some(position) = &position {
        servers = servers.resume(position)?;
    }
    for _ in 0..pages {
        let Some(page) = servers.next().await else {
            break;
        };
        let mut calls = JoinSet::new();
        for server in page?.into_output().source_servers {
            let Some(source) = server.source_id else {
                continue;
            };
            if calls.len() == AT_ONCE
                && let Some(made) = calls.join_next().await
            {
                count(made, &mut report)?;
            }
            let job = CreateReplicationJob::new(source.as_str())
                .name(format!("move-{source}"))
                .target_type(CreateReplicationJob::TARGET_TYPE_IMAGE)
                .send(smc)
                .once(ledger, format!("job/{source}"));
            calls.spawn(async move { job.await.map(|made| made.attempts().len()) });
        }
        while let Some(made) = calls.join_next().await {
            count(made, &mut report)?;
        }
        // A real program writes `position()` into a file here.
    }
    println!(
        "{} jobs, {} of them after a lost answer",
        report.jobs, report.repeated
    );
    Ok((servers.position(), report))
}

fn count(
    made: Result<Result<usize, Error>, tokio::task::JoinError>,
    report: &mut Report,
) -> Result<(), Error> {
    let attempts = made.expect("no call panics")?;
    report.jobs += 1;
    report.repeated += usize::from(attempts > 1);
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let stage = Stage::local().await;
    let smc = stage.smc().await?;
    begin_with_servers(&stage);
    let file = std::env::temp_dir().join(format!("migrate-thousand-{}", std::process::id()));

    // Eight pages of fifty; then somebody stops the program, in the middle of nothing.
    let ledger = Ledger::open(&file).await?;
    let (position, first) = migrate(&smc, &ledger, None, 8).await?;
    drop(ledger);

    println!("stopped, and started again");
    // As if the position of the last two pages had not been written any more: the ledger knows better.
    let ledger = Ledger::open(&file).await?.settle(Duration::ZERO);
    let (_, again) = migrate(&smc, &ledger, None, 1).await?;
    let (end, rest) = migrate(&smc, &ledger, position, SERVERS).await?;
    assert!(end.is_none(), "the list was read to its end");
    assert_eq!(first.jobs + rest.jobs, SERVERS);
    assert_eq!(
        again.repeated, 0,
        "nothing was sent for what the ledger knows"
    );

    // What the service says.
    let mut jobs = DescribeReplicationJobs::new().items(&smc);
    let (mut count, mut moved) = (0, BTreeSet::new());
    while let Some(job) = jobs.next().await.transpose()? {
        count += 1;
        moved.insert(job.source_id.unwrap_or_default());
    }
    println!("{count} jobs for {} servers", moved.len());
    assert_eq!((count, moved.len()), (SERVERS, SERVERS));
    for end in ["", ".lock"] {
        let mut name = file.clone().into_os_string();
        name.push(end);
        let _ = std::fs::remove_file(name);
    }
    Ok(())
}

/// What the migration clients on the servers do; and the network, which loses three answers in a hundred.
fn begin_with_servers(stage: &Stage) {
    let Some(cloud) = stage.cloud() else { return };
    let servers: Vec<String> = (0..SERVERS)
        .map(|number| format!(r#"{{"SourceId":"s-{number:04}","State":"Available"}}"#))
        .collect();
    let seed = format!(r#"{{"smc":{{"source-server":[{}]}}}}"#, servers.join(","));
    cloud.seed(&seed).expect("the servers are registered");
    for number in (0..SERVERS).step_by(33) {
        let lost = Fault::new(Service::Smc, FaultKind::LoseResponse)
            .operation("CreateReplicationJob")
            .matching(format!("s-{number:04}"));
        cloud.inject(lost);
    }
}
