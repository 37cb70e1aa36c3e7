//! `cumulo wait`, `cumulo job` and `call --wait`: until things are ready, or never will be.

use cumulo_core::Json;
use cumulo_localcloud::{LocalCloud, Moves, Samples, Service, Transition};
use cumulo_tests::Bench;
use serde_json::json;

use crate::clouds::zstack;
use crate::common::{Ended, alibaba, call_smc, run};

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(work)
}

fn cloud() -> LocalCloud {
    block_on(LocalCloud::builder().samples(Samples::Never).start()).unwrap()
}

fn moves(cloud: &LocalCloud, moves: Moves, ending: &str) {
    let transition = Transition::new("replication-job", moves).ending(ending);
    cloud.transitions(Service::Smc, transition).unwrap();
}

/// A job that has been created.
fn created(cloud: &LocalCloud) -> String {
    let input = json!({ "SourceId": "s-1" }).to_string();
    let made = run(&mut call_smc(cloud, "CreateReplicationJob", &input));
    assert_eq!(made.status, 0, "{}", made.printed());
    made.json()["output"]["JobId"].as_str().unwrap().to_owned()
}

fn wait(cloud: &LocalCloud, words: &[&str]) -> Ended {
    let words = [&["wait", "smc", "replication-job"], words].concat();
    run(alibaba().args(words).args([
        "--interval",
        "10ms",
        "--endpoint-url",
        &cloud.smc_endpoint(),
    ]))
}

fn start(cloud: &LocalCloud, words: &[&str]) -> Ended {
    let input = json!({ "JobId": created(cloud) }).to_string();
    run(call_smc(cloud, "StartReplicationJob", &input).args(words))
}

/// A job that has been started, and moves as was said.
fn job(cloud: &LocalCloud) -> String {
    let job = created(cloud);
    let input = json!({ "JobId": job }).to_string();
    let started = run(&mut call_smc(cloud, "StartReplicationJob", &input));
    assert_eq!(started.status, 0, "{}", started.printed());
    job
}

#[test]
fn until_it_is_ready() {
    let cloud = cloud();
    moves(&cloud, Moves::AfterReads(2), "Finished");
    let ended = wait(&cloud, &[&job(&cloud)]);
    assert_eq!(
        (ended.status, ended.stderr.as_str()),
        (0, ""),
        "{}",
        ended.stdout
    );
    let line = ended.json();
    assert_eq!(
        (&line["state"], &line["output"]["Status"]),
        (&json!("Finished"), &json!("Finished"))
    );
    let state = ["--output", "text", "--query", "Status", "--for", "inerror"];
    moves(&cloud, Moves::AfterReads(1), "InError");
    let ended = wait(&cloud, &[&[job(&cloud).as_str()][..], &state].concat());
    assert_eq!(
        (ended.status, ended.stdout.as_str()),
        (0, "InError\n"),
        "{}",
        ended.stderr
    );
}

#[test]
fn the_error_says_how_it_was_seen_last() {
    let cloud = cloud();
    moves(&cloud, Moves::AfterReads(2), "InError");
    let ended = wait(&cloud, &[&job(&cloud)]);
    assert_eq!(ended.status, 1);
    assert_eq!(ended.json()["error"]["kind"], "OperationFailed");
    assert!(ended.stderr.contains("is InError"), "{}", ended.stderr);

    moves(&cloud, Moves::AfterReads(100_000), "Finished");
    let ended = wait(&cloud, &[&job(&cloud), "--timeout", "50ms"]);
    assert_eq!(ended.status, 1);
    assert_eq!(ended.json()["error"]["kind"], "Timeout");
    assert!(
        ended.stderr.contains("last seen in state"),
        "{}",
        ended.stderr
    );

    let ended = wait(&cloud, &["j-none"]);
    assert_eq!(
        (ended.status, &ended.json()["error"]["kind"]),
        (1, &json!("NotFound"))
    );
}

/// The cloud that answers samples knows no job that nobody began either.
#[test]
fn a_job_that_nobody_knows() {
    let cloud = block_on(LocalCloud::start());
    for what in ["wait", "show"] {
        let id = "8a6f2b0c1d3e4f5a9b8c7d6e5f4a3b2c";
        let ended = run(zstack(&cloud).args(["job", what, id, "--timeout", "20s"]));
        assert_eq!(ended.status, 1, "{}", ended.printed());
        assert_eq!(ended.json()["error"]["kind"], "NotFound");
    }
}

#[test]
fn until_it_is_gone() {
    let cloud = cloud();
    let made = run(zstack(&cloud).args(["call", "zstack", "CreateZone", r#"{"name":"z"}"#]));
    let uuid = made.json()["output"]["inventory"]["uuid"]
        .as_str()
        .unwrap()
        .to_owned();
    let gone = |uuid: &str, limit: &str| {
        let words = [
            "wait",
            "zstack",
            "zone",
            uuid,
            "--for",
            "gone",
            "--interval",
            "10ms",
        ];
        run(zstack(&cloud).args(words).args(["--timeout", limit]))
    };
    assert_eq!(gone(&uuid, "50ms").status, 1);
    let input = json!({ "uuid": uuid }).to_string();
    assert_eq!(
        run(zstack(&cloud).args(["call", "zstack", "DeleteZone", &input])).status,
        0
    );
    let ended = gone(&uuid, "60s");
    assert_eq!(
        (ended.status, &ended.json()["output"]),
        (0, &Json::Null),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_call_waits_for_what_it_moves() {
    let cloud = cloud();
    moves(&cloud, Moves::AtOnce, "Finished");
    let ended = start(&cloud, &["--wait"]);
    assert_eq!(
        (ended.status, ended.stderr.as_str()),
        (0, ""),
        "{}",
        ended.stdout
    );
    let line = ended.json();
    assert_eq!(
        (&line["ok"], &line["waited"]["state"]),
        (&json!(true), &json!("Finished"))
    );

    moves(&cloud, Moves::AtOnce, "InError");
    let ended = start(&cloud, &["--wait=10m"]);
    assert_eq!(ended.status, 1);
    let line = ended.json();
    assert_eq!(
        (&line["ok"], &line["waited"]["kind"]),
        (&json!(false), &json!("OperationFailed"))
    );
    assert!(
        line["output"]["RequestId"].is_string(),
        "what was made stands: {line}"
    );
    assert!(
        ended.stderr.contains("StartReplicationJob was made"),
        "{}",
        ended.stderr
    );
    // Jobs are waited for anyway.
    let zone = ["call", "zstack", "CreateZone", r#"{"name":"z"}"#, "--wait"];
    assert_eq!(run(zstack(&cloud).args(zone)).status, 0);
}

#[test]
fn jobs_of_zstack() {
    let bench = Bench::of(cloud());
    let cloud = &bench.cloud;
    cloud.zstack_job_polls(12);
    let id = block_on(async {
        let client = bench.zstack().build().unwrap();
        let create = cumulo_zstack::zone::CreateZone::new("z").send(&client);
        create.submit().await.unwrap().id().to_owned()
    });
    let job = |what: &str, id: &str, words: &[&str]| {
        run(zstack(cloud).args(["job", what, id]).args(words))
    };
    let shown = job("show", &id, &[]);
    assert_eq!(shown.status, 0, "{}", shown.printed());
    assert_eq!(shown.json()["output"]["state"], "Running");
    let late = job("wait", &id, &["--timeout", "50ms", "--interval", "10ms"]);
    assert_eq!(
        (late.status, &late.json()["error"]["kind"]),
        (1, &json!("Timeout"))
    );
    assert_eq!(late.json()["error"]["job"], id);

    for what in ["wait", "show"] {
        let ended = job(what, &id, &["--interval", "10ms"]);
        assert_eq!(ended.status, 0, "{what}: {}", ended.printed());
        let line = ended.json();
        assert_eq!(
            (&line["job"], &line["output"]["inventory"]["name"]),
            (&json!(id), &json!("z"))
        );
    }
    cloud.expire_jobs();
    for id in [id.as_str(), "00000000000000000000000000000000"] {
        let ended = job("wait", id, &[]);
        assert_eq!(
            (ended.status, &ended.json()["error"]["kind"]),
            (1, &json!("NotFound"))
        );
        assert!(ended.stderr.contains("forget jobs"), "{}", ended.stderr);
    }
    assert_eq!(job("wait", "no id/..", &[]).status, 2);
}

#[test]
fn long_jobs_are_jobs_too() {
    let cloud = cloud();
    let input = r#"{"jobName":"APIAddImageMsg","jobData":"{}"}"#;
    let made = run(zstack(&cloud).args(["call", "zstack", "SubmitLongJob", input]));
    assert_eq!(made.status, 0, "{}", made.printed());
    let uuid = made.json()["output"]["inventory"]["uuid"]
        .as_str()
        .unwrap()
        .to_owned();
    let ended = run(zstack(&cloud).args(["job", "wait", &uuid]));
    assert_eq!(ended.status, 0, "{}", ended.printed());
    let line = ended.json();
    assert_eq!(
        (&line["state"], &line["output"]["uuid"]),
        (&json!("Succeeded"), &json!(uuid))
    );
}
