//! Does the front read requests as they are, and lose answers as it is told?

use std::time::Duration;

use crate::common::{Acs, Connection, Request};
use cumulo_localcloud::{Fault, FaultKind, LocalCloud, Service};

fn smc(cloud: &LocalCloud) -> Acs<'static> {
    Acs::new(cloud.smc_endpoint(), "2019-06-01")
}

async fn count(cloud: &LocalCloud) -> i64 {
    let list = smc(cloud).v3("ListAccessTokens", &[]).send().await.json();
    list["TotalCount"].as_i64().unwrap()
}

#[tokio::test]
async fn connections_stay_open_and_take_pipelined_requests() {
    let cloud = LocalCloud::start().await;
    let mut connection = Connection::open(&cloud.smc_endpoint()).await;
    for _ in 0..3 {
        connection
            .write(&smc(&cloud).v3("CreateAccessToken", &[]).bytes())
            .await;
        assert_eq!(connection.read().await.unwrap().status, 200);
    }
    let mut many = Vec::new();
    for _ in 0..5 {
        many.extend(smc(&cloud).v3("ListAccessTokens", &[]).bytes());
    }
    connection.write(&many).await;
    for _ in 0..5 {
        assert_eq!(connection.read().await.unwrap().json()["TotalCount"], 3);
    }
    let last = smc(&cloud)
        .v3("ListAccessTokens", &[])
        .header("Connection", "close");
    connection.write(&last.bytes()).await;
    let answer = connection.read().await.unwrap();
    assert_eq!((answer.status, answer.header("connection")), (200, "close"));
    assert!(connection.rest().await.unwrap().is_empty());
}

#[tokio::test]
async fn targets_and_headers_are_kept_as_they_came() {
    let cloud = LocalCloud::start().await;
    let target = "/v2/%7ea/../b%2Fc/./?x=%e4&y=a+b&&";
    let answer = Request::new(&cloud.apig_endpoint(), "PATCH", target)
        .header("X-MiXeD", "  two  words ")
        .send()
        .await;
    assert_eq!(answer.status, 401);
    let seen = cloud.requests().pop().unwrap();
    assert_eq!(
        (seen.method.as_str(), seen.target.as_str()),
        ("PATCH", target)
    );
    assert!(
        seen.headers
            .iter()
            .any(|(name, value)| name == "x-mixed" && value.trim() == "two  words")
    );
    assert_eq!((seen.service, seen.status), (Service::Apig, Some(401)));
    let debug = format!("{seen:?}");
    assert!(!debug.contains("words"), "{debug}");
}

#[tokio::test]
async fn chunked_and_large_bodies() {
    let cloud = LocalCloud::start().await;
    let form = Acs {
        form: true,
        ..smc(&cloud)
    };
    let signed = form.v3(
        "CreateAccessToken",
        &[("Name", "chunked"), ("Description", "x")],
    );
    let bytes = String::from_utf8(signed.bytes()).unwrap();
    let (head, body) = bytes.split_once("\r\n\r\n").unwrap();
    let head = head.replace(
        &format!("Content-Length: {}", body.len()),
        "Transfer-Encoding: chunked\r\nExpect: 100-continue",
    );
    let (one, two) = body.split_at(7);
    let chunks = format!(
        "7;ext=1\r\n{one}\r\n{:X}\r\n{two}\r\n0\r\nTrailer: x\r\n\r\n",
        two.len()
    );
    let mut connection = Connection::open(&cloud.smc_endpoint()).await;
    connection.write(format!("{head}\r\n\r\n").as_bytes()).await;
    assert_eq!(connection.read().await.unwrap().status, 100);
    connection.write(chunks.as_bytes()).await;
    let answer = connection.read().await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());

    let large = vec![b'd'; 10_000_000];
    let login = "/zstack/v1/accounts/login";
    let answer = Request::new(&cloud.zstack_endpoint(), "PUT", login)
        .body("application/json", large.clone())
        .send()
        .await;
    assert_eq!(
        (answer.status, answer.text().as_str()),
        (400, "the body is not a JSON object")
    );
    assert!(cloud.requests().pop().unwrap().body == large);
    assert_eq!(count(&cloud).await, 1);

    let mut connection = Connection::open(&cloud.smc_endpoint()).await;
    connection
        .write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")
        .await;
    assert_eq!(connection.read().await.unwrap().status, 413);
}

#[tokio::test]
async fn malformed_requests_get_a_400() {
    let cloud = LocalCloud::start().await;
    for bytes in [
        "nonsense\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "GET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
        "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
    ] {
        let mut connection = Connection::open(&cloud.zstack_endpoint()).await;
        connection.write(bytes.as_bytes()).await;
        let answer = connection
            .read()
            .await
            .unwrap_or_else(|error| panic!("{bytes}: {error}"));
        assert_eq!(answer.status, 400, "{bytes}");
        assert!(connection.rest().await.unwrap().is_empty());
    }
    assert!(cloud.requests().is_empty());
}

#[tokio::test]
async fn heads_without_measure_are_refused() {
    let cloud = LocalCloud::start().await;
    let many = "a: b\r\n".repeat(101);
    let long = "a".repeat(70_000);
    for (bytes, status) in [
        (format!("GET / HTTP/1.1\r\n{many}\r\n"), 431),
        (format!("GET /{long} HTTP/1.1\r\n\r\n"), 414),
        (
            format!("GET / HTTP/1.1\r\na: {}\r\n\r\n", long.repeat(30)),
            431,
        ),
    ] {
        let mut connection = Connection::open(&cloud.apig_endpoint()).await;
        connection.write(bytes.as_bytes()).await;
        let answer = connection.read().await.unwrap();
        assert_eq!(answer.status, status);
    }
    assert!(cloud.requests().is_empty());
}

#[tokio::test]
async fn a_head_has_no_body_and_the_connection_goes_on() {
    let cloud = LocalCloud::start().await;
    let head = Request::new(&cloud.apig_endpoint(), "HEAD", "/v2/p").bytes();
    let last = Request::new(&cloud.apig_endpoint(), "GET", "/v2/p").header("Connection", "close");
    let mut connection = Connection::open(&cloud.apig_endpoint()).await;
    connection.write(&[head, last.bytes()].concat()).await;
    let all = String::from_utf8(connection.rest().await.unwrap()).unwrap();
    let (first, second) = all.split_once("\r\n\r\n").unwrap();
    assert!(first.starts_with("HTTP/1.1 401 "), "{first}");
    let length = first
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    assert_ne!(length.unwrap(), "0");
    assert!(second.starts_with("HTTP/1.1 401 "), "{second}");
    assert!(second.contains("error_code"), "{second}");
}

#[tokio::test]
async fn whoever_has_sent_everything_is_still_answered() {
    let cloud = LocalCloud::start().await;
    let mut connection = Connection::open(&cloud.smc_endpoint()).await;
    let create = smc(&cloud).v3("CreateAccessToken", &[]);
    connection.write(&create.bytes()).await;
    connection.finish().await;
    assert_eq!(connection.read().await.unwrap().status, 200);
    assert!(connection.rest().await.unwrap().is_empty());
}

/// Neither do they keep the cloud from ending, and that ends them.
#[tokio::test]
async fn clients_that_stand_still_hold_nobody_up() {
    let cloud = LocalCloud::start().await;
    let endpoint = cloud.smc_endpoint();
    let idle = Connection::open(&endpoint).await;
    let mut half = Connection::open(&endpoint).await;
    half.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
        .await;
    let mut deaf = Connection::open(&endpoint).await;
    for _ in 0..50 {
        deaf.write(&smc(&cloud).v3("ListAccessTokens", &[]).bytes())
            .await;
    }
    for expected in 0..3 {
        assert_eq!(count(&cloud).await, expected);
        let create = smc(&cloud).v3("CreateAccessToken", &[]);
        assert_eq!(create.send().await.status, 200);
    }
    drop(cloud);
    for mut connection in [idle, half] {
        // Closed or reset: it ends.
        if let Ok(rest) = connection.rest().await {
            assert!(rest.is_empty());
        }
    }
    // What was answered is there, and then it ends.
    let _ = deaf.rest().await;
}

#[tokio::test]
async fn answers_that_http_does_not_know() {
    let cloud = LocalCloud::start().await;
    let create = || smc(&cloud).v3("CreateAccessToken", &[]);
    let fault = |status, body: &str| {
        cloud.inject(
            Fault::new(Service::Smc, FaultKind::body(status, body))
                .header("Content-Length", "1")
                .header("Transfer-Encoding", "chunked")
                .header("No name", "x")
                .header("X-Split", "a\r\nb: c")
                .header("X-Kept", "1"),
        );
    };
    for (status, body, expected) in [
        (200, "whole", (200, "whole")),
        (204, "x", (204, "")),
        (304, "x", (304, "")),
        (100, "x", (500, "x")),
        (99, "x", (500, "x")),
        (599, "x", (599, "x")),
        (65_535, "x", (500, "x")),
    ] {
        fault(status, body);
        let mut connection = Connection::open(&cloud.smc_endpoint()).await;
        for next in [expected, (200, "")] {
            connection.write(&create().bytes()).await;
            let answer = connection.read().await.unwrap();
            assert_eq!(answer.status, next.0);
            if next == expected {
                assert_eq!(answer.text(), next.1);
                assert_eq!(answer.header("x-kept"), "1");
                assert_eq!(answer.header("x-split"), "");
            }
        }
    }

    // What is cut nowhere comes whole, and is the last.
    for method in ["GET", "HEAD"] {
        cloud.inject(Fault::new(
            Service::Apig,
            FaultKind::TruncateBody(usize::from(method == "GET") * 100_000),
        ));
        let mut connection = Connection::open(&cloud.apig_endpoint()).await;
        let request = Request::new(&cloud.apig_endpoint(), method, "/v2/p");
        connection.write(&request.bytes()).await;
        let all = String::from_utf8(connection.rest().await.unwrap()).unwrap();
        let (head, body) = all.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 401 "), "{head}");
        assert_eq!(body.is_empty(), method == "HEAD", "{body}");
    }
}

#[tokio::test]
async fn faults_of_the_line() {
    let cloud = LocalCloud::start().await;
    let create = || smc(&cloud).v3("CreateAccessToken", &[]);
    let fault = |kind| Fault::new(Service::Smc, kind).operation("CreateAccessToken");

    cloud.inject(fault(FaultKind::LoseRequest));
    assert!(create().try_send().await.is_err());
    assert_eq!(count(&cloud).await, 0);

    cloud.inject(fault(FaultKind::LoseResponse));
    assert!(create().try_send().await.is_err());
    assert_eq!(count(&cloud).await, 1);

    cloud.inject(fault(FaultKind::Reset));
    let reset = create().try_send().await.unwrap_err();
    assert_eq!(reset.kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(count(&cloud).await, 1);

    cloud.inject(fault(FaultKind::Reset).executed());
    assert!(create().try_send().await.is_err());
    assert_eq!(count(&cloud).await, 2);

    cloud.inject(fault(FaultKind::TruncateBody(5)));
    let mut connection = Connection::open(&cloud.smc_endpoint()).await;
    connection.write(&create().bytes()).await;
    let all = String::from_utf8(connection.rest().await.unwrap()).unwrap();
    let (head, body) = all.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("content-length: "),
        "{head}"
    );
    assert_eq!(body.len(), 5);
    assert_eq!(count(&cloud).await, 3);

    cloud.inject(fault(FaultKind::Html(502)));
    let page = create().send().await;
    assert_eq!(
        (page.status, page.header("content-type")),
        (502, "text/html")
    );
    assert_eq!(count(&cloud).await, 3);

    cloud.inject(fault(FaultKind::Html(504)).executed());
    assert_eq!(create().send().await.status, 504);
    assert_eq!(count(&cloud).await, 4);

    cloud.inject(
        fault(FaultKind::body(200, "null"))
            .header("X-Extra", "1")
            .times(2),
    );
    for _ in 0..2 {
        let answer = create().send().await;
        assert_eq!(
            (
                answer.status,
                answer.text().as_str(),
                answer.header("x-extra")
            ),
            (200, "null", "1")
        );
    }
    assert_eq!(count(&cloud).await, 4);

    let wait = Duration::from_millis(30);
    cloud.inject(fault(FaultKind::Delay(wait)));
    let start = tokio::time::Instant::now();
    assert_eq!(create().send().await.status, 200);
    assert!(start.elapsed() >= wait);

    cloud.inject(fault(FaultKind::LoseRequest).after(1));
    assert_eq!(create().send().await.status, 200);
    assert!(create().try_send().await.is_err());
    cloud.inject(fault(FaultKind::LoseRequest));
    cloud.clear_faults();
    assert_eq!(create().send().await.status, 200);

    // A fault after authentication does not hide that a request is bad.
    cloud.inject(fault(FaultKind::ServerError(500)));
    let bad = Acs {
        secret: "wrong",
        ..smc(&cloud)
    }
    .v3("CreateAccessToken", &[])
    .send()
    .await;
    assert_eq!(bad.json()["Code"], "SignatureDoesNotMatch");
    let names: Vec<_> = cloud
        .requests()
        .into_iter()
        .filter_map(|one| one.fault)
        .collect();
    assert_eq!(names.len(), 12, "{names:?}");
}

#[tokio::test]
async fn many_at_once() {
    let cloud = LocalCloud::start().await;
    let mut tasks = Vec::new();
    for _ in 0..200 {
        let request = smc(&cloud).v3("CreateAccessToken", &[]);
        tasks.push(tokio::spawn(async move { request.send().await.status }));
    }
    for task in tasks {
        assert_eq!(task.await.unwrap(), 200);
    }
    assert_eq!(count(&cloud).await, 200);
    assert_eq!(cloud.requests().len(), 201);
}

#[tokio::test]
async fn ports_are_in_a_row_and_freed_on_drop() {
    // Any free row will do; another process may take a port in between, so a few are tried.
    let mut first = 21_370;
    let cloud = loop {
        match LocalCloud::builder()
            .port(first)
            .record(false)
            .start()
            .await
        {
            Ok(cloud) => break cloud,
            Err(error) if first > 30_000 => panic!("{error}"),
            Err(_) => first += 97,
        }
    };
    assert_eq!(cloud.smc_endpoint(), format!("http://127.0.0.1:{first}"));
    assert_eq!(
        cloud.iam_endpoint(),
        format!("http://127.0.0.1:{}/v3", first + 3)
    );
    assert_eq!(
        cloud.zstack_endpoint(),
        format!("http://127.0.0.1:{}/zstack", first + 4)
    );
    let taken = LocalCloud::builder().port(first).start().await.unwrap_err();
    assert!(taken.to_string().contains(&first.to_string()), "{taken}");
    assert_eq!(count(&cloud).await, 0);
    assert!(cloud.requests().is_empty(), "recording is off");
    drop(cloud);
    for offset in 0..6 {
        std::net::TcpListener::bind(("127.0.0.1", first + offset)).unwrap();
    }
    assert!(LocalCloud::builder().port(65_533).start().await.is_err());
}

/// The cloud has its own thread: it outlives the runtime that started it.
#[test]
fn one_cloud_serves_many_runtimes() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let cloud = runtime().block_on(LocalCloud::start());
    for expected in 1..3 {
        let status = runtime()
            .block_on(async { smc(&cloud).v3("CreateAccessToken", &[]).send().await.status });
        assert_eq!(status, 200);
        assert_eq!(runtime().block_on(count(&cloud)), expected);
    }
}
