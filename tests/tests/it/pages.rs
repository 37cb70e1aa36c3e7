//! Do lists come whole, in order and once, however the service pages them?

use cumulo_apig::app::ListAppsV2;
use cumulo_localcloud::{FaultKind, Service, accounts};
use cumulo_smartag::enterprise_code::{CreateEnterpriseCode, ListEnterpriseCode};
use cumulo_smc::Kind;
use cumulo_smc::source_server::DescribeSourceServers;
use cumulo_tests::{Answer, Bench, Script, new_app};
use cumulo_zstack::Query;
use cumulo_zstack::access_key::{CreateAccessKey, QueryAccessKey};

async fn with_codes(count: usize) -> (Bench, cumulo_smartag::Client, Vec<String>) {
    let bench = Bench::start().await;
    let sag = bench.smartag().build().unwrap();
    let codes: Vec<String> = (0..count).map(|number| format!("code{number}")).collect();
    for code in &codes {
        CreateEnterpriseCode::new(code).send(&sag).await.unwrap();
    }
    (bench, sag, codes)
}

#[tokio::test]
async fn by_token() {
    let (bench, sag, codes) = with_codes(10).await;
    let all = ListEnterpriseCode::new()
        .max_results(4)
        .items(&sag)
        .collect()
        .await
        .unwrap();
    let found: Vec<String> = all
        .into_iter()
        .filter_map(|code| code.enterprise_code)
        .collect();
    assert_eq!(found, codes);
    let seen = bench.seen("ListEnterpriseCode");
    let tokens: Vec<_> = seen
        .iter()
        .map(|request| request.parameter("NextToken"))
        .collect();
    assert_eq!(tokens, [None, Some("page-4".into()), Some("page-8".into())]);

    let mut pages = ListEnterpriseCode::new().max_results(5).pages(&sag);
    let first = pages.next().await.unwrap().unwrap();
    assert_eq!(first.enterprise_codes.len(), 5);
    assert!(first.request_id().is_some());
    // The position is an input like any other: kept, it goes on there later.
    let rest = pages
        .position()
        .clone()
        .items(&sag)
        .collect()
        .await
        .unwrap();
    assert_eq!(rest[0].enterprise_code.as_ref(), Some(&codes[5]));
    assert_eq!(
        pages.next().await.unwrap().unwrap().enterprise_codes.len(),
        5
    );
    assert!(pages.next().await.is_none());
    assert!(pages.next().await.is_none());
}

#[tokio::test]
async fn by_offset() {
    let bench = Bench::start().await;
    let apig = bench.apig().build().unwrap();
    for number in 0..25 {
        new_app(&apig, &format!("app_{number}")).await;
    }
    // One page holds 20 unless asked for more; a list is asked for in the largest pages there are.
    assert_eq!(ListAppsV2::new().send(&apig).await.unwrap().apps.len(), 20);
    assert_eq!(
        ListAppsV2::new()
            .items(&apig)
            .collect()
            .await
            .unwrap()
            .len(),
        25
    );
    assert!(bench.seen("ListAppsV2")[1].target.ends_with("limit=500"));
    bench.cloud.clear_requests();

    let all = ListAppsV2::new()
        .limit(10)
        .items(&apig)
        .collect()
        .await
        .unwrap();
    let mut names: Vec<_> = all.into_iter().filter_map(|app| app.name).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 25);
    assert_eq!(bench.seen("ListAppsV2").len(), 3);
    let from_the_middle = ListAppsV2::new().limit(10).offset(15).items(&apig);
    assert_eq!(from_the_middle.collect().await.unwrap().len(), 10);
}

#[tokio::test]
async fn zstack_queries_are_paged_in_a_stable_order() {
    let bench = Bench::start().await;
    bench.cloud.zstack_synchronous(true);
    let zstack = bench.zstack().build().unwrap();
    for _ in 0..6 {
        let create =
            CreateAccessKey::new(accounts::ZSTACK_ACCOUNT_UUID, accounts::ZSTACK_USER_UUID);
        create.send(&zstack).await.unwrap();
    }
    let query = QueryAccessKey::new().query(Query::new().limit(3));
    let all = query.items(&zstack).collect().await.unwrap();
    let uuids: Vec<String> = all.into_iter().filter_map(|key| key.uuid).collect();
    assert_eq!(uuids.len(), 7);
    assert!(uuids.is_sorted());
    let seen = bench.seen("QueryAccessKey");
    assert_eq!(seen.len(), 3);
    assert!(
        seen.iter()
            .all(|request| request.target.contains("sort=%2Buuid"))
    );
    // A caller's own order stays.
    let sorted = QueryAccessKey::new().query(Query::new().sort_desc("uuid").limit(3));
    let all = sorted.items(&zstack).collect().await.unwrap();
    let back: Vec<String> = all.into_iter().filter_map(|key| key.uuid).rev().collect();
    assert_eq!(back, uuids);
}

fn servers(ids: &[u32], total: &str) -> Answer {
    let list: Vec<String> = ids
        .iter()
        .map(|id| format!(r#"{{"SourceId":"s-{id}"}}"#))
        .collect();
    let list = list.join(",");
    Answer::new(
        200,
        format!(r#"{{"SourceServers":{{"SourceServer":[{list}]}}{total}}}"#),
    )
}

/// The page numbers that were asked for, and the ids that came.
async fn numbered(size: i64, answers: Vec<Answer>) -> (Vec<String>, Vec<String>) {
    let bench = Bench::start().await;
    let script = Script::new(answers);
    let smc = bench.smc().transport(script.clone()).build().unwrap();
    let items = DescribeSourceServers::new().page_size(size).items(&smc);
    let ids = items.collect().await.unwrap();
    let ids = ids
        .into_iter()
        .filter_map(|server| server.source_id)
        .collect();
    let mut asked = Vec::new();
    for request in script.sent() {
        let page = request
            .url
            .query_pairs()
            .find(|(key, _)| key == "PageNumber");
        asked.push(page.map_or("-".into(), |(_, value)| value.into_owned()));
    }
    (asked, ids)
}

#[tokio::test]
async fn by_page_number() {
    let total = r#","TotalCount":5"#;
    let pages = vec![
        servers(&[1, 2], total),
        servers(&[3, 4], total),
        servers(&[5], total),
    ];
    let (asked, ids) = numbered(2, pages).await;
    assert_eq!(asked, ["-", "2", "3"]);
    assert_eq!(ids, ["s-1", "s-2", "s-3", "s-4", "s-5"]);
    // The total as text, exactly full pages, a total that shrinks or lies, no total at all.
    let total = r#","TotalCount":"4""#;
    assert_eq!(
        numbered(2, vec![servers(&[1, 2], total), servers(&[3, 4], total)])
            .await
            .0
            .len(),
        2
    );
    let pages = vec![
        servers(&[1, 2], r#","TotalCount":9"#),
        servers(&[], r#","TotalCount":9"#),
    ];
    assert_eq!(numbered(2, pages).await.1.len(), 2);
    assert_eq!(
        numbered(2, vec![servers(&[1, 2], ""), servers(&[3], "")])
            .await
            .1
            .len(),
        3
    );
    assert_eq!(numbered(2, vec![servers(&[], "")]).await.0.len(), 1);
}

#[tokio::test]
async fn an_error_ends_the_list_after_what_came_before() {
    let (bench, sag, _) = with_codes(6).await;
    let refused = r#"{"Code":"Forbidden.RAM","Message":"no","RequestId":"r"}"#;
    let fault = cumulo_localcloud::Fault::new(Service::Smartag, FaultKind::body(403, refused));
    bench
        .cloud
        .inject(fault.operation("ListEnterpriseCode").after(1));
    let mut items = ListEnterpriseCode::new().max_results(3).items(&sag);
    for _ in 0..3 {
        items.next().await.unwrap().unwrap();
    }
    assert!(
        items
            .next()
            .await
            .unwrap()
            .unwrap_err()
            .is_permission_denied()
    );
    assert!(items.next().await.is_none());
}

#[tokio::test]
async fn a_lost_page_is_asked_for_again() {
    let (bench, sag, codes) = with_codes(6).await;
    let fault = cumulo_localcloud::Fault::new(Service::Smartag, FaultKind::LoseResponse);
    bench
        .cloud
        .inject(fault.operation("ListEnterpriseCode").after(1));
    let all = ListEnterpriseCode::new()
        .max_results(3)
        .items(&sag)
        .collect()
        .await
        .unwrap();
    assert_eq!(all.len(), codes.len());
    assert_eq!(bench.seen("ListEnterpriseCode").len(), 3);
}

#[tokio::test]
async fn a_list_that_goes_in_circles_ends() {
    let bench = Bench::start().await;
    let page = r#"{"EnterpriseCodes":[{"EnterpriseCode":"a"}],"NextToken":"again"}"#;
    let script = Script::new((0..9).map(|_| Answer::new(200, page)));
    let sag = bench.smartag().transport(script.clone()).build().unwrap();
    let error = ListEnterpriseCode::new()
        .items(&sag)
        .collect()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidResponse);
    assert!(error.to_string().contains("never end"), "{error}");
    assert_eq!(script.sent().len(), 2);
}
