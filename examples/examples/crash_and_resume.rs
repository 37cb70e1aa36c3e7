//! SMC: a program that is killed in the middle of a create, and its next run, which finds what it made.
//!
//! `CreateAccessToken` takes no client token, so that the service would not recognise a repeat. The ledger
//! knows that something was begun, and `or_find` looks for it by its name. This program starts itself
//! twice and kills the first run once its request has arrived. It needs the local cloud.

use std::process::{Child, Command};
use std::time::Duration;

use cumulo_localcloud::{Fault, FaultKind, LocalCloud, Service, accounts};
use cumulo_smc::access_token::{CreateAccessToken, ListAccessTokens};
use cumulo_smc::{Client, Error, Ledger, credentials::Static};

/// Tells a run where the service is, and where its ledger.
const ENDPOINT: &str = "CRASH_AND_RESUME_ENDPOINT";
const LEDGER: &str = "CRASH_AND_RESUME_LEDGER";

fn client(endpoint: &str) -> Result<Client, Error> {
    Client::builder()
        .endpoint(endpoint)
        .region(accounts::ALIBABA_REGION)
        .credentials(Static::keys(
            accounts::ALIBABA_KEY_ID,
            accounts::ALIBABA_SECRET,
        ))
        .build()
}

/// What the program is for. It is the same in each run.
async fn run(endpoint: &str, ledger: &str) -> Result<(), Error> {
    let smc = client(endpoint)?;
    // Otherwise it waits 30 s, since a request of the run before could still be on its way.
    let ledger = Ledger::open(ledger).await?.settle(Duration::ZERO);
    for (key, entry) in ledger.unfinished().await? {
        println!("  {key}: {} was cut off", entry.operation);
    }
    let create = CreateAccessToken::new().name("web-servers");
    let code = create
        .or_find(&smc)
        .once(&ledger, "activation-code/web-servers")
        .await?;
    let how = if code.found() { "found" } else { "made" };
    let id = code.access_token_id.as_deref().unwrap_or_default();
    println!("  {how} the activation code {id}");
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    if let (Ok(endpoint), Ok(ledger)) = (std::env::var(ENDPOINT), std::env::var(LEDGER)) {
        return Ok(run(&endpoint, &ledger).await?);
    }
    let cloud = LocalCloud::start().await;
    let ledger = std::env::temp_dir().join(format!("crash-and-resume-{}", std::process::id()));
    let start = || -> std::io::Result<Child> {
        Command::new(std::env::current_exe()?)
            .env(ENDPOINT, cloud.smc_endpoint())
            .env(LEDGER, &ledger)
            .spawn()
    };

    println!("first run: killed while it waits for the answer");
    // The code is made and the answer lost; whatever the program asks then is not answered.
    let lost = Fault::new(Service::Smc, FaultKind::LoseResponse);
    cloud.inject(lost.operation("CreateAccessToken"));
    let never = FaultKind::Delay(Duration::from_secs(3600));
    cloud.inject(Fault::new(Service::Smc, never).operation("ListAccessTokens"));
    let mut first = start()?;
    while cloud.requests().is_empty() {
        if let Some(status) = first.try_wait()? {
            return Err(format!("the first run ended by itself: {status}").into());
        }
        tokio::task::yield_now().await;
    }
    first.kill()?;
    first.wait()?;
    cloud.clear_faults();

    println!("second run: the same program again");
    let mut second = start()?;
    while second.try_wait()?.is_none() {
        tokio::task::yield_now().await;
    }
    let smc = client(&cloud.smc_endpoint())?;
    let listed = ListAccessTokens::new().send(&smc).await?;
    println!("there is {} activation code", listed.access_tokens.len());
    assert_eq!(listed.access_tokens.len(), 1);
    for end in ["", ".lock"] {
        let mut name = ledger.clone().into_os_string();
        name.push(end);
        let _ = std::fs::remove_file(name);
    }
    Ok(())
}
