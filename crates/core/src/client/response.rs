//! What a call returns: the typed answer, and everything that is known about getting it.

use std::any::Any;
use std::fmt;
use std::ops::{Deref, DerefMut};

use bytes::Bytes;
use http::HeaderMap;

use crate::error::Attempt;
use crate::idempotency::ClientToken;
use crate::record::{Json, Problem, Record};

use super::secret_name;

/// A successful answer. Reads through to the output; [`into_output`](Self::into_output)
/// takes it out.
pub struct Response<O> {
    /// The typed answer.
    pub output: O,
    pub(super) meta: Box<Meta>,
}

#[derive(Clone, Default)]
pub(super) struct Meta {
    pub request_id: Option<String>,
    pub attempts: Vec<Attempt>,
    pub client_token: Option<ClientToken>,
    pub job: Option<String>,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub warnings: Vec<Problem>,
    pub found: bool,
}

impl<O> Response<O> {
    /// A response around `output`, for tests of programs that take responses.
    pub fn new(output: O) -> Self {
        Self {
            output,
            meta: Box::new(Meta {
                status: 200,
                ..Meta::default()
            }),
        }
    }
    /// The service's id of the request, for its support.
    pub fn request_id(&self) -> Option<&str> {
        self.meta.request_id.as_deref()
    }
    /// Every attempt, the successful one last.
    pub fn attempts(&self) -> &[Attempt] {
        &self.meta.attempts
    }
    /// The client token that went with the call.
    pub fn client_token(&self) -> Option<&ClientToken> {
        self.meta.client_token.as_ref()
    }
    /// The job that did it, where one did.
    pub fn job(&self) -> Option<&str> {
        self.meta.job.as_deref()
    }
    /// Whether the thing was found, and not made by the last request: an earlier one of the same call
    /// had made it, or, where nothing tells them apart, somebody else did. The output holds what the
    /// list shows of it; secrets that are told once are not among that.
    pub fn found(&self) -> bool {
        self.meta.found
    }
    /// The HTTP status.
    pub fn http_status(&self) -> u16 {
        self.meta.status
    }
    /// The HTTP headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.meta.headers
    }
    /// The body as it came, secrets in clear.
    pub fn raw_body(&self) -> &[u8] {
        &self.meta.body
    }
    /// The body as JSON, with what goes by a secret's name hidden: for answers that no model describes.
    /// Null where it is no JSON.
    pub fn redacted_body(&self) -> Json {
        let mut json = serde_json::from_slice(&self.meta.body).unwrap_or_default();
        secret_name::hide("", &mut json);
        json
    }
    /// Members of the answer that were not what the model says; they are empty in the output.
    pub fn warnings(&self) -> &[Problem] {
        &self.meta.warnings
    }
    /// The typed answer alone.
    pub fn into_output(self) -> O {
        self.output
    }
    /// The same response with another output.
    pub fn map<P>(self, convert: impl FnOnce(O) -> P) -> Response<P> {
        Response {
            output: convert(self.output),
            meta: self.meta,
        }
    }
}

impl<O> Deref for Response<O> {
    type Target = O;
    fn deref(&self) -> &O {
        &self.output
    }
}

impl<O> DerefMut for Response<O> {
    fn deref_mut(&mut self) -> &mut O {
        &mut self.output
    }
}

impl<O: fmt::Debug> fmt::Debug for Response<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("output", &self.output)
            .field("request_id", &self.meta.request_id)
            .field("status", &self.meta.status)
            .field("attempts", &self.meta.attempts.len())
            .field("warnings", &self.meta.warnings)
            .finish_non_exhaustive()
    }
}

mod sealed {
    pub trait Sealed {}
    impl<R: crate::record::Record> Sealed for R {}
    impl Sealed for Box<dyn crate::record::Record> {}
}

/// An output type: a record, or any record on the heap for by-name calls. Nothing else can be one.
pub trait FromRecord: sealed::Sealed + Sized + Send + 'static {
    /// Takes `record` as itself; `None` when it is of another type.
    fn from_record(record: Box<dyn Record>) -> Option<Self>;
    /// It as a record.
    fn as_record(&self) -> &dyn Record;
}

impl<R: Record> FromRecord for R {
    fn from_record(record: Box<dyn Record>) -> Option<Self> {
        let any: Box<dyn Any> = record;
        any.downcast::<R>().ok().map(|output| *output)
    }
    fn as_record(&self) -> &dyn Record {
        self
    }
}

impl FromRecord for Box<dyn Record> {
    fn from_record(record: Box<dyn Record>) -> Option<Self> {
        Some(record)
    }
    fn as_record(&self) -> &dyn Record {
        &**self
    }
}
