//! How many things does a gateway hold? Counted from what was made on it.

use std::collections::HashSet;

use serde_json::json;

use crate::model::input::Input;
use crate::store::{Ask, Samples, Store};

use super::bound::{text, things};

/// The answer's members to an operation that counts; `None` where it is not one, and while samples
/// are served.
pub(super) fn counts(store: &Store, ask: &Ask<'_>) -> Option<Input> {
    let served = store.samples;
    if served == Samples::Always {
        return None;
    }
    let gateway = text(ask.input, "instance_id");
    // Apps are never samples.
    let samples = |things: &[(u64, &Input)]| served == Samples::UntilCreated && things.is_empty();
    let counts = match ask.operation.name.as_str() {
        "ListApiQuantitiesV2" => {
            let apis = things(store, "api", gateway);
            if samples(&apis) {
                return None;
            }
            let released = apis.iter().filter(|(_, api)| {
                let mut envs = text(api, "run_env_name").split('|');
                envs.any(|env| env == "RELEASE")
            });
            let released = released.count();
            [
                ("instance_num", apis.len()),
                ("nums_on_release", released),
                ("nums_off_release", apis.len() - released),
            ]
            .to_vec()
        }
        "ListApiGroupsQuantitiesV2" => {
            // Nothing here is sold on a marketplace.
            let groups = things(store, "api-group", gateway);
            if samples(&groups) {
                return None;
            }
            vec![("onsell_nums", 0), ("offsell_nums", groups.len())]
        }
        "ListAppQuantitiesV2" => {
            let apps = things(store, "app", gateway);
            let grants = things(store, "app-auth", gateway);
            let grants = grants.into_iter().map(|(_, grant)| text(grant, "app_id"));
            let granted: HashSet<&str> = grants.collect();
            let authorized = apps.iter();
            let authorized = authorized.filter(|(_, app)| granted.contains(text(app, "id")));
            let authorized = authorized.count();
            vec![
                ("authed_nums", authorized),
                ("unauthed_nums", apps.len() - authorized),
            ]
        }
        _ => return None,
    };
    let mut shown = ask.input.clone();
    shown.extend(
        counts
            .into_iter()
            .map(|(name, count)| (name.to_owned(), json!(count))),
    );
    Some(shown)
}
