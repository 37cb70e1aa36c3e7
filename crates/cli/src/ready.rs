//! Until a thing is ready, done or gone: which wait is meant, and what is seen of it meanwhile.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cumulo_core::operation::Operation;
use cumulo_core::record::{Slot, nearest};
use cumulo_core::resource::{Resource, States};
use cumulo_core::wait::{Observation, Target, Waiter};
use cumulo_core::{Client, Error, Json};
use serde_json::json;

use crate::request::{find, invalid};
use crate::service::Service;
use crate::term::Status;

/// How long a wait may take, and how often it reads.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Pace {
    pub(crate) timeout: Option<Duration>,
    pub(crate) interval: Option<Duration>,
}

/// A wait for one thing.
pub(crate) struct Goal {
    pub(crate) target: &'static Target,
    pub(crate) id: String,
    /// What else its reads need, by name.
    pub(crate) with: Vec<(&'static str, String)>,
}

impl Goal {
    /// The wait for `id`, whose reads get those members of `input` that they know, too.
    pub(crate) fn new(target: &'static Target, id: String, input: &Json) -> Result<Self, Error> {
        let mut with = Vec::new();
        let text = |value: &Json| match value {
            Json::String(text) => Some(text.clone()),
            Json::Number(_) | Json::Bool(_) => Some(value.to_string()),
            _ => None,
        };
        let members = ((target.read)().input)().schema().members;
        let names = members.iter().map(|member| member.name);
        for name in names.filter(|name| *name != target.by.0) {
            if let Some(value) = input.get(name).and_then(text) {
                with.push((name, value));
            }
        }
        let given: Vec<&str> = with.iter().map(|(name, _)| *name).collect();
        for name in target
            .with
            .iter()
            .copied()
            .filter(|name| !given.contains(name))
        {
            let plain = |name: &str| name.replace(['_', '$'], "").to_lowercase();
            let members = input.as_object().into_iter().flatten();
            let value = members
                .filter(|(known, _)| plain(known) == plain(name))
                .find_map(|(_, value)| text(value));
            let Some(value) = value else {
                let name = name.trim_start_matches('$');
                return Err(invalid(format!(
                    "waiting until {} needs {name}: give it as {name}=VALUE",
                    condition(target)
                )));
            };
            with.push((name, value));
        }
        Ok(Self { target, id, with })
    }

    /// What the call of `operation` with this input brought on its way.
    pub(crate) fn of_call(
        target: &'static Target,
        input: &Json,
        output: &Json,
    ) -> Result<Self, Error> {
        let id = id_of(target, input, output).ok_or_else(|| {
            let error = invalid(format!(
                "the answer does not tell which {} it is about",
                target.of
            ));
            error.with_hint("The call was made: do not repeat it")
        })?;
        Self::new(target, id, input)
    }

    fn waiter(&self) -> Waiter {
        let waiter = Waiter::new(self.target, &self.id);
        let with = self.with.iter();
        with.fold(waiter, |waiter, (name, value)| waiter.with(name, value))
    }

    /// Reads it once; a thing that is not there is an error.
    pub(crate) async fn look(&self, client: &Client) -> Result<Observation, Error> {
        let mut seen = self.waiter().tolerate(0).observe(client);
        match seen.next().await {
            Some(seen) => seen,
            None => Err(invalid(format!(
                "a wait for the {} reads nothing",
                self.target.of
            ))),
        }
    }

    /// Waits, and shows a person what is seen.
    pub(crate) async fn reach(&self, client: &Client, pace: Pace) -> Result<Observation, Error> {
        let mut waiter = self.waiter();
        if let Some(timeout) = pace.timeout {
            waiter = waiter.timeout(timeout);
        }
        if let Some(interval) = pace.interval {
            waiter = waiter.interval(interval).max_interval(interval);
        }
        let status = Arc::new(Mutex::new(Status::new()));
        let (shown, name) = (
            Arc::clone(&status),
            format!("{} {}", self.target.of, self.id),
        );
        let waiter = waiter.on_progress(move |seen| {
            let mut status = shown.lock().unwrap_or_else(PoisonError::into_inner);
            status.draw(&described(&name, seen));
        });
        let ended = waiter.on(client).await;
        status
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        ended
    }
}

/// What was seen last, as members of a result line.
pub(crate) fn told(seen: &Observation) -> Json {
    json!({ "state": seen.state, "progress": seen.progress, "seconds": seen.elapsed.as_secs() })
}

/// One line for a terminal.
fn described(name: &str, seen: &Observation) -> String {
    let state = seen.state.as_deref().unwrap_or("no state told");
    let bar = seen.progress.map(|percent| format!(" {}", bar(percent)));
    let (bar, seconds) = (bar.unwrap_or_default(), seen.elapsed.as_secs());
    format!("{name}: {state}{bar}, {seconds} s")
}

/// A progress of 0 to 100 percent, drawn.
pub(crate) fn bar(percent: u8) -> String {
    let full = usize::from(percent.min(100)) / 5;
    format!(
        "[{}{}] {percent} %",
        "#".repeat(full),
        "-".repeat(20 - full)
    )
}

/// What a call of `operation` brings a thing to, where that is known.
pub(crate) fn after(service: Service, operation: &Operation) -> Option<&'static Target> {
    let mut targets = service.targets().iter().copied();
    targets.find(|target| target.after.contains(&operation.name))
}

/// The thing that a call was about: the answer names what was made, the input what was moved.
fn id_of(target: &Target, input: &Json, output: &Json) -> Option<String> {
    let by = match target.by {
        (_, before) if !before.is_empty() => before.trim_end_matches('='),
        (member, _) => member,
    };
    let places = [
        &output["inventory"][target.id],
        &output[by],
        &input[by],
        &output[target.id],
        &input[target.id],
    ];
    let found = places.into_iter().find_map(Json::as_str);
    found.filter(|id| !id.is_empty()).map(str::to_owned)
}

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

    /// What stands in `after` leads to a wait that finds its thing.
    #[test]
    fn every_operation_to_wait_after_is_one() {
        let mut count = 0;
        for service in Service::ALL {
            for target in service.targets() {
                for name in target.after {
                    let operation = find(service, name).unwrap().operation();
                    let first = after(service, operation).unwrap();
                    assert_eq!(first.name, target.name, "{name} is waited after once");
                    count += 1;
                }
                assert!(
                    service.resources().iter().any(|row| row.name == target.of),
                    "{}",
                    target.name
                );
            }
        }
        assert!(count > 40, "{count}");
    }

    #[test]
    fn the_thing_of_a_call() {
        let of = |service, name: &str, input: Json, output: Json| {
            let operation = find(service, name).unwrap().operation();
            let goal = Goal::of_call(after(service, operation).unwrap(), &input, &output);
            goal.map(|goal| (goal.id, goal.with))
                .map_err(|error| error.to_string())
        };
        let none: Vec<(&str, String)> = Vec::new();
        assert_eq!(
            of(
                Service::Smc,
                "StartReplicationJob",
                json!({"JobId": "j-1"}),
                json!({"RequestId": "r"})
            ),
            Ok(("j-1".into(), none.clone()))
        );
        assert_eq!(
            of(
                Service::Zstack,
                "CreateVmInstance",
                json!({"name": "a"}),
                json!({"inventory": {"uuid": "u"}})
            ),
            Ok(("u".into(), none))
        );
        assert_eq!(
            of(
                Service::Apig,
                "ImportApiDefinitionsAsync",
                json!({"instance_id": "i"}),
                json!({"task_id": "t"})
            ),
            Ok(("t".into(), vec![("instance_id", "i".into())]))
        );
        let bound = json!({"SmartAGId": "sag-1", "CcnId": "ccn-1"});
        assert_eq!(
            of(Service::Smartag, "BindSmartAccessGateway", bound, json!({})),
            Ok(("sag-1".into(), vec![("$ccn_id", "ccn-1".into())]))
        );
        assert!(
            of(Service::Smc, "StartReplicationJob", json!({}), json!({}))
                .unwrap_err()
                .contains("replication-job")
        );
    }

    #[test]
    fn progress_is_drawn() {
        assert_eq!(bar(0), format!("[{}] 0 %", "-".repeat(20)));
        assert_eq!(
            bar(50),
            format!("[{}{}] 50 %", "#".repeat(10), "-".repeat(10))
        );
        assert_eq!(bar(100), format!("[{}] 100 %", "#".repeat(20)));
    }
}
