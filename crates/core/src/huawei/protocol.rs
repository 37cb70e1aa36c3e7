//! Open Telekom Cloud's and Huawei Cloud's REST style: JSON bodies, a Keystone token or an AK/SK
//! signature in headers.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderName, header};

use crate::credentials::Identity;
use crate::error::{Error, Evidence, Kind, Quoted};
use crate::huawei::codes::CODES;
use crate::huawei::sdk_hmac;
use crate::operation::Operation;
use crate::record::{self, Json, ListKeys, Location, Member, Record, Wire};
use crate::service::{Service, Settings};
use crate::sign::{CanonicalRequest, percent, time};
use crate::transport::HttpResponse;
use crate::wipe;

use crate::error::body::Page;
use crate::protocol::classify::{self, Tables};
use crate::protocol::members::{Members, Text, set_header};
use crate::protocol::success;
use crate::protocol::{
    Body, Encoded, Prepared, Protocol, Signing, Verdict, path, request, request_body, seal,
};

/// Which AK/SK signature requests carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum HuaweiSignature {
    /// `SDK-HMAC-SHA256 Access=..`: what both clouds document.
    #[default]
    Access,
    /// `SDK-HMAC-SHA256 Credential=..` with an empty region and service, as older Go clients of Open
    /// Telekom Cloud sign.
    Scoped,
}

/// The protocol, as one client speaks it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Huawei {
    /// The signature.
    pub signature: HuaweiSignature,
}

/// Headers that name a request: those of the gateways, of IAM, of OpenStack.
pub(super) const REQUEST_IDS: &[&str] =
    &["x-request-id", "x-iam-trace-id", "x-openstack-request-id"];

impl seal::Sealed for Huawei {}

impl Protocol for Huawei {
    fn encode(
        &self,
        operation: &'static Operation,
        input: &dyn Record,
        settings: &Settings,
        how: &dyn Fn(&str) -> String,
    ) -> Result<Encoded, Error> {
        let filled = path::fill(operation, input, settings)?;
        let members = Members {
            operation,
            settings,
            how,
            lists: ListKeys::Repeated,
        };
        let mut parts = Vec::new();
        let (path, plain) = (filled.encoded.into(), filled.plain.into());
        let mut encoded = members.encode(input, path, plain, &mut |member, value| {
            match member.location {
                Location::Raw => return Some(request_body::raw(value)),
                Location::Part => parts.extend(request_body::part(member.name, value)),
                _ => {}
            }
            None
        })?;
        let in_body = |member: &Member| member.location == Location::Body;
        if input.schema().members.iter().any(in_body) {
            let json = record::to_json(Wire::only(input, Location::Body));
            encoded.body = Body::Json(wipe::bytes(json));
        } else if !parts.is_empty() {
            // Files go last: some gateways read the fields before them only.
            let (files, mut parts): (Vec<_>, Vec<_>) =
                parts.into_iter().partition(|(_, file, _)| file.is_some());
            parts.extend(files);
            encoded.body = Body::Multipart(parts);
        }
        Ok(encoded)
    }

    fn add(&self, encoded: &mut Encoded, name: &str, value: Json) -> Result<(), Error> {
        request_body::add_member(encoded, None, name, value)
    }

    fn prepare(&self, encoded: &Encoded, signing: &Signing<'_>) -> Result<Prepared, Error> {
        let operation = encoded.operation;
        let credential = signing.credential;
        let project = credential.and_then(|credential| credential.scope.project_id.as_deref());
        let mut path = Cow::Borrowed(&*encoded.path);
        while let Some(name) = path::open(&path) {
            let ("project_id", Some(text)) = (name, project) else {
                let message = format!("path member `{name}` is not set");
                let how = signing
                    .service
                    .settings
                    .iter()
                    .find(|setting| setting.name == name);
                let error = Error::new(Kind::Configuration, operation.name, message);
                return Err(match how {
                    Some(setting) => error.with_hint(setting.how),
                    None => error,
                });
            };
            path = Cow::Owned(path::complete(operation, &path, name, text)?);
        }
        let mut pairs: Vec<(&str, &str)> = encoded
            .query
            .iter()
            .map(|(key, value)| (&**key, value.as_str()))
            .collect();
        let query = percent::canonical_query(&mut pairs);
        let (body, content_type) = match &encoded.body {
            Body::Empty => (Bytes::new(), None),
            Body::Json(json) => (json.clone(), Some(Cow::Borrowed("application/json"))),
            Body::Typed(bytes, kind) => (bytes.clone(), Some(Cow::Borrowed(*kind))),
            Body::Multipart(parts) => {
                let (body, kind) = request_body::multipart(parts, signing.nonce);
                (body, Some(Cow::Owned(kind)))
            }
        };
        let url = signing.endpoint.join(&path, &query);
        // Of a signature they are a few more than of a token.
        let own = match credential.map(|credential| &credential.identity) {
            Some(Identity::Keys(_)) => 7,
            _ => 3,
        };
        let mut outgoing = request(&operation.method, url, encoded, signing, body, own);
        let headers = &mut outgoing.headers;
        let mut set = |name: &'static str, text: Text<'_>| {
            set_header(headers, operation, HeaderName::from_static(name), text)
        };
        if let Some(kind) = &content_type {
            set("content-type", Text::Plain(kind))?;
        }
        set("accept", Text::Fixed("application/json"))?;
        let keys = match credential.map(|credential| &credential.identity) {
            None => return Ok(Prepared::unsigned(outgoing)),
            Some(Identity::Token(token)) => {
                set("x-auth-token", Text::Secret(token.expose().into()))?;
                return Ok(Prepared::unsigned(outgoing));
            }
            Some(Identity::Keys(keys)) => keys,
        };
        let date = time::basic(signing.now);
        set("x-sdk-date", Text::Plain(&date))?;
        if let Some(project) = project_in(operation, &path).or(project) {
            set("x-project-id", Text::Plain(project))?;
        }
        if let Some(token) = &keys.token {
            set("x-security-token", Text::Secret(token.expose().into()))?;
        }
        let (payload, unsigned) = sdk_hmac::payload_hash(content_type.as_deref(), &outgoing.body);
        if unsigned {
            set(
                "x-sdk-content-sha256",
                Text::Fixed(sdk_hmac::UNSIGNED_PAYLOAD),
            )?;
        }
        let mut signed: Vec<(&str, &str)> = Vec::with_capacity(headers.len() + 1);
        signed.push(("host", signing.endpoint.host()));
        for (name, value) in &*headers {
            let name = name.as_str();
            // What proxies rewrite stays unsigned; the service checks only what is listed.
            if (name.starts_with("x-") || name == "content-type")
                && let Ok(value) = value.to_str()
            {
                signed.push((name, value));
            }
        }
        let style = match self.signature {
            HuaweiSignature::Access => sdk_hmac::Style::Access,
            HuaweiSignature::Scoped => sdk_hmac::Style::Scoped {
                region: "",
                service: "",
            },
        };
        let uri = sdk_hmac::canonical_uri(outgoing.url.path());
        let mut signature = sdk_hmac::sign(
            style,
            &keys.id,
            keys.secret.expose(),
            &date,
            &CanonicalRequest {
                method: operation.method.as_str(),
                canonical_uri: &uri,
                canonical_query: &query,
                headers: &signed,
                payload_sha256: &payload,
            },
        );
        let authorization = Text::Secret(std::mem::take(&mut signature.authorization).into());
        set_header(headers, operation, header::AUTHORIZATION, authorization)?;
        Ok(Prepared {
            request: outgoing,
            evidence: Some(Evidence::new(signature, signing.now)),
        })
    }

    fn read(
        &self,
        service: &'static Service,
        operation: &'static Operation,
        reply: &HttpResponse,
        output: &mut dyn Record,
    ) -> Verdict {
        let tables = Tables {
            service,
            common: CODES,
            operation,
        };
        if !(200..300).contains(&reply.status) {
            let page = Page::new(&reply.body);
            let mut failure = classify::failure(&tables, reply, &page);
            if let Some(time) = server_time(&failure.message) {
                failure.kind = Kind::ClockSkew;
                failure.server_time = Some(time);
                failure.hint = Some("The machine's clock is more than 15 minutes off".into());
            }
            classify::take_quoted(&mut failure, &page.text, QUOTED);
            return Verdict::Failed(failure);
        }
        copy_headers(reply, output);
        if reply.body.is_empty() {
            return silent(reply, output);
        }
        let mut verdict = success::read(&tables, reply, output);
        if let Verdict::Failed(failure) = &mut verdict {
            classify::take_quoted(failure, "", QUOTED);
        }
        verdict
    }

    fn request_id(&self, reply: &HttpResponse, _: &dyn Record) -> Option<String> {
        let mut names = REQUEST_IDS.iter();
        let id = names.find_map(|name| reply.header(name));
        id.map(str::to_owned)
    }
}

/// `verify aksk signature fail, canonicalRequest:GET|/v1/|..`: the gateway writes `|` for line breaks.
const QUOTED: &[classify::Marker] = &[("canonicalRequest", |rest| {
    let rest = rest.trim_start_matches([':', ' ', '[', '"']);
    let text = rest.split('"').next().unwrap_or_default();
    Quoted::CanonicalRequest(match text.contains('\n') {
        true => text.to_owned(),
        false => text.replace('|', "\n"),
    })
})];

/// The project that the path names: what a key is used for, whoever supplied it.
fn project_in<'a>(operation: &Operation, path: &'a str) -> Option<&'a str> {
    let at = operation
        .path
        .split('/')
        .position(|segment| segment == "{project_id}")?;
    path.split('/').nth(at)
}

/// No body is right for 202, 204 and outputs without members; otherwise the answer was cut off.
fn silent(reply: &HttpResponse, output: &dyn Record) -> Verdict {
    let expects_body = output
        .schema()
        .members
        .iter()
        .any(|member| member.location == Location::Body);
    if reply.body.is_empty() && expects_body && !matches!(reply.status, 202 | 204) {
        return Verdict::Failed(classify::empty(reply));
    }
    Verdict::Done(Vec::new())
}

fn copy_headers(reply: &HttpResponse, output: &mut dyn Record) {
    for member in output.schema().members {
        if member.location == Location::Header
            && let Some(text) = reply.header(member.name)
        {
            record::set(output, member.name, text);
        }
    }
}

/// `.. signature time:20230527T000431Z,server time:20230527T020608Z`
fn server_time(message: &str) -> Option<i64> {
    let (_, rest) = message.split_once("server time:")?;
    let text = rest.trim_start().get(..16)?;
    let digits = |range: std::ops::Range<usize>| text.get(range);
    let iso = format!(
        "{}-{}-{}T{}:{}:{}Z",
        digits(0..4)?,
        digits(4..6)?,
        digits(6..8)?,
        digits(9..11)?,
        digits(11..13)?,
        digits(13..15)?
    );
    record::Timestamp::from(iso).unix_seconds()
}

#[cfg(test)]
mod tests {
    use super::server_time;

    #[test]
    fn reads_the_server_time_of_a_skew_message() {
        let text =
            "signature expired, signature time:20230527T000431Z,server time:20230527T020608Z";
        assert_eq!(server_time(text), Some(1_685_153_168));
        for text in [
            "",
            "server time:",
            "server time:2023",
            "server time:ééééééééééééé",
        ] {
            assert_eq!(server_time(text), None);
        }
    }
}
