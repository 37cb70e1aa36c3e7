//! ZStack's REST style: a wrapper key around the body, jobs behind 202, sessions or access keys.
//!
//! Whether a call runs at once or as a job is told by the status of the answer, never by the
//! documentation, which is wrong about it in places.

use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use zeroize::Zeroizing;

use crate::credentials::Identity;
use crate::error::{Error, Evidence, Kind};
use crate::operation::Operation;
use crate::record::{self, Json, ListKeys, Location, Record, Wire};
use crate::service::{Code, Service};
use crate::sign::{percent, zstack_access_key};
use crate::transport::Reply;
use crate::wipe;

use super::json_body::add_member;
use super::members::{Members, header_value};
use super::{
    Body, Encoded, Failure, Prepared, Protocol, Settings, Signing, Verdict, classify, path, request,
};

/// The protocol, as one client speaks it.
#[derive(Debug)]
pub struct ZStack {
    /// Send body keys in lower case, as one documentation page prints them. Real servers compare the
    /// key exactly and know only the camel-case form.
    pub lower_case_keys: bool,
    utc_offset: AtomicI32,
    tried: AtomicUsize,
}

/// Offsets to try when a server refuses the time: that of most installations, then UTC.
const LIKELY_OFFSETS: [i32; 2] = [8 * 3600, 0];

const V1: &str = "/v1";

impl ZStack {
    /// `utc_offset`: the server's time zone in seconds east of UTC. By default servers compare the
    /// wall clock of the `Date` header with their own, whatever zone it names.
    pub fn new(utc_offset: i32, lower_case_keys: bool) -> Self {
        Self {
            lower_case_keys,
            utc_offset: AtomicI32::new(utc_offset),
            tried: AtomicUsize::new(0),
        }
    }
}

#[rustfmt::skip]
const CODES: &[Code] = &[
    Code { code: "ID.1001", kind: Kind::TokenExpired, hint: "" },
    Code { code: "SYS.1001", kind: Kind::Timeout, hint: "" },
    Code { code: "SYS.1003", kind: Kind::NotFound, hint: "" },
    Code { code: "SYS.1007", kind: Kind::InvalidArgument, hint: "" },
    Code { code: "ID.1002", kind: Kind::PermissionDenied, hint: "" },
];

impl Protocol for ZStack {
    fn encode(
        &self,
        operation: &'static Operation,
        input: &dyn Record,
        settings: &Settings,
        how: &dyn Fn(&str) -> String,
    ) -> Result<Encoded, Error> {
        let filled = path::fill(operation, input, settings)?;
        if let Some(name) = path::open(&filled.encoded) {
            let message = format!("path member `{name}` is not set");
            return Err(Error::new(Kind::InvalidInput, operation.name, message));
        }
        let members = Members {
            operation,
            settings,
            how,
            lists: ListKeys::Repeated,
        };
        let below = |path: String| format!("{V1}{path}");
        let (path, plain) = (below(filled.encoded), below(filled.plain));
        let mut encoded = members.encode(input, path, plain, &mut |_, _| None)?;
        if let Some(key) = operation.wrapper {
            let members = Zeroizing::new(record::to_json(Wire::only(input, Location::Body)));
            let key = if self.lower_case_keys {
                key.to_ascii_lowercase()
            } else {
                key.to_owned()
            };
            let key = Json::String(key).to_string();
            let body = [b"{", key.as_bytes(), b":", &members, b"}"].concat();
            encoded.body = Body::Json(wipe::bytes(body));
        }
        Ok(encoded)
    }

    fn add(&self, encoded: &mut Encoded, name: &str, value: Json) -> Result<(), Error> {
        let wrapper = encoded.operation.wrapper.map(|key| {
            if self.lower_case_keys {
                key.to_ascii_lowercase()
            } else {
                key.to_owned()
            }
        });
        add_member(encoded, wrapper.as_deref(), name, value)
    }

    fn prepare(&self, encoded: &Encoded, signing: &Signing<'_>) -> Result<Prepared, Error> {
        let operation = encoded.operation;
        let mut query = String::new();
        for (key, value) in &encoded.query {
            if !query.is_empty() {
                query.push('&');
            }
            percent::push(&mut query, key);
            query.push('=');
            percent::push(&mut query, value);
        }
        let body = match &encoded.body {
            Body::Json(json) | Body::Typed(json, _) => json.clone(),
            Body::Empty | Body::Multipart(_) => Bytes::new(),
        };
        let url = signing.endpoint.join(&encoded.path, &query);
        let has_body = !body.is_empty();
        let mut outgoing = request(&operation.method, url, encoded, signing, body);
        if has_body {
            let json = HeaderValue::from_static("application/json; charset=utf-8");
            outgoing.headers.insert(header::CONTENT_TYPE, json);
        }
        let job = header_value(operation, "x-job-uuid", signing.job)?;
        outgoing.headers.insert("x-job-uuid", job);
        let evidence = self.authorize(encoded, signing, &mut outgoing)?;
        Ok(Prepared {
            request: outgoing,
            evidence,
        })
    }

    fn poll(&self, encoded: &Encoded, job: &str, signing: &Signing<'_>) -> Result<Prepared, Error> {
        let mut path = format!("{V1}/api-jobs/");
        percent::push(&mut path, job);
        let url = signing.endpoint.join(&path, "");
        // The server checks no credentials here, so none are sent.
        let request = request(&Method::GET, url, encoded, signing, Bytes::new());
        Ok(Prepared {
            request,
            evidence: None,
        })
    }

    fn read(
        &self,
        service: &'static Service,
        _: &'static Operation,
        reply: &Reply,
        output: &mut dyn Record,
    ) -> Verdict {
        match reply.status {
            202 => pending(reply),
            200 | 201 | 204 => {
                if reply.body.is_empty()
                    && (reply.status == 204 || output.schema().members.is_empty())
                {
                    return Verdict::Done(Vec::new());
                }
                match record::decode(output, &reply.body) {
                    Err(cause) => Verdict::Failed(classify::unreadable(reply, &cause)),
                    Ok(problems) => match embedded_error(service, reply) {
                        Some(failure) => Verdict::Failed(failure),
                        None => Verdict::Done(problems),
                    },
                }
            }
            _ => failed(service, reply),
        }
    }

    fn request_id(&self, reply: &Reply) -> Option<String> {
        reply.header("x-job-uuid").map(str::to_owned)
    }

    fn shift_zone(&self) -> bool {
        let next = self.tried.fetch_add(1, Ordering::Relaxed);
        match LIKELY_OFFSETS.get(next) {
            Some(offset) => {
                self.utc_offset.store(*offset, Ordering::Relaxed);
                true
            }
            None => false,
        }
    }
}

impl ZStack {
    fn authorize(
        &self,
        encoded: &Encoded,
        signing: &Signing<'_>,
        outgoing: &mut crate::transport::Request,
    ) -> Result<Option<Evidence>, Error> {
        let operation = encoded.operation;
        let (text, evidence) = match signing.credential.map(|credential| &credential.identity) {
            None => return Ok(None),
            Some(Identity::Token(session)) => (["OAuth ", session.expose()].concat(), None),
            Some(Identity::Keys(keys)) => {
                let offset = self.utc_offset.load(Ordering::Relaxed);
                let date = zstack_access_key::date(signing.now, offset);
                let value = header_value(operation, "date", &date)?;
                outgoing.headers.insert(header::DATE, value);
                let signed = zstack_access_key::authorization(
                    &keys.id,
                    keys.secret.expose(),
                    operation.method.as_str(),
                    &date,
                    &encoded.plain_path,
                );
                let text = signed.authorization.clone();
                (text, Some(Evidence::new(signed, signing.now)))
            }
        };
        let text = Zeroizing::new(text);
        let mut value = header_value(operation, "authorization", &text)?;
        value.set_sensitive(true);
        outgoing.headers.insert(header::AUTHORIZATION, value);
        Ok(evidence)
    }
}

/// A running job. The host in `location` is the management node's own address, which need not be
/// reachable from here: only the id at its end counts.
fn pending(reply: &Reply) -> Verdict {
    let json: Json = serde_json::from_slice(&reply.body).unwrap_or_default();
    let location = json
        .get("location")
        .and_then(Json::as_str)
        .unwrap_or_default();
    let location = location.split(['?', '#']).next().unwrap_or_default();
    let job = location
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or_default();
    // What is no id could name something else, such as `..`; then the id that was sent counts.
    let job = if job
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    {
        job
    } else {
        ""
    };
    let timeout = json
        .get("apiTimeout")
        .and_then(Json::as_u64)
        .map(Duration::from_millis);
    Verdict::Pending(job.to_owned(), timeout)
}

/// An answer may hold `"error": {..}` beside a success status.
fn embedded_error(service: &'static Service, reply: &Reply) -> Option<Failure> {
    // Cheap tests first: results are large, errors are small and rare.
    let marker = b"\"error\"";
    if reply.body.len() > 8192
        || !reply
            .body
            .windows(marker.len())
            .any(|window| window == marker)
    {
        return None;
    }
    let json: Json = serde_json::from_slice(&reply.body).ok()?;
    let error = json.get("error")?.as_object()?;
    error
        .contains_key("code")
        .then(|| error_code(service, reply, &json))
}

fn failed(service: &'static Service, reply: &Reply) -> Verdict {
    let text = String::from_utf8_lossy(&reply.body);
    if reply.status == 404 && text.contains("the job has been expired") {
        return Verdict::NoSuchJob;
    }
    if reply.status == 400 && text.contains("Duplicate job uuid") {
        return Verdict::DuplicateJob;
    }
    if let Ok(json) = serde_json::from_slice::<Json>(&reply.body)
        && json.get("error").is_some_and(Json::is_object)
    {
        return Verdict::Failed(error_code(service, reply, &json));
    }
    let (mut failure, _) = classify::failure(service, CODES, reply);
    let plain: &[(&str, Kind, &str)] = &[
        (
            "requestTimeTooSkewed",
            Kind::ClockSkew,
            "The server compares wall clocks: set `server_utc_offset` to the offset of its time zone",
        ),
        (
            "wrong accessKey signature",
            Kind::Signature,
            "Check the access key secret",
        ),
        (
            "does not existed or disabled",
            Kind::Unauthenticated,
            "The access key does not exist or is disabled",
        ),
    ];
    for (marker, kind, hint) in plain {
        if text.contains(marker) {
            failure.kind = *kind;
            failure.hint = Some((*hint).to_owned());
        }
    }
    Verdict::Failed(failure)
}

/// `{"error":{code, description, details, cause:{..}}}`: the innermost cause says what happened.
fn error_code(service: &'static Service, reply: &Reply, json: &Json) -> Failure {
    let (mut failure, _) = classify::failure(service, CODES, reply);
    let Some(error) = json.get("error") else {
        return failure;
    };
    let text = |object: &Json, name: &str| {
        object
            .get(name)
            .and_then(Json::as_str)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let code = text(error, "code");
    let known = code.as_deref().and_then(|code| {
        crate::service::find_code(service.codes, code)
            .or_else(|| crate::service::find_code(CODES, code))
    });
    failure.kind = known.map_or(Kind::OperationFailed, |known| known.kind);
    failure.hint = known
        .filter(|known| !known.hint.is_empty())
        .map(|known| known.hint.to_owned());
    let words = text(error, "details").or_else(|| text(error, "description"));
    // Without either, what the body says as a whole stays.
    if words.is_some() || code.is_some() {
        failure.message = words.unwrap_or_default();
    }
    let mut innermost = error;
    for _ in 0..16 {
        let causes = innermost.get("causes").and_then(|causes| causes.get(0));
        match innermost
            .get("cause")
            .filter(|cause| cause.is_object())
            .or(causes)
        {
            Some(cause) => innermost = cause,
            None => break,
        }
    }
    if !std::ptr::eq(innermost, error) {
        let why = text(innermost, "details").or_else(|| text(innermost, "description"));
        let name = text(innermost, "code").unwrap_or_default();
        if let Some(why) = why
            && !failure.message.contains(&why)
        {
            failure.message.push_str(&format!("; cause: {name} {why}"));
        }
    }
    failure.message = super::body::excerpt_long(&failure.message);
    failure.code = code.or(failure.code);
    failure
}
