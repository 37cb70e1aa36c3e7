//! SMC: move a server into an image, and watch it go. The job is made once even if its answer is lost.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use cumulo_examples::Stage;
use cumulo_localcloud::{Moves, Service, Transition};
use cumulo_smc::access_token::{CreateAccessToken, DeleteAccessToken};
use cumulo_smc::replication_job::{
    CreateReplicationJob, DeleteReplicationJob, StartReplicationJob,
};
use cumulo_smc::source_server::DescribeSourceServers;
use cumulo_smc::wait::{self, Observation};
use cumulo_smc::{ClientToken, Error, Kind};

#[tokio::main]
async fn main() -> Result<(), Error> {
    // The intermediate instance of a real migration is billed, so this one never leaves the machine.
    let stage = Stage::local().await;
    let smc = stage.smc().await?;

    // 1. A code, with which the migration client on the source server registers it.
    let code = CreateAccessToken::new()
        .name("hall-3")
        .count(1)
        .time_to_live_in_days(1)
        .send(&smc)
        .await?;
    let code_id = code.into_output().access_token_id.unwrap_or_default();
    install_migration_client(&stage);

    // 2. The server that came.
    let mut servers = DescribeSourceServers::new().name("db-1").items(&smc);
    let Some(server) = servers.next().await.transpose()? else {
        println!("no server has registered");
        return Ok(());
    };
    let source = server.source_id.unwrap_or_default();
    wait::source_server_available(source.as_str())
        .timeout(Duration::from_secs(600))
        .on(&smc)
        .await?;

    // 3. The job. The token belongs to the migration of this server: who starts the program again gets
    // the same job, and pays for no second one.
    let job = CreateReplicationJob::new(source.as_str())
        .name("db-1")
        .target_type(CreateReplicationJob::TARGET_TYPE_IMAGE)
        .image_name("db-1-image")
        .run_once(true)
        .send(&smc)
        .client_token(ClientToken::derived(&format!("migrate {source}")))
        .await?;
    let job = job.into_output().job_id.unwrap_or_default();
    StartReplicationJob::new(job.as_str()).send(&smc).await?;

    // 4. Hours, with a real server.
    let done = wait::replication_job_finished(job.as_str())
        .interval(Duration::from_millis(20))
        .timeout(Duration::from_secs(12 * 3600))
        .on_progress(bar)
        .on(&smc)
        .await;
    println!();
    match done {
        Ok(seen) => println!("{job}: image {}", seen.thing["ImageId"]),
        Err(error) if error.kind() == Kind::OperationFailed => {
            println!("{error}\nMend the cause and start the job again: it goes on where it was.");
            return Ok(());
        }
        Err(error) => return Err(error),
    }

    // 5. Nothing is left behind that could be used or billed.
    DeleteReplicationJob::new(job).send(&smc).await?;
    DeleteAccessToken::new(code_id).send(&smc).await?;
    Ok(())
}

/// A bar on a terminal, a line for each step elsewhere.
fn bar(seen: &Observation) {
    let percent = seen.progress.unwrap_or(0);
    let state = seen.state.as_deref().unwrap_or("-");
    let phase = seen.thing["BusinessStatus"].as_str().unwrap_or("");
    if std::io::stdout().is_terminal() {
        let full = "#".repeat(usize::from(percent) / 5);
        print!("\r[{full:<20}] {percent:>3} % {state} {phase:<12}");
        let _ = std::io::stdout().flush();
    } else {
        println!("{percent:>3} % {state} {phase}");
    }
}

/// What the administrator of the source server does with the code; here the local cloud is told that
/// the server is there, and that a job takes a while.
fn install_migration_client(stage: &Stage) {
    let Some(cloud) = stage.cloud() else { return };
    cloud
        .seed(r#"{"smc":{"source-server":[{"SourceId":"s-1","Name":"db-1","State":"Available"}]}}"#)
        .expect("the server is registered");
    let slow = Transition::new("replication-job", Moves::AfterReads(4));
    cloud
        .transitions(Service::Smc, slow)
        .expect("the job takes its time");
}
