//! Does the local cloud judge ZStack requests as the real management node does?

use crate::common::{Answer, Connection, Request, hmac1_base64, utc};
use cumulo_localcloud::accounts::{
    ZSTACK_ACCOUNT, ZSTACK_ACCOUNT_UUID, ZSTACK_KEY_ID, ZSTACK_KEY_SECRET, ZSTACK_KEY_UUID,
    ZSTACK_PASSWORD, ZSTACK_USER_UUID,
};
use cumulo_localcloud::{Fault, FaultKind, LocalCloud, Service};
use serde_json::{Value, json};
use sha2::Digest as _;

pub(crate) fn code(answer: &Answer) -> String {
    answer.json()["error"]["code"]
        .as_str()
        .unwrap_or("none")
        .to_owned()
}

pub(crate) fn request(cloud: &LocalCloud, method: &str, path: &str) -> Request {
    Request::new(
        &cloud.zstack_endpoint(),
        method,
        &format!("/zstack/v1{path}"),
    )
}

pub(crate) fn log_in(cloud: &LocalCloud, password: &str) -> Request {
    let body = json!({"logInByAccount": {"accountName": ZSTACK_ACCOUNT, "password": password}});
    request(cloud, "PUT", "/accounts/login").json(&body)
}

pub(crate) async fn session(cloud: &LocalCloud) -> String {
    let hashed = crate::common::hex(&sha2::Sha512::digest(ZSTACK_PASSWORD));
    let answer = log_in(cloud, &hashed).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["inventory"]["uuid"]
        .as_str()
        .unwrap()
        .to_owned()
}

pub(crate) fn with_session(request: Request, session: &str) -> Request {
    request.header("Authorization", &format!("OAuth {session}"))
}

pub(crate) fn with_date(request: Request, date: &str) -> Request {
    let uri = request
        .target
        .strip_prefix("/zstack")
        .unwrap()
        .split('?')
        .next()
        .unwrap();
    let to_sign = format!("{}\n{date}\n{uri}", request.method);
    let signature = hmac1_base64(ZSTACK_KEY_SECRET, &to_sign);
    request.header("Date", date).header(
        "Authorization",
        &format!("ZStack {ZSTACK_KEY_ID}:{signature}"),
    )
}

pub(crate) fn with_key(request: Request) -> Request {
    with_date(request, &utc("%a, %d %b %Y %H:%M:%S GMT", 0))
}

pub(crate) fn change(cloud: &LocalCloud, uuid: &str, key: &str, event: &str) -> Request {
    request(cloud, "PUT", &format!("/accesskeys/{uuid}/actions"))
        .json(&json!({key: {"stateEvent": event}}))
}

pub(crate) const KEY: &str = "changeAccessKeyState";

/// The uuid at the end of a 202's location.
pub(crate) fn job(answer: &Answer) -> String {
    assert_eq!(answer.status, 202, "{}", answer.text());
    let body = answer.json();
    body["location"]
        .as_str()
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap()
        .to_owned()
}

pub(crate) async fn poll(cloud: &LocalCloud, uuid: &str) -> Answer {
    request(cloud, "GET", &format!("/api-jobs/{uuid}"))
        .send()
        .await
}

pub(crate) async fn done(cloud: &LocalCloud, accepted: &Answer) -> Answer {
    let uuid = job(accepted);
    loop {
        let answer = poll(cloud, &uuid).await;
        if answer.status != 202 {
            return answer;
        }
        assert_eq!(answer.text(), "{}");
    }
}

pub(crate) async fn create(cloud: &LocalCloud, members: Value) -> Answer {
    let mut params = json!({"accountUuid": ZSTACK_ACCOUNT_UUID, "userUuid": ZSTACK_USER_UUID});
    params
        .as_object_mut()
        .unwrap()
        .extend(members.as_object().unwrap().clone());
    let accepted =
        with_key(request(cloud, "POST", "/accesskeys").json(&json!({ "params": params })))
            .send()
            .await;
    done(cloud, &accepted).await
}

#[tokio::test]
async fn sessions_begin_and_end() {
    let cloud = LocalCloud::start().await;
    let id = session(&cloud).await;
    let query = with_session(request(&cloud, "GET", "/accesskeys"), &id);
    assert_eq!(query.send().await.status, 200);
    let valid = request(&cloud, "GET", &format!("/accounts/sessions/{id}/valid"));
    assert_eq!(valid.send().await.json()["valid"], true);

    // Two hours without a call end a session; each call begins them anew.
    cloud.set_time_offset(7000);
    assert_eq!(query.send().await.status, 200);
    cloud.set_time_offset(14_000);
    assert_eq!(query.send().await.status, 200);
    cloud.set_time_offset(21_300);
    let over = query.send().await;
    assert_eq!((over.status, code(&over).as_str()), (503, "ID.1001"));
    cloud.set_time_offset(0);

    let second = session(&cloud).await;
    let renew = with_session(
        request(&cloud, "PUT", &format!("/accounts/sessions/{second}/renew")),
        &second,
    );
    let renewed = renew
        .json(&json!({"renewSession": {"duration": 60}}))
        .send()
        .await;
    assert_eq!(
        done(&cloud, &renewed).await.json()["inventory"]["uuid"],
        second
    );
    assert_eq!(
        request(&cloud, "DELETE", &format!("/accounts/sessions/{second}"))
            .send()
            .await
            .status,
        200
    );
    assert_eq!(
        code(
            &with_session(request(&cloud, "GET", "/accesskeys"), &second)
                .send()
                .await
        ),
        "ID.1001"
    );

    for password in ["wrong", ZSTACK_PASSWORD] {
        let answer = log_in(&cloud, password).send().await;
        assert_eq!((answer.status, code(&answer).as_str()), (503, "ID.1000"));
    }
    let verdict = cloud.requests().pop().unwrap().verdict.unwrap();
    assert!(verdict.contains("SHA-512"), "{verdict}");
}

#[tokio::test]
async fn expired_sessions_show_up_in_the_job() {
    let cloud = LocalCloud::start().await;
    let id = session(&cloud).await;
    cloud.expire_sessions();
    let accepted = with_session(change(&cloud, ZSTACK_KEY_UUID, KEY, "disable"), &id)
        .send()
        .await;
    let answer = done(&cloud, &accepted).await;
    assert_eq!((answer.status, code(&answer).as_str()), (503, "ID.1001"));
    assert_eq!(answer.json()["error"]["details"], "Session expired");
    // Nothing was executed: the key still works.
    assert_eq!(
        with_key(request(&cloud, "GET", "/accesskeys"))
            .send()
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn access_keys_live() {
    let cloud = LocalCloud::start().await;
    let created = create(&cloud, json!({"description": "d", "AccessKeyID": "chosen-id-1", "AccessKeySecret": "chosen-secret"})).await;
    assert_eq!(created.status, 200, "{}", created.text());
    let inventory = created.json()["inventory"].clone();
    assert_eq!(
        (&inventory["AccessKeyID"], &inventory["state"]),
        (&json!("chosen-id-1"), &json!("Enabled"))
    );
    assert!(
        inventory["createDate"].as_str().unwrap().ends_with('M'),
        "{inventory}"
    );
    let uuid = inventory["uuid"].as_str().unwrap().to_owned();

    let accepted = with_key(change(&cloud, &uuid, KEY, "disable")).send().await;
    let body = accepted.json();
    assert_eq!(body["apiTimeout"], 1_800_000);
    assert!(
        !body["location"]
            .as_str()
            .unwrap()
            .starts_with(&cloud.zstack_endpoint())
    );
    assert_eq!(
        poll(&cloud, &job(&accepted)).await.status,
        202,
        "the first poll finds it running"
    );
    assert_eq!(
        done(&cloud, &accepted).await.json()["inventory"]["state"],
        "Disabled"
    );
    assert_eq!(cloud.stray_connections(), 0);
    let mut stray = Connection::open(body["location"].as_str().unwrap()).await;
    assert!(stray.rest().await.unwrap().is_empty());
    assert_eq!(cloud.stray_connections(), 1);

    cloud.zstack_state_as_object(true);
    let list = with_key(request(&cloud, "GET", &format!("/accesskeys/{uuid}")))
        .send()
        .await
        .json();
    assert_eq!(
        list["inventories"][0]["state"],
        json!({"name": "Disabled", "ordinal": 1})
    );
    cloud.zstack_state_as_object(false);

    for (members, expected) in [
        (json!({"AccessKeyID": "chosen-id-1"}), "SYS.1002"),
        (json!({"AccessKeyID": "short"}), "SYS.1007"),
        (json!({"AccessKeySecret": "with:colon:in:it"}), "SYS.1007"),
        (
            json!({"resourceUuid": "0190d0b2d3a07c3e8d6f0f5a1b2c3d4e"}),
            "SYS.1007",
        ),
        (json!({"resourceUuid": uuid}), "SYS.1000"),
        (json!({"userUuid": null}), "SYS.1007"),
        (json!({"accountUuid": "x"}), "SYS.1003"),
    ] {
        let answer = create(&cloud, members.clone()).await;
        assert_eq!(
            (answer.status, code(&answer).as_str()),
            (503, expected),
            "{members}"
        );
    }
    let nested = create(&cloud, json!({"AccessKeyID": "chosen-id-1"}))
        .await
        .json();
    assert_eq!(nested["error"]["cause"]["code"], "SYS.1007");

    let delete = || {
        with_key(request(
            &cloud,
            "DELETE",
            &format!("/accesskeys/{uuid}?deleteMode=Permissive"),
        ))
    };
    for _ in 0..2 {
        let answer = done(&cloud, &delete().send().await).await;
        assert_eq!((answer.status, answer.text().as_str()), (200, "{}"));
    }
    for (request, expected) in [
        (change(&cloud, &uuid, KEY, "enable"), "SYS.1003"),
        (change(&cloud, &uuid, KEY, "Enable"), "SYS.1007"),
        (request(&cloud, "DELETE", "/accesskeys/no-uuid"), "SYS.1003"),
    ] {
        let answer = done(&cloud, &with_key(request).send().await).await;
        assert_eq!(code(&answer), expected, "{}", answer.text());
    }
}

#[tokio::test]
async fn the_page_s_body_key() {
    let cloud = LocalCloud::start().await;
    let page_key = "changeaccesskeystate";
    let id = session(&cloud).await;
    let run = async |key: &str| {
        let accepted = with_session(change(&cloud, ZSTACK_KEY_UUID, key, "disable"), &id)
            .send()
            .await;
        code(&done(&cloud, &accepted).await)
    };
    assert_eq!(
        (run(page_key).await.as_str(), run(KEY).await.as_str()),
        ("SYS.1007", "none")
    );
    cloud.zstack_follow_page(true);
    assert_eq!(
        (run(page_key).await.as_str(), run(KEY).await.as_str()),
        ("none", "SYS.1007")
    );

    cloud.zstack_synchronous(true);
    let answer = with_session(change(&cloud, ZSTACK_KEY_UUID, page_key, "enable"), &id)
        .send()
        .await;
    assert_eq!(
        (answer.status, &answer.json()["inventory"]["state"]),
        (200, &json!("Enabled"))
    );
    let failed = with_session(change(&cloud, "0", page_key, "enable"), &id)
        .send()
        .await;
    assert_eq!((failed.status, code(&failed).as_str()), (503, "SYS.1003"));
}

#[tokio::test]
async fn job_uuids_are_used_once() {
    let cloud = LocalCloud::builder()
        .zstack_job_polls(0)
        .start()
        .await
        .unwrap();
    let uuid = "0123456789abcdef0123456789abcdef";
    let send = |uuid: &str| {
        let params =
            json!({"params": {"accountUuid": ZSTACK_ACCOUNT_UUID, "userUuid": ZSTACK_USER_UUID}});
        with_key(request(&cloud, "POST", "/accesskeys").json(&params)).header("X-Job-UUID", uuid)
    };
    assert_eq!(poll(&cloud, uuid).await.text(), "the job has been expired");
    cloud.inject(Fault::new(Service::Zstack, FaultKind::LoseRequest).operation("CreateAccessKey"));
    assert!(send(uuid).try_send().await.is_err());
    assert_eq!(poll(&cloud, uuid).await.status, 404, "it never came");
    cloud.inject(Fault::new(Service::Zstack, FaultKind::LoseResponse).operation("CreateAccessKey"));
    assert!(send(uuid).try_send().await.is_err());
    let again = send(uuid).send().await;
    assert_eq!(
        (again.status, again.text()),
        (400, format!("Duplicate job uuid[{uuid}]"))
    );
    assert_eq!(poll(&cloud, uuid).await.status, 200, "it came");
    assert_eq!(send("short").send().await.status, 400);
    let count = with_key(request(&cloud, "GET", "/accesskeys?count=true"))
        .send()
        .await
        .json();
    assert_eq!(count, json!({"total": 2}));

    let accepted = send("ffffffffffffffffffffffffffffffff")
        .header("X-API-Timeout", "60")
        .send()
        .await;
    assert_eq!(accepted.json()["apiTimeout"], 60_000);
    cloud.set_time_offset(10_801);
    assert_eq!(poll(&cloud, uuid).await.status, 404);
    cloud.set_time_offset(0);
    assert_eq!(poll(&cloud, uuid).await.status, 200);
    cloud.expire_jobs();
    assert_eq!(poll(&cloud, uuid).await.status, 404);
    assert_eq!(
        request(&cloud, "DELETE", &format!("/api-jobs/{uuid}"))
            .send()
            .await
            .status,
        405
    );
}
