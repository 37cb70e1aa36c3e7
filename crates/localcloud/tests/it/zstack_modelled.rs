//! Do APIs of ZStack without behaviour of their own answer as their models say?

use crate::common::{Answer, Request};
use crate::zstack::{code, done, request, session, with_key, with_session};
use cumulo_localcloud::LocalCloud;
use serde_json::{Value, json};

const UUID: &str = "0190d0b2d3a04c3e8d6f0f5a1b2c3d4e";

/// Sends, and waits for the job if there is one.
async fn run(cloud: &LocalCloud, request: Request) -> Answer {
    let answer = with_key(request).send().await;
    if answer.status == 202 {
        done(cloud, &answer).await
    } else {
        answer
    }
}

fn put(cloud: &LocalCloud, path: &str, body: &Value) -> Request {
    request(cloud, "PUT", path).json(body)
}

fn post(cloud: &LocalCloud, path: &str, body: &Value) -> Request {
    request(cloud, "POST", path).json(body)
}

#[tokio::test]
async fn tags_are_lists_among_the_parameters_or_beside_them() {
    let cloud = LocalCloud::start().await;
    let list = json!(["a::b", "c"]);
    for (inside, beside, status) in [
        (&list, &list, 200),
        (&Value::Null, &Value::Null, 200),
        (&json!("a::b"), &list, 400),
        (&list, &json!("a::b"), 500),
    ] {
        for name in ["systemTags", "userTags"] {
            let body = json!({"params": {"name": "z", name: inside}, name: beside});
            let answer = run(&cloud, post(&cloud, "/zones", &body)).await;
            assert_eq!(answer.status, status, "{body}: {}", answer.text());
        }
    }
    let body = json!({"params": {"name": "z", "resourceUuid": UUID}});
    let made = run(&cloud, post(&cloud, "/zones", &body)).await;
    assert_eq!(made.status, 200, "{}", made.text());
    let tagged = format!("/zones/{UUID}?systemTags=a&systemTags=b&userTags=c");
    let deleted = run(&cloud, request(&cloud, "DELETE", &tagged)).await;
    assert_eq!(deleted.status, 200, "{}", deleted.text());
}

#[tokio::test]
async fn writes_go_through_a_job_and_keep_what_was_given() {
    let cloud = LocalCloud::start().await;
    let params = json!({"params": {"name": "zone-a", "isDefault": false, "resourceUuid": UUID}, "systemTags": []});
    let accepted = with_key(post(&cloud, "/zones", &params)).send().await;
    assert_eq!(accepted.status, 202, "{}", accepted.text());
    let zone = done(&cloud, &accepted).await.json()["inventory"].clone();
    assert_eq!(
        (&zone["name"], &zone["uuid"], &zone["isDefault"]),
        (&json!("zone-a"), &json!(UUID), &json!(false))
    );
    assert!(zone["createDate"].is_string(), "{zone}");
    assert!(zone.get("description").is_none(), "{zone}");

    let update = json!({"updateZone": {"description": "d"}});
    let updated = run(
        &cloud,
        put(&cloud, &format!("/zones/{UUID}/actions"), &update),
    )
    .await;
    let zone = updated.json()["inventory"].clone();
    assert_eq!(
        (&zone["uuid"], &zone["description"]),
        (&json!(UUID), &json!("d"))
    );

    let delete = request(
        &cloud,
        "DELETE",
        &format!("/zones/{UUID}?deleteMode=Permissive"),
    );
    let deleted = run(&cloud, delete).await;
    assert_eq!((deleted.status, deleted.text().as_str()), (200, "{}"));

    let missing = run(&cloud, post(&cloud, "/zones", &json!({"params": {}}))).await;
    assert_eq!((missing.status, code(&missing).as_str()), (503, "SYS.1007"));
    assert!(missing.text().contains("field[name] is mandatory"));
    cloud.zstack_synchronous(true);
    let at_once = with_key(post(&cloud, "/zones", &params)).send().await;
    assert_eq!(at_once.status, 200);
}

#[tokio::test]
async fn actions_of_one_path_are_told_apart_by_the_body() {
    let cloud = LocalCloud::start().await;
    let path = format!("/vm-instances/{UUID}/actions");
    let mut names = Vec::new();
    for key in ["startVmInstance", "expungeVmInstance"] {
        let answer = run(&cloud, put(&cloud, &path, &json!({ key: {} }))).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let seen = cloud.requests();
        names.extend(seen.iter().rev().find_map(|one| {
            one.operation
                .clone()
                .filter(|operation| operation != "PollJob")
        }));
    }
    assert_eq!(names, ["StartVmInstance", "ExpungeVmInstance"]);

    let unmapped = format!("the body doesn't contain action mapping to the URL[/zstack/v1{path}]");
    for (body, status, text) in [
        (&b"{\"startvminstance\":{}}"[..], 400, unmapped.as_str()),
        (b"{}", 400, &unmapped),
        (b"[]", 400, "not a JSON object"),
        (b"", 500, "NullPointer"),
    ] {
        let request = request(&cloud, "PUT", &path).body("application/json", body);
        let answer = with_key(request).send().await;
        assert_eq!(answer.status, status, "{}", answer.text());
        assert!(answer.text().contains(text), "{}", answer.text());
    }
    let verdict = cloud.requests()[cloud.requests().len() - 3].verdict.clone();
    assert!(verdict.unwrap().contains("one of the keys"));

    // On a path of its own, a wrong key leaves the members unset.
    for (wrapper, expected) in [
        ("params", "none"),
        ("param", "SYS.1007"),
        ("Params", "SYS.1007"),
    ] {
        let body = json!({ wrapper: {"name": "n"} });
        let answer = run(&cloud, post(&cloud, "/zones", &body)).await;
        assert_eq!(code(&answer), expected, "{wrapper}");
    }
}

#[tokio::test]
async fn odd_keys_and_paths() {
    let cloud = LocalCloud::start().await;
    for (path, body) in [
        (
            "/volumes/batch-sync-volumes".to_owned(),
            json!({"": {"clusterUuid": UUID}}),
        ),
        (
            format!("/l2-networks/{UUID}/clusters/{UUID}"),
            json!({"null": {"l2ProviderType": "x"}}),
        ),
        (
            "/primary-storage/block".to_owned(),
            json!({"param": {"vendorName": "v", "metadata": "m", "url": "u", "name": "n", "zoneUuid": UUID}}),
        ),
        (
            "/start/data/protection/".to_owned(),
            json!({"params": {"encryptType": "t"}}),
        ),
    ] {
        let answer = run(&cloud, post(&cloud, &path, &body)).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let wrong = run(&cloud, post(&cloud, &path, &json!({"wrong": {}}))).await;
        let expected = if path.starts_with("/l2") {
            "none"
        } else {
            "SYS.1007"
        };
        assert_eq!(code(&wrong), expected, "{path}");
    }
    let id = session(&cloud).await;
    for (path, status) in [
        ("/VM/attachingGroup?affinityGroupUuid=a", 200),
        ("/vm/attachingGroup?affinityGroupUuid=a", 404),
        ("/VM/attachingGroup", 503),
        ("/crypto/ccs-certificate/certificates/", 200),
        ("/zones/", 404),
        ("/zones?limit=ten", 400),
        ("/vm-instances/%7BvmInstanceUuid%7D/pci-device-specs", 200),
    ] {
        let answer = with_session(request(&cloud, "GET", path), &id).send().await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
    }
}

#[tokio::test]
async fn paths_verbs_and_bodies_are_taken_as_the_open_server_takes_them() {
    let cloud = LocalCloud::start().await;
    let nic = format!("/eips/{UUID}/vm-instances/nics/{UUID}");
    let zone = format!("/zones/{UUID}");
    for (method, path, body, status) in [
        // A verb that a shared path has not.
        ("DELETE", "/zones", "", 500),
        ("PATCH", "/zones", "", 405),
        ("PUT", "/zones", "{\"params\": {}}", 400),
        ("PUT", "/zones", "", 500),
        ("PUT", zone.as_str(), "{}", 400),
        // The only API of a path runs whatever the verb.
        ("PATCH", nic.as_str(), "", 405),
        (
            "PUT",
            nic.as_str(),
            "{\"params\": {\"usedIpUuid\": \"u\"}}",
            202,
        ),
        ("PUT", nic.as_str(), "", 202),
        ("POST", nic.as_str(), "null", 202),
        ("GET", "/volumes/batch-sync-volumes", "", 503),
        // Empty parts of a path are skipped, but for the last.
        ("GET", "//zones", "", 200),
        ("GET", "/vm-instances//nics", "", 200),
        ("GET", "/zones//", "", 404),
        ("GET", "/zones?q=name", "", 400),
        ("GET", "/zones?sort=+name&limit=2", "", 200),
        ("GET", "/zones?sort=%20-name", "", 200),
    ] {
        let mut request = request(&cloud, method, path);
        if !body.is_empty() {
            request = request.body("application/json", body);
        }
        let answer = with_key(request).send().await;
        assert_eq!(
            answer.status,
            status,
            "{method} {path} {body}: {}",
            answer.text()
        );
        let is_text = matches!(status, 400 | 404 | 405 | 500);
        assert_eq!(
            answer.header("content-type").starts_with("text/plain"),
            is_text
        );
    }
    let named = |key: &str| json!({key: {"name": "n"}});
    let made = run(&cloud, post(&cloud, "//zones", &named("params"))).await;
    assert_eq!(made.json()["inventory"]["name"], "n", "{}", made.text());
}

#[tokio::test]
async fn queries_page_and_choose() {
    let cloud = LocalCloud::start().await;
    let get = async |path: &str| with_key(request(&cloud, "GET", path)).send().await;
    let count = async |path: &str| {
        let body = get(path).await.json();
        body["inventories"]
            .as_array()
            .unwrap_or_else(|| panic!("{path}: {body}"))
            .len()
    };
    assert_eq!(get("/zones?count=true").await.json(), json!({"total": 25}));
    for (query, expected) in [
        ("", 25),
        ("?limit=10", 10),
        ("?limit=10&start=20", 5),
        ("?start=25", 0),
        ("?q=name%3Dname-3", 1),
        ("?q=name~%3Dname-2%25", 7),
        ("?q=name%3Dnone", 0),
        ("?q=cluster.name%3Dx&limit=3", 3),
        ("?q=__systemTag__%3Dx&limit=3", 3),
        ("/0190d0b2d3a04c3e8d6f0f5a1b2c3d4e", 1),
        ("?q=uuid%3D0190d0b2d3a04c3e8d6f0f5a1b2c3d4e", 1),
    ] {
        assert_eq!(count(&format!("/zones{query}")).await, expected, "{query}");
    }
    let counted = get("/zones?limit=2&replyWithCount=true&sort=-name&fields=name,uuid")
        .await
        .json();
    assert_eq!(counted["total"], 25);
    assert_eq!(counted["inventories"][0]["name"], "name-9");
    assert_eq!(counted["inventories"][0].as_object().unwrap().len(), 2);
    let one = get(&format!("/zones/{UUID}")).await.json();
    assert_eq!(one["inventories"][0]["uuid"], UUID);
    let unknown = get("/zones?q=colour%3Dred").await;
    assert_eq!((unknown.status, code(&unknown).as_str()), (503, "SYS.1007"));
}

#[tokio::test]
async fn callers_are_checked_unless_the_api_is_open() {
    let cloud = LocalCloud::start().await;
    let open = [
        put(
            &cloud,
            "/management-nodes/actions",
            &json!({"getVersion": {}}),
        ),
        request(&cloud, "GET", "/management-nodes/ready"),
    ];
    for request in open {
        assert_eq!(request.send().await.status, 200);
    }
    let closed = request(&cloud, "GET", "/zones").send().await;
    assert_eq!(closed.text(), "missing header 'Authorization'");
    let id = session(&cloud).await;
    cloud.expire_sessions();
    let create = post(&cloud, "/zones", &json!({"params": {"name": "n"}}));
    let expired = with_session(create, &id).send().await;
    assert_eq!(code(&done(&cloud, &expired).await), "ID.1001");
    let query = with_session(request(&cloud, "GET", "/zones"), &id)
        .send()
        .await;
    assert_eq!((query.status, code(&query).as_str()), (503, "ID.1001"));
}

/// Posts a message to the endpoint of ZStack's older clients; its answer and what it brought.
async fn message(cloud: &LocalCloud, class: &str, members: &Value) -> (Value, Value) {
    let request = Request::new(&cloud.zstack_endpoint(), "POST", "/zstack/api/");
    let mut answer = request.json(&json!({ class: members })).send().await.json();
    while answer["state"] == "Processing" {
        let uuid = answer["uuid"].as_str().unwrap();
        let path = format!("/zstack/api/result/{uuid}");
        let request = Request::new(&cloud.zstack_endpoint(), "GET", &path);
        answer = request.send().await.json();
    }
    let result = serde_json::from_str(answer["result"].as_str().unwrap()).unwrap();
    (answer, result)
}

#[tokio::test]
async fn messages_log_in_run_jobs_and_query() {
    let cloud = LocalCloud::start().await;
    let session = json!({"uuid": session(&cloud).await});
    let create = "org.zstack.header.zone.APICreateZoneMsg";
    let members = json!({"session": session, "name": "by-message", "resourceUuid": UUID});
    let (answer, made) = message(&cloud, create, &members).await;
    assert_eq!(answer["state"], "Done");
    let event = &made["org.zstack.header.zone.APICreateZoneEvent"];
    assert_eq!(
        (&event["success"], &event["inventory"]["uuid"]),
        (&json!(true), &json!(UUID))
    );

    let query = "org.zstack.header.zone.APIQueryZoneMsg";
    let conditions = json!([{"name": "name", "op": "=", "value": "by-message"}]);
    let members = json!({"session": session, "conditions": conditions, "replyWithCount": true});
    let (answer, found) = message(&cloud, query, &members).await;
    assert!(
        answer.get("uuid").is_none(),
        "what is answered at once is no job"
    );
    let reply = &found["org.zstack.header.zone.APIQueryZoneReply"];
    assert_eq!(
        (&reply["total"], &reply["inventories"][0]["uuid"]),
        (&json!(1), &json!(UUID))
    );

    for (class, members, code) in [
        (query, json!({"session": {"uuid": "old"}}), "ID.1001"),
        (query, json!({}), "ID.1001"),
        (
            query,
            json!({"session": session, "conditions": [{"name": "colour", "op": "=", "value": "x"}]}),
            "SYS.1007",
        ),
        (query, json!({"session": session, "limit": "x"}), "SYS.1007"),
        (create, json!({"session": session}), "SYS.1007"),
        (
            create,
            json!({"session": {"uuid": "old"}, "name": "n"}),
            "ID.1001",
        ),
        (
            "org.zstack.header.zone.APIDeleteZoneMsg",
            json!({"session": session}),
            "SYS.1007",
        ),
    ] {
        let (_, failed) = message(&cloud, class, &members).await;
        let (_, failed) = failed.as_object().unwrap().iter().next().unwrap();
        assert_eq!(
            (&failed["success"], &failed["error"]["code"]),
            (&json!(false), &json!(code)),
            "{members}"
        );
    }
    let unknown = Request::new(&cloud.zstack_endpoint(), "GET", "/zstack/api/result/none");
    assert_eq!(unknown.send().await.status, 404);
    let names: Vec<_> = cloud
        .requests()
        .into_iter()
        .filter_map(|one| one.operation)
        .collect();
    assert_eq!(names[1..4], ["CreateZone", "PollJob", "PollJob"]);
}
