//! What is waited for, as data: where the state of a thing stands, and what each state means.

use crate::operation::Spec;
use crate::record::{self, Record};

/// One row of a service's waiters; the generator writes them.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, that of the function that makes the waiter.
    pub name: &'static str,
    /// The resource that it is a state of, such as `replication-job`.
    pub of: &'static str,
    /// The operation that reads it.
    pub read: Spec,
    /// The input member that names the thing, and what its value begins with: `uuid=` where it is a
    /// condition of a query. Empty where the answer is looked through.
    pub by: (&'static str, &'static str),
    /// Where the things stand in the answer; empty where the answer itself is the thing.
    pub at: &'static str,
    /// The member by which the thing is told from others in the answer; empty where there are none.
    pub id: &'static str,
    /// The member that tells the state; empty where only being there counts.
    pub member: &'static str,
    /// The states that end the wait, ignoring case. One that begins with `$` stands for what the caller
    /// gave under that name. `Waiting if RunOnce=false` counts only for things of which that holds.
    pub good: &'static [&'static str],
    /// States from which no good one follows.
    pub bad: &'static [&'static str],
    /// Two states that in this order mean failure, although the second one alone does not.
    pub through: Option<(&'static str, &'static str)>,
    /// Whether the wait is for the thing to be gone.
    pub gone: bool,
    /// How many reads in a row must find it good.
    pub hits: u32,
    /// The member that tells the progress in percent.
    pub progress: &'static str,
    /// The member that says why it failed.
    pub why: &'static str,
    /// What else a waiter must be given by name, see [`Waiter::with`](super::Waiter::with).
    pub with: &'static [&'static str],
    /// Operations that bring a thing on its way there.
    pub after: &'static [&'static str],
}

/// What a state means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Good,
    Pending,
    Bad,
}

impl Target {
    /// A target that `read` tells the state of; the other functions say the rest.
    pub const fn new(name: &'static str, of: &'static str, read: Spec) -> Self {
        Self {
            name,
            of,
            read,
            by: ("", ""),
            at: "",
            id: "",
            member: "",
            good: &[],
            bad: &[],
            through: None,
            gone: false,
            hits: 1,
            progress: "",
            why: "",
            with: &[],
            after: &[],
        }
    }
    /// Which input member names the thing, and what stands before the id in it.
    pub const fn by(mut self, member: &'static str, before: &'static str) -> Self {
        self.by = (member, before);
        self
    }
    /// Where the things stand in the answer, and which member tells them apart.
    pub const fn at(mut self, path: &'static str, id: &'static str) -> Self {
        self.at = path;
        self.id = id;
        self
    }
    /// Which member tells the state, and which states are good and bad.
    pub const fn states(
        mut self,
        member: &'static str,
        good: &'static [&'static str],
        bad: &'static [&'static str],
    ) -> Self {
        self.member = member;
        self.good = good;
        self.bad = bad;
        self
    }
    /// Which two states in a row mean failure.
    pub const fn through(mut self, first: &'static str, then: &'static str) -> Self {
        self.through = Some((first, then));
        self
    }
    /// It is waited for to be gone.
    pub const fn gone(mut self) -> Self {
        self.gone = true;
        self
    }
    /// So many reads in a row must find it good.
    pub const fn hits(mut self, hits: u32) -> Self {
        self.hits = hits;
        self
    }
    /// Which member tells the progress.
    pub const fn progress(mut self, member: &'static str) -> Self {
        self.progress = member;
        self
    }
    /// Which member says why it failed.
    pub const fn why(mut self, member: &'static str) -> Self {
        self.why = member;
        self
    }

    /// What else the waiter must be given.
    pub const fn with(mut self, names: &'static [&'static str]) -> Self {
        self.with = names;
        self
    }
    /// After which operations it is waited for.
    pub const fn after(mut self, operations: &'static [&'static str]) -> Self {
        self.after = operations;
        self
    }

    /// What it means that `thing` is as it is. `passed`: a state of before that [`through`] names was
    /// seen; `given`: what the caller gave.
    ///
    /// [`through`]: Self::through
    pub(super) fn judge(
        &self,
        thing: &dyn Record,
        passed: bool,
        given: &[(&'static str, String)],
    ) -> Meaning {
        let state = record::get(thing, self.member).unwrap_or_default();
        let is = |text: &str| state.eq_ignore_ascii_case(text);
        if self.bad.iter().any(|bad| is(bad)) {
            return Meaning::Bad;
        }
        if passed && self.through.is_some_and(|(_, then)| is(then)) {
            return Meaning::Bad;
        }
        let good = self.good.iter().any(|good| {
            let (wanted, condition) = good.split_once(" if ").unwrap_or((good, ""));
            let wanted = match wanted.starts_with('$') {
                false => Some(wanted),
                true => value_of(given, wanted),
            };
            wanted.is_some_and(is) && holds(condition, thing)
        });
        if good {
            Meaning::Good
        } else {
            Meaning::Pending
        }
    }

    /// Whether a thing in this state has begun what [`through`](Self::through) watches.
    pub(super) fn is_passing(&self, state: &str) -> bool {
        self.through
            .is_some_and(|(first, _)| state.eq_ignore_ascii_case(first))
    }
}

fn value_of<'a>(given: &'a [(&'static str, String)], name: &str) -> Option<&'a str> {
    let found = given.iter().find(|(known, _)| *known == name);
    found.map(|(_, value)| value.as_str())
}

/// Whether `member=value` is true of `thing`; what is absent is the empty text.
fn holds(condition: &str, thing: &dyn Record) -> bool {
    let Some((member, value)) = condition.split_once('=') else {
        return true;
    };
    let actual = record::get(thing, member).unwrap_or_default();
    actual.eq_ignore_ascii_case(value)
}
