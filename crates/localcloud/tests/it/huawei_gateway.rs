//! Does API Gateway keep apps and codes, and refuse what it must?

use crate::common::{Request, sdk_hmac};
use crate::huawei::{app, apps, by_name, code, log_in, signed, token};
use cumulo_localcloud::accounts::{
    HUAWEI_AK, HUAWEI_OTHER_AK, HUAWEI_OTHER_SK, HUAWEI_SECURITY_TOKEN, HUAWEI_SK, HUAWEI_TEMP_AK,
    HUAWEI_TEMP_SK, INSTANCE_ID, KEYSTONE_OTHER_PROJECT_ID, KEYSTONE_PROJECT_ID, KEYSTONE_READER,
    KEYSTONE_READER_PASSWORD,
};
use cumulo_localcloud::{Fault, FaultKind, LocalCloud, Service};
use serde_json::json;

#[tokio::test]
async fn apps_and_app_codes_live() {
    let cloud = LocalCloud::start().await;
    let id = app(&cloud, "app-one").await;
    let chosen = format!("+/=#%@!$_-{}", "a".repeat(60));
    let create = |code: &str| {
        signed(apps(&cloud, "POST", &format!("/{id}/app-codes")).json(&json!({"app_code": code})))
    };

    // Refused: 63 characters, 181 characters, a wrong first character, a wrong character.
    for bad in [
        "a".repeat(63),
        "a".repeat(181),
        format!("={}", "a".repeat(70)),
        format!("a*{}", "a".repeat(70)),
    ] {
        let answer = create(&bad).send().await;
        assert_eq!((answer.status, code(&answer).as_str()), (400, "APIG.2012"));
        assert!(answer.text().contains("parameterName:app_code"));
    }
    let answer = create(&chosen).send().await;
    let body = answer.json();
    assert_eq!(
        (answer.status, &body["app_code"], &body["app_id"]),
        (201, &json!(chosen), &json!(id))
    );
    assert!(!answer.header("x-request-id").is_empty());
    let created = body["create_time"].as_str().unwrap();
    assert_eq!((created.len(), &created[created.len() - 1..]), (30, "Z"));
    assert_eq!(code(&create(&chosen).send().await), "APIG.3309");

    let path = format!("/{id}/app-codes");
    for _ in 0..4 {
        let auto = signed(apps(&cloud, "PUT", &path)).send().await;
        assert_eq!(
            (auto.status, auto.json()["app_code"].as_str().unwrap().len()),
            (201, 64)
        );
    }
    let full = create(&"b".repeat(64)).send().await;
    assert_eq!((full.status, code(&full).as_str()), (403, "APIG.3131"));

    let list = signed(apps(&cloud, "GET", &format!("{path}?limit=2&offset=4")))
        .send()
        .await
        .json();
    assert_eq!((&list["total"], &list["size"]), (&json!(5), &json!(1)));
    let one = format!("{path}/{}", body["id"].as_str().unwrap());
    assert_eq!(
        signed(apps(&cloud, "GET", &one)).send().await.status,
        200,
        "the documented 201 is a failure to Open Telekom Cloud's SDK"
    );
    let deleted = signed(apps(&cloud, "DELETE", &one)).send().await;
    assert_eq!((deleted.status, deleted.body.len()), (204, 0));
    let gone = signed(apps(&cloud, "DELETE", &one)).send().await;
    assert_eq!((gone.status, code(&gone).as_str()), (404, "APIG.3082"));

    for name in ["app-two", "other"] {
        app(&cloud, name).await;
    }
    for (query, total, size) in [
        ("", 3, 3),
        ("?limit=2", 3, 2),
        ("?offset=2&limit=2", 3, 1),
        ("?limit=0", 3, 3),
        ("?name=app", 2, 2),
        ("?name=app&precise_search=name", 0, 0),
        ("?name=other&precise_search=name", 1, 1),
    ] {
        let list = signed(apps(&cloud, "GET", query)).send().await.json();
        assert_eq!(
            (&list["total"], &list["size"]),
            (&json!(total), &json!(size)),
            "{query}"
        );
    }
    let twice = signed(apps(&cloud, "POST", "").json(&json!({"name": "other"})))
        .send()
        .await;
    assert_eq!((twice.status, code(&twice).as_str()), (400, "APIG.3203"));
    let changed = signed(
        apps(&cloud, "PUT", &format!("/{id}")).json(&json!({"name": "renamed", "remark": "r"})),
    );
    assert_eq!(changed.send().await.json()["remark"], "r");
    let shown = signed(apps(&cloud, "GET", &format!("/{id}")))
        .send()
        .await
        .json();
    assert_eq!(
        (&shown["name"], &shown["status"]),
        (&json!("renamed"), &json!(1))
    );
    assert_eq!(
        signed(apps(&cloud, "DELETE", &format!("/{id}")))
            .send()
            .await
            .status,
        204
    );
    assert_eq!(
        code(&signed(apps(&cloud, "GET", &format!("/{id}"))).send().await),
        "APIG.3004"
    );
}

#[tokio::test]
async fn the_five_documented_errors() {
    let cloud = LocalCloud::start().await;
    let body = json!({"app_code": "c".repeat(64)});
    let missing = "9ed8b7fe84224de681e7d7a5587e76dc";
    let create = |id: &str| apps(&cloud, "POST", &format!("/{id}/app-codes")).json(&body);
    let scope = json!({"project": {"id": KEYSTONE_PROJECT_ID}});
    let reader = log_in(
        &cloud,
        &by_name(KEYSTONE_READER, KEYSTONE_READER_PASSWORD),
        &scope,
    )
    .send()
    .await;
    let token = token(&cloud).await;
    cloud.inject(
        Fault::new(Service::Apig, FaultKind::ServerError(500))
            .operation("CreateAppCodeV2")
            .after(4),
    );
    for (request, status, expected, message) in [
        (
            create("not-an-id").header("X-Auth-Token", &token),
            400,
            "APIG.2012",
            "parameterName:app_id",
        ),
        (
            create(missing).header("X-Auth-Token", "forged"),
            401,
            "APIG.1002",
            "Incorrect token or token resolution failed",
        ),
        (
            create(missing).header("X-Auth-Token", reader.header("x-subject-token")),
            403,
            "APIG.1005",
            "No permissions to request this method",
        ),
        (
            create(missing).header("X-Auth-Token", &token),
            404,
            "APIG.3004",
            "App 9ed8b7fe84224de681e7d7a5587e76dc does not exist",
        ),
        (
            create(missing).header("X-Auth-Token", &token),
            500,
            "APIG.9999",
            "System error",
        ),
    ] {
        let answer = request.send().await;
        assert_eq!((answer.status, code(&answer).as_str()), (status, expected));
        let body = answer.json();
        assert!(
            body["error_msg"].as_str().unwrap().contains(message),
            "{body}"
        );
        assert_eq!(answer.header("x-request-id"), body["request_id"]);
    }
}

#[tokio::test]
async fn signatures_are_recomputed_from_the_wire() {
    let cloud = LocalCloud::start().await;
    let id = app(&cloud, "app-one").await;
    let list =
        || apps(&cloud, "GET", "?a=x%20y&limit=2").header("X-Project-Id", KEYSTONE_PROJECT_ID);
    for scope in [None, Some("/"), Some("eu-de/apig")] {
        let answer = sdk_hmac(list(), HUAWEI_AK, HUAWEI_SK, scope, 0)
            .send()
            .await;
        assert_eq!(answer.status, 200, "{scope:?}: {}", answer.text());
    }
    let temporary = list().header("X-Security-Token", HUAWEI_SECURITY_TOKEN);
    assert_eq!(
        sdk_hmac(temporary, HUAWEI_TEMP_AK, HUAWEI_TEMP_SK, None, 0)
            .send()
            .await
            .status,
        200
    );
    // A path is decoded and encoded anew; its escapes may be in lower case.
    let path = format!("/{id}/app-codes");
    let unsigned = apps(&cloud, "POST", &path)
        .header("X-Project-Id", KEYSTONE_PROJECT_ID)
        .header("X-Sdk-Content-Sha256", "UNSIGNED-PAYLOAD")
        .body(
            "text/plain",
            json!({"app_code": "d".repeat(64)}).to_string(),
        );
    assert_eq!(
        sdk_hmac(unsigned, HUAWEI_AK, HUAWEI_SK, None, 0)
            .send()
            .await
            .status,
        201
    );

    let mut tampered = sdk_hmac(list(), HUAWEI_AK, HUAWEI_SK, None, 0);
    tampered.target = tampered.target.replace("limit=2", "limit=3");
    let mut body = signed(apps(&cloud, "POST", "").json(&json!({"name": "abc"})));
    body.body = br#"{"name":"abd"}"#.to_vec();
    let mut dots = signed(apps(&cloud, "DELETE", &format!("/{id}")));
    dots.target = dots.target.replace(&id, "..");
    for request in [tampered, body, dots] {
        let answer = request.send().await;
        assert_eq!((answer.status, code(&answer).as_str()), (401, "APIGW.0301"));
        let message = answer.json()["error_msg"].as_str().unwrap().to_owned();
        assert!(
            message.contains("verify aksk signature fail, canonicalRequest:"),
            "{message}"
        );
        assert!(
            cloud
                .requests()
                .pop()
                .unwrap()
                .verdict
                .unwrap()
                .contains("expected a signature over")
        );
    }
}

#[tokio::test]
async fn refusals_of_the_gateway() {
    let cloud = LocalCloud::start().await;
    let project = |id: &str| apps(&cloud, "GET", "").header("X-Project-Id", id);
    let late = sdk_hmac(
        project(KEYSTONE_PROJECT_ID),
        HUAWEI_AK,
        HUAWEI_SK,
        None,
        -901,
    )
    .send()
    .await;
    assert_eq!((late.status, code(&late).as_str()), (401, "APIGW.0301"));
    let message = late.json()["error_msg"].as_str().unwrap().to_owned();
    let (_, times) = message
        .split_once("signature expired, signature time:")
        .unwrap();
    let (signature, server) = times.split_once(",server time:").unwrap();
    assert_eq!(
        (signature.len(), server.len()),
        ("20230527T000431Z".len(), "20230527T000431Z".len())
    );

    for (request, status, expected) in [
        (
            sdk_hmac(apps(&cloud, "GET", ""), HUAWEI_AK, HUAWEI_SK, None, 0),
            403,
            "APIG.1005",
        ),
        (
            sdk_hmac(
                project(KEYSTONE_OTHER_PROJECT_ID),
                HUAWEI_AK,
                HUAWEI_SK,
                None,
                0,
            ),
            403,
            "APIG.1005",
        ),
        (
            sdk_hmac(project(KEYSTONE_PROJECT_ID), "NOBODY", HUAWEI_SK, None, 0),
            401,
            "APIGW.0301",
        ),
        (
            sdk_hmac(
                project(KEYSTONE_PROJECT_ID),
                HUAWEI_TEMP_AK,
                HUAWEI_TEMP_SK,
                None,
                0,
            ),
            401,
            "APIGW.0301",
        ),
        (
            project(KEYSTONE_PROJECT_ID).header("Authorization", "Bearer x"),
            401,
            "APIGW.0301",
        ),
        (apps(&cloud, "GET", ""), 401, "APIGW.0301"),
        (
            signed(apps(&cloud, "GET", "//app-codes")),
            404,
            "APIGW.0101",
        ),
        (signed(apps(&cloud, "PATCH", "")), 404, "APIGW.0101"),
        (signed(apps(&cloud, "GET", "/..")), 400, "APIG.2012"),
    ] {
        let answer = request.send().await;
        assert_eq!(
            (answer.status, code(&answer).as_str()),
            (status, expected),
            "{}",
            answer.text()
        );
    }
    let empty = format!("/v2/{KEYSTONE_OTHER_PROJECT_ID}/apigw/instances/{INSTANCE_ID}/apps");
    let elsewhere = Request::new(&cloud.apig_endpoint(), "GET", &empty)
        .header("X-Project-Id", KEYSTONE_OTHER_PROJECT_ID);
    let answer = sdk_hmac(elsewhere, HUAWEI_AK, HUAWEI_SK, None, 0)
        .send()
        .await;
    assert_eq!((answer.status, code(&answer).as_str()), (404, "APIG.3030"));

    cloud.inject(Fault::new(
        Service::Apig,
        FaultKind::throttle_for(std::time::Duration::from_millis(1200)),
    ));
    let throttled = signed(apps(&cloud, "GET", "")).send().await;
    assert_eq!(
        (
            throttled.status,
            code(&throttled).as_str(),
            throttled.header("retry-after")
        ),
        (429, "APIG.0308", "2")
    );
}

#[tokio::test]
async fn five_failures_lock_a_key() {
    let cloud = LocalCloud::start().await;
    let list = |sk: &str, seconds: i64| {
        let request = apps(&cloud, "GET", "").header("X-Project-Id", KEYSTONE_PROJECT_ID);
        sdk_hmac(request, HUAWEI_OTHER_AK, sk, None, seconds)
    };
    for _ in 0..4 {
        assert_eq!(list("wrong", 0).send().await.status, 401);
    }
    assert_eq!(
        list(HUAWEI_OTHER_SK, 0).send().await.status,
        200,
        "a success starts the count anew"
    );
    for _ in 0..5 {
        assert_eq!(list("wrong", 0).send().await.status, 401);
    }
    let locked = list(HUAWEI_OTHER_SK, 0).send().await;
    assert_eq!(locked.status, 401);
    assert!(
        locked
            .text()
            .contains("AK access failed to reach the limit,forbidden")
    );
    assert_eq!(
        signed(apps(&cloud, "GET", "")).send().await.status,
        200,
        "other keys go on"
    );
    cloud.set_time_offset(301);
    assert_eq!(list(HUAWEI_OTHER_SK, 301).send().await.status, 200);
}
