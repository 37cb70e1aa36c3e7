//! A journal in one file: a line of JSON for each change, on the disk before anything is sent.
//!
//! A thread of its own writes and syncs, so that a slow disk holds up no other task; what many calls
//! want written at the same time goes out with one sync.

mod disk;

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use crate::clock::BoxFuture;

use super::line;
use super::{Entry, Journal, JournalError};
use disk::{Disk, RealDisk};

/// A [`Journal`] in a file that only its owner can read (mode 0600).
///
/// A second process, or a second opening in the same one, is refused: `NAME.lock` beside the file is
/// locked while it is open. A last line that a crash cut off is dropped and told by
/// [`torn`](Self::torn); nothing was sent for it. Any other line that cannot be read is an error, since
/// it may be about something that was sent. When the file has grown to twice what its entries need, it
/// is written anew beside the old one and put in its place.
pub struct FileJournal {
    path: PathBuf,
    entries: Arc<Entries>,
    jobs: Option<Sender<Job>>,
    writer: Option<JoinHandle<()>>,
    torn: Option<String>,
}

type Table = HashMap<String, Entry>;

/// The latest entry of each key, as it stands on the disk.
#[derive(Default)]
struct Entries(Mutex<Table>);

impl Entries {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A change that somebody waits for.
struct Job {
    key: String,
    entry: Option<Entry>,
    done: oneshot::Sender<Result<(), JournalError>>,
}

impl FileJournal {
    /// Opens the file at `path`, or makes it.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, JournalError> {
        let path = path.as_ref().to_owned();
        let opened = tokio::task::spawn_blocking(move || {
            let (disk, text) = RealDisk::open(&path)?;
            Self::start(path, Box::new(disk), &text)
        });
        opened
            .await
            .unwrap_or_else(|error| Err(JournalError::new(format!("cannot open it: {error}"))))
    }

    /// What was dropped because a crash had cut it off in the middle of being written.
    pub fn torn(&self) -> Option<&str> {
        self.torn.as_deref()
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn start(path: PathBuf, mut disk: Box<dyn Disk>, text: &[u8]) -> Result<Self, JournalError> {
        let Loaded {
            table,
            lines,
            whole,
        } = load(&path, text)?;
        let tail = text.len() - whole;
        let mut torn = None;
        if tail > 0 {
            let cut = disk.truncate(whole as u64).and_then(|()| disk.sync());
            cut.map_err(|error| failed("repair", &path, error))?;
            let message = format!("the last {tail} bytes were cut off by a crash: dropped");
            tracing::warn!(path = %path.display(), "{message}");
            torn = Some(message);
        }
        let entries = Arc::new(Entries(Mutex::new(table)));
        let mut writer = Writer {
            path: path.clone(),
            disk,
            length: whole as u64,
            lines,
            compact_at: SPARE,
            entries: Arc::clone(&entries),
            broken: false,
        };
        let (jobs, waiting) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("cumulo-ledger".into())
            .spawn(move || writer.run(&waiting))
            .map_err(|error| failed("start writing", &path, error))?;
        Ok(Self {
            path,
            entries,
            jobs: Some(jobs),
            writer: Some(thread),
            torn,
        })
    }

    async fn change(&self, key: &str, entry: Option<Entry>) -> Result<(), JournalError> {
        let stopped = || JournalError::new(format!("{} is closed", self.path.display()));
        let (done, told) = oneshot::channel();
        let job = Job {
            key: key.to_owned(),
            entry,
            done,
        };
        let sent = self
            .jobs
            .as_ref()
            .is_some_and(|jobs| jobs.send(job).is_ok());
        if !sent {
            return Err(stopped());
        }
        told.await.unwrap_or_else(|_| Err(stopped()))
    }
}

impl Journal for FileJournal {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>, JournalError>> {
        Box::pin(async move { Ok(self.entries.table().get(key).cloned()) })
    }

    fn put<'a>(&'a self, key: &'a str, entry: Entry) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(self.change(key, Some(entry)))
    }

    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(self.change(key, None))
    }

    fn all(&self) -> BoxFuture<'_, Result<Vec<(String, Entry)>, JournalError>> {
        Box::pin(async move {
            let table = self.entries.table();
            Ok(table.iter().map(|(k, e)| (k.clone(), e.clone())).collect())
        })
    }
}

impl fmt::Debug for FileJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileJournal")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// Waits until the last change is on the disk, so that the file can be opened again at once.
impl Drop for FileJournal {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(writer) = self.writer.take() {
            // A panic there is not ours to raise.
            let _ = writer.join();
        }
    }
}

fn failed(what: &str, path: &Path, error: std::io::Error) -> JournalError {
    JournalError::new(format!("cannot {what} {}", path.display())).with_source(error)
}

struct Loaded {
    table: Table,
    lines: usize,
    /// The length of all whole lines in bytes.
    whole: usize,
}

/// Reads the lines of `text`; what stands after the last line break counts as cut off, if it can be
/// the beginning of a line of ours.
fn load(path: &Path, text: &[u8]) -> Result<Loaded, JournalError> {
    const START: &[u8] = br#"{"v":"#;
    let whole = text
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    let tail = &text[whole..];
    let ours = tail.iter().zip(START).all(|(a, b)| a == b) || tail.iter().all(|byte| *byte == 0);
    let damaged = |number: usize, why: String| {
        JournalError::new(format!(
            "line {number} of {} cannot be read ({why}): restore the file, or look at what the line is about and remove it",
            path.display()
        ))
    };
    let mut table = Table::new();
    let mut lines = 0;
    for line in text[..whole].split_inclusive(|byte| *byte == b'\n') {
        lines += 1;
        match line::read(&line[..line.len() - 1]).map_err(|why| damaged(lines, why))? {
            (key, Some(entry)) => table.insert(key, entry),
            (key, None) => table.remove(&key),
        };
    }
    if !ours {
        return Err(damaged(lines + 1, "it is no entry of a ledger".into()));
    }
    Ok(Loaded {
        table,
        lines,
        whole,
    })
}

/// So many lines beyond twice the entries are kept before the file is written anew.
const SPARE: usize = 1024;
/// So many changes share one sync at most.
const BATCH: usize = 4096;

struct Writer {
    path: PathBuf,
    disk: Box<dyn Disk>,
    length: u64,
    lines: usize,
    /// Lines beyond twice the entries at which the file is written anew.
    compact_at: usize,
    entries: Arc<Entries>,
    /// Nobody knows what stands on the disk.
    broken: bool,
}

impl Writer {
    fn run(&mut self, waiting: &Receiver<Job>) {
        while let Ok(first) = waiting.recv() {
            let mut batch = vec![first];
            batch.extend(waiting.try_iter().take(BATCH - 1));
            self.commit(batch);
            self.compact();
        }
    }

    fn commit(&mut self, batch: Vec<Job>) {
        let mut text = Vec::new();
        for job in &batch {
            text.extend(line::write(&job.key, job.entry.as_ref()));
        }
        let written = self.append(&text);
        if written.is_ok() {
            self.length += text.len() as u64;
            self.lines += batch.len();
        }
        for job in batch {
            let told = match &written {
                Ok(()) => {
                    let mut table = self.entries.table();
                    match job.entry {
                        Some(entry) => table.insert(job.key, entry),
                        None => table.remove(&job.key),
                    };
                    Ok(())
                }
                Err((what, kind)) => Err(JournalError::new(what).with_source((*kind).into())),
            };
            // The call may have been dropped while it waited.
            let _ = job.done.send(told);
        }
    }

    /// Puts `text` on the disk, or leaves the file as it was.
    fn append(&mut self, text: &[u8]) -> Result<(), (String, std::io::ErrorKind)> {
        let path = self.path.display().to_string();
        if self.broken {
            let message = format!("{path} failed before: open it again");
            return Err((message, std::io::ErrorKind::Other));
        }
        if let Err(error) = self.disk.append(text) {
            // A part may stand there: the next line would be glued to it.
            self.broken = self.disk.truncate(self.length).is_err();
            return Err((format!("cannot write {path}"), error.kind()));
        }
        if let Err(error) = self.disk.sync() {
            // After a failed sync a later one may succeed without the data.
            self.broken = true;
            return Err((format!("cannot sync {path}"), error.kind()));
        }
        Ok(())
    }

    /// Writes the file anew when most of its lines say nothing any more.
    fn compact(&mut self) {
        let live = self.entries.table().len();
        if self.broken || self.lines <= live * 2 + self.compact_at {
            return;
        }
        let mut text = Vec::new();
        for (key, entry) in &*self.entries.table() {
            text.extend(line::write(key, Some(entry)));
        }
        if let Err(error) = self.disk.write_beside(&text) {
            // The old file is whole; it is tried again when there is more to win.
            self.compact_at = self.compact_at.saturating_mul(2);
            tracing::warn!(path = %self.path.display(), %error, "the ledger cannot be compacted");
            return;
        }
        match self.disk.put_in_place() {
            Ok(()) => {
                self.length = text.len() as u64;
                self.lines = live;
                self.compact_at = SPARE;
            }
            Err(error) => {
                self.broken = true;
                tracing::warn!(path = %self.path.display(), %error, "the ledger is closed");
            }
        }
    }
}

#[cfg(test)]
mod tests;
