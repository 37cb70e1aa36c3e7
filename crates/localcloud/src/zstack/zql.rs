//! What does ZQL ask for? A part of the language: `query` and `count` of one kind of thing, conditions
//! with `and`, `or` and parentheses, `return with (total)`, `order by`, `limit`, `offset`, `named as`.
//! Whatever else it has is refused, as the server refuses what it cannot parse.

use std::iter::Peekable;
use std::vec::IntoIter;

use super::failure::ErrorCode;
use super::query::{Condition, Joins, Row};

/// One statement.
#[derive(Debug, PartialEq)]
pub(super) struct Statement {
    /// Only the number is wanted.
    pub(super) count: bool,
    /// The kind of thing, such as `vminstance`.
    pub(super) entity: String,
    /// The members that are wanted; all when there are none.
    pub(super) fields: Vec<String>,
    pub(super) condition: Option<Expression>,
    pub(super) total: bool,
    /// A member, and whether the largest comes first.
    pub(super) order: Option<(String, bool)>,
    pub(super) limit: Option<usize>,
    pub(super) offset: usize,
    pub(super) name: Option<String>,
}

/// A condition; `and` binds before `or`, as in the SQL that the server makes of it.
#[derive(Debug, PartialEq)]
pub(super) enum Expression {
    Any(Vec<Expression>),
    All(Vec<Expression>),
    /// Field, operator of a query's condition, values.
    Holds(String, &'static str, Vec<String>),
}

impl Expression {
    /// The fields that it asks about.
    pub(super) fn fields<'a>(&'a self, found: &mut Vec<&'a str>) {
        match self {
            Self::Any(parts) | Self::All(parts) => parts.iter().for_each(|part| part.fields(found)),
            Self::Holds(field, ..) => found.push(field),
        }
    }

    pub(super) fn holds(&self, row: &impl Row, joins: &Joins<'_>) -> bool {
        match self {
            Self::Any(parts) => parts.iter().any(|part| part.holds(row, joins)),
            Self::All(parts) => parts.iter().all(|part| part.holds(row, joins)),
            Self::Holds(field, operator, values) => Condition {
                field,
                operator,
                values: values.iter().map(String::as_str).collect(),
            }
            .holds(row, joins),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    /// A word or a number.
    Word(String),
    Text(String),
    Sign(&'static str),
}

/// The longer ones first.
const SIGNS: [&str; 11] = ["!=", ">=", "<=", "=", ">", "<", "(", ")", ",", ";", "."];

/// Field operators by their words, as conditions of a query write them.
const WORDS: [(&[&str], &str); 7] = [
    (&["is", "not", "null"], "not null"),
    (&["is", "null"], "is null"),
    (&["not", "null"], "not null"),
    (&["not", "like"], "!~="),
    (&["not", "in"], "!?="),
    (&["like"], "~="),
    (&["in"], "?="),
];

/// All statements of a text.
pub(super) fn parse(text: &str) -> Result<Vec<Statement>, ErrorCode> {
    let fault = |what: String| ErrorCode::invalid(format!("unable to parse ZQL[{text}]: {what}"));
    let mut tokens = Tokens(tokens(text).map_err(fault)?.into_iter().peekable());
    let mut statements = Vec::new();
    loop {
        statements.push(statement(&mut tokens).map_err(fault)?);
        while tokens.sign(";") {}
        if tokens.0.peek().is_none() {
            return Ok(statements);
        }
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length;
        if first == '\'' || first == '"' {
            let (read, end) = quoted(rest, first)?;
            found.push(Token::Text(read));
            length = end;
        } else if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            found.push(Token::Sign(sign));
            length = sign.len();
        } else {
            let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            if length == 0 {
                return Err(format!("unexpected `{first}`"));
            }
            found.push(Token::Word(rest[..length].to_owned()));
        }
        rest = rest[length..].trim_start();
    }
    Ok(found)
}

/// A text in quotes, those within doubled, and where it ends.
fn quoted(text: &str, quote: char) -> Result<(String, usize), String> {
    let mut read = String::new();
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if letter != quote {
            read.push(letter);
        } else if letters.next_if(|(_, next)| *next == quote).is_some() {
            read.push(quote);
        } else {
            return Ok((read, at + 1));
        }
    }
    Err("a quote is not closed".into())
}

struct Tokens(Peekable<IntoIter<Token>>);

impl Tokens {
    fn sign(&mut self, sign: &'static str) -> bool {
        self.0.next_if_eq(&Token::Sign(sign)).is_some()
    }

    fn need(&mut self, sign: &'static str) -> Result<(), String> {
        match self.sign(sign) {
            true => Ok(()),
            false => Err(format!("expected `{sign}`{}", self.there())),
        }
    }

    fn word(&mut self, word: &str) -> bool {
        let is =
            |token: &Token| matches!(token, Token::Word(own) if own.eq_ignore_ascii_case(word));
        self.0.next_if(is).is_some()
    }

    /// Several words in a row, or none of them.
    fn words(&mut self, words: &[&str]) -> bool {
        let mut ahead = Self(self.0.clone());
        let all = words.iter().all(|word| ahead.word(word));
        if all {
            *self = ahead;
        }
        all
    }

    fn name(&mut self) -> Result<String, String> {
        match self.0.next() {
            Some(Token::Word(word)) => Ok(word),
            other => Err(format!("expected a name, not {other:?}")),
        }
    }

    fn value(&mut self) -> Result<String, String> {
        match self.0.next() {
            Some(Token::Text(text)) => Ok(text),
            Some(Token::Word(word)) => {
                let plain = word.parse::<f64>().is_ok() || word == "true" || word == "false";
                match (plain, self.sign(".")) {
                    (true, true) => Ok(format!("{word}.{}", self.name()?)),
                    (true, false) => Ok(word),
                    (false, _) => Err(format!("`{word}` is no value")),
                }
            }
            other => Err(format!("expected a value, not {other:?}")),
        }
    }

    fn number(&mut self) -> Result<usize, String> {
        let word = self.name()?;
        word.parse().map_err(|_| format!("`{word}` is no number"))
    }

    fn there(&mut self) -> String {
        match self.0.peek() {
            None => " at the end".into(),
            Some(token) => format!(" before {token:?}"),
        }
    }
}

fn statement(tokens: &mut Tokens) -> Result<Statement, String> {
    let count = tokens.word("count");
    if !count && !tokens.word("query") {
        return Err(format!("expected `query` or `count`{}", tokens.there()));
    }
    let entity = tokens.name()?;
    let mut fields = Vec::new();
    if tokens.sign(".") {
        fields.push(tokens.name()?);
        while tokens.sign(",") {
            fields.push(tokens.name()?);
        }
    }
    let condition = match tokens.word("where") {
        true => Some(any(tokens, 0)?),
        false => None,
    };
    let total = !count && tokens.words(&["return", "with"]);
    if total {
        tokens.need("(")?;
        let what = tokens.name()?;
        if what != "total" {
            return Err(format!("nothing is known of `{what}` here"));
        }
        tokens.need(")")?;
    }
    let order = match tokens.words(&["order", "by"]) {
        true => {
            let field = tokens.name()?;
            let last = tokens.word("desc");
            if !last && !tokens.word("asc") {
                return Err(format!("expected `asc` or `desc`{}", tokens.there()));
            }
            Some((field, last))
        }
        false => None,
    };
    let limit = match tokens.word("limit") {
        true => Some(tokens.number()?),
        false => None,
    };
    let offset = match tokens.word("offset") {
        true => tokens.number()?,
        false => 0,
    };
    let name = match tokens.words(&["named", "as"]) {
        true => Some(tokens.value()?),
        false => None,
    };
    match tokens.0.peek() {
        None | Some(Token::Sign(";")) => Ok(Statement {
            count,
            entity: entity.to_ascii_lowercase(),
            fields,
            condition,
            total,
            order,
            limit,
            offset,
            name,
        }),
        Some(token) => Err(format!("unexpected {token:?}")),
    }
}

/// Parentheses go no deeper.
const DEEPEST: u32 = 64;

fn any(tokens: &mut Tokens, depth: u32) -> Result<Expression, String> {
    if depth > DEEPEST {
        return Err("too many parentheses".into());
    }
    let mut parts = vec![all(tokens, depth)?];
    while tokens.word("or") {
        parts.push(all(tokens, depth)?);
    }
    Ok(Expression::Any(parts))
}

fn all(tokens: &mut Tokens, depth: u32) -> Result<Expression, String> {
    let mut parts = Vec::new();
    loop {
        if tokens.sign("(") {
            parts.push(any(tokens, depth + 1)?);
            tokens.need(")")?;
        } else {
            parts.push(holds(tokens)?);
        }
        if !tokens.word("and") {
            return Ok(Expression::All(parts));
        }
    }
}

fn holds(tokens: &mut Tokens) -> Result<Expression, String> {
    let mut field = tokens.name()?;
    while tokens.sign(".") {
        field = format!("{field}.{}", tokens.name()?);
    }
    let signs = ["!=", ">=", "<=", "=", ">", "<"];
    if let Some(operator) = signs.into_iter().find(|sign| tokens.sign(sign)) {
        let value = tokens.value()?;
        return Ok(Expression::Holds(field, operator, vec![value]));
    }
    let known = WORDS.iter().find(|(words, _)| tokens.words(words));
    let Some((_, operator)) = known else {
        return Err(format!("expected an operator{}", tokens.there()));
    };
    let mut values = Vec::new();
    if operator.ends_with("?=") {
        tokens.need("(")?;
        values.push(tokens.value()?);
        while tokens.sign(",") {
            values.push(tokens.value()?);
        }
        tokens.need(")")?;
    } else if !operator.ends_with("null") {
        values.push(tokens.value()?);
    }
    Ok(Expression::Holds(field, operator, values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_read_in_the_grammar_s_order() {
        let read = parse(
            "query VmInstance.name,uuid where (name='it''s' or cpuNum >= 8) and hostUuid is null \
             return with (total) order by name desc limit 10 offset 5 named as 'x'; count zone",
        )
        .unwrap();
        let one = &read[0];
        assert_eq!(one.entity, "vminstance");
        assert_eq!(one.fields, ["name", "uuid"]);
        assert_eq!(one.order, Some(("name".into(), true)));
        assert_eq!((one.limit, one.offset, one.total), (Some(10), 5, true));
        assert_eq!(one.name.as_deref(), Some("x"));
        let holds = |field: &str, operator, values: &[&str]| {
            let values = values.iter().map(ToString::to_string).collect();
            Expression::Holds(field.into(), operator, values)
        };
        let either = Expression::Any(vec![
            Expression::All(vec![holds("name", "=", &["it's"])]),
            Expression::All(vec![holds("cpuNum", ">=", &["8"])]),
        ]);
        let both = Expression::All(vec![either, holds("hostUuid", "is null", &[])]);
        assert_eq!(one.condition, Some(Expression::Any(vec![both])));
        assert!(read[1].count && read[1].entity == "zone");
    }

    #[test]
    fn what_is_not_served_is_refused() {
        for text in [
            "",
            "sum vminstance by cpuNum",
            "query",
            "query vminstance where",
            "query vminstance where name",
            "query vminstance where name='x",
            "query vminstance where name=x",
            "query vminstance restrict by (zone.uuid='x')",
            "query vminstance return with (zwatch)",
            "query vminstance order by name",
            "query vminstance limit many",
            "query vminstance limit 1 where name='x'",
            "query vminstance where (name='x'",
            "query vminstance; drop",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        let deep = format!("query zone where {}", "(".repeat(100_000));
        assert!(parse(&deep).is_err());
    }
}
