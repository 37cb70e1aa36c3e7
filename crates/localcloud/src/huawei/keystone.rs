//! How does a caller get a token? Keystone v3 on its way in: password login with every scope,
//! token validation and revocation, the catalog and the list of projects.

use serde_json::{Value, json};

use crate::accounts;
use crate::encode;
use crate::route::{PathValues, match_path};
use crate::wire::{Call, Reply, Request};

use super::credentials;
use super::identity::{self, PROJECTS, Project, USERS, User};
use super::operation::Caller;
use super::refusal::Refusal;
use super::sdk_hmac::Keys;
use super::tokens::{Scope, Tokens};

/// Where the services are found, as Keystone tells it.
struct Directory {
    /// Address of the identity service's version.
    version: String,
    /// The services that a token's owner can reach. The gateway's address lacks the project id.
    catalog: Value,
}

impl Directory {
    fn new(iam: &str, apig: &str) -> Self {
        let entry = |kind: &str, name: &str, url: String| {
            let id = &encode::sha256_hex(kind.as_bytes())[..32];
            json!({
                "id": id,
                "type": kind,
                "name": name,
                "endpoints": [{
                    "id": &encode::sha256_hex(url.as_bytes())[..32],
                    "interface": "public",
                    "region": accounts::KEYSTONE_REGION,
                    "region_id": accounts::KEYSTONE_REGION,
                    "url": url,
                }],
            })
        };
        Self {
            version: format!("{iam}/v3/"),
            catalog: json!([
                entry("identity", "keystone", format!("{iam}/v3")),
                entry("apigv2", "apig", format!("{apig}/v2")),
            ]),
        }
    }
}

/// What the identity service remembers, of which the gateway asks too.
pub(super) struct State {
    directory: Directory,
    pub(super) keys: Keys,
    pub(super) tokens: Tokens,
}

impl State {
    pub(super) fn new(iam: &str, apig: &str) -> Self {
        Self {
            directory: Directory::new(iam, apig),
            keys: Keys::new(),
            tokens: Tokens::default(),
        }
    }
}

type Handler = fn(&mut State, &Call<'_>) -> Result<Reply, Refusal>;

const ROUTES: &[(&str, &str, &str, Handler)] = &[
    ("GET", "/v3", "ShowVersion", version),
    ("GET", "/v3/", "ShowVersion", version),
    ("POST", "/v3/auth/tokens", "CreateToken", create_token),
    ("GET", "/v3/auth/tokens", "ShowToken", show_token),
    ("DELETE", "/v3/auth/tokens", "RevokeToken", revoke_token),
    ("GET", "/v3/auth/catalog", "ShowCatalog", show_catalog),
    ("GET", "/v3/projects", "ListProjects", list_projects),
    (
        "POST",
        "/v3.0/OS-CREDENTIAL/securitytokens",
        "CreateTemporaryAccessKey",
        credentials::create,
    ),
];

pub(super) fn find(request: &Request) -> Option<(&'static str, Handler)> {
    let segments = request.segments("")?;
    ROUTES.iter().find_map(|(method, path, name, handler)| {
        let _: PathValues = match_path(path, &segments)?;
        (*method == request.method).then_some((*name, *handler))
    })
}

pub(super) fn answer(state: &mut State, call: &Call<'_>) -> Result<Reply, Refusal> {
    match find(call.request) {
        Some((_, handler)) => handler(state, call),
        None => Err(
            Refusal::identity(404, "The resource could not be found.").verdict(format!(
                "no operation {} {}",
                call.request.method,
                call.request.path()
            )),
        ),
    }
}

/// The refusal of anything that is not authenticated.
pub(super) fn unauthorized(why: impl Into<String>) -> Refusal {
    Refusal::identity(401, "The request you have made requires authentication.").verdict(why)
}

fn bad_request(why: &str) -> Refusal {
    Refusal::identity(400, format!("The request body is invalid: {why}")).verdict(why)
}

/// A caller with a token or a signature.
pub(super) fn authenticate(state: &mut State, call: &Call<'_>) -> Result<Caller, Refusal> {
    if call.request.header("authorization").is_some() {
        state.keys.admit(call.request, call.now, call.strict_time)?;
        return Ok(Caller {
            user: &USERS[0],
            project: None,
        });
    }
    let text = call.request.header("x-auth-token").ok_or_else(|| {
        unauthorized("expected X-Auth-Token or Authorization: SDK-HMAC-SHA256 ..")
    })?;
    let token = state.tokens.find(text, call.now).map_err(unauthorized)?;
    Ok(Caller {
        user: token.user,
        project: token.scope.project().map(|project| project.id.to_owned()),
    })
}

fn version(state: &mut State, call: &Call<'_>) -> Result<Reply, Refusal> {
    Refusal::planned(call)?;
    Ok(Reply::json(
        200,
        &json!({
            "version": {
                "id": "v3.6",
                "status": "stable",
                "updated": "2016-04-04T00:00:00Z",
                "links": [{ "rel": "self", "href": state.directory.version }],
                "media-types": [],
            }
        }),
    ))
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str().filter(|text| !text.is_empty())
}

fn is_our_domain(domain: &Value) -> bool {
    match (text(domain, "id"), text(domain, "name")) {
        (Some(id), _) => id == accounts::KEYSTONE_DOMAIN_ID,
        (None, Some(name)) => name == accounts::KEYSTONE_DOMAIN,
        (None, None) => false,
    }
}

fn create_token(state: &mut State, call: &Call<'_>) -> Result<Reply, Refusal> {
    let body = call
        .request
        .json()
        .ok_or_else(|| bad_request("expected JSON"))?;
    let auth = &body["auth"];
    let methods: Vec<String> = auth["identity"]["methods"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|method| method.as_str().map(str::to_owned))
        .collect();
    let user = match methods.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["password"] => password_user(&auth["identity"]["password"]["user"])?,
        ["token"] => token_user(state, call, &auth["identity"]["token"])?,
        _ => {
            return Err(bad_request(
                "auth.identity.methods: expected [\"password\"] or [\"token\"]",
            ));
        }
    };
    let scope = scope(&auth["scope"])?;
    Refusal::planned(call)?;
    let (text, token) = state.tokens.issue(user, scope, methods, call.now);
    let declined = call
        .request
        .query_pairs()
        .iter()
        .any(|(name, _)| name == "nocatalog");
    let body = token.describe((!declined).then_some(&state.directory.catalog));
    Ok(Reply::json(201, &body).header("X-Subject-Token", text))
}

fn password_user(given: &Value) -> Result<&'static User, Refusal> {
    let wrong =
        |why: &str| Refusal::identity(401, "The username or password is wrong.").verdict(why);
    let password =
        text(given, "password").ok_or_else(|| bad_request("user.password is required"))?;
    let user = match (text(given, "id"), text(given, "name")) {
        (Some(id), _) => USERS.iter().find(|user| user.id == id),
        (None, Some(_)) if given["domain"].is_null() => {
            return Err(bad_request("a user name needs its domain"));
        }
        (None, Some(name)) => USERS
            .iter()
            .find(|user| user.name == name && is_our_domain(&given["domain"])),
        (None, None) => return Err(bad_request("user.id or user.name is required")),
    };
    let user = user.ok_or_else(|| wrong("no such user"))?;
    if user.password == password {
        Ok(user)
    } else {
        Err(wrong("the password is another"))
    }
}

/// The user of the token in `given`, or in the header, which wins.
pub(super) fn token_user(
    state: &State,
    call: &Call<'_>,
    given: &Value,
) -> Result<&'static User, Refusal> {
    let token = call
        .request
        .header("x-auth-token")
        .or_else(|| text(given, "id"))
        .ok_or_else(|| unauthorized("expected X-Auth-Token or token.id"))?;
    Ok(state
        .tokens
        .find(token, call.now)
        .map_err(unauthorized)?
        .user)
}

fn scope(given: &Value) -> Result<Scope, Refusal> {
    let no_access = |what: &str| {
        Refusal::identity(401, "The request you have made requires authentication.")
            .verdict(format!("no {what} that this user may enter"))
    };
    let project = &given["project"];
    if !project.is_null() {
        let found: Option<&'static Project> = match (text(project, "id"), text(project, "name")) {
            (Some(id), _) => identity::project_by_id(id),
            (None, Some(name)) => identity::project_by_name(name)
                .filter(|_| project["domain"].is_null() || is_our_domain(&project["domain"])),
            (None, None) => return Err(bad_request("scope.project needs an id or a name")),
        };
        return found
            .map(Scope::Project)
            .ok_or_else(|| no_access("project"));
    }
    if given["domain"].is_null() {
        return Ok(Scope::Unscoped);
    }
    if is_our_domain(&given["domain"]) {
        Ok(Scope::Domain)
    } else {
        Err(no_access("domain"))
    }
}

/// The token that a validation or revocation is about.
fn subject<'a>(state: &State, call: &Call<'a>) -> Result<&'a str, Refusal> {
    let text = call
        .request
        .header("x-subject-token")
        .ok_or_else(|| bad_request("X-Subject-Token is required"))?;
    let missing =
        |why: &'static str| Refusal::identity(404, "The token could not be found.").verdict(why);
    state.tokens.find(text, call.now).map_err(missing)?;
    Ok(text)
}

fn show_token(state: &mut State, call: &Call<'_>) -> Result<Reply, Refusal> {
    authenticate(state, call)?;
    Refusal::planned(call)?;
    let text = subject(state, call)?;
    let token = state.tokens.find(text, call.now).map_err(unauthorized)?;
    Ok(
        Reply::json(200, &token.describe(Some(&state.directory.catalog)))
            .header("X-Subject-Token", text),
    )
}

fn revoke_token(state: &mut State, call: &Call<'_>) -> Result<Reply, Refusal> {
    authenticate(state, call)?;
    Refusal::planned(call)?;
    let text = subject(state, call)?;
    state.tokens.revoke(text);
    Ok(Reply::new(204))
}

fn show_catalog(state: &mut State, call: &Call<'_>) -> Result<Reply, Refusal> {
    authenticate(state, call)?;
    Refusal::planned(call)?;
    let body = json!({ "catalog": state.directory.catalog, "links": { "next": null, "previous": null, "self": null } });
    Ok(Reply::json(200, &body))
}

fn list_projects(state: &mut State, call: &Call<'_>) -> Result<Reply, Refusal> {
    authenticate(state, call)?;
    Refusal::planned(call)?;
    let name = call.request.query_value("name");
    let domain = call.request.query_value("domain_id");
    let projects: Vec<Value> = PROJECTS
        .iter()
        .filter(|project| name.as_deref().is_none_or(|name| project.name == name))
        .filter(|_| {
            domain
                .as_deref()
                .is_none_or(|id| id == accounts::KEYSTONE_DOMAIN_ID)
        })
        .map(|project| {
            json!({
                "id": project.id,
                "name": project.name,
                "domain_id": accounts::KEYSTONE_DOMAIN_ID,
                "parent_id": accounts::KEYSTONE_DOMAIN_ID,
                "is_domain": false,
                "enabled": true,
                "description": "",
            })
        })
        .collect();
    let body =
        json!({ "projects": projects, "links": { "next": null, "previous": null, "self": null } });
    Ok(Reply::json(200, &body))
}
