//! What do services answer? One small answer and one list of 1,000 items for each.

use std::fmt::Write;

/// A small answer, or a list of 1,000 items, and its content type.
pub fn body(shape: &str, list: bool) -> Option<(String, &'static str)> {
    let (kind, small, head, item, between, tail): (_, _, _, _, _, _) = match shape {
        "smc" => (JSON, SMC, SMC_LIST.0, SMC_LIST.1, ",", SMC_LIST.2),
        "apig" => (
            JSON,
            APIG,
            r#"{"apps":["#,
            APIG,
            ",",
            r#"],"size":1000,"total":1000}"#,
        ),
        "zstack" => (JSON, ZSTACK.0, r#"{"inventories":["#, ZSTACK.1, ",", "]}"),
        "google" => (
            JSON,
            GOOGLE,
            r#"{"secrets":["#,
            GOOGLE,
            ",",
            r#"],"totalSize":1000}"#,
        ),
        "sts" => (XML, STS, "", "", "", ""),
        "iam" => (XML, IAM.0, IAM.1, IAM.2, "", IAM.3),
        _ => return None,
    };
    if !list {
        return Some((small.replace("NUMBER", "1234"), kind));
    }
    let mut all = head.to_owned();
    for number in 0..1000 {
        if number > 0 {
            all.push_str(between);
        }
        let _ = write!(all, "{}", item.replace("NUMBER", &format!("{number:04}")));
    }
    all.push_str(tail);
    Some((all, kind))
}

const JSON: &str = "application/json;charset=utf-8";
const XML: &str = "text/xml";

const SMC: &str = r#"{"RequestId":"DB4A7EA2-6FDA-5655-B067-854532FB1234","AccessTokenCode":"B57QoTXEA2Tytr0uZWoNY5Aju5Jt1234","AccessTokenId":"at-bp1akz2zp67r0k6r1234"}"#;
const SMC_LIST: (&str, &str, &str) = (
    r#"{"RequestId":"E2DA3097-79B9-53AE-B0DF-281DC54F1234","AccessTokens":{"AccessToken":["#,
    r#"{"AccessTokenId":"at-bp1akz2zp67r0k6rNUMBER","TimeToLiveInDays":"30","Count":"100","RegisteredCount":"5","CreationTime":"2022-09-09T02:35:44Z","Status":"activated","Name":"web-servers-NUMBER","Description":"This is an activation code for the servers of one rack, number NUMBER, to be retired when they moved"}"#,
    r#"]},"TotalCount":1000,"PageSize":1000,"PageNumber":1}"#,
);

const APIG: &str = r#"{"id":"98df09fb-d459-4cbf-83a7-2b55ca6fNUMBER","name":"app_NUMBER","remark":"An app of the shop's own front end","creator":"USER","update_time":"2020-08-03T12:31:12Z","app_key":"app-key-of-app-NUMBER","app_secret":"********","register_time":"2020-08-02T16:32:47Z","status":1,"app_type":"apig"}"#;

const ZSTACK: (&str, &str) = (
    r#"{"inventories":[{"uuid":"36c27e8ff05c4780bf6d2fa65700NUMBER","name":"zone-NUMBER","description":"the racks of the first floor","state":"Enabled","type":"zstack","isDefault":false,"createDate":"Jun 1, 2017 3:48:18 PM","lastOpDate":"Jun 1, 2017 3:48:18 PM"}]}"#,
    r#"{"uuid":"36c27e8ff05c4780bf6d2fa65700NUMBER","name":"zone-NUMBER","description":"the racks of the first floor","state":"Enabled","type":"zstack","isDefault":false,"createDate":"Jun 1, 2017 3:48:18 PM","lastOpDate":"Jun 1, 2017 3:48:18 PM"}"#,
);

const GOOGLE: &str = r#"{"name":"projects/shop/secrets/secret-NUMBER","replication":{"automatic":{}},"createTime":"2022-09-09T02:35:44.123456Z","labels":{"team":"web-servers"},"etag":"\"15f4c2b5d1NUMBER\"","annotations":{"note":"The password of one database, number NUMBER, to be retired when it moved"}}"#;

const STS: &str = r#"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/Alice</Arn><UserId>AIDACKCEVSQ6C2EXAMPLE</UserId><Account>123456789012</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId></ResponseMetadata></GetCallerIdentityResponse>"#;

const IAM: (&str, &str, &str, &str) = (
    r#"<GetGroupPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetGroupPolicyResult><GroupName>admins</GroupName><PolicyName>all</PolicyName><PolicyDocument>%7B%7D</PolicyDocument></GetGroupPolicyResult><ResponseMetadata><RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId></ResponseMetadata></GetGroupPolicyResponse>"#,
    r#"<ListUsersResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ListUsersResult><Users>"#,
    "<member><UserId>AIDACKCEVSQ6C2EXNUMBER</UserId><Path>/division_abc/subdivision_xyz/</Path><UserName>web-servers-NUMBER</UserName><Arn>arn:aws:iam::123456789012:user/division_abc/subdivision_xyz/web-servers-NUMBER</Arn><CreateDate>2022-09-09T02:35:44Z</CreateDate></member>",
    "</Users><IsTruncated>false</IsTruncated></ListUsersResult><ResponseMetadata><RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId></ResponseMetadata></ListUsersResponse>",
);
