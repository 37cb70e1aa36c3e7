//! From a record's members to the parts of a request that all protocols share: query pairs, headers,
//! and members that the client supplies.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::error::{Error, Kind};
use crate::operation::Operation;
use crate::record::{self, ListKeys, Location, Member, Record, Secret, Shape, Value, View};
use crate::service::Settings;

use crate::wipe;

use super::{Body, Encoded};

/// What every protocol encodes in the same way.
pub(crate) struct Members<'a> {
    pub operation: &'static Operation,
    pub settings: &'a Settings,
    /// How a user sets a setting.
    pub how: &'a dyn Fn(&str) -> String,
    pub lists: ListKeys,
}

impl Members<'_> {
    /// Encodes `input`; members of the path are taken as done, those of the body go to `body`.
    pub(crate) fn encode(
        &self,
        input: &dyn Record,
        path: Cow<'static, str>,
        plain_path: Cow<'static, str>,
        body: &mut dyn FnMut(&Member, &dyn Value) -> Option<Body>,
    ) -> Result<Encoded, Error> {
        let schema = input.schema();
        let mut encoded = Encoded {
            operation: self.operation,
            path,
            plain_path,
            query: Vec::with_capacity(schema.members.len()),
            headers: Vec::new(),
            body: Body::Empty,
            secrets: Vec::new(),
        };
        let mut result = Ok(());
        input.read(&mut |values| {
            result = schema
                .members
                .iter()
                .zip(values)
                .try_for_each(|(member, value)| self.member(&mut encoded, member, *value, body));
        });
        result?;
        secrets(input, &mut encoded.secrets);
        Ok(encoded)
    }

    fn member(
        &self,
        encoded: &mut Encoded,
        member: &'static Member,
        value: &dyn Value,
        body: &mut dyn FnMut(&Member, &dyn Value) -> Option<Body>,
    ) -> Result<(), Error> {
        if matches!(value.view(), View::Absent) {
            if member.required
                && member.location != Location::Path
                && let Some(text) = self.supplied(member)?
            {
                encoded.query.push((Cow::Borrowed(member.name), text));
            }
            return Ok(());
        }
        match member.location {
            Location::Path => {}
            Location::Query => self.pairs(encoded, member, value),
            Location::Header => {
                if let Some(text) = scalar_text(value)
                    && let Ok(name) = HeaderName::from_bytes(member.name.as_bytes())
                {
                    let value = wipe::header(text.into_owned())
                        .ok_or_else(|| unfit(self.operation, member.name))?;
                    encoded.headers.push((name, value));
                }
            }
            Location::Body | Location::Raw | Location::Part => {
                if let Some(body) = body(member, value) {
                    encoded.body = body;
                }
            }
        }
        Ok(())
    }

    /// What the client supplies for a required member that is not set.
    fn supplied(&self, member: &Member) -> Result<Option<String>, Error> {
        let name = member.name;
        let Some(setting) = member.setting else {
            let message = format!("{name} is required, but not set");
            return Err(Error::new(Kind::InvalidInput, self.operation.name, message));
        };
        match self.settings.get(setting) {
            Some(text) => Ok(Some(text.to_owned())),
            None => {
                let message = format!("{name} is required, and the client has none");
                let error = Error::new(Kind::Configuration, self.operation.name, message);
                Err(error.with_hint((self.how)(setting)))
            }
        }
    }

    fn pairs(&self, encoded: &mut Encoded, member: &'static Member, value: &dyn Value) {
        if let Some(text) = scalar_text(value) {
            let pair = (Cow::Borrowed(member.name), text.into_owned());
            encoded.query.push(pair);
            return;
        }
        let mut key = member.name.to_owned();
        if let Shape::Wrapped(inner) = member.shape {
            key.push('.');
            key.push_str(inner);
        }
        record::flatten(
            &mut key,
            value,
            member.shape,
            self.lists,
            &mut |key, text| {
                let pair = (Cow::Owned(key.to_owned()), text.into_owned());
                encoded.query.push(pair);
            },
        );
    }
}

/// Collects the secrets that are set in `record`.
fn secrets(record: &dyn Record, found: &mut Vec<Secret>) {
    fn walk(value: &dyn Value, found: &mut Vec<Secret>) {
        match value.view() {
            View::Secret(text) if !text.is_empty() => found.push(Secret::from(text)),
            View::Record(record) => secrets(record, found),
            View::List(list) => {
                for value in (0..list.len()).filter_map(|index| list.at(index)) {
                    walk(value, found);
                }
            }
            View::Map(map) => map.each(&mut |_, value| walk(value, found)),
            _ => {}
        }
    }
    record.read(&mut |values| {
        for value in values {
            walk(*value, found);
        }
    });
}

/// The text of `value` for a place that takes one text: path, header, multipart field.
pub(crate) fn scalar_text(value: &dyn Value) -> Option<Cow<'_, str>> {
    match value.view() {
        View::Text(text) | View::Secret(text) => Some(Cow::Borrowed(text)),
        View::Int(number) => Some(Cow::Owned(number.to_string())),
        View::Float(number) => Some(Cow::Owned(number.to_string())),
        View::Bool(truth) => Some(Cow::Borrowed(if truth { "true" } else { "false" })),
        _ => None,
    }
}

/// The value of a header, by who may know it.
pub(crate) enum Text<'a> {
    /// It is always the same.
    Fixed(&'static str),
    /// Anybody.
    Plain(&'a str),
    /// Nobody: wiped after use, and kept out of the transport's own debug output.
    Secret(Cow<'a, str>),
}

/// Sets the header `name` of a request.
pub(crate) fn set_header(
    headers: &mut HeaderMap,
    operation: &'static Operation,
    name: HeaderName,
    text: Text<'_>,
) -> Result<(), Error> {
    let value = match text {
        Text::Fixed(text) => {
            HeaderValue::from_maybe_shared(Bytes::from_static(text.as_bytes())).ok()
        }
        Text::Plain(text) => HeaderValue::from_bytes(text.as_bytes()).ok(),
        Text::Secret(text) => wipe::header(text.into_owned()).map(|mut value| {
            value.set_sensitive(true);
            value
        }),
    };
    let value = value.ok_or_else(|| unfit(operation, name.as_str()))?;
    headers.insert(name, value);
    Ok(())
}

fn unfit(operation: &'static Operation, name: &str) -> Error {
    let message =
        format!("the value of header {name} holds a line break or another control character");
    Error::new(Kind::InvalidInput, operation.name, message)
}
