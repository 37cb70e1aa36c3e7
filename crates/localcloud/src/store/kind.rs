//! How are 100,000 things of one kind found, listed and removed without looking at each? They
//! stand in the order of their creation, with indices by id and by what they belong to.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use serde_json::Value;

use super::names;
use super::states::{Moving, Until};
use super::table::{Row, States};
use crate::model::input::Input;

/// One thing that is kept.
#[derive(Clone, Debug)]
pub(crate) struct Thing {
    /// What was given, and what the service has filled in; all else is made from the model.
    pub(crate) members: Input,
    pub(crate) id: String,
    /// Whose it is, where a service keeps accounts apart.
    pub(crate) owner: String,
    pub(crate) moving: Option<Moving>,
}

/// All things of a row.
#[derive(Default)]
pub(crate) struct Kind {
    things: BTreeMap<u64, Thing>,
    ids: HashMap<String, Vec<u64>>,
    /// By member and value of what a thing belongs to.
    belongings: HashMap<(String, String), BTreeSet<u64>>,
    /// What was deleted and can be had back.
    pub(crate) bin: HashMap<String, Thing>,
    /// By what people call them.
    titles: HashMap<String, BTreeSet<u64>>,
    /// Whose state is on its way.
    moving: BTreeSet<u64>,
    last: u64,
    /// Something of the kind was made here: from then on what is kept is all there is.
    pub(crate) used: bool,
}

impl Kind {
    pub(crate) fn len(&self) -> usize {
        self.things.len()
    }

    pub(crate) fn get(&self, number: u64) -> Option<&Thing> {
        self.things.get(&number)
    }

    /// Changes a thing, and what is known about it here.
    pub(crate) fn change(&mut self, row: &Row, number: u64, change: impl FnOnce(&mut Thing)) {
        let Some(mut thing) = self.remove(row, number) else {
            return;
        };
        change(&mut thing);
        self.put(row, number, thing);
    }

    /// Lets states arrive whose time has come; of the things in `read` a read is counted.
    pub(crate) fn settle(&mut self, row: &Row, now: Timestamp, read: impl Fn(&str) -> bool) {
        let Some(states) = &row.states else { return };
        let things = &mut self.things;
        self.moving.retain(|number| {
            let Some(thing) = things.get_mut(number) else {
                return false;
            };
            let is_read = read(&thing.id);
            let arrived = thing
                .moving
                .as_mut()
                .map(|moving| moving.arrived(now, is_read));
            match arrived {
                Some(None) => {
                    thing.progressed(states);
                    return true;
                }
                Some(Some(state)) => {
                    thing.members.insert(states.member.clone(), state.into());
                    thing.moving = None;
                    thing.progressed(states);
                }
                None => {}
            }
            false
        });
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (u64, &Thing)> {
        self.things.iter().map(|(number, thing)| (*number, thing))
    }

    /// All things of an id, wherever they belong.
    pub(crate) fn of_id(&self, id: &str) -> impl Iterator<Item = (u64, &Thing)> {
        let numbers = self.ids.get(id).map_or(&[] as &[u64], Vec::as_slice);
        numbers
            .iter()
            .filter_map(|number| Some((*number, self.things.get(number)?)))
    }

    /// The number that the next thing has.
    pub(crate) fn next(&self) -> u64 {
        self.last
    }

    /// Leaves numbers out, as they were before a restart.
    pub(crate) fn skip_to(&mut self, number: u64) {
        self.last = self.last.max(number);
    }

    pub(crate) fn insert(&mut self, row: &Row, thing: Thing) -> u64 {
        let number = self.last;
        self.last += 1;
        self.used = true;
        self.put(row, number, thing);
        number
    }

    fn put(&mut self, row: &Row, number: u64, thing: Thing) {
        for key in keys(row, &thing.members) {
            self.belongings.entry(key).or_default().insert(number);
        }
        if let Some(title) = thing.title(row) {
            self.titles.entry(title).or_default().insert(number);
        }
        if thing.moving.is_some() {
            self.moving.insert(number);
        }
        self.ids.entry(thing.id.clone()).or_default().push(number);
        self.things.insert(number, thing);
    }

    pub(crate) fn remove(&mut self, row: &Row, number: u64) -> Option<Thing> {
        let thing = self.things.remove(&number)?;
        self.moving.remove(&number);
        if let Some(title) = thing.title(row)
            && let Some(numbers) = self.titles.get_mut(&title)
        {
            numbers.remove(&number);
            if numbers.is_empty() {
                self.titles.remove(&title);
            }
        }
        for key in keys(row, &thing.members) {
            if let Some(numbers) = self.belongings.get_mut(&key) {
                numbers.remove(&number);
                if numbers.is_empty() {
                    self.belongings.remove(&key);
                }
            }
        }
        if let Some(numbers) = self.ids.get_mut(&thing.id) {
            numbers.retain(|one| *one != number);
            if numbers.is_empty() {
                self.ids.remove(&thing.id);
            }
        }
        Some(thing)
    }

    /// The things of an id that belong where the request says.
    pub(crate) fn find<'a>(
        &'a self,
        row: &'a Row,
        id: &str,
        owner: &'a str,
        input: &'a Input,
    ) -> impl Iterator<Item = u64> + 'a {
        let numbers = self.ids.get(id).map_or(&[] as &[u64], Vec::as_slice);
        numbers.iter().copied().filter(move |number| {
            self.things
                .get(number)
                .is_some_and(|thing| thing.owner == owner && agrees(row, &thing.members, input))
        })
    }

    /// The things that belong to another one, by the first name of the row's parent.
    pub(crate) fn of_parent(&self, member: &str, id: &str) -> Option<&BTreeSet<u64>> {
        self.belongings.get(&(member.to_owned(), id.to_owned()))
    }

    /// Whether another thing at the same place has this name.
    pub(crate) fn is_taken(&self, row: &Row, title: &str, place: &Input, but: Option<u64>) -> bool {
        self.titles.get(title).into_iter().flatten().any(|number| {
            Some(*number) != but
                && self
                    .things
                    .get(number)
                    .is_some_and(|thing| agrees(row, &thing.members, place))
        })
    }
}

impl Thing {
    /// Tells that the thing is at the beginning of its way, or at its end already.
    pub(super) fn sets_out(&mut self, states: &States) {
        if let Some(member) = &states.progress {
            self.members.insert(member.clone(), 0.0.into());
        }
        if self.moving.is_none() {
            self.progressed(states);
        }
    }

    /// Tells how far the thing is: all the way where it does not move, else by an equal part more with
    /// each read that it takes.
    pub(super) fn progressed(&mut self, states: &States) {
        let Some(member) = &states.progress else {
            return;
        };
        let before = self.members.get(member).and_then(Value::as_f64);
        let before = before.unwrap_or(0.0);
        let now = match &self.moving {
            None if self.members.get(&states.member).and_then(Value::as_str)
                == states.good.first().map(String::as_str) =>
            {
                100.0
            }
            Some(Moving {
                until: Until::Reads(left),
                ..
            }) => before + (100.0 - before) / (f64::from(*left) + 2.0),
            _ => before,
        };
        self.members.insert(member.clone(), now.round().into());
    }

    fn title(&self, row: &Row) -> Option<String> {
        names::text(self.members.get(row.title.as_ref()?)?)
    }
}

/// What a thing belongs to: the members of its parents, by the name that the request used.
fn keys<'a>(row: &'a Row, members: &'a Input) -> impl Iterator<Item = (String, String)> + 'a {
    row.parents.iter().filter_map(|(_, parent)| {
        let id = parent
            .iter()
            .find_map(|name| members.get(name).and_then(names::text))?;
        Some((parent.first()?.clone(), id))
    })
}

/// Whether a thing belongs where a request says, as far as it says.
pub(crate) fn agrees(row: &Row, members: &Input, input: &Input) -> bool {
    row.parents.iter().all(|(_, parent)| {
        let said = |input: &Input| {
            parent
                .iter()
                .find_map(|name| input.get(name).and_then(names::text))
        };
        match (said(members), said(input)) {
            (Some(own), Some(asked)) => own == asked,
            _ => true,
        }
    })
}
