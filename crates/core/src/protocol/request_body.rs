//! Bodies of the REST styles: JSON, a single value, multipart.

use std::borrow::Cow;

use bytes::Bytes;

use crate::error::{Error, Kind};
use crate::record::{self, Json, Value, View, Wire};

use crate::wipe::{self, Wiped};

use super::members::scalar_text;
use super::{Body, Encoded, Part};

/// One part of a multipart body; bytes go out as a file.
pub(crate) fn part(name: &'static str, value: &dyn Value) -> Option<Part> {
    match value.view() {
        View::Bytes(content) => Some((name, Some(name), content.clone())),
        _ => scalar_text(value).map(|text| (name, None, wipe::bytes(text.into_owned()))),
    }
}

/// The body of a member that is the whole body.
pub(crate) fn raw(value: &dyn Value) -> Body {
    match value.view() {
        View::Bytes(bytes) => Body::Typed(bytes.clone(), "application/octet-stream"),
        View::Json(json) => Body::Json(wipe::bytes(wipe::to_json(json))),
        View::Record(record) => Body::Json(wipe::bytes(record::to_json(Wire::clear(record)))),
        View::Map(_) | View::List(_) => Body::Json(wipe::bytes(record::to_json_value(value))),
        _ => match scalar_text(value) {
            Some(text) => Body::Json(wipe::bytes(text.into_owned())),
            None => Body::Empty,
        },
    }
}

/// Adds a member to the JSON body, or to the query where there is none; a list repeats its key there.
pub(crate) fn add_member(
    encoded: &mut Encoded,
    wrapper: Option<&str>,
    name: &str,
    value: Json,
) -> Result<(), Error> {
    let Body::Json(body) = &encoded.body else {
        let values = match value {
            Json::Array(values) => values,
            value => vec![value],
        };
        encoded.query.extend(values.into_iter().map(|value| {
            let text = match value {
                Json::String(text) => text,
                other => other.to_string(),
            };
            (Cow::Owned(name.to_owned()), text)
        }));
        return Ok(());
    };
    let refuse = || {
        let message = format!("`{name}` cannot be added: the body is no object");
        Error::new(Kind::InvalidInput, encoded.operation.name, message)
    };
    let mut json = Wiped(serde_json::from_slice(body).map_err(|_| refuse())?);
    let object = match wrapper {
        Some(key) => json.get_mut(key),
        None => Some(&mut *json),
    };
    let object = object.and_then(Json::as_object_mut).ok_or_else(refuse)?;
    object.insert(name.to_owned(), value);
    encoded.body = Body::Json(wipe::bytes(wipe::to_json(&*json)));
    Ok(())
}

/// `multipart/form-data`, with a boundary that cannot occur in the parts: 122 random bits.
pub(crate) fn multipart(parts: &[Part], random: &str) -> (Bytes, String) {
    // Room for all of it, so that nothing is left behind by growing.
    let room = |(_, _, content): &Part| content.len() + 300;
    let mut body = Vec::with_capacity(parts.iter().map(room).sum::<usize>() + 100);
    for (name, file, content) in parts {
        body.extend_from_slice(
            format!("--{random}\r\nContent-Disposition: form-data; name=\"{name}\"").as_bytes(),
        );
        if let Some(file) = file {
            body.extend_from_slice(
                format!("; filename=\"{file}\"\r\nContent-Type: application/octet-stream")
                    .as_bytes(),
            );
        }
        body.extend_from_slice(b"\r\n\r\n");
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{random}--\r\n").as_bytes());
    (
        wipe::bytes(body),
        format!("multipart/form-data; boundary={random}"),
    )
}
