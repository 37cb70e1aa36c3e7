//! How often may an API be called? As the throttling policies say that are bound to its publication: so
//! many calls in a window, for the API, each app and each user.

use jiff::Timestamp;

use crate::model::input::Input;
use crate::platform::lock;

use super::super::refusal::Refusal;
use super::access::Who;
use super::find::Found;
use super::{Published, text, things};

impl Published {
    /// Counts a call; an error when it is one too many.
    pub(super) fn count(
        &mut self,
        found: &Found,
        who: &Who,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let one = &found.publication;
        for policy in self.policies(&one.id) {
            let shared = policy.get("type").and_then(serde_json::Value::as_i64) == Some(2);
            let of_api = if shared { "" } else { &one.id };
            let scopes = [
                ("api_call_limits", "api", Some("")),
                (
                    "app_call_limits",
                    "app",
                    match who {
                        Who::App(id) => Some(id.as_str()),
                        _ => None,
                    },
                ),
                (
                    "user_call_limits",
                    "user",
                    (*who == Who::User).then_some("user"),
                ),
            ];
            for (member, scope, whose) in scopes {
                let limit = policy.get(member).and_then(serde_json::Value::as_i64);
                let (Some(limit), Some(whose)) = (limit.filter(|limit| *limit > 0), whose) else {
                    continue;
                };
                let (length, words) = window(&policy);
                let key = format!("{}/{scope}/{of_api}/{whose}", text(&policy, "id"));
                let at = now.as_second().div_euclid(length);
                let calls = self.calls.entry(key).or_insert((at, 0));
                if calls.0 != at {
                    *calls = (at, 0);
                }
                if calls.1 >= limit {
                    let message = format!(
                        "The throttling threshold has been reached: policy {scope} over ratelimit,limit:{limit},time:{words}"
                    );
                    return Err(Refusal::gateway(429, "APIG.0308", message));
                }
                calls.1 += 1;
            }
        }
        Ok(())
    }

    fn policies(&self, publication: &str) -> Vec<Input> {
        let store = &mut lock(&self.store);
        let bound = things(store, "throttle-binding", |binding| {
            text(binding, "publish_id") == publication
        });
        things(store, "throttle", |policy| {
            let id = text(policy, "id");
            bound.iter().any(|binding| {
                text(binding, "strategy_id") == id || text(binding, "throttle_id") == id
            })
        })
    }
}

/// The length of a policy's window in seconds, and in the gateway's words.
fn window(policy: &Input) -> (i64, String) {
    let count = policy
        .get("time_interval")
        .and_then(serde_json::Value::as_i64);
    let count = count.unwrap_or(1).max(1);
    let unit = text(policy, "time_unit").to_ascii_lowercase();
    let seconds = match unit.as_str() {
        "minute" => 60,
        "hour" => 3600,
        "day" => 86_400,
        _ => 1,
    };
    (count.saturating_mul(seconds), format!("{count} {unit}"))
}
