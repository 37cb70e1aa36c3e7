//! What does an action answer that has no behaviour of its own here? The parameters are held
//! against its model; the answer is made from it.

use serde_json::{Map, Value};

use crate::model::input::{self, Problem, Reading};
use crate::model::values::{Dialect, Maker};
use crate::model::{Model, Operation, flat, page};
use crate::store::{Ask, Refused, Store};
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

pub(super) fn run(
    store: &mut Store,
    service: Service,
    operation: &'static Operation,
    action: &Action<'_>,
) -> Output {
    let model = Model::of(service);
    let mut input = flat::read(model, &operation.input, action.parameters)?;
    input::check(model, &operation.input, &input, Reading::EmptyIsAbsent)?;
    let mut page = page::of(operation, &input)?;
    let dialect = Dialect::Acs;
    let ask = Ask {
        service,
        operation,
        input: &input,
        owner: action.account,
        now: action.call.now,
        dialect,
    };
    if let Some(shown) = store
        .run(&ask, page.as_mut())
        .map_err(|refused| missing(service, refused))?
    {
        input = shown;
    }
    let maker = Maker {
        model,
        dialect,
        page,
    };
    let mut body: Map<String, Value> = maker.body(operation, &input);
    // The gateway adds its own.
    body.shift_remove("RequestId");
    Ok(body)
}

/// The codes that the documentation gives for things that are not there, by row.
const GONE: &[(Service, &str, &str)] = &[
    (Service::Smartag, "acl", "InvalidId.ACL"),
    (Service::Smartag, "acl-rule", "InvalidId.ACR"),
    (Service::Smartag, "client-user", "ParameterSagClientId"),
    (Service::Smartag, "cloud-connect-network", "InvalidId.CCN"),
    (Service::Smartag, "flow-log", "InvalidFlowLogId.NotFound"),
    (Service::Smartag, "gateway", "SAG.InstanceNoFound"),
    (Service::Smartag, "health-check", "HC.InstanceNoFound"),
    (Service::Smartag, "qos", "InvalidId.Qos"),
    (Service::Smartag, "qos-policy", "InvalidId.QOSPY"),
];

fn missing(service: Service, refused: Refused) -> Refusal {
    match refused {
        Refused::Gone { row, id } => {
            let documented = GONE
                .iter()
                .find(|(of, name, _)| (*of, *name) == (service, row.name.as_str()));
            let code = documented.map_or_else(
                || format!("Invalid{}.NotFound", row.id),
                |(_, _, code)| (*code).to_owned(),
            );
            Refusal::new(
                404,
                code,
                format!("The specified {} does not exist.", row.id),
            )
            .verdict(format!("no {} {id} is kept", row.name))
        }
        Refused::Taken { row, title } | Refused::Exists { row, id: title } => Refusal::invalid(
            row.title.as_deref().unwrap_or("Name"),
            &format!("{title} is taken"),
        ),
        Refused::Planned { code, message } => Refusal::new(400, code, message),
    }
}
