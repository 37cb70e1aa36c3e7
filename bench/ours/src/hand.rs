//! What does it cost to do without a client? The same calls on bare reqwest, signed by a page of code:
//! no retries, no errors to speak of, no secrets hidden.

use std::collections::BTreeMap;
use std::fmt::Write;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use cumulo_bench_driver::Failure;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// A bare client, with ring and the system's roots as the others.
pub fn client() -> Result<Client, Failure> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(Client::builder().build()?)
}

/// What the small call is given.
pub const SMALL: &[(&str, &str)] = &[
    ("Action", "CreateAccessToken"),
    ("Count", "10"),
    ("Description", "a rack of servers"),
    ("Name", "web-servers"),
    ("TimeToLiveInDays", "30"),
    ("Version", "2019-06-01"),
];

/// What the list is given.
pub const LIST: &[(&str, &str)] = &[("Action", "ListAccessTokens"), ("Version", "2019-06-01")];

/// The answer of the small call.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Made {
    /// The code's id.
    pub access_token_id: Option<String>,
    #[serde(rename = "AccessTokenCode")]
    _access_token_code: Option<String>,
    #[serde(rename = "RequestId")]
    _request_id: Option<String>,
}

/// The answer of the list.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Page {
    /// The list, in its wrapper.
    pub access_tokens: Wrapper,
    #[serde(rename = "TotalCount")]
    _total_count: Option<i64>,
    #[serde(rename = "RequestId")]
    _request_id: Option<String>,
}

/// The wrapper around items.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Wrapper {
    /// The items.
    pub access_token: Vec<Item>,
}

/// One activation code.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Item {
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

/// Sends, and decodes what came back.
pub async fn send<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, Failure> {
    let answer = request.send().await?.error_for_status()?;
    Ok(serde_json::from_slice(&answer.bytes().await?)?)
}

/// Signed by V1: HMAC-SHA1 over the sorted parameters, which the signature joins.
pub fn v1(
    client: &Client,
    address: &str,
    given: &[(&str, &str)],
) -> Result<RequestBuilder, Failure> {
    let (time, nonce) = (now()?, uuid::Uuid::new_v4().to_string());
    let mut all: BTreeMap<&str, &str> = given.iter().copied().collect();
    all.insert("AccessKeyId", "testid");
    all.insert("Format", "JSON");
    all.insert("SignatureMethod", "HMAC-SHA1");
    all.insert("SignatureNonce", &nonce);
    all.insert("SignatureVersion", "1.0");
    all.insert("Timestamp", &time);
    let query = canonical(&all);
    let to_sign = format!("POST&%2F&{}", percent(&query));
    let mut mac = Hmac::<Sha1>::new_from_slice(b"testsecret&")?;
    mac.update(to_sign.as_bytes());
    let signature = percent(&BASE64_STANDARD.encode(mac.finalize().into_bytes()));
    Ok(client.post(format!("http://{address}/?{query}&Signature={signature}")))
}

/// Signed by V3: HMAC-SHA256 over method, path, parameters and headers.
pub fn v3(
    client: &Client,
    address: &str,
    given: &[(&str, &str)],
) -> Result<RequestBuilder, Failure> {
    let mut all: BTreeMap<&str, &str> = given.iter().copied().collect();
    let action = all.remove("Action").ok_or("no action")?;
    let version = all.remove("Version").ok_or("no version")?;
    let query = canonical(&all);
    let body = hex(&Sha256::digest(b""));
    let headers = BTreeMap::from([
        ("host", address.to_owned()),
        ("x-acs-action", action.to_owned()),
        ("x-acs-content-sha256", body.clone()),
        ("x-acs-date", now()?),
        ("x-acs-signature-nonce", uuid::Uuid::new_v4().to_string()),
        ("x-acs-version", version.to_owned()),
    ]);
    let signed: Vec<&str> = headers.keys().copied().collect();
    let signed = signed.join(";");
    let lines = headers
        .iter()
        .fold(String::new(), |mut out, (name, value)| {
            let _ = writeln!(out, "{name}:{value}");
            out
        });
    let request = format!("POST\n/\n{query}\n{lines}\n{signed}\n{body}");
    let to_sign = format!("ACS3-HMAC-SHA256\n{}", hex(&Sha256::digest(request)));
    let mut mac = Hmac::<Sha256>::new_from_slice(b"testsecret")?;
    mac.update(to_sign.as_bytes());
    let signature = hex(&mac.finalize().into_bytes());
    let mut request = client.post(format!("http://{address}/?{query}"));
    for (name, value) in &headers {
        request = request.header(*name, value);
    }
    Ok(request.header(
        "authorization",
        format!("ACS3-HMAC-SHA256 Credential=testid,SignedHeaders={signed},Signature={signature}"),
    ))
}

fn now() -> Result<String, Failure> {
    Ok(jiff::Timestamp::now()
        .round(jiff::Unit::Second)?
        .to_string())
}

fn canonical(all: &BTreeMap<&str, &str>) -> String {
    let pairs: Vec<String> = all
        .iter()
        .map(|(key, value)| format!("{}={}", percent(key), percent(value)))
        .collect();
    pairs.join("&")
}

fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(byte as char);
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}
