//! Do the lists of what is bound and what is not tell the truth, and are things of one gateway kept
//! from another's?

use crate::common::{Answer, Request};
use crate::huawei::{app, apps, code, signed};
use cumulo_localcloud::LocalCloud;
use cumulo_localcloud::accounts::{INSTANCE_ID, KEYSTONE_OTHER_PROJECT_ID, KEYSTONE_PROJECT_ID};
use serde_json::{Value, json};

fn at(instance: &str, cloud: &LocalCloud, method: &str, rest: &str) -> Request {
    let target = format!("/v2/{KEYSTONE_PROJECT_ID}/apigw/instances/{instance}/{rest}");
    Request::new(&cloud.apig_endpoint(), method, &target)
}

async fn get(cloud: &LocalCloud, rest: &str) -> Value {
    let answer = signed(at(INSTANCE_ID, cloud, "GET", rest)).send().await;
    assert_eq!(answer.status, 200, "{rest}: {}", answer.text());
    answer.json()
}

async fn post(cloud: &LocalCloud, rest: &str, body: Value) -> Answer {
    let request = at(INSTANCE_ID, cloud, "POST", rest).json(&body);
    signed(request).send().await
}

async fn made(cloud: &LocalCloud, rest: &str, body: Value) -> Value {
    let answer = post(cloud, rest, body).await;
    assert_eq!(answer.status, 201, "{rest}: {}", answer.text());
    answer.json()
}

/// Two APIs: one published as `pub-1` in the environment `e-1`, one in two environments.
fn publish(cloud: &LocalCloud) {
    let apis = json!({"apig": {
        "env": [{"id": "e-1", "name": "one"}, {"id": "e-2", "name": "two"}],
        "api": [
            {"id": "a-1", "name": "first", "req_method": "GET", "publish_id": "pub-1",
             "run_env_id": "e-1", "run_env_name": "one"},
            {"id": "a-2", "name": "second", "req_method": "GET", "publish_id": "pub-2|pub-3",
             "run_env_id": "e-1|e-2", "run_env_name": "one|two"},
            {"id": "a-3", "name": "third", "req_method": "GET"},
        ],
    }});
    cloud.seed(&apis.to_string()).unwrap();
}

#[tokio::test]
async fn policies_are_bound_to_publications() {
    for (policies, body, bindings, key, created, bound, of_api) in [
        (
            "acls",
            json!({"acl_name": "acl_1", "acl_type": "PERMIT", "acl_value": "10.0.0.1", "entity_type": "IP"}),
            "acl-bindings",
            "acl_id",
            "acl_id",
            ("apis", "api_name", "bind_id"),
            ("binded-acls", "acls", "acl_name"),
        ),
        (
            "throttles",
            json!({"name": "thr_1", "time_unit": "SECOND", "api_call_limits": 1, "time_interval": 1}),
            "throttle-bindings",
            "throttle_id",
            "strategy_id",
            ("apis", "name", "throttle_apply_id"),
            ("binded-throttles", "throttles", "name"),
        ),
        (
            "signs",
            json!({"name": "sign_1"}),
            "sign-bindings",
            "sign_id",
            "sign_id",
            ("bindings", "api_name", "id"),
            ("binded-signs", "bindings", "sign_name"),
        ),
    ] {
        let cloud = LocalCloud::start().await;
        publish(&cloud);
        let policy = made(&cloud, policies, body.clone()).await;
        let id = policy["id"].as_str().unwrap();
        let unbound = format!("{bindings}/unbinded-apis?{key}={id}");
        assert_eq!(get(&cloud, &unbound).await["total"], 3, "{policies}");
        let body = json!({created: id, "publish_ids": ["pub-1", "pub-3"]});
        made(&cloud, bindings, body).await;

        let (list, name, binding) = bound;
        let shown = get(&cloud, &format!("{bindings}/binded-apis?{key}={id}")).await;
        let names: Vec<&str> = shown[list]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one[name].as_str().unwrap())
            .collect();
        assert_eq!(
            (&shown["total"], names),
            (&json!(2), vec!["first", "second"]),
            "{shown}"
        );
        let left = get(&cloud, &unbound).await;
        assert_eq!(left["total"], 1, "{left}");
        assert_eq!(left["apis"][0]["run_env_id"], "e-1");
        assert_eq!(left["apis"][0]["publish_id"], "pub-2");

        let (path, list, name) = of_api;
        let own = get(&cloud, &format!("{bindings}/{path}?api_id=a-1")).await;
        assert_eq!(own["total"], 1, "{own}");
        let given = body_name(&policy);
        assert_eq!(own[list][0][name], given, "{own}");
        let none = get(&cloud, &format!("{bindings}/{path}?api_id=a-3")).await;
        assert_eq!(none[list], json!([]));

        // What the list calls the binding's id unbinds.
        let last = &shown[list_of(&shown)].as_array().unwrap()[0][binding];
        let delete = at(
            INSTANCE_ID,
            &cloud,
            "DELETE",
            &format!("{bindings}/{}", last.as_str().unwrap()),
        );
        assert_eq!(signed(delete).send().await.status, 204);
        let after = get(&cloud, &format!("{bindings}/binded-apis?{key}={id}")).await;
        assert_eq!(after["total"], 1, "{policies}");
        assert_eq!(get(&cloud, &unbound).await["total"], 2, "{policies}");
    }
}

fn body_name(policy: &Value) -> Value {
    let names = ["name", "acl_name"].into_iter();
    names
        .map(|name| policy[name].clone())
        .find(|one| !one.is_null())
        .unwrap()
}

fn list_of(shown: &Value) -> &'static str {
    if shown["apis"].is_array() {
        "apis"
    } else {
        "bindings"
    }
}

#[tokio::test]
async fn apps_are_authorized_for_apis_in_an_environment() {
    let cloud = LocalCloud::start().await;
    publish(&cloud);
    let app_id = app(&cloud, "shop").await;
    let unbound = format!("app-auths/unbinded-apis?app_id={app_id}&env_id=e-1");
    assert_eq!(get(&cloud, &unbound).await["total"], 2);
    let grant = json!({"env_id": "e-1", "app_ids": [app_id], "api_ids": ["a-1"]});
    made(&cloud, "app-auths", grant.clone()).await;
    let left = get(&cloud, &unbound).await;
    assert_eq!(
        (&left["total"], &left["apis"][0]["id"]),
        (&json!(1), &json!("a-2"))
    );
    let owners = get(&cloud, "app-auths/binded-apps?api_id=a-1").await;
    assert_eq!(owners["total"], 1);
    assert_eq!(owners["auths"][0]["app_name"], "shop");
    assert_eq!(owners["auths"][0]["app_id"], app_id.as_str());
    let counts = get(&cloud, "resources/outline/apps").await;
    assert_eq!(counts, json!({"authed_nums": 1, "unauthed_nums": 0}));
    let granted = get(&cloud, &format!("app-auths/binded-apis?app_id={app_id}")).await;
    assert_eq!(granted["auths"][0]["api_name"], "first");
    assert_eq!(granted["auths"][0]["env_name"], "one");

    let unknown = json!({"env_id": "e-1", "app_ids": ["0".repeat(32)], "api_ids": ["a-1"]});
    let refused = post(&cloud, "app-auths", unknown).await;
    assert_eq!(
        (refused.status, code(&refused)),
        (404, "APIG.3004".to_owned())
    );

    let counts = get(&cloud, "resources/outline/apis").await;
    assert_eq!(
        (&counts["instance_num"], &counts["nums_on_release"]),
        (&json!(3), &json!(0))
    );

    // An app takes its authorizations with it.
    let delete = signed(apps(&cloud, "DELETE", &format!("/{app_id}")))
        .send()
        .await;
    assert_eq!(delete.status, 204);
    assert_eq!(
        get(&cloud, "app-auths/binded-apps?api_id=a-1").await["auths"],
        json!([])
    );
}

#[tokio::test]
async fn each_gateway_has_its_own_apps_and_each_project_its_own_gateways() {
    let cloud = LocalCloud::start().await;
    let create = json!({
        "instance_name": "second", "spec_id": "BASIC", "vpc_id": "v", "subnet_id": "s",
        "security_group_id": "g", "available_zone_ids": ["az1"],
    });
    let gateways = format!("/v2/{KEYSTONE_PROJECT_ID}/apigw/instances");
    let request = Request::new(&cloud.apig_endpoint(), "POST", &gateways).json(&create);
    let second = signed(request).send().await.json()["instance_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let list = signed(Request::new(&cloud.apig_endpoint(), "GET", &gateways))
        .send()
        .await
        .json();
    assert_eq!(list["total"], 2, "{list}");
    for gateway in list["instances"].as_array().unwrap() {
        assert_eq!(gateway["status"], "Running");
        assert_eq!(gateway["project_id"], KEYSTONE_PROJECT_ID);
        // What is listed can be worked with.
        let id = gateway["id"].as_str().unwrap();
        for things in ["apps", "envs"] {
            assert_eq!(
                signed(at(id, &cloud, "GET", things)).send().await.status,
                200
            );
        }
    }
    app(&cloud, "shop").await;
    let same = at(&second, &cloud, "POST", "apps").json(&json!({"name": "shop"}));
    assert_eq!(
        signed(same).send().await.status,
        201,
        "names are a gateway's own"
    );
    let own = signed(at(&second, &cloud, "GET", "apps"))
        .send()
        .await
        .json();
    assert_eq!(own["total"], 1);

    let foreign = at(INSTANCE_ID, &cloud, "GET", "envs");
    let mut foreign = crate::common::sdk_hmac(
        Request {
            target: foreign
                .target
                .replace(KEYSTONE_PROJECT_ID, KEYSTONE_OTHER_PROJECT_ID),
            ..foreign
        }
        .header("X-Project-Id", KEYSTONE_OTHER_PROJECT_ID),
        cumulo_localcloud::accounts::HUAWEI_AK,
        cumulo_localcloud::accounts::HUAWEI_SK,
        None,
        0,
    );
    assert_eq!(code(&foreign.send().await), "APIG.3030");
    foreign = crate::common::sdk_hmac(
        Request::new(
            &cloud.apig_endpoint(),
            "GET",
            &format!("/v2/{KEYSTONE_OTHER_PROJECT_ID}/apigw/instances"),
        )
        .header("X-Project-Id", KEYSTONE_OTHER_PROJECT_ID),
        cumulo_localcloud::accounts::HUAWEI_AK,
        cumulo_localcloud::accounts::HUAWEI_SK,
        None,
        0,
    );
    assert_eq!(foreign.send().await.json()["instances"], json!([]));
}

#[tokio::test]
async fn secrets_of_apps_are_replaced() {
    let cloud = LocalCloud::start().await;
    let id = app(&cloud, "shop").await;
    let put = |body: Option<Value>| {
        let request = apps(&cloud, "PUT", &format!("/secret/{id}"));
        signed(match body {
            Some(body) => request.json(&body),
            None => request,
        })
    };
    let first = put(Some(json!({"app_secret": "abcdefgh1234"})))
        .send()
        .await;
    assert_eq!(
        first.json()["app_secret"],
        "abcdefgh1234",
        "{}",
        first.text()
    );
    let shown = signed(apps(&cloud, "GET", &format!("/{id}")))
        .send()
        .await
        .json();
    assert_eq!(shown["app_secret"], "abcdefgh1234");
    let random = put(None).send().await.json();
    assert_ne!(random["app_secret"], "abcdefgh1234");
    let checked = signed(apps(&cloud, "GET", &format!("/validation/{id}")))
        .send()
        .await
        .json();
    assert_eq!(checked["name"], "shop");
    let absent = "0".repeat(32);
    let missing = signed(apps(&cloud, "GET", &format!("/validation/{absent}")))
        .send()
        .await;
    assert_eq!(code(&missing), "APIG.3004");
}

#[tokio::test]
async fn custom_answers_are_kept_by_their_documented_types() {
    let cloud = LocalCloud::start().await;
    let group = made(&cloud, "api-groups", json!({"name": "grp_1"})).await;
    let sets = format!(
        "api-groups/{}/gateway-responses",
        group["id"].as_str().unwrap()
    );
    let body =
        json!({"name": "set_1", "responses": {"AUTH_FAILURE": {"status": 499, "body": "no"}}});
    let set = made(&cloud, &sets, body).await;
    assert_eq!(set["responses"].as_object().unwrap().len(), 14, "{set}");
    assert_eq!(set["responses"]["AUTH_FAILURE"]["status"], 499);
    assert_eq!(set["responses"]["AUTH_FAILURE"]["default"], false);
    assert_eq!(set["responses"]["THROTTLED"]["default"], true);
    let one = format!("{sets}/{}", set["id"].as_str().unwrap());
    let of_type = |method: &str, ty: &str| at(INSTANCE_ID, &cloud, method, &format!("{one}/{ty}"));
    let usual = get(&cloud, &format!("{one}/THROTTLED")).await;
    assert_eq!(
        (
            &usual["THROTTLED"]["status"],
            &usual["THROTTLED"]["default"]
        ),
        (&json!(429), &json!(true))
    );
    let put = of_type("PUT", "THROTTLED").json(&json!({"status": 420, "body": "calm"}));
    let changed = signed(put).send().await.json();
    assert_eq!(changed["THROTTLED"]["status"], 420, "{changed}");
    assert_eq!(
        get(&cloud, &one).await["responses"]["THROTTLED"]["status"],
        420
    );
    assert_eq!(
        get(&cloud, &sets).await["responses"][0]["responses"]["THROTTLED"]["body"],
        "calm"
    );
    assert_eq!(
        signed(of_type("DELETE", "THROTTLED")).send().await.status,
        204
    );
    assert_eq!(
        get(&cloud, &one).await["responses"]["THROTTLED"]["status"],
        429
    );
    let unknown = signed(of_type("GET", "NOTHING")).send().await;
    assert_eq!(code(&unknown), "APIG.2012");
}

#[tokio::test]
async fn quotas_are_refused_when_they_are_asked_for() {
    for (on, last) in [(false, 201), (true, 403)] {
        let cloud = LocalCloud::builder().quotas(on).start().await.unwrap();
        for number in 0..10 {
            made(&cloud, "envs", json!({"name": format!("env{number}")})).await;
        }
        let one_more = post(&cloud, "envs", json!({"name": "more"})).await;
        assert_eq!(one_more.status, last);
        if on {
            assert_eq!(code(&one_more), "APIG.3104");
        }
        for number in 0..50 {
            app(&cloud, &format!("app{number}")).await;
        }
        let one_more = post(&cloud, "apps", json!({"name": "more"})).await;
        assert_eq!(one_more.status, last);
    }
}
