//! Which things does a list show? Those that belong where the request says, have what it asks
//! for, and stand on the page that it wants; indices are used where they help.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::kind::agrees;
use super::{Ask, Kind, Row, Store, Table, Thing, names};
use crate::model::Type;
use crate::model::input::Input;
use crate::model::page::Page;
use crate::wire::Service;

/// A member that a list is filtered by.
struct Filter {
    member: String,
    values: Vec<String>,
    /// A part of the text is enough, as API Gateway searches for names.
    part: bool,
}

impl Filter {
    fn all(ask: &Ask<'_>, row: &Row) -> Vec<Self> {
        let paging = ask.operation.paging.as_ref();
        let precise = names::given(ask.input, "precise_search");
        let is_page = |name: &String| {
            paging.is_some_and(|paging| {
                *name == paging.position || Some(name) == paging.length.as_ref()
            })
        };
        ask.input
            .iter()
            .filter(|(name, _)| row.members.contains_key(name.as_str()))
            .filter(|(name, _)| !is_page(name) && !row.named.contains(name))
            .map(|(name, value)| Self {
                member: name.clone(),
                values: match value {
                    Value::Array(items) => items.iter().filter_map(names::text).collect(),
                    one => names::text(one).into_iter().collect(),
                },
                part: ask.service == Service::Apig
                    && name.ends_with("name")
                    && !precise.contains(name),
            })
            .filter(|filter| !filter.values.is_empty())
            .collect()
    }

    /// Whether it asks for one whole name by which people call things.
    fn is_name(&self, row: &Row) -> bool {
        row.title.as_ref() == Some(&self.member) && !self.part && self.values.len() == 1
    }

    fn takes(&self, thing: &Thing) -> bool {
        match thing.members.get(&self.member) {
            // Made from the model when it is shown: nothing is chosen by it.
            None => true,
            // Where it is was not said when it was made: it is here.
            Some(Value::Null) if matches!(self.member.as_str(), "instance_id" | "RegionId") => true,
            Some(value) => names::text(value).is_some_and(|own| {
                let is = |one: &String| own == *one || (self.part && own.contains(one.as_str()));
                self.values.iter().any(is)
            }),
        }
    }
}

/// A row that a list operation lists, and where in the answer.
type Listed<'a> = (usize, &'static Row, &'a [String]);

impl Store {
    /// The things of a list, in the answer's own form; `None` while samples are served.
    pub(super) fn list(
        &mut self,
        ask: &Ask<'_>,
        lists: &[Listed<'_>],
        page: Option<&mut Page<'_>>,
    ) -> Option<Input> {
        let (_, _, path) = lists.first()?;
        let kept = lists.iter().any(|(at, _, _)| {
            self.is_strict(ask.service, *at) || self.kind(ask.service, *at).len() > 0
        });
        if !kept {
            return None;
        }
        let (start, length) = page
            .as_ref()
            .map_or((0, usize::MAX), |page| (page.start, page.length));
        let mut items = Vec::new();
        let mut total = 0;
        for (at, row, _) in lists {
            let kind = self.kind(ask.service, *at);
            kind.settle(row, ask.now);
            let (count, numbers) = select(
                ask,
                kind,
                row,
                start.saturating_sub(total),
                length - items.len(),
            );
            for number in &numbers {
                kind.read(row, ask.now, *number);
            }
            items.extend(
                numbers
                    .iter()
                    .map(|number| Value::Object(kind.show(*number))),
            );
            total += count;
        }
        let mut shown = ask.input.clone();
        for name in ["TotalCount", "Total", "total", "Count"] {
            shown.entry(name).or_insert(json!(total));
        }
        shown.insert("size".to_owned(), json!(items.len()));
        if let Some(page) = page {
            page.keep(total);
        }
        let (last, before) = path.split_last()?;
        place(&mut shown, before, last, items.into());
        Some(shown)
    }

    /// All kept things of the kind that a noun of a dotted name means, such as `host` or `rootVolume`;
    /// and whether there are no others. `None` where no row has the name.
    pub(crate) fn joined(
        &self,
        service: Service,
        noun: &str,
    ) -> Option<(bool, impl Iterator<Item = &Thing>)> {
        let table = Table::of(service);
        let name = names::kebab(noun);
        let mut name = name.as_str();
        let at = loop {
            match table.position(name) {
                Some(at) => break at,
                None => name = name.split_once('-')?.1,
            }
        };
        let things = self.kept(service, at).into_iter().flat_map(Kind::iter);
        Some((self.is_strict(service, at), things.map(|(_, thing)| thing)))
    }

    /// Lets the things move on that a ZStack query looks at.
    pub(crate) fn look(&mut self, ask: &Ask<'_>, sought: &Sought) {
        for (at, row) in listed(ask) {
            let kind = self.kind(ask.service, at);
            kind.settle(row, ask.now);
            match sought {
                Sought::Ids(ids) => {
                    let numbers = ids.iter().flat_map(|id| kind.of_id(id));
                    let numbers: Vec<u64> = numbers.map(|(number, _)| number).collect();
                    for number in numbers {
                        kind.read(row, ask.now, number);
                    }
                }
                Sought::Equal(..) | Sought::All => kind.read_all(row, ask.now),
            }
        }
    }

    /// The things among which a ZStack query chooses, and how many they are; `None` while samples are
    /// served.
    pub(crate) fn queried<'a>(
        &'a self,
        ask: &Ask<'_>,
        sought: &'a Sought,
    ) -> Option<(usize, impl Iterator<Item = (u64, &'a Thing)>)> {
        let mut serves = false;
        let mut count = 0;
        let mut few = Vec::new();
        let mut whole = Vec::new();
        for (at, row) in listed(ask) {
            serves |= self.is_strict(ask.service, at);
            let Some(kind) = self.kept(ask.service, at) else {
                continue;
            };
            serves |= kind.len() > 0;
            let titled = match sought {
                Sought::Equal(member, value) if row.title.as_ref() == Some(member) => {
                    kind.of_title(value)
                }
                _ => None,
            };
            match (sought, titled) {
                (Sought::Ids(ids), _) => few.extend(ids.iter().flat_map(|id| kind.of_id(id))),
                (_, Some(titled)) => few.extend(titled),
                (_, None) => {
                    count += kind.len();
                    whole.push(kind);
                }
            }
        }
        count += few.len();
        let whole = whole.into_iter().flat_map(Kind::iter);
        serves.then(|| (count, few.into_iter().chain(whole)))
    }
}

/// What a query says by which few things can be found at once; it may say more of them.
pub(crate) enum Sought {
    Ids(Vec<String>),
    /// A member that must have a value.
    Equal(String, String),
    All,
}

/// The rows that a query lists.
fn listed(ask: &Ask<'_>) -> impl Iterator<Item = (usize, &'static Row)> {
    let table = Table::of(ask.service);
    let roles = table.roles(&ask.operation.name).iter();
    roles
        .filter(|(_, role)| matches!(role, super::Role::List(_)))
        .map(|(at, _)| (*at, &table.rows[*at]))
}

/// How many things a list has, and those from `start` on.
fn select(
    ask: &Ask<'_>,
    kind: &Kind,
    row: &'static Row,
    start: usize,
    length: usize,
) -> (usize, Vec<u64>) {
    let mut filters = Filter::all(ask, row);
    let ids = Store::targets(row, ask.input);
    let said = row.parents.iter().filter_map(|(_, parent)| {
        let id = parent
            .iter()
            .find_map(|name| names::text(ask.input.get(name)?))?;
        Some((parent, id))
    });
    let of_parent = said.clone().next();
    if let Some((parent, id)) = &of_parent {
        // Their index knows.
        filters.retain(|filter| !parent.contains(&filter.member) || filter.values != [id.as_str()]);
    }
    let fits = |thing: &Thing| {
        thing.owner == ask.owner
            && agrees(row, &thing.members, ask.input)
            && filters.iter().all(|filter| filter.takes(thing))
    };
    let pick = |numbers: &mut dyn Iterator<Item = u64>| {
        let mut count = 0;
        let mut page = Vec::new();
        for number in numbers {
            if kind.get(number).is_some_and(fits) {
                if count >= start && page.len() < length {
                    page.push(number);
                }
                count += 1;
            }
        }
        (count, page)
    };
    if !ids.is_empty() {
        let mut numbers = ids
            .iter()
            .flat_map(|id| kind.of_id(id))
            .map(|(number, _)| number);
        return pick(&mut numbers);
    }
    let named = filters.iter().find(|filter| filter.is_name(row));
    if let Some(found) = named.and_then(|name| kind.of_title(name.values.first()?)) {
        return pick(&mut found.map(|(number, _)| number));
    }
    // Where nothing else is asked for, only the page is looked at.
    let all = filters.is_empty() && kind.is_all_of(ask.owner) && said.count() < 2;
    let part = |numbers: &mut dyn Iterator<Item = u64>| numbers.skip(start).take(length).collect();
    match &of_parent {
        Some((parent, id)) => {
            let empty = BTreeSet::new();
            let member = parent.first().map_or("", String::as_str);
            let numbers = kind.of_parent(member, id).unwrap_or(&empty);
            match all {
                true => (numbers.len(), part(&mut numbers.iter().copied())),
                false => pick(&mut numbers.iter().copied()),
            }
        }
        None => {
            let mut numbers = kind.iter().map(|(number, _)| number);
            match all {
                true => (kind.len(), part(&mut numbers)),
                false => pick(&mut numbers),
            }
        }
    }
}

/// Puts a value at a path of an answer.
pub(super) fn place(shown: &mut Input, before: &[String], last: &str, value: Value) {
    let mut inside = shown;
    for name in before {
        let next = inside.entry(name.as_str()).or_insert_with(|| json!({}));
        if !next.is_object() {
            *next = json!({});
        }
        match next {
            Value::Object(object) => inside = object,
            _ => return,
        }
    }
    inside.insert(last.to_owned(), value);
}

/// What an operation makes that makes several things at once, and the member of its answer that
/// lists them.
pub(super) fn bulk<'a>(ask: &Ask<'a>, row: &Row) -> Option<(&'a str, Vec<Input>)> {
    let operation = ask.operation;
    let model = crate::model::Model::of(ask.service);
    if operation
        .output
        .iter()
        .any(|member| row.named.contains(&member.name))
    {
        return None;
    }
    let list = operation.output.iter().find(|member| match &member.ty {
        Type::List(inner) => model.members(inner).is_some_and(|members| {
            members
                .iter()
                .any(|one| one.name == row.id || one.name == "id")
        }),
        _ => false,
    })?;
    let texts = |value: &Value| {
        value
            .as_array()
            .is_some_and(|items| items.iter().all(Value::is_string))
    };
    let structs = |value: &Value| {
        value
            .as_array()
            .is_some_and(|items| items.iter().all(Value::is_object))
    };
    let mut scalar = ask.input.clone();
    scalar.retain(|_, value| !value.is_array());
    let mut things = vec![scalar];
    for (name, value) in ask.input {
        let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
        if items.is_empty() {
            continue;
        }
        let mut next = Vec::new();
        for thing in &things {
            for item in items.iter().take(1000) {
                let mut one = thing.clone();
                if structs(value) && *name == list.name {
                    one.extend(item.as_object().cloned().unwrap_or_default());
                } else if texts(value) {
                    one.insert(name.trim_end_matches('s').to_owned(), item.clone());
                }
                next.push(one);
            }
        }
        // Lists of another kind say something about each.
        if texts(value) || (structs(value) && *name == list.name) {
            things = next;
        }
        things.truncate(1000);
    }
    Some((&list.name, things))
}
