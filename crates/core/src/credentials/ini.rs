//! Reads `[section]` and `key = value`, as the vendors' credential files have them.

use std::path::Path;

use zeroize::Zeroize as _;

use super::{CredentialError, Reason};

/// The sections of a file, in order, with their keys in lower case.
pub(crate) struct Ini(Vec<(String, Vec<(String, String)>)>);

impl Drop for Ini {
    fn drop(&mut self) {
        let settings = self.0.iter_mut().flat_map(|(_, settings)| settings);
        settings.for_each(|(_, value)| value.zeroize());
    }
}

impl Ini {
    /// Parses `text`; an error names the line's number, not its content.
    pub(crate) fn parse(
        provider: &'static str,
        path: &Path,
        text: &str,
    ) -> Result<Self, CredentialError> {
        let mut sections: Vec<(String, Vec<(String, String)>)> = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = without_comment(line).trim();
            if line.is_empty() {
                continue;
            }
            let wrong = |what: &str, hint: &str| {
                let message = format!("line {} of {} {what}", number + 1, path.display());
                CredentialError::new(Reason::Misconfigured, provider, message).with_hint(hint)
            };
            if let Some(rest) = line.strip_prefix('[') {
                let name = rest.strip_suffix(']').ok_or_else(|| {
                    wrong("starts a section and does not end it", "Write it as [name]")
                })?;
                sections.push((name.trim().to_owned(), Vec::new()));
                continue;
            }
            let (key, value) = line.split_once('=').ok_or_else(|| {
                wrong(
                    "is neither a section nor a setting",
                    "Write it as `key = value`",
                )
            })?;
            let (_, settings) = sections.last_mut().ok_or_else(|| {
                wrong(
                    "stands before any section",
                    "Start the file with a line such as [default]",
                )
            })?;
            settings.push((key.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
        Ok(Self(sections))
    }

    /// Whether there is a section of this name.
    pub(crate) fn has(&self, section: &str) -> bool {
        self.0.iter().any(|(name, _)| name == section)
    }

    /// A setting; an empty one counts as not set. The last of several counts.
    pub(crate) fn get(&self, section: &str, key: &str) -> Option<&str> {
        let all = self.0.iter().filter(|(name, _)| name == section);
        let values = all.flat_map(|(_, settings)| settings);
        values
            .filter(|(name, value)| name == key && !value.is_empty())
            .map(|(_, value)| value.as_str())
            .next_back()
    }
}

/// Cuts off a comment. Inside a line it must follow a space: secrets may hold `#` and `;`.
fn without_comment(line: &str) -> &str {
    let mut before = ' ';
    for (index, character) in line.char_indices() {
        if matches!(character, '#' | ';') && before.is_whitespace() {
            return &line[..index];
        }
        before = character;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Ini, CredentialError> {
        Ini::parse("test", Path::new("file.ini"), text)
    }

    #[test]
    fn sections_keys_and_comments() {
        let ini = parse("# top\n[default] ; first\n Type = access_key # kind\nsecret=a#b;c==\nempty =\n[b]\r\nx=1\r\n").unwrap();
        assert!(ini.has("default") && ini.has("b") && !ini.has("c"));
        assert_eq!(ini.get("default", "type"), Some("access_key"));
        assert_eq!(ini.get("default", "secret"), Some("a#b;c=="));
        assert_eq!(ini.get("default", "empty"), None);
        assert_eq!(ini.get("b", "x"), Some("1"));
        assert_eq!(ini.get("c", "x"), None);
    }

    #[test]
    fn a_broken_line_is_named_and_not_quoted() {
        for text in ["[default]\nhunter2", "hunter2 = 1", "[hunter2"] {
            let error = parse(text).err().unwrap().to_string();
            assert!(
                error.contains("line ") && error.contains("file.ini"),
                "{error}"
            );
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
