//! Which calls must not run side by side, and how do the clones of a client take turns with them?
//!
//! Some services fail, or worse, when two changes of the same thing cross. An operation names its
//! lane and the members whose values tell one thing from another; calls that meet in a value of
//! each of them queue in the order of their arrival. A member that is not set could be any.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::operation::Operation;
use crate::record::{self, Record};
use crate::service::Settings;

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
                Some(text) if given.is_empty() => vec![text.to_owned()],
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

/// Among thousands of calls each finds the one that it comes after by looking only at those that mean the
/// same by the member in which the fewest do.
#[derive(Debug, Default)]
struct State {
    entries: BTreeMap<u64, Entry>,
    /// The calls of a lane by what a member of it means, in the order of their arrival.
    meaning: HashMap<Meaning, BTreeSet<u64>>,
    numbers: u64,
    /// How often two claims were compared.
    #[cfg(test)]
    compared: std::cell::Cell<usize>,
}

/// Lane, number of the member, and a value of it; none where it could be any.
type Meaning = (&'static str, usize, Option<String>);

#[derive(Debug)]
struct Entry {
    claim: Claim,
    /// Tells a call that waits that it may go.
    go: Option<oneshot::Sender<()>>,
    /// The calls for which this one was the latest that they cross.
    after: Vec<u64>,
}

impl Claim {
    /// All that its members mean, member by member.
    fn meanings(&self) -> impl Iterator<Item = Meaning> + '_ {
        let (lane, all) = (self.lane, self.values.iter().enumerate());
        all.flat_map(move |(at, values)| {
            let any = values.is_empty().then_some(None);
            let values = values.iter().cloned().map(Some);
            values.chain(any).map(move |value| (lane, at, value))
        })
    }
}

impl State {
    /// The latest call before `number` that crosses `claim`.
    fn latest(&self, claim: &Claim, number: u64) -> Option<u64> {
        let crosses = |other: &&u64| {
            #[cfg(test)]
            self.compared.set(self.compared.get() + 1);
            self.entries
                .get(other)
                .is_some_and(|entry| entry.claim.crosses(claim))
        };
        // Whoever crosses meets in every member: the one in which the fewest meet is looked at.
        let specific = (0..claim.values.len()).filter(|at| !claim.values[*at].is_empty());
        let meeting = specific.map(|member| {
            let any = (claim.lane, member, None);
            let meanings = claim.meanings().filter(|(_, at, _)| *at == member);
            let sets = meanings
                .chain([any])
                .filter_map(|one| self.meaning.get(&one));
            sets.collect::<Vec<_>>()
        });
        let fewest = meeting.min_by_key(|sets| sets.iter().map(|set| set.len()).sum::<usize>());
        let before = ..number;
        match fewest {
            Some(sets) => {
                let latest = sets
                    .into_iter()
                    .filter_map(|set| set.range(before).rev().find(crosses));
                latest.max().copied()
            }
            // It could mean anything.
            None => {
                let mut all = self.entries.range(before).rev().map(|(number, _)| number);
                all.find(crosses).copied()
            }
        }
    }
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
            let before = state.latest(&claim, number);
            let before = before.and_then(|before| state.entries.get_mut(&before));
            let (go, wait) = match before {
                None => (None, None),
                Some(before) => {
                    before.after.push(number);
                    let (go, wait) = oneshot::channel();
                    (Some(go), Some(wait))
                }
            };
            for meaning in claim.meanings() {
                state.meaning.entry(meaning).or_default().insert(number);
            }
            let after = Vec::new();
            state.entries.insert(number, Entry { claim, go, after });
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
        let Some(gone) = state.entries.remove(&number) else {
            return;
        };
        for meaning in gone.claim.meanings() {
            if let Some(numbers) = state.meaning.get_mut(&meaning) {
                numbers.remove(&number);
                if numbers.is_empty() {
                    state.meaning.remove(&meaning);
                }
            }
        }
        for waiting in gone.after {
            let Some(entry) = state.entries.get(&waiting) else {
                continue;
            };
            if let Some(before) = state.latest(&entry.claim, waiting) {
                if let Some(before) = state.entries.get_mut(&before) {
                    before.after.push(waiting);
                }
            } else if let Some(go) = state
                .entries
                .get_mut(&waiting)
                .and_then(|entry| entry.go.take())
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
        assert!(lanes.state().meaning.is_empty());
    }

    /// How often claims are compared while `count` calls enter, and then go one after the other.
    fn compared(count: usize, claim: impl Fn(usize) -> Claim) -> usize {
        let lanes = Arc::new(Lanes::default());
        let mut waiting: Vec<_> = (0..count)
            .map(|at| Box::pin(lanes.enter(claim(at))))
            .collect();
        let mut turns: Vec<Option<Turn>> =
            waiting.iter_mut().map(|one| poll(one.as_mut())).collect();
        for at in 0..count {
            let turn = turns[at].take();
            drop(turn.or_else(|| poll(waiting[at].as_mut())).unwrap());
        }
        assert!(lanes.state().meaning.is_empty());
        lanes.state().compared.get()
    }

    #[test]
    fn many_calls_do_not_look_at_each_other() {
        let all = 1000;
        let same = compared(all, |_| claim(&[&["i"], &["a"]]));
        assert!(same <= 2 * all, "{same}");
        let others = compared(all, |at| claim(&[&["i"], &[&at.to_string()]]));
        assert_eq!(others, 0);
        let mixed = compared(all, |at| match at % 100 {
            0 => claim(&[&["i"], &[]]),
            _ => claim(&[&["i"], &[&at.to_string()]]),
        });
        assert!(mixed <= 4 * all, "{mixed}");
    }
}
