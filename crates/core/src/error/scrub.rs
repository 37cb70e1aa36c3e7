//! Removes known secrets from texts that services send back.
//!
//! Services quote requests in their messages: a rejected password, the string to sign with the
//! session token in it. Whatever secret went out with a call is looked for in what comes back.

use zeroize::Zeroizing;

use crate::record::Secret;
use crate::sign::percent;
use crate::wipe;

/// The secrets of one call.
#[derive(Default)]
pub(crate) struct Scrubber(Vec<Secret>);

/// Shorter texts occur by chance, and blanking them would garble messages.
const SHORTEST: usize = 4;

impl Scrubber {
    pub(crate) fn add(&mut self, secret: &str) {
        if secret.len() >= SHORTEST {
            self.0.push(Secret::from(secret));
        }
    }

    /// `text` with each secret replaced, in each form in which answers quote requests.
    pub(crate) fn clean(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.0 {
            for form in forms(secret.expose()).iter().map(|form| form.as_str()) {
                if text.contains(form) {
                    text = text.replace(form, Secret::REDACTED);
                }
                hide_cut(&mut text, form);
            }
        }
        text
    }
}

/// In clear, as HTML, as JSON, and percent-encoded once or twice.
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
    let once = percent::encode(secret);
    forms.push(percent::encode(&once).into());
    forms.push(once.into());
    forms
}

/// Long texts are cut and end in `..`, perhaps within a secret.
fn hide_cut(text: &mut String, form: &str) {
    let Some(end) = text.strip_suffix("..").map(str::len) else {
        return;
    };
    let first = end.saturating_sub(form.len());
    let cut = text[..end]
        .char_indices()
        .map(|(at, _)| at)
        .find(|at| *at >= first && end - at >= SHORTEST && form.starts_with(&text[*at..end]));
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
}
