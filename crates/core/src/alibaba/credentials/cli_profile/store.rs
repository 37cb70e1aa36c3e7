//! The configuration file of the vendor's command line: read, found in, and written back whole.

use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::record::Json;
use crate::wipe::Wiped;

use crate::credentials::{Context, CredentialError, Reason, file, misconfigured};

/// The file's content.
#[derive(Clone)]
pub(crate) struct Store {
    path: PathBuf,
    json: Wiped,
}

/// One profile of the file.
pub(crate) struct Profile<'a> {
    path: &'a Path,
    name: &'a str,
    json: &'a Json,
}

/// The file, which must be there.
pub(crate) fn read(provider: &'static str, path: &Path) -> Result<Store, CredentialError> {
    find(provider, path)?.ok_or_else(|| {
        misconfigured(provider, format!("{} does not exist", path.display()))
            .with_hint("Run `aliyun configure`")
    })
}

/// The file, if there is one.
pub(crate) fn find(provider: &'static str, path: &Path) -> Result<Option<Store>, CredentialError> {
    let Some(text) = file::read(provider, path)? else {
        return Ok(None);
    };
    parse(provider, path, text.expose()).map(Some)
}

/// The content of `text`, which stands in the file at `path`.
pub(super) fn parse(
    provider: &'static str,
    path: &Path,
    text: &str,
) -> Result<Store, CredentialError> {
    let text = text.trim_start_matches('\u{feff}');
    // The parser's own words may quote the content; line and column do not.
    let json = serde_json::from_str(text).map(Wiped).map_err(|error| {
        let message = format!(
            "{} is no JSON: line {}, column {}",
            path.display(),
            error.line(),
            error.column()
        );
        misconfigured(provider, message).with_hint("Correct the file, or run `aliyun configure`")
    })?;
    Ok(Store {
        path: path.to_owned(),
        json,
    })
}

impl Store {
    /// The name of the profile in use.
    pub(crate) fn current(&self) -> Option<&str> {
        self.json
            .get("current")?
            .as_str()
            .filter(|name| !name.is_empty())
    }

    /// Whether there is no profile at all.
    pub(crate) fn is_empty(&self) -> bool {
        let profiles = self.json.get("profiles").and_then(Json::as_array);
        profiles.is_none_or(Vec::is_empty)
    }

    pub(crate) fn profile<'a>(
        &'a self,
        provider: &'static str,
        name: &'a str,
    ) -> Result<Profile<'a>, CredentialError> {
        let profiles = self.json.get("profiles").and_then(Json::as_array);
        let named = |profile: &&Json| profile.get("name").and_then(Json::as_str) == Some(name);
        let json = profiles.into_iter().flatten().find(named).ok_or_else(|| {
            let message = format!("{} has no profile `{name}`", self.path.display());
            misconfigured(provider, message).with_hint(format!(
                "Run `aliyun configure --profile {name}`, or name another one in ALIBABA_CLOUD_PROFILE"
            ))
        })?;
        Ok(Profile {
            path: &self.path,
            name,
            json,
        })
    }

    /// Replaces members of a profile.
    pub(crate) fn set(&mut self, name: &str, members: &[(&str, Json)]) {
        let profiles = self.json.get_mut("profiles").and_then(Json::as_array_mut);
        for profile in profiles.into_iter().flatten() {
            if profile.get("name").and_then(Json::as_str) == Some(name)
                && let Some(object) = profile.as_object_mut()
            {
                for (key, value) in members {
                    object.insert((*key).to_owned(), value.clone());
                }
            }
        }
    }

    /// Writes the file anew: beside the old one first, so that a crash leaves one of the two whole.
    pub(crate) fn write(&self, provider: &'static str) -> Result<(), CredentialError> {
        self.try_write().map_err(|error| {
            let message = format!("cannot write {}: {}", self.path.display(), error.kind());
            CredentialError::new(Reason::Misconfigured, provider, message)
                .with_hint("Give this user the right to write the file and its directory: the login is renewed in it")
        })
    }

    fn try_write(&self) -> std::io::Result<()> {
        // A link stays a link: its target is what is replaced.
        let path = fs::canonicalize(&self.path)?;
        let beside = beside(&path, "new");
        let mut text = serde_json::to_vec_pretty(&*self.json)?;
        text.push(b'\n');
        let mut options = fs::OpenOptions::new();
        file::never_wait(options.write(true).create(true).truncate(true));
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&beside)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(beside, path)
    }
}

impl Profile<'_> {
    pub(crate) fn name(&self) -> &str {
        self.name
    }

    pub(crate) fn path(&self) -> &Path {
        self.path
    }

    /// File and name, for messages.
    pub(crate) fn place(&self) -> String {
        format!("profile `{}` in {}", self.name, self.path.display())
    }

    pub(crate) fn json(&self, key: &str) -> Option<&Json> {
        self.json.get(key)
    }

    /// A text; an empty one counts as not set.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.json.get(key)?.as_str().filter(|text| !text.is_empty())
    }

    pub(crate) fn need(&self, provider: &'static str, key: &str) -> Result<&str, CredentialError> {
        self.text(key).ok_or_else(|| {
            misconfigured(provider, format!("{} has no {key}", self.place()))
                .with_hint(format!("Run `aliyun configure --profile {}`", self.name))
        })
    }

    pub(crate) fn is_true(&self, key: &str) -> bool {
        match self.json.get(key) {
            Some(Json::Bool(truth)) => *truth,
            Some(Json::String(text)) => text.eq_ignore_ascii_case("true"),
            _ => false,
        }
    }

    /// A whole number of seconds; zero counts as not set.
    pub(crate) fn seconds(&self, key: &str) -> Option<Duration> {
        let seconds = match self.json.get(key)? {
            Json::String(text) => text.parse().ok(),
            other => other.as_u64(),
        };
        seconds
            .filter(|seconds| *seconds > 0)
            .map(Duration::from_secs)
    }
}

/// How often, and how long apart, a lock is asked for.
const LOCK_TRIES: u32 = 300;
const LOCK_PAUSE: Duration = Duration::from_millis(100);

/// Keeps other programs of ours from writing the file. The lock is another file beside it, since the
/// file itself is replaced.
pub(crate) async fn lock(
    provider: &'static str,
    context: &Context,
    path: &Path,
) -> Result<File, CredentialError> {
    let path = beside(path, "lock");
    let wrong = |what: String| {
        CredentialError::new(
            Reason::Misconfigured,
            provider,
            format!("cannot lock {}: {what}", path.display()),
        )
        .with_hint("Give this user the right to write to the directory")
    };
    let mut options = File::options();
    file::never_wait(options.write(true).create(true).truncate(false));
    let file = options
        .open(&path)
        .map_err(|error| wrong(error.kind().to_string()))?;
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => context.clock.sleep(LOCK_PAUSE).await,
            Err(TryLockError::Error(error)) => return Err(wrong(error.kind().to_string())),
        }
    }
    Err(CredentialError::new(
        Reason::Unavailable,
        provider,
        format!("another program has held {} for 30 s", path.display()),
    ))
}

fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    PathBuf::from(name)
}
