//! `--all`: lists whole, in bounded memory, and on from where they ended.

use cumulo_core::Json;
use serde_json::json;

use crate::common::{Ended, call_smc, cloud, run};
use crate::long_list::LongList;

const ALL: [&str; 4] = ["call", "apig", "ListAppsV2", "--all"];

fn all<'a>(words: &[&'a str]) -> Vec<&'a str> {
    [&ALL[..], words].concat()
}

/// The numbers of the items on lines of JSON.
fn ids(ended: &Ended) -> Vec<u64> {
    let id = |line: Json| line["id"].as_str().unwrap().parse().unwrap();
    ended.lines().into_iter().map(id).collect()
}

/// What `--resume` takes, as the command said it for a shell.
fn rest(ended: &Ended) -> String {
    let (_, said) = ended
        .stderr
        .split_once("the rest: --resume '")
        .expect("it is said");
    said.split_once('\'').unwrap().0.to_owned()
}

#[test]
fn lists_come_whole() {
    // None, one, a page, a page and one more; pages hold 500.
    for (length, pages) in [(0, 1), (1, 1), (500, 1), (501, 2)] {
        let list = LongList::start(length, |_| None);
        let ended = run(&mut list.command(&all(&["--output", "jsonl"])));
        assert_eq!((ended.status, ended.stderr.as_str()), (0, ""), "{length}");
        assert!(ids(&ended).into_iter().eq(0..length), "{length}");
        assert_eq!(list.asked(), pages, "{length}");

        let line = run(&mut list.command(&all(&[]))).json();
        assert_eq!(line["output"].as_array().unwrap().len() as u64, length);
        let end = if length == 0 { "EmptyPage" } else { "Total" };
        let rest = ["ok", "items", "end", "position", "attempts"].map(|name| line[name].clone());
        let expected = [
            json!(true),
            json!(length),
            json!(end),
            Json::Null,
            json!(pages),
        ];
        assert_eq!(rest, expected);
    }
}

#[test]
fn a_long_list_is_not_held() {
    let peak = |length: u64| {
        let list = LongList::start(length, |_| None);
        let mut command = list.command(&all(&["--output", "jsonl"]));
        let child = command.spawn().unwrap();
        let status = format!("/proc/{}/status", child.id());
        let reader = std::thread::spawn(move || child.wait_with_output().unwrap());
        let seen = list.before_the_last(|| std::fs::read_to_string(status));
        let output = reader.join().unwrap();
        assert!(output.status.success());
        let lines = String::from_utf8(output.stdout).unwrap().lines().count();
        assert_eq!((lines as u64, list.asked()), (length, length / 500));
        // Only Linux tells it.
        let text = seen.ok()?;
        let line = text
            .lines()
            .find(|line| line.starts_with("VmHWM"))?
            .to_owned();
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    // The lines of the longer list are more than 20 MB.
    if let (Some(short), Some(long)) = (peak(10_500), peak(100_000)) {
        assert!(long < short + 8_000, "{short} kB and {long} kB");
    }
}

#[test]
fn some_of_a_list_and_on_from_there() {
    let list = LongList::start(1_200, |_| None);
    let part = |words: &[&str]| run(&mut list.command(&all(words)));
    let first = part(&["--output", "jsonl", "--max-items", "700"]);
    assert_eq!(first.status, 0);
    assert!(
        first
            .stderr
            .starts_with("ended by --max-items after 700 items\n"),
        "{}",
        first.stderr
    );
    let mut seen = ids(&first);
    let second = part(&["--max-items=499", "--resume", &rest(&first)]);
    let line = second.json();
    assert_eq!(
        (&line["end"], &line["items"]),
        (&json!("MaxItems"), &json!(499))
    );
    let position = line["position"].as_str().unwrap();
    assert_eq!(position, rest(&second));
    let id = |app: &Json| app["id"].as_str().unwrap().parse::<u64>().unwrap();
    seen.extend(line["output"].as_array().unwrap().iter().map(id));
    let third = part(&["--output", "jsonl", "--resume", position]);
    assert_eq!((third.status, third.stderr.as_str()), (0, ""));
    seen.extend(ids(&third));
    assert!(seen.into_iter().eq(0..1_200));

    for (position, said) in [
        ("elsewhere", "none that a list gave"),
        (
            &position.replace("ListAppsV2", "ListApisV2"),
            "another operation",
        ),
    ] {
        let asked = list.asked();
        let ended = part(&["--resume", position]);
        assert_eq!(ended.status, 2, "{}", ended.printed());
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
        assert_eq!(list.asked(), asked);
    }
}

const REFUSED: &str = r#"{"error_code":"APIG.0106","error_msg":"no right","request_id":"r"}"#;

#[test]
fn a_failure_in_the_middle_loses_nothing() {
    let broken = LongList::start(1_700, |offset| (offset == 1_000).then_some((403, REFUSED)));
    let whole = LongList::start(1_700, |_| None);
    for form in ["jsonl", "text", "json", "table"] {
        let words = all(&["--output", form]);
        let ended = run(&mut broken.command(&words));
        assert_eq!(ended.status, 1, "{form}: {}", ended.stderr);
        assert!(
            ended.stderr.contains("no right"),
            "{form}: {}",
            ended.stderr
        );
        let shown = ended.stdout.matches("app_").count();
        assert_eq!(shown, 1_000, "{form}");
        if form == "json" {
            let line = ended.json();
            assert_eq!(
                (&line["ok"], &line["items"]),
                (&json!(false), &json!(1_000))
            );
            assert_eq!(line["error"]["code"], "APIG.0106");
            assert_eq!(line["position"], rest(&ended));
        }
        let words = all(&["--output", "jsonl", "--resume"]);
        let position = rest(&ended);
        let ended = run(&mut whole.command(&[&words[..], &[&position]].concat()));
        assert!(ids(&ended).into_iter().eq(1_000..1_700), "{form}");
    }
}

#[test]
fn an_expression_sees_an_item_or_the_list() {
    let list = LongList::start(600, |_| None);
    let shown = |words: &[&str]| {
        let ended = run(&mut list.command(&all(words)));
        assert_eq!((ended.status, ended.stderr.as_str()), (0, ""), "{words:?}");
        ended.stdout
    };
    let lines = shown(&["--output", "jsonl", "--query", "{n: name}"]);
    assert_eq!(lines.lines().count(), 600);
    assert_eq!(lines.lines().last(), Some(r#"{"n":"app_599"}"#));
    // As a projection, it leaves out what is not there.
    assert_eq!(shown(&["--output", "jsonl", "--query", "nothing"]), "");
    assert_eq!(
        shown(&["--output", "text", "--query", "length(@)"]),
        "600\n"
    );
    let some = shown(&[
        "--output",
        "text",
        "--query",
        "[?ends_with(id, '99')].[id, name]",
    ]);
    assert_eq!(some.lines().next(), Some("99\tapp_99"));
    assert_eq!(some.lines().count(), 6);
    let line: Json = serde_json::from_str(&shown(&["--query", "[-1].id"])).unwrap();
    assert_eq!(
        (&line["output"], &line["items"]),
        (&json!("599"), &json!(600))
    );
    let table = shown(&["--output", "table", "--query", "[:2].{id: id}"]);
    assert_eq!(table.lines().next(), Some("id"));

    // Types that do not fit show with the first item, or at the end.
    for form in ["jsonl", "text"] {
        let ended = run(&mut list.command(&all(&["--output", form, "--query", "abs(@)"])));
        assert_eq!(ended.status, 1, "{}", ended.stderr);
        assert!(ended.stderr.contains("--query"), "{}", ended.stderr);
    }
}

#[test]
fn a_reader_that_has_enough_is_no_failure() {
    use std::io::{BufRead, BufReader};
    let list = LongList::start(10_000, |_| None);
    let mut child = list.command(&all(&["--output", "jsonl"])).spawn().unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    drop(reader);
    assert!(child.wait().unwrap().success());
    assert!(list.asked() < 20);
}

#[test]
fn wrong_usage_sends_nothing() {
    let cloud = cloud();
    for (operation, words, said) in [
        (
            "DescribeSourceServers",
            &["--all", "--query", "[?"][..],
            "column",
        ),
        ("DescribeSourceServers", &["--query", "a b"], "column"),
        ("DescribeSourceServers", &["--max-items", "5"], "--all"),
        (
            "DescribeSourceServers",
            &["--all", "--secrets-to", "f"],
            "--secrets-to",
        ),
        (
            "DescribeSourceServers",
            &["--all", "--max-items", "0"],
            "--max-items",
        ),
        (
            "DescribeSourceServers",
            &["--all", "--dry-run"],
            "--dry-run",
        ),
        (
            "ListAccessTokens",
            &["--wait"],
            "wait for after ListAccessTokens",
        ),
    ] {
        let ended = run(call_smc(&cloud, operation, "{}").args(words));
        assert_eq!(ended.status, 2, "{words:?}: {}", ended.printed());
        assert!(ended.stderr.contains(said), "{words:?}: {}", ended.stderr);
    }
    assert!(cloud.requests().is_empty());
}
