//! Removes known secrets from texts that services send back.
//!
//! Services quote requests in their messages: a rejected password, the string to sign with the
//! session token in it. Whatever secret went out with a call is looked for in what comes back. What is
//! left is made fit for a terminal and a log line.

use zeroize::Zeroizing;

use crate::record::Secret;
use crate::sign::percent;
use crate::wipe;

/// The secrets of one call.
#[derive(Default)]
pub(crate) struct Scrubber(Vec<Secret>);

/// Shorter texts occur by chance, and blanking them would garble messages.
const SHORTEST: usize = 4;
/// Bytes of one text in an error.
const LONGEST: usize = 4096;

impl Scrubber {
    pub(crate) fn add(&mut self, secret: &str) {
        if secret.len() >= SHORTEST {
            self.0.push(Secret::from(secret));
        }
    }

    /// `text` with each secret replaced, in each form in which answers quote requests, in capitals too.
    pub(crate) fn clean(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.0 {
            for form in forms(secret.expose()).iter().map(|form| form.as_str()) {
                hide(&mut text, form);
                hide_cut(&mut text, form);
            }
        }
        text
    }

    /// What a service wrote, fit to be told: secrets and control characters replaced, not too long.
    pub(crate) fn tell(&self, text: &str) -> String {
        let mut text: String = self.clean(text).chars().map(printable).collect();
        if text.len() > LONGEST {
            let end = (0..=LONGEST - 2)
                .rev()
                .find(|at| text.is_char_boundary(*at));
            let end = end.unwrap_or_default();
            text.truncate(end);
            text.push_str("..");
        }
        text
    }
}

/// Whether `text` can be told as it is. Looks only at ids of plain letters, as services write them, so
/// that a successful call costs next to nothing; everything else is for [`Scrubber::tell`].
pub(crate) fn is_plain<'a>(text: &str, mut secrets: impl Iterator<Item = &'a Secret>) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':');
    text.len() <= LONGEST
        && text.bytes().all(plain)
        && !secrets.any(|secret| {
            let secret = secret.expose().as_bytes();
            let mut parts = text.as_bytes().windows(secret.len().max(SHORTEST));
            // Nearly all parts differ in their first letter.
            let first = secret.first().map(u8::to_ascii_lowercase);
            parts.any(|part| {
                part.first().map(u8::to_ascii_lowercase) == first
                    && part.eq_ignore_ascii_case(secret)
            })
        })
}

/// Control characters drive terminals; marks that turn the direction of writing deceive readers.
fn printable(c: char) -> char {
    match c {
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => ' ',
        c if c.is_control() => ' ',
        c => c,
    }
}

/// In clear, as HTML, as one line, as JSON, and percent-encoded once or twice.
fn forms(secret: &str) -> Vec<Zeroizing<String>> {
    let mut forms = vec![Zeroizing::new(secret.to_owned())];
    if secret.contains(['&', '<', '>', '"']) {
        let html = secret
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        forms.push(html.replace('"', "&quot;").into());
        forms.push(html.into());
    }
    let json = Zeroizing::new(wipe::to_json(&secret));
    if let Some(inside) = json.get(1..json.len().saturating_sub(1)) {
        forms.push(String::from_utf8_lossy(inside).into_owned().into());
    }
    let words: Vec<&str> = secret.split_whitespace().collect();
    // Excerpts are one line of words.
    forms.push(words.join(" ").into());
    // Read as Latin-1 and written as UTF-8, a frequent mistake.
    if !secret.is_ascii() {
        let mistaken: String = secret.bytes().map(char::from).collect();
        forms.push(mistaken.into());
    }
    let once = percent::encode(secret);
    forms.push(percent::encode(&once).into());
    forms.push(once.into());
    forms.retain(|form| form.len() >= SHORTEST);
    // Most secrets are the same in most forms.
    forms.dedup();
    forms
}

/// Whatever the case of ASCII letters, which all have one length, so that positions stay the same.
fn hide(text: &mut String, form: &str) {
    let form = Zeroizing::new(form.to_ascii_lowercase());
    let lower = Zeroizing::new(text.to_ascii_lowercase());
    let mut found = lower.match_indices(form.as_str()).peekable();
    if found.peek().is_none() {
        return;
    }
    let (mut clean, mut rest) = (String::with_capacity(text.len()), 0);
    for (at, hidden) in found {
        clean.push_str(&text[rest..at]);
        clean.push_str(Secret::REDACTED);
        rest = at + hidden.len();
    }
    clean.push_str(&text[rest..]);
    *text = clean;
}

/// Long texts are cut and end in `..`, perhaps within a secret.
fn hide_cut(text: &mut String, form: &str) {
    let Some(end) = text.strip_suffix("..").map(str::len) else {
        return;
    };
    let first = end.saturating_sub(form.len());
    let begins = |part: &str| {
        let form = form.as_bytes().get(..part.len());
        form.is_some_and(|form| form.eq_ignore_ascii_case(part.as_bytes()))
    };
    let cut = text[..end]
        .char_indices()
        .map(|(at, _)| at)
        .find(|at| *at >= first && end - at >= SHORTEST && begins(&text[*at..end]));
    if let Some(at) = cut {
        text.replace_range(at..end, Secret::REDACTED);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_in_every_encoding() {
        let mut scrubber = Scrubber::default();
        scrubber.add("p/w+1");
        scrubber.add("abc");
        let text = scrubber.clean("p/w+1 p%2Fw%2B1 p%252Fw%252B1 abc");
        assert!(!text.contains('/') && !text.contains("2F"), "{text}");
        assert!(text.ends_with("abc"));
    }

    #[test]
    fn quoting_and_cutting_hide_nothing() {
        let mut scrubber = Scrubber::default();
        scrubber.add(r#"pa"ss&<1>\9"#);
        let text = scrubber.clean(r#"{"x":"pa\"ss&<1>\\9"} pa"ss&amp;&lt;1&gt;\9 pa&quot;ss&amp;&lt;1&gt;\9 pa%22ss%26%3C1%3E%5C9"#);
        assert!(!text.contains("ss") && !text.contains('9'), "{text}");
        assert!(!scrubber.clean(r#"a pa"ss&.."#).contains("ss"));
        assert_eq!(scrubber.clean("a pa.."), "a pa..");
        assert_eq!(scrubber.clean("é.."), "é..");
    }

    #[test]
    fn capitals_hide_nothing() {
        let mut scrubber = Scrubber::default();
        scrubber.add("Hunter/2é");
        scrubber.add("dacted");
        for echoed in ["HUNTER/2é", "hunter/2é", "HUNTER%2f2%c3%a9", "x HUNTER/.."] {
            let text = scrubber.clean(echoed);
            assert!(!text.to_lowercase().contains("hunter"), "{text}");
        }
        assert_eq!(
            scrubber.clean("É DACTEDDacted é"),
            format!("É {0}{0} é", Secret::REDACTED)
        );
        assert_eq!(scrubber.clean("Hunting HUNTER"), "Hunting HUNTER");
    }

    #[test]
    fn what_is_told_is_fit_for_a_terminal() {
        let mut scrubber = Scrubber::default();
        scrubber.add("two  words\nand\u{1b}more");
        assert_eq!(
            scrubber.tell("a\u{1b}[31mred\r\n\u{9b}2J\u{0}\u{202e}z é"),
            "a [31mred   2J  z é"
        );
        assert!(
            !scrubber
                .tell("x two words and\u{1b}more y")
                .contains("words")
        );
        assert!(
            !scrubber
                .tell("x two  words\nand\u{1b}more y")
                .contains("words")
        );
        assert_eq!(scrubber.tell(&"a".repeat(LONGEST)), "a".repeat(LONGEST));
        for letter in ["a", "é", "中"] {
            let told = scrubber.tell(&letter.repeat(LONGEST + 1));
            assert!(
                told.len() <= LONGEST && told.ends_with(".."),
                "{}",
                told.len()
            );
        }
    }

    #[test]
    fn plain_ids_are_told_as_they_are() {
        let secrets = [
            Secret::from("5e55105e"),
            Secret::from("a/b=c"),
            Secret::from("ab"),
        ];
        for (text, plain) in [
            ("E2DA3097-79B9-53AE-B0DF-281DC54F1234", true),
            ("", true),
            ("ab", true),
            ("x5e55105ex", false),
            ("x5E55105Ex", false),
            ("a%2Fb%3Dc", false),
            ("a b", false),
            ("a\u{1b}", false),
            ("a..", false),
        ] {
            assert_eq!(is_plain(text, secrets.iter()), plain, "{text}");
        }
        assert!(!is_plain(&"a".repeat(LONGEST + 1), secrets.iter()));
    }
}
