//! `--query`: what of a result is wanted, as a JMESPath expression.

use cumulo_core::Json;
use jmespath::{Expression, JmespathError};

/// Longer ones are a mistake, too: chains of `|` and `.` go down one call for each part.
const LONGEST: usize = 1024;
/// Deeper brackets are a mistake; the parser goes down one call for each.
const DEEPEST: usize = 100;

/// An expression that was found to be one before anything is sent.
#[derive(Debug, Clone)]
pub(crate) struct Query(Expression<'static>);

impl Query {
    /// For an argument of the command line.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("it has more than {LONGEST} bytes"));
        }
        let opening = text.chars().filter(|c| "([{!&".contains(*c)).count();
        if opening > DEEPEST {
            return Err(format!("it has more than {DEEPEST} brackets"));
        }
        jmespath::compile(text)
            .map(Self)
            .map_err(|error| said(&error))
    }

    /// What it makes of `json`. An error is one of types, such as `length()` of a number.
    pub(crate) fn apply(&self, json: &Json) -> Result<Json, String> {
        let found = self.0.search(json).map_err(|error| said(&error))?;
        serde_json::to_value(&*found).map_err(|error| error.to_string())
    }
}

/// In one line: where and what.
fn said(error: &JmespathError) -> String {
    format!("{} at column {}", error.reason, error.column + 1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_filters_and_numbers() {
        let answer = json!({"Total": 9_007_199_254_740_993_u64, "Servers": [
            {"Id": "s-1", "State": "Available"}, {"Id": "s-2", "State": "Unavailable"}]});
        for (query, found) in [
            ("Total", json!(9_007_199_254_740_993_u64)),
            ("Servers[?State=='Available'].Id | [0]", json!("s-1")),
            ("Servers[].{id: Id}", json!([{"id": "s-1"}, {"id": "s-2"}])),
            ("length(Servers)", json!(2)),
            ("Nothing.There", Json::Null),
        ] {
            assert_eq!(Query::parse(query).unwrap().apply(&answer).unwrap(), found);
        }
    }

    #[test]
    fn mistakes_say_where() {
        let error = Query::parse("Servers[?State=").unwrap_err();
        assert!(error.contains("column") && !error.contains('\n'), "{error}");
        assert!(Query::parse("").is_err());
        assert!(Query::parse(&"[".repeat(100_000)).is_err());
        let error = Query::parse("length(@)").unwrap().apply(&json!(1));
        assert!(error.unwrap_err().contains("expects"));
    }
}
