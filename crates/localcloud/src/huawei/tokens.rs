//! Which tokens has Keystone issued, and do they still hold?

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::accounts;
use crate::clock;
use crate::encode;
use crate::random;
use crate::recent::Recent;

use super::identity::{Project, User};

const LIFE_SECONDS: i64 = 24 * 3600;
/// Random bytes in a token; base64 makes 4 KB of them, the size of the real ones.
const TOKEN_BYTES: usize = 3069;

/// What a token is good for.
#[derive(Clone, Copy)]
pub(super) enum Scope {
    Project(&'static Project),
    Domain,
    Unscoped,
}

impl Scope {
    pub(super) fn project(self) -> Option<&'static Project> {
        match self {
            Self::Project(project) => Some(project),
            Self::Domain | Self::Unscoped => None,
        }
    }
}

/// What a login has come to: whose token, and for what.
#[derive(Clone, Copy)]
pub(super) struct Grant {
    pub(super) user: &'static User,
    pub(super) scope: Scope,
    /// It may not make application credentials.
    pub(super) restricted: bool,
    /// Who acts as the user, through an agency.
    pub(super) assumed_by: Option<&'static User>,
}

/// An issued token.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) grant: Grant,
    methods: Vec<String>,
    issued: Timestamp,
    expires: Timestamp,
}

/// How many issued tokens are remembered for sure.
const REMEMBERED: usize = 2_000;

/// The newest issued tokens by their text.
pub(super) struct Tokens {
    issued: Recent<String, Token>,
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            issued: Recent::new(REMEMBERED),
        }
    }
}

impl Tokens {
    pub(super) fn issue(
        &mut self,
        grant: Grant,
        methods: Vec<String>,
        now: Timestamp,
    ) -> (String, Token) {
        let text = format!("MII{}", encode::base64(&random::bytes(TOKEN_BYTES)));
        let token = Token {
            grant,
            methods,
            issued: now,
            expires: clock::shift(now, LIFE_SECONDS),
        };
        self.issued.insert(text.clone(), token.clone());
        (text, token)
    }

    /// The token, if it was issued and lives; else why not.
    pub(super) fn find(&self, text: &str, now: Timestamp) -> Result<&Token, &'static str> {
        match self.issued.get(text) {
            None => Err("the token was not issued here, or was revoked"),
            Some(token) if token.expires <= now => Err("the token has expired"),
            Some(token) => Ok(token),
        }
    }

    pub(super) fn revoke(&mut self, text: &str) -> bool {
        self.issued.remove(text).is_some()
    }

    pub(super) fn expire_all(&mut self) {
        for token in self.issued.values_mut() {
            token.expires = Timestamp::MIN;
        }
    }
}

impl Token {
    /// The body that describes the token, with the catalog unless the caller declined it.
    pub(super) fn describe(&self, catalog: Option<Value>) -> Value {
        let domain =
            json!({ "id": accounts::KEYSTONE_DOMAIN_ID, "name": accounts::KEYSTONE_DOMAIN });
        let about = |user: &User| {
            json!({
                "id": user.id,
                "name": user.name,
                "domain": domain,
                "password_expires_at": "",
            })
        };
        let Grant {
            user,
            scope,
            assumed_by,
            ..
        } = self.grant;
        let role = user.role();
        let mut token = json!({
            "methods": self.methods,
            "issued_at": clock::iso_micros(self.issued),
            "expires_at": clock::iso_micros(self.expires),
            "user": about(user),
            "roles": [{ "id": role.id, "name": role.name }],
        });
        match scope {
            Scope::Project(project) => {
                token["project"] =
                    json!({ "id": project.id, "name": project.name, "domain": domain });
            }
            Scope::Domain => token["domain"] = domain.clone(),
            Scope::Unscoped => {}
        }
        if let Some(user) = assumed_by {
            token["assumed_by"] = json!({ "user": about(user) });
        }
        if let Some(catalog) = catalog {
            token["catalog"] = catalog;
        }
        json!({ "token": token })
    }
}
