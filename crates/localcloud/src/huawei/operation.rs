//! What do all operations of the gateway share? The caller, the parts of the request, and the
//! checks of what a path names.

use jiff::Timestamp;
use serde_json::Value;

use crate::model::input::Input;
use crate::platform::lock;
use crate::route::{self, PathValues};
use crate::store::{self, Store, Table};
use crate::wire::{Call, Reply, Service};

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
    pub(super) path: PathValues,
    pub(super) call: &'a Call<'a>,
    /// Whether the gateway in the path is one of the caller's project.
    pub(super) is_gateway: bool,
}

impl<'a> Operation<'a> {
    pub(super) fn new(
        caller: &Caller,
        path: PathValues,
        call: &'a Call<'a>,
        store: &store::Handle,
    ) -> Self {
        let project = project_of(&mut lock(store), route::value(&path, "instance_id"));
        Self {
            is_gateway: project.is_some() && project == caller.project,
            path,
            call,
        }
    }

    /// The values of the path, as the store takes what a request says.
    pub(super) fn input(&self) -> Input {
        let values = self.path.iter();
        values
            .map(|(name, value)| ((*name).to_owned(), value.as_str().into()))
            .collect()
    }

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

/// The project of a gateway that is there.
fn project_of(store: &mut Store, id: &str) -> Option<String> {
    let at = Table::of(Service::Apig).position("instance")?;
    let (_, gateway) = store.kind(Service::Apig, at).of_id(id).next()?;
    Some(gateway.members.get("project_id")?.as_str()?.to_owned())
}

fn no_gateway(id: &str) -> Refusal {
    Refusal::gateway(
        404,
        "APIG.3030",
        format!("The instance does not exist;id:{id}"),
    )
}

/// The gateway instance of an operation must exist in the caller's project.
pub(super) fn check_instance(operation: &Operation<'_>) -> Result<(), Refusal> {
    if operation.is_gateway {
        return Ok(());
    }
    Err(no_gateway(operation.path("instance_id")))
}

/// A gateway that is another project's is not there for this one.
pub(super) fn check_project_of_gateway(store: &mut Store, path: &Input) -> Result<(), Refusal> {
    let text = |name: &str| path.get(name).and_then(Value::as_str);
    let Some(id) = text("instance_id") else {
        return Ok(());
    };
    match project_of(store, id) {
        Some(project) if text("project_id") != Some(project.as_str()) => Err(no_gateway(id)),
        _ => Ok(()),
    }
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
