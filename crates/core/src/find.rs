//! Finding a thing again: was it made by a call whose answer never came?
//!
//! A create that the service cannot recognise must not be repeated while nobody knows whether it was
//! executed. But most things have a name, or an id that the caller chose, and lists show them. `or_find` of
//! an operation sends the call, and looks for the thing where the outcome is not known: at once, and
//! again after as long as an attempt may take. What was found is given back as the answer, as far as the
//! list tells it, and [`Response::found`](crate::Response::found) says so; what is not there is made by a
//! second copy. Operations whose things nothing tells apart have no `or_find`.
//!
//! - Nothing is looked for before the first copy goes out: a name that is taken is the service's to refuse.
//! - A thing of the same name that was there 15 minutes before the call is not taken for its own, where
//!   lists tell when things were made. Clocks may differ by as much, so that nothing tells a younger one apart.
//! - Where several could be meant, the error names them all, and its outcome is unknown.
//!
//! By which members a thing is known is data ([`Clue`]), written by the generator from the rows of
//! resources; this module is the one search for all of them. `client::again` decides when to search.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::client::{Call, Look, Probe};
use crate::error::{Error, Kind, Outcome};
use crate::operation::{Operation, Spec};
use crate::page;
use crate::record::{self, CivilTime, Json, Record, Timestamp, Wire};

/// By what the things that an operation makes are known again.
#[derive(Debug, Clone, Copy)]
pub struct Clue {
    /// What the thing is called in messages, such as `access token`.
    pub noun: &'static str,
    /// The operation that lists all of them.
    pub list: Spec,
    /// Where they stand in its answer.
    pub at: &'static str,
    /// The member that tells them apart; empty where there is none.
    pub id: &'static str,
    /// By what they are known; of those that the caller set, the first counts.
    pub keys: &'static [Key],
    /// Members of the create that the list takes as well: what the thing belongs to.
    pub within: &'static [&'static str],
    /// The member that tells when it was made; empty where there is none.
    pub made: &'static str,
    /// The member of the create's answer that holds the thing; empty where the answer is the thing.
    pub inside: &'static str,
    /// The member of the create's answer that tells the id under another name, or empty.
    pub told: &'static str,
}

/// A member by which a thing is known.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// In the input of the create.
    pub given: &'static str,
    /// In the list.
    pub shown: &'static str,
    /// The input member of the list that asks for it, and what its value begins with there: `name=` where
    /// it is a condition of a query. Empty where all are looked through.
    pub filter: (&'static str, &'static str),
    /// No two things ever have the same, so that its time says nothing.
    pub exact: bool,
}

impl Key {
    /// A name, which others may have too.
    pub const fn name(
        given: &'static str,
        shown: &'static str,
        filter: (&'static str, &'static str),
    ) -> Self {
        Self {
            given,
            shown,
            filter,
            exact: false,
        }
    }
    /// An id that the caller chooses.
    pub const fn id(
        given: &'static str,
        shown: &'static str,
        filter: (&'static str, &'static str),
    ) -> Self {
        Self {
            exact: true,
            ..Self::name(given, shown, filter)
        }
    }
}

impl Clue {
    /// Things that `list` shows; the other functions say the rest.
    pub const fn new(noun: &'static str, list: Spec, keys: &'static [Key]) -> Self {
        Self {
            noun,
            list,
            keys,
            at: "",
            id: "",
            within: &[],
            made: "",
            inside: "",
            told: "",
        }
    }
    /// Where they stand in the list, and which member tells them apart.
    pub const fn at(mut self, path: &'static str, id: &'static str) -> Self {
        self.at = path;
        self.id = id;
        self
    }
    /// What the list is asked for beside the key.
    pub const fn within(mut self, members: &'static [&'static str]) -> Self {
        self.within = members;
        self
    }
    /// Which member tells when it was made.
    pub const fn made(mut self, member: &'static str) -> Self {
        self.made = member;
        self
    }
    /// Which member of the answer holds the thing.
    pub const fn inside(mut self, member: &'static str) -> Self {
        self.inside = member;
        self
    }
    /// Which member of the answer tells the id.
    pub const fn told(mut self, member: &'static str) -> Self {
        self.told = member;
        self
    }
}

impl<O> Call<O> {
    /// Looks, where the outcome of the call is not known, by `clue` before it sends again.
    #[doc(hidden)]
    pub fn or_find(
        self,
        clue: &'static Clue,
        operation: &'static Operation,
        input: &dyn Record,
    ) -> Self {
        let look = search(clue, operation, input);
        self.looking(look)
    }
}

/// The search for what `operation` makes of `input`, and whether no other thing can be meant.
fn search(
    clue: &'static Clue,
    operation: &'static Operation,
    input: &dyn Record,
) -> Result<(Look, bool), String> {
    let given = |name: &str| record::get(input, name).filter(|text| !text.is_empty());
    let found = clue
        .keys
        .iter()
        .find_map(|key| Some((key, given(key.given)?)));
    let Some((key, value)) = found else {
        let names: Vec<String> = clue
            .keys
            .iter()
            .map(|key| format!("`{}`", key.given))
            .collect();
        return Err(format!(
            "a {} without {} cannot be found again: set it, or send the call without `or_find`",
            clue.noun,
            names.join(" or ")
        ));
    };
    let within: BTreeMap<&'static str, Vec<String>> = clue
        .within
        .iter()
        .map(|name| (*name, record::texts(input, name)))
        .collect();
    let search = Search {
        clue,
        operation,
        key,
        value,
        within,
    };
    let look: Look = Box::new(move |probe: Probe| {
        let search = search.clone();
        Box::pin(async move { search.run(&probe).await })
    });
    Ok((look, key.exact))
}

#[derive(Clone)]
struct Search {
    clue: &'static Clue,
    operation: &'static Operation,
    key: &'static Key,
    value: String,
    within: BTreeMap<&'static str, Vec<String>>,
}

/// So many ids of things that could be meant are named.
const MOST_NAMED: usize = 20;
/// Clocks of services and ours differ by less, or no call would be taken.
const MOST_SKEW: Duration = Duration::from_secs(15 * 60);
/// The zone that is the farthest behind, in seconds: a time without one is no later than there.
const LATEST_ZONE: i32 = -12 * 3600;

impl Search {
    async fn run(self, probe: &Probe) -> Result<Option<Box<dyn Record>>, Error> {
        let clue = self.clue;
        let operation = (clue.list)();
        let mut rows: Vec<(Option<String>, Json)> = Vec::new();
        let mut keep = |row: &dyn Record| {
            let same = record::get(row, self.key.shown).as_deref() == Some(self.value.as_str());
            if same && (self.key.exact || !was_before(row, clue.made, probe.since)) {
                let id = record::get(row, clue.id);
                // A list that changes while it is read may show a thing twice.
                if id.is_none() || rows.iter().all(|(known, _)| *known != id) {
                    rows.push((id, record::to_value(Wire::clear(row))));
                }
            }
            rows.len() < MOST_NAMED
        };
        let input = self.input(operation);
        let prepare = |call| probe.prepare(call);
        page::rows(
            &probe.client,
            operation,
            input,
            clue.at,
            &prepare,
            &mut keep,
        )
        .await?;
        let mut rows = rows.into_iter();
        match (rows.next(), rows.len()) {
            (None, _) => Ok(None),
            (Some((id, row)), 0) => Ok(Some(self.output(id, row))),
            (Some((first, _)), _) => {
                let ids = std::iter::once(first).chain(rows.map(|(id, _)| id));
                Err(self.several(ids.map(|id| id.unwrap_or_else(|| "without an id".into()))))
            }
        }
    }

    /// What the list is asked for: the key, or everything where it cannot be asked for that.
    fn input(&self, operation: &Operation) -> Box<dyn Record> {
        let everything = || {
            let mut input = (operation.input)();
            for (name, values) in &self.within {
                for value in values {
                    record::put(&mut *input, name, value);
                }
            }
            input
        };
        let (member, before) = self.key.filter;
        let mut filtered = everything();
        let taken = record::put(&mut *filtered, member, &format!("{before}{}", self.value));
        if taken && filtered.refused().is_none() {
            return filtered;
        }
        everything()
    }

    /// The create's answer, as far as the thing tells it.
    fn output(&self, id: Option<String>, row: Json) -> Box<dyn Record> {
        let clue = self.clue;
        let mut output = (self.operation.output)();
        let row = match clue.inside {
            "" => row,
            inside => Json::Object([(inside.to_owned(), row)].into_iter().collect()),
        };
        // Members that do not correspond stay empty.
        let _ = record::decode(&mut *output, row.to_string().as_bytes());
        if let Some(id) = id.filter(|_| !clue.told.is_empty()) {
            record::set(&mut *output, clue.told, &id);
        }
        output
    }

    /// Nothing tells which of them it was.
    fn several(&self, ids: impl Iterator<Item = String>) -> Error {
        let ids: Vec<String> = ids.collect();
        let message = format!(
            "{} things of the kind {} have the {} `{}`, and any of them could be the one: {}",
            ids.len(),
            self.clue.noun,
            self.key.given,
            self.value.escape_debug(),
            ids.join(", ")
        );
        let mut error = Error::new(Kind::Conflict, self.operation.name, message);
        error.inner().outcome = Outcome::Unknown;
        error
    }
}

/// Whether a thing was there already when the call began, as far as its time tells.
fn was_before(row: &dyn Record, made: &str, since: SystemTime) -> bool {
    let Some(made) = record::get(row, made).map(Timestamp::from) else {
        return false;
    };
    let latest = made.system_time().or_else(|| {
        let somewhere = made.civil();
        somewhere.and_then(|civil: CivilTime| civil.to_system_time(LATEST_ZONE))
    });
    let begun = since.checked_sub(MOST_SKEW).unwrap_or(UNIX_EPOCH);
    latest.is_some_and(|latest| latest < begun)
}

#[cfg(test)]
mod tests;
