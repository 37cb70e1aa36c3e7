//! Until a thing is ready, done or gone: the wait for one thing, and what is seen of it meanwhile.

mod target;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cumulo_core::operation::Operation;
use cumulo_core::wait::{Observation, Target, Waiter};
use cumulo_core::{Client, Error, Json};
use serde_json::json;

use crate::request::invalid;
use crate::service::Service;
use crate::term::Status;

pub(crate) use target::{condition, target};

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::find;

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
