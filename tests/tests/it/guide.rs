//! Do the programs of the pages work, as a reader would copy them?
//!
//! `build.rs` takes them out of the pages. Each runs in a process of its own, since programs take
//! their settings from the environment.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use cumulo_localcloud::{LocalCloud, accounts};

// Readers keep their programs as they like, and take the time from where they like.
#[allow(
    clippy::pedantic,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub
)]
mod pages {
    include!(concat!(env!("OUT_DIR"), "/guide.rs"));

    /// Name, what the local cloud begins with, and the program itself.
    pub(super) type Program = (&'static str, &'static str, fn() -> Result<(), String>);
}

/// The variable that names the program which a process of this test is to run.
const NAME: &str = "CUMULO_GUIDE_PROGRAM";

/// What there is where a page does not say: the job that several of them name.
const PAGES_JOB: &str =
    r#"{"smc":{"replication-job":[{"JobId":"j-bp152fgllsp2","Status":"Finished"}]}}"#;

/// How long a program may take; each takes parts of a second.
const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn every_program_of_the_pages_runs_against_the_local_cloud() {
    assert!(pages::PROGRAMS.len() >= 8);
    for (name, seed, _) in pages::PROGRAMS {
        let cloud = LocalCloud::start().await;
        // Nothing here is waited for: a job ends when it is started, a call of ZStack at once.
        cloud.zstack_synchronous(true);
        let seed = if seed.is_empty() { PAGES_JOB } else { seed };
        cloud
            .seed(seed)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let printed = run(name, &cloud);
        assert!(printed.contains("1 passed"), "{name}: {printed}");
        let asked = cloud.requests();
        assert!(!asked.is_empty(), "{name} asked nothing");
    }
}

/// Runs a program in a process of its own; what it printed. Errors go where those of this test go.
fn run(name: &str, cloud: &LocalCloud) -> String {
    let mut program = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "guide::a_program_of_a_page",
            "--ignored",
            "--nocapture",
        ])
        .env_clear()
        .env(NAME, name)
        .envs(variables(cloud))
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = program.stdout.take().unwrap();
    let (send, printed) = mpsc::channel();
    std::thread::spawn(move || {
        let mut text = String::new();
        let _ = output.read_to_string(&mut text);
        let _ = send.send(text);
    });
    let printed = printed.recv_timeout(LIMIT);
    if printed.is_err() {
        program.kill().unwrap();
    }
    let status = program.wait().unwrap();
    let printed = printed.unwrap_or_else(|_| panic!("{name} does not end"));
    assert!(status.success(), "{name}: {status}: {printed}");
    printed
}

/// What `cumulo local --env` prints, and what the pages say of the addresses.
fn variables(cloud: &LocalCloud) -> Vec<(&'static str, String)> {
    let variables = [
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", accounts::ALIBABA_KEY_ID),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", accounts::ALIBABA_SECRET),
        ("ALIBABA_CLOUD_REGION_ID", accounts::ALIBABA_REGION),
        ("SMC_ENDPOINT", &cloud.smc_endpoint()),
        ("SMARTAG_ENDPOINT", &cloud.smartag_endpoint()),
        ("OS_AUTH_URL", &cloud.iam_endpoint()),
        ("OS_USERNAME", accounts::KEYSTONE_USER),
        ("OS_PASSWORD", accounts::KEYSTONE_PASSWORD),
        ("OS_USER_DOMAIN_NAME", accounts::KEYSTONE_DOMAIN),
        ("OS_PROJECT_NAME", accounts::KEYSTONE_PROJECT_NAME),
        ("OS_PROJECT_DOMAIN_NAME", accounts::KEYSTONE_DOMAIN),
        ("OS_REGION_NAME", accounts::KEYSTONE_REGION),
        ("APIG_INSTANCE_ID", accounts::INSTANCE_ID),
        ("ZSTACK_ENDPOINT", &cloud.zstack_endpoint()),
        ("ZSTACK_ACCOUNT_NAME", accounts::ZSTACK_ACCOUNT),
        ("ZSTACK_ACCOUNT_PASSWORD", accounts::ZSTACK_PASSWORD),
    ];
    variables
        .map(|(name, value)| (name, value.to_owned()))
        .into()
}

#[test]
#[ignore = "a process of the test above runs it"]
fn a_program_of_a_page() {
    let wanted = std::env::var(NAME).unwrap();
    let known = pages::PROGRAMS;
    let (_, _, run) = known.iter().find(|(name, ..)| *name == wanted).unwrap();
    if let Err(error) = run() {
        panic!("{error}");
    }
}
