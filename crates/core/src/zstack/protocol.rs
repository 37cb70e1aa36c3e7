//! ZStack's REST style: a wrapper key around the body, jobs behind 202, sessions or access keys.
//!
//! Whether a call runs at once or as a job is told by the status of the answer, never by the
//! documentation, which is wrong about it in places.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, header};
use zeroize::Zeroizing;

use crate::clock::Entropy;
use crate::credentials::Identity;
use crate::error::{Error, Evidence, Kind};
use crate::idempotency::ClientToken;
use crate::operation::Operation;
use crate::record::{self, Json, ListKeys, Location, Record, Wire};
use crate::service::{Service, Settings};
use crate::sign::percent;
use crate::transport::HttpResponse;
use crate::wipe;
use crate::zstack::codes::{CODES, MARKERS};
use crate::zstack::{CONTEXT_PATH, access_key, progress};

use crate::error::body::{self, Page};
use crate::protocol::classify::{self, Tables};
use crate::protocol::members::{Members, Text, set_header};
use crate::protocol::request_body::add_member;
use crate::protocol::success;
use crate::protocol::{
    Body, Encoded, JobState, Prepared, Progress, Protocol, Signing, Verdict, path, request, seal,
    takes_no_token,
};

/// The protocol, as one client speaks it.
#[derive(Debug)]
pub struct ZStack {
    /// Send body keys in lower case, as one documentation page prints them. Real servers compare the
    /// key exactly and know only the camel-case form.
    pub lower_case_keys: bool,
    /// Offsets to try, the one that was set first.
    offsets: Vec<i32>,
    /// Which of them is used now.
    zone: AtomicUsize,
}

/// Offsets to try when a server refuses the time: that of most installations, then UTC.
const LIKELY_OFFSETS: [i32; 2] = [8 * 3600, 0];

const V1: &str = "/v1";

impl ZStack {
    /// `utc_offset`: the server's time zone in seconds east of UTC. By default servers compare the
    /// wall clock of the `Date` header with their own, whatever zone it names.
    pub fn new(utc_offset: i32, lower_case_keys: bool) -> Self {
        let mut offsets = vec![utc_offset];
        offsets.extend(
            LIKELY_OFFSETS
                .iter()
                .filter(|&&likely| likely != utc_offset),
        );
        Self {
            lower_case_keys,
            offsets,
            zone: AtomicUsize::new(0),
        }
    }
}

impl seal::Sealed for ZStack {}

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
        let below = |path: String| [V1, &path].concat().into();
        let (path, plain) = (below(filled.encoded), below(filled.plain));
        let mut encoded = members.encode(input, path, plain, &mut |_, _| None)?;
        if let Some((id, _)) = operation.one {
            // Not `GET /things/{uuid}`: where a path has one API, servers run it whatever the method, and
            // of some it is the one that removes the thing.
            for (name, value) in encoded.query.iter_mut().filter(|(name, _)| name == id) {
                *value = format!("{id}={value}");
                *name = "q".into();
            }
        }
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

    fn progress(&self) -> Option<Progress> {
        Some(progress::progress())
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
        let mut outgoing = request(&operation.method, url, encoded, signing, body, 4);
        if has_body {
            let json = HeaderValue::from_static("application/json; charset=utf-8");
            outgoing.headers.insert(header::CONTENT_TYPE, json);
        }
        if let Some(job) = signing.job {
            let name = HeaderName::from_static("x-job-uuid");
            set_header(&mut outgoing.headers, operation, name, Text::Plain(job))?;
        }
        let evidence = self.authorize(encoded, signing, &mut outgoing)?;
        Ok(Prepared {
            request: outgoing,
            evidence,
        })
    }

    /// Every call has one, since any of them may turn out to run as a job.
    fn job_id(
        &self,
        operation: &'static Operation,
        given: Option<&ClientToken>,
        entropy: &dyn Entropy,
    ) -> Result<Option<String>, Error> {
        let Some(given) = given else {
            return Ok(Some(crate::clock::uuid(entropy).simple().to_string()));
        };
        if !operation.is_keyed_by_job() {
            return Err(takes_no_token(operation));
        }
        let job = given.as_str().replace('-', "");
        if job.len() != 32 || !job.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let message =
                format!("`{given}` is no job id: ZStack takes a UUID of 32 hexadecimal digits");
            return Err(Error::new(Kind::InvalidInput, operation.name, message));
        }
        Ok(Some(job))
    }

    fn poll(&self, encoded: &Encoded, job: &str, signing: &Signing<'_>) -> Result<Prepared, Error> {
        let mut path = format!("{V1}/api-jobs/");
        percent::push(&mut path, job);
        let url = signing.endpoint.join(&path, "");
        // The server checks no credentials here, so none are sent.
        let request = request(&Method::GET, url, encoded, signing, Bytes::new(), 0);
        Ok(Prepared::unsigned(request))
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
        match reply.status {
            202 => pending(reply),
            200 | 201 | 204 => {
                if reply.body.is_empty()
                    && (reply.status == 204 || output.schema().members.is_empty())
                {
                    return Verdict::Done(Vec::new());
                }
                let mut verdict = success::read(&tables, reply, output);
                if let Verdict::Failed(failure) = &mut verdict {
                    failure.is_result = failure.code.as_deref().is_some_and(is_name);
                }
                verdict
            }
            _ => failed(&tables, reply),
        }
    }

    fn request_id(&self, reply: &HttpResponse, _: &dyn Record) -> Option<String> {
        reply.header("x-job-uuid").map(str::to_owned)
    }

    fn context_path(&self) -> &'static str {
        CONTEXT_PATH
    }

    fn zones(&self) -> usize {
        self.offsets.len()
    }

    fn zone(&self) -> usize {
        self.zone.load(Ordering::Relaxed)
    }

    fn shift_zone(&self, zone: usize) {
        let next = (zone + 1) % self.offsets.len();
        // Of many calls that fail at once only the first shifts; the others take what it found.
        let _ = self
            .zone
            .compare_exchange(zone, next, Ordering::Relaxed, Ordering::Relaxed);
    }
}

impl ZStack {
    fn authorize(
        &self,
        encoded: &Encoded,
        signing: &Signing<'_>,
        outgoing: &mut crate::transport::HttpRequest,
    ) -> Result<Option<Evidence>, Error> {
        let operation = encoded.operation;
        let (text, evidence) = match signing.credential.map(|credential| &credential.identity) {
            None => return Ok(None),
            Some(Identity::Token(session)) => (["OAuth ", session.expose()].concat(), None),
            Some(Identity::Keys(keys)) => {
                let offset = self.offsets.get(signing.zone).copied().unwrap_or_default();
                let date = access_key::date(signing.now, offset);
                let text = Text::Plain(&date);
                set_header(&mut outgoing.headers, operation, header::DATE, text)?;
                let mut signed = access_key::authorization(
                    &keys.id,
                    keys.secret.expose(),
                    operation.method.as_str(),
                    &date,
                    &encoded.plain_path,
                );
                let text = std::mem::take(&mut signed.authorization);
                (text, Some(Evidence::new(signed, signing.now)))
            }
        };
        let text = Text::Secret(text.into());
        set_header(
            &mut outgoing.headers,
            operation,
            header::AUTHORIZATION,
            text,
        )?;
        Ok(evidence)
    }
}

/// A running job. The host in `location` is the management node's own address, which need not be
/// reachable from here: only the id at its end counts.
fn pending(reply: &HttpResponse) -> Verdict {
    let json = Page::new(&reply.body).json.unwrap_or_default();
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
    let is_id = |text: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !text.is_empty() && text.bytes().all(plain)
    };
    let timeout = json.get("apiTimeout").and_then(Json::as_u64);
    Verdict::Job(JobState::Running {
        id: is_id(job).then(|| job.to_owned()),
        limit: timeout.map(Duration::from_millis),
    })
}

/// ZStack's codes are names with a number, such as `SYS.1006` or `ORG_ZSTACK_COMPUTE_VM_10100`; load
/// balancers write `{"error": {"code": 502}}`.
fn is_name(code: &str) -> bool {
    let Some((name, number)) = code.rsplit_once(['.', '_']) else {
        return false;
    };
    name.starts_with(|first: char| first.is_ascii_uppercase())
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

fn failed(tables: &Tables, reply: &HttpResponse) -> Verdict {
    let page = Page::new(&reply.body);
    if reply.status == 404 && page.text.contains("the job has been expired") {
        return Verdict::Job(JobState::Absent);
    }
    if reply.status == 400 && page.text.contains("Duplicate job uuid") {
        return Verdict::Job(JobState::Taken);
    }
    let error = page.json.as_ref().and_then(|json| json.get("error"));
    if let Some(error) = error.filter(|error| error.is_object()) {
        let mut loose = body::error_object(error);
        loose.structured = loose.code.as_deref().is_some_and(is_name);
        // 503 is how ZStack answers that an API or its job failed; whoever else writes such an object
        // with another status stands between.
        let own = loose.structured && reply.status == 503;
        let otherwise = match own {
            true => Kind::OperationFailed,
            false => classify::by_status(reply.status, loose.structured),
        };
        if loose.structured {
            let mut failure = tables.failure(reply, loose, otherwise);
            failure.is_result = own;
            return Verdict::Failed(failure);
        }
    }
    let mut failure = classify::failure(tables, reply, &page);
    if let Some(known) = classify::by_words(MARKERS, &page.text) {
        failure.means(known);
    }
    Verdict::Failed(failure)
}
