//! An answer as a table: one row per item of its longest list, its other values above.

use cumulo_core::Json;
use cumulo_core::record::nearest;

use crate::term::{clean, columns, cut, note, pad, wrap};

/// Columns between two cells.
const GAP: usize = 2;
/// A cell narrower than this tells nothing.
const NARROWEST: usize = 10;

/// `output` in lines of at most `width` columns where one is given: what is too long is cut there, but never the
/// id of something, which is of no use without its end. `only`: the columns of the table, in this order.
pub(crate) fn render(output: &Json, width: Option<usize>, only: &[String]) -> String {
    let width = width.unwrap_or(usize::MAX);
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
        let value = match is_id(name) {
            true => value.clone(),
            false => cut(value, room),
        };
        let line = format!("{}  {value}", pad(name, name_width));
        text += line.trim_end();
        text.push('\n');
    }
    if let Some((path, list)) = longest.and_then(|index| lists.get(index)) {
        if !values.is_empty() {
            text.push('\n');
        }
        text += &rows(path, list, width, only);
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

/// Whether a name is that of an id: `uuid`, `JobId`, `instance_id`, `AccessTokenId`.
fn is_id(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    let lower = last.to_lowercase();
    lower == "id" || lower.ends_with("uuid") || last.ends_with("Id") || last.ends_with("_id")
}

fn rows(path: &str, list: &[Json], width: usize, only: &[String]) -> String {
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
    for unknown in only.iter().filter(|name| !names.contains(&name.as_str())) {
        let near = nearest(unknown, names.iter().copied());
        let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        note(format_args!(
            "warning: there is no column `{unknown}`{near}"
        ));
    }
    if !only.is_empty() {
        let chosen = only.iter().map(String::as_str);
        names = chosen.filter(|name| names.contains(name)).collect();
        if names.is_empty() {
            return String::new();
        }
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
    // What must stay whole, and whether it was asked for.
    let firm: Vec<bool> = used.iter().map(|column| is_id(names[*column])).collect();
    let widths = fit(&natural, &firm, !only.is_empty(), width);
    let line = |cell: &dyn Fn(usize) -> String| {
        let cells: Vec<String> = widths
            .iter()
            .zip(&used)
            .filter_map(|(width, column)| Some(pad(&cell(*column), (*width)?)))
            .collect();
        cells.join(&" ".repeat(GAP)).trim_end().to_owned() + "\n"
    };
    let mut text = line(&|column| clean(names[column]));
    text += &line(&|column| "-".repeat(columns(&clean(names[column]))));
    for row in &cells {
        text += &line(&|column| row[column].clone());
    }
    let left_out: Vec<String> = widths
        .iter()
        .zip(&used)
        .filter(|(width, _)| width.is_none())
        .map(|(_, column)| clean(names[*column]))
        .collect();
    if !left_out.is_empty() {
        let note = format!(
            "No room for {}: --columns chooses, --output json has them all.",
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

/// Widths that fit: the widest give way first; columns for which no useful width is left go, the last one
/// first. `firm` ones do neither, and with `all` none goes.
fn fit(natural: &[usize], firm: &[bool], all: bool, width: usize) -> Vec<Option<usize>> {
    let least = |column: usize| match firm[column] {
        true => natural[column],
        false => natural[column].min(NARROWEST),
    };
    let mut kept: Vec<usize> = (0..natural.len()).collect();
    let sum = |widths: &mut dyn Iterator<Item = usize>| {
        widths.fold(
            0,
            |sum, width| if sum == 0 { width } else { sum + GAP + width },
        )
    };
    while !all && kept.len() > 1 && sum(&mut kept.iter().map(|column| least(*column))) > width {
        match kept.iter().rposition(|column| !firm[*column]) {
            Some(last) => kept.remove(last),
            None => break,
        };
    }
    let mut widths: Vec<Option<usize>> = vec![None; natural.len()];
    for column in kept {
        widths[column] = Some(natural[column]);
    }
    while sum(&mut widths.iter().flatten().copied()) > width {
        let loose = widths.iter_mut().zip(firm).filter(|(_, firm)| !**firm);
        match loose.filter_map(|(width, _)| width.as_mut()).max() {
            Some(widest) if *widest > 1 => *widest -= 1,
            _ => break,
        }
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
        assert_eq!(render(&tokens(), Some(100), &[]), expected);
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
            let text = render(&wide, Some(width), &[]);
            for line in text.lines() {
                // A name without spaces is not broken in the note below the table.
                assert!(columns(line) <= width, "{width}: {line}");
            }
            let words = text.replace('\n', " ");
            assert!(
                words.contains('…') && words.contains("No room for"),
                "{text}"
            );
            assert!(words.contains("--output json has them all."), "{text}");
        }
    }

    #[test]
    fn answers_without_lists_or_without_anything() {
        assert_eq!(
            render(&json!({"a": {"b": true}, "c": null}), Some(100), &[]),
            "a.b  true\nc\n"
        );
        assert_eq!(render(&json!({}), Some(100), &[]), "(no members)\n");
        assert_eq!(
            render(&json!({"Tags": {"Tag": []}}), Some(100), &[]),
            "Tags.Tag: none\n"
        );
        assert_eq!(
            render(&json!({"Ids": ["a", "b"]}), Some(100), &[]),
            "Ids\n---\na\nb\n"
        );
    }

    #[test]
    fn answers_cannot_steer_the_terminal() {
        let text = render(
            &json!({"a\x1b[1m": "b\x1b[2J\r", "l": [{"\x07n": "\x1b]0;t\x07"}]}),
            Some(100),
            &[],
        );
        assert!(!text.contains(['\x1b', '\x07', '\r']), "{text:?}");
    }

    #[test]
    fn ids_are_never_cut_and_pipes_get_everything() {
        let id = "0123456789abcdef".repeat(4);
        let mut wide = json!({ "items": [{ "uuid": id, "name": "n".repeat(200), "JobId": id }], "RequestId": id });
        for index in 0..20 {
            wide["items"][0][format!("Column{index}")] = json!("x".repeat(30));
        }
        for width in [20, 80, 120] {
            let text = render(&wide, Some(width), &[]);
            assert_eq!(text.matches(&id).count(), 3, "{text}");
            assert!(text.contains("No room for"), "{text}");
        }
        let whole = render(&wide, None, &[]);
        assert!(
            !whole.contains(['…']) && !whole.contains("No room"),
            "{whole}"
        );
        assert!(
            whole.contains(&"n".repeat(200)) && whole.contains("Column19"),
            "{whole}"
        );
    }

    #[test]
    fn columns_are_chosen_by_name() {
        let chosen = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let text = render(&tokens(), None, &names);
            text.split("\n\n").nth(1).unwrap_or_default().to_owned()
        };
        let expected = "\
Status     AccessTokenId
------     -------------
           at-1
activated  at-2
";
        assert_eq!(chosen(&["Status", "AccessTokenId"]), expected);
        assert_eq!(chosen(&["Status", "Sattus", "AccessTokenId"]), expected);
        assert_eq!(chosen(&["nothing"]), "");
    }
}
