//! What does ZStack do with access keys? Create, query, enable and disable, delete. Replies carry
//! the secret, as the real ones do.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::accounts;
use crate::random;

use super::failure::{ErrorCode, Output};
use super::operation::{Kind, Operation, Route, Written};
use super::query::{self, Fields, Joins};

pub(super) const ROUTES: &[Route<AccessKeys>] = &[
    Route {
        api: Written {
            path: "/accesskeys",
            name: "CreateAccessKey",
            kind: Kind::Async,
            authenticated: true,
            key: Some("params"),
            page_key: None,
        },
        handler: create,
    },
    Route {
        api: Written {
            path: "/accesskeys",
            name: "QueryAccessKey",
            kind: Kind::Sync,
            authenticated: true,
            key: None,
            page_key: None,
        },
        handler: find,
    },
    Route {
        api: Written {
            path: "/accesskeys/{uuid}",
            name: "QueryAccessKey",
            kind: Kind::Sync,
            authenticated: true,
            key: None,
            page_key: None,
        },
        handler: find,
    },
    Route {
        api: Written {
            path: "/accesskeys/{uuid}/actions",
            name: "ChangeAccessKeyState",
            kind: Kind::Async,
            authenticated: true,
            key: Some("changeAccessKeyState"),
            page_key: Some("changeaccesskeystate"),
        },
        handler: change_state,
    },
    Route {
        api: Written {
            path: "/accesskeys/{uuid}",
            name: "DeleteAccessKey",
            kind: Kind::Async,
            authenticated: true,
            key: None,
            page_key: None,
        },
        handler: delete,
    },
];

struct AccessKey {
    uuid: String,
    description: Option<String>,
    account: String,
    user: String,
    id: String,
    secret: String,
    enabled: bool,
    created: Timestamp,
    changed: Timestamp,
}

/// All access keys, oldest first.
pub(super) struct AccessKeys {
    keys: Vec<AccessKey>,
}

impl AccessKeys {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            keys: vec![AccessKey {
                uuid: accounts::ZSTACK_KEY_UUID.to_owned(),
                description: None,
                account: accounts::ZSTACK_ACCOUNT_UUID.to_owned(),
                user: accounts::ZSTACK_USER_UUID.to_owned(),
                id: accounts::ZSTACK_KEY_ID.to_owned(),
                secret: accounts::ZSTACK_KEY_SECRET.to_owned(),
                enabled: true,
                created: now,
                changed: now,
            }],
        }
    }

    /// The secret of a key that may be used.
    pub(super) fn enabled_secret(&self, id: &str) -> Option<&str> {
        self.keys
            .iter()
            .find(|key| key.enabled && key.id == id)
            .map(|key| key.secret.as_str())
    }
}

impl AccessKeys {
    pub(super) fn to_json(&self) -> Value {
        self.keys
            .iter()
            .map(|key| {
                json!({
                    "uuid": key.uuid,
                    "description": key.description,
                    "account": key.account,
                    "user": key.user,
                    "id": key.id,
                    "secret": key.secret,
                    "enabled": key.enabled,
                    "created": key.created.to_string(),
                    "changed": key.changed.to_string(),
                })
            })
            .collect()
    }

    pub(super) fn from_json(json: &Value) -> Option<Self> {
        let read = |json: &Value| {
            let text = |name: &str| json[name].as_str().map(str::to_owned);
            Some(AccessKey {
                uuid: text("uuid")?,
                description: text("description"),
                account: text("account")?,
                user: text("user")?,
                id: text("id")?,
                secret: text("secret")?,
                enabled: json["enabled"].as_bool()?,
                created: text("created")?.parse().ok()?,
                changed: text("changed")?.parse().ok()?,
            })
        };
        let keys = json.as_array()?.iter().map(read).collect::<Option<_>>()?;
        Some(Self { keys })
    }
}

impl AccessKey {
    /// The inventory; absent members are left out, as the server's Gson does.
    fn inventory(&self, operation: &Operation<'_>) -> Value {
        let (name, ordinal) = if self.enabled {
            ("Enabled", 0)
        } else {
            ("Disabled", 1)
        };
        let mut out = json!({
            "uuid": self.uuid,
            "accountUuid": self.account,
            "userUuid": self.user,
            "AccessKeyID": self.id,
            "AccessKeySecret": self.secret,
            "state": name,
            "createDate": operation.date(self.created),
            "lastOpDate": operation.date(self.changed),
        });
        if let Some(description) = &self.description {
            out["description"] = json!(description);
        }
        if operation.state_as_object {
            out["state"] = json!({ "name": name, "ordinal": ordinal });
        }
        out
    }

    fn output(&self, operation: &Operation<'_>) -> Map<String, Value> {
        Map::from_iter([("inventory".to_owned(), self.inventory(operation))])
    }
}

/// A version 1 to 5 uuid without dashes.
pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 32
        && text
            .bytes()
            .all(|one| matches!(one, b'0'..=b'9' | b'a'..=b'f'))
        && matches!(text.as_bytes()[12], b'1'..=b'5')
        && matches!(text.as_bytes()[16], b'8' | b'9' | b'a' | b'b')
}

fn chosen(operation: &Operation<'_>, name: &str, max: usize) -> Result<Option<String>, ErrorCode> {
    match operation.optional(name)? {
        Some(text) if !(10..=max).contains(&text.chars().count()) || text.contains(':') => {
            Err(ErrorCode::invalid(format!(
                "field[{name}] must have 10 to {max} characters and no colon"
            )))
        }
        other => Ok(other.map(str::to_owned)),
    }
}

fn create(state: &mut AccessKeys, operation: &Operation<'_>) -> Output {
    let account = operation.need("accountUuid")?;
    let user = operation.need("userUuid")?;
    for (name, given, known) in [
        ("accountUuid", account, &[accounts::ZSTACK_ACCOUNT_UUID][..]),
        (
            "userUuid",
            user,
            &[accounts::ZSTACK_USER_UUID, accounts::ZSTACK_ACCOUNT_UUID][..],
        ),
    ] {
        if !known.contains(&given) {
            return Err(not_found(&format!("the {name} {given}")).into());
        }
    }
    let uuid = match operation.optional("resourceUuid")? {
        None => random::uuid_hex(),
        Some(uuid) if !is_uuid(uuid) => {
            return Err(ErrorCode::invalid("field[resourceUuid] is not a valid uuid").into());
        }
        Some(uuid) if state.keys.iter().any(|key| key.uuid == uuid) => {
            return Err(ErrorCode::new(
                "SYS.1000",
                "An internal error happened in system",
                format!("Duplicate entry '{uuid}' for key 'PRIMARY'"),
            )
            .into());
        }
        Some(uuid) => uuid.to_owned(),
    };
    let id = chosen(operation, "AccessKeyID", 20)?.unwrap_or_else(|| random::word(20));
    let secret = chosen(operation, "AccessKeySecret", 40)?.unwrap_or_else(|| random::word(40));
    if state.keys.iter().any(|key| key.id == id) {
        return Err(ErrorCode::new(
            "SYS.1002",
            "Failed to create a resource",
            "failed to create the access key",
        )
        .caused_by(ErrorCode::invalid(format!("access key id {id} exists")))
        .into());
    }
    let key = AccessKey {
        uuid,
        description: operation.optional("description")?.map(str::to_owned),
        account: account.to_owned(),
        user: user.to_owned(),
        id,
        secret,
        enabled: true,
        created: operation.now,
        changed: operation.now,
    };
    let output = key.output(operation);
    state.keys.push(key);
    Ok(output)
}

fn not_found(what: &str) -> ErrorCode {
    ErrorCode::new(
        "SYS.1003",
        "Unable to find the requested resource",
        format!("{what} is not found"),
    )
}

fn change_state(state: &mut AccessKeys, operation: &Operation<'_>) -> Output {
    let enabled = match operation.need("stateEvent")? {
        "enable" => true,
        "disable" => false,
        other => {
            return Err(ErrorCode::invalid(format!(
                "valid value for field[stateEvent] are [enable, disable], but {other} found"
            ))
            .into());
        }
    };
    let uuid = operation.path("uuid");
    let key = state
        .keys
        .iter_mut()
        .find(|key| key.uuid == uuid)
        .ok_or_else(|| not_found(&format!("AccessKeyVO, uuid:{uuid}")))?;
    key.enabled = enabled;
    key.changed = operation.now;
    Ok(key.output(operation))
}

/// Deleting what is gone succeeds, as long as the uuid could be one.
fn delete(state: &mut AccessKeys, operation: &Operation<'_>) -> Output {
    let uuid = operation.path("uuid");
    if !is_uuid(uuid) && !state.keys.iter().any(|key| key.uuid == uuid) {
        return Err(not_found(&format!("AccessKeyVO, uuid:{uuid}")).into());
    }
    state.keys.retain(|key| key.uuid != uuid);
    Ok(Map::new())
}

fn find(state: &mut AccessKeys, operation: &Operation<'_>) -> Output {
    let all = state.keys.iter().map(|key| key.inventory(operation));
    query::run(
        operation,
        (all.len(), all),
        (
            Fields::Only(&[
                "uuid",
                "description",
                "accountUuid",
                "userUuid",
                "AccessKeyID",
                "AccessKeySecret",
                "state",
                "createDate",
                "lastOpDate",
            ]),
            &Joins::default(),
        ),
        "org.zstack.accessKey.AccessKeyInventory",
    )
}
