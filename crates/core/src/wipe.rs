//! Where does a secret stay when the value that held it is gone? In every buffer it went through.
//!
//! [`Secret`](crate::record::Secret) wipes itself; this is for the rest of the way: texts that grow
//! while they are written, bodies, header values, JSON that is taken apart. What the HTTP library,
//! TLS and the kernel keep is out of reach: SECURITY.md says so.

use std::io;
use std::ops::{Deref, DerefMut};

use bytes::Bytes;
use http::HeaderValue;
use serde::Serialize;
use serde_json::Value as Json;
use zeroize::{Zeroize, Zeroizing};

/// A buffer that wipes what it outgrows.
#[derive(Default)]
struct Sink(Vec<u8>);

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let needed = self.0.len() + bytes.len();
        if needed > self.0.capacity() {
            let mut larger = Vec::with_capacity(needed.next_power_of_two().max(128));
            larger.extend_from_slice(&self.0);
            self.0.zeroize();
            self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// JSON text, without copies of parts of it left behind.
pub(crate) fn to_json(value: &impl Serialize) -> Vec<u8> {
    let mut sink = Sink::default();
    // Maps have text keys and numbers are finite or null, so that writing to memory cannot fail.
    match serde_json::to_writer(&mut sink, value) {
        Ok(()) => sink.0,
        Err(_) => Vec::new(),
    }
}

/// A body that is wiped when its last copy is dropped.
pub(crate) fn bytes(content: impl Into<Vec<u8>>) -> Bytes {
    let content = content.into();
    if content.is_empty() {
        return Bytes::new();
    }
    Bytes::from_owner(Zeroizing::new(content))
}

/// A header's value that is wiped when its last copy is dropped; `None` where it cannot be one.
pub(crate) fn header(text: impl Into<Vec<u8>>) -> Option<HeaderValue> {
    HeaderValue::from_maybe_shared(bytes(text)).ok()
}

/// JSON that may hold secrets; its texts are wiped on drop.
#[derive(Clone, Default)]
pub(crate) struct Wiped(pub(crate) Json);

impl Deref for Wiped {
    type Target = Json;
    fn deref(&self) -> &Json {
        &self.0
    }
}

impl DerefMut for Wiped {
    fn deref_mut(&mut self) -> &mut Json {
        &mut self.0
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

fn wipe(json: &mut Json) {
    match json {
        Json::String(text) => text.zeroize(),
        Json::Array(items) => items.iter_mut().for_each(wipe),
        Json::Object(members) => members.values_mut().for_each(wipe),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_buffer_that_grows_keeps_all_that_was_written() {
        let mut sink = Sink::default();
        let mut all = Vec::new();
        for part in 0..200_u8 {
            let bytes = vec![part; usize::from(part)];
            sink.write_all(&bytes).unwrap();
            all.extend_from_slice(&bytes);
        }
        assert_eq!(sink.0, all);
    }

    #[test]
    fn texts_in_json_are_emptied_wherever_they_stand() {
        let mut json = serde_json::json!({"a": "x", "b": ["y", {"c": "z"}], "d": 1});
        wipe(&mut json);
        assert_eq!(
            json,
            serde_json::json!({"a": "", "b": ["", {"c": ""}], "d": 1})
        );
    }

    #[test]
    fn bodies_and_headers_are_what_was_given() {
        assert_eq!(bytes("text"), "text");
        assert_eq!(header("OAuth x").unwrap(), "OAuth x");
        assert!(header("line\nbreak").is_none());
    }
}
