//! What does Keystone do with application credentials? A user makes them for the project of the
//! token; whoever has id and secret works there without the user's password.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::clock;
use crate::encode;
use crate::random;
use crate::route::{self, PathValues};
use crate::wire::{Call, Reply};

use super::directory::{listed, not_found};
use super::identity::{self, Project, User, text};
use super::keystone::{State, authenticate, bad_request, named_user, unauthorized};
use super::operation::Caller;
use super::refusal::Refusal;

const PLURAL: &str = "application_credentials";
const SINGULAR: &str = "application_credential";

/// One application credential.
pub(super) struct ApplicationCredential {
    id: String,
    name: String,
    description: Option<String>,
    pub(super) user: &'static User,
    pub(super) project: &'static Project,
    /// The secret is shown once; this is its SHA-256.
    digest: String,
    expires: Option<Timestamp>,
    /// Whether it may manage application credentials itself.
    pub(super) unrestricted: bool,
}

impl ApplicationCredential {
    pub(super) fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "user": self.user.id,
            "project": self.project.id,
            "digest": self.digest,
            "expires": self.expires.map(|time| time.to_string()),
            "unrestricted": self.unrestricted,
        })
    }

    pub(super) fn from_json(json: &Value) -> Option<Self> {
        let text = |name: &str| json[name].as_str().map(str::to_owned);
        Some(Self {
            id: text("id")?,
            name: text("name")?,
            description: text("description"),
            user: identity::user_by_id(json["user"].as_str()?)?,
            project: identity::project_by_id(json["project"].as_str()?)?,
            digest: text("digest")?,
            expires: match text("expires") {
                Some(time) => Some(time.parse().ok()?),
                None => None,
            },
            unrestricted: json["unrestricted"].as_bool()?,
        })
    }

    fn describe(&self) -> Value {
        let role = self.user.role();
        json!({
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "user_id": self.user.id,
            "project_id": self.project.id,
            "roles": [{ "id": role.id, "name": role.name, "domain_id": null }],
            "expires_at": self.expires.map(clock::iso_micros),
            "unrestricted": self.unrestricted,
            "system": null,
        })
    }
}

fn digest(secret: &str) -> String {
    encode::sha256_hex(secret.as_bytes())
}

/// The credential that a login names, by id or by the user's name for it.
pub(super) fn log_in<'a>(
    state: &'a State,
    given: &Value,
    now: Timestamp,
) -> Result<&'a ApplicationCredential, Refusal> {
    let secret = text(given, "secret")
        .ok_or_else(|| bad_request("application_credential.secret is required"))?;
    let mut all = state.application_credentials.iter();
    let found = match (text(given, "id"), text(given, "name")) {
        (Some(id), _) => all.find(|one| one.id == id),
        (None, Some(name)) => {
            let user = named_user(&given["user"])?;
            all.find(|one| one.name == name && user.is_some_and(|user| user.id == one.user.id))
        }
        (None, None) => {
            return Err(bad_request(
                "application_credential.id, or its name and its user, is required",
            ));
        }
    };
    let found = found.ok_or_else(|| unauthorized("no such application credential"))?;
    if found.digest != digest(secret) {
        return Err(unauthorized(
            "the secret of the application credential is another",
        ));
    }
    if found.expires.is_some_and(|expires| expires <= now) {
        return Err(unauthorized("the application credential has expired"));
    }
    Ok(found)
}

/// The caller, who may only look at what is the own.
fn owner(state: &mut State, call: &Call<'_>, path: &PathValues) -> Result<Caller, Refusal> {
    let caller = authenticate(state, call)?;
    Refusal::planned(call)?;
    let user = route::value(path, "user_id");
    if caller.user.id != user {
        return Err(forbidden().verdict(format!(
            "the application credentials of {user} are not {}'s",
            caller.user.name
        )));
    }
    Ok(caller)
}

/// Whether the token comes from an application credential that may not make others.
fn is_restricted(state: &State, call: &Call<'_>) -> bool {
    let token = call.request.header("x-auth-token");
    token.is_some_and(|token| {
        let found = state.tokens.find(token, call.now);
        found.is_ok_and(|token| token.grant.restricted)
    })
}

/// A time as clients write it: in UTC, with or without saying so.
fn moment(text: &str) -> Option<Timestamp> {
    let wall = text.trim_end_matches('Z').parse().ok()?;
    clock::instant(wall, 0)
}

fn forbidden() -> Refusal {
    Refusal::identity(
        403,
        "You are not authorized to perform the requested action.",
    )
}

pub(super) fn create(
    state: &mut State,
    call: &Call<'_>,
    path: &PathValues,
) -> Result<Reply, Refusal> {
    let caller = owner(state, call, path)?;
    let body = call.request.json();
    let given = body.as_ref().map_or(&Value::Null, |body| &body[SINGULAR]);
    let name = text(given, "name").ok_or_else(|| bad_request("name is required"))?;
    let project = caller.project.as_deref().and_then(identity::project_by_id);
    let project = project.ok_or_else(|| bad_request("the token has no project"))?;
    // A credential that makes others would outlive its own removal.
    if is_restricted(state, call) {
        return Err(forbidden().verdict("the token is that of a restricted application credential"));
    }
    let expires = match &given["expires_at"] {
        Value::Null => None,
        value => {
            let time = value.as_str().and_then(moment);
            let time = time.filter(|time| *time > call.now);
            Some(time.ok_or_else(|| bad_request("expires_at: expected a time to come"))?)
        }
    };
    let mut own = state.application_credentials.iter();
    if own.any(|one| one.user.id == caller.user.id && one.name == name) {
        return Err(Refusal::identity(
            409,
            format!(
                "Conflict occurred attempting to store application_credential - Duplicate entry found with name {name}."
            ),
        ));
    }
    let secret = text(given, "secret").map_or_else(|| random::word(86), str::to_owned);
    let made = ApplicationCredential {
        id: random::uuid_hex(),
        name: name.to_owned(),
        description: text(given, "description").map(str::to_owned),
        user: caller.user,
        project,
        digest: digest(&secret),
        expires,
        unrestricted: given["unrestricted"] == true,
    };
    let mut shown = made.describe();
    shown["secret"] = secret.into();
    state.application_credentials.push(made);
    Ok(Reply::json(201, &json!({ (SINGULAR): shown })))
}

pub(super) fn list(
    state: &mut State,
    call: &Call<'_>,
    path: &PathValues,
) -> Result<Reply, Refusal> {
    let caller = owner(state, call, path)?;
    let own = state.application_credentials.iter();
    let own = own.filter(|one| one.user.id == caller.user.id);
    let things = own.map(ApplicationCredential::describe).collect();
    Ok(listed(PLURAL, things, call))
}

/// Where the credential in the path stands.
fn find(state: &mut State, call: &Call<'_>, path: &PathValues) -> Result<usize, Refusal> {
    let caller = owner(state, call, path)?;
    let id = route::value(path, "id");
    let mut all = state.application_credentials.iter();
    all.position(|one| one.id == id && one.user.id == caller.user.id)
        .ok_or_else(|| not_found("application credential", id))
}

pub(super) fn show(
    state: &mut State,
    call: &Call<'_>,
    path: &PathValues,
) -> Result<Reply, Refusal> {
    let at = find(state, call, path)?;
    let shown = state.application_credentials[at].describe();
    Ok(Reply::json(200, &json!({ (SINGULAR): shown })))
}

pub(super) fn delete(
    state: &mut State,
    call: &Call<'_>,
    path: &PathValues,
) -> Result<Reply, Refusal> {
    let at = find(state, call, path)?;
    state.application_credentials.remove(at);
    Ok(Reply::new(204))
}
