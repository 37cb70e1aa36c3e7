//! How many things does a call look at among thousands? As many as it is about.

use serde_json::{Value, json};

use super::kind::LOOKED;
use super::{Ask, Store};
use crate::accounts::ALIBABA_ACCOUNT;
use crate::control;
use crate::model::values::Dialect;
use crate::model::{Model, page};
use crate::wire::Service;

const MANY: usize = 2000;

fn filled(service: Service, resource: &str, thing: impl Fn(usize) -> Value) -> Store {
    let mut store = Store::default();
    let (service, at) = control::row(service.name(), resource).unwrap();
    for number in 0..MANY {
        let seeded = store.seed(service, at, &thing(number), jiff::Timestamp::UNIX_EPOCH);
        seeded.unwrap();
    }
    store
}

/// How many things a call looks at, and what it answers.
fn looks(store: &mut Store, service: Service, operation: &str, input: &Value) -> (usize, Value) {
    let operation = Model::of(service).operation(operation).unwrap();
    let input = input.as_object().unwrap();
    let ask = Ask {
        service,
        operation,
        input,
        owner: ALIBABA_ACCOUNT,
        now: jiff::Timestamp::UNIX_EPOCH,
        dialect: Dialect::Acs,
    };
    let mut page = page::of(operation, input).ok().unwrap();
    LOOKED.set(0);
    let shown = store.run(&ask, page.as_mut()).unwrap();
    (LOOKED.get(), shown.unwrap_or_default().into())
}

#[test]
fn a_list_looks_at_its_page() {
    let thing = |at| json!({"WorkgroupId": format!("w-{at}"), "Name": format!("n-{at}")});
    let mut store = filled(Service::Smc, "workgroup", thing);
    for (input, most, total) in [
        (json!({"PageSize": 10}), 30, MANY),
        (json!({"Name": "n-1500"}), 6, 1),
        (json!({"WorkgroupId": ["w-3", "w-1500"]}), 12, 2),
    ] {
        let (looked, shown) = looks(&mut store, Service::Smc, "DescribeWorkgroups", &input);
        assert_eq!(shown["TotalCount"], total, "{input}");
        assert!(looked <= most, "{input}: {looked}");
    }
    let one = json!({"WorkgroupId": "w-7"});
    let (looked, _) = looks(&mut store, Service::Smc, "DeleteWorkgroup", &one);
    assert!(looked <= 4, "{looked}");
}

#[test]
fn a_name_that_all_have_is_looked_for_at_its_place() {
    let user = |at: usize| json!({"SmartAGId": format!("sag-{at}"), "UserName": "one"});
    LOOKED.set(0);
    let mut store = filled(Service::Smartag, "client-user", user);
    let looked = LOOKED.get();
    assert!(looked <= 12 * MANY, "{looked}");
    let (looked, _) = looks(
        &mut store,
        Service::Smartag,
        "DeleteSmartAccessGatewayClientUser",
        &user(1500),
    );
    assert!(looked <= 8, "{looked}");
}
