//! The few things that a journal does with its file; apart, so that tests can fill the disk and pull
//! the plug.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::failed;
use crate::ledger::JournalError;

pub(super) trait Disk: Send {
    /// Adds to the end. After an error a part may stand there.
    fn append(&mut self, text: &[u8]) -> io::Result<()>;
    /// Returns when all that was written is on the disk.
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts the file to `length` bytes.
    fn truncate(&mut self, length: u64) -> io::Result<()>;
    /// Writes another file beside this one and syncs it; this one stays as it is.
    fn write_beside(&mut self, text: &[u8]) -> io::Result<()>;
    /// Puts the file beside in the place of this one. After an error either of them is there.
    fn put_in_place(&mut self) -> io::Result<()>;
}

/// A file of the operating system, under a lock.
pub(super) struct RealDisk {
    path: PathBuf,
    file: File,
    beside: Option<File>,
    /// Closing it ends the lock.
    _lock: File,
}

impl RealDisk {
    /// Opens or makes the file, locks it, and reads it.
    pub(super) fn open(path: &Path) -> Result<(Self, Vec<u8>), JournalError> {
        // A link stays a link: its target is what is replaced.
        let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let fault = |what: &'static str| move |error| failed(what, path, error);
        // Opening a pipe would wait for a writer.
        match fs::metadata(path) {
            Ok(found) if !found.is_file() => {
                let message = format!("{} is no file", path.display());
                return Err(JournalError::new(message));
            }
            _ => {}
        }
        let lock_path = with_suffix(path, "lock");
        let lock = private()
            .open(&lock_path)
            .map_err(|error| failed("open", &lock_path, error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(JournalError::new(format!(
                    "{} is in use by another process or another ledger of this one",
                    path.display()
                )));
            }
            Err(TryLockError::Error(error)) => return Err(failed("lock", &lock_path, error)),
        }
        let mut file = private().read(true).open(path).map_err(fault("open"))?;
        restrict(&file).map_err(fault("protect"))?;
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(fault("read"))?;
        sync_directory(path).map_err(fault("sync the directory of"))?;
        let disk = Self {
            path: path.clone(),
            file,
            beside: None,
            _lock: lock,
        };
        Ok((disk, text))
    }
}

impl Disk for RealDisk {
    fn append(&mut self, text: &[u8]) -> io::Result<()> {
        self.file.write_all(text)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }

    fn write_beside(&mut self, text: &[u8]) -> io::Result<()> {
        let mut file = private().open(with_suffix(&self.path, "new"))?;
        file.set_len(0)?;
        restrict(&file)?;
        file.write_all(text)?;
        file.sync_all()?;
        self.beside = Some(file);
        Ok(())
    }

    fn put_in_place(&mut self) -> io::Result<()> {
        let Some(file) = self.beside.take() else {
            return Err(io::ErrorKind::NotFound.into());
        };
        fs::rename(with_suffix(&self.path, "new"), &self.path)?;
        self.file = file;
        sync_directory(&self.path)
    }
}

/// `NAME.suffix` beside the file.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

/// For appending, and made for its owner alone.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// A file that was there before may be open to others.
fn restrict(file: &File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

/// The name of a new file is in its directory, which has to reach the disk as well.
fn sync_directory(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        let parent = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        File::open(parent.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}
