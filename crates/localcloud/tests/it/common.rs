//! A client for tests: raw bytes over TCP, and the signature rules of the vendors' public pages
//! written once more, so that neither the local cloud nor a client judges itself.

#![allow(
    clippy::format_push_string,
    clippy::format_collect,
    reason = "plain beats fast in tests"
)]

use base64::Engine as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map_or("", |(_, value)| value)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

/// `host:port` of an endpoint.
pub(crate) fn host(endpoint: &str) -> &str {
    let rest = endpoint.strip_prefix("http://").unwrap();
    rest.split('/').next().unwrap()
}

/// A connection that stays open.
pub(crate) struct Connection(TcpStream);

impl Connection {
    pub(crate) async fn open(endpoint: &str) -> Self {
        Self(TcpStream::connect(host(endpoint)).await.unwrap())
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    /// Says that nothing more will be sent.
    pub(crate) async fn finish(&mut self) {
        self.0.shutdown().await.unwrap();
    }

    /// Reads one answer; an error when the connection ends before it is whole.
    pub(crate) async fn read(&mut self) -> std::io::Result<Answer> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await?);
        }
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines
            .next()
            .unwrap()
            .split(' ')
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
            .collect();
        let mut answer = Answer {
            status,
            headers,
            body: Vec::new(),
        };
        let length = answer.header("content-length").parse().unwrap_or(0);
        answer.body = vec![0; length];
        self.0.read_exact(&mut answer.body).await?;
        Ok(answer)
    }

    /// Reads whatever comes until the end.
    pub(crate) async fn rest(&mut self) -> std::io::Result<Vec<u8>> {
        let mut all = Vec::new();
        self.0.read_to_end(&mut all).await?;
        Ok(all)
    }
}

/// A request that is written byte for byte.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) endpoint: String,
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn new(endpoint: &str, method: &str, target: &str) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            method: method.to_owned(),
            target: target.to_owned(),
            headers: vec![("Host".to_owned(), host(endpoint).to_owned())],
            body: Vec::new(),
        }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("Content-Type", content_type)
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut out = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            out += &format!("{name}: {value}\r\n");
        }
        out += &format!("Content-Length: {}\r\n\r\n", self.body.len());
        let mut out = out.into_bytes();
        out.extend_from_slice(&self.body);
        out
    }

    pub(crate) async fn try_send(&self) -> std::io::Result<Answer> {
        let mut connection = Connection::open(&self.endpoint).await;
        connection.write(&self.bytes()).await;
        connection.read().await
    }

    pub(crate) async fn send(&self) -> Answer {
        self.try_send().await.unwrap()
    }

    fn find(&self, name: &str) -> &str {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map_or("", |(_, value)| value)
    }
}

/// Seconds since 1970 as text, by `format`, in UTC.
pub(crate) fn utc(format: &str, seconds_from_now: i64) -> String {
    let now = jiff::Timestamp::now().as_second() + seconds_from_now;
    jiff::Timestamp::from_second(now)
        .unwrap()
        .strftime(format)
        .to_string()
}

pub(crate) fn pct(text: &str) -> String {
    text.bytes().fold(String::new(), |out, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out + &char::from(byte).to_string()
        } else {
            out + &format!("%{byte:02X}")
        }
    })
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hmac256(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

pub(crate) fn hmac1_base64(key: &str, text: &str) -> String {
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes())
}

fn query(pairs: &[(&str, &str)]) -> String {
    let mut pairs = pairs.to_vec();
    pairs.sort_unstable();
    let encoded: Vec<String> = pairs
        .iter()
        .map(|(key, value)| format!("{}={}", pct(key), pct(value)))
        .collect();
    encoded.join("&")
}

/// An Alibaba Cloud caller.
#[derive(Clone)]
pub(crate) struct Acs<'a> {
    pub(crate) endpoint: String,
    pub(crate) version: &'a str,
    pub(crate) key: &'a str,
    pub(crate) secret: &'a str,
    pub(crate) token: Option<&'a str>,
    pub(crate) nonce: Option<&'a str>,
    pub(crate) seconds: i64,
    pub(crate) form: bool,
}

impl<'a> Acs<'a> {
    pub(crate) fn new(endpoint: String, version: &'a str) -> Self {
        use cumulo_localcloud::accounts::{ALIBABA_KEY_ID, ALIBABA_SECRET};
        Self {
            endpoint,
            version,
            key: ALIBABA_KEY_ID,
            secret: ALIBABA_SECRET,
            token: None,
            nonce: None,
            seconds: 0,
            form: false,
        }
    }

    fn fresh(&self) -> String {
        use std::sync::atomic::{AtomicU64, Ordering};
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::SeqCst);
        self.nonce
            .map_or_else(|| format!("nonce-{number}"), str::to_owned)
    }

    /// ACS3-HMAC-SHA256.
    pub(crate) fn v3(&self, action: &str, parameters: &[(&str, &str)]) -> Request {
        let canonical = query(parameters);
        let mut request = if self.form {
            Request::new(&self.endpoint, "POST", "/")
                .body("application/x-www-form-urlencoded", canonical.clone())
        } else {
            // On the wire a space may be a plus, as the official Python SDK writes it.
            let target = format!("/?{}", canonical.replace("%20", "+"));
            Request::new(&self.endpoint, "POST", &target)
        };
        let hash = sha256(&request.body);
        request = request
            .header("x-acs-action", action)
            .header("x-acs-version", self.version)
            .header("x-acs-date", &utc("%Y-%m-%dT%H:%M:%SZ", self.seconds))
            .header("x-acs-signature-nonce", &self.fresh())
            .header("x-acs-content-sha256", &hash)
            .header("User-Agent", "test");
        if let Some(token) = self.token {
            request = request
                .header("x-acs-accesskey-id", self.key)
                .header("x-acs-security-token", token);
        }
        let mut signed: Vec<(String, String)> = request
            .headers
            .iter()
            .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
            .filter(|(name, _)| {
                name == "host" || name == "content-type" || name.starts_with("x-acs-")
            })
            .collect();
        signed.sort();
        let names: Vec<&str> = signed.iter().map(|(name, _)| name.as_str()).collect();
        let lines: String = signed
            .iter()
            .map(|(name, value)| format!("{name}:{value}\n"))
            .collect();
        let in_query = if self.form { "" } else { &canonical };
        let text = format!("POST\n/\n{in_query}\n{lines}\n{}\n{hash}", names.join(";"));
        let to_sign = format!("ACS3-HMAC-SHA256\n{}", sha256(text.as_bytes()));
        let signature = hex(&hmac256(self.secret.as_bytes(), &to_sign));
        let value = format!(
            "ACS3-HMAC-SHA256 Credential={},SignedHeaders={},Signature={signature}",
            self.key,
            names.join(";")
        );
        request.header("Authorization", &value)
    }

    /// Signature version 1.0, HMAC-SHA1.
    pub(crate) fn v1(&self, method: &str, action: &str, parameters: &[(&str, &str)]) -> Request {
        let (date, nonce) = (utc("%Y-%m-%dT%H:%M:%SZ", self.seconds), self.fresh());
        let mut all = vec![
            ("Action", action),
            ("Version", self.version),
            ("Format", "JSON"),
            ("AccessKeyId", self.key),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureVersion", "1.0"),
            ("SignatureNonce", nonce.as_str()),
            ("Timestamp", date.as_str()),
        ];
        all.extend(self.token.map(|token| ("SecurityToken", token)));
        all.extend(parameters);
        let canonical = query(&all);
        let to_sign = format!("{method}&%2F&{}", pct(&canonical));
        let signature = hmac1_base64(&format!("{}&", self.secret), &to_sign);
        let signed = format!("{canonical}&Signature={}", pct(&signature));
        if self.form {
            Request::new(&self.endpoint, method, "/")
                .body("application/x-www-form-urlencoded", signed)
        } else {
            Request::new(&self.endpoint, method, &format!("/?{signed}"))
        }
    }
}

/// Signs `request` with SDK-HMAC-SHA256; with a scope (`region/service`) in the scoped form.
pub(crate) fn sdk_hmac(
    request: Request,
    ak: &str,
    sk: &str,
    scope: Option<&str>,
    seconds: i64,
) -> Request {
    let date = utc("%Y%m%dT%H%M%SZ", seconds);
    let request = request.header("X-Sdk-Date", &date);
    let (path, query) = request
        .target
        .split_once('?')
        .unwrap_or((&request.target, ""));
    let mut pairs: Vec<&str> = query.split('&').filter(|part| !part.is_empty()).collect();
    pairs.sort_unstable();
    let mut headers: Vec<(String, String)> = request
        .headers
        .iter()
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    headers.sort();
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    let lines: String = headers
        .iter()
        .map(|(name, value)| format!("{name}:{value}\n"))
        .collect();
    let unsigned = request.find("x-sdk-content-sha256") == "UNSIGNED-PAYLOAD";
    let hash = if unsigned && !request.body.is_empty() {
        "UNSIGNED-PAYLOAD".to_owned()
    } else {
        sha256(&request.body)
    };
    let text = format!(
        "{}\n{}/\n{}\n{lines}\n{}\n{hash}",
        request.method,
        path.trim_end_matches('/'),
        pairs.join("&"),
        names.join(";")
    );
    let digest = sha256(text.as_bytes());
    let (credential, to_sign, key) = match scope {
        None => (
            format!("Access={ak}"),
            format!("SDK-HMAC-SHA256\n{date}\n{digest}"),
            sk.as_bytes().to_vec(),
        ),
        Some(scope) => {
            let scope = format!("{}/{scope}/sdk_request", &date[..8]);
            let key = scope
                .split('/')
                .fold(format!("SDK{sk}").into_bytes(), |key, part| {
                    hmac256(&key, part)
                });
            (
                format!("Credential={ak}/{scope}"),
                format!("SDK-HMAC-SHA256\n{date}\n{scope}\n{digest}"),
                key,
            )
        }
    };
    let signature = hex(&hmac256(&key, &to_sign));
    let value = format!(
        "SDK-HMAC-SHA256 {credential}, SignedHeaders={}, Signature={signature}",
        names.join(";")
    );
    request.header("Authorization", &value)
}
