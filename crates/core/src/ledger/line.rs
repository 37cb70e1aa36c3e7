//! One entry as a line of JSON, and back. Lines of other versions are refused, not guessed at.

use serde_json::{Map, Value, json};

use super::{Entry, State};

/// What a line says: the key, and its entry; `None` where the key was forgotten.
pub(super) type Said = (String, Option<Entry>);

const VERSION: u64 = 1;

/// The line for `key`, with its line break.
pub(super) fn write(key: &str, entry: Option<&Entry>) -> Vec<u8> {
    let mut out = Map::new();
    out.insert("v".into(), VERSION.into());
    out.insert("key".into(), key.into());
    match entry {
        None => {
            out.insert("state".into(), "forgotten".into());
        }
        Some(entry) => {
            out.insert("operation".into(), entry.operation.as_str().into());
            out.insert("input".into(), entry.input.as_str().into());
            out.insert("token".into(), json!(entry.token));
            out.insert("at".into(), entry.at.into());
            let state = match &entry.state {
                State::Begun => "begun",
                State::Rejected => "rejected",
                State::Unknown => "unknown",
                State::Done { request_id, answer } => {
                    out.insert("request_id".into(), json!(request_id));
                    out.insert("answer".into(), json!(answer));
                    "done"
                }
            };
            out.insert("state".into(), state.into());
        }
    }
    let mut line = Value::Object(out).to_string().into_bytes();
    line.push(b'\n');
    line
}

/// What `line` says, or what is wrong with it.
pub(super) fn read(line: &[u8]) -> Result<Said, String> {
    let value: Value = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    if value["v"] != VERSION {
        return Err(format!("version {} is not known", value["v"]));
    }
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    let need = |name: &str| text(name).ok_or_else(|| format!("`{name}` is missing"));
    let key = need("key")?;
    let state = match need("state")?.as_str() {
        "forgotten" => return Ok((key, None)),
        "begun" => State::Begun,
        "rejected" => State::Rejected,
        "unknown" => State::Unknown,
        "done" => State::Done {
            request_id: text("request_id"),
            answer: Some(value["answer"].clone()).filter(|answer| !answer.is_null()),
        },
        other => return Err(format!("state `{other}` is not known")),
    };
    let at = value["at"].as_i64().ok_or("`at` is missing")?;
    let entry = Entry {
        operation: need("operation")?,
        input: need("input")?,
        token: text("token"),
        state,
        at,
    };
    Ok((key, Some(entry)))
}
