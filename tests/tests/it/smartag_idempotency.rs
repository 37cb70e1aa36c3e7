//! Is an enterprise code made exactly once, whatever is lost on the way?

use cumulo_core::ClientToken;
use cumulo_localcloud::{Fault, FaultKind, SeenRequest, Service, accounts};
use cumulo_smartag::enterprise_code::{
    CreateEnterpriseCode, DeleteEnterpriseCode, ListEnterpriseCode, UpdateEnterpriseCode,
};
use cumulo_smartag::{Client, Kind, Outcome};
use cumulo_tests::Bench;

const CREATE: &str = "CreateEnterpriseCode";

async fn codes(client: &Client) -> Vec<String> {
    let all = ListEnterpriseCode::new()
        .items(client)
        .collect()
        .await
        .unwrap();
    all.into_iter()
        .filter_map(|code| code.enterprise_code)
        .collect()
}

fn token(request: &SeenRequest) -> String {
    request.parameter("ClientToken").unwrap_or_default()
}

#[tokio::test]
async fn a_code_is_made_listed_changed_and_deleted() {
    let bench = Bench::start().await;
    let sag = bench.smartag().build().unwrap();
    let made = CreateEnterpriseCode::new("a1b2c").send(&sag).await.unwrap();
    let minted = made.client_token().unwrap();
    assert_eq!(minted.as_str().len(), 36, "a UUID");
    assert_eq!(token(&bench.only(CREATE)), minted.as_str());
    assert_eq!(
        bench.only(CREATE).parameter("RegionId").as_deref(),
        Some(accounts::ALIBABA_REGION)
    );
    assert!(made.request_id().is_some());

    UpdateEnterpriseCode::new("a1b2c", true)
        .send(&sag)
        .await
        .unwrap();
    let listed = ListEnterpriseCode::new()
        .is_default(true)
        .send(&sag)
        .await
        .unwrap();
    assert_eq!(listed.enterprise_codes[0].is_default, Some(true));
    let kept = DeleteEnterpriseCode::new("a1b2c")
        .send(&sag)
        .await
        .unwrap_err();
    assert_eq!(kept.kind(), Kind::Conflict);
    UpdateEnterpriseCode::new("a1b2c", false)
        .send(&sag)
        .await
        .unwrap();
    DeleteEnterpriseCode::new("a1b2c").send(&sag).await.unwrap();
    assert!(codes(&sag).await.is_empty());
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_with_the_same_token_and_everything_else_new() {
    let bench = Bench::start().await;
    let sag = bench.smartag().build().unwrap();
    bench.fault(Service::Smartag, CREATE, FaultKind::LoseResponse);
    let made = CreateEnterpriseCode::new("a1b2c").send(&sag).await.unwrap();
    assert_eq!(codes(&sag).await, ["a1b2c"]);

    let seen = bench.seen(CREATE);
    assert_eq!(seen.len(), 2);
    assert_eq!((seen[0].status, seen[1].status), (None, Some(200)));
    assert_eq!(token(&seen[0]), token(&seen[1]));
    assert_eq!(token(&seen[0]), made.client_token().unwrap().as_str());
    for header in ["x-acs-signature-nonce", "authorization"] {
        assert_ne!(seen[0].header(header), seen[1].header(header), "{header}");
    }
    assert_eq!(made.attempts().len(), 2);
    assert_eq!(made.attempts()[0].failure, Some(Kind::Interrupted));
    assert_eq!(made.attempts()[1].failure, None);
    assert_eq!(made.attempts()[1].waited, bench.clock.slept()[0]);
}

#[tokio::test]
async fn the_timestamp_is_new_with_each_attempt() {
    let bench = Bench::start().await;
    let sag = bench.smartag().build().unwrap();
    // The hint makes the client wait long enough for the second to change.
    let hint = FaultKind::throttle_for(std::time::Duration::from_secs(3));
    bench.fault(Service::Smartag, CREATE, hint);
    CreateEnterpriseCode::new("a1b2c").send(&sag).await.unwrap();
    let seen = bench.seen(CREATE);
    assert_ne!(seen[0].header("x-acs-date"), seen[1].header("x-acs-date"));
    assert_ne!(
        seen[0].header("authorization"),
        seen[1].header("authorization")
    );
    assert_eq!(token(&seen[0]), token(&seen[1]));
}

#[tokio::test]
async fn every_way_of_losing_an_attempt_ends_with_one_code() {
    for (fault, executed) in [
        (FaultKind::LoseRequest, false),
        (FaultKind::LoseResponse, false),
        (FaultKind::Reset, false),
        (FaultKind::Reset, true),
        (FaultKind::ServerError(500), true),
        (FaultKind::ServerError(503), true),
        (FaultKind::Html(502), true),
        (FaultKind::Html(504), false),
        (FaultKind::TruncateBody(5), false),
        (FaultKind::throttle(), false),
    ] {
        let bench = Bench::start().await;
        let sag = bench.smartag().build().unwrap();
        let plan = Fault::new(Service::Smartag, fault.clone()).operation(CREATE);
        bench
            .cloud
            .inject(if executed { plan.executed() } else { plan });
        let made = CreateEnterpriseCode::new("a1b2c").send(&sag).await;
        let made = made.unwrap_or_else(|error| panic!("{fault:?}: {}", error.explain()));
        assert_eq!(made.attempts().len(), 2, "{fault:?}");
        assert_eq!(codes(&sag).await, ["a1b2c"], "{fault:?}");
    }
}

#[tokio::test]
async fn the_callers_token_is_used_and_makes_a_later_repeat_safe() {
    let bench = Bench::start().await;
    let sag = bench.smartag().build().unwrap();
    let key = ClientToken::derived("order-42/gateway");
    for _ in 0..2 {
        let made = CreateEnterpriseCode::new("a1b2c")
            .send(&sag)
            .client_token(key.clone())
            .await
            .unwrap();
        assert_eq!(made.client_token(), Some(&key));
    }
    // Set on the operation it does the same; set on both, it must be equal.
    let operation = CreateEnterpriseCode::new("a1b2c").client_token(key.as_str());
    operation.send(&sag).await.unwrap();
    operation
        .send(&sag)
        .client_token(key.clone())
        .await
        .unwrap();
    let seen = bench.seen(CREATE);
    assert_eq!(seen.len(), 4);
    assert!(seen.iter().all(|request| token(request) == key.as_str()));
    assert_eq!(codes(&sag).await, ["a1b2c"]);
}

#[tokio::test]
async fn an_operation_value_sent_twice_is_two_calls() {
    let bench = Bench::start().await;
    let sag = bench.smartag().build().unwrap();
    let operation = CreateEnterpriseCode::new("a1b2c");
    operation.send(&sag).await.unwrap();
    let second = operation.send(&sag).await.unwrap_err();
    assert_eq!(second.kind(), Kind::AlreadyExists);
    let seen = bench.seen(CREATE);
    assert_ne!(token(&seen[0]), token(&seen[1]));
}

#[tokio::test]
async fn an_occupied_code_says_so() {
    let bench = Bench::start().await;
    let sag = bench.smartag().build().unwrap();
    CreateEnterpriseCode::new("a1b2c").send(&sag).await.unwrap();
    let other = bench
        .smartag()
        .credentials(cumulo_core::credentials::Static::keys(
            accounts::ALIBABA_OTHER_KEY_ID,
            accounts::ALIBABA_OTHER_SECRET,
        ))
        .build()
        .unwrap();
    let occupied = CreateEnterpriseCode::new("a1b2c")
        .send(&other)
        .await
        .unwrap_err();
    assert!(occupied.is_already_exists());
    assert_eq!(occupied.code(), Some("EnterpriseCode.BeenOccupied"));
    assert_eq!(occupied.outcome(), Outcome::Rejected);
    assert_eq!(occupied.attempts().len(), 1);
    let text = occupied.to_string();
    for part in [
        "CreateEnterpriseCode",
        "BeenOccupied",
        "occupied by other",
        "choose another",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(text.contains(occupied.request_id().unwrap()), "{text}");
}

#[tokio::test]
async fn another_request_under_a_used_token_is_a_mismatch() {
    let bench = Bench::start().await;
    let sag = bench.smartag().build().unwrap();
    CreateEnterpriseCode::new("a1b2c")
        .send(&sag)
        .client_token("order-1")
        .await
        .unwrap();
    let clash = CreateEnterpriseCode::new("zzzzz")
        .send(&sag)
        .client_token("order-1")
        .await
        .unwrap_err();
    assert_eq!(clash.kind(), Kind::IdempotencyMismatch);
    assert_eq!(clash.client_token().unwrap().as_str(), "order-1");
    assert!(
        clash.to_string().contains("another client token"),
        "{clash}"
    );
    assert_eq!(codes(&sag).await, ["a1b2c"]);
}

#[tokio::test]
async fn when_all_attempts_are_lost_the_error_names_the_token_to_go_on_with() {
    let bench = Bench::start().await;
    let sag = bench.smartag().build().unwrap();
    bench.cloud.inject(
        Fault::new(Service::Smartag, FaultKind::LoseResponse)
            .operation(CREATE)
            .times(5),
    );
    let lost = CreateEnterpriseCode::new("a1b2c")
        .send(&sag)
        .await
        .unwrap_err();
    assert_eq!(lost.outcome(), Outcome::Unknown);
    assert_eq!(lost.attempts().len(), 5);
    let token = lost.client_token().unwrap().clone();
    assert!(lost.to_string().contains(token.as_str()), "{lost}");
    // A later call with that token gets the first answer.
    CreateEnterpriseCode::new("a1b2c")
        .send(&sag)
        .client_token(token)
        .await
        .unwrap();
    assert_eq!(codes(&sag).await, ["a1b2c"]);
}

#[tokio::test]
async fn deleting_what_an_earlier_attempt_deleted_is_success() {
    let bench = Bench::start().await;
    let sag = bench.smartag().build().unwrap();
    CreateEnterpriseCode::new("a1b2c").send(&sag).await.unwrap();
    bench.fault(
        Service::Smartag,
        "DeleteEnterpriseCode",
        FaultKind::LoseResponse,
    );
    let deleted = DeleteEnterpriseCode::new("a1b2c").send(&sag).await.unwrap();
    assert_eq!(deleted.attempts().len(), 2);
    // Without a lost attempt before it, not found is not found.
    let gone = DeleteEnterpriseCode::new("a1b2c")
        .send(&sag)
        .await
        .unwrap_err();
    assert!(gone.is_not_found());
}

#[tokio::test]
async fn bad_tokens_are_refused_before_sending() {
    let bench = Bench::start().await;
    let sag = bench.smartag().build().unwrap();
    let long = "x".repeat(65);
    for bad in ["", "with space", "zwölf", "a\r\nb", long.as_str()] {
        let by_call = CreateEnterpriseCode::new("a1b2c")
            .send(&sag)
            .client_token(bad)
            .await;
        let by_member = CreateEnterpriseCode::new("a1b2c")
            .client_token(bad)
            .send(&sag)
            .await;
        for refused in [by_call.unwrap_err(), by_member.unwrap_err()] {
            assert_eq!(
                (refused.kind(), refused.outcome()),
                (Kind::InvalidInput, Outcome::NotSent)
            );
            assert!(
                refused.to_string().contains("1 to 64"),
                "{bad:?}: {refused}"
            );
        }
    }
    let unequal = CreateEnterpriseCode::new("a1b2c")
        .client_token("a")
        .send(&sag)
        .client_token("b");
    let refused = unequal.await.unwrap_err();
    assert_eq!(refused.kind(), Kind::InvalidInput);
    assert!(
        refused.to_string().contains("`a`") && refused.to_string().contains("`b`"),
        "{refused}"
    );
    let needless = ListEnterpriseCode::new()
        .send(&sag)
        .client_token("a")
        .await
        .unwrap_err();
    assert!(
        needless.to_string().contains("no client token"),
        "{needless}"
    );
    let lost = CreateEnterpriseCode::new("a1b2c")
        .send(&sag)
        .param("ClientToken", "a");
    let refused = lost.await.unwrap_err();
    assert!(
        refused.to_string().contains("client_token(..)"),
        "{refused}"
    );
    assert!(bench.cloud.requests().is_empty());
}
