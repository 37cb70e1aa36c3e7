//! Text that must not be printed, and JSON without a type.

use std::fmt;

use zeroize::Zeroize;

/// Any JSON value, for members to which the vendor gives no type.
pub type Json = serde_json::Value;

/// Text that is never printed by accident: passwords, keys, tokens, activation codes.
///
/// `Debug` shows a placeholder, there is no `Display`, and the memory is wiped on drop. Reading the
/// text is an explicit [`expose`](Secret::expose).
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Secret(String);

impl Secret {
    /// What stands in the place of a secret wherever one is printed.
    pub const REDACTED: &'static str = "** redacted **";

    /// Wraps `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself. Take care where it goes.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether the text is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn replace(&mut self, text: &str) {
        self.0.zeroize();
        self.0.push_str(text);
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::REDACTED)
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn debug_hides_the_text() {
        let shown = format!(
            "{:?} {:#?}",
            Secret::new("hunter2"),
            Some(Secret::new("hunter2"))
        );
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains(Secret::REDACTED));
    }
}
