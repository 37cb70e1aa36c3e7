//! A secret that is shown only once has a place before it comes.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use cumulo_core::Json;
use cumulo_localcloud::LocalCloud;
use serde_json::json;

use crate::common::{alibaba, call_smc, cloud, run, run_with};

/// A file name that no other test uses, and no file.
fn fresh(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_file(&path);
    path
}

fn create(cloud: &LocalCloud, file: &Path) -> Command {
    let mut command = call_smc(cloud, "CreateAccessToken", r#"{"Name":"web-servers"}"#);
    command.arg("--secrets-to").arg(file);
    command
}

fn batch(cloud: &LocalCloud, file: &Path) -> Command {
    let mut command = alibaba();
    command.args(["batch", "--endpoint-url", &cloud.smc_endpoint()]);
    command.arg("--secrets-to").arg(file);
    command
}

const LINE: &[u8] = b"{\"service\":\"smc\",\"operation\":\"CreateAccessToken\"}\n";

fn kept(file: &Path) -> Vec<Json> {
    let text = std::fs::read_to_string(file).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn without_a_place_nothing_is_sent() {
    let cloud = cloud();
    let ended = run(&mut call_smc(&cloud, "CreateAccessToken", "{}"));
    assert_eq!(ended.status, 2, "{}", ended.printed());
    let error = &ended.json()["error"];
    assert_eq!(
        (&error["kind"], &error["outcome"]),
        (&json!("InvalidInput"), &json!("NotSent"))
    );
    for said in [&ended.stderr, &ended.stdout] {
        assert!(
            said.contains("AccessTokenCode") && said.contains("--secrets-to FILE"),
            "{said}"
        );
    }
    let mut command = alibaba();
    command.args(["batch", "--endpoint-url", &cloud.smc_endpoint()]);
    let ended = run_with(&mut command, LINE);
    assert_eq!(ended.status, 1);
    assert_eq!(ended.json()["error"]["outcome"], "NotSent");
    assert!(cloud.requests().is_empty());
}

#[test]
fn a_file_takes_them_for_its_owner_alone() {
    let cloud = cloud();
    let file = fresh("codes-of-a-call");
    let ended = run(&mut create(&cloud, &file));
    assert_eq!(ended.status, 0, "{}", ended.printed());
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let lines = kept(&file);
    assert_eq!(lines.len(), 1);
    assert_eq!(
        (&lines[0]["service"], &lines[0]["operation"]),
        (&json!("smc"), &json!("CreateAccessToken"))
    );
    let result = ended.json();
    assert_eq!(lines[0]["request_id"], result["request_id"]);
    let code = lines[0]["secrets"]["AccessTokenCode"].as_str().unwrap();
    assert!(code.len() > 8 && code != "** redacted **");
    assert_eq!(result["output"]["AccessTokenCode"], "** redacted **");
    assert!(!ended.printed().contains(code));
    assert!(ended.stderr.contains("codes-of-a-call"), "{}", ended.stderr);

    // What is there is never overwritten.
    let again = run(&mut create(&cloud, &file));
    assert_eq!(again.status, 2, "{}", again.printed());
    assert_eq!((kept(&file), cloud.requests().len()), (lines, 1));
}

#[test]
fn a_file_that_was_not_needed_does_not_stay() {
    let cloud = cloud();
    let file = fresh("codes-of-nothing");
    let mut command = call_smc(
        &cloud,
        "DisableAccessToken",
        r#"{"AccessTokenId":"at-none"}"#,
    );
    let ended = run(command.arg("--secrets-to").arg(&file));
    assert_eq!(ended.status, 1);
    assert!(!file.exists());
}

#[test]
fn a_batch_goes_on_with_its_file() {
    let cloud = cloud();
    let file = fresh("codes-of-batches");
    for round in 1..=2 {
        let ended = run_with(&mut batch(&cloud, &file), &LINE.repeat(5));
        assert_eq!(ended.status, 0, "{}", ended.printed());
        let lines = kept(&file);
        assert_eq!(lines.len(), 5 * round);
        for result in ended.lines() {
            let found = lines
                .iter()
                .find(|line| line["request_id"] == result["request_id"]);
            let code = found.unwrap()["secrets"]["AccessTokenCode"]
                .as_str()
                .unwrap();
            assert!(!ended.stdout.contains(code));
        }
    }
}

#[test]
fn files_that_are_not_fit_are_refused_before_anything_is_sent() {
    let cloud = cloud();
    let readable = fresh("codes-others-can-read");
    std::fs::write(&readable, "").unwrap();
    std::fs::set_permissions(&readable, PermissionsExt::from_mode(0o640)).unwrap();
    let foreign = fresh("a-private-key");
    std::fs::write(&foreign, "-----BEGIN PRIVATE KEY-----").unwrap();
    std::fs::set_permissions(&foreign, PermissionsExt::from_mode(0o600)).unwrap();
    for (file, expected) in [
        (readable.as_path(), "others can read it"),
        (&foreign, "something else"),
        (Path::new("/dev/full"), "no plain file"),
        (Path::new(env!("CARGO_TARGET_TMPDIR")), "no plain file"),
        (Path::new("/nowhere/at/all"), "No such file"),
    ] {
        let ended = run_with(&mut batch(&cloud, file), LINE);
        assert_eq!(
            (ended.status, ended.stdout.as_str()),
            (2, ""),
            "{}",
            ended.stderr
        );
        assert!(ended.stderr.contains(expected), "{}", ended.stderr);
        assert_eq!(run(&mut create(&cloud, file)).status, 2);
    }
    assert!(cloud.requests().is_empty());
}

/// The command under a limit of no bytes in any file, which is met by the first write.
fn without_room(command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\""]);
    shell.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            shell.env(name, value);
        }
    }
    shell
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    shell
}

#[test]
fn what_the_file_does_not_take_is_shown_rather_than_lost() {
    let cloud = cloud();
    let file = fresh("codes-without-room");
    let ended = run(&mut without_room(&create(&cloud, &file)));
    assert_eq!(ended.status, 1, "{}", ended.printed());
    let line = ended
        .stderr
        .lines()
        .find(|line| line.starts_with('{'))
        .unwrap();
    let line: Json = serde_json::from_str(line).unwrap();
    assert!(line["secrets"]["AccessTokenCode"].as_str().unwrap().len() > 8);
    assert!(ended.stderr.contains("IN CLEAR"), "{}", ended.stderr);
    assert_eq!(ended.json()["ok"], true);

    let file = fresh("codes-of-a-batch-without-room");
    let mut command = batch(&cloud, &file);
    command.args(["--concurrency", "1"]);
    let before = cloud.requests().len();
    let ended = run_with(&mut without_room(&command), &LINE.repeat(100));
    assert_eq!(ended.status, 1, "{}", ended.printed());
    let shown = ended.stderr.lines().filter(|line| line.starts_with('{'));
    let sent = cloud.requests().len() - before;
    assert_eq!(shown.count(), sent);
    assert!(sent < 100, "it went on");
}

#[test]
fn a_table_does_not_cut_them() {
    let cloud = cloud();
    let mut command = call_smc(&cloud, "CreateAccessToken", "{}");
    let ended = run(command.args(["--show-secrets", "--output", "table"]));
    assert_eq!(ended.status, 0);
    let line = ended
        .stdout
        .lines()
        .find(|line| line.starts_with("AccessTokenCode: "));
    assert!(!line.unwrap().contains('…'), "{}", ended.stdout);
}

#[test]
fn an_answer_that_fails_is_kept_whole_and_told_by_nobody() {
    use cumulo_localcloud::{Fault, FaultKind, Service};
    let body = r#"{"AccessTokenId":"at-1","AccessTokenCode":"onetimecode-4711"}"#;
    for (name, status, body) in [
        ("failed-500", 500, body.to_owned()),
        ("failed-cut", 200, body[..body.len() - 1].to_owned()),
    ] {
        let cloud = cloud();
        let fault = Fault::new(Service::Smc, FaultKind::body(status, body.clone()));
        cloud.inject(fault.operation("CreateAccessToken").times(9));
        let file = fresh(name);
        let ended = run(&mut create(&cloud, &file));
        assert_eq!(ended.status, 1, "{}", ended.printed());
        assert!(
            !ended.printed().contains("onetimecode"),
            "{}",
            ended.printed()
        );
        assert_eq!(ended.json()["error"]["outcome"], json!("Unknown"));
        let kept = kept(&file);
        assert_eq!(kept[0]["secrets"]["whole_answer"], json!(body), "{kept:?}");
    }
}

#[test]
fn a_file_that_ends_in_the_middle_of_a_line_is_continued_on_the_next() {
    let cloud = cloud();
    let file = fresh("torn");
    std::fs::write(&file, "{\"service\":\"smc\",\"op").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let ended = run_with(&mut batch(&cloud, &file), LINE);
    assert_eq!(ended.status, 0, "{}", ended.printed());
    let text = std::fs::read_to_string(&file).unwrap();
    let last: Json = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap();
    assert!(last["secrets"]["AccessTokenCode"].is_string(), "{last}");
}
