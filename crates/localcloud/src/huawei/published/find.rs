//! Which published API does a call address? That of the group, the stage, the path and the method; where
//! several fit, the one with the most words of its own.

use crate::encode;
use crate::model::input::Input;
use crate::platform::lock;
use crate::store::Table;
use crate::wire::{Request, Service};

use super::super::refusal::Refusal;
use super::{Publication, Published, RELEASE, RELEASE_ID, host, text, things};

/// The API that a call is for.
pub(super) struct Found {
    pub(super) publication: Publication,
    pub(super) stage: String,
    /// The values of the path, by name.
    pub(super) path: Vec<(String, String)>,
    /// What of the path comes after a prefix.
    pub(super) rest: Vec<String>,
}

impl Found {
    pub(super) fn definition(&self) -> &Input {
        &self.publication.definition
    }
}

fn unpublished(why: impl Into<String>) -> Refusal {
    Refusal::gateway(
        404,
        "APIG.0101",
        "The API does not exist or has not been published in the environment",
    )
    .verdict(why)
}

impl Published {
    pub(super) fn find(&self, request: &Request) -> Result<Found, Refusal> {
        let host = host(request);
        let group = self.group(&host).or_else(|| {
            let bare = !host.ends_with(super::DOMAIN);
            self.default_group().filter(|_| bare)
        });
        let group = group.ok_or_else(|| unpublished(format!("no group has the domain {host}")))?;
        let stage = request.header("x-stage").unwrap_or(RELEASE).to_owned();
        let env = self
            .env(&stage)
            .ok_or_else(|| unpublished(format!("no environment is named {stage}")))?;
        let segments = request.segments("").unwrap_or_default();
        let mut best: Option<(usize, Found)> = None;
        let mut other_method = false;
        for one in &self.all {
            let definition = &one.definition;
            if one.env != env || text(definition, "group_id") != group || !self.is_there(one) {
                continue;
            }
            let prefix = text(definition, "match_mode") == "SWA";
            let Some(fit) = fit(text(definition, "req_uri"), prefix, &segments) else {
                continue;
            };
            let method = text(definition, "req_method");
            if method != "ANY" && method != request.method {
                other_method = true;
                continue;
            }
            let weight = 4 * fit.words + 2 * usize::from(!prefix) + usize::from(method != "ANY");
            if best.as_ref().is_none_or(|(before, _)| *before < weight) {
                let found = Found {
                    publication: one.clone(),
                    stage: stage.clone(),
                    path: fit.values,
                    rest: fit.rest,
                };
                best = Some((weight, found));
            }
        }
        match best {
            Some((_, found)) => Ok(found),
            None if other_method => {
                Err(
                    Refusal::gateway(404, "APIG.0101", "The API does not exist").verdict(format!(
                        "the path is published, but not for {}",
                        request.method
                    )),
                )
            }
            None => Err(unpublished(format!(
                "group {group} has nothing published in {stage} for {} {}",
                request.method,
                request.path()
            ))),
        }
    }

    /// The id of an environment; the one that every gateway has needs not be made.
    fn env(&self, name: &str) -> Option<String> {
        let store = &mut lock(&self.store);
        let made = things(store, "env", |env| text(env, "name") == name);
        let made = made.first().map(|env| text(env, "id").to_owned());
        made.or_else(|| (name == RELEASE).then(|| RELEASE_ID.to_owned()))
    }

    /// Whether the API was not deleted since.
    fn is_there(&self, one: &Publication) -> bool {
        let at = Table::of(Service::Apig).position("api");
        let store = lock(&self.store);
        let apis = at.and_then(|at| store.kept(Service::Apig, at));
        apis.is_some_and(|apis| apis.of_id(&one.api).next().is_some())
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Fit {
    /// How many segments are the template's own words.
    words: usize,
    values: Vec<(String, String)>,
    rest: Vec<String>,
}

/// Holds decoded segments against `/pets/{id}`; `{name+}` takes all that is left, and a prefix leaves it.
fn fit(template: &str, prefix: bool, segments: &[String]) -> Option<Fit> {
    let template = template.strip_prefix('/').unwrap_or(template);
    let mut parts: Vec<&str> = template.split('/').collect();
    if prefix && parts.last().is_some_and(|last| last.is_empty()) {
        parts.pop();
    }
    let mut fit = Fit {
        words: 0,
        values: Vec::new(),
        rest: Vec::new(),
    };
    for (at, part) in parts.iter().enumerate() {
        let segment = segments.get(at)?;
        let name = part
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'));
        match name {
            Some(name) if name.ends_with('+') => {
                let all: Vec<String> = segments[at..]
                    .iter()
                    .map(|one| encode::percent(one))
                    .collect();
                let name = name.trim_end_matches('+');
                fit.values.push((name.to_owned(), all.join("/")));
                return (at + 1 == parts.len()).then_some(fit);
            }
            Some(name) if !segment.is_empty() => {
                fit.values.push((name.to_owned(), encode::percent(segment)));
            }
            None if *part == segment => fit.words += 1,
            _ => return None,
        }
    }
    let rest = segments.get(parts.len()..).unwrap_or_default();
    if !prefix && !rest.is_empty() {
        return None;
    }
    fit.rest = rest.iter().map(|one| encode::percent(one)).collect();
    Some(fit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(template: &str, prefix: bool, path: &str) -> Option<(usize, String, String)> {
        let segments: Vec<String> = path[1..].split('/').map(encode::unpercent).collect();
        let fit = fit(template, prefix, &segments)?;
        let values: Vec<String> = fit
            .values
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        Some((fit.words, values.join("&"), fit.rest.join("/")))
    }

    #[test]
    fn paths() {
        let fits = |words, values: &str, rest: &str| Some((words, values.into(), rest.into()));
        assert_eq!(at("/pets/{id}", false, "/pets/7"), fits(1, "id=7", ""));
        assert_eq!(
            at("/pets/{id}", false, "/pets/a%2Fb"),
            fits(1, "id=a%2Fb", "")
        );
        assert_eq!(at("/pets/{id}", false, "/pets/"), None);
        assert_eq!(at("/pets/{id}", false, "/pets/7/x"), None);
        assert_eq!(at("/pets", true, "/pets/7/x"), fits(1, "", "7/x"));
        assert_eq!(at("/", true, "/pets/7"), fits(0, "", "pets/7"));
        assert_eq!(at("/", false, "/"), fits(1, "", ""));
        assert_eq!(at("/f/{p+}", false, "/f/a/b"), fits(1, "p=a/b", ""));
        assert_eq!(at("/f/{p+}/x", false, "/f/a/x"), None);
        assert_eq!(at("/pets", false, "/Pets"), None);
    }
}
