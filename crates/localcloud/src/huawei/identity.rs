//! Which users and projects exist? Fixed tables; see [`crate::accounts`] for the constants.

use serde_json::Value;

use crate::accounts;

/// A user of the one domain.
pub(super) struct User {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) password: &'static str,
    pub(super) read_only: bool,
}

/// What a user may do in every project.
pub(super) struct Role {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
}

pub(super) static ROLES: [Role; 2] = [
    Role {
        id: "3f0c5b1e8a7d4c6f9e2b1a0d4c8f7e10",
        name: "te_admin",
    },
    Role {
        id: "3f0c5b1e8a7d4c6f9e2b1a0d4c8f7e20",
        name: "readonly",
    },
];

impl User {
    pub(super) fn role(&self) -> &'static Role {
        &ROLES[usize::from(self.read_only)]
    }
}

/// The first one owns the access keys.
pub(super) static USERS: [User; 2] = [
    User {
        id: accounts::KEYSTONE_USER_ID,
        name: accounts::KEYSTONE_USER,
        password: accounts::KEYSTONE_PASSWORD,
        read_only: false,
    },
    User {
        id: accounts::KEYSTONE_READER_ID,
        name: accounts::KEYSTONE_READER,
        password: accounts::KEYSTONE_READER_PASSWORD,
        read_only: true,
    },
];

/// Who acts through the agency; nobody logs in as this user.
pub(super) static AGENCY: User = User {
    id: accounts::KEYSTONE_AGENCY_ID,
    name: accounts::KEYSTONE_AGENCY,
    password: "",
    read_only: false,
};

pub(super) fn user_by_id(id: &str) -> Option<&'static User> {
    USERS.iter().find(|user| user.id == id)
}

/// Whether a domain is the one that there is, by id or by name.
pub(super) fn is_our_domain(domain: &Value) -> bool {
    match (text(domain, "id"), text(domain, "name")) {
        (Some(id), _) => id == accounts::KEYSTONE_DOMAIN_ID,
        (None, Some(name)) => name == accounts::KEYSTONE_DOMAIN,
        (None, None) => false,
    }
}

/// A project of the one domain.
pub(super) struct Project {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
}

pub(super) static PROJECTS: [Project; 2] = [
    Project {
        id: accounts::KEYSTONE_PROJECT_ID,
        name: accounts::KEYSTONE_PROJECT_NAME,
    },
    Project {
        id: accounts::KEYSTONE_OTHER_PROJECT_ID,
        name: accounts::KEYSTONE_OTHER_PROJECT_NAME,
    },
];

pub(super) fn project_by_id(id: &str) -> Option<&'static Project> {
    PROJECTS.iter().find(|project| project.id == id)
}

pub(super) fn project_by_name(name: &str) -> Option<&'static Project> {
    PROJECTS.iter().find(|project| project.name == name)
}

/// A text member of a request that is not empty.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str().filter(|text| !text.is_empty())
}
