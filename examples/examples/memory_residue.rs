//! Which secrets are still in a program's memory after its calls?
//!
//! A child process makes calls with secrets that nothing else in its memory looks like, drops
//! everything and waits; this process, which plays the services, then reads the child's memory and
//! counts what is left of each. Linux only; `scripts/residue.sh` runs it. With `-- --where` each
//! place is shown with the text before it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};

use cumulo_apig::credentials as huawei;
use cumulo_smartag::client_user::CreateSmartAccessGatewayClientUser;
use cumulo_smc::credentials::Static;
use cumulo_smc::{Error, Secret};
use cumulo_zstack::credentials as zstack;

/// What is looked for, and where it is used.
const SECRETS: [&str; 9] = [
    "access key secret (signs)",
    "STS token (request header)",
    "Keystone password (request body)",
    "Keystone token (answer's header, request header)",
    "ZStack password (hashed into the request body)",
    "ZStack password in clear (request body)",
    "ZStack session (answer's body, request header)",
    "activation code (answer's body)",
    "user's password (request form)",
];

/// A text of 40 letters for each secret, made at run time so that the program's file has none.
fn secret(number: usize) -> String {
    let mut state = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut text = String::with_capacity(40);
    for _ in 0..40 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        text.push(char::from(b'A' + ((state >> 40) % 26) as u8));
    }
    text
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("calls") => calls(&arguments.next().unwrap_or_default()),
        other => watch(other == Some("--where")),
    }
}

/// The child: makes the calls, drops everything, waits.
fn calls(address: &str) -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let address = address.to_owned();
    runtime.block_on(async move {
        for _ in 0..2 {
            round(&address).await?;
        }
        Ok::<_, Error>(())
    })?;
    // Connections close with their tasks.
    drop(runtime);
    println!("dropped");
    let _ = std::io::stdin().read(&mut [0])?;
    Ok(())
}

async fn round(address: &str) -> Result<(), Error> {
    let keys = || Static::temporary("key-id", secret(0), secret(1));
    let smc = cumulo_smc::Client::builder()
        .endpoint(address)
        .region("cn-hangzhou")
        .credentials(keys())
        .build()?;
    let code = cumulo_smc::access_token::CreateAccessToken::new()
        .name("a")
        .send(&smc)
        .await?;
    assert!(code.access_token_code.is_some());
    let smartag = cumulo_smartag::Client::builder()
        .endpoint(address)
        .region("cn-hangzhou")
        .credentials(keys())
        .build()?;
    CreateSmartAccessGatewayClientUser::new(2000, "sag-1", "a@example.com")
        .user_name("somebody")
        .password(Secret::new(secret(8)))
        .send(&smartag)
        .await?;
    let login = huawei::Password::new("user", secret(2))
        .domain_name("domain")
        .project_id("p")
        .iam_endpoint(format!("{address}/v3"));
    let apig = cumulo_apig::Client::builder()
        .endpoint(address)
        .instance_id("i")
        .credentials(login)
        .build()?;
    cumulo_apig::app::ListAppsV2::new().send(&apig).await?;
    for clear in [false, true] {
        let login = zstack::AccountLogin::new(address, "admin", secret(4 + usize::from(clear)))
            .clear_password(clear);
        let zstack = cumulo_zstack::Client::builder()
            .endpoint(address)
            .credentials(login)
            .build()?;
        cumulo_zstack::access_key::QueryAccessKey::new()
            .send(&zstack)
            .await?;
    }
    Ok(())
}

/// The parent: plays the services, then reads the child's memory.
fn watch(places: bool) -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = format!("http://{}", listener.local_addr()?);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(stream));
        }
    });
    let mut child = Command::new(std::env::current_exe()?)
        .args(["calls", &address])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut said = String::new();
    if let Some(output) = child.stdout.take() {
        BufReader::new(output).read_line(&mut said)?;
    }
    if said.trim() != "dropped" {
        return Err("the calls failed".into());
    }
    let found = scan(child.id(), places)?;
    drop(child.stdin.take());
    child.wait()?;
    println!("copies left in memory, in whole or from the 9th letter on:");
    for (number, what) in SECRETS.iter().enumerate() {
        println!("{:4}  {what}", found.get(&number).copied().unwrap_or(0));
    }
    println!("{:4}  in all", found.values().sum::<usize>());
    Ok(())
}

fn scan(id: u32, places: bool) -> Result<BTreeMap<usize, usize>, Box<dyn std::error::Error>> {
    let maps = std::fs::read_to_string(format!("/proc/{id}/maps"))?;
    let mut memory = std::fs::File::open(format!("/proc/{id}/mem"))?;
    // Freed memory loses its first bytes to the allocator's own lists.
    let texts: Vec<String> = (0..SECRETS.len())
        .map(|number| secret(number)[8..].to_owned())
        .collect();
    let mut found = BTreeMap::new();
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        let (Some(range), Some(rights)) = (words.next(), words.next()) else {
            continue;
        };
        let name = words.nth(3).unwrap_or("(anonymous)");
        let Some((from, to)) = range.split_once('-') else {
            continue;
        };
        let (from, to) = (u64::from_str_radix(from, 16)?, u64::from_str_radix(to, 16)?);
        if !rights.starts_with("rw") || name.starts_with("[v") {
            continue;
        }
        let mut bytes = vec![0; usize::try_from(to - from)?];
        memory.seek(SeekFrom::Start(from))?;
        // What the kernel does not give out is not there.
        if memory.read_exact(&mut bytes).is_err() {
            continue;
        }
        for (number, text) in texts.iter().enumerate() {
            for at in positions(&bytes, text.as_bytes()) {
                *found.entry(number).or_default() += 1;
                if places {
                    let before = String::from_utf8_lossy(&bytes[at.saturating_sub(80)..at]);
                    println!(
                        "{name} {:#x} {}: {}",
                        from + at as u64,
                        SECRETS[number],
                        before.escape_debug()
                    );
                }
            }
        }
    }
    Ok(found)
}

fn positions(bytes: &[u8], text: &[u8]) -> Vec<usize> {
    let mut all = Vec::new();
    let mut at = 0;
    while let Some(next) = bytes[at..].iter().position(|byte| *byte == text[0]) {
        at += next;
        if bytes[at..].starts_with(text) {
            all.push(at);
        }
        at += 1;
    }
    all
}

/// Answers requests as the services would, each by its path.
fn serve(stream: TcpStream) {
    let Ok(writer) = stream.try_clone() else {
        return;
    };
    let (mut reader, mut writer) = (BufReader::new(stream), writer);
    loop {
        let mut head = String::new();
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap_or(0);
            }
            if line == "\r\n" {
                break;
            }
            head.push_str(&line);
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let (more, body) = answer(&head);
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{more}content-length: {}\r\n\r\n",
            body.len()
        );
        if writer.write_all((head + &body).as_bytes()).is_err() {
            return;
        }
    }
}

fn answer(head: &str) -> (String, String) {
    if head.contains("/v3/auth/tokens") {
        let body = r#"{"token":{"expires_at":"2099-01-01T00:00:00.000000Z","project":{"id":"p"},"catalog":[]}}"#;
        (
            format!("x-subject-token: {}\r\n", secret(3)),
            body.to_owned(),
        )
    } else if head.contains("/v1/accounts/login") {
        (
            String::new(),
            format!(r#"{{"inventory":{{"uuid":"{}"}}}}"#, secret(6)),
        )
    } else if head.contains("/v1/accesskeys") {
        (String::new(), r#"{"inventories":[]}"#.to_owned())
    } else if head.contains("CreateAccessToken") {
        let body = format!(
            r#"{{"RequestId":"r","AccessTokenId":"a","AccessTokenCode":"{}"}}"#,
            secret(7)
        );
        (String::new(), body)
    } else {
        (
            String::new(),
            r#"{"RequestId":"r","total":0,"size":0,"apps":[]}"#.to_owned(),
        )
    }
}
