//! Calls of the other services, which log in first.

use std::process::Command;

use cumulo_localcloud::{LocalCloud, accounts};
use serde_json::json;

use crate::common::{alibaba, bare, cloud, run, run_with};

/// The command with the local Keystone user.
pub(crate) fn keystone(cloud: &LocalCloud) -> Command {
    let mut command = bare();
    command
        .env("OS_AUTH_URL", cloud.iam_endpoint())
        .env("OS_USERNAME", accounts::KEYSTONE_USER)
        .env("OS_PASSWORD", accounts::KEYSTONE_PASSWORD)
        .env("OS_USER_DOMAIN_NAME", accounts::KEYSTONE_DOMAIN)
        .env("OS_PROJECT_NAME", accounts::KEYSTONE_PROJECT_NAME)
        .env("OS_REGION_NAME", accounts::KEYSTONE_REGION);
    command
}

/// The command with the local ZStack account.
pub(crate) fn zstack(cloud: &LocalCloud) -> Command {
    let mut command = bare();
    command
        .env("ZSTACK_ENDPOINT", cloud.zstack_endpoint())
        .env("ZSTACK_ACCOUNT_NAME", accounts::ZSTACK_ACCOUNT)
        .env("ZSTACK_ACCOUNT_PASSWORD", accounts::ZSTACK_PASSWORD);
    command
}

#[test]
fn apig_finds_its_address_in_the_catalog() {
    let cloud = cloud();
    let call = [
        "call",
        "apig",
        "ListAppsV2",
        "--instance-id",
        accounts::INSTANCE_ID,
    ];
    let ended = run(keystone(&cloud).args(call));
    assert_eq!(ended.status, 0, "{}", ended.printed());
    assert_eq!(ended.json()["output"]["apps"], json!([]));
    // Without the gateway's id it cannot be right.
    let ended = run(keystone(&cloud).args(&call[..3]));
    assert_eq!(ended.status, 2, "{}", ended.printed());
    assert!(ended.stderr.contains("instance_id"), "{}", ended.stderr);
}

#[test]
fn apig_takes_keys_and_options() {
    let cloud = cloud();
    let ended = run(bare()
        .env("HUAWEICLOUD_SDK_AK", accounts::HUAWEI_AK)
        .env("HUAWEICLOUD_SDK_SK", accounts::HUAWEI_SK)
        .args([
            "call",
            "apig",
            "ListAppsV2",
            "--instance-id",
            accounts::INSTANCE_ID,
        ])
        .args([
            "--project-id",
            accounts::KEYSTONE_PROJECT_ID,
            "--region",
            accounts::KEYSTONE_REGION,
        ])
        .args([
            "--iam-endpoint",
            &cloud.iam_endpoint(),
            "--endpoint-url",
            &cloud.apig_endpoint(),
        ]));
    assert_eq!(ended.status, 0, "{}", ended.printed());
}

#[test]
fn zstack_waits_for_jobs_and_logs_out() {
    let cloud = cloud();
    let input = json!({ "uuid": accounts::ZSTACK_KEY_UUID, "stateEvent": "disable" }).to_string();
    let ended = run(zstack(&cloud).args(["call", "zstack", "ChangeAccessKeyState", &input]));
    assert_eq!(ended.status, 0, "{}", ended.printed());
    assert_eq!(ended.json()["output"]["inventory"]["state"], "Disabled");
    let seen = cloud.requests();
    let paths: Vec<&str> = seen.iter().map(|request| request.target.as_str()).collect();
    assert!(
        paths.first().unwrap().ends_with("/accounts/login"),
        "{paths:?}"
    );
    assert!(
        paths.iter().any(|path| path.contains("/api-jobs/")),
        "{paths:?}"
    );
    assert!(
        paths.last().unwrap().contains("/accounts/sessions/"),
        "{paths:?}"
    );
    assert!(!ended.printed().contains(accounts::ZSTACK_PASSWORD));
}

#[test]
fn a_batch_calls_all_four() {
    let cloud = cloud();
    let mut command = alibaba();
    for from in [keystone(&cloud), zstack(&cloud)] {
        for (name, value) in from
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?)))
        {
            command.env(name, value);
        }
    }
    command.args(["batch", "--instance-id", accounts::INSTANCE_ID]);
    for (service, address) in [
        ("smc", cloud.smc_endpoint()),
        ("smartag", cloud.smartag_endpoint()),
    ] {
        command.args(["--endpoint-url", &format!("{service}={address}")]);
    }
    let mut input = String::new();
    for _ in 0..5 {
        for (service, operation) in [
            ("smc", "ListAccessTokens"),
            ("smartag", "ListEnterpriseCode"),
            ("apig", "ListAppsV2"),
            ("zstack", "QueryAccessKey"),
        ] {
            input += &json!({ "service": service, "operation": operation }).to_string();
            input.push('\n');
        }
    }
    let ended = run_with(&mut command, input.as_bytes());
    assert_eq!(ended.status, 0, "{}", ended.printed());
    let lines = ended.lines();
    assert_eq!(lines.len(), 20);
    for four in lines.chunks(4) {
        assert!(four[0]["output"]["AccessTokens"].is_object(), "{four:?}");
        assert!(four[1]["output"]["EnterpriseCodes"].is_array(), "{four:?}");
        assert!(four[2]["output"]["apps"].is_array(), "{four:?}");
        assert!(four[3]["output"]["inventories"].is_array(), "{four:?}");
    }
    let seen = cloud.requests();
    let logins = seen
        .iter()
        .filter(|request| request.target.ends_with("/accounts/login"))
        .count();
    assert_eq!(logins, 1, "one client per service");
}
