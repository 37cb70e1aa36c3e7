//! What if the caller who began a refresh leaves, or its runtime stands still, while others wait?
//!
//! A refresh is a task of its own, so that no caller who leaves ends it. Whoever waits watches a
//! channel that the task holds the other end of: it tells the result, and it breaks when the task is
//! dropped with its runtime. A runtime that is there and that nobody drives tells nothing, so it is
//! asked to run something, and is not waited for when it does not.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tracing::Instrument as _;

use super::{Shared, Snapshot};
use crate::clock::{BoxFuture, Clock, within};
use crate::credentials::{Context, CredentialError, Reason, check};

/// No refresh takes longer, so that a provider that never answers is asked anew some time.
const LONGEST: Duration = Duration::from_secs(120);
/// How long another runtime may take to run a task before it counts as standing still.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long giving up what nobody wants any more may take.
const FAREWELL: Duration = Duration::from_secs(10);

/// What the refresh came to, once it has.
type Landing = Option<Result<Snapshot, CredentialError>>;

/// A refresh under way, for those who wait for it.
#[derive(Clone)]
pub(super) struct Flight {
    pub(super) number: u64,
    /// By the clock's `elapsed`.
    pub(super) started: Duration,
    landing: watch::Receiver<Landing>,
    /// Where its task runs; `None` where the caller who began it drives it.
    runtime: Option<Handle>,
}

/// The refresh itself.
pub(super) struct Task {
    work: BoxFuture<'static, ()>,
    runtime: Option<Handle>,
}

/// What waiting came to.
pub(super) enum Wait {
    /// The refresh ended so.
    Landed(Result<Snapshot, CredentialError>),
    /// It will never end: its runtime was shut down, or its value was given up.
    Lost,
    /// Its runtime stands still.
    Standing,
    /// The deadline came first.
    TooLate,
}

impl Flight {
    /// A refresh, and the task that is to be [launched](Task::launch) for it.
    pub(super) fn new(shared: &Arc<Shared>, context: &Context, number: u64) -> (Self, Task) {
        let (sender, landing) = watch::channel(None);
        let runtime = Handle::try_current().ok();
        let span = tracing::debug_span!("cumulo.credentials", provider = shared.provider.name());
        let work = fly(Arc::clone(shared), context.clone(), number, sender).instrument(span);
        let flight = Self {
            number,
            started: context.clock.elapsed(),
            landing,
            runtime: runtime.clone(),
        };
        let work = Box::pin(work);
        (flight, Task { work, runtime })
    }

    /// Whether its task is gone.
    pub(super) fn is_lost(&self) -> bool {
        self.landing.has_changed().is_err()
    }

    /// Waits for the end, until `deadline` by the clock's `elapsed`.
    pub(super) async fn wait(&self, clock: &dyn Clock, deadline: Duration) -> Wait {
        let here = Handle::try_current().ok();
        let elsewhere = match (&here, &self.runtime) {
            // Whoever runs here sees that the runtime is driven.
            (Some(here), Some(there)) => here.id() != there.id(),
            _ => true,
        };
        let mut landing = self.landing.clone();
        loop {
            let left = deadline.saturating_sub(clock.elapsed());
            let patience = if elsewhere { PATIENCE.min(left) } else { left };
            let there = self.runtime.as_ref().filter(|_| elsewhere);
            let probe = there.map(|runtime| runtime.spawn(std::future::ready(())));
            let landed = async {
                let landed = landing.wait_for(Option::is_some).await;
                landed.ok().and_then(|landed| landed.clone())
            };
            match within(clock, patience, landed).await {
                Some(Some(result)) => return Wait::Landed(result),
                Some(None) => return Wait::Lost,
                None if patience == left => return Wait::TooLate,
                None if probe.is_some_and(|probe| probe.is_finished()) => {}
                None => return Wait::Standing,
            }
        }
    }
}

impl Task {
    /// Lets it run on its runtime. Without one it is given back: the caller must drive it.
    pub(super) fn launch(self) -> Option<BoxFuture<'static, ()>> {
        match self.runtime {
            Some(runtime) => {
                runtime.spawn(self.work);
                None
            }
            None => Some(self.work),
        }
    }
}

/// Fetches, keeps what came, and tells those who wait.
async fn fly(shared: Arc<Shared>, context: Context, number: u64, landing: watch::Sender<Landing>) {
    let (provider, clock) = (&*shared.provider, &*context.clock);
    let failed = |what: &str| CredentialError::new(Reason::Unavailable, provider.asked(), what);
    let provided = caught(async { provider.provide(&context).await });
    let fetched = match within(clock, LONGEST, provided).await {
        Some(Some(fetched)) => fetched,
        // Its words may hold a secret.
        Some(None) => Err(failed("the provider panicked")),
        None => Err(failed(&format!(
            "gave no answer within {} s",
            LONGEST.as_secs()
        ))),
    };
    let fetched = fetched.and_then(|credential| {
        check(&credential, clock.now())?;
        Ok(Arc::new(credential))
    });
    let surplus = fetched.clone().ok();
    if let Some(result) = shared.land(&context, number, fetched) {
        landing.send_replace(Some(result));
    } else if let Some(surplus) = surplus {
        let released = caught(async { provider.release(&context, &surplus).await });
        let _ = within(clock, FAREWELL, released).await;
    }
}

/// What `work` comes to, or `None` where it panics.
async fn caught<T>(work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    poll_fn(
        |task| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(task))) {
            Ok(polled) => polled.map(Some),
            Err(_) => Poll::Ready(None),
        },
    )
    .await
}
