//! Does a wait end when the thing is ready, and with what is wrong when it never will be?

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cumulo_apig::wait as apig;
use cumulo_core::clock::ManualClock;
use cumulo_core::transport::TransportErrorKind;
use cumulo_smartag::wait as sag;
use cumulo_smc::wait as smc;
use cumulo_smc::{Error, Kind};
use cumulo_tests::{Answer, Bench, Script};
use cumulo_zstack::wait as zstack;

type Seen = Result<cumulo_smc::wait::Observation, Error>;

/// What `wait` comes to while the service gives these answers, and the waits in between.
async fn smc_wait(waiter: smc::Waiter, answers: Vec<Answer>) -> (Seen, Vec<u64>) {
    let (seen, slept, _) = smc_seen(waiter, answers).await;
    (seen, slept)
}

async fn smc_seen(waiter: smc::Waiter, answers: Vec<Answer>) -> (Seen, Vec<u64>, Script) {
    let bench = Bench::start().await;
    let script = Script::new(answers);
    let client = bench.smc().transport(script.clone()).build().unwrap();
    let seen = waiter.on(&client).await;
    (seen, seconds(&bench.clock), script)
}

async fn zstack_wait(waiter: smc::Waiter, answers: Vec<Answer>) -> Seen {
    let bench = Bench::start().await;
    let script = Script::new(answers);
    let client = bench.zstack().transport(script).build().unwrap();
    waiter.on(&client).await
}

async fn apig_wait(waiter: smc::Waiter, answers: Vec<Answer>) -> (Seen, Script) {
    let bench = Bench::start().await;
    let script = Script::new(answers);
    let client = bench.apig().transport(script.clone()).build().unwrap();
    (waiter.on(&client).await, script)
}

fn seconds(clock: &ManualClock) -> Vec<u64> {
    clock.slept().iter().map(Duration::as_secs).collect()
}

fn job(members: &str) -> Answer {
    jobs(&[&format!(r#""JobId":"j-1",{members}"#)])
}

fn jobs(rows: &[&str]) -> Answer {
    let rows: Vec<String> = rows.iter().map(|row| format!("{{{row}}}")).collect();
    let rows = rows.join(",");
    Answer::new(
        200,
        format!(r#"{{"ReplicationJobs":{{"ReplicationJob":[{rows}]}},"TotalCount":1}}"#),
    )
}

fn inventory(members: &str) -> Answer {
    let row = format!(r#"{{"uuid":"{UUID}",{members}}}"#);
    Answer::new(200, format!(r#"{{"inventories":[{row}]}}"#))
}

const UUID: &str = "36c27e8ff05c4780bf6d2fa65700f22e";

fn kind(seen: Seen) -> (Kind, String) {
    let error = seen.unwrap_err();
    (error.kind(), error.to_string())
}

#[tokio::test]
async fn a_job_is_followed_to_its_end() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&told);
    let waiter = smc::replication_job_finished("j-1").on_progress(move |seen| {
        kept.lock()
            .unwrap()
            .push((seen.state.clone(), seen.progress));
    });
    let (seen, slept, script) = smc_seen(
        waiter,
        vec![
            job(r#""Status":"Ready""#),
            job(r#""Status":"Running","Progress":0.5"#),
            job(r#""Status":"Running","Progress":40"#),
            job(r#""Status":"Running","Progress":99"#),
            // Compared ignoring case.
            job(r#""Status":"finished","Progress":100,"ImageId":"m-1""#),
        ],
    )
    .await;
    let seen = seen.unwrap();
    assert!(seen.done);
    assert_eq!(
        (seen.state.as_deref(), seen.progress),
        (Some("finished"), Some(100))
    );
    assert_eq!(seen.thing["ImageId"], "m-1");
    // Each wait is twice the one before, until the state changes.
    assert_eq!(slept, [2, 2, 4, 8]);
    assert_eq!(seen.elapsed, Duration::from_secs(16));
    let told = told.lock().unwrap();
    assert_eq!(told.len(), 5);
    assert_eq!(told[1], (Some("Running".into()), Some(0)));
    assert!(script.sent().iter().all(|request| {
        let query = request.url.query().unwrap_or_default();
        query.contains("JobId.1=j-1")
    }));
}

#[tokio::test]
async fn an_incremental_job_is_done_when_it_waits_for_its_next_run() {
    let (seen, _) = smc_wait(
        smc::replication_job_finished("j-1"),
        vec![
            job(r#""Status":"Running","RunOnce":false"#),
            job(r#""Status":"Waiting","RunOnce":false"#),
        ],
    )
    .await;
    assert_eq!(seen.unwrap().state.as_deref(), Some("Waiting"));
    // One that runs once only waits to be begun.
    let (seen, _) = smc_wait(
        smc::replication_job_finished("j-1"),
        vec![
            job(r#""Status":"Waiting","RunOnce":true"#),
            job(r#""Status":"Finished","RunOnce":true"#),
        ],
    )
    .await;
    assert_eq!(seen.unwrap().state.as_deref(), Some("Finished"));
}

#[tokio::test]
async fn a_bad_state_ends_the_wait_with_its_reason() {
    let (seen, _) = smc_wait(
        smc::replication_job_finished("j-1"),
        vec![
            job(r#""Status":"Running""#),
            job(r#""Status":"InError","ErrorCode":"S15_1""#),
        ],
    )
    .await;
    let (kind, text) = kind(seen);
    assert_eq!(kind, Kind::OperationFailed);
    assert_eq!(
        text,
        "replication_job_finished failed: the replication job `j-1` is InError: S15_1"
    );
}

#[tokio::test]
async fn when_time_is_up_the_error_says_how_far_it_was() {
    let answers = |count: usize| -> Vec<Answer> {
        (0..count)
            .map(|_| job(r#""Status":"Running","Progress":40"#))
            .collect()
    };
    let waiter = smc::replication_job_finished("j-1")
        .interval(Duration::from_secs(4))
        .max_interval(Duration::from_secs(6))
        .timeout(Duration::from_secs(20));
    let (seen, slept) = smc_wait(waiter, answers(9)).await;
    // Read once more when time is up.
    assert_eq!(slept, [4, 6, 6, 4]);
    let error = seen.unwrap_err();
    assert!(error.is_timeout());
    let text = error.to_string();
    assert!(text.contains("not there yet after 20 s"), "{text}");
    assert!(
        text.contains("last seen in state Running, at 40 %"),
        "{text}"
    );
    // Reading makes nothing.
    assert!(!text.contains("executed"), "{text}");

    let mut in_time = answers(4);
    in_time.push(job(r#""Status":"Finished""#));
    let waiter = smc::replication_job_finished("j-1")
        .interval(Duration::from_secs(5))
        .max_interval(Duration::from_secs(5))
        .timeout(Duration::from_secs(20));
    assert!(smc_wait(waiter, in_time).await.0.unwrap().done);
}

#[tokio::test]
async fn failed_reads_are_borne_for_a_while_and_what_cannot_pass_ends_it() {
    let down = || (0..5).map(|_| Answer::broken(TransportErrorKind::Connect));
    // Each read is five attempts.
    let mut answers: Vec<Answer> = vec![job(r#""Status":"Running""#)];
    answers.extend(down().chain(down()));
    answers.push(job(r#""Status":"Finished""#));
    let waiter = smc::replication_job_finished("j-1");
    assert!(smc_wait(waiter, answers).await.0.unwrap().done);

    let mut answers: Vec<Answer> = vec![job(r#""Status":"Running""#)];
    answers.extend(down().chain(down()));
    let waiter = smc::replication_job_finished("j-1").tolerate(1);
    let (kind_, text) = kind(smc_wait(waiter, answers).await.0);
    assert_eq!(kind_, Kind::Connect);
    assert!(text.contains("last seen in state Running"), "{text}");

    let denied = r#"{"Code":"Forbidden.RAM","Message":"no","RequestId":"r"}"#;
    let answers = vec![job(r#""Status":"Running""#), Answer::new(403, denied)];
    let (seen, slept) = smc_wait(smc::replication_job_finished("j-1"), answers).await;
    let error = seen.unwrap_err();
    assert!(error.is_permission_denied());
    assert!(
        error.to_string().contains("last seen in state Running"),
        "{error}"
    );
    assert_eq!(slept.len(), 1);
}

#[tokio::test]
async fn what_vanishes_and_what_never_was_are_told_apart() {
    let nothing = || jobs(&[]);
    let mut answers = vec![job(r#""Status":"Running""#)];
    answers.extend((0..5).map(|_| nothing()));
    let (kind_, text) = kind(
        smc_wait(smc::replication_job_finished("j-1"), answers)
            .await
            .0,
    );
    assert_eq!(kind_, Kind::NotFound);
    assert!(
        text.contains("`j-1` vanished; it was last seen in state Running"),
        "{text}"
    );

    let answers = (0..5).map(|_| nothing()).collect();
    let (kind_, text) = kind(
        smc_wait(smc::replication_job_finished("j-1"), answers)
            .await
            .0,
    );
    assert_eq!(kind_, Kind::NotFound);
    assert!(text.contains("does not exist"), "{text}");

    // What was just made may not be listed yet.
    let answers = vec![nothing(), nothing(), job(r#""Status":"Finished""#)];
    let waiter = smc::replication_job_finished("j-1");
    assert!(smc_wait(waiter, answers).await.0.unwrap().done);
}

#[tokio::test]
async fn another_thing_that_stands_first_is_not_taken_for_it() {
    let answers = vec![
        jobs(&[
            r#""JobId":"j-0","Status":"Finished""#,
            r#""JobId":"j-1","Status":"Running""#,
        ]),
        jobs(&[
            r#""JobId":"j-0","Status":"InError""#,
            r#""JobId":"j-1","Status":"Finished""#,
        ]),
    ];
    let (seen, slept) = smc_wait(smc::replication_job_finished("j-1"), answers).await;
    assert!(seen.unwrap().done);
    assert_eq!(slept.len(), 1);

    let gateways = |ccn: &str| {
        Answer::new(
            200,
            format!(
                r#"{{"SmartAccessGateways":{{"SmartAccessGateway":[
                {{"SmartAGId":"sag-0","AssociatedCcnId":"ccn-1"}},
                {{"SmartAGId":"sag-1","AssociatedCcnId":"{ccn}"}}]}},"TotalCount":2}}"#
            ),
        )
    };
    let bench = Bench::start().await;
    let script = Script::new([gateways(""), gateways("ccn-2"), gateways("ccn-1")]);
    let client = bench.smartag().transport(script.clone()).build().unwrap();
    let waiter = sag::gateway_in_cloud_connect_network("sag-1", "ccn-1");
    let seen = waiter.on(&client).await.unwrap();
    assert_eq!(seen.state.as_deref(), Some("ccn-1"));
    assert_eq!(script.sent().len(), 3);
}

#[tokio::test]
async fn states_passed_through_mean_failure() {
    let state = |state: &str| inventory(&format!(r#""state":"{state}""#));
    // Stopped before the start was begun is no failure.
    let answers = ["Stopped", "Starting", "Unknown", "Running"].map(state);
    let seen = zstack_wait(zstack::vm_instance_running(UUID), answers.into()).await;
    assert_eq!(seen.unwrap().state.as_deref(), Some("Running"));
    let answers = ["Stopped", "Starting", "Stopped"].map(state);
    let seen = zstack_wait(zstack::vm_instance_running(UUID), answers.into()).await;
    let (kind_, text) = kind(seen);
    assert_eq!(kind_, Kind::OperationFailed);
    assert!(text.contains("is Stopped, having been Starting"), "{text}");
    let answers = ["Running", "Stopping", "Running"].map(state);
    let seen = zstack_wait(zstack::vm_instance_stopped(UUID), answers.into()).await;
    assert!(kind(seen).1.contains("is Running, having been Stopping"));
    let answers = ["Running", "Crashed"].map(state);
    let seen = zstack_wait(zstack::vm_instance_stopped(UUID), answers.into()).await;
    assert_eq!(kind(seen).0, Kind::OperationFailed);
}

#[tokio::test]
async fn zstack_things_that_are_ready_in_their_own_ways() {
    // A new disk is not instantiated before a virtual machine has it; one that belongs to one will be.
    let disk = inventory(r#""status":"NotInstantiated""#);
    let seen = zstack_wait(zstack::volume_ready(UUID), vec![disk]).await;
    assert!(seen.unwrap().done);
    let attached = inventory(r#""status":"NotInstantiated","vmInstanceUuid":"vm-1""#);
    let ready = inventory(r#""status":"Ready","vmInstanceUuid":"vm-1""#);
    let seen = zstack_wait(zstack::volume_ready(UUID), vec![attached, ready]).await;
    assert_eq!(seen.unwrap().state.as_deref(), Some("Ready"));

    let image =
        |status: &str, state: &str| inventory(&format!(r#""status":"{status}","state":"{state}""#));
    let answers = vec![image("Downloading", "Enabled"), image("Ready", "Disabled")];
    let waiter = zstack::image_ready(UUID).timeout(Duration::from_secs(3));
    assert_eq!(kind(zstack_wait(waiter, answers).await).0, Kind::Timeout);
    let seen = zstack_wait(zstack::image_ready(UUID), vec![image("Ready", "Enabled")]).await;
    assert!(seen.unwrap().done);

    let long = |state: &str| inventory(&format!(r#""state":"{state}","jobResult":"no space""#));
    let answers = ["Waiting", "Running", "Suspended", "Succeeded"].map(long);
    let seen = zstack_wait(zstack::long_job_succeeded(UUID), answers.into()).await;
    assert!(seen.unwrap().done);
    let answers = ["Running", "Failed"].map(long);
    let seen = zstack_wait(zstack::long_job_succeeded(UUID), answers.into()).await;
    assert!(kind(seen).1.ends_with("is Failed: no space"));
}

#[tokio::test]
async fn a_gateway_of_apig_comes_changes_and_goes() {
    let instance =
        |status: &str| Answer::new(200, format!(r#"{{"id":"i-1","status":"{status}"}}"#));
    let (seen, script) = apig_wait(
        apig::instance_running("i-1"),
        ["Creating", "Initing", "Running"].map(instance).into(),
    )
    .await;
    assert!(seen.unwrap().done);
    assert!(script.sent()[0].url.path().ends_with("/instances/i-1"));
    let (seen, _) = apig_wait(
        apig::instance_running("i-1"),
        ["Creating", "InitTimeout"].map(instance).into(),
    )
    .await;
    assert_eq!(kind(seen).0, Kind::OperationFailed);

    // Two reads in a row.
    let (seen, script) = apig_wait(
        apig::instance_eip_changed("i-1"),
        ["Running", "Updating", "Running", "Running"]
            .map(instance)
            .into(),
    )
    .await;
    assert!(seen.unwrap().done);
    assert_eq!(script.sent().len(), 4);

    let gone = r#"{"error_code":"APIG.3030","error_msg":"The instance does not exist;id:i-1"}"#;
    let (seen, _) = apig_wait(
        apig::instance_gone("i-1"),
        vec![
            instance("Running"),
            instance("Deleting"),
            Answer::new(404, gone),
        ],
    )
    .await;
    let seen = seen.unwrap();
    assert!(seen.done && seen.state.is_none());
    let (seen, _) = apig_wait(
        apig::instance_gone("i-1"),
        vec![instance("Deleting"), instance("DeleteFailed")],
    )
    .await;
    assert_eq!(kind(seen).0, Kind::OperationFailed);
}

#[tokio::test]
async fn a_binding_is_there_when_its_publication_is_among_the_unbound_no_more() {
    let unbound = |ids: &[&str], total: usize| {
        let rows: Vec<String> = ids
            .iter()
            .map(|id| format!(r#"{{"publish_id":"{id}"}}"#))
            .collect();
        Answer::new(
            200,
            format!(r#"{{"apis":[{}],"total":{total}}}"#, rows.join(",")),
        )
    };
    // What says nothing of the list proves nothing.
    let garbage = Answer::new(200, r#"{"message":"maintenance"}"#);
    let (seen, script) = apig_wait(
        apig::acl_bound("p-3", "acl-1"),
        vec![garbage, unbound(&[], 0)],
    )
    .await;
    assert!(seen.unwrap().done);
    assert_eq!(script.sent().len(), 2);
    // It need not stand on the first page.
    let (seen, script) = apig_wait(
        apig::acl_bound("p-3", "acl-1"),
        vec![
            unbound(&["p-1", "p-2"], 3),
            unbound(&["p-3"], 3),
            unbound(&["p-1", "p-2"], 2),
        ],
    )
    .await;
    assert!(seen.unwrap().done);
    let sent = script.sent();
    assert_eq!(sent.len(), 3);
    assert!(
        sent.iter()
            .all(|request| request.url.query().unwrap().contains("acl_id=acl-1"))
    );
}

#[tokio::test]
async fn a_wait_can_be_watched_and_dropped() {
    let bench = Bench::start().await;
    let script = Script::new([
        job(r#""Status":"Running""#),
        job(r#""Status":"Running""#),
        job(r#""Status":"Finished""#),
    ]);
    let client = bench.smc().transport(script.clone()).build().unwrap();
    let mut observations = smc::replication_job_finished("j-1").observe(&client);
    let first = observations.next().await.unwrap().unwrap();
    assert!(!first.done);
    // A look that is dropped loses nothing.
    drop(observations.next());
    let mut states = Vec::new();
    while let Some(seen) = observations.next().await {
        states.push(seen.unwrap().state.unwrap());
    }
    assert_eq!(states, ["Running", "Finished"]);
    assert_eq!(script.sent().len(), 3);
}

#[tokio::test]
async fn a_wait_can_be_a_task_of_its_own() {
    let bench = Bench::start().await;
    let script = Script::new([job(r#""Status":"Finished""#)]);
    let client = bench.smc().transport(script).build().unwrap();
    let waiter = smc::replication_job_finished("j-1").on_progress(|_| {});
    let waiting = tokio::spawn(waiter.on(&client));
    assert!(waiting.await.unwrap().unwrap().done);
}
