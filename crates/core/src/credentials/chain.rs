//! Which of many places did the credentials come from, and why not from the others?
//!
//! A [`Chain`] asks its providers in order. One that is not set up lets the next try; one that is
//! set up and fails ends the search, since going on would silently act as somebody else. The first
//! that succeeds is asked alone from then on, for the same reason.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::clock::BoxFuture;

use super::{
    Context, Credential, CredentialError, Provider, ProviderReport, Reason, Window, check, not_set,
};

/// No provider has succeeded yet.
const NONE: usize = usize::MAX;

/// Providers in order, as one provider.
pub struct Chain {
    name: &'static str,
    providers: Vec<Arc<dyn Provider>>,
    pinned: AtomicUsize,
    /// Who was asked last.
    asked: AtomicUsize,
}

impl Chain {
    /// A chain of `providers`, to be asked in this order.
    pub fn new(name: &'static str, providers: Vec<Arc<dyn Provider>>) -> Self {
        Self {
            name,
            providers,
            pinned: AtomicUsize::new(NONE),
            asked: AtomicUsize::new(NONE),
        }
    }

    /// A cloud's own chain. Without the feature `default-chain` nothing names its providers, so that the
    /// linker leaves them out, and the chain says so.
    pub(crate) fn of_cloud(
        name: &'static str,
        providers: impl FnOnce() -> Vec<Arc<dyn Provider>>,
    ) -> Self {
        match cfg!(feature = "default-chain") {
            true => Self::new(name, providers()),
            false => Self::new(name, vec![Arc::new(LeftOut)]),
        }
    }

    /// The provider that succeeded first.
    fn pinned(&self) -> Option<&Arc<dyn Provider>> {
        self.providers.get(self.pinned.load(Ordering::Acquire))
    }

    async fn search(&self, context: &Context) -> Result<Credential, CredentialError> {
        if let Some(provider) = self.pinned() {
            return provider.provide(context).await;
        }
        let mut tried = Vec::new();
        for (index, provider) in self.providers.iter().enumerate() {
            self.asked.store(index, Ordering::Relaxed);
            match ask(&**provider, context).await {
                Ok(credential) => {
                    self.pinned.store(index, Ordering::Release);
                    tracing::debug!(provider = provider.name(), "credentials found");
                    return Ok(credential);
                }
                Err(error) => {
                    let reason = error.reason;
                    tried.push(error);
                    if reason != Reason::NotConfigured {
                        return Err(self.failed(reason, tried));
                    }
                }
            }
        }
        Err(self.failed(Reason::NotConfigured, tried))
    }

    fn failed(&self, reason: Reason, tried: Vec<CredentialError>) -> CredentialError {
        let message = match reason {
            Reason::NotConfigured => "no credentials found",
            _ => "the first source that is set up failed",
        };
        let mut error = CredentialError::new(reason, self.name, message);
        error.tried = tried;
        error
    }

    /// Asks each provider until one succeeds, whatever was pinned before, and says what each said.
    async fn report(&self, context: &Context) -> Vec<ProviderReport> {
        let mut all = Vec::new();
        let mut ended = false;
        for (index, provider) in self.providers.iter().enumerate() {
            if ended {
                all.push(ProviderReport::not_asked(provider.name()));
                continue;
            }
            self.asked.store(index, Ordering::Relaxed);
            let answers = provider.explain(context).await;
            ended = answers.iter().any(ProviderReport::ends_search);
            all.extend(answers);
        }
        all
    }
}

/// Only values that can work count as an answer, so that a broken one is never pinned.
async fn ask(provider: &dyn Provider, context: &Context) -> Result<Credential, CredentialError> {
    let credential = provider.provide(context).await?;
    check(&credential, context.clock.now())?;
    Ok(credential)
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.providers.iter().map(|provider| provider.name());
        f.write_str(self.name)?;
        f.debug_list().entries(names).finish()
    }
}

impl Provider for Chain {
    fn name(&self) -> &'static str {
        self.name
    }

    fn asked(&self) -> &'static str {
        let asked = self.providers.get(self.asked.load(Ordering::Relaxed));
        asked.map_or(self.name, |provider| provider.asked())
    }

    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Credential, CredentialError>> {
        Box::pin(self.search(context))
    }

    fn window(&self) -> Window {
        self.pinned()
            .map_or_else(Window::default, |provider| provider.window())
    }

    fn release<'a>(
        &'a self,
        context: &'a Context,
        credential: &'a Credential,
    ) -> BoxFuture<'a, ()> {
        match self.pinned() {
            Some(provider) => provider.release(context, credential),
            None => Box::pin(std::future::ready(())),
        }
    }

    fn explain<'a>(&'a self, context: &'a Context) -> BoxFuture<'a, Vec<ProviderReport>> {
        Box::pin(self.report(context))
    }
}

/// What a program lacks that was built without the feature `default-chain`.
pub(crate) const LEFT_OUT: &str =
    "this program was built without the feature `default-chain` of its client crate";

/// In the place of the providers that a program was built without.
#[derive(Debug)]
struct LeftOut;

impl Provider for LeftOut {
    fn name(&self) -> &'static str {
        "environment"
    }

    fn provide<'a>(&'a self, _: &'a Context) -> BoxFuture<'a, Result<Credential, CredentialError>> {
        let error = not_set(self.name(), LEFT_OUT)
            .with_hint("Give the client its credentials, or switch the feature on");
        Box::pin(std::future::ready(Err(error)))
    }
}

/// Makes a newtype around a [`Chain`] a provider.
macro_rules! delegate {
    ($chain:ident) => {
        impl $crate::credentials::Provider for $chain {
            fn name(&self) -> &'static str {
                self.0.name()
            }
            fn asked(&self) -> &'static str {
                self.0.asked()
            }
            fn provide<'a>(
                &'a self,
                context: &'a Context,
            ) -> BoxFuture<'a, Result<Credential, CredentialError>> {
                self.0.provide(context)
            }
            fn window(&self) -> Window {
                self.0.window()
            }
            fn release<'a>(
                &'a self,
                context: &'a Context,
                credential: &'a Credential,
            ) -> BoxFuture<'a, ()> {
                self.0.release(context, credential)
            }
            fn explain<'a>(&'a self, context: &'a Context) -> BoxFuture<'a, Vec<ProviderReport>> {
                self.0.explain(context)
            }
        }
    };
}
pub(crate) use delegate;

#[cfg(test)]
mod tests;
