//! Is a removal that had to be repeated done only when the service says that this very thing is gone?

use cumulo_apig::app::DeleteAppV2;
use cumulo_core::transport::TransportErrorKind;
use cumulo_smartag::acl::DeleteACLRule;
use cumulo_smc::access_token::DeleteAccessToken;
use cumulo_smc::{Error, Kind, Outcome};
use cumulo_tests::{Answer, Bench, Script};
use cumulo_zstack::access_key::DeleteAccessKey;
use cumulo_zstack::l3_network::RemoveDnsFromL3Network;

/// The first attempt may have worked; then this.
fn after_doubt(status: u16, body: &str) -> Script {
    Script::new([
        Answer::broken(TransportErrorKind::Interrupted),
        Answer::new(status, body.to_owned()),
    ])
}

fn unproven(error: &Error, body: &str) {
    assert_eq!(error.outcome(), Outcome::Unknown, "{body}: {error}");
    assert_eq!(error.attempts().len(), 2, "{body}: {error}");
}

const NGINX: &str = "<html><head><title>404 Not Found</title></head></html>";

#[tokio::test]
async fn alibaba() {
    let bench = Bench::start().await;
    let gone = r#"{"Code":"InvalidAccessTokenId.NotFound","Message":"m","RequestId":"r"}"#;
    for status in [404, 400, 200] {
        let script = after_doubt(status, gone);
        let smc = bench.smc().transport(script).build().unwrap();
        let done = DeleteAccessToken::new("at-1").send(&smc).await.unwrap();
        assert_eq!(done.attempts().len(), 2);
    }
    for (status, body) in [
        (404, NGINX),
        (404, ""),
        (404, "InvalidAccessTokenId.NotFound"),
        (404, r#"{"Message":"InvalidAccessTokenId.NotFound"}"#),
        (404, r#"{"Code":"InvalidAction.NotFound","Message":"m"}"#),
        (404, r#"{"Code":"InvalidApi.NotFound","Message":"m"}"#),
        (404, r#"{"Code":"InvalidRegionId.NotFound","Message":"m"}"#),
        (404, r#"{"Code":"InvalidSourceId.NotFound","Message":"m"}"#),
        (
            404,
            r#"{"Code":"InvalidAccessKeyId.NotFound","Message":"m"}"#,
        ),
        (410, NGINX),
    ] {
        let smc = bench
            .smc()
            .transport(after_doubt(status, body))
            .build()
            .unwrap();
        unproven(
            &DeleteAccessToken::new("at-1").send(&smc).await.unwrap_err(),
            body,
        );
    }
    // A rule's list says nothing about the rule.
    for (code, done) in [("InvalidId.ACR", true), ("InvalidId.ACL", false)] {
        let body = format!(r#"{{"Code":"{code}","Message":"m"}}"#);
        let smartag = bench
            .smartag()
            .transport(after_doubt(400, &body))
            .build()
            .unwrap();
        let removed = DeleteACLRule::new("acr-1", "acl-1").send(&smartag).await;
        assert_eq!(removed.is_ok(), done, "{code}");
    }
    // Without doubt it is what it says.
    let smc = bench
        .smc()
        .transport(Script::one(404, gone))
        .build()
        .unwrap();
    let error = DeleteAccessToken::new("at-1").send(&smc).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (Kind::NotFound, Outcome::Rejected)
    );
}

#[tokio::test]
async fn huawei() {
    let bench = Bench::start().await;
    for (status, body, done) in [
        (
            404,
            r#"{"error_code":"APIG.3004","error_msg":"App app does not exist"}"#,
            true,
        ),
        (
            404,
            r#"{"error_code":"APIG.3030","error_msg":"The instance does not exist"}"#,
            false,
        ),
        (
            404,
            r#"{"error_code":"APIC.7302","error_msg":"The instance does not exist"}"#,
            false,
        ),
        (404, r#"{"error_code":"APIG.3072","error_msg":"m"}"#, false),
        (404, r#"{"error_code":"APIG.0101","error_msg":"m"}"#, false),
        (
            404,
            r#"{"error_code":"APIG.3082","error_msg":"an app code"}"#,
            false,
        ),
        (404, r#"{"error_msg":"App app does not exist"}"#, false),
        (404, NGINX, false),
        (404, "", false),
    ] {
        let apig = bench
            .apig()
            .transport(after_doubt(status, body))
            .build()
            .unwrap();
        match DeleteAppV2::new("app").send(&apig).await {
            Ok(_) => assert!(done, "{body}"),
            Err(error) => {
                assert!(!done, "{body}");
                unproven(&error, body);
            }
        }
    }
}

#[tokio::test]
async fn zstack() {
    let bench = Bench::start().await;
    let no_job = || Answer::new(404, "the job has been expired");
    let sent_again = |status, body: &'static str| {
        let doubt = Answer::broken(TransportErrorKind::Interrupted);
        let script = Script::new([doubt, no_job(), Answer::new(status, body)]);
        bench.zstack().transport(script).build().unwrap()
    };
    // The job was never known, so nothing was done: "gone" is then what it says.
    let gone = r#"{"error":{"code":"SYS.1003","details":"no such key"}}"#;
    let error = DeleteAccessKey::new("k")
        .send(&sent_again(503, gone))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (Kind::NotFound, Outcome::Rejected)
    );

    // Which operations count is data: those that name one thing.
    assert_eq!(DeleteAccessKey::operation().gone, ["SYS.1003"]);
    assert_eq!(RemoveDnsFromL3Network::operation().gone, [""; 0]);
}

#[test]
fn every_code_is_one_of_an_absent_thing() {
    let all = cumulo_smc::operations()
        .chain(cumulo_smartag::operations())
        .chain(cumulo_apig::operations())
        .chain(cumulo_zstack::operations());
    let mut count = 0;
    for operation in all {
        for code in operation.gone {
            count += 1;
            // Codes of the gateways in front speak of addresses, regions and keys.
            let address = [
                "InvalidAction",
                "InvalidApi",
                "InvalidRegion",
                "InvalidAccessKey",
                "APIG.0",
                "APIGW.",
            ];
            assert!(
                !address.iter().any(|start| code.starts_with(start)),
                "{}: {code}",
                operation.name
            );
            let parent = ["APIG.3030", "APIC.7302"].contains(code);
            assert!(
                !parent || operation.name == "DeleteInstancesV2",
                "{}: {code}",
                operation.name
            );
        }
    }
    assert!(count > 200, "{count}");
}
