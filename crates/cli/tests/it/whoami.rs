//! `cumulo whoami`: who won and why, and no secret.

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
