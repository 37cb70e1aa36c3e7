//! How does a caller get a token? Keystone v3 on its way in: logins of every kind and scope, token
//! validation and revocation.

use serde_json::{Value, json};

use crate::accounts;
use crate::route::{PathValues, match_path};
use crate::wire::{Call, Reply, Request};

use super::application_credentials::{self as application, ApplicationCredential};
use super::credentials;
use super::directory::{self, Directory};
use super::identity::{self, Project, USERS, User, is_our_domain, text};
use super::operation::Caller;
use super::refusal::Refusal;
use super::sdk_hmac::Keys;
use super::tokens::{Grant, Scope, Tokens};

/// What the identity service remembers, of which the gateway asks too.
pub(super) struct State {
    pub(super) directory: Directory,
    pub(super) keys: Keys,
    pub(super) tokens: Tokens,
    pub(super) application_credentials: Vec<ApplicationCredential>,
}

impl State {
    pub(super) fn new(iam: &str, apig: &str) -> Self {
        Self {
            directory: Directory::new(iam, apig),
            keys: Keys::new(),
            tokens: Tokens::default(),
            application_credentials: Vec::new(),
        }
    }
}

type Handler = fn(&mut State, &Call<'_>, &PathValues) -> Result<Reply, Refusal>;

/// `GET` of a collection, and of each thing in it.
macro_rules! lists {
    ($($path:literal $list:literal $show:literal $collection:ident)*) => {
        &[$(
            ("GET", $path, $list, |state, call, _| directory::$collection.list(state, call)),
            ("GET", concat!($path, "/{id}"), $show, |state, call, path| {
                directory::$collection.show(state, call, path)
            }),
        )*]
    };
}

const CREDENTIALS: &str = "/v3/users/{user_id}/application_credentials";
const CREDENTIAL: &str = "/v3/users/{user_id}/application_credentials/{id}";

#[rustfmt::skip]
const ROUTES: &[(&str, &str, &str, Handler)] = &[
    ("GET", "/", "ListVersions", versions),
    ("GET", "/v3", "ShowVersion", version),
    ("GET", "/v3/", "ShowVersion", version),
    ("POST", "/v3/auth/tokens", "CreateToken", create_token),
    ("GET", "/v3/auth/tokens", "ShowToken", show_token),
    ("HEAD", "/v3/auth/tokens", "CheckToken", show_token),
    ("DELETE", "/v3/auth/tokens", "RevokeToken", revoke_token),
    ("GET", "/v3/auth/catalog", "ShowCatalog", |state, call, _| directory::show_catalog(state, call)),
    ("GET", "/v3/auth/projects", "ListAuthProjects", |state, call, _| directory::PROJECT_LIST.list(state, call)),
    ("GET", "/v3/auth/domains", "ListAuthDomains", |state, call, _| directory::DOMAINS.list(state, call)),
    ("GET", "/v3/users/{user_id}/projects", "ListUserProjects", |state, call, _| directory::PROJECT_LIST.list(state, call)),
    ("GET", "/v3/role_assignments", "ListRoleAssignments", |state, call, _| directory::ASSIGNMENTS.list(state, call)),
    ("GET", CREDENTIALS, "ListApplicationCredentials", application::list),
    ("POST", CREDENTIALS, "CreateApplicationCredential", application::create),
    ("GET", CREDENTIAL, "ShowApplicationCredential", application::show),
    ("DELETE", CREDENTIAL, "DeleteApplicationCredential", application::delete),
    ("POST", "/v3.0/OS-CREDENTIAL/securitytokens", "CreateTemporaryAccessKey", |state, call, _| credentials::create(state, call)),
];

const COLLECTIONS: &[(&str, &str, &str, Handler)] = lists! {
    "/v3/projects" "ListProjects" "ShowProject" PROJECT_LIST
    "/v3/domains" "ListDomains" "ShowDomain" DOMAINS
    "/v3/regions" "ListRegions" "ShowRegion" REGIONS
    "/v3/services" "ListServices" "ShowService" SERVICES
    "/v3/endpoints" "ListEndpoints" "ShowEndpoint" ENDPOINTS
    "/v3/users" "ListUsers" "ShowUser" USER_LIST
    "/v3/groups" "ListGroups" "ShowGroup" GROUPS
    "/v3/roles" "ListRoles" "ShowRole" ROLE_LIST
};

pub(super) fn find(request: &Request) -> Option<(&'static str, Handler, PathValues)> {
    let segments = request.segments("")?;
    let mut all = ROUTES.iter().chain(COLLECTIONS);
    all.find_map(|(method, path, name, handler)| {
        let values = match_path(path, &segments)?;
        (*method == request.method).then_some((*name, *handler, values))
    })
}

pub(super) fn answer(state: &mut State, call: &Call<'_>) -> Result<Reply, Refusal> {
    match find(call.request) {
        Some((_, handler, path)) => handler(state, call, &path),
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

pub(super) fn bad_request(why: &str) -> Refusal {
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
        user: token.grant.user,
        project: token
            .grant
            .scope
            .project()
            .map(|project| project.id.to_owned()),
    })
}

impl State {
    fn about_version(&self) -> Value {
        json!({
            "id": "v3.6",
            "status": "stable",
            "updated": "2016-04-04T00:00:00Z",
            "links": [{ "rel": "self", "href": self.directory.version }],
            "media-types": [],
        })
    }
}

fn versions(state: &mut State, call: &Call<'_>, _: &PathValues) -> Result<Reply, Refusal> {
    Refusal::planned(call)?;
    let body = json!({ "versions": { "values": [state.about_version()] } });
    Ok(Reply::json(300, &body))
}

fn version(state: &mut State, call: &Call<'_>, _: &PathValues) -> Result<Reply, Refusal> {
    Refusal::planned(call)?;
    Ok(Reply::json(
        200,
        &json!({ "version": state.about_version() }),
    ))
}

fn create_token(state: &mut State, call: &Call<'_>, _: &PathValues) -> Result<Reply, Refusal> {
    let body = call
        .request
        .json()
        .ok_or_else(|| bad_request("expected JSON"))?;
    let auth = &body["auth"];
    let identity = &auth["identity"];
    let methods: Vec<String> = identity["methods"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|method| method.as_str().map(str::to_owned))
        .collect();
    let mut grant = match methods.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["password"] => of_user(password_user(&identity["password"]["user"])?),
        ["token"] => of_user(token_user(state, call, &identity["token"])?),
        ["assume_role"] => Grant {
            assumed_by: Some(agent(state, call, &identity["assume_role"])?),
            ..of_user(&identity::AGENCY)
        },
        ["application_credential"] => {
            let given = &identity["application_credential"];
            let found = application::log_in(state, given, call.now)?;
            Grant {
                scope: Scope::Project(found.project),
                restricted: !found.unrestricted,
                ..of_user(found.user)
            }
        }
        _ => {
            return Err(bad_request(
                "auth.identity.methods: expected one of password, token, assume_role and \
                 application_credential",
            ));
        }
    };
    // An application credential is for its project alone.
    match grant.scope {
        Scope::Unscoped => grant.scope = scope(&auth["scope"])?,
        _ if auth["scope"].is_null() => {}
        _ => return Err(unauthorized("application credentials take no scope")),
    }
    Refusal::planned(call)?;
    let (text, token) = state.tokens.issue(grant, methods, call.now);
    let declined = call
        .request
        .query_pairs()
        .iter()
        .any(|(name, _)| name == "nocatalog");
    let catalog = state.directory.catalog(grant.scope.project());
    let body = token.describe((!declined).then_some(catalog));
    Ok(Reply::json(201, &body).header("X-Subject-Token", text))
}

fn of_user(user: &'static User) -> Grant {
    Grant {
        user,
        scope: Scope::Unscoped,
        restricted: false,
        assumed_by: None,
    }
}

/// Who acts through the agency that `given` names.
pub(super) fn agent(
    state: &mut State,
    call: &Call<'_>,
    given: &Value,
) -> Result<&'static User, Refusal> {
    let caller = authenticate(state, call)?;
    let agency = text(given, "xrole_name").or_else(|| text(given, "agency_name"));
    let domain = json!({ "id": given["domain_id"], "name": given["domain_name"] });
    if agency == Some(accounts::KEYSTONE_AGENCY) && is_our_domain(&domain) {
        return Ok(caller.user);
    }
    Err(
        Refusal::identity(404, "Could not find the agency.").verdict(format!(
            "expected xrole_name {} and domain_name {}",
            accounts::KEYSTONE_AGENCY,
            accounts::KEYSTONE_DOMAIN
        )),
    )
}

/// The user that a login names, if there is one.
pub(super) fn named_user(given: &Value) -> Result<Option<&'static User>, Refusal> {
    match (text(given, "id"), text(given, "name")) {
        (Some(id), _) => Ok(identity::user_by_id(id)),
        (None, Some(_)) if given["domain"].is_null() => {
            Err(bad_request("a user name needs its domain"))
        }
        (None, Some(name)) => Ok(USERS
            .iter()
            .find(|user| user.name == name && is_our_domain(&given["domain"]))),
        (None, None) => Err(bad_request("user.id or user.name is required")),
    }
}

fn password_user(given: &Value) -> Result<&'static User, Refusal> {
    let wrong =
        |why: &str| Refusal::identity(401, "The username or password is wrong.").verdict(why);
    let password =
        text(given, "password").ok_or_else(|| bad_request("user.password is required"))?;
    let user = named_user(given)?.ok_or_else(|| wrong("no such user"))?;
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
        .grant
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
            (None, Some(name)) => {
                identity::project_by_name(name).filter(|_| is_project_domain(&project["domain"]))
            }
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

/// Whether the domain of a project's name may be ours: OpenStack's command says `default` where it
/// was told of none.
fn is_project_domain(domain: &Value) -> bool {
    domain.is_null() || domain["id"] == "default" || is_our_domain(domain)
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

fn show_token(state: &mut State, call: &Call<'_>, _: &PathValues) -> Result<Reply, Refusal> {
    authenticate(state, call)?;
    Refusal::planned(call)?;
    let text = subject(state, call)?;
    let token = state.tokens.find(text, call.now).map_err(unauthorized)?;
    let catalog = state.directory.catalog(token.grant.scope.project());
    Ok(Reply::json(200, &token.describe(Some(catalog))).header("X-Subject-Token", text))
}

fn revoke_token(state: &mut State, call: &Call<'_>, _: &PathValues) -> Result<Reply, Refusal> {
    authenticate(state, call)?;
    Refusal::planned(call)?;
    let text = subject(state, call)?;
    state.tokens.revoke(text);
    Ok(Reply::new(204))
}
