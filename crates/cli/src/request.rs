//! One call as a user names it, and what comes of it.

use std::sync::Arc;
use std::time::Duration;

use cumulo_core::clock::SystemEntropy;
use cumulo_core::operation::{Operation, RetryClass};
use cumulo_core::record::{Record, nearest};
use cumulo_core::{Call, ClientToken, Error, Json, Kind, Response};

use crate::in_flight::InFlight;
use crate::secrets::Secrets;
use crate::service::{Clients, Listed, Service};

/// A call by name.
#[derive(Debug, PartialEq)]
pub(crate) struct Request {
    pub(crate) service: Service,
    pub(crate) operation: String,
    pub(crate) input: Json,
    pub(crate) client_token: Option<String>,
}

/// A mistake in what the user gave.
pub(crate) fn invalid(message: impl Into<String>) -> Error {
    Error::new(Kind::InvalidInput, "call", message)
}

/// The operation called `name`.
pub(crate) fn find(service: Service, name: &str) -> Result<Listed, Error> {
    if let Some(found) = service
        .operations()
        .find(|listed| listed.operation().name == name)
    {
        return Ok(found);
    }
    let error = invalid(format!("{} has no operation `{name}`", service.name()));
    let names = service.operations().map(|listed| listed.operation().name);
    Err(match nearest(name, names) {
        Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
        None => error.with_hint(format!("`cumulo ops {}` lists them", service.name())),
    })
}

/// Makes the call, which `open` lets be seen from outside.
pub(crate) async fn perform(
    clients: &Clients,
    request: &Request,
    timeout: Option<Duration>,
    secrets: &Secrets,
    open: &Arc<InFlight>,
) -> Result<Response<Box<dyn Record>>, Error> {
    let (mut call, operation, token) = prepared(clients, request)?;
    secrets.allow(operation)?;
    open.name(operation, token);
    if let Some(timeout) = timeout {
        call = call.timeout(timeout);
    }
    let result = open.watch(call).await;
    if let Err(error) = &result {
        secrets.keep_whole(request.service, operation, error);
    }
    result
}

/// The request as a curl line, with secrets hidden. Nothing is sent, but credentials may be fetched.
pub(crate) async fn dry_run(
    clients: &Clients,
    request: &Request,
    timeout: Option<Duration>,
) -> Result<String, Error> {
    let mut call = prepared(clients, request)?.0;
    if let Some(timeout) = timeout {
        call = call.timeout(timeout);
    }
    Ok(call.dry_run().await?.curl())
}

/// A call that is ready, its operation and its token.
type Prepared = (Call<Box<dyn Record>>, &'static Operation, Option<String>);

fn prepared(clients: &Clients, request: &Request) -> Result<Prepared, Error> {
    // The name comes first: it is the likelier mistake than a client's settings.
    let listed = find(request.service, &request.operation)?;
    let client = clients.get(request.service)?;
    let mut call = client.call(&[("", &[listed.spec])], &request.operation, &request.input)?;
    let operation = listed.operation();
    let token = token(request, operation);
    if let Some(token) = &token {
        call = call.client_token(token.as_str());
    }
    Ok((call, operation, token))
}

/// The token of the call: the one given, or one that is made here, before anything is sent, so that it
/// can be told whatever becomes of the call.
fn token(request: &Request, operation: &Operation) -> Option<String> {
    let in_input = || match request.input.get(operation.token?)? {
        Json::Null => None,
        Json::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let given = request.client_token.clone().or_else(in_input);
    if given.is_some() {
        return given;
    }
    // As in the library: the member that carries it, or the id of a job.
    let takes_one =
        operation.token.is_some() || (operation.job && operation.retry == RetryClass::Keyed);
    takes_one.then(|| ClientToken::random(&SystemEntropy::default()).to_string())
}
