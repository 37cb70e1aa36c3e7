//! How is a thing created exactly once when the program may die at any moment? A ledger remembers, on
//! disk, what was about to be sent.
//!
//! A call takes a key, the caller's own name of the thing, before it is awaited. The ledger writes
//! operation, hash of the input and client token (or job id) down **before** the call goes out,
//! and what came of it afterwards. After a crash the program makes the same calls again:
//!
//! | the ledger holds for the key | what a call with the key does |
//! |---|---|
//! | nothing, or a rejected call | sends, with a new token |
//! | the same call, done | answers from the ledger, sends nothing; secrets of the answer are not kept |
//! | the same call, begun or unknown; the operation is read-only, idempotent or keyed | resends, with the token of before |
//! | the same, but the token is older than services remember it, or the operation has none | looks first, with [`Call::reconcile`](crate::Call::reconcile); without it: refused as [`Outcome::Unknown`](crate::Outcome::Unknown) |
//! | another operation or another input | refused as [`Kind::IdempotencyMismatch`], nothing sent |
//!
//! ```
//! use cumulo_core::client::Empty;
//! use cumulo_core::ledger::Ledger;
//! # use cumulo_core::{Call, Error};
//!
//! # async fn demo(create: impl Fn() -> Call<Empty>) -> Result<(), Error> {
//! let ledger = Ledger::open("orders.ledger").await?;
//! for (key, entry) in ledger.unfinished().await? {
//!     println!("{key}: {} was cut off", entry.operation);
//! }
//! // The service knows the token again, or else the thing is looked for before it is made.
//! create()
//!     .once(&ledger, "order-42/gateway")
//!     .reconcile(|| async {
//!         // List by name, and return what was found.
//!         Ok(None)
//!     })
//!     .await?;
//! # Ok(())
//! # }
//! ```
//!
//! What it cannot do: tell whether two different keys mean the same thing, or see another machine's
//! ledger. A program that runs in several places derives its tokens
//! ([`ClientToken::derived`](crate::ClientToken::derived)), which works together with a ledger.

mod file;
mod journal;
mod line;

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::clock::{Clock, SystemClock};
use crate::error::{Error, Kind};
use crate::protocol::{Body, Encoded};
use crate::sign::push_hex;

pub use file::FileJournal;
pub use journal::{Entry, Journal, JournalError, State};

/// No service's page names a lifetime of its client tokens, and jobs are forgotten 3 h after their end.
/// A token that is younger than this is taken as known.
const TOKEN_LIFE: Duration = Duration::from_secs(2 * 3600);
/// As long as one attempt may take by default: what was sent has then been executed or never will be.
const SETTLE: Duration = Duration::from_secs(30);

/// What was sent under which key. Clones are the same ledger.
#[derive(Clone)]
pub struct Ledger {
    journal: Arc<dyn Journal>,
    clock: Arc<dyn Clock>,
    /// By the clock's `elapsed`: whatever an earlier process sent, it sent before.
    opened: Duration,
    token_life: Duration,
    settle: Duration,
    keys: Arc<Mutex<Keys>>,
}

/// The keys that calls of this process have taken.
#[derive(Default)]
struct Keys(HashMap<String, Use>);

enum Use {
    /// A call with it is under way.
    Busy,
    /// A call with it ended without a known outcome, then.
    Left(Duration),
}

impl Ledger {
    /// A ledger in the file at `path`, which is made if need be. See [`FileJournal`].
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        FileJournal::open(path)
            .await
            .map(Self::new)
            .map_err(|error| unusable("open", error))
    }

    /// A ledger over another journal than a file.
    pub fn new(journal: impl Journal + 'static) -> Self {
        Self::timed(Arc::new(journal), Arc::new(SystemClock::new()))
    }

    fn timed(journal: Arc<dyn Journal>, clock: Arc<dyn Clock>) -> Self {
        Self {
            journal,
            opened: clock.elapsed(),
            clock,
            token_life: TOKEN_LIFE,
            settle: SETTLE,
            keys: Arc::default(),
        }
    }

    /// Another clock, for tests.
    #[must_use]
    pub fn clock(self, clock: impl Clock + 'static) -> Self {
        Self {
            token_life: self.token_life,
            settle: self.settle,
            ..Self::timed(self.journal, Arc::new(clock))
        }
    }

    /// How long the service surely remembers a token; 2 h unless set. An older one is not resent
    /// before [`reconcile`](crate::Call::reconcile) has looked.
    #[must_use]
    pub fn token_life(mut self, life: Duration) -> Self {
        self.token_life = life;
        self
    }

    /// How long a request may still be on its way after its sender has died; 30 s unless set. So
    /// long, counted from the opening of the ledger, a call waits before it looks for the thing.
    #[must_use]
    pub fn settle(mut self, settle: Duration) -> Self {
        self.settle = settle;
        self
    }

    /// What is known about `key`.
    pub async fn get(&self, key: &str) -> Result<Option<Entry>, Error> {
        let read = self.read(key).await;
        read.map_err(|error| unusable("get", error))
    }

    /// The calls that were begun and whose outcome is not known, in the order of their keys.
    pub async fn unfinished(&self) -> Result<Vec<(String, Entry)>, Error> {
        let mut all = self
            .journal
            .all()
            .await
            .map_err(|error| unusable("unfinished", error))?;
        all.retain(|(_, entry)| matches!(entry.state, State::Begun | State::Unknown));
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(all)
    }

    /// Forgets `key`: a later call with it sends anew. For things that have been removed again, so
    /// that the ledger does not grow for ever.
    pub async fn forget(&self, key: &str) -> Result<(), Error> {
        self.journal
            .remove(key)
            .await
            .map_err(|error| unusable("forget", error))
    }

    pub(crate) async fn read(&self, key: &str) -> Result<Option<Entry>, JournalError> {
        self.journal.get(key).await
    }

    pub(crate) async fn put(&self, key: &str, entry: Entry) -> Result<(), JournalError> {
        self.journal.put(key, entry).await
    }

    /// Takes `key` for one call; `None` while another call of this process has it.
    pub(crate) fn take(&self, key: &str) -> Option<Taken> {
        let mut keys = self.keys();
        let left = match keys.0.get(key) {
            Some(Use::Busy) => return None,
            Some(Use::Left(at)) => *at,
            None => self.opened,
        };
        keys.0.insert(key.to_owned(), Use::Busy);
        Some(Taken {
            ledger: self.clone(),
            key: key.to_owned(),
            left,
            ended: Ended::NotSent,
        })
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Now, in milliseconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        crate::clock::unix_seconds(self.clock.now()).saturating_mul(1000)
    }

    /// Whether services still know the token of `entry`.
    pub(crate) fn remembered(&self, entry: &Entry) -> bool {
        let age = self.now().saturating_sub(entry.at).max(0);
        u128::from(age.unsigned_abs()) < self.token_life.as_millis()
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger")
            .field("journal", &self.journal)
            .finish_non_exhaustive()
    }
}

/// A key in the hands of one call. Dropping it, with the call or before its end, frees it.
pub(crate) struct Taken {
    pub(crate) ledger: Ledger,
    pub(crate) key: String,
    /// When the last request under this key may have gone out, by the ledger's clock.
    left: Duration,
    pub(crate) ended: Ended,
}

/// What the call leaves behind.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It has sent nothing itself.
    NotSent,
    /// It sent something that may still be on its way.
    Open,
    /// Nothing is on its way.
    Settled,
}

impl Taken {
    /// How long to wait until nothing can be on its way any more.
    pub(crate) fn unsettled(&self) -> Duration {
        (self.left + self.ledger.settle).saturating_sub(self.ledger.clock.elapsed())
    }

    pub(crate) async fn sleep(&self, time: Duration) {
        self.ledger.clock.sleep(time).await;
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let now = self.ledger.clock.elapsed();
        let mut keys = self.ledger.keys();
        match self.ended {
            Ended::Open => keys.0.insert(self.key.clone(), Use::Left(now)),
            Ended::NotSent if self.left > self.ledger.opened => {
                keys.0.insert(self.key.clone(), Use::Left(self.left))
            }
            Ended::NotSent | Ended::Settled => keys.0.remove(&self.key),
        };
    }
}

/// The journal cannot be used, so nothing is sent.
pub(crate) fn unusable(operation: &'static str, error: JournalError) -> Error {
    let message = format!("the ledger cannot be used: {error}");
    Error::new(Kind::Configuration, operation, message)
        .with_hint("Nothing was sent, since a crash could not be told from success")
        .with_source(error)
}

/// SHA-256 over what the caller asked for, in hex: the same in every run and version.
///
/// Left out are the client token, which the ledger keeps, and headers, which tracing may add anew each
/// time. A guess at a short secret among the members could be checked against the hash by whoever can
/// read the ledger; so its file is for its owner alone.
pub(crate) fn hash(service: &str, encoded: &Encoded) -> String {
    let mut hash = Sha256::new();
    // Lengths keep neighbours apart: `ab` and `c` are not `a` and `bc`.
    let mut add = |part: &[u8]| {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    };
    add(b"cumulo ledger 1");
    add(service.as_bytes());
    add(encoded.operation.name.as_bytes());
    add(encoded.path.as_bytes());
    for (name, value) in &encoded.query {
        if encoded.operation.token != Some(name) {
            add(name.as_bytes());
            add(value.as_bytes());
        }
    }
    match &encoded.body {
        Body::Empty => {}
        Body::Json(bytes) => {
            add(b"json");
            add(bytes);
        }
        Body::Typed(bytes, kind) => {
            add(kind.as_bytes());
            add(bytes);
        }
        Body::Multipart(parts) => {
            add(b"multipart");
            for (name, file, bytes) in parts {
                add(name.as_bytes());
                add(file.unwrap_or_default().as_bytes());
                add(bytes);
            }
        }
    }
    let mut text = String::with_capacity(64);
    push_hex(&mut text, &hash.finalize());
    text
}

#[cfg(test)]
mod tests;
