//! How much does a gateway hold? As many things of each kind as the vendor's page of constraints says,
//! unless support has raised the quota.

use crate::model::input::Input;
use crate::store::{Role, Samples, Store, Table, agrees};
use crate::wire::Service;

use super::refusal::Refusal;

/// A row, the member of the things that share the quota beside what they belong to, how many there may
/// be, and the code of one more. APIs: as many as in the basic edition.
const QUOTAS: &[(&str, &str, usize, &str)] = &[
    ("api-group", "", 1500, "APIG.3101"),
    ("api", "", 250, "APIG.3102"),
    ("app", "", 50, "APIG.3103"),
    ("env", "", 10, "APIG.3104"),
    ("sign", "", 200, "APIG.3105"),
    ("env-variable", "env_id", 50, "APIG.3106"),
    ("throttle", "", 300, "APIG.3107"),
    ("domain", "", 5, "APIG.3108"),
    ("vpc-channel", "", 200, "APIG.3109"),
    ("member", "", 10, "APIG.3110"),
    ("acl", "", 100, "APIG.3112"),
    ("authorizer", "", 50, "APIG.3116"),
];

/// A creation must find room.
pub(super) fn check(store: &mut Store, operation: &str, input: &Input) -> Result<(), Refusal> {
    if !store.quotas || store.samples == Samples::Always {
        return Ok(());
    }
    let table = Table::of(Service::Apig);
    let made = table.roles(operation).iter();
    let made = made.filter(|(_, role)| *role == Role::Create);
    for (at, _) in made {
        let row = &table.rows[*at];
        let Some((name, member, most, code)) = QUOTAS.iter().find(|(name, ..)| *name == row.name)
        else {
            continue;
        };
        let things = store.kind(Service::Apig, *at).iter();
        let same = things.filter(|(_, thing)| {
            agrees(row, &thing.members, input) && thing.members.get(*member) == input.get(*member)
        });
        if same.count() >= *most {
            return Err(Refusal::gateway(
                403,
                code,
                format!("The number of {name}s exceeds the maximum allowed limit"),
            )
            .verdict(format!("there may be {most}")));
        }
    }
    Ok(())
}
