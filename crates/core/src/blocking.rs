//! How does a program without async make calls? It says `blocking()` where others say `await`.
//!
//! ```text
//! let smc = Client::from_env().blocking()?;
//! let code = CreateAccessToken::new().send(&smc).timeout(limit).blocking()?;
//! for server in DescribeSourceServers::new().items(&smc).blocking() { println!("{:?}", server?.name) }
//! ```
//!
//! The future is the one that is awaited elsewhere, and runs on the thread that calls. What it leaves to
//! others, connections, timers and refreshes of credentials, is driven by one runtime for the whole
//! process, on a thread of its own: made at first use, there until the process ends, so that connections
//! are kept between calls.
//!
//! - A thread that is inside an async runtime gets an error (`Kind::InvalidInput`), and nothing is sent:
//!   whoever blocks there keeps other tasks from running, the call's own among them.
//! - A blocked call ends by its answer or by its timeout. Nothing else ends it: Ctrl-C ends the process, as
//!   always, and leaves open what the service made of the call.
//! - A process that was forked has the runtime's memory without its thread. Calls there are an error; fork
//!   before the first of them, or start another program instead.

use std::future::{Future, pending};
use std::sync::{Mutex, PoisonError};

use tokio::runtime::{Builder, Handle};

use crate::client::FromRecord;
use crate::error::{Error, Kind};
use crate::page::{Items, Pages};
use crate::record::Record;
use crate::wait::{Observation, Observations};

/// The runtime, and the process in which its thread is.
static RUNTIME: Mutex<Option<(Handle, u32)>> = Mutex::new(None);

/// What can be awaited can be waited for by blocking the thread.
pub trait Blocking: Future {
    /// Waits until it is done, and gives what `await` gives.
    ///
    /// Inside an async runtime it is an error (`Kind::InvalidInput`) that says what to do, and nothing
    /// of it is done.
    fn blocking<T, E: From<Error>>(self) -> Result<T, E>
    where
        Self: Future<Output = Result<T, E>> + Sized,
    {
        Ok(runtime()?).and_then(|runtime| runtime.block_on(self))
    }
}

impl<F: Future> Blocking for F {}

/// A list or a wait as an iterator: [`Pages`], [`Items`] or [`Observations`].
#[derive(Debug)]
#[must_use = "an iterator asks for nothing until it is read"]
pub struct Iter<S> {
    series: S,
    /// It cannot go on where it is.
    refused: bool,
}

impl<S> Iter<S> {
    fn new(series: S) -> Self {
        Self {
            series,
            refused: false,
        }
    }

    /// What it is made of: its `position()` and `end()`, where it is a list.
    pub fn get_ref(&self) -> &S {
        &self.series
    }
}

impl<S: Series> Iterator for Iter<S> {
    type Item = Result<S::Item, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.refused {
            return None;
        }
        match runtime() {
            Ok(runtime) => runtime.block_on(self.series.advance()),
            Err(error) => {
                self.refused = true;
                Some(Err(error))
            }
        }
    }
}

/// What gives one thing after the other.
#[doc(hidden)]
pub trait Series {
    type Item;
    fn advance(&mut self) -> impl Future<Output = Option<Result<Self::Item, Error>>>;
}

macro_rules! series {
    ($([$($generics:tt)*] $series:ty => $item:ty;)*) => {$(
        impl<$($generics)*> Series for $series {
            type Item = $item;
            fn advance(&mut self) -> impl Future<Output = Option<Result<$item, Error>>> {
                self.next()
            }
        }
        impl<$($generics)*> $series {
            /// The same as an iterator, which blocks the thread. See [`Blocking`].
            pub fn blocking(self) -> Iter<Self> {
                Iter::new(self)
            }
        }
    )*};
}

series! {
    [O: Record + FromRecord] Pages<O> => crate::client::Response<O>;
    [O: Record + FromRecord, T: Unpin] Items<O, T> => T;
    [] Observations => Observation;
}

/// What drives the calls of this process, unless the thread is not one to be blocked.
fn runtime() -> Result<Handle, Error> {
    let inside = Handle::try_current();
    if inside.is_ok() {
        let error = refusal("this thread is inside an async runtime, which must not be blocked");
        return Err(error.with_hint(
            "Await the call instead of blocking on it; or make it on a thread of `std::thread::spawn`",
        ));
    }
    if inside.is_err_and(|error| error.is_thread_local_destroyed()) {
        return Err(refusal("this thread is at its end"));
    }
    let process = std::process::id();
    let mut runtime = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    let (handle, born) = match &*runtime {
        Some(made) => made,
        None => runtime.insert((start()?, process)),
    };
    check(*born, process)?;
    Ok(handle.clone())
}

/// A runtime with a thread of its own, which only drives: each call is polled on the caller's thread.
fn start() -> Result<Handle, Error> {
    let broken = |error| {
        let message = format!("no runtime can be started: {error}");
        Error::new(Kind::Configuration, "blocking", message)
    };
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(broken)?;
    let handle = runtime.handle().clone();
    std::thread::Builder::new()
        .name("cumulo-blocking".to_owned())
        .spawn(move || runtime.block_on(pending::<()>()))
        .map_err(broken)?;
    Ok(handle)
}

/// Threads are not there any more in a process that was forked.
fn check(born: u32, process: u32) -> Result<(), Error> {
    if born == process {
        return Ok(());
    }
    let error = refusal("this process was forked from one that had made blocking calls");
    Err(error.with_hint("Fork before the first blocking call, or start another program instead"))
}

fn refusal(message: &str) -> Error {
    Error::new(Kind::InvalidInput, "blocking", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forked_process_is_told_so() {
        assert!(check(7, 7).is_ok());
        let error = check(7, 8).unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidInput);
        assert!(error.message().contains("forked"), "{error}");
    }

    #[test]
    fn a_thread_at_its_end_gets_an_answer() {
        struct Late(std::sync::mpsc::Sender<Option<Kind>>);
        impl Drop for Late {
            fn drop(&mut self) {
                let done = std::future::ready(Ok::<(), Error>(())).blocking();
                let _ = self.0.send(done.err().map(|error| error.kind()));
            }
        }
        thread_local!(static LATE: std::cell::RefCell<Option<Late>> = const { std::cell::RefCell::new(None) });
        let (sender, answer) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            // Made first, so that it is dropped after what tokio keeps for the thread.
            LATE.with(|late| *late.borrow_mut() = Some(Late(sender)));
            let done = std::future::ready(Ok::<(), Error>(())).blocking();
            assert!(done.is_ok());
        });
        thread.join().unwrap();
        assert!(matches!(
            answer.recv().unwrap(),
            None | Some(Kind::InvalidInput)
        ));
    }
}
