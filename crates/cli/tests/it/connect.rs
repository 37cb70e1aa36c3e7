//! `--ca-file`, `--proxy`, `--insecure`, and what the environment says about proxies.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use cumulo_localcloud::accounts;
use cumulo_tests::{Authority, TlsServer};

use crate::common::{alibaba, bare, call_smc, cloud, run};

/// A proxy that answers everything itself; its address, and the first lines that it was sent.
fn proxy() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let lines = Arc::clone(&seen);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let line = answer(&mut stream.unwrap());
            lines.lock().unwrap().push(line);
        }
    });
    (address, seen)
}

fn answer(stream: &mut TcpStream) -> String {
    let mut start = [0; 4096];
    let count = stream.read(&mut start).unwrap_or(0);
    let _ = stream.write_all(
        b"HTTP/1.1 200 OK\r\ncontent-length: 17\r\nconnection: close\r\n\r\n{\"RequestId\":\"p\"}",
    );
    let text = String::from_utf8_lossy(&start[..count]);
    text.lines().next().unwrap_or_default().to_owned()
}

const VARIABLES: [&str; 6] = [
    "http_proxy",
    "HTTP_PROXY",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
];

#[test]
fn this_machine_is_never_asked_through_a_proxy_of_the_environment() {
    let cloud = cloud();
    let (address, seen) = proxy();
    let mut command = call_smc(&cloud, "ListAccessTokens", "{}");
    let ended = run(command.envs(VARIABLES.map(|name| (name, &address))));
    assert_eq!(ended.status, 0, "{}", ended.printed());

    // Nor is a Keystone that is sent a password.
    let keystone = cloud.iam_endpoint().replace("127.0.0.1", "localhost");
    let mut command = bare();
    command
        .args(["whoami", "apig"])
        .env("OS_AUTH_URL", keystone)
        .env("OS_USERNAME", accounts::KEYSTONE_USER)
        .env("OS_PASSWORD", accounts::KEYSTONE_PASSWORD)
        .env("OS_USER_DOMAIN_NAME", accounts::KEYSTONE_DOMAIN)
        .env("OS_PROJECT_ID", accounts::KEYSTONE_PROJECT_ID);
    let ended = run(command.envs(VARIABLES.map(|name| (name, &address))));
    assert_eq!(ended.status, 0, "{}", ended.printed());
    assert_eq!(*seen.lock().unwrap(), [""; 0]);
}

#[test]
fn other_machines_are_asked_through_the_proxy() {
    let (address, seen) = proxy();
    let call = ["call", "smc", "ListAccessTokens", "--allow-http"];
    let to = ["--endpoint-url", "http://smc.invalid"];
    let ended = run(alibaba().args(call).args(to).args(["--proxy", &address]));
    assert_eq!(ended.status, 0, "{}", ended.printed());
    let ended = run(alibaba().args(call).args(to).env("http_proxy", &address));
    assert_eq!(ended.status, 0, "{}", ended.printed());
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 2);
    for line in &*seen {
        assert!(line.starts_with("POST http://smc.invalid/"), "{line}");
    }
}

#[test]
fn flags_that_cannot_be_used_say_why() {
    for (flags, words) in [
        (["--proxy", "nonsense"], "is no proxy"),
        (["--proxy", "http://me:s3cr3t@:1"], "is no proxy"),
        (
            ["--ca-file", "no-such-file.pem"],
            "--ca-file names no-such-file.pem",
        ),
        (["--ca-file", "Cargo.toml"], "no certificate in PEM"),
    ] {
        let call = ["call", "smc", "ListAccessTokens"];
        let ended = run(alibaba().args(call).args(flags));
        assert_ne!(ended.status, 0);
        let printed = ended.printed();
        assert!(printed.contains(words), "{printed}");
        assert!(!printed.contains("s3cr3t"), "{printed}");
    }
}

#[test]
fn an_authority_of_a_file_is_trusted_and_any_with_a_flag() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let authority = Authority::new();
    let issued = authority.for_localhost();
    let address = runtime.block_on(TlsServer::showing(&issued).start());
    let file = format!(
        "{}/authority-{}.pem",
        env!("CARGO_TARGET_TMPDIR"),
        std::process::id()
    );
    std::fs::write(&file, authority.pem()).unwrap();
    let call = [
        "call",
        "smc",
        "ListAccessTokens",
        "--endpoint-url",
        &address,
    ];
    let ended = run(alibaba().args(call));
    assert_eq!(ended.status, 1);
    assert!(ended.printed().contains("--ca-file"), "{}", ended.printed());
    for flags in [&["--ca-file", &file][..], &["--insecure"][..]] {
        let ended = run(alibaba().args(call).args(flags));
        assert_eq!(ended.status, 0, "{}", ended.printed());
    }
    // The environment alone cannot switch the check off.
    let mut command = bare();
    command
        .args(["call", "apig", "ListAppsV2", "--endpoint-url", &address])
        .args(["--instance-id", "gateway-1"])
        .envs([
            ("OS_TOKEN", "t"),
            ("OS_PROJECT_ID", "p"),
            ("OS_INSECURE", "1"),
        ]);
    let ended = run(&mut command);
    assert_eq!(ended.status, 2, "{}", ended.printed());
    assert!(
        ended.printed().contains("--insecure"),
        "{}",
        ended.printed()
    );
    let ended = run(command.arg("--insecure"));
    assert_eq!(ended.status, 0, "{}", ended.printed());
    std::fs::remove_file(&file).unwrap();
}
