//! The credential files of sections, up to the provider that a section stands for.

#![no_main]

use cumulo_core::alibaba::credentials as alibaba;
use cumulo_fuzz::metered;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (result, bytes) = metered(|| alibaba::ini_profile_of_text(text, "default"));
    // Each line may be a section of its own.
    assert!(
        bytes <= 100 * text.len() + (64 << 10),
        "{bytes} for {}",
        text.len()
    );
    if let Err(error) = result {
        assert!(!error.message.is_empty());
        // Words of the file are not quoted, whatever they are.
        assert!(error.to_string().len() < 1000, "{error}");
    }
});
