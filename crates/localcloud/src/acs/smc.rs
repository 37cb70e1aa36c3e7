//! What does Server Migration Center do with activation codes (access tokens)? Create, list,
//! disable, delete; the code itself is told once.

use serde_json::{Value, json};

use jiff::Timestamp;

use crate::clock;
use crate::random;

use super::action::{Action, Handler, Output, Refusal, object};

pub(super) const ACTIONS: &[(&str, Handler<State>)] = &[
    ("CreateAccessToken", create),
    ("ListAccessTokens", list),
    ("DisableAccessToken", disable),
    ("DeleteAccessToken", delete),
];

/// The activation codes of all accounts, oldest first.
#[derive(Default)]
pub(super) struct State {
    tokens: Vec<AccessToken>,
}

impl State {
    pub(super) fn to_json(&self) -> Value {
        self.tokens
            .iter()
            .map(|token| {
                json!({
                    "account": token.account,
                    "id": token.id,
                    "name": token.name,
                    "description": token.description,
                    "count": token.count,
                    "days": token.days,
                    "created": token.created.to_string(),
                    "disabled": token.disabled,
                })
            })
            .collect()
    }

    pub(super) fn from_json(json: &Value) -> Option<Self> {
        let read = |json: &Value| {
            let text = |name: &str| json[name].as_str().map(str::to_owned);
            Some(AccessToken {
                account: text("account")?,
                id: text("id")?,
                name: text("name")?,
                description: text("description")?,
                count: json["count"].as_u64()?.try_into().ok()?,
                days: json["days"].as_u64()?.try_into().ok()?,
                created: text("created")?.parse().ok()?,
                disabled: json["disabled"].as_bool()?,
            })
        };
        let tokens = json.as_array()?.iter().map(read).collect::<Option<_>>()?;
        Some(Self { tokens })
    }
}

struct AccessToken {
    account: String,
    id: String,
    name: String,
    description: String,
    count: u32,
    days: u32,
    created: Timestamp,
    disabled: bool,
}

impl AccessToken {
    fn status(&self, now: Timestamp) -> &'static str {
        let end = clock::shift(self.created, i64::from(self.days) * 86_400);
        if self.disabled {
            "unactivated"
        } else if now >= end {
            "expired"
        } else {
            "activated"
        }
    }
}

/// Both numbers travel as text.
fn number(action: &Action<'_>, name: &str, default: u32, max: u32) -> Result<u32, Refusal> {
    let Some(text) = action.get(name).filter(|text| !text.is_empty()) else {
        return Ok(default);
    };
    text.parse()
        .ok()
        .filter(|number| (1..=max).contains(number))
        .ok_or_else(|| Refusal::invalid(name, &format!("expected 1 to {max}, got {text}")))
}

fn check_name(name: &str) -> Result<(), Refusal> {
    let length = (2..=128).contains(&name.chars().count());
    let start = name.chars().next().is_some_and(char::is_alphabetic);
    let scheme = name.starts_with("http://") || name.starts_with("https://");
    let letters = name
        .chars()
        .all(|one| one.is_alphanumeric() || matches!(one, ':' | '_' | '-'));
    if length && start && !scheme && letters {
        Ok(())
    } else {
        Err(Refusal::invalid(
            "Name",
            "expected 2 to 128 letters, digits, colons, underscores and hyphens, a letter first, and no URL",
        ))
    }
}

fn create(state: &mut State, action: &Action<'_>) -> Output {
    let name = action.get("Name").unwrap_or_default();
    if !name.is_empty() {
        check_name(name)?;
    }
    let token = AccessToken {
        account: action.account.to_owned(),
        id: format!("at-bp1{}", random::word(17)),
        name: name.to_owned(),
        description: action.get("Description").unwrap_or_default().to_owned(),
        count: number(action, "Count", 100, 1000)?,
        days: number(action, "TimeToLiveInDays", 30, 90)?,
        created: action.call.now,
        disabled: false,
    };
    let output = json!({
        "AccessTokenId": token.id,
        "AccessTokenCode": random::word(32),
    });
    state.tokens.push(token);
    Ok(object(output))
}

#[expect(clippy::unnecessary_wraps, reason = "the type of every handler")]
fn list(state: &mut State, action: &Action<'_>) -> Output {
    let ids = action.list("AccessTokenId");
    let filter = |name: &str| action.get(name).filter(|value| !value.is_empty());
    let (name, status) = (filter("Name"), filter("Status"));
    let now = action.call.now;
    let found: Vec<Value> = state
        .tokens
        .iter()
        .filter(|token| token.account == action.account)
        .filter(|token| ids.is_empty() || ids.contains(&token.id.as_str()))
        .filter(|token| name.is_none_or(|name| token.name == name))
        .filter(|token| status.is_none_or(|status| token.status(now) == status))
        .map(|token| {
            json!({
                "AccessTokenId": token.id,
                "Name": token.name,
                "Description": token.description,
                "Count": token.count.to_string(),
                "RegisteredCount": "0",
                "TimeToLiveInDays": token.days.to_string(),
                "CreationTime": clock::iso(token.created),
                "Status": token.status(now),
            })
        })
        .collect();
    Ok(object(json!({
        "TotalCount": found.len(),
        "PageNumber": 1,
        "PageSize": found.len(),
        "AccessTokens": { "AccessToken": found },
    })))
}

fn find<'a>(
    state: &'a mut State,
    action: &Action<'_>,
) -> Result<(usize, &'a mut AccessToken), Refusal> {
    let id = action.need("AccessTokenId")?;
    state
        .tokens
        .iter_mut()
        .enumerate()
        .find(|(_, token)| token.account == action.account && token.id == id)
        .ok_or_else(|| {
            Refusal::new(
                404,
                "InvalidAccessTokenId.NotFound",
                "The specified AccessTokenId does not exist.",
            )
        })
}

fn disable(state: &mut State, action: &Action<'_>) -> Output {
    find(state, action)?.1.disabled = true;
    Ok(object(json!({})))
}

fn delete(state: &mut State, action: &Action<'_>) -> Output {
    let (at, _) = find(state, action)?;
    state.tokens.remove(at);
    Ok(object(json!({})))
}
