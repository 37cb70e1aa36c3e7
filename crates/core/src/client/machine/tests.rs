use super::*;
use crate::client::Empty;
use crate::clock::SeededEntropy;
use crate::record::Problem;

fn operation(retry: RetryClass) -> &'static Operation {
    Box::leak(Box::new(Operation::new(
        "Op",
        "",
        http::Method::POST,
        "/",
        retry,
        || Box::new(Empty::default()),
        || Box::new(Empty::default()),
    )))
}

struct Bench {
    policy: RetryPolicy,
    budget: Budget,
    entropy: SeededEntropy,
}

impl Bench {
    fn new() -> Self {
        Self {
            policy: RetryPolicy::default(),
            budget: Budget::new(),
            entropy: SeededEntropy::new(1),
        }
    }
    fn machine(&self, retry: RetryClass) -> Machine<'_> {
        let deadline = Duration::from_secs(60);
        Machine::new(
            operation(retry),
            &self.policy,
            &self.budget,
            &self.entropy,
            deadline,
        )
    }
}

const NOW: Duration = Duration::ZERO;

fn failed(kind: Kind) -> Event {
    Event::Answered(Verdict::Failed(Failure::new(kind, "")))
}

fn coded(kind: Kind) -> Event {
    let mut failure = Failure::new(kind, "");
    failure.code = Some("SYS.1000".into());
    Event::Answered(Verdict::Failed(failure))
}

fn pending() -> Event {
    Event::Answered(Verdict::Pending(
        "job".into(),
        Some(Duration::from_secs(300)),
    ))
}

fn done() -> Event {
    Event::Answered(Verdict::Done(Vec::<Problem>::new()))
}

#[test]
fn the_retry_matrix() {
    use Kind::*;
    use RetryClass::*;
    for class in [ReadOnly, Idempotent, Keyed, Unsafe] {
        for (kind, repeats) in [
            (Connect, true),
            (Throttled, true),
            (Busy, true),
            (Timeout, class != Unsafe),
            (Interrupted, class != Unsafe),
            (Unavailable, class != Unsafe),
            (Internal, class != Unsafe),
            (InvalidResponse, class != Unsafe),
            (NonceReused, class != Unsafe),
            (InvalidArgument, false),
            (NotFound, false),
            (Signature, false),
            (PermissionDenied, false),
            (OperationFailed, false),
        ] {
            let bench = Bench::new();
            let mut machine = bench.machine(class);
            assert!(matches!(machine.next(NOW, Event::Start), Step::Send));
            let step = machine.next(NOW, failed(kind));
            match &step {
                Step::Sleep(_) => assert!(repeats, "{class:?} {kind:?}"),
                Step::Fail(_, outcome) => {
                    assert!(!repeats, "{class:?} {kind:?}");
                    assert_eq!(*outcome, kind.outcome(), "{class:?} {kind:?}");
                }
                other => panic!("{class:?} {kind:?}: {other:?}"),
            }
        }
    }
}

#[test]
fn attempts_and_deadline_end_the_repeats() {
    let bench = Bench::new();
    let mut machine = bench.machine(RetryClass::ReadOnly);
    machine.next(NOW, Event::Start);
    for _ in 0..2 {
        assert!(matches!(
            machine.next(NOW, failed(Kind::Unavailable)),
            Step::Sleep(_)
        ));
        assert!(matches!(machine.next(NOW, Event::Slept), Step::Send));
    }
    assert!(matches!(
        machine.next(NOW, failed(Kind::Unavailable)),
        Step::Fail(..)
    ));

    let mut machine = bench.machine(RetryClass::ReadOnly);
    machine.next(NOW, Event::Start);
    let late = Duration::from_secs(60);
    assert!(matches!(
        machine.next(late, failed(Kind::Unavailable)),
        Step::Fail(..)
    ));
}

#[test]
fn doubt_from_an_early_attempt_stays() {
    let bench = Bench::new();
    let mut machine = bench.machine(RetryClass::Idempotent);
    machine.next(NOW, Event::Start);
    machine.next(NOW, failed(Kind::Timeout));
    machine.next(NOW, Event::Slept);
    let Step::Fail(_, outcome) = machine.next(NOW, failed(Kind::PermissionDenied)) else {
        panic!("it ends");
    };
    assert_eq!(outcome, Outcome::Unknown);
}

#[test]
fn gone_after_doubt_is_done_and_gone_at_once_is_not_found() {
    let bench = Bench::new();
    let gone = || {
        let mut failure = Failure::new(Kind::NotFound, "");
        failure.gone = true;
        Event::Answered(Verdict::Failed(failure))
    };
    let mut machine = bench.machine(RetryClass::Idempotent);
    machine.next(NOW, Event::Start);
    assert!(matches!(machine.next(NOW, gone()), Step::Fail(..)));
    // What a proxy or a parent's absence answers proves nothing.
    for (answer, done) in [(gone(), true), (failed(Kind::NotFound), false)] {
        let mut machine = bench.machine(RetryClass::Idempotent);
        machine.next(NOW, Event::Start);
        machine.next(NOW, failed(Kind::Interrupted));
        machine.next(NOW, Event::Slept);
        match machine.next(NOW, answer) {
            Step::Gone => assert!(done),
            Step::Fail(_, outcome) => assert_eq!((done, outcome), (false, Outcome::Unknown)),
            step => panic!("{step:?}"),
        }
    }
}

#[test]
fn credentials_are_refreshed_once_even_without_retries() {
    let mut bench = Bench::new();
    bench.policy = RetryPolicy::never();
    let mut machine = bench.machine(RetryClass::Unsafe);
    machine.next(NOW, Event::Start);
    assert!(matches!(
        machine.next(NOW, failed(Kind::TokenExpired)),
        Step::Refresh { new_job: false }
    ));
    assert!(matches!(machine.next(NOW, Event::Refreshed), Step::Send));
    assert!(matches!(
        machine.next(NOW, failed(Kind::TokenExpired)),
        Step::Fail(_, Outcome::Rejected)
    ));
}

#[test]
fn the_clock_is_corrected_and_the_failure_kept_when_it_cannot_be() {
    let bench = Bench::new();
    let mut machine = bench.machine(RetryClass::Unsafe);
    machine.next(NOW, Event::Start);
    assert!(matches!(
        machine.next(NOW, failed(Kind::ClockSkew)),
        Step::CorrectClock(None)
    ));
    let Step::Fail(failure, outcome) = machine.next(NOW, Event::Corrected(false)) else {
        panic!("it ends");
    };
    assert_eq!(
        (failure.kind, outcome),
        (Kind::ClockSkew, Outcome::Rejected)
    );
}

#[test]
fn jobs_are_polled_until_they_end() {
    let bench = Bench::new();
    let mut machine = bench.machine(RetryClass::Keyed);
    machine.has_job = true;
    machine.next(NOW, Event::Start);
    let mut waits = Vec::new();
    let mut event = pending();
    for _ in 0..6 {
        let Step::Sleep(wait) = machine.next(NOW, event) else {
            panic!("it waits");
        };
        waits.push(wait.as_millis());
        assert!(matches!(machine.next(NOW, Event::Slept), Step::Poll));
        event = pending();
    }
    assert_eq!(waits, [500, 1000, 2000, 4000, 5000, 5000]);
    assert!(matches!(machine.next(NOW, done()), Step::Done));
}

#[test]
fn a_job_that_never_ends_leaves_the_outcome_unknown() {
    let bench = Bench::new();
    let mut machine = bench.machine(RetryClass::Keyed);
    machine.next(NOW, Event::Start);
    machine.next(NOW, pending());
    machine.next(NOW, Event::Slept);
    let late = Duration::from_secs(361);
    let Step::Fail(failure, outcome) = machine.next(late, pending()) else {
        panic!("it ends");
    };
    assert_eq!((failure.kind, outcome), (Kind::Timeout, Outcome::Unknown));
}

#[test]
fn an_unanswered_job_is_asked_after_before_it_is_sent_again() {
    let bench = Bench::new();
    let start = || {
        let mut machine = bench.machine(RetryClass::Keyed);
        machine.has_job = true;
        machine.next(NOW, Event::Start);
        assert!(matches!(
            machine.next(NOW, failed(Kind::Interrupted)),
            Step::Sleep(_)
        ));
        assert!(matches!(machine.next(NOW, Event::Slept), Step::Poll));
        machine
    };
    // It never arrived: sent again, without doubt.
    let mut machine = start();
    assert!(matches!(
        machine.next(NOW, Event::Answered(Verdict::NoSuchJob)),
        Step::Send
    ));
    assert!(matches!(
        machine.next(NOW, failed(Kind::Conflict)),
        Step::Fail(_, Outcome::Rejected)
    ));
    // It runs.
    let mut machine = start();
    assert!(matches!(machine.next(NOW, pending()), Step::Sleep(_)));
    // It is done.
    assert!(matches!(start().next(NOW, done()), Step::Done));
    // A repeat that the server knows leads to polling too.
    let mut machine = bench.machine(RetryClass::Keyed);
    machine.next(NOW, Event::Start);
    assert!(matches!(
        machine.next(NOW, Event::Answered(Verdict::DuplicateJob)),
        Step::Sleep(_)
    ));
}

#[test]
fn a_forgotten_job_that_ran_is_unknown() {
    let bench = Bench::new();
    let mut machine = bench.machine(RetryClass::Keyed);
    machine.next(NOW, Event::Start);
    machine.next(NOW, pending());
    machine.next(NOW, Event::Slept);
    let step = machine.next(NOW, Event::Answered(Verdict::NoSuchJob));
    assert!(matches!(step, Step::Fail(_, Outcome::Unknown)));
}

#[test]
fn polls_survive_outages_but_not_the_jobs_own_failure() {
    let bench = Bench::new();
    let mut machine = bench.machine(RetryClass::Keyed);
    machine.next(NOW, Event::Start);
    machine.next(NOW, pending());
    machine.next(NOW, Event::Slept);
    for _ in 0..10 {
        assert!(matches!(
            machine.next(NOW, failed(Kind::Connect)),
            Step::Sleep(_)
        ));
        assert!(matches!(machine.next(NOW, Event::Slept), Step::Poll));
    }
    let step = machine.next(NOW, coded(Kind::OperationFailed));
    assert!(matches!(step, Step::Fail(_, Outcome::Rejected)));
}

#[test]
fn an_expired_session_found_by_polling_means_a_new_job() {
    let bench = Bench::new();
    let mut machine = bench.machine(RetryClass::Keyed);
    machine.next(NOW, Event::Start);
    machine.next(NOW, pending());
    machine.next(NOW, Event::Slept);
    assert!(matches!(
        machine.next(NOW, coded(Kind::TokenExpired)),
        Step::Refresh { new_job: true }
    ));
    assert!(matches!(machine.next(NOW, Event::Refreshed), Step::Send));
}

#[test]
fn an_empty_budget_ends_the_repeats_of_all_calls() {
    let bench = Bench::new();
    while bench.budget.take(false) {}
    let mut machine = bench.machine(RetryClass::ReadOnly);
    machine.next(NOW, Event::Start);
    assert!(matches!(
        machine.next(NOW, failed(Kind::Unavailable)),
        Step::Fail(..)
    ));
}
