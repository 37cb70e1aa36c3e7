//! Which string does Alibaba Cloud's RPC signature (version 1, HMAC-SHA1) sign?
//!
//! All parameters, those of the query and those of a form body together, except `Signature`:
//! sorted and encoded once as a query, then encoded a second time as a whole, so a `:` ends up as
//! `%253A`. The key is the secret with an `&` appended. Source: Alibaba Cloud, "RPC request
//! mechanism and signature".

use base64::prelude::{BASE64_STANDARD, Engine as _};
use zeroize::Zeroizing;

use crate::sign::{hmac_sha1, percent};

/// The string to sign for a call of `method` (the verb really sent) with these parameters.
///
/// `canonical_query` is what [`percent::canonical_query`] writes for all signed parameters.
pub fn string_to_sign(method: &str, canonical_query: &str) -> String {
    // All else stays as it is.
    let escaped = |byte: &u8| matches!(byte, b'=' | b'&' | b'%');
    let escapes = canonical_query.bytes().filter(escaped).count();
    let length = method.len() + 5 + canonical_query.len() + 2 * escapes;
    let mut out = String::with_capacity(length);
    out.push_str(method);
    out.push_str("&%2F&");
    percent::push(&mut out, canonical_query);
    out
}

/// The value of the `Signature` parameter, in base64: encode it before it goes into a URL or form.
pub fn signature(secret: &str, string_to_sign: &str) -> String {
    let mut key = Zeroizing::new(Vec::with_capacity(secret.len() + 1));
    key.extend_from_slice(secret.as_bytes());
    key.push(b'&');
    BASE64_STANDARD.encode(hmac_sha1(&key, string_to_sign.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign::testing::each_altered_byte;

    const NONCE_B: &str = "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf";
    const TIME_B: &str = "2016-02-23T12:46:24Z";

    fn query(pairs: &[(&str, &str)], nonce: &str, timestamp: &str) -> String {
        let mut all = vec![
            ("Timestamp", timestamp),
            ("SignatureNonce", nonce),
            ("AccessKeyId", "testid"),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureVersion", "1.0"),
        ];
        all.extend(pairs);
        percent::canonical_query(&mut all)
    }

    fn sign(method: &str, query: &str) -> String {
        signature("testsecret", &string_to_sign(method, query))
    }

    /// Published on the page "RPC request mechanism and signature".
    #[test]
    fn published_describe_dedicated_hosts() {
        let query = query(
            &[
                ("Action", "DescribeDedicatedHosts"),
                ("Format", "JSON"),
                ("RegionId", "cn-beijing"),
                ("Version", "2014-05-26"),
            ],
            "edb2b34af0af9a6d14deaf7c1a5315eb",
            "2023-03-13T08:34:30Z",
        );
        assert_eq!(
            string_to_sign("GET", &query),
            "GET&%2F&AccessKeyId%3Dtestid%26Action%3DDescribeDedicatedHosts%26Format%3DJSON\
             %26RegionId%3Dcn-beijing%26SignatureMethod%3DHMAC-SHA1\
             %26SignatureNonce%3Dedb2b34af0af9a6d14deaf7c1a5315eb%26SignatureVersion%3D1.0\
             %26Timestamp%3D2023-03-13T08%253A34%253A30Z%26Version%3D2014-05-26"
        );
        assert_eq!(sign("GET", &query), "9NaGiOspFP5UPcwX8Iwt2YJXXuk=");
    }

    /// Published in the ECS documentation; the POST form is derived from it.
    #[test]
    fn published_describe_regions_as_get_and_as_post() {
        let query = query(
            &[
                ("Action", "DescribeRegions"),
                ("Format", "XML"),
                ("Version", "2014-05-26"),
            ],
            NONCE_B,
            TIME_B,
        );
        assert_eq!(sign("GET", &query), "OLeaidS1JvxuMvnyHOwuJ+uX5qY=");
        assert_eq!(sign("POST", &query), "MxbnVAM4w6sft9xjVpe/GCKueuk=");
    }

    /// Published in the RAM documentation.
    #[test]
    fn published_create_user() {
        let query = query(
            &[
                ("Action", "CreateUser"),
                ("Format", "JSON"),
                ("UserName", "test"),
                ("Version", "2015-05-01"),
            ],
            "6a6e0ca6-4557-11e5-86a2-b8e8563dc8d2",
            "2015-08-18T03:15:45Z",
        );
        assert_eq!(sign("GET", &query), "kRA2cnpJVacIhDMzXnoNZG9tDCI=");
    }

    /// From the unit tests of the vendor's darabonba-openapi, in Go and in Python.
    #[test]
    fn the_small_cases_of_the_official_sdk() {
        assert_eq!(
            signature("accessKeySecret", &string_to_sign("", "test=ok")),
            "jHx/oHoHNrbVfhncHEvPdHXZwHU="
        );
        let both = percent::canonical_query(&mut [("query", "test"), ("body", "test")]);
        assert_eq!(
            signature("secret", &string_to_sign("GET", &both)),
            "XlUyV4sXjOuX5FnjUz9IF9tm5rU="
        );
    }

    /// Derived: temporary keys, and text that needs every kind of escape.
    #[test]
    fn hard_text_and_a_session_token() {
        let query = query(
            &[
                ("Action", "DescribeReplicationJobs"),
                ("Format", "JSON"),
                ("Version", "2019-06-01"),
                ("JobId.1", "j-bp19vlwm0tyigbmj"),
                ("Name", "a b*c~d/中'()"),
                ("RegionId", "cn-hangzhou"),
                ("SecurityToken", "sts+tok/en=="),
            ],
            NONCE_B,
            TIME_B,
        );
        assert_eq!(
            query,
            "AccessKeyId=testid&Action=DescribeReplicationJobs&Format=JSON\
             &JobId.1=j-bp19vlwm0tyigbmj&Name=a%20b%2Ac~d%2F%E4%B8%AD%27%28%29\
             &RegionId=cn-hangzhou&SecurityToken=sts%2Btok%2Fen%3D%3D&SignatureMethod=HMAC-SHA1\
             &SignatureNonce=3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf&SignatureVersion=1.0\
             &Timestamp=2016-02-23T12%3A46%3A24Z&Version=2019-06-01"
        );
        assert_eq!(sign("POST", &query), "GufO7/fVnKal3WVnAiT4ZbxS5Dg=");
    }

    #[test]
    fn an_empty_value_is_signed() {
        assert_ne!(sign("GET", "a=&b=1"), sign("GET", "b=1"));
    }

    #[test]
    fn any_changed_byte_changes_the_signature() {
        let (method, query, secret) = ("POST", "Action=A&Name=x%20y&Timestamp=1", "testsecret");
        let original = signature(secret, &string_to_sign(method, query));
        for method in each_altered_byte(method) {
            assert_ne!(sign(&method, query), original, "{method}");
        }
        for query in each_altered_byte(query) {
            assert_ne!(sign(method, &query), original, "{query}");
        }
        for secret in each_altered_byte(secret) {
            let other = signature(&secret, &string_to_sign(method, query));
            assert_ne!(other, original, "{secret}");
        }
        assert_eq!(sign(method, query), original);
    }

    #[test]
    fn whitespace_around_a_secret_counts() {
        let text = string_to_sign("GET", "a=1");
        assert_ne!(signature("secret", &text), signature("secret ", &text));
    }
}
