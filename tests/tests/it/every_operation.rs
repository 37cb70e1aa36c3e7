//! Does every one of the 2,488 operations go out as its model says, and come back whole?
//!
//! Each is called by name, with its required members only and with all of them, every text full of
//! characters that encoders get wrong. What the local cloud saw is compared with a walk of the
//! model that knows nothing of the clients' tables; what it served is compared with the decoded
//! answer, written as JSON again. A third call is answered with every member that the model has.

use crate::every::drive::{Client, Job, Side, run};
use crate::every::expect::Acs;
use crate::every::model::{Model, Operation};
use crate::every::report::Report;
use cumulo_core::alibaba::AcsSignature;

const JOBS: &[Job] = &[Job::Required, Job::All, Job::Answer];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn server_migration_center() {
    let model = Model::smc();
    assert_eq!(model.operations().len(), 24);
    alibaba(model).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn smart_access_gateway() {
    let model = Model::smartag();
    assert_eq!(model.operations().len(), 205);
    alibaba(model).await;
}

/// Both signatures, in the query and in a form.
async fn alibaba(model: &'static Model) {
    let mut report = Report::new(model);
    for signature in [AcsSignature::V3, AcsSignature::V1] {
        for form in [false, true] {
            let acs = Acs { signature, form };
            let side = Side::Alibaba(acs);
            report.add(run(model, side, JOBS).await);
        }
    }
    report.finish();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn api_gateway() {
    let model = Model::apig();
    assert_eq!(model.operations().len(), 216);
    let mut report = Report::new(model);
    report.add(run(model, Side::Apig, JOBS).await);
    report.finish();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn zstack() {
    let model = Model::zstack();
    assert_eq!(model.operations().len(), 2043);
    let mut report = Report::new(model);
    report.add(run(model, Side::Zstack, JOBS).await);
    report.finish();
}

#[test]
fn the_clients_know_these_operations_and_no_others() {
    for (model, names) in [
        (Model::smc(), Client::names_of_smc()),
        (Model::smartag(), Client::names_of_smartag()),
        (Model::apig(), Client::names_of_apig()),
        (Model::zstack(), Client::names_of_zstack()),
    ] {
        let mut known: Vec<&str> = model.operations().iter().map(Operation::name).collect();
        let mut ours = names;
        known.sort_unstable();
        ours.sort_unstable();
        assert_eq!(ours, known, "{}", model.service);
    }
}
