//! Does Alibaba Cloud's gateway refuse what it must, and say why?

use crate::alibaba::{code, smc};
use crate::common::Acs;
use cumulo_localcloud::{Fault, FaultKind, LocalCloud, Service, accounts};

#[tokio::test]
async fn refusals_of_the_gateway() {
    let cloud = LocalCloud::start().await;
    let acs = smc(&cloud);
    let sts = Acs {
        key: accounts::ALIBABA_STS_KEY_ID,
        secret: accounts::ALIBABA_STS_SECRET,
        token: Some(accounts::ALIBABA_STS_TOKEN),
        ..acs.clone()
    };
    let expired = Acs {
        key: accounts::ALIBABA_EXPIRED_STS_KEY_ID,
        secret: accounts::ALIBABA_EXPIRED_STS_SECRET,
        token: Some(accounts::ALIBABA_EXPIRED_STS_TOKEN),
        ..acs.clone()
    };
    let cases = [
        (sts.clone(), 200, "none"),
        (
            Acs {
                secret: "wrong",
                ..acs.clone()
            },
            400,
            "SignatureDoesNotMatch",
        ),
        (
            Acs {
                key: "nobody",
                ..acs.clone()
            },
            404,
            "InvalidAccessKeyId.NotFound",
        ),
        (
            Acs {
                seconds: -901,
                ..acs.clone()
            },
            400,
            "InvalidTimeStamp.Expired",
        ),
        (
            Acs {
                seconds: 905,
                ..acs.clone()
            },
            400,
            "InvalidTimeStamp.Expired",
        ),
        (
            Acs {
                seconds: -890,
                ..acs.clone()
            },
            200,
            "none",
        ),
        (
            Acs {
                version: "2019-06-02",
                ..acs.clone()
            },
            400,
            "InvalidVersion",
        ),
        (
            Acs {
                token: None,
                ..sts.clone()
            },
            400,
            "MissingSecurityToken",
        ),
        (
            Acs {
                token: Some("x"),
                ..sts.clone()
            },
            400,
            "InvalidSecurityToken.Malformed",
        ),
        (
            Acs {
                token: Some(accounts::ALIBABA_STS_TOKEN),
                ..acs.clone()
            },
            400,
            "InvalidSecurityToken.MismatchWithAccessKey",
        ),
        (expired, 400, "InvalidSecurityToken.Expired"),
    ];
    for (caller, status, expected) in cases {
        for request in [
            caller.v3("ListAccessTokens", &[]),
            caller.v1("GET", "ListAccessTokens", &[]),
        ] {
            let answer = request.send().await;
            assert_eq!(
                (answer.status, code(&answer).as_str()),
                (status, expected),
                "{}",
                answer.text()
            );
            let body = answer.json();
            assert_eq!(answer.header("x-acs-request-id"), body["RequestId"]);
            if status != 200 {
                assert_eq!(body["HostId"], "smc.aliyuncs.com");
                assert!(cloud.requests().pop().unwrap().verdict.is_some());
            }
        }
    }

    let unknown = acs.v3("CreateNothing", &[]).send().await;
    assert_eq!(
        (unknown.status, code(&unknown).as_str()),
        (404, "InvalidAction.NotFound")
    );
    let anonymous =
        crate::common::Request::new(&cloud.smc_endpoint(), "POST", "/?Action=ListAccessTokens")
            .send()
            .await;
    assert_eq!(code(&anonymous), "MissingAccessKeyId");

    let used = Acs {
        nonce: Some("once"),
        ..acs.clone()
    };
    assert_eq!(used.v3("ListAccessTokens", &[]).send().await.status, 200);
    let again = used.v1("GET", "ListAccessTokens", &[]).send().await;
    assert_eq!(
        (again.status, code(&again).as_str()),
        (400, "SignatureNonceUsed")
    );
}

#[tokio::test]
async fn every_byte_is_signed() {
    let cloud = LocalCloud::start().await;
    let acs = smc(&cloud);
    let tampered_query = {
        let mut request = acs.v3("CreateAccessToken", &[("Name", "abc")]);
        request.target = request.target.replace("abc", "abd");
        request
    };
    let tampered_header = {
        let mut request = acs.v3("ListAccessTokens", &[]);
        for (name, value) in &mut request.headers {
            if name == "x-acs-action" {
                "CreateAccessToken".clone_into(value);
            }
        }
        request
    };
    let tampered_body = {
        let mut request = Acs {
            form: true,
            ..acs.clone()
        }
        .v3("CreateAccessToken", &[("Name", "abc")]);
        request.body = b"Name=abd".to_vec();
        request
    };
    let other_path = {
        let mut request = acs.v3("ListAccessTokens", &[]);
        request.target = "/../".into();
        request
    };
    for request in [tampered_query, tampered_header, tampered_body, other_path] {
        let answer = request.send().await;
        assert_eq!(code(&answer), "SignatureDoesNotMatch", "{}", answer.text());
        let message = answer.json()["Message"].as_str().unwrap().to_owned();
        assert!(
            message.starts_with("Specified signature does not match our calculation. server StringToSign is [ACS3-HMAC-SHA256\n"),
            "{message}"
        );
    }
    let unsigned = acs
        .v3("ListAccessTokens", &[])
        .header("x-acs-extra", "1")
        .send()
        .await;
    assert_eq!(code(&unsigned), "IncompleteSignature");

    let mut v1 = acs.v1("GET", "CreateAccessToken", &[("Name", "abc")]);
    v1.target = v1.target.replace("abc", "abd");
    let message = v1.send().await.json()["Message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        message.contains("server string to sign is:GET&%2F&AccessKeyId%3D"),
        "{message}"
    );
    assert!(message.contains("Name%3Dabd"), "{message}");
}

/// Requests that were recorded long ago are taken when the check of time is off.
#[tokio::test]
async fn lenient_time_takes_recorded_requests() {
    let cloud = LocalCloud::builder()
        .strict_time(false)
        .start()
        .await
        .unwrap();
    let old = Acs {
        seconds: -86_400 * 365,
        ..smc(&cloud)
    };
    assert_eq!(old.v3("ListAccessTokens", &[]).send().await.status, 200);
    assert_eq!(
        old.v1("GET", "ListAccessTokens", &[]).send().await.status,
        200
    );
}

#[tokio::test]
async fn throttling_and_clock_skew() {
    let cloud = LocalCloud::start().await;
    let acs = smc(&cloud);
    let millis = std::time::Duration::from_millis(1500);
    cloud.inject(Fault::new(Service::Smc, FaultKind::throttle_for(millis)));
    cloud.inject(Fault::new(Service::Smc, FaultKind::ServerError(503)));
    cloud.inject(Fault::new(Service::Smc, FaultKind::ClockSkew(3600)));
    let throttled = acs.v3("CreateAccessToken", &[]).send().await;
    assert_eq!(
        (throttled.status, code(&throttled).as_str()),
        (400, "Throttling.User")
    );
    assert_eq!(throttled.header("x-acs-retry-after"), "1500");
    let failed = acs.v3("CreateAccessToken", &[]).send().await;
    assert_eq!(
        (failed.status, code(&failed).as_str()),
        (503, "ServiceUnavailable")
    );
    let skewed = acs.v3("CreateAccessToken", &[]).send().await;
    assert_eq!(code(&skewed), "InvalidTimeStamp.Expired");
    let date = jiff::fmt::rfc2822::parse(&skewed.header("date").replace("GMT", "+0000")).unwrap();
    let ahead = date.timestamp().as_second() - jiff::Timestamp::now().as_second();
    assert!((3590..=3610).contains(&ahead), "{ahead}");
    let list = acs.v3("ListAccessTokens", &[]).send().await.json();
    assert_eq!(list["TotalCount"], 0, "nothing was executed");
}
