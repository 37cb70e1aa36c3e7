//! `cumulo whoami`: who won and why, in time, and no secret.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use cumulo_localcloud::accounts;

use crate::clouds::{keystone, zstack};
use crate::common::{alibaba, bare, cloud, run};

#[test]
fn the_winner_is_named() {
    for service in ["smc", "smartag"] {
        let ended = run(alibaba().args(["whoami", service]));
        assert_eq!(ended.status, 0, "{}", ended.printed());
        assert!(
            ended.stdout.contains(accounts::ALIBABA_KEY_ID),
            "{}",
            ended.stdout
        );
        assert!(!ended.printed().contains(accounts::ALIBABA_SECRET));
    }
}

#[test]
fn the_chain_is_explained() {
    let ended = run(alibaba().args(["whoami", "smc", "--explain"]));
    assert_eq!(ended.status, 0);
    assert!(ended.stdout.starts_with("1. "), "{}", ended.stdout);
    assert!(
        ended.stdout.contains("found in") && ended.stdout.contains("not asked"),
        "{}",
        ended.stdout
    );
    assert!(!ended.printed().contains(accounts::ALIBABA_SECRET));
}

#[test]
fn nobody_is_status_1_with_every_source() {
    for service in ["smc", "zstack"] {
        let ended = run(bare().args(["whoami", service]));
        assert_eq!(
            (ended.status, ended.stdout.as_str()),
            (1, ""),
            "{}",
            ended.stderr
        );
        assert!(
            ended
                .stderr
                .contains(&format!("no credentials for {service}")),
            "{}",
            ended.stderr
        );
        assert!(ended.stderr.lines().count() > 1, "{}", ended.stderr);
        let explained = run(bare().args(["whoami", service, "--explain"]));
        assert_eq!(explained.status, 1);
        assert!(explained.stdout.starts_with("1. "), "{}", explained.stdout);
    }
}

#[test]
fn half_a_key_is_an_error_that_says_so() {
    for (service, id, secret) in [
        (
            "smc",
            "ALIBABA_CLOUD_ACCESS_KEY_ID",
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
        ),
        ("apig", "HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK"),
        ("zstack", "ZSTACK_ACCESS_KEY_ID", "ZSTACK_ACCESS_KEY_SECRET"),
    ] {
        let ended = run(bare().env(id, "only-half").args(["whoami", service]));
        assert_eq!(ended.status, 1);
        assert!(ended.stderr.contains(secret), "{}", ended.stderr);
    }
}

#[test]
fn sessions_are_tried_and_ended() {
    let cloud = cloud();
    let ended = run(keystone(&cloud).args(["whoami", "apig"]));
    assert_eq!(ended.status, 0, "{}", ended.printed());
    for expected in [
        accounts::KEYSTONE_USER,
        accounts::KEYSTONE_PROJECT_ID,
        "expires",
    ] {
        assert!(
            ended.stdout.contains(expected),
            "{expected} is not in {}",
            ended.stdout
        );
    }
    assert!(!ended.printed().contains(accounts::KEYSTONE_PASSWORD));

    let ended = run(zstack(&cloud).args(["whoami", "zstack"]));
    assert_eq!(ended.status, 0, "{}", ended.printed());
    assert!(!ended.printed().contains(accounts::ZSTACK_PASSWORD));
    let seen = cloud.requests();
    assert!(
        seen.last().unwrap().target.contains("/accounts/sessions/"),
        "logged out again"
    );
}

#[test]
fn a_login_that_hangs_holds_up_no_longer_than_the_timeout() {
    // Connections are taken by the system, and nobody ever answers them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}/zstack", silent.local_addr().unwrap());
    let command = |arguments: &[&str]| {
        let mut command = bare();
        command
            .env("ZSTACK_ENDPOINT", &endpoint)
            .env("ZSTACK_ACCOUNT_NAME", "admin")
            .env("ZSTACK_ACCOUNT_PASSWORD", "s3cr3t")
            .args(arguments)
            .args(["--timeout", "100ms"]);
        run(&mut command)
    };
    let asked = command(&["whoami", "zstack"]);
    assert_eq!((asked.status, asked.stdout.as_str()), (1, ""));
    let expected = "no credentials for zstack\n  ZStack login: gave no answer within 0.1 s\n";
    assert!(asked.stderr.ends_with(expected), "{}", asked.stderr);

    let called = command(&["call", "zstack", "QueryAccessKey"]);
    assert_eq!(called.status, 1);
    let error = &called.json()["error"];
    assert_eq!(
        (error["kind"].as_str(), error["outcome"].as_str()),
        (Some("Timeout"), Some("NotSent")),
        "{}",
        called.stdout
    );
    assert!(called.stderr.contains("ZStack login: no credentials yet"));
    assert!(!called.printed().contains("s3cr3t"));
}

#[cfg(unix)]
#[test]
fn a_profile_that_others_can_read_is_warned_about() {
    use std::os::unix::fs::PermissionsExt;
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("open-profile");
    let file = home.join(".aliyun/config.json");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    let profile = format!(
        r#"{{"current":"p","profiles":[{{"name":"p","mode":"AK","access_key_id":"{}","access_key_secret":"{}"}}]}}"#,
        accounts::ALIBABA_KEY_ID,
        accounts::ALIBABA_SECRET
    );
    fs::write(&file, profile).unwrap();
    let cloud = cloud();
    let endpoint = cloud.smc_endpoint();
    let call = [
        "call",
        "smc",
        "ListAccessTokens",
        "--region",
        accounts::ALIBABA_REGION,
        "--endpoint-url",
        endpoint.as_str(),
    ];
    for (mode, who) in [
        (0o644, Some("every user of this machine")),
        (0o640, Some("every user of its group")),
        (0o600, None),
    ] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        for arguments in [&["whoami", "smc"][..], &call[..]] {
            let ended = run(bare().env("HOME", &home).args(arguments));
            assert_eq!(ended.status, 0, "{}", ended.printed());
            let shown = file.display();
            let expected = who.map_or_else(String::new, |who| {
                format!(
                    "warning: {shown} holds credentials, and {who} can read it: run `chmod 600 {shown}`\n"
                )
            });
            assert_eq!(ended.stderr, expected, "{arguments:?}");
        }
    }
}

#[test]
fn a_proxy_that_cannot_be_used_is_told_of_once() {
    let cloud = cloud();
    let endpoint = cloud.smc_endpoint();
    let ended = run(bare()
        .env("ALIBABA_CLOUD_ACCESS_KEY_ID", accounts::ALIBABA_KEY_ID)
        .env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", accounts::ALIBABA_SECRET)
        .env("ALIBABA_CLOUD_REGION_ID", accounts::ALIBABA_REGION)
        .env("HTTPS_PROXY", "://bad")
        .args([
            "call",
            "smc",
            "ListAccessTokens",
            "--endpoint-url",
            &endpoint,
        ]));
    assert_eq!(ended.status, 0, "{}", ended.printed());
    let expected = "warning: HTTPS_PROXY is no proxy that can be used, and requests go past it: `://bad`; write http://host:port\n";
    assert_eq!(ended.stderr, expected);
}
