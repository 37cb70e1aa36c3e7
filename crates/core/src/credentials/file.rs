//! Reads the files that hold credentials. Errors name the file and what to do, never its content.
//!
//! Only regular files are read, and links to them. A pipe, a device or a socket may keep its reader
//! waiting for ever, and could not be read again when the credentials are refreshed; `/dev/stdin`
//! and the `<(..)` of shells are such.

use std::collections::BTreeSet;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::record::Secret;

use super::{CredentialError, Environment, Reason};

/// No configuration file is larger; a log named by mistake is.
const LARGEST: u64 = 1 << 20;

/// The text of a file; `None` where there is none.
pub(crate) fn read(provider: &'static str, path: &Path) -> Result<Option<Secret>, CredentialError> {
    let found = text_of(provider, path)?;
    if let Some((_, metadata)) = &found {
        note_readers(path, metadata);
    }
    Ok(found.map(|(text, _)| text))
}

/// The text of a file that everybody may know, such as a certificate.
pub(crate) fn read_public(
    provider: &'static str,
    path: &Path,
) -> Result<Option<Secret>, CredentialError> {
    Ok(text_of(provider, path)?.map(|(text, _)| text))
}

fn text_of(
    provider: &'static str,
    path: &Path,
) -> Result<Option<(Secret, Metadata)>, CredentialError> {
    let wrong = |why: &str, hint: &str| {
        CredentialError::new(
            Reason::Misconfigured,
            provider,
            format!("{} {why}", path.display()),
        )
        .with_hint(hint)
    };
    let mut text = String::new();
    let mut found = None;
    let result = open(path).and_then(|(file, metadata)| {
        // Room for all of it at once: what a text outgrows stays in memory.
        text.reserve(metadata.len().min(LARGEST) as usize + 64);
        found = Some(metadata);
        file.take(LARGEST + 1).read_to_string(&mut text)
    });
    let length = match result {
        Ok(length) => length as u64,
        Err(error) => {
            return match error.kind() {
                ErrorKind::NotFound | ErrorKind::NotADirectory => Ok(None),
                ErrorKind::PermissionDenied => Err(wrong(
                    "cannot be read by this user",
                    "Give this user the right to read it, such as with `chown` and `chmod 600`",
                )),
                ErrorKind::InvalidInput => {
                    let hint = "Name a regular file; pipes and devices are not read";
                    Err(wrong(&error.to_string(), hint))
                }
                ErrorKind::InvalidData => Err(wrong("is no UTF-8 text", "Write it anew as UTF-8")),
                kind => Err(wrong(
                    &format!("cannot be read: {kind}"),
                    "Check that it is a file",
                )),
            };
        }
    };
    if length > LARGEST {
        return Err(wrong(
            "is larger than any configuration",
            "Check that the path is the right one",
        ));
    }
    Ok(found.map(|metadata| (Secret::from(text), metadata)))
}

/// The text of a file that something else names, so that it must be there.
pub(crate) fn read_named(
    provider: &'static str,
    path: &Path,
    named_by: &str,
) -> Result<Secret, CredentialError> {
    read(provider, path)?.ok_or_else(|| {
        let message = format!("{named_by} names {}, which does not exist", path.display());
        CredentialError::new(Reason::Misconfigured, provider, message)
            .with_hint(format!("Create the file or correct {named_by}"))
    })
}

/// A path below the home directory; `None` where there is no home.
pub(crate) fn in_home(environment: &Environment, parts: &[&str]) -> Option<PathBuf> {
    let mut path = environment.home()?;
    path.extend(parts);
    Some(path)
}

/// A path as people write it: `~` is the home directory.
pub(crate) fn expand(environment: &Environment, path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), environment.home()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}

/// Opens a regular file, and says what it is where it is another thing.
fn open(path: &Path) -> io::Result<(File, Metadata)> {
    // Opening a pipe waits for its other end, and opening a device may do things: look first.
    check_regular(&fs::metadata(path)?)?;
    let mut options = File::options();
    never_wait(options.read(true));
    let file = options.open(path)?;
    // Another thing may have taken its place meanwhile.
    let metadata = file.metadata()?;
    check_regular(&metadata)?;
    Ok((file, metadata))
}

fn check_regular(metadata: &Metadata) -> io::Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    let what = format!("is {}, not a file", kind(metadata));
    Err(io::Error::new(ErrorKind::InvalidInput, what))
}

#[cfg(unix)]
fn kind(metadata: &Metadata) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    let kind = metadata.file_type();
    match () {
        () if kind.is_dir() => "a directory",
        () if kind.is_fifo() => "a pipe",
        () if kind.is_socket() => "a socket",
        () if kind.is_char_device() || kind.is_block_device() => "a device",
        () => "something else",
    }
}

#[cfg(not(unix))]
fn kind(metadata: &Metadata) -> &'static str {
    match metadata.is_dir() {
        true => "a directory",
        false => "something else",
    }
}

/// Opening fails at once where it would wait for the other end of a pipe.
#[cfg(unix)]
pub(crate) fn never_wait(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
}

/// Elsewhere than on Unix, pipes have names of their own.
#[cfg(not(unix))]
pub(crate) fn never_wait(_: &mut OpenOptions) {}

#[cfg(unix)]
fn mode(metadata: &Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode()
}

/// Elsewhere than on Unix, permissions are not three digits.
#[cfg(not(unix))]
fn mode(_: &Metadata) -> u32 {
    0
}

/// What was said about the files that others can read; each begins with its path.
static READABLE: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// What a person should hear about this process's surroundings: which of the files that it read
/// credentials from other users can read, and which variables name a proxy that cannot be used. The same
/// goes to `tracing` as warnings, once for each.
pub fn warnings() -> Vec<String> {
    let readable = READABLE.lock().unwrap_or_else(PoisonError::into_inner);
    let files = readable.iter().cloned();
    files.chain(crate::transport::warnings()).collect()
}

fn note_readers(path: &Path, metadata: &Metadata) {
    let mode = mode(metadata);
    let who = match () {
        () if mode & 0o004 != 0 => "every user of this machine",
        () if mode & 0o040 != 0 => "every user of its group",
        () => return,
    };
    let file = path.display();
    let warning =
        format!("{file} holds credentials, and {who} can read it: run `chmod 600 {file}`");
    let mut readable = READABLE.lock().unwrap_or_else(PoisonError::into_inner);
    if readable.insert(warning.clone()) {
        drop(readable);
        tracing::warn!("{warning}");
    }
}

/// Refuses a file that every user could change. Asked before a command in it is run.
pub(crate) fn refuse_open_to_change(
    provider: &'static str,
    path: &Path,
) -> Result<(), CredentialError> {
    if fs::metadata(path).is_ok_and(|metadata| mode(&metadata) & 0o002 != 0) {
        let message = format!(
            "{} names a command to run, and every user of this machine can change the file",
            path.display()
        );
        return Err(
            CredentialError::new(Reason::Misconfigured, provider, message)
                .with_hint(format!("Run `chmod 600 {}`", path.display())),
        );
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::UnixListener;
    use std::process::Command;

    use super::*;
    use crate::credentials::testing::World;

    #[test]
    fn what_is_no_file_is_refused_at_once() {
        let world = World::new(&[]);
        let at = |name: &str| world.directory.join(name);
        let made = Command::new("mkfifo").arg(at("pipe")).status().unwrap();
        assert!(made.success());
        let _socket = UnixListener::bind(at("socket")).unwrap();
        fs::create_dir(at("directory")).unwrap();
        std::os::unix::fs::symlink(at("pipe"), at("link")).unwrap();
        for (path, what) in [
            (at("pipe"), "is a pipe, not a file"),
            (at("link"), "is a pipe, not a file"),
            (at("socket"), "is a socket, not a file"),
            (at("directory"), "is a directory, not a file"),
            (PathBuf::from("/dev/zero"), "is a device, not a file"),
        ] {
            let error = read("test", &path).unwrap_err();
            assert_eq!(error.reason, Reason::Misconfigured);
            let expected = format!("test: {} {what} (Name a regular file", path.display());
            assert!(error.to_string().starts_with(&expected), "{error}");
        }
        // Should it take the place of a file after the first look, opening does not wait either.
        let mut options = File::options();
        never_wait(options.write(true));
        assert!(options.open(at("pipe")).is_err());
        assert_eq!(read("test", &at("nothing")), Ok(None));
    }

    #[test]
    fn a_file_that_others_can_read_is_warned_about_once() {
        let world = World::new(&[]);
        let said = |path: &Path| -> Vec<String> {
            let name = path.display().to_string();
            warnings()
                .into_iter()
                .filter(|warning| warning.contains(&name))
                .collect()
        };
        for (mode, who) in [
            (0o600, None),
            (0o640, Some("every user of its group")),
            (0o604, Some("every user of this machine")),
            (0o666, Some("every user of this machine")),
        ] {
            let path = world.file(&format!("file-{mode:o}"), "s3cr3t");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            for _ in 0..3 {
                read("test", &path).unwrap();
            }
            let said = said(&path);
            assert_eq!(said.len(), usize::from(who.is_some()), "{said:?}");
            for (warning, who) in said.iter().zip(who) {
                let shown = path.display();
                let expected = format!(
                    "{shown} holds credentials, and {who} can read it: run `chmod 600 {shown}`"
                );
                assert_eq!(*warning, expected);
            }
        }
    }
}
