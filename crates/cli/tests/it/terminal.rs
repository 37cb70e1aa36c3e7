//! What does a person see, whose both outputs are one terminal?

use std::io::Read;
use std::process::Stdio;

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::common::{alibaba, bare, call_smc, cloud, run};

/// Runs the command on a terminal of so many columns; its status, and what it showed.
fn on_terminal(command: &mut std::process::Command, columns: u16) -> (i32, String) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let size = Winsize {
        ws_row: 40,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let name = ptsname(&master, Vec::new()).unwrap();
    let slave = open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
    tcsetwinsize(&slave, size).unwrap();
    command
        .stdout(Stdio::from(slave.try_clone().unwrap()))
        .stderr(Stdio::from(slave));
    let mut child = command.spawn().unwrap();
    // The command holds them until its end otherwise, and the reader would wait for it for ever.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut shown = Vec::new();
    let mut screen = std::fs::File::from(master);
    let mut bytes = [0; 4096];
    // At the end of its other side a terminal fails to be read.
    while let Ok(count @ 1..) = screen.read(&mut bytes) {
        shown.extend_from_slice(&bytes[..count]);
    }
    let status = child.wait().unwrap().code().unwrap();
    (status, String::from_utf8(shown).unwrap().replace('\r', ""))
}

#[test]
fn an_error_is_told_once() {
    let cloud = cloud();
    let mut command = call_smc(
        &cloud,
        "DeleteAccessToken",
        r#"{"AccessTokenId":"at-none"}"#,
    );
    let (status, shown) = on_terminal(&mut command, 100);
    assert_eq!(status, 1, "{shown}");
    assert!(
        shown.starts_with("error: DeleteAccessToken failed"),
        "{shown}"
    );
    assert!(!shown.contains("\"ok\""), "{shown}");
    // In two places it is told in both.
    let ended = run(&mut call_smc(
        &cloud,
        "DeleteAccessToken",
        r#"{"AccessTokenId":"at-none"}"#,
    ));
    assert_eq!(ended.json()["ok"], false);
    assert!(ended.stderr.starts_with("error: "), "{}", ended.stderr);
}

#[test]
fn sources_of_credentials_stand_on_lines_of_their_own() {
    let mut command = bare();
    command.args(["call", "smc", "ListAccessTokens"]);
    let (status, shown) = on_terminal(&mut command, 100);
    assert_eq!(status, 1, "{shown}");
    assert!(
        shown.contains("no credentials found\n  environment"),
        "{shown}"
    );
    assert!(shown.contains("\n  CLI profile: "), "{shown}");
}

#[test]
fn a_table_fits_the_terminal_and_is_whole_in_a_pipe() {
    let cloud = cloud();
    let long = "n".repeat(120);
    let mut make = call_smc(&cloud, "CreateAccessToken", &format!("Name={long}"));
    assert_eq!(run(make.arg("--show-secrets")).status, 0);
    let list = || {
        let mut command = call_smc(&cloud, "ListAccessTokens", "{}");
        command.args(["--output", "table"]);
        command
    };
    for (columns, said) in [(80, None), (200, Some("60"))] {
        let mut command = list();
        if let Some(said) = said {
            command.env("COLUMNS", said);
        }
        let (_, shown) = on_terminal(&mut command, columns);
        let most: usize = said.map_or(usize::from(columns), |said| said.parse().unwrap());
        assert!(shown.contains('…') && !shown.contains(&long), "{shown}");
        assert!(
            shown.lines().all(|line| line.chars().count() <= most),
            "{shown}"
        );
    }
    let piped = run(list().env("COLUMNS", "40")).stdout;
    assert!(piped.contains(&long) && !piped.contains('…'), "{piped}");
    let chosen = run(list().args(["--columns", "Name,AccessTokenId"])).stdout;
    assert!(chosen.contains("\nName "), "{chosen}");
    assert!(!chosen.contains("Status"), "{chosen}");
}

#[test]
fn nothing_is_coloured_where_nobody_wants_it() {
    let (_, help) = on_terminal(
        bare()
            .env("NO_COLOR", "1")
            .env("TERM", "xterm")
            .arg("--help"),
        100,
    );
    assert!(help.contains("Usage") && !help.contains('\u{1b}'), "{help}");
    let piped = run(alibaba().env("TERM", "xterm").arg("--help"));
    assert!(!piped.stdout.contains('\u{1b}'), "{}", piped.stdout);
}
