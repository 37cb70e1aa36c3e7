//! Do logins work against Keystone itself, and not only against what we believe about it?
//!
//! Run by `tests/keystone/run.sh`, which starts a Keystone of OpenStack's own making and tells where
//! it is in `CUMULO_KEYSTONE_*` variables (listed in `tests/keystone/README.md`). Behind the `apigv2`
//! endpoint of its catalog stands a gateway that asks Keystone about each token, and names the token
//! that opened it in `X-Token-Audit-Id`.
#![cfg(feature = "keystone")]

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use cumulo_apig::app_code::{CreateAppCodeV2, ListAppCodesV2};
use cumulo_apig::{Client, Kind};
use cumulo_core::Secret;
use cumulo_core::clock::{BoxFuture, Clock as _, ManualClock, SystemClock, SystemEntropy};
use cumulo_core::credentials::{
    Cache, Context, Credential, CredentialError, Environment, Identity, Provider, Reason, Static,
    Window,
};
use cumulo_core::huawei::credentials::{
    ApplicationCredential, DefaultChain, LoginSettings, Password, Totp,
};
use cumulo_core::transport::{HttpOptions, HttpRequest, HttpTransport, Transport as _};
use http::{HeaderMap, HeaderValue, Method};

fn setting(name: &str) -> String {
    let name = format!("CUMULO_KEYSTONE_{name}");
    std::env::var(&name).unwrap_or_else(|_| panic!("{name} is not set: run tests/keystone/run.sh"))
}

fn transport() -> HttpTransport {
    let options = HttpOptions {
        no_proxy: true,
        ..HttpOptions::default()
    };
    HttpTransport::new(&options).unwrap()
}

fn context(clock: &ManualClock) -> Context {
    let transport = Arc::new(transport());
    Context {
        transport: Arc::clone(&transport) as _,
        direct: transport,
        clock: Arc::new(clock.clone()),
        entropy: Arc::new(SystemEntropy::default()),
        environment: Environment::empty(),
    }
}

/// A clock that stands at the real time.
fn clock() -> ManualClock {
    ManualClock::new(SystemClock::new().now())
}

fn by_name() -> Password {
    Password::new(setting("USER_NAME"), setting("PASSWORD"))
        .domain_name(setting("DOMAIN_NAME"))
        .iam_endpoint(setting("URL"))
}

fn by_id() -> Password {
    Password::by_id(setting("USER_ID"), setting("PASSWORD")).iam_endpoint(setting("URL"))
}

fn in_project() -> Password {
    by_name().project_id(setting("PROJECT_ID"))
}

async fn log_in(provider: &dyn Provider) -> Result<Credential, CredentialError> {
    provider.provide(&context(&clock())).await
}

fn token(credential: &Credential) -> Secret {
    match &credential.identity {
        Identity::Token(token) => token.clone(),
        _ => panic!("a login gives a token"),
    }
}

/// A client that knows its region and learns the endpoint from the catalog.
fn client(provider: impl Provider + 'static, clock: &ManualClock) -> Client {
    Client::builder()
        .region(setting("REGION"))
        .instance_id("gateway-1")
        .credentials(provider)
        .clock(clock.clone())
        .environment(Environment::empty())
        .build()
        .unwrap()
}

/// Calls the gateway; which token opened it.
async fn call(client: &Client) -> String {
    let listed = ListAppCodesV2::new("app-1").send(client).await.unwrap();
    assert_eq!(listed.total, Some(0));
    let audit = listed.headers().get("x-token-audit-id");
    audit
        .expect("the gateway names the token")
        .to_str()
        .unwrap()
        .to_owned()
}

async fn revoke(token: &Secret) {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("x-auth-token", setting("ADMIN_TOKEN")),
        ("x-subject-token", token.expose().to_owned()),
    ] {
        headers.insert(name, HeaderValue::from_str(&value).unwrap());
    }
    let request = HttpRequest {
        fresh: false,
        method: Method::DELETE,
        url: format!("{}/auth/tokens", setting("URL")).parse().unwrap(),
        headers,
        body: bytes::Bytes::new(),
        timeout: Duration::from_secs(30),
    };
    assert_eq!(transport().send(request).await.unwrap().status, 204);
}

/// Counts logins, and can be asked for the last token.
#[derive(Debug, Clone)]
struct Watched {
    /// One after the other; the last one for ever.
    logins: Arc<Vec<Password>>,
    count: Arc<AtomicUsize>,
    last: Arc<std::sync::Mutex<Option<Secret>>>,
}

impl Watched {
    fn new(logins: Vec<Password>) -> Self {
        Self {
            logins: Arc::new(logins),
            count: Arc::default(),
            last: Arc::default(),
        }
    }

    fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    fn last(&self) -> Secret {
        self.last.lock().unwrap().clone().unwrap()
    }
}

impl Provider for Watched {
    fn name(&self) -> &'static str {
        "watched"
    }

    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Credential, CredentialError>> {
        Box::pin(async move {
            let number = self.count.fetch_add(1, Ordering::Relaxed);
            let login = &self.logins[number.min(self.logins.len() - 1)];
            let credential = login.provide(context).await?;
            *self.last.lock().unwrap() = Some(token(&credential));
            Ok(credential)
        })
    }

    fn window(&self) -> Window {
        self.logins[0].window()
    }
}

#[tokio::test]
async fn users_by_name_and_by_id_in_projects_by_name_and_by_id() {
    let (id, name) = (setting("PROJECT_ID"), setting("PROJECT_NAME"));
    for login in [
        by_name().project_id(&id),
        by_name().project_name(&name),
        by_name()
            .project_name(&name)
            .project_domain_id(setting("DOMAIN_ID")),
        by_id().project_id(&id),
        by_id()
            .project_name(&name)
            .project_domain_name(setting("DOMAIN_NAME")),
        Password::new(setting("USER_NAME"), setting("PASSWORD"))
            .domain_id(setting("DOMAIN_ID"))
            .project_id(&id)
            .iam_endpoint(setting("URL").trim_end_matches("/v3")),
    ] {
        let credential = log_in(&login).await.unwrap();
        let scope = &credential.scope;
        assert_eq!(scope.project_id.as_ref(), Some(&id), "{login:?}");
        assert_eq!(scope.account, Some(setting("DOMAIN_ID")));
        assert_eq!(scope.user, Some(setting("USER_NAME")));
        let life = credential
            .expires_at
            .unwrap()
            .duration_since(clock().now())
            .unwrap();
        let full: u64 = setting("TOKEN_SECONDS").parse().unwrap();
        assert!((full - 60..=full).contains(&life.as_secs()), "{life:?}");
    }
    let second = log_in(&by_id().project_id(setting("SECOND_PROJECT_ID")))
        .await
        .unwrap();
    assert_eq!(second.scope.project_id, Some(setting("SECOND_PROJECT_ID")));
}

#[tokio::test]
async fn an_application_credential_logs_in() {
    let secret = || setting("APPLICATION_CREDENTIAL_SECRET");
    let by_name = || ApplicationCredential::by_name("program", secret());
    for login in [
        ApplicationCredential::new(setting("APPLICATION_CREDENTIAL_ID"), secret()),
        by_name().user_id(setting("USER_ID")),
        by_name()
            .user_name(setting("USER_NAME"))
            .domain_name(setting("DOMAIN_NAME")),
    ] {
        let login = login.iam_endpoint(setting("URL"));
        let credential = log_in(&login).await.unwrap();
        assert_eq!(credential.scope.project_id, Some(setting("PROJECT_ID")));
        assert_eq!(credential.scope.user, Some(setting("USER_NAME")));
    }
    let wrong = ApplicationCredential::new(setting("APPLICATION_CREDENTIAL_ID"), "wrong")
        .iam_endpoint(setting("URL"));
    let error = log_in(&wrong).await.unwrap_err();
    assert_eq!(error.reason, Reason::Refused);
    assert!(
        error.to_string().contains("requires authentication"),
        "{error}"
    );
}

#[tokio::test]
async fn names_and_passwords_with_odd_characters() {
    let login = Password::new(setting("ODD_USER_NAME"), setting("ODD_PASSWORD"))
        .domain_name(setting("DOMAIN_NAME"))
        .project_name(setting("PROJECT_NAME"))
        .iam_endpoint(setting("URL"));
    let credential = log_in(&login).await.unwrap();
    assert_eq!(credential.scope.user, Some(setting("ODD_USER_NAME")));
}

#[tokio::test]
async fn a_whole_domain_and_no_scope_at_all() {
    for login in [
        by_name().scope_domain_id(setting("DOMAIN_ID")),
        by_id().scope_domain_name(setting("DOMAIN_NAME")),
    ] {
        let credential = log_in(&login).await.unwrap();
        assert_eq!(credential.scope.project_id, None);
        assert!(
            credential
                .scope
                .endpoints
                .iter()
                .any(|entry| entry.service == "apigv2")
        );
    }
    let unscoped = log_in(&by_id()).await.unwrap();
    assert_eq!(unscoped.scope.project_id, None);
    // A call without a project says so, and does not go out with a hole in its path.
    let error = ListAppCodesV2::new("app-1")
        .send(&client(
            by_id().scope_domain_id(setting("DOMAIN_ID")),
            &clock(),
        ))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Configuration);
    assert!(error.to_string().contains("project_id"), "{error}");
}

#[tokio::test]
async fn refused_logins_say_what_to_check_and_no_secret() {
    let wrong = Password::new(setting("USER_NAME"), "s3cr3t-wrong")
        .domain_name(setting("DOMAIN_NAME"))
        .project_id(setting("PROJECT_ID"))
        .iam_endpoint(setting("URL"));
    for login in [
        wrong.clone(),
        by_name().project_name("eu-de_nowhere"),
        by_name().project_id("00000000000000000000000000000000"),
        by_name().project_id(setting("CLOSED_PROJECT_ID")),
        by_name().project_name(setting("CLOSED_PROJECT_NAME")),
        in_project().domain_name("no-such-domain"),
    ] {
        let error = log_in(&login).await.unwrap_err();
        assert_eq!(error.reason, Reason::Refused, "{error}");
        let text = error.to_string();
        assert!(
            text.contains("status 401") && text.contains("a role on the project"),
            "{text}"
        );
        assert!(
            !text.contains("s3cr3t") && !text.contains(&setting("PASSWORD")),
            "{text}"
        );
    }
    let error = ListAppCodesV2::new("app-1")
        .send(&client(wrong, &clock()))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Credentials);
    assert!(!format!("{error} {error:?}").contains("s3cr3t"));

    let elsewhere = in_project().iam_endpoint(format!("{}/nothing/here", setting("URL")));
    let error = log_in(&elsewhere).await.unwrap_err();
    assert!(error.to_string().contains("status 404"), "{error}");
    let nobody = in_project().iam_endpoint("http://127.0.0.1:1/v3");
    let error = log_in(&nobody).await.unwrap_err();
    assert_eq!(error.reason, Reason::Unavailable, "{error}");
}

#[tokio::test]
async fn the_catalog_tells_where_to_call() {
    let client_here = client(in_project(), &clock());
    assert!(!call(&client_here).await.is_empty());
    let entries = log_in(&in_project()).await.unwrap().scope.endpoints;
    let apig: Vec<_> = entries
        .iter()
        .filter(|entry| entry.service == "apigv2")
        .collect();
    assert!(
        apig.iter()
            .any(|entry| entry.region == setting("REGION") && entry.url == setting("APIGV2_URL"))
    );
    assert!(
        apig.iter().all(|entry| !entry.url.contains("internal")),
        "{apig:?}"
    );

    // Another region's endpoint is another one; the catalog's leads nowhere.
    let other = Client::builder()
        .region(setting("OTHER_REGION"))
        .instance_id("gateway-1")
        .credentials(in_project())
        .clock(clock())
        .environment(Environment::empty())
        .build()
        .unwrap();
    let error = ListAppCodesV2::new("app-1").send(&other).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Connect, "{error}");
}

#[tokio::test]
async fn one_login_serves_all_calls_of_all_clones() {
    let login = Watched::new(vec![in_project()]);
    let client = client(login.clone(), &clock());
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { call(&client).await })
        })
        .collect();
    let mut audits = std::collections::BTreeSet::new();
    for done in calls {
        audits.insert(done.await.unwrap());
    }
    assert_eq!((audits.len(), login.count()), (1, 1));
}

#[tokio::test]
async fn a_revoked_token_leads_to_one_new_login() {
    let login = Watched::new(vec![in_project()]);
    let client = client(login.clone(), &clock());
    let before = call(&client).await;
    revoke(&login.last()).await;
    let after = call(&client).await;
    assert_ne!(before, after);
    assert_eq!(login.count(), 2);

    // What was refused was not executed, so that a creation may be sent again too.
    revoke(&login.last()).await;
    let code = "cumulo-".repeat(10);
    let made = CreateAppCodeV2::new("app-1", code.as_str())
        .send(&client)
        .await
        .unwrap();
    assert_eq!(made.http_status(), 201);
    assert_eq!((made.attempts().len(), login.count()), (2, 3));
}

#[tokio::test]
async fn a_token_that_ended_on_the_server_is_replaced_once() {
    // The client's clock is an hour behind, so that it believes in what has ended.
    let behind = ManualClock::new(SystemClock::new().now() - Duration::from_secs(3600));
    let short = in_project().iam_endpoint(setting("SHORT_URL"));
    let login = Watched::new(vec![short.clone(), in_project()]);
    let audit = call(&client(login.clone(), &behind)).await;
    assert!(!audit.is_empty());
    assert_eq!(login.count(), 2);

    // Where every token is refused, two logins are enough to know.
    let login = Watched::new(vec![short]);
    let error = ListAppCodesV2::new("app-1")
        .send(&client(login.clone(), &behind))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::TokenExpired, "{error}");
    assert_eq!(login.count(), 2);
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends() {
    let clock = clock();
    let login = Watched::new(vec![in_project()]);
    let client = client(login.clone(), &clock);
    let before = call(&client).await;
    let full: u64 = setting("TOKEN_SECONDS").parse().unwrap();
    clock.advance(Duration::from_secs(full / 2));
    assert_eq!((call(&client).await, login.count()), (before.clone(), 1));
    // Within its last minute calls wait for another, which by this clock has little life left as well.
    clock.advance(Duration::from_secs(full / 2 - 50));
    let after = call(&client).await;
    assert_eq!(login.count(), 2);
    assert_ne!(before, after);
}

#[tokio::test]
async fn what_has_ended_by_our_clock_is_not_taken() {
    let ahead = ManualClock::new(SystemClock::new().now() + Duration::from_secs(100_000));
    let cache = Cache::new(Arc::new(in_project()));
    let error = cache.get(&context(&ahead)).await.unwrap_err();
    assert_eq!(error.reason, Reason::Expired);
    assert!(error.to_string().contains("clock says"), "{error}");
}

#[tokio::test]
async fn a_given_token_is_used_as_it_is() {
    let held = token(&log_in(&in_project()).await.unwrap());
    let given = Static::token(held.expose());
    let client = Client::builder()
        .endpoint(setting("GATEWAY_URL"))
        .project_id(setting("PROJECT_ID"))
        .instance_id("gateway-1")
        .credentials(given)
        .clock(clock())
        .environment(Environment::empty())
        .build()
        .unwrap();
    call(&client).await;
    revoke(&held).await;
    let error = ListAppCodesV2::new("app-1")
        .send(&client)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::TokenExpired);
    assert!(!error.to_string().contains(held.expose()));
}

/// The passcode of this half minute. Another program computes it, as another person's phone would.
fn passcode() -> String {
    let script = "\
import base64, hashlib, hmac, struct, sys, time
key = base64.b32decode(sys.argv[1])
mac = hmac.new(key, struct.pack('>Q', int(time.time()) // 30), hashlib.sha1).digest()
at = mac[-1] & 15
print('%06d' % ((struct.unpack('>I', mac[at:at + 4])[0] & 0x7fffffff) % 1000000))";
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let output = Command::new(python)
        .args(["-c", script, &setting("TOTP_SECRET")])
        .output()
        .unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn a_passcode_logs_in_once() {
    let user = || {
        Password::by_id(setting("TOTP_USER_ID"), setting("TOTP_PASSWORD"))
            .project_id(setting("PROJECT_ID"))
            .iam_endpoint(setting("URL"))
    };
    // The password alone is not enough, and the error says what is missing.
    let error = log_in(&user()).await.unwrap_err();
    assert!(error.to_string().contains("OS_PASSCODE"), "{error}");
    let error = log_in(&Totp::new(user(), "000000x")).await.unwrap_err();
    assert_eq!(error.reason, Reason::Refused, "{error}");

    let login = Totp::new(user(), passcode());
    let clock = clock();
    let cache = Cache::new(Arc::new(login.clone()));
    let held = cache.get(&context(&clock)).await.unwrap();
    assert_eq!(held.credential.scope.user, Some(setting("TOTP_USER_NAME")));

    // No second login behind the person's back once the token is refused.
    let client = client(login, &clock);
    let error = ListAppCodesV2::new("app-1")
        .send(&client)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Credentials);
    assert!(error.to_string().contains("works only once"), "{error}");
}

#[tokio::test]
async fn the_default_chain_logs_in_by_variables() {
    let url = setting("URL");
    let variables = [
        ("OS_AUTH_URL", url.clone()),
        ("OS_USERNAME", setting("USER_NAME")),
        ("OS_PASSWORD", setting("PASSWORD")),
        ("OS_USER_DOMAIN_NAME", setting("DOMAIN_NAME")),
        ("OS_PROJECT_NAME", setting("PROJECT_NAME")),
    ];
    let mut context = context(&clock());
    context.environment = Environment::fixed(variables);
    let chain = DefaultChain::new(LoginSettings::default());
    let credential = chain.provide(&context).await.unwrap();
    assert_eq!(credential.scope.project_id, Some(setting("PROJECT_ID")));
    assert!(
        credential
            .expires_at
            .is_some_and(|end| end > SystemTime::UNIX_EPOCH)
    );
    let report: Vec<_> = chain
        .explain(&context)
        .await
        .iter()
        .map(ToString::to_string)
        .collect();
    let user = setting("USER_NAME");
    assert!(
        report
            .iter()
            .any(|line| line.contains(&format!("found in login of {user}"))),
        "{report:?}"
    );
    assert!(
        report
            .iter()
            .all(|line| !line.contains(&setting("PASSWORD")))
    );
}
