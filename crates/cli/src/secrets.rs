//! Where do the secrets of an answer go?
//!
//! Some are shown only once: an activation code that nobody wrote down can never be read again. So
//! the file that takes them is opened before anything is sent, and written before the result is
//! printed.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use cumulo_core::operation::Operation;
use cumulo_core::record::{Record, Wire, to_value};
use cumulo_core::{Error, Json, Kind, Response};
use serde_json::json;

use crate::args::Options;
use crate::request::invalid;
use crate::result::success;
use crate::service::Service;
use crate::term;

/// Under this name stands an answer in which a secret was not where it should be.
const WHOLE: &str = "whole_answer";

/// How every line of such a file begins.
const START: &[u8] = b"{\"service\":";

/// What the user said about secrets.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    /// They are printed with the result.
    pub(crate) shown: bool,
    file: Option<Keeper>,
}

/// A file of secrets that only its owner can read.
#[derive(Debug)]
struct Keeper {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: File,
    /// It did not exist before, and nothing was written to it.
    fresh: bool,
}

/// Secrets that could not be written to their file.
#[derive(Debug)]
pub(crate) struct Homeless {
    /// Why.
    pub(crate) error: String,
    /// The line that belongs into the file, in clear.
    pub(crate) line: String,
}

impl Homeless {
    /// Shows the secrets in clear: they cannot be read again, so that the wrong reader is the smaller
    /// harm. Never `true`, since it is a failure all the same.
    pub(crate) fn shelter(self) -> bool {
        let message = format!(
            "error: the secrets of this answer could not be written to {}\nwarning: they follow IN CLEAR, since they may never be shown again:\n{}",
            self.error, self.line
        );
        if term::said(&message).is_err() {
            // The last place that is left.
            let _ = writeln!(io::stdout(), "{}", self.line);
        }
        false
    }
}

impl Secrets {
    /// Opens the file, where one is named. A file that exists is refused, or continued if `append`.
    pub(crate) fn open(options: &Options, append: bool) -> Result<Self, Error> {
        let file = match &options.secrets_to {
            None => None,
            Some(path) => Some(Keeper::open(path, append).map_err(|error| {
                invalid(format!(
                    "--secrets-to: {} cannot take secrets: {error}",
                    path.display()
                ))
            })?),
        };
        Ok(Self {
            shown: options.show_secrets,
            file,
        })
    }

    /// Refuses an operation whose answer would be lost.
    pub(crate) fn allow(&self, operation: &'static Operation) -> Result<(), Error> {
        if operation.shown_once.is_empty() || self.shown || self.file.is_some() {
            return Ok(());
        }
        let message = format!(
            "the answer holds a secret that is shown only once ({}), and it would be thrown away",
            operation.shown_once.join(", ")
        );
        Err(
            Error::new(Kind::InvalidInput, operation.name, message).with_hint(
                "Say where it goes: --secrets-to FILE writes it to a file of yours, --show-secrets prints it",
            ),
        )
    }

    /// Writes the secrets of an answer to the file, if there are any and a file is named. `line` is
    /// the line of a batch. Returns whether it wrote.
    pub(crate) fn keep(
        &self,
        service: Service,
        operation: &'static Operation,
        line: Option<u64>,
        response: &Response<Box<dyn Record>>,
    ) -> Result<bool, Homeless> {
        let Some(keeper) = &self.file else {
            return Ok(false);
        };
        let secrets = of(operation, response);
        if secrets.is_empty() {
            return Ok(false);
        }
        let mut kept = json!({ "service": service.name(), "operation": operation.name });
        if let Some(line) = line {
            kept["line"] = line.into();
        }
        kept["request_id"] = response.request_id().into();
        kept["secrets"] = json!(secrets);
        keeper.keep(term::json(&kept)).map(|()| true)
    }

    /// Keeps the answer of a call that failed but may have been executed: a secret that is shown only
    /// once may stand in it, where nobody can find it by its name.
    pub(crate) fn keep_whole(
        &self,
        service: Service,
        operation: &'static Operation,
        error: &Error,
    ) {
        if operation.shown_once.is_empty() || error.raw_body().is_empty() {
            return;
        }
        let body = String::from_utf8_lossy(error.raw_body()).into_owned();
        let kept = json!({
            "service": service.name(),
            "operation": operation.name,
            "request_id": error.request_id(),
            "secrets": { WHOLE: body },
        });
        let text = term::json(&kept);
        match &self.file {
            None if self.shown => term::say(format_args!("the answer, whole: {text}")),
            None => {}
            Some(keeper) => match keeper.keep(text) {
                Ok(()) => {
                    let path = keeper.path.display();
                    term::say(format_args!(
                        "the answer of the call that failed is in {path}"
                    ));
                }
                Err(homeless) => {
                    homeless.shelter();
                }
            },
        }
    }

    /// The result line of an answer.
    pub(crate) fn success(
        &self,
        operation: &'static Operation,
        response: &Response<Box<dyn Record>>,
    ) -> Json {
        let mut line = success(response, self.shown);
        if self.shown
            && !operation.shown_once.is_empty()
            && let Some(body) = of(operation, response).remove(WHOLE)
        {
            line[WHOLE] = body;
        }
        line
    }

    /// The file's name.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.file.as_ref().map(|keeper| keeper.path.as_path())
    }
}

impl Keeper {
    fn open(path: &Path, append: bool) -> io::Result<Self> {
        let state = match private().create_new(true).open(path) {
            Ok(file) => {
                // Else the name of the file may be lost with the machine's power, and the file with it.
                #[cfg(unix)]
                if let Some(parent) = path.parent() {
                    let here = Path::new(".");
                    let parent = if parent.as_os_str().is_empty() {
                        here
                    } else {
                        parent
                    };
                    File::open(parent)?.sync_all()?;
                }
                State { file, fresh: true }
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && append => {
                let file = existing(path)?;
                State { file, fresh: false }
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(io::Error::other(
                    "it exists, and is not overwritten; name a new file",
                ));
            }
            Err(error) => return Err(error),
        };
        Ok(Self {
            path: path.to_owned(),
            state: Mutex::new(state),
        })
    }

    /// Writes a line, or gives it back with the reason.
    fn keep(&self, line: String) -> Result<(), Homeless> {
        self.write(&line).map_err(|error| Homeless {
            error: format!("{}: {error}", self.path.display()),
            line,
        })
    }

    fn write(&self, text: &str) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.fresh = false;
        state.file.write_all(format!("{text}\n").as_bytes())?;
        state.file.sync_all()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if state.fresh {
            // An empty file would only stand in the way of the next try.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// How a file of secrets is opened: to the end of it, and for its owner alone.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// A file of an earlier batch, if it is one and nobody else can read it.
fn existing(path: &Path) -> io::Result<File> {
    // Looked at before it is opened: opening a pipe waits for its other end.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no plain file"));
    }
    let mut file = private().read(true).open(path)?;
    let known = file.metadata()?;
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&known.permissions()) & 0o077 != 0 {
        return Err(io::Error::other(
            "others can read it: `chmod 600` it, or name a new file",
        ));
    }
    let mut start = Vec::new();
    Read::by_ref(&mut file)
        .take(START.len() as u64)
        .read_to_end(&mut start)?;
    let torn = ends_torn(&mut file, known.len())?;
    if !known.is_file() || (known.len() > 0 && start != START) {
        return Err(io::Error::other(
            "it holds something else than secrets of an earlier batch; name a new file",
        ));
    }
    if torn {
        // A process that was killed while it wrote; what follows must be lines of their own.
        file.write_all(b"\n")?;
    }
    Ok(file)
}

/// Whether the last line has no end.
fn ends_torn(file: &mut File, length: u64) -> io::Result<bool> {
    if length == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(io::SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

/// The secrets of an answer by their paths; the whole body where one that is shown only once could
/// not be read.
pub(crate) fn of(
    operation: &'static Operation,
    response: &Response<Box<dyn Record>>,
) -> BTreeMap<String, Json> {
    let record = &*response.output;
    let mut found = BTreeMap::new();
    differences(
        &to_value(Wire::clear(record)),
        &to_value(Wire::redacted(record)),
        String::new(),
        &mut found,
    );
    if operation
        .shown_once
        .iter()
        .any(|path| !found.contains_key(*path))
    {
        let body = String::from_utf8_lossy(response.raw_body()).into_owned();
        found.insert(WHOLE.to_owned(), body.into());
    }
    found
}

/// Whether `record` holds a secret.
pub(crate) fn any(record: &dyn Record) -> bool {
    to_value(Wire::clear(record)) != to_value(Wire::redacted(record))
}

/// What redaction hides is what is secret.
fn differences(clear: &Json, hidden: &Json, path: String, found: &mut BTreeMap<String, Json>) {
    match (clear, hidden) {
        (Json::Object(clear), Json::Object(hidden)) => {
            for (name, value) in clear {
                let path = match path.as_str() {
                    "" => name.clone(),
                    path => format!("{path}.{name}"),
                };
                differences(value, hidden.get(name).unwrap_or(&Json::Null), path, found);
            }
        }
        (Json::Array(clear), Json::Array(hidden)) => {
            for (index, (value, hidden)) in clear.iter().zip(hidden).enumerate() {
                differences(value, hidden, format!("{path}[{index}]"), found);
            }
        }
        (clear, hidden) if clear != hidden => {
            found.insert(path, clear.clone());
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::find;

    fn answer(service: Service, name: &str, body: &str) -> BTreeMap<String, Json> {
        let operation = find(service, name).unwrap().operation();
        let mut output = (operation.output)();
        cumulo_core::record::decode(&mut *output, body.as_bytes()).unwrap();
        of(operation, &Response::new(output))
    }

    #[test]
    fn secrets_are_found_wherever_they_are() {
        let found = answer(
            Service::Smc,
            "CreateAccessToken",
            r#"{"AccessTokenCode":"code-1","AccessTokenId":"at-1"}"#,
        );
        assert_eq!(json!(found), json!({"AccessTokenCode": "code-1"}));
        let found = answer(
            Service::Zstack,
            "CreateAccessKey",
            r#"{"inventory":{"AccessKeyID":"id","AccessKeySecret":"s"}}"#,
        );
        assert_eq!(json!(found), json!({"inventory.AccessKeySecret": "s"}));
        let found = answer(
            Service::Apig,
            "ListAppsV2",
            r#"{"apps":[{"app_secret":"a"},{"app_secret":"b"}]}"#,
        );
        assert_eq!(
            json!(found),
            json!({"apps[0].app_secret": "a", "apps[1].app_secret": "b"})
        );
    }

    #[test]
    fn an_answer_whose_secret_cannot_be_read_is_kept_whole() {
        let found = answer(
            Service::Smc,
            "CreateAccessToken",
            r#"{"AccessTokenCode":{"new":"form"}}"#,
        );
        assert!(found.contains_key(WHOLE), "{found:?}");
    }

    #[test]
    fn every_secret_shown_once_is_one_of_the_answer() {
        let once: Vec<&str> = Service::ALL
            .into_iter()
            .flat_map(Service::operations)
            .filter(|listed| !listed.operation().shown_once.is_empty())
            .map(|listed| listed.operation().name)
            .collect();
        assert_eq!(
            once,
            [
                "CreateAccessToken",
                "CreateAccessKey",
                "VerifyLicenseServer",
                "GenerateSshKeyPair"
            ]
        );
    }
}
