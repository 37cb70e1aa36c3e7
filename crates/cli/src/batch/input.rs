//! Takes lines from a stream without ever holding more than one.

use std::io::{self, BufRead, Read};

use tokio::sync::mpsc::Sender;

/// The longest line; one that never ends must not fill the memory.
const LONGEST: usize = 16 << 20;

/// What came from the input.
#[derive(Debug)]
pub(super) enum Line {
    /// A line without its end.
    Text(Vec<u8>),
    /// White space only.
    Blank,
    /// More than can be held; it was skipped.
    TooLong,
    /// The input failed; nothing follows.
    Broken(io::Error),
}

/// Sends all lines of `input` until it ends or nobody wants them any more.
pub(super) fn read(input: impl BufRead, lines: &Sender<Line>) {
    read_limited(input, lines, LONGEST);
}

fn read_limited(mut input: impl BufRead, lines: &Sender<Line>, longest: usize) {
    loop {
        let line = match next(&mut input, longest) {
            Ok(Some(line)) => line,
            Ok(None) => return,
            Err(error) => {
                let _ = lines.blocking_send(Line::Broken(error));
                return;
            }
        };
        if lines.blocking_send(line).is_err() {
            return;
        }
    }
}

fn next(input: &mut impl BufRead, longest: usize) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    if input
        .by_ref()
        .take(longest as u64 + 1)
        .read_until(b'\n', &mut line)?
        == 0
    {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if line.len() > longest {
        skip_line(input)?;
        return Ok(Some(Line::TooLong));
    }
    if line.iter().all(u8::is_ascii_whitespace) {
        return Ok(Some(Line::Blank));
    }
    Ok(Some(Line::Text(line)))
}

fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = match input.fill_buf() {
            Ok(buffer) => buffer,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if buffer.is_empty() {
            return Ok(());
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(buffer.len(), |at| at + 1);
        input.consume(used);
        if end.is_some() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    fn lines(input: &[u8]) -> Vec<String> {
        let (sender, mut receiver) = mpsc::channel(100);
        read_limited(io::BufReader::with_capacity(3, input), &sender, 8);
        drop(sender);
        let mut all = Vec::new();
        while let Some(line) = receiver.blocking_recv() {
            all.push(match line {
                Line::Text(text) => String::from_utf8(text).unwrap(),
                other => format!("{other:?}"),
            });
        }
        all
    }

    #[test]
    fn every_line_is_taken_once() {
        assert_eq!(lines(b""), [] as [&str; 0]);
        assert_eq!(lines(b"a\nbc"), ["a", "bc"]);
        assert_eq!(lines(b"a\n \r\n\nb\n"), ["a", "Blank", "Blank", "b"]);
        assert_eq!(
            lines(b"12345678\n123456789\nok\n"),
            ["12345678", "TooLong", "ok"]
        );
        assert_eq!(lines(b"12345678"), ["12345678"]);
        assert_eq!(lines(b"a\n12345678901234567890"), ["a", "TooLong"]);
    }

    #[test]
    fn a_broken_input_is_told() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::PermissionDenied.into())
            }
        }
        let (sender, mut receiver) = mpsc::channel(1);
        read(io::BufReader::new(Broken), &sender);
        assert!(matches!(receiver.blocking_recv(), Some(Line::Broken(_))));
    }
}
