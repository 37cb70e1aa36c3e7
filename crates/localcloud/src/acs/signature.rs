//! What should the signature be? Both signature styles of Alibaba Cloud's RPC gateway, read from
//! the raw request, written from the public pages on request syntax and signature method V3 and
//! on the RPC mechanism (V1).

use crate::encode;
use crate::wire::Request;

use super::action::Refusal;

/// Which style a request is signed in, and what it takes to check it.
#[derive(Debug)]
pub(super) enum Style {
    /// HMAC-SHA1 over the parameters.
    V1,
    /// ACS3-HMAC-SHA256 over a canonical request.
    V3 { canonical_request: String },
}

/// The parts of a signed request.
#[derive(Debug)]
pub(super) struct Signed {
    pub(super) style: Style,
    pub(super) action: String,
    pub(super) version: String,
    pub(super) key_id: String,
    pub(super) nonce: String,
    pub(super) timestamp: String,
    pub(super) security_token: Option<String>,
    pub(super) signature: String,
    pub(super) string_to_sign: String,
    /// What is meant for the action: without the members that the gateway consumes.
    pub(super) parameters: Vec<(String, String)>,
}

impl Signed {
    /// The signature that this request should carry under `secret`.
    pub(super) fn expected(&self, secret: &str) -> String {
        let message = self.string_to_sign.as_bytes();
        match self.style {
            Style::V1 => {
                encode::base64(&encode::hmac_sha1(format!("{secret}&").as_bytes(), message))
            }
            Style::V3 { .. } => encode::hex(&encode::hmac_sha256(secret.as_bytes(), message)),
        }
    }

    /// The refusal of a wrong signature, with the server's string to sign in the words of each
    /// style.
    pub(super) fn mismatch(&self) -> Refusal {
        let text = &self.string_to_sign;
        match &self.style {
            Style::V1 => Refusal::new(
                400,
                "SignatureDoesNotMatch",
                format!("Specified signature is not matched with our calculation. server string to sign is:{text}"),
            )
            .verdict(format!("expected a signature over the string to sign: {text}; got {}", self.signature)),
            Style::V3 { canonical_request } => Refusal::new(
                400,
                "SignatureDoesNotMatch",
                format!("Specified signature does not match our calculation. server StringToSign is [{text}]"),
            )
            .verdict(format!("expected a signature over the string to sign: {text}\nof the canonical request: {canonical_request}\ngot {}", self.signature)),
        }
    }
}

/// Members that belong to the gateway, not to the action.
const COMMON: [&str; 13] = [
    "Action",
    "Version",
    "Format",
    "AccessKeyId",
    "Signature",
    "SignatureMethod",
    "SignatureVersion",
    "SignatureNonce",
    "SignatureType",
    "Timestamp",
    "SecurityToken",
    "BearerToken",
    "AcceptLanguage",
];

/// Finds the signature of a request and works out what it must be made over.
pub(super) fn read(request: &Request) -> Result<Signed, Refusal> {
    if !matches!(request.method.as_str(), "GET" | "POST") {
        return Err(Refusal::new(
            405,
            "UnsupportedHTTPMethod",
            "This http method is not supported.",
        )
        .verdict(format!("expected GET or POST, got {}", request.method)));
    }
    match request.header("authorization") {
        Some(authorization) => v3(request, authorization),
        None => v1(request),
    }
}

fn v1(request: &Request) -> Result<Signed, Refusal> {
    let mut pairs = request.query_pairs();
    pairs.extend(request.form_pairs());
    let get = |name: &str| {
        pairs
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.clone())
            .filter(|value| !value.is_empty())
    };
    let need = |name: &str| get(name).ok_or_else(|| Refusal::missing(name));
    let key_id = need("AccessKeyId")?;
    let action = need("Action")?;
    let version = need("Version")?;
    let timestamp = need("Timestamp")?;
    let nonce = need("SignatureNonce")?;
    let signature = get("Signature").ok_or_else(|| incomplete("Signature is missing"))?;
    let method = need("SignatureMethod")?;
    if method != "HMAC-SHA1" {
        return Err(Refusal::new(
            400,
            "InvalidSignatureMethod",
            "Specified signature method is not valid.",
        )
        .verdict(format!("expected HMAC-SHA1, got {method}")));
    }
    let version_of_signature = need("SignatureVersion")?;
    if version_of_signature != "1.0" {
        return Err(Refusal::new(
            400,
            "InvalidSignatureVersion",
            "Specified signature version is not valid.",
        )
        .verdict(format!("expected 1.0, got {version_of_signature}")));
    }
    let signed: Vec<_> = pairs
        .iter()
        .filter(|(key, _)| key != "Signature")
        .cloned()
        .collect();
    let canonical = encode::canonical_query(signed);
    let string_to_sign = format!("{}&%2F&{}", request.method, encode::percent(&canonical));
    Ok(Signed {
        style: Style::V1,
        action,
        version,
        key_id,
        nonce,
        timestamp,
        security_token: get("SecurityToken"),
        signature,
        string_to_sign,
        parameters: business(pairs),
    })
}

fn v3(request: &Request, authorization: &str) -> Result<Signed, Refusal> {
    const ALGORITHM: &str = "ACS3-HMAC-SHA256";
    let Some(fields) = authorization
        .strip_prefix(ALGORITHM)
        .and_then(|rest| rest.strip_prefix(' '))
    else {
        let algorithm = authorization.split(' ').next().unwrap_or_default();
        return Err(Refusal::new(
            400,
            "InvalidSignatureMethod",
            "Specified signature method is not valid.",
        )
        .verdict(format!("expected {ALGORITHM}, got {algorithm}")));
    };
    let field = |name: &str| {
        fields
            .split(',')
            .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
            .filter(|value| !value.is_empty())
    };
    let key_id = field("Credential").ok_or_else(|| Refusal::missing("AccessKeyId"))?;
    let signed_headers = field("SignedHeaders")
        .ok_or_else(|| incomplete("SignedHeaders is missing in Authorization"))?;
    let signature =
        field("Signature").ok_or_else(|| incomplete("Signature is missing in Authorization"))?;
    let need = |name: &str| {
        request
            .header(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| {
                Refusal::new(
                    400,
                    "MissingParameter",
                    format!("The header {name} is mandatory for this request."),
                )
                .verdict(format!("header {name} is required"))
            })
    };
    let action = need("x-acs-action")?.to_owned();
    let version = need("x-acs-version")?.to_owned();
    let timestamp = need("x-acs-date")?.to_owned();
    let nonce = need("x-acs-signature-nonce")?.to_owned();
    let announced = need("x-acs-content-sha256")?;
    let security_token = request.header("x-acs-security-token").map(str::to_owned);
    if let Some(other) = request
        .header("x-acs-accesskey-id")
        .filter(|id| *id != key_id)
    {
        return Err(Refusal::new(
            400,
            "InvalidSecurityToken.MismatchWithAccessKey",
            "Specified SecurityToken is not matched with AccessKeyId.",
        )
        .verdict(format!(
            "x-acs-accesskey-id {other} is not the Credential {key_id}"
        )));
    }

    let names: Vec<String> = signed_headers
        .split(';')
        .map(str::to_ascii_lowercase)
        .collect();
    let unsigned = request
        .headers
        .iter()
        .map(|(name, _)| name.to_ascii_lowercase())
        .find(|name| name.starts_with("x-acs-") && !names.contains(name));
    if let Some(name) = unsigned {
        return Err(incomplete(&format!(
            "every x-acs-* header must be signed; {name} is not"
        )));
    }
    let hash = encode::sha256_hex(&request.body);
    let canonical_request = canonical_request(request, &names, &hash);
    let string_to_sign = format!(
        "{ALGORITHM}\n{}",
        encode::sha256_hex(canonical_request.as_bytes())
    );
    let mut pairs = request.query_pairs();
    pairs.extend(request.form_pairs());
    let signed = Signed {
        style: Style::V3 { canonical_request },
        action,
        version,
        key_id: key_id.to_owned(),
        nonce,
        timestamp,
        security_token,
        signature: signature.to_owned(),
        string_to_sign,
        parameters: business(pairs),
    };
    if announced != hash {
        return Err(signed.mismatch().verdict(format!(
            "the body's hash is {hash}, x-acs-content-sha256 says {announced}"
        )));
    }
    Ok(signed)
}

fn canonical_request(request: &Request, names: &[String], hash: &str) -> String {
    let mut sorted = names.to_vec();
    sorted.sort();
    let mut headers = String::new();
    for name in &sorted {
        headers.push_str(name);
        headers.push(':');
        headers.push_str(request.header(name).unwrap_or_default());
        headers.push('\n');
    }
    [
        request.method.as_str(),
        request.path(),
        &encode::canonical_query(request.query_pairs()),
        &headers,
        &sorted.join(";"),
        hash,
    ]
    .join("\n")
}

fn incomplete(why: &str) -> Refusal {
    Refusal::new(
        400,
        "IncompleteSignature",
        "The request signature does not conform to Aliyun standards.",
    )
    .verdict(why)
}

fn business(pairs: Vec<(String, String)>) -> Vec<(String, String)> {
    pairs
        .into_iter()
        .filter(|(name, _)| !COMMON.contains(&name.as_str()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Service;

    fn request(method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Request {
        Request {
            service: Service::Smc,
            method: method.into(),
            target: target.into(),
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: body.into(),
        }
    }

    /// The example of the vendor's page on the RPC mechanism.
    #[test]
    fn v1_published_vector() {
        let target = "/?Action=DescribeDedicatedHosts&Format=JSON&RegionId=cn-beijing&AccessKeyId=testid\
            &SignatureNonce=edb2b34af0af9a6d14deaf7c1a5315eb&Timestamp=2023-03-13T08%3A34%3A30Z&Version=2014-05-26\
            &SignatureMethod=HMAC-SHA1&SignatureVersion=1.0&Signature=9NaGiOspFP5UPcwX8Iwt2YJXXuk%3D";
        let signed = read(&request("GET", target, &[], "")).unwrap();
        assert_eq!(signed.expected("testsecret"), signed.signature);
        assert_ne!(signed.expected("testsecret "), signed.signature);
        assert_eq!(
            signed.parameters,
            [("RegionId".to_owned(), "cn-beijing".to_owned())]
        );
    }

    /// Hard characters, a security token, and half of the members in a form.
    #[test]
    fn v1_hard_characters() {
        let target = "/?AccessKeyId=testid&Action=DescribeReplicationJobs&Format=JSON&JobId.1=j-bp19vlwm0tyigbmj\
            &SignatureMethod=HMAC-SHA1&SignatureNonce=3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf&SignatureVersion=1.0\
            &Timestamp=2016-02-23T12%3A46%3A24Z&Version=2019-06-01";
        let body = "Name=a+b*c~d%2F%E4%B8%AD'()&RegionId=cn-hangzhou&SecurityToken=sts%2Btok/en%3D%3D\
            &Signature=GufO7%2FfVnKal3WVnAiT4ZbxS5Dg%3D";
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let signed = read(&request("POST", target, &form, body)).unwrap();
        assert_eq!(signed.expected("testsecret"), signed.signature);
    }

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    /// The example of the vendor's page on signature method V3.
    #[test]
    fn v3_published_vector() {
        let authorization = "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0";
        let headers = [
            ("Host", "ecs.cn-shanghai.aliyuncs.com"),
            ("x-acs-action", "RunInstances"),
            ("x-acs-content-sha256", EMPTY),
            ("x-acs-date", "2023-10-26T10:22:32Z"),
            ("x-acs-signature-nonce", "3156853299f313e23d1673dc12e1703d"),
            ("x-acs-version", "2014-05-26"),
            ("Authorization", authorization),
        ];
        let target =
            "/?RegionId=cn-shanghai&ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd";
        let signed = read(&request("POST", target, &headers, "")).unwrap();
        assert_eq!(signed.expected("YourAccessKeySecret"), signed.signature);
        assert!(
            signed
                .string_to_sign
                .ends_with("7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259")
        );
    }

    /// Hard characters with a security token, and a form body.
    #[test]
    fn v3_hard_characters() {
        let common = [
            ("host", "smc.aliyuncs.com"),
            ("x-acs-action", "DescribeReplicationJobs"),
            ("x-acs-date", "2023-10-26T10:22:32Z"),
            ("x-acs-signature-nonce", "3156853299f313e23d1673dc12e1703d"),
            ("x-acs-version", "2019-06-01"),
        ];
        let mut headers = common.to_vec();
        headers.extend([
            ("x-acs-content-sha256", EMPTY),
            ("x-acs-accesskey-id", "testid"),
            ("x-acs-security-token", "sts+tok/en=="),
            ("Authorization", "ACS3-HMAC-SHA256 Credential=testid,SignedHeaders=host;x-acs-accesskey-id;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-security-token;x-acs-signature-nonce;x-acs-version,Signature=eae9ec08d09136e68f130f373250fa04388be264a8bbb7f78f6d586e06ec1490"),
        ]);
        let target =
            "/?JobId.1=j-bp19vlwm0tyigbmj&Name=a+b*c~d/%e4%b8%ad'()&RegionId=cn-hangzhou&Empty";
        let signed = read(&request("POST", target, &headers, "")).unwrap();
        assert_eq!(signed.expected("testsecret"), signed.signature);

        let mut headers = common.to_vec();
        headers.extend([
            ("content-type", "application/x-www-form-urlencoded"),
            ("x-acs-content-sha256", "46eb6f10ab0552d69734af399a5c63d0c8e49c7fe19035edd601d298e7455b72"),
            ("Authorization", "ACS3-HMAC-SHA256 Credential=testid,SignedHeaders=content-type;host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,Signature=a6879f997206cdb7aae51ad519f400999140584ac8408079c57b191703b76486"),
        ]);
        let body = "Name=a+b%2Ac~d&RegionId=cn-hangzhou";
        let signed = read(&request("POST", "/", &headers, body)).unwrap();
        assert_eq!(signed.expected("testsecret"), signed.signature);
        assert_eq!(
            signed.parameters[0],
            ("Name".to_owned(), "a b*c~d".to_owned())
        );
    }
}
