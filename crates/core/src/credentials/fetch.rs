//! How do providers talk to the services that issue credentials, without ever quoting them?
//!
//! An [`HttpRequest`] is one request; a [`Route`] says how it is sent: how long an answer may take, how
//! often it is tried, and whether it may pass a proxy. What comes back is either a whole answer or
//! a [`CredentialError`] that tells its shape (status, error code, request id) and never its content.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use url::Url;
use zeroize::Zeroizing;

use crate::address::{self, Exposed};
use crate::clock::BoxFuture;
use crate::error::body::Page;
use crate::record::Json;
use crate::retry::{Patience, RetryPolicy};
use crate::sign::percent;
use crate::transport::{HttpRequest, HttpResponse, TransportError, TransportErrorKind};

use crate::wipe::{self, Wiped};

use super::{Context, CredentialError, Reason};

impl HttpRequest {
    /// Adds a header; a value that cannot be one (a token with a line break) is left out, and the
    /// service will say what it misses.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Some(mut value) = wipe::header(value) {
            value.set_sensitive(true);
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    pub(crate) fn json(mut self, body: &Json) -> Self {
        self.body = wipe::bytes(wipe::to_json(body));
        self.typed("application/json;charset=utf8")
    }

    pub(crate) fn form(mut self, pairs: &[(&str, &str)]) -> Self {
        let mut text = String::with_capacity(
            pairs
                .iter()
                .map(|(name, value)| 3 * (name.len() + value.len()) + 2)
                .sum(),
        );
        for (name, value) in pairs {
            if !text.is_empty() {
                text.push('&');
            }
            percent::push(&mut text, name);
            text.push('=');
            percent::push(&mut text, value);
        }
        self.body = wipe::bytes(text);
        self.typed("application/x-www-form-urlencoded")
    }

    fn typed(mut self, kind: &'static str) -> Self {
        let kind = HeaderValue::from_static(kind);
        self.headers.insert(header::CONTENT_TYPE, kind);
        self
    }
}

/// How the requests of a provider are sent.
#[derive(Clone, Copy)]
pub(crate) struct Route {
    /// The provider, for messages.
    pub(crate) provider: &'static str,
    /// What is asked, for messages: `STS`, `the metadata service`.
    pub(crate) service: &'static str,
    /// Past any proxy.
    pub(crate) direct: bool,
    /// How often it is tried at most.
    pub(crate) attempts: u32,
    /// How long an answer may take.
    pub(crate) timeout: Duration,
    /// Whether an answer is worth another try.
    pub(crate) passing: fn(&HttpResponse) -> bool,
    /// Headers that name a request, for messages.
    pub(crate) request_ids: &'static [&'static str],
    /// Whether errors tell what a refusal says in words.
    pub(crate) tells: bool,
}

/// More of a refusal's words than this are cut off.
const LONGEST_WORDS: usize = 300;

/// Server faults and throttling pass; everything else is an answer.
fn passing(reply: &HttpResponse) -> bool {
    reply.status >= 500 || reply.status == 429
}

impl Route {
    /// Through the proxy where there is one, three attempts of 10 s each.
    pub(crate) const fn new(
        provider: &'static str,
        service: &'static str,
        request_ids: &'static [&'static str],
    ) -> Self {
        Self {
            provider,
            service,
            direct: false,
            attempts: 3,
            timeout: Duration::from_secs(10),
            passing,
            request_ids,
            tells: false,
        }
    }

    /// The same, for a service whose refusals say in words what is wrong, where codes do not. What
    /// gives back any of what was sent is kept quiet all the same.
    pub(crate) const fn telling(mut self) -> Self {
        self.tells = true;
        self
    }

    /// Sends what `build` makes, which is called for each attempt so that each is signed afresh.
    ///
    /// Repeated are requests that did not get there, those whose connection broke, and server
    /// faults: issuing credentials twice does no harm. Where it would, a route has one attempt.
    ///
    /// Boxed, so that a program holds this code once and not in each of its providers.
    pub(crate) fn send<'a>(
        &'a self,
        context: &'a Context,
        build: impl FnMut() -> Result<HttpRequest, CredentialError> + Send + 'a,
    ) -> BoxFuture<'a, Result<HttpResponse, CredentialError>> {
        Box::pin(self.sent(context, Box::new(build)))
    }

    async fn sent(
        &self,
        context: &Context,
        mut build: Box<dyn FnMut() -> Result<HttpRequest, CredentialError> + Send + '_>,
    ) -> Result<HttpResponse, CredentialError> {
        let policy = RetryPolicy::default();
        let mut attempt = 1;
        loop {
            let request = build()?;
            let host = request.url.authority().to_owned();
            let sent = Sent::of(&request);
            let result = self.once(context, request).await;
            let result = result.map(|reply| sent.silence(reply, self.request_ids));
            let again = match &result {
                Ok(reply) => (self.passing)(reply),
                // Whoever did not answer in time will hardly do so at once.
                Err(error) => matches!(
                    error.kind,
                    TransportErrorKind::Connect | TransportErrorKind::Interrupted
                ),
            };
            if !again || attempt >= self.attempts {
                return match result {
                    Ok(reply) if again => Err(self.unavailable(&reply)),
                    Ok(reply) => Ok(reply),
                    Err(error) => Err(self.unreachable(&host, &error)),
                };
            }
            let patience = match &result {
                Ok(reply) if reply.status == 429 => Patience::Throttled,
                _ => Patience::Short,
            };
            let delay = policy.delay(patience, attempt - 1, None, &*context.entropy);
            attempt += 1;
            context.clock.sleep(delay).await;
        }
    }

    /// Sends one request once.
    pub(crate) async fn once(
        &self,
        context: &Context,
        mut request: HttpRequest,
    ) -> Result<HttpResponse, TransportError> {
        let transport = if self.direct {
            &context.direct
        } else {
            &context.transport
        };
        request.timeout = self.timeout;
        // What is tried once is lost with a connection that has idled.
        request.fresh = self.attempts == 1;
        transport.send(request).await
    }

    fn unreachable(&self, host: &str, error: &TransportError) -> CredentialError {
        let message = format!(
            "cannot get an answer from {} at {host}: {error}",
            self.service
        );
        let wrong = CredentialError::new(Reason::Unavailable, self.provider, message);
        match error.advice() {
            Some(advice) => wrong.with_hint(advice),
            None => wrong,
        }
    }

    fn unavailable(&self, reply: &HttpResponse) -> CredentialError {
        let message = format!("{} answered {}", self.service, self.shape(reply));
        CredentialError::new(Reason::Unavailable, self.provider, message)
    }

    /// The error for an answer that is a refusal.
    pub(crate) fn refused(&self, reply: &HttpResponse) -> CredentialError {
        let mut error = self.unavailable(reply);
        if let Some(words) = self.words(reply) {
            error.message.push_str(": ");
            error.message.push_str(&words);
        }
        if (400..500).contains(&reply.status) {
            error.reason = Reason::Refused;
        }
        error
    }

    /// The error for an answer that lacks what it should hold.
    pub(crate) fn incomplete(&self, what: &str) -> CredentialError {
        let message = format!("{} answered without {what}", self.service);
        CredentialError::new(Reason::Unavailable, self.provider, message)
    }

    /// The body of a successful answer.
    pub(crate) fn json(&self, reply: &HttpResponse) -> Result<Wiped, CredentialError> {
        if !(200..300).contains(&reply.status) {
            return Err(self.refused(reply));
        }
        serde_json::from_slice(&reply.body).map(Wiped).map_err(|_| {
            let shape = self.shape(reply);
            let message = format!("{} answered {shape}, not JSON", self.service);
            CredentialError::new(Reason::Unavailable, self.provider, message).with_hint(
                "Check that the address is the right one and no proxy answers in its place",
            )
        })
    }

    /// What a refusal says in words, on one line.
    fn words(&self, reply: &HttpResponse) -> Option<String> {
        let message = Page::new(&reply.body).read().message;
        let message = message.filter(|_| self.tells)?;
        let words = message.split(|c: char| c.is_whitespace() || c.is_control());
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        let line = words.join(" ");
        let line: String = line.chars().take(LONGEST_WORDS).collect();
        (!line.is_empty()).then_some(line)
    }

    /// Status, error code, request id and kind of an answer: all that a message may tell of it.
    fn shape(&self, reply: &HttpResponse) -> String {
        let page = Page::new(&reply.body);
        let mut text = format!("status {}", reply.status);
        if let Some(code) = name_in(&page) {
            text.push_str(", code ");
            text.push_str(&code);
        }
        let mut names = self.request_ids.iter();
        let id = names
            .find_map(|name| reply.header(name).map(str::to_owned))
            .or_else(|| page.read().request_id);
        if let Some(id) = id.filter(|id| is_name(id)) {
            text.push_str(", request id ");
            text.push_str(&id);
        }
        if page.json.is_none() {
            let kind = reply
                .header("content-type")
                .and_then(|kind| kind.split(';').next());
            match kind.filter(|kind| is_name(kind)) {
                _ if reply.body.is_empty() => text.push_str(" without a body"),
                Some(kind) => text.push_str(&format!(" with {kind}")),
                None => text.push_str(" with something else"),
            }
        }
        text
    }
}

/// What went out, to know an answer that gives it back: codes and ids of answers are told.
struct Sent {
    url: Zeroizing<String>,
    headers: HeaderMap,
    body: Bytes,
}

impl Sent {
    fn of(request: &HttpRequest) -> Self {
        Self {
            url: Zeroizing::new(request.url.as_str().to_owned()),
            headers: request.headers.clone(),
            body: request.body.clone(),
        }
    }

    /// Whether `text`, a name, stands in what was sent, as it is or percent-encoded; or a value of the
    /// body in it.
    fn holds(&self, text: &str) -> bool {
        let encoded = percent::encode(text);
        let parts = self.headers.values().map(HeaderValue::as_bytes);
        let mut parts = parts.chain([self.url.as_bytes(), &*self.body]);
        let whole = parts.any(|part| {
            [text, &encoded].iter().any(|text| {
                let text = text.as_bytes();
                part.windows(text.len()).any(|window| window == text)
            })
        });
        whole || {
            let json = serde_json::from_slice(&self.body).ok().map(Wiped);
            json.is_some_and(|json| any_value(&json, &|value| text.contains(value)))
        }
    }

    /// Whether a text of words gives back a secret that was sent, however short, or a header.
    fn is_quoted(&self, text: &str) -> bool {
        let headers = self
            .headers
            .values()
            .filter_map(|value| value.to_str().ok());
        let mut headers = headers.filter(|value| value.len() >= 6);
        headers.any(|value| text.contains(value)) || {
            let json = serde_json::from_slice(&self.body).ok().map(Wiped);
            json.is_some_and(|json| any_secret(&json, false, text))
        }
    }

    /// The answer without a code or id that is only what was sent, such as the password.
    fn silence(&self, mut reply: HttpResponse, request_ids: &[&'static str]) -> HttpResponse {
        // Of what brings credentials nothing is told.
        if matches!(reply.status, 200 | 201) {
            return reply;
        }
        let page = Page::new(&reply.body);
        let told = [name_in(&page), page.read().request_id].into_iter();
        let told: Vec<String> = told.flatten().collect();
        if told.iter().any(|text| self.holds(text)) {
            reply.body = Bytes::from_static(b"{}");
        } else if page
            .read()
            .message
            .is_some_and(|text| self.is_quoted(&text))
        {
            let (code, id) = (name_in(&page), page.read().request_id);
            let body = serde_json::json!({ "error_code": code, "request_id": id });
            reply.body = Bytes::from(body.to_string());
        }
        for name in request_ids {
            if reply.header(name).is_some_and(|id| self.holds(id)) {
                reply.headers.remove(*name);
            }
        }
        reply
    }
}

/// Whether `found` takes one of the texts in `json` that are long enough to be nobody else's.
fn any_value(json: &Json, found: &dyn Fn(&str) -> bool) -> bool {
    match json {
        Json::String(text) => text.len() >= 6 && found(text),
        Json::Array(items) => items.iter().any(|item| any_value(item, found)),
        Json::Object(members) => members.values().any(|value| any_value(value, found)),
        _ => false,
    }
}

/// Whether a text holds what stands in `json` under a name of secrets, or as the id of a token.
fn any_secret(json: &Json, is_token: bool, text: &str) -> bool {
    match json {
        Json::Array(items) => items.iter().any(|item| any_secret(item, is_token, text)),
        Json::Object(members) => members.iter().any(|(name, value)| match (&**name, value) {
            ("password" | "passcode" | "secret", Json::String(value)) => {
                !value.is_empty() && text.contains(&**value)
            }
            ("id", Json::String(value)) => is_token && !value.is_empty() && text.contains(&**value),
            (name, inner) => any_secret(inner, matches!(name, "token" | "id_token"), text),
        }),
        _ => false,
    }
}

/// The error code of an answer, in the shapes that the clouds use.
pub(crate) fn code(reply: &HttpResponse) -> Option<String> {
    name_in(&Page::new(&reply.body))
}

/// Beside the places of all errors, a code stands where OAuth has it: `{"error":"invalid_grant"}`.
fn name_in(page: &Page<'_>) -> Option<String> {
    let code = page.read().code.filter(|code| is_name(code));
    code.or_else(|| {
        let error = page.json.as_deref()?.get("error")?.as_str()?;
        is_name(error).then(|| error.to_owned())
    })
}

/// Whether a text looks like a name. Services put free text in every place sooner or later, and
/// free text may quote the request.
fn is_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':');
    !text.is_empty() && text.len() <= 64 && text.chars().all(allowed)
}

/// A text member, whatever the case of its name: the vendors' own endpoints differ in it.
pub(crate) fn member<'a>(json: &'a Json, name: &str) -> Option<&'a str> {
    let object = json.as_object()?;
    let exact = object.get(name);
    let found = exact.or_else(|| {
        let mut all = object.iter();
        all.find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
    });
    found?.as_str().filter(|text| !text.is_empty())
}

/// Parses an address that a setting or a variable holds; `what` names it.
pub(crate) fn address(
    provider: &'static str,
    what: &str,
    text: &str,
) -> Result<Url, CredentialError> {
    // The text is not quoted: addresses hold passwords and tokens at times.
    let wrong = |why: &str| {
        let message = format!("{what} {why}");
        CredentialError::new(Reason::Misconfigured, provider, message)
            .with_hint("An address looks like https://host:port/path")
    };
    let url = Url::parse(text.trim()).map_err(|_| wrong("is no address"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(wrong("must start with https:// or http://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("must not hold a user name or password"));
    }
    Ok(url)
}

/// Refuses to send secrets in plain HTTP to another machine, or warns where that is allowed.
pub(crate) fn guard(
    provider: &'static str,
    url: &Url,
    allow_http: bool,
) -> Result<(), CredentialError> {
    if allow_http && address::is_exposed(url) {
        let origin = url.origin().ascii_serialization();
        tracing::warn!(%origin, "credentials go over plain HTTP: anyone on the way can read them");
    }
    address::guard(url, allow_http).map_err(|exposed| {
        CredentialError::new(Reason::Misconfigured, provider, exposed.message())
            .with_hint(Exposed::HINT)
    })
}
