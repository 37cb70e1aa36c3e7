//! `cumulo local`: the four services as a process of their own.

use std::io::{BufRead, BufReader, Read};
use std::process::Command;

use cumulo_core::Json;
use cumulo_localcloud::accounts;

use crate::common::{Running, bare, run};

fn serve(args: &[&str]) -> (Running, BufReader<std::process::ChildStdout>) {
    let mut child = Running(bare().arg("local").args(args).spawn().unwrap());
    let stdout = BufReader::new(child.0.stdout.take().unwrap());
    (child, stdout)
}

fn line(stdout: &mut impl BufRead) -> String {
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    line
}

#[test]
fn scripts_read_one_line_and_call_it() {
    let (mut child, mut stdout) = serve(&["--json"]);
    let json: Json = serde_json::from_str(&line(&mut stdout)).unwrap();
    let endpoint = |service: &str| json["endpoints"][service].as_str().unwrap().to_owned();
    let environment: Vec<(&String, &str)> = json["environment"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(k, v)| (k, v.as_str().unwrap()))
        .collect();
    let calls = [
        (
            "smc",
            "ListAccessTokens",
            vec!["--endpoint-url".to_owned(), endpoint("smc")],
        ),
        (
            "smartag",
            "ListEnterpriseCode",
            vec!["--endpoint-url".to_owned(), endpoint("smartag")],
        ),
        (
            "apig",
            "ListAppsV2",
            vec!["--instance-id".to_owned(), accounts::INSTANCE_ID.to_owned()],
        ),
        ("zstack", "QueryAccessKey", vec![]),
    ];
    for (service, operation, options) in calls {
        let mut command = bare();
        command
            .envs(environment.iter().copied())
            .args(["call", service, operation])
            .args(options);
        let ended = run(&mut command);
        assert_eq!(ended.status, 0, "{service}: {}", ended.printed());
    }
    // Ctrl-C ends it well.
    let sent = Command::new("kill")
        .args(["-INT", &child.0.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
    assert_eq!(child.0.wait().unwrap().code(), Some(0));
}

#[test]
fn people_read_how_to_reach_it() {
    let (mut child, mut stdout) = serve(&[]);
    let mut text = String::new();
    // Read up to the last hint: the process goes on.
    while !text.contains("/v1/accounts/login") {
        let next = line(&mut stdout);
        assert!(!next.is_empty(), "it ended after {text}");
        text += &next;
    }
    for expected in [
        "http://127.0.0.1:",
        "export ALIBABA_CLOUD_ACCESS_KEY_ID=",
        "export OS_AUTH_URL=",
        "export ZSTACK_ENDPOINT=",
        "protocol='http'",
        "ApigClient.new_builder()",
        "curl -i",
    ] {
        assert!(text.contains(expected), "{expected} is not in {text}");
    }
    child.0.kill().unwrap();
}

#[test]
fn ports_that_are_taken_are_an_error() {
    let (_first, mut stdout) = serve(&["--json"]);
    let json: Json = serde_json::from_str(&line(&mut stdout)).unwrap();
    let taken = json["endpoints"]["smc"]
        .as_str()
        .unwrap()
        .rsplit(':')
        .next()
        .unwrap()
        .to_owned();
    let (mut second, mut stdout) = serve(&["--port", &taken]);
    assert_eq!(second.0.wait().unwrap().code(), Some(1));
    assert_eq!(line(&mut stdout), "");
    let mut said = String::new();
    second
        .0
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert!(said.contains(&taken), "{said}");
}
