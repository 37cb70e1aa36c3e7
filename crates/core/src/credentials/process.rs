//! Runs a program that prints credentials, for a limited time, and forgets all else it says.
//!
//! A thread of its own reads the output, so that no runtime waits for a program that hangs. The
//! program is killed when its time is over, and when nobody waits for it any more.

use std::future::poll_fn;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::record::Secret;

use super::Context;

/// No program that prints credentials prints more.
const LARGEST: u64 = 64 << 10;

/// Why there is no output.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It cannot be started: why.
    Start(String),
    /// It did not end in time.
    Hung,
    /// It ended with this status, or by a signal.
    Status(Option<i32>),
    /// What it printed is no text, or too much.
    Garbage,
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Fails only when it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What `words` prints, the first of them being the program.
pub(super) async fn output(
    context: &Context,
    words: &[String],
    limit: Duration,
) -> Result<Secret, Trouble> {
    let (program, arguments) = words
        .split_first()
        .ok_or_else(|| Trouble::Start("the command is empty".into()))?;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| Trouble::Start(error.kind().to_string()))?;
    let Some(pipe) = child.stdout.take() else {
        return Err(Trouble::Garbage);
    };
    let mut running = Running(child);
    let (sender, mut receiver) = oneshot::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = pipe.take(LARGEST + 1).read_to_end(&mut bytes);
        // Nobody listens any more when the time is over.
        let _ = sender.send(read.map(|_| bytes));
    });
    let mut timer = context.clock.sleep(limit);
    let read = poll_fn(|task| {
        if let Poll::Ready(read) = std::pin::Pin::new(&mut receiver).poll(task) {
            return Poll::Ready(read.ok());
        }
        timer.as_mut().poll(task).map(|()| None)
    })
    .await;
    let Some(Ok(bytes)) = read else {
        return Err(Trouble::Hung);
    };
    if bytes.len() as u64 > LARGEST {
        return Err(Trouble::Garbage);
    }
    // The output has ended, and with it, but for odd programs, the program.
    let mut left = limit;
    let status = loop {
        match running.0.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if !left.is_zero() => {
                let pause = Duration::from_millis(10).min(left);
                left -= pause;
                context.clock.sleep(pause).await;
            }
            _ => return Err(Trouble::Hung),
        }
    };
    if !status.success() {
        return Err(Trouble::Status(status.code()));
    }
    String::from_utf8(bytes)
        .map(Secret::from)
        .map_err(|_| Trouble::Garbage)
}

/// Splits a command line into words: quotes hold words together, a backslash takes the next
/// character as it is. `None` where a quote does not end. No shell is involved.
pub(super) fn words(command: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut characters = command.chars().peekable();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None | Some('"'), '\\')
                if characters.peek().is_some_and(|next| {
                    matches!(next, '"' | '\'' | '\\') || (quote.is_none() && next.is_whitespace())
                }) =>
            {
                word.get_or_insert_default().extend(characters.next());
            }
            (None, _) if character.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_lines_split_like_in_a_shell() {
        let split = |text| words(text).unwrap();
        assert_eq!(split("  a  b\tc "), ["a", "b", "c"]);
        assert_eq!(
            split(r#"run "two words" 'and "more"' x"y"z"#),
            ["run", "two words", "and \"more\"", "xyz"]
        );
        assert_eq!(split(r#"a\ b "\"q\"" '' "#), ["a b", "\"q\"", ""]);
        assert_eq!(split(r"C:\tools\get.exe -x"), [r"C:\tools\get.exe", "-x"]);
        assert!(split("").is_empty());
        assert_eq!(words("a 'b"), None);
    }
}
