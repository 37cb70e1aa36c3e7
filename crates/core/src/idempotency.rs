//! Tokens by which a service recognises a repeated request.

use std::fmt;
use std::str::FromStr;

use sha1::{Digest, Sha1};

/// A client token: ASCII, 1 to 64 characters, the same over all attempts of one call.
///
/// A call of an operation that takes one and has none set mints a random one before its first
/// attempt; the answer and every error name it. To be safe across crashes, derive it from something
/// of yours that names the thing to be made:
///
/// ```
/// use cumulo_core::ClientToken;
/// let token = ClientToken::derived("order-42/gateway");
/// assert_eq!(token, ClientToken::derived("order-42/gateway"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientToken(String);

/// Why a text is no client token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidClientToken {
    length: usize,
}

impl fmt::Display for InvalidClientToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a client token has 1 to {} visible ASCII characters; this one has {} characters or others among them",
            ClientToken::MAX_LEN,
            self.length
        )
    }
}

impl std::error::Error for InvalidClientToken {}

/// The namespace of derived tokens: any fixed UUID, as long as it never changes.
const NAMESPACE: [u8; 16] = [
    0x6f, 0x1d, 0x0a, 0x3e, 0x52, 0x0c, 0x4b, 0x7e, 0x9c, 0x21, 0x6a, 0xd4, 0x3c, 0x58, 0x90, 0x17,
];

impl ClientToken {
    /// The longest token that the services accept, in characters.
    pub const MAX_LEN: usize = 64;

    /// Checks `text` and takes it as the token.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidClientToken> {
        let text = text.into();
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if text.is_empty() || text.len() > Self::MAX_LEN || !visible {
            let length = text.chars().count();
            return Err(InvalidClientToken { length });
        }
        Ok(Self(text))
    }

    /// The token that belongs to `key`: a UUIDv5, so the same on every machine and after a crash.
    pub fn derived(key: &str) -> Self {
        let mut hash = Sha1::new();
        hash.update(NAMESPACE);
        hash.update(key.as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.finalize()[..16]);
        let uuid = uuid::Builder::from_sha1_bytes(bytes).into_uuid();
        Self(uuid.hyphenated().to_string())
    }

    /// A random token, a UUIDv4.
    pub fn random(entropy: &dyn crate::clock::Entropy) -> Self {
        Self(crate::clock::uuid(entropy).hyphenated().to_string())
    }

    /// The token without hyphens. Derived and random ones are then ids as private clouds write them, fit for
    /// members by which the caller chooses the id of what is made.
    pub fn plain(&self) -> String {
        self.0.replace('-', "")
    }

    /// The token's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ClientToken {
    type Err = InvalidClientToken;
    fn from_str(text: &str) -> Result<Self, InvalidClientToken> {
        Self::new(text)
    }
}

impl TryFrom<&str> for ClientToken {
    type Error = InvalidClientToken;
    fn try_from(text: &str) -> Result<Self, InvalidClientToken> {
        Self::new(text)
    }
}

impl TryFrom<String> for ClientToken {
    type Error = InvalidClientToken;
    fn try_from(text: String) -> Result<Self, InvalidClientToken> {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_derived_token_is_a_uuid_v5_and_depends_on_the_key_only() {
        let token = ClientToken::derived("order-42/gateway");
        let uuid = uuid::Uuid::parse_str(token.as_str()).unwrap();
        assert_eq!(uuid.get_version_num(), 5);
        // Fixed for ever: programs rely on getting the same token after an upgrade.
        assert_eq!(token.as_str(), "a3772f06-ee7b-57f3-a18f-217223e4456b");
        assert_ne!(token, ClientToken::derived("order-43/gateway"));
    }

    #[test]
    fn tokens_are_checked() {
        assert!(ClientToken::new("a").is_ok());
        assert!(ClientToken::new("x".repeat(64)).is_ok());
        for bad in ["", "x y", "zwölf", "a\r\nb", &"x".repeat(65)] {
            assert!(ClientToken::new(bad).is_err(), "{bad:?}");
        }
    }
}
