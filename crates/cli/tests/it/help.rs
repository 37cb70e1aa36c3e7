//! What do the help texts say? The answers to a question that is asked before all others.
//!
//! They stand in `snapshots/`; run with `INSTA_UPDATE=always` to take those of today.

use insta::assert_snapshot;

use crate::common::{bare, run};

/// The longest help of a command, at a width that does not depend on the terminal.
fn help(command: &[&str]) -> String {
    let ended = run(bare().args(command).arg("--help").env("COLUMNS", "100"));
    assert_eq!(
        (ended.status, ended.stderr.as_str()),
        (0, ""),
        "{command:?}"
    );
    ended.stdout
}

#[test]
fn the_help_of_every_command() {
    let all = help(&[]);
    assert_snapshot!("help", all);
    let (_, commands) = all.split_once("Commands:\n").unwrap();
    // A name is set in by two; the rest of a long description by more.
    let names = commands
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  "))
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split_whitespace().next());
    let mut count = 0;
    for name in names {
        assert_snapshot!(format!("help_{name}"), help(&[name]));
        count += 1;
    }
    assert!(count >= 7, "{count}");
}

/// What is said when the words are wrong.
#[test]
fn wrong_usage() {
    let mut texts = String::new();
    for words in [
        &["cal"][..],
        &["call", "smc"],
        &["call", "smd", "ListAccessTokens"],
        &["call", "smc", "ListAccessToken"],
        &["call", "smc", "ListAccessTokens", "{"],
        &["call", "smc", "ListAccessTokens", r#"{"Nme":"x"}"#],
        &["describe", "apig", "CreateAnApp"],
        &["ops", "smc", "--group", "access"],
    ] {
        let ended = run(bare().args(words).env("COLUMNS", "100"));
        let shown = words.join(" ");
        texts.push_str(&format!(
            "$ cumulo {shown}\n{}{}[{}]\n\n",
            ended.stdout, ended.stderr, ended.status
        ));
    }
    assert_snapshot!("wrong_usage", texts);
}
