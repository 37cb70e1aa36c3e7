//! Which string does Alibaba Cloud's header signature (version 3, ACS3-HMAC-SHA256) sign?
//!
//! Method, path, query, chosen headers and the body's hash, hashed together; the key is the secret
//! as it is, without the `&` of version 1. Which headers to sign is the caller's choice, with two
//! rules of the vendor: every `x-acs-*` header that is sent, and `host`. A header that a proxy may
//! rewrite (`user-agent`, `accept`) is better left out. Source: Alibaba Cloud, "V3 request body and
//! signature mechanism".

use crate::sign::{CanonicalRequest, Signed, authorization, canonical, hmac_sha256, push_sha256};

const ALGORITHM: &str = "ACS3-HMAC-SHA256";

/// Signs a request whose headers already hold date, nonce, payload hash and session token.
pub fn sign(key_id: &str, secret: &str, request: &CanonicalRequest<'_>) -> Signed {
    let (canonical_request, signed_headers) = canonical(request, |_| true);
    let mut string_to_sign = String::with_capacity(ALGORITHM.len() + 65);
    string_to_sign.push_str(ALGORITHM);
    string_to_sign.push('\n');
    push_sha256(&mut string_to_sign, canonical_request.as_bytes());

    let mac = hmac_sha256(secret.as_bytes(), string_to_sign.as_bytes());
    let parts = [
        ALGORITHM,
        " Credential=",
        key_id,
        ",SignedHeaders=",
        &canonical_request[signed_headers],
        ",Signature=",
    ];
    let authorization = authorization(&parts, &mac);
    Signed {
        authorization,
        canonical_request,
        string_to_sign,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign::testing::{each_altered_byte, signature};
    use crate::sign::{EMPTY_SHA256, percent, sha256_hex};

    const DATE: (&str, &str) = ("x-acs-date", "2023-10-26T10:22:32Z");
    const NONCE: (&str, &str) = ("x-acs-signature-nonce", "3156853299f313e23d1673dc12e1703d");
    const EMPTY: (&str, &str) = ("x-acs-content-sha256", EMPTY_SHA256);

    fn post<'a>(
        query: &'a str,
        headers: &'a [(&'a str, &'a str)],
        payload_sha256: &'a str,
    ) -> CanonicalRequest<'a> {
        CanonicalRequest {
            method: "POST",
            canonical_uri: "/",
            canonical_query: query,
            headers,
            payload_sha256,
        }
    }

    /// Published with the description of the mechanism.
    #[test]
    fn published_run_instances() {
        let query = percent::canonical_query(&mut [
            ("RegionId", "cn-shanghai"),
            (
                "ImageId",
                "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd",
            ),
        ]);
        let headers = [
            ("host", "ecs.cn-shanghai.aliyuncs.com"),
            ("x-acs-action", "RunInstances"),
            ("x-acs-version", "2014-05-26"),
            DATE,
            NONCE,
            EMPTY,
        ];
        let signed = sign(
            "YourAccessKeyId",
            "YourAccessKeySecret",
            &post(&query, &headers, EMPTY_SHA256),
        );
        assert_eq!(
            signed.canonical_request,
            "POST\n\
             /\n\
             ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai\n\
             host:ecs.cn-shanghai.aliyuncs.com\n\
             x-acs-action:RunInstances\n\
             x-acs-content-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n\
             x-acs-date:2023-10-26T10:22:32Z\n\
             x-acs-signature-nonce:3156853299f313e23d1673dc12e1703d\n\
             x-acs-version:2014-05-26\n\
             \n\
             host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version\n\
             e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(
            signed.string_to_sign,
            "ACS3-HMAC-SHA256\n7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259"
        );
        assert_eq!(
            signed.authorization,
            "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;\
             x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,Signature=\
             06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
        );
    }

    /// Derived: temporary keys, an empty value, and text that needs every kind of escape.
    #[test]
    fn session_token_and_hard_text() {
        let query = percent::canonical_query(&mut [
            ("JobId.1", "j-bp19vlwm0tyigbmj"),
            ("Name", "a b*c~d/中'()"),
            ("RegionId", "cn-hangzhou"),
            ("Empty", ""),
        ]);
        assert_eq!(
            query,
            "Empty=&JobId.1=j-bp19vlwm0tyigbmj&Name=a%20b%2Ac~d%2F%E4%B8%AD%27%28%29\
             &RegionId=cn-hangzhou"
        );
        let headers = [
            ("host", "smc.aliyuncs.com"),
            ("x-acs-accesskey-id", "testid"),
            ("x-acs-action", "DescribeReplicationJobs"),
            ("x-acs-security-token", "sts+tok/en=="),
            ("x-acs-version", "2019-06-01"),
            DATE,
            NONCE,
            EMPTY,
        ];
        let signed = sign(
            "testid",
            "testsecret",
            &post(&query, &headers, EMPTY_SHA256),
        );
        assert_eq!(
            signature(&signed.authorization),
            "eae9ec08d09136e68f130f373250fa04388be264a8bbb7f78f6d586e06ec1490"
        );
        let debug = format!("{signed:?}");
        for secret in [
            "testsecret",
            "sts+tok/en==",
            signature(&signed.authorization),
        ] {
            assert!(!debug.contains(secret), "{debug}");
        }
    }

    /// Derived: a form body, whose content type is signed and whose exact bytes are hashed.
    #[test]
    fn form_body() {
        let hash = sha256_hex(b"Name=a+b%2Ac~d&RegionId=cn-hangzhou");
        assert_eq!(
            hash,
            "46eb6f10ab0552d69734af399a5c63d0c8e49c7fe19035edd601d298e7455b72"
        );
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("host", "smc.aliyuncs.com"),
            ("x-acs-action", "DescribeReplicationJobs"),
            ("x-acs-content-sha256", &hash),
            ("x-acs-version", "2019-06-01"),
            DATE,
            NONCE,
        ];
        let signed = sign("testid", "testsecret", &post("", &headers, &hash));
        assert_eq!(
            signature(&signed.authorization),
            "a6879f997206cdb7aae51ad519f400999140584ac8408079c57b191703b76486"
        );
    }

    #[test]
    fn any_changed_byte_changes_the_signature() {
        let headers = [
            ("host", "smc.aliyuncs.com"),
            ("x-acs-action", "A"),
            DATE,
            NONCE,
        ];
        let request = CanonicalRequest {
            method: "POST",
            canonical_uri: "/v1/x",
            canonical_query: "Name=x%20y",
            headers: &headers,
            payload_sha256: EMPTY_SHA256,
        };
        let sig = |secret: &str, request: &CanonicalRequest<'_>| {
            signature(&sign("id", secret, request).authorization).to_owned()
        };
        let original = sig("testsecret", &request);
        assert_eq!(original, sig("testsecret", &request));

        for secret in each_altered_byte("testsecret") {
            assert_ne!(sig(&secret, &request), original, "{secret}");
        }
        let vary = |text: &str, with: &dyn Fn(&str) -> String| {
            for other in each_altered_byte(text) {
                assert_ne!(with(&other), original, "{other}");
            }
        };
        vary(request.method, &|method| {
            sig("testsecret", &CanonicalRequest { method, ..request })
        });
        vary(request.canonical_uri, &|canonical_uri| {
            let request = CanonicalRequest {
                canonical_uri,
                ..request
            };
            sig("testsecret", &request)
        });
        vary(request.canonical_query, &|canonical_query| {
            let request = CanonicalRequest {
                canonical_query,
                ..request
            };
            sig("testsecret", &request)
        });
        vary(request.payload_sha256, &|payload_sha256| {
            let request = CanonicalRequest {
                payload_sha256,
                ..request
            };
            sig("testsecret", &request)
        });
        for (at, (name, value)) in headers.iter().enumerate() {
            vary(name, &|name| {
                let mut headers = headers;
                headers[at].0 = name;
                sig(
                    "testsecret",
                    &CanonicalRequest {
                        headers: &headers,
                        ..request
                    },
                )
            });
            vary(value, &|value| {
                let mut headers = headers;
                headers[at].1 = value;
                sig(
                    "testsecret",
                    &CanonicalRequest {
                        headers: &headers,
                        ..request
                    },
                )
            });
        }
    }

    #[test]
    fn the_order_of_headers_and_space_around_values_do_not_matter() {
        let tidy = [("host", "h"), ("x-acs-action", "A"), DATE];
        let untidy = [DATE, ("x-acs-action", " A\t"), ("host", "h")];
        assert_eq!(
            sign("id", "s", &post("", &tidy, EMPTY_SHA256)),
            sign("id", "s", &post("", &untidy, EMPTY_SHA256))
        );
    }
}
