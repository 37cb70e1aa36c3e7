//! Is the request signed with a known access key? SDK-HMAC-SHA256 in both of its forms, written
//! from the public guide to API request signing, with the clock check and the lock-out after
//! repeated failures.

use jiff::Timestamp;

use crate::accounts;
use crate::clock;
use crate::encode;
use crate::random;
use crate::recent::Recent;
use crate::wire::Request;

use super::refusal::Refusal;

const ALGORITHM: &str = "SDK-HMAC-SHA256";
/// This many failures in a row lock a key.
const FAILURES: u32 = 5;
const LOCK_SECONDS: i64 = 300;
/// How many temporary keys, and keys with failures, are remembered for sure.
const REMEMBERED: usize = 2_000;

/// An access key; temporary ones have a token and an end.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) token: Option<String>,
    expires: Option<Timestamp>,
}

/// The access keys and their failures.
pub(super) struct Keys {
    fixed: Vec<Key>,
    issued: Recent<String, Key>,
    failures: Recent<String, (u32, Timestamp)>,
}

/// What the `Authorization` header says.
struct Authorization<'a> {
    key_id: &'a str,
    /// `date/region/service/sdk_request`, in the scoped form.
    scope: Option<&'a str>,
    signed_headers: &'a str,
    signature: &'a str,
}

fn refusal(message: impl Into<String>) -> Refusal {
    Refusal::gateway(
        401,
        "APIGW.0301",
        format!(
            "Incorrect IAM authentication information: {}",
            message.into()
        ),
    )
}

impl Keys {
    pub(super) fn new() -> Self {
        let key = |id: &str, secret: &str, token: Option<&str>| Key {
            id: id.to_owned(),
            secret: secret.to_owned(),
            token: token.map(str::to_owned),
            expires: None,
        };
        Self {
            fixed: vec![
                key(accounts::HUAWEI_AK, accounts::HUAWEI_SK, None),
                key(accounts::HUAWEI_OTHER_AK, accounts::HUAWEI_OTHER_SK, None),
                key(
                    accounts::HUAWEI_TEMP_AK,
                    accounts::HUAWEI_TEMP_SK,
                    Some(accounts::HUAWEI_SECURITY_TOKEN),
                ),
            ],
            issued: Recent::new(REMEMBERED),
            failures: Recent::new(REMEMBERED),
        }
    }

    /// A new temporary key.
    pub(super) fn issue(&mut self, expires: Timestamp) -> Key {
        let key = Key {
            id: random::word(20).to_uppercase(),
            secret: random::word(40),
            token: Some(encode::base64(&random::bytes(384))),
            expires: Some(expires),
        };
        self.issued.insert(key.id.clone(), key.clone());
        key
    }

    /// Checks key, lock, time, token and signature.
    pub(super) fn admit(
        &mut self,
        request: &Request,
        now: Timestamp,
        strict_time: bool,
    ) -> Result<(), Refusal> {
        let authorization = parse(request.header("authorization").unwrap_or_default())?;
        let key_id = authorization.key_id;
        if self.is_locked(key_id, now) {
            return Err(
                refusal("AK access failed to reach the limit,forbidden").verdict(format!(
                    "{key_id} is locked after {FAILURES} failures in a row"
                )),
            );
        }
        let result = self.check(request, &authorization, now, strict_time);
        match &result {
            Ok(()) => {
                self.failures.remove(key_id);
            }
            // A wrong clock is no attack on the key.
            Err(refusal) if refusal.message.contains("signature expired") => {}
            Err(_) => {
                let before = self.failures.get(key_id).map_or(0, |(count, _)| *count);
                self.failures.insert(key_id.to_owned(), (before + 1, now));
            }
        }
        result
    }

    fn is_locked(&mut self, key_id: &str, now: Timestamp) -> bool {
        match self.failures.get(key_id) {
            Some((count, last)) if *count >= FAILURES => {
                let locked = now < clock::shift(*last, LOCK_SECONDS);
                if !locked {
                    self.failures.remove(key_id);
                }
                locked
            }
            _ => false,
        }
    }

    fn check(
        &self,
        request: &Request,
        authorization: &Authorization<'_>,
        now: Timestamp,
        strict_time: bool,
    ) -> Result<(), Refusal> {
        let id = authorization.key_id;
        let fixed = self.fixed.iter().find(|key| key.id == id);
        let Some(key) = fixed.or_else(|| self.issued.get(id)) else {
            return Err(
                refusal(format!("Get secretKey failed,ak:{}", authorization.key_id))
                    .verdict(format!("no access key {}", authorization.key_id)),
            );
        };
        key.check(request, authorization, now, strict_time)
    }
}

impl Key {
    fn check(
        &self,
        request: &Request,
        authorization: &Authorization<'_>,
        now: Timestamp,
        strict_time: bool,
    ) -> Result<(), Refusal> {
        let date = request.header("x-sdk-date").ok_or_else(|| {
            refusal("x-sdk-date not found").verdict("header X-Sdk-Date is required")
        })?;
        let at = clock::parse_utc(clock::BASIC, date).ok_or_else(|| {
            refusal(format!("x-sdk-date format error:{date}"))
                .verdict(format!("expected YYYYMMDDTHHMMSSZ, got {date}"))
        })?;
        if strict_time && !clock::within_window(at, now) {
            let server = clock::basic(now);
            return Err(refusal(format!(
                "signature expired, signature time:{date},server time:{server}"
            ))
            .verdict(format!(
                "the server's time is {server}, the request says {date}"
            )));
        }
        if request.header("x-security-token") != self.token.as_deref() {
            return Err(refusal("the security token is invalid")
                .verdict(format!("X-Security-Token does not belong to {}", self.id)));
        }
        if clock::is_over(self.expires, now) {
            return Err(refusal("the security token has expired")
                .verdict(format!("the temporary key {} has expired", self.id)));
        }
        check_signature(request, authorization, self, date)
    }
}

/// Checks time and signature of a request that an app has signed, and tells the app's key.
pub(super) fn admit_app(
    request: &Request,
    secret: impl Fn(&str) -> Option<String>,
    now: Timestamp,
    strict_time: bool,
) -> Result<String, Refusal> {
    let admitted = || {
        let authorization = parse(request.header("authorization").unwrap_or_default())?;
        let id = authorization.key_id;
        let secret = secret(id).ok_or_else(|| refusal(format!("app not found,appkey:{id}")))?;
        let key = Key {
            id: id.to_owned(),
            secret,
            token: None,
            expires: None,
        };
        key.check(request, &authorization, now, strict_time)?;
        Ok(key.id)
    };
    admitted().map_err(|refusal: Refusal| {
        let message = refusal.message.replace("Incorrect IAM", "Incorrect app");
        refusal.with_code("APIG.0303").with_message(message)
    })
}

fn check_signature(
    request: &Request,
    authorization: &Authorization<'_>,
    key: &Key,
    date: &str,
) -> Result<(), Refusal> {
    let mut wanted = String::new();
    for hash in body_hashes(request) {
        let canonical = canonical_request(request, authorization.signed_headers, &hash);
        let digest = encode::sha256_hex(canonical.as_bytes());
        let (to_sign, signing_key) = match authorization.scope {
            None => (
                format!("{ALGORITHM}\n{date}\n{digest}"),
                key.secret.as_bytes().to_vec(),
            ),
            Some(scope) => (
                format!("{ALGORITHM}\n{date}\n{scope}\n{digest}"),
                derive(&key.secret, scope),
            ),
        };
        if encode::hex(&encode::hmac_sha256(&signing_key, to_sign.as_bytes()))
            == authorization.signature
        {
            return Ok(());
        }
        if wanted.is_empty() {
            wanted = canonical;
        }
    }
    let got = authorization.signature;
    Err(refusal(format!(
        "verify aksk signature fail, canonicalRequest:{}",
        wanted.replace('\n', "|")
    ))
    .verdict(format!(
        "expected a signature over the canonical request: {wanted}\ngot {got}"
    )))
}

/// The scoped form derives its key from the parts of the scope in turn.
fn derive(secret: &str, scope: &str) -> Vec<u8> {
    scope
        .split('/')
        .fold(format!("SDK{secret}").into_bytes(), |key, part| {
            encode::hmac_sha256(&key, part.as_bytes())
        })
}

/// What may stand for the body. `UNSIGNED-PAYLOAD` takes the place of a body's hash; without a
/// body the guide's own client signs the hash of nothing, though the header says otherwise.
fn body_hashes(request: &Request) -> Vec<String> {
    const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
    let hash = encode::sha256_hex(&request.body);
    match request.header("x-sdk-content-sha256") {
        Some(UNSIGNED) if request.body.is_empty() => vec![hash, UNSIGNED.to_owned()],
        Some(UNSIGNED) => vec![UNSIGNED.to_owned()],
        _ => vec![hash],
    }
}

fn canonical_request(request: &Request, signed_headers: &str, hash: &str) -> String {
    let path = encode::unpercent(request.path());
    let mut uri = path
        .split('/')
        .map(encode::percent)
        .collect::<Vec<_>>()
        .join("/");
    if !uri.ends_with('/') {
        uri.push('/');
    }
    let mut names: Vec<&str> = signed_headers
        .split(';')
        .filter(|name| !name.contains('_'))
        .collect();
    names.sort_unstable();
    let mut headers = String::new();
    for name in &names {
        headers.push_str(&name.to_ascii_lowercase());
        headers.push(':');
        headers.push_str(request.header(name).unwrap_or_default());
        headers.push('\n');
    }
    [
        request.method.as_str(),
        &uri,
        &encode::canonical_query(request.query_pairs()),
        &headers,
        signed_headers,
        hash,
    ]
    .join("\n")
}

fn parse(header: &str) -> Result<Authorization<'_>, Refusal> {
    let bad = |why: &str| refusal("authorization format is incorrect").verdict(why.to_owned());
    let fields = header
        .strip_prefix(ALGORITHM)
        .and_then(|rest| rest.strip_prefix(' '))
        .ok_or_else(|| bad("expected the algorithm SDK-HMAC-SHA256"))?;
    let field = |name: &str| {
        fields
            .split(',')
            .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
            .filter(|value| !value.is_empty())
    };
    let (key_id, scope) = match (field("Access"), field("Credential")) {
        (Some(key_id), _) => (key_id, None),
        (None, Some(credential)) => {
            let (key_id, scope) = credential
                .split_once('/')
                .ok_or_else(|| bad("expected Credential=AK/date/region/service/sdk_request"))?;
            if scope.split('/').count() != 4 || !scope.ends_with("/sdk_request") {
                return Err(bad(
                    "expected Credential=AK/date/region/service/sdk_request",
                ));
            }
            (key_id, Some(scope))
        }
        (None, None) => return Err(bad("expected Access=AK or Credential=AK/scope")),
    };
    Ok(Authorization {
        key_id,
        scope,
        signed_headers: field("SignedHeaders").ok_or_else(|| bad("SignedHeaders is missing"))?,
        signature: field("Signature").ok_or_else(|| bad("Signature is missing"))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Service;

    const AK: &str = "QTWAOYTTINDUT2QVKYUC";
    const SK: &str = "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc";

    fn keys() -> Keys {
        Keys {
            fixed: vec![Key {
                id: AK.into(),
                secret: SK.into(),
                token: None,
                expires: None,
            }],
            issued: Recent::new(1),
            failures: Recent::new(1),
        }
    }

    fn request(authorization: &str) -> Request {
        Request {
            service: Service::Apig,
            method: "GET".into(),
            target: "/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs?limit=2&marker=13551d6b-755d-4757-b956-536f674975c0".into(),
            headers: [
                ("Host", "service.region.example.com"),
                ("Content-Type", "application/json"),
                ("X-Sdk-Date", "20191115T033655Z"),
                ("Authorization", authorization),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
            body: Vec::new(),
        }
    }

    /// The example of the signing guide, and the same request in the scoped form.
    #[test]
    fn published_vector() {
        let now = clock::parse_utc(clock::BASIC, "20191115T033700Z").unwrap();
        for (credential, signature) in [
            (
                format!("Access={AK}"),
                "7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe",
            ),
            (
                format!("Credential={AK}/20191115///sdk_request"),
                "a0f03b56828e2195f3f9f980a128ed757130504ee958dc210add06e9df89f227",
            ),
            (
                format!("Credential={AK}/20191115/eu-de/apig/sdk_request"),
                "de3d52f51f62a057ded309eb1cc8ec0cbac9d7b91e30d4986e34bf6c32d47264",
            ),
        ] {
            let header = format!(
                "{ALGORITHM} {credential}, SignedHeaders=content-type;host;x-sdk-date, Signature={signature}"
            );
            let mut keys = keys();
            keys.admit(&request(&header), now, true).unwrap();

            let mut other = request(&header);
            other.target.push('0');
            let refused = keys.admit(&other, now, true).unwrap_err();
            assert!(
                refused.message.contains("canonicalRequest:GET|/v1/"),
                "{}",
                refused.message
            );
        }
    }

    #[test]
    fn failures_lock_the_key_for_five_minutes() {
        let now = clock::parse_utc(clock::BASIC, "20191115T033700Z").unwrap();
        let good = format!(
            "{ALGORITHM} Access={AK}, SignedHeaders=content-type;host;x-sdk-date, Signature=7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe"
        );
        let bad = good.replace("7be6", "0000");
        let mut keys = keys();
        for _ in 0..5 {
            let refused = keys.admit(&request(&bad), now, true).unwrap_err();
            assert!(refused.message.contains("verify aksk signature fail"));
        }
        let refused = keys.admit(&request(&good), now, true).unwrap_err();
        assert!(
            refused
                .message
                .contains("AK access failed to reach the limit,forbidden")
        );
        keys.admit(&request(&good), clock::shift(now, 300), true)
            .unwrap();
    }
}
