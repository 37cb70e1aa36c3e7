//! How does hyper's message become the cloud's, and back? Requests with what signatures are made
//! over, and bodies that announce more than they give.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{CONNECTION, CONTENT_LENGTH, HeaderName, HeaderValue, TRANSFER_ENCODING};
use hyper::{Response, StatusCode};

use crate::wire::{Reply, Request, Service};

use super::line::End;

/// Larger request bodies are refused.
const MAX_BODY: usize = 32 * 1024 * 1024;

/// The request without its body.
pub(super) fn head(service: Service, head: &hyper::http::request::Parts) -> Request {
    let headers = head
        .headers
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        })
        .collect();
    Request {
        service,
        method: head.method.as_str().to_owned(),
        target: head.uri.to_string(),
        headers,
        body: Vec::new(),
    }
}

/// The body of a request, or the answer to one whose body is no good.
pub(super) async fn body(mut body: Incoming) -> Result<Vec<u8>, Reply> {
    let too_large = || Reply::text(413, "request body too large");
    // What is announced is refused before the client is asked to go on (`100 Continue`).
    if body.size_hint().lower() > MAX_BODY as u64 {
        return Err(too_large());
    }
    let mut whole = Vec::new();
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let frame = frame.map_err(|_| Reply::text(400, "the body does not end as it should"))?;
        let Ok(part) = frame.into_data() else {
            continue;
        };
        if part.len() > MAX_BODY - whole.len() {
            return Err(too_large());
        }
        whole.extend_from_slice(&part);
    }
    Ok(whole)
}

/// What becomes of the connection after an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    /// It stays open, if the client wants that.
    Next,
    /// The answer says that it is the last one.
    Close,
}

/// The answer in hyper's form, without what comes after `length` bytes of its body.
pub(super) fn write(
    reply: Reply,
    after: After,
    length: Option<usize>,
    end: &End,
) -> Response<Answer> {
    answer(reply, after, length, None, end)
}

/// The answer in hyper's form, whose body comes from a backend.
pub(super) fn pass_on(reply: Reply, stream: Incoming, end: &End) -> Response<Answer> {
    answer(reply, After::Next, None, Some(stream), end)
}

fn answer(
    reply: Reply,
    after: After,
    length: Option<usize>,
    stream: Option<Incoming>,
    end: &End,
) -> Response<Answer> {
    // What is below 200 is no answer yet, and hyper would not write it.
    let status = StatusCode::from_u16(reply.status)
        .ok()
        .filter(|status| !status.is_informational())
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = match status {
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED => Bytes::new(),
        _ => Bytes::from(reply.body),
    };
    let shown = length.map_or(body.len(), |length| length.min(body.len()));
    let mut response = Response::new(Answer {
        missing: body.len() - shown,
        shown: body.slice(..shown),
        stream,
        end: end.clone(),
    });
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in &reply.headers {
        if let (Ok(name), Ok(value)) = (
            HeaderName::try_from(name.as_str()),
            HeaderValue::try_from(value.as_str()),
        ) && !matches!(name, CONTENT_LENGTH | TRANSFER_ENCODING)
        {
            headers.append(name, value);
        }
    }
    if after == After::Close {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// The body of an answer: what is shown of it, and how many bytes are announced beyond.
pub(super) struct Answer {
    shown: Bytes,
    /// What comes after it from elsewhere.
    stream: Option<Incoming>,
    missing: usize,
    end: End,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        if let Some(stream) = &mut self.stream {
            return Pin::new(stream).poll_frame(cx);
        }
        if !self.shown.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.shown)))));
        }
        if self.missing == 0 {
            return Poll::Ready(None);
        }
        // Never woken: the line ends at the flush that follows.
        self.end.announce();
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        match &self.stream {
            Some(stream) => stream.is_end_stream(),
            None => self.shown.is_empty() && self.missing == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        if let Some(stream) = &self.stream {
            return stream.size_hint();
        }
        SizeHint::with_exact((self.shown.len() + self.missing) as u64)
    }
}
