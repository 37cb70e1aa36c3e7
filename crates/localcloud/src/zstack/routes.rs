//! Which API does a request address? The REST server looks at the path first; APIs that share a
//! path are told apart by verb, actions among them by the key of the body.

use serde_json::Value;

use crate::model;
use crate::model::Model;
use crate::model::input::Input;
use crate::platform::lock;
use crate::route::{PathValues, match_path};
use crate::store;
use crate::wire::{Call, Reply, Request, Service};

use super::access_keys::{self, AccessKeys};
use super::failure::{Output, body, no_body, refuse};
use super::modelled;
use super::operation::{Kind, Operation, Route, Written};
use super::sessions::{self, Sessions};
use super::switches::Switches;

/// How a request is answered, with the values of its path.
pub(super) enum Api {
    AccessKeys(&'static Route<AccessKeys>, PathValues),
    Sessions(&'static Route<Sessions>, PathValues),
    Modelled(&'static model::Operation, Input),
}

/// The refusal of a path that belongs to no API.
pub(super) fn no_api(path: &str) -> Reply {
    refuse(404, format!("no api mapping to {path}"))
}

impl Api {
    /// Finds the API, or says why there is none.
    pub(super) fn of(request: &Request, segments: &[String]) -> Result<Self, Reply> {
        let method = request.method.as_str();
        if let Some((route, path)) = written(access_keys::ROUTES, method, segments) {
            return Ok(Self::AccessKeys(route, path));
        }
        if let Some((route, path)) = written(sessions::ROUTES, method, segments) {
            return Ok(Self::Sessions(route, path));
        }
        let found = at_path(segments);
        let shared = found.len() > 1;
        // A path that an API owns word by word is no uuid.
        let is_fixed = found
            .first()
            .is_some_and(|(operation, _)| !operation.path.ends_with('}'));
        let mut same_verb: Vec<_> = found
            .into_iter()
            .filter(|(operation, _)| operation.method == method)
            .collect();
        if method == "GET" && same_verb.is_empty() && !is_fixed {
            same_verb.extend(query_by_uuid(segments));
        }
        if method == "PUT" && shared && !same_verb.is_empty() {
            return action(request, same_verb);
        }
        match same_verb.into_iter().next() {
            Some((operation, path)) => Ok(Self::Modelled(operation, path)),
            None => Err(Self::none(request, segments)),
        }
    }

    fn none(request: &Request, segments: &[String]) -> Reply {
        let method = request.method.as_str();
        let path = format!("/v1/{}", segments.join("/"));
        let count = at_path(segments).len();
        match method {
            _ if count == 0 => no_api(&path),
            "GET" | "POST" | "PUT" | "DELETE" if count > 1 => {
                refuse(500, format!("no {method} API found for the path[{path}]"))
            }
            // The real server runs the only API of a path whatever the verb; a client that
            // relies on that is wrong nevertheless.
            _ => refuse(405, format!("no api mapping to {method} {path}")),
        }
    }

    fn about(&self) -> Result<&'static Written, &'static model::Operation> {
        match self {
            Self::AccessKeys(route, _) => Ok(&route.api),
            Self::Sessions(route, _) => Ok(&route.api),
            Self::Modelled(operation, _) => Err(operation),
        }
    }

    pub(super) fn name(&self) -> &'static str {
        match self.about() {
            Ok(api) => api.name,
            Err(operation) => &operation.name,
        }
    }

    pub(super) fn is_authenticated(&self) -> bool {
        match self.about() {
            Ok(api) => api.authenticated,
            Err(operation) => !operation.anonymous,
        }
    }

    pub(super) fn is_async(&self) -> bool {
        match self.about() {
            Ok(api) => api.kind == Kind::Async,
            Err(operation) => operation.job,
        }
    }

    /// The key of the body under which the members stand.
    pub(super) fn body_key(&self, switches: Switches) -> Option<&'static str> {
        match self.about() {
            Ok(api) => match api.page_key {
                Some(page_key) if switches.follow_page => Some(page_key),
                _ => api.key,
            },
            Err(operation) => operation.wrapper.as_deref(),
        }
    }

    pub(super) fn run(
        self,
        keys: &mut AccessKeys,
        sessions: &mut Sessions,
        store: &store::Handle,
        switches: Switches,
        call: &Call<'_>,
        parameters: Value,
    ) -> Output {
        let operation = |path| Operation {
            path,
            parameters,
            request: call.request,
            now: call.now,
            utc_offset: switches.utc_offset,
            state_as_object: switches.state_as_object,
        };
        match self {
            Self::AccessKeys(route, path) => (route.handler)(keys, &operation(path)),
            Self::Sessions(route, path) => (route.handler)(sessions, &operation(path)),
            Self::Modelled(model, input) => {
                let path = uuid_of(&input);
                modelled::run(&mut lock(store), model, input, &operation(path))
            }
        }
    }
}

/// The API that is written by hand for a verb and a path.
fn written<S>(
    routes: &'static [Route<S>],
    method: &str,
    segments: &[String],
) -> Option<(&'static Route<S>, PathValues)> {
    routes
        .iter()
        .filter(|route| route.api.method == method)
        .find_map(|route| Some((route, match_path(route.api.path, segments)?)))
}

/// What a query by uuid needs to know of a path.
fn uuid_of(path: &Input) -> PathValues {
    path.get("uuid")
        .and_then(Value::as_str)
        .map(|uuid| ("uuid", uuid.to_owned()))
        .into_iter()
        .collect()
}

/// The modelled APIs of a path, whatever their verb.
fn at_path(segments: &[String]) -> Vec<(&'static model::Operation, Input)> {
    let model = Model::of(Service::Zstack);
    model
        .routes
        .find(segments)
        .into_iter()
        .filter_map(|found| {
            let path = found
                .values
                .into_iter()
                .map(|(name, value)| (name, Value::String(value)));
            Some((model.operations.get(found.operation)?, path.collect()))
        })
        .collect()
}

/// `GET /zones/{uuid}` is the query of `GET /zones` for one uuid.
fn query_by_uuid(segments: &[String]) -> Option<(&'static model::Operation, Input)> {
    let (uuid, collection) = segments.split_last()?;
    let (query, mut path) = at_path(collection)
        .into_iter()
        .find(|(operation, _)| operation.is_query())
        .filter(|_| !uuid.is_empty())?;
    path.insert("uuid".to_owned(), Value::String(uuid.clone()));
    Some((query, path))
}

/// The action whose name, letter by letter, is a key of the body.
fn action(
    request: &Request,
    candidates: Vec<(&'static model::Operation, Input)>,
) -> Result<Api, Reply> {
    if request.body.is_empty() {
        return Err(no_body());
    }
    let body = body(request)?;
    let names: Vec<&str> = candidates
        .iter()
        .filter_map(|(operation, _)| operation.wrapper.as_deref())
        .collect();
    let verdict = format!("expected one of the keys {}", names.join(", "));
    candidates
        .into_iter()
        .find(|(operation, _)| {
            let key = operation.wrapper.as_deref();
            key.is_some_and(|key| body.get(key).is_some())
        })
        .map(|(operation, path)| Api::Modelled(operation, path))
        .ok_or_else(|| {
            refuse(
                400,
                format!(
                    "the body doesn't contain action mapping to the URL[{}]",
                    request.path()
                ),
            )
            .verdict(verdict)
        })
}
