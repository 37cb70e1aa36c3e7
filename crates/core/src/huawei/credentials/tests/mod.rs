//! Each source of the chain, in its good and bad forms, against answers by script.

mod clouds;
mod environment;
mod keys;
mod logins;
mod tls;

use serde_json::json;

use super::*;
use crate::credentials::testing::{NOW, World, parts};
use crate::credentials::{Identity, Reason};
use crate::record::{Json, Secret};
use crate::transport::{HttpResponse, TransportErrorKind};

const IAM: &str = "https://iam.eu-de.otc.t-systems.com/v3";
/// A day after the tests' clock.
const LATER: &str = "2026-01-02T00:00:00.000000Z";

/// What Keystone says about a token.
fn about() -> Json {
    json!({ "token": {
        "methods": ["password"],
        "issued_at": "2026-01-01T00:00:00.000000Z",
        "expires_at": LATER,
        "user": { "id": "u1", "name": "me", "domain": { "id": "d1", "name": "OTC-1" } },
        "project": { "id": "p1", "name": "eu-de_prj", "domain": { "id": "other", "name": "x" } },
        "catalog": [
            { "type": "apigv2", "name": "apig", "id": "s1", "endpoints": [
                { "id": "e0", "interface": "internal", "region": "eu-de", "region_id": "eu-de", "url": "https://internal/v2" },
                { "id": "e1", "interface": "public", "region": "eu-de", "region_id": "eu-de", "url": "https://apig.eu-de/v2/p1" },
            ] },
            { "type": "odd" },
        ],
    } })
}

/// A login's answer with this token.
fn logged_in(token: &str) -> Result<HttpResponse, TransportErrorKind> {
    crate::credentials::testing::with_headers(
        201,
        &[("x-subject-token", token)],
        about().to_string(),
    )
}

fn temporary() -> Json {
    json!({ "credential": {
        "access": "TMP", "secret": "s3cr3t-tmp", "securitytoken": "s3cr3t-st",
        "expires_at": "2026-01-01T01:00:00.000000Z",
    } })
}

fn projects(ids: &[&str]) -> Json {
    let all: Vec<Json> = ids
        .iter()
        .map(|id| json!({ "id": id, "name": "eu-de" }))
        .collect();
    json!({ "projects": all, "links": {} })
}

fn token_of(credential: &Credential) -> &str {
    match &credential.identity {
        Identity::Token(token) => Secret::expose(token),
        Identity::Keys(_) => panic!("keys"),
    }
}

#[test]
fn addresses_follow_the_region() {
    for (service, region, host) in [
        ("iam", "eu-nl", "iam.eu-nl.otc.t-systems.com"),
        ("apig", "eu-de", "apig.eu-de.otc.t-systems.com"),
        ("iam", "eu-ch2", "iam-pub.eu-ch2.sc.otc.t-systems.com"),
        ("apig", "eu-ch2", "apig.eu-ch2.sc.otc.t-systems.com"),
        (
            "iam",
            "ap-southeast-1",
            "iam.ap-southeast-1.myhuaweicloud.com",
        ),
        ("apig", "cn-north-4", "apig.cn-north-4.myhuaweicloud.com"),
        ("iam", "eu-west-101", "iam.eu-west-101.myhuaweicloud.eu"),
        ("apig", "eu-west-101", "apig.eu-west-101.myhuaweicloud.eu"),
    ] {
        assert_eq!(endpoint(service, region), Ok(format!("https://{host}")));
    }
    for bad in ["", "*", "iam.eu-ch2", "eu-de.evil.example/"] {
        assert!(endpoint("iam", bad).is_err(), "{bad}");
    }
}

#[tokio::test]
async fn with_nothing_set_up_the_chain_says_what_each_looked_at() {
    let world = World::with(&[], vec![], vec![Err(TransportErrorKind::Connect)]);
    let error = world
        .error(&DefaultChain::new(LoginSettings::default()))
        .await;
    assert_eq!(error.reason, Reason::NotConfigured);
    let names: Vec<_> = error.tried.iter().map(|tried| tried.provider).collect();
    assert_eq!(
        names,
        [
            "clouds.yaml",
            "OS_ environment",
            "HUAWEICLOUD_SDK_ identity provider",
            "HUAWEICLOUD_SDK_ environment",
            "Huawei Cloud credentials file",
            "ECS metadata",
        ]
    );
    let text = error.to_string();
    for part in [
        "OS_CLOUD is not set",
        "none of OS_TOKEN, OS_ACCESS_KEY, OS_APPLICATION_CREDENTIAL_ID and OS_USERNAME is set",
        "HUAWEICLOUD_SDK_ID_TOKEN_FILE are not set",
        "HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK are not set",
        ".huaweicloud/credentials does not exist",
        "nothing answers at http://169.254.169.254",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}
