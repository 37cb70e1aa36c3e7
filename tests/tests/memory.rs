//! Does any one answer stay below ten times its length in memory, is what is refused an error, and
//! does a long list take no more than its pages?
//!
//! One test in a program of its own, since all of a program's allocations are counted.

use cumulo_apig::app::ListAppsV2;
use cumulo_apig::transport::Upload;
use cumulo_core::retry::RetryPolicy;
use cumulo_smc::access_token::ListAccessTokens;
use cumulo_smc::source_server::DescribeSourceServers;
use cumulo_smc::{Error, Kind};
use cumulo_tests::{Bench, Gateway, LongList, Pieces, RELEASE, Script, echo};
use cumulo_zstack::access_key::QueryAccessKey;
use peak_alloc::PeakAlloc;
use serde_json::json;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// How many items a page is told to have, and in which total.
type Told = fn(u64) -> (u64, Option<u64>);

const MIB: usize = 1 << 20;

/// `unit` over and over between `head` and `tail`, about `length` bytes.
fn flood(head: &str, unit: &str, tail: &str, length: usize) -> String {
    let mut body = String::with_capacity(length + head.len() + unit.len() + tail.len());
    body.push_str(head);
    while body.len() + unit.len() < length {
        body.push_str(unit);
        body.push(',');
    }
    body.push_str(unit);
    body.push_str(tail);
    body
}

/// What `call` gives for `body`, and the most memory that was held meanwhile, the body included.
async fn measured<T>(
    status: u16,
    body: String,
    call: impl AsyncFnOnce(Bench, Script) -> T,
) -> (T, usize) {
    let bench = Bench::start().await;
    let length = body.len();
    let script = Script::one(status, body);
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let result = call(bench, script).await;
    let most = MEMORY.peak_usage().saturating_sub(before) + length;
    (result, most)
}

async fn codes(bench: Bench, script: Script) -> Result<usize, Error> {
    let smc = bench.smc().transport(script).build().unwrap();
    let listed = ListAccessTokens::new()
        .send(&smc)
        .retry(RetryPolicy::never())
        .await?;
    Ok(listed.access_tokens.len())
}

async fn apps(bench: Bench, script: Script) -> Result<usize, Error> {
    let apig = bench.apig().transport(script).build().unwrap();
    Ok(ListAppsV2::new()
        .send(&apig)
        .retry(RetryPolicy::never())
        .await?
        .apps
        .len())
}

async fn keys(bench: Bench, script: Script) -> Result<usize, Error> {
    let zstack = bench.zstack().transport(script).build().unwrap();
    let queried = QueryAccessKey::new()
        .send(&zstack)
        .retry(RetryPolicy::never())
        .await?;
    Ok(queried.inventories.len())
}

#[tokio::test]
async fn answers_and_errors() {
    // Lists of nothing, at the size that a client accepts and at a tenth of it.
    for length in [3 * MIB, 32 * MIB] {
        for (name, result, most) in [
            {
                let body = flood(r#"{"AccessTokens":{"AccessToken":["#, "{}", "]}}", length);
                let (result, most) = measured(200, body, codes).await;
                ("codes", result, most)
            },
            {
                let body = flood(r#"{"apps":["#, "{}", "]}", length);
                let (result, most) = measured(200, body, apps).await;
                ("apps", result, most)
            },
            {
                let body = flood(r#"{"inventories":["#, "{}", "]}", length);
                let (result, most) = measured(200, body, keys).await;
                ("keys", result, most)
            },
            {
                // A member that is picked up in case it is an error.
                let body = flood(r#"{"error":["#, "[]", "]}", length);
                let (result, most) = measured(200, body, keys).await;
                ("error", result, most)
            },
        ] {
            println!("{name}, {} MiB: {} MiB", length / MIB, most / MIB);
            let error = result.unwrap_err();
            assert_eq!(error.kind(), Kind::InvalidResponse, "{name}");
            assert!(error.message().contains("MiB of memory"), "{error}");
            assert!(most < (10 * length).min(400_000_000), "{name}: {most}");
        }
    }
    // Answers full of content: all of it comes out.
    let code = r#"{"AccessTokenId":"at-bp1akz2zp67r0k6r0001","TimeToLiveInDays":"30","Count":"100","RegisteredCount":"5","CreationTime":"2022-09-09T02:35:44Z","Status":"activated","Name":"web-servers-1","Description":"of one rack"}"#;
    let body = flood(
        r#"{"AccessTokens":{"AccessToken":["#,
        code,
        "]}}",
        100_000 * (code.len() + 1),
    );
    let length = body.len();
    let (result, most) = measured(200, body, codes).await;
    println!("100,000 codes, {} MiB: {} MiB", length / MIB, most / MIB);
    assert!(result.unwrap() >= 99_999);
    assert!(most < 10 * length, "{most}");
    // Few bytes may swell: a list of which only the ids were asked for.
    let body = flood(
        r#"{"inventories":["#,
        r#"{"uuid":"36c27e8ff05c4780bf6d2fa65700f22e"}"#,
        "]}",
        10_000 * 44,
    );
    let (result, _) = measured(200, body, keys).await;
    assert!(result.unwrap() >= 9_990);

    // Errors.
    for (name, body) in [
        ("list", flood("[", "[]", "]", 32 * MIB)),
        (
            "members",
            flood(r#"{"error":["#, r#"{"a":0}"#, "]}", 32 * MIB),
        ),
        ("text", "y ".repeat(16 * MIB)),
        ("page", format!("<html>{}", "y ".repeat(16 * MIB))),
        ("no text", "\u{7f}".repeat(32 * MIB)),
        (
            "message",
            format!(r#"{{"Code":"A","Message":"{}"}}"#, "m".repeat(MIB - 100)),
        ),
    ] {
        let length = body.len();
        let (result, most) = measured(500, body, keys).await;
        println!("{name}, {} KiB: {} MiB", length / 1024, most / MIB);
        let error = result.unwrap_err();
        assert!(error.message().len() <= 4096, "{name}");
        assert!(
            most < (10 * length).clamp(24 * MIB, 400_000_000),
            "{name}: {most}"
        );
    }

    // A list takes no more than two of its pages, however long it is, nor with the next one read ahead.
    let lists: [Told; 3] = [
        |_| (1_000, Some(1_000)),
        |_| (10_000, Some(10_000)),
        |_| (100_000, Some(100_000)),
    ];
    for (told, ahead) in lists
        .into_iter()
        .flat_map(|told| [(told, false), (told, true)])
    {
        let bench = Bench::start().await;
        let list = LongList::new(told).forgetful();
        let smc = bench.smc().transport(list).build().unwrap();
        let mut items = DescribeSourceServers::new().items(&smc);
        if ahead {
            items = items.read_ahead();
        }
        items.next().await.unwrap().unwrap();
        MEMORY.reset_peak_usage();
        let (before, mut count) = (MEMORY.current_usage(), 1);
        while let Some(item) = items.next().await {
            item.unwrap();
            count += 1;
        }
        let most = MEMORY.peak_usage().saturating_sub(before);
        println!("a list of {count}, read ahead {ahead}: {} KiB", most / 1024);
        assert_eq!(count, told(0).0);
        assert!(most < MIB / 4, "{most}");
    }
    streamed().await;
}

/// 50 MiB pass through client and local gateway, to a backend and back, without being held.
async fn streamed() {
    let gateway = Gateway::start().await;
    let backend = echo().await;
    let api = gateway
        .api(json!({"req_method": "PUT", "backend_type": "HTTP",
            "backend_api": {"url_domain": backend.address, "req_protocol": "HTTP", "req_method": "PUT",
                "req_uri": "/", "timeout": 50000}}))
        .await;
    gateway.publish(&api, RELEASE).await;
    let pets = gateway.caller().build().unwrap();
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let upload = Upload::new(Pieces::new(50 * 16, MIB / 16));
    let mut answer = pets.put("/pets/7").upload(upload).stream().await.unwrap();
    let mut read = 0;
    while let Some(piece) = answer.next().await {
        read += piece.unwrap().len();
    }
    let most = MEMORY.peak_usage().saturating_sub(before);
    println!("{} MiB there and back: {} KiB", read / MIB, most / 1024);
    assert_eq!(read, 50 * MIB);
    assert!(most < 8 * MIB, "{most}");
}
