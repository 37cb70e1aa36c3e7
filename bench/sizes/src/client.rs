//! What does a client cost with more of everything? Answers come from memory, so that the client alone
//! is measured.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cumulo_bench_driver::usage::{self, memory};
use cumulo_core::Json;
use cumulo_core::clock::BoxFuture;
use cumulo_core::transport::{HttpRequest, HttpResponse, Transport, TransportError};
use http::HeaderMap;
use serde_json::json;
use tokio::task::JoinSet;

use super::Failure;

const PAGE: u64 = 50;
/// Items with nothing in them are taken for an attack on memory where there are so many.
const DESCRIPTION: &str =
    "one of the many servers in the second rack of the third row behind the door on the left";

/// Answers as many items as it is told, on as many pages.
#[derive(Debug, Clone)]
struct Memory {
    items: u64,
    pages: u64,
    asked: Arc<AtomicU64>,
}

impl Memory {
    fn new(items: u64, pages: u64) -> Self {
        let asked = Arc::default();
        Self {
            items,
            pages,
            asked,
        }
    }
}

impl Memory {
    fn body(&self) -> String {
        let page = self.asked.fetch_add(1, Ordering::Relaxed);
        let items: Vec<String> = (0..self.items)
            .map(|at| {
                let number = page * self.items + at;
                format!(
                    r#"{{"SourceId":"s-{number}","Name":"server-{number}","State":"Available","Platform":"CentOS","Description":"{DESCRIPTION}"}}"#
                )
            })
            .collect();
        format!(
            r#"{{"RequestId":"r-{page}","TotalCount":{},"SourceServers":{{"SourceServer":[{}]}}}}"#,
            self.items * self.pages,
            items.join(",")
        )
    }
}

impl Transport for Memory {
    fn send(&self, _: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        let body = self.body().into();
        Box::pin(async move {
            // As on a wire, others go on meanwhile.
            tokio::task::yield_now().await;
            Ok(HttpResponse {
                status: 200,
                headers: HeaderMap::default(),
                body,
            })
        })
    }
}

/// Has the most memory counted from now on.
fn from_here() -> Result<f64, Failure> {
    std::fs::write("/proc/self/clear_refs", "5")?;
    Ok(memory("VmRSS:") as f64)
}

fn smc(transport: Memory) -> Result<cumulo_smc::Client, Failure> {
    Ok(cumulo_smc::Client::builder()
        .endpoint("http://127.0.0.1:1")
        .region("cn-shanghai")
        .credentials(cumulo_smc::credentials::Static::keys("id", "secret"))
        .largest_answer(256 << 20)
        .transport(transport)
        .build()?)
}

fn smartag(transport: Memory) -> Result<cumulo_smartag::Client, Failure> {
    Ok(cumulo_smartag::Client::builder()
        .endpoint("http://127.0.0.1:1")
        .region("cn-shanghai")
        .credentials(cumulo_smartag::credentials::Static::keys("id", "secret"))
        .transport(transport)
        .build()?)
}

/// Lines of one growing thing: what each of it costs, and by how much more than at first.
struct Lines {
    what: &'static str,
    first: Option<f64>,
}

impl Lines {
    fn new(what: &'static str) -> Self {
        Self { what, first: None }
    }

    fn line(&mut self, count: u64, each: f64, note: &str) {
        let first = *self.first.get_or_insert(each);
        println!(
            "{:34} {count:7} {each:10.2} us each, {:5.2} of the first{note}",
            self.what,
            each / first
        );
    }
}

async fn members() -> Result<(), Failure> {
    let client = smc(Memory::new(0, 1))?;
    let mut lines = Lines::new("members of a call");
    for count in [10, 100, 1000] {
        let ids: Vec<String> = (0..count).map(|at| format!("s-{at}")).collect();
        let input = json!({"SourceId": ids});
        let times = 100_000 / count;
        let before = usage::process();
        for _ in 0..times {
            client
                .call("DescribeSourceServers", &input)?
                .dry_run()
                .await?;
        }
        lines.line(
            count,
            (usage::process() - before) / (times * count) as f64,
            "",
        );
    }
    Ok(())
}

async fn items() -> Result<(), Failure> {
    let mut lines = Lines::new("items of an answer");
    for count in [10, 1000, 100_000] {
        let transport = Memory::new(count, 1);
        let client = smc(transport.clone())?;
        let times = (200_000 / count).max(3);
        // What the answer itself costs to make is not the client's.
        let before = usage::process();
        for _ in 0..times {
            std::hint::black_box(transport.body());
        }
        let making = usage::process() - before;
        let empty = from_here()?;
        let before = usage::process();
        for _ in 0..times {
            client.call("DescribeSourceServers", &json!({}))?.await?;
        }
        let each = (usage::process() - before - making) / (times * count) as f64;
        let most = (memory("VmHWM:") as f64 - empty) * 1024.0 / count as f64;
        lines.line(count, each, &format!(", {most:.0} bytes each at most"));
    }
    Ok(())
}

async fn pages() -> Result<(), Failure> {
    let mut lines = Lines::new("pages of a list");
    let listing = cumulo_smc::operations().find(|one| one.name == "DescribeSourceServers");
    let listing = listing.ok_or("no such operation")?;
    for count in [10, 100, 1000] {
        let rounds = (5000 / count).max(3);
        let (empty, before) = (from_here()?, usage::process());
        for _ in 0..rounds {
            let client = smc(Memory::new(PAGE, count))?;
            let mut pages = client.as_ref().pages(listing, &json!({}))?;
            let mut seen = 0;
            while let Some(page) = pages.next().await {
                page?;
                seen += 1;
            }
            if seen != count {
                return Err(format!("{seen} pages instead of {count}").into());
            }
        }
        let each = (usage::process() - before) / (rounds * count) as f64;
        let most = memory("VmHWM:") as f64 - empty;
        lines.line(count, each, &format!(", {most:.0} KiB in all at most"));
    }
    Ok(())
}

/// Calls side by side, each with its own input.
async fn beside(
    what: &'static str,
    operation: &'static str,
    input: fn(u64) -> Json,
) -> Result<(), Failure> {
    let mut lines = Lines::new(what);
    for count in [1, 16, 256, 4096] {
        let client = smartag(Memory::new(0, 1))?;
        let rounds = (8192 / count).max(2);
        let mut before = 0.0;
        for round in 0..=rounds {
            // The first one opens the pace.
            if round == 1 {
                before = usage::process();
            }
            let mut calls = JoinSet::new();
            for at in 0..count {
                let call = client.call(operation, &input(at))?;
                calls.spawn(async move { call.await.map(drop) });
            }
            while let Some(done) = calls.join_next().await {
                done??;
            }
        }
        lines.line(
            count,
            (usage::process() - before) / (rounds * count) as f64,
            "",
        );
    }
    Ok(())
}

fn clients() -> Result<(), Failure> {
    let mut lines = Lines::new("clients");
    // Whatever is read once in a process.
    let first = cumulo_smc::Client::builder()
        .region("cn-shanghai")
        .build()?;
    for count in [100, 1000, 10_000] {
        let (empty, before) = (from_here()?, usage::process());
        let made: Result<Vec<_>, _> = (0..count)
            .map(|_| cumulo_smc::Client::builder().region("cn-shanghai").build())
            .collect();
        let made = made?;
        let each = (usage::process() - before) / count as f64;
        let kept = (memory("VmRSS:") as f64 - empty) / count as f64;
        lines.line(count, each, &format!(", {kept:.1} KiB each"));
        drop(made);
    }
    drop(first);
    Ok(())
}

fn operations() -> Result<(), Failure> {
    const TIMES: u64 = 20_000;
    let mut lines = Lines::new("operations of a crate");
    let zstack = cumulo_zstack::Client::builder()
        .endpoint("http://127.0.0.1:1")
        .credentials(cumulo_zstack::credentials::AccessKey::new("id", "secret"))
        .transport(Memory::new(0, 1))
        .build()?;
    let smc = smc(Memory::new(0, 1))?;
    let smartag = smartag(Memory::new(0, 1))?;
    let before = usage::process();
    for _ in 0..TIMES {
        drop(smc.call("ListTagResources", &json!({"ResourceType": "x"}))?);
    }
    lines.line(24, (usage::process() - before) / TIMES as f64, "");
    let before = usage::process();
    for _ in 0..TIMES {
        drop(smartag.call("DescribeGrantRules", &json!({}))?);
    }
    lines.line(205, (usage::process() - before) / TIMES as f64, "");
    let before = usage::process();
    for _ in 0..TIMES {
        drop(zstack.call("QueryZone", &json!({}))?);
    }
    lines.line(2043, (usage::process() - before) / TIMES as f64, "");
    Ok(())
}

/// The whole table.
pub(crate) async fn table() -> Result<(), Failure> {
    members().await?;
    items().await?;
    pages().await?;
    beside("calls side by side", "DescribeGrantRules", |_| json!({})).await?;
    let change = "ModifySmartAccessGateway";
    beside(
        "changes of different things",
        change,
        |at| json!({"SmartAGId": format!("sag-{at}"), "Name": "x"}),
    )
    .await?;
    beside(
        "changes of the same thing",
        change,
        |_| json!({"SmartAGId": "sag-1", "Name": "x"}),
    )
    .await?;
    clients()?;
    operations()
}
