//! A success status is no success yet: some services answer 200 and say in the body that it failed.
//!
//! Whatever the operation's output has no member for, and errors are written in, is picked up while
//! the answer is decoded; nothing is read twice. A member that the output has is data.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;

use crate::error::Kind;
use crate::record::{self, Json, Location, Problem, Record, Schema, Unreadable};
use crate::transport::HttpResponse;

use super::classify::{self, Tables};
use super::{Failure, Verdict};
use crate::error::body::{self, Loose};

/// Members in which services write errors.
const WATCH: &[&str] = &[
    "Code",
    "code",
    "error_code",
    "errorCode",
    "error_msg",
    "errorMsg",
    "error",
    "errors",
    "Success",
    "success",
    "Message",
    "message",
    "RequestId",
    "requestId",
    "request_id",
];

/// A code under one of these is a failure by itself,
const CODES: &[&str] = &["error_code", "errorCode", "Code"];
/// and so is a text under one of these.
const TEXTS: &[&str] = &["error_msg", "errorMsg"];

/// Decodes a body that came with a success status.
pub(crate) fn read(tables: &Tables, reply: &HttpResponse, output: &mut dyn Record) -> Verdict {
    let answer = match record::decode_answer(output, &reply.body, WATCH) {
        Ok(answer) => answer,
        Err(cause) => return Verdict::Failed(classify::unreadable(reply, &cause)),
    };
    let mut told = Told(answer.told);
    if is_file(output) {
        match file(&reply.body) {
            Ok(members) => told = members,
            Err(cause) => return Verdict::Failed(classify::unreadable(reply, &cause)),
        }
    }
    if let Some(failure) = told.failure(tables, reply, output) {
        return Verdict::Failed(failure);
    }
    let mut problems = answer.problems;
    // Of a list that seems empty any answer is looked at: that nothing is there is acted upon.
    let looked_at = reply.body.len() <= LONGEST_EMPTY || record::is_empty_list(output);
    if looked_at && is_empty(&reply.body, output.schema()) {
        problems.push(Problem {
            path: String::new(),
            message: "the answer has none of the members that the operation's output has".into(),
        });
    }
    Verdict::Done(problems)
}

/// An answer without content is no longer: braces and the request's id. Of the longer ones only lists are looked at.
const LONGEST_EMPTY: usize = 96;
/// They are in every answer, whatever it says.
const IDS: &[&str] = &["RequestId", "requestId", "request_id"];

/// Whether `body` is an object with none of the members that an answer of this form is made for.
fn is_empty(body: &[u8], schema: &Schema) -> bool {
    let due = schema.members.iter().filter(|m| !IDS.contains(&m.name));
    let mut due = due.peekable();
    let is_whole = due.peek().is_none_or(|m| m.location != Location::Body);
    if is_whole {
        return false;
    }
    // Names alone are kept: what stands under them may be large.
    #[allow(clippy::zero_sized_map_values, reason = "an object is read as a map")]
    let object: Result<BTreeMap<String, IgnoredAny>, _> = serde_json::from_slice(body);
    object.is_ok_and(|object| !due.any(|member| object.contains_key(member.name)))
}

/// Whether the body is no JSON of the service's own, such as an exported file.
fn is_file(output: &dyn Record) -> bool {
    let mut file = false;
    output.read(&mut |values| {
        let members = output.schema().members.iter().zip(values);
        file = members
            .filter(|(member, _)| member.location == Location::Raw)
            .any(|(_, value)| matches!(value.view(), record::View::Bytes(_)));
    });
    file
}

/// Errors are small; what is larger is the file.
const LARGEST_ERROR: usize = 64 << 10;

/// What a file of this text would tell if it were an error.
fn file(body: &[u8]) -> Result<Told, Unreadable> {
    let beginning = &body[..body.len().min(1024)];
    if body::looks_like_html(&String::from_utf8_lossy(beginning)) {
        return Err(Unreadable::OtherKind("a page".into()));
    }
    if body.len() > LARGEST_ERROR {
        return Ok(Told::default());
    }
    // A file of any other form is no error either.
    let answer = record::decode_answer(&mut Nothing {}, body, WATCH);
    Ok(answer.map_or_else(|_| Told::default(), |answer| Told(answer.told)))
}

crate::output! {
    /// An object without members of its own.
    #[allow(unreachable_pub, reason = "what the macro makes is public")]
    Nothing {}
}

/// Members of an answer that its output lacks.
#[derive(Default)]
struct Told(Vec<(&'static str, Json)>);

impl Told {
    /// The last value under `name`.
    fn get(&self, name: &str) -> Option<&Json> {
        let mut members = self.0.iter().rev();
        members
            .find(|(told, _)| *told == name)
            .map(|(_, value)| value)
    }

    fn text(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| scalar(self.get(name)?))
    }

    fn failure(
        &self,
        tables: &Tables,
        reply: &HttpResponse,
        output: &dyn Record,
    ) -> Option<Failure> {
        let success = self
            .text(&["Success", "success"])
            .or_else(|| record::get(output, "Success"));
        let refused = success
            .as_deref()
            .is_some_and(|text| text.eq_ignore_ascii_case("false"));
        let accepted = success
            .as_deref()
            .is_some_and(|text| text.eq_ignore_ascii_case("true"));
        if accepted || (self.0.is_empty() && !refused && record::get(output, "Code").is_none()) {
            return None;
        }
        let message = self
            .text(&["error_msg", "errorMsg", "Message", "message"])
            .or_else(|| record::get(output, "Message"));
        let own = record::get(output, "Code").filter(|code| !means_success(code));
        // `code` alone may be anybody's; beside a message it is an error's.
        let with_message = message.as_deref().and_then(|_| self.text(&["code"]));
        let code = self.text(CODES).or(with_message);
        let first = |errors: &Json| errors.get(0).filter(|error| error.is_object()).cloned();
        let error = match self.get("error") {
            Some(error @ Json::Object(_)) => Some(error.clone()),
            Some(Json::String(text)) if !text.trim().is_empty() => Some(Json::from(text.as_str())),
            _ => self.get("errors").and_then(first),
        };
        let failed = match &code {
            Some(code) => !means_success(code),
            // A code that the output has is data, unless it is known to be that of an error.
            None => {
                self.text(TEXTS).is_some()
                    || own
                        .as_deref()
                        .is_some_and(|code| tables.find(code).is_some())
            }
        };
        if !(failed || refused || error.is_some()) {
            return None;
        }
        let request_id = self.text(IDS).or_else(|| record::get(output, "RequestId"));
        let mut loose = Loose {
            code: code.filter(|code| !means_success(code)).or(own),
            message,
            request_id,
            structured: true,
        };
        if let Some(error) = error
            && loose.code.is_none()
        {
            let inner = body::error_object(&error);
            loose.code = inner.code;
            loose.message = inner.message.or(loose.message);
        }
        let nameless = loose.code.is_none() && loose.message.is_none();
        let mut failure = tables.failure(reply, loose, Kind::OperationFailed);
        if nameless {
            failure.message = match refused {
                true => format!("{} answered Success: false", tables.operation.name),
                false => format!("{} answered an error without words", tables.operation.name),
            };
        }
        Some(failure)
    }
}

fn scalar(value: &Json) -> Option<String> {
    match value {
        Json::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// Some products answer a code beside the result: `200`, `"OK"`.
fn means_success(code: &str) -> bool {
    let code = code.trim();
    matches!(code, "" | "0")
        || code
            .parse()
            .is_ok_and(|number: f64| (200.0..300.0).contains(&number))
        || ["ok", "success", "true"]
            .iter()
            .any(|word| code.eq_ignore_ascii_case(word))
}
