//! How each cloud wants a call on the wire, and what its answers mean.
//!
//! A [`Protocol`] turns a record into an [`Encoded`] call once, turns that into a signed request for
//! every attempt, and reads answers into a [`Verdict`]. All of it is sans-I/O: functions of values.

pub(crate) mod classify;
mod endpoint;
pub(crate) mod members;
pub(crate) mod path;
pub(crate) mod request_body;
pub(crate) mod success;

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use url::Url;
use zeroize::Zeroize as _;

use crate::clock::Entropy;
use crate::credentials::Credential;
use crate::error::{Error, Evidence, Kind, Quoted};
use crate::idempotency::ClientToken;
use crate::operation::{Operation, RetryClass};
use crate::record::{Json, Problem, Record, Secret};
use crate::service::{Code, Service, Settings};
use crate::transport::{HttpRequest, HttpResponse};

pub use endpoint::Endpoint;

/// A call, encoded once; nothing in it depends on time, nonce or credentials.
#[derive(Clone)]
pub struct Encoded {
    /// The operation.
    pub operation: &'static Operation,
    /// The path, percent-encoded; a `{project_id}` that credentials will tell is still in it.
    pub path: Cow<'static, str>,
    /// The same path in clear, for signatures over decoded paths.
    pub plain_path: Cow<'static, str>,
    /// Parameters, in clear.
    pub query: Vec<(Cow<'static, str>, String)>,
    /// Headers of the operation and of the call.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: Body,
    /// Secrets among the members, to be kept out of URLs and messages.
    pub secrets: Vec<Secret>,
}

impl Drop for Encoded {
    /// Parameters hold the secrets in clear; the body wipes itself.
    fn drop(&mut self) {
        if !self.secrets.is_empty() {
            self.query.iter_mut().for_each(|(_, value)| value.zeroize());
        }
    }
}

impl fmt::Debug for Encoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.operation.name, self.path)
    }
}

/// A request body before it goes out.
#[derive(Clone)]
pub enum Body {
    /// None.
    Empty,
    /// JSON text.
    Json(Bytes),
    /// Anything else, with its content type.
    Typed(Bytes, &'static str),
    /// `multipart/form-data`.
    Multipart(Vec<Part>),
}

/// A part of a multipart body: name, file name for files, content.
pub type Part = (&'static str, Option<&'static str>, Bytes);

/// What an attempt adds to an encoded call.
#[derive(Clone, Copy)]
pub struct Signing<'a> {
    /// The service.
    pub service: &'static Service,
    /// Where to.
    pub endpoint: &'a Endpoint,
    /// One snapshot of the credentials; none for calls that need none.
    pub credential: Option<&'a Credential>,
    /// The service's time as far as it is known, in Unix seconds.
    pub now: i64,
    /// New for every attempt.
    pub nonce: &'a str,
    /// Which of the protocol's ways to write the time, see [`Protocol::zone`].
    pub zone: usize,
    /// The id that the call's job is to have, the same for all attempts; see [`Protocol::job_id`].
    pub job: Option<&'a str>,
    /// The User-Agent.
    pub user_agent: &'a HeaderValue,
    /// How long the answer may take.
    pub timeout: Duration,
}

/// A signed request, with what its signature was made from.
pub struct Prepared {
    /// The request.
    pub request: HttpRequest,
    /// For `explain()`.
    pub(crate) evidence: Option<Evidence>,
}

impl Prepared {
    /// A request that carries no signature.
    pub(crate) fn unsigned(request: HttpRequest) -> Self {
        Self {
            request,
            evidence: None,
        }
    }
}

/// What an answer means.
#[derive(Debug)]
pub enum Verdict {
    /// It worked; the output is filled. Members that did not fit are reported.
    Done(Vec<Problem>),
    /// It runs as a job, or would: what the service says of that.
    Job(JobState),
    /// It failed.
    Failed(Failure),
}

/// What an answer tells of the job that runs a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobState {
    /// It runs.
    Running {
        /// Its id, unless it is the one that was sent.
        id: Option<String>,
        /// How long the service gives it.
        limit: Option<Duration>,
    },
    /// A job has the id that was sent: an earlier copy of this call arrived.
    Taken,
    /// No job has it.
    Absent,
}

/// A failure as the answer tells it.
#[derive(Debug)]
pub struct Failure {
    /// What kind of failure.
    pub kind: Kind,
    /// The service's code.
    pub code: Option<String>,
    /// The service's words.
    pub message: String,
    /// The next step for a person.
    pub hint: Option<String>,
    /// How long to wait before a repeat, if the service says so.
    pub retry_after: Option<Duration>,
    /// The service's clock in Unix seconds, if the answer tells it.
    pub server_time: Option<i64>,
    /// The service itself reports how the job or call ended, rather than something on the way to it.
    pub is_result: bool,
    /// Another attempt would meet the same, such as an answer that is larger than what is read.
    pub is_final: bool,
    /// What the service quotes of the request that it saw; the message does without, since tokens
    /// stand in it.
    pub quoted: Option<Quoted>,
    /// The service's id of the request, if the body tells it.
    pub request_id: Option<String>,
    /// Whether a code of the service says that the very thing which the operation removes is gone.
    /// A 404 alone does not: a proxy, another address or a missing parent answers it too.
    pub gone: bool,
    /// Why it is not waited out although it may pass; the machine of a call says so.
    pub not_repeated: Option<String>,
}

impl Failure {
    /// A failure without further facts.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            code: None,
            message: message.into(),
            hint: None,
            retry_after: None,
            server_time: None,
            is_result: false,
            is_final: false,
            quoted: None,
            request_id: None,
            gone: false,
            not_repeated: None,
        }
    }

    /// Takes over what is known, whatever the status said.
    pub(crate) fn means(&mut self, known: &Code) {
        self.kind = known.kind;
        if !known.hint.is_empty() {
            self.hint = Some(known.hint.to_owned());
        }
    }
}

/// The rooms of this crate alone have protocols.
pub(crate) mod seal {
    pub trait Sealed {}
}

/// One cloud's way of talking. Only this crate implements it.
pub trait Protocol: seal::Sealed + Send + Sync + fmt::Debug {
    /// Encodes the members of `input`, once per call.
    fn encode(
        &self,
        operation: &'static Operation,
        input: &dyn Record,
        settings: &Settings,
        how: &dyn Fn(&str) -> String,
    ) -> Result<Encoded, Error>;

    /// Sets a member that the model lacks, or that the client fills in: a client token.
    fn add(&self, encoded: &mut Encoded, name: &str, value: Json) -> Result<(), Error>;

    /// Signs an attempt.
    fn prepare(&self, encoded: &Encoded, signing: &Signing<'_>) -> Result<Prepared, Error>;

    /// The id that a call's job is to have: `given` by the caller, or a new one; none where calls run
    /// without one. An error where the operation cannot take what is given.
    fn job_id(
        &self,
        operation: &'static Operation,
        given: Option<&ClientToken>,
        entropy: &dyn Entropy,
    ) -> Result<Option<String>, Error> {
        let _ = entropy;
        match given {
            Some(_) => Err(takes_no_token(operation)),
            None => Ok(None),
        }
    }

    /// The request that asks after a job.
    fn poll(&self, encoded: &Encoded, job: &str, signing: &Signing<'_>) -> Result<Prepared, Error> {
        let _ = (job, signing);
        let message = "the service runs no jobs that could be asked after";
        Err(Error::new(
            Kind::InvalidResponse,
            encoded.operation.name,
            message,
        ))
    }

    /// Reads an answer; a success fills `output`.
    fn read(
        &self,
        service: &'static Service,
        operation: &'static Operation,
        reply: &HttpResponse,
        output: &mut dyn Record,
    ) -> Verdict;

    /// How far a job is: the operation that tells it, where the service has one.
    fn progress(&self) -> Option<Progress> {
        None
    }

    /// The service's id of a request, from its answer and what was decoded of it.
    fn request_id(&self, reply: &HttpResponse, output: &dyn Record) -> Option<String>;

    /// The path that an address means which names none.
    fn context_path(&self) -> &'static str {
        ""
    }

    /// How many ways there are to write the time: some services compare wall clocks of a zone that
    /// has to be guessed.
    fn zones(&self) -> usize {
        1
    }

    /// The way that requests use now.
    fn zone(&self) -> usize {
        0
    }

    /// Goes on to the next way, unless another call has done so since this one was signed in `zone`.
    fn shift_zone(&self, zone: usize) {
        let _ = zone;
    }
}

/// An operation that tells how far a job is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// The operation.
    pub operation: &'static Operation,
    /// Its member that names the job.
    pub id: &'static str,
    /// What its answer says in percent.
    pub percent: fn(&dyn Record) -> Option<f64>,
}

/// The error for a token that the service would not recognise a repeat by.
pub(crate) fn takes_no_token(operation: &Operation) -> Error {
    let message = "this operation has no client token: the service would not recognise a repeat";
    Error::new(Kind::InvalidInput, operation.name, message)
}

/// A request with what every protocol sends. `own` is how many headers the protocol adds: what is set
/// aside for them is copied with them, and kept as long as the answer takes.
pub(crate) fn request(
    method: &Method,
    url: Url,
    encoded: &Encoded,
    signing: &Signing<'_>,
    body: Bytes,
    own: usize,
) -> HttpRequest {
    // User-Agent here; Host, and Accept where it is not set, in the transport.
    let mut headers = HeaderMap::with_capacity(own + 3 + encoded.headers.len());
    headers.insert(http::header::USER_AGENT, signing.user_agent.clone());
    for (name, value) in &encoded.headers {
        headers.insert(name, value.clone());
    }
    HttpRequest {
        method: method.clone(),
        url,
        headers,
        body,
        timeout: signing.timeout,
        // Polls of a job change nothing.
        fresh: encoded.operation.retry == RetryClass::Unsafe && *method != Method::GET,
    }
}
