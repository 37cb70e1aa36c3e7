//! Is an API that was published reached by whoever may call it, and by nobody else; and are the gateway's
//! refusals told apart from what the backend says?

use std::time::Duration;

use cumulo_apig::invoke::{Auth, Caller};
use cumulo_apig::transport::Upload;
use cumulo_apig::{Error, Kind, Outcome};
use cumulo_localcloud::{Fault, FaultKind, Service};
use cumulo_tests::{Gateway, Pieces, RELEASE, call, echo};
use serde_json::json;

fn refused(error: &Error, code: &str, kind: Kind, outcome: Outcome) {
    assert_eq!(error.code(), Some(code), "{error}");
    assert_eq!((error.kind(), error.outcome()), (kind, outcome), "{error}");
    assert!(
        error.hint().is_some() && error.request_id().is_some(),
        "{error}"
    );
}

#[tokio::test]
async fn an_api_is_there_while_it_is_published() {
    let gateway = Gateway::start().await;
    let pets = gateway.caller().build().unwrap();
    let api = gateway.api(json!({})).await;
    let before = pets.get("/pets/7").send().await.unwrap_err();
    refused(&before, "APIG.0101", Kind::NotFound, Outcome::Rejected);

    let publication = gateway.publish(&api, RELEASE).await;
    let answer = pets
        .get("/pets/{id}")
        .path("id", "a/b")
        .send()
        .await
        .unwrap();
    assert_eq!((answer.status(), &answer.body()[..]), (200, &b"hello"[..]));
    assert!(answer.request_id().is_some());
    assert_eq!(answer.attempts().len(), 1);
    let shown = call(&gateway.apig, "ShowDetailsOfApiV2", &json!({"api_id": api})).await;
    assert_eq!(shown["publish_id"], json!(publication));
    assert_eq!(shown["run_env_id"], json!(RELEASE));

    // Neither another path nor another method, nor another environment.
    for error in [
        pets.get("/pets").send().await.unwrap_err(),
        pets.post("/pets/7").send().await.unwrap_err(),
        gateway
            .caller()
            .stage("TEST")
            .build()
            .unwrap()
            .get("/pets/7")
            .send()
            .await
            .unwrap_err(),
    ] {
        assert!(matches!(error.code(), Some("APIG.0101")), "{error}");
    }
    // A domain of no group is not the gateway's; here its own operations answer, and want a token.
    let other = gateway.caller().host("other.example.com").build().unwrap();
    assert!(
        other
            .get("/pets/7")
            .send()
            .await
            .unwrap_err()
            .is_authentication()
    );
    let offline = json!({"action": "offline", "env_id": RELEASE, "api_id": api});
    call(
        &gateway.apig,
        "CreateOrDeletePublishRecordForApiV2",
        &offline,
    )
    .await;
    assert!(pets.get("/pets/7").send().await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn stages_domains_and_snapshots() {
    let gateway = Gateway::start().await;
    let env = call(
        &gateway.apig,
        "CreateEnvironmentV2",
        &json!({"name": "TEST"}),
    )
    .await;
    let env = env["id"].as_str().unwrap();
    let api = gateway
        .api(json!({"mock_info": {"result_content": "{\"v\":1}"}}))
        .await;
    let many = json!({"action": "online", "apis": [api], "env_id": env});
    let done = call(&gateway.apig, "BatchPublishOrOfflineApiV2", &many).await;
    assert_eq!(done["success"][0]["api_id"], json!(api), "{done}");
    let test = gateway.caller().stage("TEST").build().unwrap();
    let answer = test.get("/pets/7").send().await.unwrap();
    assert_eq!(answer.json().unwrap(), json!({"v": 1}));
    let plain = gateway.caller().build().unwrap();
    assert!(
        plain
            .get("/pets/7")
            .send()
            .await
            .unwrap_err()
            .is_not_found()
    );

    // A domain of one's own, by the gateway's address.
    let domain = json!({"group_id": gateway.group, "url_domain": "Pets.example.com"});
    call(&gateway.apig, "AssociateDomainV2", &domain).await;
    let own = |cloud: &cumulo_localcloud::LocalCloud| {
        let own = Caller::builder(cloud.apig_endpoint())
            .host("pets.example.com")
            .stage("TEST");
        own.build().unwrap()
    };
    assert_eq!(
        own(&gateway.bench.cloud)
            .get("/pets/7")
            .send()
            .await
            .unwrap()
            .status(),
        200
    );

    // What is published is the API of then, also in the next cloud.
    let api = json!({"api_id": api, "name": "pets_api", "type": 1, "req_protocol": "HTTPS",
        "req_method": "GET", "req_uri": "/pets/{id}", "auth_type": "NONE", "backend_type": "MOCK",
        "mock_info": {"result_content": "{\"v\":2}"}, "group_id": gateway.group});
    call(&gateway.apig, "UpdateApiV2", &api).await;
    let next = cumulo_localcloud::LocalCloud::start().await;
    next.restore(&gateway.bench.cloud.snapshot()).unwrap();
    let answer = own(&next).get("/pets/7").send().await.unwrap();
    assert_eq!(answer.json().unwrap(), json!({"v": 1}));
}

#[tokio::test]
async fn every_way_to_prove_who_calls() {
    let gateway = Gateway::start().await;
    let simple = json!({"app_code_auth_type": "HEADER"});
    let api = gateway
        .api(json!({"auth_type": "APP", "auth_opt": simple}))
        .await;
    gateway.publish(&api, RELEASE).await;
    let [app, key, secret] = gateway.app.clone();
    let code = call(
        &gateway.apig,
        "CreateAppCodeAutoV2",
        &json!({"app_id": app}),
    )
    .await;
    let code = code["app_code"].as_str().unwrap();
    let every = || {
        [
            Auth::AppCode(code.into()),
            gateway.signature(),
            Auth::AppSecret {
                key: key.clone(),
                secret: secret.as_str().into(),
            },
            Auth::Basic {
                key: key.clone(),
                secret: secret.as_str().into(),
            },
        ]
    };
    let with = |auth: Auth| gateway.caller().auth(auth).build().unwrap();
    for auth in every() {
        let text = format!("{auth:?} {:?}", with(auth.clone()));
        assert!(!text.contains(code) && !text.contains(&secret), "{text}");
        let error = with(auth).get("/pets/7").send().await.unwrap_err();
        refused(
            &error,
            "APIG.0304",
            Kind::PermissionDenied,
            Outcome::Rejected,
        );
    }
    gateway.authorize(&api, RELEASE).await;
    for auth in every() {
        let name = format!("{auth:?}");
        let call = with(auth).get("/pets/{id}").path("id", "a b+c/d~é%");
        let answer = call
            .query("q", "x y+z&=é")
            .query("q", "")
            .query("a", "1")
            .send()
            .await;
        assert_eq!(answer.unwrap().status(), 200, "{name}");
    }
    for auth in [
        Auth::None,
        Auth::AppCode("f".repeat(64).into()),
        Auth::Signature {
            key: key.clone(),
            secret: "wrong".into(),
        },
        Auth::Signature {
            key: "nobody".into(),
            secret: secret.as_str().into(),
        },
        Auth::AppSecret {
            key: key.clone(),
            secret: "wrong".into(),
        },
        Auth::Basic {
            key: key.clone(),
            secret: "wrong".into(),
        },
    ] {
        let error = with(auth).get("/pets/7").send().await.unwrap_err();
        refused(&error, "APIG.0303", Kind::Signature, Outcome::Rejected);
        assert!(!error.to_string().contains(&secret), "{error}");
    }
    // Secrets that fit in no header are refused before anything is sent.
    let error = with(Auth::AppCode("a\nb".into()))
        .get("/pets/7")
        .send()
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (Kind::InvalidInput, Outcome::NotSent)
    );
}

#[tokio::test]
async fn an_app_code_counts_only_where_the_api_says_so() {
    let gateway = Gateway::start().await;
    let api = gateway.api(json!({"auth_type": "APP"})).await;
    gateway.publish(&api, RELEASE).await;
    gateway.authorize(&api, RELEASE).await;
    let code = json!({"app_id": gateway.app[0]});
    let code = call(&gateway.apig, "CreateAppCodeAutoV2", &code).await;
    let code = Auth::AppCode(code["app_code"].as_str().unwrap().into());
    let error = gateway
        .caller()
        .auth(code)
        .build()
        .unwrap()
        .get("/pets/7")
        .send()
        .await
        .unwrap_err();
    refused(&error, "APIG.0303", Kind::Signature, Outcome::Rejected);
    assert!(error.hint().unwrap().contains("auth_opt"), "{error}");
}

#[tokio::test]
async fn users_of_iam() {
    let gateway = Gateway::start().await;
    let api = gateway
        .api(json!({"auth_type": "IAM", "req_method": "POST"}))
        .await;
    gateway.publish(&api, RELEASE).await;
    for client in [gateway.bench.apig(), gateway.bench.apig_by_password()] {
        let identity = client
            .build()
            .unwrap()
            .credentials()
            .await
            .unwrap()
            .identity
            .clone();
        let caller = gateway.caller().auth(Auth::Iam(identity)).build().unwrap();
        let answer = caller
            .post("/pets/7")
            .json(&json!({"a": 1}))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
    }
    let error = gateway
        .caller()
        .build()
        .unwrap()
        .post("/pets/7")
        .send()
        .await
        .unwrap_err();
    refused(&error, "APIG.0301", Kind::Signature, Outcome::Rejected);
}

/// What was signed is what is taken: somebody on the way who changes path, query, body, stage or time
/// changes nothing.
#[tokio::test]
async fn a_signature_holds_for_one_request_alone() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let gateway = Gateway::start().await;
    let api = gateway
        .api(json!({"auth_type": "APP", "req_method": "ANY"}))
        .await;
    gateway.publish(&api, RELEASE).await;
    gateway.authorize(&api, RELEASE).await;
    let caller = gateway.caller().auth(gateway.signature()).build().unwrap();
    let call = caller
        .post("/pets/7")
        .query("a", "1")
        .header("x-note", "n")
        .body("body");
    assert_eq!(call.send().await.unwrap().status(), 200);
    let sent = gateway.bench.cloud.requests().pop().unwrap();
    let raw = |change: &dyn Fn(String) -> String| {
        let mut text = format!("{} {} HTTP/1.1\r\n", sent.method, sent.target);
        for (name, value) in &sent.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("connection: close\r\n\r\nbody");
        change(text)
    };
    let send = async |text: String| {
        let address = gateway.bench.cloud.apig_endpoint().replace("http://", "");
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    assert!(send(raw(&|text| text)).await.starts_with("HTTP/1.1 200"));
    let changes: [&dyn Fn(String) -> String; 6] = [
        &|text| text.replace("/pets/7", "/pets/8"),
        &|text| text.replace("a=1", "a=2"),
        &|text| text.replace("\r\n\r\nbody", "\r\n\r\nBody"),
        &|text| text.replace("x-note: n", "x-note: m"),
        &|text| text.replace("POST ", "PUT "),
        &|text| text.replace("Signature=", "Signature=0"),
    ];
    for (at, change) in changes.into_iter().enumerate() {
        let answer = send(raw(change)).await;
        assert!(
            answer.starts_with("HTTP/1.1 401") && answer.contains("APIG.0303"),
            "{at}: {answer}"
        );
    }
    gateway.bench.cloud.set_time_offset(3600);
    let error = caller.get("/pets/7").send().await.unwrap_err();
    refused(&error, "APIG.0303", Kind::ClockSkew, Outcome::Rejected);
}

#[tokio::test]
async fn the_backend_gets_what_the_api_says_and_its_answer_comes_back() {
    let gateway = Gateway::start().await;
    let backend = echo().await;
    let api = gateway
        .api(json!({
            "backend_type": "HTTP",
            "req_method": "POST",
            "req_params": [
                {"name": "id", "type": "STRING", "location": "PATH", "required": 1},
                {"name": "q", "type": "STRING", "location": "QUERY", "required": 1},
                {"name": "lang", "type": "STRING", "location": "HEADER", "required": 2, "default_value": "de"},
            ],
            "backend_params": [
                {"name": "who", "origin": "REQUEST", "location": "QUERY", "value": "id"},
                {"name": "x-query", "origin": "REQUEST", "location": "HEADER", "value": "q"},
                {"name": "x-lang", "origin": "REQUEST", "location": "HEADER", "value": "lang"},
                {"name": "x-fixed", "origin": "CONSTANT", "location": "HEADER", "value": "7"},
                {"name": "x-stage-name", "origin": "SYSTEM", "location": "HEADER", "value": "$context.stage"},
            ],
            "backend_api": {"url_domain": backend.address, "req_protocol": "HTTP", "req_method": "PUT",
                "req_uri": "/store", "timeout": 5000},
        }))
        .await;
    gateway.publish(&api, RELEASE).await;
    let pets = gateway.caller().build().unwrap();
    let call = pets
        .post("/pets/{id}")
        .path("id", "a b")
        .query("q", "1")
        .query("other", "2");
    let answer = call
        .header("authorization", "secret")
        .body("the body")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (answer.status(), &answer.body()[..]),
        (201, &b"the body"[..])
    );
    let head = answer.header("x-head").unwrap();
    assert!(
        head.starts_with("PUT /store?other=2&who=a%20b HTTP/1.1|"),
        "{head}"
    );
    for (word, there) in [
        ("x-query: 1", true),
        ("x-lang: de", true),
        ("x-fixed: 7", true),
        ("x-stage-name: RELEASE", true),
        ("secret", false),
    ] {
        assert_eq!(head.contains(word), there, "{word} in {head}");
    }
    let error = pets.post("/pets/7").send().await.unwrap_err();
    refused(
        &error,
        "APIG.0201",
        Kind::InvalidArgument,
        Outcome::Rejected,
    );
}

#[tokio::test]
async fn what_the_backend_says_is_an_answer_whatever_it_is() {
    let gateway = Gateway::start().await;
    for (name, status, body, body_of) in [
        (
            "a",
            404,
            r#"{"error_code":"APIG.0101","error_msg":"not mine","request_id":"other"}"#,
            true,
        ),
        ("b", 500, "it broke", true),
        ("c", 302, "", true),
    ] {
        let head = format!(
            "HTTP/1.1 {status} X\r\nlocation: http://other/\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let backend = cumulo_tests::serve(head).await;
        let api = gateway
            .api(json!({"name": format!("api_{name}"), "req_uri": format!("/{name}"), "backend_type": "HTTP",
                "backend_api": {"url_domain": backend.address, "req_protocol": "HTTP", "req_method": "GET",
                    "req_uri": "/", "timeout": 5000}}))
            .await;
        gateway.publish(&api, RELEASE).await;
        let pets = gateway.caller().build().unwrap();
        let answer = pets.get(format!("/{name}")).send().await.unwrap();
        assert_eq!((answer.status(), answer.body() == body), (status, body_of));
        let mut streamed = pets.get(format!("/{name}")).stream().await.unwrap();
        let mut whole = Vec::new();
        while let Some(piece) = streamed.next().await {
            whole.extend_from_slice(&piece.unwrap());
        }
        assert_eq!(
            (streamed.status(), whole == body.as_bytes()),
            (status, true)
        );
    }
    // Nobody there, or another machine: the gateway's own word, and nobody knows what was done.
    for domain in ["127.0.0.1:9", "10.0.0.1:80"] {
        let api = gateway
            .api(
                json!({"name": format!("api_{}", domain.len()), "req_method": "POST",
                "req_uri": format!("/gone/{}", domain.len()), "backend_type": "HTTP",
                "backend_api": {"url_domain": domain, "req_protocol": "HTTP", "req_method": "GET",
                    "req_uri": "/", "timeout": 500}}),
            )
            .await;
        gateway.publish(&api, RELEASE).await;
        let pets = gateway.caller().build().unwrap();
        let error = pets
            .post(format!("/gone/{}", domain.len()))
            .send()
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.outcome()),
            (Kind::Unavailable, Outcome::Unknown),
            "{error}"
        );
        assert_eq!(error.attempts().len(), 1);
    }
}

#[tokio::test]
async fn calls_are_counted() {
    let gateway = Gateway::start().await;
    let api = gateway.api(json!({})).await;
    let publication = gateway.publish(&api, RELEASE).await;
    let policy = json!({"name": "two_an_hour", "api_call_limits": 2, "time_interval": 1, "time_unit": "HOUR"});
    let policy = call(&gateway.apig, "CreateRequestThrottlingPolicyV2", &policy).await;
    let bind = json!({"strategy_id": policy["id"], "publish_ids": [publication]});
    call(&gateway.apig, "AssociateRequestThrottlingPolicyV2", &bind).await;
    let pets = gateway.caller().build().unwrap();
    for _ in 0..2 {
        assert_eq!(pets.get("/pets/7").send().await.unwrap().status(), 200);
    }
    let error = pets.get("/pets/7").send().await.unwrap_err();
    refused(&error, "APIG.0308", Kind::Throttled, Outcome::Rejected);
    assert_eq!(
        error.attempts().len(),
        3,
        "a refusal was not executed, so it is repeated"
    );
    gateway.bench.cloud.set_time_offset(3600);
    assert_eq!(pets.get("/pets/7").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn only_what_is_safe_is_repeated() {
    let gateway = Gateway::start().await;
    let api = gateway.api(json!({"req_method": "ANY"})).await;
    gateway.publish(&api, RELEASE).await;
    let pets = gateway.caller().build().unwrap();
    let seen = || {
        let requests = gateway.bench.cloud.requests();
        requests
            .iter()
            .filter(|one| one.operation.as_deref() == Some("InvokeApi"))
            .count()
    };
    let lose = |kind| {
        gateway
            .bench
            .cloud
            .inject(Fault::new(Service::Apig, kind).operation("InvokeApi"));
    };
    lose(FaultKind::LoseResponse);
    assert_eq!(
        pets.put("/pets/7").send().await.unwrap().attempts().len(),
        2
    );
    lose(FaultKind::LoseResponse);
    let error = pets.post("/pets/7").send().await.unwrap_err();
    assert_eq!(
        (error.outcome(), error.attempts().len()),
        (Outcome::Unknown, 1),
        "{error}"
    );
    lose(FaultKind::Throttle {
        status: None,
        code: None,
        retry_after_ms: Some(3000),
    });
    let answer = pets.post("/pets/7").send().await.unwrap();
    assert_eq!(answer.attempts().len(), 2);
    assert!(answer.attempts()[1].waited >= Duration::from_secs(3));
    assert_eq!(seen(), 5);
    // A body in pieces is sent once, and may be sent after all where nothing else was.
    lose(FaultKind::ServerError(503));
    let upload = Upload::new(Pieces::new(1, 3));
    let error = pets.put("/pets/7").upload(upload).send().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.attempts().len()),
        (Kind::Unavailable, 1),
        "{error}"
    );
}

#[tokio::test]
async fn what_cannot_be_sent_is_not() {
    let gateway = Gateway::start().await;
    let pets = gateway.caller().build().unwrap();
    for call in [
        pets.get("pets"),
        pets.get("/pets?x=1"),
        pets.get("/pets/{id}"),
        pets.get("/pets/{id}").path("id", ".."),
        pets.get("/pets/{id}").path("id", ""),
        pets.get("/pets/{id}").path("other", "1"),
        pets.get("/a/../b"),
        pets.get("/a/%2e%2E/b"),
        pets.get("/a").header("x y", "1"),
        pets.get("/a").header("x", "a\nb"),
        pets.get("/a").header("Host", "b"),
    ] {
        let text = format!("{call:?}");
        let error = call.send().await.unwrap_err();
        assert_eq!(
            (error.kind(), error.outcome()),
            (Kind::InvalidInput, Outcome::NotSent),
            "{text}"
        );
    }
    for address in [
        "pets",
        "ftp://h",
        "http://10.0.0.1",
        "https://me:s3cr3t@h",
        "https://h/?a=1",
    ] {
        let error = Caller::builder(address).build().unwrap_err();
        assert_eq!(error.kind(), Kind::Configuration, "{address}");
        assert!(!error.to_string().contains("s3cr3t"), "{error}");
    }
    let error = gateway.caller().stage("a\nb").build().unwrap_err();
    assert_eq!(error.kind(), Kind::Configuration);
    // Nobody listens: nothing was sent, and that is repeated.
    let nobody = Caller::builder("http://127.0.0.1:9").clock(gateway.bench.clock.clone());
    let error = nobody.build().unwrap().post("/a").send().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome(), error.attempts().len()),
        (Kind::Connect, Outcome::NotSent, 3)
    );
}

#[tokio::test]
async fn large_bodies_are_streamed_or_bounded() {
    const LENGTH: usize = 50 << 20;
    let gateway = Gateway::start().await;
    let backend = echo().await;
    let api = gateway
        .api(json!({"req_method": "PUT", "auth_type": "APP", "backend_type": "HTTP",
            "backend_api": {"url_domain": backend.address, "req_protocol": "HTTP", "req_method": "PUT",
                "req_uri": "/", "timeout": 50000}}))
        .await;
    gateway.publish(&api, RELEASE).await;
    gateway.authorize(&api, RELEASE).await;
    let pets = gateway.caller().auth(gateway.signature()).build().unwrap();
    let upload = Upload::new(Pieces::new(LENGTH >> 16, 1 << 16));
    let mut answer = pets.put("/pets/7").upload(upload).stream().await.unwrap();
    let mut read = 0;
    while let Some(piece) = answer.next().await {
        read += piece.unwrap().len();
    }
    assert_eq!((answer.status(), read), (201, LENGTH));

    let small = gateway
        .caller()
        .auth(gateway.signature())
        .largest_answer(10)
        .build()
        .unwrap();
    let error = small
        .put("/pets/7")
        .body("eleven byte")
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidResponse, "{error}");
    assert!(error.hint().unwrap().contains("stream()"), "{error}");
    // A body that ends early is no body.
    let upload = Upload::new(Pieces::new(1, 10)).length(20);
    assert!(pets.put("/pets/7").upload(upload).send().await.is_err());
}

#[tokio::test]
async fn many_at_once() {
    let gateway = Gateway::start().await;
    let api = gateway.api(json!({"auth_type": "APP"})).await;
    gateway.publish(&api, RELEASE).await;
    gateway.authorize(&api, RELEASE).await;
    let pets = gateway.caller().auth(gateway.signature()).build().unwrap();
    let calls: Vec<_> = (0..100)
        .map(|number| {
            let pets = pets.clone();
            let id = number.to_string();
            tokio::spawn(async move { pets.get("/pets/{id}").path("id", id).send().await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().status(), 200);
    }
}
