use http::Method;

use super::*;
use crate::client::Empty;
use crate::operation::{Operation, RetryClass};

static CREATE: Operation = Operation::new(
    "Create",
    "",
    Method::POST,
    "/",
    RetryClass::Keyed,
    || Box::new(Empty::default()),
    || Box::new(Empty::default()),
)
.token("ClientToken");

fn encoded(query: &[(&'static str, &str)], body: Body) -> Encoded {
    Encoded {
        operation: &CREATE,
        path: "/".into(),
        plain_path: "/".into(),
        query: query
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).to_owned()))
            .collect(),
        headers: Vec::new(),
        body,
        secrets: Vec::new(),
    }
}

#[test]
fn the_hash_is_the_same_in_every_run_and_says_what_differs() {
    let one = encoded(&[("Name", "ab"), ("Count", "c")], Body::Empty);
    // Fixed for ever: entries are compared across upgrades.
    assert_eq!(
        hash("smc", &one),
        "a12cb3e5fd779f55d2a034cac2f95b85721f6a6a10820268bc7bac748930cf36"
    );
    let json = |text: &'static str| Body::Json(text.into());
    let others = [
        hash("smartag", &one),
        hash(
            "smc",
            &encoded(&[("Name", "abc"), ("Count", "")], Body::Empty),
        ),
        hash("smc", &encoded(&[("Name", "ab")], Body::Empty)),
        hash(
            "smc",
            &encoded(&[("Name", "ab"), ("Count", "c")], json("{}")),
        ),
        hash(
            "smc",
            &encoded(&[("Name", "ab"), ("Count", "c")], json("{\"a\":1}")),
        ),
        hash(
            "smc",
            &encoded(
                &[("Name", "ab"), ("Count", "c")],
                Body::Typed("{}".into(), "text/plain"),
            ),
        ),
        hash(
            "smc",
            &encoded(
                &[("Name", "ab"), ("Count", "c")],
                Body::Multipart(vec![("file", Some("a"), "{}".into())]),
            ),
        ),
        hash("smc", &one),
    ];
    for (at, other) in others.iter().enumerate() {
        assert!(!others[..at].contains(other), "{at}");
    }
}

#[test]
fn the_client_token_is_no_part_of_the_input() {
    let without = encoded(&[("Name", "ab")], Body::Empty);
    let with = encoded(&[("Name", "ab"), ("ClientToken", "t")], Body::Empty);
    assert_eq!(hash("smc", &without), hash("smc", &with));
}
