//! Who is calling, and is the call fresh? Access keys, security tokens, timestamps and nonces of
//! Alibaba Cloud, with the error codes that its gateway gives.

use jiff::Timestamp;

use crate::accounts;
use crate::clock;
use crate::recent::Recent;

use super::action::Refusal;
use super::signature::Signed;

/// An access key, temporary when it has a token.
struct Key {
    id: &'static str,
    secret: &'static str,
    account: &'static str,
    token: Option<&'static str>,
    expired: bool,
}

const KEYS: [Key; 4] = [
    Key {
        id: accounts::ALIBABA_KEY_ID,
        secret: accounts::ALIBABA_SECRET,
        account: accounts::ALIBABA_ACCOUNT,
        token: None,
        expired: false,
    },
    Key {
        id: accounts::ALIBABA_OTHER_KEY_ID,
        secret: accounts::ALIBABA_OTHER_SECRET,
        account: "other",
        token: None,
        expired: false,
    },
    Key {
        id: accounts::ALIBABA_STS_KEY_ID,
        secret: accounts::ALIBABA_STS_SECRET,
        account: accounts::ALIBABA_ACCOUNT,
        token: Some(accounts::ALIBABA_STS_TOKEN),
        expired: false,
    },
    Key {
        id: accounts::ALIBABA_EXPIRED_STS_KEY_ID,
        secret: accounts::ALIBABA_EXPIRED_STS_SECRET,
        account: accounts::ALIBABA_ACCOUNT,
        token: Some(accounts::ALIBABA_EXPIRED_STS_TOKEN),
        expired: true,
    },
];

/// How many nonces are remembered for sure. A storm may bring more within the window of a
/// signature; then the oldest could be used again.
const REMEMBERED: usize = 50_000;

/// The nonces of the last minutes.
pub(super) struct State {
    nonces: Recent<(String, String), Timestamp>,
}

impl State {
    pub(super) fn new() -> Self {
        Self {
            nonces: Recent::new(REMEMBERED),
        }
    }

    /// Checks everything about who and when; answers the account.
    pub(super) fn admit(
        &mut self,
        signed: &Signed,
        now: Timestamp,
        strict_time: bool,
    ) -> Result<String, Refusal> {
        let Some(key) = KEYS.iter().find(|key| key.id == signed.key_id) else {
            return Err(Refusal::new(
                404,
                "InvalidAccessKeyId.NotFound",
                "Specified access key is not found.",
            )
            .verdict(format!("no access key {}", signed.key_id)));
        };
        check_time(signed, now, strict_time)?;
        check_token(key, signed)?;
        if signed.expected(key.secret) != signed.signature {
            return Err(signed.mismatch());
        }
        self.check_nonce(signed, now)?;
        Ok(key.account.to_owned())
    }

    fn check_nonce(&mut self, signed: &Signed, now: Timestamp) -> Result<(), Refusal> {
        // A nonce older than twice the window comes with a timestamp that is refused anyway.
        let oldest = clock::shift(now, -2 * clock::SIGNATURE_WINDOW_SECONDS);
        let key = (signed.key_id.clone(), signed.nonce.clone());
        match self.nonces.insert(key, now) {
            Some(used) if used >= oldest => Err(Refusal::new(
                400,
                "SignatureNonceUsed",
                "Specified signature nonce was used already.",
            )
            .verdict(format!("nonce {} came before", signed.nonce))),
            _ => Ok(()),
        }
    }
}

fn check_time(signed: &Signed, now: Timestamp, strict: bool) -> Result<(), Refusal> {
    let Some(at) = clock::parse_utc(clock::ISO, &signed.timestamp) else {
        return Err(Refusal::new(
            400,
            "InvalidTimeStamp.Format",
            "Specified time stamp or date value is not well formatted.",
        )
        .verdict(format!(
            "expected YYYY-MM-DDThh:mm:ssZ, got {}",
            signed.timestamp
        )));
    };
    if strict && !clock::within_window(at, now) {
        return Err(Refusal::new(
            400,
            "InvalidTimeStamp.Expired",
            "Specified time stamp or date value is expired.",
        )
        .verdict(format!(
            "the server's time is {}, the request says {}",
            clock::iso(now),
            signed.timestamp
        )));
    }
    Ok(())
}

fn check_token(key: &Key, signed: &Signed) -> Result<(), Refusal> {
    let token = signed
        .security_token
        .as_deref()
        .filter(|token| !token.is_empty());
    match (key.token, token) {
        (None, None) => Ok(()),
        (Some(_), None) => Err(Refusal::new(
            400,
            "MissingSecurityToken",
            "SecurityToken is mandatory for this action.",
        )
        .verdict(format!(
            "{} is a temporary key and needs its security token",
            key.id
        ))),
        (Some(expected), Some(token)) if expected == token && key.expired => Err(Refusal::new(
            400,
            "InvalidSecurityToken.Expired",
            "Specified SecurityToken is expired.",
        )),
        (Some(expected), Some(token)) if expected == token => Ok(()),
        (_, Some(token)) if KEYS.iter().any(|other| other.token == Some(token)) => {
            Err(Refusal::new(
                400,
                "InvalidSecurityToken.MismatchWithAccessKey",
                "Specified SecurityToken is not matched with AccessKeyId.",
            ))
        }
        (_, Some(_)) => Err(Refusal::new(
            400,
            "InvalidSecurityToken.Malformed",
            "Specified SecurityToken is malformed.",
        )),
    }
}
