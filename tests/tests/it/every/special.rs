//! Which values cannot be made from a type alone? Those that the client supplies, those that must
//! come from the service, and the grammar of ZStack's queries.

use cumulo_localcloud::accounts;
use serde_json::{Map, Value, json};

use super::model::{Kind, Member, Model, Operation};
use super::values::{HARD, Maker};

/// Operations of which the local cloud keeps state: what they answer depends on earlier calls, and
/// other tests look at them. Here they are given an answer with every member of their models.
#[rustfmt::skip]
const WITH_STATE: &[&str] = &[
    "CreateAccessToken", "ListAccessTokens", "DisableAccessToken", "DeleteAccessToken",
    "CreateEnterpriseCode", "ListEnterpriseCode", "UpdateEnterpriseCode", "DeleteEnterpriseCode",
    "CreateAnAppV2", "ListAppsV2", "ShowDetailsOfAppV2", "UpdateAppV2", "DeleteAppV2",
    "CreateAppCodeV2", "CreateAppCodeAutoV2", "ListAppCodesV2", "ShowDetailsOfAppCodeV2",
    "DeleteAppCodeV2", "ResettingAppSecretV2", "CheckAppV2",
    "CreateAccessKey", "QueryAccessKey", "ChangeAccessKeyState", "DeleteAccessKey",
    "LogInByAccount", "ValidateSession", "RenewSession", "LogOut",
];

/// Whether the local cloud keeps state for the operation.
pub(crate) fn has_state(operation: &Operation) -> bool {
    WITH_STATE.contains(&operation.name())
}

/// An answer with every member: status and body.
pub(crate) fn answer(model: &Model, operation: &Operation) -> (u16, Vec<u8>) {
    let in_body = operation
        .output
        .iter()
        .filter(|member| member.place() == "body");
    let in_body: Vec<Member> = in_body.cloned().collect();
    let mut members = Maker::all(model).members(&in_body);
    if operation
        .output
        .iter()
        .any(|member| member.name() == "Success")
    {
        // Otherwise it is a failure.
        members.insert("Success".to_owned(), json!(true));
    }
    let status = operation.success();
    let raw = in_body.iter().find(|member| member.style() == "raw");
    let body = match raw.map(|raw| members.remove(raw.name()).unwrap_or_default()) {
        _ if status == 204 => Vec::new(),
        Some(Value::String(bytes)) => bytes.into_bytes(),
        Some(whole) => whole.to_string().into_bytes(),
        None => Value::Object(members).to_string().into_bytes(),
    };
    (status, body)
}

/// Members that the client fills in where the operation requires them.
pub(crate) fn supplied(model: &Model, member: &str) -> Option<&'static str> {
    match (model.service, member) {
        ("smc" | "smartag", "RegionId") => Some(accounts::ALIBABA_REGION),
        ("apig", "project_id") => Some(accounts::KEYSTONE_PROJECT_ID),
        ("apig", "instance_id") => Some(accounts::INSTANCE_ID),
        _ => None,
    }
}

/// The members of a call in natural nesting; parts of a form stand beside the other members.
fn spread(operation: &Operation, mut input: Map<String, Value>) -> Map<String, Value> {
    for member in &operation.input {
        if member.style() == "multipart"
            && let Some(Value::Object(parts)) = input.remove(member.name())
        {
            input.extend(parts);
        }
    }
    input
}

/// An input with what the operation requires and the client does not know.
pub(crate) fn required(model: &Model, operation: &Operation) -> Map<String, Value> {
    let needed: Vec<Member> = operation
        .input
        .iter()
        .filter(|member| supplied(model, member.name()).is_none())
        .cloned()
        .collect();
    spread(operation, Maker::required(model).members(&needed))
}

/// An input with every member. `page` is the token of a page, from an answer before.
pub(crate) fn all(
    model: &Model,
    operation: &Operation,
    page: Option<&Value>,
) -> Map<String, Value> {
    let mut input = spread(operation, Maker::all(model).members(&operation.input));
    let mut set = |name: Option<&str>, value: Value| {
        if let Some(name) = name {
            input.insert(name.to_owned(), value);
        }
    };
    set(
        operation.token(),
        json!(format!("every/{}", operation.name())),
    );
    if operation.is_query() {
        input.extend(query(model, operation));
        return input;
    }
    if let Some(name) = operation.paging("token") {
        set(Some(name), page.cloned().unwrap_or_else(|| json!("")));
    }
    // The third and fourth item of the list, where pages are counted.
    set(operation.paging("page"), json!(2));
    set(operation.paging("size"), json!(2));
    set(operation.paging("offset"), json!(2));
    set(operation.paging("limit"), json!(2));
    for member in &operation.input {
        // The caller's own project and gateway: others are refused before all else.
        if member.place() == "path"
            && let Some(own) = supplied(model, member.name())
        {
            set(Some(member.name()), json!(own));
        }
    }
    input
}

/// Every part of ZStack's query language. Fields must be those of the items.
fn query(model: &Model, operation: &Operation) -> Map<String, Value> {
    let items = operation.paging("items").unwrap_or_default();
    let list = operation
        .output
        .iter()
        .find(|member| member.name() == items);
    let of_items = list.map_or(Vec::new(), |list| match model.kind(list.ty()) {
        Kind::List(inner) => match model.kind(inner) {
            Kind::Struct(_, members) => members,
            _ => Vec::new(),
        },
        _ => Vec::new(),
    });
    let mut fields = of_items.iter().map(Member::name);
    let first = fields.next().unwrap_or("uuid");
    let second = fields.next().unwrap_or("name");
    // What no condition can say is refused before it is sent.
    let sayable = HARD.replace(['\'', '\\'], "");
    let value = json!({
        "q": [format!("__systemTag__!={sayable}"), format!("__userTag__?={sayable},b")],
        "limit": 3,
        "start": 1,
        "count": false,
        "groupBy": format!("__userTag__{HARD}"),
        "replyWithCount": true,
        "filterName": format!("filter:{HARD}"),
        "sort": format!("+{first}"),
        "fields": [first, second, format!("__userTag__{}", HARD.replace(',', ""))],
    });
    let Value::Object(members) = value else {
        unreachable!("an object is written above")
    };
    members
}
