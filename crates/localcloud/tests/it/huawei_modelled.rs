//! Do operations of API Gateway without behaviour of their own answer as their models say?

use crate::common::{Answer, Request};
use crate::huawei::{code, signed, token};
use cumulo_localcloud::accounts::{INSTANCE_ID, KEYSTONE_OTHER_PROJECT_ID, KEYSTONE_PROJECT_ID};
use cumulo_localcloud::{Fault, FaultKind, LocalCloud, Service};
use serde_json::{Value, json};

fn at(cloud: &LocalCloud, method: &str, rest: &str) -> Request {
    let target = format!("/v2/{KEYSTONE_PROJECT_ID}/apigw/instances/{INSTANCE_ID}{rest}");
    Request::new(&cloud.apig_endpoint(), method, &target)
}

async fn send(request: Request) -> Answer {
    signed(request).send().await
}

#[tokio::test]
async fn every_kind_of_answer() {
    let cloud = LocalCloud::start().await;
    let created = send(at(&cloud, "POST", "/envs").json(&json!({"name": "DEV 中"}))).await;
    let body = created.json();
    assert_eq!((created.status, &body["name"]), (201, &json!("DEV 中")));
    assert_eq!(body["id"].as_str().unwrap().len(), 32);
    assert!(
        body["create_time"]
            .as_str()
            .unwrap()
            .parse::<jiff::Timestamp>()
            .is_ok()
    );
    assert!(!created.header("x-request-id").is_empty());

    let shown = send(at(&cloud, "GET", "/env-variables/abc")).await;
    assert_eq!((shown.status, &shown.json()["id"]), (200, &json!("abc")));

    let path = format!("/envs/{}", body["id"].as_str().unwrap());
    let deleted = send(at(&cloud, "DELETE", &path)).await;
    assert_eq!((deleted.status, deleted.text().as_str()), (204, ""));

    let export = json!({"env_id": "e", "group_id": "g"});
    let exported = send(at(&cloud, "POST", "/openapi/export").json(&export)).await;
    assert_eq!(
        (exported.status, exported.header("content-type")),
        (200, "application/octet-stream")
    );
    assert!(exported.body.starts_with(b"PK"));

    let raw = send(at(
        &cloud,
        "GET",
        "/api-groups/g/gateway-responses/r/AUTH_FAILURE",
    ))
    .await;
    assert!(
        raw.json()["AUTH_FAILURE"]["status"].is_number(),
        "{}",
        raw.text()
    );

    let response = json!({
        "name": "r",
        "responses": {"AUTH_FAILURE": {"status": 401, "body": "{}", "headers": [{"key": "k", "value": "v"}]}},
    });
    let created = send(at(&cloud, "POST", "/api-groups/g/gateway-responses").json(&response)).await;
    assert_eq!(created.status, 201);
    let failure = created.json()["responses"]["AUTH_FAILURE"].clone();
    assert_eq!(
        (&failure["status"], &failure["headers"]),
        (&json!(401), &json!([{"key": "k", "value": "v"}]))
    );
}

#[tokio::test]
async fn a_file_is_imported_in_parts() {
    let cloud = LocalCloud::start().await;
    let import = |name: &str, content_type: &str| {
        let body = format!(
            "--b\r\nContent-Disposition: form-data; name=\"is_create_group\"\r\n\r\nfalse\r\n\
             --b\r\nContent-Disposition: form-data; name=\"group_id\"\r\n\r\ng-1\r\n\
             --b\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"a.json\"\r\n\r\n{{\"a\":1}}\r\n--b--\r\n"
        );
        at(&cloud, "POST", "/openapi/async-import").body(content_type, body)
    };
    let form = "multipart/form-data; boundary=b";
    let taken = send(import("file_name", form)).await;
    assert_eq!(taken.status, 202, "{}", taken.text());
    assert_eq!(taken.json()["task_id"].as_str().unwrap().len(), 32);
    for (request, expected) in [
        (import("file", form), "APIG.2001"),
        (import("file_name", "multipart/form-data"), "APIG.2012"),
        (import("file_name", "application/json"), "APIG.2012"),
        (
            import("file_name", "multipart/form-data; boundary=c"),
            "APIG.2012",
        ),
    ] {
        let answer = send(request).await;
        assert_eq!((answer.status, code(&answer).as_str()), (400, expected));
    }
}

#[tokio::test]
async fn lists_are_paged_by_offset() {
    let cloud = LocalCloud::start().await;
    let page = async |query: &str| -> (u64, u64, Vec<Value>) {
        let body = send(at(&cloud, "GET", &format!("/envs{query}")))
            .await
            .json();
        (
            body["total"].as_u64().unwrap(),
            body["size"].as_u64().unwrap(),
            body["envs"].as_array().unwrap().clone(),
        )
    };
    let mut all = Vec::new();
    for offset in [0, 10, 20, 30] {
        let (total, size, envs) = page(&format!("?limit=10&offset={offset}")).await;
        assert_eq!((total, size), (25, envs.len() as u64));
        all.extend(envs);
    }
    assert_eq!(all.len(), 25);
    all.dedup();
    assert_eq!(all.len(), 25);
    assert_eq!(page("").await.1, 20);
    let bad = send(at(&cloud, "GET", "/envs?limit=ten")).await;
    assert_eq!((bad.status, code(&bad).as_str()), (400, "APIG.2012"));
}

#[tokio::test]
async fn refusals_name_the_member() {
    let cloud = LocalCloud::start().await;
    let post = |rest: &str, body: &Value| at(&cloud, "POST", rest).json(body);
    for (request, status, expected, names) in [
        (
            post("/envs", &json!({})),
            400,
            "APIG.2001",
            "parameterName:name",
        ),
        (
            at(&cloud, "POST", "/envs"),
            400,
            "APIG.2001",
            "parameterName:name",
        ),
        (
            post("/envs", &json!({"name": 5})),
            400,
            "APIG.2012",
            "parameterName:name",
        ),
        (
            post("/envs", &json!([])),
            400,
            "APIG.2012",
            "parameterName:body",
        ),
        (
            post(
                "/vpc-channels",
                &json!({"name": "n", "port": 80, "balance_strategy": 1, "member_type": "ip", "type": 2, "member_groups": [{"member_group_weight": 1}]}),
            ),
            400,
            "APIG.2001",
            "parameterName:member_groups.1.member_group_name",
        ),
        (
            at(&cloud, "GET", "/nothing"),
            404,
            "APIGW.0101",
            "does not exist",
        ),
        (
            at(&cloud, "PATCH", "/envs"),
            404,
            "APIGW.0101",
            "does not exist",
        ),
        (
            at(&cloud, "GET", "/envs/"),
            404,
            "APIGW.0101",
            "does not exist",
        ),
    ] {
        let answer = send(request).await;
        let found = (answer.status, code(&answer));
        assert_eq!(found, (status, expected.to_owned()), "{}", answer.text());
        assert!(answer.text().contains(names), "{}", answer.text());
    }
    assert!(cloud.requests().iter().all(|one| one.verdict.is_some()));
    assert_eq!(
        cloud.requests()[0].operation.as_deref(),
        Some("CreateEnvironmentV2")
    );
}

#[tokio::test]
async fn callers_are_checked_first() {
    let cloud = LocalCloud::start().await;
    let unsigned = at(&cloud, "POST", "/envs").json(&json!({}));
    assert_eq!(unsigned.send().await.status, 401);
    let token = token(&cloud).await;
    let with_token = unsigned.header("X-Auth-Token", &token);
    assert_eq!(code(&with_token.send().await), "APIG.2001");
    let mut elsewhere = with_token;
    elsewhere.target = elsewhere
        .target
        .replace(KEYSTONE_PROJECT_ID, KEYSTONE_OTHER_PROJECT_ID);
    assert_eq!(elsewhere.send().await.status, 403);
    cloud.inject(Fault::new(Service::Apig, FaultKind::throttle()).operation("ListEnvironmentsV2"));
    assert_eq!(send(at(&cloud, "GET", "/envs")).await.status, 429);
    assert_eq!(send(at(&cloud, "GET", "/envs")).await.status, 200);
}
