//! Bodies that are larger than anybody wants to hold: sent and read piece by piece.

use std::error::Error as StdError;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use http::HeaderMap;
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};

use super::error::unread;
use super::{TransportError, TransportErrorKind};

/// Any error of whoever makes a body.
type BoxError = Box<dyn StdError + Send + Sync>;
type Pieces = Pin<Box<dyn Stream<Item = Result<Bytes, BoxError>> + Send>>;

/// A request's body that comes in pieces.
pub struct Upload {
    pieces: Pieces,
    length: Option<u64>,
}

impl Upload {
    /// A body of unknown length, sent in chunks. An error of the stream breaks the request off.
    pub fn new<E: Into<BoxError>>(
        pieces: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
    ) -> Self {
        Self {
            pieces: Box::pin(Mapped(Box::pin(pieces))),
            length: None,
        }
    }

    /// Announces how many bytes come; any other number breaks the request off.
    #[must_use]
    pub fn length(mut self, bytes: u64) -> Self {
        self.length = Some(bytes);
        self
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Upload({:?} bytes)", self.length)
    }
}

struct Mapped<S>(Pin<Box<S>>);

impl<S: Stream<Item = Result<Bytes, E>>, E: Into<BoxError>> Stream for Mapped<S> {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = ready!(self.0.as_mut().poll_next(cx));
        Poll::Ready(next.map(|piece| piece.map_err(Into::into)))
    }
}

/// A request's body as it is sent.
pub(super) enum Outgoing {
    /// All of it; empty where there is none.
    Whole(Bytes),
    /// Piece by piece.
    Pieces(Upload),
}

impl http_body::Body for Outgoing {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.get_mut() {
            Self::Whole(body) if body.is_empty() => Poll::Ready(None),
            Self::Whole(body) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(body))))),
            Self::Pieces(upload) => {
                let next = ready!(upload.pieces.as_mut().poll_next(cx));
                Poll::Ready(next.map(|piece| piece.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(body) if body.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => SizeHint::with_exact(body.len() as u64),
            Self::Pieces(upload) => upload
                .length
                .map_or_else(SizeHint::default, SizeHint::with_exact),
        }
    }
}

/// The next piece of an answer's body. Trailers say nothing here.
pub(super) fn poll_piece(
    body: &mut Incoming,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Bytes, TransportError>>> {
    loop {
        let frame = ready!(Pin::new(&mut *body).poll_frame(cx));
        match frame.transpose().map_err(unread) {
            Ok(Some(frame)) => {
                if let Ok(piece) = frame.into_data() {
                    return Poll::Ready(Some(Ok(piece)));
                }
            }
            Ok(None) => return Poll::Ready(None),
            Err(error) => return Poll::Ready(Some(Err(error))),
        }
    }
}

/// An answer whose body is still coming.
pub struct Download {
    /// Status code.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: DownloadBody,
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {}, a body that comes", self.status)
    }
}

/// The body of an answer, piece by piece. Dropping it ends the connection.
pub struct DownloadBody(Source);

enum Source {
    Wire {
        body: Incoming,
        patience: Duration,
        limit: Pin<Box<Sleep>>,
    },
    Pieces(Pin<Box<dyn Stream<Item = Result<Bytes, TransportError>> + Send>>),
}

impl DownloadBody {
    /// A body from elsewhere: for transports of your own.
    pub fn new(pieces: impl Stream<Item = Result<Bytes, TransportError>> + Send + 'static) -> Self {
        Self(Source::Pieces(Box::pin(pieces)))
    }

    /// Each piece may take as long as `patience`.
    pub(super) fn of_wire(body: Incoming, patience: Duration) -> Self {
        Self(Source::Wire {
            body,
            patience,
            limit: Box::pin(tokio::time::sleep(patience)),
        })
    }

    /// The next piece; `None` after the last one.
    pub async fn next(&mut self) -> Option<Result<Bytes, TransportError>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl Stream for DownloadBody {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let (body, patience, limit) = match &mut self.0 {
            Source::Pieces(pieces) => return pieces.as_mut().poll_next(cx),
            Source::Wire {
                body,
                patience,
                limit,
            } => (body, *patience, limit),
        };
        if let Poll::Ready(piece) = poll_piece(body, cx) {
            if let Some(at) = Instant::now().checked_add(patience) {
                limit.as_mut().reset(at);
            }
            return Poll::Ready(piece);
        }
        ready!(limit.as_mut().poll(cx));
        let late = format!("nothing came for {} s", patience.as_secs());
        Poll::Ready(Some(Err(TransportError::new(
            TransportErrorKind::Timeout,
            late,
        ))))
    }
}

impl fmt::Debug for DownloadBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DownloadBody")
    }
}
