//! Alibaba Cloud's RPC style: one path, parameters as pairs, HMAC signatures in version 1 or 3.
//!
//! Parameters travel in the query string, as in the vendor's own SDKs. An operation with a secret
//! among its members sends them as a form body instead: URLs end up in logs.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, header};

use crate::alibaba::codes::{CODES, MARKERS};
use crate::alibaba::{acs_v1, acs_v3};
use crate::credentials::Identity;
use crate::error::{Error, Evidence, Kind, Quoted};
use crate::operation::Operation;
use crate::record::{self, Json, ListKeys, Record};
use crate::service::{Service, Settings};
use crate::sign::{self, CanonicalRequest, percent, time};
use crate::transport::HttpResponse;
use crate::wipe;

use crate::error::body::Page;
use crate::protocol::classify::{self, Tables};
use crate::protocol::members::{Members, Text, set_header};
use crate::protocol::success;
use crate::protocol::{Encoded, Failure, Prepared, Protocol, Signing, Verdict, request, seal};

/// Which signature requests carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum AcsSignature {
    /// ACS3-HMAC-SHA256 in headers; what the vendor's SDKs use by default.
    #[default]
    V3,
    /// HMAC-SHA1 among the parameters; for gateways that know no other.
    V1,
}

/// The protocol, as one client speaks it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Acs {
    /// The signature.
    pub signature: AcsSignature,
    /// Send all parameters as a form body, not only those of operations with secrets.
    pub form: bool,
}

/// The header that names a request.
pub(super) const REQUEST_ID: &str = "x-acs-request-id";

const FORM: &str = "application/x-www-form-urlencoded";

impl seal::Sealed for Acs {}

impl Protocol for Acs {
    fn encode(
        &self,
        operation: &'static Operation,
        input: &dyn Record,
        settings: &Settings,
        how: &dyn Fn(&str) -> String,
    ) -> Result<Encoded, Error> {
        let members = Members {
            operation,
            settings,
            how,
            lists: ListKeys::Numbered,
        };
        let path = || Cow::Borrowed(operation.path);
        members.encode(input, path(), path(), &mut |_, _| None)
    }

    fn add(&self, encoded: &mut Encoded, name: &str, value: Json) -> Result<(), Error> {
        encoded.query.retain(|(key, _)| {
            key != name
                && !key
                    .strip_prefix(name)
                    .is_some_and(|rest| rest.starts_with('.'))
        });
        let mut key = name.to_owned();
        spread(&mut key, &value, &mut encoded.query);
        Ok(())
    }

    fn prepare(&self, encoded: &Encoded, signing: &Signing<'_>) -> Result<Prepared, Error> {
        let form = self.form || !encoded.secrets.is_empty();
        match self.signature {
            AcsSignature::V3 => v3(encoded, signing, form),
            AcsSignature::V1 => Ok(v1(encoded, signing, form)),
        }
    }

    fn read(
        &self,
        service: &'static Service,
        operation: &'static Operation,
        reply: &HttpResponse,
        output: &mut dyn Record,
    ) -> Verdict {
        let tables = Tables {
            service,
            common: CODES,
            operation,
        };
        if !(200..300).contains(&reply.status) {
            return Verdict::Failed(failed(&tables, reply));
        }
        if reply.body.is_empty() && operation_is_silent(output) {
            return Verdict::Done(Vec::new());
        }
        let mut verdict = success::read(&tables, reply, output);
        if let Verdict::Failed(failure) = &mut verdict {
            classify::take_quoted(failure, "", QUOTED);
        }
        verdict
    }

    fn request_id(&self, reply: &HttpResponse, output: &dyn Record) -> Option<String> {
        match reply.header(REQUEST_ID) {
            Some(id) => Some(id.to_owned()),
            None => record::get(output, "RequestId"),
        }
    }
}

fn operation_is_silent(output: &dyn Record) -> bool {
    output.schema().members.is_empty()
}

fn spread(key: &mut String, value: &Json, pairs: &mut Vec<(Cow<'static, str>, String)>) {
    let length = key.len();
    match value {
        Json::Null => {}
        Json::String(text) => pairs.push((Cow::Owned(key.clone()), text.clone())),
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                key.push_str(&format!(".{}", index + 1));
                spread(key, item, pairs);
                key.truncate(length);
            }
        }
        Json::Object(members) => {
            for (name, member) in members {
                key.push_str(&format!(".{name}"));
                spread(key, member, pairs);
                key.truncate(length);
            }
        }
        scalar => pairs.push((Cow::Owned(key.clone()), scalar.to_string())),
    }
}

fn v3(encoded: &Encoded, signing: &Signing<'_>, form: bool) -> Result<Prepared, Error> {
    let operation = encoded.operation;
    let mut pairs: Vec<(&str, &str)> = Vec::with_capacity(encoded.query.len() + 1);
    pairs.extend(clear(encoded));
    let identity = signing.credential.map(|credential| &credential.identity);
    if let Some(Identity::Token(_)) = identity {
        pairs.push(("SignatureType", "BEARERTOKEN"));
    }
    let parameters = percent::canonical_query(&mut pairs);
    let (query, body) = placed(parameters, form);
    let payload = match body.is_empty() {
        true => Cow::Borrowed(sign::EMPTY_SHA256),
        false => Cow::Owned(sign::sha256_hex(&body)),
    };
    let date = time::iso8601(signing.now);
    let url = signing.endpoint.join("/", &query);
    let own = 7 + usize::from(form);
    let mut outgoing = request(&operation.method, url, encoded, signing, body, own);
    let headers = &mut outgoing.headers;
    let mut set = |name: &'static str, text: Text<'_>| {
        set_header(headers, operation, HeaderName::from_static(name), text)
    };
    set("x-acs-action", Text::Fixed(operation.name))?;
    set("x-acs-version", Text::Fixed(signing.service.version))?;
    set("x-acs-date", Text::Plain(&date))?;
    set("x-acs-signature-nonce", Text::Plain(signing.nonce))?;
    set(
        "x-acs-content-sha256",
        match &payload {
            Cow::Borrowed(empty) => Text::Fixed(empty),
            Cow::Owned(hash) => Text::Plain(hash),
        },
    )?;
    set("accept", Text::Fixed("application/json"))?;
    if form {
        set("content-type", Text::Fixed(FORM))?;
    }
    let keys = match identity {
        Some(Identity::Keys(keys)) => keys,
        Some(Identity::Token(token)) => {
            set("x-acs-bearer-token", Text::Secret(token.expose().into()))?;
            return Ok(Prepared::unsigned(outgoing));
        }
        None => return Ok(Prepared::unsigned(outgoing)),
    };
    if let Some(token) = &keys.token {
        set("x-acs-accesskey-id", Text::Plain(&keys.id))?;
        set("x-acs-security-token", Text::Secret(token.expose().into()))?;
    }
    let mut signed: Vec<(&str, &str)> = Vec::with_capacity(headers.len() + 1);
    signed.push(("host", signing.endpoint.host()));
    for (name, value) in &*headers {
        let name = name.as_str();
        if (name.starts_with("x-acs-") || name == "content-type")
            && let Ok(value) = value.to_str()
        {
            signed.push((name, value));
        }
    }
    let mut signature = acs_v3::sign(
        &keys.id,
        keys.secret.expose(),
        &CanonicalRequest {
            method: operation.method.as_str(),
            canonical_uri: "/",
            canonical_query: &query,
            headers: &signed,
            payload_sha256: &payload,
        },
    );
    let authorization = Text::Secret(std::mem::take(&mut signature.authorization).into());
    set_header(headers, operation, header::AUTHORIZATION, authorization)?;
    Ok(Prepared {
        request: outgoing,
        evidence: Some(Evidence::new(signature, signing.now)),
    })
}

/// The parameters of a call in clear.
fn clear(encoded: &Encoded) -> impl Iterator<Item = (&str, &str)> {
    let pairs = encoded.query.iter();
    pairs.map(|(key, value)| (&**key, value.as_str()))
}

/// Parameters where they travel: in the query, or as a form body.
fn placed(parameters: String, form: bool) -> (String, Bytes) {
    match form {
        true => (String::new(), wipe::bytes(parameters)),
        false => (parameters, Bytes::new()),
    }
}

/// The longest signature of version 1 as a parameter: 28 characters of base64, each of which may have
/// to be escaped.
const SIGNATURE_ROOM: usize = "&Signature=".len() + 3 * 28;

fn v1(encoded: &Encoded, signing: &Signing<'_>, form: bool) -> Prepared {
    let operation = encoded.operation;
    let date = time::iso8601(signing.now);
    let mut pairs: Vec<(&str, &str)> = Vec::with_capacity(encoded.query.len() + 10);
    // What is sorted nearly is sorted soon.
    pairs.extend([("Action", operation.name), ("Format", "JSON")]);
    pairs.extend(clear(encoded));
    let mut secret = None;
    match signing.credential.map(|credential| &credential.identity) {
        Some(Identity::Keys(keys)) => {
            pairs.extend([
                ("AccessKeyId", keys.id.as_str()),
                ("SignatureMethod", "HMAC-SHA1"),
                ("SignatureVersion", "1.0"),
            ]);
            if let Some(token) = &keys.token {
                pairs.push(("SecurityToken", token.expose()));
            }
            secret = Some(&keys.secret);
        }
        Some(Identity::Token(token)) => {
            pairs.extend([
                ("BearerToken", token.expose()),
                ("SignatureType", "BEARERTOKEN"),
            ]);
        }
        None => {}
    }
    pairs.extend([
        ("SignatureNonce", signing.nonce),
        ("Timestamp", date.as_str()),
        ("Version", signing.service.version),
    ]);
    // Room for the signature, so that nothing is left behind by growing.
    let mut parameters = percent::canonical_query_with(&mut pairs, SIGNATURE_ROOM);
    let mut evidence = None;
    if let Some(secret) = secret {
        let method = operation.method.as_str();
        let string_to_sign = acs_v1::string_to_sign(method, &parameters);
        let signature = acs_v1::signature(secret.expose(), &string_to_sign);
        parameters.push_str("&Signature=");
        percent::push(&mut parameters, &signature);
        evidence = Some(Evidence::text(string_to_sign, signing.now));
    }
    // A token is as secret as any member: it does not go into the URL either.
    let token = pairs
        .iter()
        .any(|(key, _)| matches!(*key, "SecurityToken" | "BearerToken"));
    let form = (form || token) && operation.method == Method::POST;
    let (query, body) = placed(parameters, form);
    let url = signing.endpoint.join("/", &query);
    let own = 1 + usize::from(form);
    let mut outgoing = request(&operation.method, url, encoded, signing, body, own);
    outgoing
        .headers
        .insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    if form {
        outgoing
            .headers
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(FORM));
    }
    Prepared {
        request: outgoing,
        evidence,
    }
}

/// `server string to sign is:POST&%2F&<encoded query>` in version 1; in version 3
/// `server StringToSign is [ACS3-HMAC-SHA256\n<hash>]`, the canonical request's hash alone.
const QUOTED: &[classify::Marker] = &[
    ("string to sign is", |rest| {
        let rest = rest.trim_start_matches([':', ' ']);
        let end = rest.find(['"', '<', '\n']).unwrap_or(rest.len());
        Quoted::StringToSign(rest[..end].trim().to_owned())
    }),
    ("CanonicalRequest is", canonical_request),
    ("canonical request is", canonical_request),
    ("StringToSign is", |rest| {
        Quoted::StringToSign(rest.to_owned())
    }),
];

fn canonical_request(rest: &str) -> Quoted {
    let rest = rest.trim_start_matches([':', ' ', '[', '"']);
    Quoted::CanonicalRequest(rest.split('"').next().unwrap_or_default().to_owned())
}

fn failed(tables: &Tables, reply: &HttpResponse) -> Failure {
    let page = Page::new(&reply.body);
    let mut failure = classify::failure(tables, reply, &page);
    if let Some(known) = classify::by_words(MARKERS, &failure.message) {
        failure.means(known);
    }
    classify::take_quoted(&mut failure, &page.text, QUOTED);
    // Since 2026 the vendor's SDKs take any failure with this header as throttling, in milliseconds.
    let hint = reply
        .header("x-acs-retry-after")
        .and_then(|text| text.trim().parse().ok());
    if let Some(milliseconds @ 1..) = hint {
        failure.retry_after = Some(std::time::Duration::from_millis(milliseconds));
        // A 5xx may have been executed all the same; the hint says only how long to wait.
        if matches!(reply.status, 400..=499) {
            failure.kind = Kind::Throttled;
        }
    }
    failure
}
