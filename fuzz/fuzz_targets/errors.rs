//! What the protocols make of an answer: any status, headers and body.

#![no_main]

use std::sync::LazyLock;

use bytes::Bytes;
use cumulo_core::error::{Quoted, diagnose};
use cumulo_core::operation::{Operation, Spec};
use cumulo_core::alibaba::Acs;
use cumulo_core::huawei::Huawei;
use cumulo_core::zstack::ZStack;
use cumulo_core::protocol::{JobState, Protocol, Verdict};
use cumulo_core::service::Service;
use cumulo_core::sign::Signed;
use cumulo_core::transport::HttpResponse;
use cumulo_fuzz::byte;
use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;

static SERVICE: Service = Service {
    name: "fuzz",
    version: "1",
    user_agent: "fuzz",
    codes: &[],
    settings: &[],
    endpoint: &[],
};

/// Those headers that are read, with a value each that means something.
const HEADERS: [(&str, &str); 8] = [
    ("date", "Thu, 01 Jan 2026 08:00:00 GMT"),
    ("age", "1"),
    ("retry-after", "3"),
    ("x-acs-retry-after", "1500"),
    ("x-acs-request-id", "id"),
    ("x-request-id", "id"),
    ("x-job-uuid", "id"),
    ("content-type", "application/json"),
];

const STATUSES: [u16; 24] = [
    200, 201, 202, 204, 206, 301, 307, 400, 401, 403, 404, 408, 409, 410, 413, 422, 429, 500, 501,
    502, 503, 504, 599, 999,
];

static ACS: LazyLock<Vec<Spec>> = LazyLock::new(|| {
    cumulo_smc::Client::operations()
        .chain(cumulo_smartag::Client::operations())
        .collect()
});
static HUAWEI: LazyLock<Vec<Spec>> = LazyLock::new(|| cumulo_apig::Client::operations().collect());
static ZSTACK: LazyLock<Vec<Spec>> =
    LazyLock::new(|| cumulo_zstack::Client::operations().collect());
static SPEAKS: LazyLock<[Box<dyn Protocol>; 3]> = LazyLock::new(|| {
    [
        Box::new(Acs::default()),
        Box::new(Huawei::default()),
        Box::new(ZStack::new(0, false)),
    ]
});

fn answer(data: &mut &[u8]) -> HttpResponse {
    let status = STATUSES[usize::from(byte(data)) % STATUSES.len()];
    let mut headers = HeaderMap::new();
    let which = byte(data);
    for (at, (name, usual)) in HEADERS.iter().enumerate() {
        if which & (1 << at) == 0 {
            continue;
        }
        // One in four is hostile: its value comes from the input.
        let hostile = byte(data);
        let value = if hostile & 3 == 0 {
            let length = usize::from(hostile >> 2).min(data.len());
            let (value, rest) = data.split_at(length);
            *data = rest;
            HeaderValue::from_bytes(value).ok()
        } else {
            Some(HeaderValue::from_static(usual))
        };
        if let Some(value) = value {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    HttpResponse {
        status,
        headers,
        body: Bytes::copy_from_slice(data),
    }
}

fn check(protocol: &dyn Protocol, operation: &'static Operation, reply: &HttpResponse) {
    let mut output = (operation.output)();
    let _ = protocol.request_id(reply, &*output);
    match protocol.read(&SERVICE, operation, reply, &mut *output) {
        Verdict::Failed(failure) => {
            let code = failure.code.as_deref().unwrap_or_default();
            assert!(
                !(failure.message.is_empty() && code.is_empty()),
                "no word about {reply:?}"
            );
            // Escapes and what cannot be decoded make a text longer, by so much at most.
            let longest = 4 * reply.body.len() + 1000;
            assert!(
                failure.message.len() <= longest,
                "{} bytes",
                failure.message.len()
            );
        }
        Verdict::Job(JobState::Running { id, .. }) => {
            let id = id.unwrap_or_else(|| "-".into());
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            assert!(!id.is_empty() && id.bytes().all(plain), "{id}");
        }
        Verdict::Done(_) => assert!(
            (200..300).contains(&reply.status),
            "{} is done",
            reply.status
        ),
        Verdict::Job(JobState::Taken | JobState::Absent) => assert!(reply.status >= 400),
    }
}

fuzz_target!(|data: &[u8]| {
    let mut data = data;
    let which = usize::from(byte(&mut data)) % 3;
    let table: &[Spec] = [&ACS, &HUAWEI, &ZSTACK][which];
    let index = usize::from(u16::from_be_bytes([byte(&mut data), byte(&mut data)]));
    let reply = answer(&mut data);
    check(&*SPEAKS[which], table[index % table.len()](), &reply);

    let body = String::from_utf8_lossy(&reply.body);
    let signed = Signed {
        authorization: String::new(),
        canonical_request: "GET\n/v2/\na=1\nhost:a\nx-sdk-date:1\n\nhost;x-sdk-date\nabc".into(),
        string_to_sign: "POST&%2F&Action%3DA%26Name%3Da%2520b".into(),
    };
    let text = || body.clone().into_owned();
    for quoted in [
        None,
        Some(Quoted::StringToSign(text())),
        Some(Quoted::CanonicalRequest(text())),
    ] {
        let _ = diagnose(signed.clone(), quoted.as_ref(), &body);
    }
});
