//! Reads the files that hold credentials. Errors name the file and what to do, never its content.

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::record::Secret;

use super::{CredentialError, Environment, Reason};

/// No configuration file is larger; a device or a log named by mistake is.
const LARGEST: u64 = 1 << 20;

/// The text of a file; `None` where there is none.
pub(super) fn read(provider: &'static str, path: &Path) -> Result<Option<Secret>, CredentialError> {
    let text = read_public(provider, path)?;
    if text.is_some() {
        warn_if_open(path);
    }
    Ok(text)
}

/// The text of a file that everybody may know, such as a certificate.
pub(super) fn read_public(
    provider: &'static str,
    path: &Path,
) -> Result<Option<Secret>, CredentialError> {
    let wrong = |why: &str, hint: &str| {
        CredentialError::new(
            Reason::Misconfigured,
            provider,
            format!("{} {why}", path.display()),
        )
        .with_hint(hint)
    };
    // Room for all of it at once: what a text outgrows stays in memory.
    let size = fs::metadata(path).map_or(0, |data| data.len().min(LARGEST));
    let mut text = String::with_capacity(size as usize + 64);
    let result =
        fs::File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_string(&mut text));
    let length = match result {
        Ok(length) => length as u64,
        Err(error) => {
            return match error.kind() {
                ErrorKind::NotFound | ErrorKind::NotADirectory => Ok(None),
                ErrorKind::PermissionDenied => Err(wrong(
                    "cannot be read by this user",
                    "Give this user the right to read it, such as with `chown` and `chmod 600`",
                )),
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
    Ok(Some(Secret::from(text)))
}

/// The text of a file that something else names, so that it must be there.
pub(super) fn read_named(
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
pub(super) fn in_home(environment: &Environment, parts: &[&str]) -> Option<PathBuf> {
    let mut path = environment.home()?;
    path.extend(parts);
    Some(path)
}

/// A path as people write it: `~` is the home directory.
pub(super) fn expand(environment: &Environment, path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), environment.home()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}

#[cfg(unix)]
fn mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    Some(fs::metadata(path).ok()?.permissions().mode())
}

/// Elsewhere than on Unix, permissions are not three digits.
#[cfg(not(unix))]
fn mode(_: &Path) -> Option<u32> {
    None
}

fn warn_if_open(path: &Path) {
    if mode(path).is_some_and(|mode| mode & 0o004 != 0) {
        tracing::warn!(file = %path.display(), "every user of this machine can read this file: `chmod 600` it");
    }
}

/// Refuses a file that every user could change. Asked before a command in it is run.
pub(super) fn refuse_open_to_change(
    provider: &'static str,
    path: &Path,
) -> Result<(), CredentialError> {
    if mode(path).is_some_and(|mode| mode & 0o002 != 0) {
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
