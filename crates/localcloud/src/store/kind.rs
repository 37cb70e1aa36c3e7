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
    ids: Index,
    /// By what people call them.
    titles: Index,
    /// By member and value of what a thing belongs to.
    belongings: HashMap<(String, String), BTreeSet<u64>>,
    /// What was deleted and can be had back.
    pub(crate) bin: HashMap<String, Thing>,
    /// Whose state arrives at a moment, and whose with reads.
    due: BTreeSet<(Timestamp, u64)>,
    counting: BTreeSet<u64>,
    /// How many things each account has.
    owners: HashMap<String, usize>,
    last: u64,
    /// Something of the kind was made here: from then on what is kept is all there is.
    pub(crate) used: bool,
}

#[cfg(test)]
thread_local! {
    /// How many things were looked at.
    pub(super) static LOOKED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Counts for tests, whatever the machine does beside.
fn looked() {
    #[cfg(test)]
    LOOKED.set(LOOKED.get() + 1);
}

/// Numbers of things by a text that few share: one node of a tree for several, and no list for each.
#[derive(Default)]
struct Index(BTreeSet<(Box<str>, u64)>);

impl Index {
    fn insert(&mut self, key: &str, number: u64) {
        self.0.insert((key.into(), number));
    }

    fn remove(&mut self, key: &str, number: u64) {
        self.0.remove(&(key.into(), number));
    }

    /// In the order of their creation.
    fn of(&self, key: &str) -> impl Iterator<Item = u64> + Clone {
        let ends = (key.into(), 0)..=(key.into(), u64::MAX);
        self.0.range(ends).map(|(_, number)| *number)
    }
}

impl Kind {
    pub(crate) fn len(&self) -> usize {
        self.things.len()
    }

    pub(crate) fn get(&self, number: u64) -> Option<&Thing> {
        looked();
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

    /// Lets states arrive whose moment has come.
    pub(crate) fn settle(&mut self, row: &Row, now: Timestamp) {
        while let Some((at, number)) = self.due.first().copied()
            && at <= now
        {
            self.due.remove(&(at, number));
            self.go_on(row, number, |moving| moving.arrived(now, false));
        }
    }

    /// Counts a read of a thing, which may be what it waits for.
    pub(crate) fn read(&mut self, row: &Row, now: Timestamp, number: u64) {
        if self.counting.contains(&number) {
            self.go_on(row, number, |moving| moving.arrived(now, true));
        }
    }

    /// The same for all that wait for reads.
    pub(crate) fn read_all(&mut self, row: &Row, now: Timestamp) {
        for number in self.counting.clone() {
            self.read(row, now, number);
        }
    }

    /// Moves a thing on to the state that it has reached, if it has.
    fn go_on(
        &mut self,
        row: &Row,
        number: u64,
        arrived: impl FnOnce(&mut Moving) -> Option<String>,
    ) {
        let (Some(states), Some(thing)) = (&row.states, self.things.get_mut(&number)) else {
            return;
        };
        if let Some(state) = thing.moving.as_mut().and_then(arrived) {
            thing.members.insert(states.member.clone(), state.into());
            thing.moving = None;
            self.counting.remove(&number);
        }
        thing.progressed(states);
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (u64, &Thing)> {
        let things = self.things.iter().map(|(number, thing)| (*number, thing));
        things.inspect(|_| looked())
    }

    /// All things of an id, wherever they belong.
    pub(crate) fn of_id(&self, id: &str) -> impl Iterator<Item = (u64, &Thing)> {
        self.those(self.ids.of(id))
    }

    /// The things that people call so, wherever they belong; `None` where a thing may have a name that
    /// is only made when it is shown.
    pub(crate) fn of_title(&self, title: &str) -> Option<impl Iterator<Item = (u64, &Thing)>> {
        let all = self.titles.0.len() == self.things.len();
        all.then(|| self.those(self.titles.of(title)))
    }

    fn those(&self, numbers: impl Iterator<Item = u64>) -> impl Iterator<Item = (u64, &Thing)> {
        numbers.filter_map(|number| Some((number, self.get(number)?)))
    }

    /// Whether all things are those of one account.
    pub(crate) fn is_all_of(&self, owner: &str) -> bool {
        self.owners.get(owner).copied().unwrap_or_default() == self.things.len()
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
            self.titles.insert(&title, number);
        }
        match thing.moving.as_ref().map(|moving| moving.until) {
            Some(Until::Moment(at)) => {
                self.due.insert((at, number));
            }
            Some(Until::Reads(_)) => {
                self.counting.insert(number);
            }
            None => {}
        }
        self.ids.insert(&thing.id, number);
        match self.owners.get_mut(&thing.owner) {
            Some(count) => *count += 1,
            None => {
                self.owners.insert(thing.owner.clone(), 1);
            }
        }
        self.things.insert(number, thing);
    }

    pub(crate) fn remove(&mut self, row: &Row, number: u64) -> Option<Thing> {
        let thing = self.things.remove(&number)?;
        if let Some(moving) = &thing.moving {
            match moving.until {
                Until::Moment(at) => self.due.remove(&(at, number)),
                Until::Reads(_) => self.counting.remove(&number),
            };
        }
        if let Some(title) = thing.title(row) {
            self.titles.remove(&title, number);
        }
        for key in keys(row, &thing.members) {
            if let Some(numbers) = self.belongings.get_mut(&key) {
                numbers.remove(&number);
                if numbers.is_empty() {
                    self.belongings.remove(&key);
                }
            }
        }
        self.ids.remove(&thing.id, number);
        if let Some(count) = self.owners.get_mut(&thing.owner) {
            *count -= 1;
        }
        Some(thing)
    }

    /// The things of an id that belong where the request says.
    pub(crate) fn find(&self, row: &Row, id: &str, owner: &str, input: &Input) -> Vec<u64> {
        let there = self.there(row, self.ids.of(id), input);
        let found = there.filter(|(_, thing)| thing.id == id && thing.owner == owner);
        found.map(|(number, _)| number).collect()
    }

    /// Those of `same` that belong where a request says. Many devices have a port called `eth0`: then
    /// the few things at the place are looked through, and not all of the name; others may be among them.
    fn there<'k>(
        &'k self,
        row: &'k Row,
        same: impl Iterator<Item = u64> + Clone,
        place: &'k Input,
    ) -> impl Iterator<Item = (u64, &'k Thing)> {
        let near = keys(row, place)
            .filter(|(_, parent)| !parent.is_empty())
            .map(|(member, parent)| [parent.as_str(), ""].map(|id| self.of_parent(&member, id)))
            .map(|sets| (sets.iter().flatten().map(|set| set.len()).sum(), sets))
            .min_by_key(|(length, _): &(usize, _)| *length);
        let numbers: Vec<u64> = match near {
            Some((length, near)) if same.clone().nth(length).is_some() => {
                near.into_iter().flatten().flatten().copied().collect()
            }
            _ => same.collect(),
        };
        self.those(numbers.into_iter())
            .filter(|(_, thing)| agrees(row, &thing.members, place))
    }

    /// The things that belong to another one, by the first name of the row's parent.
    pub(crate) fn of_parent(&self, member: &str, id: &str) -> Option<&BTreeSet<u64>> {
        self.belongings.get(&(member.to_owned(), id.to_owned()))
    }

    /// Whether another thing at the same place has this name.
    pub(crate) fn is_taken(&self, row: &Row, title: &str, place: &Input, but: Option<u64>) -> bool {
        self.there(row, self.titles.of(title), place)
            .any(|(number, thing)| {
                Some(number) != but && thing.title(row).as_deref() == Some(title)
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

/// What a thing belongs to: the members of its parents, by the name that the request used; an empty
/// text where it does not say.
fn keys<'a>(row: &'a Row, members: &'a Input) -> impl Iterator<Item = (String, String)> + 'a {
    row.parents.iter().filter_map(|(_, parent)| {
        let id = parent
            .iter()
            .find_map(|name| members.get(name).and_then(names::text));
        Some((parent.first()?.clone(), id.unwrap_or_default()))
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
