//! What is attached to what, and what is going on? Operations that are about a thing and neither
//! make, change nor remove it say by their names what they do: `AttachDataVolumeToVm`,
//! `StopReplicationJob`, `ChangeZoneState`.

use serde_json::{Value, json};

use super::change::{merge, stamp};
use super::states::{Moving, event, verb};
use super::table::envelope;
use super::{Ask, Refused, Row, Store, Table, names};
use crate::model::input::Input;
use crate::model::{Member, Model, Operation, Type};
use crate::wire::Service;

/// Verbs that join two things, with the word that must follow, and their opposites.
const JOINING: [[(&str, &str); 2]; 5] = [
    [("Associate", ""), ("Disassociate", "")],
    [("Associate", ""), ("Dissociate", "")],
    [("Attach", ""), ("Detach", "")],
    [("Bind", ""), ("Unbind", "")],
    [("Add", "To"), ("Remove", "From")],
];
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
            match Relating::of(ask.service, ask.operation) {
                Some(Relating::Joins) => self.relate(ask, at, row, *number, true),
                Some(Relating::Parts { opposite }) => {
                    self.relate(ask, at, row, *number, false);
                    self.part(ask, at, row, *number, opposite);
                }
                None => {}
            }
            let switched = ask
                .input
                .get("stateEvent")
                .and_then(|to| event(to.as_str()?));
            let switch = row.has_switch().then_some(switched).flatten();
            let moved = row.states.as_ref().and_then(|states| {
                let way: Vec<&str> = match states.moves.get(name) {
                    Some(way) => way.iter().map(String::as_str).collect(),
                    None if switch.is_some() => Vec::new(),
                    None => verb(name).or(switched).into_iter().collect(),
                };
                let transition = self.transitions.get(&(ask.service, row.name.clone()));
                let moved = || Moving::start(states, transition, &way, ask.now);
                (!way.is_empty()).then(|| (states, moved()))
            });
            let changes = begins(&CHANGING);
            self.kind(ask.service, at).change(row, *number, |thing| {
                if let Some((states, (now, later))) = moved {
                    thing.members.insert(states.member.clone(), now.into());
                    thing.moving = later;
                    thing.sets_out(states);
                }
                if let Some(state) = switch {
                    thing.members.insert("state".to_owned(), state.into());
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

    /// Ends the relations that the opposite operation makes with things which this one does not
    /// name: `DetachEip` says nothing of the NIC.
    fn part(
        &mut self,
        ask: &Ask<'_>,
        at: usize,
        row: &'static Row,
        number: u64,
        opposite: Option<&'static Operation>,
    ) {
        let table = Table::of(ask.service);
        for member in opposite.map_or(&[] as &[Member], |opposite| &opposite.input) {
            let is_named =
                |name: &String| *name == member.name || format!("{name}s") == member.name;
            let others = (0..).zip(&table.rows).filter(|(other, other_row)| {
                *other != at && other_row.foreign().iter().any(is_named)
            });
            if ask.input.contains_key(&member.name) {
                continue;
            }
            for (other, other_row) in others {
                let foreign = other_row.foreign();
                let kind = self.kind(ask.service, at);
                let thing = kind.get(number);
                let ids: Vec<String> = thing.map_or(Vec::new(), |thing| {
                    linking(row, &foreign)
                        .filter_map(|(name, _)| thing.members.get(name))
                        .flat_map(|value| match value {
                            Value::Array(items) => items.iter().filter_map(names::text).collect(),
                            one => names::text(one).into_iter().collect::<Vec<_>>(),
                        })
                        .collect()
                });
                for id in ids {
                    self.link_both(ask, (at, row, number), (other, other_row), &id, false);
                }
            }
        }
    }

    /// Both sides of a relation show the other one, where their answers have a member for it.
    fn relate(&mut self, ask: &Ask<'_>, at: usize, row: &'static Row, number: u64, joined: bool) {
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
                self.link_both(ask, (at, row, number), (other, other_row), &id, joined);
            }
        }
    }

    fn link_both(
        &mut self,
        ask: &Ask<'_>,
        (at, row, number): (usize, &'static Row, u64),
        (other, other_row): (usize, &'static Row),
        id: &str,
        joined: bool,
    ) {
        let kind = self.kind(ask.service, at);
        let Some(own) = kind.get(number).map(|thing| thing.id.clone()) else {
            return;
        };
        kind.change(row, number, |thing| {
            link(row, &mut thing.members, &other_row.foreign(), id, joined);
        });
        let kind = self.kind(ask.service, other);
        let same = kind.find(other_row, id, ask.owner, ask.input);
        let back = row.foreign();
        for number in same {
            kind.change(other_row, number, |thing| {
                link(other_row, &mut thing.members, &back, &own, joined);
            });
        }
    }
}

/// What an operation does to the relation of two things, by its name.
enum Relating {
    Joins,
    /// With the operation that joins them.
    Parts {
        opposite: Option<&'static Operation>,
    },
}

impl Relating {
    fn of(service: Service, operation: &'static Operation) -> Option<Self> {
        let name = operation.name.as_str();
        let rest = |(verb, then): (&str, &str)| {
            let rest = name.strip_prefix(verb)?;
            rest.contains(then).then_some(rest)
        };
        JOINING.iter().find_map(|[joins, parts]| {
            if rest(*joins).is_some() {
                return Some(Self::Joins);
            }
            let rest = rest(*parts)?.replace("From", "To");
            let opposite = format!("{}{rest}", joins.0);
            let opposite = Model::of(service).operation(&opposite);
            Some(Self::Parts { opposite })
        })
    }
}

/// The members of a row that hold ids of another one.
fn linking<'a>(
    row: &'a Row,
    foreign: &'a [String],
) -> impl Iterator<Item = (&'static str, bool)> + 'a {
    row.members.iter().filter_map(move |(name, member)| {
        let own = name.to_ascii_lowercase();
        let holds = |suffix: &str| {
            foreign
                .iter()
                .any(|name| own.ends_with(&format!("{}{suffix}", name.to_ascii_lowercase())))
        };
        match &member.ty {
            Type::Text if holds("") => Some((*name, false)),
            ty if is_list(ty) && holds("s") => Some((*name, true)),
            _ => None,
        }
    })
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

/// Whether a member can show several ids: a list, a list in its wrapper, a text with commas.
fn is_list(ty: &Type) -> bool {
    match ty {
        Type::Text => true,
        Type::List(inner) => matches!(**inner, Type::Text),
        Type::Struct(members) => match members.as_slice() {
            [only] => matches!(&only.ty, Type::List(inner) if matches!(**inner, Type::Text)),
            _ => false,
        },
        _ => false,
    }
}

/// Writes another thing's id into the member that holds such ids, or takes it out.
fn link(row: &Row, members: &mut Input, foreign: &[String], id: &str, joined: bool) {
    for (name, is_list) in linking(row, foreign) {
        if !is_list {
            let value = if joined { json!(id) } else { Value::Null };
            members.insert(name.to_owned(), value);
            continue;
        }
        let list = members.entry(name).or_insert_with(|| json!([]));
        if !list.is_array() {
            *list = json!([]);
        }
        if let Value::Array(items) = list {
            items.retain(|item| item != id);
            if joined {
                items.push(json!(id));
            }
        }
    }
}
