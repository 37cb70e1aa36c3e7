//! What does the gateway answer to an operation that has no behaviour of its own here? Path,
//! query and body are held against its model; the answer is made from it.

use serde_json::{Map, Value};

use crate::model::input::{self, Input, Problem, Reading};
use crate::model::values::{BYTES, Dialect, Maker};
use crate::model::{Location, Member, Model, Operation, Type, flat, page};
use crate::store::{Ask, Refused, Store};
use crate::wire::{Call, Reply, Request, Service};

use super::operation::check_project_of_gateway;
use super::refusal::Refusal;
use super::{bound, gateway_responses, multipart, outline, published, quota};

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Missing(name) => Self::gateway(
                400,
                "APIG.2001",
                format!("The request parameters must be specified,parameterName:{name}. Please refer to the support documentation"),
            )
            .verdict(format!("{name} is required")),
            Problem::Invalid { name, expected } => {
                Self::invalid(&name, &format!("expected {expected}"))
            }
        }
    }
}

/// The operation of a verb and a path, with the values of the path.
pub(super) fn find(request: &Request) -> Option<(&'static Operation, Input)> {
    let model = Model::of(Service::Apig);
    model
        .routes
        .find(&request.segments("")?)
        .into_iter()
        .filter_map(|found| Some((model.operations.get(found.operation)?, found.values)))
        .find(|(operation, _)| operation.method == request.method)
        .map(|(operation, values)| {
            let values = values
                .into_iter()
                .map(|(name, value)| (name, Value::String(value)));
            (operation, values.collect())
        })
}

pub(super) fn run(
    store: &mut Store,
    operation: &'static Operation,
    path: Input,
    call: &Call<'_>,
) -> Result<Reply, Refusal> {
    let request = call.request;
    let model = Model::of(Service::Apig);
    let at = |location: Location| {
        operation
            .input
            .iter()
            .filter(move |member| member.location == location)
    };
    let query = flat::read(model, &operation.input, &request.query_pairs())?;
    let body = body(at(Location::Body), request)?;
    // A name may stand in the path and in the body: each is checked where it belongs.
    for (location, input) in [
        (Location::Path, &path),
        (Location::Query, &query),
        (Location::Body, &body),
    ] {
        input::check(model, at(location), input, Reading::Exact)?;
    }
    let mut input = own_id(operation, &path);
    input.extend(path);
    input.extend(query);
    input.extend(body);
    if operation.name == "CreateApiGroupV2" {
        input.insert("sl_domain".to_owned(), published::domain(request).into());
    }
    let mut page = page::of(operation, &input)?;
    let dialect = Dialect::Apig;
    let ask = Ask {
        service: Service::Apig,
        operation,
        input: &input,
        owner: "",
        now: call.now,
        dialect,
    };
    check_project_of_gateway(store, &input)?;
    quota::check(store, &operation.name, &input)?;
    let told = bound::list(store, &ask, page.as_mut()).or_else(|| outline::counts(store, &ask));
    let shown = match told {
        Some(shown) => Some(shown),
        None => store.run(&ask, page.as_mut()).map_err(missing)?,
    };
    if let Some(reply) = gateway_responses::of_type(store, &ask) {
        return reply;
    }
    if let Some(shown) = shown {
        input = shown;
    }
    gateway_responses::complete(operation, store.samples, &mut input);
    let maker = Maker {
        model,
        dialect,
        page,
    };
    Ok(answer(&maker, operation, &input))
}

/// The codes of things that are not there, by row, and those of names that are taken.
const GONE: &[(&str, &str)] = &[
    ("acl", "APIG.3006"),
    ("acl-binding", "APIG.3010"),
    ("api", "APIG.3002"),
    ("api-group", "APIG.3001"),
    ("api-version", "APIG.3022"),
    ("app", "APIG.3004"),
    ("app-auth", "APIG.3009"),
    ("app-code", "APIG.3082"),
    ("authorizer", "APIG.3081"),
    ("certificate", "APIG.3025"),
    ("domain", "APIG.3020"),
    ("domain-certificate", "APIG.3097"),
    ("env", "APIG.3003"),
    ("env-variable", "APIG.3011"),
    ("instance", "APIG.3030"),
    ("member", "APIG.3024"),
    ("orchestration", "APIG.3095"),
    ("sign", "APIG.3017"),
    ("sign-binding", "APIG.3018"),
    ("throttle", "APIG.3005"),
    ("throttle-binding", "APIG.3012"),
    ("throttle-special", "APIG.3013"),
    ("vpc-channel", "APIG.3023"),
];
const TAKEN: &[(&str, &str)] = &[
    ("api-group", "APIG.3201"),
    ("throttle", "APIG.3204"),
    ("env", "APIG.3205"),
    ("acl", "APIG.3206"),
    ("sign", "APIG.3207"),
    ("vpc-channel", "APIG.3208"),
    ("authorizer", "APIG.3211"),
    ("gateway-response", "APIG.3216"),
    ("orchestration", "APIG.3331"),
];

fn code(table: &[(&str, &'static str)], row: &str) -> Option<&'static str> {
    let found = table.iter().find(|(name, _)| *name == row);
    found.map(|(_, code)| *code)
}

/// The code for a name that another thing of the row has, where the service keeps names apart.
pub(crate) fn taken(row: &str) -> Option<&'static str> {
    code(TAKEN, row)
}

pub(super) fn missing(refused: Refused) -> Refusal {
    match refused {
        // The code of nothing in particular.
        Refused::Gone { row, id } => Refusal::gateway(
            404,
            code(GONE, &row.name).unwrap_or("APIG.3072"),
            format!("The {} does not exist;id:{id}", row.name),
        ),
        Refused::Taken { row, title } | Refused::Exists { row, id: title } => Refusal::gateway(
            400,
            taken(&row.name).unwrap_or("APIG.3201"),
            format!("The {} name already exists:{title}", row.name),
        ),
        Refused::Planned { code, message } => Refusal::gateway(400, &code, message),
    }
}

/// `GET /apps/{app_id}` answers an `id`: the one in the path.
fn own_id(operation: &Operation, path: &Input) -> Input {
    let last = operation
        .path
        .rsplit_once("/{")
        .and_then(|(_, name)| name.strip_suffix('}'))
        .and_then(|name| path.get(name));
    last.map(|value| ("id".to_owned(), value.clone()))
        .into_iter()
        .collect()
}

fn body<'m>(
    mut members: impl Iterator<Item = &'m Member> + Clone,
    request: &Request,
) -> Result<Input, Refusal> {
    if members.clone().any(|member| member.multipart) {
        let parts = multipart::read(request)?;
        return Ok(Map::from_iter([("body".to_owned(), Value::Object(parts))]));
    }
    if members.next().is_none() || request.body.is_empty() {
        return Ok(Input::new());
    }
    match request.json() {
        Some(Value::Object(body)) => Ok(body),
        _ => Err(Refusal::invalid("body", "expected a JSON object")),
    }
}

fn answer<'a>(maker: &'a Maker<'a>, operation: &'a Operation, input: &Input) -> Reply {
    let default = if operation.method == "DELETE" && operation.output.is_empty() {
        204
    } else {
        200
    };
    let status = operation.success.unwrap_or(default);
    let raw = operation.output.iter().find(|member| member.raw);
    let mut reply = match raw {
        _ if status == 204 => Reply::new(status),
        Some(file) if matches!(file.ty, Type::Binary) => Reply::file(status, BYTES),
        Some(whole) => Reply::json(status, &maker.single(whole, 0, input.get(&whole.name))),
        None => Reply::json(status, &Value::Object(maker.body(operation, input))),
    };
    for member in &operation.output {
        // Every answer has a request id, added by the gateway.
        if member.location == Location::Header && member.name != "x-request-id" {
            let value = maker.single(member, 0, None);
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            reply = reply.header(&member.name, text);
        }
    }
    reply
}
