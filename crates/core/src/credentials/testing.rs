//! What provider tests need: answers by script, a directory that goes away, a clock that stands.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::clock::{BoxFuture, ManualClock, SeededEntropy};
use crate::record::Json;
use crate::transport::{HttpRequest, HttpResponse, Transport, TransportError, TransportErrorKind};

use super::{Context, Credential, CredentialError, Environment, Identity, Keys, Provider};

/// 2026-01-01T00:00:00Z.
pub(crate) const NOW: u64 = 1_767_225_600;

/// Answers requests from a list, and writes down what was asked.
#[derive(Debug, Default)]
pub(crate) struct Script {
    answers: Mutex<VecDeque<Result<HttpResponse, TransportErrorKind>>>,
    asked: Mutex<Vec<HttpRequest>>,
}

pub(crate) fn reply(
    status: u16,
    body: impl Into<String>,
) -> Result<HttpResponse, TransportErrorKind> {
    with_headers(status, &[], body)
}

pub(crate) fn json(status: u16, body: &Json) -> Result<HttpResponse, TransportErrorKind> {
    reply(status, body.to_string())
}

#[allow(
    clippy::unnecessary_wraps,
    reason = "stands beside failures in lists of answers"
)]
pub(crate) fn with_headers(
    status: u16,
    headers: &[(&'static str, &str)],
    body: impl Into<String>,
) -> Result<HttpResponse, TransportErrorKind> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(
            HeaderName::from_static(name),
            HeaderValue::from_str(value).unwrap(),
        );
    }
    Ok(HttpResponse {
        status,
        headers: map,
        body: Bytes::from(body.into()),
    })
}

pub(crate) fn html(status: u16) -> Result<HttpResponse, TransportErrorKind> {
    with_headers(
        status,
        &[("content-type", "text/html; charset=utf-8")],
        "<html>s3cr3t</html>",
    )
}

impl Script {
    pub(crate) fn new(answers: Vec<Result<HttpResponse, TransportErrorKind>>) -> Arc<Self> {
        Arc::new(Self {
            answers: Mutex::new(answers.into()),
            asked: Mutex::default(),
        })
    }

    pub(crate) fn asked(&self) -> Vec<HttpRequest> {
        self.asked.lock().unwrap().clone()
    }

    /// Method and address of each request.
    pub(crate) fn lines(&self) -> Vec<String> {
        let asked = self.asked();
        asked
            .iter()
            .map(|request| format!("{} {}", request.method, request.url))
            .collect()
    }

    pub(crate) fn body(&self, index: usize) -> String {
        String::from_utf8(self.asked()[index].body.to_vec()).unwrap()
    }

    pub(crate) fn json_body(&self, index: usize) -> Json {
        serde_json::from_str(&self.body(index)).unwrap()
    }

    pub(crate) fn header(&self, index: usize, name: &str) -> Option<String> {
        let asked = self.asked();
        asked[index]
            .headers
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    }
}

impl Transport for Script {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        self.asked.lock().unwrap().push(request);
        let answer = self.answers.lock().unwrap().pop_front();
        let answer = answer.expect("the script has no further answer");
        Box::pin(std::future::ready(
            answer.map_err(|kind| TransportError::new(kind, "as the script says")),
        ))
    }
}

/// A world around a provider.
pub(crate) struct World {
    pub(crate) context: Context,
    pub(crate) script: Arc<Script>,
    /// What was asked past the proxy.
    pub(crate) direct: Arc<Script>,
    pub(crate) clock: ManualClock,
    pub(crate) directory: PathBuf,
}

static COUNT: AtomicU32 = AtomicU32::new(0);

impl World {
    pub(crate) fn new(variables: &[(&str, &str)]) -> Self {
        Self::with(variables, Vec::new(), Vec::new())
    }

    pub(crate) fn answering(
        variables: &[(&str, &str)],
        answers: Vec<Result<HttpResponse, TransportErrorKind>>,
    ) -> Self {
        Self::with(variables, answers, Vec::new())
    }

    pub(crate) fn with(
        variables: &[(&str, &str)],
        answers: Vec<Result<HttpResponse, TransportErrorKind>>,
        direct: Vec<Result<HttpResponse, TransportErrorKind>>,
    ) -> Self {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("cumulo-credentials-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir_all(&directory).unwrap();
        let home = directory.to_str().unwrap();
        let variables = variables
            .iter()
            .map(|(name, value)| (name.to_string(), value.replace("{home}", home)));
        let environment =
            Environment::fixed(variables.chain([("HOME".to_owned(), home.to_owned())]));
        let clock = ManualClock::new(SystemTime::UNIX_EPOCH + Duration::from_secs(NOW));
        let script = Script::new(answers);
        let direct = Script::new(direct);
        let context = Context {
            transport: Arc::clone(&script) as _,
            direct: Arc::clone(&direct) as _,
            clock: Arc::new(clock.clone()),
            entropy: Arc::new(SeededEntropy::new(1)),
            environment,
        };
        Self {
            context,
            script,
            direct,
            clock,
            directory,
        }
    }

    /// Writes a file below the home directory.
    pub(crate) fn file(&self, path: &str, text: &str) -> PathBuf {
        let path = self.directory.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        }
        path
    }

    pub(crate) async fn provide(
        &self,
        provider: &dyn Provider,
    ) -> Result<Credential, CredentialError> {
        provider.provide(&self.context).await
    }

    /// The keys that `provider` gives.
    pub(crate) async fn keys(&self, provider: &dyn Provider) -> Keys {
        match self.provide(provider).await.unwrap().identity {
            Identity::Keys(keys) => keys,
            Identity::Token(_) => panic!("a token, not keys"),
        }
    }

    /// How `provider` fails. No error may tell a secret; those of tests all hold `s3cr3t`.
    pub(crate) async fn error(&self, provider: &dyn Provider) -> CredentialError {
        let error = self
            .provide(provider)
            .await
            .expect_err("the provider should fail");
        no_secret(&error);
        error
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Fails when `error` tells a secret in any way.
pub(crate) fn no_secret(error: &CredentialError) {
    for text in [error.to_string(), format!("{error:?}")] {
        assert!(!text.contains("s3cr3t"), "{text}");
    }
}

/// A file's path relative to the world, for messages.
pub(crate) fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Id, secret and token as text.
pub(crate) fn parts(keys: &Keys) -> (&str, &str, Option<&str>) {
    let token = keys.token.as_ref().map(crate::record::Secret::expose);
    (&keys.id, keys.secret.expose(), token)
}
