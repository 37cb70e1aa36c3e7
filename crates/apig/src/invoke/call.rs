//! One call: made from its parts, signed for each attempt, and repeated as far as that is safe.

use std::fmt;
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use cumulo_core::clock::{unix_seconds, within};
use cumulo_core::sign::percent;
use cumulo_core::transport::{Download, HttpRequest, Upload};
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::Value;
use url::Url;

use super::answer::{Answer, Streamed};
use super::auth::Covered;
use super::{Caller, NAME, authority, refusal};
use crate::{Attempt, Error, Kind, Outcome};

/// The bound of the first wait; each further one is twice as long.
const WAIT: Duration = Duration::from_millis(200);
const THROTTLED: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// A call of a published API, before it is sent.
#[must_use = "nothing is sent before `send` or `stream`"]
pub struct Invoke {
    caller: Caller,
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    body: Body,
    /// What cannot be sent.
    wrong: Option<String>,
}

enum Body {
    Whole(Bytes),
    Pieces(Upload),
}

impl fmt::Debug for Invoke {
    /// Without values, which may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

impl Invoke {
    pub(super) fn new(caller: Caller, method: Method, path: String) -> Self {
        let mut one = Self {
            caller,
            method,
            path,
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: Body::Whole(Bytes::new()),
            wrong: None,
        };
        if !one.path.starts_with('/') {
            one.refuse("the path does not start with `/`".into());
        } else if one.path.contains(['?', '#']) {
            one.refuse("the path holds a query: use `query(..)`".into());
        }
        one
    }

    fn refuse(&mut self, why: String) {
        self.wrong.get_or_insert(why);
    }

    /// Fills in `{name}` of the path; the value may hold anything but `.`, `..` and nothing.
    pub fn path(mut self, name: &str, value: impl AsRef<str>) -> Self {
        let place = format!("{{{name}}}");
        if !self.path.contains(&place) {
            self.refuse(format!("the path has no {place}"));
        }
        match value.as_ref() {
            "" | "." | ".." => self.refuse(format!("`{name}` cannot be empty, `.` or `..`")),
            value => self.path = self.path.replace(&place, &percent::encode(value)),
        }
        self
    }

    /// Adds a parameter to the query.
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: impl AsRef<str>) -> Self {
        match (
            HeaderName::try_from(name),
            HeaderValue::from_str(value.as_ref()),
        ) {
            (Ok(key), _) if key == HOST => self.refuse("use `host(..)` of the caller".into()),
            (Ok(key), Ok(value)) => drop(self.headers.append(key, value)),
            (Err(_), _) => self.refuse(format!("{name:?} is no name of a header")),
            (_, Err(_)) => self.refuse(format!("the value of {name} fits in no header")),
        }
        self
    }

    /// The body as it is; say what it is by `header("content-type", ..)`.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Body::Whole(body.into());
        self
    }

    /// The body as JSON.
    pub fn json(mut self, body: &Value) -> Self {
        let json = HeaderValue::from_static("application/json");
        self.headers.entry(CONTENT_TYPE).or_insert(json);
        self.body(body.to_string())
    }

    /// A body that comes in pieces, of which no more is held than is on its way. It is sent once, and a
    /// signature does not cover it.
    pub fn upload(mut self, body: Upload) -> Self {
        self.body = Body::Pieces(body);
        self
    }

    /// Makes the call, and reads the whole answer.
    ///
    /// # Errors
    /// What the gateway refuses, and what gets no answer. Whatever the backend answers is none.
    pub async fn send(self) -> Result<Answer, Error> {
        let largest = self.caller.0.largest;
        let limit = Some(self.caller.0.timeout);
        let ((status, headers, body), attempts) = self
            .run(limit, async move |answer| {
                let Download { status, headers, mut body } = answer;
                let mut whole = BytesMut::new();
                while let Some(piece) = body.next().await {
                    let piece = piece.map_err(|error| error.for_call(NAME))?;
                    if whole.len() + piece.len() > largest {
                        let message = format!("the answer has more than {largest} bytes");
                        let error = Error::new(Kind::InvalidResponse, NAME, message);
                        return Err(error.with_hint(
                            "Allow more with `largest_answer(..)`, or read it in pieces with `stream()`",
                        ));
                    }
                    whole.extend_from_slice(&piece);
                }
                let body = whole.freeze();
                match refusal::of(status, &headers, &body) {
                    Some(error) => Err(waits(error, &headers)),
                    None => Ok((status, (status, headers, body))),
                }
            })
            .await?;
        Ok(Answer {
            status,
            headers,
            body,
            attempts,
        })
    }

    /// Makes the call, and hands over the answer before its body is there.
    ///
    /// # Errors
    /// As those of [`send`](Self::send), up to the answer's body.
    pub async fn stream(self) -> Result<Streamed, Error> {
        let read = async |answer| {
            let Download {
                status,
                headers,
                mut body,
            } = answer;
            let mut first = BytesMut::new();
            while refusal::may_be(status, &headers) && first.len() <= refusal::LARGEST {
                let Some(piece) = body.next().await else {
                    break;
                };
                first.extend_from_slice(&piece.map_err(|error| error.for_call(NAME))?);
            }
            match refusal::of(status, &headers, &first) {
                Some(error) => Err(waits(error, &headers)),
                None => Ok((
                    status,
                    Streamed {
                        status,
                        headers,
                        first: first.freeze(),
                        rest: body,
                    },
                )),
            }
        };
        self.run(None, read).await.map(|(streamed, _)| streamed)
    }

    /// Makes attempts until one is answered, or none may follow. `limit` is for all of an attempt.
    async fn run<T>(
        mut self,
        limit: Option<Duration>,
        read: impl AsyncFn(Download) -> Result<(u16, T), Error>,
    ) -> Result<(T, Vec<Attempt>), Error> {
        if let Some(why) = self.wrong.take() {
            return Err(Error::new(Kind::InvalidInput, NAME, why));
        }
        let url = self.url()?;
        let caller = self.caller.clone();
        let inner = &*caller.0;
        let is_safe = matches!(self.method, Method::GET | Method::HEAD | Method::OPTIONS);
        let repeats = is_safe || matches!(self.method, Method::PUT | Method::DELETE);
        let deadline = inner.clock.elapsed().saturating_add(inner.total);
        let mut attempts: Vec<Attempt> = Vec::new();
        let mut outcome = Outcome::NotSent;
        let mut waited = Duration::ZERO;
        loop {
            let (started, from) = (inner.clock.now(), inner.clock.elapsed());
            let (request, upload) = self.request(&url, started, !repeats)?;
            let once = upload.is_some();
            let attempt = async {
                let answer = inner.transport.stream(request, upload).await;
                read(answer.map_err(|error| error.for_call(NAME))?).await
            };
            let answer = match limit {
                None => attempt.await,
                Some(limit) => within(&*inner.clock, limit, attempt)
                    .await
                    .unwrap_or_else(|| {
                        Err(Error::new(Kind::Timeout, NAME, "no whole answer in time"))
                    }),
            };
            let took = inner.clock.elapsed().saturating_sub(from);
            let mut note = Attempt::new(started, std::mem::take(&mut waited), took);
            let error = match answer {
                Ok((status, answer)) => {
                    note.status = Some(status);
                    attempts.push(note);
                    return Ok((answer, attempts));
                }
                Err(error) => error,
            };
            note.status = error.status();
            note.code = error.code().map(str::to_owned);
            note.request_id = error.request_id().map(str::to_owned);
            note.failure = Some(error.kind());
            attempts.push(note);
            outcome = outcome.max(error.outcome());
            let hint = error.retry_after();
            let made = u32::try_from(attempts.len()).unwrap_or(u32::MAX);
            let may_pass = error.is_retryable()
                && !matches!(
                    error.kind(),
                    Kind::TokenExpired | Kind::ClockSkew | Kind::InvalidResponse
                );
            let may = may_pass && !once && (repeats || outcome < Outcome::Unknown);
            let wait = inner.wait(error.kind(), made, hint);
            let in_time = inner.clock.elapsed().saturating_add(wait) < deadline;
            if !may || made >= inner.attempts || !in_time {
                let error = error.with_attempts(attempts, outcome, hint);
                return Err(if is_safe { error.harmless() } else { error });
            }
            inner.clock.sleep(wait).await;
            waited = wait;
        }
    }

    fn url(&self) -> Result<Url, Error> {
        let invalid = |why: String| Error::new(Kind::InvalidInput, NAME, why);
        if self.path.contains(['{', '}']) {
            let why = format!("`{}` is not filled in: use `path(name, value)`", self.path);
            return Err(invalid(why));
        }
        let dots = |part: &str| {
            matches!(
                part.to_ascii_lowercase().replace("%2e", ".").as_str(),
                "." | ".."
            )
        };
        if self.path.split('/').any(dots) {
            return Err(invalid("the path has `.` or `..` for a part".into()));
        }
        let mut url = self.caller.0.base.clone();
        let path = format!("{}{}", url.path().trim_end_matches('/'), self.path);
        url.set_path(&path);
        if !self.query.is_empty() {
            let pairs = self.query.iter().map(|(name, value)| {
                format!("{}={}", percent::encode(name), percent::encode(value))
            });
            url.set_query(Some(&pairs.collect::<Vec<_>>().join("&")));
        }
        Ok(url)
    }

    /// The request of an attempt, with its own time and signature. A body in pieces goes with the first.
    fn request(
        &mut self,
        url: &Url,
        now: SystemTime,
        fresh: bool,
    ) -> Result<(HttpRequest, Option<Upload>), Error> {
        let inner = &*self.caller.0;
        let mut request = HttpRequest::new(self.method.clone(), url.clone());
        request.timeout = inner.timeout;
        request.fresh = fresh;
        request.headers = self.headers.clone();
        let mut host = authority(url);
        if let Some(other) = &inner.host {
            other.to_str().unwrap_or_default().clone_into(&mut host);
            request.headers.insert(HOST, other.clone());
        }
        if let Some(stage) = &inner.stage {
            request.headers.insert("x-stage", stage.clone());
        }
        let upload = match std::mem::replace(&mut self.body, Body::Whole(Bytes::new())) {
            Body::Pieces(upload) => Some(upload),
            Body::Whole(body) => {
                request.body = body.clone();
                self.body = Body::Whole(body);
                None
            }
        };
        let covered = Covered {
            method: self.method.as_str(),
            path: url.path(),
            query: &self.query,
            host: &host,
            body: upload.is_none().then_some(&*request.body),
            now: unix_seconds(now),
        };
        inner.auth.apply(&covered, &mut request.headers)?;
        Ok((request, upload))
    }
}

impl super::Inner {
    /// The wait after so many attempts: random below a bound that doubles, and no shorter than asked for.
    fn wait(&self, kind: Kind, made: u32, hint: Option<Duration>) -> Duration {
        let base = if kind == Kind::Throttled {
            THROTTLED
        } else {
            WAIT
        };
        let bound = base
            .saturating_mul(1 << made.saturating_sub(1).min(16))
            .min(LONGEST);
        let wait = bound.mul_f64(self.entropy.fraction());
        hint.map_or(wait, |hint| hint.max(wait))
    }
}

/// Keeps how long the gateway asked to wait.
fn waits(error: Error, headers: &HeaderMap) -> Error {
    let outcome = error.outcome();
    error.with_attempts(Vec::new(), outcome, refusal::retry_after(headers))
}
