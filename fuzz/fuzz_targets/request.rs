//! The local cloud's connections: whatever comes, in whatever pieces, to whichever service.

#![no_main]

use cumulo_fuzz::{byte, metered};
use cumulo_localcloud::fuzzing::serve;
use cumulo_localcloud::{SeenRequest, Service};
use libfuzzer_sys::fuzz_target;

/// What does not differ from one run to the next.
fn parts(one: &SeenRequest) -> (&str, &str, &[(String, String)], &[u8], Option<u16>) {
    (&one.method, &one.target, &one.headers, &one.body, one.status)
}

fuzz_target!(|data: &[u8]| {
    let mut data = data;
    let service = Service::ALL[usize::from(byte(&mut data)) % Service::ALL.len()];
    let at_once = usize::from(byte(&mut data));
    let (whole, bytes) = metered(|| serve(service, data, usize::MAX));
    let (seen, answers) = whole.expect("the connection ends");
    assert!(
        bytes <= 1000 * data.len() + (4 << 20),
        "{bytes} for {}",
        data.len()
    );
    assert!(answers.is_empty() || answers.starts_with(b"HTTP/1."));
    for one in &seen {
        assert!(!one.method.is_empty() && !one.target.is_empty());
        assert!(one.body.len() <= data.len());
    }
    // The network may cut anywhere.
    let (pieces, _) = serve(service, data, at_once).expect("the connection ends");
    assert!(
        seen.iter().map(parts).eq(pieces.iter().map(parts)),
        "{seen:?} {pieces:?}"
    );
});
