//! How is all that is kept carried over a restart, and how does it get there from a file? As JSON
//! by service and resource; what is not understood is refused with its place, and nothing changes.

use jiff::Timestamp;
use serde_json::Value;

use super::states::{Moving, Until};
use super::{Ask, Kind, Row, Store, Table, Thing, Transition};
use crate::control::{Wrong, nearest, row};
use crate::encode::Object;
use crate::model::input::{self, Input, Problem, Reading};
use crate::model::values::Dialect;
use crate::model::{Model, Operation};
use crate::wire::Service;

impl Store {
    /// Writes all that is kept as a JSON object by service and resource, thing by thing: with many of
    /// them there is one copy of all, and no tree of it.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let mut services = Object::begin(out);
        for service in Service::ALL {
            let rows = &Table::of(service).rows;
            let kinds = self.kinds.get(&service).into_iter().flatten();
            let mut kept = rows
                .iter()
                .zip(kinds)
                .filter(|(_, kind)| kind.used || kind.len() > 0)
                .peekable();
            if kept.peek().is_none() {
                continue;
            }
            services.member(service.name(), |out| {
                let mut resources = Object::begin(out);
                for (row, kind) in kept {
                    resources.member(&row.name, |out| kind.write(out));
                }
                resources.end();
            });
        }
        services.end();
    }

    /// What a snapshot holds, to be kept instead of all that is.
    pub(crate) fn restored(&self, snapshot: &Value) -> Result<Self, Wrong> {
        if snapshot["version"] != 1 {
            return Err(format!("version: expected 1, got {}", snapshot["version"]));
        }
        let services = snapshot["kept"]
            .as_object()
            .ok_or("kept: expected an object")?;
        let mut next = Self::default();
        next.begin(self.samples);
        for (service, rows) in services {
            let rows = rows
                .as_object()
                .ok_or(format!("{service}: expected an object"))?;
            for (name, kind) in rows {
                let (known, at) = row(service, name)?;
                *next.kind(known, at) = Kind::from_json(known, &Table::of(known).rows[at], kind)
                    .map_err(|why| format!("{service} {name}{why}"))?;
            }
        }
        Ok(next)
    }

    /// Keeps what another store holds.
    pub(crate) fn take_up(&mut self, other: Self) {
        self.kinds = other.kinds;
        self.changes += 1;
    }

    /// Makes a thing as a file or a test describes it; gives its id.
    pub(crate) fn seed(
        &mut self,
        service: Service,
        at: usize,
        thing: &Value,
        now: Timestamp,
    ) -> Result<String, Wrong> {
        let row = &Table::of(service).rows[at];
        let members = thing.as_object().ok_or("expected an object")?;
        self.changes += 1;
        check(service, row, members)?;
        if let Some(states) = &row.states
            && let Some(state) = members.get(&states.member)
        {
            states.check(state.as_str().unwrap_or_default())?;
        }
        let operation: &'static Operation = Table::of(service)
            .maker(Model::of(service), at)
            .ok_or("it cannot be made, as nothing lists or makes it")?;
        let mut given = members.clone();
        if service == Service::Apig {
            given
                .entry("instance_id")
                .or_insert_with(|| crate::accounts::INSTANCE_ID.into());
        }
        if let Some(id) = given.get("uuid").cloned() {
            given.insert("resourceUuid".to_owned(), id);
        }
        let empty = Input::new();
        let ask = Ask {
            service,
            operation,
            input: if service == Service::Zstack {
                &given
            } else {
                &empty
            },
            owner: match service {
                Service::Smc | Service::Smartag => crate::accounts::ALIBABA_ACCOUNT,
                _ => "",
            },
            now,
            dialect: match service {
                Service::Smc | Service::Smartag => Dialect::Acs,
                Service::Apig | Service::Iam => Dialect::Apig,
                Service::Zstack => Dialect::Zstack(0),
            },
        };
        let state = row.states.as_ref().and_then(|states| {
            let value = given.get(&states.member)?.clone();
            Some((states.member.clone(), value))
        });
        let own_id = given.get(&row.id).and_then(super::names::text);
        let made = self
            .make(&ask, at, row, given.clone(), own_id)
            .map_err(|refused| format!("{refused:?}"))?;
        let number = made[crate::model::values::NUMBER]
            .as_u64()
            .unwrap_or_default();
        let kind = self.kind(service, at);
        kind.change(row, number, |thing| thing.members.extend(state));
        Ok(kind
            .get(number)
            .map(|thing| thing.id.clone())
            .unwrap_or_default())
    }

    /// Has the things of a resource move in another way from now on.
    pub(crate) fn set_transition(
        &mut self,
        service: Service,
        transition: Transition,
    ) -> Result<(), Wrong> {
        let (_, at) = row(service.name(), &transition.resource)?;
        let row = &Table::of(service).rows[at];
        match &row.states {
            None if transition.failure.is_none() => {
                return Err(format!("{} has no states", row.name));
            }
            None => {}
            Some(states) => {
                for state in [&transition.passing, &transition.ending]
                    .into_iter()
                    .flatten()
                {
                    states.check(state)?;
                }
            }
        }
        let key = (service, transition.resource.clone());
        self.transitions.insert(key, transition);
        Ok(())
    }
}

impl Kind {
    fn write(&self, out: &mut Vec<u8>) {
        let mut own = Object::begin(out);
        own.value("used", self.used);
        own.value("next", self.next());
        own.member("things", |out| {
            let mut before = b'[';
            for (number, thing) in self.iter() {
                out.push(before);
                before = b',';
                thing.write(number, out);
            }
            if before == b'[' {
                out.push(b'[');
            }
            out.push(b']');
        });
        own.end();
    }

    /// What is wrong is told with the number of the thing in its list.
    fn from_json(service: Service, row: &Row, json: &Value) -> Result<Self, Wrong> {
        let mut kind = Self::default();
        let things = json["things"].as_array();
        for (at, json) in (1..).zip(things.ok_or(": no list of kept things")?) {
            let (number, thing) =
                thing(service, row, json).map_err(|why| format!(" {at}: {why}"))?;
            kind.skip_to(number);
            kind.insert(row, thing);
        }
        kind.skip_to(json["next"].as_u64().ok_or(": next is no number")?);
        kind.used = json["used"]
            .as_bool()
            .ok_or(": used is not true or false")?;
        Ok(kind)
    }
}

impl Thing {
    fn write(&self, number: u64, out: &mut Vec<u8>) {
        let mut own = Object::begin(out);
        own.value("number", number);
        own.value("id", self.id.as_str());
        own.value("owner", self.owner.as_str());
        own.member("members", |out| {
            // Memory refuses nothing.
            let _ = serde_json::to_writer(out, &self.members);
        });
        if let Some(moving) = &self.moving {
            own.value("to", moving.to.as_str());
            match moving.until {
                Until::Reads(reads) => own.value("reads", reads),
                Until::Moment(at) => own.value("at", at.to_string()),
            }
        }
        own.end();
    }
}

/// A kept thing with its number.
fn thing(service: Service, row: &Row, json: &Value) -> Result<(u64, Thing), Wrong> {
    let optional = |name: &str| json[name].as_str().map(str::to_owned);
    let text = |name: &str| optional(name).ok_or_else(|| format!("{name} is no text"));
    let members = json["members"].as_object();
    let members = members.ok_or("members: expected an object")?;
    check(service, row, members)?;
    let until = match (json["reads"].as_u64(), json["at"].as_str()) {
        (Some(reads), _) => {
            let reads = reads.try_into();
            Some(Until::Reads(reads.map_err(|_| "reads is too large")?))
        }
        (None, Some(at)) => {
            let at = at.parse();
            Some(Until::Moment(at.map_err(|_| "at is no point in time")?))
        }
        (None, None) => None,
    };
    let moving = optional("to").zip(until);
    let thing = Thing {
        members: members.clone(),
        id: text("id")?,
        owner: text("owner")?,
        moving: moving.map(|(to, until)| Moving { to, until }),
    };
    let number = json["number"].as_u64();
    Ok((number.ok_or("number is no number")?, thing))
}

/// Whether a thing of a row can have these members: their names, and their types.
fn check(service: Service, row: &Row, given: &Input) -> Result<(), Wrong> {
    let parents = || row.parents.iter().flat_map(|(_, names)| names);
    for name in given.keys() {
        let known = row.members.contains_key(name.as_str())
            || row.id == *name
            || row.named.contains(name)
            || parents().any(|parent| parent == name);
        if !known {
            let mut names: Vec<&str> = row.members.keys().copied().collect();
            names.extend(parents().map(String::as_str));
            names.sort_unstable();
            let near = nearest(name, names);
            return Err(format!("unknown member {name}{near}"));
        }
    }
    let members = row.members.values().copied();
    match input::check(Model::of(service), members, given, Reading::Loose) {
        Err(Problem::Invalid { name, expected }) => Err(format!("{name}: expected {expected}")),
        // Nothing is required of an answer.
        Err(Problem::Missing(_)) | Ok(()) => Ok(()),
    }
}
