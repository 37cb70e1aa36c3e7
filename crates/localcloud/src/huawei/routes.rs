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
use super::refusal::Refusal;
use super::{app_codes, apps, modelled, quota};

const ROUTES: &[&[Route<Apps>]] = &[apps::ROUTES, app_codes::ROUTES];

/// How a request is answered, with the values of its path.
pub(super) enum Behaviour {
    Handler(&'static Route<Apps>, PathValues),
    Modelled(&'static model::Operation, Input),
}

impl Behaviour {
    pub(super) fn of(request: &Request) -> Option<Self> {
        let segments = request.segments("/v2")?;
        let by_hand = ROUTES
            .iter()
            .copied()
            .flatten()
            .filter(|route| route.method == request.method)
            .find_map(|route| Some(Self::Handler(route, match_path(route.path, &segments)?)));
        by_hand.or_else(|| {
            modelled::find(request).map(|(operation, path)| Self::Modelled(operation, path))
        })
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Handler(route, _) => route.name,
            Self::Modelled(operation, _) => &operation.name,
        }
    }

    pub(super) fn run(
        self,
        apps: &mut Apps,
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
            Self::Modelled(operation, path) => {
                modelled::run(&mut lock(store), operation, path, call)
            }
        }
    }
}
