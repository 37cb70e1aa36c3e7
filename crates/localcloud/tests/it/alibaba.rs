//! Does the local cloud judge Alibaba Cloud requests as the real gateway does?

use crate::common::{Acs, Answer};
use cumulo_localcloud::{Fault, FaultKind, LocalCloud, Service, accounts};

pub(crate) fn smc(cloud: &LocalCloud) -> Acs<'static> {
    Acs::new(cloud.smc_endpoint(), "2019-06-01")
}

pub(crate) fn smartag(cloud: &LocalCloud) -> Acs<'static> {
    Acs::new(cloud.smartag_endpoint(), "2018-03-13")
}

pub(crate) fn code(answer: &Answer) -> String {
    answer.json()["Code"].as_str().unwrap_or("none").to_owned()
}

#[tokio::test]
async fn activation_codes_live_in_both_signature_styles() {
    let cloud = LocalCloud::start().await;
    let acs = smc(&cloud);
    let hard = "a b*c~d/中'()+&=%:?#";
    let created = acs
        .v3(
            "CreateAccessToken",
            &[("Name", "web-1"), ("Count", "10"), ("Description", hard)],
        )
        .send()
        .await;
    assert_eq!(created.status, 200, "{}", created.text());
    let body = created.json();
    assert_eq!(created.header("x-acs-request-id"), body["RequestId"]);
    assert!(created.header("date").ends_with(" GMT"));
    let id = body["AccessTokenId"].as_str().unwrap();
    assert_eq!(body["AccessTokenCode"].as_str().unwrap().len(), 32);

    let second = acs
        .v1("GET", "CreateAccessToken", &[("Description", hard)])
        .send()
        .await;
    let form = Acs {
        form: true,
        ..acs.clone()
    };
    for request in [
        acs.v1("POST", "ListAccessTokens", &[]),
        form.v1("POST", "ListAccessTokens", &[]),
        form.v3("ListAccessTokens", &[]),
    ] {
        let all = request.send().await.json();
        assert_eq!(all["TotalCount"], 2, "{all}");
        let list = &all["AccessTokens"]["AccessToken"];
        assert_eq!(list[0]["Description"], hard);
        assert_eq!(list[0]["Count"], "10");
        assert_eq!(list[0]["TimeToLiveInDays"], "30");
        assert_eq!(list[0]["Status"], "activated");
        assert_eq!(
            list[0]["AccessTokenCode"],
            serde_json::Value::Null,
            "told once only"
        );
    }

    assert_eq!(
        acs.v3("DisableAccessToken", &[("AccessTokenId", id)])
            .send()
            .await
            .status,
        200
    );
    let other = second.json()["AccessTokenId"].as_str().unwrap().to_owned();
    for (filter, expected) in [
        (vec![("AccessTokenId.1", id)], 1),
        (
            vec![("AccessTokenId.1", id), ("AccessTokenId.2", other.as_str())],
            2,
        ),
        (vec![("Status", "unactivated")], 1),
        (vec![("Name", "web-1"), ("Status", "activated")], 0),
    ] {
        let found = acs.v3("ListAccessTokens", &filter).send().await.json();
        assert_eq!(found["TotalCount"], expected, "{filter:?}");
    }
    assert_eq!(
        acs.v3("DeleteAccessToken", &[("AccessTokenId", id)])
            .send()
            .await
            .status,
        200
    );
    let gone = acs
        .v3("DeleteAccessToken", &[("AccessTokenId", id)])
        .send()
        .await;
    assert_eq!(
        (gone.status, code(&gone).as_str()),
        (404, "InvalidAccessTokenId.NotFound")
    );
    let missing = acs.v3("DeleteAccessToken", &[]).send().await;
    assert_eq!(
        (missing.status, code(&missing).as_str()),
        (400, "MissingAccessTokenId")
    );

    // Codes expire by the server's clock.
    cloud.set_time_offset(31 * 86_400);
    let later = Acs {
        seconds: 31 * 86_400,
        ..acs
    };
    let found = later
        .v3("ListAccessTokens", &[("Status", "expired")])
        .send()
        .await
        .json();
    assert_eq!(found["TotalCount"], 1);
}

#[tokio::test]
async fn documented_ranges_are_enforced() {
    let cloud = LocalCloud::start().await;
    let long = "a".repeat(129);
    for (name, value, good) in [
        ("Count", "1", true),
        ("Count", "1000", true),
        ("Count", "0", false),
        ("Count", "1001", false),
        ("Count", "ten", false),
        ("TimeToLiveInDays", "90", true),
        ("TimeToLiveInDays", "91", false),
        ("Name", "ab", true),
        ("Name", "数据:a_b-1", true),
        ("Name", "a", false),
        ("Name", "1ab", false),
        ("Name", "http://x", false),
        ("Name", "a b", false),
        ("Name", long.as_str(), false),
    ] {
        let answer = smc(&cloud)
            .v3("CreateAccessToken", &[(name, value)])
            .send()
            .await;
        let expected = if good { 200 } else { 400 };
        assert_eq!(answer.status, expected, "{name}={value}: {}", answer.text());
    }
    let last = cloud.requests().pop().unwrap();
    assert!(last.verdict.unwrap().starts_with("Name: expected 2 to 128"));
}

#[tokio::test]
async fn enterprise_codes_are_unique_and_paged() {
    let cloud = LocalCloud::start().await;
    let acs = smartag(&cloud);
    let region = ("RegionId", "cn-shanghai");
    for name in ["AB123", "CD456", "EF789"] {
        let done = acs
            .v3("CreateEnterpriseCode", &[region, ("EnterpriseCode", name)])
            .send()
            .await;
        assert_eq!(done.status, 200, "{}", done.text());
    }
    let other = Acs {
        key: accounts::ALIBABA_OTHER_KEY_ID,
        secret: accounts::ALIBABA_OTHER_SECRET,
        ..acs.clone()
    };
    let occupied = other
        .v3(
            "CreateEnterpriseCode",
            &[region, ("EnterpriseCode", "AB123")],
        )
        .send()
        .await;
    assert_eq!(
        (occupied.status, code(&occupied).as_str()),
        (400, "EnterpriseCode.BeenOccupied")
    );
    assert_eq!(
        occupied.json()["Message"],
        "The specified enterprise code is occupied by other enterprises."
    );
    for (request, expected) in [
        (
            acs.v3(
                "CreateEnterpriseCode",
                &[region, ("EnterpriseCode", "ABCDEF")],
            ),
            "InvalidParameter",
        ),
        (
            acs.v3(
                "CreateEnterpriseCode",
                &[region, ("EnterpriseCode", "AB-12")],
            ),
            "InvalidParameter",
        ),
        (
            acs.v3("CreateEnterpriseCode", &[("EnterpriseCode", "AB124")]),
            "MissingRegionId",
        ),
        (
            other.v3(
                "DeleteEnterpriseCode",
                &[region, ("EnterpriseCode", "AB123")],
            ),
            "EnterpriseCode.NotExist",
        ),
        (
            acs.v3(
                "UpdateEnterpriseCode",
                &[region, ("EnterpriseCode", "AB123")],
            ),
            "MissingIsDefault",
        ),
        (
            acs.v3("ListEnterpriseCode", &[region, ("MaxResults", "101")]),
            "InvalidParameter",
        ),
        (
            acs.v3("ListEnterpriseCode", &[region, ("NextToken", "x")]),
            "InvalidParameter",
        ),
    ] {
        let answer = request.send().await;
        assert_eq!((answer.status, code(&answer).as_str()), (400, expected));
    }

    // Python writes booleans as True.
    let default = [region, ("EnterpriseCode", "CD456"), ("IsDefault", "True")];
    assert_eq!(
        acs.v3("UpdateEnterpriseCode", &default).send().await.status,
        200
    );
    let refused = acs
        .v3(
            "DeleteEnterpriseCode",
            &[region, ("EnterpriseCode", "CD456")],
        )
        .send()
        .await;
    assert_eq!(code(&refused), "EnterpriseCode.DeleteLimit");

    let mut names = Vec::new();
    let mut token = String::new();
    loop {
        let page = acs
            .v3(
                "ListEnterpriseCode",
                &[region, ("MaxResults", "2"), ("NextToken", &token)],
            )
            .send()
            .await
            .json();
        assert_eq!(page["TotalCount"], 3);
        for one in page["EnterpriseCodes"].as_array().unwrap() {
            names.push(one["EnterpriseCode"].as_str().unwrap().to_owned());
        }
        page["NextToken"].as_str().unwrap().clone_into(&mut token);
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(names, ["AB123", "CD456", "EF789"]);
    let defaults = acs
        .v3("ListEnterpriseCode", &[region, ("IsDefault", "true")])
        .send()
        .await
        .json();
    assert_eq!(defaults["EnterpriseCodes"][0]["EnterpriseCode"], "CD456");
    assert_eq!(defaults["TotalCount"], 1);
}

#[tokio::test]
async fn client_tokens_replay_the_answer() {
    let cloud = LocalCloud::start().await;
    let acs = smartag(&cloud);
    let call = |code: &'static str, token: &'static str| {
        let parameters = [
            ("RegionId", "cn-shanghai"),
            ("EnterpriseCode", code),
            ("ClientToken", token),
        ];
        acs.v3("CreateEnterpriseCode", &parameters)
    };
    let first = call("AB123", "token-1").send().await;
    let again = call("AB123", "token-1").send().await;
    assert_eq!((first.status, first.body), (200, again.body));
    assert_eq!(
        first.headers.iter().find(|(n, _)| n == "x-acs-request-id"),
        again.headers.iter().find(|(n, _)| n == "x-acs-request-id")
    );

    let mismatch = call("CD456", "token-1").send().await;
    assert_eq!(
        (mismatch.status, code(&mismatch).as_str()),
        (400, "IdempotentParameterMismatch")
    );
    assert_eq!(
        code(&call("AB123", "token-2").send().await),
        "EnterpriseCode.BeenOccupied"
    );
    let bad = call("AB123", "tök").send().await;
    assert_eq!(code(&bad), "InvalidClientToken.ValueNotSupported");

    // The answer is lost on the way; the same token finds it again, and one code exists.
    cloud.inject(
        Fault::new(Service::Smartag, FaultKind::LoseResponse).operation("CreateEnterpriseCode"),
    );
    assert!(call("EF789", "token-3").try_send().await.is_err());
    assert_eq!(call("EF789", "token-3").send().await.status, 200);
    let list = acs
        .v3(
            "ListEnterpriseCode",
            &[("RegionId", "r"), ("EnterpriseCode", "EF789")],
        )
        .send()
        .await;
    assert_eq!(list.json()["TotalCount"], 1);
    let lost = cloud
        .requests()
        .into_iter()
        .find(|one| one.fault == Some("LoseResponse"))
        .unwrap();
    assert_eq!(
        (lost.status, lost.parameter("ClientToken").as_deref()),
        (None, Some("token-3"))
    );
}
