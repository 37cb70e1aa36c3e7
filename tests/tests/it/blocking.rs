//! Can a program without async do all that others do, and is it told where it must not block?

use std::io::Read as _;
use std::net::TcpListener;
use std::time::Duration;

use cumulo_core::page::End;
use cumulo_localcloud::{LocalCloud, accounts};
use cumulo_smc::access_token::{CreateAccessToken, ListAccessTokens};
use cumulo_smc::source_server::{DescribeSourceServers, SourceServer};
use cumulo_smc::wait::replication_job_finished;
use cumulo_smc::{Blocking as _, Client, Error, Kind, Ledger, Outcome, RetryPolicy};
use cumulo_tests::{Answer, Bench, LongList, Script};
use cumulo_zstack::access_key::{CreateAccessKey, QueryAccessKey};

fn bench() -> Bench {
    Bench::of(LocalCloud::builder().start_blocking().unwrap())
}

/// No server is asked: the answers are a script.
fn scripted(answers: Vec<Answer>) -> (Bench, Client) {
    let bench = bench();
    let smc = bench.smc().transport(Script::new(answers)).build().unwrap();
    (bench, smc)
}

#[test]
fn many_threads_share_a_client() {
    let bench = bench();
    let smc = bench.smc().connect_blocking().unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let smc = &smc;
            scope.spawn(move || {
                for call in 0..5 {
                    let create = CreateAccessToken::new().name(format!("code-{thread}-{call}"));
                    let made = create.send_blocking(smc).unwrap();
                    assert!(made.access_token_id.is_some() && made.request_id().is_some());
                }
            });
        }
    });
    let listed = ListAccessTokens::new().send_blocking(&smc).unwrap();
    assert_eq!(listed.access_tokens.len(), 40);
    assert_eq!(bench.seen("CreateAccessToken").len(), 40);
    smc.close_blocking().unwrap();
}

fn refused<T>(result: Result<T, Error>) {
    let error = result.err().expect("it is refused");
    assert_eq!(error.kind(), Kind::InvalidInput, "{error}");
    assert_eq!(error.outcome(), Outcome::NotSent, "{error}");
    let text = error.to_string();
    assert!(text.contains("inside an async runtime"), "{text}");
    assert!(text.contains("Await"), "{text}");
}

#[tokio::test]
async fn inside_a_runtime_it_is_an_error() {
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();
    let create = CreateAccessToken::new();
    refused(create.send_blocking(&smc));
    refused(create.send(&smc).submit().blocking());
    refused(bench.smc().connect_blocking());
    refused(smc.close_blocking());
    refused(replication_job_finished("j-1").on(&smc).blocking());
    // An iterator says it once; whoever passes over errors comes to an end.
    let list = DescribeSourceServers::new();
    let mut items = list.items(&smc).blocking();
    refused(items.next().unwrap());
    assert!(items.next().is_none());
    assert_eq!(
        list.pages(&smc).blocking().filter_map(Result::ok).count(),
        0
    );
    assert!(bench.cloud.requests().is_empty());
    // The same call is good on a thread of its own, and awaited.
    let other = smc.clone();
    let made = std::thread::spawn(move || CreateAccessToken::new().send_blocking(&other));
    assert!(made.join().unwrap().is_ok());
    assert!(create.send(&smc).await.is_ok());
}

#[test]
fn lists_are_iterators() {
    let bench = bench();
    let list = LongList::new(|_| (120, Some(120)));
    let smc = bench.smc().transport(list.clone()).build().unwrap();
    let servers = DescribeSourceServers::new();
    let mut pages = servers.pages(&smc).blocking();
    let sizes: Vec<usize> = pages
        .by_ref()
        .map(|page| page.unwrap().source_servers.len())
        .collect();
    assert_eq!(sizes, [50, 50, 20]);
    assert_eq!(pages.get_ref().end(), Some(End::Total));
    assert!(pages.next().is_none());

    let mut items = servers.items(&smc).blocking();
    let ids = |items: &mut dyn Iterator<Item = Result<_, Error>>| -> Vec<u64> {
        let ids = items.map(|server: Result<SourceServer, _>| {
            server.unwrap().source_id.unwrap().parse().unwrap()
        });
        ids.collect()
    };
    assert!(ids(&mut items.by_ref().take(70)).into_iter().eq(0..70));
    let position = items.get_ref().position().unwrap();
    drop(items);
    let rest = servers.items(&smc).resume(&position).unwrap().read_ahead();
    assert!(ids(&mut rest.blocking()).into_iter().eq(70..120));
    let all = servers.items(&smc).collect().blocking().unwrap();
    assert_eq!(all.len(), 120);
}

fn job(members: &str) -> Answer {
    Answer::new(
        200,
        format!(
            r#"{{"ReplicationJobs":{{"ReplicationJob":[{{"JobId":"j-1",{members}}}]}},"TotalCount":1}}"#
        ),
    )
}

fn two_reads() -> Vec<Answer> {
    vec![
        job(r#""Status":"Running","Progress":40"#),
        job(r#""Status":"Finished","RunOnce":true,"Progress":100"#),
    ]
}

#[test]
fn waits_end_when_the_thing_is_ready() {
    let (bench, smc) = scripted(two_reads());
    let seen = replication_job_finished("j-1").on(&smc).blocking().unwrap();
    assert_eq!(seen.state.as_deref(), Some("Finished"));
    assert_eq!(bench.clock.slept(), [Duration::from_secs(2)]);

    let (_bench, smc) = scripted(two_reads());
    let seen = replication_job_finished("j-1").observe(&smc).blocking();
    let progress: Vec<_> = seen.map(|seen| seen.unwrap().progress).collect();
    assert_eq!(progress, [Some(40), Some(100)]);
}

#[test]
fn jobs_are_begun_looked_at_and_waited_for() {
    let cloud = LocalCloud::builder().zstack_job_polls(2).start_blocking();
    let bench = Bench::of(cloud.unwrap());
    let zstack = bench.zstack().build().unwrap();
    let create = CreateAccessKey::new(accounts::ZSTACK_ACCOUNT_UUID, accounts::ZSTACK_USER_UUID);
    let mut job = create.send(&zstack).submit().blocking().unwrap();
    assert!(!job.poll().blocking().unwrap());
    let taken_up = zstack.job::<CreateAccessKey>(job.id());
    let made = taken_up.wait().blocking().unwrap();
    assert_eq!(made.job(), Some(job.id()));
    let made = job
        .wait()
        .timeout(Duration::from_secs(60))
        .blocking()
        .unwrap();
    assert!(made.inventory.is_some());
    assert_eq!(bench.seen("CreateAccessKey").len(), 1);
    let keys = QueryAccessKey::new().send_blocking(&zstack).unwrap();
    assert_eq!(keys.inventories.len(), 2);
}

#[test]
fn a_ledger_makes_it_once() {
    let file = std::env::temp_dir().join(format!("cumulo-blocking-{}", std::process::id()));
    let ledger = Ledger::open(&file).blocking().unwrap();
    let bench = bench();
    let smc = bench.smc().build().unwrap();
    let ids: Vec<_> = (0..2)
        .map(|_| {
            let call = CreateAccessToken::new().send(&smc).once(&ledger, "code");
            call.blocking().unwrap().access_token_id.clone()
        })
        .collect();
    std::fs::remove_file(file).unwrap();
    assert!(ids[0].is_some() && ids[0] == ids[1]);
    assert_eq!(bench.seen("CreateAccessToken").len(), 1);
}

/// A server that takes everything and says nothing.
fn mute() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = std::io::copy(&mut stream.by_ref(), &mut std::io::sink());
    });
    address
}

#[test]
fn a_timeout_ends_a_blocked_call() {
    let bench = bench();
    let smc = bench.smc().endpoint(mute()).build().unwrap();
    let call = CreateAccessToken::new().send(&smc);
    let error = call
        .timeout(Duration::from_millis(20))
        .retry(RetryPolicy::never())
        .blocking()
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (Kind::Timeout, Outcome::Unknown)
    );
}

#[test]
fn one_client_serves_both_ways() {
    let bench = bench();
    let smc = bench.smc().build().unwrap();
    let list = ListAccessTokens::new();
    assert!(list.send_blocking(&smc).is_ok());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    assert!(runtime.block_on(async { list.send(&smc).await }).is_ok());
    drop(runtime);
    assert!(list.send_blocking(&smc).is_ok());
    assert_eq!(bench.seen("ListAccessTokens").len(), 3);
}
