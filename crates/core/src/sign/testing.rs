//! Does the signature really cover this text? Helpers that change it one byte at a time.

/// The text with each of its bytes replaced in turn by another one (ASCII texts only).
pub(crate) fn each_altered_byte(text: &str) -> Vec<String> {
    assert!(text.is_ascii(), "not ASCII: {text}");
    (0..text.len())
        .map(|at| {
            let other = if text.as_bytes()[at] == b'0' {
                "1"
            } else {
                "0"
            };
            format!("{}{other}{}", &text[..at], &text[at + 1..])
        })
        .collect()
}

/// The signature inside an `Authorization` header that ends with `Signature=...`.
pub(crate) fn signature(authorization: &str) -> &str {
    let (_, signature) = authorization
        .rsplit_once("Signature=")
        .expect("an Authorization header with a signature");
    signature
}
