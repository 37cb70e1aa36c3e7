//! Does a request of ours carry the signature that the vendor's own signers would give it?

use super::*;
use crate::sign::testing::{each_altered_byte, signature};
use proptest::prelude::*;

const ID: &str = "QTWAOYTTINDUT2QVKYUC";
const SECRET: &str = "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc";
const DATE: &str = "20191115T033655Z";

const GUIDE_HEADERS: [(&str, &str); 3] = [
    ("content-type", "application/json"),
    ("host", "service.region.example.com"),
    ("x-sdk-date", DATE),
];

/// The example request of the signing guide.
fn guide_request() -> CanonicalRequest<'static> {
    CanonicalRequest {
        method: "GET",
        canonical_uri: "/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs/",
        canonical_query: "limit=2&marker=13551d6b-755d-4757-b956-536f674975c0",
        headers: &GUIDE_HEADERS,
        payload_sha256: EMPTY_SHA256,
    }
}

fn signature_of(style: Style<'_>, secret: &str, date: &str, r: &CanonicalRequest<'_>) -> String {
    signature(&sign(style, ID, secret, date, r).authorization).to_owned()
}

/// Published in the signing guide.
#[test]
fn published_guide_example() {
    let request = guide_request();
    assert_eq!(
        canonical_uri("/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs"),
        request.canonical_uri
    );
    let mut pairs = [
        ("marker", "13551d6b-755d-4757-b956-536f674975c0"),
        ("limit", "2"),
    ];
    assert_eq!(
        percent::canonical_query(&mut pairs),
        request.canonical_query
    );

    let signed = sign(Style::Access, ID, SECRET, DATE, &request);
    assert_eq!(
        signed.canonical_request,
        "GET\n\
         /v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs/\n\
         limit=2&marker=13551d6b-755d-4757-b956-536f674975c0\n\
         content-type:application/json\n\
         host:service.region.example.com\n\
         x-sdk-date:20191115T033655Z\n\
         \n\
         content-type;host;x-sdk-date\n\
         e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    assert_eq!(
        signed.string_to_sign,
        "SDK-HMAC-SHA256\n20191115T033655Z\n\
         b25362e603ee30f4f25e7858e8a7160fd36e803bb2dfe206278659d71a9bcd7a"
    );
    assert_eq!(
        signed.authorization,
        "SDK-HMAC-SHA256 Access=QTWAOYTTINDUT2QVKYUC, SignedHeaders=content-type;host;x-sdk-date, \
         Signature=7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe"
    );
}

/// Derived from the guide's request with the algorithm of older Open Telekom Cloud clients.
#[test]
fn scoped_with_and_without_names() {
    let scoped = |region, service| {
        let style = Style::Scoped { region, service };
        sign(style, ID, SECRET, DATE, &guide_request())
    };
    let bare = scoped("", "");
    assert_eq!(
        bare.string_to_sign,
        "SDK-HMAC-SHA256\n20191115T033655Z\n20191115///sdk_request\n\
         b25362e603ee30f4f25e7858e8a7160fd36e803bb2dfe206278659d71a9bcd7a"
    );
    assert_eq!(
        bare.authorization,
        "SDK-HMAC-SHA256 Credential=QTWAOYTTINDUT2QVKYUC/20191115///sdk_request, \
         SignedHeaders=content-type;host;x-sdk-date, \
         Signature=a0f03b56828e2195f3f9f980a128ed757130504ee958dc210add06e9df89f227"
    );
    assert_eq!(
        signature(&scoped("eu-de", "apig").authorization),
        "de3d52f51f62a057ded309eb1cc8ec0cbac9d7b91e30d4986e34bf6c32d47264"
    );
}

/// As the vendor's Python SDK signs it: project, session token, odd path, repeated query key, UTF-8.
#[test]
fn hard_text_as_the_python_sdk_signs_it() {
    let date = "20260101T000000Z";
    let body = "{\"name\":\"é\"}";
    let uri = canonical_uri("/v2/p%20x/apigw/instances/a+b~c*d/apps");
    assert_eq!(uri, "/v2/p%20x/apigw/instances/a%2Bb~c%2Ad/apps/");
    let query =
        percent::canonical_query(&mut [("c", "true"), ("a", "2"), ("b", "x y"), ("a", "1")]);
    assert_eq!(query, "a=1&a=2&b=x%20y&c=true");
    let (hash, unsigned) = payload_hash(Some("application/json"), body.as_bytes());
    assert!(!unsigned);
    let headers = [
        ("content-type", "application/json"),
        ("host", "apig.eu-de.otc.t-systems.com"),
        ("x-project-id", "p x"),
        ("x-sdk-date", date),
        ("x-security-token", "tok"),
    ];
    let request = CanonicalRequest {
        method: "POST",
        canonical_uri: &uri,
        canonical_query: &query,
        headers: &headers,
        payload_sha256: &hash,
    };
    assert_eq!(
        signature_of(Style::Access, SECRET, date, &request),
        "8efcd1afa56942ac1fa8da2d39f38982106fd02bcfb7417e5069aa076db736cd"
    );
}

/// From the unit tests of the vendor's Go SDK.
#[test]
fn the_small_case_of_the_go_sdk() {
    let date = "20060102T150405Z";
    let request = CanonicalRequest {
        method: "GET",
        canonical_uri: &canonical_uri("/path"),
        canonical_query: "limit=1",
        headers: &[("x-sdk-date", date)],
        payload_sha256: EMPTY_SHA256,
    };
    let signed = sign(Style::Access, "AccessKey", "SecretKey", date, &request);
    assert_eq!(
        signed.authorization,
        "SDK-HMAC-SHA256 Access=AccessKey, SignedHeaders=x-sdk-date, \
         Signature=5a2ce64c865e0e6046321c6f3d5a77ba8413eeaf355c3166c03d58d02ac79624"
    );
}

#[test]
fn paths_are_signed_decoded_encoded_and_closed() {
    for (wire, signed) in [
        ("", "/"),
        ("/", "/"),
        ("/a", "/a/"),
        ("/a/", "/a/"),
        ("/a//b", "/a//b/"),
        ("/a%2Fb", "/a/b/"),
        ("/a%2fb%2F", "/a/b/"),
        ("/%41%7e", "/A~/"),
        ("/a b+c", "/a%20b%2Bc/"),
        ("/é", "/%C3%A9/"),
        ("/%c3%a9", "/%C3%A9/"),
        ("/%ff", "/%FF/"),
        ("/%2525", "/%2525/"),
        ("/50%", "/50%25/"),
        ("/5%0", "/5%250/"),
        ("/%zz%+1", "/%25zz%25%2B1/"),
        ("/%é", "/%25%C3%A9/"),
    ] {
        assert_eq!(canonical_uri(wire), signed, "{wire}");
    }
}

proptest! {
    #[test]
    fn a_path_that_was_encoded_once_is_signed_as_encoded(segments in prop::collection::vec("[^/]*", 0..5)) {
        let wire: String = segments.iter().flat_map(|s| ["/".to_owned(), percent::encode(s)]).collect();
        let close = if wire.ends_with('/') { "" } else { "/" };
        prop_assert_eq!(canonical_uri(&wire), format!("{wire}{close}"));
    }

    #[test]
    fn any_path_is_signed_in_the_strict_alphabet(path in any::<String>()) {
        let uri = canonical_uri(&path);
        prop_assert!(uri.ends_with('/'));
        prop_assert!(uri.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~%/".contains(&b)));
        prop_assert_eq!(canonical_uri(&uri), uri);
    }
}

#[test]
fn only_json_and_bson_bodies_are_signed() {
    let hash = sha256_hex(b"{}");
    for json in [
        None,
        Some("application/json"),
        Some("application/json;charset=utf8"),
        Some("Application/JSON"),
        Some("application/bson"),
    ] {
        assert_eq!(
            payload_hash(json, b"{}"),
            (hash.as_str().into(), false),
            "{json:?}"
        );
        assert_eq!(
            payload_hash(json, b""),
            (EMPTY_SHA256.into(), false),
            "{json:?}"
        );
    }
    for other in [
        "multipart/form-data; boundary=x",
        "text/plain",
        "",
        "applicatioñ/json",
    ] {
        assert_eq!(
            payload_hash(Some(other), b"{}"),
            (UNSIGNED_PAYLOAD.into(), true),
            "{other}"
        );
        assert_eq!(
            payload_hash(Some(other), b""),
            (EMPTY_SHA256.into(), true),
            "{other}"
        );
    }
}

#[test]
fn headers_with_an_underscore_are_not_signed() {
    let mut headers = GUIDE_HEADERS.to_vec();
    headers.push(("x_custom", "1"));
    let request = CanonicalRequest {
        headers: &headers,
        ..guide_request()
    };
    assert_eq!(
        sign(Style::Access, ID, SECRET, DATE, &request),
        sign(Style::Access, ID, SECRET, DATE, &guide_request())
    );
}

#[test]
fn a_date_of_any_length_is_signed() {
    let style = Style::Scoped {
        region: "r",
        service: "s",
    };
    for date in ["", "2019", "2019111é", "20191115T033655Z-and-more"] {
        let signed = sign(style, ID, SECRET, date, &guide_request());
        assert!(signed.string_to_sign.contains(date));
    }
}

#[test]
fn any_changed_byte_changes_the_signature() {
    for style in [
        Style::Access,
        Style::Scoped {
            region: "eu-de",
            service: "apig",
        },
    ] {
        let request = guide_request();
        let original = signature_of(style, SECRET, DATE, &request);
        assert_eq!(original, signature_of(style, SECRET, DATE, &request));
        let vary = |text: &str, with: &dyn Fn(&str) -> String| {
            for other in each_altered_byte(text) {
                assert_ne!(with(&other), original, "{other}");
            }
        };
        let with = |request: CanonicalRequest<'_>| signature_of(style, SECRET, DATE, &request);

        vary(SECRET, &|secret| {
            signature_of(style, secret, DATE, &request)
        });
        vary(DATE, &|date| signature_of(style, SECRET, date, &request));
        vary(request.method, &|method| {
            with(CanonicalRequest { method, ..request })
        });
        vary(request.canonical_uri, &|canonical_uri| {
            with(CanonicalRequest {
                canonical_uri,
                ..request
            })
        });
        vary(request.canonical_query, &|canonical_query| {
            with(CanonicalRequest {
                canonical_query,
                ..request
            })
        });
        vary(request.payload_sha256, &|payload_sha256| {
            with(CanonicalRequest {
                payload_sha256,
                ..request
            })
        });
        for (at, (name, value)) in GUIDE_HEADERS.iter().enumerate() {
            vary(name, &|name| {
                let mut headers = GUIDE_HEADERS.map(|(n, v)| (n.to_owned(), v));
                name.clone_into(&mut headers[at].0);
                let headers = headers.each_ref().map(|(n, v)| (n.as_str(), *v));
                with(CanonicalRequest {
                    headers: &headers,
                    ..request
                })
            });
            vary(value, &|value| {
                let mut headers = GUIDE_HEADERS.map(|(n, v)| (n, v.to_owned()));
                value.clone_into(&mut headers[at].1);
                let headers = headers.each_ref().map(|(n, v)| (*n, v.as_str()));
                with(CanonicalRequest {
                    headers: &headers,
                    ..request
                })
            });
        }
    }
    for (region, service) in [
        ("eu-nl", "apig"),
        ("eu-de", "iam"),
        ("", ""),
        ("eu-deapig", ""),
    ] {
        assert_ne!(
            signature_of(
                Style::Scoped { region, service },
                SECRET,
                DATE,
                &guide_request()
            ),
            "de3d52f51f62a057ded309eb1cc8ec0cbac9d7b91e30d4986e34bf6c32d47264"
        );
    }
}

#[test]
fn debug_shows_no_secret_and_no_signature() {
    let headers = [("x-sdk-date", DATE), ("x-security-token", "session-token")];
    let request = CanonicalRequest {
        headers: &headers,
        ..guide_request()
    };
    let signed = sign(Style::Access, ID, SECRET, DATE, &request);
    let debug = format!("{signed:?} {request:?}");
    for secret in [SECRET, "session-token", signature(&signed.authorization)] {
        assert!(!debug.contains(secret), "{debug}");
    }
}
