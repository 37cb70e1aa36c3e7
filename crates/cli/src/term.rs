//! Printing: how wide is the terminal, and what must not be let through to it?

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use terminal_size::Width;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// What tables are fitted to when they do not go to a terminal.
const WIDTH: usize = 100;

/// Columns of the terminal that standard output goes to.
pub(crate) fn width() -> usize {
    match terminal_size::terminal_size_of(io::stdout()) {
        Some((Width(columns), _)) if columns > 0 => usize::from(columns).max(20),
        _ => WIDTH,
    }
}

/// `text` without control characters: an answer must not steer the terminal of who reads it.
pub(crate) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            // Bidirectional overrides make text look like other text.
            c if c.is_control()
                || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') =>
            {
                clean.extend(c.escape_default());
            }
            c => clean.push(c),
        }
    }
    clean
}

/// Columns that `text` takes.
pub(crate) fn columns(text: &str) -> usize {
    text.width()
}

/// `text` in at most `most` columns; what is cut off is shown by an ellipsis.
pub(crate) fn cut(text: &str, most: usize) -> String {
    if columns(text) <= most {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut used = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide + 1 > most {
            break;
        }
        used += wide;
        cut.push(c);
    }
    cut.push('…');
    cut
}

/// `text` in exactly `most` columns.
pub(crate) fn pad(text: &str, most: usize) -> String {
    let mut padded = cut(text, most);
    let used = columns(&padded);
    padded.extend(std::iter::repeat_n(' ', most.saturating_sub(used)));
    padded
}

/// `text` in lines of at most `most` columns where its words allow it; `hang` starts all but the first.
pub(crate) fn wrap(text: &str, most: usize, hang: &str) -> String {
    let mut wrapped = String::new();
    let mut used = 0;
    for (index, word) in text.split(' ').enumerate() {
        let wide = columns(word);
        if index > 0 && used + 1 + wide > most && used > columns(hang) {
            wrapped.push('\n');
            wrapped.push_str(hang);
            used = columns(hang);
        } else if index > 0 {
            wrapped.push(' ');
            used += 1;
        }
        wrapped.push_str(word);
        used += wide;
    }
    wrapped
}

/// Says something on standard error. That nobody may be listening there is no failure.
pub(crate) fn say(message: impl Display) {
    let _ = writeln!(io::stderr(), "{}", clean_lines(&message.to_string()));
}

fn clean_lines(text: &str) -> String {
    text.lines().map(clean).collect::<Vec<_>>().join("\n")
}

/// One line on standard error that is rewritten while work goes on, where a person can see it.
pub(crate) struct Status {
    visible: bool,
    drawn: bool,
}

impl Status {
    pub(crate) fn new() -> Self {
        Self {
            visible: io::stderr().is_terminal(),
            drawn: false,
        }
    }

    pub(crate) fn visible(&self) -> bool {
        self.visible
    }

    pub(crate) fn draw(&mut self, text: &str) {
        if self.visible {
            let most = terminal_size::terminal_size_of(io::stderr())
                .map_or(WIDTH, |(Width(columns), _)| usize::from(columns));
            let mut stderr = io::stderr().lock();
            let _ = write!(
                stderr,
                "\r\x1b[K{}",
                cut(&clean(text), most.saturating_sub(1))
            );
            let _ = stderr.flush();
            self.drawn = true;
        }
    }

    pub(crate) fn clear(&mut self) {
        if std::mem::take(&mut self.drawn) {
            let mut stderr = io::stderr().lock();
            let _ = write!(stderr, "\r\x1b[K");
            let _ = stderr.flush();
        }
    }
}

impl Drop for Status {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(cut("服务器迁移", 10), "服务器迁移");
        assert_eq!(cut("服务器迁移", 9), "服务器迁…");
        assert_eq!(cut("服务器迁移", 8), "服务器…");
        assert_eq!(columns(&pad("服务器迁移", 8)), 8);
        assert_eq!(pad("é", 3), "é  ");
    }

    #[test]
    fn an_answer_cannot_steer_the_terminal() {
        let shown = clean("a\x1b[2Jb\u{9b}c\u{202e}d\n");
        assert!(
            !shown.contains(['\x1b', '\u{9b}', '\u{202e}', '\n']),
            "{shown}"
        );
        assert!(shown.starts_with('a') && shown.contains("[2Jb"), "{shown}");
        assert_eq!(clean("服务 é ~"), "服务 é ~");
    }

    #[test]
    fn words_wrap() {
        assert_eq!(wrap("one two three", 8, "  "), "one two\n  three");
        assert_eq!(wrap("unbreakable", 4, "  "), "unbreakable");
    }
}
