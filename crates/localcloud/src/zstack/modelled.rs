//! What does an API answer that has no behaviour of its own here? Its members are held against
//! its model; the answer is made from it. Queries choose among rows made the same way.

use serde_json::Value;

use crate::model::input::{self, Input, Problem, Reading};
use crate::model::page::TOTAL;
use crate::model::values::{Dialect, Maker};
use crate::model::{Location, Model, Type, flat};
use crate::wire::Service;

use super::failure::{ErrorCode, Failure, Output, refuse};
use super::operation::Operation;
use super::query::{self, Fields};

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

pub(super) fn run(
    api: &'static crate::model::Operation,
    path: Input,
    operation: &Operation<'_>,
) -> Output {
    let model = Model::of(Service::Zstack);
    let query = flat::read(model, &api.input, &operation.request.query_pairs())?;
    let body = match &operation.parameters {
        Value::Object(members) => members.clone(),
        _ => Input::new(),
    };
    for (location, input) in [
        (Location::Path, &path),
        (Location::Query, &query),
        (Location::Body, &body),
    ] {
        let members = api
            .input
            .iter()
            .filter(|member| member.location == location);
        input::check(model, members, input, Reading::Loose)?;
    }
    let maker = Maker {
        model,
        dialect: Dialect::Zstack(operation.utc_offset),
        page: None,
    };
    if api.is_query() {
        return rows(&maker, api, operation);
    }
    let mut input = path;
    input.extend(query);
    input.extend(body);
    // The client may choose the uuid of what it creates.
    if let Some(uuid) = input.get("resourceUuid").filter(|uuid| uuid.is_string()) {
        input.insert("uuid".to_owned(), uuid.clone());
    }
    Ok(maker.body(api, &input))
}

/// Runs a query over rows that are the same at every call. A row asked for by its uuid exists.
fn rows<'a>(
    maker: &'a Maker<'a>,
    api: &'a crate::model::Operation,
    operation: &Operation<'_>,
) -> Output {
    let Some(list) = api
        .output
        .iter()
        .find(|member| matches!(member.ty, Type::List(_)) && is_list_of(api, &member.name))
    else {
        return Ok(maker.body(api, &Input::new()));
    };
    let mut rows = maker.rows(list, TOTAL, None);
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
    for uuid in asked_uuids(operation) {
        let exists = rows.iter().any(|row| row["uuid"] == uuid.as_str());
        if !exists && names.as_ref().is_none_or(|names| names.contains(&"uuid")) {
            let given = serde_json::json!({ "uuid": uuid });
            rows.extend(maker.rows(list, 1, Some(&given)));
        }
    }
    let fields = match &names {
        Some(names) => Fields::Inventory(names),
        None => Fields::Unknown,
    };
    query::run(operation, rows, fields, class)
}

fn is_list_of(api: &crate::model::Operation, name: &str) -> bool {
    api.paging
        .as_ref()
        .is_some_and(|paging| paging.items.iter().any(|item| item == name))
}

fn asked_uuids(operation: &Operation<'_>) -> Vec<String> {
    let in_path = operation.path("uuid");
    if !in_path.is_empty() {
        return vec![in_path.to_owned()];
    }
    operation
        .request
        .query_pairs()
        .into_iter()
        .filter(|(name, _)| name == "q")
        .filter_map(|(_, condition)| condition.strip_prefix("uuid=").map(str::to_owned))
        .collect()
}
