//! Outputs that break, and answers that would steer a terminal.

use std::process::Command;

use cumulo_core::Json;
use serde_json::json;

use crate::common::{alibaba, call_smc, cloud, run, run_with};
use crate::peer::Peer;

fn full() -> std::fs::File {
    std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap()
}

/// The JSON lines among what was said.
fn results(said: &str) -> Vec<Json> {
    said.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_ends_a_batch_and_loses_no_result() {
    let cloud = cloud();
    let mut command = alibaba();
    command.args(["batch", "--concurrency", "1", "--show-secrets"]);
    command.args(["--endpoint-url", &cloud.smc_endpoint()]);
    let line = "{\"service\":\"smc\",\"operation\":\"CreateAccessToken\"}\n";
    let ended = run_with(command.stdout(full()), line.repeat(100).as_bytes());
    assert_eq!(ended.status, 1, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("results cannot be written"),
        "{}",
        ended.stderr
    );
    let results = results(&ended.stderr);
    assert_eq!(results.len(), cloud.requests().len());
    assert!(results.len() < 100, "it went on");
    for result in results {
        assert!(result["output"]["AccessTokenCode"].as_str().unwrap().len() > 8);
    }
}

#[test]
#[cfg(unix)]
fn a_file_at_its_limit_ends_a_batch_and_loses_no_result() {
    let cloud = cloud();
    let path = concat!(env!("CARGO_TARGET_TMPDIR"), "/limited");
    let mut command = Command::new("sh");
    command.env_clear();
    for (name, value) in alibaba().get_envs() {
        command.env(name, value.unwrap());
    }
    let script = format!(
        "ulimit -f 8; exec {} batch --concurrency 1 --show-secrets --endpoint-url {}",
        env!("CARGO_BIN_EXE_cumulo"),
        cloud.smc_endpoint()
    );
    command.args(["-c", &script]);
    command.stdout(std::fs::File::create(path).unwrap());
    command.stderr(std::process::Stdio::piped());
    let line = "{\"service\":\"smc\",\"operation\":\"CreateAccessToken\"}\n";
    let ended = run_with(&mut command, line.repeat(100).as_bytes());
    assert_eq!(ended.status, 1, "{}", ended.stderr);
    let told = "results cannot be written";
    assert!(ended.stderr.contains(told), "{}", ended.stderr);
    let written = results(&std::fs::read_to_string(path).unwrap()).len();
    let sent = cloud.requests().len();
    assert_eq!(written + results(&ended.stderr).len(), sent);
    assert!(0 < written && sent < 100, "{written} of {sent}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_costs_a_call_its_success_and_not_its_result() {
    let cloud = cloud();
    let mut command = call_smc(&cloud, "CreateAccessToken", r#"{"Name":"web-servers"}"#);
    let ended = run(command.arg("--show-secrets").stdout(full()));
    assert_eq!(ended.status, 1, "{}", ended.stderr);
    let result = &results(&ended.stderr)[0];
    assert!(result["output"]["AccessTokenCode"].is_string(), "{result}");
}

/// Runs `call smc ListAccessTokens` against a peer that answers so.
fn answered(status: u16, body: &[u8], options: &[&str]) -> crate::common::Ended {
    let peer = Peer::start();
    let mut command: Command = alibaba();
    command.args(["call", "smc", "ListAccessTokens", "{}"]);
    command
        .args(["--endpoint-url", &peer.address])
        .args(options);
    let body = body.to_vec();
    let answer = std::thread::spawn(move || peer.next().answer(status, &body));
    let ended = run(&mut command);
    answer.join().unwrap();
    ended
}

#[test]
fn answers_do_not_steer_a_terminal() {
    let hostile = "a\u{1b}]0;t\u{7}\u{7f}\u{9b}2J\u{202e}\u{2066}\r";
    let list = json!({
        "RequestId": hostile,
        "AccessTokens": {"AccessToken": [{"Name": hostile, "Description": hostile}]},
    });
    let refusal = json!({"Code": "Forbidden", "Message": hostile, "RequestId": hostile});
    for (status, body) in [(200, &list), (403, &refusal)] {
        for options in [&["--output", "json"], &["--output", "table"]] {
            let ended = answered(status, body.to_string().as_bytes(), options);
            assert!(!ended.printed().is_empty());
            let raw = |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{2066}".contains(c);
            assert!(
                !ended.printed().contains(raw),
                "{status} {options:?}: {:?}",
                ended.printed()
            );
        }
    }
    // What scripts read is still what the service said.
    let ended = answered(200, list.to_string().as_bytes(), &[]);
    let name = &ended.json()["output"]["AccessTokens"]["AccessToken"][0]["Name"];
    assert_eq!(name, hostile);
}

#[test]
fn answers_that_are_not_text_are_told_in_text() {
    for body in [
        &b"\xff\xfe\x00{"[..],
        b"{\"RequestId\":\"\xff\x9b\"}",
        b"\x1b[2J",
    ] {
        for status in [200, 500] {
            let ended = answered(status, body, &["--timeout", "5s"]);
            assert!(ended.status <= 1, "{}", ended.printed());
            assert!(
                !ended.printed().contains(['\u{1b}', '\u{9b}', '\0']),
                "{:?}",
                ended.printed()
            );
        }
    }
}

#[test]
#[cfg(unix)]
fn without_an_output_nothing_is_sent_and_into_nowhere_it_is() {
    for (to, status, requests) in [(">&-", 1, 0), (">/dev/null", 0, 1)] {
        let cloud = cloud();
        let script = format!(
            "exec {} call smc CreateAccessToken --show-secrets --endpoint-url {} {to}",
            env!("CARGO_BIN_EXE_cumulo"),
            cloud.smc_endpoint()
        );
        let mut command = Command::new("sh");
        let key = alibaba();
        for (name, value) in key
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?)))
        {
            command.env(name, value);
        }
        let ended = run(command.args(["-c", &script]));
        assert_eq!(ended.status, status, "{to}: {}", ended.printed());
        assert_eq!(cloud.requests().len(), requests, "{to}");
    }
}
