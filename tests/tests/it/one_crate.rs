//! Is one client crate enough for a program, and do the examples and pages show it that way?

use std::fs;
use std::path::{Path, PathBuf};

use cumulo_localcloud::FaultKind;
use cumulo_smc::access_token::{CreateAccessToken, ListAccessTokens};
use cumulo_smc::{Kind, RetryPolicy, Timestamp};
use cumulo_tests::Bench;

/// Every file below `path` that people read.
fn files(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            files(&entry.unwrap().path(), found);
        }
    } else if path
        .extension()
        .is_some_and(|end| end == "rs" || end == "md" || end == "toml")
    {
        found.push(path.to_owned());
    }
}

#[test]
fn examples_and_pages_name_the_client_crates_alone() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = Vec::new();
    for place in ["examples", "docs", "README.md"] {
        files(&root.join(place), &mut found);
    }
    for client in ["smc", "smartag", "apig", "zstack"] {
        files(&root.join(format!("crates/{client}/README.md")), &mut found);
    }
    assert!(found.len() > 15, "{found:?}");
    for file in found {
        let text = fs::read_to_string(&file).unwrap();
        for inner in ["cumulo_core::", "cumulo-core.workspace", "cumulo-core ="] {
            assert!(!text.contains(inner), "{}: {inner}", file.display());
        }
    }
}

/// Written with the names of one crate; that it compiles is half of the test.
#[tokio::test]
async fn the_parts_of_an_answer_are_told_apart() {
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();
    let made = CreateAccessToken::new()
        .name("one-crate")
        .send(&smc)
        .await
        .unwrap();
    assert!(made.request_id().is_some());
    let output: cumulo_smc::access_token::CreateAccessTokenOutput = made.into_output();
    assert!(output.access_token_id.is_some());

    let listed = ListAccessTokens::new().send(&smc).await.unwrap();
    let created: Option<&Timestamp> = listed.access_tokens[0].creation_time.as_ref();
    assert!(created.unwrap().system_time().is_some(), "{created:?}");

    // By name, the id of the request stands where the service writes it.
    let listed = smc
        .call("ListAccessTokens", &cumulo_smc::Json::Null)
        .unwrap()
        .await
        .unwrap();
    let output = cumulo_smc::record::to_value(cumulo_smc::record::Wire::redacted(&*listed.output));
    assert_eq!(output["RequestId"].as_str(), listed.request_id());
    smc.close().await;
}

#[tokio::test]
async fn an_error_prints_its_attempts_beneath_its_line() {
    let bench = Bench::start().await;
    let smc = bench
        .smc()
        .retry(RetryPolicy::default().max_attempts(2))
        .build()
        .unwrap();
    for _ in 0..2 {
        bench.fault(
            cumulo_localcloud::Service::Smc,
            "ListAccessTokens",
            FaultKind::ServerError(503),
        );
    }
    let error = ListAccessTokens::new().send(&smc).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    let text = format!("{error:?}");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert_eq!(lines[0], error.to_string());
    assert!(lines[1].starts_with("  attempt 1: "), "{text}");
    assert!(lines[2].starts_with("  attempt 2: "), "{text}");
    assert!(error.explain().starts_with(&text));
}
