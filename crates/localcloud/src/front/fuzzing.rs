//! Reads requests from bytes instead of a socket, for fuzzing.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::wire::Service;

use super::http1::{Connection, Incoming};

/// A peer that sends these bytes, so many at once, and takes every answer.
struct Peer<'a> {
    rest: &'a [u8],
    at_once: usize,
}

impl AsyncRead for Peer<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let length = self.rest.len().min(self.at_once).min(buffer.remaining());
        let (now, later) = self.rest.split_at(length);
        buffer.put_slice(now);
        self.rest = later;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Peer<'_> {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// What was read.
#[derive(Debug, PartialEq)]
#[allow(missing_docs, reason = "only fuzz targets see it")]
pub enum Read {
    Request {
        method: String,
        target: String,
        path: String,
        pairs: Vec<(String, String)>,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
        keep_alive: bool,
    },
    Refused(u16),
}

/// All that a peer sends on one connection, up to its end or the first refusal.
pub fn requests(bytes: &[u8], at_once: usize) -> Vec<Read> {
    let mut connection = Connection::new(Peer {
        rest: bytes,
        at_once: at_once.max(1),
    });
    let mut all = Vec::new();
    loop {
        // The peer is always ready, so that reading never waits.
        let next = pin!(connection.next(Service::Smc));
        let Poll::Ready(next) = next.poll(&mut Context::from_waker(Waker::noop())) else {
            return all;
        };
        match next {
            Incoming::Request {
                request,
                keep_alive,
            } => all.push(Read::Request {
                path: request.path().to_owned(),
                pairs: request.query_pairs(),
                method: request.method,
                target: request.target,
                headers: request.headers,
                body: request.body,
                keep_alive,
            }),
            Incoming::Malformed(reply) => {
                all.push(Read::Refused(reply.status));
                return all;
            }
            Incoming::Closed => return all,
        }
    }
}
