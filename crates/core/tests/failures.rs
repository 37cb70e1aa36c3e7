//! What all rooms have in common: no failure is without a word.

#![cfg(all(feature = "alibaba", feature = "huawei", feature = "zstack"))]

use bytes::Bytes;
use http::{HeaderMap, Method};

use cumulo_core::alibaba::Acs;
use cumulo_core::client::Empty;
use cumulo_core::error::Quoted;
use cumulo_core::huawei::Huawei;
use cumulo_core::operation::{Operation, RetryClass};
use cumulo_core::protocol::{Protocol, Verdict};
use cumulo_core::service::Service;
use cumulo_core::transport::HttpResponse;
use cumulo_core::zstack::ZStack;

static SERVICE: Service = Service {
    name: "test",
    version: "1",
    user_agent: "test",
    codes: &[],
    settings: &[],
    endpoint: &[],
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

/// Found by fuzzing: a body of control characters, and an error of ZStack's without the members
/// that say something, left a failure without a word.
#[test]
fn no_body_leaves_a_failure_without_words() {
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

/// What a server quotes holds tokens: it goes to the comparison, never into a message.
#[test]
fn a_quoted_request_leaves_the_message() {
    let signed = |text: &str| Some(Quoted::StringToSign(text.into()));
    let request = |text: &str| Some(Quoted::CanonicalRequest(text.into()));
    let (acs, huawei) = (Acs::default(), Huawei::default());
    let cases: [(&dyn Protocol, &str, &str, Option<Quoted>); 5] = [
        (
            &acs,
            r#"{"Code":"SignatureDoesNotMatch","Message":"server string to sign is:POST&%2F&T%3Ds3cr3t"}"#,
            "server string to sign is .. (see `explain()`)",
            signed("POST&%2F&T%3Ds3cr3t"),
        ),
        (
            &acs,
            "<Error><Code>A</Code><Message>server string to sign is:GET&amp;%2F&amp;T%3Ds3cr3t</Message></Error>",
            "server string to sign is .. (see `explain()`)",
            signed("GET&%2F&T%3Ds3cr3t"),
        ),
        (
            &acs,
            r#"{"Code":"SignatureDoesNotMatch","Message":"server StringToSign is [ACS3\ns3cr3t]"}"#,
            "server StringToSign is .. (see `explain()`)",
            signed(" [ACS3\ns3cr3t]"),
        ),
        (
            &huawei,
            r#"{"error_code":"APIG.0301","error_msg":"fail, canonicalRequest:GET|/v1/|x-security-token:s3cr3t"}"#,
            "fail, canonicalRequest .. (see `explain()`)",
            request("GET\n/v1/\nx-security-token:s3cr3t"),
        ),
        (&huawei, r#"{"error_code":"A","error_msg":"m"}"#, "m", None),
    ];
    for (protocol, body, message, quoted) in cases {
        let reply = HttpResponse {
            status: 401,
            headers: HeaderMap::new(),
            body: Bytes::from(body),
        };
        let verdict = protocol.read(&SERVICE, &OPERATION, &reply, &mut Empty::default());
        let Verdict::Failed(failure) = verdict else {
            panic!("{body}");
        };
        assert_eq!(
            (failure.message.as_str(), &failure.quoted),
            (message, &quoted)
        );
        assert!(!format!("{failure:?}").contains("s3cr3t"), "{failure:?}");
    }
}
