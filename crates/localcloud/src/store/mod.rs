//! What becomes of the things that were made here? Each is kept by its row in the table of
//! resources: created, read, listed, changed and removed by the operations that the row names. The
//! services ask before they answer, and word the refusals.

mod kind;
mod lists;
mod names;
mod relations;
mod snapshot;
mod states;
mod table;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use serde_json::Value;

use crate::accounts;
use crate::clock;
use crate::model::input::Input;
use crate::model::page::Page;
use crate::model::values::{Dialect, NUMBER};
use crate::model::{Operation, Type};
use crate::random;
use crate::wire::Service;
pub(crate) use kind::{Kind, Thing, agrees};
use states::Moving;
pub use states::{Moves, Transition};
pub(crate) use table::{Role, Row, Table};

/// The store as the services hold it together.
pub(crate) type Handle = Arc<Mutex<Store>>;

/// What is answered about things that nobody has made here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Samples {
    /// Samples, until the first thing of the kind is made; from then on what is kept is all there
    /// is, and what is not is not found.
    #[default]
    UntilCreated,
    /// Samples for all kinds of the table, of which nothing is kept then: nothing is ever missing.
    Always,
    /// None: the cloud begins empty, but for what its operations cannot make.
    Never,
}

/// All things of all services.
#[derive(Default)]
pub(crate) struct Store {
    kinds: HashMap<Service, Vec<Kind>>,
    pub(crate) samples: Samples,
    /// Whether there is room for no more things than the documentation says.
    pub(crate) quotas: bool,
    pub(crate) transitions: HashMap<(Service, String), Transition>,
    /// How often something may have changed.
    pub(crate) changes: u64,
}

/// A call whose operation may be about things.
pub(crate) struct Ask<'a> {
    pub(crate) service: Service,
    pub(crate) operation: &'static Operation,
    pub(crate) input: &'a Input,
    /// Whose call it is, where a service keeps accounts apart.
    pub(crate) owner: &'a str,
    pub(crate) now: Timestamp,
    pub(crate) dialect: Dialect,
}

/// Why a call cannot be.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The thing, or the one that it would belong to, is not there.
    Gone { row: &'static Row, id: String },
    /// The id that the client chose is another one's.
    Exists { row: &'static Row, id: String },
    /// The name is another one's.
    Taken { row: &'static Row, title: String },
    /// It was planned to fail.
    Planned { code: String, message: String },
}

impl Store {
    /// Empty but for what an account has from the beginning: its gateway.
    pub(crate) fn begin(&mut self, samples: Samples) {
        self.kinds.clear();
        self.changes += 1;
        self.samples = samples;
        let table = Table::of(Service::Apig);
        if let Some(at) = table.position("instance") {
            let id = Value::from(accounts::INSTANCE_ID);
            let members = [
                ("id", id.clone()),
                ("instance_id", id),
                ("project_id", accounts::KEYSTONE_PROJECT_ID.into()),
                ("instance_name", "local-gateway".into()),
                ("status", "Running".into()),
                ("instance_status", 6.into()),
            ];
            let thing = Thing {
                members: members
                    .map(|(name, value)| (name.to_owned(), value))
                    .into_iter()
                    .collect(),
                id: accounts::INSTANCE_ID.to_owned(),
                owner: String::new(),
                moving: None,
            };
            let kind = self.kind(Service::Apig, at);
            kind.insert(&table.rows[at], thing);
            kind.used = false;
        }
    }

    pub(crate) fn kind(&mut self, service: Service, at: usize) -> &mut Kind {
        let kinds = self.kinds.entry(service).or_insert_with(|| {
            let rows = &Table::of(service).rows;
            rows.iter().map(|_| Kind::default()).collect()
        });
        &mut kinds[at]
    }

    /// Whether what is not kept is not there.
    fn is_strict(&mut self, service: Service, at: usize) -> bool {
        match self.samples {
            Samples::Always => false,
            Samples::UntilCreated => self.kind(service, at).used,
            Samples::Never => self.kind(service, at).used || Table::of(service).rows[at].created,
        }
    }

    /// Does what a call says, and tells what its answer says about things. `None` is an answer as
    /// the model alone makes it.
    pub(crate) fn run(
        &mut self,
        ask: &Ask<'_>,
        page: Option<&mut Page<'_>>,
    ) -> Result<Option<Input>, Refused> {
        if self.samples == Samples::Always {
            return Ok(None);
        }
        let table = Table::of(ask.service);
        let mut shown = None;
        let mut lists = Vec::new();
        for (at, role) in table.roles(&ask.operation.name) {
            let row = &table.rows[*at];
            let answer = match role {
                Role::Create if shown.is_some() => None,
                Role::Create => Some(self.create(ask, *at, row)?),
                Role::Read(path) => self.read(ask, *at, row, path)?,
                Role::List(path) => {
                    lists.push((*at, row, path.as_slice()));
                    None
                }
                Role::Update => self.update(ask, *at, row)?,
                Role::Delete => self.delete(ask, *at, row)?,
                Role::Other => self.other(ask, *at, row, shown.is_some())?,
            };
            shown = shown.or(answer);
        }
        if shown.is_none() {
            shown = self.list(ask, &lists, page);
        }
        Ok(shown)
    }

    /// The ids that a request gives for things of a row.
    fn targets(row: &Row, input: &Input) -> Vec<String> {
        row.named
            .iter()
            .map(|name| names::given(input, name))
            .find(|ids| !ids.is_empty())
            .unwrap_or_default()
    }

    /// The things of a row that a request names; an error where one is not there that must be.
    fn find(&mut self, ask: &Ask<'_>, at: usize, row: &'static Row) -> Result<Vec<u64>, Refused> {
        let ids = Self::targets(row, ask.input);
        let strict = self.is_strict(ask.service, at);
        let kind = self.kind(ask.service, at);
        let mut found = Vec::new();
        for id in ids {
            let before = found.len();
            found.extend(kind.find(row, &id, ask.owner, ask.input));
            if found.len() == before && strict {
                return Err(Refused::Gone { row, id });
            }
        }
        Ok(found)
    }

    fn create(&mut self, ask: &Ask<'_>, at: usize, row: &'static Row) -> Result<Input, Refused> {
        let transition = self.transitions.get(&(ask.service, row.name.clone()));
        if let Some((code, message)) = transition.and_then(|one| one.failure.clone()) {
            return Err(Refused::Planned { code, message });
        }
        for (parent, names) in &row.needs {
            let ids = names.iter().map(|name| names::given(ask.input, name));
            let ids = ids
                .into_iter()
                .find(|ids| !ids.is_empty())
                .unwrap_or_default();
            let parent_row = &Table::of(ask.service).rows[*parent];
            let strict = self.is_strict(ask.service, *parent);
            for id in ids {
                let kind = self.kind(ask.service, *parent);
                let exists = kind.find(parent_row, &id, ask.owner, ask.input).next();
                if strict && exists.is_none() {
                    return Err(Refused::Gone {
                        row: parent_row,
                        id,
                    });
                }
            }
        }
        let mut shown = ask.input.clone();
        match lists::bulk(ask, row) {
            Some((list, things)) => {
                let mut made = Vec::new();
                for given in things {
                    let mut one = self.make(ask, at, row, given, None)?;
                    // Where a thing is made, its id is plainly the id.
                    one.insert("id".to_owned(), one[&row.id].clone());
                    made.push(Value::Object(one));
                }
                shown.insert(list.to_owned(), made.into());
            }
            None => {
                let made = self.make(ask, at, row, ask.input.clone(), None)?;
                if let Some(alias) = id_alias(ask.operation, row) {
                    shown.insert(alias.to_owned(), made[&row.id].clone());
                }
                shown.extend(made);
            }
        }
        Ok(shown)
    }

    /// Keeps a new thing, and shows it.
    fn make(
        &mut self,
        ask: &Ask<'_>,
        at: usize,
        row: &'static Row,
        mut members: Input,
        chosen: Option<String>,
    ) -> Result<Input, Refused> {
        let service = ask.service;
        let kind = self.kind(service, at);
        if let Some(title) = row
            .title
            .as_ref()
            .and_then(|title| members.get(title)?.as_str())
            && row.is_unique(service)
            && kind.is_taken(row, title, &members, None)
        {
            let title = title.to_owned();
            return Err(Refused::Taken { row, title });
        }
        let chosen = chosen.or_else(|| match service {
            Service::Zstack => ask.input.get("resourceUuid").and_then(names::text),
            _ if row.id == "id" => None,
            _ => members.get(&row.id).and_then(names::text),
        });
        // A long job that is submitted again under its id begins anew.
        if let Some(id) = chosen.as_ref().filter(|_| service == Service::Zstack)
            && ask.operation.name != "SubmitLongJob"
            && self.kind(service, at).of_id(id).next().is_some()
        {
            let id = id.clone();
            return Err(Refused::Exists { row, id });
        }
        let kind = self.kind(service, at);
        let id = chosen.unwrap_or_else(|| new_id(service, row, kind.next()));
        members.retain(|name, value| {
            !value.is_null()
                && (row.members.contains_key(name.as_str())
                    || row.parents.iter().any(|(_, names)| names.contains(name))
                    || row.named.contains(name))
        });
        let state = row.states.as_ref().and_then(|states| {
            let member = row.members.get(states.member.as_str())?;
            let documented = member.values.first();
            let to = states
                .good
                .first()
                .or(states.passing.first())
                .or(documented)?;
            let transition = self.transitions.get(&(service, row.name.clone()));
            Some(Moving::start(states, transition, to.clone(), ask.now))
        });
        for name in &row.optional {
            if row.members.contains_key(name) {
                members.entry(*name).or_insert(Value::Null);
            }
        }
        stamp(row, &mut members, ask, false);
        let mut moving = None;
        if let (Some(states), Some((now, later))) = (&row.states, state) {
            members.insert(states.member.clone(), now.into());
            moving = later;
        }
        let id_value = match row.members.get(row.id.as_str()).map(|member| &member.ty) {
            Some(Type::Int32 | Type::Int64) => id.parse::<i64>().map_or(Value::Null, Value::from),
            _ => Value::from(id.as_str()),
        };
        for name in &row.named {
            if row.members.contains_key(name.as_str()) {
                members.insert(name.clone(), id_value.clone());
            }
        }
        members.insert(row.id.clone(), id_value);
        let thing = Thing {
            members,
            id,
            owner: ask.owner.to_owned(),
            moving,
        };
        // The same thing made again, such as a grant or a tag, is the one that was there.
        let kind = self.kind(service, at);
        let same = kind.find(row, &thing.id, ask.owner, &thing.members).next();
        if let Some(same) = same {
            kind.remove(row, same);
        }
        let mut shown = thing.members.clone();
        let number = kind.insert(row, thing);
        shown.insert(NUMBER.to_owned(), number.into());
        Ok(shown)
    }

    fn read(
        &mut self,
        ask: &Ask<'_>,
        at: usize,
        row: &'static Row,
        path: &[String],
    ) -> Result<Option<Input>, Refused> {
        let Some(number) = self.find(ask, at, row)?.first().copied() else {
            return Ok(None);
        };
        let kind = self.kind(ask.service, at);
        let id = kind
            .get(number)
            .map(|thing| thing.id.clone())
            .unwrap_or_default();
        kind.settle(row, ask.now, |one| one == id);
        let mut shown = ask.input.clone();
        let members = kind.show(number);
        match path.split_last() {
            None => shown.extend(members),
            Some((last, before)) => {
                lists::place(&mut shown, before, last, Value::Object(members));
            }
        }
        Ok(Some(shown))
    }

    fn update(
        &mut self,
        ask: &Ask<'_>,
        at: usize,
        row: &'static Row,
    ) -> Result<Option<Input>, Refused> {
        let mut found = self.find(ask, at, row)?;
        if let Some(title) = row
            .title
            .as_ref()
            .and_then(|title| ask.input.get(title)?.as_str())
            && row.is_unique(ask.service)
            && let Some(number) = found.first()
            && self
                .kind(ask.service, at)
                .is_taken(row, title, ask.input, Some(*number))
        {
            let title = title.to_owned();
            return Err(Refused::Taken { row, title });
        }
        if found.is_empty() && !row.created {
            // Settings are there before anybody has set them.
            if let Some(id) = Self::targets(row, ask.input).into_iter().next() {
                self.make(ask, at, row, ask.input.clone(), Some(id))?;
                found = self.find(ask, at, row)?;
            }
        }
        let kind = self.kind(ask.service, at);
        for number in &found {
            kind.change(row, *number, |thing| {
                merge(row, &mut thing.members, ask);
                stamp(row, &mut thing.members, ask, true);
            });
        }
        Ok(found.first().map(|number| {
            let mut shown = ask.input.clone();
            shown.extend(kind.show(*number));
            shown
        }))
    }

    fn delete(
        &mut self,
        ask: &Ask<'_>,
        at: usize,
        row: &'static Row,
    ) -> Result<Option<Input>, Refused> {
        for number in self.find(ask, at, row)? {
            let removed = self.remove(ask.service, at, number);
            if let Some(thing) = removed.filter(|_| row.recycled) {
                let kind = self.kind(ask.service, at);
                kind.bin.insert(thing.id.clone(), thing);
            }
        }
        Ok(None)
    }

    /// Removes a thing with all that belongs to it.
    fn remove(&mut self, service: Service, at: usize, number: u64) -> Option<Thing> {
        let rows = &Table::of(service).rows;
        let thing = self.kind(service, at).remove(&rows[at], number)?;
        for (child, row) in rows.iter().enumerate() {
            for (parent, names) in &row.parents {
                let Some(name) = names.first().filter(|_| *parent == at) else {
                    continue;
                };
                let of_it = self.kind(service, child).of_parent(name, &thing.id);
                for number in of_it.cloned().unwrap_or_default() {
                    self.remove(service, child, number);
                }
            }
        }
        Some(thing)
    }
}

impl Row {
    /// Whether the service is known to refuse a name that is taken.
    fn is_unique(&self, service: Service) -> bool {
        service == Service::Apig && crate::huawei::taken(&self.name).is_some()
    }
}

impl Kind {
    /// The members of a thing, and which one of its kind it is.
    pub(crate) fn show(&self, number: u64) -> Input {
        let mut members = self
            .get(number)
            .map(|thing| thing.members.clone())
            .unwrap_or_default();
        members.insert(NUMBER.to_owned(), number.into());
        members
    }
}

/// Takes over what a request changes.
fn merge(row: &Row, members: &mut Input, ask: &Ask<'_>) {
    for (name, value) in ask.input {
        let own = name.strip_prefix("New").unwrap_or(name);
        let own = if row.members.contains_key(name.as_str()) {
            name
        } else {
            own
        };
        let is_name = row.named.contains(name) || *own == row.id;
        let is_empty = value == "" && matches!(ask.dialect, Dialect::Acs);
        if row.members.contains_key(own) && !is_name && !is_empty && !value.is_null() {
            members.insert(own.to_owned(), value.clone());
        }
    }
}

/// Fills in when a thing was made, or when it was changed.
fn stamp(row: &Row, members: &mut Input, ask: &Ask<'_>, of_change: bool) {
    let times = row.times.iter().filter(|time| time.of_change || !of_change);
    for time in times {
        let moment = match ask.dialect {
            _ if time.is_number => ask.now.as_millisecond().into(),
            Dialect::Acs => clock::iso(ask.now).into(),
            Dialect::Apig => clock::iso_nanos(ask.now).into(),
            Dialect::Zstack(offset) => clock::gson(ask.now, offset).into(),
        };
        members.insert(time.name.to_owned(), moment);
    }
}

/// An id as the service makes them.
fn new_id(service: Service, row: &Row, number: u64) -> String {
    let member = row.members.get(row.id.as_str());
    if member.is_some_and(|member| matches!(member.ty, Type::Int32 | Type::Int64)) {
        return (number + 1).to_string();
    }
    match service {
        Service::Smc | Service::Smartag => {
            let noun = row.id.strip_suffix("Id").unwrap_or(&row.id);
            let noun = if noun == "SmartAG" { "sag" } else { noun };
            format!("{}-{}", noun.to_lowercase(), random::word(17))
        }
        _ => random::uuid_hex(),
    }
}

/// The member that holds the new id in an answer that has none of the row's names.
fn id_alias<'a>(operation: &'a Operation, row: &Row) -> Option<&'a str> {
    let texts = operation
        .output
        .iter()
        .filter(|member| matches!(member.ty, Type::Text));
    let names = || texts.clone().map(|member| member.name.as_str());
    let known = names().any(|name| row.named.iter().any(|own| own == name));
    let is_id = |name: &&str| {
        let other = matches!(*name, "RequestId" | "ResourceGroupId" | "OrderId");
        *name == "Data" || (name.ends_with("Id") && !other)
    };
    names().find(is_id).filter(|_| !known)
}
