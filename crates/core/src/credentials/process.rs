//! Runs a program that prints credentials, for a limited time, and forgets all else it says.
//!
//! A thread of its own reads the output and waits for the end, so that no runtime waits for a program
//! that hangs. The program has a process group of its own, all of which is killed when its time is
//! over, and when nobody waits for it any more. What a program that succeeded leaves behind, such as
//! an agent that keeps its login, stays.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::clock::within;
use crate::record::Secret;

use super::Context;

/// No program that prints credentials prints more.
const LARGEST: u64 = 64 << 10;
/// How often the thread looks whether a program has ended that has closed its output.
const LOOK: Duration = Duration::from_millis(10);

/// Why there is no output.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It cannot be started: why.
    Start(String),
    /// It did not end in time.
    Hung,
    /// It ended with this status, or by a signal.
    Status(Option<i32>),
    /// What it printed is no text, or too much.
    Garbage,
}

/// A program, until somebody has waited for it.
struct Program {
    child: Child,
    /// From then on its number may be another's.
    waited_for: bool,
}

/// Kills a program and all that it started when it is dropped.
struct Running(Arc<Mutex<Program>>);

fn locked(program: &Mutex<Program>) -> MutexGuard<'_, Program> {
    program.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut program = locked(&self.0);
        if !program.waited_for {
            kill(&mut program.child);
            let _ = program.child.wait();
            program.waited_for = true;
        }
    }
}

/// Fails only when all have ended already.
#[cfg(unix)]
fn kill(child: &mut Child) {
    use rustix::process::{Pid, Signal, kill_process_group};
    let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
}

/// Elsewhere than on Unix there are no groups.
#[cfg(not(unix))]
fn kill(child: &mut Child) {
    let _ = child.kill();
}

fn start(words: &[String]) -> Result<Child, Trouble> {
    let (program, arguments) = words
        .split_first()
        .ok_or_else(|| Trouble::Start("the command is empty".into()))?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command
        .spawn()
        .map_err(|error| Trouble::Start(error.kind().to_string()))
}

/// How the program ended. Waits for it, and gives way in between to whoever wants to kill it.
fn status(program: &Mutex<Program>) -> Option<ExitStatus> {
    loop {
        let mut program = locked(program);
        match program.child.try_wait() {
            Ok(None) => {}
            Ok(Some(status)) => {
                program.waited_for = true;
                return Some(status);
            }
            Err(_) => return None,
        }
        drop(program);
        thread::sleep(LOOK);
    }
}

/// What `words` prints, the first of them being the program.
pub(crate) async fn output(
    context: &Context,
    words: &[String],
    limit: Duration,
) -> Result<Secret, Trouble> {
    let mut child = start(words)?;
    let pipe = child.stdout.take();
    let program = Arc::new(Mutex::new(Program {
        child,
        waited_for: false,
    }));
    let _running = Running(Arc::clone(&program));
    let pipe = pipe.ok_or(Trouble::Garbage)?;
    let (sender, receiver) = oneshot::channel();
    let read = move || {
        let mut bytes = Vec::new();
        let read = pipe.take(LARGEST + 1).read_to_end(&mut bytes);
        let output = match read {
            Ok(length) if length as u64 <= LARGEST => Ok((bytes, status(&program))),
            _ => Err(Trouble::Garbage),
        };
        // Nobody listens any more when the time is over.
        let _ = sender.send(output);
    };
    thread::Builder::new()
        .name("cumulo-credentials".into())
        .spawn(read)
        .map_err(|error| Trouble::Start(error.kind().to_string()))?;
    let ended = within(&*context.clock, limit, receiver).await;
    let (bytes, status) = match ended {
        None => return Err(Trouble::Hung),
        Some(output) => output.unwrap_or(Err(Trouble::Garbage))?,
    };
    match status {
        Some(status) if status.success() => String::from_utf8(bytes)
            .map(Secret::from)
            .map_err(|_| Trouble::Garbage),
        status => Err(Trouble::Status(status.and_then(|status| status.code()))),
    }
}

/// Splits a command line into words: quotes hold words together, a backslash takes the next
/// character as it is. `None` where a quote does not end. No shell is involved.
pub(crate) fn words(command: &str) -> Option<Vec<String>> {
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

    /// Programs that start others and hang, each in its way. What they start writes to the pipe that
    /// is their first argument, should it live on.
    #[cfg(unix)]
    const HANGING: [(&str, &str); 3] = [
        ("hangs", "(sleep 60; echo late) > $1 & exec sleep 60"),
        (
            "leaves its output to others",
            "(sleep 60; echo late > $1) 3> $1 & echo '{}'",
        ),
        (
            "closes its output",
            "(sleep 60; echo late) > $1 & exec > /dev/null; wait",
        ),
    ];

    #[cfg(unix)]
    #[tokio::test]
    async fn whatever_a_program_started_ends_with_it() {
        use crate::credentials::testing::World;
        for (what, script) in HANGING {
            for leaves in [false, true] {
                let world = World::new(&[]);
                let pipe = world.directory.join("pipe");
                let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
                assert!(made.success());
                let words = ["sh", "-c", script, "sh", pipe.to_str().unwrap()].map(str::to_owned);
                let context = world.context.clone();
                let limit = Duration::from_secs(60);
                let task = tokio::spawn(async move { output(&context, &words, limit).await });
                // Opened when the program has it open, and read to the end when nobody has any more.
                let (sender, mut opened) = oneshot::channel();
                let reader = thread::spawn(move || {
                    let mut pipe = std::fs::File::open(pipe).unwrap();
                    sender.send(()).unwrap();
                    let mut said = String::new();
                    pipe.read_to_string(&mut said).unwrap();
                    said
                });
                while opened.try_recv().is_err() {
                    tokio::task::yield_now().await;
                }
                if leaves {
                    task.abort();
                    assert!(task.await.unwrap_err().is_cancelled());
                } else {
                    world.clock.advance(limit);
                    assert_eq!(task.await.unwrap().unwrap_err(), Trouble::Hung, "{what}");
                }
                assert_eq!(
                    reader.join().unwrap(),
                    "",
                    "{what}, the caller leaves: {leaves}"
                );
            }
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn an_agent_that_a_program_leaves_behind_stays() {
        use crate::credentials::testing::World;
        let world = World::new(&[]);
        let pipes = ["to", "from"].map(|name| world.directory.join(name));
        let made = Command::new("mkfifo").args(&pipes).status().unwrap();
        assert!(made.success());
        let script = "(read word < $1; echo $word > $2) > /dev/null & echo done";
        let [to, from] = [0, 1].map(|index| pipes[index].to_str().unwrap());
        let words = ["sh", "-c", script, "sh", to, from].map(str::to_owned);
        let printed = output(&world.context, &words, Duration::from_secs(60)).await;
        assert_eq!(printed.unwrap().expose(), "done\n");
        std::fs::write(to, "alive\n").unwrap();
        assert_eq!(std::fs::read_to_string(from).unwrap(), "alive\n");
    }
}
