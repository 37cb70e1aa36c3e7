//! Does every operation of every model have an answer, whole and of the documented types?

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::input::{Input, Reading};
use super::values::{Dialect, Maker};
use super::{Location, Member, Model, Operation, Shared, Type, input, page};
use crate::store::{Ask, Samples, Store};
use crate::wire::Service;

/// No answer is larger, so that thousands of requests cost little.
const LARGEST: usize = 200_000;

const SERVICES: [(Service, Dialect, Reading); 4] = [
    (Service::Smc, Dialect::Acs, Reading::EmptyIsAbsent),
    (Service::Smartag, Dialect::Acs, Reading::EmptyIsAbsent),
    (Service::Apig, Dialect::Apig, Reading::Exact),
    (Service::Zstack, Dialect::Zstack(0), Reading::Loose),
];

/// Says where a value is not what its type promises.
fn differs<'a>(
    model: &'a Model,
    ty: &'a Type,
    value: &Value,
    inside: &mut Vec<&'a str>,
) -> Option<String> {
    let wrong = |fits: bool| (!fits).then(|| format!("{value} is no {ty:?}"));
    match ty {
        Type::Text | Type::Timestamp | Type::Binary => wrong(value.is_string()),
        Type::Int32 => wrong(value.as_i64().is_some_and(|n| i32::try_from(n).is_ok())),
        Type::Int64 => wrong(value.is_i64()),
        Type::Float => wrong(value.is_number()),
        Type::Bool => wrong(value.is_boolean()),
        Type::Any => wrong(!value.is_null()),
        Type::List(inner) => match value.as_array() {
            Some(items) if items.is_empty() => wrong(goes_round(inner, inside)),
            Some(items) => items
                .iter()
                .find_map(|item| differs(model, inner, item, inside)),
            None => wrong(false),
        },
        Type::Map(inner) => match value.as_object() {
            Some(map) if map.is_empty() => wrong(goes_round(inner, inside)),
            Some(map) => map
                .values()
                .find_map(|item| differs(model, inner, item, inside)),
            None => wrong(false),
        },
        Type::Struct(members) => lacks(model, members.iter(), value.as_object(), inside),
        Type::Ref(name) => match model.shared(name) {
            Some(Shared::Struct(members)) => {
                inside.push(name);
                let found = lacks(model, members.iter(), value.as_object(), inside);
                inside.pop();
                found
            }
            Some(Shared::Enum(_)) => wrong(value.is_string()),
            None => wrong(false),
        },
    }
}

fn goes_round(ty: &Type, inside: &[&str]) -> bool {
    match ty {
        Type::Ref(name) => inside.contains(&name.as_str()),
        Type::List(inner) | Type::Map(inner) => goes_round(inner, inside),
        _ => false,
    }
}

fn lacks<'a>(
    model: &'a Model,
    mut members: impl Iterator<Item = &'a Member>,
    object: Option<&Map<String, Value>>,
    inside: &mut Vec<&'a str>,
) -> Option<String> {
    let Some(object) = object else {
        return Some("an object is missing".to_owned());
    };
    members.find_map(|member| match object.get(&member.name) {
        None if goes_round(&member.ty, inside) => None,
        None => Some(format!("{} is missing", member.name)),
        Some(value) => {
            differs(model, &member.ty, value, inside).map(|why| format!("{}.{why}", member.name))
        }
    })
}

fn answer(model: &'static Model, dialect: Dialect, operation: &Operation, input: &Input) -> usize {
    let maker = Maker {
        model,
        dialect,
        page: page::of(operation, input).unwrap(),
    };
    let body = Value::Object(maker.body(operation, input));
    let text = body.to_string();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), body);
    let in_body = operation
        .output
        .iter()
        .filter(|member| member.location == Location::Body && !member.raw);
    let wrong = lacks(model, in_body, body.as_object(), &mut Vec::new());
    assert_eq!(wrong, None, "{}: {text}", operation.name);
    for whole in operation.output.iter().filter(|member| member.raw) {
        let value = maker.single(whole, 0, None);
        assert_eq!(differs(model, &whole.ty, &value, &mut Vec::new()), None);
    }
    assert!(text.len() < LARGEST, "{}: {}", operation.name, text.len());
    text.len()
}

/// An input with all members, made as answers are.
fn full(model: &'static Model, dialect: Dialect, operation: &'static Operation) -> Input {
    let maker = Maker {
        model,
        dialect,
        page: None,
    };
    let token = operation
        .paging
        .as_ref()
        .filter(|paging| paging.style == super::PagingStyle::Token)
        .map(|paging| paging.position.as_str());
    operation
        .input
        .iter()
        .filter(|member| token != Some(&member.name))
        .map(|member| (member.name.clone(), maker.single(member, 0, None)))
        .collect()
}

#[test]
fn every_operation_answers_what_its_model_says() {
    let (mut count, mut bytes) = (0, 0);
    for (service, dialect, reading) in SERVICES {
        let model = Model::of(service);
        for operation in &model.operations {
            bytes += answer(model, dialect, operation, &Input::new());
            let input = full(model, dialect, operation);
            assert_eq!(
                input::check(model, &operation.input, &input, reading),
                Ok(()),
                "{}",
                operation.name
            );
            answer(model, dialect, operation, &input);
            count += 1;
        }
    }
    assert_eq!(count, 2488);
    assert!(bytes / count < 20_000, "{} bytes on average", bytes / count);
}

/// Where a value that is there is of another type than its member.
fn mistyped(model: &Model, ty: &Type, value: &Value) -> Option<String> {
    let members = |members: &[Member], object: &Map<String, Value>| {
        members.iter().find_map(|member| {
            let value = object.get(&member.name)?;
            mistyped(model, &member.ty, value).map(|why| format!("{}.{why}", member.name))
        })
    };
    match (ty, value) {
        (Type::List(inner), Value::Array(items)) => {
            items.iter().find_map(|item| mistyped(model, inner, item))
        }
        (Type::Map(inner), Value::Object(map)) => {
            map.values().find_map(|item| mistyped(model, inner, item))
        }
        (Type::Struct(own), Value::Object(object)) => members(own, object),
        (Type::Ref(name), value) => match (model.shared(name), value) {
            (Some(Shared::Struct(own)), Value::Object(object)) => members(own, object),
            _ => differs(model, ty, value, &mut Vec::new()),
        },
        _ => differs(model, ty, value, &mut Vec::new()),
    }
}

/// Things are made, changed and shown by operations that give their members other types.
#[test]
fn what_is_kept_is_shown_with_the_declared_types() {
    let mut shown_by_the_store = 0;
    for (service, dialect, _) in SERVICES {
        let model = Model::of(service);
        let mut store = Store::default();
        store.begin(Samples::UntilCreated);
        // Three rounds: what one operation makes, the next ones find.
        for operation in model
            .operations
            .iter()
            .cycle()
            .take(3 * model.operations.len())
        {
            let mut input = full(model, dialect, operation);
            // The same for all, it would be taken after the first.
            input.remove("resourceUuid");
            let mut page = page::of(operation, &input).unwrap();
            let ask = Ask {
                service,
                operation,
                input: &input,
                owner: "",
                now: Timestamp::UNIX_EPOCH,
                dialect,
            };
            let Ok(Some(shown)) = store.run(&ask, page.as_mut()) else {
                continue;
            };
            shown_by_the_store += 1;
            let maker = Maker {
                model,
                dialect,
                page,
            };
            let body = maker.body(operation, &shown);
            for member in &operation.output {
                let wrong = body
                    .get(&member.name)
                    .and_then(|value| mistyped(model, &member.ty, value));
                assert_eq!(wrong, None, "{} {}", operation.name, member.name);
            }
        }
    }
    assert!(shown_by_the_store > 1200, "{shown_by_the_store}");
}

#[test]
fn every_required_member_is_missed() {
    let mut missed = 0;
    for (service, dialect, reading) in SERVICES {
        let model = Model::of(service);
        for operation in &model.operations {
            let whole = full(model, dialect, operation);
            for member in operation.input.iter().filter(|member| member.required) {
                let mut input = whole.clone();
                input.shift_remove(&member.name);
                let found = input::check(model, &operation.input, &input, reading);
                let expected = Err(input::Problem::Missing(member.name.clone()));
                assert_eq!(found, expected, "{}", operation.name);
                missed += 1;
            }
        }
    }
    assert!(missed > 3900, "{missed}");
}

#[test]
fn every_path_leads_to_its_operation() {
    for service in [Service::Apig, Service::Zstack] {
        let model = Model::of(service);
        for operation in &model.operations {
            let segments: Vec<String> = operation.path[1..]
                .split('/')
                .map(|segment| match (segment.find('{'), segment.find('}')) {
                    (Some(from), Some(to)) => {
                        format!("{}x-1{}", &segment[..from], &segment[to + 1..])
                    }
                    _ => segment.to_owned(),
                })
                .collect();
            let found = model.routes.find(&segments);
            let this = found
                .iter()
                .find(|found| model.operations[found.operation].name == operation.name)
                .unwrap_or_else(|| panic!("{} {}", operation.name, operation.path));
            let in_path = operation
                .input
                .iter()
                .filter(|member| member.location == Location::Path);
            assert_eq!(this.values.len(), in_path.count(), "{}", operation.name);
            assert!(this.values.iter().all(|(_, value)| value == "x-1"));
        }
    }
}
