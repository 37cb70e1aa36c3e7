//! What all rooms have in common: no failure is without a word.

#![cfg(all(feature = "alibaba", feature = "huawei", feature = "zstack"))]

use bytes::Bytes;
use http::{HeaderMap, Method};

use cumulo_core::alibaba::Acs;
use cumulo_core::client::Empty;
use cumulo_core::huawei::Huawei;
use cumulo_core::operation::{Operation, RetryClass};
use cumulo_core::protocol::{Protocol, Verdict};
use cumulo_core::service::Service;
use cumulo_core::transport::HttpResponse;
use cumulo_core::zstack::ZStack;

/// Found by fuzzing: a body of control characters, and an error of ZStack's without the members
/// that say something, left a failure without a word.
#[test]
fn no_body_leaves_a_failure_without_words() {
    static SERVICE: Service = Service {
        name: "test",
        version: "1",
        user_agent: "test",
        codes: &[],
        settings: &[],
    };
    static OPERATION: Operation = Operation::new(
        "Test",
        "Tests.",
        Method::GET,
        "/",
        RetryClass::ReadOnly,
        || Box::new(Empty::default()),
        || Box::new(Empty::default()),
    );
    let protocols: [&dyn Protocol; 3] =
        [&Acs::default(), &Huawei::default(), &ZStack::new(0, false)];
    for body in [
        "",
        " ",
        "\u{0}\u{7}",
        "\"\"",
        "\"\\u0007\"",
        "{}",
        "<html></html>",
        r#"{"error":{}}"#,
        r#"{"error":{"cause":{"code":"X.1"}}}"#,
    ] {
        let reply = HttpResponse {
            status: 502,
            headers: HeaderMap::new(),
            body: Bytes::from(body),
        };
        for protocol in protocols {
            let verdict = protocol.read(&SERVICE, &OPERATION, &reply, &mut Empty::default());
            let Verdict::Failed(failure) = verdict else {
                panic!("{protocol:?}: {body:?}");
            };
            let said = failure.code.unwrap_or_default() + &failure.message;
            assert!(!said.trim().is_empty(), "{protocol:?}: {body:?}");
        }
    }
}
