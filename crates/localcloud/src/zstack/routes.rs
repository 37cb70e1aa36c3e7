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
        let mut found = at_path(segments);
        // A path that an API owns word by word is no uuid.
        let may_be_uuid = found
            .iter()
            .all(|(operation, _)| operation.path.ends_with('}') && operation.method != "GET");
        if may_be_uuid {
            found.extend(query_by_uuid(segments));
        }
        let refused = |status, what: &str| {
            let path = format!("/v1/{}", segments.join("/"));
            refuse(status, format!("{what}[{path}]"))
        };
        if found.is_empty() {
            return Err(no_api(&format!("/v1/{}", segments.join("/"))));
        }
        if !matches!(method, "GET" | "POST" | "PUT" | "DELETE") {
            return Err(refused(405, &format!("no {method} API for the path")));
        }
        let (operation, path) = match found.len() {
            // The only API of a path runs whatever the verb.
            1 => found.swap_remove(0),
            _ if method == "PUT" => action(request, found)?,
            _ => found
                .into_iter()
                .find(|(operation, _)| operation.method == method)
                .ok_or_else(|| refused(500, &format!("no {method} API found for the path")))?,
        };
        let name = operation.name.as_str();
        Ok(written(access_keys::ROUTES, name, segments)
            .map(|(route, path)| Self::AccessKeys(route, path))
            .or_else(|| {
                let (route, path) = written(sessions::ROUTES, name, segments)?;
                Some(Self::Sessions(route, path))
            })
            .unwrap_or(Self::Modelled(operation, path)))
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

/// The API of a name, where it is written by hand for the path.
fn written<S>(
    routes: &'static [Route<S>],
    name: &str,
    segments: &[String],
) -> Option<(&'static Route<S>, PathValues)> {
    routes
        .iter()
        .filter(|route| route.api.name == name)
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

/// An API of the model with the values of its path.
type Found = (&'static model::Operation, Input);

/// The APIs of a path, whatever their verb.
fn at_path(segments: &[String]) -> Vec<Found> {
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
fn query_by_uuid(segments: &[String]) -> Option<Found> {
    let (uuid, collection) = segments.split_last()?;
    let (query, mut path) = at_path(collection)
        .into_iter()
        .find(|(operation, _)| operation.is_query())
        .filter(|_| !uuid.is_empty())?;
    path.insert("uuid".to_owned(), Value::String(uuid.clone()));
    Some((query, path))
}

/// The action whose name, letter by letter, is a key of the body.
fn action(request: &Request, found: Vec<Found>) -> Result<Found, Reply> {
    let body = body(request)?.ok_or_else(no_body)?;
    let actions = found
        .into_iter()
        .filter(|(operation, _)| operation.method == "PUT");
    let mut names = Vec::new();
    for (operation, path) in actions {
        let Some(key) = operation.wrapper.as_deref() else {
            continue;
        };
        if body.get(key).is_some() {
            return Ok((operation, path));
        }
        names.push(key);
    }
    let text = format!(
        "the body doesn't contain action mapping to the URL[{}]",
        request.path()
    );
    Err(refuse(400, text).verdict(format!("expected one of the keys {}", names.join(", "))))
}
