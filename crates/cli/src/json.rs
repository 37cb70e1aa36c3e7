//! JSON that a person wrote: a key that stands twice is a mistake, and which of the two was meant, nobody knows.

use std::fmt;

use cumulo_core::Json;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Reads one value. The error tells place and key, never a value.
pub(crate) fn parse(text: &[u8]) -> Result<Json, serde_json::Error> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut source = serde_json::Deserializer::from_slice(text);
    let json = Strict.deserialize(&mut source)?;
    source.end()?;
    Ok(json)
}

struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Json;
    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Json, D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }
    fn visit_bool<E: Error>(self, truth: bool) -> Result<Json, E> {
        Ok(truth.into())
    }
    fn visit_i64<E: Error>(self, number: i64) -> Result<Json, E> {
        Ok(number.into())
    }
    fn visit_u64<E: Error>(self, number: u64) -> Result<Json, E> {
        Ok(number.into())
    }
    fn visit_f64<E: Error>(self, number: f64) -> Result<Json, E> {
        Ok(number.into())
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<Json, E> {
        Ok(text.into())
    }
    fn visit_string<E: Error>(self, text: String) -> Result<Json, E> {
        Ok(text.into())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(Strict)? {
            items.push(item);
        }
        Ok(items.into())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut members = serde_json::Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if members.contains_key(&key) {
                return Err(A::Error::custom(format_args!("`{key}` is given twice")));
            }
            let value = map.next_value_seed(Strict)?;
            members.insert(key, value);
        }
        Ok(members.into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_same_value_as_any_other_reader() {
        let text = r#" {"a":[1,-2,1.5,true,null,"x"],"b":{"c":{}},"n":18446744073709551615} "#;
        let plain: Json = serde_json::from_str(text).unwrap();
        assert_eq!(parse(text.as_bytes()).unwrap(), plain);
        assert_eq!(parse("\u{feff}{}".as_bytes()).unwrap(), json!({}));
        for bad in ["", "{", "{} {}", "\u{1}", "[1,]"] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
        let deep = "[".repeat(100_000);
        assert!(parse(deep.as_bytes()).is_err());
    }

    #[test]
    fn a_key_that_stands_twice_is_named_and_its_values_are_not() {
        for text in [
            r#"{"Name":"s3cr3t","Name":"b"}"#,
            r#"[{"a":{"Name":1,"b":2,"Name":3}}]"#,
        ] {
            let error = parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with("`Name` is given twice"), "{error}");
            assert!(!error.contains("s3cr3t"), "{error}");
        }
        // The same name in two objects is no matter.
        assert!(parse(br#"[{"a":1},{"a":2,"b":{"a":3}}]"#).is_ok());
    }
}
