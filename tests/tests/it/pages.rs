//! Do lists come whole, in order and once, however the service pages them?

use cumulo_apig::app::ListAppsV2;
use cumulo_core::page::End;
use cumulo_localcloud::{FaultKind, Service, accounts};
use cumulo_smartag::enterprise_code::{CreateEnterpriseCode, ListEnterpriseCode};
use cumulo_smc::Kind;
use cumulo_smc::source_server::DescribeSourceServers;
use cumulo_tests::{Answer, Bench, LongList, Script, new_app};
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
    // The position is text: kept, it goes on there later.
    let position = pages.position().unwrap();
    let rest = ListEnterpriseCode::new().items(&sag).resume(&position);
    let rest = rest.unwrap().collect().await.unwrap();
    assert_eq!(rest.len(), 5);
    assert_eq!(rest[0].enterprise_code.as_ref(), Some(&codes[5]));
    assert_eq!(
        pages.next().await.unwrap().unwrap().enterprise_codes.len(),
        5
    );
    assert!(pages.next().await.is_none());
    assert!(pages.next().await.is_none());
    assert_eq!((pages.end(), pages.position()), (Some(End::NoToken), None));
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

/// The ids of the list behind `list`, paged by number, by offset and by token; and how each ended.
async fn three_ways(list: &LongList) -> [(Vec<u64>, End); 3] {
    let bench = Bench::start().await;
    let smc = bench.smc().transport(list.clone()).build().unwrap();
    let apig = bench.apig().transport(list.clone()).build().unwrap();
    let sag = bench.smartag().transport(list.clone()).build().unwrap();
    macro_rules! read {
        ($operation:expr, $client:expr, $id:ident) => {{
            let mut items = $operation.items($client);
            let mut ids = Vec::new();
            while let Some(item) = items.next().await {
                ids.push(item.unwrap().$id.unwrap().parse().unwrap());
            }
            assert!(items.position().is_none());
            (ids, items.end().unwrap())
        }};
    }
    [
        read!(DescribeSourceServers::new(), &smc, source_id),
        read!(ListAppsV2::new(), &apig, id),
        read!(ListEnterpriseCode::new(), &sag, enterprise_code),
    ]
}

/// The length of a list, and the total that the service tells of it.
type Told = fn(u64) -> (u64, Option<u64>);

#[tokio::test]
async fn lists_come_whole_in_the_largest_pages() {
    // Pages hold 50, 500 and 100 items: none, one, one page, one more, and many.
    let lists: [Told; 7] = [
        |_| (0, Some(0)),
        |_| (1, Some(1)),
        |_| (50, Some(50)),
        |_| (51, Some(51)),
        |_| (100, Some(100)),
        |_| (501, Some(501)),
        |_| (100_000, Some(100_000)),
    ];
    for told in lists {
        let list = LongList::new(told);
        let length = told(0).0;
        let end = if length == 0 {
            End::EmptyPage
        } else {
            End::Total
        };
        let ends = [end, end, End::NoToken];
        for ((ids, end), expected) in three_ways(&list).await.into_iter().zip(ends) {
            assert!(ids.into_iter().eq(0..length), "{length}");
            assert_eq!(end, expected, "{length}");
        }
        let calls = [50, 500, 100].map(|size| length.div_ceil(size).max(1));
        let asked = u64::try_from(list.asked().len()).unwrap();
        assert_eq!(asked, calls.iter().sum::<u64>(), "{length}");
    }
}

#[tokio::test]
async fn without_a_total_a_list_ends_at_a_page_that_is_not_full() {
    let lists: [Told; 5] = [
        |_| (0, None),
        |_| (1, None),
        |_| (50, None),
        |_| (51, None),
        |_| (1_000, None),
    ];
    for told in lists {
        let length = told(0).0;
        for (ids, _) in three_ways(&LongList::new(told)).await {
            assert!(ids.into_iter().eq(0..length), "{length}");
        }
    }
}

#[tokio::test]
async fn totals_that_lie_cut_nothing_and_end() {
    // Too few, too many, and a service that serves smaller pages than it is asked for.
    let lists = [
        LongList::new(|_| (120, Some(7))),
        LongList::new(|_| (120, Some(5_000))),
        LongList::new(|_| (120, Some(120))).most(20),
        LongList::new(|_| (120, Some(5_000))).most(20),
    ];
    for list in lists {
        for (ids, end) in three_ways(&list).await {
            assert!(ids.into_iter().eq(0..120), "{list:?} {end:?}");
        }
    }
}

#[tokio::test]
async fn a_list_that_shrinks_while_it_is_read_ends_and_says_so() {
    let list = LongList::new(|page| {
        if page < 2 {
            (200, Some(200))
        } else {
            (110, Some(110))
        }
    });
    let bench = Bench::start().await;
    let smc = bench.smc().transport(list.clone()).build().unwrap();
    let mut items = DescribeSourceServers::new().items(&smc);
    let mut count = 0;
    while let Some(item) = items.next().await {
        item.unwrap();
        count += 1;
        assert_eq!(items.changed(), count > 100);
    }
    assert_eq!((count, items.end()), (110, Some(End::Total)));
    // Emptied altogether.
    let list = LongList::new(|page| {
        if page == 0 {
            (200, Some(200))
        } else {
            (0, Some(0))
        }
    });
    let ends = three_ways(&list).await.map(|(ids, end)| (ids.len(), end));
    assert_eq!(ends[0], (50, End::EmptyPage));
}

#[tokio::test]
async fn a_page_that_comes_again_is_an_error() {
    let page = servers(&[1, 2], "");
    let again = servers(&[1, 2], "");
    let bench = Bench::start().await;
    let script = Script::new([page, again]);
    let smc = bench.smc().transport(script).build().unwrap();
    let mut pages = DescribeSourceServers::new().page_size(2).pages(&smc);
    pages.next().await.unwrap().unwrap();
    let error = pages.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidResponse);
    assert!(error.to_string().contains("the same page again"), "{error}");
    assert!(pages.next().await.is_none());
    assert_eq!(pages.end(), None);
    assert!(pages.position().unwrap().contains(r#""PageNumber":"2""#));
}

/// Pages of one item can be equal by chance, but not for ever.
#[tokio::test]
async fn a_list_that_stands_still_ends_with_one_item_a_page_too() {
    let bench = Bench::start().await;
    let one = r#"{"SourceServers":{"SourceServer":[{"SourceId":"1"}]},"TotalCount":1000}"#;
    let script = Script::new((0..10).map(|_| Answer::new(200, one)));
    let smc = bench.smc().transport(script.clone()).build().unwrap();
    let items = DescribeSourceServers::new().page_size(1).items(&smc);
    let error = items.collect().await.unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidResponse);
    assert_eq!(script.sent().len(), 4);
}

/// What a proxy answers for the service is no empty list; nor is less than was promised a whole one.
#[tokio::test]
async fn an_empty_list_says_so() {
    for (answer, changed) in [
        (
            r#"{"message":"maintenance until noon, and then again from two to three o'clock, all of it"}"#,
            None,
        ),
        (r#"{"SourceServers":{"SourceServer":"none"}}"#, None),
        (r#"{"a":1}"#, None),
        (
            r#"{"SourceServers":{"SourceServer":[]},"TotalCount":0}"#,
            Some(false),
        ),
        (r#"{"SourceServers":{},"TotalCount":0}"#, Some(false)),
        (
            r#"{"SourceServers":{"SourceServer":[]},"TotalCount":9}"#,
            Some(true),
        ),
    ] {
        let bench = Bench::start().await;
        let script = Script::new([Answer::new(200, answer)]);
        let smc = bench.smc().transport(script).build().unwrap();
        let mut items = DescribeSourceServers::new().items(&smc);
        match (items.next().await, changed) {
            (Some(Err(error)), None) => assert_eq!(error.kind(), Kind::InvalidResponse, "{answer}"),
            (None, Some(changed)) => assert_eq!(items.changed(), changed, "{answer}"),
            (seen, _) => panic!("{answer}: {seen:?}"),
        }
    }
}

#[tokio::test]
async fn no_more_than_wanted_and_on_from_there() {
    let list = LongList::new(|_| (130, Some(130)));
    let bench = Bench::start().await;
    let smc = bench.smc().transport(list.clone()).build().unwrap();
    let mut seen: Vec<u64> = Vec::new();
    let mut position: Option<String> = None;
    // Seven at a time, each by a program of its own that knows no more than the text.
    loop {
        let mut items = DescribeSourceServers::new().items(&smc).max_items(7);
        if let Some(position) = &position {
            items = items.resume(position).unwrap();
        }
        while let Some(item) = items.next().await {
            seen.push(item.unwrap().source_id.unwrap().parse().unwrap());
        }
        position = items.position();
        match items.end() {
            Some(End::MaxItems) => {}
            end => {
                assert_eq!(end, Some(End::Total));
                break;
            }
        }
    }
    assert!(seen.into_iter().eq(0..130));
    assert!(list.asked().iter().all(|asked| asked["PageSize"] == "7"));

    // In the middle of a page, before the first, and of pages.
    let mut items = DescribeSourceServers::new().items(&smc);
    let start = items.position().unwrap();
    for _ in 0..60 {
        items.next().await.unwrap().unwrap();
    }
    let middle = items.position().unwrap();
    let go_on = |position: &str| DescribeSourceServers::new().items(&smc).resume(position);
    let rest = go_on(&middle).unwrap().collect().await.unwrap();
    assert_eq!((rest.len(), rest[0].source_id.as_deref()), (70, Some("60")));
    // Taken up and not read, it is still there.
    assert_eq!(go_on(&middle).unwrap().position().unwrap(), middle);
    assert_eq!(go_on(&start).unwrap().collect().await.unwrap().len(), 130);
    let pages = DescribeSourceServers::new().pages(&smc).resume(&middle);
    let page = pages.unwrap().next().await.unwrap().unwrap();
    assert_eq!(page.source_servers.len(), 50);

    for wrong in ["", "{}", "[]", r#"{"operation":"ListAppsV2"}"#] {
        let error = go_on(wrong).unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidInput, "{wrong}");
        assert!(error.message().starts_with("the position is"), "{error}");
    }
    let other = DescribeSourceServers::new().job_id("j-1").items(&smc);
    let error = other.resume(&middle).unwrap_err();
    assert!(error.message().contains("other conditions"), "{error}");
    let broken = middle.replace(r#""PageNumber":"2""#, r#""PageNumber":"x""#);
    let error = go_on(&broken).unwrap_err();
    assert!(error.message().contains("`PageNumber`"), "{error}");
}

#[tokio::test]
async fn read_ahead_asks_for_one_page_and_no_more() {
    let list = LongList::new(|_| (130, Some(130)));
    let bench = Bench::start().await;
    let smc = bench.smc().transport(list.clone()).build().unwrap();
    let mut items = DescribeSourceServers::new().items(&smc).read_ahead();
    assert_eq!(list.asked().len(), 0);
    items.next().await.unwrap().unwrap();
    items.next().await.unwrap().unwrap();
    assert_eq!(list.asked().len(), 2);
    // What was asked for ahead was not given out: the position is before it.
    let position = items.position().unwrap();
    assert_eq!(items.collect().await.unwrap().len(), 128);
    assert_eq!(list.asked().len(), 3);
    let rest = DescribeSourceServers::new().items(&smc).resume(&position);
    assert_eq!(rest.unwrap().collect().await.unwrap().len(), 128);

    let enough = LongList::new(|_| (130, Some(130)));
    let smc = bench.smc().transport(enough.clone()).build().unwrap();
    let items = DescribeSourceServers::new().items(&smc);
    let items = items.read_ahead().max_items(20).collect().await.unwrap();
    assert_eq!((items.len(), enough.asked().len()), (20, 1));
}
