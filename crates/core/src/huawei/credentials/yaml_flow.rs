//! The part of YAML that looks like JSON: quoted texts, `{..}` and `[..]`.

use crate::record::Json;

use super::yaml::plain;

/// A text that is read from its start.
pub(super) struct Flow<'a> {
    rest: &'a str,
}

/// The value, or `None` where the text ends before it does.
type Partial = Result<Option<Json>, &'static str>;

impl<'a> Flow<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// What has not been read.
    pub(super) fn rest(&self) -> &'a str {
        self.rest
    }

    fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, character: char) -> bool {
        self.skip_spaces();
        let rest = self.rest.strip_prefix(character);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    pub(super) fn value(&mut self, depth: usize) -> Partial {
        let Some(depth) = depth.checked_sub(1) else {
            return Err("is nested too deeply");
        };
        self.skip_spaces();
        match self.rest.chars().next() {
            None => Ok(None),
            Some('{') => self.mapping(depth),
            Some('[') => self.list(depth),
            Some('"') => self.double_quoted(),
            Some('\'') => Ok(self.single_quoted()),
            Some('*' | '&' | '!') => Err("uses YAML that is not supported inside brackets"),
            Some(_) => {
                let end = self.rest.find([',', '}', ']']).unwrap_or(self.rest.len());
                let text = self.rest[..end].trim_end();
                self.rest = &self.rest[end..];
                Ok(Some(plain(text)))
            }
        }
    }

    fn list(&mut self, depth: usize) -> Partial {
        self.rest = &self.rest[1..];
        let mut items = Vec::new();
        loop {
            if self.take(']') {
                return Ok(Some(Json::Array(items)));
            }
            match self.value(depth)? {
                None => return Ok(None),
                Some(item) => items.push(item),
            }
            if !self.take(',') && !self.rest.starts_with(']') {
                return self.unended("lacks a comma between brackets");
            }
        }
    }

    fn mapping(&mut self, depth: usize) -> Partial {
        self.rest = &self.rest[1..];
        let mut members = serde_json::Map::new();
        loop {
            if self.take('}') {
                return Ok(Some(Json::Object(members)));
            }
            let name = if self.rest.starts_with(['"', '\'']) {
                match self.value(depth)? {
                    Some(Json::String(name)) => name,
                    _ => return Ok(None),
                }
            } else {
                let end = self.rest.find([':', ',', '}']).unwrap_or(self.rest.len());
                let name = self.rest[..end].trim_end().to_owned();
                self.rest = &self.rest[end..];
                name
            };
            if !self.take(':') {
                return self.unended("lacks a colon between braces");
            }
            match self.value(depth)? {
                None => return Ok(None),
                Some(value) => members.insert(name, value),
            };
            if !self.take(',') && !self.rest.starts_with('}') {
                return self.unended("lacks a comma between braces");
            }
        }
    }

    fn unended(&self, what: &'static str) -> Partial {
        if self.rest.is_empty() {
            Ok(None)
        } else {
            Err(what)
        }
    }

    fn single_quoted(&mut self) -> Option<Json> {
        let mut text = String::new();
        let mut characters = self.rest[1..].char_indices().peekable();
        while let Some((index, character)) = characters.next() {
            if character != '\'' {
                text.push(character);
            } else if characters.next_if(|(_, next)| *next == '\'').is_some() {
                text.push('\'');
            } else {
                self.rest = &self.rest[index + 2..];
                return Some(Json::String(text));
            }
        }
        None
    }

    fn double_quoted(&mut self) -> Partial {
        let mut text = String::new();
        let mut characters = self.rest[1..].char_indices();
        while let Some((index, character)) = characters.next() {
            match character {
                '"' => {
                    self.rest = &self.rest[index + 2..];
                    return Ok(Some(Json::String(text)));
                }
                '\\' => {
                    let Some((_, escape)) = characters.next() else {
                        return Ok(None);
                    };
                    let digits = match escape {
                        'x' => 2,
                        'u' => 4,
                        'U' => 8,
                        _ => 0,
                    };
                    let made = match escape {
                        'n' => Some('\n'),
                        't' => Some('\t'),
                        'r' => Some('\r'),
                        '0' => Some('\0'),
                        'e' => Some('\u{1b}'),
                        '"' | '\\' | '/' | ' ' => Some(escape),
                        _ if digits > 0 => {
                            let code: String = characters
                                .by_ref()
                                .take(digits)
                                .map(|(_, digit)| digit)
                                .collect();
                            u32::from_str_radix(&code, 16).ok().and_then(char::from_u32)
                        }
                        _ => None,
                    };
                    text.push(made.ok_or("has an escape that YAML does not know")?);
                }
                _ => text.push(character),
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::huawei::credentials::yaml::{Fault, parse};
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_clouds_file_as_people_write_it() {
        let text = r#"---
# our clouds
defaults: &defaults   # shared
  region_name: eu-de
  auth_type: password
clouds:
  otc:
    <<: *defaults
    profile: otc
    auth:
      auth_url: https://iam.eu-de.otc.t-systems.com/v3   # with a colon
      username: 'it''s me'
      password: "a #b: \"c\" \u00fc"
      project_id: 0123
      user_domain_name: OTC-EU-DE-00000000001000000001
    regions:
    - eu-de
    - name: eu-nl
      values: {a: 1, "b c": [x, 'y']}
  other: { auth: { username: u,
      password: p#1 }, region_name: eu-nl }
  empty:
  note: |
    two
      lines
  folded: >-
    one
    line
  plain: a text
    over two lines
...
ignored: yes
"#;
        let json = parse(text).unwrap();
        let otc = &json["clouds"]["otc"];
        assert_eq!(otc["region_name"], "eu-de");
        assert_eq!(otc["profile"], "otc");
        assert_eq!(
            otc["auth"]["auth_url"],
            "https://iam.eu-de.otc.t-systems.com/v3"
        );
        assert_eq!(otc["auth"]["username"], "it's me");
        assert_eq!(otc["auth"]["password"], "a #b: \"c\" ü");
        assert_eq!(otc["auth"]["project_id"], "0123");
        assert_eq!(
            otc["regions"],
            json!(["eu-de", {"name": "eu-nl", "values": {"a": "1", "b c": ["x", "y"]}}])
        );
        assert_eq!(
            json["clouds"]["other"],
            json!({"auth": {"username": "u", "password": "p#1"}, "region_name": "eu-nl"})
        );
        assert_eq!(json["clouds"]["empty"], Json::Null);
        assert_eq!(json["clouds"]["note"], "two\n  lines\n");
        assert_eq!(json["clouds"]["folded"], "one line");
        assert_eq!(json["clouds"]["plain"], "a text over two lines");
        assert_eq!(json.get("ignored"), None);
    }

    #[test]
    fn what_is_not_understood_is_told_by_line() {
        for (text, line) in [
            ("a: 1\n\tb: 2", 2),
            ("a: 1\nb", 2),
            ("a: 1\na: 2", 2),
            ("a:\n    b: 1\n  c: 2", 3),
            ("a: !tag x", 1),
            ("a: *b", 1),
            ("a: \"open", 1),
            ("a: {b: c", 1),
            ("a: {b: c} d", 1),
            ("a: \"\\q\"", 1),
        ] {
            let Err(Fault { line: at, .. }) = parse(text) else {
                panic!("{text:?} was read");
            };
            assert_eq!(at, line, "{text:?}");
        }
        assert_eq!(parse("").unwrap(), Json::Null);
        assert_eq!(parse("# nothing\n---\n").unwrap(), Json::Null);
    }

    #[test]
    fn nesting_and_unfolding_have_limits() {
        let deep = "[".repeat(10_000);
        assert!(parse(&format!("a: {deep}")).is_err());
        let mut steps = String::new();
        for level in 0..10_000 {
            steps.push_str(&" ".repeat(level));
            steps.push_str("- \n");
        }
        assert!(parse(&steps).is_err());
        assert!(parse(&"- ".repeat(10_000)).is_err());
        let mut bomb = "x0: &x0 [a, b, c, d, e, f, g, h]\n".to_owned();
        for level in 1..30 {
            let before = level - 1;
            bomb += &format!(
                "x{level}: &x{level}\n  a: *x{before}\n  b: *x{before}\n  c: *x{before}\n"
            );
        }
        assert!(parse(&bomb).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[-:# {}\\[\\]\"'a-c&*|>\\n\\\\!?,\\t]{0,80}") {
            let _ = parse(&text);
        }

        #[test]
        fn a_json_text_reads_as_itself(text in "\\PC{0,40}") {
            let quoted = Json::String(text.clone()).to_string();
            let json = parse(&format!("a: {quoted}\n"));
            // JSON's escapes \b and \f are the ones that people never write.
            if let Ok(json) = json {
                prop_assert_eq!(&json["a"], &Json::String(text));
            }
        }
    }
}
