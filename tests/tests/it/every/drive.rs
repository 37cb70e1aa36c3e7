//! How are thousands of calls made and judged in seconds? Some workers share one local cloud; each
//! call carries a header with its number, by which its requests are found afterwards.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cumulo_core::alibaba::AcsSignature;
use cumulo_core::record::{Record, Wire, to_value};
use cumulo_core::{Call, Error, Response};
use cumulo_localcloud::{Fault, FaultKind, LocalCloud, Samples, SeenRequest, Service};
use cumulo_tests::{Bench, manual_clock};
use serde_json::{Map, Value};
use tokio::task::JoinSet;

use super::expect::{self, Acs};
use super::model::{Model, Operation};
use super::{compare, seen, special};

const WORKERS: usize = 16;
const NUMBER: &str = "x-call-number";

/// A client of one of the services.
#[derive(Debug, Clone)]
pub(crate) enum Client {
    Smc(cumulo_smc::Client),
    Smartag(cumulo_smartag::Client),
    Apig(cumulo_apig::Client),
    Zstack(cumulo_zstack::Client),
}

/// Which client, and how it is set up.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Side {
    Alibaba(Acs),
    Apig,
    Zstack,
}

/// With which members an operation is called.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Job {
    Required,
    All,
    /// The required ones; answered with every member of the model, whatever the local cloud
    /// would say.
    Answer,
}

/// Something that is not as the model says.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Failure {
    pub(crate) place: &'static str,
    pub(crate) operation: String,
    pub(crate) case: String,
    pub(crate) difference: String,
}

type Answer = Result<Response<Box<dyn Record>>, Error>;

/// A call that was made.
struct Done {
    number: usize,
    operation: &'static Operation,
    job: Job,
    input: Map<String, Value>,
    answer: Answer,
}

impl Client {
    fn new(bench: &Bench, model: &Model, side: Side) -> Self {
        // Its own clock: waits of one worker are no time for another.
        let clock = manual_clock();
        match side {
            Side::Alibaba(Acs { signature, form }) if model.service == "smc" => {
                let builder = bench.smc().signature(signature).form_body(form);
                Self::Smc(builder.clock(clock).build().expect("a client"))
            }
            Side::Alibaba(Acs { signature, form }) => {
                let builder = bench.smartag().signature(signature).form_body(form);
                Self::Smartag(builder.clock(clock).build().expect("a client"))
            }
            Side::Apig => Self::Apig(bench.apig().clock(clock).build().expect("a client")),
            Side::Zstack => Self::Zstack(bench.zstack().clock(clock).build().expect("a client")),
        }
    }

    fn call(&self, name: &str, input: &Value) -> Result<Call<Box<dyn Record>>, Error> {
        match self {
            Self::Smc(client) => client.call(name, input),
            Self::Smartag(client) => client.call(name, input),
            Self::Apig(client) => client.call(name, input),
            Self::Zstack(client) => client.call(name, input),
        }
    }

    pub(crate) fn names_of_smc() -> Vec<&'static str> {
        cumulo_smc::Client::operations()
            .map(|spec| spec().name)
            .collect()
    }

    pub(crate) fn names_of_smartag() -> Vec<&'static str> {
        cumulo_smartag::Client::operations()
            .map(|spec| spec().name)
            .collect()
    }

    pub(crate) fn names_of_apig() -> Vec<&'static str> {
        cumulo_apig::Client::operations()
            .map(|spec| spec().name)
            .collect()
    }

    pub(crate) fn names_of_zstack() -> Vec<&'static str> {
        cumulo_zstack::Client::operations()
            .map(|spec| spec().name)
            .collect()
    }
}

fn service(model: &Model) -> Service {
    match model.service {
        "smc" => Service::Smc,
        "smartag" => Service::Smartag,
        "apig" => Service::Apig,
        _ => Service::Zstack,
    }
}

/// Calls every operation of the model; how many calls, and what was wrong with them.
pub(crate) async fn run(
    model: &'static Model,
    side: Side,
    jobs: &'static [Job],
) -> (usize, Vec<Failure>) {
    // The clients' clocks run ahead as they wait for jobs.
    // Each call stands alone: nothing that it names was made before.
    let builder = LocalCloud::builder()
        .strict_time(false)
        .samples(Samples::Always)
        .zstack_job_polls(1);
    let cloud = builder.start().await.expect("a local cloud");
    let bench = Arc::new(Bench::of(cloud));
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        let (bench, next) = (Arc::clone(&bench), Arc::clone(&next));
        workers.spawn(async move {
            let client = Client::new(&bench, model, side);
            let mut done = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(operation) = model.operations().get(at) else {
                    return done;
                };
                one(
                    &bench,
                    &client,
                    model,
                    operation,
                    (at * jobs.len(), jobs),
                    &mut done,
                )
                .await;
            }
        });
    }
    let mut seen: HashMap<usize, Vec<SeenRequest>> = HashMap::new();
    let all: Vec<Done> = workers.join_all().await.into_iter().flatten().collect();
    for request in bench.cloud.requests() {
        let number = request
            .header(NUMBER)
            .and_then(|number| number.parse().ok());
        seen.entry(number.expect("a number"))
            .or_default()
            .push(request);
    }
    let mut failures = Vec::new();
    for done in &all {
        let requests = seen.remove(&done.number).unwrap_or_default();
        judge(model, side, done, &requests, &mut failures);
    }
    (all.len(), failures)
}

/// The calls of one operation, one after the other.
async fn one(
    bench: &Bench,
    client: &Client,
    model: &'static Model,
    operation: &'static Operation,
    (first, jobs): (usize, &[Job]),
    done: &mut Vec<Done>,
) {
    let mut page = None;
    for (number, job) in (first..).zip(jobs) {
        let input = match job {
            Job::Required | Job::Answer => special::required(model, operation),
            Job::All => special::all(model, operation, page.as_ref()),
        };
        if *job == Job::Answer || special::has_state(operation) {
            let (status, body) = special::answer(model, operation);
            let fault = Fault::new(service(model), FaultKind::body(status, body));
            bench.cloud.inject(fault.operation(operation.name()));
        }
        let call = client.call(operation.name(), &Value::Object(input.clone()));
        let answer = match call {
            Ok(call) => call.header(NUMBER, &number.to_string()).await,
            Err(error) => Err(error),
        };
        if let (Ok(answer), Some(next)) = (&answer, operation.paging("next")) {
            page = to_value(Wire::clear(&*answer.output)).get(next).cloned();
        }
        let job = *job;
        done.push(Done {
            number,
            operation,
            job,
            input,
            answer,
        });
    }
}

fn judge(
    model: &Model,
    side: Side,
    done: &Done,
    requests: &[SeenRequest],
    failures: &mut Vec<Failure>,
) {
    let mut fail = |place: &'static str, difference: String| {
        failures.push(Failure {
            place,
            operation: done.operation.name().to_owned(),
            case: case(side, done.job),
            difference,
        });
    };
    let (polls, sent): (Vec<&SeenRequest>, Vec<&SeenRequest>) = requests
        .iter()
        .partition(|request| request.target.contains("/api-jobs/"));
    if let [sent] = *sent {
        let token = match &done.answer {
            Ok(answer) => answer.client_token(),
            Err(error) => error.client_token(),
        };
        let token = token.map(ToString::to_string);
        let acs = match side {
            Side::Alibaba(acs) => Some(acs),
            _ => None,
        };
        let expected = expect::request(model, done.operation, &done.input, acs, token.as_deref());
        for difference in seen::differences(&expected, sent) {
            fail("request", difference);
        }
        if sent.operation.as_deref() != Some(done.operation.name()) {
            fail(
                "route",
                format!("the local cloud took it for {:?}", sent.operation),
            );
        }
        let is_job = done.operation.is_job() && sent.fault.is_none();
        if is_job == polls.is_empty() && done.answer.is_ok() {
            fail("job", format!("asked after {} times", polls.len()));
        }
        if let Some(verdict) = &sent.verdict {
            fail("verdict", verdict.clone());
        }
    } else if !sent.is_empty() || done.answer.is_ok() {
        fail("sent", format!("{} requests", sent.len()));
    }
    match &done.answer {
        Err(error) => fail("error", error.explain()),
        Ok(answer) => {
            for warning in answer.warnings() {
                fail("warning", warning.to_string());
            }
            for difference in answer_differences(done.operation, answer) {
                fail("answer", difference);
            }
        }
    }
}

fn case(side: Side, job: Job) -> String {
    let members = match job {
        Job::Required => "required members",
        Job::All => "all members",
        Job::Answer => "all members of the answer",
    };
    match side {
        Side::Alibaba(Acs { signature, form }) => {
            let version = if signature == AcsSignature::V1 {
                "V1"
            } else {
                "V3"
            };
            let place = if form { "form" } else { "query" };
            format!("{members}, {version}, {place}")
        }
        _ => members.to_owned(),
    }
}

/// Holds the decoded answer against the one that was served.
fn answer_differences(operation: &Operation, answer: &Response<Box<dyn Record>>) -> Vec<String> {
    let mut ours = to_value(Wire::clear(&*answer.output));
    let mut served = Map::new();
    for member in operation
        .output
        .iter()
        .filter(|member| member.place() == "header")
    {
        if let Some(value) = answer.headers().get(member.name()) {
            let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
            served.insert(member.name().to_owned(), Value::String(text));
        }
    }
    let body = answer.raw_body();
    let raw = operation
        .output
        .iter()
        .find(|member| member.style() == "raw");
    match (raw, serde_json::from_slice(body)) {
        (Some(raw), parsed) => {
            let text = || Value::String(String::from_utf8_lossy(body).into_owned());
            served.insert(raw.name().to_owned(), parsed.unwrap_or_else(|_| text()));
        }
        (None, Ok(Value::Object(members))) => served.extend(members),
        (None, _) if body.is_empty() => {}
        (None, _) => return vec![format!("served {}", String::from_utf8_lossy(body))],
    }
    // ZStack adds these to any answer.
    for envelope in ["success", "schema"] {
        if operation
            .output
            .iter()
            .all(|member| member.name() != envelope)
        {
            served.remove(envelope);
        }
    }
    if let Value::Object(ours) = &mut ours {
        ours.retain(|_, value| !value.is_null());
    }
    compare::differences(&Value::Object(served), &ours)
}
