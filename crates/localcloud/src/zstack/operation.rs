//! What do all APIs share? A place among the routes, and the parts of a request.

use jiff::Timestamp;
use serde_json::Value;

use crate::clock;
use crate::route::PathValues;
use crate::wire::Request;

use super::failure::{ErrorCode, Output};

/// An authenticated call of an API.
pub(super) struct Operation<'a> {
    pub(super) path: PathValues,
    /// The object under the API's body key; null when it is not there.
    pub(super) parameters: Value,
    pub(super) request: &'a Request,
    pub(super) now: Timestamp,
    /// The server's wall clock, seconds east of UTC.
    pub(super) utc_offset: i32,
    pub(super) state_as_object: bool,
}

impl Operation<'_> {
    pub(super) fn path(&self, name: &str) -> &str {
        crate::route::value(&self.path, name)
    }

    pub(super) fn optional(&self, name: &str) -> Result<Option<&str>, ErrorCode> {
        match self.parameters.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(ErrorCode::invalid(format!("field[{name}] must be text"))),
        }
    }

    pub(super) fn need(&self, name: &str) -> Result<&str, ErrorCode> {
        self.optional(name)?.ok_or_else(|| {
            ErrorCode::invalid(format!("field[{name}] is mandatory, can not be null"))
        })
    }

    /// A date as the server's Gson prints it: local, without a zone.
    pub(super) fn date(&self, at: Timestamp) -> String {
        clock::gson(at, self.utc_offset)
    }
}

/// An API that is written by hand.
pub(super) type Handler<S> = fn(&mut S, &Operation<'_>) -> Output;

/// How an API is answered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// 200 or 503 at once.
    Sync,
    /// 202 and a job.
    Async,
}

/// An API that is written by hand, with what it remembers.
pub(super) struct Route<S: 'static> {
    pub(super) api: Written,
    pub(super) handler: Handler<S>,
}

/// What is known of such an API: path after `/v1`, name, body key.
pub(super) struct Written {
    pub(super) path: &'static str,
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) authenticated: bool,
    /// `params`, or the action's name; none for verbs without a body.
    pub(super) key: Option<&'static str>,
    /// The key that the documentation page shows, where it differs.
    pub(super) page_key: Option<&'static str>,
}
