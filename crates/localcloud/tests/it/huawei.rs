//! Does the local cloud judge OTC / Huawei Cloud requests as the real services do?

use crate::common::{Answer, Request, sdk_hmac};
use cumulo_localcloud::LocalCloud;
use cumulo_localcloud::accounts::{
    HUAWEI_AK, HUAWEI_SK, INSTANCE_ID, KEYSTONE_AGENCY, KEYSTONE_DOMAIN, KEYSTONE_DOMAIN_ID,
    KEYSTONE_PASSWORD, KEYSTONE_PROJECT_ID, KEYSTONE_PROJECT_NAME, KEYSTONE_USER, KEYSTONE_USER_ID,
};
use serde_json::{Value, json};

pub(crate) fn code(answer: &Answer) -> String {
    answer.json()["error_code"]
        .as_str()
        .unwrap_or("none")
        .to_owned()
}

pub(crate) fn apps(cloud: &LocalCloud, method: &str, rest: &str) -> Request {
    let target = format!("/v2/{KEYSTONE_PROJECT_ID}/apigw/instances/{INSTANCE_ID}/apps{rest}");
    Request::new(&cloud.apig_endpoint(), method, &target)
}

pub(crate) fn signed(request: Request) -> Request {
    let request = request.header("X-Project-Id", KEYSTONE_PROJECT_ID);
    sdk_hmac(request, HUAWEI_AK, HUAWEI_SK, None, 0)
}

pub(crate) fn log_in(cloud: &LocalCloud, user: &Value, scope: &Value) -> Request {
    let mut auth = json!({"identity": {"methods": ["password"], "password": {"user": user}}});
    if !scope.is_null() {
        auth["scope"] = scope.clone();
    }
    Request::new(&cloud.iam_endpoint(), "POST", "/v3/auth/tokens").json(&json!({ "auth": auth }))
}

pub(crate) fn by_name(name: &str, password: &str) -> Value {
    json!({"name": name, "password": password, "domain": {"name": KEYSTONE_DOMAIN}})
}

pub(crate) async fn token(cloud: &LocalCloud) -> String {
    let scope = json!({"project": {"id": KEYSTONE_PROJECT_ID}});
    let answer = log_in(cloud, &by_name(KEYSTONE_USER, KEYSTONE_PASSWORD), &scope)
        .send()
        .await;
    answer.header("x-subject-token").to_owned()
}

pub(crate) async fn app(cloud: &LocalCloud, name: &str) -> String {
    let answer = signed(apps(cloud, "POST", "").json(&json!({ "name": name })))
        .send()
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn keystone_logs_in_with_every_scope() {
    let cloud = LocalCloud::start().await;
    let name = by_name(KEYSTONE_USER, KEYSTONE_PASSWORD);
    let id = json!({"id": KEYSTONE_USER_ID, "password": KEYSTONE_PASSWORD});
    for (user, scope, project, domain) in [
        (
            &name,
            json!({"project": {"id": KEYSTONE_PROJECT_ID}}),
            true,
            false,
        ),
        (
            &id,
            json!({"project": {"name": KEYSTONE_PROJECT_NAME, "domain": {"id": KEYSTONE_DOMAIN_ID}}}),
            true,
            false,
        ),
        (
            &name,
            json!({"project": {"name": KEYSTONE_PROJECT_NAME}}),
            true,
            false,
        ),
        (
            &name,
            json!({"domain": {"name": KEYSTONE_DOMAIN}}),
            false,
            true,
        ),
        (&id, Value::Null, false, false),
    ] {
        let answer = log_in(&cloud, user, &scope).send().await;
        assert_eq!(answer.status, 201, "{scope}: {}", answer.text());
        assert!(answer.header("x-subject-token").len() >= 4000);
        let body = answer.json();
        let token = &body["token"];
        assert_eq!(
            token["project"]["id"] == KEYSTONE_PROJECT_ID,
            project,
            "{scope}"
        );
        assert_eq!(
            token["domain"]["id"] == KEYSTONE_DOMAIN_ID,
            domain,
            "{scope}"
        );
        assert_eq!(token["user"]["domain"]["id"], KEYSTONE_DOMAIN_ID);
        let catalog = token["catalog"].as_array().unwrap();
        let apig = catalog.iter().find(|one| one["type"] == "apigv2").unwrap();
        assert_eq!(
            apig["endpoints"][0]["url"],
            format!("{}/v2", cloud.apig_endpoint())
        );
        let time = |name: &str| {
            token[name]
                .as_str()
                .unwrap()
                .parse::<jiff::Timestamp>()
                .unwrap()
                .as_second()
        };
        assert_eq!(time("expires_at") - time("issued_at"), 86_400);
    }
    let mut short = log_in(&cloud, &id, &Value::Null);
    short.target += "?nocatalog=1";
    assert!(short.send().await.json()["token"].get("catalog").is_none());

    for (user, scope, status) in [
        (by_name(KEYSTONE_USER, "wrong"), Value::Null, 401),
        (by_name("nobody", KEYSTONE_PASSWORD), Value::Null, 401),
        (
            json!({"name": KEYSTONE_USER, "password": KEYSTONE_PASSWORD, "domain": {"name": "x"}}),
            Value::Null,
            401,
        ),
        (
            json!({"name": KEYSTONE_USER, "password": KEYSTONE_PASSWORD}),
            Value::Null,
            400,
        ),
        (id.clone(), json!({"project": {"name": "nowhere"}}), 401),
        (id.clone(), json!({"domain": {"name": "nowhere"}}), 401),
    ] {
        let answer = log_in(&cloud, &user, &scope).send().await;
        let body = answer.json();
        assert_eq!(
            (answer.status, &body["error"]["code"]),
            (status, &json!(status)),
            "{body}"
        );
        assert!(body["error"]["message"].is_string() && body["error"]["title"].is_string());
        assert!(!answer.text().contains(KEYSTONE_PASSWORD));
    }
}

#[tokio::test]
async fn projects_tokens_and_temporary_keys() {
    let cloud = LocalCloud::start().await;
    let iam = cloud.iam_endpoint();
    let token = token(&cloud).await;
    let target = format!("/v3/projects?name={KEYSTONE_PROJECT_NAME}");
    let projects = sdk_hmac(
        Request::new(&iam, "GET", &target),
        HUAWEI_AK,
        HUAWEI_SK,
        None,
        0,
    )
    .send()
    .await;
    assert_eq!(projects.json()["projects"][0]["id"], KEYSTONE_PROJECT_ID);
    let all = Request::new(&iam, "GET", "/v3/projects")
        .header("X-Auth-Token", &token)
        .send()
        .await;
    assert_eq!(all.json()["projects"].as_array().unwrap().len(), 2);
    let anonymous = Request::new(&iam, "GET", "/v3/projects").send().await;
    assert_eq!(
        (anonymous.status, &anonymous.json()["error"]["title"]),
        (401, &json!("Unauthorized"))
    );

    let temporary = |identity: Value| {
        Request::new(&iam, "POST", "/v3.0/OS-CREDENTIAL/securitytokens")
            .header("X-Auth-Token", &token)
            .json(&json!({"auth": {"identity": identity}}))
    };
    let answer = temporary(json!({"methods": ["token"], "token": {"duration_seconds": 900}}))
        .send()
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let credential = answer.json()["credential"].clone();
    let text = |name: &str| credential[name].as_str().unwrap().to_owned();
    let list = |security_token: &str, seconds: i64| {
        let request = apps(&cloud, "GET", "")
            .header("X-Project-Id", KEYSTONE_PROJECT_ID)
            .header("X-Security-Token", security_token);
        sdk_hmac(request, &text("access"), &text("secret"), None, seconds)
    };
    assert_eq!(list(&text("securitytoken"), 0).send().await.status, 200);
    assert_eq!(list("other", 0).send().await.status, 401);
    cloud.set_time_offset(901);
    let over = list(&text("securitytoken"), 901).send().await;
    assert!(over.text().contains("expired"), "{}", over.text());
    cloud.set_time_offset(0);

    let agency = json!({"methods": ["assume_role"], "assume_role": {"domain_name": KEYSTONE_DOMAIN, "xrole_name": KEYSTONE_AGENCY}});
    assert_eq!(temporary(agency).send().await.status, 201);
    let unknown = json!({"methods": ["assume_role"], "assume_role": {"domain_name": KEYSTONE_DOMAIN, "xrole_name": "x"}});
    assert_eq!(temporary(unknown).send().await.status, 404);
    let short = json!({"methods": ["token"], "token": {"duration_seconds": 899}});
    assert_eq!(temporary(short).send().await.status, 400);

    let own = |method: &str| {
        Request::new(&iam, method, "/v3/auth/tokens")
            .header("X-Auth-Token", &token)
            .header("X-Subject-Token", &token)
    };
    assert_eq!(
        own("GET").send().await.json()["token"]["user"]["name"],
        KEYSTONE_USER
    );
    assert_eq!(own("DELETE").send().await.status, 204);
    assert_eq!(own("GET").send().await.status, 401);
}

#[tokio::test]
async fn tokens_expire() {
    let cloud = LocalCloud::start().await;
    let token = token(&cloud).await;
    let list = apps(&cloud, "GET", "").header("X-Auth-Token", &token);
    assert_eq!(list.send().await.status, 200);
    cloud.set_time_offset(86_401);
    assert_eq!(code(&list.send().await), "APIG.1002");
    cloud.set_time_offset(0);
    assert_eq!(list.send().await.status, 200);
    cloud.expire_tokens();
    let over = list.send().await;
    assert_eq!((over.status, code(&over).as_str()), (401, "APIG.1002"));
    assert_eq!(
        cloud.requests().pop().unwrap().verdict.unwrap(),
        "the token has expired"
    );
}
