//! Does the identity service answer what other clients of Keystone ask: discovery, lists, agencies
//! and application credentials?

use crate::common::{Answer, Request};
use crate::huawei::{by_name, log_in, token};
use cumulo_localcloud::LocalCloud;
use cumulo_localcloud::accounts::{
    KEYSTONE_AGENCY, KEYSTONE_DOMAIN, KEYSTONE_DOMAIN_ID, KEYSTONE_PASSWORD, KEYSTONE_PROJECT_ID,
    KEYSTONE_READER_ID, KEYSTONE_REGION, KEYSTONE_USER, KEYSTONE_USER_ID,
};
use serde_json::{Value, json};

async fn get(cloud: &LocalCloud, token: &str, target: &str) -> Answer {
    let request = Request::new(&cloud.iam_endpoint(), "GET", target);
    request.header("X-Auth-Token", token).send().await
}

async fn token_of(cloud: &LocalCloud, auth: &Value, header: &str) -> Answer {
    let request = Request::new(&cloud.iam_endpoint(), "POST", "/v3/auth/tokens");
    let request = request.json(&json!({ "auth": auth }));
    request.header("X-Auth-Token", header).send().await
}

#[tokio::test]
async fn what_is_listed_can_be_shown() {
    let cloud = LocalCloud::start().await;
    let token = token(&cloud).await;
    for (plural, singular, count) in [
        ("projects", "project", 2),
        ("domains", "domain", 1),
        ("regions", "region", 1),
        ("services", "service", 3),
        ("endpoints", "endpoint", 3),
        ("users", "user", 2),
        ("roles", "role", 2),
    ] {
        let list = get(&cloud, &token, &format!("/v3/{plural}")).await.json();
        let things = list[plural].as_array().unwrap();
        assert_eq!(things.len(), count, "{plural}");
        for thing in things {
            let id = thing["id"].as_str().unwrap();
            let shown = get(&cloud, &token, &format!("/v3/{plural}/{id}")).await;
            assert_eq!(shown.json()[singular], *thing, "{plural}");
        }
        let missing = get(&cloud, &token, &format!("/v3/{plural}/nobody")).await;
        assert_eq!(missing.status, 404, "{plural}");
        let anonymous = Request::new(&cloud.iam_endpoint(), "GET", &format!("/v3/{plural}"));
        assert_eq!(anonymous.send().await.status, 401, "{plural}");
    }
    for (target, plural, count) in [
        ("/v3/auth/projects", "projects", 2),
        ("/v3/auth/domains", "domains", 1),
        ("/v3/projects?name=eu-de", "projects", 1),
        ("/v3/projects?name=nowhere", "projects", 0),
        ("/v3/users?name=local-reader&enabled=True", "users", 1),
        (
            "/v3/role_assignments?include_names=True",
            "role_assignments",
            4,
        ),
    ] {
        let list = get(&cloud, &token, target).await.json();
        assert_eq!(list[plural].as_array().unwrap().len(), count, "{target}");
    }
    let target = format!("/v3/role_assignments?user.id={KEYSTONE_READER_ID}&scope.domain.id=x");
    let none = get(&cloud, &token, &target).await.json();
    assert_eq!(none["role_assignments"], json!([]));
}

#[tokio::test]
async fn versions_are_told_without_a_login() {
    let cloud = LocalCloud::start().await;
    let iam = cloud.iam_endpoint();
    let all = Request::new(&iam, "GET", "/").send().await;
    assert_eq!(all.status, 300);
    let one = Request::new(&iam, "GET", "/v3").send().await.json();
    assert_eq!(all.json()["versions"]["values"][0], one["version"]);
    assert_eq!(one["version"]["links"][0]["href"], format!("{iam}/"));
}

#[tokio::test]
async fn the_project_of_the_region_is_the_one_of_the_catalog() {
    let cloud = LocalCloud::start().await;
    let user = by_name(KEYSTONE_USER, KEYSTONE_PASSWORD);
    // A domain that nobody gave is called so by OpenStack's command.
    let scope = json!({"project": {"name": KEYSTONE_REGION, "domain": {"id": "default"}}});
    let answer = log_in(&cloud, &user, &scope).send().await.json();
    assert_eq!(answer["token"]["project"]["id"], KEYSTONE_PROJECT_ID);
    let address = |answer: &Value| {
        let catalog = answer["token"]["catalog"].as_array().unwrap();
        let volumes = catalog.iter().find(|one| one["type"] == "volumev2")?;
        Some(volumes["endpoints"][0]["url"].as_str().unwrap().to_owned())
    };
    let expected = format!("{}/v2/{KEYSTONE_PROJECT_ID}", cloud.apig_endpoint());
    assert_eq!(address(&answer), Some(expected));
    let scope = json!({"domain": {"id": KEYSTONE_DOMAIN_ID}});
    let answer = log_in(&cloud, &user, &scope).send().await.json();
    assert_eq!(address(&answer), None);
}

#[tokio::test]
async fn an_agency_gives_a_token() {
    let cloud = LocalCloud::start().await;
    let own = token(&cloud).await;
    let auth = |agency: &str, domain: &str| {
        json!({
            "identity": {
                "methods": ["assume_role"],
                "assume_role": {"xrole_name": agency, "domain_name": domain},
            },
            "scope": {"project": {"name": KEYSTONE_REGION, "domain": {"name": domain}}},
        })
    };
    let answer = token_of(&cloud, &auth(KEYSTONE_AGENCY, KEYSTONE_DOMAIN), &own).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let about = &answer.json()["token"];
    assert_eq!(about["user"]["name"], KEYSTONE_AGENCY);
    assert_eq!(about["assumed_by"]["user"]["id"], KEYSTONE_USER_ID);
    assert_eq!(about["project"]["id"], KEYSTONE_PROJECT_ID);
    let acting = answer.header("x-subject-token").to_owned();
    let used = get(&cloud, &acting, "/v3/auth/catalog").await;
    assert_eq!(used.status, 200);
    for (auth, header, status) in [
        (auth("other", KEYSTONE_DOMAIN), own.as_str(), 404),
        (auth(KEYSTONE_AGENCY, "other"), own.as_str(), 404),
        (auth(KEYSTONE_AGENCY, KEYSTONE_DOMAIN), "x", 401),
    ] {
        assert_eq!(token_of(&cloud, &auth, header).await.status, status);
    }
}

#[tokio::test]
async fn application_credentials_log_in_until_they_are_deleted() {
    let cloud = LocalCloud::start().await;
    let iam = cloud.iam_endpoint();
    let own = token(&cloud).await;
    let path = format!("/v3/users/{KEYSTONE_USER_ID}/application_credentials");
    let create = |token: &str, given: Value| {
        let request = Request::new(&iam, "POST", &path);
        let request = request.json(&json!({ "application_credential": given }));
        request.header("X-Auth-Token", token)
    };
    let made = create(&own, json!({"name": "ci"})).send().await;
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json()["application_credential"].clone();
    let secret = made["secret"].as_str().unwrap();
    let shown = get(&cloud, &own, &path).await;
    assert!(!shown.text().contains(secret), "it is shown once");
    assert_eq!(shown.json()["application_credentials"][0]["id"], made["id"]);

    let login = |given: Value| {
        json!({"identity": {
            "methods": ["application_credential"], "application_credential": given,
        }})
    };
    let user = json!({"name": KEYSTONE_USER, "domain": {"name": KEYSTONE_DOMAIN}});
    let by_id = login(json!({"id": made["id"], "secret": secret}));
    for auth in [
        by_id.clone(),
        login(json!({"name": "ci", "user": user, "secret": secret})),
        login(json!({"name": "ci", "user": {"id": KEYSTONE_USER_ID}, "secret": secret})),
    ] {
        let answer = token_of(&cloud, &auth, "").await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        assert_eq!(answer.json()["token"]["project"]["id"], KEYSTONE_PROJECT_ID);
        // It may not make others.
        let token = answer.header("x-subject-token").to_owned();
        let another = create(&token, json!({"name": "more"})).send().await;
        assert_eq!(another.status, 403);
    }
    let mut scoped = by_id.clone();
    scoped["scope"] = json!({"project": {"id": KEYSTONE_PROJECT_ID}});
    for (auth, status) in [
        (scoped, 401),
        (login(json!({"id": made["id"], "secret": "wrong"})), 401),
        (login(json!({"id": "other", "secret": secret})), 401),
        (login(json!({"id": made["id"]})), 400),
        (login(json!({"secret": secret})), 400),
    ] {
        let answer = token_of(&cloud, &auth, "").await;
        assert_eq!(answer.status, status, "{auth}");
    }

    let twice = create(&own, json!({"name": "ci"})).send().await;
    assert_eq!(twice.status, 409);
    let past = json!({"name": "old", "expires_at": "2020-01-01T00:00:00"});
    assert_eq!(create(&own, past).send().await.status, 400);
    let future = json!({"name": "later", "expires_at": "2099-01-01T00:00:00.000000"});
    let later = create(&own, future).send().await.json()["application_credential"].clone();
    assert_eq!(later["expires_at"], "2099-01-01T00:00:00.000000Z");
    let foreign = format!("/v3/users/{KEYSTONE_READER_ID}/application_credentials");
    assert_eq!(get(&cloud, &own, &foreign).await.status, 403);

    // They are kept like all that was made.
    let kept = cloud.snapshot();
    let other = LocalCloud::start().await;
    other.restore(&kept).unwrap();
    assert_eq!(token_of(&other, &by_id, "").await.status, 201);

    let id = made["id"].as_str().unwrap();
    let delete = Request::new(&iam, "DELETE", &format!("{path}/{id}"));
    let delete = delete.header("X-Auth-Token", &own);
    assert_eq!(delete.send().await.status, 204);
    assert_eq!(delete.send().await.status, 404);
    assert_eq!(token_of(&cloud, &by_id, "").await.status, 401);
}
