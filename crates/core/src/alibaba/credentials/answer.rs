//! Reads temporary keys from the answers of STS and its relatives, all of it or nothing.

use std::time::{Duration, SystemTime};

use crate::record::{Json, Secret, Timestamp};

use crate::credentials::fetch::{Route, member};
use crate::credentials::{Credential, CredentialError, Identity, Keys};

/// Temporary keys from an object with `AccessKeyId`, `AccessKeySecret`, `SecurityToken` and
/// `Expiration`. Each of them is required: half an answer must not replace what still works.
pub(super) fn temporary_keys(
    route: &Route,
    object: &Json,
    source: String,
) -> Result<Credential, CredentialError> {
    let text = |name: &'static str| member(object, name).ok_or_else(|| route.incomplete(name));
    let keys = Keys {
        id: text("AccessKeyId")?.to_owned(),
        secret: Secret::from(text("AccessKeySecret")?),
        token: Some(Secret::from(text("SecurityToken")?)),
    };
    let ends = text("Expiration")?;
    let mut credential = Credential::new(Identity::Keys(keys), source);
    credential.expires_at =
        Some(time(ends).ok_or_else(|| route.incomplete("a readable Expiration"))?);
    Ok(credential)
}

/// A time as these services write it; one without a zone is in UTC.
pub(super) fn time(text: &str) -> Option<SystemTime> {
    let time = Timestamp::from(text);
    time.system_time()
        .or_else(|| time.civil()?.to_system_time(0))
}

/// A time in Unix seconds, as the CLI's profile file has it.
pub(super) fn unix(json: Option<&Json>) -> Option<SystemTime> {
    let seconds = match json? {
        Json::Number(number) => number.as_u64()?,
        Json::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    SystemTime::UNIX_EPOCH
        .checked_add(Duration::from_secs(seconds))
        .filter(|_| seconds > 0)
}
