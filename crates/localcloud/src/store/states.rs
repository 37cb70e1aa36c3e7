//! When does a new gateway run? At once, after some reads, or after a time, as a test wants it;
//! and when shall it never run at all?

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::table::States;
use crate::control::{Wrong, nearest};

/// How the things of one resource come to their next state.
///
/// ```
/// use std::time::Duration;
/// use cumulo_localcloud::{Moves, Transition};
///
/// let slow = Transition::new("instance", Moves::After(Duration::from_secs(600)));
/// let broken = Transition::new("replication-job", Moves::AfterReads(2)).ending("InError");
/// # let _ = (slow, broken);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    pub(crate) resource: String,
    pub(crate) moves: Moves,
    pub(crate) passing: Option<String>,
    pub(crate) ending: Option<String>,
    pub(crate) failure: Option<(String, String)>,
}

/// When a thing is in its next state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Moves {
    /// In the answer that sets it going.
    #[default]
    AtOnce,
    /// When it was read so many times; the read after that finds it there.
    AfterReads(u32),
    /// When the local cloud's clock has gone on by so much.
    After(Duration),
}

impl Transition {
    /// The things of `resource`, by its name in `cumulo resources`, move like this.
    pub fn new(resource: &str, moves: Moves) -> Self {
        Self {
            resource: resource.to_owned(),
            moves,
            passing: None,
            ending: None,
            failure: None,
        }
    }

    /// The state on the way, where the documentation names several.
    pub fn passing(mut self, state: &str) -> Self {
        self.passing = Some(state.to_owned());
        self
    }

    /// The state in the end instead of the good one: `InError`, or `Stopped` after a start.
    pub fn ending(mut self, state: &str) -> Self {
        self.ending = Some(state.to_owned());
        self
    }

    /// Creating one fails with this error of the service; in ZStack the job does.
    pub fn failing(mut self, code: &str, message: &str) -> Self {
        self.failure = Some((code.to_owned(), message.to_owned()));
        self
    }

    /// As the control interface shows it.
    pub(crate) fn to_json(&self) -> Value {
        let mut out = json!({"resource": self.resource});
        match self.moves {
            Moves::AtOnce => {}
            Moves::AfterReads(reads) => out["reads"] = reads.into(),
            Moves::After(time) => out["after_ms"] = (time.as_millis() as u64).into(),
        }
        for (name, value) in [("passing", &self.passing), ("ending", &self.ending)] {
            if let Some(value) = value {
                out[name] = value.as_str().into();
            }
        }
        if let Some((code, message)) = &self.failure {
            out["failure"] = json!({"code": code, "message": message});
        }
        out
    }
}

impl States {
    /// Whether the service knows a state, as far as its states are documented.
    pub(crate) fn check(&self, state: &str) -> Result<(), Wrong> {
        let known = || {
            self.good
                .iter()
                .chain(&self.bad)
                .chain(&self.passing)
                .chain(self.first.as_slice())
                .chain(self.moves.values().flatten())
                .map(String::as_str)
        };
        if known().next().is_none() || known().any(|one| one == state) {
            return Ok(());
        }
        let near = nearest(state, known());
        let all: Vec<&str> = known().collect();
        Err(format!(
            "unknown state {state}{near}; there are {}",
            all.join(", ")
        ))
    }
}

/// A state that is on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Moving {
    pub(crate) to: String,
    pub(crate) until: Until,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    Reads(u32),
    Moment(Timestamp),
}

impl Moving {
    /// Where a thing is that goes `way`, of which the last state is the end: its state now, and what is
    /// still to come.
    pub(crate) fn start(
        states: &States,
        transition: Option<&Transition>,
        way: &[&str],
        now: Timestamp,
    ) -> (String, Option<Self>) {
        let to = way.last().copied().unwrap_or_default().to_owned();
        let Some(transition) = transition else {
            return (to, None);
        };
        let to = transition.ending.clone().unwrap_or(to);
        let until = match transition.moves {
            Moves::AtOnce => return (to, None),
            Moves::AfterReads(reads) => Until::Reads(reads),
            Moves::After(time) => {
                let time = SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
                Until::Moment(now.checked_add(time).unwrap_or(Timestamp::MAX))
            }
        };
        let passing = transition.passing.as_deref();
        let on_the_way = way.split_last().and_then(|(_, before)| before.last());
        let passing = passing
            .or(on_the_way.copied())
            .or(states.passing.first().map(String::as_str));
        (
            passing.unwrap_or("Pending").to_owned(),
            Some(Self { to, until }),
        )
    }

    /// The state that is reached, if it is; a read counts.
    pub(crate) fn arrived(&mut self, now: Timestamp, read: bool) -> Option<String> {
        match &mut self.until {
            Until::Moment(until) if now >= *until => Some(self.to.clone()),
            Until::Reads(0) if read => Some(self.to.clone()),
            Until::Reads(left) if read => {
                *left -= 1;
                None
            }
            _ => None,
        }
    }
}

/// The state to which an operation brings a thing, by the verb that its name begins with.
pub(crate) fn verb(operation: &str) -> Option<&'static str> {
    const VERBS: [(&str, &str); 14] = [
        ("Start", "Running"),
        ("Stop", "Stopped"),
        ("Reboot", "Running"),
        ("Pause", "Paused"),
        ("Resume", "Running"),
        ("Recover", "Stopped"),
        ("Suspend", "Suspended"),
        ("CutOver", "Finished"),
        ("Enable", "Enabled"),
        ("Disable", "Disabled"),
        ("Deactive", "Inactive"),
        ("Deactivate", "Inactive"),
        ("Active", "Active"),
        ("Activate", "Active"),
    ];
    let found = VERBS
        .iter()
        .rev()
        .find(|(verb, _)| operation.starts_with(verb));
    found.map(|(_, state)| *state)
}

/// `enable` as `Enabled`: the state after a state event of ZStack.
pub(crate) fn event(event: &str) -> Option<&'static str> {
    match event {
        "enable" => Some("Enabled"),
        "disable" => Some("Disabled"),
        "maintain" => Some("Maintenance"),
        "preMaintain" => Some("PreMaintenance"),
        "active" => Some("Active"),
        "inactive" => Some("Inactive"),
        _ => None,
    }
}
