//! What answers a call that is allowed? A mock, by what its API says, or an HTTP backend on this machine,
//! which gets the parameters where the API says.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde_json::Value;

use crate::encode;
use crate::model::input::Input;
use crate::wire::{Forward, Reply, Request};

use super::super::refusal::Refusal;
use super::access::Who;
use super::find::Found;
use super::{objects, text};

/// How long a backend may take that says nothing of it.
const TIMEOUT: i64 = 5_000;

pub(super) fn answer(found: &Found, who: &Who, request: &Request) -> Result<Reply, Refusal> {
    let definition = found.definition();
    check(found, request)?;
    match text(definition, "backend_type") {
        "MOCK" => Ok(mock(definition)),
        "HTTP" => forward(found, who, request),
        other => Err(unavailable(format!(
            "the local cloud has no {other} backends"
        ))),
    }
}

fn unavailable(why: impl Into<String>) -> Refusal {
    Refusal::gateway(502, "APIG.0202", "Backend unavailable").verdict(why)
}

/// What the API requires must be there.
fn check(found: &Found, request: &Request) -> Result<(), Refusal> {
    for param in objects(found.definition(), "req_params") {
        let required = param.get("required").and_then(Value::as_i64) == Some(1);
        if required && value(found, request, param).is_none() {
            let name = text(param, "name");
            return Err(Refusal::gateway(400, "APIG.0201", "API request error")
                .verdict(format!("{} {name} is required", text(param, "location"))));
        }
    }
    Ok(())
}

fn mock(definition: &Input) -> Reply {
    let info = definition.get("mock_info").and_then(Value::as_object);
    let content = info
        .map(|info| text(info, "result_content"))
        .unwrap_or_default();
    let content = match content {
        "" => text(definition, "result_normal_sample"),
        content => content,
    };
    Reply::raw(200, content.as_bytes())
}

/// The value of a request parameter, as it came or by default.
fn value(found: &Found, request: &Request, param: &Input) -> Option<String> {
    let name = text(param, "name");
    let given = match text(param, "location") {
        "PATH" => {
            let mut values = found.path.iter();
            let value = values.find(|(key, _)| key == name);
            value.map(|(_, value)| encode::unpercent(value))
        }
        "QUERY" => request.query_value(name),
        "HEADER" => request.header(name).map(str::to_owned),
        _ => None,
    };
    given.or_else(|| {
        let default = text(param, "default_value");
        (!default.is_empty()).then(|| default.to_owned())
    })
}

fn forward(found: &Found, who: &Who, request: &Request) -> Result<Reply, Refusal> {
    let definition = found.definition();
    let Some(backend) = definition.get("backend_api").and_then(Value::as_object) else {
        return Err(unavailable("the API says nothing of its backend"));
    };
    let domain = text(backend, "url_domain");
    let address = address(domain).ok_or_else(|| {
        unavailable(format!(
            "{domain:?}: backends are called on this machine only"
        ))
    })?;
    if !matches!(text(backend, "req_protocol"), "HTTP" | "") {
        return Err(unavailable("backends are called over plain HTTP only"));
    }
    let mut query = request.query_pairs();
    let mut headers: Vec<(String, String)> = request
        .headers
        .iter()
        .filter(|(name, _)| !is_ours(name))
        .cloned()
        .collect();
    let mut path = text(backend, "req_uri").to_owned();
    for (name, value) in &found.path {
        path = path.replace(&format!("{{{name}}}"), value);
        path = path.replace(&format!("{{{name}+}}"), value);
    }
    let params: Vec<&Input> = objects(definition, "backend_params").collect();
    let own =
        |name: &str| objects(definition, "req_params").find(|param| text(param, "name") == name);
    // What goes elsewhere does not stay where it came.
    for param in params
        .iter()
        .filter(|param| text(param, "origin") == "REQUEST")
    {
        let Some(own) = own(text(param, "value")) else {
            continue;
        };
        let name = text(own, "name");
        match text(own, "location") {
            "QUERY" => query.retain(|(key, _)| key != name),
            "HEADER" => headers.retain(|(key, _)| !key.eq_ignore_ascii_case(name)),
            _ => {}
        }
    }
    for param in params {
        let given = match text(param, "origin") {
            "REQUEST" => own(text(param, "value")).and_then(|own| value(found, request, own)),
            "SYSTEM" => system(found, who, text(param, "value")),
            _ => Some(text(param, "value").to_owned()),
        };
        let Some(given) = given else { continue };
        let name = text(param, "name");
        match text(param, "location") {
            "PATH" => path = path.replace(&format!("{{{name}}}"), &encode::percent(&given)),
            "QUERY" => query.push((name.to_owned(), given)),
            _ => headers.push((name.to_ascii_lowercase(), given)),
        }
    }
    if !found.rest.is_empty() {
        path = format!("{}/{}", path.trim_end_matches('/'), found.rest.join("/"));
    }
    if !path.starts_with('/') {
        path.insert(0, '/');
    }
    let query: Vec<String> = query
        .iter()
        .map(|(name, value)| format!("{}={}", encode::percent(name), encode::percent(value)))
        .collect();
    let method = match text(backend, "req_method") {
        "ANY" | "" => request.method.as_str(),
        method => method,
    };
    let timeout = backend
        .get("timeout")
        .and_then(Value::as_i64)
        .unwrap_or(TIMEOUT);
    let mut reply = Reply::new(200);
    reply.forward = Some(Box::new(Forward {
        address,
        host: domain.to_owned(),
        method: method.to_owned(),
        target: if query.is_empty() {
            path
        } else {
            format!("{path}?{}", query.join("&"))
        },
        headers,
        timeout: Duration::from_millis(timeout.clamp(1, 600_000).unsigned_abs()),
    }));
    Ok(reply)
}

/// Where a backend listens on this machine; `None` when it is another one.
fn address(domain: &str) -> Option<SocketAddr> {
    if let Ok(address) = domain.parse::<SocketAddr>() {
        return Some(address).filter(|address| address.ip().to_canonical().is_loopback());
    }
    let (host, port) = domain.rsplit_once(':').unwrap_or((domain, "80"));
    let ip: IpAddr = match host {
        "localhost" => Ipv4Addr::LOCALHOST.into(),
        host => host.parse().ok()?,
    };
    let address = SocketAddr::new(ip, port.parse().ok()?);
    Some(address).filter(|address| address.ip().to_canonical().is_loopback())
}

/// What the gateway keeps of a request's headers: those of the connection, and what apps prove
/// themselves with.
fn is_ours(name: &str) -> bool {
    matches!(
        name.to_ascii_lowercase().as_str(),
        "host"
            | "connection"
            | "keep-alive"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "upgrade"
            | "transfer-encoding"
            | "content-length"
            | "expect"
            | "authorization"
            | "x-apig-appcode"
            | "x-hw-id"
            | "x-hw-appkey"
            | "x-stage"
            | "x-auth-token"
            | "x-security-token"
    )
}

fn system(found: &Found, who: &Who, name: &str) -> Option<String> {
    let one = &found.publication;
    match name.trim_start_matches('$') {
        "context.stage" => Some(found.stage.clone()),
        "context.apiId" => Some(one.api.clone()),
        "context.appId" => match who {
            Who::App(id) => Some(id.clone()),
            _ => None,
        },
        "context.requestId" => Some(crate::random::uuid_hex()),
        "context.sourceIp" => Some(Ipv4Addr::LOCALHOST.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn backends_are_on_this_machine() {
        for (domain, there) in [
            ("127.0.0.1:8080", Some("127.0.0.1:8080")),
            ("localhost:8080", Some("127.0.0.1:8080")),
            ("localhost", Some("127.0.0.1:80")),
            ("[::1]:8080", Some("[::1]:8080")),
            ("10.0.0.1:80", None),
            ("example.com", None),
            ("localhost.example.com:80", None),
            ("", None),
        ] {
            let there = there.map(|text| text.parse().unwrap());
            assert_eq!(address(domain), there, "{domain}");
        }
    }
}
