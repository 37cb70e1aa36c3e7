//! One cache and several runtimes, of which some stand still or end.

use tokio::runtime::{Builder, Runtime};

use super::*;

fn runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

#[test]
fn a_runtime_that_is_shut_down_takes_nobody_with_it() {
    let setup = setup(Mood::Never);
    let (first, second) = (runtime(), runtime());
    first.block_on(async {
        let gone = setup.callers(1, 120_000);
        settle().await;
        drop(gone);
    });
    assert_eq!(setup.fetches(), 1);
    setup.mood(Mood::After(0));
    let waiting = second.block_on(async {
        let waiting = setup.callers(5, 120_000);
        settle().await;
        waiting
    });
    assert_eq!(setup.fetches(), 1, "the first runtime may still do it");
    drop(first);
    for result in second.block_on(all(waiting)) {
        assert_eq!(result.unwrap(), "t1");
    }
    assert_eq!(setup.fetches(), 2, "one of the five began another");
}

#[test]
fn a_runtime_that_nobody_drives_is_not_waited_for() {
    let setup = setup(Mood::After(5));
    let (first, second) = (runtime(), runtime());
    let left = first.block_on(async {
        let left = setup.callers(1, 120_000);
        settle().await;
        left
    });
    setup.mood(Mood::After(0));
    second.block_on(async {
        let waiting = setup.callers(5, 120_000);
        settle().await;
        assert_eq!(setup.fetches(), 1);
        setup.advance(1000);
        for result in all(waiting).await {
            assert_eq!(result.unwrap(), "t1");
        }
    });
    assert_eq!(setup.fetches(), 2);
    // When the first runtime goes on, what it fetched is of no use, and is given up.
    setup.advance(5000);
    let late = first.block_on(all(left));
    assert_eq!(late[0].as_ref().unwrap(), "t1");
    assert_eq!(setup.released(), ["t0"]);
}

#[test]
fn a_runtime_that_is_driven_is_waited_for_however_slow_the_provider() {
    let setup = setup(Mood::After(30));
    let (first, second) = (runtime(), runtime());
    let left = first.block_on(async {
        let left = setup.callers(1, 120_000);
        settle().await;
        left
    });
    let waiting = second.block_on(async {
        let waiting = setup.callers(5, 120_000);
        settle().await;
        waiting
    });
    for _ in 0..30 {
        first.block_on(settle());
        setup.advance(1000);
        second.block_on(settle());
    }
    assert_eq!(first.block_on(all(left))[0].as_ref().unwrap(), "t0");
    for result in second.block_on(all(waiting)) {
        assert_eq!(result.unwrap(), "t0");
    }
    assert_eq!(setup.fetches(), 1);
}

/// The first poll of a caller outside any runtime.
fn poll_once<T>(work: &mut (impl Future<Output = T> + Unpin)) -> bool {
    let mut task = std::task::Context::from_waker(std::task::Waker::noop());
    std::pin::Pin::new(work).poll(&mut task).is_ready()
}

#[test]
fn without_a_runtime_the_caller_does_it_and_nobody_waits_for_one_who_stands_still() {
    let setup = setup(Mood::After(5));
    let mut standing = Box::pin(setup.caller(120_000));
    assert!(!poll_once(&mut standing));
    setup.mood(Mood::After(0));
    let runtime = runtime();
    runtime.block_on(async {
        let waiting = setup.callers(2, 120_000);
        settle().await;
        setup.advance(1000);
        for result in all(waiting).await {
            assert_eq!(result.unwrap(), "t1");
        }
    });
    let late = setup.caller(0);
    assert!(
        poll_once(&mut Box::pin(late)),
        "what is held needs no runtime"
    );
    assert_eq!(setup.fetches(), 2);
}
