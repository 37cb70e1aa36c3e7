//! Which wait is meant by a kind of thing and a word: a condition, a state in the service's own words,
//! or nothing at all.

use cumulo_core::Error;
use cumulo_core::record::{Slot, nearest};
use cumulo_core::resource::{Resource, States};
use cumulo_core::wait::Target;

use crate::request::{find, invalid};
use crate::service::Service;

/// The name of what is waited for: `running` of `vm_instance_running`.
pub(crate) fn condition(target: &Target) -> String {
    let of = format!("{}_", target.of.replace('-', "_"));
    let name = target.name.strip_prefix(&of).unwrap_or(target.name);
    name.replace('_', "-")
}

/// The wait for a thing of this row, until what `wanted` names: a condition, or a state in the
/// service's words.
pub(crate) fn target(
    service: Service,
    row: &'static Resource,
    wanted: Option<&str>,
) -> Result<&'static Target, Error> {
    let known: Vec<&'static Target> = service
        .targets()
        .iter()
        .copied()
        .filter(|target| target.of == row.name)
        .collect();
    let Some(wanted) = wanted else {
        return usual(service, row, &known);
    };
    let same = |name: &str| {
        name.replace('_', "-")
            .eq_ignore_ascii_case(&wanted.replace('_', "-"))
    };
    let by_name = known
        .iter()
        .find(|target| same(&condition(target)) || same(target.name));
    if let Some(target) = by_name {
        return Ok(target);
    }
    let ends = |target: &Target| {
        let mut states = target.good.iter().map(|good| state(good));
        states.any(|state| state.eq_ignore_ascii_case(wanted))
    };
    if let Some(target) = known.iter().find(|target| ends(target)) {
        return Ok(target);
    }
    let gone = same("gone");
    let (known_states, documented) = states(service, row, &known);
    if !gone
        && !known_states
            .iter()
            .any(|state| state.eq_ignore_ascii_case(wanted))
    {
        let conditions: Vec<String> = known.iter().map(|target| condition(target)).collect();
        let mut names: Vec<&str> = conditions.iter().map(String::as_str).collect();
        names.push("gone");
        names.extend(known_states.iter().copied());
        let error = invalid(format!("a {} is never `{wanted}`", row.name));
        if let Some(near) = nearest(wanted, names.iter().copied()) {
            return Err(error.with_hint(format!("Did you mean `{near}`?")));
        }
        // Where the model names all states, there is no other; elsewhere it is the service's word.
        if documented || row.states.is_none() {
            return Err(error.with_hint(format!("There are: {}", names.join(", "))));
        }
    }
    made(service, row, wanted, gone)
}

/// The wait that is meant when nobody says which.
fn usual(
    service: Service,
    row: &'static Resource,
    known: &[&'static Target],
) -> Result<&'static Target, Error> {
    let lasting: Vec<&'static Target> = known
        .iter()
        .copied()
        .filter(|target| !target.gone && target.hits == 1 && target.with.is_empty())
        .collect();
    match lasting.as_slice() {
        [only] => return Ok(only),
        // Of several the first that a creation leads to.
        [_, ..] => {
            let made = lasting.iter().find(|target| {
                let mut after = target.after.iter();
                after.any(|operation| row.create.contains(operation))
            });
            if let Some(target) = made {
                return Ok(target);
            }
        }
        [] => {
            if let Some(good) = row.states.and_then(|states| states.good.first()) {
                return made(service, row, good, false);
            }
        }
    }
    let names: Vec<String> = known.iter().map(|target| condition(target)).collect();
    let error = invalid(format!("it is not known when a {} is ready", row.name));
    Err(match (names.is_empty(), row.states) {
        (false, _) => error.with_hint(format!("Say it: --for {}", names.join(", --for "))),
        (true, Some(states)) => error.with_hint(format!(
            "Say it: --for STATE, what its `{}` is then",
            states.member
        )),
        (true, None) => error.with_hint("Its end can be waited for: --for gone"),
    })
}

/// A state without the condition that it may have.
fn state(good: &'static str) -> &'static str {
    good.split(" if ").next().unwrap_or(good)
}

/// The states that are known, and whether these are all.
fn states(
    service: Service,
    row: &'static Resource,
    known: &[&'static Target],
) -> (Vec<&'static str>, bool) {
    let documented = documented(service, row);
    let of_targets = known.iter().flat_map(|target| {
        let through = target
            .through
            .into_iter()
            .flat_map(|(first, then)| [first, then]);
        target.good.iter().chain(target.bad).copied().chain(through)
    });
    let of_row = row
        .states
        .into_iter()
        .flat_map(|states| states.good.iter().chain(states.bad));
    let mut all: Vec<&'static str> = of_targets
        .chain(of_row.copied())
        .map(state)
        .filter(|state| !state.starts_with('$'))
        .chain(documented.iter().copied())
        .collect();
    all.sort_unstable();
    all.dedup();
    (all, !documented.is_empty())
}

/// The states that the model documents.
fn documented(service: Service, row: &'static Resource) -> &'static [&'static str] {
    let (Some(states), Some(found)) = (row.states, row.read.or(row.list)) else {
        return &[];
    };
    let Ok(listed) = find(service, found.operation) else {
        return &[];
    };
    let mut record = (listed.operation().output)();
    let mut values: &'static [&'static str] = &[];
    look(
        Slot::Record(&mut *record),
        found.at,
        states.member,
        &mut values,
    );
    values
}

/// Goes down to the things at `path`, whose member `name` has these documented values.
fn look(slot: Slot<'_>, path: &str, name: &str, values: &mut &'static [&'static str]) {
    match slot {
        Slot::List(list) => look(list.push().slot(), path, name, values),
        Slot::Record(record) => {
            let (first, rest) = path.split_once('.').unwrap_or((path, ""));
            let schema = record.schema();
            if path.is_empty() {
                let member = schema.members.iter().find(|member| member.name == name);
                *values = member.map_or(&[], |member| member.limits.values);
                return;
            }
            record.write(&mut |slots| {
                for (member, value) in schema.members.iter().zip(slots) {
                    if member.name == first {
                        let rest = match member.shape {
                            cumulo_core::record::Shape::Wrapped(inner) => rest
                                .strip_prefix(inner)
                                .unwrap_or(rest)
                                .trim_start_matches('.'),
                            _ => rest,
                        };
                        look(value.slot(), rest, name, values);
                    }
                }
            });
        }
        _ => {}
    }
}

/// A wait that no row of the waiters describes: until the thing is in this state, or gone.
fn made(
    service: Service,
    row: &'static Resource,
    wanted: &str,
    gone: bool,
) -> Result<&'static Target, Error> {
    let found = row.read.or(row.list).ok_or_else(|| {
        invalid(format!(
            "no operation reads a {}, so that nobody sees its state",
            row.name
        ))
    })?;
    let listed = find(service, found.operation)?;
    let query = service == Service::Zstack && found.operation.starts_with("Query");
    let by = match (found.by, query) {
        ("", _) => ("", ""),
        (by, true) => ("q", leak(&format!("{by}="))),
        (by, false) => (by, ""),
    };
    let name = leak(&format!(
        "{}_{}",
        row.name.replace('-', "_"),
        wanted.to_lowercase()
    ));
    let mut target = Target::new(name, row.name, listed.spec)
        .by(by.0, by.1)
        .at(found.at, row.id);
    target.gone = gone;
    match row.states {
        None if gone => {}
        None => return Err(invalid(format!("a {} tells no state", row.name))),
        Some(States { member, bad, .. }) => {
            let good: &'static [&'static str] = match gone {
                true => &[],
                false => Box::leak(Box::new([leak(wanted)])),
            };
            // Whoever waits for a bad state is not to be told that it failed.
            let bad = bad
                .iter()
                .copied()
                .filter(|bad| !gone && !bad.eq_ignore_ascii_case(wanted));
            let bad: Vec<&'static str> = bad.collect();
            target = target.states(member, good, Box::leak(bad.into_boxed_slice()));
        }
    }
    Ok(Box::leak(Box::new(target)))
}

/// Waiters are described by static data; one process waits for one thing.
fn leak(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noun;

    fn chosen(
        service: Service,
        kind: &str,
        wanted: Option<&str>,
    ) -> Result<&'static Target, String> {
        let row = noun::row(service, kind).unwrap();
        target(service, row, wanted).map_err(|error| error.to_string())
    }

    #[test]
    fn conditions_and_states_by_name() {
        for (service, kind, wanted, name) in [
            (Service::Zstack, "vm-instance", None, "vm_instance_running"),
            (
                Service::Zstack,
                "vm-instance",
                Some("stopped"),
                "vm_instance_stopped",
            ),
            (
                Service::Zstack,
                "vm-instance",
                Some("Paused"),
                "vm_instance_paused",
            ),
            (
                Service::Smc,
                "replication-job",
                None,
                "replication_job_finished",
            ),
            (
                Service::Smc,
                "replication-job",
                Some("waiting"),
                "replication_job_finished",
            ),
            (Service::Apig, "instance", None, "instance_running"),
            (Service::Apig, "instance", Some("gone"), "instance_gone"),
            (Service::Apig, "async-task", None, "async_task_succeeded"),
            (
                Service::Apig,
                "creation",
                Some("instance-created"),
                "instance_created",
            ),
            (Service::Smc, "access-token", None, "access_token_activated"),
            (Service::Zstack, "zone", Some("gone"), "zone_gone"),
        ] {
            let target = chosen(service, kind, wanted).unwrap();
            assert_eq!(target.name, name, "{kind} {wanted:?}");
        }
        let bad = chosen(Service::Zstack, "vm-instance", Some("Destroyed")).unwrap();
        assert_eq!((bad.good, bad.by), (&["Destroyed"][..], ("q", "uuid=")));
        assert!(!bad.bad.contains(&"Destroyed"), "{:?}", bad.bad);
    }

    #[test]
    fn unknown_states_are_answered_with_the_nearest() {
        for (service, kind, wanted, said) in [
            (Service::Zstack, "vm-instance", Some("runing"), "`running`"),
            (
                Service::Smc,
                "replication-job",
                Some("finishd"),
                "`finished`",
            ),
            (Service::Smc, "replication-job", Some("Expird"), "`Expired`"),
            (Service::Apig, "app", Some("ready-for-it"), "gone"),
            (Service::Apig, "app", None, "--for gone"),
            (
                Service::Smartag,
                "flow-log",
                None,
                "--for active, --for inactive",
            ),
        ] {
            let error = chosen(service, kind, wanted).unwrap_err();
            assert!(error.contains(said), "{kind} {wanted:?}: {error}");
        }
    }
}
