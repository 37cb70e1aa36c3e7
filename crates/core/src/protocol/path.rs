//! Fills path templates, and refuses ids that would name something else.
//!
//! An empty id, `.` or `..` changes which resource a path names: `DELETE ../apps/..` is the gateway
//! itself. Such a call can never be right, so it is not sent.

use crate::error::{Error, Kind};
use crate::operation::Operation;
use crate::record::{Location, Record};
use crate::sign::percent;

use super::members::scalar_text;
use crate::service::Settings;

/// The path, encoded and in clear.
pub(crate) struct Filled {
    pub encoded: String,
    pub plain: String,
}

/// Fills the template; a member that neither the input nor the client knows stays a `{name}`.
pub(crate) fn fill(
    operation: &'static Operation,
    input: &dyn Record,
    settings: &Settings,
) -> Result<Filled, Error> {
    let mut filled = Filled {
        encoded: String::with_capacity(operation.path.len() + 64),
        plain: String::with_capacity(operation.path.len() + 64),
    };
    let schema = input.schema();
    let mut result = Ok(());
    input.read(&mut |values| {
        let mut rest = operation.path;
        while let Some(open) = rest.find('{') {
            let Some(length) = rest[open..].find('}') else {
                break;
            };
            filled.encoded.push_str(&rest[..open]);
            filled.plain.push_str(&rest[..open]);
            let name = &rest[open + 1..open + length];
            rest = &rest[open + length + 1..];
            let member = schema
                .members
                .iter()
                .zip(values)
                .find(|(member, _)| member.location == Location::Path && member.name == name);
            let given = member.and_then(|(_, value)| scalar_text(*value));
            let setting = member
                .and_then(|(member, _)| member.setting)
                .and_then(|setting| settings.get(setting));
            let Some(text) = given.as_deref().or(setting) else {
                filled.encoded.push_str(&format!("{{{name}}}"));
                filled.plain.push_str(&format!("{{{name}}}"));
                continue;
            };
            if let Err(error) = check(operation, name, text) {
                result = Err(error);
                return;
            }
            percent::push(&mut filled.encoded, text);
            filled.plain.push_str(text);
        }
        filled.encoded.push_str(rest);
        filled.plain.push_str(rest);
    });
    result.map(|()| filled)
}

/// Puts `text` in the place of a `{name}` that was left open.
pub(crate) fn complete(
    operation: &'static Operation,
    path: &str,
    name: &str,
    text: &str,
) -> Result<String, Error> {
    check(operation, name, text)?;
    Ok(path.replace(&format!("{{{name}}}"), &percent::encode(text)))
}

/// The name of the first member that is still open.
pub(crate) fn open(path: &str) -> Option<&str> {
    let (_, rest) = path.split_once('{')?;
    rest.split_once('}').map(|(name, _)| name)
}

fn check(operation: &'static Operation, name: &str, text: &str) -> Result<(), Error> {
    let problem = match text {
        "" => "is empty",
        "." | ".." => "must not be `.` or `..`",
        _ if text.chars().any(char::is_control) => "holds a control character",
        _ => return Ok(()),
    };
    let message = format!("path member `{name}` {problem}: the path would name something else");
    Err(Error::new(Kind::InvalidInput, operation.name, message))
}
