//! What came back for an attempt: read, noted in the timeline, and the clock set by it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use crate::clock::within;
use crate::error::{Attempt, Kind, is_plain};
use crate::protocol::{Failure, JobState, Verdict};
use crate::record;
use crate::transport::{HttpResponse, TransportError};

use super::Drive;
use crate::client::machine::Event;

/// Answers of more bytes are decoded on a thread of their own: it takes milliseconds.
const LARGE: usize = 256 << 10;

/// Clocks within so many seconds agree; services allow 15 minutes.
const AGREEMENT: i64 = 60;
/// A service's clock that jumps is followed so often.
const CORRECTIONS: u8 = 2;

pub(super) type Sent = Result<HttpResponse, TransportError>;
/// An answer, and what it means.
type Read = Result<(HttpResponse, Verdict), TransportError>;

/// Whether the answer is a large one. Given away and back, it has no place of its own in the future.
pub(super) fn is_large(sent: Sent) -> (bool, Sent) {
    let large = sent.as_ref().is_ok_and(|reply| reply.body.len() > LARGE);
    (large, sent)
}

impl Drive {
    /// Reads an answer.
    pub(super) fn read(&mut self, sent: Sent) -> Read {
        let reply = sent?;
        let inner = &self.client.inner;
        let (service, operation) = (inner.service, self.operation);
        let output = &mut *self.output;
        let verdict = inner.protocol.read(service, operation, &reply, output);
        Ok((reply, verdict))
    }

    /// Reads a large answer where that stalls no other call, and until `deadline` by the clock's
    /// `elapsed`: the thread that decodes goes on to the end of the answer, and nobody waits for it.
    pub(super) async fn read_apart(&mut self, sent: Sent, deadline: Duration) -> Read {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return self.read(sent);
        };
        let reply = sent?;
        let (service, operation) = (self.client.inner.service, self.operation);
        let protocol = Arc::clone(&self.client.inner.protocol);
        let (length, body) = (reply.body.len(), reply.clone());
        let mut output = std::mem::replace(&mut self.output, (operation.output)());
        let read = runtime.spawn_blocking(move || {
            let verdict = protocol.read(service, operation, &body, &mut *output);
            (verdict, output)
        });
        let clock = Arc::clone(&self.client.inner.context.clock);
        let left = deadline.saturating_sub(clock.elapsed());
        let read = within(&*clock, left, read).await;
        let verdict = match read.map(|read| read.map_err(tokio::task::JoinError::try_into_panic)) {
            Some(Ok((verdict, output))) => {
                self.output = output;
                verdict
            }
            None => {
                let message = format!(
                    "the answer of {} KiB came, and all the time went by while it was read",
                    length >> 10
                );
                Verdict::Failed(Failure::new(Kind::Timeout, message))
            }
            Some(Err(Ok(panic))) => std::panic::resume_unwind(panic),
            Some(Err(Err(_))) => {
                let message = "the runtime ended while the answer was read";
                Verdict::Failed(Failure::new(Kind::InvalidResponse, message))
            }
        };
        Ok((reply, verdict))
    }

    pub(super) fn answered(
        &mut self,
        reply: HttpResponse,
        mut verdict: Verdict,
        poll: bool,
        started: SystemTime,
        took: Duration,
    ) -> Event {
        let mut meta = self.meta.take().unwrap_or_default();
        if let (Verdict::Done(_), true, Some((_, at))) =
            (&verdict, self.expects, self.operation.one)
        {
            let mut found = false;
            record::rows(&*self.output, at, &mut |_| found = true);
            if !found {
                let message = "nothing has the id that was asked for";
                verdict = Verdict::Failed(Failure::new(Kind::NotFound, message));
            }
        }
        let protocol = &self.client.inner.protocol;
        let request_id = protocol.request_id(&reply, &*self.output);
        // Whatever goes on from here into errors and logs may be an echo of what was sent.
        let id = match &mut verdict {
            Verdict::Failed(failure) => {
                let code = failure.code.take();
                failure.code = code.map(|code| self.scrubber().tell(&code));
                request_id.or_else(|| failure.request_id.take())
            }
            _ => request_id,
        };
        meta.request_id = id.map(|id| self.told(id));
        if let Verdict::Done(problems) = &mut verdict {
            for problem in &mut *problems {
                problem.path = self.scrubber().tell(&problem.path);
            }
            meta.warnings = std::mem::take(problems);
        } else {
            // What was read of it is of no use, and may be large.
            self.output = (self.operation.output)();
        }
        if let Verdict::Job(JobState::Running { id, .. }) = &mut verdict
            && let Some(id) = id.take_if(|id| is_plain(id, self.secrets()))
        {
            self.job = Some(id);
        }
        let failure = match &verdict {
            Verdict::Failed(failure) => Some(failure),
            _ => None,
        };
        tracing::debug!(
            status = reply.status,
            code = failure.and_then(|failure| failure.code.as_deref()),
            request_id = meta.request_id.as_deref(),
            "answered"
        );
        if !poll || failure.is_some() {
            meta.attempts.push(Attempt {
                started,
                waited: std::mem::take(&mut self.waited),
                took,
                status: Some(reply.status),
                code: failure.and_then(|failure| failure.code.clone()),
                request_id: meta.request_id.clone(),
                failure: failure.map(|failure| failure.kind),
            });
        }
        // Whoever answers for the job knows it, also where the answer to its start was lost.
        let known = match &verdict {
            Verdict::Job(state) => *state != JobState::Absent,
            Verdict::Done(_) => poll,
            Verdict::Failed(failure) => poll && failure.is_result,
        };
        if known {
            meta.job.clone_from(&self.job);
        }
        meta.status = reply.status;
        meta.headers = reply.headers;
        meta.body = reply.body;
        self.meta = Some(meta);
        Event::Answered(verdict)
    }

    pub(super) fn broken(
        &mut self,
        error: &TransportError,
        started: SystemTime,
        took: Duration,
    ) -> Event {
        let kind = error.call_kind();
        let mut failure = Failure::new(kind, error.to_string());
        failure.hint = error.advice().map(str::to_owned);
        failure.is_final = error.is_final();
        if kind == Kind::Connect && failure.hint.is_none() {
            let host = self.host();
            failure.hint = Some(format!(
                "Check that {host} is the right endpoint and can be reached from here"
            ));
        }
        tracing::debug!(?kind, "no answer");
        let waited = std::mem::take(&mut self.waited);
        self.meta.get_or_insert_default().attempts.push(Attempt {
            started,
            waited,
            took,
            status: None,
            code: None,
            request_id: None,
            failure: Some(kind),
        });
        Event::Failed(failure)
    }

    /// Whether time will be written differently from now on.
    pub(super) fn correct_clock(&mut self, server_time: Option<i64>) -> bool {
        let inner = &self.client.inner;
        // Compared with the time that this attempt carried: another call may have mended the clock
        // since, and then this one has only to be signed again.
        if let Some(server_time) = server_time
            && (server_time - self.moment.now).abs() > AGREEMENT
        {
            self.corrected.0 += 1;
            if self.corrected.0 > CORRECTIONS {
                return false;
            }
            let ours = crate::clock::unix_seconds(inner.context.clock.now());
            inner.offset.store(server_time - ours, Ordering::Relaxed);
            return true;
        }
        // Clocks that agree were not the cause: a correction would only repeat the failure.
        self.corrected.1 += 1;
        if usize::from(self.corrected.1) >= inner.protocol.zones() {
            return false;
        }
        inner.protocol.shift_zone(self.moment.zone);
        true
    }
}
