use std::sync::Mutex;

use super::*;
use crate::credentials::testing::World;
use crate::credentials::{Finding, Identity, Static};
use crate::record::Secret;

/// Answers from a list, then says that it is not set up.
#[derive(Debug)]
struct Scripted(&'static str, Mutex<Vec<Result<&'static str, Reason>>>);

impl Provider for Scripted {
    fn name(&self) -> &'static str {
        self.0
    }

    fn provide<'a>(&'a self, _: &'a Context) -> BoxFuture<'a, Result<Credential, CredentialError>> {
        let mut answers = self.1.lock().unwrap();
        let answer = if answers.is_empty() {
            Err(Reason::NotConfigured)
        } else {
            answers.remove(0)
        };
        let result = answer
            .map(|token| Credential::new(Identity::Token(Secret::from(token)), self.0))
            .map_err(|reason| {
                CredentialError::new(reason, self.0, format!("looked and {reason:?}"))
            });
        Box::pin(std::future::ready(result))
    }
}

fn scripted(name: &'static str, answers: Vec<Result<&'static str, Reason>>) -> Arc<dyn Provider> {
    Arc::new(Scripted(name, Mutex::new(answers)))
}

fn chain(providers: Vec<Arc<dyn Provider>>) -> Chain {
    Chain::new("test chain", providers)
}

fn source(result: Result<Credential, CredentialError>) -> String {
    result.unwrap().source
}

#[tokio::test]
async fn the_first_that_succeeds_is_asked_alone_from_then_on() {
    let world = World::new(&[]);
    let chain = chain(vec![
        scripted("a", vec![Err(Reason::NotConfigured), Ok("never")]),
        scripted("b", vec![Ok("one"), Err(Reason::Unavailable), Ok("two")]),
        scripted("c", vec![Ok("never")]),
    ]);
    assert_eq!(source(world.provide(&chain).await), "b");
    let error = world.error(&chain).await;
    assert_eq!(
        (error.provider, error.reason),
        ("b", Reason::Unavailable),
        "no silent switch"
    );
    assert_eq!(source(world.provide(&chain).await), "b");
    // It lost its settings: that is its error, not a reason to become somebody else.
    assert_eq!(world.error(&chain).await.provider, "b");
}

#[tokio::test]
async fn nothing_is_pinned_by_failing() {
    let world = World::new(&[]);
    let chain = chain(vec![
        scripted("a", vec![Err(Reason::NotConfigured), Ok("now")]),
        scripted("b", vec![]),
    ]);
    let error = world.error(&chain).await;
    assert_eq!(error.reason, Reason::NotConfigured);
    let names: Vec<_> = error.tried.iter().map(|tried| tried.provider).collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(
        error.to_string(),
        "test chain: no credentials found: a: looked and NotConfigured; b: looked and NotConfigured"
    );
    assert_eq!(source(world.provide(&chain).await), "a");
}

#[tokio::test]
async fn one_that_is_set_up_wrongly_ends_the_search() {
    let world = World::new(&[]);
    for reason in [
        Reason::Misconfigured,
        Reason::Refused,
        Reason::Unavailable,
        Reason::Expired,
    ] {
        let chain = chain(vec![
            scripted("a", vec![Err(reason)]),
            scripted("b", vec![Ok("never")]),
        ]);
        let error = world.error(&chain).await;
        assert_eq!((error.reason, error.tried.len()), (reason, 1));
    }
}

#[tokio::test]
async fn a_value_that_cannot_work_is_not_pinned() {
    let world = World::new(&[]);
    let chain = chain(vec![scripted("a", vec![Ok(" s3cr3t "), Ok("good")])]);
    assert!(
        world
            .error(&chain)
            .await
            .to_string()
            .contains("white space")
    );
    assert_eq!(source(world.provide(&chain).await), "a");
}

#[tokio::test]
async fn a_report_says_what_each_said() {
    let world = World::new(&[]);
    let chain = chain(vec![
        scripted("a", vec![]),
        Arc::new(Static::keys("LTAI1", "s3cr3t-key")),
        scripted("c", vec![]),
    ]);
    let report = chain.explain(&world.context).await;
    let lines: Vec<_> = report.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "a: looked and NotConfigured",
            "static: found in given by the program, key LTAI1",
            "c: not asked",
        ]
    );
    assert!(matches!(report[1].finding, Finding::Found { .. }));
    assert!(!format!("{report:?}").contains("s3cr3t"));
}

#[tokio::test]
async fn a_program_without_the_feature_is_told_so() {
    let world = World::new(&[]);
    let chain = chain(vec![Arc::new(LeftOut)]);
    let error = world.error(&chain).await;
    assert_eq!(
        (error.reason, error.tried.len()),
        (Reason::NotConfigured, 1)
    );
    let text = error.to_string();
    assert!(text.contains("no credentials found"), "{text}");
    assert!(
        text.contains("without the feature `default-chain`"),
        "{text}"
    );
    // With it, the chain has what it was given.
    let chain = Chain::of_cloud("cloud", || vec![scripted("a", vec![Ok("good")])]);
    assert_eq!(source(world.provide(&chain).await), "a");
}
