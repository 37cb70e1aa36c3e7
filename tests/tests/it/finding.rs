//! Is a thing made once where its create was not answered, by looking for it?

use std::time::Duration;

use cumulo_core::clock::Clock as _;
use cumulo_core::ledger::{FileJournal, Ledger};
use cumulo_localcloud::{Fault, FaultKind, Service};
use cumulo_smc::access_token::{CreateAccessToken, ListAccessTokens};
use cumulo_smc::{ClientToken, Kind, Outcome, RetryPolicy};
use cumulo_tests::Bench;
use cumulo_zstack::Query;
use cumulo_zstack::zone::{CreateZone, QueryZone};

const CREATE: &str = "CreateAccessToken";

fn create(name: &str) -> CreateAccessToken {
    CreateAccessToken::new().name(name)
}

async fn ids(smc: &cumulo_smc::Client, name: &str) -> Vec<String> {
    let listed = ListAccessTokens::new().name(name).send(smc).await.unwrap();
    let all = listed.output.access_tokens.into_iter();
    all.filter_map(|one| one.access_token_id).collect()
}

#[tokio::test]
async fn what_was_made_without_an_answer_is_found() {
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();
    create("other").send(&smc).await.unwrap();
    bench.fault(Service::Smc, CREATE, FaultKind::LoseResponse);
    let made = create("web").or_find(&smc).await.unwrap();
    assert!(made.found());
    assert_eq!(
        ids(&smc, "web").await,
        [made.access_token_id.clone().unwrap()]
    );
    assert_eq!(bench.seen(CREATE).len(), 2);
    // What is told once is not to be had again.
    assert_eq!(made.access_token_code, None);
    assert_eq!(made.attempts().len(), 1);

    // Nothing is looked for where the answer came.
    let made = create("web-2").or_find(&smc).await.unwrap();
    assert!(!made.found() && made.access_token_code.is_some());
}

#[tokio::test]
async fn what_was_not_made_is_made_once_it_cannot_arrive_any_more() {
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();
    for kind in [FaultKind::Reset, FaultKind::LoseRequest] {
        let name = format!("web-{}", bench.cloud.requests().len());
        let began = bench.clock.elapsed();
        bench.fault(Service::Smc, CREATE, kind);
        let made = create(&name).or_find(&smc).await.unwrap();
        assert!(!made.found());
        assert_eq!(made.attempts().len(), 2);
        assert_eq!(ids(&smc, &name).await.len(), 1);
        // As long as an attempt may take, it could have arrived.
        assert!(bench.clock.elapsed() >= began + Duration::from_secs(30));
    }
}

#[tokio::test]
async fn it_is_sent_no_more_often_than_the_policy_says() {
    let bench = Bench::start().await;
    let policy = RetryPolicy::default().max_attempts(2);
    let smc = bench.smc().retry(policy).build().unwrap();
    let lost = Fault::new(Service::Smc, FaultKind::LoseRequest);
    bench.cloud.inject(lost.operation(CREATE).times(20));
    let error = create("web").or_find(&smc).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert_eq!(bench.seen(CREATE).len(), 2);
    assert_eq!(error.attempts().len(), 2);
    bench.cloud.clear_faults();

    // Without time to wait it is not sent again.
    bench.fault(Service::Smc, CREATE, FaultKind::LoseRequest);
    let call = create("web").or_find(&smc).timeout(Duration::from_secs(20));
    let error = call.await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert!(error.hint().unwrap().contains("look again"), "{error}");
    assert_eq!(bench.seen(CREATE).len(), 3);
}

#[tokio::test]
async fn of_several_none_is_guessed() {
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();
    create("web").send(&smc).await.unwrap();
    bench.fault(Service::Smc, CREATE, FaultKind::LoseResponse);
    let error = create("web").or_find(&smc).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
    let all = ids(&smc, "web").await;
    assert_eq!(all.len(), 2);
    for id in all {
        assert!(error.to_string().contains(&id), "{error}");
    }
    assert_eq!(bench.seen(CREATE).len(), 2);
}

#[tokio::test]
async fn what_was_there_long_before_is_not_taken_for_it() {
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();
    let old = create("web").send(&smc).await.unwrap();
    let hour = Duration::from_secs(3600);
    bench.clock.advance(hour);
    bench.cloud.set_time_offset(3600);
    bench.fault(Service::Smc, CREATE, FaultKind::LoseResponse);
    let made = create("web").or_find(&smc).await.unwrap();
    assert!(made.found());
    assert_ne!(made.access_token_id, old.access_token_id);
    assert_eq!(ids(&smc, "web").await.len(), 2);
}

#[tokio::test]
async fn without_a_name_nothing_is_sent() {
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();
    let error = CreateAccessToken::new().or_find(&smc).await.unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidInput);
    assert!(error.message().contains("`Name`"), "{error}");
    assert!(bench.cloud.requests().is_empty());
}

#[tokio::test]
async fn a_look_that_fails_leaves_the_outcome_open() {
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();
    bench.fault(Service::Smc, CREATE, FaultKind::LoseResponse);
    let down = Fault::new(Service::Smc, FaultKind::ServerError(500));
    bench
        .cloud
        .inject(down.operation("ListAccessTokens").times(5));
    let error = create("web").or_find(&smc).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert!(error.hint().unwrap().contains("looked for"), "{error}");
    assert_eq!(ids(&smc, "web").await.len(), 1);
}

#[tokio::test]
async fn gateways_of_both_clouds_find_theirs() {
    let bench = Bench::start().await;
    let sag = bench.smartag().build().unwrap();
    for (kind, found) in [(FaultKind::LoseResponse, true), (FaultKind::Reset, false)] {
        bench.fault(Service::Smartag, "CreateFlowLog", kind);
        let name = format!("log-{found}");
        let create = cumulo_smartag::flow_log::CreateFlowLog::new().name(name.as_str());
        let made = create.or_find(&sag).await.unwrap();
        assert_eq!(made.found(), found);
        let listed = cumulo_smartag::flow_log::DescribeFlowLogs::new();
        let all = listed.items(&sag).collect().await.unwrap();
        let all = all
            .into_iter()
            .filter(|log| log.name.as_ref() == Some(&name));
        let all: Vec<_> = all.map(|log| log.flow_log_id).collect();
        assert_eq!(all, std::slice::from_ref(&made.flow_log_id));
    }

    let apig = bench.apig().build().unwrap();
    // Searches of API Gateway take a part of the name for the whole.
    cumulo_tests::new_app(&apig, "orders-2").await;
    for (kind, found) in [(FaultKind::LoseResponse, true), (FaultKind::Reset, false)] {
        bench.fault(Service::Apig, "CreateAnAppV2", kind);
        let name = if found { "orders" } else { "bills" };
        let create = cumulo_apig::app::CreateAnAppV2::new(name);
        let made = create.or_find(&apig).await.unwrap();
        assert_eq!(made.found(), found);
        assert_eq!(made.name.as_deref(), Some(name));
        let listed = cumulo_apig::app::ListAppsV2::new().items(&apig);
        let all = listed.collect().await.unwrap();
        let all = all
            .into_iter()
            .filter(|app| app.name.as_deref() == Some(name));
        let all: Vec<_> = all.map(|app| app.id).collect();
        assert_eq!(all, std::slice::from_ref(&made.id));
    }
}

async fn zones(zstack: &cumulo_zstack::Client, name: &str) -> Vec<Option<String>> {
    let named = QueryZone::new().query(Query::new().eq("name", name));
    let all = named.items(zstack).collect().await.unwrap();
    all.into_iter().map(|zone| zone.uuid).collect()
}

#[tokio::test]
async fn a_job_that_cannot_be_asked_after_is_found_by_its_thing() {
    let bench = Bench::start().await;
    let zstack = bench.zstack().build().unwrap();
    bench.fault(Service::Zstack, "CreateZone", FaultKind::LoseResponse);
    let blind = Fault::new(Service::Zstack, FaultKind::Html(502));
    bench.cloud.inject(blind.operation("PollJob").times(10_000));
    // A name that a condition cannot say is looked for in all of them.
    for name in ["zone-1", "it\"s >= 1"] {
        let made = CreateZone::new(name).or_find(&zstack).await.unwrap();
        assert!(made.found());
        let zone = made.inventory.as_ref().unwrap();
        assert_eq!(zone.name.as_deref(), Some(name));
        let all = QueryZone::new().items(&zstack).collect().await.unwrap();
        let all = all.into_iter().filter(|one| one.name == zone.name);
        assert_eq!(
            all.map(|one| one.uuid).collect::<Vec<_>>(),
            std::slice::from_ref(&zone.uuid)
        );
    }
}

#[tokio::test]
async fn an_id_of_ones_own_is_found_exactly_and_may_be_sent_again() {
    let bench = Bench::start().await;
    let zstack = bench.zstack().build().unwrap();
    let uuid = ClientToken::derived("tenant-42/zone").plain();
    let create = CreateZone::new("zone").resource_uuid(uuid.as_str());
    CreateZone::new("zone").send(&zstack).await.unwrap();
    let made = create.or_find(&zstack).await.unwrap();
    assert!(!made.found());
    // The next run of the program, which knows nothing.
    let again = create.or_find(&zstack).await.unwrap();
    assert!(again.found());
    assert_eq!(again.inventory.as_ref().unwrap().uuid, Some(uuid));
    assert_eq!(zones(&zstack, "zone").await.len(), 2);
    // Without looking it is the server's refusal.
    let error = create.send(&zstack).await.unwrap_err();
    assert_eq!(error.code(), Some("SYS.1000"));
    // What is no id is the service's to refuse, and not found.
    let wrong = CreateZone::new("zone")
        .resource_uuid("a-1")
        .or_find(&zstack);
    assert_eq!(wrong.await.unwrap_err().kind(), Kind::InvalidArgument);
}

/// With a ledger, the thing is looked for after a crash too.
#[tokio::test]
async fn a_call_that_was_cut_off_is_found_by_the_next_program() {
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();
    let path = std::env::temp_dir().join(format!("cumulo-tests-finding-{}", std::process::id()));
    let open = async || {
        let journal = FileJournal::open(&path).await.unwrap();
        Ledger::new(journal).clock(bench.clock.clone())
    };
    // It dies while it looks for the first time.
    bench.fault(Service::Smc, CREATE, FaultKind::LoseResponse);
    let never = FaultKind::Delay(Duration::from_secs(3600));
    bench.fault(Service::Smc, "ListAccessTokens", never);
    let ledger = open().await;
    let running = tokio::spawn(create("web").or_find(&smc).once(&ledger, "web"));
    while bench.seen(CREATE).is_empty() {
        tokio::task::yield_now().await;
    }
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    drop(ledger);
    bench.cloud.clear_faults();

    let ledger = open().await;
    assert_eq!(ledger.unfinished().await.unwrap().len(), 1);
    let made = create("web")
        .or_find(&smc)
        .once(&ledger, "web")
        .await
        .unwrap();
    assert!(made.found());
    assert_eq!(
        ids(&smc, "web").await,
        [made.access_token_id.clone().unwrap()]
    );
    assert_eq!(bench.seen(CREATE).len(), 1);
    // From then on the ledger answers.
    let told = create("web")
        .or_find(&smc)
        .once(&ledger, "web")
        .await
        .unwrap();
    assert_eq!(told.access_token_id, made.access_token_id);
    drop(ledger);
    for end in ["", ".lock", ".new"] {
        let _ = std::fs::remove_file(format!("{}{end}", path.display()));
    }
}
