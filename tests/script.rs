//! A transport that answers from a list: for answers that no local cloud would give.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use cumulo_core::clock::BoxFuture;
use cumulo_core::transport::{
    HttpRequest, HttpResponse, Transport, TransportError, TransportErrorKind,
};
use http::{HeaderMap, HeaderName, HeaderValue};

/// One answer of a [`Script`].
#[derive(Debug)]
pub struct Answer(Result<HttpResponse, TransportErrorKind>);

impl Answer {
    /// An answer with this status and body.
    pub fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self(Ok(HttpResponse {
            status,
            headers: HeaderMap::new(),
            body: body.into(),
        }))
    }

    /// No whole answer.
    pub fn broken(how: TransportErrorKind) -> Self {
        Self(Err(how))
    }

    /// With this header too.
    ///
    /// # Panics
    /// When HTTP has no such header.
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(reply) = &mut self.0 {
            let value = HeaderValue::from_str(value).expect("a header value");
            reply.headers.append(HeaderName::from_static(name), value);
        }
        self
    }
}

/// Answers one after the other, and remembers what was asked. Clones share the list.
#[derive(Debug, Clone)]
pub struct Script(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    answers: VecDeque<Answer>,
    sent: Vec<HttpRequest>,
}

impl Script {
    /// Gives these answers; after the last one every connection is refused.
    pub fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self(Arc::new(Mutex::new(State {
            answers: answers.into_iter().collect(),
            sent: Vec::new(),
        })))
    }

    /// A single answer.
    pub fn one(status: u16, body: impl Into<Bytes>) -> Self {
        Self::new([Answer::new(status, body)])
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was sent so far.
    pub fn sent(&self) -> Vec<HttpRequest> {
        self.state().sent.clone()
    }
}

impl Transport for Script {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        let mut state = self.state();
        state.sent.push(request);
        let answer = state.answers.pop_front();
        let answer = answer.map_or(Err(TransportErrorKind::Connect), |answer| answer.0);
        Box::pin(std::future::ready(
            answer.map_err(|kind| TransportError::new(kind, "as the script says")),
        ))
    }
}
