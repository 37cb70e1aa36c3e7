//! Keys that a program prints, such as a company's own login tool.

use std::time::Duration;

use crate::clock::BoxFuture;
use crate::record::{Json, Secret};

use super::answer;
use crate::credentials::fetch::member;
use crate::credentials::process::{self, Trouble};
use crate::credentials::{
    Context, Credential, CredentialError, Identity, Keys, Provider, Reason, misconfigured,
};

const NAME: &str = "external process";
const LIMIT: Duration = Duration::from_secs(60);
const SWITCH: &str = "ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS";

/// Keys from the standard output of a program, which is JSON with `mode` (`AK` or `StsToken`),
/// `access_key_id`, `access_key_secret`, `sts_token` and `expiration`.
#[derive(Clone)]
pub struct External {
    command: Secret,
    source: String,
}

impl std::fmt::Debug for External {
    /// Command lines hold passwords at times.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "External({})", self.source)
    }
}

impl External {
    /// Runs `command`, which is split into words as in a shell, for at most 60 s, in a process group
    /// of its own: it cannot ask at the terminal. The whole group is killed when the time is over.
    pub fn new(command: impl Into<Secret>) -> Self {
        Self::from(command, "the program given")
    }

    pub(super) fn from(command: impl Into<Secret>, source: impl Into<String>) -> Self {
        Self {
            command: command.into(),
            source: source.into(),
        }
    }

    async fn run(&self, context: &Context) -> Result<Credential, CredentialError> {
        refuse_if_disabled(context, NAME)?;
        let words = process::words(self.command.expose()).ok_or_else(|| {
            misconfigured(
                NAME,
                format!(
                    "the command of {} has a quote that does not end",
                    self.source
                ),
            )
            .with_hint("Correct process_command")
        })?;
        let output = process::output(context, &words, LIMIT)
            .await
            .map_err(|trouble| {
                let (reason, what) = match trouble {
                    Trouble::Start(why) => {
                        (Reason::Misconfigured, format!("cannot be started: {why}"))
                    }
                    Trouble::Hung => (
                        Reason::Unavailable,
                        format!("did not end within {} s", LIMIT.as_secs()),
                    ),
                    Trouble::Status(Some(status)) => {
                        (Reason::Unavailable, format!("ended with status {status}"))
                    }
                    Trouble::Status(None) => (Reason::Unavailable, "was killed".to_owned()),
                    Trouble::Garbage => (Reason::Unavailable, "did not print JSON".to_owned()),
                };
                CredentialError::new(
                    reason,
                    NAME,
                    format!("the program of {} {what}", self.source),
                )
                .with_hint("Run process_command by hand to see what it says")
            })?;
        self.parse(output.expose())
    }

    fn parse(&self, output: &str) -> Result<Credential, CredentialError> {
        let wrong = |what: &str| {
            let message = format!("the program of {} {what}", self.source);
            CredentialError::new(Reason::Unavailable, NAME, message)
                .with_hint("It must print JSON with mode, access_key_id and access_key_secret, and for StsToken sts_token and expiration")
        };
        let json: Json = serde_json::from_str(output).map_err(|_| wrong("did not print JSON"))?;
        let text = |name: &str| member(&json, name);
        let temporary = match text("mode") {
            Some(mode) if mode.eq_ignore_ascii_case("AK") => false,
            Some(mode) if mode.eq_ignore_ascii_case("StsToken") => true,
            Some(_) => return Err(wrong("printed a mode other than AK and StsToken")),
            None => return Err(wrong("printed no mode")),
        };
        let need = |name: &str| text(name).ok_or_else(|| wrong(&format!("printed no {name}")));
        let keys = Keys {
            id: need("access_key_id")?.to_owned(),
            secret: Secret::from(need("access_key_secret")?),
            token: if temporary {
                Some(Secret::from(need("sts_token")?))
            } else {
                None
            },
        };
        let mut credential = Credential::new(Identity::Keys(keys), self.source.clone());
        if temporary {
            credential.expires_at = match text("expiration") {
                Some(text) => Some(
                    answer::time(text).ok_or_else(|| wrong("printed no readable expiration"))?,
                ),
                None => answer::unix(json.get("expiration")),
            };
        }
        Ok(credential)
    }
}

/// The CLI's switch against what profiles make it run or call.
pub(super) fn refuse_if_disabled(
    context: &Context,
    provider: &'static str,
) -> Result<(), CredentialError> {
    if context.environment.flag(SWITCH) {
        return Err(
            misconfigured(provider, format!("{SWITCH} forbids this mode"))
                .with_hint(format!("Unset {SWITCH}, or use another profile")),
        );
    }
    Ok(())
}

impl Provider for External {
    fn name(&self) -> &'static str {
        NAME
    }

    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Credential, CredentialError>> {
        Box::pin(self.run(context))
    }
}
