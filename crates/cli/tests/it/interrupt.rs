//! Signals: what was sent is told, with what takes it up again.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};

use cumulo_core::Json;
use serde_json::json;

use crate::common::{Running, alibaba, bare, run};
use crate::peer::{Peer, Request, kill};

fn batch(peer: &Peer, options: &[&str]) -> Running {
    let mut command = alibaba();
    command.args(["batch", "--endpoint-url", &peer.address]);
    Running(command.args(options).stdin(Stdio::piped()).spawn().unwrap())
}

fn create(name: &str) -> String {
    let input = json!({ "EnterpriseCode": name });
    let line = json!({"service": "smartag", "operation": "CreateEnterpriseCode", "input": input});
    format!("{line}\n")
}

/// What it has printed and how it ended.
fn end(mut child: Running) -> (Vec<Json>, String, i32) {
    let mut said = String::new();
    let mut stderr = child.0.stderr.take();
    let mut results = String::new();
    let mut stdout = child.0.stdout.take().unwrap();
    stdout.read_to_string(&mut results).unwrap();
    if let Some(stderr) = &mut stderr {
        stderr.read_to_string(&mut said).unwrap();
    }
    let lines = results
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let status = child.0.wait().unwrap().code().expect("it ended by itself");
    (lines, said, status)
}

#[test]
fn every_open_create_is_printed_with_its_token() {
    let peer = Peer::start();
    let mut child = batch(&peer, &["--concurrency", "24", "--grace", "20ms"]);
    let mut stdin = child.0.stdin.take().unwrap();
    for index in 0..40 {
        stdin
            .write_all(create(&format!("code{index}")).as_bytes())
            .unwrap();
    }
    let sent: Vec<Request> = (0..24).map(|_| peer.next()).collect();
    kill(&child.0, "TERM");
    let (lines, said, status) = end(child);
    assert_eq!(status, 143, "{said}");
    let known: BTreeSet<String> = sent
        .iter()
        .map(|request| request.value("ClientToken="))
        .collect();
    let mut told = BTreeSet::new();
    for (index, line) in lines.iter().enumerate() {
        let error = &line["error"];
        if index < 24 {
            assert_eq!(
                (&error["outcome"], &line["attempts"]),
                (&json!("Unknown"), &json!(1))
            );
            told.insert(error["client_token"].as_str().unwrap().to_owned());
        } else {
            assert_eq!(
                (&error["outcome"], &line["attempts"]),
                (&json!("NotSent"), &json!(0))
            );
        }
        assert_eq!(error["kind"], "Interrupted");
    }
    assert_eq!((told.len(), &told), (24, &known));
    // Input and output match line by line up to where it says.
    let last = format!(
        "ended after line {} of the input: 0 ok, 0 rejected, 24 unknown",
        lines.len()
    );
    assert!(said.contains(&last), "{said}");
    drop(stdin);
}

#[test]
fn a_signal_to_quit_is_no_crash() {
    let peer = Peer::start();
    let mut child = batch(&peer, &["--grace", "20ms"]);
    let mut stdin = child.0.stdin.take().unwrap();
    stdin.write_all(create("code1").as_bytes()).unwrap();
    let token = peer.next().value("ClientToken=");
    kill(&child.0, "QUIT");
    let (lines, said, status) = end(child);
    assert_eq!((lines.len(), status), (1, 131), "{said}");
    assert_eq!(lines[0]["error"]["client_token"], token.as_str());
    assert!(said.contains("SIGQUIT"), "{said}");
    drop(stdin);
}

#[test]
fn a_second_signal_ends_at_once_and_still_prints() {
    let peer = Peer::start();
    let mut child = batch(&peer, &["--grace", "60m"]);
    let mut stdin = child.0.stdin.take().unwrap();
    stdin.write_all(create("code1").as_bytes()).unwrap();
    let sent = peer.next();
    let mut stderr = BufReader::new(child.0.stderr.take().unwrap());
    kill(&child.0, "INT");
    let mut said = String::new();
    stderr.read_line(&mut said).unwrap();
    assert!(said.contains("once more ends them at once"), "{said}");
    kill(&child.0, "INT");
    let (lines, _, status) = end(child);
    assert_eq!((lines.len(), status), (1, 130));
    assert_eq!(
        lines[0]["error"]["client_token"],
        sent.value("ClientToken=")
    );
    drop(stdin);
}

#[test]
fn calls_under_way_may_end_in_the_grace() {
    let peer = Peer::start();
    let mut child = batch(&peer, &["--grace", "60m"]);
    let mut stdin = child.0.stdin.take().unwrap();
    stdin.write_all(create("code1").as_bytes()).unwrap();
    let sent = peer.next();
    let mut stderr = BufReader::new(child.0.stderr.take().unwrap());
    kill(&child.0, "INT");
    stderr.read_line(&mut String::new()).unwrap();
    sent.answer(200, br#"{"RequestId":"r-1","EnterpriseCode":"code1"}"#);
    let (lines, _, status) = end(child);
    assert_eq!(status, 130);
    assert_eq!(
        (&lines[0]["ok"], &lines[0]["request_id"]),
        (&json!(true), &json!("r-1"))
    );
    drop(stdin);
}

#[test]
fn what_takes_no_token_says_so() {
    let peer = Peer::start();
    let mut child = batch(&peer, &["--grace", "20ms", "--show-secrets"]);
    let mut stdin = child.0.stdin.take().unwrap();
    stdin
        .write_all(b"{\"service\":\"smc\",\"operation\":\"CreateAccessToken\"}\n")
        .unwrap();
    let _sent = peer.next();
    kill(&child.0, "INT");
    let (lines, _, _) = end(child);
    let error = &lines[0]["error"];
    assert_eq!(
        (&error["outcome"], &error["client_token"]),
        (&json!("Unknown"), &Json::Null)
    );
    let hint = error["hint"].as_str().unwrap();
    assert!(hint.contains("takes no client token"), "{hint}");
    drop(stdin);
}

/// ZStack with an access key, which needs no login.
fn zstack(peer: &Peer) -> Command {
    let mut command = bare();
    command
        .env("ZSTACK_ENDPOINT", format!("{}/zstack", peer.address))
        .env("ZSTACK_ACCESS_KEY_ID", "id")
        .env("ZSTACK_ACCESS_KEY_SECRET", "of-the-key");
    command
}

#[test]
fn a_job_is_told_by_its_id() {
    let peer = Peer::start();
    let mut command = zstack(&peer);
    command.args(["batch", "--grace", "20ms"]);
    let mut child = Running(command.stdin(Stdio::piped()).spawn().unwrap());
    let mut stdin = child.0.stdin.take().unwrap();
    let line = r#"{"service":"zstack","operation":"CreateZone","input":{"name":"z"}}"#;
    stdin.write_all(format!("{line}\n").as_bytes()).unwrap();
    let sent = peer.next();
    kill(&child.0, "TERM");
    let (lines, _, _) = end(child);
    let job = sent.value("x-job-uuid: ");
    assert_eq!(job.len(), 32);
    let error = &lines[0]["error"];
    assert_eq!(
        (&error["job"], &error["client_token"]),
        (&json!(job), &json!(job))
    );
    drop(stdin);
}

#[test]
fn a_call_says_how_to_take_it_up_again() {
    let peer = Peer::start();
    let input = r#"{"EnterpriseCode":"it's"}"#;
    let mut command = alibaba();
    command.args(["call", "smartag", "CreateEnterpriseCode", input]);
    command.args(["--endpoint-url", &peer.address]);
    let child = Running(command.spawn().unwrap());
    let token = peer.next().value("ClientToken=");
    kill(&child.0, "INT");
    let (lines, said, status) = end(child);
    assert_eq!(status, 130, "{said}");
    assert_eq!(lines[0]["error"]["outcome"], "Unknown");
    assert_eq!(lines[0]["error"]["client_token"], token.as_str());
    assert!(said.contains(&format!("client token: {token}")), "{said}");

    // The line that it gives is run as it stands, by a shell.
    let line = said
        .lines()
        .find(|line| line.contains("--client-token"))
        .unwrap()
        .trim()
        .to_owned();
    let mut shell = Command::new("sh");
    shell.args(["-c", &line]).env_clear();
    for (name, value) in alibaba().get_envs() {
        shell.env(name, value.unwrap());
    }
    shell.stdout(Stdio::piped()).stderr(Stdio::piped());
    let again = std::thread::spawn(move || run(&mut shell));
    let sent = peer.next();
    assert_eq!(sent.value("ClientToken="), token);
    assert_eq!(sent.value("EnterpriseCode="), "it%27s");
    sent.answer(200, br#"{"RequestId":"r-1"}"#);
    assert_eq!(again.join().unwrap().status, 0);
}

#[test]
fn a_job_of_a_call_is_taken_up_without_repeating_secrets() {
    let peer = Peer::start();
    let input = r#"{"name":"u","password":"hunter2-and-more"}"#;
    let mut command = zstack(&peer);
    command.args(["call", "zstack", "CreateUser", input]);
    let child = Running(command.spawn().unwrap());
    let job = peer.next().value("x-job-uuid: ");
    kill(&child.0, "TERM");
    let (lines, said, status) = end(child);
    assert_eq!(status, 143);
    assert_eq!(lines[0]["error"]["job"], job.as_str());
    assert!(said.contains(&format!("job: {job}")), "{said}");
    assert!(said.contains(&format!("--client-token {job}")), "{said}");
    assert!(!said.contains("hunter2") && !lines[0].to_string().contains("hunter2"));
}
