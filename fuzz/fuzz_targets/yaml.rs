//! `clouds.yaml` with `secure.yaml`, and the YAML that they are written in.

#![no_main]

use cumulo_core::huawei::credentials as huawei;
use cumulo_core::record::Json;
use cumulo_fuzz::metered;
use libfuzzer_sys::fuzz_target;

/// What aliases may unfold into, in bytes: a value that is copied counts at each copy.
const UNFOLDED: usize = 64 << 20;

fn depth(json: &Json) -> usize {
    match json {
        Json::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Json::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        Json::String(_) | Json::Null => 0,
        other => panic!("{other} is no text"),
    }
}

fuzz_target!(|text: &str| {
    let (result, bytes) = metered(|| huawei::yaml_of_text(text));
    assert!(
        bytes <= 1000 * text.len() + UNFOLDED,
        "{bytes} for {}",
        text.len()
    );
    match result {
        Ok(json) => {
            assert!(depth(&json) <= 256);
            // JSON is YAML: what was read and written as JSON is read as the same again.
            if json.is_object() || json.is_array() {
                let flow = json.to_string();
                if let Ok(again) = huawei::yaml_of_text(&flow) {
                    assert_eq!(again, json, "{flow}");
                }
            }
        }
        Err((line, what)) => {
            assert!(
                line >= 1 && line <= text.lines().count().max(1),
                "line {line}"
            );
            assert!(!what.is_empty());
        }
    }
    let (clouds, secure) = text.split_once("\n=====\n").unwrap_or((text, ""));
    if let Err(error) = huawei::cloud_of_text(clouds, secure, "otc") {
        assert!(!error.message.is_empty());
    }
});
