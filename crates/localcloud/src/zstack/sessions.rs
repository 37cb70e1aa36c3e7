//! How does a session begin, go on and end? Login by account, an idle timeout that every call
//! pushes out, validation, renewal and logout.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::accounts;
use crate::clock;
use crate::encode;
use crate::random;

use super::failure::{ErrorCode, Output};
use super::operation::{Kind, Operation, Route, Written};

pub(super) const ROUTES: &[Route<Sessions>] = &[
    Route {
        api: Written {
            path: "/accounts/login",
            name: "LogInByAccount",
            kind: Kind::Sync,
            authenticated: false,
            key: Some("logInByAccount"),
            page_key: None,
        },
        handler: log_in,
    },
    Route {
        api: Written {
            path: "/accounts/sessions/{uuid}/valid",
            name: "ValidateSession",
            kind: Kind::Sync,
            authenticated: false,
            key: None,
            page_key: None,
        },
        handler: validate,
    },
    Route {
        api: Written {
            path: "/accounts/sessions/{uuid}/renew",
            name: "RenewSession",
            kind: Kind::Async,
            authenticated: true,
            key: Some("renewSession"),
            page_key: None,
        },
        handler: renew,
    },
    Route {
        api: Written {
            path: "/accounts/sessions/{uuid}",
            name: "LogOut",
            kind: Kind::Sync,
            authenticated: false,
            key: None,
            page_key: None,
        },
        handler: log_out,
    },
];

const IDLE_SECONDS: i64 = 7200;
const MAX_SESSIONS: usize = 500;

#[derive(Clone)]
struct Session {
    created: Timestamp,
    expires: Timestamp,
}

/// The living sessions by uuid.
#[derive(Default)]
pub(super) struct Sessions {
    sessions: HashMap<String, Session>,
}

impl Sessions {
    pub(super) fn clear(&mut self) {
        self.sessions.clear();
    }

    fn living(&mut self, uuid: &str, now: Timestamp) -> Option<&mut Session> {
        self.sessions
            .get_mut(uuid)
            .filter(|session| now < session.expires)
    }

    /// Admits a call and pushes the session's end out.
    pub(super) fn touch(&mut self, uuid: &str, now: Timestamp) -> Result<(), ErrorCode> {
        let session = self
            .living(uuid, now)
            .ok_or_else(ErrorCode::session_expired)?;
        session.expires = clock::shift(now, IDLE_SECONDS);
        Ok(())
    }
}

fn output(operation: &Operation<'_>, uuid: &str, session: &Session) -> Map<String, Value> {
    let inventory = json!({
        "uuid": uuid,
        "accountUuid": accounts::ZSTACK_ACCOUNT_UUID,
        "userUuid": accounts::ZSTACK_USER_UUID,
        "expiredDate": operation.date(session.expires),
        "createDate": operation.date(session.created),
    });
    Map::from_iter([("inventory".to_owned(), inventory)])
}

fn log_in(state: &mut Sessions, operation: &Operation<'_>) -> Output {
    let name = operation.need("accountName")?;
    let password = operation.need("password")?;
    let wrong = |details: &str| ErrorCode::new("ID.1000", "Authentication failed", details);
    if password == accounts::ZSTACK_PASSWORD {
        return Err(wrong(
            "wrong account or password (the password must be its SHA-512 in lower-case hex)",
        )
        .into());
    }
    let expected = encode::sha512_hex(accounts::ZSTACK_PASSWORD.as_bytes());
    if name != accounts::ZSTACK_ACCOUNT || password != expected {
        return Err(wrong("wrong account or password").into());
    }
    state
        .sessions
        .retain(|_, session| operation.now < session.expires);
    if state.sessions.len() >= MAX_SESSIONS {
        return Err(ErrorCode::new(
            "ID.1006",
            "Too many sessions",
            format!("login sessions hit limit of max allowed concurrent login sessions, max allowed: {MAX_SESSIONS}"),
        )
        .into());
    }
    let uuid = random::uuid_hex();
    let session = Session {
        created: operation.now,
        expires: clock::shift(operation.now, IDLE_SECONDS),
    };
    let output = output(operation, &uuid, &session);
    state.sessions.insert(uuid, session);
    Ok(output)
}

#[expect(clippy::unnecessary_wraps, reason = "the type of every handler")]
fn validate(state: &mut Sessions, operation: &Operation<'_>) -> Output {
    let valid = state
        .living(operation.path("uuid"), operation.now)
        .is_some();
    Ok(Map::from_iter([("valid".to_owned(), valid.into())]))
}

fn renew(state: &mut Sessions, operation: &Operation<'_>) -> Output {
    let duration = match operation.parameters.get("duration") {
        None | Some(Value::Null) => IDLE_SECONDS,
        Some(value) => value
            .as_i64()
            .filter(|seconds| (60..=31_536_000).contains(seconds))
            .ok_or_else(|| {
                ErrorCode::invalid("field[duration] must be in range of [60, 31536000]")
            })?,
    };
    let uuid = operation.path("uuid");
    let session = state
        .living(uuid, operation.now)
        .ok_or_else(ErrorCode::session_expired)?;
    session.expires = clock::shift(operation.now, duration);
    let session = session.clone();
    Ok(output(operation, uuid, &session))
}

#[expect(clippy::unnecessary_wraps, reason = "the type of every handler")]
fn log_out(state: &mut Sessions, operation: &Operation<'_>) -> Output {
    state.sessions.remove(operation.path("uuid"));
    Ok(Map::new())
}
