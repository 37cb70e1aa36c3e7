//! Which names speak of a secret: for members and headers that no model knows.

use crate::record::{Json, Secret};

/// Ends of names, in lower case and without `-` and `_`.
const ENDS: &[&str] = &[
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "secret",
    "secretkey",
    "privatekey",
    "apikey",
    "signkey",
    "sharedkey",
    "encryptionkey",
    "md5key",
    "keymaterial",
    "token",
    "credential",
    "credentials",
    "authorization",
    "cookie",
    "sessionid",
    "appcode",
];

/// Tokens that open nothing: they are shown so that people can pass them on.
const HARMLESS: &[&str] = &[
    "clienttoken",
    "nexttoken",
    "pagetoken",
    "nextpagetoken",
    "continuationtoken",
];

/// Whether what goes by this name is to be hidden. Of `Login.1.Password` the last part counts.
pub(super) fn is_secret(name: &str) -> bool {
    let last = name.rsplit('.').find(|part| part.parse::<u32>().is_err());
    let mut plain = last.unwrap_or_default().to_ascii_lowercase();
    plain.retain(|c| !matches!(c, '-' | '_'));
    ENDS.iter().any(|end| plain.ends_with(end)) && !HARMLESS.contains(&plain.as_str())
}

/// Adds the texts of `value` that go by a secret's name.
pub(super) fn collect(name: &str, value: &Json, found: &mut Vec<Secret>) {
    match value {
        Json::Array(items) => items.iter().for_each(|item| collect(name, item, found)),
        Json::Object(members) => {
            for (inner, value) in members {
                // Whatever stands below a secret's name is part of it.
                let name = if is_secret(name) { name } else { inner };
                collect(name, value, found);
            }
        }
        Json::String(text) if is_secret(name) => found.push(Secret::from(text.as_str())),
        Json::Number(number) if is_secret(name) => {
            found.push(Secret::from(number.to_string().as_str()));
        }
        _ => {}
    }
}

/// Hides what goes by a secret's name; whether there was anything.
pub(super) fn hide(name: &str, value: &mut Json) -> bool {
    match value {
        Json::Array(items) => items
            .iter_mut()
            .fold(false, |found, item| hide(name, item) | found),
        Json::Object(members) => members.iter_mut().fold(false, |found, (inner, value)| {
            let name = if is_secret(name) { name } else { inner };
            hide(name, value) | found
        }),
        Json::String(_) | Json::Number(_) if is_secret(name) => {
            *value = Json::from(Secret::REDACTED);
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets() {
        for name in [
            "Password",
            "password",
            "NEW_PASSWORD",
            "X-Auth-Token",
            "x-security-token",
            "SecurityToken",
            "AccessKeySecret",
            "app_secret",
            "private_key",
            "Login.1.Password",
            "Password.1",
            "Cookie",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in [
            "",
            "1",
            "ClientToken",
            "NextToken",
            "AccessTokenId",
            "PasswordPolicy",
            "SecretName",
            "KeyPairName",
            "Name",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn texts_below_a_name() {
        let mut value = serde_json::json!({"user": {"name": "n", "password": "p-1"}, "tokens": ["t"], "pin_secret": [7, {"a": "p-2"}]});
        let mut found = Vec::new();
        collect("Login", &value, &mut found);
        let texts: Vec<&str> = found.iter().map(Secret::expose).collect();
        assert_eq!(texts, ["p-1", "7", "p-2"]);
        assert!(hide("Login", &mut value));
        let shown = value.to_string();
        assert!(
            shown.contains(r#""n""#) && shown.contains(r#"["t"]"#),
            "{shown}"
        );
        assert!(!shown.contains("p-") && !shown.contains('7'), "{shown}");
        assert!(!hide("Login", &mut serde_json::json!({"a": [1]})));
    }
}
