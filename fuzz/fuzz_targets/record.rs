//! The decoder over records with members of every kind, leniently and strictly.

#![no_main]

use cumulo_core::record::{Record, Wire, decode, decode_strict, to_json};
use cumulo_fuzz::{Everything, Given, metered};
use libfuzzer_sys::fuzz_target;

/// What a small body may cost beside ten times its length: `{}` makes a whole element of a list.
const ELEMENTS: usize = 8 << 20;

fn lenient(json: &[u8]) {
    let mut record = Everything::default();
    let (result, bytes) = metered(|| decode(&mut record, json));
    assert!(
        bytes <= 10 * json.len() + ELEMENTS,
        "{bytes} for {}",
        json.len()
    );
    let Ok(problems) = result else { return };
    assert!(problems.len() <= 100);
    assert!(problems.iter().all(|problem| !problem.message.is_empty()));
    // What was kept is understood again, without a complaint.
    let first = to_json(Wire::clear(&record));
    let mut again = Everything::default();
    assert_eq!(
        decode(&mut again, &first).expect("what we write is JSON"),
        []
    );
    assert_eq!(to_json(Wire::clear(&again)), first);
}

fn strict<R: Record + Default>(json: &[u8]) {
    let mut record = R::default();
    if !matches!(decode_strict(&mut record, json).as_deref(), Ok([])) {
        return;
    }
    let first = to_json(Wire::clear(&record));
    let mut again = R::default();
    assert_eq!(
        decode_strict(&mut again, &first).expect("what we write is JSON"),
        []
    );
    assert_eq!(to_json(Wire::clear(&again)), first);
    // Nothing that a user may say is doubtful from a service.
    let mut loose = R::default();
    assert_eq!(decode(&mut loose, json).expect("it was JSON before"), []);
    assert_eq!(to_json(Wire::clear(&loose)), first);
}

fuzz_target!(|json: &[u8]| {
    lenient(json);
    strict::<Everything>(json);
    strict::<Given>(json);
});
