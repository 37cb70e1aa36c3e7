//! How does a new thing come to be? Its parents must be there and its name free; it gets an id made
//! the service's way, times, and the state that the table gives it.

use serde_json::Value;

use super::change::stamp;
use super::states::Moving;
use super::{Ask, Refused, Row, Store, Table, Thing, lists, names};
use crate::model::input::Input;
use crate::model::values::NUMBER;
use crate::model::{Operation, Type};
use crate::random;
use crate::wire::Service;

impl Store {
    pub(super) fn create(
        &mut self,
        ask: &Ask<'_>,
        at: usize,
        row: &'static Row,
    ) -> Result<Input, Refused> {
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
                if strict && kind.find(parent_row, &id, ask.owner, ask.input).is_empty() {
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
    pub(super) fn make(
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
            && kind.of_id(id).next().is_some()
        {
            let id = id.clone();
            return Err(Refused::Exists { row, id });
        }
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
                .first
                .as_ref()
                .or(states.good.first())
                .or(states.passing.first())
                .or(documented);
            // What ZStack switches on and off is on.
            let on = (states.member == "state" && service == Service::Zstack).then_some("Enabled");
            let to = to.map(String::as_str).or(on)?;
            // What begins in a state of its own goes on when an operation says so.
            let transition = match states.first {
                Some(_) => None,
                None => self.transitions.get(&(service, row.name.clone())),
            };
            Some(Moving::start(states, transition, &[to], ask.now))
        });
        for name in &row.optional {
            if row.members.contains_key(name) {
                members.entry(*name).or_insert(Value::Null);
            }
        }
        if row.has_switch() {
            members.entry("state").or_insert("Enabled".into());
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
        let kind = self.kind(service, at);
        let same = kind.find(row, &thing.id, ask.owner, &thing.members);
        if let Some(same) = same.first().copied() {
            if row.is_unique(service) {
                return Err(Refused::Taken {
                    row,
                    title: thing.id,
                });
            }
            // The same thing made again, such as a grant or a tag, is the one that was there.
            kind.remove(row, same);
        }
        let mut shown = thing.members.clone();
        let number = kind.insert(row, thing);
        shown.insert(NUMBER.to_owned(), number.into());
        Ok(shown)
    }
}

impl Row {
    /// Whether the service is known to refuse a name that is taken.
    pub(super) fn is_unique(&self, service: Service) -> bool {
        match service {
            Service::Smc | Service::Smartag => crate::acs::taken(&self.name).is_some(),
            Service::Apig => crate::huawei::taken(&self.name).is_some(),
            Service::Iam | Service::Zstack => false,
        }
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
