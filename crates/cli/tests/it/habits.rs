//! What people expect of any command: words, profiles, help, completion, manual pages, and to be told what goes on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cumulo_localcloud::accounts;
use serde_json::{Value as Json, json};

use crate::clouds::keystone;
use crate::common::{Ended, alibaba, bare, call_smc, cloud, run, run_with};

/// A folder for one test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn an_input_of_words_is_sent_by_its_types() {
    let cloud = cloud();
    let mut command = call_smc(&cloud, "DescribeReplicationJobs", "PageSize=7");
    let ended = run(command.args(["PageNumber=1", "Name=10"]));
    assert_eq!(ended.status, 0, "{}", ended.printed());
    let target = &cloud.requests()[0].target;
    for expected in ["PageSize=7", "Name=10"] {
        assert!(target.contains(expected), "{target}");
    }
    let mut command = call_smc(&cloud, "DescribeReplicationJobs", "PageSiz=7");
    let ended = run(&mut command);
    assert_eq!(ended.status, 2);
    let message = &ended.json()["error"]["message"];
    assert_eq!(
        message,
        "DescribeReplicationJobs has no member `PageSiz`; did you mean `PageSize`?"
    );
    let twice = run(&mut call_smc(
        &cloud,
        "DescribeReplicationJobs",
        r#"{"Name":"a","Name":"b"}"#,
    ));
    assert!(
        twice.stdout.contains("`Name` is given twice"),
        "{}",
        twice.stdout
    );
    assert_eq!(cloud.requests().len(), 1);
}

#[test]
fn a_secret_needs_no_place_on_the_command_line() {
    let cloud = cloud();
    let mut command = crate::clouds::zstack(&cloud);
    command.args(["call", "zstack", "CreateUser", "name=me", "password=@-"]);
    let ended = run_with(&mut command, b"s3cr3t\n");
    assert_eq!(ended.status, 0, "{}", ended.printed());
    assert!(!ended.printed().contains("s3cr3t"));
    let asked = cloud.requests();
    let sent = asked
        .iter()
        .find(|request| request.target.ends_with("/users"))
        .unwrap();
    let body: Json = serde_json::from_slice(&sent.body).unwrap();
    assert_eq!(body["params"]["password"], "s3cr3t", "{body}");
}

#[test]
fn addresses_and_gateway_of_the_environment_count_and_are_told() {
    let cloud = cloud();
    let ended = run(alibaba().env("SMC_ENDPOINT", cloud.smc_endpoint()).args([
        "call",
        "smc",
        "ListAccessTokens",
    ]));
    assert_eq!(ended.status, 0, "{}", ended.printed());
    let ended = run(keystone(&cloud)
        .env("APIG_INSTANCE_ID", accounts::INSTANCE_ID)
        .args(["call", "apig", "ListAppsV2"]));
    assert_eq!(ended.status, 0, "{}", ended.printed());
    let ended = run(keystone(&cloud).args(["call", "apig", "ListAppsV2"]));
    assert!(
        ended
            .stderr
            .contains("with --instance-id or APIG_INSTANCE_ID"),
        "{}",
        ended.stderr
    );
    let who = run(alibaba()
        .env("SMC_ENDPOINT", "smc.internal")
        .args(["whoami", "smc", "--region", "cn-x"]));
    for line in [
        "region    cn-x (--region)\n",
        "endpoint  https://smc.internal/ (SMC_ENDPOINT)\n",
    ] {
        assert!(who.stdout.contains(line), "{}", who.stdout);
    }
    let query = run(alibaba().args([
        "call",
        "smc",
        "ListAccessTokens",
        "--endpoint-url",
        "http://127.0.0.1:1/?x=1",
    ]));
    assert_eq!(query.status, 2);
    assert!(
        query.stdout.contains("which an endpoint cannot have"),
        "{}",
        query.stdout
    );
}

#[test]
fn a_profile_and_a_cloud_are_chosen_by_name() {
    let home = folder("profiles");
    fs::create_dir_all(home.join(".aliyun")).unwrap();
    fs::create_dir_all(home.join(".config/openstack")).unwrap();
    let profile = |name: &str| json!({ "name": name, "mode": "AK", "access_key_id": format!("id-{name}"), "access_key_secret": "s3cr3t", "region_id": format!("r-{name}") });
    let file = json!({ "current": "a", "profiles": [profile("a"), profile("b")] });
    fs::write(home.join(".aliyun/config.json"), file.to_string()).unwrap();
    let cloud =
        "clouds: {mine: {region_name: eu-nl, auth: {ak: id-mine, sk: s3cr3t, project_id: p}}}\n";
    fs::write(home.join(".config/openstack/clouds.yaml"), cloud).unwrap();
    let who = |set: &dyn Fn(&mut Command), arguments: &[&str]| -> Ended {
        let mut command = bare();
        command.env("HOME", &home);
        set(&mut command);
        run(command.arg("-q").arg("whoami").args(arguments))
    };
    let found = who(&|_| {}, &["smc"]);
    assert!(
        found.stdout.contains("id-a") && found.stdout.contains("r-a (profile"),
        "{}",
        found.printed()
    );
    // What was asked for counts more than what happens to be set.
    let keys = |command: &mut Command| {
        command.env("ALIBABA_CLOUD_ACCESS_KEY_ID", "id-env");
        command.env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "s3cr3t");
        command.env("ALIBABA_CLOUD_REGION_ID", "r-env");
        command.env("OS_CLOUD", "other");
    };
    let found = who(&keys, &["smc", "--profile", "b"]);
    assert!(
        found.stdout.contains("id-b") && found.stdout.contains("r-b (--profile)"),
        "{}",
        found.printed()
    );
    let found = who(&keys, &["smc", "--profile", "c"]);
    assert_eq!(found.status, 1, "{}", found.printed());
    let found = who(&keys, &["apig", "--os-cloud", "mine"]);
    assert!(
        found.stdout.contains("id-mine") && found.stdout.contains("eu-nl (the cloud `mine`)"),
        "{}",
        found.printed()
    );
}

#[test]
fn what_goes_on_is_told_on_request_and_never_a_secret() {
    let cloud = cloud();
    let told = |flags: &[&str]| {
        let mut command = call_smc(&cloud, "ListAccessTokens", "{}");
        let ended = run(command.args(flags));
        assert_eq!(ended.status, 0, "{}", ended.printed());
        assert!(!ended.printed().contains(accounts::ALIBABA_SECRET));
        ended.stderr
    };
    assert_eq!(told(&[]), "");
    let text = told(&["-v"]);
    assert!(
        text.contains("answered service=smc operation=ListAccessTokens number=1 took_ms="),
        "{text}"
    );
    let lines = told(&["-vv", "--log-format", "json"]);
    let mut answered = lines
        .lines()
        .map(|line| serde_json::from_str::<Json>(line).unwrap());
    let answered = answered.rfind(|line| line["message"] == "answered");
    let answered = answered.unwrap();
    assert_eq!(
        (&answered["level"], &answered["status"]),
        (&json!("debug"), &json!(200))
    );
    let mut bad = call_smc(&cloud, "DeleteAccessToken", "AccessTokenId=none");
    let ended = run(bad.args(["--log-format", "json"]));
    let line: Json = serde_json::from_str(ended.stderr.lines().next().unwrap()).unwrap();
    assert_eq!(line["level"], "error");
}

#[test]
fn help_on_topics_services_and_operations() {
    for (words, expected) in [
        (&["help"][..], "Topics, for `cumulo help TOPIC`:"),
        (&["help", "secrets"], "password=@-"),
        (&["help", "smc"], "ListAccessTokens"),
        (
            &["help", "smc", "ListAccessTokens"],
            "AccessTokenId: list of text",
        ),
        (&["help", "call"], "Usage: cumulo call"),
    ] {
        let ended = run(bare().args(words));
        assert_eq!(ended.status, 0, "{}", ended.printed());
        assert!(
            ended.stdout.contains(expected),
            "{words:?}: {}",
            ended.stdout
        );
    }
    let ended = run(bare().args(["help", "secret"]));
    assert_eq!((ended.status, ended.stdout.as_str()), (2, ""));
    assert!(
        ended.stderr.contains("did you mean `secrets`?"),
        "{}",
        ended.stderr
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_help_text_that_nobody_got_is_no_success() {
    for words in [
        &["--help"][..],
        &["help"],
        &["help", "secrets"],
        &["--version"],
    ] {
        let full = fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        assert_eq!(run(bare().args(words).stdout(full)).status, 1, "{words:?}");
    }
}

#[test]
fn manual_pages_are_written() {
    let pages = folder("man");
    let ended = run(bare().arg("man").arg(&pages));
    assert_eq!((ended.status, ended.printed().as_str()), (0, ""));
    let call = fs::read_to_string(pages.join("cumulo-call.1")).unwrap();
    assert!(call.contains("secrets\\-to"), "{call}");
    assert!(fs::read_dir(&pages).unwrap().count() > 15);
    assert!(run(bare().arg("man")).stdout.contains(".TH cumulo"));
}

/// The script as bash runs it: what is left of the line, and what Tab offers.
#[test]
#[cfg(unix)]
fn bash_completes_operations_and_members() {
    let script = run(bare().args(["completions", "bash"])).stdout;
    let offered = |line: &str, typed: &str| {
        let path = Path::new(env!("CARGO_BIN_EXE_cumulo")).parent().unwrap();
        let ask = format!(
            "{script}\ncompopt() {{ :; }}\nCOMP_LINE='{line}'; COMP_POINT=${{#COMP_LINE}}; _cumulo cumulo '{typed}'; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let mut command = Command::new("bash");
        command
            .env("PATH", format!("{}:/usr/bin:/bin", path.display()))
            .args(["-c", &ask]);
        let output = command.output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(
        offered("cumulo call smc ListAcc", "ListAcc"),
        "ListAccessTokens\n"
    );
    assert_eq!(
        offered("cumulo call smc CreateAccessToken Na", "Na"),
        "Name=\n"
    );
    assert_eq!(
        offered("cumulo call zstack QueryZone count=t", "t"),
        "true\n"
    );
    assert_eq!(
        offered("cumulo call smc TagResources Tag.1.K", "Tag.1.K"),
        "Tag.1.Key=\n"
    );
}

/// The lines of the README, pasted into a shell.
#[test]
#[cfg(unix)]
fn the_readme_runs_as_it_stands() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = fs::read_to_string(root.join("README.md")).unwrap();
    let (_, section) = page.split_once("## The command line").unwrap();
    let (_, block) = section.split_once("```sh\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let (install, lines) = block.split_once('\n').unwrap();
    assert_eq!(install, "cargo install --path crates/cli");
    let here = folder("readme");
    let path = Path::new(env!("CARGO_BIN_EXE_cumulo")).parent().unwrap();
    let mut shell = bare();
    let mut command = Command::new("bash");
    for (name, value) in shell
        .get_envs()
        .filter_map(|(name, value)| Some((name, value?)))
    {
        command.env(name, value);
    }
    shell.stdin(std::process::Stdio::null());
    command
        .current_dir(&here)
        .env("PATH", format!("{}:/usr/bin:/bin", path.display()))
        .args(["-e", "-c", lines]);
    let ended = run(&mut command);
    assert_eq!(ended.status, 0, "{}", ended.printed());
    assert!(ended.stdout.contains("web-servers"), "{}", ended.printed());
    let code = fs::read_to_string(here.join("code.json")).unwrap();
    assert!(code.contains("AccessTokenCode"), "{code}");
}
