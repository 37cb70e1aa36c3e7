//! A gateway with an API on it, for tests of what happens after it is published.

use bytes::Bytes;
use cumulo_apig::invoke::{Auth, Caller, CallerBuilder};
use cumulo_core::record::{Wire, to_value};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{Bench, Listener, serve_by};

/// The environment that every gateway has.
pub const RELEASE: &str = "DEFAULT_ENVIRONMENT_RELEASE_ID";

/// An API group of the local gateway, and an app.
#[derive(Debug)]
pub struct Gateway {
    /// The cloud it is in.
    pub bench: Bench,
    /// The control plane's client.
    pub apig: cumulo_apig::Client,
    /// The group's id.
    pub group: String,
    /// The group's domain, with the port.
    pub domain: String,
    /// Id, key and secret of the app.
    pub app: [String; 3],
}

impl Gateway {
    /// A group and an app.
    ///
    /// # Panics
    /// When the local cloud refuses them.
    pub async fn start() -> Self {
        let bench = Bench::start().await;
        let apig = bench.apig().build().expect("a client");
        let group = call(&apig, "CreateApiGroupV2", &json!({"name": "pets"})).await;
        let app = call(&apig, "CreateAnAppV2", &json!({"name": "shop"})).await;
        let text = |json: &Value, name: &str| json[name].as_str().unwrap_or_default().to_owned();
        Self {
            group: text(&group, "id"),
            domain: text(&group, "sl_domain"),
            app: ["id", "app_key", "app_secret"].map(|name| text(&app, name)),
            apig,
            bench,
        }
    }

    /// Makes an API from a mock that says `hello`, but for what is given; its id.
    ///
    /// # Panics
    /// When the local cloud refuses it.
    pub async fn api(&self, given: Value) -> String {
        let mut api = json!({
            "name": "pets_api",
            "type": 1,
            "req_protocol": "HTTPS",
            "req_method": "GET",
            "req_uri": "/pets/{id}",
            "auth_type": "NONE",
            "backend_type": "MOCK",
            "mock_info": {"result_content": "hello"},
            "group_id": self.group,
        });
        for (name, value) in given.as_object().into_iter().flatten() {
            api[name] = value.clone();
        }
        let made = call(&self.apig, "CreateApiV2", &api).await;
        made["id"].as_str().unwrap_or_default().to_owned()
    }

    /// Publishes an API; the publication's id.
    ///
    /// # Panics
    /// When the local cloud refuses it.
    pub async fn publish(&self, api: &str, env: &str) -> String {
        let wanted = json!({"action": "online", "env_id": env, "api_id": api});
        let made = call(&self.apig, "CreateOrDeletePublishRecordForApiV2", &wanted).await;
        made["publish_id"].as_str().unwrap_or_default().to_owned()
    }

    /// Lets the app call an API.
    ///
    /// # Panics
    /// When the local cloud refuses it.
    pub async fn authorize(&self, api: &str, env: &str) {
        let wanted = json!({"env_id": env, "app_ids": [self.app[0]], "api_ids": [api]});
        call(&self.apig, "CreateAuthorizingAppsV2", &wanted).await;
    }

    /// The app's signature.
    pub fn signature(&self) -> Auth {
        Auth::Signature {
            key: self.app[1].clone(),
            secret: self.app[2].as_str().into(),
        }
    }

    /// A caller of the group's APIs, whose waits take no time.
    pub fn caller(&self) -> CallerBuilder {
        Caller::builder(format!("http://{}", self.domain)).clock(self.bench.clock.clone())
    }
}

/// Calls an operation by its name; the answer with secrets in clear.
///
/// # Panics
/// When it fails.
pub async fn call(apig: &cumulo_apig::Client, name: &str, input: &Value) -> Value {
    let call = apig.call(name, input).expect("a known operation");
    let answer = call.await.unwrap_or_else(|error| panic!("{error}"));
    to_value(Wire::clear(&*answer.output))
}

/// A backend that answers with what it is sent: the head in `x-head`, and the body as it comes.
///
/// # Panics
/// When no port is free.
pub async fn echo() -> Listener {
    serve_by(|mut stream, _| async move {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => return,
            }
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let chunked = head.to_lowercase().contains("transfer-encoding: chunked");
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.trim().parse().ok())?
        });
        let mut left: usize = length.unwrap_or_default();
        let framing = if chunked {
            "transfer-encoding: chunked".into()
        } else {
            format!("content-length: {left}")
        };
        let shown = head.trim_end().replace("\r\n", "|");
        let answer = format!("HTTP/1.1 201 Created\r\nx-head: {shown}\r\n{framing}\r\n\r\n");
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
        let mut part = vec![0; 64 << 10];
        let mut tail = Vec::new();
        while chunked || left > 0 {
            let Ok(read @ 1..) = stream.read(&mut part).await else {
                return;
            };
            left = left.saturating_sub(read);
            if stream.write_all(&part[..read]).await.is_err() {
                return;
            }
            tail.extend_from_slice(&part[..read]);
            tail.drain(..tail.len().saturating_sub(7));
            if chunked && (tail.ends_with(b"\r\n0\r\n\r\n") || tail == b"0\r\n\r\n") {
                break;
            }
        }
        let _ = stream.shutdown().await;
    })
    .await
}

/// So many pieces of so many bytes each, made when they are asked for.
pub struct Pieces {
    /// How many are left.
    pub count: usize,
    /// A piece.
    pub piece: Bytes,
}

impl Pieces {
    /// `count` times `length` bytes.
    pub fn new(count: usize, length: usize) -> Self {
        Self {
            count,
            piece: Bytes::from(vec![b'x'; length]),
        }
    }
}

impl futures_core::Stream for Pieces {
    type Item = Result<Bytes, std::io::Error>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        if self.count == 0 {
            return std::task::Poll::Ready(None);
        }
        self.count -= 1;
        std::task::Poll::Ready(Some(Ok(self.piece.clone())))
    }
}
