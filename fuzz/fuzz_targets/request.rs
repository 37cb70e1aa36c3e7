//! The local cloud's reader of requests: whatever comes, in whatever pieces.

#![no_main]

use cumulo_fuzz::{byte, metered};
use cumulo_localcloud::fuzzing::{Read, requests};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut data = data;
    let at_once = usize::from(byte(&mut data));
    let (read, bytes) = metered(|| requests(data, usize::MAX));
    assert!(
        bytes <= 100 * data.len() + (256 << 10),
        "{bytes} for {}",
        data.len()
    );
    // The network may cut anywhere.
    assert_eq!(requests(data, at_once), read);
    for one in read {
        match one {
            Read::Request {
                method,
                target,
                path,
                body,
                ..
            } => {
                assert!(!method.is_empty() && !target.is_empty() && !path.is_empty());
                assert!(body.len() <= data.len());
            }
            Read::Refused(status) => assert!(matches!(status, 400 | 413 | 431)),
        }
    }
});
