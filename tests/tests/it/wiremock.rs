//! How does a program test its own use of the clients, answer by answer? With wiremock in the
//! place of the cloud, which is another endpoint and nothing more.

use cumulo_smc::RetryPolicy;
use cumulo_smc::access_token::{CreateAccessToken, DisableAccessToken, ListAccessTokens};
use cumulo_smc::clock::ManualClock;
use cumulo_smc::credentials::Static;
use cumulo_zstack::Query;
use serde_json::json;
use wiremock::matchers::{
    body_json, header, header_exists, method, path, query_param, query_param_is_missing,
};
use wiremock::{Mock, MockServer, ResponseTemplate};

fn keys() -> Static {
    Static::keys("key-id", "key-secret")
}

fn smc(server: &MockServer) -> cumulo_smc::Builder {
    cumulo_smc::Client::builder()
        .endpoint(server.uri())
        .region("cn-hangzhou")
        .credentials(keys())
}

fn smartag(server: &MockServer) -> cumulo_smartag::Builder {
    cumulo_smartag::Client::builder()
        .endpoint(server.uri())
        .region("cn-shanghai")
        .credentials(keys())
}

#[tokio::test]
async fn smc_hands_out_a_code() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/"))
        .and(header("x-acs-action", "CreateAccessToken"))
        .and(query_param("Name", "web-servers"))
        .and(header_exists("authorization"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({
            "RequestId": "r-1",
            "AccessTokenId": "at-1",
            "AccessTokenCode": "shown-once",
        })))
        .expect(1)
        .mount(&server)
        .await;

    let client = smc(&server).build().unwrap();
    let made = CreateAccessToken::new()
        .name("web-servers")
        .send(&client)
        .await
        .unwrap();
    assert_eq!(made.access_token_id.as_deref(), Some("at-1"));
    assert_eq!(
        made.access_token_code.as_ref().unwrap().expose(),
        "shown-once"
    );
}

#[tokio::test]
async fn smartag_reserves_a_code_with_a_token_of_its_own() {
    let server = MockServer::start().await;
    Mock::given(header("x-acs-action", "CreateEnterpriseCode"))
        .and(query_param("EnterpriseCode", "a1b2c"))
        .and(query_param("ClientToken", "order-17"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "RequestId": "r-1" })))
        .expect(1)
        .mount(&server)
        .await;

    let client = smartag(&server).build().unwrap();
    let made = cumulo_smartag::enterprise_code::CreateEnterpriseCode::new("a1b2c")
        .client_token("order-17")
        .send(&client)
        .await
        .unwrap();
    assert_eq!(made.request_id(), Some("r-1"));
}

#[tokio::test]
async fn apig_creates_an_app() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/v2/project-1/apigw/instances/gateway-1/apps"))
        .and(body_json(json!({ "name": "shop" })))
        .respond_with(ResponseTemplate::new(201).set_body_json(json!({
            "id": "app-1",
            "name": "shop",
        })))
        .expect(1)
        .mount(&server)
        .await;

    let client = cumulo_apig::Client::builder()
        .endpoint(server.uri())
        .project_id("project-1")
        .instance_id("gateway-1")
        .credentials(keys())
        .build()
        .unwrap();
    let app = cumulo_apig::app::CreateAnAppV2::new("shop")
        .send(&client)
        .await
        .unwrap();
    assert_eq!(app.id.as_deref(), Some("app-1"));
}

/// A write of ZStack is accepted first; what became of it is told by its job.
#[tokio::test]
async fn zstack_changes_a_key_and_finds_it() {
    let server = MockServer::start().await;
    let key = json!({ "uuid": "k-1", "state": "Disabled" });
    Mock::given(method("PUT"))
        .and(path("/zstack/v1/accesskeys/k-1/actions"))
        .and(body_json(
            json!({ "changeAccessKeyState": { "stateEvent": "disable" } }),
        ))
        .respond_with(ResponseTemplate::new(202).set_body_json(json!({
            "location": format!("{}/zstack/v1/api-jobs/job-1", server.uri()),
        })))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(path("/zstack/v1/api-jobs/job-1"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "inventory": key })))
        .mount(&server)
        .await;
    Mock::given(method("GET"))
        .and(path("/zstack/v1/accesskeys"))
        .and(query_param("q", "state=Disabled"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "inventories": [key] })))
        .mount(&server)
        .await;

    let client = cumulo_zstack::Client::builder()
        .endpoint(format!("{}/zstack", server.uri()))
        .credentials(keys())
        .clock(ManualClock::new(std::time::UNIX_EPOCH))
        .build()
        .unwrap();
    let changed = cumulo_zstack::access_key::ChangeAccessKeyState::new("k-1", "disable")
        .send(&client)
        .await
        .unwrap();
    assert_eq!(
        changed.inventory.as_ref().unwrap().state.as_deref(),
        Some("Disabled")
    );
    let disabled = Query::new().eq("state", "Disabled");
    let found = cumulo_zstack::access_key::QueryAccessKey::new()
        .query(disabled)
        .send(&client)
        .await
        .unwrap();
    assert_eq!(found.inventories[0].uuid.as_deref(), Some("k-1"));
}

#[tokio::test]
async fn an_error_says_what_the_service_said() {
    let server = MockServer::start().await;
    Mock::given(header("x-acs-action", "DisableAccessToken"))
        .respond_with(ResponseTemplate::new(404).set_body_json(json!({
            "RequestId": "r-404",
            "Code": "InvalidAccessTokenId.NotFound",
            "Message": "The specified token does not exist.",
        })))
        .expect(1)
        .mount(&server)
        .await;

    let client = smc(&server).build().unwrap();
    let error = DisableAccessToken::new("at-9")
        .send(&client)
        .await
        .unwrap_err();
    assert!(error.is_not_found());
    assert_eq!(error.code(), Some("InvalidAccessTokenId.NotFound"));
    assert_eq!(error.request_id(), Some("r-404"));
    assert_eq!(error.outcome(), cumulo_smc::Outcome::Rejected);
}

/// The clock is the test's, so that the wait between the attempts takes no time.
#[tokio::test]
async fn a_throttled_call_is_repeated() {
    let server = MockServer::start().await;
    let throttled = json!({ "RequestId": "r-1", "Code": "Throttling.User", "Message": "later" });
    Mock::given(header("x-acs-action", "ListAccessTokens"))
        .respond_with(ResponseTemplate::new(400).set_body_json(throttled))
        .up_to_n_times(2)
        .expect(2)
        .mount(&server)
        .await;
    Mock::given(header("x-acs-action", "ListAccessTokens"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({
            "RequestId": "r-3",
            "TotalCount": 1,
            "AccessTokens": [{ "AccessTokenId": "at-1" }],
        })))
        .expect(1)
        .mount(&server)
        .await;

    let clock = ManualClock::new(std::time::UNIX_EPOCH);
    let client = smc(&server).clock(clock).build().unwrap();
    let listed = ListAccessTokens::new().send(&client).await.unwrap();
    assert_eq!(listed.attempts().len(), 3);
    assert_eq!(listed.access_tokens.len(), 1);
}

/// A program that wants to see each failure turns the repeating off.
#[tokio::test]
async fn a_call_without_retries_is_sent_once() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(503))
        .expect(1)
        .mount(&server)
        .await;

    let client = smc(&server).retry(RetryPolicy::never()).build().unwrap();
    let error = ListAccessTokens::new().send(&client).await.unwrap_err();
    assert_eq!(error.status(), Some(503));
    assert!(error.is_retryable());
}

#[tokio::test]
async fn a_list_is_read_page_by_page() {
    let server = MockServer::start().await;
    let page = |code: &str, next: Option<&str>| {
        ResponseTemplate::new(200).set_body_json(json!({
            "RequestId": "r-1",
            "NextToken": next,
            "EnterpriseCodes": [{ "EnterpriseCode": code }],
        }))
    };
    Mock::given(header("x-acs-action", "ListEnterpriseCode"))
        .and(query_param_is_missing("NextToken"))
        .respond_with(page("first", Some("page-2")))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(header("x-acs-action", "ListEnterpriseCode"))
        .and(query_param("NextToken", "page-2"))
        .respond_with(page("other", None))
        .expect(1)
        .mount(&server)
        .await;

    let client = smartag(&server).build().unwrap();
    let codes = cumulo_smartag::enterprise_code::ListEnterpriseCode::new()
        .items(&client)
        .collect()
        .await
        .unwrap();
    let codes: Vec<_> = codes
        .into_iter()
        .filter_map(|code| code.enterprise_code)
        .collect();
    assert_eq!(codes, ["first", "other"]);
}
