//! How is all that is kept carried over a restart, and how does it get there from a file? As JSON
//! by service and resource; what is not understood is refused with its place, and nothing changes.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::states::{Moving, Until};
use super::{Ask, Kind, Row, Store, Table, Thing, Transition};
use crate::control::{Wrong, nearest, row};
use crate::model::input::Input;
use crate::model::values::Dialect;
use crate::model::{Model, Operation};
use crate::wire::Service;

impl Store {
    /// All that is kept.
    pub(crate) fn snapshot(&self) -> Value {
        let mut services = Map::new();
        for service in Service::ALL {
            let rows = &Table::of(service).rows;
            let kinds = self.kinds.get(&service).into_iter().flatten();
            let kept: Map<String, Value> = rows
                .iter()
                .zip(kinds)
                .filter(|(_, kind)| kind.used || kind.len() > 0)
                .map(|(row, kind)| (row.name.clone(), kind.to_json()))
                .collect();
            if !kept.is_empty() {
                services.insert(service.name().to_owned(), kept.into());
            }
        }
        json!({"version": 1, "kept": services})
    }

    /// Takes up what a snapshot holds, instead of all that is kept.
    pub(crate) fn restore(&mut self, snapshot: &Value) -> Result<(), Wrong> {
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
                *next.kind(known, at) = Kind::from_json(&Table::of(known).rows[at], kind)
                    .ok_or(format!("{service} {name}: no list of kept things"))?;
            }
        }
        self.kinds = next.kinds;
        self.changes += 1;
        Ok(())
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
        let parents = || row.parents.iter().flat_map(|(_, names)| names);
        for name in members.keys() {
            let known = row.members.contains_key(name.as_str())
                || row.id == *name
                || parents().any(|parent| parent == name);
            if !known {
                let mut names: Vec<&str> = row.members.keys().copied().collect();
                names.extend(parents().map(String::as_str));
                names.sort_unstable();
                let near = nearest(name, names);
                return Err(format!("unknown member {name}{near}"));
            }
        }
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
    fn to_json(&self) -> Value {
        let things: Vec<Value> = self
            .iter()
            .map(|(number, thing)| {
                let mut out = json!({
                    "number": number,
                    "id": thing.id,
                    "owner": thing.owner,
                    "members": thing.members,
                });
                if let Some(moving) = &thing.moving {
                    out["to"] = moving.to.as_str().into();
                    match moving.until {
                        Until::Reads(reads) => out["reads"] = reads.into(),
                        Until::Moment(at) => out["at"] = at.to_string().into(),
                    }
                }
                out
            })
            .collect();
        json!({"used": self.used, "next": self.next(), "things": things})
    }

    fn from_json(row: &Row, json: &Value) -> Option<Self> {
        let mut kind = Self::default();
        for thing in json["things"].as_array()? {
            let text = |name: &str| thing[name].as_str().map(str::to_owned);
            let until = match (thing["reads"].as_u64(), thing["at"].as_str()) {
                (Some(reads), _) => Some(Until::Reads(reads.try_into().ok()?)),
                (None, Some(at)) => Some(Until::Moment(at.parse().ok()?)),
                (None, None) => None,
            };
            let moving = match (text("to"), until) {
                (Some(to), Some(until)) => Some(Moving { to, until }),
                _ => None,
            };
            let members = thing["members"].as_object()?.clone();
            let thing_of_row = Thing {
                members,
                id: text("id")?,
                owner: text("owner")?,
                moving,
            };
            kind.skip_to(thing["number"].as_u64()?);
            kind.insert(row, thing_of_row);
        }
        kind.skip_to(json["next"].as_u64()?);
        kind.used = json["used"].as_bool()?;
        Some(kind)
    }
}
