//! Is a call repeated exactly when that can help and cannot harm?

use std::time::Duration;

use cumulo_core::retry::RetryPolicy;
use cumulo_core::transport::TransportErrorKind;
use cumulo_localcloud::{Fault, FaultKind, Service};
use cumulo_smartag::enterprise_code::CreateEnterpriseCode;
use cumulo_smc::access_token::{CreateAccessToken, DisableAccessToken, ListAccessTokens};
use cumulo_smc::{Client, Error, Kind, Outcome};
use cumulo_tests::{Answer, Bench, Script, new_app};

/// An answer, and what it means: kind, and whether the call may have been executed.
type Case = (fn() -> Answer, Kind, Outcome);

fn coded(status: u16, code: &str) -> Answer {
    Answer::new(
        status,
        format!(r#"{{"RequestId":"r-1","Code":"{code}","Message":"m"}}"#),
    )
}

const CASES: &[Case] = &[
    (
        || Answer::broken(TransportErrorKind::Connect),
        Kind::Connect,
        Outcome::NotSent,
    ),
    (
        || coded(400, "Throttling.User"),
        Kind::Throttled,
        Outcome::Rejected,
    ),
    (
        || coded(503, "Throttling"),
        Kind::Throttled,
        Outcome::Rejected,
    ),
    (|| Answer::new(429, ""), Kind::Throttled, Outcome::Rejected),
    (
        || coded(400, "LastTokenProcessing"),
        Kind::Busy,
        Outcome::Rejected,
    ),
    (
        || Answer::broken(TransportErrorKind::Timeout),
        Kind::Timeout,
        Outcome::Unknown,
    ),
    (
        || Answer::broken(TransportErrorKind::Interrupted),
        Kind::Interrupted,
        Outcome::Unknown,
    ),
    (
        || coded(500, "InternalError"),
        Kind::Internal,
        Outcome::Unknown,
    ),
    (
        || coded(503, "ServiceUnavailable"),
        Kind::Unavailable,
        Outcome::Unknown,
    ),
    (
        || Answer::new(502, "<html>Bad Gateway</html>"),
        Kind::Unavailable,
        Outcome::Unknown,
    ),
    (|| Answer::new(504, ""), Kind::Unavailable, Outcome::Unknown),
    (
        || Answer::new(200, "<html>login</html>"),
        Kind::InvalidResponse,
        Outcome::Unknown,
    ),
    (
        || coded(400, "SignatureNonceUsed"),
        Kind::NonceReused,
        Outcome::Unknown,
    ),
];

/// Answers of one kind; the script and what came of each class of operation.
async fn outcome(bench: &Bench, class: &str, answer: fn() -> Answer) -> (usize, Error) {
    let script = Script::new((0..30).map(|_| answer()));
    let smc = bench.smc().transport(script.clone()).build().unwrap();
    let sag = bench.smartag().transport(script.clone()).build().unwrap();
    let error = match class {
        "ReadOnly" => ListAccessTokens::new().send(&smc).await.unwrap_err(),
        "Idempotent" => DisableAccessToken::new("at-1")
            .send(&smc)
            .await
            .unwrap_err(),
        "Keyed" => CreateEnterpriseCode::new("a1b2c")
            .send(&sag)
            .await
            .unwrap_err(),
        _ => CreateAccessToken::new().send(&smc).await.unwrap_err(),
    };
    (script.sent().len(), error)
}

#[tokio::test]
async fn the_matrix_of_classes_and_failures() {
    let bench = Bench::start().await;
    for (answer, kind, outcome_of_one) in CASES {
        for class in ["ReadOnly", "Idempotent", "Keyed", "Unsafe"] {
            let (sent, error) = outcome(&bench, class, *answer).await;
            let once = class == "Unsafe" && *outcome_of_one == Outcome::Unknown;
            assert_eq!(
                sent,
                match kind {
                    _ if once => 1,
                    // Waited out for the two minutes that a call may take.
                    Kind::Busy => sent.clamp(6, 12),
                    _ => 5,
                },
                "{class} {kind:?}: {}",
                error.explain()
            );
            assert_eq!(error.kind(), *kind, "{class}: {error}");
            assert_eq!(error.outcome(), *outcome_of_one, "{class} {kind:?}");
            assert_eq!(error.attempts().len(), sent);
            assert!(error.is_retryable());
        }
    }
}

#[tokio::test]
async fn what_cannot_pass_later_is_not_repeated() {
    let bench = Bench::start().await;
    let cases: [fn() -> Answer; 6] = [
        || coded(400, "InvalidParameter"),
        || coded(403, "Forbidden.RAM"),
        || coded(404, "InvalidAccessTokenId.NotFound"),
        || coded(400, "IdempotentParameterMismatch"),
        || coded(404, "InvalidAccessKeyId.NotFound"),
        || coded(400, "SignatureDoesNotMatch"),
    ];
    for answer in cases {
        for class in ["ReadOnly", "Idempotent", "Keyed", "Unsafe"] {
            let (sent, error) = outcome(&bench, class, answer).await;
            assert_eq!(
                (sent, error.outcome()),
                (1, Outcome::Rejected),
                "{class}: {error}"
            );
            assert!(!error.is_retryable());
        }
    }
}

#[tokio::test]
async fn an_unsafe_call_goes_out_once_whatever_happens_to_it() {
    for (kind, executed) in [
        (FaultKind::LoseRequest, false),
        (FaultKind::LoseResponse, false),
        (FaultKind::Reset, false),
        (FaultKind::Reset, true),
        (FaultKind::ServerError(500), true),
        (FaultKind::ServerError(503), false),
        (FaultKind::Html(502), true),
        (FaultKind::TruncateBody(10), false),
    ] {
        let bench = Bench::start().await;
        let smc = bench.smc().build().unwrap();
        let plan = Fault::new(Service::Smc, kind.clone()).operation("CreateAccessToken");
        bench
            .cloud
            .inject(if executed { plan.executed() } else { plan });
        let error = CreateAccessToken::new().send(&smc).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Unknown, "{kind:?}: {error}");
        assert_eq!(bench.seen("CreateAccessToken").len(), 1, "{kind:?}");
        assert!(
            error.to_string().contains("it may have been executed"),
            "{error}"
        );
        assert!(bench.clock.slept().is_empty());
    }
}

#[tokio::test]
async fn an_unsafe_call_is_repeated_after_a_refusal() {
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();
    bench.fault(Service::Smc, "CreateAccessToken", FaultKind::throttle());
    let made = CreateAccessToken::new().send(&smc).await.unwrap();
    assert_eq!(made.attempts().len(), 2);
    assert_eq!(made.attempts()[0].code.as_deref(), Some("Throttling.User"));
    let listed = ListAccessTokens::new().send(&smc).await.unwrap();
    assert_eq!(listed.total_count, Some(1));
    // A refusal first and a loss then is a loss.
    bench.fault(Service::Smc, "CreateAccessToken", FaultKind::throttle());
    bench.fault(Service::Smc, "CreateAccessToken", FaultKind::LoseResponse);
    let lost = CreateAccessToken::new().send(&smc).await.unwrap_err();
    assert_eq!(
        (lost.outcome(), lost.attempts().len()),
        (Outcome::Unknown, 2)
    );
}

#[tokio::test]
async fn doubt_about_an_early_attempt_stays_to_the_end() {
    let bench = Bench::start().await;
    let script = Script::new([
        Answer::broken(TransportErrorKind::Interrupted),
        coded(403, "Forbidden.RAM"),
    ]);
    let smc = bench.smc().transport(script).build().unwrap();
    let error = DisableAccessToken::new("at-1")
        .send(&smc)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::PermissionDenied);
    assert_eq!(error.outcome(), Outcome::Unknown);
}

#[tokio::test]
async fn hints_are_waited_out() {
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();
    let hint = FaultKind::throttle_for(Duration::from_millis(7_300));
    bench.fault(Service::Smc, "ListAccessTokens", hint.clone());
    let listed = ListAccessTokens::new().send(&smc).await.unwrap();
    // Milliseconds there, whole seconds elsewhere.
    assert_eq!(bench.clock.slept(), [Duration::from_millis(7_300)]);
    assert_eq!(listed.attempts()[1].waited, Duration::from_millis(7_300));

    let apig = bench.apig().build().unwrap();
    new_app(&apig, "shop").await;
    bench.fault(Service::Apig, "ListAppsV2", hint);
    cumulo_apig::app::ListAppsV2::new()
        .send(&apig)
        .await
        .unwrap();
    assert_eq!(bench.clock.slept()[1], Duration::from_secs(8));

    // Nonsense in the header is no hint; an absurd hint is cut, and one beyond the deadline not waited for.
    for (value, waits) in [
        ("soon", true),
        ("-1", true),
        ("0", true),
        ("99999999999999999999", true),
        ("3600000", false),
    ] {
        let bench = Bench::start().await;
        let throttled = coded(400, "Throttling").header("x-acs-retry-after", value);
        let script = Script::new([throttled, Answer::new(200, "{}")]);
        let smc = bench.smc().transport(script).build().unwrap();
        let result = ListAccessTokens::new().send(&smc).await;
        assert_eq!(result.is_ok(), waits, "{value}");
        assert!(
            bench.clock.slept().iter().sum::<Duration>() <= Duration::from_secs(1),
            "{value}"
        );
    }
}

#[tokio::test]
async fn waits_grow_and_stay_within_their_bounds() {
    let bench = Bench::start().await;
    let many = |answer: fn() -> Answer| Script::new((0..12).map(|_| answer()));
    let policy = RetryPolicy::default().max_attempts(12);
    let smc = bench
        .smc()
        .transport(many(|| Answer::new(503, "")))
        .retry(policy)
        .build()
        .unwrap();
    let error = ListAccessTokens::new().send(&smc).await.unwrap_err();
    assert_eq!(error.attempts().len(), 12);
    let slept = bench.clock.slept();
    for (index, wait) in slept.iter().enumerate() {
        let bound = Duration::from_millis(200 << index.min(10)).min(Duration::from_secs(10));
        assert!(*wait <= bound, "{index}: {wait:?}");
    }
    let waits: Vec<Duration> = error
        .attempts()
        .iter()
        .map(|attempt| attempt.waited)
        .collect();
    assert_eq!(waits[0], Duration::ZERO);
    assert_eq!(waits[1..], slept);
}

#[tokio::test]
async fn the_timeline_tells_every_attempt() {
    let bench = Bench::start().await;
    let smc = bench.smc().build().unwrap();
    for kind in [
        FaultKind::Reset,
        FaultKind::throttle(),
        FaultKind::Html(502),
        FaultKind::Html(504),
        FaultKind::Html(503),
    ] {
        bench.fault(Service::Smc, "ListAccessTokens", kind);
    }
    let error = ListAccessTokens::new().send(&smc).await.unwrap_err();
    let attempts = error.attempts();
    let statuses: Vec<_> = attempts.iter().map(|attempt| attempt.status).collect();
    assert_eq!(statuses, [None, Some(400), Some(502), Some(504), Some(503)]);
    let failures: Vec<_> = attempts.iter().map(|attempt| attempt.failure).collect();
    assert_eq!(
        failures,
        [
            Some(Kind::Interrupted),
            Some(Kind::Throttled),
            Some(Kind::Unavailable),
            Some(Kind::Unavailable),
            Some(Kind::Unavailable)
        ]
    );
    assert_eq!(attempts[1].code.as_deref(), Some("Throttling.User"));
    assert!(attempts[1].request_id.is_some());
    assert!(attempts[0].started < attempts[1].started && attempts[1].started < attempts[2].started);
    let text = error.explain();
    for part in [
        "attempt 1:",
        "attempt 2:",
        "Throttling.User",
        "attempt 3:",
        "status 502",
        "outcome: unknown",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[tokio::test]
async fn policies_of_client_and_call() {
    let bench = Bench::start().await;
    let lost = || Script::new((0..9).map(|_| Answer::new(503, "")));
    for (client, call, expected) in [
        (None, Some(RetryPolicy::never()), 1),
        (Some(RetryPolicy::never()), None, 1),
        (
            Some(RetryPolicy::never()),
            Some(RetryPolicy::default().max_attempts(6)),
            6,
        ),
        (None, Some(RetryPolicy::default().max_attempts(0)), 1),
    ] {
        let script = lost();
        let mut builder = bench.smc().transport(script.clone());
        if let Some(policy) = client {
            builder = builder.retry(policy);
        }
        let smc = builder.build().unwrap();
        let pending = ListAccessTokens::new().send(&smc);
        let pending = match call {
            Some(policy) => pending.retry(policy),
            None => pending,
        };
        pending.await.unwrap_err();
        assert_eq!(script.sent().len(), expected);
    }
}

#[tokio::test]
async fn the_total_timeout_ends_the_repeats() {
    let bench = Bench::start().await;
    let throttled = || coded(400, "Throttling").header("x-acs-retry-after", "4000");
    let script = Script::new((0..9).map(|_| throttled()));
    let policy = RetryPolicy::default().max_attempts(9);
    let smc = bench
        .smc()
        .transport(script.clone())
        .retry(policy)
        .build()
        .unwrap();
    let call = ListAccessTokens::new()
        .send(&smc)
        .timeout(Duration::from_secs(10));
    let error = call.await.unwrap_err();
    assert!(error.is_throttled());
    assert_eq!(script.sent().len(), 3);
    // What is left of the total bounds the last attempt.
    assert!(
        script.sent()[2].timeout <= Duration::from_secs(2),
        "{:?}",
        script.sent()[2].timeout
    );
}

#[tokio::test]
async fn clones_share_one_budget_for_repeats() {
    async fn sent_by_one_call(smc: &Client, script: &Script) -> usize {
        let before = script.sent().len();
        ListAccessTokens::new().send(smc).await.unwrap_err();
        script.sent().len() - before
    }
    let bench = Bench::start().await;
    let script = Script::new((0..200).map(|_| Answer::new(503, "")));
    let smc = bench.smc().transport(script.clone()).build().unwrap();
    let mut calls = Vec::new();
    for _ in 0..40 {
        calls.push(sent_by_one_call(&smc.clone(), &script).await);
    }
    // 500 tokens pay for 100 repeats at 5 each; then every call goes out once.
    assert!(calls[..25].iter().all(|sent| *sent == 5), "{calls:?}");
    assert!(calls[25..].iter().all(|sent| *sent == 1), "{calls:?}");
    let error = ListAccessTokens::new().send(&smc).await.unwrap_err();
    assert_eq!(error.not_repeated(), Some("retry budget spent"));
    assert!(
        error
            .to_string()
            .contains("not repeated: retry budget spent"),
        "{error}"
    );
    // Another client has its own.
    let other = bench.smc().transport(script.clone()).build().unwrap();
    assert_eq!(sent_by_one_call(&other, &script).await, 5);
}

#[tokio::test]
async fn what_asks_for_an_hour_is_not_waited_for_and_is_told() {
    let bench = Bench::start().await;
    let hour = || coded(400, "Throttling.User").header("x-acs-retry-after", "3600000");
    let script = Script::new([hour(), hour()]);
    let smc = bench.smc().transport(script.clone()).build().unwrap();
    let error = ListAccessTokens::new().send(&smc).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    let text = error.to_string();
    assert!(text.contains("the service asks to wait 3600 s"), "{text}");
    assert_eq!(script.sent().len(), 1);
    // Whoever gives it the time waits it out.
    let patient = ListAccessTokens::new().send(&smc);
    patient
        .timeout(Duration::from_secs(9000))
        .await
        .unwrap_err();
    assert!(bench.clock.slept().iter().sum::<Duration>() >= Duration::from_secs(3600));
}

/// Times at the end of what numbers hold, from services and from callers, end no program.
#[tokio::test]
async fn times_without_end_are_only_long() {
    let bench = Bench::start().await;
    for value in ["18446744073709551615", "9223372036854775807"] {
        for (header, status) in [("retry-after", 429), ("x-acs-retry-after", 400)] {
            let endless = || coded(status, "Throttling").header(header, value);
            let script = Script::new([endless(), Answer::new(200, "{}")]);
            let smc = bench.smc().transport(script).build().unwrap();
            let call = ListAccessTokens::new().send(&smc).timeout(Duration::MAX);
            // Waited out, or not: either way without a panic.
            let _ = call.await;
            let script = Script::new([endless()]);
            let smc = bench.smc().transport(script).build().unwrap();
            let error = ListAccessTokens::new().send(&smc).await.unwrap_err();
            assert!(error.retry_after().is_some(), "{error}");
        }
    }
}

#[tokio::test]
async fn a_gateway_that_is_being_changed_is_waited_for() {
    let bench = Bench::start().await;
    let busy = (0..5).map(|_| coded(400, "ResourceInOperating"));
    let script = Script::new(busy.chain([Answer::new(200, r#"{"RequestId":"r"}"#)]));
    let sag = bench.smartag().transport(script.clone()).build().unwrap();
    // A second reboot would do harm; these were refused before they began.
    let reboot = cumulo_smartag::device::RebootSmartAccessGateway::new("sag-1");
    let done = reboot.send(&sag).await.unwrap();
    assert_eq!(done.attempts().len(), 6);
    let slept: Duration = bench.clock.slept().iter().sum();
    assert!((31..=62).contains(&slept.as_secs()), "{slept:?}");
}

#[tokio::test]
async fn crossed_changes_of_a_gateway_keep_their_outcome_unknown() {
    let bench = Bench::start().await;
    for code in ["APIG.3500", "APIG.9999", "APIC.9224"] {
        let body = format!(r#"{{"error_code":"{code}","error_msg":"m"}}"#);
        let script = Script::new([Answer::new(500, body)]);
        let apig = bench.apig().transport(script).build().unwrap();
        let create = cumulo_apig::app_auth::CreateAuthorizingAppsV2::new("env", ["app"], ["api"]);
        let error = create.send(&apig).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.outcome()),
            (Kind::Contended, Outcome::Unknown)
        );
        assert!(error.hint().unwrap().contains("read its state"), "{error}");
    }
}
