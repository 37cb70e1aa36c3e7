//! How does a person type an input without writing JSON? As `Name=value` words.
//!
//! The operation's own record says what a value is: a number, a truth, or text that may look like either.
//! So nothing is guessed, and a name that nobody knows is answered with the nearest one.

use std::io::{self, Read};

use cumulo_core::operation::Operation;
use cumulo_core::record::{Record, Shape, Slot, nearest};
use cumulo_core::{Error, Json};

use crate::json;
use crate::request::invalid;

/// The input that `words` make, each of them JSON, `-` for JSON from standard input, or one of
/// `Name=value`, `Name:=JSON`, `Name=@file`, `Name:=@file`; a file `-` is standard input.
///
/// Messages never repeat a value, which may be a secret.
pub(crate) fn input(operation: &'static Operation, words: &[String]) -> Result<Json, Error> {
    let mut stdin = Some(());
    let mut read = |name: &str| -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        if name != "-" {
            return std::fs::read(name).map_err(|error| invalid(format!("{name}: {error}")));
        }
        stdin
            .take()
            .ok_or_else(|| invalid("standard input can be read once only"))?;
        match io::stdin().lock().read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes),
            Err(error) => Err(invalid(format!("standard input: {error}"))),
        }
    };
    read_words(operation, words, &mut read)
}

type Reader<'a> = dyn FnMut(&str) -> Result<Vec<u8>, Error> + 'a;

fn read_words(
    operation: &'static Operation,
    words: &[String],
    read: &mut Reader<'_>,
) -> Result<Json, Error> {
    let mut whole: Option<Json> = None;
    let mut typed = Json::Null;
    for word in words {
        let Some(word) = Word::of(word) else {
            let bytes = match word.as_str() {
                "-" => read("-")?,
                text => text.as_bytes().to_vec(),
            };
            if whole.is_some() {
                return Err(invalid("the input is given as JSON twice"));
            }
            if std::str::from_utf8(&bytes).is_err() {
                return Err(invalid("the input is not UTF-8 text"));
            }
            let json = json::parse(&bytes)
                .map_err(|error| invalid(format!("the input is not JSON: {error}")))?;
            whole = Some(json);
            continue;
        };
        let value = word.value(read)?;
        let mut record = (operation.input)();
        let place = Place {
            whole: word.name,
            at: 0,
        };
        object(&mut *record, operation.name, place, &mut typed, value).map_err(invalid)?;
    }
    match (whole, typed) {
        (None, Json::Null) => Ok(Json::Object(serde_json::Map::new())),
        (None, typed) => Ok(typed),
        (Some(whole), Json::Null) => Ok(whole),
        (Some(Json::Object(mut whole)), Json::Object(typed)) => {
            for (name, value) in typed {
                if whole.insert(name.clone(), value).is_some() {
                    return Err(invalid(twice(&name)));
                }
            }
            Ok(whole.into())
        }
        _ => Err(invalid("only a JSON object can be added to")),
    }
}

fn twice(name: &str) -> String {
    format!("`{name}` is given twice")
}

/// One word, taken apart.
struct Word<'a> {
    name: &'a str,
    json: bool,
    text: &'a str,
}

/// What it says.
enum Value {
    Text(String),
    Json(Json),
}

impl<'a> Word<'a> {
    /// `None` for what is no such word: a name has letters, digits, `_`, `-` and dots.
    fn of(word: &'a str) -> Option<Self> {
        let (name, text) = word.split_once('=')?;
        let (name, json) = match name.strip_suffix(':') {
            Some(name) => (name, true),
            None => (name, false),
        };
        let fits = |c: char| c.is_alphanumeric() || "_-.".contains(c);
        (!name.is_empty() && name.chars().all(fits)).then_some(Self { name, json, text })
    }

    fn value(&self, read: &mut Reader<'_>) -> Result<Value, Error> {
        let name = self.name;
        let text = match self.text.strip_prefix('@') {
            // As it is said when a value itself begins so.
            Some(rest) if rest.starts_with('@') && !self.json => rest.to_owned(),
            Some(file) => {
                let text = String::from_utf8(read(file)?)
                    .map_err(|_| invalid(format!("`{name}`: {file} is not UTF-8 text")))?;
                // An editor ends the last line, which is no part of a password.
                let line = text.strip_suffix('\n').unwrap_or(&text);
                line.strip_suffix('\r').unwrap_or(line).to_owned()
            }
            None => self.text.to_owned(),
        };
        if !self.json {
            return Ok(Value::Text(text));
        }
        json::parse(text.as_bytes())
            .map(Value::Json)
            .map_err(|error| invalid(format!("`{name}` is not JSON: {error}")))
    }
}

/// A place in the input by its name, such as `Tag.1.Key`, of which a part has been gone already.
#[derive(Clone, Copy)]
struct Place<'a> {
    whole: &'a str,
    at: usize,
}

impl<'a> Place<'a> {
    /// The name of what has been gone.
    fn gone(self) -> &'a str {
        self.whole[..self.at].trim_end_matches('.')
    }

    fn rest(self) -> &'a str {
        &self.whole[self.at..]
    }

    /// The next part, and the place behind it.
    fn next(self) -> (&'a str, Self) {
        let part = self.rest().split('.').next().unwrap_or_default();
        let at = (self.at + part.len() + 1).min(self.whole.len());
        (part, Self { at, ..self })
    }
}

/// Puts `value` into the object `at`, whose members `record` knows; `named` is what it is called.
fn object(
    record: &mut dyn Record,
    named: &str,
    place: Place<'_>,
    at: &mut Json,
    value: Value,
) -> Result<(), String> {
    let schema = record.schema();
    let (name, mut behind) = place.next();
    let Some(index) = schema.members.iter().position(|m| m.name == name) else {
        let names = schema.members.iter().map(|member| member.name);
        return Err(match nearest(name, names) {
            Some(near) => format!("{named} has no member `{name}`; did you mean `{near}`?"),
            None => format!("{named} has no member `{name}`"),
        });
    };
    // A wrapper may be named and need not be.
    if let Shape::Wrapped(inner) = schema.members[index].shape
        && behind.next().0 == inner
    {
        behind = behind.next().1;
    }
    if at.is_null() {
        *at = Json::Object(serde_json::Map::new());
    }
    let Json::Object(members) = at else {
        return Err(twice(place.gone()));
    };
    let within = members.entry(name).or_insert(Json::Null);
    let mut done = Ok(());
    let mut value = Some(value);
    record.write(&mut |values| {
        if let (Some(target), Some(value)) = (values.get_mut(index), value.take()) {
            done = put(target.slot(), behind, within, value);
        }
    });
    done
}

fn put(slot: Slot<'_>, place: Place<'_>, at: &mut Json, value: Value) -> Result<(), String> {
    if place.rest().is_empty() {
        return leaf(slot, place, at, value);
    }
    let gone = place.gone();
    let (part, behind) = place.next();
    match slot {
        Slot::Record(record) => {
            let name = record.schema().name;
            object(record, name, place, at, value)
        }
        Slot::List(list) => {
            let number: usize =
                part.parse()
                    .ok()
                    .filter(|number| *number > 0)
                    .ok_or_else(|| {
                        format!(
                            "`{gone}` is a list: its elements are numbered from 1, as in `{gone}.1`"
                        )
                    })?;
            let items = items(at, gone)?;
            if number > items.len() + 1 {
                return Err(format!("`{gone}.{}` is missing", items.len() + 1));
            }
            if number == items.len() + 1 {
                items.push(Json::Null);
            }
            put(list.push().slot(), behind, &mut items[number - 1], value)
        }
        Slot::Map(map) => {
            // Keys of plain values may hold dots.
            let plain = !matches!(
                map.entry("").slot(),
                Slot::Record(_) | Slot::List(_) | Slot::Map(_)
            );
            let (key, behind) = match plain {
                true => (
                    place.rest(),
                    Place {
                        at: place.whole.len(),
                        ..place
                    },
                ),
                false => (part, behind),
            };
            let within = entry(at, key, gone)?;
            put(map.entry("").slot(), behind, within, value)
        }
        Slot::Json(slot) => {
            let within = entry(at, part, gone)?;
            put(Slot::Json(slot), behind, within, value)
        }
        _ => Err(format!("`{gone}` has no members")),
    }
}

/// The elements of the list `at`.
fn items<'a>(at: &'a mut Json, name: &str) -> Result<&'a mut Vec<Json>, String> {
    if at.is_null() {
        *at = Json::Array(Vec::new());
    }
    at.as_array_mut().ok_or_else(|| twice(name))
}

/// The member `key` of the object `at`.
fn entry<'a>(at: &'a mut Json, key: &str, name: &str) -> Result<&'a mut Json, String> {
    if at.is_null() {
        *at = Json::Object(serde_json::Map::new());
    }
    match at {
        Json::Object(members) => Ok(members.entry(key).or_insert(Json::Null)),
        _ => Err(twice(name)),
    }
}

fn leaf(slot: Slot<'_>, place: Place<'_>, at: &mut Json, value: Value) -> Result<(), String> {
    let name = place.gone();
    let text = match value {
        Value::Json(json) if at.is_null() => {
            *at = json;
            return Ok(());
        }
        Value::Json(_) => return Err(twice(name)),
        Value::Text(text) => text,
    };
    // A list is given element by element.
    if let Slot::List(list) = slot {
        let items = items(at, name)?;
        items.push(Json::Null);
        let last = items.len() - 1;
        return leaf(
            list.push().slot(),
            place,
            &mut items[last],
            Value::Text(text),
        );
    }
    if !at.is_null() {
        return Err(twice(name));
    }
    let wants = |what: &str| format!("`{name}` must be {what}");
    *at = match slot {
        Slot::Int(_) => {
            let number: i64 = text.parse().map_err(|_| wants("a whole number"))?;
            number.into()
        }
        Slot::Float(_) => {
            let number: f64 = text.parse().map_err(|_| wants("a number"))?;
            let number = serde_json::Number::from_f64(number);
            number.ok_or_else(|| wants("a number"))?.into()
        }
        Slot::Bool(_) => {
            let truth: bool = text.parse().map_err(|_| wants("true or false"))?;
            truth.into()
        }
        Slot::Map(_) | Slot::Record(_) => {
            return Err(format!(
                "`{name}` is an object: give its members as `{name}.Member=..`, or JSON as `{name}:={{..}}`"
            ));
        }
        _ => text.into(),
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::request::find;
    use crate::service::Service;

    fn typed(service: Service, operation: &str, words: &[&str]) -> Result<Json, String> {
        let operation = find(service, operation).unwrap().operation();
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let mut files = |name: &str| match name {
            "-" => Ok(b"{\"Name\":\"web\"}".to_vec()),
            "secret" => Ok(b"s3cr3t\n".to_vec()),
            "json" => Ok(b"[\"a\",\"b\"]\n".to_vec()),
            _ => Err(invalid(format!("{name}: not there"))),
        };
        read_words(operation, &words, &mut files).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn the_schema_says_what_a_value_is() {
        let smc = |words: &[&str]| typed(Service::Smc, "DescribeReplicationJobs", words);
        assert_eq!(smc(&[]), Ok(json!({})));
        assert_eq!(
            smc(&["PageSize=10", "Name=10", "JobId=j-1", "JobId=true"]),
            Ok(json!({ "PageSize": 10, "Name": "10", "JobId": ["j-1", "true"] }))
        );
        assert_eq!(
            smc(&["JobId.1=a", "JobId.2=b"]),
            Ok(json!({ "JobId": ["a", "b"] }))
        );
        assert_eq!(
            smc(&["JobId:=@json", "Name=a=b"]),
            Ok(json!({ "JobId": ["a", "b"], "Name": "a=b" }))
        );
        assert_eq!(smc(&["Name="]), Ok(json!({ "Name": "" })));
        assert_eq!(smc(&["Name=@@x"]), Ok(json!({ "Name": "@x" })));
        let zone = |words: &[&str]| typed(Service::Zstack, "QueryZone", words);
        assert_eq!(
            zone(&["q=name=web-1", "q=state!=Enabled", "count=true", "limit=5"]),
            Ok(json!({ "q": ["name=web-1", "state!=Enabled"], "count": true, "limit": 5 }))
        );
    }

    #[test]
    fn what_is_nested_is_named_by_dots() {
        let words = [
            "ResourceType=sourceserver",
            "Tag.1.Key=a",
            "Tag.1.Value=1",
            "Tag.2.Key=b",
        ];
        let tags = typed(Service::Smc, "TagResources", &words);
        assert_eq!(
            tags,
            Ok(
                json!({ "ResourceType": "sourceserver", "Tag": [{"Key": "a", "Value": "1"}, {"Key": "b"}] })
            )
        );
        let zone = typed(Service::Zstack, "CreateZone", &["params.name=z"]);
        let flat = typed(Service::Zstack, "CreateZone", &["name=z"]);
        assert!(zone.is_ok() != flat.is_ok(), "{zone:?} {flat:?}");
    }

    #[test]
    fn json_and_words_add_up_and_files_keep_secrets_off_the_command_line() {
        let smc = |words: &[&str]| typed(Service::Smc, "CreateAccessToken", words);
        let whole = json!({ "Name": "web", "Count": "3" });
        assert_eq!(smc(&[r#"{"Name":"web"}"#, "Count=3"]), Ok(whole.clone()));
        assert_eq!(smc(&["Count=3", "-"]), Ok(whole));
        let user = typed(
            Service::Zstack,
            "CreateUser",
            &["name=me", "password=@secret"],
        );
        assert_eq!(user, Ok(json!({ "name": "me", "password": "s3cr3t" })));
    }

    #[test]
    fn mistakes_are_named_and_values_are_not() {
        for (words, message) in [
            (
                &["Nme=s3cr3t"][..],
                "DescribeReplicationJobs has no member `Nme`; did you mean `Name`?",
            ),
            (&["PageSize=s3cr3t"], "`PageSize` must be a whole number"),
            (&["Name=a", "Name=s3cr3t"], "`Name` is given twice"),
            (&[r#"{"Name":"a"}"#, "Name=s3cr3t"], "`Name` is given twice"),
            (
                &[r#"{"Name":"s3cr3t","Name":"b"}"#],
                "the input is not JSON: `Name` is given twice",
            ),
            (&["Name.x=s3cr3t"], "`Name` has no members"),
            (
                &["JobId.0=s3cr3t"],
                "`JobId` is a list: its elements are numbered from 1",
            ),
            (&["JobId.2=s3cr3t"], "`JobId.1` is missing"),
            (&["JobId:=s3cr3t"], "`JobId` is not JSON: expected"),
            (&["JobId:=[]", "JobId:=[]"], "`JobId` is given twice"),
            (&["s3cr3t"], "the input is not JSON: expected"),
            (&["{}", "{}"], "the input is given as JSON twice"),
            (&["[]", "Name=x"], "only a JSON object can be added to"),
            (&["Name=@nowhere"], "nowhere: not there"),
        ] {
            let error = typed(Service::Smc, "DescribeReplicationJobs", words).unwrap_err();
            assert!(error.starts_with(message), "{words:?}: {error}");
            assert!(!error.contains("s3cr3t"), "{error}");
        }
        let error = typed(Service::Smc, "TagResources", &["Tag.1.Kye=s3cr3t"]).unwrap_err();
        assert!(error.contains("did you mean `Key`?"), "{error}");
        let error = typed(Service::Smc, "TagResources", &["Tag.1=s3cr3t"]).unwrap_err();
        assert!(error.starts_with("`Tag.1` is an object"), "{error}");
    }
}
