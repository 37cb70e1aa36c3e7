//! What does Keystone tell about the account? Its projects, users, roles and regions, and where
//! the services are: lists that can be filtered, whose things can be read one by one.

use serde_json::{Value, json};

use crate::accounts;
use crate::encode;
use crate::route::{self, PathValues};
use crate::wire::{Call, Reply};

use super::identity::{self, PROJECTS, Project, ROLES, USERS};
use super::keystone::{State, authenticate};
use super::refusal::Refusal;

/// Stands for the id of the project that the caller works in.
const PROJECT: &str = "$(project_id)s";

/// A service and its public address.
struct Service {
    kind: &'static str,
    name: &'static str,
    url: String,
}

impl Service {
    fn id(&self) -> String {
        encode::sha256_hex(self.kind.as_bytes())[..32].to_owned()
    }

    /// `None` where the address needs a project and there is none.
    fn endpoint(&self, project: Option<&str>) -> Option<Value> {
        let url = match project {
            Some(project) => self.url.replace(PROJECT, project),
            None if self.url.contains(PROJECT) => return None,
            None => self.url.clone(),
        };
        Some(json!({
            "id": encode::sha256_hex(format!("{} {}", self.kind, self.url).as_bytes())[..32],
            "interface": "public",
            "region": accounts::KEYSTONE_REGION,
            "region_id": accounts::KEYSTONE_REGION,
            "url": url,
        }))
    }
}

/// Where the services are found, as Keystone tells it.
pub(super) struct Directory {
    /// Address of the identity service's version.
    pub(super) version: String,
    services: Vec<Service>,
}

impl Directory {
    pub(super) fn new(iam: &str, apig: &str) -> Self {
        let service = |kind, name, url| Service { kind, name, url };
        Self {
            version: format!("{iam}/v3/"),
            services: vec![
                service("identity", "keystone", format!("{iam}/v3")),
                // The gateway's address lacks the project id.
                service("apigv2", "apig", format!("{apig}/v2")),
                // Open Telekom Cloud's SDK for Go knows the gateway by no entry of its own: it takes
                // that of the volumes and puts its own names into it.
                service("volumev2", "evs", format!("{apig}/v2/{PROJECT}")),
            ],
        }
    }

    /// The services that a token's owner can reach.
    pub(super) fn catalog(&self, project: Option<&Project>) -> Value {
        let project = project.map(|project| project.id);
        let entries = self.services.iter().filter_map(|service| {
            Some(json!({
                "id": service.id(),
                "type": service.kind,
                "name": service.name,
                "endpoints": [service.endpoint(project)?],
            }))
        });
        entries.collect()
    }
}

/// Things of one kind, as they are listed and shown.
pub(super) struct Collection {
    plural: &'static str,
    singular: &'static str,
    all: fn(&Directory) -> Vec<Value>,
}

pub(super) static PROJECT_LIST: Collection = Collection {
    plural: "projects",
    singular: "project",
    all: |_| PROJECTS.iter().map(project).collect(),
};

pub(super) static DOMAINS: Collection = Collection {
    plural: "domains",
    singular: "domain",
    all: |_| {
        vec![json!({
            "id": accounts::KEYSTONE_DOMAIN_ID,
            "name": accounts::KEYSTONE_DOMAIN,
            "enabled": true,
            "description": "",
        })]
    },
};

pub(super) static REGIONS: Collection = Collection {
    plural: "regions",
    singular: "region",
    all: |_| {
        vec![json!({
            "id": accounts::KEYSTONE_REGION,
            "description": "",
            "parent_region_id": null,
        })]
    },
};

pub(super) static SERVICES: Collection = Collection {
    plural: "services",
    singular: "service",
    all: |directory| {
        let services = directory.services.iter().map(|service| {
            json!({
                "id": service.id(),
                "type": service.kind,
                "name": service.name,
                "enabled": true,
            })
        });
        services.collect()
    },
};

pub(super) static ENDPOINTS: Collection = Collection {
    plural: "endpoints",
    singular: "endpoint",
    all: |directory| {
        let endpoints = directory.services.iter().filter_map(|service| {
            // An administrator sees the template.
            let mut endpoint = service.endpoint(Some(PROJECT))?;
            endpoint["service_id"] = service.id().into();
            endpoint["enabled"] = true.into();
            Some(endpoint)
        });
        endpoints.collect()
    },
};

pub(super) static USER_LIST: Collection = Collection {
    plural: "users",
    singular: "user",
    all: |_| {
        let users = USERS.iter().map(|user| {
            json!({
                "id": user.id,
                "name": user.name,
                "domain_id": accounts::KEYSTONE_DOMAIN_ID,
                "enabled": true,
                "description": "",
                "password_expires_at": null,
            })
        });
        users.collect()
    },
};

pub(super) static GROUPS: Collection = Collection {
    plural: "groups",
    singular: "group",
    all: |_| Vec::new(),
};

pub(super) static ROLE_LIST: Collection = Collection {
    plural: "roles",
    singular: "role",
    all: |_| {
        let roles = ROLES.iter().map(|role| {
            json!({ "id": role.id, "name": role.name, "domain_id": null, "description": null })
        });
        roles.collect()
    },
};

pub(super) static ASSIGNMENTS: Collection = Collection {
    plural: "role_assignments",
    singular: "role assignment",
    all: |_| {
        let domain =
            json!({ "id": accounts::KEYSTONE_DOMAIN_ID, "name": accounts::KEYSTONE_DOMAIN });
        let pairs = USERS
            .iter()
            .flat_map(|user| PROJECTS.iter().map(move |project| (user, project)));
        let assignments = pairs.map(|(user, project)| {
            let role = user.role();
            json!({
                "role": { "id": role.id, "name": role.name },
                "user": { "id": user.id, "name": user.name, "domain": domain },
                "scope": { "project": { "id": project.id, "name": project.name, "domain": domain } },
                "links": {},
            })
        });
        assignments.collect()
    },
};

fn project(project: &Project) -> Value {
    json!({
        "id": project.id,
        "name": project.name,
        "domain_id": accounts::KEYSTONE_DOMAIN_ID,
        "parent_id": accounts::KEYSTONE_DOMAIN_ID,
        "is_domain": false,
        "enabled": true,
        "description": "",
    })
}

/// Whether a thing is what a query asks for. What no thing of the kind has is no condition;
/// `scope.project.id` looks inside.
fn fits(thing: &Value, name: &str, wanted: &str) -> bool {
    match thing.pointer(&format!("/{}", name.replace('.', "/"))) {
        None => !name.contains('.'),
        Some(Value::String(own)) => own == wanted,
        Some(Value::Bool(own)) => own.to_string().eq_ignore_ascii_case(wanted),
        Some(_) => true,
    }
}

/// A list in the form that all of Keystone's have.
pub(super) fn listed(plural: &str, mut things: Vec<Value>, call: &Call<'_>) -> Reply {
    let conditions = call.request.query_pairs();
    things.retain(|thing| {
        let mut conditions = conditions.iter().filter(|(_, wanted)| !wanted.is_empty());
        conditions.all(|(name, wanted)| fits(thing, name, wanted))
    });
    let links = json!({ "next": null, "previous": null, "self": null });
    Reply::json(200, &json!({ (plural): things, "links": links }))
}

/// The refusal for a thing that is not there.
pub(super) fn not_found(singular: &str, id: &str) -> Refusal {
    Refusal::identity(404, format!("Could not find {singular}: {id}."))
}

impl Collection {
    pub(super) fn list(&self, state: &mut State, call: &Call<'_>) -> Result<Reply, Refusal> {
        authenticate(state, call)?;
        Refusal::planned(call)?;
        let things = (self.all)(&state.directory);
        Ok(listed(self.plural, things, call))
    }

    pub(super) fn show(
        &self,
        state: &mut State,
        call: &Call<'_>,
        path: &PathValues,
    ) -> Result<Reply, Refusal> {
        authenticate(state, call)?;
        Refusal::planned(call)?;
        let id = route::value(path, "id");
        let mut things = (self.all)(&state.directory).into_iter();
        match things.find(|thing| thing["id"] == id) {
            Some(thing) => Ok(Reply::json(200, &json!({ (self.singular): thing }))),
            None => Err(not_found(self.singular, id)),
        }
    }
}

/// `GET /v3/auth/catalog`
pub(super) fn show_catalog(state: &mut State, call: &Call<'_>) -> Result<Reply, Refusal> {
    let caller = authenticate(state, call)?;
    Refusal::planned(call)?;
    let project = caller.project.as_deref().and_then(identity::project_by_id);
    let links = json!({ "next": null, "previous": null, "self": null });
    let catalog = state.directory.catalog(project);
    Ok(Reply::json(
        200,
        &json!({ "catalog": catalog, "links": links }),
    ))
}
