//! Do the sources of credentials work over real connections, slow and broken ones included?
//!
//! Metadata services and STS have fixed addresses, so a transport sends what is meant for them to a
//! server of the test's own, and shortens what they may take: nothing here waits for real.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cumulo_core::alibaba::credentials as alibaba;
use cumulo_core::clock::{BoxFuture, Clock as _, SystemEntropy, unix_seconds};
use cumulo_core::credentials::{Cache, Context, Environment, Identity, Reason, Static};
use cumulo_core::huawei::credentials as huawei;
use cumulo_core::sign::time::iso8601;
use cumulo_core::transport::{
    HttpOptions, HttpRequest, HttpResponse, HttpTransport, Transport, TransportError,
};
use cumulo_localcloud::accounts;
use cumulo_smc::access_token::ListAccessTokens;
use cumulo_tests::{Bench, manual_clock};
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What the server does with a request.
#[derive(Debug, Clone)]
enum Answer {
    Status(u16, &'static str, String),
    /// Closes the connection without a word.
    Close,
    /// Promises more than it sends.
    CutOff,
    /// Never answers.
    Hang,
}

fn text(text: &str) -> Answer {
    Answer::Status(200, "text/plain", text.to_owned())
}

fn body(body: &Json) -> Answer {
    Answer::Status(200, "application/json", body.to_string())
}

fn html(status: u16) -> Answer {
    Answer::Status(status, "text/html", "<html>s3cr3t</html>".into())
}

/// Answers from a list, one connection each, and keeps what was asked.
#[derive(Debug, Clone)]
struct Server {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(answers: Vec<Answer>) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            address: format!("http://{}", socket.local_addr().unwrap()),
            asked: Arc::default(),
        };
        let asked = Arc::clone(&server.asked);
        tokio::spawn(async move {
            let mut open = Vec::new();
            for answer in answers {
                let Ok((mut stream, _)) = socket.accept().await else {
                    return;
                };
                let request = read(&mut stream).await;
                asked.lock().unwrap().push(request);
                let bytes = match answer {
                    Answer::Status(status, kind, body) => format!(
                        "HTTP/1.1 {status} x\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                        body.len()
                    ),
                    Answer::CutOff => {
                        "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"AccessKeyId\":\"s3cr3t"
                            .into()
                    }
                    Answer::Close => String::new(),
                    Answer::Hang => {
                        open.push(stream);
                        continue;
                    }
                };
                let _ = stream.write_all(bytes.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
            // Whatever hangs goes on hanging.
            std::future::pending::<()>().await;
            drop(open);
        });
        server
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn first_lines(&self) -> Vec<String> {
        let asked = self.asked();
        asked
            .iter()
            .map(|text| text.lines().next().unwrap_or_default().to_owned())
            .collect()
    }
}

async fn read(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let mut part = [0; 4096];
        let count = stream.read(&mut part).await.unwrap_or(0);
        bytes.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, rest)) = text.split_once("\r\n\r\n") else {
            if count == 0 {
                return text;
            }
            continue;
        };
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.trim().parse::<usize>().unwrap())
        });
        if count == 0 || rest.len() >= length.unwrap_or(0) {
            return text;
        }
    }
}

/// Sends every request to one server, within a few milliseconds, and keeps how long each was given.
#[derive(Debug)]
struct Detour {
    server: String,
    inner: HttpTransport,
    timeouts: Arc<Mutex<Vec<Duration>>>,
}

/// Long enough for a busy machine's loopback, short enough for a test that hangs on purpose.
const SOON: Duration = Duration::from_millis(250);

impl Transport for Detour {
    fn send(
        &self,
        mut request: HttpRequest,
    ) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        let path = request.url.path().to_owned();
        let query = request
            .url
            .query()
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        request.url = format!("{}{path}{query}", self.server).parse().unwrap();
        self.timeouts.lock().unwrap().push(request.timeout);
        request.timeout = SOON;
        self.inner.send(request)
    }
}

struct World {
    server: Server,
    context: Context,
    timeouts: Arc<Mutex<Vec<Duration>>>,
}

async fn world(answers: Vec<Answer>, variables: &[(&str, &str)]) -> World {
    let server = Server::start(answers).await;
    let timeouts: Arc<Mutex<Vec<Duration>>> = Arc::default();
    let options = HttpOptions {
        no_proxy: true,
        ..HttpOptions::default()
    };
    let transport = Arc::new(Detour {
        server: server.address.clone(),
        inner: HttpTransport::new(&options).unwrap(),
        timeouts: Arc::clone(&timeouts),
    });
    let context = Context {
        transport: Arc::clone(&transport) as _,
        direct: transport,
        clock: Arc::new(manual_clock()),
        entropy: Arc::new(SystemEntropy::default()),
        environment: Environment::fixed(variables.iter().copied()),
    };
    World {
        server,
        context,
        timeouts,
    }
}

/// An hour from now is what every test server promises.
fn an_hour_from_now() -> String {
    let at = unix_seconds(manual_clock().now()) + 3600;
    iso8601(at)
}

fn keys(id: &str, secret: &str, token: &str, ends: &str) -> Json {
    json!({
        "Code": "Success", "AccessKeyId": id, "AccessKeySecret": secret,
        "SecurityToken": token, "Expiration": ends,
    })
}

fn good() -> Json {
    keys("STS.id", "s3cr3t", "s3cr3t-token", &an_hour_from_now())
}

fn sts() -> Json {
    json!({ "RequestId": "r", "Credentials": good() })
}

fn role() -> alibaba::AssumeRole {
    alibaba::AssumeRole::new(Static::keys("LTAI1", "s3cr3t"), "acs:ram::1:role/app")
}

#[tokio::test]
async fn an_ecs_instance_finds_its_keys_at_the_end_of_the_chain() {
    let world = world(vec![text("tok"), text("app-role"), body(&good())], &[]).await;
    let cache = Cache::new(Arc::new(alibaba::DefaultChain::new()));
    let held = cache.get(&world.context).await.unwrap();
    assert_eq!(held.credential.source, "ECS RAM role app-role");
    let asked = world.server.first_lines();
    assert_eq!(asked[0], "PUT /latest/api/token HTTP/1.1");
    assert_eq!(
        asked[2],
        "GET /latest/meta-data/ram/security-credentials/app-role HTTP/1.1"
    );
    assert!(
        world.server.asked()[2]
            .to_lowercase()
            .contains("x-aliyun-ecs-metadata-token: tok")
    );
}

#[tokio::test]
async fn a_metadata_service_that_hangs_costs_two_seconds_at_most() {
    let world = world(vec![Answer::Hang, Answer::Hang, Answer::Hang], &[]).await;
    let error = Cache::new(Arc::new(alibaba::DefaultChain::new()))
        .get(&world.context)
        .await
        .unwrap_err();
    assert_eq!(error.reason, Reason::NotConfigured);
    assert!(
        error.to_string().contains("this is no ECS instance"),
        "{error}"
    );
    let total: Duration = world.timeouts.lock().unwrap().iter().sum();
    assert!(total <= Duration::from_secs(2), "{total:?}");
}

#[tokio::test]
async fn broken_connections_to_sts_are_tried_again_and_broken_answers_are_told() {
    let answers = vec![Answer::Close, Answer::CutOff, body(&sts())];
    let flaky = world(answers, &[]).await;
    Cache::new(Arc::new(role()))
        .get(&flaky.context)
        .await
        .unwrap();
    assert_eq!(flaky.server.asked().len(), 3);

    for (answers, what, tries) in [
        (vec![Answer::Hang], "no answer in time", 1),
        (vec![html(404)], "status 404 with text/html", 1),
        (vec![html(405)], "status 405", 1),
        (vec![html(200)], "not JSON", 1),
        (vec![html(502), html(502), html(504)], "status 504", 3),
        (
            vec![Answer::Close, Answer::Close, Answer::Close],
            "the connection broke",
            3,
        ),
        (
            vec![body(&json!({ "Credentials": { "AccessKeyId": "x" } }))],
            "without AccessKeySecret",
            1,
        ),
    ] {
        let world = world(answers, &[]).await;
        let error = Cache::new(Arc::new(role()))
            .get(&world.context)
            .await
            .unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(text.contains(what), "{what} is not in {text}");
        assert!(!text.contains("s3cr3t"), "{text}");
        assert_eq!(world.server.asked().len(), tries, "{what}");
    }
}

#[tokio::test]
async fn a_credentials_uri_that_gives_what_has_ended() {
    let variables = [
        ("ALIBABA_CLOUD_CREDENTIALS_URI", "http://127.0.0.1:9/keys"),
        ("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true"),
    ];
    let past = iso8601(unix_seconds(manual_clock().now()) - 1);
    let past = keys("STS.id", "s3cr3t", "t", &past);
    let world = world(vec![body(&past), body(&good())], &variables).await;
    let cache = Cache::new(Arc::new(alibaba::DefaultChain::new()));
    let error = cache.get(&world.context).await.unwrap_err();
    assert_eq!(error.reason, Reason::Expired);
    assert!(error.to_string().contains("ended at"), "{error}");
    // It was not pinned, and the next answer counts.
    cache.get(&world.context).await.unwrap();
}

#[tokio::test]
async fn a_server_of_huawei_cloud_finds_its_agencys_keys() {
    let ends = an_hour_from_now();
    let issued = json!({ "credential": {
        "access": "TMP", "secret": "s3cr3t", "securitytoken": "s3cr3t-st", "expires_at": ends,
    } });
    let world = world(vec![html(405), body(&issued)], &[]).await;
    let cache = Cache::new(Arc::new(huawei::DefaultChain::new(
        huawei::LoginSettings::default(),
    )));
    let held = cache.get(&world.context).await.unwrap();
    let Identity::Keys(keys) = &held.credential.identity else {
        panic!("a token");
    };
    assert_eq!(keys.id, "TMP");
    assert_eq!(
        world.server.first_lines()[1],
        "GET /openstack/latest/securitykey HTTP/1.1"
    );
}

/// Keys that the service calls ended are refreshed once, and the call goes out again with the new.
#[tokio::test]
async fn an_ended_security_token_leads_to_one_new_role_session() {
    let bench = Bench::start().await;
    let ends = an_hour_from_now();
    let session = |id: &str, secret: &str, token: &str| {
        body(&json!({ "RequestId": "r", "Credentials": keys(id, secret, token, &ends) }))
    };
    let server = Server::start(vec![
        session(
            accounts::ALIBABA_EXPIRED_STS_KEY_ID,
            accounts::ALIBABA_EXPIRED_STS_SECRET,
            accounts::ALIBABA_EXPIRED_STS_TOKEN,
        ),
        session(
            accounts::ALIBABA_STS_KEY_ID,
            accounts::ALIBABA_STS_SECRET,
            accounts::ALIBABA_STS_TOKEN,
        ),
    ])
    .await;
    let smc = bench
        .smc()
        .credentials(role().endpoint(&server.address))
        .build()
        .unwrap();
    let listed = ListAccessTokens::new().send(&smc).await.unwrap();
    assert_eq!(listed.attempts().len(), 2);
    assert_eq!(server.asked().len(), 2);
    // Once is enough for all later calls.
    ListAccessTokens::new().send(&smc).await.unwrap();
    assert_eq!(server.asked().len(), 2);
}
