//! A key pair in two variables, of which a forgotten one must not go unnoticed.

use crate::record::Secret;

use super::{Credential, CredentialError, Environment, Identity, Keys, Reason};

/// A pair of variables of which neither makes sense alone.
///
/// `None` where none is set; an error where one is: going on would silently act as somebody else.
pub(crate) fn pair(
    environment: &Environment,
    provider: &'static str,
    id: &[&str],
    secret: &[&str],
) -> Result<Option<Pair>, CredentialError> {
    let half = |set: &str, missing: &str| {
        let message = format!("{set} is set, but {missing} is not, or is empty");
        CredentialError::new(Reason::Misconfigured, provider, message)
            .with_hint(format!("Set {missing}, or unset {set}"))
    };
    match (environment.first(id), environment.first(secret)) {
        (None, None) => Ok(None),
        (Some((set, _)), None) => Err(half(set, secret.first().copied().unwrap_or_default())),
        (None, Some((set, _))) => Err(half(set, id.first().copied().unwrap_or_default())),
        (Some((id_name, id)), Some((secret_name, secret))) => Ok(Some(Pair {
            id,
            secret: Secret::from(secret),
            source: format!("{id_name} and {secret_name}"),
        })),
    }
}

/// What [`pair`] found.
pub(crate) struct Pair {
    pub(crate) id: String,
    pub(crate) secret: Secret,
    /// The variables, for messages.
    pub(crate) source: String,
}

impl Pair {
    /// The pair as credentials, temporary ones if there is a token.
    pub(crate) fn keys(self, token: Option<String>) -> Credential {
        let keys = Keys {
            id: self.id,
            secret: self.secret,
            token: token.map(Secret::from),
        };
        Credential::new(Identity::Keys(keys), self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::testing::no_secret;

    #[test]
    fn a_half_set_pair_is_an_error() {
        let found = |variables: &[(&str, &str)]| {
            let environment = Environment::fixed(variables.iter().copied());
            pair(&environment, "test", &["ID", "OTHER_ID"], &["SECRET"])
        };
        assert!(found(&[]).unwrap().is_none());
        assert!(found(&[("ID", ""), ("SECRET", "")]).unwrap().is_none());
        let both = found(&[("OTHER_ID", "i"), ("SECRET", "s")])
            .unwrap()
            .unwrap();
        assert_eq!(both.source, "OTHER_ID and SECRET");
        for (set, missing) in [("OTHER_ID", "SECRET"), ("SECRET", "ID")] {
            let error = found(&[(set, "s3cr3t")]).err().unwrap();
            no_secret(&error);
            let expected = format!(
                "test: {set} is set, but {missing} is not, or is empty (Set {missing}, or unset {set})"
            );
            assert_eq!(error.to_string(), expected);
        }
    }
}
