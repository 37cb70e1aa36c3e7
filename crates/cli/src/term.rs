//! Printing: how wide is the terminal, and what must not be let through to it?

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;

use cumulo_core::Json;
use terminal_size::Width;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::args::{LogFormat, Talk};
use crate::wording;

/// What tables are fitted to when they do not go to a terminal.
const WIDTH: usize = 100;

static TALK: OnceLock<Talk> = OnceLock::new();

/// Says how much is told from now on.
pub(crate) fn talk(talk: Talk) {
    let _ = TALK.set(talk);
}

fn how() -> Talk {
    TALK.get().copied().unwrap_or_default()
}

/// How often `-v` was given.
pub(crate) fn verbose() -> u8 {
    how().verbose
}

/// The form of what is told on standard error.
pub(crate) fn log_format() -> LogFormat {
    how().log_format
}

/// Columns that texts for people are wrapped to: those that `COLUMNS` says, else those of the terminal.
pub(crate) fn width() -> usize {
    let said = std::env::var("COLUMNS").ok();
    let said = said.and_then(|columns| columns.parse().ok());
    let columns = said.filter(|columns| *columns > 0).or_else(|| {
        let (Width(columns), _) = terminal_size::terminal_size_of(io::stdout())?;
        Some(usize::from(columns)).filter(|columns| *columns > 0)
    });
    columns.map_or(WIDTH, |columns| columns.max(20))
}

/// Columns that a table has; `None` where no person reads it, so that nothing may be cut.
pub(crate) fn room() -> Option<usize> {
    io::stdout().is_terminal().then(width)
}

/// Whether a person sees both outputs, so that what is told on one need not be told on the other.
pub(crate) fn seen_at_once() -> bool {
    io::stdout().is_terminal() && io::stderr().is_terminal()
}

/// `text` without control characters: an answer must not steer the terminal of who reads it.
pub(crate) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if steers(c) {
            clean.extend(c.escape_default());
        } else {
            clean.push(c);
        }
    }
    clean
}

/// `json` in one line, in which JSON's own escapes stand for what a terminal would obey.
pub(crate) fn json(json: &Json) -> String {
    escape(json.to_string())
}

/// The same on several lines.
pub(crate) fn pretty(json: &Json) -> String {
    let text = format!("{json:#}");
    // The line breaks are the layout's: JSON escapes those of its texts itself.
    text.split('\n')
        .map(|line| escape(line.to_owned()))
        .collect::<Vec<_>>()
        .join("\n")
}

/// All that `steers` can stand within texts only, where JSON has an escape for it.
fn escape(text: String) -> String {
    if !text.contains(steers) {
        return text;
    }
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if steers(c) {
            escaped += &format!("\\u{:04x}", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// Control characters of both tables, and bidirectional overrides, which make text look like other text.
fn steers(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
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
    let _ = said(&message.to_string());
}

/// The same, where it is no error, so that `-q` keeps it back.
pub(crate) fn note(message: impl Display) {
    if !how().quiet {
        say(message);
    }
}

/// Says something on standard error that must reach somebody.
pub(crate) fn said(message: &str) -> io::Result<()> {
    let message = wording::plain(message);
    let text = match log_format() {
        LogFormat::Text => clean_lines(&message),
        LogFormat::Json => {
            let levels = [("error: ", "error"), ("warning: ", "warn")];
            let level = levels
                .iter()
                .find_map(|(start, level)| Some((message.strip_prefix(start)?, *level)));
            let (message, level) = level.unwrap_or((&message, "info"));
            json(&serde_json::json!({ "level": level, "message": message }))
        }
    };
    writeln!(io::stderr(), "{text}")
}

/// A line on standard error that has its form already.
pub(crate) fn raw(line: &str) {
    let _ = writeln!(io::stderr(), "{}", clean(line));
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
            visible: io::stderr().is_terminal()
                && !how().quiet
                && how().log_format == LogFormat::Text
                && std::env::var_os("TERM").is_none_or(|term| term != "dumb"),
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

/// Whether the program was started without a standard output (`>&-`).
///
/// Rust's runtime opens `/dev/null` in its place, for reading and writing; who wants `/dev/null` opens
/// it for writing only.
#[cfg(unix)]
pub(crate) fn output_is_closed() -> bool {
    use rustix::fs::{OFlags, fcntl_getfl, fstat, stat};
    let output = io::stdout();
    let (Ok(flags), Ok(found), Ok(null)) =
        (fcntl_getfl(&output), fstat(&output), stat("/dev/null"))
    else {
        return true;
    };
    flags.contains(OFlags::RDWR) && found.st_rdev == null.st_rdev && found.st_ino == null.st_ino
}

/// Elsewhere writing says so.
#[cfg(not(unix))]
pub(crate) fn output_is_closed() -> bool {
    false
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
    fn json_cannot_either_and_stays_the_same_json() {
        let hostile = serde_json::json!({"a\u{9b}": "b\x1b[2J\x7f\u{85}\u{202e}\u{2066}\n é 服"});
        for text in [json(&hostile), pretty(&hostile)] {
            assert!(
                !text.replace('\n', "").contains(steers),
                "{}",
                text.escape_debug()
            );
            assert!(text.contains("\\u009b") && text.contains("é 服"), "{text}");
            assert_eq!(serde_json::from_str::<Json>(&text).unwrap(), hostile);
        }
    }

    #[test]
    fn words_wrap() {
        assert_eq!(wrap("one two three", 8, "  "), "one two\n  three");
        assert_eq!(wrap("unbreakable", 4, "  "), "unbreakable");
    }
}
