//! Which operation of the gateway does a request address? One that is written by hand, with
//! state, or else one that is answered from its model.

use crate::model;
use crate::model::input::Input;
use crate::platform::lock;
use crate::route::{PathValues, match_path};
use crate::store;
use crate::wire::{Call, Reply, Request};

use super::apps::Apps;
use super::operation::{Caller, Operation, Route};
use super::published::{self, Published};
use super::refusal::Refusal;
use super::{app_codes, apps, modelled, quota};

const ROUTES: &[&[Route<Apps>]] = &[apps::ROUTES, app_codes::ROUTES];

/// How a request is answered, with the values of its path.
pub(super) enum Behaviour {
    Handler(&'static Route<Apps>, PathValues),
    Publishing(&'static Route<Published>, PathValues),
    Modelled(&'static model::Operation, Input),
}

impl Behaviour {
    pub(super) fn of(request: &Request) -> Option<Self> {
        let segments = request.segments("/v2")?;
        route(ROUTES, &request.method, &segments)
            .map(|(route, path)| Self::Handler(route, path))
            .or_else(|| {
                let (route, path) = route(published::ROUTES, &request.method, &segments)?;
                Some(Self::Publishing(route, path))
            })
            .or_else(|| {
                modelled::find(request).map(|(operation, path)| Self::Modelled(operation, path))
            })
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Handler(route, _) => route.name,
            Self::Publishing(route, _) => route.name,
            Self::Modelled(operation, _) => &operation.name,
        }
    }

    pub(super) fn run(
        self,
        apps: &mut Apps,
        published: &mut Published,
        store: &store::Handle,
        caller: &Caller,
        call: &Call<'_>,
    ) -> Result<Reply, Refusal> {
        match self {
            Self::Handler(route, path) => {
                let operation = Operation::new(caller, path, call, store);
                quota::check(&mut lock(store), route.name, &operation.input())?;
                let reply = (route.handler)(apps, &operation)?;
                apps.mirror(&mut lock(store), call.now);
                Ok(reply)
            }
            Self::Publishing(route, path) => {
                let operation = Operation::new(caller, path, call, store);
                (route.handler)(published, &operation)
            }
            Self::Modelled(operation, path) => {
                modelled::run(&mut lock(store), operation, path, call)
            }
        }
    }
}

/// The operation by hand that a request addresses.
fn route<S>(
    all: &[&'static [Route<S>]],
    method: &str,
    segments: &[String],
) -> Option<(&'static Route<S>, PathValues)> {
    let of_method = all
        .iter()
        .copied()
        .flatten()
        .filter(|route| route.method == method);
    let mut found = of_method.filter_map(|route| Some((route, match_path(route.path, segments)?)));
    found.next()
}
