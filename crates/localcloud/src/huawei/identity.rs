//! Which users and projects exist? Fixed tables; see [`crate::accounts`] for the constants.

use crate::accounts;

/// A user of the one domain.
pub(super) struct User {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) password: &'static str,
    pub(super) read_only: bool,
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
