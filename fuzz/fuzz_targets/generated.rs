//! The decoder over the clients' own types: inputs strictly, outputs leniently.

#![no_main]

use std::sync::LazyLock;

use cumulo_core::operation::Spec;
use cumulo_core::record::{Wire, decode, decode_strict, to_json, validate};
use cumulo_fuzz::metered;
use libfuzzer_sys::fuzz_target;

static OPERATIONS: LazyLock<Vec<Spec>> = LazyLock::new(|| {
    let smc = cumulo_smc::Client::operations();
    let smartag = cumulo_smartag::Client::operations();
    let apig = cumulo_apig::Client::operations();
    let zstack = cumulo_zstack::Client::operations();
    smc.chain(smartag).chain(apig).chain(zstack).collect()
});

/// As for `record`.
const ELEMENTS: usize = 8 << 20;

fuzz_target!(|data: &[u8]| {
    let [high, low, json @ ..] = data else { return };
    let index = usize::from(u16::from_be_bytes([*high, *low]));
    let operation = OPERATIONS[index % OPERATIONS.len()]();

    let mut output = (operation.output)();
    let (result, bytes) = metered(|| decode(&mut *output, json));
    assert!(
        bytes <= 10 * json.len() + ELEMENTS,
        "{}: {bytes} for {}",
        operation.name,
        json.len()
    );
    if result.is_ok() {
        let shown = format!(
            "{:?}",
            String::from_utf8_lossy(&to_json(Wire::redacted(&*output)))
        );
        assert!(!shown.is_empty());
    }

    let mut input = (operation.input)();
    if !matches!(decode_strict(&mut *input, json).as_deref(), Ok([])) {
        return;
    }
    let _ = validate(&*input);
    let first = to_json(Wire::clear(&*input));
    let mut again = (operation.input)();
    assert_eq!(
        decode_strict(&mut *again, &first).expect("what we write is JSON"),
        [],
        "{}",
        operation.name
    );
    assert_eq!(to_json(Wire::clear(&*again)), first, "{}", operation.name);
});
