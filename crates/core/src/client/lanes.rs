//! Which calls must not run side by side, and how do the clones of a client take turns with them?
//!
//! Some services fail, or worse, when two changes of the same thing cross. An operation names its
//! lane and the members whose values tell one thing from another; calls that meet in a value of
//! each of them queue in the order of their arrival. A member that is not set could be any.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::operation::Operation;
use crate::protocol::Settings;
use crate::record::{self, Record};

/// What a call wants for itself.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    lane: &'static str,
    /// For each member of the lane the values that are meant; none for any.
    values: Vec<Vec<String>>,
}

impl Claim {
    /// What `operation` wants for itself with this input, if it has a lane.
    pub(super) fn of(
        operation: &Operation,
        input: &dyn Record,
        settings: &Settings,
    ) -> Option<Self> {
        let lane = operation.lane?;
        let values = lane.members.iter().map(|name| {
            let given = record::texts(input, name);
            match settings.get(name) {
                Some(text) if given.is_empty() => vec![text.clone()],
                _ => given,
            }
        });
        Some(Self {
            lane: lane.name,
            values: values.collect(),
        })
    }

    fn crosses(&self, other: &Self) -> bool {
        let meet = |(ours, theirs): (&Vec<String>, &Vec<String>)| {
            ours.is_empty() || theirs.is_empty() || ours.iter().any(|value| theirs.contains(value))
        };
        self.lane == other.lane && self.values.iter().zip(&other.values).all(meet)
    }
}

/// The calls that have a lane, in the order of their arrival.
#[derive(Debug, Default)]
pub(crate) struct Lanes(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    entries: Vec<Entry>,
    numbers: u64,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    claim: Claim,
    /// Tells a call that waits that it may go.
    go: Option<oneshot::Sender<()>>,
}

/// A call's place; dropping it lets the next one go.
#[derive(Debug)]
pub(super) struct Turn {
    lanes: Arc<Lanes>,
    number: u64,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.lanes.leave(self.number);
    }
}

impl Lanes {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until no earlier call crosses this one.
    pub(super) async fn enter(self: &Arc<Self>, claim: Claim) -> Turn {
        let (turn, wait) = {
            let mut state = self.state();
            state.numbers += 1;
            let number = state.numbers;
            let free = !state
                .entries
                .iter()
                .any(|other| other.claim.crosses(&claim));
            let (go, wait) = if free {
                (None, None)
            } else {
                let (go, wait) = oneshot::channel();
                (Some(go), Some(wait))
            };
            state.entries.push(Entry { number, claim, go });
            let lanes = Arc::clone(self);
            (Turn { lanes, number }, wait)
        };
        if let Some(wait) = wait {
            // The sender stays in the queue as long as `turn` lives.
            let _ = wait.await;
        }
        turn
    }

    fn leave(&self, number: u64) {
        let mut state = self.state();
        let Some(at) = state
            .entries
            .iter()
            .position(|entry| entry.number == number)
        else {
            return;
        };
        let gone = state.entries.remove(at);
        for index in at..state.entries.len() {
            let (before, rest) = state.entries.split_at_mut(index);
            let Some(entry) = rest.first_mut() else { break };
            if entry.go.is_some()
                && entry.claim.crosses(&gone.claim)
                && !before.iter().any(|other| other.claim.crosses(&entry.claim))
                && let Some(go) = entry.go.take()
            {
                // Whoever stopped waiting leaves by itself.
                let _ = go.send(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    fn claim(values: &[&[&str]]) -> Claim {
        let text = |values: &&[&str]| values.iter().map(|&value| value.to_owned()).collect();
        Claim {
            lane: "lane",
            values: values.iter().map(text).collect(),
        }
    }

    fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Option<F::Output> {
        match future.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(done) => Some(done),
            Poll::Pending => None,
        }
    }

    #[test]
    fn calls_cross_where_they_meet_in_every_member() {
        let ours = claim(&[&["i"], &["a", "b"]]);
        for (other, crosses) in [
            (claim(&[&["i"], &["b", "c"]]), true),
            (claim(&[&["i"], &["c"]]), false),
            (claim(&[&["j"], &["a"]]), false),
            (claim(&[&["i"], &[]]), true),
            (claim(&[&[], &[]]), true),
        ] {
            assert_eq!(ours.crosses(&other), crosses, "{other:?}");
            assert_eq!(other.crosses(&ours), crosses, "{other:?}");
        }
        let mut other = ours.clone();
        other.lane = "another";
        assert!(!ours.crosses(&other));
    }

    #[test]
    fn turns_come_in_order_and_pass_on_when_a_caller_gives_up() {
        let lanes = Arc::new(Lanes::default());
        let mut first = pin!(lanes.enter(claim(&[&["a"]])));
        let mut elsewhere = pin!(lanes.enter(claim(&[&["b"]])));
        let first = poll(first.as_mut()).unwrap();
        assert!(poll(elsewhere.as_mut()).is_some());
        let mut any = pin!(lanes.enter(claim(&[&[]])));
        assert!(poll(any.as_mut()).is_none());
        let mut second = Box::pin(lanes.enter(claim(&[&["a"]])));
        let mut third = pin!(lanes.enter(claim(&[&["a"]])));
        assert!(poll(second.as_mut()).is_none());
        assert!(poll(third.as_mut()).is_none());
        drop(first);
        let any = poll(any.as_mut()).unwrap();
        assert!(
            poll(second.as_mut()).is_none(),
            "it came after the one for any"
        );
        drop(any);
        // Told to go, and dropped before it went.
        drop(second);
        let third = poll(third.as_mut()).unwrap();
        drop(third);
        assert!(lanes.state().entries.is_empty());
    }
}
