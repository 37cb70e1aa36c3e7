//! Do actions without behaviour of their own answer as their models say?

use crate::alibaba::{code, smartag, smc};
use crate::common::Acs;
use cumulo_localcloud::{LocalCloud, accounts};
use serde_json::{Value, json};

const REGION: (&str, &str) = ("RegionId", "cn-shanghai");

#[tokio::test]
async fn what_is_given_comes_back() {
    let cloud = LocalCloud::start().await;
    let acs = smartag(&cloud);
    let parameters = [
        REGION,
        ("AclId", "acl-1"),
        ("DestCidr", "10.0.0.0/8"),
        ("DestPortRange", "-1/-1"),
        ("Direction", "in"),
        ("IpProtocol", "ALL"),
        ("Policy", "accept"),
        ("Priority", "7"),
        ("SourceCidr", "0.0.0.0/0"),
        ("SourcePortRange", "80/80"),
    ];
    for answer in [
        acs.v3("AddACLRule", &parameters).send().await,
        acs.v1("GET", "AddACLRule", &parameters).send().await,
        Acs {
            form: true,
            ..acs.clone()
        }
        .v3("AddACLRule", &parameters)
        .send()
        .await,
    ] {
        assert_eq!(answer.status, 200, "{}", answer.text());
        let body = answer.json();
        assert_eq!(answer.header("x-acs-request-id"), body["RequestId"]);
        assert_eq!(
            (&body["AclId"], &body["Priority"]),
            (&json!("acl-1"), &json!(7))
        );
        assert!(body["AcrId"].as_str().unwrap().starts_with("acr-"));
        assert_eq!(body["DpiGroupIds"], json!({"DpiGroupId": []}));
    }

    let outcome = acs
        .v3("DescribeSagRemoteAccess", &[REGION, ("SmartAGId", "sag-1")])
        .send()
        .await
        .json();
    assert_eq!(
        (&outcome["Success"], &outcome["Code"]),
        (&json!(true), &json!("200"))
    );
    assert_eq!(outcome["SmartAGId"], "sag-1");
}

#[tokio::test]
async fn refusals_name_the_parameter() {
    let cloud = LocalCloud::start().await;
    let (sag, smc) = (smartag(&cloud), smc(&cloud));
    let instance = ("SmartAGId", "sag-1");
    for (request, status, expected) in [
        (
            sag.v3("ActivateSmartAccessGateway", &[]),
            400,
            "MissingRegionId",
        ),
        (
            sag.v3("ActivateSmartAccessGateway", &[REGION]),
            400,
            "MissingSmartAGId",
        ),
        (
            sag.v3("ActivateSmartAccessGateway", &[REGION, ("SmartAGId", "")]),
            400,
            "MissingSmartAGId",
        ),
        (
            sag.v3(
                "ActivateSmartAccessGateway",
                &[REGION, instance, ("OwnerId", "me")],
            ),
            400,
            "InvalidParameter",
        ),
        (
            sag.v3("activateSmartAccessGateway", &[REGION, instance]),
            404,
            "InvalidAction.NotFound",
        ),
        (
            smc.v3("ActivateSmartAccessGateway", &[REGION, instance]),
            404,
            "InvalidAction.NotFound",
        ),
        (
            smc.v3("AssociateSourceServers", &[("WorkgroupId", "wg-1")]),
            400,
            "MissingSourceId",
        ),
        (
            smc.v3(
                "AssociateSourceServers",
                &[("SourceId.1", "s-1"), ("WorkgroupId", "wg-1")],
            ),
            200,
            "none",
        ),
    ] {
        let answer = request.send().await;
        assert_eq!(
            (answer.status, code(&answer).as_str()),
            (status, expected),
            "{}",
            answer.text()
        );
    }
    let wrong = Acs {
        secret: "wrong",
        ..sag
    };
    let refused = wrong
        .v3("ActivateSmartAccessGateway", &[REGION, instance])
        .send()
        .await;
    assert_eq!(code(&refused), "SignatureDoesNotMatch");
}

async fn names(acs: &Acs<'_>, action: &str, parameters: &[(&str, &str)], list: &str) -> Vec<Value> {
    let body = acs.v3(action, parameters).send().await.json();
    body.pointer(list)
        .and_then(Value::as_array)
        .unwrap_or_else(|| panic!("{body}"))
        .iter()
        .map(|item| item.as_object().unwrap().values().next().unwrap().clone())
        .collect()
}

#[tokio::test]
async fn lists_are_paged_by_number_and_token() {
    let cloud = LocalCloud::start().await;
    let (sag, smc) = (smartag(&cloud), smc(&cloud));
    let mut all = Vec::new();
    for page in ["1", "2", "3", "4"] {
        let parameters = [("PageNumber", page), ("PageSize", "10")];
        let page = names(
            &smc,
            "DescribeReplicationJobs",
            &parameters,
            "/ReplicationJobs/ReplicationJob",
        );
        all.extend(page.await);
    }
    assert_eq!(all.len(), 25);
    all.dedup();
    assert_eq!(all.len(), 25, "every item is another one");

    let (mut count, mut token) = (0, String::new());
    loop {
        let parameters = [REGION, ("MaxResults", "10"), ("NextToken", token.as_str())];
        let body = sag.v3("ListDpiGroups", &parameters).send().await.json();
        assert_eq!(body["TotalCount"], 25);
        count += body["DpiGroup"].as_array().unwrap().len();
        token = body["NextToken"].as_str().unwrap().to_owned();
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(count, 25);
    // A client that loses the plus sign of a token is told so.
    let bad = sag
        .v3("ListDpiGroups", &[REGION, ("NextToken", "page /10==")])
        .send()
        .await;
    assert_eq!(code(&bad), "InvalidParameter");
}

#[tokio::test]
async fn client_tokens_replay_any_action() {
    let cloud = LocalCloud::start().await;
    let acs = smc(&cloud);
    let call = |source: &'static str| {
        let parameters = [
            ("ClientToken", "token-1"),
            ("SourceId", source),
            ("DataDisk.1.Size", "20"),
            ("TargetType", "Image"),
            REGION,
        ];
        acs.v3("CreateReplicationJob", &parameters)
    };
    let first = call("s-1").send().await;
    assert_eq!(first.status, 200, "{}", first.text());
    assert_eq!(first.body, call("s-1").send().await.body);
    assert_eq!(
        code(&call("s-2").send().await),
        "IdempotentParameterMismatch"
    );
    // Another account's token is another token.
    let other = Acs {
        key: accounts::ALIBABA_OTHER_KEY_ID,
        secret: accounts::ALIBABA_OTHER_SECRET,
        ..acs.clone()
    };
    let parameters = [
        ("ClientToken", "token-1"),
        ("SourceId", "s-3"),
        ("TargetType", "Image"),
        REGION,
    ];
    let answer = other.v3("CreateReplicationJob", &parameters).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}
