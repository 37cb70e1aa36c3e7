//! `cumulo ops`, `describe` and `completions`: what can be called, without calling anything.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};

use crate::common::{Running, bare, run};

#[test]
fn every_operation_is_a_line() {
    let ended = run(bare().args(["ops", "--json"]));
    assert_eq!(ended.status, 0);
    let mut counts = BTreeMap::new();
    for line in ended.lines() {
        let members: Vec<&str> = line
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let expected = [
            "service",
            "group",
            "name",
            "method",
            "path",
            "retry",
            "summary",
            "paginated",
            "job",
        ];
        assert_eq!(members, expected);
        *counts
            .entry(line["service"].as_str().unwrap().to_owned())
            .or_insert(0) += 1;
    }
    let counts: Vec<(&str, i32)> = counts
        .iter()
        .map(|(name, count)| (name.as_str(), *count))
        .collect();
    assert_eq!(
        counts,
        [
            ("apig", 216),
            ("smartag", 205),
            ("smc", 24),
            ("zstack", 2043)
        ]
    );
}

#[test]
fn a_group_of_a_service() {
    let ended = run(bare().args(["ops", "smc", "--group", "access-token"]));
    assert_eq!(ended.status, 0);
    let mut lines = ended.stdout.lines();
    assert_eq!(lines.next(), Some("smc access-token"));
    let first = lines.next().unwrap();
    assert!(
        first.starts_with("  CreateAccessToken  ") && first.len() > 30,
        "{first}"
    );
    assert_eq!(lines.count(), 3);

    let ended = run(bare().args(["ops", "smc", "--group", "acces-token"]));
    assert_eq!(ended.status, 2);
    assert!(
        ended.stderr.contains("did you mean `access-token`"),
        "{}",
        ended.stderr
    );
    let ended = run(bare().args(["ops", "smc", "--group", "vm-instances-of-all-kinds"]));
    assert!(ended.stderr.contains("source-server"), "{}", ended.stderr);
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    for args in [
        &["ops", "--json"] as &[&str],
        &["ops"],
        &["completions", "bash"],
    ] {
        let mut child = Running(bare().args(args).spawn().unwrap());
        let mut stdout = BufReader::with_capacity(64, child.0.stdout.take().unwrap());
        stdout.read_line(&mut String::new()).unwrap();
        drop(stdout);
        let status = child.0.wait().unwrap();
        let mut said = String::new();
        std::io::Read::read_to_string(&mut child.0.stderr.take().unwrap(), &mut said).unwrap();
        assert_eq!((status.code(), said.as_str()), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn an_operation_is_described() {
    let ended = run(bare().args(["describe", "apig", "CreateAppCodeV2"]));
    assert_eq!(ended.status, 0);
    for expected in [
        "POST /v2/",
        "app_code: secret text, required",
        "64",
        "(or --instance-id)",
        "Output",
    ] {
        assert!(
            ended.stdout.contains(expected),
            "{expected} is not in {}",
            ended.stdout
        );
    }
    let ended = run(bare().args(["describe", "smartag", "CreateEnterpriseCode", "--json"]));
    let json = ended.json();
    assert_eq!(
        (&json["name"], &json["client_token"]),
        (&"CreateEnterpriseCode".into(), &"ClientToken".into())
    );
    let input = json["input"].as_array().unwrap();
    let code = input
        .iter()
        .find(|member| member["name"] == "EnterpriseCode")
        .unwrap();
    assert_eq!(
        (&code["type"], &code["required"]),
        (&"text".into(), &true.into())
    );
}

#[test]
fn an_unknown_operation_has_a_near_one() {
    let ended = run(bare().args(["describe", "zstack", "create-vm-instance"]));
    assert_eq!((ended.status, ended.stdout.as_str()), (2, ""));
    assert!(
        ended.stderr.contains("Did you mean `CreateVmInstance`?"),
        "{}",
        ended.stderr
    );
}

#[test]
fn shells_get_completions() {
    for (shell, expected) in [
        ("bash", "_cumulo"),
        ("zsh", "#compdef cumulo"),
        ("fish", "complete --command cumulo"),
    ] {
        let ended = run(bare().args(["completions", shell]));
        assert_eq!(ended.status, 0);
        assert!(
            ended.stdout.contains(expected) && ended.stdout.contains("cumulo complete"),
            "{shell}"
        );
    }
}

#[test]
fn help_names_the_exit_status() {
    let ended = run(bare().arg("--help"));
    assert_eq!(ended.status, 0);
    assert!(
        ended
            .stdout
            .contains("0 ok, 1 the service or the call failed"),
        "{}",
        ended.stdout
    );
}
