//! Serves bytes instead of a socket, for fuzzing.

use std::future::Future as _;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::cloud::{Addresses, Choices, Cloud};
use crate::seen::SeenRequest;
use crate::wire::Service;

use super::converse;

/// hyper gives way to others now and then; a connection that waits this often waits for nothing.
const TURNS: usize = 100_000;

/// A peer that sends these bytes, so many at once, and takes every answer.
struct Peer<'a> {
    rest: &'a [u8],
    at_once: usize,
    taken: Vec<u8>,
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
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.taken.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// The requests that a peer makes on one connection, and all that is answered; `None` when the
/// connection does not end.
pub fn serve(
    service: Service,
    bytes: &[u8],
    at_once: usize,
) -> Option<(Vec<SeenRequest>, Vec<u8>)> {
    let addresses = Addresses::new(
        std::net::Ipv4Addr::LOCALHOST.into(),
        [0; Service::ALL.len()],
        0,
    );
    let cloud = Arc::new(Cloud::new(addresses, Choices::default()));
    let peer = Peer {
        rest: bytes,
        at_once: at_once.max(1),
        taken: Vec::new(),
    };
    let mut conversation = pin!(converse(Arc::clone(&cloud), service, peer));
    let context = &mut Context::from_waker(Waker::noop());
    for _ in 0..TURNS {
        // The peer is always ready, so that nothing is ever waited for.
        if let Poll::Ready((peer, _)) = conversation.as_mut().poll(context) {
            let seen = cloud.seen().iter().cloned().collect();
            return Some((seen, peer.taken));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const TALK: &str = "\
        POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\nAction=A\
        PUT /v2/p?x=%2F HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nt: 1\r\n\r\n\
        HEAD http://h/zstack/v1/zones HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}\
        GET /v3/auth/tokens HTTP/1.0\r\nX-Auth-Token: t\r\n\r\n";

    /// The network may cut anywhere.
    #[test]
    fn pieces_make_no_difference() {
        for service in Service::ALL {
            let read = |at_once| {
                let (seen, answers) = serve(service, TALK.as_bytes(), at_once).unwrap();
                let answers = String::from_utf8(answers).unwrap();
                let seen: Vec<_> = seen
                    .into_iter()
                    .map(|one| (one.method, one.target, one.headers, one.body, one.status))
                    .collect();
                (seen, answers.matches("HTTP/1.").count())
            };
            let (whole, answers) = read(usize::MAX);
            assert_eq!(whole.len(), 4, "{whole:?}");
            assert_eq!(
                (whole[1].3.as_slice(), whole[2].3.as_slice()),
                (&b"abc"[..], &b"{}"[..])
            );
            assert_eq!(answers, 5, "one is `100 Continue`");
            for at_once in 1..60 {
                assert_eq!(read(at_once), (whole.clone(), answers), "{at_once}");
            }
        }
    }

    #[test]
    fn what_is_no_request_is_refused_and_ends() {
        for end in 0..TALK.len() {
            let whole = serve(Service::Smc, &TALK.as_bytes()[..end], 7);
            assert!(whole.is_some(), "{end}");
            let mut damaged = TALK.as_bytes().to_vec();
            damaged[end] = b'\0';
            assert!(serve(Service::Apig, &damaged, 50).is_some(), "{end}");
        }
    }
}
