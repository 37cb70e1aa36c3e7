//! Each source of the chain, in its good and bad forms, against answers by script.

mod browser_logins;
mod files;
mod profiles;
mod services;
mod sts;

use serde_json::json;

use super::*;
use crate::credentials::testing::{NOW, World, parts};
use crate::credentials::{Identity, Provider, Reason};
use crate::record::Json;

/// An hour after the tests' clock.
const LATER: &str = "2026-01-01T01:00:00Z";

/// Temporary keys as STS and its relatives write them.
fn issued() -> Json {
    json!({
        "AccessKeyId": "STS.id",
        "AccessKeySecret": "s3cr3t-key",
        "SecurityToken": "s3cr3t-token",
        "Expiration": LATER,
    })
}

fn assumed() -> Json {
    json!({
        "RequestId": "r-1",
        "AssumedRoleUser": { "Arn": "acs:ram::1234:assumed-role/app/session", "AssumedRoleId": "3:session" },
        "Credentials": issued(),
    })
}

fn source() -> crate::credentials::Static {
    crate::credentials::Static::keys("LTAI1", "s3cr3t-source")
}

#[tokio::test]
async fn environment_keys() {
    let world = World::new(&[
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAI1"),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "s3cr3t"),
        ("ALIBABA_CLOUD_SECURITY_TOKEN", "s3cr3t-token"),
    ]);
    let found = world.keys(&EnvironmentKeys).await;
    assert_eq!(parts(&found), ("LTAI1", "s3cr3t", Some("s3cr3t-token")));
}

#[tokio::test]
async fn a_half_set_environment_is_an_error_and_ends_the_chain() {
    let world = World::new(&[
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAI1"),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", ""),
    ]);
    let error = world.error(&DefaultChain::new()).await;
    assert_eq!(
        (error.reason, error.tried.len()),
        (Reason::Misconfigured, 1)
    );
    assert!(
        error
            .to_string()
            .contains("ALIBABA_CLOUD_ACCESS_KEY_SECRET is not"),
        "{error}"
    );
}

#[tokio::test]
async fn white_space_around_an_environment_key_is_reported() {
    let world = World::new(&[
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAI1"),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "s3cr3t "),
    ]);
    let error = world.error(&DefaultChain::new()).await;
    assert!(error.to_string().contains("has white space"), "{error}");
}

#[tokio::test]
async fn names_of_other_tools_do_not_count() {
    let world = World::new(&[
        ("ACCESS_KEY_ID", "x"),
        ("ALIBABACLOUD_ACCESS_KEY_ID", "x"),
        ("ALICLOUD_ACCESS_KEY", "x"),
    ]);
    let error = world.error(&EnvironmentKeys).await;
    assert_eq!(error.reason, Reason::NotConfigured);
}

#[tokio::test]
async fn with_nothing_set_up_the_chain_says_what_each_looked_at() {
    let world = World::new(&[("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "TRUE")]);
    let error = world.error(&DefaultChain::new()).await;
    let names: Vec<_> = error.tried.iter().map(|tried| tried.provider).collect();
    assert_eq!(
        names,
        [
            "environment",
            "OIDC",
            "CLI profile",
            "ini profile",
            "ECS RAM role",
            "credentials URI"
        ]
    );
    let text = error.to_string();
    for part in [
        "ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET are not set",
        "ALIBABA_CLOUD_OIDC_TOKEN_FILE are not set",
        "config.json does not exist",
        "~/.alibabacloud/credentials",
        "ALIBABA_CLOUD_ECS_METADATA_DISABLED is set",
        "ALIBABA_CLOUD_CREDENTIALS_URI is not set",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[tokio::test]
async fn a_bearer_token_is_sent_as_it_is() {
    let world = World::new(&[]);
    let token = BearerToken::new("s3cr3t");
    assert!(!format!("{token:?}").contains("s3cr3t"));
    let credential = world.provide(&token).await.unwrap();
    let Identity::Token(token) = credential.identity else {
        panic!("keys")
    };
    assert_eq!(token.expose(), "s3cr3t");
}
