//! `cumulo batch`: order, bad lines, pipes that close, inputs larger than memory should be.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use cumulo_core::Json;
use cumulo_localcloud::{Fault, FaultKind, LocalCloud, Service};
use serde_json::json;

use crate::common::{Running, alibaba, bare, cloud, run, run_with};

fn batch(cloud: &LocalCloud) -> Command {
    let mut command = alibaba();
    command.args([
        "batch",
        // The calls of most tests create codes.
        "--show-secrets",
        "--endpoint-url",
        &format!("smc={}", cloud.smc_endpoint()),
    ]);
    command
}

fn create(name: &str) -> String {
    let line = json!({"service": "smc", "operation": "CreateAccessToken", "input": {"Name": name}});
    format!("{line}\n")
}

#[test]
fn results_keep_the_order_of_the_input() {
    let cloud = cloud();
    // The first answer is the last to come.
    let delay = FaultKind::Delay(Duration::from_millis(30));
    cloud.inject(Fault::new(Service::Smc, delay).operation("CreateAccessToken"));
    let mut input = String::new();
    for index in 0..40 {
        // An error names its line; a call returns its name in no way, so that both are mixed.
        if index % 2 == 0 {
            input += &create(&format!("code-{index}"));
        } else {
            writeln!(
                input,
                "{{\"service\":\"smc\",\"operation\":\"Nothing{index}\"}}"
            )
            .unwrap();
        }
    }
    let ended = run_with(&mut batch(&cloud), input.as_bytes());
    assert_eq!(ended.status, 1, "some failed");
    let lines = ended.lines();
    assert_eq!(lines.len(), 40);
    for (index, line) in lines.iter().enumerate() {
        assert_eq!(line["ok"], index % 2 == 0, "{index}: {line}");
        if index % 2 == 1 {
            let message = line["error"]["message"].as_str().unwrap();
            assert!(message.contains(&format!("`Nothing{index}`")), "{message}");
        }
    }
}

#[test]
fn bad_lines_are_answered_and_the_rest_goes_on() {
    let cloud = cloud();
    let mut input = create("web-servers").into_bytes();
    let bad: [(&[u8], &str); 8] = [
        (b"not json", "line 2: this is not JSON"),
        (b"{\"service\":\"smc\"", "line 3: this is not JSON"),
        (b"\"text\"", "line 4: expected an object"),
        (b"\xff\xfe\xfd", "line 5: this is not JSON"),
        (
            br#"{"service":"smk","operation":"ListTags"}"#,
            "did you mean `smc`",
        ),
        (
            br#"{"service":"smc","operation":"CreateAccessToken","inptu":{}}"#,
            "did you mean `input`",
        ),
        (
            br#"{"service":"smc","operation":"CreateAccessToken","input":"text"}"#,
            "object",
        ),
        (
            br#"{"service":"smc","operation":"DeleteAccessToken"}"#,
            "AccessTokenId",
        ),
    ];
    for (line, _) in bad {
        input.extend_from_slice(line);
        input.push(b'\n');
    }
    input.extend_from_slice(b"\n   \r\n");
    // The last line has no end.
    input.extend_from_slice(create("last").trim_end().as_bytes());
    let ended = run_with(&mut batch(&cloud), &input);
    assert_eq!(ended.status, 1);
    let lines = ended.lines();
    assert_eq!(lines.len(), bad.len() + 2, "{}", ended.stdout);
    // Each names its line of the input, of which two were empty.
    let numbers: Vec<_> = lines.iter().map(|line| line["line"].as_u64()).collect();
    assert_eq!(numbers[..3], [Some(1), Some(2), Some(3)]);
    assert_eq!(numbers.last(), Some(&Some(bad.len() as u64 + 4)));
    assert_eq!(
        (&lines[0]["ok"], &lines[bad.len() + 1]["ok"]),
        (&json!(true), &json!(true))
    );
    for ((_, expected), line) in bad.iter().zip(&lines[1..]) {
        let error = &line["error"];
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(expected), "{message}");
        assert_eq!(
            (&error["kind"], &error["outcome"]),
            (&json!("InvalidInput"), &json!("NotSent"))
        );
    }
    // Progress is for terminals.
    assert_eq!(ended.stderr, "");
    assert_eq!(cloud.requests().len(), 2);
}

#[test]
fn all_well_is_status_0_and_no_input_is_no_output() {
    let cloud = cloud();
    let ended = run_with(
        &mut batch(&cloud),
        (create("one") + &create("two")).as_bytes(),
    );
    assert_eq!(
        (ended.status, ended.lines().len()),
        (0, 2),
        "{}",
        ended.printed()
    );
    let ended = run(&mut batch(&cloud));
    assert_eq!((ended.status, ended.stdout.as_str()), (0, ""));
}

#[test]
fn a_result_comes_before_the_next_line_is_written() {
    let cloud = cloud();
    let mut child = Running(batch(&cloud).stdin(Stdio::piped()).spawn().unwrap());
    let mut stdin = child.0.stdin.take().unwrap();
    let mut results = BufReader::new(child.0.stdout.take().unwrap()).lines();
    for index in 0..3 {
        stdin
            .write_all(create(&format!("code-{index}")).as_bytes())
            .unwrap();
        let line: Json = serde_json::from_str(&results.next().unwrap().unwrap()).unwrap();
        assert_eq!(line["ok"], true);
    }
    drop(stdin);
    assert!(results.next().is_none());
    assert!(child.0.wait().unwrap().success());
}

#[test]
fn a_closed_pipe_is_a_failure_that_loses_no_result() {
    let cloud = cloud();
    let mut child = Running(batch(&cloud).stdin(Stdio::piped()).spawn().unwrap());
    let mut stdin = child.0.stdin.take().unwrap();
    let mut results = BufReader::new(child.0.stdout.take().unwrap());
    stdin.write_all(create("one").as_bytes()).unwrap();
    results.read_line(&mut String::new()).unwrap();
    drop(results);
    // It notices with the next result, while its input is still open.
    stdin.write_all(create("two").as_bytes()).unwrap();
    assert_eq!(child.0.wait().unwrap().code(), Some(1));
    let mut said = String::new();
    std::io::Read::read_to_string(&mut child.0.stderr.take().unwrap(), &mut said).unwrap();
    let result = said.lines().find(|line| line.starts_with('{')).unwrap();
    let result: Json = serde_json::from_str(result).unwrap();
    assert_eq!(result["ok"], true);
    drop(stdin);
}

/// 10,000 lines of 10 kB each, a call among every hundred.
#[test]
fn ten_thousand_lines_in_bounded_memory() {
    const LINES: usize = 10_000;
    let cloud = cloud();
    let mut child = Running(batch(&cloud).stdin(Stdio::piped()).spawn().unwrap());
    let mut stdin = child.0.stdin.take().unwrap();
    let (all_read, wait) = std::sync::mpsc::channel::<()>();
    let writer = std::thread::spawn(move || {
        let padding = "x".repeat(10_000);
        for index in 0..LINES {
            let line = if index % 100 == 0 {
                create(&format!("code-{index}"))
            } else {
                format!(
                    "{{\"service\":\"smc\",\"operation\":\"Op{index}\",\"input\":{{\"a\":\"{padding}\"}}}}\n"
                )
            };
            stdin.write_all(line.as_bytes()).unwrap();
        }
        // The input stays open until the memory has been looked at.
        wait.recv().unwrap();
    });
    let mut results = BufReader::new(child.0.stdout.take().unwrap()).lines();
    for index in 0..LINES {
        let line: Json = serde_json::from_str(&results.next().unwrap().unwrap()).unwrap();
        assert_eq!(line["ok"], index % 100 == 0, "{index}: {line}");
        if index % 100 != 0 {
            assert!(
                line["error"]["message"]
                    .as_str()
                    .unwrap()
                    .contains(&format!("`Op{index}`"))
            );
        }
    }
    if let Some(peak) = peak_memory(child.0.id()) {
        assert!(peak < 64 << 10, "{peak} kB for 100 MB of input");
    }
    all_read.send(()).unwrap();
    writer.join().unwrap();
    assert_eq!(child.0.wait().unwrap().code(), Some(1));
}

/// The most memory that the process ever held, in kB, where the system tells it.
fn peak_memory(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn without_credentials_every_line_says_so() {
    let cloud = cloud();
    let mut command = bare();
    command.args(["batch", "--show-secrets"]);
    command.args(["--endpoint-url", &cloud.smc_endpoint()]);
    let ended = run_with(&mut command, create("one").repeat(1000).as_bytes());
    assert_eq!((ended.status, ended.lines().len()), (1, 1000));
    assert!(
        ended
            .lines()
            .iter()
            .all(|line| line["error"]["kind"] == "Credentials"),
        "{}",
        ended.stdout
    );
    assert!(cloud.requests().is_empty());
}
