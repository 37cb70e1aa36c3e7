use std::mem::size_of_val;
use std::sync::Arc;

use super::*;
use crate::alibaba::Acs;
use crate::client::{Call, Empty, EndpointSource};
use crate::operation::RetryClass;
use crate::service::Service;

static SERVICE: Service = Service {
    name: "demo",
    version: "1",
    user_agent: "demo",
    codes: &[],
    settings: &[],
    endpoint: &[],
};

static OPERATION: Operation = Operation::new(
    "Do",
    "",
    http::Method::POST,
    "/",
    RetryClass::Unsafe,
    || Box::new(Empty::default()),
    || Box::new(Empty::default()),
);

/// Whoever has ten thousand calls under way pays for each of these bytes as often.
#[test]
fn a_call_under_way_is_small() {
    let endpoint = EndpointSource::Fixed(Endpoint::parse("http://127.0.0.1").unwrap());
    let client = Client::builder(&SERVICE, Arc::new(Acs::default()));
    let client = client.build(endpoint).unwrap();
    let call = Call::<Empty>::new(&client, &OPERATION, &Empty::default());
    assert!(size_of_val(&call) <= 24, "{}", size_of_val(&call));
    let encoded = Encoded {
        operation: &OPERATION,
        path: "/".into(),
        plain_path: "/".into(),
        query: Vec::new(),
        headers: Vec::new(),
        body: crate::protocol::Body::Empty,
        secrets: Vec::new(),
    };
    let running = run(Plan::new(&client, &OPERATION, Ok(encoded)));
    let size = size_of_val(&*running);
    assert!(size <= 1000, "{size} bytes");
}
