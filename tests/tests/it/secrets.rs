//! Does any text that the clients produce, in success or failure, hold a secret?

use std::error::Error as _;
use std::io::Write;
use std::sync::{Arc, Mutex};

use cumulo_apig::app::{CreateAnAppV2, ListAppsV2};
use cumulo_apig::app_code::CreateAppCodeV2;
use cumulo_core::alibaba::AcsSignature;
use cumulo_core::clock::BoxFuture;
use cumulo_core::credentials::Static;
use cumulo_core::huawei::credentials as huawei;
use cumulo_core::transport::{
    HttpRequest, HttpResponse, Transport, TransportError, TransportErrorKind,
};
use cumulo_core::zstack::credentials as zstack_credentials;
use cumulo_localcloud::{FaultKind, Service, accounts};
use cumulo_smartag::client_user::CreateSmartAccessGatewayClientUser;
use cumulo_smc::Error;
use cumulo_smc::access_token::{CreateAccessToken, ListAccessTokens};
use cumulo_tests::{Answer, Bench, HARD_APP_CODE, Script};
use cumulo_zstack::access_key::{CreateAccessKey, QueryAccessKey};
use tracing_subscriber::fmt::MakeWriter;

const PASSWORD: &str = r#"Pa"ss & <W>ord\1@x~中"#;
const SESSION: &str = "5e55105e55105e55105e55105e55105e";
const KEYSTONE_TOKEN: &str = "MIITokenOf+Keystone/With=Signs-and-quite-some-length";

/// Everything that must not be seen.
const SECRETS: &[&str] = &[
    accounts::ALIBABA_SECRET,
    accounts::ALIBABA_STS_SECRET,
    accounts::ALIBABA_STS_TOKEN,
    accounts::HUAWEI_SK,
    accounts::HUAWEI_TEMP_SK,
    accounts::HUAWEI_SECURITY_TOKEN,
    accounts::ZSTACK_KEY_SECRET,
    accounts::ZSTACK_PASSWORD,
    accounts::KEYSTONE_PASSWORD,
    cumulo_tests::ZSTACK_PASSWORD_HASH,
    HARD_APP_CODE,
    PASSWORD,
    SESSION,
    KEYSTONE_TOKEN,
];

fn percent(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(byte as char);
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// `text` holds none of `secrets`, in any encoding, nor a long piece of one.
fn assert_clean(text: &str, secrets: &[&str], what: &str) {
    for secret in secrets {
        let json = serde_json::Value::from(*secret).to_string();
        let once = percent(secret);
        for form in [
            (*secret).to_owned(),
            json.trim_matches('"').to_owned(),
            percent(&once),
            once,
        ] {
            let letters: Vec<char> = form.chars().collect();
            // Shorter pieces are common to secrets and to the ids that go with them.
            for piece in letters.windows(letters.len().min(20)).step_by(10) {
                let piece: String = piece.iter().collect();
                assert!(!text.contains(&piece), "{what} shows {piece}: {text}");
            }
        }
    }
}

/// What log collectors would get.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;
    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Log {
    /// Takes down everything that this thread traces, until the guard goes.
    fn start(&self) -> tracing::subscriber::DefaultGuard {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
            .with_ansi(false)
            .with_writer(self.clone())
            .finish();
        tracing::subscriber::set_default(subscriber)
    }
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

/// A service that quotes the whole request in its answer: some do when a signature is wrong.
#[derive(Debug, Clone, Copy)]
enum Mirror {
    Json(u16),
    Plain(u16),
    Html(u16),
    /// The quote begins so far into a long text that it is cut.
    Cut(u16, usize),
    /// Code and request id are made of what was sent, the headers too.
    Echo(u16),
    TransportErrorKind,
}

const MIRRORS: &[Mirror] = &[
    Mirror::Json(400),
    Mirror::Json(401),
    Mirror::Json(503),
    Mirror::Plain(403),
    Mirror::Plain(500),
    Mirror::Html(200),
    Mirror::Html(502),
    Mirror::Cut(403, 60),
    Mirror::Cut(500, 250),
    Mirror::Cut(404, 285),
    Mirror::Echo(200),
    Mirror::Echo(400),
    Mirror::Echo(403),
    Mirror::Echo(500),
    Mirror::TransportErrorKind,
];

fn quote(request: &HttpRequest) -> String {
    let mut text = format!("{} {}", request.method, request.url);
    for (name, value) in &request.headers {
        text.push_str(&format!(
            " {name}: {}",
            String::from_utf8_lossy(value.as_bytes())
        ));
    }
    format!("{text} {}", String::from_utf8_lossy(&request.body))
}

impl Transport for Mirror {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        let quoted = quote(&request);
        let mut headers = http::HeaderMap::new();
        let (status, body) = match *self {
            Self::Json(status) => {
                let message = format!("refused: {quoted}");
                let json = serde_json::json!({
                    "Code": "Odd.Code", "error_code": "Odd.Code", "Message": message, "error_msg": message,
                    "error": {"code": "SYS.1006", "details": message, "cause": {"code": "A.1", "details": quoted}},
                });
                (status, json.to_string())
            }
            Self::Plain(status) => (status, quoted),
            Self::Html(status) => (status, format!("<html><body>{quoted}</body></html>")),
            Self::Cut(status, lead) => {
                // Only what was secret: where it is cut depends on the lead.
                let secret = quoted
                    .split(' ')
                    .max_by_key(|word| word.len())
                    .unwrap_or_default();
                (status, format!("{} {secret}", "x".repeat(lead)))
            }
            Self::Echo(status) => {
                let line = format!("\u{1b}[31m{}", quoted.replace(['\r', '\n'], " "));
                for name in ["x-acs-request-id", "x-request-id", "x-job-uuid"] {
                    if status > 400
                        && let Ok(value) = http::HeaderValue::from_str(&quoted)
                    {
                        headers.insert(name, value);
                    }
                }
                let json = serde_json::json!({
                    "Code": line, "error_code": line, "RequestId": line, "request_id": line,
                    "error": {"code": line, "details": "m"},
                });
                (status, json.to_string())
            }
            Self::TransportErrorKind => {
                let source = "the connection was reset";
                let error = TransportError::new(TransportErrorKind::Interrupted, source);
                return Box::pin(std::future::ready(Err(error)));
            }
        };
        Box::pin(std::future::ready(Ok(HttpResponse {
            status,
            headers,
            body: body.into(),
        })))
    }
}

/// Everything that a program may print of an error.
fn texts(error: &Error) -> String {
    let mut text = format!(
        "{error}\n{error:?}\n{error:#?}\n{}\n{}",
        error.explain(),
        error.message()
    );
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!("\n{cause}\n{cause:?}"));
        source = cause.source();
    }
    for attempt in error.attempts() {
        text.push_str(&format!("\n{attempt} {attempt:?}"));
    }
    text
}

fn sts() -> Static {
    Static::temporary(
        accounts::ALIBABA_STS_KEY_ID,
        accounts::ALIBABA_STS_SECRET,
        accounts::ALIBABA_STS_TOKEN,
    )
}

#[tokio::test]
async fn failures_that_quote_the_request() {
    let bench = Bench::start().await;
    let log = Log::default();
    let guard = log.start();
    let mut errors = Vec::new();
    for mirror in MIRRORS {
        for signature in [AcsSignature::V3, AcsSignature::V1] {
            let smc = bench
                .smc()
                .signature(signature)
                .credentials(sts())
                .transport(*mirror)
                .build()
                .unwrap();
            errors.push(ListAccessTokens::new().send(&smc).await.unwrap_err());
            let sag = bench
                .smartag()
                .signature(signature)
                .transport(*mirror)
                .build()
                .unwrap();
            let operation = CreateSmartAccessGatewayClientUser::new(100, "sag-1", "a@example.com");
            errors.push(operation.password(PASSWORD).send(&sag).await.unwrap_err());
        }
        let temporary = Static::temporary(
            accounts::HUAWEI_TEMP_AK,
            accounts::HUAWEI_TEMP_SK,
            accounts::HUAWEI_SECURITY_TOKEN,
        );
        let apig = bench
            .apig()
            .credentials(temporary)
            .transport(*mirror)
            .build()
            .unwrap();
        errors.push(
            CreateAppCodeV2::new("app", HARD_APP_CODE)
                .send(&apig)
                .await
                .unwrap_err(),
        );
        let apig = bench
            .apig()
            .credentials(Static::token(KEYSTONE_TOKEN))
            .transport(*mirror)
            .build()
            .unwrap();
        errors.push(
            CreateAnAppV2::new("shop")
                .app_secret(PASSWORD)
                .send(&apig)
                .await
                .unwrap_err(),
        );
        let zstack = bench
            .zstack()
            .credentials(Static::token(SESSION))
            .transport(*mirror)
            .build()
            .unwrap();
        errors.push(QueryAccessKey::new().send(&zstack).await.unwrap_err());
        let zstack = bench.zstack().transport(*mirror).build().unwrap();
        let create = CreateAccessKey::new("a", "u").access_key_secret(PASSWORD);
        errors.push(create.send(&zstack).await.unwrap_err());
        errors.push(
            cumulo_zstack::account::LogOut::new(SESSION)
                .send(&zstack)
                .await
                .unwrap_err(),
        );
        let login = cumulo_zstack::account::LogInByAccount::new(
            "admin",
            cumulo_tests::ZSTACK_PASSWORD_HASH,
        );
        errors.push(login.send(&zstack).await.unwrap_err());
    }
    drop(guard);
    for error in &errors {
        let text = texts(error);
        assert_clean(&text, SECRETS, error.operation());
        assert!(!text.contains(['\u{1b}', '\u{9b}']), "{text:?}");
    }
    assert!(
        log.text().contains("cumulo.call") && log.text().contains("cumulo.attempt"),
        "the log was taken down"
    );
    assert_clean(&log.text(), SECRETS, "the log");
    assert!(!log.text().contains('\u{1b}'));
}

/// A success whose request id and further members are an echo.
#[tokio::test]
async fn successes_that_echo_the_request() {
    let bench = Bench::start().await;
    let log = Log::default();
    let guard = log.start();
    let mut shown = String::new();
    for secret in [
        accounts::ALIBABA_STS_TOKEN,
        accounts::ALIBABA_STS_SECRET,
        "\u{1b}[2J",
    ] {
        let body = serde_json::json!({"RequestId": secret, "TotalCount": {secret: 1}}).to_string();
        let smc = bench
            .smc()
            .credentials(sts())
            .transport(Script::one(200, body));
        let listed = ListAccessTokens::new()
            .send(&smc.build().unwrap())
            .await
            .unwrap();
        shown += &format!(
            "{:?} {:?} {:?}",
            listed.request_id(),
            listed.attempts(),
            listed.warnings()
        );
    }
    let body = serde_json::json!({"app_code": {PASSWORD: 1}}).to_string();
    let apig = bench.apig().credentials(Static::token(KEYSTONE_TOKEN));
    let answer = Answer::new(201, body).header("x-request-id", KEYSTONE_TOKEN);
    let apig = apig.transport(Script::new([answer])).build().unwrap();
    let made = CreateAppCodeV2::new("app", HARD_APP_CODE)
        .send(&apig)
        .await
        .unwrap();
    shown += &format!("{:?} {:?}", made.request_id(), made.attempts());
    // A job of ZStack's goes by the session's name.
    let location = format!(r#"{{"location":"http://h/v1/api-jobs/{SESSION}"}}"#);
    let script = Script::new([Answer::new(202, location), Answer::new(200, "{}")]);
    let zstack = bench.zstack().credentials(Static::token(SESSION));
    let zstack = zstack.transport(script.clone()).build().unwrap();
    let create = CreateAccessKey::new("a", "u").send(&zstack).await.unwrap();
    shown += &format!(
        "{:?} {:?} {:?}",
        create.job(),
        create.request_id(),
        create.attempts()
    );
    assert!(!script.sent()[1].url.path().contains(SESSION));
    drop(guard);
    assert_clean(&shown, SECRETS, "the response");
    assert_clean(&log.text(), SECRETS, "the log");
    assert!(!shown.contains('\u{1b}') && !log.text().contains('\u{1b}'));
}

/// Members and headers that no model knows: their names say that they are secret.
#[tokio::test]
async fn secrets_by_their_names() {
    let bench = Bench::start().await;
    let log = Log::default();
    let guard = log.start();
    let secrets = [PASSWORD, KEYSTONE_TOKEN];
    let mut shown = String::new();
    let mut errors = Vec::new();
    for mirror in [Mirror::Json(400), Mirror::Echo(403), Mirror::Plain(400)] {
        for signature in [AcsSignature::V3, AcsSignature::V1] {
            let smc = bench
                .smc()
                .signature(signature)
                .transport(mirror)
                .build()
                .unwrap();
            let call = || {
                let call = ListAccessTokens::new().send(&smc);
                call.param(
                    "Login",
                    serde_json::json!([{"PassWord": PASSWORD, "Pin_Secret": "pin"}]),
                )
                .header("X-Auth-Token", KEYSTONE_TOKEN)
            };
            shown += &format!("{0} {0:?}\n", call().dry_run().await.unwrap());
            errors.push(call().await.unwrap_err());
        }
        let apig = bench.apig().transport(mirror).build().unwrap();
        let call = || {
            let call = CreateAnAppV2::new("shop").send(&apig);
            call.param("new_password", PASSWORD)
                .param("pin_secret", "pin")
                .header("x-other-Token", KEYSTONE_TOKEN)
        };
        shown += &format!("{0} {0:?}\n", call().dry_run().await.unwrap());
        errors.push(call().await.unwrap_err());
        let zstack = bench.zstack().transport(mirror).build().unwrap();
        let call = || {
            let call = QueryAccessKey::new().send(&zstack);
            call.param("password", PASSWORD)
                .param("pin_secret", "pin")
                .header("Cookie", KEYSTONE_TOKEN)
        };
        shown += &format!("{0} {0:?}\n", call().dry_run().await.unwrap());
        errors.push(call().await.unwrap_err());
    }
    drop(guard);
    assert_clean(&shown, &secrets, "a dry run");
    assert!(shown.contains("redacted"), "{shown}");
    for pin in ["=pin", "%3Dpin", r#":"pin""#] {
        assert!(!shown.contains(pin), "{shown}");
    }
    for error in &errors {
        assert_clean(&texts(error), &secrets, error.operation());
    }
    assert_clean(&log.text(), &secrets, "the log");
    // Tokens that open nothing are shown.
    let smc = bench.smc().build().unwrap();
    let call = ListAccessTokens::new()
        .send(&smc)
        .param("NextToken", "page-two");
    assert!(call.dry_run().await.unwrap().url.contains("page-two"));
}

#[tokio::test]
async fn logins_that_fail() {
    let bench = Bench::start().await;
    let log = Log::default();
    let guard = log.start();
    for mirror in MIRRORS {
        let apig = bench.apig_by_password().transport(*mirror).build().unwrap();
        let error = ListAppsV2::new().send(&apig).await.unwrap_err();
        assert_clean(&texts(&error), SECRETS, &format!("{mirror:?}"));
        let zstack = bench.zstack_by_login().transport(*mirror).build().unwrap();
        let error = QueryAccessKey::new().send(&zstack).await.unwrap_err();
        assert_clean(&texts(&error), SECRETS, &format!("{mirror:?}"));
    }
    drop(guard);
    assert_clean(&log.text(), SECRETS, "the log");
}

#[tokio::test]
async fn successes_and_what_the_services_issue() {
    let bench = Bench::start().await;
    let log = Log::default();
    let guard = log.start();
    let mut shown = String::new();
    let mut issued = Vec::new();

    let smc = bench.smc().credentials(sts()).build().unwrap();
    bench.fault(Service::Smc, "ListAccessTokens", FaultKind::Reset);
    let made = CreateAccessToken::new().send(&smc).await.unwrap();
    issued.push(made.access_token_code.clone().unwrap());
    let listed = ListAccessTokens::new().send(&smc).await.unwrap();
    shown += &format!("{made:?} {:#?} {listed:?} {smc:?}", made.output);

    let apig = bench.apig_by_password().build().unwrap();
    let app = CreateAnAppV2::new("shop").send(&apig).await.unwrap();
    issued.push(app.app_secret.clone().unwrap());
    let operation = CreateAppCodeV2::new(app.id.clone().unwrap(), HARD_APP_CODE);
    let call = operation.send(&apig);
    shown += &format!("{operation:?} {call:?} {app:?} {apig:?}");
    let code = call.await.unwrap();
    shown += &format!(
        "{code:?} {}",
        serde_json::to_string(&redacted(&code.output)).unwrap()
    );

    let zstack = bench.zstack_by_login().build().unwrap();
    let create = CreateAccessKey::new(accounts::ZSTACK_ACCOUNT_UUID, accounts::ZSTACK_USER_UUID);
    let create = create.access_key_secret("ChosenSecret+/=1");
    let key = create.send(&zstack).await.unwrap();
    let keys = QueryAccessKey::new().send(&zstack).await.unwrap();
    shown += &format!("{create:?} {key:?} {keys:?} {zstack:?}");
    zstack.close().await;
    drop(guard);

    for request in bench.cloud.requests() {
        for name in ["x-auth-token", "authorization"] {
            if let Some(value) = request.header(name)
                && let Some(session) = value
                    .strip_prefix("OAuth ")
                    .or((name == "x-auth-token").then_some(value))
            {
                issued.push(session.into());
            }
        }
    }
    assert!(issued.len() > 5, "{}", issued.len());
    let mut secrets: Vec<&str> = SECRETS.to_vec();
    secrets.extend(issued.iter().map(cumulo_apig::Secret::expose));
    secrets.push("ChosenSecret+/=1");
    let text = log.text();
    assert!(
        text.contains("CreateAppCodeV2") && text.contains("answered"),
        "the log was taken down"
    );
    assert_clean(&text, &secrets, "the log");
    assert_clean(&shown, &secrets, "Debug");
}

fn redacted(output: &dyn cumulo_core::record::Record) -> cumulo_core::record::Wire<'_> {
    cumulo_core::record::Wire::redacted(output)
}

#[test]
fn builders_and_providers() {
    let password = huawei::Password::new("user", PASSWORD).domain_name("d");
    let login = zstack_credentials::AccountLogin::new("https://h/zstack", "admin", PASSWORD);
    let key = Static::keys("id", accounts::ALIBABA_SECRET);
    let token = Static::token(KEYSTONE_TOKEN);
    let shown = format!("{password:?} {login:?} {key:?} {token:?} {:?}", sts());
    let smc = cumulo_smc::Client::builder().credentials(sts());
    let environment = cumulo_core::credentials::Environment::fixed([("OS_PASSWORD", PASSWORD)]);
    let shown = format!("{shown} {smc:?} {environment:?} {:?}", smc_client());
    assert_clean(&shown, SECRETS, "Debug");
}

fn smc_client() -> cumulo_smc::Client {
    let environment = cumulo_tests::no_environment();
    cumulo_smc::Client::builder()
        .credentials(sts())
        .environment(environment)
        .build()
        .unwrap()
}
