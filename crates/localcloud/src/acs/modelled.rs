//! What does an action answer that has no behaviour of its own here? The parameters are held
//! against its model; the answer is made from it.

use serde_json::{Map, Value};

use crate::model::input::{self, Problem, Reading};
use crate::model::values::{Dialect, Maker};
use crate::model::{Model, Operation, flat, page};
use crate::store::{Ask, Refused, Row, Store};
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
        .map_err(|refused| refuse(service, operation, refused))?
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

/// The codes that the documentation gives for things that are not there, by row; which of them an
/// operation answers is what its own page says.
const GONE: &[(Service, &str, &[&str])] = &[
    (Service::Smartag, "acl", &["InvalidId.ACL"]),
    (Service::Smartag, "acl-rule", &["InvalidId.ACR"]),
    (Service::Smartag, "client-user", &["ParameterSagClientId"]),
    (
        Service::Smartag,
        "cloud-connect-network",
        &["InvalidId.CCN", "CCN.InvalidId"],
    ),
    (
        Service::Smartag,
        "device",
        &["Sag.DeviceNotExist", "InvalidId.SN", "InstanceNotExit"],
    ),
    (Service::Smartag, "flow-log", &["InvalidFlowLogId.NotFound"]),
    (
        Service::Smartag,
        "gateway",
        &[
            "SAG.InstanceNoFound",
            "InvalidId.SMARTAG",
            "InvalidSmartAGId.NotFound",
            "InstanceNotExit",
        ],
    ),
    (Service::Smartag, "health-check", &["HC.InstanceNoFound"]),
    (Service::Smartag, "port", &["Sag.PortNotExist"]),
    (Service::Smartag, "qos", &["InvalidId.Qos"]),
    (Service::Smartag, "qos-policy", &["InvalidId.QOSPY"]),
    (Service::Smartag, "vbr-binding", &["InvalidId.VBR"]),
    (Service::Smartag, "wan", &["Sag.PortNotExist"]),
];

/// What a service answers when a thing of a row is there already, or its name is another one's.
pub(crate) fn taken(row: &str) -> Option<&'static str> {
    match row {
        "client-user" => Some("ClientUser.UserExist"),
        "replication-job" => Some("ReplicationJobName.Duplicate"),
        _ => None,
    }
}

/// Code and status for a thing of a row that is not there.
fn gone(service: Service, operation: &Operation, row: &Row) -> (String, u16) {
    let known = GONE
        .iter()
        .find(|(of, name, _)| (*of, *name) == (service, row.name.as_str()));
    let by_rule = format!("Invalid{}.NotFound", row.id);
    let mut codes: Vec<&str> = known.map_or(Vec::new(), |(_, _, codes)| codes.to_vec());
    codes.extend([by_rule.as_str(), "InvalidResourceId.NotFound"]);
    let own = codes
        .iter()
        .find_map(|code| Some((*code, operation.declares(code)?)));
    let (code, status) = own.unwrap_or_else(|| {
        let others = &Model::of(service).operations;
        let status = others.iter().find_map(|other| other.declares(codes[0]));
        (codes[0], status.unwrap_or(404))
    });
    (code.to_owned(), status)
}

fn refuse(service: Service, operation: &Operation, refused: Refused) -> Refusal {
    match refused {
        Refused::Gone { row, id } => {
            let (code, status) = gone(service, operation, row);
            let text = format!("The specified {} does not exist.", row.id);
            Refusal::new(status, code, text).verdict(format!("no {} {id} is kept", row.name))
        }
        Refused::Taken { row, title } | Refused::Exists { row, id: title } => {
            match taken(&row.name) {
                Some(code) => {
                    let status = operation.declares(code).unwrap_or(400);
                    Refusal::new(status, code, format!("The {} already exists.", row.id))
                        .verdict(format!("{} {title} is taken", row.name))
                }
                None => Refusal::invalid(
                    row.title.as_deref().unwrap_or("Name"),
                    &format!("{title} is taken"),
                ),
            }
        }
        Refused::Planned { code, message } => Refusal::new(400, code, message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Table;

    #[test]
    fn the_code_of_what_is_gone_is_the_one_that_the_operation_documents() {
        for (service, operation, row, code, status) in [
            (Service::Smartag, "DeleteACL", "acl", "InvalidId.ACL", 403),
            (
                Service::Smartag,
                "CreateQosPolicy",
                "qos",
                "InvalidId.Qos",
                400,
            ),
            (
                Service::Smartag,
                "AssociateACL",
                "gateway",
                "InvalidId.SMARTAG",
                403,
            ),
            (
                Service::Smartag,
                "AddSnatEntry",
                "gateway",
                "SAG.InstanceNoFound",
                400,
            ),
            (
                Service::Smartag,
                "ModifySagWan",
                "wan",
                "Sag.PortNotExist",
                400,
            ),
            (
                Service::Smartag,
                "DeleteProbeTask",
                "probe-task",
                "InvalidProbeTaskId.NotFound",
                404,
            ),
            (
                Service::Smc,
                "TagResources",
                "source-server",
                "InvalidResourceId.NotFound",
                400,
            ),
            (
                Service::Smc,
                "DeleteWorkgroup",
                "workgroup",
                "InvalidWorkgroupId.NotFound",
                404,
            ),
        ] {
            let table = Table::of(service);
            let row = &table.rows[table.position(row).unwrap()];
            let declared = Model::of(service).operation(operation).unwrap();
            let found = gone(service, declared, row);
            assert_eq!(found, (code.to_owned(), status), "{operation}");
        }
    }
}
