//! Logs in to Keystone v3, and reads what a token says about itself.
//!
//! The token itself comes in the header `X-Subject-Token`; the body tells who it is for, how long it
//! lives, and in its catalog where the services are. Source: OpenStack Identity API v3; Open Telekom
//! Cloud, "Obtaining a user token".

use http::Method;
use serde_json::json;
use url::Url;

use crate::record::{Json, Secret, Timestamp};
use crate::transport::{HttpRequest, HttpResponse};

use crate::wipe::Wiped;

use crate::credentials::fetch::{Route, code, member};
use crate::credentials::{
    CatalogEndpoint, Context, Credential, CredentialError, Identity, Scope, misconfigured,
};

/// A domain, project or user, by its id or by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Named {
    Id(String),
    Name(String),
}

impl Named {
    pub(super) fn json(&self) -> Json {
        match self {
            Self::Id(id) => json!({ "id": id }),
            Self::Name(name) => json!({ "name": name }),
        }
    }

    /// The id if it is there, else the name.
    pub(super) fn of(id: Option<&str>, name: Option<&str>) -> Option<Self> {
        let id = id.map(|id| Self::Id(id.to_owned()));
        id.or_else(|| name.map(|name| Self::Name(name.to_owned())))
    }
}

/// What a token is to be for.
#[derive(Debug, Clone, Default)]
pub(super) struct Target {
    pub(super) project: Option<Named>,
    /// The project's domain; only a project's name needs one.
    pub(super) project_domain: Option<Named>,
    /// Counts where there is no project.
    pub(super) domain: Option<Named>,
}

impl Target {
    /// The `scope` of a login. A project's name without a domain is looked for in `user_domain`.
    pub(super) fn json(&self, user_domain: Option<&Named>) -> Option<Json> {
        match (&self.project, &self.domain) {
            (Some(project), _) => {
                let mut object = project.json();
                let domain = self.project_domain.as_ref().or(user_domain);
                if let (Named::Name(_), Some(domain)) = (project, domain) {
                    object["domain"] = domain.json();
                }
                Some(json!({ "project": object }))
            }
            (None, Some(domain)) => Some(json!({ "domain": domain.json() })),
            (None, None) => None,
        }
    }
}

/// A user as Keystone wants it: an id alone, or a name with its domain.
pub(super) fn user(
    provider: &'static str,
    user: &Named,
    domain: Option<&Named>,
) -> Result<Json, CredentialError> {
    let mut json = user.json();
    if let Named::Name(_) = user {
        let domain = domain.ok_or_else(|| {
            misconfigured(provider, "a user's name alone does not tell the user").with_hint(
                "Set the user's domain (OS_USER_DOMAIN_NAME), or the user's id (OS_USER_ID)",
            )
        })?;
        json["domain"] = domain.json();
    }
    Ok(json)
}

/// A login body from its `identity` and `scope`.
pub(super) fn body(identity: &Json, scope: Option<Json>) -> Wiped {
    let mut auth = Wiped(json!({ "identity": identity }));
    if let Some(scope) = scope {
        auth["scope"] = scope;
    }
    Wiped(json!({ "auth": *auth }))
}

/// Sends a login, with the headers that `dress` adds, and reads the token.
pub(super) async fn log_in(
    context: &Context,
    route: &Route,
    url: &Url,
    body: &Json,
    source: String,
    dress: impl Fn(HttpRequest) -> HttpRequest + Send + Sync,
) -> Result<Credential, CredentialError> {
    let ask = || {
        Ok(dress(
            HttpRequest::new(Method::POST, url.clone()).json(body),
        ))
    };
    let reply = route.send(context, ask).await?;
    token(route, &reply, source)
}

/// The token that a login was answered with.
fn token(
    route: &Route,
    reply: &HttpResponse,
    source: String,
) -> Result<Credential, CredentialError> {
    if !matches!(reply.status, 200 | 201) {
        return Err(refused(route, reply));
    }
    let token = reply
        .header("x-subject-token")
        .filter(|token| !token.is_empty())
        .ok_or_else(|| route.incomplete("the header X-Subject-Token"))?
        .to_owned();
    let json = route.json(reply)?;
    let about = json.get("token").ok_or_else(|| route.incomplete("token"))?;
    let ends = member(about, "expires_at").ok_or_else(|| route.incomplete("expires_at"))?;
    let ends = Timestamp::from(ends);
    let ends = ends
        .system_time()
        .or_else(|| ends.civil()?.to_system_time(0))
        .ok_or_else(|| route.incomplete("a readable expires_at"))?;
    let mut credential = Credential::new(Identity::Token(Secret::from(token)), source);
    credential.expires_at = Some(ends);
    credential.scope = scope(about);
    Ok(credential)
}

fn scope(about: &Json) -> Scope {
    let text = |pointer: &str| {
        about
            .pointer(pointer)
            .and_then(Json::as_str)
            .map(str::to_owned)
    };
    Scope {
        project_id: text("/project/id"),
        // The user's domain is always told; the project's may be another one.
        account: text("/user/domain/id"),
        user: text("/user/name"),
        endpoints: endpoints(about.get("catalog")),
    }
}

/// The public endpoints of a catalog.
fn endpoints(catalog: Option<&Json>) -> Vec<CatalogEndpoint> {
    let services = catalog.and_then(Json::as_array).into_iter().flatten();
    services
        .filter_map(|service| {
            Some((
                member(service, "type")?,
                service.get("endpoints")?.as_array()?,
            ))
        })
        .flat_map(|(kind, endpoints)| {
            endpoints.iter().filter_map(move |endpoint| {
                let public = member(endpoint, "interface").is_none_or(|name| name == "public");
                let region = member(endpoint, "region_id").or_else(|| member(endpoint, "region"));
                public.then_some(CatalogEndpoint {
                    service: kind.to_owned(),
                    region: region.unwrap_or_default().to_owned(),
                    url: member(endpoint, "url")?.to_owned(),
                })
            })
        })
        .collect()
}

/// The error for a login that was refused, with what usually is wrong.
pub(super) fn refused(route: &Route, reply: &HttpResponse) -> CredentialError {
    let error = route.refused(reply);
    let wants_passcode = reply.header("openstack-auth-receipt").is_some();
    match reply.status {
        401 if wants_passcode => {
            error.with_hint("This user needs a passcode too: give one (OS_PASSCODE)")
        }
        401 => error.with_hint(
            "Check user, domain and password, and that the user has a role on the project; \
             Keystone does not say which of them is wrong",
        ),
        403 => error.with_hint("The user may not do this, or is locked"),
        // Keystone itself says by a code and in words what it does not find.
        404 if code(reply).is_none() => {
            error.with_hint("Check that the address is that of a Keystone v3, ending with /v3")
        }
        300..=399 => {
            error.with_hint("The address leads elsewhere: give the final one, ending with /v3")
        }
        _ => error,
    }
}
