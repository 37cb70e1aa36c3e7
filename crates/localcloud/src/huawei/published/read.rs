//! What does a file of definitions say? JSON or YAML, as one value.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, StrInput};
use serde_json::{Map, Value};

/// Mappings and lists inside each other.
const DEEPEST: usize = 64;
/// Values that aliases may copy.
const MOST_COPIED: usize = 100_000;

/// The document, or what is wrong and where.
pub(super) fn document(text: &str) -> Result<Value, String> {
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).map_err(|error| error.to_string());
    }
    let options = granit_parser::options! {
        flow_nesting_limit: DEEPEST,
        block_nesting_limit: DEEPEST,
    };
    let mut yaml = Yaml {
        events: Parser::new_from_str_with_options(text, options),
        anchors: HashMap::new(),
        copied: 0,
        line: 1,
    };
    yaml.document()
        .map_err(|what| format!("{what} at line {}", yaml.line))
}

struct Yaml<'a> {
    events: Parser<'a, StrInput<'a>>,
    anchors: HashMap<usize, Value>,
    copied: usize,
    line: usize,
}

impl<'a> Yaml<'a> {
    fn next(&mut self) -> Result<Event<'a>, String> {
        match self.events.next_event() {
            Some(Ok((event, span))) => {
                self.line = span.start.line();
                Ok(event)
            }
            Some(Err(error)) => {
                self.line = error.marker().line();
                Err("no YAML".to_owned())
            }
            None => Ok(Event::StreamEnd),
        }
    }

    fn document(&mut self) -> Result<Value, String> {
        loop {
            match self.next()? {
                Event::StreamStart | Event::DocumentStart(..) => {}
                Event::StreamEnd => return Ok(Value::Null),
                event => {
                    let value = self.node(event, DEEPEST)?;
                    self.next()?;
                    return Ok(value);
                }
            }
        }
    }

    fn node(&mut self, event: Event<'a>, levels: usize) -> Result<Value, String> {
        let inner = levels.checked_sub(1).ok_or("nested too deeply");
        let (value, anchor) = match event {
            Event::Alias(anchor) => {
                let value = self
                    .anchors
                    .get(&anchor)
                    .ok_or("an unknown anchor")?
                    .clone();
                self.copied += count(&value);
                if self.copied > MOST_COPIED {
                    return Err("too many copies".to_owned());
                }
                return Ok(value);
            }
            Event::Scalar(text, style, anchor, _) => {
                let plain = style == ScalarStyle::Plain;
                let value = if plain {
                    scalar(&text)
                } else {
                    text.into_owned().into()
                };
                (value, anchor)
            }
            Event::SequenceStart(_, anchor, _) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        Event::SequenceEnd => break,
                        event => items.push(self.node(event, inner?)?),
                    }
                }
                (Value::from(items), anchor)
            }
            Event::MappingStart(_, anchor, _) => {
                let mut members = Map::new();
                let mut merged = Map::new();
                loop {
                    let key = match self.next()? {
                        Event::MappingEnd => break,
                        // Keys are texts: `200:` names a status.
                        Event::Scalar(text, ..) => text.into_owned(),
                        _ => return Err("a key that is no text".to_owned()),
                    };
                    let event = self.next()?;
                    match (key.as_str(), self.node(event, inner?)?) {
                        ("<<", Value::Object(more)) => merged.extend(more),
                        (_, value) => drop(members.insert(key, value)),
                    }
                }
                // A mapping's own members count more than those that are merged in.
                for (name, value) in merged {
                    members.entry(name).or_insert(value);
                }
                (Value::from(members), anchor)
            }
            _ => return Err("no YAML".to_owned()),
        };
        if anchor > 0 {
            self.anchors.insert(anchor, value.clone());
        }
        Ok(value)
    }
}

fn count(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(count).sum::<usize>(),
        Value::Object(members) => 1 + members.values().map(count).sum::<usize>(),
        _ => 1,
    }
}

/// A plain scalar by YAML's core schema.
fn scalar(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => true.into(),
        "false" | "False" | "FALSE" => false.into(),
        _ => match text.parse::<i64>() {
            Ok(number) => number.into(),
            Err(_) => text.into(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::document;
    use serde_json::json;

    #[test]
    fn both_forms() {
        let merged = "a: &a {b: 1, c: 2}\nd:\n  <<: *a\n  c: 3\n";
        assert_eq!(document(merged).unwrap()["d"], json!({"b": 1, "c": 3}));
        let yaml = "a: &x [1, true, '1']\nb:\n  200: *x\n  c: |\n    text\nd:\n";
        let read =
            json!({"a": [1, true, "1"], "b": {"200": [1, true, "1"], "c": "text\n"}, "d": null});
        assert_eq!(document(yaml), Ok(read));
        assert_eq!(document("{\"a\": 1}"), Ok(json!({"a": 1})));
    }

    #[test]
    fn what_is_wrong_has_a_place() {
        for (text, place) in [
            ("{\"a\": }", "line 1 column 7"),
            ("a: 1\nb: [\n", "line"),
            ("a: 1\nb: c: d\n", "line 2"),
            ("a: *x\n", "line 1"),
        ] {
            let why = document(text).unwrap_err();
            assert!(why.contains(place), "{text:?}: {why}");
        }
        let deep = "[".repeat(5000);
        assert!(document(&deep).is_err());
        let laughs = "a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e]\n";
        assert!(document(laughs).unwrap_err().contains("too many copies"));
    }
}
