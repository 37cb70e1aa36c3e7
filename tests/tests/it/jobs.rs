//! Can a job be left alone, looked at, and taken up by another program?

use std::io::BufRead;
use std::time::Duration;

use cumulo_core::ledger::{Ledger, State};
use cumulo_core::retry::{Polling, RetryPolicy};
use cumulo_core::transport::TransportErrorKind;
use cumulo_localcloud::{LocalCloud, accounts};
use cumulo_tests::{Answer, Bench, Script, manual_clock};
use cumulo_zstack::access_key::{CreateAccessKey, QueryAccessKey};
use cumulo_zstack::longjob::GetTaskProgress;
use cumulo_zstack::{Client, Kind, Outcome};

const CREATE: &str = "CreateAccessKey";

fn create() -> CreateAccessKey {
    CreateAccessKey::new(accounts::ZSTACK_ACCOUNT_UUID, accounts::ZSTACK_USER_UUID)
}

async fn with_polls(polls: u32) -> (Bench, Client) {
    let cloud = LocalCloud::builder().zstack_job_polls(polls).start().await;
    let bench = Bench::of(cloud.unwrap());
    let zstack = bench.zstack().build().unwrap();
    (bench, zstack)
}

async fn keys(zstack: &Client) -> usize {
    let listed = QueryAccessKey::new().send(zstack).await;
    listed.unwrap().inventories.len()
}

#[tokio::test]
async fn a_job_is_begun_looked_at_and_waited_for() {
    let (bench, zstack) = with_polls(3).await;
    let mut job = create().send(&zstack).submit().await.unwrap();
    assert!(!job.is_done());
    assert_eq!(bench.seen("PollJob").len(), 0);
    assert_eq!(bench.only(CREATE).header("x-job-uuid"), Some(job.id()));
    // A look is one question, and no wait.
    assert!(!job.poll().await.unwrap());
    assert!(!job.poll().await.unwrap());
    assert_eq!(bench.seen("PollJob").len(), 2);
    assert!(bench.clock.slept().is_empty());
    let id = job.id().to_owned();
    let made = job.wait().await.unwrap();
    assert_eq!(made.job(), Some(id.as_str()));
    assert!(made.inventory.as_ref().unwrap().access_key_secret.is_some());
    assert_eq!(bench.seen(CREATE).len(), 1);
    assert_eq!(keys(&zstack).await, 2);
}

/// The reports of a job's tasks.
fn reports(reports: &str) -> Answer {
    Answer::new(200, format!(r#"{{"inventories":[{reports}]}}"#))
}

#[tokio::test]
async fn its_progress_is_what_the_service_tells() {
    let bench = Bench::start().await;
    let id = "36c27e8ff05c4780bf6d2fa65700f22e";
    for (told, percent) in [
        ("", None),
        (r#"{"type":"Task","content":"copying the image"}"#, None),
        (r#"{"type":"Progress","content":"40"}"#, Some(40)),
        (r#"{"type":"Progress","content":" 99.5 %"}"#, Some(99)),
        (r#"{"type":"Progress","content":"-3"}"#, Some(0)),
        (r#"{"type":"Progress","content":"1e9"}"#, Some(100)),
        (r#"{"type":"Progress","content":"nearly"}"#, None),
        // The latest counts, wherever it stands.
        (
            r#"{"type":"Progress","content":"70","time":3},{"type":"Progress","content":"20","time":1},{"type":"Task","content":"x","time":9}"#,
            Some(70),
        ),
    ] {
        let script = Script::new([reports(told)]);
        let zstack = bench.zstack().transport(script.clone()).build().unwrap();
        let job = zstack.job::<CreateAccessKey>(id);
        assert_eq!(job.progress().await.unwrap(), percent, "{told}");
        let sent = script.sent();
        let path = format!("/zstack/v1/task-progresses/{id}");
        assert_eq!((sent.len(), sent[0].url.path()), (1, path.as_str()));
    }
    // The local cloud serves the path; its jobs report nothing. What is done is done.
    let zstack = bench.zstack().build().unwrap();
    let mut job = create().send(&zstack).submit().await.unwrap();
    assert_eq!(job.progress().await.unwrap(), None);
    assert_eq!(bench.seen("GetTaskProgress").len(), 1);
    while !job.poll().await.unwrap() {}
    assert_eq!(job.progress().await.unwrap(), Some(100));
    // Services that run no jobs tell none; what is no id is not asked after.
    let smc = bench.smc().build().unwrap();
    let job = smc.job::<cumulo_smc::access_token::CreateAccessToken>(id);
    assert_eq!(job.progress().await.unwrap(), None);
    let wrong = zstack.job::<CreateAccessKey>("../secrets");
    let error = wrong.progress().await.unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidInput);
    assert_eq!(bench.seen("GetTaskProgress").len(), 1);
}

#[tokio::test]
async fn what_only_reads_is_no_job() {
    let (bench, zstack) = with_polls(1).await;
    let mut job = zstack.job::<GetTaskProgress>("36c27e8ff05c4780bf6d2fa65700f22e");
    let error = job.poll().await.unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidInput);
    assert!(error.message().contains("only reads"), "{error}");
    assert_eq!(job.wait().await.unwrap_err().kind(), Kind::InvalidInput);
    assert!(bench.cloud.requests().is_empty());
}

#[tokio::test]
async fn once_done_it_is_asked_after_no_more() {
    let (bench, zstack) = with_polls(0).await;
    let mut job = create().send(&zstack).submit().await.unwrap();
    while !job.poll().await.unwrap() {}
    let asked = bench.seen("PollJob").len();
    assert!(job.poll().await.unwrap() && job.is_done());
    assert!(job.wait().await.unwrap().inventory.is_some());
    assert_eq!(bench.seen("PollJob").len(), asked);
    // What the server does at once is done at once.
    bench.cloud.zstack_synchronous(true);
    let job = create().send(&zstack).submit().await.unwrap();
    assert_eq!((job.id(), job.is_done()), ("", true));
    assert!(job.wait().await.unwrap().inventory.is_some());
    assert_eq!(bench.seen("PollJob").len(), asked);
}

#[tokio::test]
async fn another_program_takes_it_up_by_its_id() {
    let (bench, zstack) = with_polls(2).await;
    let id = create().send(&zstack).submit().await.unwrap();
    let id = id.id().to_owned();
    let other = bench.zstack().build().unwrap();
    let made = other.job::<CreateAccessKey>(&id).wait().await.unwrap();
    assert!(made.inventory.as_ref().unwrap().access_key_secret.is_some());
    assert_eq!(made.job(), Some(id.as_str()));
    assert_eq!(bench.seen(CREATE).len(), 1);
    assert_eq!(keys(&other).await, 2);
}

#[tokio::test]
async fn a_job_that_nobody_knows_is_not_found_and_nothing_is_sent() {
    let (bench, zstack) = with_polls(1).await;
    let unknown = "36c27e8ff05c4780bf6d2fa65700f22e";
    let error = zstack.job::<CreateAccessKey>(unknown).wait().await;
    let error = error.unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (Kind::NotFound, Outcome::Unknown)
    );
    assert_eq!(error.job(), Some(unknown));
    assert!(error.message().contains("knows no such job"), "{error}");
    assert!(bench.seen(CREATE).is_empty());
    for wrong in ["", "../secrets", "a b"] {
        let error = zstack
            .job::<CreateAccessKey>(wrong)
            .wait()
            .await
            .unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidInput, "{wrong}");
    }
    assert_eq!(bench.seen("PollJob").len(), 1);
    // A service without jobs says so.
    let smc = bench.smc().build().unwrap();
    let job = smc.job::<cumulo_smc::access_token::CreateAccessToken>(unknown);
    assert!(
        job.wait()
            .await
            .unwrap_err()
            .message()
            .contains("runs no jobs")
    );
}

#[tokio::test]
async fn the_jobs_own_failure_is_told_to_whoever_takes_it_up() {
    let (_bench, zstack) = with_polls(1).await;
    let taken = create().access_key_id(accounts::ZSTACK_KEY_ID);
    let job = taken.send(&zstack).submit().await.unwrap();
    let error = zstack.job::<CreateAccessKey>(job.id()).wait().await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), Kind::OperationFailed);
    assert_eq!(error.outcome(), Outcome::Rejected);
    assert_eq!(error.job(), Some(job.id()));
}

#[tokio::test]
async fn how_it_is_asked_after_is_a_setting_of_client_and_call() {
    let (bench, _) = with_polls(4).await;
    let second = Duration::from_secs(1);
    let polling = Polling::new().interval(second).max_interval(2 * second);
    let zstack = bench.zstack().polling(polling).build().unwrap();
    create().send(&zstack).await.unwrap();
    let waits =
        |bench: &Bench| -> Vec<u64> { bench.clock.slept().iter().map(Duration::as_secs).collect() };
    assert_eq!(waits(&bench), [1, 2, 2, 2, 2]);
    let calls_own = Polling::new().interval(7 * second).max_interval(7 * second);
    create().send(&zstack).polling(calls_own).await.unwrap();
    assert_eq!(waits(&bench)[5..], [7, 7, 7, 7, 7]);
    // The limit holds where the service names none.
    let running = (0..99).map(|_| Answer::new(202, r#"{"location":"/v1/api-jobs/j1"}"#));
    let script = Script::new(running);
    let zstack = bench.zstack().transport(script).build().unwrap();
    let limit = Polling::new().limit(Duration::from_secs(5));
    let late = create().send(&zstack).polling(limit).await.unwrap_err();
    assert!(late.is_timeout());
    assert_eq!(late.job(), Some("j1"));
}

#[tokio::test]
async fn a_ledger_knows_the_job_of_a_call_that_was_left_or_cut_off() {
    let (bench, zstack) = with_polls(1).await;
    let path = std::env::temp_dir().join(format!("cumulo-jobs-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let ledger = Ledger::open(&path)
        .await
        .unwrap()
        .clock(bench.clock.clone());
    let job = create().send(&zstack).once(&ledger, "key").submit().await;
    let id = job.unwrap().id().to_owned();
    let unfinished = ledger.unfinished().await.unwrap();
    assert_eq!(unfinished.len(), 1);
    assert_eq!(unfinished[0].1.token.as_deref(), Some(id.as_str()));
    assert_eq!(unfinished[0].1.state, State::Begun);

    // Resumed while the server is out of reach: the error names the job that may be running.
    let down = Script::new([Answer::broken(TransportErrorKind::Connect)]);
    let away = bench.zstack().transport(down).build().unwrap();
    let call = create().send(&away).once(&ledger, "key");
    let error = call.retry(RetryPolicy::never()).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert_eq!(error.job(), Some(id.as_str()));
    // Resumed with it: the job's answer, once.
    let made = create().send(&zstack).once(&ledger, "key").await.unwrap();
    assert_eq!(made.job(), Some(id.as_str()));
    let again = create().send(&zstack).once(&ledger, "key").await.unwrap();
    assert_eq!(again.job(), Some(id.as_str()));
    assert_eq!(keys(&zstack).await, 2);
    drop(ledger);
    let _ = std::fs::remove_file(&path);
}

/// Tells the child process what to do: the server's address.
const CHILD: &str = "CUMULO_TEST_JOB";

/// Begins a job, says its id, and hangs until it is killed.
async fn child(address: &str) {
    let cloud = cumulo_zstack::Client::builder()
        .endpoint(address)
        .server_utc_offset(0)
        .credentials(cumulo_core::credentials::Static::keys(
            accounts::ZSTACK_KEY_ID,
            accounts::ZSTACK_KEY_SECRET,
        ))
        .clock(manual_clock());
    let zstack = cloud.build().unwrap();
    let job = create().send(&zstack).submit().await.unwrap();
    println!("\njob {}", job.id());
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_job_outlives_the_program_that_began_it() {
    if let Ok(address) = std::env::var(CHILD) {
        return child(&address).await;
    }
    let (bench, zstack) = with_polls(3).await;
    let mut program = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "jobs::a_job_outlives_the_program_that_began_it",
            "--nocapture",
        ])
        .env(CHILD, bench.cloud.zstack_endpoint())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let output = std::io::BufReader::new(program.stdout.take().unwrap());
    let (said, id) = tokio::sync::oneshot::channel();
    // The cloud answers the program meanwhile.
    std::thread::spawn(move || {
        let mut lines = output.lines().map_while(Result::ok);
        let id = lines.find_map(|line| line.strip_prefix("job ").map(str::to_owned));
        let _ = said.send(id);
    });
    let id = id.await.unwrap().expect("the id of a job");
    program.kill().unwrap();
    program.wait().unwrap();
    let made = zstack.job::<CreateAccessKey>(id).wait().await.unwrap();
    assert!(made.inventory.as_ref().unwrap().access_key_secret.is_some());
    assert_eq!(bench.seen(CREATE).len(), 1);
    assert_eq!(keys(&zstack).await, 2);
}
