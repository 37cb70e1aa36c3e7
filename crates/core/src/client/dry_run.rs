//! A request as it would go out, for people: reproducible with curl, secrets hidden.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use crate::error::Scrubber;
use crate::protocol::Prepared;
use crate::record::{Json, Secret};

use super::secret_name;

/// What a call would send.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DryRun {
    /// Method.
    pub method: String,
    /// Address, secrets hidden.
    pub url: String,
    /// Headers in sending order, secrets hidden.
    pub headers: Vec<(String, String)>,
    /// Body as text, secrets hidden.
    pub body: String,
    /// The text that the signature covers, secrets hidden; empty for token authentication.
    pub string_to_sign: String,
}

impl DryRun {
    /// `secret`: the input holds secrets. Then hashes over it are hidden too: a short password is soon
    /// found by trying all of them.
    pub(super) fn of(prepared: &Prepared, scrubber: &Scrubber, secret: bool) -> Self {
        let request = &prepared.request;
        let clean = |text: &str| match secret {
            true => hide_hashes(&scrubber.clean(text)),
            false => scrubber.clean(text),
        };
        let headers = request.headers.iter().map(|(name, value)| {
            let shown = match value.to_str() {
                Ok(_) if value.is_sensitive() => Secret::REDACTED.to_owned(),
                Ok(text) => clean(text),
                Err(_) => "(not text)".to_owned(),
            };
            (name.as_str().to_owned(), shown)
        });
        let evidence = prepared.evidence.as_ref();
        Self {
            method: request.method.to_string(),
            url: match scrubber.clean(request.url.as_str()).split_once('?') {
                Some((address, query)) => format!("{address}?{}", hide_pairs(query, "&", "=")),
                None => scrubber.clean(request.url.as_str()),
            },
            headers: headers.collect(),
            body: hide_members(scrubber.clean(&String::from_utf8_lossy(&request.body))),
            string_to_sign: evidence
                .map(|evidence| clean(evidence.string_to_sign()))
                .map(|text| hide_pairs(&text, "%26", "%3D"))
                .unwrap_or_default(),
        }
    }

    /// The request as a curl command. Hidden secrets make it fail as it is.
    pub fn curl(&self) -> String {
        let mut line = format!("curl -X {} {}", self.method, quoted(&self.url));
        for (name, value) in &self.headers {
            let _ = write!(line, " -H {}", quoted(&format!("{name}: {value}")));
        }
        if !self.body.is_empty() {
            let _ = write!(line, " --data-binary {}", quoted(&self.body));
        }
        line
    }
}

impl fmt::Display for DryRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.curl())?;
        if !self.string_to_sign.is_empty() {
            write!(f, "\n\nstring to sign:\n{}", self.string_to_sign)?;
        }
        Ok(())
    }
}

/// Hides values by their names, also those that are too short to be looked for in texts.
fn hide_pairs(text: &str, between: &str, equals: &str) -> String {
    let pairs = text
        .split(between)
        .map(|pair| match pair.split_once(equals) {
            // Whoever has a signature can send the request, as long as its time is good.
            Some((name, value))
                if !value.is_empty() && (name == "Signature" || secret_name::is_secret(name)) =>
            {
                Cow::Owned(format!("{name}{equals}{}", Secret::REDACTED))
            }
            _ => Cow::Borrowed(pair),
        });
    pairs.collect::<Vec<_>>().join(between)
}

/// Hides SHA-256 in hexadecimal digits.
fn hide_hashes(text: &str) -> String {
    let words = text.split_inclusive(|c: char| !c.is_ascii_hexdigit());
    words
        .map(
            |word| match word.trim_end_matches(|c: char| !c.is_ascii_hexdigit()) {
                hash if hash.len() == 64 => word.replace(hash, Secret::REDACTED),
                _ => word.to_owned(),
            },
        )
        .collect()
}

/// The same in a body, JSON or form.
fn hide_members(body: String) -> String {
    let Ok(mut json) = serde_json::from_str::<Json>(&body) else {
        return hide_pairs(&body, "&", "=");
    };
    if secret_name::hide("", &mut json) {
        json.to_string()
    } else {
        body
    }
}

/// For a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
