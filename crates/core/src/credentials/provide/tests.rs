use std::time::Duration;

use super::*;
use crate::credentials::testing::{World, no_secret, parts};

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1000)
}

fn keys(id: &str, secret: &str, token: Option<&str>) -> Credential {
    let keys = Keys {
        id: id.into(),
        secret: secret.into(),
        token: token.map(Secret::from),
    };
    Credential::new(Identity::Keys(keys), "VARIABLE")
}

#[test]
fn white_space_around_a_key_is_reported() {
    for (credential, what) in [
        (
            keys(" id", "s3cr3t", None),
            "the key id from VARIABLE has white space",
        ),
        (
            keys("id", "s3cr3t\n", None),
            "the secret from VARIABLE has white space",
        ),
        (
            keys("id", "s3cr3t\u{a0}", None),
            "the secret from VARIABLE has white space",
        ),
        (
            keys("id", "s3cr3t", Some("\ts3cr3t")),
            "the session token from VARIABLE has white space",
        ),
        (
            keys("id", "s3c\nr3t", None),
            "the secret from VARIABLE holds white space",
        ),
        (keys("id", "", None), "the secret from VARIABLE is empty"),
        (
            keys("", "s3cr3t", None),
            "the key id from VARIABLE is empty",
        ),
    ] {
        let error = check(&credential, now()).unwrap_err();
        no_secret(&error);
        assert!(error.to_string().contains(what), "{error}");
        assert_eq!(error.reason, Reason::Misconfigured);
    }
    check(&keys("id", "s3cr3t", Some("t")), now()).unwrap();
}

#[test]
fn what_has_ended_is_reported_with_both_times() {
    let mut credential = keys("id", "s3cr3t", None);
    credential.expires_at = Some(now());
    let error = check(&credential, now()).unwrap_err();
    assert_eq!(error.reason, Reason::Expired);
    assert!(
        error.to_string().contains("ended at 1970-01-01T00:16:40Z"),
        "{error}"
    );
    credential.expires_at = Some(now() + Duration::from_secs(1));
    check(&credential, now()).unwrap();
}

#[test]
fn a_half_set_pair_is_an_error() {
    let found = |variables: &[(&str, &str)]| {
        let environment = Environment::fixed(variables.iter().copied());
        pair(&environment, "test", &["ID", "OTHER_ID"], &["SECRET"])
    };
    assert!(found(&[]).unwrap().is_none());
    assert!(found(&[("ID", ""), ("SECRET", "")]).unwrap().is_none());
    let both = found(&[("OTHER_ID", "i"), ("SECRET", "s")])
        .unwrap()
        .unwrap();
    assert_eq!(both.source, "OTHER_ID and SECRET");
    for (set, missing) in [("OTHER_ID", "SECRET"), ("SECRET", "ID")] {
        let error = found(&[(set, "s3cr3t")]).err().unwrap();
        no_secret(&error);
        let expected = format!(
            "test: {set} is set, but {missing} is not, or is empty (Set {missing}, or unset {set})"
        );
        assert_eq!(error.to_string(), expected);
    }
}

#[tokio::test]
async fn static_credentials_are_given_as_they_are() {
    let world = World::new(&[]);
    let found = world.keys(&Static::temporary("i", "s", "t")).await;
    assert_eq!(parts(&found), ("i", "s", Some("t")));
    let debug = format!("{:?}", Static::temporary("i", "s3cr3t", "s3cr3t"));
    assert!(!debug.contains("s3cr3t"), "{debug}");
    let token = world.provide(&Static::token("t")).await.unwrap();
    assert!(matches!(token.identity, Identity::Token(_)));
}
