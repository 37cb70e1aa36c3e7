//! Lines of Rust of at most 100 columns. The formatter leaves macro bodies alone, so they are written
//! in their final form here.

/// The widest line.
pub(super) const WIDTH: usize = 100;

/// A Rust string literal.
pub(crate) fn literal(text: &str) -> String {
    format!("{text:?}").replace("\\'", "'")
}

/// Items joined by commas, filled into lines after `indent`.
pub(super) fn fill(items: &[String], indent: &str) -> String {
    let mut text = String::new();
    let mut line = String::from(indent);
    for item in items {
        if line.len() > indent.len() && line.chars().count() + item.chars().count() + 2 > WIDTH {
            text.push_str(line.trim_end());
            text.push('\n');
            line = String::from(indent);
        }
        line.push_str(item);
        line.push_str(", ");
    }
    if line.len() > indent.len() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// `head [settings],`, over several lines where it is too long for one.
pub(super) fn with_settings(indent: &str, head: &str, settings: &[String], end: &str) -> String {
    if settings.is_empty() {
        return format!("{indent}{head}{end}\n");
    }
    let line = format!("{indent}{head} [{}]{end}", settings.join(", "));
    if line.chars().count() <= WIDTH {
        return line + "\n";
    }
    let inner = format!("{indent}    ");
    let mut text = format!("{indent}{head} [\n");
    for setting in settings {
        text.push_str(&long_setting(&inner, setting));
    }
    text + &format!("{indent}]{end}\n")
}

/// One setting a line; a list of values that is too long is filled into lines of its own.
fn long_setting(indent: &str, setting: &str) -> String {
    let line = format!("{indent}{setting},\n");
    if line.chars().count() <= WIDTH + 1 {
        return line;
    }
    if let Some((first, second)) = setting
        .split_once("\", \"")
        .filter(|_| setting.starts_with("pattern("))
    {
        let second = second.strip_suffix(')').unwrap_or(second);
        let first = first.strip_prefix("pattern(").unwrap_or(first);
        return format!(
            "{indent}pattern(\n{indent}    {first}\",\n{indent}    \"{second},\n{indent}),\n"
        );
    }
    let list = setting
        .strip_prefix("values(&[")
        .and_then(|rest| rest.strip_suffix("])"));
    let Some(list) = list else {
        return line;
    };
    let items: Vec<String> = split_literals(list);
    format!(
        "{indent}values(&[\n{}{indent}]),\n",
        fill(&items, &format!("{indent}    "))
    )
}

/// Splits `"a", "b"` at the commas between literals.
fn split_literals(list: &str) -> Vec<String> {
    let inner = list.trim_matches('"');
    inner
        .split("\", \"")
        .map(|item| format!("\"{item}\""))
        .collect()
}

/// Lines of documentation. What reads as a link or a tag without being one is escaped.
pub(super) fn docs(indent: &str, lines: &[String]) -> String {
    lines
        .iter()
        .map(|line| format!("{indent}/// {}\n", escape(line)))
        .collect()
}

/// A sentence of documentation, broken into lines.
pub(super) fn paragraph(indent: &str, text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let width = WIDTH - indent.len() - 4;
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    docs(indent, &lines)
}

fn escape(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut code = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '`' {
            code = !code;
        }
        let link = c == '[' && chars.peek() != Some(&'`') && !line.contains("](https://");
        if !code && (link || c == '<') {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_settings_break_and_short_ones_do_not() {
        assert_eq!(
            with_settings("    ", "x: A", &["required()".into()], ","),
            "    x: A [required()],\n"
        );
        let values: Vec<String> = (0..30).map(|n| format!("\"value-{n}\"")).collect();
        let setting = format!("values(&[{}])", values.join(", "));
        let text = with_settings("    ", "x: A", &[setting], ",");
        assert!(text.lines().all(|line| line.len() <= WIDTH), "{text}");
        assert_eq!(text.matches("value-").count(), 30);
    }

    #[test]
    fn documentation_holds_no_accidental_links() {
        assert_eq!(
            docs("", &["a [0] `x[1]` [`T`] <b>".into()]),
            "/// a \\[0] `x[1]` [`T`] \\<b>\n"
        );
    }
}
