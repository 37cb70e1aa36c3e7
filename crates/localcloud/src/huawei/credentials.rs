//! How does a caller get temporary access keys? From a token, or from an agency.

use serde_json::json;

use crate::clock;
use crate::wire::{Call, Reply};

use super::keystone::{State, agent, token_user};
use super::refusal::Refusal;

const DURATIONS: std::ops::RangeInclusive<i64> = 900..=86_400;

/// `POST /v3.0/OS-CREDENTIAL/securitytokens`
pub(super) fn create(state: &mut State, call: &Call<'_>) -> Result<Reply, Refusal> {
    let bad = |why: &str| Refusal::identity(400, format!("Invalid input: {why}")).verdict(why);
    let body = call.request.json().ok_or_else(|| bad("expected JSON"))?;
    let identity = &body["auth"]["identity"];
    let method = identity["methods"][0].as_str().unwrap_or_default();
    let given = &identity[method];
    match method {
        "token" => {
            token_user(state, call, given)?;
        }
        "assume_role" => {
            agent(state, call, given)?;
        }
        _ => {
            return Err(bad(
                "auth.identity.methods: expected [\"token\"] or [\"assume_role\"]",
            ));
        }
    }
    let seconds = match &given["duration_seconds"] {
        value if value.is_null() => 900,
        value => value
            .as_i64()
            .or_else(|| value.as_str()?.parse().ok())
            .filter(|seconds| DURATIONS.contains(seconds))
            .ok_or_else(|| bad("duration_seconds: expected 900 to 86400"))?,
    };
    Refusal::planned(call)?;
    let expires = clock::shift(call.now, seconds);
    let key = state.keys.issue(expires);
    Ok(Reply::json(
        201,
        &json!({
            "credential": {
                "access": key.id,
                "secret": key.secret,
                "securitytoken": key.token,
                "expires_at": clock::iso_micros(expires),
            }
        }),
    ))
}
