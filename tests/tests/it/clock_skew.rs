//! Does a wrong clock cost one extra request, once, instead of every call?

use cumulo_core::error::Diagnosis;
use cumulo_localcloud::LocalCloud;
use cumulo_smc::access_token::{CreateAccessToken, ListAccessTokens};
use cumulo_smc::{Kind, Outcome};
use cumulo_tests::{Answer, Bench, Script};
use cumulo_zstack::access_key::QueryAccessKey;

const EXPIRED: &str = r#"{"Code":"InvalidTimeStamp.Expired","Message":"Specified time stamp or date value is expired.","RequestId":"r"}"#;

#[tokio::test]
async fn alibabas_clock_is_learned_from_the_date_header_and_kept() {
    for offset in [3600, -7200, 400 * 86_400] {
        let bench = Bench::start().await;
        bench.cloud.set_time_offset(offset);
        let smc = bench.smc().build().unwrap();
        let made = CreateAccessToken::new().send(&smc).await;
        let made = made.unwrap_or_else(|error| panic!("{offset}: {}", error.explain()));
        assert_eq!(made.attempts().len(), 2);
        assert_eq!(made.attempts()[0].failure, Some(Kind::ClockSkew));
        // A clone profits from what was learned; nobody waited.
        let listed = ListAccessTokens::new().send(&smc.clone()).await.unwrap();
        assert_eq!((listed.attempts().len(), listed.total_count), (1, Some(1)));
        assert!(bench.clock.slept().is_empty());
    }
}

#[tokio::test]
async fn huaweis_clock_is_learned_from_the_text_of_the_error() {
    let bench = Bench::start().await;
    bench.cloud.set_time_offset(-5000);
    let apig = bench.apig().build().unwrap();
    let listed = cumulo_apig::app::ListAppsV2::new().send(&apig).await;
    let listed = listed.unwrap_or_else(|error| panic!("{}", error.explain()));
    assert_eq!(listed.attempts().len(), 2);
    assert_eq!(listed.attempts()[0].failure, Some(Kind::ClockSkew));
    let again = cumulo_apig::app::ListAppsV2::new()
        .send(&apig)
        .await
        .unwrap();
    assert_eq!(again.attempts().len(), 1);
}

#[tokio::test]
async fn a_clock_that_cannot_be_learned_is_an_error_with_the_facts() {
    let bench = Bench::start().await;
    // Without a Date header, or with that of a cached answer, there is nothing to learn.
    let cached = Answer::new(400, EXPIRED)
        .header("date", "Tue, 01 Jan 2030 00:00:00 GMT")
        .header("age", "100");
    for answer in [Answer::new(400, EXPIRED), cached] {
        let script = Script::new([answer]);
        let smc = bench.smc().transport(script.clone()).build().unwrap();
        let error = ListAccessTokens::new().send(&smc).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.outcome()),
            (Kind::ClockSkew, Outcome::Rejected)
        );
        assert_eq!(script.sent().len(), 1);
        assert!(error.hint().unwrap().contains("clock"), "{error}");
        assert_eq!(error.code(), Some("InvalidTimeStamp.Expired"));
    }
}

#[tokio::test]
async fn a_server_that_is_never_content_does_not_keep_a_call_for_ever() {
    let bench = Bench::start().await;
    // Right clock, refused all the same: the correction changes nothing and is not tried again.
    let real = bench.smc().build().unwrap();
    let listed = ListAccessTokens::new().send(&real).await.unwrap();
    let now = listed.headers()["date"].to_str().unwrap();
    let script = Script::new((0..9).map(|_| Answer::new(400, EXPIRED).header("date", now)));
    let smc = bench.smc().transport(script.clone()).build().unwrap();
    ListAccessTokens::new().send(&smc).await.unwrap_err();
    assert_eq!(script.sent().len(), 1);
    // A clock that jumps is followed twice.
    let answers = ["00", "03", "06", "09"].map(|hour| {
        let date = format!("Thu, 01 Jan 1970 {hour}:00:00 GMT");
        Answer::new(400, EXPIRED).header("date", &date)
    });
    let script = Script::new(answers);
    let smc = bench.smc().transport(script.clone()).build().unwrap();
    ListAccessTokens::new().send(&smc).await.unwrap_err();
    assert_eq!(script.sent().len(), 3);
}

#[tokio::test]
async fn the_measured_offset_is_told() {
    let bench = Bench::start().await;
    // Without attempts left for a correction, the error tells the difference.
    let body = r#"{"error_code":"APIG.0301","error_msg":"Incorrect IAM authentication information: verify aksk signature fail, signature expired, signature time:20230527T000431Z,server time:20230527T020608Z"}"#;
    let script = Script::new((0..3).map(|_| Answer::new(401, body)));
    let apig = bench.apig().transport(script).build().unwrap();
    let error = cumulo_apig::app::ListAppsV2::new()
        .send(&apig)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::ClockSkew);
    let Some(Diagnosis::Clock(seconds)) = error.diagnosis() else {
        panic!("{:?}", error.diagnosis());
    };
    assert!(
        error.explain().contains(&seconds.to_string()),
        "{}",
        error.explain()
    );
}

async fn attempts(bench: &Bench, client_offset: i32) -> Result<usize, cumulo_zstack::Error> {
    let zstack = bench
        .zstack()
        .server_utc_offset(client_offset)
        .build()
        .unwrap();
    QueryAccessKey::new().send(&zstack).await?;
    // What was found out holds for the next call.
    let second = QueryAccessKey::new().send(&zstack).await?;
    assert_eq!(second.attempts().len(), 1);
    let first = bench.seen("QueryAccessKey").len() - 1;
    bench.cloud.clear_requests();
    Ok(first)
}

#[tokio::test]
async fn zstack_servers_compare_wall_clocks_and_the_likely_zones_are_tried() {
    let hour = 3600;
    for (server, client, expected) in [
        (0, 0, 1),
        (8 * hour, 8 * hour, 1),
        (8 * hour, 0, 2),
        (0, 3 * hour, 3),
        (0, 8 * hour, 2),
        (3 * hour, 3 * hour, 1),
        (-5 * hour, -5 * hour, 1),
    ] {
        let bench = Bench::of(
            LocalCloud::builder()
                .zstack_utc_offset(server)
                .start()
                .await
                .unwrap(),
        );
        let sent = attempts(&bench, client).await;
        let sent = sent.unwrap_or_else(|error| panic!("{server} {client}: {}", error.explain()));
        assert_eq!(sent, expected, "server {server}, client {client}");
    }
}

#[tokio::test]
async fn a_zstack_zone_that_is_not_found_says_what_to_set() {
    let bench = Bench::of(
        LocalCloud::builder()
            .zstack_utc_offset(3 * 3600)
            .start()
            .await
            .unwrap(),
    );
    let error = attempts(&bench, 0).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (Kind::ClockSkew, Outcome::Rejected)
    );
    assert!(error.message().contains("requestTimeTooSkewed"), "{error}");
    assert!(
        error.hint().unwrap().contains("server_utc_offset"),
        "{error}"
    );
    // UTC was set, and is not guessed again.
    assert_eq!(error.attempts().len(), 2);
}

#[tokio::test]
async fn zstack_servers_that_compare_instants_take_any_zone() {
    let cloud = LocalCloud::builder()
        .zstack_check_time_zone(true)
        .zstack_utc_offset(8 * 3600);
    let bench = Bench::of(cloud.start().await.unwrap());
    for offset in [0, 8 * 3600, -4 * 3600 - 1800, 5 * 3600 + 2700] {
        assert_eq!(attempts(&bench, offset).await.unwrap(), 1, "{offset}");
    }
    let zstack = bench
        .zstack()
        .server_utc_offset(5 * 3600 + 2700)
        .build()
        .unwrap();
    QueryAccessKey::new().send(&zstack).await.unwrap();
    let request = bench.only("QueryAccessKey");
    let date = request.header("date").unwrap();
    assert!(date.ends_with("GMT+05:45"), "{date}");
}

/// How many calls are made at once; more with `CUMULO_MANY=10000`.
fn many() -> usize {
    let many = std::env::var("CUMULO_MANY").ok();
    many.and_then(|text| text.parse().ok()).unwrap_or(200)
}

/// All succeed, each after one corrected attempt at most.
async fn all_at_once<T, F>(what: &str, call: impl Fn() -> F)
where
    T: Send + 'static,
    F: Future<Output = Result<cumulo_core::Response<T>, cumulo_core::Error>> + Send + 'static,
{
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..many() {
        calls.spawn(call());
    }
    let mut corrected = 0;
    for result in calls.join_all().await {
        let response = result.unwrap_or_else(|error| panic!("{what}: {error}"));
        let attempts = response.attempts();
        assert!(attempts.len() <= 2, "{what}: {attempts:?}");
        if let [first, _] = attempts {
            assert_eq!(first.failure, Some(Kind::ClockSkew), "{what}");
            corrected += 1;
        }
    }
    assert!(corrected > 0, "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_begin_together_all_correct_the_clock() {
    for offset in [7200, -7200] {
        let bench = Bench::start().await;
        bench.cloud.set_time_offset(offset);
        let smc = bench.smc().build().unwrap();
        all_at_once("smc", || ListAccessTokens::new().send(&smc)).await;
        let smartag = bench.smartag().build().unwrap();
        let list = cumulo_smartag::enterprise_code::ListEnterpriseCode::new;
        all_at_once("smartag", || list().send(&smartag)).await;
        let apig = bench.apig().build().unwrap();
        let list = cumulo_apig::app::ListAppsV2::new;
        all_at_once("apig", || list().send(&apig)).await;
        let zstack = bench.zstack().build().unwrap();
        all_at_once("zstack", || QueryAccessKey::new().send(&zstack)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_of_the_time_zone_are_made_once_for_all() {
    for zone in [8 * 3600, 0] {
        let cloud = LocalCloud::builder().zstack_utc_offset(zone);
        let bench = Bench::of(cloud.start().await.unwrap());
        let far = bench.zstack().server_utc_offset(5 * 3600);
        let zstack = far.build().unwrap();
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..many() {
            calls.spawn(QueryAccessKey::new().send(&zstack));
        }
        for result in calls.join_all().await {
            let attempts = result.unwrap_or_else(|error| panic!("{zone}: {error}"));
            assert!(attempts.attempts().len() <= 3, "{zone}");
        }
        let after = QueryAccessKey::new().send(&zstack).await.unwrap();
        assert_eq!(after.attempts().len(), 1, "{zone}");
    }
}
