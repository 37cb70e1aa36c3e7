//! How does a program in any language steer the local cloud? Under `/_cumulo/`, at the port of any
//! service, in JSON; `openapi.json` describes it. Nothing here is recorded, delayed or lost.

#![expect(clippy::unnecessary_wraps, reason = "the type of every handler")]

mod nearest;
mod rule;

use serde_json::{Map, Value, json};

use crate::clock;
use crate::cloud::Cloud;
use crate::store::{Store, Table};
use crate::wire::{Reply, Request, Service};
pub(crate) use nearest::nearest;

const PREFIX: &str = "/_cumulo";

/// Why a request of the control interface is refused.
pub(crate) type Wrong = String;

/// What answers a request.
#[derive(Clone, Copy)]
enum Handler {
    Tell(fn(&Cloud, &Asked<'_>) -> Result<Value, Wrong>),
    /// What is JSON already, and may be large.
    Text(fn(&Cloud) -> String),
}
use Handler::{Tell, Text};

/// A request of the control interface.
struct Asked<'a> {
    /// What stands in the path where its template has a name, in order.
    values: Vec<&'a str>,
    body: &'a Value,
}

const ROUTES: &[(&str, &str, Handler)] = &[
    ("GET", "/health", Tell(health)),
    ("GET", "/faults", Tell(faults)),
    ("POST", "/faults", Tell(add_fault)),
    ("DELETE", "/faults", Tell(clear_faults)),
    ("GET", "/clock", Tell(clock_of)),
    ("PUT", "/clock", Tell(set_clock)),
    ("POST", "/reset", Tell(reset)),
    ("GET", "/snapshot", Text(Cloud::snapshot)),
    ("PUT", "/snapshot", Tell(restore)),
    ("GET", "/requests", Tell(requests)),
    ("DELETE", "/requests", Tell(clear_requests)),
    ("GET", "/transitions", Tell(transitions)),
    ("PUT", "/transitions", Tell(set_transition)),
    ("DELETE", "/transitions", Tell(clear_transitions)),
    ("GET", "/resources", Tell(resources)),
    ("GET", "/resources/{service}/{resource}", Tell(things)),
    ("POST", "/resources/{service}/{resource}", Tell(add_thing)),
];

/// The answer of the control interface; `None` for what a service answers.
pub(crate) fn answer(cloud: &Cloud, request: &Request) -> Option<Reply> {
    let segments = request.segments(PREFIX)?;
    let at_path: Vec<_> = ROUTES
        .iter()
        .filter_map(|(method, path, handler)| Some((*method, *handler, values(path, &segments)?)))
        .collect();
    let found = at_path
        .iter()
        .find(|(method, _, _)| *method == request.method);
    let refused = |status, why: String| Some(Reply::json(status, &json!({ "error": why })));
    let Some((_, handler, values)) = found else {
        let methods: Vec<&str> = at_path.iter().map(|(method, _, _)| *method).collect();
        return if methods.is_empty() {
            let paths = ROUTES.iter().map(|(_, path, _)| *path);
            let asked = format!("/{}", segments.join("/"));
            refused(
                404,
                format!("there is no {PREFIX}{asked}{}", nearest(&asked, paths)),
            )
        } else {
            refused(
                405,
                format!("{} is not among {}", request.method, methods.join(", ")),
            )
        };
    };
    let body = if request.body.is_empty() {
        Value::Null
    } else {
        match serde_json::from_slice(&request.body) {
            Ok(body) => body,
            Err(error) => return refused(400, format!("the body is no JSON: {error}")),
        }
    };
    let asked = Asked {
        values: values.clone(),
        body: &body,
    };
    match handler {
        Tell(handler) => match handler(cloud, &asked) {
            Ok(value) => Some(Reply::json(200, &value)),
            Err(why) => refused(400, why),
        },
        Text(text) => Some(Reply::json_text(200, text(cloud))),
    }
}

fn values<'a>(path: &str, segments: &'a [String]) -> Option<Vec<&'a str>> {
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    if parts.len() != segments.len() {
        return None;
    }
    let mut values = Vec::new();
    for (part, segment) in parts.iter().zip(segments) {
        if part.starts_with('{') {
            values.push(segment.as_str());
        } else if part != segment {
            return None;
        }
    }
    Some(values)
}

/// The members of an object, each of which must be known.
fn members<'a>(body: &'a Value, known: &[&str]) -> Result<&'a Map<String, Value>, Wrong> {
    let members = body.as_object().ok_or("expected a JSON object")?;
    match members.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(format!(
            "unknown member {name}{}; there are {}",
            nearest(name, known.iter().copied()),
            known.join(", ")
        )),
        None => Ok(members),
    }
}

/// The row of a name in a service.
pub(crate) fn row(service: &str, resource: &str) -> Result<(Service, usize), Wrong> {
    let known = Service::by_name(service).ok_or_else(|| {
        let names = Service::ALL.into_iter().map(Service::name);
        format!("unknown service {service}{}", nearest(service, names))
    })?;
    let table = Table::of(known);
    let at = table.position(resource).ok_or_else(|| {
        let names = table.rows.iter().map(|row| row.name.as_str());
        format!(
            "unknown resource {resource} of {service}{}",
            nearest(resource, names)
        )
    })?;
    Ok((known, at))
}

fn done() -> Result<Value, Wrong> {
    Ok(json!({}))
}

fn health(cloud: &Cloud, _: &Asked<'_>) -> Result<Value, Wrong> {
    let endpoints: Map<String, Value> = Service::ALL
        .into_iter()
        .map(|service| {
            (
                service.name().to_owned(),
                cloud.addresses.base(service).into(),
            )
        })
        .collect();
    Ok(json!({"status": "ok", "version": env!("CARGO_PKG_VERSION"), "endpoints": endpoints}))
}

fn faults(cloud: &Cloud, _: &Asked<'_>) -> Result<Value, Wrong> {
    let faults: Vec<Value> = cloud
        .faults()
        .iter()
        .map(crate::fault::Fault::to_json)
        .collect();
    Ok(json!({ "faults": faults }))
}

fn add_fault(cloud: &Cloud, asked: &Asked<'_>) -> Result<Value, Wrong> {
    let fault = rule::fault(asked.body)?;
    let shown = fault.to_json();
    cloud.faults().push(fault);
    Ok(shown)
}

fn clear_faults(cloud: &Cloud, _: &Asked<'_>) -> Result<Value, Wrong> {
    cloud.faults().clear();
    done()
}

fn clock_of(cloud: &Cloud, _: &Asked<'_>) -> Result<Value, Wrong> {
    Ok(json!({
        "now": clock::iso(cloud.clock.now(0)),
        "offset_seconds": cloud.clock.offset(),
    }))
}

fn set_clock(cloud: &Cloud, asked: &Asked<'_>) -> Result<Value, Wrong> {
    let body = members(asked.body, &["offset_seconds", "advance_seconds"])?;
    let number = |name: &str| match body.get(name) {
        None => Ok(None),
        Some(value) => value
            .as_i64()
            .map(Some)
            .ok_or(format!("{name}: expected whole seconds")),
    };
    let offset = number("offset_seconds")?.unwrap_or(cloud.clock.offset());
    let advance = number("advance_seconds")?.unwrap_or(0);
    cloud.clock.set_offset(offset.saturating_add(advance));
    clock_of(cloud, asked)
}

fn reset(cloud: &Cloud, _: &Asked<'_>) -> Result<Value, Wrong> {
    cloud.reset();
    done()
}

fn restore(cloud: &Cloud, asked: &Asked<'_>) -> Result<Value, Wrong> {
    cloud.restore(asked.body)?;
    done()
}

/// Neither headers nor bodies nor queries: they hold keys and signatures.
fn requests(cloud: &Cloud, _: &Asked<'_>) -> Result<Value, Wrong> {
    let requests: Vec<Value> = cloud
        .seen()
        .iter()
        .map(|seen| {
            json!({
                "service": seen.service.name(),
                "operation": seen.operation,
                "method": seen.method,
                "path": seen.target.split('?').next(),
                "status": seen.status,
                "verdict": seen.verdict,
                "fault": seen.fault,
            })
        })
        .collect();
    Ok(json!({ "requests": requests }))
}

fn clear_requests(cloud: &Cloud, _: &Asked<'_>) -> Result<Value, Wrong> {
    cloud.seen().clear();
    done()
}

fn transitions(cloud: &Cloud, _: &Asked<'_>) -> Result<Value, Wrong> {
    let store = cloud.store();
    let mut all: Vec<Value> = store
        .transitions
        .iter()
        .map(|((service, _), transition)| {
            let mut shown = transition.to_json();
            shown["service"] = service.name().into();
            shown
        })
        .collect();
    all.sort_by_key(Value::to_string);
    Ok(json!({ "transitions": all }))
}

fn set_transition(cloud: &Cloud, asked: &Asked<'_>) -> Result<Value, Wrong> {
    let (service, transition) = rule::transition(asked.body)?;
    let shown = transition.to_json();
    cloud.store().set_transition(service, transition)?;
    Ok(shown)
}

fn clear_transitions(cloud: &Cloud, _: &Asked<'_>) -> Result<Value, Wrong> {
    cloud.store().transitions.clear();
    done()
}

fn resources(cloud: &Cloud, _: &Asked<'_>) -> Result<Value, Wrong> {
    let mut store = cloud.store();
    let mut out = Vec::new();
    for service in Service::ALL {
        for (at, row) in Table::of(service).rows.iter().enumerate() {
            out.push(json!({
                "service": service.name(),
                "resource": row.name,
                "id": row.id,
                "kept": store.kind(service, at).len(),
            }));
        }
    }
    Ok(json!({ "resources": out }))
}

fn things(cloud: &Cloud, asked: &Asked<'_>) -> Result<Value, Wrong> {
    let (service, at) = named(asked)?;
    let mut store = cloud.store();
    let things: Vec<Value> = store
        .kind(service, at)
        .iter()
        .map(|(_, thing)| json!({"id": thing.id, "members": thing.members}))
        .collect();
    Ok(json!({ "things": things }))
}

fn add_thing(cloud: &Cloud, asked: &Asked<'_>) -> Result<Value, Wrong> {
    let (service, at) = named(asked)?;
    let id = cloud
        .store()
        .seed(service, at, asked.body, cloud.clock.now(0))?;
    Ok(json!({ "id": id }))
}

fn named(asked: &Asked<'_>) -> Result<(Service, usize), Wrong> {
    match asked.values.as_slice() {
        [service, resource] => row(service, resource),
        _ => Err("expected a service and a resource".to_owned()),
    }
}

/// Puts what a seed file says into the store: `{"smc": {"source-server": [{..}]}}`.
pub(crate) fn seed(store: &mut Store, json: &Value, now: jiff::Timestamp) -> Result<(), Wrong> {
    let services = json
        .as_object()
        .ok_or("expected a JSON object by service")?;
    for (service, rows) in services {
        let rows = rows
            .as_object()
            .ok_or_else(|| format!("{service}: expected an object by resource"))?;
        for (resource, things) in rows {
            let (known, at) = row(service, resource)?;
            let things = things
                .as_array()
                .ok_or_else(|| format!("{service} {resource}: expected a list of objects"))?;
            for (number, thing) in (1..).zip(things) {
                store
                    .seed(known, at, thing, now)
                    .map_err(|why| format!("{service} {resource} {number}: {why}"))?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever reads the description finds what there is, and nothing else.
    #[test]
    fn the_description_has_these_routes() {
        let described: Value = serde_json::from_str(include_str!("../../openapi.json")).unwrap();
        let mut found = Vec::new();
        for (path, methods) in described["paths"].as_object().unwrap() {
            for method in methods.as_object().unwrap().keys() {
                if method != "parameters" {
                    found.push(format!("{} {path}", method.to_uppercase()));
                }
            }
        }
        let mut routes: Vec<String> = ROUTES
            .iter()
            .map(|(method, path, _)| format!("{method} {PREFIX}{path}"))
            .collect();
        found.sort();
        routes.sort();
        assert_eq!(found, routes);
        assert_eq!(described["info"]["version"], env!("CARGO_PKG_VERSION"));
    }
}
