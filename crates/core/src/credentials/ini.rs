//! Reads `[section]` and `key = value`, as the vendors' credential files have them.
//!
//! The vendor's tools do not agree on such files: those in Python read them with `configparser`, those
//! in Go with `ini.v1`. Where both read a file alike, so does this: `=` and `:`, a byte order mark.
//! Else it is read as people meant it: keys in any case and quotes around a value (Go keeps the case,
//! Python the quotes), further indented lines go on with a value (Python), comments in a line, but only
//! after a space (both cut a secret at its first `#`), and of settings that repeat the last counts (Go).

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
        // How far the setting is indented that the next lines may go on with.
        let mut open = None;
        for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            let wrong = |what: &str, hint: &str| {
                let message = format!("line {} of {} {what}", number + 1, path.display());
                CredentialError::new(Reason::Misconfigured, provider, message).with_hint(hint)
            };
            let settings = sections.last_mut().map(|(_, settings)| settings);
            if let Some(settings) = settings
                && let Some((_, value)) = settings.last_mut()
                && open.is_some_and(|open| indent > open)
            {
                go_on(value, without_comment(line));
                continue;
            }
            if let Some(rest) = line.strip_prefix('[') {
                let (name, _) = rest.rsplit_once(']').ok_or_else(|| {
                    wrong("starts a section and does not end it", "Write it as [name]")
                })?;
                sections.push((name.trim().to_owned(), Vec::new()));
                open = None;
                continue;
            }
            let (key, value) = line.split_once(['=', ':']).ok_or_else(|| {
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
            let value = unquoted(value.trim()).to_owned();
            settings.push((key.trim().to_ascii_lowercase(), value));
            open = Some(indent);
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

/// Adds a line to a value, and wipes what the value outgrows.
fn go_on(value: &mut String, line: &str) {
    let longer = format!("{value}\n{line}");
    value.zeroize();
    *value = longer;
}

/// What stands between quotes, or else before a comment.
fn unquoted(value: &str) -> &str {
    let quoted = value.chars().next().and_then(|quote| {
        let inside = value.strip_prefix(['"', '\''])?;
        let (inside, after) = inside.split_once(quote)?;
        without_comment(after).is_empty().then_some(inside)
    });
    quoted.unwrap_or_else(|| without_comment(value))
}

/// Cuts off a comment. It must follow a space: secrets may hold `#` and `;`.
fn without_comment(text: &str) -> &str {
    let mut before = ' ';
    for (index, character) in text.char_indices() {
        if matches!(character, '#' | ';') && before.is_whitespace() {
            return text[..index].trim_end();
        }
        before = character;
    }
    text
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

    #[test]
    fn files_are_read_as_the_vendors_tools_read_them() {
        // What Python's `configparser` reads, and what Go's `ini.v1` does; quotes as Go has them.
        for (text, value) in [
            ("\u{feff}[s]\nk = v\n", "v"),
            ("[s]\nk: v\n", "v"),
            ("[s]\nK=v\n", "v"),
            ("[s]\nk = \"v\"\n", "v"),
            ("[s]\nk = 'v'\n", "v"),
            ("[s]\nk = 'v' # c\n", "v"),
            ("[s]\nk = \"a #b\"\n", "a #b"),
            ("[s]\nk = \"a\" b\n", "\"a\" b"),
            ("[s]\nk = \"v\n", "\"v"),
            ("[s]\nk = it's\n", "it's"),
            ("[s]\nk = a=b:c\n", "a=b:c"),
            ("[s]\nk: a=b\n", "a=b"),
            ("[s]\nk = a\n  b\n", "a\nb"),
            ("[s]\nk = {\n  \"x\": 1\n  }\n", "{\n\"x\": 1\n}"),
            ("[s]\nk =\n  a\n", "\na"),
            ("[s]\nk = a\n  # c\n  b\n", "a\nb"),
            ("[s]\n  k = v\n  l = w\n", "v"),
            ("[s]\n  l = w\n k = v\n", "v"),
            ("[s] ; c\r\nk = v\r\n", "v"),
            ("[s]\n; c\n  # c\nk = v # c\n", "v"),
            ("[s]\nk = v\n[t]\nk = w\n", "v"),
            ("[s]\nk = w\n[s]\nk = v\n", "v"),
            ("[s]\nk = w\nk = v\n", "v"),
            ("[a]b]\n[s]\nk = v\n", "v"),
            ("[s]\nk = 100%\n", "100%"),
        ] {
            assert_eq!(parse(text).unwrap().get("s", "k"), Some(value), "{text:?}");
        }
    }
}
