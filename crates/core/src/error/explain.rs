//! Why a signature did not match: what was signed here against what the server quotes.
//!
//! Protocols know how their servers quote a request; here it is only compared.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use zeroize::Zeroizing;

use crate::sign::Signed;

use super::Error;

/// What our signature was made from. Holds session tokens, so it is never printed whole.
#[derive(Clone)]
pub(crate) struct Evidence {
    string_to_sign: Zeroizing<String>,
    canonical_request: Zeroizing<String>,
    /// Unix seconds that were signed.
    time: i64,
}

impl Evidence {
    pub(crate) fn new(signed: Signed, time: i64) -> Self {
        Self {
            string_to_sign: signed.string_to_sign.into(),
            canonical_request: signed.canonical_request.into(),
            time,
        }
    }

    /// Of a scheme that signs no canonical request.
    pub(crate) fn text(string_to_sign: String, time: i64) -> Self {
        Self {
            string_to_sign: string_to_sign.into(),
            canonical_request: Zeroizing::default(),
            time,
        }
    }

    pub(crate) fn string_to_sign(&self) -> &str {
        &self.string_to_sign
    }
}

/// What a server quotes of the request that it saw, in the answer to a wrong signature.
#[derive(Clone, PartialEq, Eq)]
pub enum Quoted {
    /// The text that it signed: all of it, or a hash of the canonical request.
    StringToSign(String),
    /// The canonical request, a line for each of its parts.
    CanonicalRequest(String),
}

/// Tokens may stand in it, so that only its kind is told.
impl fmt::Debug for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::StringToSign(_) => "StringToSign(..)",
            Self::CanonicalRequest(_) => "CanonicalRequest(..)",
        })
    }
}

/// What `explain()` found about a failed signature.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Diagnosis {
    /// Both sides signed the same text: the secret is not the one that belongs to the key id.
    WrongSecret,
    /// These parts differ: parameter or header names, `method`, `path`, `payload`.
    Altered(Vec<String>),
    /// The clocks are this many seconds apart (the server's minus ours).
    Clock(i64),
    /// The answer does not tell what the server signed.
    Unknown,
}

impl Evidence {
    /// How far the clocks are apart.
    pub(crate) fn clock(&self, server_time: i64) -> Diagnosis {
        Diagnosis::Clock(server_time - self.time)
    }

    /// What the server signed, as it quotes it or else in its own words, against what was signed here.
    pub(crate) fn compare(&self, quoted: Option<&Quoted>, message: &str) -> Diagnosis {
        let ours: &str = &self.string_to_sign;
        let parts = match quoted {
            Some(Quoted::CanonicalRequest(theirs)) => {
                differing_lines(&self.canonical_request, theirs)
            }
            Some(Quoted::StringToSign(theirs)) if self.canonical_request.is_empty() => {
                differing_parameters(ours, theirs)
            }
            Some(Quoted::StringToSign(theirs)) => {
                match theirs.contains(ours.rsplit('\n').next().unwrap_or_default()) {
                    true => Vec::new(),
                    false => vec!["the canonical request (the server tells only its hash)".into()],
                }
            }
            // Whatever the words around it: our own text in the answer is what the server signed.
            None if !ours.is_empty() && message.contains(ours) => Vec::new(),
            None => return Diagnosis::Unknown,
        };
        if parts.is_empty() {
            Diagnosis::WrongSecret
        } else {
            Diagnosis::Altered(parts)
        }
    }
}

impl Error {
    /// For a failed signature or a wrong clock: what differs, as far as the answer tells it.
    pub fn diagnosis(&self) -> Option<Diagnosis> {
        self.0.diagnosis.clone()
    }

    /// Everything that is known about the failure, in lines for a person or a support ticket;
    /// without secrets.
    pub fn explain(&self) -> String {
        let mut text = format!("{self:?}\n");
        let _ = writeln!(text, "  outcome: {}", self.0.outcome);
        match &self.0.diagnosis {
            None => {}
            Some(Diagnosis::WrongSecret) => text.push_str(
                "  The server signed exactly the text that was signed here, so the secret is not the \
                 one that belongs to this key id: look for a truncated copy, a space or a line break \
                 at its end, or the secret of another key.\n",
            ),
            Some(Diagnosis::Altered(parts)) => {
                let _ = writeln!(
                    text,
                    "  The server signed another text; it differs in: {}. A proxy may have changed or \
                     re-encoded the request, or the endpoint is not the host that was signed.",
                    parts.join(", ")
                );
            }
            Some(Diagnosis::Clock(seconds)) => {
                // Some services compare wall clocks: the instants may well agree.
                let _ = writeln!(text, "  This machine's clock differs from the server's by {seconds} s.");
            }
            Some(Diagnosis::Unknown) => text.push_str(
                "  The answer does not say what the server signed. Most often the secret is wrong or \
                 has a space at its end.\n",
            ),
        }
        text
    }
}

/// What `diagnosis()` makes of a quotation.
#[cfg(fuzzing)]
#[doc(hidden)]
pub fn diagnose(signed: Signed, quoted: Option<&Quoted>, message: &str) -> Diagnosis {
    Evidence::new(signed, 0).compare(quoted, message)
}

/// Names of parameters whose values differ between two V1 strings to sign.
fn differing_parameters(ours: &str, theirs: &str) -> Vec<String> {
    let split = |text: &str| -> (String, BTreeMap<String, String>) {
        let mut parts = text.splitn(3, '&');
        let method = parts.next().unwrap_or_default().to_owned();
        let query = parts
            .nth(1)
            .unwrap_or_default()
            .replace("%26", "&")
            .replace("%3D", "=");
        // They come sorted; `collect` would bring code to sort them into every program.
        let mut pairs = BTreeMap::new();
        for (key, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            pairs.insert(key.to_owned(), value.to_owned());
        }
        (method, pairs)
    };
    let ((our_method, ours), (their_method, theirs)) = (split(ours), split(theirs));
    let mut parts = Vec::new();
    if our_method != their_method {
        parts.push("method".to_owned());
    }
    for (key, value) in &ours {
        match theirs.get(key) {
            Some(other) if other == value => {}
            Some(_) => parts.push(format!("parameter {key}")),
            None => parts.push(format!("parameter {key} (missing there)")),
        }
    }
    for key in theirs.keys().filter(|key| !ours.contains_key(*key)) {
        parts.push(format!("parameter {key} (added on the way)"));
    }
    parts
}

/// Names of the lines that differ between two canonical requests.
fn differing_lines(ours: &str, theirs: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut theirs = theirs.lines();
    for (index, line) in ours.lines().enumerate() {
        let other = theirs.next().unwrap_or_default();
        if line == other.trim_end_matches(['"', ']', '}']) {
            continue;
        }
        parts.push(match index {
            0 => "method".to_owned(),
            1 => "path".to_owned(),
            2 => "query".to_owned(),
            _ => match line.split_once(':') {
                Some((name, _)) => format!("header {name}"),
                None if line.contains(';') => "the list of signed headers".to_owned(),
                None => "payload".to_owned(),
            },
        });
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_parameter_that_differs() {
        let ours = "POST&%2F&Action%3DA%26Name%3Da%2520b%26Timestamp%3DT";
        let theirs = "POST&%2F&Action%3DA%26Name%3Da%252Bb%26Timestamp%3DT%26X%3D1";
        assert_eq!(
            differing_parameters(ours, theirs),
            ["parameter Name", "parameter X (added on the way)"]
        );
    }

    #[test]
    fn an_equal_text_means_a_wrong_secret() {
        let evidence = Evidence::text("POST&%2F&Action%3DA".into(), 0);
        let text = || "POST&%2F&Action%3DA".to_owned();
        let quoted = Quoted::StringToSign(text());
        assert_eq!(evidence.compare(Some(&quoted), ""), Diagnosis::WrongSecret);
        let message = format!("signed was [{}]", text());
        assert_eq!(evidence.compare(None, &message), Diagnosis::WrongSecret);
        assert_eq!(evidence.compare(None, "no"), Diagnosis::Unknown);
    }

    #[test]
    fn names_the_header_that_differs() {
        let ours = "GET\n/v2/\na=1\nhost:a\nx-sdk-date:1\n\nhost;x-sdk-date\nabc";
        let theirs = ours.replace("host:a", "host:b");
        assert_eq!(differing_lines(ours, &theirs), ["header host"]);
    }
}
