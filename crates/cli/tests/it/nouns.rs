//! `cumulo list` and `cumulo get`: things by their names instead of operations.

use cumulo_core::Json;
use cumulo_localcloud::{LocalCloud, Samples, accounts};
use cumulo_tests::HARD_APP_CODE;
use serde_json::json;

use crate::clouds::{keystone, zstack};
use crate::common::{Ended, alibaba, call_smc, run};

fn cloud() -> LocalCloud {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let cloud = LocalCloud::builder().samples(Samples::Never);
    runtime.block_on(cloud.start()).unwrap()
}

fn smc(cloud: &LocalCloud, words: &[&str]) -> Ended {
    run(alibaba()
        .args(words)
        .args(["--endpoint-url", &cloud.smc_endpoint()]))
}

fn apig(cloud: &LocalCloud, words: &[&str]) -> Ended {
    run(keystone(cloud)
        .args(words)
        .args(["--instance-id", accounts::INSTANCE_ID]))
}

fn made(ended: &Ended) -> Json {
    assert_eq!(ended.status, 0, "{}", ended.printed());
    ended.json()["output"].clone()
}

#[test]
fn things_are_listed_and_read() {
    let cloud = cloud();
    let group = |name: &str| {
        let input = json!({ "Name": name }).to_string();
        let made = made(&run(&mut call_smc(&cloud, "CreateWorkgroup", &input)));
        made["WorkgroupId"].as_str().unwrap().to_owned()
    };
    let (first, second) = (group("web"), group("db"));
    let listed = smc(&cloud, &["list", "smc", "workgroup"]);
    let line = listed.json();
    assert_eq!((&line["ok"], &line["items"]), (&json!(true), &json!(2)));
    let ids: Vec<&str> = line["output"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|item| item["WorkgroupId"].as_str())
        .collect();
    assert!(
        ids.contains(&first.as_str()) && ids.contains(&second.as_str()),
        "{ids:?}"
    );

    let got = smc(&cloud, &["get", "smc", "workgroup", &second]);
    assert_eq!(made(&got)["Name"], "db");
    let name = ["--output", "text", "--query", "[[WorkgroupId, Name]]"];
    let got = smc(
        &cloud,
        &[&["get", "smc", "workgroup", &first][..], &name].concat(),
    );
    assert_eq!(got.stdout, format!("{first}\tweb\n"));
    let table = smc(&cloud, &["list", "smc", "workgroup", "--output", "table"]);
    assert!(
        table.stdout.lines().any(|line| line.starts_with("web ")),
        "{}",
        table.stdout
    );

    let none = smc(&cloud, &["get", "smc", "workgroup", "wg-none"]);
    assert_eq!(none.status, 1);
    assert_eq!(none.json()["error"]["kind"], "NotFound");
    assert!(
        none.stderr.contains("no workgroup `wg-none`"),
        "{}",
        none.stderr
    );
}

#[test]
fn parents_and_conditions_choose() {
    let cloud = cloud();
    let app = apig(
        &cloud,
        &["call", "apig", "CreateAnAppV2", r#"{"name":"shop"}"#],
    );
    let app = made(&app)["id"].as_str().unwrap().to_owned();
    let code = json!({ "app_id": app, "app_code": HARD_APP_CODE });
    let code = apig(
        &cloud,
        &[
            "call",
            "apig",
            "CreateAppCodeV2",
            &code.to_string(),
            "--show-secrets",
        ],
    );
    let code = made(&code)["id"].as_str().unwrap().to_owned();
    let parent = format!("app={app}");
    let listed = apig(&cloud, &["list", "apig", "app-code", "--parent", &parent]);
    assert_eq!(made(&listed)[0]["id"], code);
    assert!(
        !listed.printed().contains(HARD_APP_CODE),
        "{}",
        listed.stdout
    );
    let got = apig(
        &cloud,
        &["get", "apig", "app-code", &code, "--parent", &parent],
    );
    assert_eq!(made(&got)["id"], code);
    let none = apig(
        &cloud,
        &["get", "apig", "app", "0123456789abcdef0123456789abcdef"],
    );
    assert_eq!(
        (none.status, &none.json()["error"]["kind"]),
        (1, &json!("NotFound"))
    );
    // Without the parent it is no address.
    let ended = apig(&cloud, &["list", "apig", "app-code"]);
    assert_eq!(ended.status, 2, "{}", ended.printed());
    assert!(ended.stderr.contains("app_id"), "{}", ended.stderr);

    for name in ["zone-a", "zone-b", "other"] {
        let input = json!({ "name": name }).to_string();
        assert_eq!(
            run(zstack(&cloud).args(["call", "zstack", "CreateZone", &input])).status,
            0
        );
    }
    let list = [
        "list",
        "zstack",
        "zone",
        "name~=zone-%",
        "--output",
        "text",
        "--query",
        "[].name",
    ];
    let ended = run(zstack(&cloud).args(list));
    let mut names: Vec<&str> = ended.stdout.lines().collect();
    names.sort_unstable();
    assert_eq!(names, ["zone-a", "zone-b"], "{}", ended.stderr);
    let seen = cloud.requests();
    let asked = seen
        .iter()
        .rfind(|request| request.target.contains("q="))
        .unwrap();
    assert!(asked.target.contains("sort=%2Buuid"), "{}", asked.target);
}

#[test]
fn unknown_names_are_answered_with_the_nearest() {
    let cloud = cloud();
    for (words, said) in [
        (&["list", "smc", "work-group"][..], "`workgroup`"),
        (&["get", "zstack", "vm-instanc", "u"], "`vm-instance`"),
        (&["list", "zstack", "zone", "nam=a"], "`name`"),
        (&["list", "apig", "app-code", "--parent", "ap=a"], "`app`"),
        (
            &["wait", "smc", "replication-job", "j", "--for", "Finishd"],
            "`finished`",
        ),
        (&["wait", "zstack", "zone", "u"], "--for"),
        (&["get", "smc", "tag", "k"], "TagResources"),
        (&["list", "apig", "creation"], "cumulo get"),
        (&["job", "wait", "j", "--service", "smc"], "cumulo wait"),
        (&["list", "smc", "workgroup", "--query", "["], "--query"),
    ] {
        let ended = run(alibaba().args(words));
        assert_eq!(ended.status, 2, "{words:?}: {}", ended.printed());
        assert!(ended.stderr.contains(said), "{words:?}: {}", ended.stderr);
    }
    assert!(cloud.requests().is_empty());
}
