//! One program, so that the clients are linked once and not for every concern: one module each.
//!
//! Apart stand `memory`, which counts all allocations of its process, and `keystone`, which needs a
//! server that `tests/keystone/run.sh` starts.

mod apig;
mod bad_answers;
mod bad_input;
mod blocking;
mod by_name;
mod call_options;
mod clock_skew;
mod connections;
mod credentials_deadline;
mod credentials_http;
mod documents;
mod error_forms;
mod error_in_success;
mod errors;
mod every;
mod every_operation;
mod explain;
mod finding;
mod gone;
mod guide;
mod invoke;
mod job_results;
mod jobs;
mod large_and_endless;
mod ledger;
mod one_crate;
mod openapi;
mod pages;
mod proxy;
mod retries;
mod secrets;
mod sessions;
mod side_by_side;
mod signing_wire;
mod smartag_idempotency;
mod smc;
mod snapshots;
mod tls;
mod transport;
mod validate;
mod waiting;
mod wiremock;
mod zstack_jobs;
mod zstack_queries;
mod zstack_wire;
