//! What does a call carry that proves who makes it?

use std::fmt;

use base64::Engine as _;
use cumulo_core::credentials::Identity;
use cumulo_core::huawei::sdk_hmac::{self, Style, UNSIGNED_PAYLOAD};
use cumulo_core::sign::{CanonicalRequest, percent, sha256_hex, time};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::NAME;
use crate::{Error, Kind, Secret};

/// What proves who calls. Which ones an API takes is a setting of the API (`auth_type`, `auth_opt`) and
/// of its gateway.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Auth {
    /// Nothing: for APIs that ask for nothing.
    #[default]
    None,
    /// An `AppCode` of an authorized app (`X-Apig-AppCode`), where the API has simple authentication on.
    AppCode(Secret),
    /// A signature with key and secret of an authorized app: `SDK-HMAC-SHA256`, over method, path, query,
    /// headers and body. A body that comes in pieces is not signed.
    Signature {
        /// The `AppKey`.
        key: String,
        /// The `AppSecret`.
        secret: Secret,
    },
    /// Key and secret of an authorized app in clear (`X-HW-ID`, `X-HW-AppKey`), where the gateway's
    /// feature `app_secret` is on.
    AppSecret {
        /// The `AppKey`.
        key: String,
        /// The `AppSecret`.
        secret: Secret,
    },
    /// Key and secret of an authorized app as HTTP basic authentication, where the gateway's feature
    /// `app_basic` is on.
    Basic {
        /// The `AppKey`.
        key: String,
        /// The `AppSecret`.
        secret: Secret,
    },
    /// A user of IAM: a token, or an access key that signs. What
    /// [`Client::credentials`](crate::Client::credentials) holds is one.
    Iam(Identity),
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, key) = match self {
            Self::None => ("None", None),
            Self::AppCode(_) => ("AppCode", None),
            Self::Signature { key, .. } => ("Signature", Some(key)),
            Self::AppSecret { key, .. } => ("AppSecret", Some(key)),
            Self::Basic { key, .. } => ("Basic", Some(key)),
            Self::Iam(_) => ("Iam", None),
        };
        match key {
            Some(key) => write!(f, "{name}({key:?}, ..)"),
            None => f.write_str(name),
        }
    }
}

/// The parts of a request that a signature covers.
pub(super) struct Covered<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a [(String, String)],
    pub(super) host: &'a str,
    /// `None` when it comes in pieces.
    pub(super) body: Option<&'a [u8]>,
    /// In seconds since 1970.
    pub(super) now: i64,
}

impl Auth {
    /// Adds what the call carries.
    pub(super) fn apply(
        &self,
        covered: &Covered<'_>,
        headers: &mut HeaderMap,
    ) -> Result<(), Error> {
        match self {
            Self::None => Ok(()),
            Self::AppCode(code) => set(headers, "x-apig-appcode", code.expose()),
            Self::Signature { key, secret } => sign(covered, headers, key, secret, None),
            Self::AppSecret { key, secret } => {
                set(headers, "x-hw-id", key)?;
                set(headers, "x-hw-appkey", secret.expose())
            }
            Self::Basic { key, secret } => {
                let pair = format!("{key}:{}", secret.expose());
                let pair = base64::engine::general_purpose::STANDARD.encode(pair);
                set(headers, AUTHORIZATION.as_str(), &format!("Basic {pair}"))
            }
            Self::Iam(Identity::Token(token)) => set(headers, "x-auth-token", token.expose()),
            Self::Iam(Identity::Keys(keys)) => sign(
                covered,
                headers,
                &keys.id,
                &keys.secret,
                keys.token.as_ref(),
            ),
            Self::Iam(_) => {
                let message = "IAM takes a token or an access key";
                Err(Error::new(Kind::InvalidInput, NAME, message))
            }
        }
    }
}

fn set(headers: &mut HeaderMap, name: &str, text: &str) -> Result<(), Error> {
    let (Ok(name), Ok(mut value)) = (HeaderName::try_from(name), HeaderValue::from_str(text))
    else {
        let message = format!("what proves who calls fits in no header ({name})");
        return Err(Error::new(Kind::InvalidInput, NAME, message));
    };
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}

fn sign(
    covered: &Covered<'_>,
    headers: &mut HeaderMap,
    key: &str,
    secret: &Secret,
    token: Option<&Secret>,
) -> Result<(), Error> {
    let date = time::basic(covered.now);
    set(headers, "x-sdk-date", &date)?;
    if let Some(token) = token {
        set(headers, "x-security-token", token.expose())?;
    }
    let payload = match covered.body {
        Some(body) => sha256_hex(body),
        None => {
            set(headers, "x-sdk-content-sha256", UNSIGNED_PAYLOAD)?;
            UNSIGNED_PAYLOAD.to_owned()
        }
    };
    let mut signed: Vec<(&str, &str)> = vec![("host", covered.host)];
    for name in headers.keys() {
        // What proxies rewrite stays unsigned, and so does what is sent more than once.
        let name = name.as_str();
        let mut values = headers.get_all(name).iter();
        if let (true, Some(Ok(value)), None) = (
            name.starts_with("x-") || name == "content-type",
            values.next().map(HeaderValue::to_str),
            values.next(),
        ) {
            signed.push((name, value));
        }
    }
    let mut query: Vec<(&str, &str)> = covered
        .query
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let signature = sdk_hmac::sign(
        Style::Access,
        key,
        secret.expose(),
        &date,
        &CanonicalRequest {
            method: covered.method,
            canonical_uri: &sdk_hmac::canonical_uri(covered.path),
            canonical_query: &percent::canonical_query(&mut query),
            headers: &signed,
            payload_sha256: &payload,
        },
    );
    set(headers, AUTHORIZATION.as_str(), &signature.authorization)
}
