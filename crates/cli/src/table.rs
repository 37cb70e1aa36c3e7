//! An answer as a table: one row per item of its longest list, its other values above.

use cumulo_core::Json;

use crate::term::{clean, columns, cut, pad, wrap};

/// Columns between two cells.
const GAP: usize = 2;
/// A cell narrower than this tells nothing.
const NARROWEST: usize = 10;

/// `output` in lines of at most `width` columns.
pub(crate) fn render(output: &Json, width: usize) -> String {
    let mut values = Vec::new();
    let mut lists = Vec::new();
    split(output, "", &mut values, &mut lists);
    // The longest; the first of them where several are equally long.
    let longest = lists
        .iter()
        .enumerate()
        .rev()
        .max_by_key(|(_, (_, list))| list.len());
    let longest = longest.map(|(index, _)| index);
    let mut text = String::new();
    for (index, (path, list)) in lists.iter().enumerate() {
        if Some(index) != longest {
            values.push((path.clone(), brief(&Json::Array(list.to_vec()))));
        }
    }
    let name_width = values
        .iter()
        .map(|(name, _)| columns(name))
        .max()
        .unwrap_or(0)
        .min(width / 2);
    for (name, value) in &values {
        let room = width.saturating_sub(name_width + GAP).max(1);
        let line = format!("{}  {}", pad(name, name_width), cut(value, room));
        text += line.trim_end();
        text.push('\n');
    }
    if let Some((path, list)) = longest.and_then(|index| lists.get(index)) {
        if !values.is_empty() {
            text.push('\n');
        }
        text += &rows(path, list, width);
    }
    if text.is_empty() {
        text.push_str("(no members)\n");
    }
    text
}

/// Takes an object apart: scalars, and lists with what is inside them left whole.
fn split<'a>(
    json: &'a Json,
    path: &str,
    values: &mut Vec<(String, String)>,
    lists: &mut Vec<(String, &'a [Json])>,
) {
    match json {
        Json::Object(members) => {
            for (name, member) in members {
                let path = match path {
                    "" => clean(name),
                    _ => format!("{path}.{}", clean(name)),
                };
                split(member, &path, values, lists);
            }
        }
        Json::Array(list) => lists.push((path.to_owned(), list)),
        scalar => values.push((path.to_owned(), brief(scalar))),
    }
}

/// A value in one line.
fn brief(json: &Json) -> String {
    match json {
        Json::Null => String::new(),
        Json::String(text) => clean(text),
        other => clean(&other.to_string()),
    }
}

fn rows(path: &str, list: &[Json], width: usize) -> String {
    if list.is_empty() {
        return format!("{}\n", cut(&format!("{path}: none"), width));
    }
    // Columns in the order in which they first appear.
    let mut names: Vec<&str> = Vec::new();
    for item in list.iter().filter_map(Json::as_object) {
        for name in item.keys() {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
    }
    if names.is_empty() {
        names.push(path);
    }
    let cells: Vec<Vec<String>> = list.iter().map(|item| row(item, &names)).collect();
    // What no item has is no column.
    let used: Vec<usize> = (0..names.len())
        .filter(|column| cells.iter().any(|row| !row[*column].is_empty()))
        .collect();
    let natural: Vec<usize> = used
        .iter()
        .map(|column| {
            let cells = cells.iter().map(|row| columns(&row[*column]));
            cells
                .chain([columns(&clean(names[*column]))])
                .max()
                .unwrap_or(0)
        })
        .collect();
    let widths = fit(&natural, width);
    let line = |cell: &dyn Fn(usize) -> String| {
        let cells: Vec<String> = widths
            .iter()
            .zip(&used)
            .map(|(width, column)| pad(&cell(*column), *width))
            .collect();
        cells.join(&" ".repeat(GAP)).trim_end().to_owned() + "\n"
    };
    let mut text = line(&|column| clean(names[column]));
    text += &line(&|column| "-".repeat(columns(&clean(names[column]))));
    for row in &cells {
        text += &line(&|column| row[column].clone());
    }
    if widths.len() < used.len() {
        let left_out: Vec<String> = used[widths.len()..]
            .iter()
            .map(|column| clean(names[*column]))
            .collect();
        let note = format!(
            "No room for {}: --output json has them.",
            left_out.join(", ")
        );
        text += &format!("\n{}\n", wrap(&note, width, ""));
    }
    text
}

fn row(item: &Json, names: &[&str]) -> Vec<String> {
    match item {
        Json::Object(members) => names
            .iter()
            .map(|name| members.get(*name).map(brief).unwrap_or_default())
            .collect(),
        other => {
            let mut cells = vec![String::new(); names.len()];
            cells[0] = brief(other);
            cells
        }
    }
}

/// Widths that fit: the widest give way first; columns for which no useful width is left go.
fn fit(natural: &[usize], width: usize) -> Vec<usize> {
    let mut widths = natural.to_vec();
    let total =
        |widths: &[usize]| widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
    let least = |widths: &[usize]| {
        let narrow: Vec<usize> = widths.iter().map(|width| (*width).min(NARROWEST)).collect();
        total(&narrow)
    };
    while widths.len() > 1 && least(&widths) > width {
        widths.pop();
    }
    while total(&widths) > width {
        let Some(widest) = widths.iter_mut().max() else {
            break;
        };
        if *widest <= 1 {
            break;
        }
        *widest -= 1;
    }
    widths
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tokens() -> Json {
        json!({
            "RequestId": "r-1",
            "TotalCount": 2,
            "AccessTokens": {"AccessToken": [
                {"AccessTokenId": "at-1", "Name": "迁移", "Tags": {"Tag": [{"Key": "k"}]}},
                {"AccessTokenId": "at-2", "Status": "activated"},
            ]},
            "Regions": ["one"],
        })
    }

    #[test]
    fn one_row_per_item_of_the_longest_list() {
        let expected = "\
RequestId   r-1
TotalCount  2
Regions     [\"one\"]

AccessTokenId  Name  Tags                   Status
-------------  ----  ----                   ------
at-1           迁移  {\"Tag\":[{\"Key\":\"k\"}]}
at-2                                        activated
";
        assert_eq!(render(&tokens(), 100), expected);
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let mut wide = tokens();
        let item = &mut wide["AccessTokens"]["AccessToken"][0];
        for index in 0..40 {
            item[format!("Column{index}")] = json!("服务器".repeat(index));
        }
        wide["Description"] = json!("long ".repeat(100));
        for width in [20, 40, 80, 200] {
            let text = render(&wide, width);
            for line in text.lines() {
                // A name without spaces is not broken in the note below the table.
                assert!(columns(line) <= width, "{width}: {line}");
            }
            let words = text.replace('\n', " ");
            assert!(
                words.contains('…') && words.contains("No room for"),
                "{text}"
            );
            assert!(words.contains("--output json has them."), "{text}");
        }
    }

    #[test]
    fn answers_without_lists_or_without_anything() {
        assert_eq!(
            render(&json!({"a": {"b": true}, "c": null}), 100),
            "a.b  true\nc\n"
        );
        assert_eq!(render(&json!({}), 100), "(no members)\n");
        assert_eq!(
            render(&json!({"Tags": {"Tag": []}}), 100),
            "Tags.Tag: none\n"
        );
        assert_eq!(render(&json!({"Ids": ["a", "b"]}), 100), "Ids\n---\na\nb\n");
    }

    #[test]
    fn answers_cannot_steer_the_terminal() {
        let text = render(
            &json!({"a\x1b[1m": "b\x1b[2J\r", "l": [{"\x07n": "\x1b]0;t\x07"}]}),
            100,
        );
        assert!(!text.contains(['\x1b', '\x07', '\r']), "{text:?}");
    }
}
