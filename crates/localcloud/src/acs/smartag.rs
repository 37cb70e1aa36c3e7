//! What does Smart Access Gateway do with enterprise codes? They are unique over all accounts;
//! each account lists, changes and deletes its own.

use serde_json::{Value, json};

use super::action::{Action, Handler, Output, Refusal, object};

pub(super) const ACTIONS: &[(&str, Handler<State>)] = &[
    ("CreateEnterpriseCode", create),
    ("ListEnterpriseCode", list),
    ("UpdateEnterpriseCode", update),
    ("DeleteEnterpriseCode", delete),
];

/// The enterprise codes of all accounts, oldest first.
#[derive(Default)]
pub(super) struct State {
    codes: Vec<EnterpriseCode>,
}

impl State {
    pub(super) fn to_json(&self) -> Value {
        self.codes
            .iter()
            .map(|one| json!([one.account, one.code, one.is_default]))
            .collect()
    }

    pub(super) fn from_json(json: &Value) -> Option<Self> {
        let read = |json: &Value| {
            Some(EnterpriseCode {
                account: json[0].as_str()?.to_owned(),
                code: json[1].as_str()?.to_owned(),
                is_default: json[2].as_bool()?,
            })
        };
        let codes = json.as_array()?.iter().map(read).collect::<Option<_>>()?;
        Some(Self { codes })
    }
}

struct EnterpriseCode {
    account: String,
    code: String,
    is_default: bool,
}

fn boolean(action: &Action<'_>, name: &str) -> Result<Option<bool>, Refusal> {
    match action.get(name) {
        None | Some("") => Ok(None),
        Some(text) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
        Some(text) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
        Some(text) => Err(Refusal::invalid(
            name,
            &format!("expected true or false, got {text}"),
        )),
    }
}

fn create(state: &mut State, action: &Action<'_>) -> Output {
    action.need("RegionId")?;
    let code = action.need("EnterpriseCode")?;
    if code.chars().count() != 5 || !code.chars().all(|one| one.is_ascii_alphanumeric()) {
        return Err(Refusal::invalid(
            "EnterpriseCode",
            "expected five letters or digits",
        ));
    }
    if state.codes.iter().any(|one| one.code == code) {
        return Err(Refusal::new(
            400,
            "EnterpriseCode.BeenOccupied",
            "The specified enterprise code is occupied by other enterprises.",
        ));
    }
    state.codes.push(EnterpriseCode {
        account: action.account.to_owned(),
        code: code.to_owned(),
        is_default: false,
    });
    Ok(object(json!({})))
}

fn list(state: &mut State, action: &Action<'_>) -> Output {
    action.need("RegionId")?;
    let max = match action.get("MaxResults").filter(|text| !text.is_empty()) {
        None => 10,
        Some(text) => text
            .parse::<usize>()
            .ok()
            .filter(|max| (1..=100).contains(max))
            .ok_or_else(|| {
                Refusal::invalid("MaxResults", &format!("expected 1 to 100, got {text}"))
            })?,
    };
    let start = match action.get("NextToken").filter(|text| !text.is_empty()) {
        None => 0,
        Some(text) => text
            .strip_prefix("page-")
            .and_then(|start| start.parse::<usize>().ok())
            .ok_or_else(|| Refusal::invalid("NextToken", "expected the NextToken of an answer"))?,
    };
    let code = action.get("EnterpriseCode").filter(|code| !code.is_empty());
    let default_only = boolean(action, "IsDefault")? == Some(true);
    let found: Vec<&EnterpriseCode> = state
        .codes
        .iter()
        .filter(|one| one.account == action.account)
        .filter(|one| code.is_none_or(|code| one.code == code))
        .filter(|one| !default_only || one.is_default)
        .collect();
    let page: Vec<Value> = found
        .iter()
        .skip(start)
        .take(max)
        .map(|one| json!({ "EnterpriseCode": one.code, "IsDefault": one.is_default }))
        .collect();
    let end = start.saturating_add(page.len());
    let next = if end < found.len() {
        format!("page-{end}")
    } else {
        String::new()
    };
    Ok(object(json!({
        "TotalCount": found.len(),
        "MaxResults": max,
        "NextToken": next,
        "EnterpriseCodes": page,
    })))
}

fn find(state: &State, action: &Action<'_>) -> Result<usize, Refusal> {
    action.need("RegionId")?;
    let code = action.need("EnterpriseCode")?;
    state
        .codes
        .iter()
        .position(|one| one.account == action.account && one.code == code)
        .ok_or_else(|| {
            Refusal::new(
                400,
                "EnterpriseCode.NotExist",
                "The specified enterprise code does not exist.",
            )
        })
}

fn update(state: &mut State, action: &Action<'_>) -> Output {
    let at = find(state, action)?;
    let is_default = boolean(action, "IsDefault")?.ok_or_else(|| Refusal::missing("IsDefault"))?;
    if is_default {
        for other in &mut state.codes {
            // An account has one default code.
            if other.account == action.account {
                other.is_default = false;
            }
        }
    }
    state.codes[at].is_default = is_default;
    Ok(object(json!({})))
}

fn delete(state: &mut State, action: &Action<'_>) -> Output {
    let at = find(state, action)?;
    if state.codes[at].is_default {
        return Err(Refusal::new(
            400,
            "EnterpriseCode.DeleteLimit",
            "The default enterprise code can not be deleted.",
        ));
    }
    state.codes.remove(at);
    Ok(object(json!({})))
}
