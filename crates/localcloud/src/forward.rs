//! How does a backend on this machine get a request, and its answer go back? Both bodies pass through as
//! they come; no more of them is held than hyper's buffers.

use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::Request;
use hyper::body::{Bytes, Frame, Incoming, SizeHint};
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderName, HeaderValue};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::wire::Forward;

/// What a backend is sent.
pub(crate) enum Body {
    Whole(Bytes),
    Stream(Incoming),
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut *self {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Stream(stream) => Pin::new(stream).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_empty(),
            Self::Stream(stream) => stream.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Stream(stream) => stream.size_hint(),
        }
    }
}

/// An answer's status, headers, and body.
type Answer = (u16, Vec<(String, String)>, Incoming);

/// What a backend answers; the status of the gateway's own error when it does not.
pub(crate) async fn send(forward: Forward, body: Body) -> Result<Answer, u16> {
    let timeout = forward.timeout;
    let answer = tokio::time::timeout(timeout, exchange(forward, body)).await;
    answer.map_err(|_| 504_u16)?.map_err(|_| 502)
}

async fn exchange(
    forward: Forward,
    body: Body,
) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>> {
    let stream = TcpStream::connect(forward.address).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the answer, or with whoever stops reading it.
    tokio::spawn(connection);
    let mut request = Request::builder()
        .method(forward.method.as_str())
        .uri(forward.target)
        .body(body)?;
    let headers = request.headers_mut();
    headers.insert(HOST, HeaderValue::from_str(&forward.host)?);
    for (name, value) in forward.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.append(name, value);
        }
    }
    let (head, body) = sender.send_request(request).await?.into_parts();
    let headers = head
        .headers
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "connection" | "keep-alive"))
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        });
    Ok((head.status.as_u16(), headers.collect(), body))
}
