//! What did the backend answer? Whole, or piece by piece.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use cumulo_core::transport::DownloadBody;
use futures_core::Stream;
use http::HeaderMap;
use serde_json::Value;

use super::NAME;
use crate::{Attempt, Error, Kind};

/// The backend's answer, of any status.
#[derive(Clone)]
pub struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) attempts: Vec<Attempt>,
}

impl Answer {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }
    /// The headers, those of the gateway among them.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }
    /// A header's value, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
    /// The body.
    pub fn body(&self) -> &Bytes {
        &self.body
    }
    /// The body as JSON.
    ///
    /// # Errors
    /// When it is none.
    pub fn json(&self) -> Result<Value, Error> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let message = format!("the backend's body is no JSON: {error}");
            Error::new(Kind::InvalidResponse, NAME, message)
        })
    }
    /// The gateway's id of the request, for its support and its logs.
    pub fn request_id(&self) -> Option<&str> {
        self.header("x-request-id")
    }
    /// Every attempt, in order; the last one was answered.
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }
}

impl fmt::Debug for Answer {
    /// Without the body, which may hold anything.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {}, {} bytes", self.status, self.body.len())
    }
}

/// The backend's answer, of any status, whose body is still coming. Dropping it ends the connection.
pub struct Streamed {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// What was read already, in looking for a refusal.
    pub(super) first: Bytes,
    pub(super) rest: DownloadBody,
}

impl Streamed {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }
    /// The headers, those of the gateway among them.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }
    /// The gateway's id of the request.
    pub fn request_id(&self) -> Option<&str> {
        self.headers.get("x-request-id")?.to_str().ok()
    }
    /// The next piece of the body; `None` after the last one.
    pub async fn next(&mut self) -> Option<Result<Bytes, Error>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl Stream for Streamed {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if !self.first.is_empty() {
            return Poll::Ready(Some(Ok(std::mem::take(&mut self.first))));
        }
        let next = Pin::new(&mut self.rest).poll_next(cx);
        next.map(|piece| piece.map(|piece| piece.map_err(|error| error.for_call(NAME))))
    }
}

impl fmt::Debug for Streamed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {}, a body that comes", self.status)
    }
}
