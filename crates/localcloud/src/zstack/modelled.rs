//! What does an API answer that has no behaviour of its own here? Its members are held against
//! its model; the answer is made from it. Queries choose among rows made the same way.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use crate::model::input::{self, Input, Problem, Reading};
use crate::model::page::TOTAL;
use crate::model::values::{Dialect, Maker, NUMBER};
use crate::model::{Location, Member, Model, Type, flat};
use crate::store::{Ask, Refused, Role, Samples, Sought, Store, Table, Thing};
use crate::wire::Service;

use super::access_keys::is_uuid;
use super::failure::{ErrorCode, Failure, Output, refuse};
use super::operation::Operation;
use super::query::{self, Fields, Joined, Joins, Row, Shown};
use super::zql::{self, Statement};

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Missing(name) => Self::Api(ErrorCode::invalid(format!(
                "field[{name}] is mandatory, can not be null"
            ))),
            // Types are looked at by the REST layer, before the API is asked.
            Problem::Invalid { name, expected } => Self::Rest(
                refuse(400, format!("Invalid value for parameter[{name}]"))
                    .verdict(format!("{name}: expected {expected}")),
            ),
        }
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self::Api(match refused {
            Refused::Gone { row, id } => ErrorCode::new(
                "SYS.1003",
                "resource not found",
                format!(
                    "cannot find {}[uuid:{id}], it may have been deleted",
                    row.name
                ),
            ),
            Refused::Exists { row, id } => ErrorCode::new(
                "SYS.1000",
                "An internal error happened in system",
                format!("Duplicate entry '{id}' of {}", row.name),
            ),
            Refused::Taken { title, .. } => {
                ErrorCode::invalid(format!("the name[{title}] is taken"))
            }
            Refused::Planned { code, message } => ErrorCode::new(code, "planned", message),
        })
    }
}

pub(super) fn run(
    store: &mut Store,
    api: &'static crate::model::Operation,
    path: Input,
    operation: &Operation<'_>,
) -> Output {
    let model = Model::of(Service::Zstack);
    let (in_path, others): (Vec<_>, Vec<_>) = api
        .input
        .iter()
        .partition(|member| member.location == Location::Path);
    // The verb of the request says where its members are, not that of the API.
    let given = match (operation.request.method.as_str(), &operation.parameters) {
        ("GET" | "DELETE", _) => {
            let pairs = operation.request.query_pairs();
            flat::these(model, others.iter().copied(), &pairs)?
        }
        (_, Value::Object(members)) => members.clone(),
        _ => Input::new(),
    };
    input::check(model, in_path, &path, Reading::Loose)?;
    input::check(model, others, &given, Reading::Loose)?;
    let dialect = Dialect::Zstack(operation.utc_offset);
    let maker = Maker {
        model,
        dialect,
        page: None,
    };
    let ask = |input| Ask {
        service: Service::Zstack,
        operation: api,
        input,
        owner: "",
        now: operation.now,
        dialect,
    };
    if api.name == "ZQLQuery" && store.samples != Samples::Always {
        let text = given.get("zql").and_then(Value::as_str).unwrap_or_default();
        return zql(&maker, store, &ask(&given), text);
    }
    if api.is_query() {
        return rows(&maker, store, &ask(&path), operation);
    }
    let mut input = path;
    input.extend(given);
    // The client may choose the uuid of what it creates.
    let chosen = input.get("resourceUuid").and_then(Value::as_str);
    if let Some(uuid) = chosen.map(str::to_owned) {
        let roles = Table::of(Service::Zstack).roles(&api.name);
        let creates = roles.iter().any(|(_, role)| *role == Role::Create);
        if creates && store.samples != Samples::Always && !is_uuid(&uuid) {
            let refused = format!("field[resourceUuid] of {} is no uuid[{uuid}]", api.name);
            return Err(ErrorCode::invalid(refused).into());
        }
        input.insert("uuid".to_owned(), uuid.into());
    }
    let shown = store.run(&ask(&input), None)?;
    Ok(maker.body(api, shown.as_ref().unwrap_or(&input)))
}

/// Runs a query over what is kept, or else over rows that are the same at every call, among which
/// one that is asked for by its uuid exists.
fn rows<'a>(
    maker: &'a Maker<'a>,
    store: &mut Store,
    ask: &Ask<'_>,
    operation: &Operation<'_>,
) -> Output {
    let api = ask.operation;
    let Some(list) = api
        .output
        .iter()
        .find(|member| matches!(member.ty, Type::List(_)) && is_list_of(api, &member.name))
    else {
        return Ok(maker.body(api, &Input::new()));
    };
    let (class, names) = match &list.ty {
        Type::List(inner) => {
            let class = match &**inner {
                Type::Ref(name) => name.as_str(),
                _ => "Inventory",
            };
            (class, maker.model.members(inner))
        }
        _ => ("Inventory", None),
    };
    let names: Option<Vec<&str>> =
        names.map(|members| members.iter().map(|member| member.name.as_str()).collect());
    let fields = match &names {
        Some(names) => Fields::Inventory(names),
        None => Fields::Unknown,
    };
    let pairs = operation.request.query_pairs();
    let conditions = pairs.iter().filter(|(name, _)| name == "q");
    let conditions: Vec<&str> = conditions.map(|(_, text)| text.as_str()).collect();
    let fields_named: Vec<&str> = conditions
        .iter()
        .flat_map(|text| text.split([' ', '=', '!']))
        .collect();
    let uuids = asked_uuids(operation, &conditions);
    let mut equal = conditions.iter().filter_map(|one| query::equal(one));
    let equal = equal.find(|(field, _)| *field == "name");
    let sought = match equal {
        _ if !uuids.is_empty() => Sought::Ids(uuids.clone()),
        Some((field, value)) => Sought::Equal(field.to_owned(), value.to_owned()),
        None => Sought::All,
    };
    store.look(ask, &sought);
    let store = &*store;
    let joins = joins(store, ask, &fields_named);
    if let Some((count, things)) = store.queried(ask, &sought) {
        let shape = Shape::new(maker, list);
        let rows = things.map(|(number, thing)| Kept {
            number,
            thing,
            shape: &shape,
        });
        return query::run(operation, (count, rows), (fields, &joins), class);
    }
    let mut rows = maker.rows(list, TOTAL, None);
    // A job that nobody began is none: whoever waited for it would wait for ever.
    let uuids = match api.name.as_str() {
        "QueryLongJob" => Vec::new(),
        _ => uuids,
    };
    for uuid in uuids {
        let exists = rows.iter().any(|row| row["uuid"] == uuid.as_str());
        if !exists && names.as_ref().is_none_or(|names| names.contains(&"uuid")) {
            let given = serde_json::json!({ "uuid": uuid });
            rows.extend(maker.rows(list, 1, Some(&given)));
        }
    }
    let rows = (rows.len(), rows.into_iter());
    query::run(operation, rows, (fields, &joins), class)
}

/// All things that dotted names lead to.
fn joins<'s>(store: &'s Store, ask: &Ask<'_>, fields: &[&str]) -> Joins<'s> {
    let mut joins = Joins::default();
    if let Some(noun) = ask.operation.name.strip_prefix("Query") {
        let (first, rest) = noun.split_at(noun.len().min(1));
        joins.of = first.to_ascii_lowercase() + rest;
    }
    // Whatever stands before a noun may be what its things name.
    let mut ways: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for field in fields {
        let mut before = joins.of.as_str();
        for noun in query::nouns(field) {
            ways.entry(noun).or_default().push(format!("{before}Uuid"));
            before = noun;
        }
    }
    for (noun, by) in ways {
        if let Some((strict, things)) = store.joined(ask.service, noun) {
            let things = things.map(|thing| (thing.id.as_str(), &thing.members));
            joins
                .with
                .insert(noun.to_owned(), Joined::new(strict, things, &by));
        }
    }
    joins
}

/// Statements of ZQL, a result for each.
fn zql(maker: &Maker<'_>, store: &mut Store, ask: &Ask<'_>, text: &str) -> Output {
    let mut results = Vec::new();
    for statement in zql::parse(text)? {
        results.push(Value::Object(selected(maker, store, ask, &statement)?));
    }
    Ok(Map::from_iter([("results".to_owned(), results.into())]))
}

fn selected(
    maker: &Maker<'_>,
    store: &mut Store,
    ask: &Ask<'_>,
    statement: &Statement,
) -> Result<Map<String, Value>, ErrorCode> {
    let entity = &statement.entity;
    let model = Model::of(Service::Zstack);
    let query = model.operations.iter().find(|operation| {
        let noun = operation.name.strip_prefix("Query");
        operation.is_query() && noun.is_some_and(|noun| noun.eq_ignore_ascii_case(entity))
    });
    let list = query.and_then(|query| {
        let listed = query.output.iter();
        let list = listed
            .into_iter()
            .find(|member| is_list_of(query, &member.name));
        Some((query, list?))
    });
    let Some((query, list)) = list else {
        return Err(ErrorCode::invalid(format!(
            "no entity[{entity}] found for ZQL query"
        )));
    };
    let ask = Ask {
        operation: query,
        input: &Input::new(),
        ..*ask
    };
    let mut named = Vec::new();
    if let Some(condition) = &statement.condition {
        condition.fields(&mut named);
    }
    store.look(&ask, &Sought::All);
    let store = &*store;
    let joins = joins(store, &ask, &named);
    let inventory = match &list.ty {
        Type::List(inner) => maker.model.members(inner),
        _ => None,
    };
    let names: Vec<&str> = inventory
        .map(|members| members.iter().map(|member| member.name.as_str()).collect())
        .unwrap_or_default();
    let fields = Fields::Inventory(&names);
    let ordered = statement.order.iter().map(|(field, _)| field.as_str());
    let wanted = statement.fields.iter().map(String::as_str);
    for field in named.iter().copied().chain(ordered).chain(wanted) {
        fields.knows(field, &joins)?;
    }
    match store.queried(&ask, &Sought::All) {
        Some((_, things)) => {
            let shape = Shape::new(maker, list);
            let rows = things.map(|(number, thing)| Kept {
                number,
                thing,
                shape: &shape,
            });
            Ok(answered(statement, rows.collect(), &joins))
        }
        None => Ok(answered(statement, maker.rows(list, TOTAL, None), &joins)),
    }
}

/// The result of a statement over `rows`.
fn answered<R: Shown>(
    statement: &Statement,
    mut rows: Vec<R>,
    joins: &Joins<'_>,
) -> Map<String, Value> {
    if let Some(condition) = &statement.condition {
        rows.retain(|row| condition.holds(row, joins));
    }
    let total = rows.len();
    let mut result = Map::new();
    if let Some(name) = &statement.name {
        result.insert("name".to_owned(), name.as_str().into());
    }
    if statement.total || statement.count {
        result.insert("total".to_owned(), total.into());
    }
    if statement.count {
        return result;
    }
    if let Some((field, last)) = &statement.order {
        query::sort(&mut rows, field, *last);
    }
    let page = rows.into_iter().skip(statement.offset);
    let page = page.take(statement.limit.unwrap_or(usize::MAX));
    let mut rows: Vec<Value> = page.map(Shown::into_value).collect();
    if !statement.fields.is_empty() {
        let wanted: Vec<&str> = statement.fields.iter().map(String::as_str).collect();
        query::only(&mut rows, &wanted);
    }
    result.insert("inventories".to_owned(), rows.into());
    result
}

/// How kept things are shown in a list.
struct Shape<'a> {
    maker: &'a Maker<'a>,
    list: &'a Member,
    /// The members that each has.
    members: HashMap<&'a str, &'a Member>,
}

impl<'a> Shape<'a> {
    fn new(maker: &'a Maker<'a>, list: &'a Member) -> Self {
        let members = match &list.ty {
            Type::List(inner) => maker.model.members(inner).unwrap_or_default(),
            _ => &[],
        };
        let members = members.iter().map(|one| (one.name.as_str(), one)).collect();
        Self {
            maker,
            list,
            members,
        }
    }
}

/// A kept thing, which is made whole only where it is shown.
struct Kept<'a> {
    number: u64,
    thing: &'a Thing,
    shape: &'a Shape<'a>,
}

impl Row for Kept<'_> {
    fn member(&self, name: &str) -> Option<Cow<'_, Value>> {
        if let Some(value) = self.thing.members.get(name) {
            return Some(Cow::Borrowed(value));
        }
        let member = self.shape.members.get(name)?;
        let made = self.shape.maker.part(self.shape.list, member, self.number);
        made.map(Cow::Owned)
    }
}

impl Shown for Kept<'_> {
    fn into_value(self) -> Value {
        let mut given = self.thing.members.clone();
        given.insert(NUMBER.to_owned(), self.number.into());
        let row = self
            .shape
            .maker
            .rows(self.shape.list, 1, Some(&Value::Object(given)));
        row.into_iter().next().unwrap_or_default()
    }
}

fn is_list_of(api: &crate::model::Operation, name: &str) -> bool {
    api.paging
        .as_ref()
        .is_some_and(|paging| paging.items.iter().any(|item| item == name))
}

fn asked_uuids(operation: &Operation<'_>, conditions: &[&str]) -> Vec<String> {
    let in_path = operation.path("uuid");
    if !in_path.is_empty() {
        return vec![in_path.to_owned()];
    }
    let by_uuid = conditions.iter();
    let by_uuid = by_uuid.filter_map(|one| one.strip_prefix("uuid="));
    by_uuid.map(str::to_owned).collect()
}
