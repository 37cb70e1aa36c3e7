//! Decodes a list of 1,000 items N times: `decode KIND N`.

use cumulo_core::record;
use cumulo_smc::access_token::ListAccessTokensOutput;
use serde::Deserialize;

type Failure = Box<dyn std::error::Error>;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    access_tokens: Wrapper,
    total_count: Option<i64>,
    #[serde(rename = "RequestId")]
    _request_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Wrapper {
    access_token: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    #[serde(rename = "AccessTokenId")]
    _access_token_id: Option<String>,
    #[serde(rename = "Count")]
    _count: Option<String>,
    #[serde(rename = "CreationTime")]
    _creation_time: Option<String>,
    #[serde(rename = "Description")]
    _description: Option<String>,
    #[serde(rename = "Name")]
    _name: Option<String>,
    #[serde(rename = "RegisteredCount")]
    _registered_count: Option<String>,
    #[serde(rename = "Status")]
    _status: Option<String>,
    #[serde(rename = "TimeToLiveInDays")]
    _time_to_live_in_days: Option<String>,
}

fn body() -> String {
    let items: Vec<String> = (0..1000)
        .map(|n| {
            format!(
                r#"{{"AccessTokenId":"at-bp1akz2zp67r0k6r{n:04}","TimeToLiveInDays":"30","Count":"100","RegisteredCount":"5","CreationTime":"2022-09-09T02:35:44Z","Status":"activated","Name":"web-servers-{n}","Description":"This is an activation code for the servers of one rack, number {n}, to be retired when they moved"}}"#
            )
        })
        .collect();
    format!(
        r#"{{"RequestId":"E2DA3097-79B9-53AE-B0DF-281DC54F1234","AccessTokens":{{"AccessToken":[{}]}},"TotalCount":1000,"PageSize":1000,"PageNumber":1}}"#,
        items.join(",")
    )
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, kind, times] = &arguments[..] else {
        return Err("decode KIND N".into());
    };
    let times: u32 = times.parse()?;
    let body = body();
    for _ in 0..times {
        match kind.as_str() {
            "ours" => {
                let mut page = ListAccessTokensOutput::default();
                let problems = record::decode(&mut page, body.as_bytes())?;
                assert!(problems.is_empty() && page.access_tokens.len() == 1000);
            }
            "serde" => {
                let page: Page = serde_json::from_slice(body.as_bytes())?;
                assert!(page.access_tokens.access_token.len() == 1000);
                assert!(page.total_count.is_some());
            }
            other => return Err(format!("no such kind: {other}").into()),
        }
    }
    Ok(())
}
