//! What do all operations of the gateway share? The caller, the parts of the request, and the
//! checks of what a path names.

use jiff::Timestamp;
use serde_json::Value;

use crate::accounts;
use crate::route::PathValues;
use crate::wire::{Call, Reply};

use super::identity;
use super::refusal::Refusal;

/// Who calls, in which project, with which rights.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) user: &'static identity::User,
    pub(super) project: Option<String>,
}

/// An authenticated call of an operation.
pub(super) struct Operation<'a> {
    pub(super) caller: &'a Caller,
    pub(super) path: PathValues,
    pub(super) call: &'a Call<'a>,
}

impl Operation<'_> {
    pub(super) fn path(&self, name: &str) -> &str {
        crate::route::value(&self.path, name)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.call.now
    }

    pub(super) fn body(&self) -> Result<Value, Refusal> {
        self.call
            .request
            .json()
            .filter(Value::is_object)
            .ok_or_else(|| Refusal::invalid("body", "expected a JSON object"))
    }

    /// `offset` and `limit` as the service reads them: out of range is no error.
    pub(super) fn page(&self) -> Result<(usize, usize), Refusal> {
        let number = |name: &str, default: i64| match self.call.request.query_value(name) {
            None => Ok(default),
            Some(text) => text
                .parse::<i64>()
                .map_err(|_| Refusal::invalid(name, &format!("expected a number, got {text}"))),
        };
        let offset = usize::try_from(number("offset", 0)?).unwrap_or(0);
        let limit = match number("limit", 20)? {
            ..=0 => 20,
            limit => usize::try_from(limit).unwrap_or(500).min(500),
        };
        Ok((offset, limit))
    }
}

/// An operation that is written by hand.
pub(super) type Handler<S> = fn(&mut S, &Operation<'_>) -> Result<Reply, Refusal>;

/// An operation of the gateway: verb, path after `/v2`, name.
pub(super) struct Route<S: 'static> {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) name: &'static str,
    pub(super) handler: Handler<S>,
}

/// The gateway instance of an operation must exist in the caller's project.
pub(super) fn check_instance(operation: &Operation<'_>) -> Result<(), Refusal> {
    let instance = operation.path("instance_id");
    let here = operation.caller.project.as_deref() == Some(accounts::KEYSTONE_PROJECT_ID);
    if here && instance == accounts::INSTANCE_ID {
        return Ok(());
    }
    Err(Refusal::gateway(
        404,
        "APIG.3030",
        format!("The instance does not exist;id:{instance}"),
    ))
}

/// Ids are 32 hex digits, with or without dashes.
pub(super) fn check_id<'a>(operation: &'a Operation<'_>, name: &str) -> Result<&'a str, Refusal> {
    let id = operation.path(name);
    let digits = id.bytes().filter(|byte| *byte != b'-').count();
    if digits == 32
        && id
            .bytes()
            .all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
    {
        Ok(id)
    } else {
        Err(Refusal::invalid(
            name,
            &format!("expected 32 hex digits, got {id}"),
        ))
    }
}
