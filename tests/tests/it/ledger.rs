//! Is a thing that a ledger knows made once, whatever happens to the program in between?

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cumulo_core::clock::{BoxFuture, ManualClock};
use cumulo_core::ledger::{Entry, Journal, JournalError, Ledger, State};
use cumulo_core::transport::TransportErrorKind;
use cumulo_localcloud::{Fault, FaultKind, Service, accounts};
use cumulo_smartag::enterprise_code::{CreateEnterpriseCode, ListEnterpriseCode};
use cumulo_smc::access_token::{CreateAccessToken, CreateAccessTokenOutput, ListAccessTokens};
use cumulo_smc::{ClientToken, Error, Kind, Outcome};
use cumulo_tests::{Answer, Bench, Script, manual_clock};
use cumulo_zstack::access_key::{CreateAccessKey, QueryAccessKey};

/// A journal in memory that remembers every change, and may be full.
#[derive(Debug, Default, Clone)]
struct Memory(Arc<Mutex<Pages>>);

#[derive(Debug, Default)]
struct Pages {
    entries: HashMap<String, Entry>,
    put: Vec<Entry>,
    full: bool,
}

impl Memory {
    fn ledger(&self, clock: &ManualClock) -> Ledger {
        Ledger::new(self.clone()).clock(clock.clone())
    }

    fn states(&self) -> Vec<State> {
        let pages = self.0.lock().unwrap();
        pages.put.iter().map(|entry| entry.state.clone()).collect()
    }

    fn tokens(&self) -> Vec<Option<String>> {
        let pages = self.0.lock().unwrap();
        pages.put.iter().map(|entry| entry.token.clone()).collect()
    }

    fn fill(&self) {
        self.0.lock().unwrap().full = true;
    }
}

impl Journal for Memory {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>, JournalError>> {
        let found = self.0.lock().unwrap().entries.get(key).cloned();
        Box::pin(async move { Ok(found) })
    }
    fn put<'a>(&'a self, key: &'a str, entry: Entry) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(async move {
            let mut pages = self.0.lock().unwrap();
            if pages.full {
                return Err(JournalError::new("no space left"));
            }
            pages.put.push(entry.clone());
            pages.entries.insert(key.to_owned(), entry);
            Ok(())
        })
    }
    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), JournalError>> {
        self.0.lock().unwrap().entries.remove(key);
        Box::pin(async { Ok(()) })
    }
    fn all(&self) -> BoxFuture<'_, Result<Vec<(String, Entry)>, JournalError>> {
        let all = self.0.lock().unwrap().entries.clone();
        Box::pin(async move { Ok(all.into_iter().collect()) })
    }
}

/// A file of one test's own, removed at its end with what stands beside it.
struct File(PathBuf);

impl File {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("cumulo-tests-ledger-{}-{number}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        for suffix in ["", ".lock", ".new"] {
            let mut name = self.0.clone().into_os_string();
            name.push(suffix);
            let _ = std::fs::remove_file(name);
        }
    }
}

fn create(name: &str) -> CreateAccessToken {
    CreateAccessToken::new().name(name)
}

/// Finds an activation code by its name.
async fn by_name(
    smc: cumulo_smc::Client,
    name: &str,
) -> Result<Option<CreateAccessTokenOutput>, Error> {
    let listed = ListAccessTokens::new().name(name).send(&smc).await?;
    Ok(listed.output.access_tokens.into_iter().next().map(|found| {
        let mut output = CreateAccessTokenOutput::default();
        output.access_token_id = found.access_token_id;
        output
    }))
}

async fn codes(smc: &cumulo_smc::Client) -> i64 {
    let listed = ListAccessTokens::new().send(smc).await.unwrap();
    listed.total_count.unwrap()
}

#[tokio::test]
async fn what_was_done_is_answered_from_the_ledger() {
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();
    let file = File::new();
    let ledger = Ledger::open(&file.0).await.unwrap();
    let made = create("web").send(&smc).once(&ledger, "web").await.unwrap();
    let code = made.output.access_token_code.as_ref().unwrap();
    assert!(!code.is_empty());
    // Another process: what it knows is what the file says.
    drop(ledger);
    let text = std::fs::read_to_string(&file.0).unwrap();
    assert!(!text.contains(code.expose()), "the ledger holds a secret");
    let ledger = Ledger::open(&file.0).await.unwrap();
    let again = create("web").send(&smc).once(&ledger, "web").await.unwrap();
    assert_eq!(again.access_token_id, made.access_token_id);
    assert_eq!(again.access_token_code, None);
    assert_eq!(again.request_id(), made.request_id());
    assert!(again.attempts().is_empty());
    assert_eq!(bench.seen("CreateAccessToken").len(), 1);
    // Until the caller says that the thing is gone.
    ledger.forget("web").await.unwrap();
    create("web").send(&smc).once(&ledger, "web").await.unwrap();
    assert_eq!(codes(&smc).await, 2);
}

#[tokio::test]
async fn a_keyed_call_that_was_cut_off_goes_out_again_with_its_token() {
    let bench = Bench::start().await;
    let sag = bench.smartag().build().unwrap();
    let memory = Memory::default();
    let lost = Fault::new(Service::Smartag, FaultKind::LoseResponse);
    bench
        .cloud
        .inject(lost.operation("CreateEnterpriseCode").times(20));
    let send = |ledger: &Ledger| {
        CreateEnterpriseCode::new("a1b2c")
            .send(&sag)
            .once(ledger, "code")
    };
    let ledger = memory.ledger(&bench.clock);
    let error = send(&ledger).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert_eq!(ledger.unfinished().await.unwrap()[0].0, "code");
    bench.cloud.clear_faults();

    let made = send(&memory.ledger(&bench.clock)).await.unwrap();
    assert_eq!(made.client_token(), error.client_token());
    assert!(ledger.unfinished().await.unwrap().is_empty());
    let listed = ListEnterpriseCode::new()
        .items(&sag)
        .collect()
        .await
        .unwrap();
    assert_eq!(listed.len(), 1);
}

#[tokio::test]
async fn a_dropped_call_is_taken_up_again() {
    let bench = Bench::start().await;
    let memory = Memory::default();
    let ledger = memory.ledger(&bench.clock);
    let delayed = Fault::new(
        Service::Smartag,
        FaultKind::Delay(Duration::from_secs(3600)),
    );
    bench
        .cloud
        .inject(delayed.operation("CreateEnterpriseCode"));
    let sag = bench.smartag().build().unwrap();
    let call = CreateEnterpriseCode::new("a1b2c")
        .send(&sag)
        .once(&ledger, "code");
    let running = tokio::spawn(call);
    while memory.states().is_empty() {
        tokio::task::yield_now().await;
    }
    // One key, one call at a time.
    let second = CreateEnterpriseCode::new("a1b2c")
        .send(&sag)
        .once(&ledger, "code");
    let error = second.await.unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (Kind::InvalidInput, Outcome::NotSent)
    );
    assert!(error.message().contains("is under way"), "{error}");
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    assert_eq!(memory.states(), [State::Begun]);
    bench.cloud.clear_faults();

    let made = CreateEnterpriseCode::new("a1b2c")
        .send(&sag)
        .once(&ledger, "code")
        .await
        .unwrap();
    let token = made.client_token().unwrap().as_str().to_owned();
    assert_eq!(memory.tokens()[0].as_ref(), Some(&token));
}

#[tokio::test]
async fn another_input_under_the_same_key_is_refused() {
    let bench = Bench::start().await;
    let (smc, sag) = (
        bench.smc().build().unwrap(),
        bench.smartag().build().unwrap(),
    );
    let ledger = Memory::default().ledger(&bench.clock);
    create("web").send(&smc).once(&ledger, "k").await.unwrap();
    let sent = bench.cloud.requests().len();
    let other = create("web")
        .count(3)
        .send(&smc)
        .once(&ledger, "k")
        .await
        .unwrap_err();
    let token = CreateEnterpriseCode::new("a1b2c")
        .send(&sag)
        .once(&ledger, "k");
    for error in [other, token.await.unwrap_err()] {
        assert_eq!(error.kind(), Kind::IdempotencyMismatch, "{error}");
        assert_eq!(error.outcome(), Outcome::NotSent);
    }
    assert_eq!(bench.cloud.requests().len(), sent);
}

#[tokio::test]
async fn what_was_refused_may_be_corrected_under_the_same_key() {
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();
    let memory = Memory::default();
    let ledger = memory.ledger(&bench.clock);
    let error = create("9 lives")
        .send(&smc)
        .once(&ledger, "k")
        .await
        .unwrap_err();
    assert_eq!(error.outcome(), Outcome::Rejected);
    assert_eq!(memory.states(), [State::Begun, State::Rejected]);
    create("nine-lives")
        .send(&smc)
        .once(&ledger, "k")
        .await
        .unwrap();
}

#[tokio::test]
async fn an_unsafe_call_that_was_cut_off_is_looked_for_first() {
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();
    let memory = Memory::default();
    for (name, fault, executed) in [
        ("made", FaultKind::LoseResponse, true),
        ("lost", FaultKind::LoseRequest, false),
    ] {
        bench.fault(Service::Smc, "CreateAccessToken", fault);
        let ledger = memory.ledger(&bench.clock);
        let error = create(name)
            .send(&smc)
            .once(&ledger, name)
            .await
            .unwrap_err();
        assert_eq!(error.outcome(), Outcome::Unknown);
        let sent = bench.seen("CreateAccessToken").len();

        // Without a way to look nothing is sent, in this process or the next.
        let ledger = memory.ledger(&bench.clock);
        let error = create(name)
            .send(&smc)
            .once(&ledger, name)
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.outcome()),
            (Kind::Conflict, Outcome::Unknown)
        );
        assert!(error.to_string().contains("reconcile"), "{error}");
        assert_eq!(bench.seen("CreateAccessToken").len(), sent);

        // Looking waits until what was sent has arrived or never will.
        let before: Duration = bench.clock.slept().iter().sum();
        let looked = smc.clone();
        let made = create(name)
            .send(&smc)
            .once(&ledger, name)
            .reconcile(move || by_name(looked, name))
            .await
            .unwrap();
        let slept: Duration = bench.clock.slept().iter().sum();
        let waited = slept.saturating_sub(before);
        assert_eq!(waited, Duration::from_secs(30));
        assert!(made.access_token_id.is_some());
        let again = usize::from(!executed);
        assert_eq!(bench.seen("CreateAccessToken").len(), sent + again);
        let again = create(name).send(&smc).once(&ledger, name).await.unwrap();
        assert_eq!(again.access_token_id, made.access_token_id);
    }
    assert_eq!(codes(&smc).await, 2);
}

#[tokio::test]
async fn a_look_that_fails_leaves_the_outcome_unknown() {
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();
    let memory = Memory::default();
    bench.fault(Service::Smc, "CreateAccessToken", FaultKind::LoseResponse);
    let ledger = memory.ledger(&bench.clock);
    create("web")
        .send(&smc)
        .once(&ledger, "k")
        .await
        .unwrap_err();
    let fails = || async { Err(Error::new(Kind::PermissionDenied, "List", "not allowed")) };
    let call = create("web").send(&smc).once(&ledger, "k").reconcile(fails);
    let error = call.await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("not allowed"), "{source}");
    // No time to wait until the first request has settled.
    let soon = create("web")
        .send(&smc)
        .once(&ledger, "k")
        .reconcile(|| async { Ok(None) });
    bench.fault(Service::Smc, "CreateAccessToken", FaultKind::LoseResponse);
    let ledger = memory.ledger(&bench.clock);
    drop(soon);
    let call = create("web")
        .send(&smc)
        .once(&ledger, "k")
        .reconcile(|| async { Ok(None) });
    let error = call.timeout(Duration::from_secs(1)).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert!(error.to_string().contains("look again in"), "{error}");
    assert_eq!(bench.seen("CreateAccessToken").len(), 1);
    // A look belongs to a ledger.
    let call = create("web").send(&smc).reconcile(|| async { Ok(None) });
    assert_eq!(call.await.unwrap_err().kind(), Kind::InvalidInput);
}

#[tokio::test]
async fn a_token_that_the_service_may_have_forgotten_is_not_trusted() {
    let bench = Bench::start().await;
    let sag = bench.smartag().build().unwrap();
    let memory = Memory::default();
    bench.cloud.inject(
        Fault::new(Service::Smartag, FaultKind::LoseResponse)
            .operation("CreateEnterpriseCode")
            .times(20),
    );
    let send = |ledger: &Ledger| {
        CreateEnterpriseCode::new("a1b2c")
            .send(&sag)
            .once(ledger, "k")
    };
    let ledger = memory.ledger(&bench.clock);
    let first = send(&ledger).await.unwrap_err();
    let sent = bench.cloud.requests().len();
    bench.clock.advance(Duration::from_secs(2 * 3600));
    let error = send(&ledger).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (Kind::Conflict, Outcome::Unknown)
    );
    assert_eq!(error.client_token(), first.client_token());
    assert_eq!(bench.cloud.requests().len(), sent);
    let found = || async { Ok(Some(cumulo_smartag::types::Empty::default())) };
    send(&ledger).reconcile(found).await.unwrap();
    assert_eq!(bench.cloud.requests().len(), sent);
}

#[tokio::test]
async fn doubt_about_an_earlier_process_stays() {
    let bench = Bench::start().await;
    let memory = Memory::default();
    let send = |script: Script, token: Option<&str>| {
        let sag = bench.smartag().transport(script).build().unwrap();
        let call = CreateEnterpriseCode::new("a1b2c").send(&sag);
        let call = match token {
            Some(token) => call.client_token(token),
            None => call,
        };
        call.once(&memory.ledger(&bench.clock), "k")
    };
    let lost = Script::new((0..20).map(|_| Answer::broken(TransportErrorKind::Interrupted)));
    send(lost, None).await.unwrap_err();
    // Not allowed any more: that says nothing about the copy that went out before.
    let body = r#"{"RequestId":"r","Code":"Forbidden.RAM","Message":"m"}"#;
    let error = send(Script::one(403, body), None).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (Kind::PermissionDenied, Outcome::Unknown)
    );
    assert_eq!(memory.states().last(), Some(&State::Unknown));
    // Nor does it say anything that this copy cannot be sent.
    let error = send(Script::new([]), None).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (Kind::Connect, Outcome::Unknown)
    );
    // Nor is a copy with another token the same call.
    let other = send(Script::new([]), Some("my-own")).await.unwrap_err();
    assert_eq!(
        (other.kind(), other.outcome()),
        (Kind::IdempotencyMismatch, Outcome::NotSent)
    );
}

#[tokio::test]
async fn a_full_disk_sends_nothing() {
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();
    let memory = Memory::default();
    memory.fill();
    let ledger = memory.ledger(&bench.clock);
    let error = create("web")
        .send(&smc)
        .once(&ledger, "k")
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (Kind::Configuration, Outcome::NotSent)
    );
    assert!(error.to_string().contains("no space left"), "{error}");
    assert!(bench.cloud.requests().is_empty());
    for key in [String::new(), "k".repeat(513)] {
        let error = create("web")
            .send(&smc)
            .once(&ledger, key)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidInput);
    }
}

fn access_key() -> CreateAccessKey {
    CreateAccessKey::new(accounts::ZSTACK_ACCOUNT_UUID, accounts::ZSTACK_USER_UUID)
}

#[tokio::test]
async fn a_zstack_job_is_taken_up_by_its_id() {
    let bench = Bench::start().await;
    let zstack = bench.zstack().build().unwrap();
    let memory = Memory::default();
    let ledger = memory.ledger(&bench.clock);
    // The server has the job; the program dies while it asks after it.
    let delayed = Fault::new(Service::Zstack, FaultKind::Delay(Duration::from_secs(3600)));
    bench.cloud.inject(delayed.operation("PollJob"));
    let running = tokio::spawn(access_key().send(&zstack).once(&ledger, "key"));
    while bench.seen("CreateAccessKey").is_empty() {
        tokio::task::yield_now().await;
    }
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    bench.cloud.clear_faults();

    let made = access_key()
        .send(&zstack)
        .once(&memory.ledger(&bench.clock), "key")
        .await
        .unwrap();
    let token = made.client_token().map(ClientToken::as_str);
    assert_eq!(memory.tokens()[0].as_deref(), token);
    let keys = QueryAccessKey::new()
        .items(&zstack)
        .collect()
        .await
        .unwrap();
    assert_eq!(keys.len(), 2, "one was there from the start");
    assert_eq!(memory.states().len(), 3);
}

#[tokio::test]
async fn a_second_job_id_is_written_down_before_it_is_sent() {
    let bench = Bench::start().await;
    let zstack = bench.zstack_by_login().build().unwrap();
    zstack.as_ref().connect().await.unwrap();
    bench.cloud.expire_sessions();
    let memory = Memory::default();
    let ledger = memory.ledger(&bench.clock);
    access_key()
        .send(&zstack)
        .once(&ledger, "key")
        .await
        .unwrap();
    let jobs: Vec<Option<String>> = bench
        .seen("CreateAccessKey")
        .iter()
        .map(|request| request.header("x-job-uuid").map(str::to_owned))
        .collect();
    assert_eq!(jobs.len(), 2);
    assert_eq!(memory.tokens()[..2], jobs);
    assert_eq!(memory.states()[..2], [State::Begun, State::Begun]);
}

#[tokio::test]
async fn a_token_of_the_callers_own_goes_with_a_ledger() {
    let bench = Bench::start().await;
    let sag = bench.smartag().build().unwrap();
    let memory = Memory::default();
    let ledger = memory.ledger(&manual_clock());
    let token = ClientToken::derived("tenant-42/code");
    let call = CreateEnterpriseCode::new("a1b2c")
        .send(&sag)
        .client_token(token.clone());
    call.once(&ledger, "k").await.unwrap();
    assert_eq!(memory.tokens()[0].as_deref(), Some(token.as_str()));
}

const CHILD: &str = "CUMULO_TESTS_LEDGER_CHILD";
const THINGS: usize = 150;

/// The program that is killed: makes activation codes and enterprise codes under a ledger.
async fn child(smc: &str, smartag: &str, file: &str) {
    let bench = Bench::start().await;
    let smc = bench.smc().endpoint(smc).build().unwrap();
    let sag = bench.smartag().endpoint(smartag).build().unwrap();
    let ledger = Ledger::open(file).await.unwrap().clock(bench.clock.clone());
    for number in 0..THINGS {
        let name: &'static str = format!("thing-{number}").leak();
        let look = smc.clone();
        let call = create(name).send(&smc).once(&ledger, name);
        call.reconcile(move || by_name(look, name)).await.unwrap();
        let code = format!("{number:05}");
        let call = CreateEnterpriseCode::new(code.as_str()).send(&sag);
        call.once(&ledger, code).await.unwrap();
    }
}

#[tokio::test]
async fn a_program_that_is_killed_anywhere_makes_each_thing_once() {
    if let Ok(job) = std::env::var(CHILD) {
        let parts: Vec<&str> = job.split('|').collect();
        return child(parts[0], parts[1], parts[2]).await;
    }
    let bench = Bench::start().await;
    let (smc, sag) = (
        bench.smc().build().unwrap(),
        bench.smartag().build().unwrap(),
    );
    let file = File::new();
    let job = [bench.cloud.smc_endpoint(), bench.cloud.smartag_endpoint()].join("|");
    let job = format!("{job}|{}", file.0.display());
    let mut killed = 0;
    // Each life dies after so many requests; the last one may live.
    for requests in [0, 1, 2, 0, 3, 1, 5, 0, 4, 2, 1, 0, usize::MAX] {
        let plug = bench.cloud.requests().len().saturating_add(requests);
        let mut program = std::process::Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "ledger::a_program_that_is_killed_anywhere_makes_each_thing_once",
            ])
            .env(CHILD, &job)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let ended = loop {
            if let Some(status) = program.try_wait().unwrap() {
                break status.success();
            }
            if bench.cloud.requests().len() > plug {
                program.kill().unwrap();
                program.wait().unwrap();
                killed += 1;
                break false;
            }
            // Looking, not waiting: another process has its own time.
            tokio::time::sleep(Duration::from_millis(1)).await;
        };
        assert_eq!(ended, requests == usize::MAX);
        // What it had sent arrives before it lives again.
        for _ in 0..5 {
            codes(&smc).await;
        }
    }
    assert_eq!(killed, 12);
    let listed = ListAccessTokens::new().send(&smc).await.unwrap();
    let mut names: Vec<_> = listed
        .access_tokens
        .iter()
        .filter_map(|code| code.name.clone())
        .collect();
    names.sort();
    names.dedup();
    assert_eq!((names.len(), listed.access_tokens.len()), (THINGS, THINGS));
    let codes = ListEnterpriseCode::new()
        .items(&sag)
        .collect()
        .await
        .unwrap();
    assert_eq!(codes.len(), THINGS);
}
