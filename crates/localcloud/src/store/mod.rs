//! What becomes of the things that were made here? Each is kept by its row in the table of
//! resources: created, read, listed, changed and removed by the operations that the row names. The
//! services ask before they answer, and word the refusals.

mod change;
#[cfg(test)]
mod counts;
mod create;
mod kind;
mod lists;
mod names;
mod relations;
mod remove;
mod snapshot;
mod states;
mod table;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use serde_json::Value;

use crate::accounts;
use crate::model::Operation;
use crate::model::input::Input;
use crate::model::page::Page;
use crate::model::values::{Dialect, NUMBER};
use crate::wire::Service;
pub(crate) use kind::{Kind, Thing, agrees};
pub(crate) use lists::Sought;
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

    /// The same to look at; nothing where nothing was made.
    pub(crate) fn kept(&self, service: Service, at: usize) -> Option<&Kind> {
        self.kinds.get(&service)?.get(at)
    }

    /// Whether what is not kept is not there.
    fn is_strict(&self, service: Service, at: usize) -> bool {
        let used = self.kept(service, at).is_some_and(|kind| kind.used);
        match self.samples {
            Samples::Always => false,
            Samples::UntilCreated => used,
            Samples::Never => used || Table::of(service).rows[at].created,
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
        kind.settle(row, ask.now);
        kind.read(row, ask.now, number);
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
