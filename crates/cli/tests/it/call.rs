//! `cumulo call`: results, exit status, and what never gets printed.

use cumulo_core::Json;
use cumulo_localcloud::{Fault, FaultKind, Service, accounts};
use serde_json::json;

use crate::clouds::zstack;
use crate::common::{alibaba, bare, call_smc, cloud, run, run_with};

#[test]
fn a_result_is_one_line_of_json() {
    let cloud = cloud();
    let input = r#"{"Name":"web-servers","Count":"10"}"#;
    let ended = run(call_smc(&cloud, "CreateAccessToken", input).arg("--show-secrets"));
    assert_eq!(ended.status, 0, "{}", ended.printed());
    let result = ended.json();
    let members: Vec<&String> = result.as_object().unwrap().keys().collect();
    assert_eq!(members, ["ok", "output", "request_id", "attempts"]);
    assert_eq!(
        (&result["ok"], &result["attempts"]),
        (&json!(true), &json!(1))
    );
    assert!(result["request_id"].is_string());
    let id = result["output"]["AccessTokenId"]
        .as_str()
        .unwrap()
        .to_owned();

    let input = json!({ "AccessTokenId": [id] }).to_string();
    let listed = run(&mut call_smc(&cloud, "ListAccessTokens", &input)).json();
    let token = &listed["output"]["AccessTokens"]["AccessToken"][0];
    assert_eq!(
        (&token["AccessTokenId"], &token["Name"]),
        (&json!(id), &json!("web-servers"))
    );
    assert_eq!(ended.stderr, "");
}

#[test]
fn secrets_are_printed_only_when_asked_for() {
    let cloud = cloud();
    let (key, secret) = (accounts::ZSTACK_KEY_UUID, accounts::ZSTACK_KEY_SECRET);
    let input = json!({ "uuid": key, "stateEvent": "enable" }).to_string();
    let change = |options: &[&str]| {
        let mut command = zstack(&cloud);
        command.args(["call", "zstack", "ChangeAccessKeyState", &input]);
        run(command.args(options))
    };
    let open = change(&["--show-secrets"]).json();
    assert_eq!(open["output"]["inventory"]["AccessKeySecret"], secret);
    for options in [&[] as &[&str], &["--output", "table"]] {
        let ended = change(options);
        assert_eq!(ended.status, 0);
        assert!(ended.stdout.contains("** redacted **"), "{}", ended.stdout);
        assert!(!ended.printed().contains(secret), "{}", ended.printed());
    }
}

#[test]
fn zstack_tags_are_taken_where_there_is_no_body_and_where_there_is_one() {
    let cloud = cloud();
    let uuid = accounts::ZSTACK_KEY_UUID;
    for (operation, mut input) in [
        ("GetZone", json!({ "uuid": uuid })),
        ("DeleteZone", json!({ "uuid": uuid })),
        ("CreateZone", json!({ "name": "z" })),
    ] {
        input["systemTags"] = json!(["a::b", "c::d"]);
        input["userTags"] = json!(["e"]);
        let mut command = zstack(&cloud);
        let ended = run(command.args(["call", "zstack", operation, &input.to_string()]));
        assert_eq!(ended.status, 0, "{}", ended.printed());
        input["systemTag"] = json!([]);
        let mut command = zstack(&cloud);
        let ended = run(command.args(["call", "zstack", operation, &input.to_string()]));
        assert_eq!(ended.status, 2, "{}", ended.printed());
        assert!(ended.stderr.contains("systemTags"), "{}", ended.stderr);
    }
}

#[test]
fn a_table_has_a_row_per_item() {
    let cloud = cloud();
    for name in ["first-code", "second-code"] {
        let input = json!({ "Name": name }).to_string();
        run(call_smc(&cloud, "CreateAccessToken", &input).arg("--show-secrets"));
    }
    let ended = run(call_smc(&cloud, "ListAccessTokens", "{}").args(["--output", "table"]));
    assert_eq!(ended.status, 0);
    assert!(ended.stdout.contains("TotalCount  2\n"), "{}", ended.stdout);
    for name in ["first-code", "second-code"] {
        assert_eq!(
            ended
                .stdout
                .lines()
                .filter(|line| line.contains(name))
                .count(),
            1
        );
    }
    // No terminal, so nothing is cut.
    assert!(!ended.stdout.contains('…'), "{}", ended.stdout);
    assert!(
        ended.stdout.contains("TimeToLiveInDays"),
        "{}",
        ended.stdout
    );
}

#[test]
fn input_comes_from_standard_input() {
    let cloud = cloud();
    let mut command = call_smc(&cloud, "CreateAccessToken", "-");
    let ended = run_with(
        command.arg("--show-secrets"),
        "\u{feff}{\"Name\": \"from-stdin\"}\n".as_bytes(),
    );
    assert_eq!(ended.status, 0, "{}", ended.printed());
    let seen = cloud.requests();
    assert_eq!(seen[0].parameter("Name").as_deref(), Some("from-stdin"));

    let ended = run_with(&mut call_smc(&cloud, "CreateAccessToken", "-"), b"\xff\xfe");
    assert_eq!(ended.status, 2);
    assert!(ended.stderr.contains("not UTF-8"), "{}", ended.stderr);
}

#[test]
fn wrong_input_is_wrong_usage_and_nothing_is_sent() {
    let cloud = cloud();
    let cases = [
        ("CreateAccessToken", "{\"Name\":", "not JSON"),
        ("CreateAccessToken", "[]", "object"),
        (
            "CreateAccessTokens",
            "{}",
            "Did you mean `CreateAccessToken`?",
        ),
        ("CreateAccessToken", r#"{"Nam":"x"}"#, "Name"),
        ("CreateAccessToken", r#"{"Name":{"a":1}}"#, "Name"),
        ("DeleteAccessToken", "{}", "AccessTokenId"),
    ];
    for (operation, input, expected) in cases {
        let ended = run(&mut call_smc(&cloud, operation, input));
        assert_eq!(ended.status, 2, "{input}: {}", ended.printed());
        assert!(ended.stderr.contains(expected), "{input}: {}", ended.stderr);
        let result = ended.json();
        assert_eq!(result["ok"], false);
        assert_eq!(result["error"]["kind"], "InvalidInput");
        assert_eq!(result["error"]["outcome"], "NotSent");
    }
    assert!(cloud.requests().is_empty());
}

#[test]
fn wrong_arguments_are_wrong_usage() {
    for (args, expected) in [
        (&["call", "smd", "ListTags"] as &[&str], "smc"),
        (&["cal"], "call"),
        (
            &["call", "smc", "ListTags", "{}", "--timeout", "soon"],
            "ms, s or m",
        ),
        (&["batch", "--concurrency", "0"], "1..="),
        (&["call", "smc"], "<OPERATION>"),
    ] {
        let ended = run(bare().args(args));
        assert_eq!(ended.status, 2, "{args:?}");
        assert!(
            ended.stderr.contains(expected),
            "{args:?}: {}",
            ended.stderr
        );
    }
}

#[test]
fn a_missing_region_says_where_to_set_it() {
    let ended = run(alibaba().env_remove("ALIBABA_CLOUD_REGION_ID").args([
        "call",
        "smartag",
        "DescribeRegions",
    ]));
    assert_eq!(ended.status, 2);
    assert_eq!(ended.json()["error"]["kind"], "Configuration");
    assert!(ended.stderr.contains("region"), "{}", ended.stderr);
}

#[test]
fn a_refusal_of_the_service_is_status_1() {
    let cloud = cloud();
    let ended = run(&mut call_smc(
        &cloud,
        "DisableAccessToken",
        r#"{"AccessTokenId":"at-none"}"#,
    ));
    assert_eq!(ended.status, 1, "{}", ended.printed());
    let result = ended.json();
    let error = &result["error"];
    let members: Vec<&str> = error
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let documented = [
        "kind",
        "code",
        "message",
        "status",
        "request_id",
        "outcome",
        "client_token",
    ];
    assert_eq!(members[..documented.len()], documented);
    assert_eq!(
        (&result["ok"], &error["outcome"]),
        (&json!(false), &json!("Rejected"))
    );
    let (code, id) = (
        error["code"].as_str().unwrap(),
        error["request_id"].as_str().unwrap(),
    );
    assert!(error["status"].as_u64().unwrap() >= 400);
    assert!(
        ended.stderr.contains(code) && ended.stderr.contains(id),
        "{}",
        ended.stderr
    );
}

#[test]
fn an_unknown_outcome_is_told_and_not_repeated() {
    let cloud = cloud();
    cloud.inject(Fault::new(Service::Smc, FaultKind::LoseResponse).operation("CreateAccessToken"));
    let mut command = call_smc(&cloud, "CreateAccessToken", r#"{"Name":"web-servers"}"#);
    let ended = run(command.arg("--show-secrets"));
    assert_eq!(ended.status, 1);
    assert_eq!(ended.json()["error"]["outcome"], "Unknown");
    assert!(
        ended.stderr.contains("may have been executed"),
        "{}",
        ended.stderr
    );
    assert_eq!(cloud.requests().len(), 1);
}

#[test]
fn a_wrong_secret_is_explained_and_not_printed() {
    let cloud = cloud();
    let wrong = "wrong-secret-of-thirty-letters";
    let mut command = call_smc(&cloud, "ListAccessTokens", "{}");
    let ended = run(command.env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", wrong));
    assert_eq!(ended.status, 1);
    assert_eq!(ended.json()["error"]["kind"], "Signature");
    assert!(
        ended.stderr.contains("cumulo whoami smc --explain"),
        "{}",
        ended.stderr
    );
    assert!(!ended.printed().contains(wrong));
}

#[test]
fn without_credentials_the_sources_are_listed() {
    let cloud = cloud();
    let ended = run(bare().args([
        "call",
        "smc",
        "ListAccessTokens",
        "--endpoint-url",
        &cloud.smc_endpoint(),
    ]));
    assert_eq!(ended.status, 1, "{}", ended.printed());
    let result = ended.json();
    assert_eq!(result["error"]["kind"], "Credentials");
    let message = result["error"]["message"].as_str().unwrap();
    for source in ["ALIBABA_CLOUD_ACCESS_KEY_ID", ".aliyun/config.json"] {
        assert!(message.contains(source), "{source} is not in {message}");
    }
    assert!(cloud.requests().is_empty());
}

#[test]
fn a_closed_port_fails_in_the_time_given() {
    // The port was free a moment ago, and is closed again.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let ended = run(alibaba().args([
        "call",
        "smc",
        "ListAccessTokens",
        "--endpoint-url",
        &address,
        "--timeout",
        "20ms",
    ]));
    assert_eq!(ended.status, 1);
    let result = ended.json();
    assert_eq!(result["error"]["outcome"], "NotSent");
    assert_eq!(result["error"]["status"], Json::Null);
}

#[test]
fn a_client_token_can_be_given() {
    let cloud = cloud();
    let call = |token: &str| {
        let mut command = alibaba();
        command.args([
            "call",
            "smartag",
            "CreateEnterpriseCode",
            r#"{"EnterpriseCode":"abc12"}"#,
        ]);
        command.args([
            "--endpoint-url",
            &cloud.smartag_endpoint(),
            "--client-token",
            token,
        ]);
        run(&mut command)
    };
    assert_eq!(call("order-42").status, 0);
    assert_eq!(call("order-42").status, 0, "the repeat is recognised");
    let other = call("order-43");
    assert_eq!(other.status, 1);
    let error = other.json();
    assert_eq!(error["error"]["client_token"], "order-43");
    assert_eq!(call("not\u{e9}ascii").status, 2);
}

#[test]
fn plain_http_to_another_machine_is_refused_unless_allowed() {
    let call = |options: &[&str]| {
        let mut command = alibaba();
        command.args([
            "call",
            "smc",
            "ListAccessTokens",
            "--endpoint-url",
            "http://192.0.2.1",
        ]);
        run(command.args(["--timeout", "20ms"]).args(options))
    };
    let refused = call(&[]);
    assert_eq!(refused.status, 2, "{}", refused.printed());
    assert!(!refused.printed().contains(accounts::ALIBABA_SECRET));
    assert_eq!(call(&["--allow-http"]).status, 1);
}
