//! Reads as much YAML as `clouds.yaml` files are written in.
//!
//! Block and flow mappings and lists, quoted, plain and block texts, comments, anchors, aliases and
//! merge keys. Every scalar is a text: `project_id: 0123` must not become a number. What is beyond
//! that (tags, several documents, complex keys) is an error that names the line and quotes nothing.

use std::collections::BTreeMap;

use crate::record::Json;

/// What is wrong, and in which line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) line: usize,
    pub(super) what: &'static str,
}

const DEEPEST: usize = 64;
/// Aliases of aliases can make a small file unfold into a huge one.
const MOST_COPIED: usize = 100_000;

struct Line<'a> {
    number: usize,
    indent: usize,
    /// Without indentation and comment.
    text: &'a str,
    raw: &'a str,
}

struct Reader<'a> {
    lines: Vec<Line<'a>>,
    at: usize,
    depth: usize,
    anchors: BTreeMap<&'a str, Json>,
    copied: usize,
}

/// The document in `text`; an empty one is null.
pub(super) fn parse(text: &str) -> Result<Json, Fault> {
    let mut lines = Vec::new();
    let mut started = false;
    for (index, raw) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let number = index + 1;
        let bare = raw.trim_start_matches(' ');
        let text = without_comment(bare).trim_end();
        match text {
            "---" if !started && lines.iter().all(|line: &Line<'_>| line.text.is_empty()) => {
                started = true;
                continue;
            }
            "---" | "..." if raw.len() == bare.len() => break,
            _ => {}
        }
        if bare.starts_with('\t') && !text.is_empty() {
            return Err(Fault {
                line: number,
                what: "is indented with a tab",
            });
        }
        lines.push(Line {
            number,
            indent: raw.len() - bare.len(),
            text,
            raw,
        });
    }
    let mut reader = Reader {
        lines,
        at: 0,
        depth: 0,
        anchors: BTreeMap::new(),
        copied: 0,
    };
    let value = match reader.peek() {
        None => return Ok(Json::Null),
        Some(_) => reader.node()?,
    };
    match reader.peek() {
        None => Ok(value),
        Some(line) => Err(fault(
            line.number,
            "is indented differently than the lines around it",
        )),
    }
}

/// [`parse`], with a fault that can leave the crate.
#[cfg(fuzzing)]
pub fn of_text(text: &str) -> Result<Json, (usize, &'static str)> {
    parse(text).map_err(|fault| (fault.line, fault.what))
}

fn fault(line: usize, what: &'static str) -> Fault {
    Fault { line, what }
}

/// Cuts off a comment: `#` at the start or after a space, outside of quotes.
fn without_comment(text: &str) -> &str {
    let mut quote = None;
    let mut before = ' ';
    let mut escaped = false;
    for (index, character) in text.char_indices() {
        match quote {
            Some(open) => {
                if !escaped && character == open {
                    quote = None;
                }
                escaped = open == '"' && character == '\\' && !escaped;
            }
            None if matches!(character, '"' | '\'')
                && matches!(before, ' ' | ':' | '[' | '{' | ',' | '-') =>
            {
                quote = Some(character);
            }
            None if character == '#' && before.is_whitespace() => return &text[..index],
            None => {}
        }
        before = character;
    }
    text
}

impl<'a> Reader<'a> {
    /// The next line with something on it.
    fn peek(&mut self) -> Option<&Line<'a>> {
        while self
            .lines
            .get(self.at)
            .is_some_and(|line| line.text.is_empty())
        {
            self.at += 1;
        }
        self.lines.get(self.at)
    }

    fn number(&self) -> usize {
        self.lines
            .get(self.at)
            .or(self.lines.last())
            .map_or(1, |line| line.number)
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        if self.depth >= DEEPEST {
            return Err(fault(self.number(), "is nested too deeply"));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// A mapping, list or scalar that begins on the next line.
    fn node(&mut self) -> Result<Json, Fault> {
        self.deeper(|reader| {
            let number = reader.number();
            let Some(line) = reader.peek() else {
                return Ok(Json::Null);
            };
            let (indent, text) = (line.indent, line.text);
            if is_item(text) {
                return reader.list(indent);
            }
            if key(text).is_some() {
                return reader.mapping(indent);
            }
            if text.starts_with(['?', '!', '%', '@', '`']) {
                return Err(fault(number, "uses YAML that is not supported here"));
            }
            reader.at += 1;
            reader.scalar(text, indent)
        })
    }

    fn list(&mut self, indent: usize) -> Result<Json, Fault> {
        let mut items = Vec::new();
        while let Some(line) = self.peek() {
            if line.indent != indent || !is_item(line.text) {
                break;
            }
            let rest = line.text[1..].trim_start();
            let inner = indent + line.text.len() - rest.len();
            if rest.is_empty() {
                self.at += 1;
                items.push(self.below(indent, false)?);
            } else {
                // What follows the dash is a node of its own, that far to the right.
                let line = &mut self.lines[self.at];
                (line.indent, line.text) = (inner, rest);
                items.push(self.node()?);
            }
        }
        Ok(Json::Array(items))
    }

    fn mapping(&mut self, indent: usize) -> Result<Json, Fault> {
        let mut members = serde_json::Map::new();
        while let Some(line) = self.peek() {
            if line.indent != indent || is_item(line.text) {
                break;
            }
            let (number, text) = (line.number, line.text);
            let (name, rest) =
                key(text).ok_or(fault(number, "is neither `key: value` nor part of a text"))?;
            let Some(Json::String(name)) = scalar(name) else {
                return Err(fault(number, "has a key that is not a plain text"));
            };
            self.at += 1;
            let value = self.value(rest, indent)?;
            if members.insert(name, value).is_some() {
                return Err(fault(number, "repeats a key"));
            }
        }
        if let Some(merged) = members.remove("<<") {
            let sources = match merged {
                Json::Array(sources) => sources,
                one => vec![one],
            };
            for (name, value) in sources.into_iter().filter_map(object).flatten() {
                members.entry(name).or_insert(value);
            }
        }
        Ok(Json::Object(members))
    }

    /// What follows `key:`, on its line or below it.
    fn value(&mut self, rest: &'a str, indent: usize) -> Result<Json, Fault> {
        if let Some(named) = rest.strip_prefix('&') {
            let (anchor, rest) = named.split_once(' ').unwrap_or((named, ""));
            let value = self.value(rest.trim_start(), indent)?;
            self.anchors.insert(anchor, value.clone());
            return Ok(value);
        }
        if rest.is_empty() {
            return self.below(indent, true);
        }
        self.scalar(rest, indent)
    }

    /// The node below a line, if the next line is further to the right. A list may stand right
    /// below its key.
    fn below(&mut self, indent: usize, of_key: bool) -> Result<Json, Fault> {
        match self.peek() {
            Some(line) if line.indent > indent => self.node(),
            Some(line) if of_key && line.indent == indent && is_item(line.text) => {
                self.deeper(|reader| reader.list(indent))
            }
            _ => Ok(Json::Null),
        }
    }

    /// A value that begins with `text`, whose line has been passed.
    fn scalar(&mut self, text: &'a str, indent: usize) -> Result<Json, Fault> {
        let number = self
            .lines
            .get(self.at.saturating_sub(1))
            .map_or(1, |line| line.number);
        if let Some(name) = text.strip_prefix('*') {
            let value = self
                .anchors
                .get(name)
                .ok_or(fault(number, "uses an anchor that is not set before"))?;
            self.copied += size(value);
            if self.copied > MOST_COPIED {
                return Err(fault(number, "unfolds into too much"));
            }
            return Ok(value.clone());
        }
        if text.starts_with(['|', '>']) {
            return Ok(self.block(text, indent));
        }
        if text.starts_with(['!', '%', '@', '`']) {
            return Err(fault(number, "uses YAML that is not supported here"));
        }
        // Texts and flow values may go on over the lines below.
        let mut whole = text.to_owned();
        let open = text.starts_with(['{', '[', '"', '\'']);
        loop {
            if open && let Some(value) = self.flow(&whole, number)? {
                return Ok(value);
            }
            match self.peek() {
                Some(line) if line.indent > indent => {
                    whole.push(' ');
                    whole.push_str(line.text);
                    self.at += 1;
                }
                _ if open => {
                    return Err(fault(number, "starts a quote or bracket that does not end"));
                }
                _ => return Ok(plain(&whole)),
            }
        }
    }

    /// A flow value that is all of `text`; `None` where it has not ended.
    fn flow(&self, text: &str, line: usize) -> Result<Option<Json>, Fault> {
        let mut flow = super::yaml_flow::Flow::new(text);
        match flow.value(DEEPEST - self.depth) {
            Err(what) => Err(fault(line, what)),
            Ok(None) => Ok(None),
            Ok(Some(value)) if flow.rest().trim().is_empty() => Ok(Some(value)),
            Ok(Some(_)) => Err(fault(
                line,
                "has something after a closing quote or bracket",
            )),
        }
    }

    /// A text of several lines, kept as they are or folded into one.
    fn block(&mut self, header: &str, indent: usize) -> Json {
        let fold = header.starts_with('>');
        let mut text = String::new();
        let mut left = None;
        while let Some(line) = self.lines.get(self.at) {
            let blank = line.raw.trim().is_empty();
            if !blank && line.indent <= indent {
                break;
            }
            let left = *left.get_or_insert(line.indent);
            text.push_str(
                line.raw
                    .get(left.min(line.indent)..)
                    .unwrap_or_default()
                    .trim_end(),
            );
            text.push(if fold { ' ' } else { '\n' });
            self.at += 1;
        }
        let text = text.trim_end();
        let end = if header.contains('-') || fold {
            ""
        } else {
            "\n"
        };
        Json::String(format!("{text}{end}"))
    }
}

fn object(json: Json) -> Option<serde_json::Map<String, Json>> {
    match json {
        Json::Object(object) => Some(object),
        _ => None,
    }
}

fn size(json: &Json) -> usize {
    match json {
        Json::Array(items) => 1 + items.iter().map(size).sum::<usize>(),
        Json::Object(members) => 1 + members.values().map(size).sum::<usize>(),
        _ => 1,
    }
}

fn is_item(text: &str) -> bool {
    text == "-" || text.starts_with("- ")
}

/// The key of a line and what follows it; a colon counts before a space and at the end.
fn key(text: &str) -> Option<(&str, &str)> {
    if text.starts_with(['{', '[', '|', '>', '*', '&', '?', '!']) {
        return None;
    }
    let from = match text.chars().next()? {
        quote @ ('"' | '\'') => text[1..].find(quote)? + 2,
        _ => 0,
    };
    let colon = text
        .get(from..)?
        .match_indices(':')
        .map(|(index, _)| from + index)
        .find(|index| {
            let after = text[index + 1..].chars().next();
            after.is_none_or(|after| after == ' ')
        })?;
    Some((text[..colon].trim_end(), text[colon + 1..].trim_start()))
}

/// A text in or without quotes, on one line.
fn scalar(text: &str) -> Option<Json> {
    if !text.starts_with(['"', '\'']) {
        return Some(Json::String(text.to_owned()));
    }
    let mut flow = super::yaml_flow::Flow::new(text);
    let value = flow.value(1).ok()??;
    flow.rest().is_empty().then_some(value)
}

/// A text without quotes; `null` and `~` are none.
pub(super) fn plain(text: &str) -> Json {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Json::Null,
        text => Json::String(text.to_owned()),
    }
}
