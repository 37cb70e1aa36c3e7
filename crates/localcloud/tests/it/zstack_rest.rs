//! Does ZStack's REST layer read dates and queries, and refuse, as the real one does?

use crate::common::{Request, utc};
use crate::zstack::{
    KEY, change, code, create, done, request, session, with_date, with_key, with_session,
};
use cumulo_localcloud::accounts::ZSTACK_KEY_UUID;
use cumulo_localcloud::{Fault, FaultKind, LocalCloud, Service};
use serde_json::json;

#[tokio::test]
async fn the_date_of_an_access_key_is_the_server_s_wall_clock() {
    let cloud = LocalCloud::start().await;
    let query = || request(&cloud, "GET", "/accesskeys?q=uuid%3Dx");
    let here = |format: &str, hours: i64| utc(format, hours * 3600);
    let form = "%a, %d %b %Y %H:%M:%S";
    let status = async |date: &str| with_date(query(), date).send().await.status;

    // The zone is ignored, unless the server is told to look at it.
    assert_eq!(status(&here(&format!("{form} GMT"), 0)).await, 200);
    assert_eq!(status(&here(&format!("{form} GMT+08:00"), 0)).await, 200);
    let skewed = with_date(query(), &here(&format!("{form} GMT+08:00"), 8))
        .send()
        .await;
    assert_eq!(
        (skewed.status, skewed.text().as_str()),
        (403, "requestTimeTooSkewed")
    );
    cloud.zstack_utc_offset(8 * 3600);
    assert_eq!(status(&here(&format!("{form} GMT+08:00"), 8)).await, 200);
    assert_eq!(status(&here(&format!("{form} GMT"), 0)).await, 403);

    let strict = LocalCloud::builder()
        .zstack_check_time_zone(true)
        .zstack_utc_offset(8 * 3600)
        .start()
        .await
        .unwrap();
    for (date, expected) in [
        (here(&format!("{form} GMT+08:00"), 8), 200),
        (here(&format!("{form} Asia/Shanghai"), 8), 200),
        (here(&format!("{form} UTC"), 0), 200),
        (here(&format!("{form} GMT"), 8), 403),
        (here(&format!("{form} +0800"), 8), 400),
    ] {
        let answer = with_date(request(&strict, "GET", "/accesskeys"), &date)
            .send()
            .await;
        assert_eq!(answer.status, expected, "{date}: {}", answer.text());
    }
}

#[tokio::test]
async fn refusals_of_the_rest_layer_are_text() {
    let cloud = LocalCloud::start().await;
    let id = session(&cloud).await;
    let query = || request(&cloud, "GET", "/accesskeys");
    let date = utc("%a, %d %b %Y %H:%M:%S GMT", 0);
    let mut other_path = with_key(request(
        &cloud,
        "DELETE",
        &format!("/accesskeys/{ZSTACK_KEY_UUID}"),
    ));
    other_path.target = other_path.target.replace('5', "6");
    for (request, status, text) in [
        (query(), 400, "missing header 'Authorization'"),
        (
            query().header("Authorization", "Basic x"),
            400,
            "illegal header 'Authorization'",
        ),
        (
            query().header("Authorization", "ZStack nocolon"),
            400,
            "expected accessKeyId:signature",
        ),
        (
            query().header("Authorization", "ZStack a:b"),
            400,
            "missing header 'Date'",
        ),
        (
            query()
                .header("Authorization", "ZStack a:b")
                .header("Date", &date),
            403,
            "access key id: a does not existed or disabled",
        ),
        (
            query()
                .header("Authorization", "ZStack a:b")
                .header("Date", "today"),
            400,
            "illegal header 'Date'",
        ),
        (other_path, 403, "wrong accessKey signature"),
        (
            with_session(request(&cloud, "GET", "/nothing"), &id),
            404,
            "no api mapping to /v1/nothing",
        ),
        (
            Request::new(&cloud.zstack_endpoint(), "GET", "/v1/accesskeys"),
            404,
            "no api mapping",
        ),
        (
            with_session(request(&cloud, "PATCH", "/accesskeys"), &id),
            405,
            "no PATCH API",
        ),
        (
            with_session(request(&cloud, "PUT", "/accesskeys"), &id),
            500,
            "NullPointer",
        ),
        (
            with_session(request(&cloud, "GET", "/accesskeys?q=nonsense"), &id),
            400,
            "has no operator",
        ),
        (
            with_session(
                request(&cloud, "POST", "/accesskeys").body("application/json", "[]"),
                &id,
            ),
            400,
            "not a JSON object",
        ),
        (
            with_session(request(&cloud, "GET", "/accesskeys?limit=x"), &id),
            400,
            "'limit' must be an integer",
        ),
    ] {
        let answer = request.send().await;
        assert_eq!(answer.status, status, "{request:?}: {}", answer.text());
        assert!(answer.text().contains(text), "{}", answer.text());
        assert!(answer.header("content-type").starts_with("text/plain"));
    }
    let verdict = cloud
        .requests()
        .into_iter()
        .filter_map(|one| one.verdict)
        .find(|one| one.contains("expected a signature"))
        .unwrap();
    assert!(verdict.contains("DELETE\\n"), "{verdict}");

    let disable = with_session(change(&cloud, ZSTACK_KEY_UUID, KEY, "disable"), &id)
        .send()
        .await;
    assert_eq!(done(&cloud, &disable).await.status, 200);
    let refused = with_key(query()).send().await;
    assert!(refused.text().contains("does not existed or disabled"));
}

#[tokio::test]
async fn queries_choose_sort_and_page() {
    let cloud = LocalCloud::start().await;
    for number in 1..=4 {
        let id = format!("web-000000{number}");
        let members = if number == 4 {
            json!({"AccessKeyID": id})
        } else {
            json!({"AccessKeyID": id, "description": "a>=b"})
        };
        assert_eq!(create(&cloud, members).await.status, 200);
    }
    let run = async |query: &str| {
        with_key(request(&cloud, "GET", &format!("/accesskeys{query}")))
            .send()
            .await
    };
    let ids = async |query: &str| {
        let body = run(query).await.json();
        let rows = body["inventories"]
            .as_array()
            .unwrap_or_else(|| panic!("{query}: {body}"))
            .clone();
        rows.iter()
            .map(|row| {
                row["AccessKeyID"]
                    .as_str()
                    .unwrap()
                    .trim_start_matches("web-000000")
                    .to_owned()
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(
        ids("?q=AccessKeyID~%3Dweb%25&sort=-AccessKeyID").await,
        ["4", "3", "2", "1"]
    );
    assert_eq!(
        ids("?q=AccessKeyID~%3Dweb%25&sort=%2BAccessKeyID&start=1&limit=2").await,
        ["2", "3"]
    );
    // An unescaped plus is a space on the wire.
    assert_eq!(
        ids("?q=AccessKeyID~%3Dweb%25&sort=+AccessKeyID&limit=1").await,
        ["1"]
    );
    assert_eq!(
        ids("?q=AccessKeyID?%3Dweb-0000001,web-0000004").await,
        ["1", "4"]
    );
    assert_eq!(
        ids("?q=description%20is%20null&q=AccessKeyID~%3Dweb%25").await,
        ["4"]
    );
    assert_eq!(ids("?q=state%3DDisabled").await, Vec::<String>::new());

    let counted =
        run("?q=AccessKeyID~%3Dweb%25&limit=1&replyWithCount=true&fields=AccessKeyID,uuid")
            .await
            .json();
    assert_eq!(
        (
            &counted["total"],
            counted["inventories"][0].as_object().unwrap().len()
        ),
        (&json!(4), 2)
    );
    assert!(counted["schema"].is_object());
    assert_eq!(run("?count=true").await.json(), json!({"total": 5}));
    assert_eq!(
        run("/6666666666664666866666666666666a").await.json()["inventories"],
        json!([])
    );
    // The server splits at the first operator of its list: here in the middle of the value.
    for bad in [
        "?q=description%3Da%3E%3Db",
        "?q=colour%3Dred",
        "?sort=colour",
    ] {
        let answer = run(bad).await;
        assert_eq!(
            (answer.status, code(&answer).as_str()),
            (503, "SYS.1007"),
            "{bad}"
        );
    }
}

#[tokio::test]
async fn faults_in_zstack_s_words() {
    let cloud = LocalCloud::start().await;
    cloud.inject(Fault::new(Service::Zstack, FaultKind::ServerError(503)));
    cloud.inject(Fault::new(Service::Zstack, FaultKind::throttle()));
    cloud.inject(Fault::new(Service::Zstack, FaultKind::LoseResponse).operation("PollJob"));
    let query = || with_key(request(&cloud, "GET", "/accesskeys"));
    let failed = query().send().await;
    assert_eq!((failed.status, code(&failed).as_str()), (503, "SYS.1000"));
    assert_eq!(query().send().await.status, 429);
    let poll = request(&cloud, "GET", "/api-jobs/x");
    assert!(poll.try_send().await.is_err());
    assert_eq!(poll.send().await.status, 404);
}
