//! Which operation of the gateway does a request address? One that is written by hand, with
//! state, or else one that is answered from its model.

use crate::model;
use crate::model::input::Input;
use crate::route::{PathValues, match_path};
use crate::wire::{Call, Reply, Request};

use super::{Caller, Operation, Refusal, State, app_codes, apps, modelled};

/// An operation that is written by hand.
pub(super) type Handler = fn(&mut State, &Operation<'_>) -> Result<Reply, Refusal>;

/// An operation of the gateway: verb, path after `/v2`, name.
pub(super) struct Route {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) name: &'static str,
    pub(super) handler: Handler,
}

const ROUTES: &[&[Route]] = &[apps::ROUTES, app_codes::ROUTES];

/// How a request is answered, with the values of its path.
pub(super) enum Behaviour {
    Handler(&'static Route, PathValues),
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
        state: &mut State,
        caller: &Caller,
        call: &Call<'_>,
    ) -> Result<Reply, Refusal> {
        match self {
            Self::Handler(route, path) => (route.handler)(state, &Operation { caller, path, call }),
            Self::Modelled(operation, path) => modelled::run(operation, path, call.request),
        }
    }
}
