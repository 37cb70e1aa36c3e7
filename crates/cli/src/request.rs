//! One call as a user names it, and what comes of it.

use std::time::Duration;

use cumulo_core::record::{Record, nearest};
use cumulo_core::{Error, Json, Kind, Response};

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

/// Makes the call.
pub(crate) async fn perform(
    clients: &Clients,
    request: &Request,
    timeout: Option<Duration>,
) -> Result<Response<Box<dyn Record>>, Error> {
    // The name comes first: it is the likelier mistake than a client's settings.
    let listed = find(request.service, &request.operation)?;
    let client = clients.get(request.service)?;
    let mut call = client.call(
        &mut std::iter::once(listed.spec),
        &request.operation,
        &request.input,
    )?;
    if let Some(token) = &request.client_token {
        call = call.client_token(token.as_str());
    }
    if let Some(timeout) = timeout {
        call = call.timeout(timeout);
    }
    call.await
}
