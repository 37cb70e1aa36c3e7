//! When no TLS connection can be trusted, is it said why and what to do, and nothing sent or repeated?

use cumulo_core::credentials::Environment;
use cumulo_localcloud::accounts;
use cumulo_smc::access_token::ListAccessTokens;
use cumulo_smc::{Error, Kind, Outcome};
use cumulo_tests::{Authority, Bench, TlsServer, failed_create, serve, smc_at};
use tokio_rustls::rustls::version;

async fn list(smc: cumulo_smc::Builder) -> Result<(), Error> {
    let smc = smc.build().unwrap();
    ListAccessTokens::new().send(&smc).await.map(drop)
}

fn not_trusted(error: &Error, what: &str, advice: &str) {
    assert_eq!(
        (error.kind(), error.outcome(), error.attempts().len()),
        (Kind::Tls, Outcome::NotSent, 1),
        "{error}"
    );
    assert!(!error.is_retryable());
    assert!(error.message().contains(what), "{what} is not in {error}");
    let hint = error.hint().unwrap_or_default();
    assert!(hint.contains(advice), "{advice} is not in {error}");
}

#[tokio::test]
async fn an_unknown_authority() {
    let authority = Authority::new();
    let address = TlsServer::showing(&authority.for_localhost()).start().await;
    let error = failed_create(smc_at(&address)).await;
    not_trusted(&error, "signed by an unknown authority", "extra_ca(..)");
    // Another authority of the same name has another key.
    let error = failed_create(smc_at(&address).extra_ca(Authority::new().pem())).await;
    assert_eq!((error.kind(), error.attempts().len()), (Kind::Tls, 1));
    assert!(error.hint().unwrap().contains("extra_ca(..)"), "{error}");
    list(smc_at(&address).extra_ca(authority.pem()))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_certificate_of_another_time_or_name() {
    let authority = Authority::new();
    for (name, years, what, advice) in [
        (
            "localhost",
            (2020, 2021),
            "expired on 2021-01-01T00:00:00Z",
            "clock",
        ),
        (
            "localhost",
            (3999, 4000),
            "not valid before 3999-01-01T00:00:00Z",
            "clock",
        ),
        (
            "other.example",
            (2020, 4000),
            "is for other.example, not localhost",
            "address",
        ),
    ] {
        let issued = authority.issue(name, years);
        let address = TlsServer::showing(&issued).start().await;
        let error = failed_create(smc_at(&address).extra_ca(authority.pem())).await;
        not_trusted(&error, what, advice);
    }
}

#[tokio::test]
async fn a_server_that_speaks_no_tls() {
    let server = serve("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
    let error = failed_create(smc_at(&format!("https://{}", server.address))).await;
    not_trusted(&error, "speaks plain HTTP", "http://");
    assert_eq!(server.connections(), 1);
}

/// Cut off during the handshake, it may work the next time.
#[tokio::test]
async fn a_handshake_that_is_cut_off_is_tried_again() {
    let server = serve("\u{16}\u{3}").await;
    let error = failed_create(smc_at(&format!("https://{}", server.address))).await;
    assert_eq!(
        (error.kind(), error.outcome(), error.attempts().len()),
        (Kind::Connect, Outcome::NotSent, 5),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_asks_for_a_certificate() {
    let authority = Authority::new();
    let shown = authority.for_localhost();
    let own = authority.issue("client.example", (2020, 4000));
    let foreign = Authority::new().issue("client.example", (2020, 4000));
    for version in [&version::TLS13, &version::TLS12] {
        let server = TlsServer {
            clients_of: Some(&authority),
            versions: vec![version],
            ..TlsServer::showing(&shown)
        };
        let address = server.start().await;
        let builder = || smc_at(&address).extra_ca(authority.pem());
        let error = failed_create(builder()).await;
        not_trusted(&error, "client certificate", "client_certificate(..)");
        let error = failed_create(
            builder().client_certificate(foreign.certificate.clone(), foreign.key.clone()),
        )
        .await;
        not_trusted(
            &error,
            "not accept the client's certificate",
            "client_certificate(..)",
        );
        list(builder().client_certificate(own.certificate.clone(), own.key.clone()))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn only_code_with_a_frightening_name_trusts_anybody() {
    let authority = Authority::new();
    for version in [&version::TLS13, &version::TLS12] {
        let issued = authority.issue("other.example", (2020, 2021));
        let server = TlsServer {
            versions: vec![version],
            ..TlsServer::showing(&issued)
        };
        let address = server.start().await;
        list(smc_at(&address).danger_accept_invalid_certs(true))
            .await
            .unwrap();
        let error = failed_create(smc_at(&address).danger_accept_invalid_certs(false)).await;
        assert_eq!(error.kind(), Kind::Tls);
    }
}

/// A directory that goes away.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("cumulo-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Keystone and the gateway of a private cloud, behind certificates of its own authority, which also
/// asks clients for theirs: all of it set up by `OS_*` variables or by `clouds.yaml` alone.
#[tokio::test]
async fn a_private_cloud_by_environment_alone() {
    let bench = Bench::start().await;
    let authority = Authority::new();
    let shown = authority.for_localhost();
    let own = authority.issue("client.example", (2020, 4000));
    let front = async |target: String| {
        let target = target.strip_prefix("http://").unwrap().to_owned();
        let (host, path) = target.split_once('/').unwrap_or((&target, ""));
        let server = TlsServer {
            clients_of: Some(&authority),
            target: Some(host.to_owned()),
            ..TlsServer::showing(&shown)
        };
        format!("{}/{path}", server.start().await)
    };
    let keystone = front(bench.cloud.iam_endpoint()).await;
    let gateway = front(bench.cloud.apig_endpoint()).await;
    let folder = Folder::new("private-cloud");
    let ca = folder.file("ca.pem", &authority.pem());
    let certificate = folder.file("cert.pem", &own.certificate);
    let key = folder.file("key.pem", &own.key);
    let login = [
        ("OS_AUTH_URL", keystone.as_str()),
        ("OS_USERNAME", accounts::KEYSTONE_USER),
        ("OS_PASSWORD", accounts::KEYSTONE_PASSWORD),
        ("OS_USER_DOMAIN_NAME", accounts::KEYSTONE_DOMAIN),
        ("OS_PROJECT_ID", accounts::KEYSTONE_PROJECT_ID),
    ];
    let files = [
        ("OS_CACERT", ca.as_str()),
        ("OS_CERT", certificate.as_str()),
        ("OS_KEY", key.as_str()),
    ];
    let cloud = format!(
        "clouds:\n  private:\n    cacert: {ca}\n    cert: {certificate}\n    key: {key}\n    auth:\n      auth_url: {keystone}\n      username: {}\n      password: {}\n      user_domain_name: {}\n      project_id: {}\n",
        accounts::KEYSTONE_USER,
        accounts::KEYSTONE_PASSWORD,
        accounts::KEYSTONE_DOMAIN,
        accounts::KEYSTONE_PROJECT_ID,
    );
    let clouds = folder.file("clouds.yaml", &cloud);
    let named = [
        ("OS_CLOUD", "private"),
        ("OS_CLIENT_CONFIG_FILE", clouds.as_str()),
    ];
    let client = |variables: &[(&str, &str)]| {
        cumulo_apig::Client::builder()
            .endpoint(&gateway)
            .instance_id(accounts::INSTANCE_ID)
            .clock(bench.clock.clone())
            .environment(Environment::fixed(variables.iter().copied()))
    };
    for variables in [[&login[..], &files[..]].concat(), named.to_vec()] {
        let apig = client(&variables).build().unwrap();
        cumulo_apig::app::ListAppsV2::new()
            .send(&apig)
            .await
            .unwrap();
    }
    // Without the authority, the login says what is missing, once.
    let apig = client(&login).build().unwrap();
    let error = cumulo_apig::app::ListAppsV2::new()
        .send(&apig)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (Kind::Credentials, Outcome::NotSent)
    );
    let text = error.to_string();
    assert!(text.contains("signed by an unknown authority"), "{text}");
    assert!(text.contains("extra_ca(..)"), "{text}");
    // Not checking certificates is never silent, neither on nor off.
    let unverified = [&login[..], &[("OS_INSECURE", "true")]].concat();
    let error = client(&unverified).build().unwrap_err();
    assert!(
        error
            .message()
            .contains("danger_accept_invalid_certs(true)"),
        "{error}"
    );
}

#[tokio::test]
async fn the_authority_of_a_zstack_server_by_its_variable() {
    let bench = Bench::start().await;
    let authority = Authority::new();
    let endpoint = bench.cloud.zstack_endpoint();
    let (host, path) = endpoint
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    let shown = authority.for_localhost();
    let server = TlsServer {
        target: Some(host.to_owned()),
        ..TlsServer::showing(&shown)
    };
    let address = format!("{}/{path}", server.start().await);
    let folder = Folder::new("zstack-ca");
    let ca = folder.file("ca.pem", &authority.pem());
    let variables = [
        ("ZSTACK_CA_FILE", ca.as_str()),
        ("ZSTACK_ACCOUNT_NAME", accounts::ZSTACK_ACCOUNT),
        ("ZSTACK_ACCOUNT_PASSWORD", accounts::ZSTACK_PASSWORD),
    ];
    let client = |variables: &[(&str, &str)]| {
        cumulo_zstack::Client::builder()
            .endpoint(&address)
            .clock(bench.clock.clone())
            .environment(Environment::fixed(variables.iter().copied()))
            .build()
            .unwrap()
    };
    let zstack = client(&variables);
    cumulo_zstack::access_key::QueryAccessKey::new()
        .send(&zstack)
        .await
        .unwrap();
    let error = cumulo_zstack::access_key::QueryAccessKey::new()
        .send(&client(&variables[1..]))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("unknown authority"), "{error}");
}

/// Tells the child process where the server is, and what its error must say.
#[cfg(target_os = "linux")]
const CHILD: &str = "CUMULO_TEST_TRUST";

/// This test again, in a process whose system trusts the authorities of `file`.
#[cfg(target_os = "linux")]
async fn in_a_system_that_trusts(file: &str, child: String) {
    let mut program = std::process::Command::new(std::env::current_exe().unwrap());
    program
        .args(["--exact", "tls::the_systems_authorities"])
        .env("SSL_CERT_FILE", file)
        .env_remove("SSL_CERT_DIR")
        .env(CHILD, child);
    // The server answers the program meanwhile.
    let output = tokio::task::spawn_blocking(move || program.output());
    let output = output.await.unwrap().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// Read as the platform's tools read them, when the first server is met.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_systems_authorities() {
    let authority = Authority::new();
    if let Ok(child) = std::env::var(CHILD) {
        let (address, says) = child.split_once(' ').unwrap();
        // Clients are built, and speak in clear, whatever the system trusts.
        let clear = serve("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
        list(smc_at(&format!("http://{}", clear.address)))
            .await
            .unwrap();
        let plain = list(smc_at(address)).await;
        let with_more = list(smc_at(address).extra_ca(authority.pem())).await;
        if says.is_empty() {
            plain.unwrap();
            with_more.unwrap();
        } else {
            not_trusted(&plain.unwrap_err(), says, "`extra_ca(..)`");
            // An authority of the same name has another key.
            not_trusted(&with_more.unwrap_err(), "not signed by", "extra_ca(..)");
        }
        return;
    }
    let address = TlsServer::showing(&authority.for_localhost()).start().await;
    let folder = Folder::new("system");
    let trusted = folder.file("trusted.pem", &authority.pem());
    let empty = folder.file("empty.pem", "");
    in_a_system_that_trusts(&trusted, format!("{address} ")).await;
    let says = "this system has no trusted certificate authorities";
    in_a_system_that_trusts(&empty, format!("{address} {says}")).await;
}
