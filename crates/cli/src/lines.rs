//! A result for programs that read lines: `--output jsonl` and `--output text`.

use cumulo_core::Json;

use crate::term;

/// The elements of an array, or `result` itself.
pub(crate) fn rows(result: &Json) -> &[Json] {
    match result {
        Json::Array(rows) => rows,
        other => std::slice::from_ref(other),
    }
}

/// One element as a line for `cut` and `read`: values with tabs between, those that are objects or
/// lists as JSON.
pub(crate) fn text(row: &Json) -> String {
    let cells: Vec<String> = match row {
        Json::Array(cells) => cells.iter().map(cell).collect(),
        Json::Object(members) => members.values().map(cell).collect(),
        scalar => vec![cell(scalar)],
    };
    cells.join("\t")
}

/// Tabs and line breaks in a text are written as `\t` and `\n`: a row stays a row.
fn cell(json: &Json) -> String {
    match json {
        Json::Null => String::new(),
        Json::String(text) => term::clean(text),
        other => term::json(other),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_is_a_line() {
        for (row, line) in [
            (json!("a b"), "a b"),
            (json!(true), "true"),
            (json!(["a", 1, null, "b"]), "a\t1\t\tb"),
            (
                json!({"id": "s-1", "tags": [{"k": "v"}]}),
                "s-1\t[{\"k\":\"v\"}]",
            ),
            (json!("two\nlines\tand a tab"), "two\\nlines\\tand a tab"),
            (json!([]), ""),
        ] {
            assert_eq!(text(&row), line);
        }
        assert_eq!(rows(&json!([1, 2])).len(), 2);
        assert_eq!(rows(&json!({"a": 1})), [json!({"a": 1})]);
    }
}
