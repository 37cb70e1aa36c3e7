//! What is attached to what, and what is going on? Operations that are about a thing and neither
//! make, change nor remove it say by their names what they do: `AttachDataVolumeToVm`,
//! `StopReplicationJob`, `ChangeZoneState`.

use serde_json::{Value, json};

use super::change::{merge, stamp};
use super::states::{Moving, event, verb};
use super::table::envelope;
use super::{Ask, Refused, Row, Store, Table, names};
use crate::model::input::Input;
use crate::model::{Model, Type};
use crate::wire::Service;

const JOINING: [&str; 3] = ["Associate", "Attach", "Bind"];
const PARTING: [&str; 3] = ["Disassociate", "Detach", "Unbind"];
const CHANGING: [&str; 5] = ["Update", "Modify", "Change", "Set", "Resize"];

impl Store {
    pub(super) fn other(
        &mut self,
        ask: &Ask<'_>,
        at: usize,
        row: &'static Row,
        decided: bool,
    ) -> Result<Option<Input>, Refused> {
        let name = ask.operation.name.as_str();
        let begins = |verbs: &[&str]| verbs.iter().any(|verb| name.starts_with(verb));
        if row.recycled && self.recycle(ask, at, row) {
            return Ok(None);
        }
        let found = match self.find(ask, at, row) {
            // Reads of more than one thing, and lists of what belongs to it, show nothing then.
            Err(_) if decided => return Ok(None),
            found => found?,
        };
        let Some(first) = found.first().copied() else {
            return Ok(None);
        };
        for number in &found {
            if begins(&JOINING) || begins(&PARTING) {
                self.relate(ask, at, row, *number, begins(&JOINING));
            }
            let to = verb(name).or_else(|| event(ask.input.get("stateEvent")?.as_str()?));
            let moved = to.and_then(|to| {
                let states = row.states.as_ref()?;
                let transition = self.transitions.get(&(ask.service, row.name.clone()));
                Some((
                    states,
                    Moving::start(states, transition, to.to_owned(), ask.now),
                ))
            });
            let changes = begins(&CHANGING);
            self.kind(ask.service, at).change(row, *number, |thing| {
                if let Some((states, (now, later))) = moved {
                    thing.members.insert(states.member.clone(), now.into());
                    thing.moving = later;
                }
                if changes {
                    merge(row, &mut thing.members, ask);
                    stamp(row, &mut thing.members, ask, true);
                }
            });
        }
        // An answer about something else keeps its own members.
        let about_it = match ask.service {
            Service::Zstack => about(ask, row),
            _ => ask.operation.paging.is_none(),
        };
        Ok(about_it.then(|| {
            let mut shown = ask.input.clone();
            shown.extend(self.kind(ask.service, at).show(first));
            shown
        }))
    }

    /// Has a deleted thing back, or forgets it.
    fn recycle(&mut self, ask: &Ask<'_>, at: usize, row: &'static Row) -> bool {
        let recovers = ask.operation.name.starts_with("Recover");
        if !recovers && !ask.operation.name.starts_with("Expunge") {
            return false;
        }
        let kind = self.kind(ask.service, at);
        let mut done = false;
        for id in Self::targets(row, ask.input) {
            if let Some(thing) = kind.bin.remove(&id) {
                if recovers {
                    kind.insert(row, thing);
                }
                done = true;
            }
        }
        done
    }

    /// Both sides of a relation show the other one, where their answers have a member for it.
    fn relate(&mut self, ask: &Ask<'_>, at: usize, row: &'static Row, number: u64, joined: bool) {
        let Some(own) = self
            .kind(ask.service, at)
            .get(number)
            .map(|thing| thing.id.clone())
        else {
            return;
        };
        let table = Table::of(ask.service);
        for (other, other_row) in table
            .rows
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != at)
        {
            let foreign = other_row.foreign();
            let ids: Vec<String> = foreign
                .iter()
                .flat_map(|name| names::given(ask.input, name))
                .collect();
            for id in ids {
                let kind = self.kind(ask.service, at);
                kind.change(row, number, |thing| {
                    link(row, &mut thing.members, &foreign, &id, joined);
                });
                let kind = self.kind(ask.service, other);
                let same: Vec<u64> = kind.find(other_row, &id, ask.owner, ask.input).collect();
                let back = row.foreign();
                for number in same {
                    kind.change(other_row, number, |thing| {
                        link(other_row, &mut thing.members, &back, &own, joined);
                    });
                }
            }
        }
    }
}

/// Whether a ZStack answer is an inventory of the row.
fn about(ask: &Ask<'_>, row: &Row) -> bool {
    let Some(inventory) = envelope(ask.operation) else {
        return false;
    };
    let members = Model::of(ask.service)
        .members(inventory)
        .unwrap_or_default();
    let known = |name: &str| row.members.contains_key(name);
    !members.is_empty() && members.iter().all(|member| known(&member.name))
}

/// Writes another thing's id into the member that holds such ids, or takes it out.
fn link(row: &Row, members: &mut Input, foreign: &[String], id: &str, joined: bool) {
    for (name, member) in &row.members {
        let own = name.to_ascii_lowercase();
        let holds = |suffix: &str| {
            foreign
                .iter()
                .any(|name| own.ends_with(&format!("{}{suffix}", name.to_ascii_lowercase())))
        };
        match &member.ty {
            Type::Text if holds("") => {
                let value = if joined { json!(id) } else { Value::Null };
                members.insert((*name).to_owned(), value);
            }
            Type::List(inner) if matches!(**inner, Type::Text) && holds("s") => {
                let list = members.entry(*name).or_insert_with(|| json!([]));
                if let Value::Array(items) = list {
                    items.retain(|item| item != id);
                    if joined {
                        items.push(json!(id));
                    }
                }
            }
            _ => {}
        }
    }
}
