//! Can these credentials work at all? Asked before anything is signed with them, since services say
//! only that the signature is wrong.

use std::time::SystemTime;

use crate::clock::unix_seconds;
use crate::record::Secret;
use crate::sign::time;

use super::{Credential, CredentialError, Identity, Reason};

/// Whether `credential` can work at all.
///
/// A space or a line break at the end of a pasted secret is the commonest cause of signatures that
/// do not match, and a wrong clock that of credentials that seem to have ended when they are issued.
pub(crate) fn check(credential: &Credential, now: SystemTime) -> Result<(), CredentialError> {
    if let Some(end) = credential.expires_at
        && end <= now
    {
        let written = |at| time::iso8601(unix_seconds(at));
        let message = format!(
            "the credentials from {} ended at {}",
            credential.source,
            written(end)
        );
        return Err(
            CredentialError::new(Reason::Expired, "credentials", message)
                .with_hint(format!("This machine's clock says {}", written(now))),
        );
    }
    let named = match &credential.identity {
        Identity::Keys(keys) => vec![
            ("key id", Some(keys.id.as_str())),
            ("secret", Some(keys.secret.expose())),
            ("session token", keys.token.as_ref().map(Secret::expose)),
        ],
        Identity::Token(token) => vec![("token", Some(token.expose()))],
    };
    for (name, text) in named {
        let problem = match text {
            Some("") => "is empty",
            Some(text) if text.trim() != text => "has white space at its start or end",
            Some(text) if text.chars().any(|c| c.is_control() || c.is_whitespace()) => {
                "holds white space or a control character"
            }
            _ => continue,
        };
        let message = format!("the {name} from {} {problem}", credential.source);
        return Err(CredentialError::new(
            Reason::Misconfigured,
            "credentials",
            message,
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::credentials::Keys;
    use crate::credentials::testing::no_secret;

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1000)
    }

    fn keys(id: &str, secret: &str, token: Option<&str>) -> Credential {
        let keys = Keys {
            id: id.into(),
            secret: secret.into(),
            token: token.map(Secret::from),
        };
        Credential::new(Identity::Keys(keys), "VARIABLE")
    }

    #[test]
    fn white_space_around_a_key_is_reported() {
        for (credential, what) in [
            (
                keys(" id", "s3cr3t", None),
                "the key id from VARIABLE has white space",
            ),
            (
                keys("id", "s3cr3t\n", None),
                "the secret from VARIABLE has white space",
            ),
            (
                keys("id", "s3cr3t\u{a0}", None),
                "the secret from VARIABLE has white space",
            ),
            (
                keys("id", "s3cr3t", Some("\ts3cr3t")),
                "the session token from VARIABLE has white space",
            ),
            (
                keys("id", "s3c\nr3t", None),
                "the secret from VARIABLE holds white space",
            ),
            (keys("id", "", None), "the secret from VARIABLE is empty"),
            (
                keys("", "s3cr3t", None),
                "the key id from VARIABLE is empty",
            ),
        ] {
            let error = check(&credential, now()).unwrap_err();
            no_secret(&error);
            assert!(error.to_string().contains(what), "{error}");
            assert_eq!(error.reason, Reason::Misconfigured);
        }
        check(&keys("id", "s3cr3t", Some("t")), now()).unwrap();
    }

    #[test]
    fn what_has_ended_is_reported_with_both_times() {
        let mut credential = keys("id", "s3cr3t", None);
        credential.expires_at = Some(now());
        let error = check(&credential, now()).unwrap_err();
        assert_eq!(error.reason, Reason::Expired);
        assert!(
            error.to_string().contains("ended at 1970-01-01T00:16:40Z"),
            "{error}"
        );
        credential.expires_at = Some(now() + Duration::from_secs(1));
        check(&credential, now()).unwrap();
    }
}
