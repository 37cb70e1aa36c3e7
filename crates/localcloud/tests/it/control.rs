//! Can a program in any language steer the local cloud? Each part of `/_cumulo/` with raw requests.

use crate::alibaba::smc;
use crate::common::{Answer, Request};
use cumulo_localcloud::LocalCloud;
use serde_json::{Value, json};

async fn control(cloud: &LocalCloud, method: &str, path: &str, body: Value) -> Answer {
    let request = Request::new(&cloud.zstack_endpoint(), method, &format!("/_cumulo{path}"));
    let request = if body.is_null() {
        request
    } else {
        request.json(&body)
    };
    request.send().await
}

#[tokio::test]
async fn health_faults_clock_and_requests() {
    let cloud = LocalCloud::start().await;
    let health = control(&cloud, "GET", "/health", Value::Null).await.json();
    assert_eq!(
        (&health["status"], &health["endpoints"]["smc"]),
        (&json!("ok"), &json!(cloud.smc_endpoint()))
    );

    let fault = json!({"service": "smc", "operation": "ListAccessTokens", "match": "Name=no", "what": "ServerError", "status": 503, "times": 2});
    let queued = control(&cloud, "POST", "/faults", fault).await;
    assert_eq!(queued.status, 200, "{}", queued.text());
    let list = |name: &'static str| {
        let acs = smc(&cloud);
        async move {
            acs.v3("ListAccessTokens", &[("Name", name)])
                .send()
                .await
                .status
        }
    };
    assert_eq!((list("yes").await, list("no").await), (200, 503));
    let left = control(&cloud, "GET", "/faults", Value::Null).await.json();
    assert_eq!(left["faults"][0]["times"], 1);
    control(&cloud, "DELETE", "/faults", Value::Null).await;
    assert_eq!(list("no").await, 200);

    let seen = control(&cloud, "GET", "/requests", Value::Null).await;
    let requests = seen.json()["requests"].clone();
    assert_eq!(
        requests.as_array().unwrap().len(),
        3,
        "the control interface is no part of it"
    );
    assert_eq!(
        (&requests[1]["fault"], &requests[1]["status"]),
        (&json!("ServerError"), &json!(503))
    );
    assert!(
        !seen.text().to_lowercase().contains("signature"),
        "{}",
        seen.text()
    );

    let moved = control(&cloud, "PUT", "/clock", json!({"advance_seconds": 3600})).await;
    assert_eq!(moved.json()["offset_seconds"], 3600);
    assert_eq!(list("yes").await, 400, "the signature is an hour old");
    control(&cloud, "PUT", "/clock", json!({"offset_seconds": 0})).await;
    assert_eq!(list("yes").await, 200);
}

#[tokio::test]
async fn things_snapshots_and_transitions() {
    let cloud = LocalCloud::start().await;
    let server = json!({"SourceId": "s-1", "Name": "web"});
    let made = control(&cloud, "POST", "/resources/smc/source-server", server).await;
    assert_eq!(made.json(), json!({"id": "s-1"}), "{}", made.text());
    let listed = smc(&cloud)
        .v3("DescribeSourceServers", &[])
        .send()
        .await
        .json();
    assert_eq!(listed["SourceServers"]["SourceServer"][0]["Name"], "web");
    let snapshot = control(&cloud, "GET", "/snapshot", Value::Null)
        .await
        .json();

    let other = LocalCloud::start().await;
    let restored = control(&other, "PUT", "/snapshot", snapshot.clone()).await;
    assert_eq!(restored.status, 200, "{}", restored.text());
    assert_eq!(other.snapshot().parse::<Value>().unwrap(), snapshot);
    let listed = smc(&other)
        .v3("DescribeSourceServers", &[])
        .send()
        .await
        .json();
    assert_eq!(
        listed["SourceServers"]["SourceServer"][0]["SourceId"],
        "s-1"
    );
    let kept = control(&other, "GET", "/resources", Value::Null)
        .await
        .json();
    let kept = kept["resources"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["resource"] == "source-server");
    assert_eq!(kept.unwrap()["kept"], 1);

    let slow =
        json!({"service": "smc", "resource": "replication-job", "reads": 1, "ending": "InError"});
    assert_eq!(
        control(&cloud, "PUT", "/transitions", slow.clone())
            .await
            .json()["reads"],
        1
    );
    let set = control(&cloud, "GET", "/transitions", Value::Null)
        .await
        .json();
    assert_eq!(set["transitions"], json!([slow]));
    control(&cloud, "POST", "/reset", Value::Null).await;
    let things = control(&cloud, "GET", "/resources/smc/source-server", Value::Null).await;
    assert_eq!(things.json(), json!({"things": []}));
    let set = control(&cloud, "GET", "/transitions", Value::Null)
        .await
        .json();
    assert_eq!(set["transitions"], json!([]));
}

#[tokio::test]
async fn what_is_wrong_is_named_with_what_was_meant() {
    let cloud = LocalCloud::start().await;
    for (method, path, body, status, why) in [
        ("GET", "/helth", Value::Null, 404, "did you mean /health?"),
        ("POST", "/health", Value::Null, 405, "GET"),
        (
            "POST",
            "/faults",
            json!({"service": "smc", "wat": 1}),
            400,
            "did you mean what?",
        ),
        (
            "PUT",
            "/clock",
            json!({"offset_seconds": "1"}),
            400,
            "offset_seconds",
        ),
        ("PUT", "/snapshot", json!({"version": 7}), 400, "version"),
        (
            "POST",
            "/resources/smc/source-servr",
            json!({}),
            400,
            "did you mean source-server?",
        ),
        (
            "POST",
            "/resources/smc/source-server",
            json!({"Nme": "x"}),
            400,
            "did you mean Name?",
        ),
        (
            "PUT",
            "/transitions",
            json!({"service": "smc", "resource": "replication-job", "ending": "InEror"}),
            400,
            "did you mean InError?",
        ),
    ] {
        let refused = control(&cloud, method, path, body).await;
        let text = refused.json()["error"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert_eq!(refused.status, status, "{path}: {text}");
        assert!(text.contains(why), "{path}: {text}");
    }
    for (wrong, why) in [
        (
            r#"{"smc": {"workgroup": [{"Name": "a"}, {"Nam": "b"}]}}"#,
            "smc workgroup 2: unknown member Nam; did you mean Name?",
        ),
        (
            r#"{"smc": {"workgroup": [{"Name": ["a"]}]}}"#,
            "smc workgroup 1: Name: expected text",
        ),
        (
            r#"{"zstack": {"volume": [{"size": "large"}]}}"#,
            "zstack volume 1: size: expected an integer",
        ),
    ] {
        assert_eq!(cloud.seed(wrong).unwrap_err().to_string(), why);
    }
}

#[tokio::test]
async fn a_snapshot_with_a_wrong_member_is_refused_with_its_place() {
    let cloud = LocalCloud::start().await;
    cloud
        .seed(r#"{"smc": {"workgroup": [{"Name": "a"}, {"Name": "b"}]}}"#)
        .unwrap();
    let whole = control(&cloud, "GET", "/snapshot", Value::Null)
        .await
        .json();
    for (member, value, why) in [
        (
            "members",
            json!({"Nam": "x"}),
            "smc workgroup 2: unknown member Nam; did you mean Name?",
        ),
        (
            "members",
            json!({"Name": {}}),
            "smc workgroup 2: Name: expected text",
        ),
        (
            "members",
            json!([]),
            "smc workgroup 2: members: expected an object",
        ),
        ("id", json!(5), "smc workgroup 2: id is no text"),
        ("number", json!("x"), "smc workgroup 2: number is no number"),
    ] {
        let mut wrong = whole.clone();
        wrong["kept"]["smc"]["workgroup"]["things"][1][member] = value;
        let refused = control(&cloud, "PUT", "/snapshot", wrong).await;
        assert_eq!(refused.status, 400, "{why}");
        assert_eq!(refused.json()["error"], why);
    }
    let again = control(&cloud, "GET", "/snapshot", Value::Null)
        .await
        .json();
    assert_eq!(again, whole, "nothing was taken up");
}
