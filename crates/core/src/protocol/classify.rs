//! From an error answer to a kind: the service's codes first, the protocol's next, the status last.

use std::time::Duration;

use url::Url;

use crate::error::{Kind, Quoted};
use crate::operation::Operation;
use crate::record::Unreadable;
use crate::service::{Code, Service, find_code};
use crate::transport::HttpResponse;

use super::Failure;
use crate::error::body::{self, Loose, Page};

/// Where the codes of an answer are looked up.
#[derive(Clone, Copy)]
pub(crate) struct Tables {
    pub service: &'static Service,
    /// The protocol's own codes.
    pub common: &'static [Code],
    pub operation: &'static Operation,
}

impl Tables {
    pub(crate) fn find(&self, code: &str) -> Option<&'static Code> {
        find_code(self.service.codes, code).or_else(|| find_code(self.common, code))
    }

    /// The failure that `loose` tells; `otherwise` is its kind where no code says more.
    pub(crate) fn failure(&self, reply: &HttpResponse, loose: Loose, otherwise: Kind) -> Failure {
        let known = loose.code.as_deref().and_then(|code| self.find(code));
        let words = loose.message.filter(|words| !words.is_empty());
        let message = words.unwrap_or_else(|| match &loose.code {
            Some(_) => String::new(),
            None if reply.body.is_empty() => format!("status {} with an empty body", reply.status),
            None => format!("status {} without a readable word", reply.status),
        });
        let gone = |code: &String| self.operation.gone.contains(&code.as_str());
        Failure {
            kind: known.map_or(otherwise, |known| known.kind),
            message,
            hint: known
                .map(|known| known.hint)
                .or_else(|| (reply.status == 407).then_some(PROXY_PASSWORD))
                .filter(|hint| !hint.is_empty())
                .map(str::to_owned),
            retry_after: retry_after(reply),
            server_time: server_date(reply),
            is_result: false,
            is_final: false,
            quoted: None,
            request_id: loose.request_id,
            gone: loose.structured && loose.code.as_ref().is_some_and(gone),
            not_repeated: None,
            code: loose.code,
        }
    }
}

/// Services never ask for this, proxies do: for plain HTTP they answer in the service's place.
const PROXY_PASSWORD: &str = "A proxy answered that wants user and password: write them into its address, http://user:password@host:port";

/// Classifies an answer that is not a success.
pub(crate) fn failure(tables: &Tables, reply: &HttpResponse, page: &Page<'_>) -> Failure {
    if matches!(reply.status, 300..=399) && reply.status != 304 {
        return redirected(reply);
    }
    let loose = page.read();
    let otherwise = by_status(reply.status, loose.structured);
    tables.failure(reply, loose, otherwise)
}

/// Words behind which a service quotes the request that it saw, and how the quotation reads.
pub(crate) type Marker = (&'static str, fn(&str) -> Quoted);

/// Takes the request that a service quotes out of the failure's words. Of a body in no known form the
/// message is only an excerpt: `whole` has all of it.
pub(crate) fn take_quoted(failure: &mut Failure, whole: &str, markers: &[Marker]) {
    let told = match failure.code {
        Some(_) => &failure.message,
        None => whole,
    };
    failure.quoted = markers.iter().find_map(|(words, read)| {
        let (_, rest) = told.split_once(words)?;
        Some(read(rest))
    });
    let stands = |(words, _): &Marker| Some((failure.message.find(words)?, words.len()));
    if let Some((at, length)) = markers.iter().filter_map(stands).min() {
        failure.message.truncate(at + length);
        failure.message.push_str(" .. (see `explain()`)");
    }
}

/// The row of `markers` whose words stand in `text`, for errors that no code tells.
pub(crate) fn by_words(markers: &'static [Code], text: &str) -> Option<&'static Code> {
    markers.iter().find(|marker| text.contains(marker.code))
}

/// Whoever sends somewhere else did not do it. The address may hold secrets; only its host is said.
fn redirected(reply: &HttpResponse) -> Failure {
    let target = reply.header("location").map(|text| Url::parse(text.trim()));
    let host = match &target {
        Some(Ok(url)) => match (url.host_str(), url.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (Some(host), None) => host.to_owned(),
            (None, _) => "an address without a host".to_owned(),
        },
        Some(Err(_)) => "another path of the same host".to_owned(),
        None => "nowhere".to_owned(),
    };
    let message = format!(
        "status {}: redirected to {host}, which is not followed",
        reply.status
    );
    let mut failure = Failure::new(Kind::Other, message);
    failure.hint = Some(
        "Check the endpoint: a login page, a proxy or another scheme or port answers there".into(),
    );
    failure.server_time = server_date(reply);
    failure
}

/// What a status means when no code says more.
pub(crate) fn by_status(status: u16, structured: bool) -> Kind {
    match status {
        400 | 422 => Kind::InvalidArgument,
        401 => Kind::Unauthenticated,
        403 => Kind::PermissionDenied,
        404 | 410 => Kind::NotFound,
        408 => Kind::Timeout,
        409 => Kind::Conflict,
        429 => Kind::Throttled,
        // nginx's word for a caller that left; what became of the call it does not know.
        499 | 502..=504 => Kind::Unavailable,
        400..=499 => Kind::Other,
        500..=599 if structured => Kind::Internal,
        500..=599 => Kind::Unavailable,
        // Other successes are not what was asked for, and of statuses that nobody defined nobody
        // knows what they say.
        _ => Kind::InvalidResponse,
    }
}

/// `Retry-After` in seconds. The form with a date is not in use by these services.
fn retry_after(reply: &HttpResponse) -> Option<Duration> {
    let seconds = reply.header("retry-after")?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// The `Date` header in Unix seconds. A cached answer's date is that of another request.
pub(crate) fn server_date(reply: &HttpResponse) -> Option<i64> {
    if reply.headers.contains_key("age") {
        return None;
    }
    let date = reply.header("date")?;
    let zoned = jiff::fmt::rfc2822::parse(date).ok()?;
    Some(zoned.timestamp().as_second())
}

/// The failure for a success status whose body is not what the service documents.
pub(crate) fn unreadable(reply: &HttpResponse, cause: &Unreadable) -> Failure {
    // Enough to tell a page from JSON; answers are large.
    let text = String::from_utf8_lossy(&reply.body[..reply.body.len().min(BEGINNING)]);
    let what = if reply.body.is_empty() {
        "the body is empty".to_owned()
    } else if body::looks_like_html(&text) {
        format!(
            "the body is HTML, as proxies send it: {}",
            body::excerpt(&text)
        )
    } else if let Unreadable::TooMuch(_) = cause {
        format!("the body is too much to be decoded: {cause}")
    } else {
        format!("the body is not the JSON that the service documents ({cause})")
    };
    let mut failure = Failure::new(
        Kind::InvalidResponse,
        format!("status {}, but {what}", reply.status),
    );
    failure.hint = Some("The service or something between may have executed the call".into());
    failure.is_final = matches!(cause, Unreadable::TooMuch(_));
    failure
}

/// An answer without a body where one is due.
pub(crate) fn empty(reply: &HttpResponse) -> Failure {
    unreadable(reply, &Unreadable::OtherKind(String::new()))
}

const BEGINNING: usize = 4096;
