//! What does `clouds.yaml` say? The same as OpenStack's own tools read in it, but every scalar stays
//! the text that was written.
//!
//! granit-parser knows the syntax; here its events become JSON as `PyYAML`, which those tools use,
//! would build it: anchors, aliases, merge keys, the core tags. These differences are meant:
//!
//! - `password: 012345`, `1_000`, `0x10`, `yes` and the like are texts. `PyYAML` makes numbers and
//!   booleans of them, which Keystone refuses, or looks for project 83 where 0123 is written. Whoever
//!   wants a yes or no reads the words. Only `null`, `~` and nothing at all are no value.
//! - A key that stands twice is refused: nobody could say which password counts.
//! - The first of several documents counts, where `PyYAML` refuses the file.
//! - What unfolds into itself, or into more than any configuration, is refused.
//!
//! Errors name the line and quote nothing.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::mem::take;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

use crate::record::Json;
use crate::wipe::Wiped;

/// What is wrong, and in which line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) line: usize,
    pub(super) what: &'static str,
}

/// Mappings and lists inside each other, aliases unfolded.
const DEEPEST: usize = 64;
/// Aliases of aliases can make a small file unfold into a huge one: the bytes that copies may take.
const MOST_COPIED: usize = 4 << 20;

/// The first document in `text`; an empty one is null.
pub(super) fn parse(text: &str) -> Result<Wiped, Fault> {
    if let Some(at) = text.find('\0') {
        let line = text[..at].matches('\n').count() + 1;
        let what = "holds NUL characters, as UTF-16 text does: save the file as UTF-8";
        return Err(Fault { line, what });
    }
    let options = granit_parser::options! {
        // As `PyYAML` has it.
        bom_inside_document_as_content: true,
        block_scalar_eof_without_line_feed: true,
        flow_nesting_limit: DEEPEST,
        block_nesting_limit: DEEPEST,
    };
    let mut reader = Reader {
        events: Parser::new_from_str_with_options(text, options),
        anchors: BTreeMap::new(),
        copied: 0,
    };
    reader.document().map_err(|fault| Fault {
        // The end of the text may be counted as a line of its own.
        line: fault.line.clamp(1, text.lines().count().max(1)),
        ..fault
    })
}

/// The YAML of a text, with a fault that can leave the crate: the line, and what is wrong there.
pub fn of_text(text: &str) -> Result<Json, (usize, &'static str)> {
    parse(text)
        .map(|mut json| take(&mut json.0))
        .map_err(|fault| (fault.line, fault.what))
}

struct Reader<'a> {
    events: Parser<'a, StrInput<'a>>,
    /// Nodes that have ended, by the numbers that the parser gives to anchors.
    anchors: BTreeMap<usize, Wiped>,
    copied: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), Fault> {
        match self.events.next_event() {
            Some(Ok(next)) => Ok(next),
            Some(Err(error)) => Err(syntax(&error)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn document(&mut self) -> Result<Wiped, Fault> {
        loop {
            match self.next()? {
                (Event::StreamStart | Event::DocumentStart(..), _) => {}
                (Event::StreamEnd, _) => return Ok(Wiped(Json::Null)),
                (event, span) => {
                    let document = self.node(event, &span, DEEPEST)?;
                    // What follows the node may still be wrong.
                    self.next()?;
                    return Ok(document);
                }
            }
        }
    }

    /// The node that begins with `event`, with at most so many levels.
    fn node(&mut self, event: Event<'a>, span: &Span, levels: usize) -> Result<Wiped, Fault> {
        let (node, anchor) = match event {
            Event::Alias(anchor) => return self.copy(anchor, span, levels),
            Event::Scalar(text, style, anchor, tag) => (scalar(text, style, tag, span)?, anchor),
            Event::SequenceStart(_, anchor, tag) => {
                known(tag, "seq", span)?;
                (self.list(deeper(levels, span)?)?, anchor)
            }
            Event::MappingStart(_, anchor, tag) => {
                known(tag, "map", span)?;
                (self.mapping(deeper(levels, span)?)?, anchor)
            }
            _ => return Err(fault(span, "is no YAML")),
        };
        if anchor > 0 {
            self.meter(size(&node).bytes, span)?;
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn list(&mut self, levels: usize) -> Result<Wiped, Fault> {
        let mut list = Wiped(Json::Array(Vec::new()));
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(list);
            }
            let mut item = self.node(event, &span, levels)?;
            if let Json::Array(items) = &mut list.0 {
                items.push(take(&mut item.0));
            }
        }
    }

    fn mapping(&mut self, levels: usize) -> Result<Wiped, Fault> {
        let mut own = Wiped(Json::Object(serde_json::Map::new()));
        let mut merged = own.clone();
        loop {
            let (event, at) = self.next()?;
            if event == Event::MappingEnd {
                // A mapping's own members count more than those that are merged in.
                move_members(&mut own, &mut merged);
                return Ok(merged);
            }
            let name = match event {
                Event::Scalar(text, ScalarStyle::Plain, 0, None) if text == "<<" => None,
                Event::Scalar(text, _, anchor, tag) => {
                    known(tag, "str", &at)?;
                    let name = text.into_owned();
                    if anchor > 0 {
                        self.anchors
                            .insert(anchor, Wiped(Json::String(name.clone())));
                    }
                    Some(name)
                }
                event => match &mut self.node(event, &at, levels)?.0 {
                    Json::String(name) => Some(take(name)),
                    _ => return Err(fault(&at, "has a key that is no text")),
                },
            };
            let (event, span) = self.next()?;
            let mut value = self.node(event, &span, levels)?;
            match name {
                None => merge(value, &mut merged, &at)?,
                Some(name) if own.get(&name).is_some() => return Err(fault(&at, "repeats a key")),
                Some(name) => own.0[name] = take(&mut value.0),
            }
        }
    }

    fn copy(&mut self, anchor: usize, span: &Span, levels: usize) -> Result<Wiped, Fault> {
        let Some(node) = self.anchors.get(&anchor) else {
            return Err(fault(span, "uses an anchor inside the value that it names"));
        };
        let size = size(node);
        if size.levels > levels {
            return Err(fault(span, TOO_DEEP));
        }
        let node = node.clone();
        self.meter(size.bytes, span)?;
        Ok(node)
    }

    /// Counts what a copy takes.
    fn meter(&mut self, bytes: usize, span: &Span) -> Result<(), Fault> {
        self.copied += bytes;
        match self.copied > MOST_COPIED {
            true => Err(fault(span, "unfolds into too much")),
            false => Ok(()),
        }
    }
}

const TOO_DEEP: &str = "is nested too deeply";

fn fault(span: &Span, what: &'static str) -> Fault {
    let line = span.start.line();
    Fault { line, what }
}

fn deeper(levels: usize, span: &Span) -> Result<usize, Fault> {
    levels.checked_sub(1).ok_or_else(|| fault(span, TOO_DEEP))
}

struct Size {
    levels: usize,
    bytes: usize,
}

/// How deep a value is, and about what a copy of it takes.
fn size(json: &Json) -> Size {
    let of = |size: Size, inner: &Json| {
        let inner = self::size(inner);
        Size {
            levels: size.levels.max(inner.levels + 1),
            bytes: size.bytes + inner.bytes,
        }
    };
    let bytes = size_of::<Json>();
    match json {
        Json::Array(items) => items.iter().fold(Size { levels: 1, bytes }, of),
        Json::Object(members) => {
            let names = members.keys().map(|name| 2 * bytes + name.len());
            let bytes = bytes + names.sum::<usize>();
            members.values().fold(Size { levels: 1, bytes }, of)
        }
        Json::String(text) => Size {
            levels: 0,
            bytes: bytes + text.len(),
        },
        _ => Size { levels: 0, bytes },
    }
}

/// The tag of a node, where it is the one of its kind or says nothing.
fn known(tag: Option<Cow<'_, Tag>>, kind: &str, span: &Span) -> Result<(), Fault> {
    match tag {
        Some(tag) if !is_plain(&tag) && tag.core_suffix() != Some(kind) => {
            Err(fault(span, "has a tag that is not supported here"))
        }
        _ => Ok(()),
    }
}

/// `!` alone: the value is what it would be without.
fn is_plain(tag: &Tag) -> bool {
    tag.parts() == ("", "!")
}

fn scalar(
    text: Cow<'_, str>,
    style: ScalarStyle,
    tag: Option<Cow<'_, Tag>>,
    span: &Span,
) -> Result<Wiped, Fault> {
    let null = match tag.as_deref().map(Tag::core_suffix) {
        None => style == ScalarStyle::Plain && is_null(&text),
        Some(Some("null")) => true,
        Some(Some("str" | "int" | "float" | "bool")) => false,
        Some(_) => {
            known(tag, "str", span)?;
            is_null(&text)
        }
    };
    Ok(Wiped(match null {
        true => Json::Null,
        false => Json::String(text.into_owned()),
    }))
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// Adds the members of what stands at `<<`: of several mappings, the first counts most; of several
/// `<<`, the last.
fn merge(source: Wiped, into: &mut Wiped, at: &Span) -> Result<(), Fault> {
    let mut source = source;
    let mut one = [Json::Null];
    let sources = match &mut source.0 {
        Json::Array(sources) => sources.as_mut_slice(),
        other => {
            one[0] = take(other);
            &mut one
        }
    };
    for source in sources.iter_mut().rev() {
        let mut source = Wiped(take(source));
        if !source.is_object() {
            return Err(fault(at, "merges what is no mapping"));
        }
        move_members(&mut source, into);
    }
    Ok(())
}

/// Moves all members, replacing those of the same name.
fn move_members(from: &mut Wiped, into: &mut Wiped) {
    if let (Json::Object(from), Json::Object(into)) = (&mut from.0, &mut into.0) {
        for (name, value) in take(from) {
            drop(into.insert(name, value).map(Wiped));
        }
    }
}

/// What the parser refuses, in our words: its own may quote the text.
fn syntax(error: &ScanError) -> Fault {
    use ErrorKind as Kind;
    let what = match error.kind() {
        Kind::TabNotAllowed
        | Kind::TabInBlockIndentation
        | Kind::TabInIndentation
        | Kind::TabAtBlockScalarStart
        | Kind::TabInPlainScalar => "is indented with a tab",
        Kind::UnknownAnchor => "uses an anchor that is not set before",
        Kind::RecursionLimitExceeded => TOO_DEEP,
        Kind::UnclosedQuotedScalar
        | Kind::UnclosedFlowCollection { .. }
        | Kind::UnexpectedEofFlowSequence
        | Kind::UnexpectedEofFlowMapping
        | Kind::UnexpectedEofImplicitFlowMapping
        | Kind::DocumentIndicatorInQuotedScalar => "starts a quote or bracket that does not end",
        Kind::MisplacedFlowCollectionEnd | Kind::MismatchedFlowCollectionEnd { .. } => {
            "ends a bracket that does not start"
        }
        Kind::InvalidBlockScalarHeader | Kind::ZeroBlockScalarIndent => {
            "has something after the sign that starts a block text"
        }
        Kind::UnknownQuotedScalarEscape
        | Kind::InvalidQuotedScalarHexEscape
        | Kind::InvalidLowSurrogateHexEscape
        | Kind::InvalidLowSurrogate
        | Kind::MissingLowSurrogate
        | Kind::UnpairedLowSurrogate
        | Kind::InvalidUnicodeEscape => "has an escape that YAML does not know",
        Kind::InvalidTrailingSingleQuotedScalar | Kind::InvalidTrailingDoubleQuotedScalar => {
            "has something after a closing quote or bracket"
        }
        Kind::ExpectedFlowMappingSeparator | Kind::ExpectedFlowSequenceSeparator => {
            "lacks a comma between brackets"
        }
        Kind::SimpleKeyExpected | Kind::InvalidSimpleKey => {
            "is neither `key: value` nor part of a text"
        }
        Kind::MappingValueNotAllowed
        | Kind::InvalidColonPlacement
        | Kind::InvalidMappingValueWhitespace => "has a colon where none may stand",
        Kind::InvalidIndentation
        | Kind::InvalidBlockScalarIndent
        | Kind::InvalidQuotedScalarIndent
        | Kind::InvalidFlowScalarIndent
        | Kind::ExpectedBlockMappingKey
        | Kind::ExpectedBlockSequenceEntry
        | Kind::BlockSequenceEntryNotAllowed => "is indented differently than the lines around it",
        Kind::CommentNotSeparated => "lacks the space that comes before a comment",
        Kind::UnexpectedCharacter { .. } => "has a character that YAML allows only in quotes",
        Kind::UnsupportedYamlMajorVersion => "names a version of YAML that is not known",
        Kind::UndeclaredTagHandle => "has a tag that is not supported here",
        _ => "is no YAML",
    };
    let line = error.marker().line();
    Fault { line, what }
}

#[cfg(test)]
mod tests;
