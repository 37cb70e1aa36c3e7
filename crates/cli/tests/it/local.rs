//! `cumulo local`: the four services as a process of their own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
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

/// Calls one operation of each service as the line of JSON says.
fn call_each(json: &Json) {
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
}

/// What `/_cumulo/requests` tells.
fn requests(endpoint: &str) -> Json {
    let host = endpoint.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let head =
        format!("GET /_cumulo/requests HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[test]
fn scripts_read_one_line_and_call_it() {
    let (mut child, mut stdout) = serve(&["--json"]);
    let json: Json = serde_json::from_str(&line(&mut stdout)).unwrap();
    call_each(&json);
    // Other programs read what was asked.
    let asked = requests(json["endpoints"]["smc"].as_str().unwrap());
    let smc = &asked["requests"].as_array().unwrap()[0];
    assert_eq!(smc["operation"], "ListAccessTokens", "{asked}");
    assert_eq!(smc["status"], 200, "{asked}");
    // Ctrl-C ends it well.
    let sent = Command::new("kill")
        .args(["-INT", &child.0.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
    assert_eq!(child.0.wait().unwrap().code(), Some(0));
}

#[test]
fn https_is_trusted_by_what_is_printed() {
    let (mut child, mut stdout) = serve(&["--json", "--tls"]);
    let json: Json = serde_json::from_str(&line(&mut stdout)).unwrap();
    assert!(
        json["endpoints"]["apig"]
            .as_str()
            .unwrap()
            .starts_with("https://127.0.0.1:")
    );
    let file = json["ca_file"].as_str().unwrap();
    assert_eq!(json["environment"]["OS_CACERT"], file);
    call_each(&json);
    // Who is not told of the authority does not talk to it.
    let mut command = bare();
    let variables = json["environment"].as_object().unwrap().iter();
    let variables = variables.filter(|(_, value)| *value != file);
    let ended = run(command
        .envs(variables.map(|(name, value)| (name, value.as_str().unwrap())))
        .args(["call", "zstack", "QueryAccessKey"]));
    assert_eq!(ended.status, 1, "{}", ended.printed());
    assert!(
        ended.printed().contains("certificate"),
        "{}",
        ended.printed()
    );
    let end = Command::new("kill")
        .args(["-TERM", &child.0.id().to_string()])
        .status();
    assert!(end.unwrap().success());
    assert_eq!(child.0.wait().unwrap().code(), Some(0));
    assert!(
        !std::path::Path::new(file).exists(),
        "a temporary file goes with the program"
    );
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

/// Ends it as a service manager does.
fn terminate(child: &mut Running) -> Option<i32> {
    let sent = Command::new("kill")
        .args(["-TERM", &child.0.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
    child.0.wait().unwrap().code()
}

fn call(endpoint: &str, operation: &str, input: &str) -> String {
    let mut command = bare();
    command
        .env("ALIBABA_CLOUD_ACCESS_KEY_ID", accounts::ALIBABA_KEY_ID)
        .env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", accounts::ALIBABA_SECRET)
        .env("ALIBABA_CLOUD_REGION_ID", accounts::ALIBABA_REGION)
        .args(["call", "smc", operation, input, "--endpoint-url", endpoint]);
    let ended = run(&mut command);
    assert_eq!(ended.status, 0, "{}", ended.printed());
    ended.printed()
}

/// What was made is there after a restart; a file that is damaged or says something unknown is an
/// error that names it.
#[test]
fn what_was_made_survives() {
    let folder = std::env::temp_dir().join(format!("cumulo-local-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (seed, state) = (folder.join("seed.json"), folder.join("state.json"));
    std::fs::write(
        &seed,
        r#"{"smc":{"source-server":[{"SourceId":"s-seeded"}]}}"#,
    )
    .unwrap();
    let paths = [seed.to_str().unwrap(), state.to_str().unwrap()];
    let args = ["--json", "--seed", paths[0], "--state", paths[1]];
    for round in 0..2 {
        let (mut child, mut stdout) = serve(&args);
        let json: Json = serde_json::from_str(&line(&mut stdout)).unwrap();
        let endpoint = json["endpoints"]["smc"].as_str().unwrap();
        if round == 0 {
            call(endpoint, "CreateWorkgroup", r#"{"Name":"survivor"}"#);
        }
        let listed = call(endpoint, "DescribeWorkgroups", "{}");
        assert!(listed.contains("survivor"), "{listed}");
        let seeded = call(endpoint, "DescribeSourceServers", "{}");
        assert!(seeded.contains("s-seeded"), "{seeded}");
        assert_eq!(terminate(&mut child), Some(0));
    }
    let fails = |args: &[&str]| {
        let mut command = bare();
        let ended = run(command.arg("local").args(args));
        assert_eq!(ended.status, 1, "{}", ended.printed());
        ended.printed()
    };
    std::fs::write(&state, "{\"version\":1,\"ke").unwrap();
    let said = fails(&["--state", paths[1]]);
    assert!(said.contains("state.json"), "{said}");
    std::fs::write(&seed, r#"{"smc":{"workgroup":[{"Nam":"x"}]}}"#).unwrap();
    let said = fails(&["--seed", paths[0]]);
    for part in ["seed.json", "workgroup 1", "Nam", "did you mean Name?"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

/// The lines end although the cloud goes on, so that `eval` has them all.
#[test]
fn shells_evaluate_its_variables() {
    let (mut child, mut stdout) = serve(&["--env"]);
    let mut text = String::new();
    stdout.read_to_string(&mut text).unwrap();
    assert!(
        text.lines().all(|line| line.starts_with("export ")),
        "{text}"
    );
    assert!(text.contains("export OS_PROJECT_DOMAIN_NAME='"), "{text}");
    assert!(
        text.contains("export OS_IDENTITY_API_VERSION='3'"),
        "{text}"
    );
    assert_eq!(child.0.try_wait().unwrap(), None, "it goes on");
    assert_eq!(terminate(&mut child), Some(0));
}

#[test]
fn other_addresses_are_told() {
    let (mut child, mut stdout) = serve(&["--env", "--host", "0.0.0.0"]);
    let mut text = String::new();
    stdout.read_to_string(&mut text).unwrap();
    assert_eq!(terminate(&mut child), Some(0));
    let mut said = String::new();
    child
        .0
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert!(said.contains("listening on 0.0.0.0: everybody"), "{said}");
}

/// Each of two clouds on one file would write over what the other made.
#[test]
fn a_state_file_has_one_cloud() {
    let folder = std::env::temp_dir().join(format!("cumulo-lock-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let refused = |state: &std::path::Path| {
        let mut command = bare();
        command.args(["local", "--json", "--state"]).arg(state);
        let ended = run(&mut command);
        assert_eq!(ended.status, 1, "{}", ended.printed());
        ended.stderr
    };
    let state = folder.join("state.json");
    let lock = std::fs::File::create(folder.join("state.json.lock")).unwrap();
    lock.lock().unwrap();
    let said = refused(&state);
    assert!(said.contains("state.json: another local cloud"), "{said}");
    // Before it says that it is up.
    let said = refused(&folder.join("nowhere").join("state.json"));
    assert!(said.contains("nowhere"), "{said}");
    let said = refused(&folder);
    assert!(said.contains("no regular file"), "{said}");
    std::fs::remove_dir_all(folder).unwrap();
}
