//! What does an action answer that has no behaviour of its own here? The parameters are held
//! against its model; the answer is made from it.

use serde_json::{Map, Value};

use crate::model::input::{self, Problem, Reading};
use crate::model::values::{Dialect, Maker};
use crate::model::{Model, Operation, flat, page};
use crate::wire::Service;

use super::action::{Action, Output, Refusal};

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Missing(name) => Self::missing(&name),
            Problem::Invalid { name, expected } => {
                Self::invalid(&name, &format!("expected {expected}"))
            }
        }
    }
}

/// The action of a service by its exact name.
pub(super) fn find(service: Service, action: &str) -> Option<&'static Operation> {
    Model::of(service).operation(action)
}

pub(super) fn run(service: Service, operation: &Operation, action: &Action<'_>) -> Output {
    let model = Model::of(service);
    let input = flat::read(model, &operation.input, action.parameters)?;
    input::check(model, &operation.input, &input, Reading::EmptyIsAbsent)?;
    let maker = Maker {
        model,
        dialect: Dialect::Acs,
        page: page::of(operation, &input)?,
    };
    let mut body: Map<String, Value> = maker.body(operation, &input);
    // The gateway adds its own.
    body.shift_remove("RequestId");
    Ok(body)
}
