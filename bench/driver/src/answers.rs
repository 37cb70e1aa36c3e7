//! What answers the measured programs? Every request on loopback has the same body, however large.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::{Failure, bodies};

/// A server's answer, and what stands between a request and it.
#[derive(Default)]
pub struct Answers {
    kind: &'static str,
    /// The answer.
    pub body: Bytes,
    delay: u64,
    hold: usize,
    drop: usize,
    busy: usize,
    seen: AtomicUsize,
    all_there: Notify,
}

impl Answers {
    /// Of words: `SHAPE [list] [OPTION=NUMBER..]`, as the program `answers` explains them.
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let shape = arguments
            .next()
            .ok_or("answers SHAPE [list] [OPTION=NUMBER..]")?;
        let mut answers = Self::default();
        let mut list = false;
        for argument in arguments {
            match argument.split_once('=') {
                None if argument == "list" => list = true,
                Some(("delay", number)) => answers.delay = number.parse()?,
                Some(("hold", number)) => answers.hold = number.parse()?,
                Some(("drop", number)) => answers.drop = number.parse()?,
                Some(("busy", number)) => answers.busy = number.parse()?,
                _ => return Err(format!("no such option: {argument}").into()),
            }
        }
        let (body, kind) = bodies::body(&shape, list).ok_or("no such shape")?;
        (answers.body, answers.kind) = (body.into(), kind);
        Ok(answers)
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Failure> {
        request.into_body().collect().await?;
        let seen = 1 + self.seen.fetch_add(1, Ordering::Relaxed);
        if self.delay > 0 {
            tokio::time::sleep(Duration::from_millis(self.delay)).await;
        }
        if seen < self.hold {
            let _ = tokio::time::timeout(Duration::from_secs(20), self.all_there.notified()).await;
        } else if seen == self.hold {
            self.all_there.notify_waiters();
        }
        let due = |every: usize| every > 0 && seen.is_multiple_of(every);
        if due(self.drop) {
            return Err("dropped".into());
        }
        let mut answer = Response::new(Full::new(self.body.clone()));
        if due(self.busy) {
            *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        }
        answer
            .headers_mut()
            .insert("content-type", self.kind.parse()?);
        Ok(answer)
    }

    /// Serves whoever connects, without end.
    pub async fn serve(self, listener: TcpListener) -> Result<Infallible, Failure> {
        let answers = Arc::new(self);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let answers = answers.clone();
            tokio::spawn(async move {
                let service = hyper::service::service_fn(|request| answers.answer(request));
                // An error is a connection that ended, by `drop` or by the client.
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    }
}
