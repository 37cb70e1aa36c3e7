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
    polling: Polling,
    budget: Budget,
    entropy: SeededEntropy,
}

impl Bench {
    fn new() -> Self {
        Self {
            policy: RetryPolicy::default(),
            polling: Polling::default(),
            budget: Budget::new(),
            entropy: SeededEntropy::new(1),
        }
    }
    fn machine(&self, retry: RetryClass) -> Machine<'_> {
        let deadline = Duration::from_secs(60);
        Machine::new(
            operation(retry),
            &self.policy,
            &self.polling,
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

/// Why a failure that may pass ends the call.
fn not_repeated(step: Step) -> String {
    let Step::Fail(failure, _) = step else {
        panic!("{step:?}");
    };
    failure.not_repeated.expect("it may pass")
}

/// The job's own result.
fn result(kind: Kind) -> Event {
    let mut failure = Failure::new(kind, "");
    failure.code = Some("SYS.1000".into());
    failure.is_result = true;
    Event::Answered(Verdict::Failed(failure))
}

fn pending() -> Event {
    Event::Answered(Verdict::Job(JobState::Running {
        id: Some("job".into()),
        limit: Some(Duration::from_secs(300)),
    }))
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
    for _ in 0..4 {
        assert!(matches!(
            machine.next(NOW, failed(Kind::Unavailable)),
            Step::Sleep(_)
        ));
        assert!(matches!(machine.next(NOW, Event::Slept), Step::Send));
    }
    let step = machine.next(NOW, failed(Kind::Unavailable));
    assert_eq!(not_repeated(step), "all attempts used");

    let mut machine = bench.machine(RetryClass::ReadOnly);
    machine.next(NOW, Event::Start);
    let late = Duration::from_secs(60);
    let step = machine.next(late, failed(Kind::Unavailable));
    assert_eq!(not_repeated(step), "no time is left for another attempt");
}

/// Five answers that are too large cost five times as much, and the sixth would be as large.
#[test]
fn what_would_be_the_same_again_is_not_asked_for_again() {
    let bench = Bench::new();
    for (is_final, repeats) in [(false, true), (true, false)] {
        let mut machine = bench.machine(RetryClass::ReadOnly);
        machine.next(NOW, Event::Start);
        let mut failure = Failure::new(Kind::InvalidResponse, "");
        failure.is_final = is_final;
        let step = machine.next(NOW, Event::Failed(failure));
        assert_eq!(matches!(step, Step::Sleep(_)), repeats, "{step:?}");
        if is_final {
            assert!(matches!(step, Step::Fail(_, Outcome::Unknown)), "{step:?}");
        }
    }
}

#[test]
fn a_hint_beyond_the_deadline_ends_the_call_and_is_told() {
    let bench = Bench::new();
    let mut machine = bench.machine(RetryClass::ReadOnly);
    machine.next(NOW, Event::Start);
    let mut failure = Failure::new(Kind::Throttled, "");
    failure.retry_after = Some(Duration::from_secs(3600));
    let step = machine.next(NOW, Event::Answered(Verdict::Failed(failure)));
    assert!(matches!(step, Step::Fail(_, Outcome::Rejected)));
    let why = not_repeated(step);
    assert!(why.contains("asks to wait 3600 s"), "{why}");
}

#[test]
fn what_is_busy_is_waited_out_for_minutes() {
    let bench = Bench::new();
    let mut machine = bench.machine(RetryClass::Unsafe);
    machine.deadline = Duration::from_secs(600);
    machine.next(NOW, Event::Start);
    let (mut now, mut waits) = (NOW, Vec::new());
    while let Step::Sleep(wait) = machine.next(now, failed(Kind::Busy)) {
        now += wait;
        waits.push(wait);
        assert!(matches!(machine.next(now, Event::Slept), Step::Send));
    }
    assert!(waits[0] >= Duration::from_secs(1), "{waits:?}");
    assert!(now > Duration::from_secs(500), "{now:?} {waits:?}");
    assert!(waits.len() < 25, "{waits:?}");
    assert!(bench.budget.take().is_some(), "it costs no budget");

    let mut bench = Bench::new();
    bench.policy = RetryPolicy::never();
    let mut machine = bench.machine(RetryClass::ReadOnly);
    machine.next(NOW, Event::Start);
    let step = machine.next(NOW, failed(Kind::Busy));
    assert!(matches!(step, Step::Fail(_, Outcome::Rejected)));
}

#[test]
fn crossed_changes_are_repeated_in_seconds_but_never_where_a_second_one_does_harm() {
    let bench = Bench::new();
    let mut machine = bench.machine(RetryClass::Unsafe);
    machine.next(NOW, Event::Start);
    let step = machine.next(NOW, failed(Kind::Contended));
    assert!(matches!(step, Step::Fail(_, Outcome::Unknown)));
    let mut machine = bench.machine(RetryClass::Idempotent);
    machine.next(NOW, Event::Start);
    let mut waits = Vec::new();
    while let Step::Sleep(wait) = machine.next(NOW, failed(Kind::Contended)) {
        waits.push(wait.as_secs_f64());
        machine.next(NOW, Event::Slept);
    }
    assert_eq!(waits.len(), 4);
    let mut grown = waits.iter().zip([1.0, 2.0, 4.0, 8.0]);
    assert!(grown.all(|(wait, least)| *wait >= least), "{waits:?}");
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
        machine.next(NOW, Event::Answered(Verdict::Job(JobState::Absent))),
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
        machine.next(NOW, Event::Answered(Verdict::Job(JobState::Taken))),
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
    let step = machine.next(NOW, Event::Answered(Verdict::Job(JobState::Absent)));
    assert!(matches!(step, Step::Fail(_, Outcome::Unknown)));
}

#[test]
fn only_the_jobs_own_result_ends_the_polling_before_its_time() {
    for kind in [
        Kind::Connect,
        Kind::InvalidArgument,
        Kind::Unauthenticated,
        Kind::PermissionDenied,
        Kind::NotFound,
        Kind::TokenExpired,
        Kind::InvalidResponse,
        Kind::Other,
    ] {
        // Whether the job was seen, or the answer to its start was lost.
        for first in [pending(), failed(Kind::Unavailable)] {
            let bench = Bench::new();
            let mut machine = bench.machine(RetryClass::Keyed);
            machine.has_job = true;
            machine.next(NOW, Event::Start);
            assert!(matches!(machine.next(NOW, first), Step::Sleep(_)));
            assert!(matches!(machine.next(NOW, Event::Slept), Step::Poll));
            for _ in 0..30 {
                let step = machine.next(NOW, failed(kind));
                assert!(matches!(step, Step::Sleep(_)), "{kind:?} {step:?}");
                assert!(matches!(machine.next(NOW, Event::Slept), Step::Poll));
            }
            let step = machine.next(NOW, result(Kind::OperationFailed));
            assert!(matches!(step, Step::Fail(_, Outcome::Rejected)), "{kind:?}");
        }
    }
}

#[test]
fn a_job_that_something_else_hides_to_the_end_is_unknown() {
    let bench = Bench::new();
    let mut machine = bench.machine(RetryClass::Keyed);
    machine.strict_deadline = true;
    machine.next(NOW, Event::Start);
    machine.next(NOW, pending());
    machine.next(NOW, Event::Slept);
    let late = Duration::from_secs(59);
    let forbidden = Failure::new(Kind::PermissionDenied, "a proxy says no");
    let step = machine.next(late, Event::Answered(Verdict::Failed(forbidden)));
    let Step::Fail(failure, Outcome::Unknown) = step else {
        panic!("{step:?}");
    };
    assert_eq!(failure.kind, Kind::Timeout);
    assert!(failure.message.contains("a proxy says no"), "{failure:?}");
}

#[test]
fn an_expired_session_found_by_polling_means_a_new_job() {
    let bench = Bench::new();
    let mut machine = bench.machine(RetryClass::Keyed);
    machine.next(NOW, Event::Start);
    machine.next(NOW, pending());
    machine.next(NOW, Event::Slept);
    assert!(matches!(
        machine.next(NOW, result(Kind::TokenExpired)),
        Step::Refresh { new_job: true }
    ));
    assert!(matches!(machine.next(NOW, Event::Refreshed), Step::Send));
}

#[test]
fn an_empty_budget_ends_the_repeats_of_all_calls() {
    let bench = Bench::new();
    while bench.budget.take().is_some() {}
    let mut machine = bench.machine(RetryClass::ReadOnly);
    machine.next(NOW, Event::Start);
    let step = machine.next(NOW, failed(Kind::Unavailable));
    assert_eq!(not_repeated(step), "retry budget spent");
}

/// Calls in rounds of `parallel`, each attempt failing by `rate`: how many succeed, and how many
/// requests a call takes.
fn simulate(parallel: usize, rate: f64) -> (f64, f64) {
    const CALLS: usize = 20_000;
    let bench = Bench::new();
    let faults = SeededEntropy::new(parallel as u64);
    let (mut succeeded, mut requests, mut begun) = (0, 0, 0);
    let mut open: Vec<(Machine<'_>, Step)> = Vec::new();
    while begun < CALLS || !open.is_empty() {
        while open.len() < parallel && begun < CALLS {
            let mut machine = bench.machine(RetryClass::Keyed);
            let step = machine.next(NOW, Event::Start);
            open.push((machine, step));
            begun += 1;
        }
        // Every other round is a wait, as if all waits took as long as an attempt.
        open.retain_mut(|(machine, step)| {
            let event = match step {
                Step::Send => {
                    requests += 1;
                    if faults.fraction() < rate {
                        failed(Kind::Unavailable)
                    } else {
                        done()
                    }
                }
                _ => Event::Slept,
            };
            *step = machine.next(NOW, event);
            succeeded += usize::from(matches!(step, Step::Done));
            matches!(step, Step::Send | Step::Sleep(_))
        });
    }
    let calls = CALLS as f64;
    (succeeded as f64 / calls, requests as f64 / calls)
}

#[test]
fn scattered_faults_are_mended_and_an_outage_is_not_multiplied() {
    for parallel in [1, 4, 16, 64, 256, 1000, 10_000] {
        let (succeeded, requests) = simulate(parallel, 0.3);
        assert!(succeeded > 0.995, "{parallel}: {succeeded}");
        assert!(requests < 1.45, "{parallel}: {requests}");
        let (succeeded, requests) = simulate(parallel, 1.0);
        assert_eq!(succeeded, 0.0);
        // 100 repeats, and two for five calls that were under way together.
        let most = 1.0 + (100.0 + 0.4 * parallel as f64) / 20_000.0;
        assert!(requests <= most, "{parallel}: {requests}");
    }
}
