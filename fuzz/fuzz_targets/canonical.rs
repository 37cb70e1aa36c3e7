//! Percent-encoding and the canonical forms that are signed, against decoders written here.

#![no_main]

use cumulo_core::alibaba::acs_v1;
use cumulo_core::huawei::sdk_hmac;
use cumulo_core::sign::percent;
use cumulo_fuzz::line;
use libfuzzer_sys::fuzz_target;

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let pair = [
                    rest.next().expect("two digits"),
                    rest.next().expect("two digits"),
                ];
                assert!(
                    pair.iter()
                        .all(|digit| matches!(digit, b'0'..=b'9' | b'A'..=b'F'))
                );
                let pair = std::str::from_utf8(&pair).expect("digits");
                u8::from_str_radix(pair, 16).expect("digits")
            }
            plain => {
                assert!(plain.is_ascii_alphanumeric() || b"-_.~".contains(&plain));
                plain
            }
        });
    }
    String::from_utf8(bytes).expect("a text was encoded")
}

fn query(text: &str) {
    let mut rest = text;
    let mut pairs = Vec::new();
    while !rest.is_empty() {
        let pair = line(&mut rest);
        pairs.push(pair.split_once('=').unwrap_or((pair, "")));
    }
    let mut sorted = pairs.clone();
    sorted.sort_unstable();
    let written = percent::canonical_query(&mut pairs);
    let read: Vec<(String, String)> = written
        .split('&')
        .filter(|_| !written.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').expect("each pair has its `=`");
            (decode(key), decode(value))
        })
        .collect();
    assert!(
        read.iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .eq(sorted.iter().copied())
    );
    // In any order of the pairs.
    pairs.reverse();
    assert_eq!(percent::canonical_query(&mut pairs), written);
    assert!(acs_v1::string_to_sign("POST", &written).starts_with("POST&%2F&"));
}

fn uri(path: &str) {
    let signed = sdk_hmac::canonical_uri(path);
    assert!(signed.ends_with('/'));
    assert!(
        signed
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.~/%".contains(&byte))
    );
    // A path that we write is signed as it is: its escapes are resolved and made again.
    let written: Vec<String> = path.split('/').map(percent::encode).collect();
    let written = written.join("/");
    let closed = if written.ends_with('/') {
        written.clone()
    } else {
        format!("{written}/")
    };
    assert_eq!(sdk_hmac::canonical_uri(&written), closed);
}

fuzz_target!(|text: &str| {
    assert_eq!(decode(&percent::encode(text)), text);
    query(text);
    uri(text);
});
