//! Do the operations of an OpenAPI file become APIs that can be called; is what the gateway refuses said
//! before and after; and is what fails in the middle taken back?

use cumulo_apig::invoke::{Auth, Caller};
use cumulo_apig::openapi::{ApiResult, Definition, Effect, Import, Step};
use cumulo_apig::{Client, Kind};
use cumulo_localcloud::{Fault, FaultKind, Service};
use cumulo_tests::{Gateway, RELEASE, call};
use serde_json::{Value, json};

const PETS: &str = r#"
openapi: 3.0.1
info: {title: pets_v1, version: '1'}
paths:
  /pets/{id}:
    get: &read
      operationId: read_pet
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}}
        - $ref: '#/components/parameters/limit'
      security: [{app: []}]
      responses: {default: {description: any}}
      x-apigateway-backend: {type: MOCK, mockEndpoints: {result-content: '{"pet":7}'}}
    put:
      <<: *read
      operationId: write_pet
      requestBody: {content: {application/json: {}}}
  /health:
    x-apigateway-any-method:
      operationId: health
      x-apigateway-backend: {type: MOCK, mockEndpoints: {result-content: fine}}
components:
  parameters:
    limit: {name: limit, in: query, schema: {type: integer, maximum: 10}}
  securitySchemes:
    app:
      type: apiKey
      in: header
      name: Authorization
      x-apigateway-auth-type: AppSigv1
      x-apigateway-auth-opt: {appcode-auth-type: header}
"#;

fn pets() -> Definition {
    Definition::read(PETS).unwrap()
}

/// How many groups, APIs and publications there are.
async fn things(apig: &Client) -> (i64, i64, i64) {
    let count = async |name: &str, input: Value| {
        let list = call(apig, name, &input).await;
        list["total"].as_i64().unwrap()
    };
    let apis = call(apig, "ListApisV2", &json!({"limit": 500})).await;
    let published = |api: &&Value| !matches!(api["publish_id"].as_str(), None | Some(""));
    let published = apis["apis"]
        .as_array()
        .unwrap()
        .iter()
        .filter(published)
        .count();
    (
        count("ListApiGroupsV2", json!({})).await,
        apis["total"].as_i64().unwrap(),
        i64::try_from(published).unwrap(),
    )
}

#[tokio::test]
async fn a_file_becomes_apis_that_are_called() {
    let gateway = Gateway::start().await;
    let (apig, signature) = (&gateway.apig, gateway.signature());
    let clock = gateway.bench.clock.clone();
    let policy =
        json!({"name": "many_a_day", "api_call_limits": 9, "time_interval": 1, "time_unit": "DAY"});
    let policy = call(apig, "CreateRequestThrottlingPolicyV2", &policy).await;
    let import = Import::new(pets())
        .publish_to(RELEASE)
        .authorize(gateway.app[0].as_str())
        .throttle(policy["id"].as_str().unwrap())
        .tried_by(move |domain| {
            let caller = Caller::builder(format!("http://{domain}"))
                .auth(signature)
                .clock(clock);
            Ok(caller.build()?.get("/pets/7"))
        });
    let plan = import.plan(apig).await.unwrap();
    assert!(
        plan.apis.iter().all(|one| one.step == Step::Create),
        "{plan}"
    );
    let text = plan.to_string();
    for line in [
        "group pets_v1",
        "create GET /pets/{id}",
        "create ANY /health",
        "then make a test call",
    ] {
        assert!(text.contains(line), "{text}");
    }
    assert!(text.contains("left out: bodies pass"), "{text}");

    let report = import.run(apig).await.into_result().unwrap();
    assert_eq!(
        (report.apis.len(), report.published.len()),
        (3, 3),
        "{report}"
    );
    let answer = report.answer.as_ref().unwrap();
    assert_eq!(answer.json().unwrap(), json!({"pet": 7}));
    let api = json!({"api_id": report.ids().next().unwrap()});
    let api = call(apig, "ShowDetailsOfApiV2", &api).await;
    assert_eq!(
        (&api["auth_type"], &api["auth_opt"]["app_code_auth_type"]),
        (&json!("APP"), &json!("HEADER"))
    );
    assert_eq!(api["req_params"][1]["max_num"], json!(10), "{api}");
    let base = format!("http://{}", report.domain.as_deref().unwrap());
    let nobody = Caller::builder(base).auth(Auth::None).build().unwrap();
    assert_eq!(
        &nobody.post("/health").send().await.unwrap().body()[..],
        b"fine"
    );
    assert!(nobody.get("/pets/7").send().await.is_err());
}

#[tokio::test]
async fn a_group_that_is_there_is_kept_or_changed() {
    let gateway = Gateway::start().await;
    let into = |overwrite| {
        Import::new(pets())
            .into_group(gateway.group.as_str())
            .overwrite(overwrite)
    };
    let first = into(false).run(&gateway.apig).await.into_result().unwrap();
    let results = |report: &cumulo_apig::openapi::Report| -> Vec<ApiResult> {
        report
            .apis
            .iter()
            .map(|(_, _, result)| result.clone())
            .collect()
    };
    assert!(
        results(&first)
            .iter()
            .all(|one| matches!(one, ApiResult::Created(_)))
    );
    let plan = into(false).plan(&gateway.apig).await.unwrap();
    assert!(plan.apis.iter().all(|one| one.step == Step::Keep), "{plan}");
    let kept = into(false).run(&gateway.apig).await.into_result().unwrap();
    assert!(
        results(&kept).iter().all(|one| *one == ApiResult::Ignored),
        "{kept}"
    );
    let plan = into(true).plan(&gateway.apig).await.unwrap();
    assert!(
        plan.apis.iter().all(|one| one.step == Step::Update),
        "{plan}"
    );
    let changed = into(true).run(&gateway.apig).await.into_result().unwrap();
    let ids: Vec<&str> = first.ids().collect();
    assert!(changed.ids().all(|id| ids.contains(&id)), "{changed}");
    assert_eq!(things(&gateway.apig).await.1, 3);

    let missing = Import::new(pets())
        .into_group("0".repeat(32))
        .run(&gateway.apig)
        .await;
    assert!(missing.into_result().unwrap_err().is_not_found());
}

/// What both sides read in the same file: the client says it before, the gateway after.
#[tokio::test]
async fn what_is_refused_is_told_before_and_after() {
    let file = json!({
        "swagger": "2.0",
        "info": {"title": "mixed", "version": "1"},
        "basePath": "/v1",
        "schemes": ["http", "https"],
        "securityDefinitions": {"other": {"type": "basic"}},
        "paths": {
            "/good": {"get": {"operationId": "good", "consumes": ["application/json"],
                "x-apigateway-backend": {"type": "mock", "mockEndpoints": {"result-content": "ok"}}}},
            "/form": {"post": {"parameters": [{"name": "f", "in": "formData", "type": "file"}],
                "x-apigateway-backend": {"type": "MOCK"}}},
            "/body": {"post": {"parameters": [{"name": "b", "in": "body", "schema": {}}],
                "x-apigateway-backend": {"type": "MOCK"}}},
            "/array": {"get": {"parameters": [{"name": "a", "in": "query", "type": "array"}],
                "x-apigateway-backend": {"type": "MOCK"}}},
            "/pre-{id}": {"get": {"x-apigateway-backend": {"type": "MOCK"}}},
            "/bare": {"get": {"operationId": "bare_api"}},
            "/half": {"get": {"x-apigateway-backend": {"type": "HTTP", "httpEndpoints": {"address": "a"}}}},
            "/auth": {"get": {"security": [{"other": []}], "x-apigateway-backend": {"type": "MOCK"}}},
            "/ref": {"get": {"parameters": [{"$ref": "#/parameters/none"}],
                "x-apigateway-backend": {"type": "MOCK"}}},
            "/twin/{a}": {"get": {"operationId": "twin_a", "x-apigateway-backend": {"type": "MOCK"}}},
            "/twin/{b}": {"get": {"operationId": "twin_b", "x-apigateway-backend": {"type": "MOCK"}}},
        },
    });
    let read = || Definition::read(file.to_string()).unwrap();
    let definition = read();
    let refused = definition
        .operations()
        .iter()
        .filter(|one| one.is_refused());
    let mut said: Vec<String> = refused.map(|one| one.path.clone()).collect();
    assert_eq!(
        said.len(),
        9,
        "{:#?}",
        definition.restrictions().collect::<Vec<_>>()
    );
    let places: Vec<_> = definition.restrictions().map(ToString::to_string).collect();
    for (place, word) in [
        ("paths./form.post.parameters.0", "formData"),
        ("paths./good.get.consumes", "left out"),
        (
            "paths./half.get.x-apigateway-backend",
            "httpEndpoints.scheme",
        ),
        ("paths./auth.get.security", "other"),
    ] {
        assert!(
            places
                .iter()
                .any(|one| one.contains(place) && one.contains(word)),
            "{place}: {places:#?}"
        );
    }
    assert!(
        definition
            .restrictions()
            .any(|one| one.effect == Effect::LeftOut)
    );

    let gateway = Gateway::start().await;
    let error = Import::new(read())
        .run(&gateway.apig)
        .await
        .into_result()
        .unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidInput, "{error}");
    assert!(error.hint().unwrap().contains("allow_partial"), "{error}");
    assert_eq!(things(&gateway.apig).await.0, 1, "nothing was sent");

    let report = Import::new(read())
        .allow_partial(true)
        .run(&gateway.apig)
        .await;
    let failed = report
        .apis
        .iter()
        .filter(|(_, _, one)| matches!(one, ApiResult::Failed(..)));
    let mut told: Vec<String> = failed.map(|(_, path, _)| path.clone()).collect();
    said.sort();
    told.sort();
    assert_eq!(said, told, "{report}");
    assert_eq!(report.ids().count(), 2);
    let api = json!({"api_id": report.ids().next().unwrap()});
    let api = call(&gateway.apig, "ShowDetailsOfApiV2", &api).await;
    assert_eq!(
        (&api["req_uri"], &api["req_protocol"]),
        (&json!("/v1/good"), &json!("BOTH"))
    );
}

#[tokio::test]
async fn whatever_fails_what_was_made_is_taken_back() {
    let gateway = Gateway::start().await;
    let apig = &gateway.apig;
    gateway.api(json!({"name": "of_others"})).await;
    let before = things(apig).await;
    let import = || {
        let clock = gateway.bench.clock.clone();
        Import::new(pets())
            .publish_to(RELEASE)
            .authorize(gateway.app[0].as_str())
            .tried_by(move |domain| {
                Ok(Caller::builder(format!("http://{domain}"))
                    .clock(clock)
                    .build()?
                    .get("/none"))
            })
    };
    // The test call itself.
    let report = import().run(apig).await;
    assert!(
        report.left.is_empty() && report.undone.len() >= 5,
        "{report}"
    );
    assert_eq!(
        report.undone.first().map(|one| &one[..13]),
        Some("authorization"),
        "{report}"
    );
    let error = report.into_result().unwrap_err();
    assert_eq!(error.code(), Some("APIG.0101"), "{error}");
    assert_eq!(things(apig).await, before);

    for operation in [
        "ImportApiDefinitionsV2",
        "ShowDetailsOfApiGroupV2",
        "BatchPublishOrOfflineApiV2",
        "CreateAuthorizingAppsV2",
        "InvokeApi",
    ] {
        // Refused before, and done although the answer is lost: for good, so that no repeat helps.
        for kind in [
            FaultKind::body(403, "{\"error_code\":\"APIG.1005\",\"error_msg\":\"no\"}"),
            FaultKind::LoseResponse,
        ] {
            for _ in 0..5 {
                gateway
                    .bench
                    .cloud
                    .inject(Fault::new(Service::Apig, kind.clone()).operation(operation));
            }
            let report = import().run(apig).await;
            gateway.bench.cloud.clear_faults();
            let text = report.to_string();
            assert!(
                report.into_result().is_err(),
                "{operation} {kind:?}: {text}"
            );
            // Taking offline may be what is in the way; then the APIs are deleted all the same.
            let left = things(apig).await;
            assert_eq!(
                (left.0, left.1),
                (before.0, before.1),
                "{operation} {kind:?}: {text}"
            );
        }
    }
}

#[tokio::test]
async fn what_cannot_be_taken_back_is_named() {
    let gateway = Gateway::start().await;
    let fail = |operation: &str| {
        let kind = FaultKind::body(403, "{\"error_code\":\"APIG.1005\",\"error_msg\":\"no\"}");
        gateway
            .bench
            .cloud
            .inject(Fault::new(Service::Apig, kind).operation(operation));
    };
    fail("BatchPublishOrOfflineApiV2");
    fail("DeleteApiGroupV2");
    let report = Import::new(pets())
        .publish_to(RELEASE)
        .run(&gateway.apig)
        .await;
    assert!(
        report.left.len() == 1 && report.left[0].starts_with("group "),
        "{report}"
    );
    let error = report.into_result().unwrap_err();
    assert!(error.hint().unwrap().contains("group "), "{error}");
}

#[tokio::test]
async fn files_that_are_none_have_a_place() {
    for (text, place) in [
        ("", "neither"),
        (
            "{\"openapi\": \"3.0.0\", \"paths\": {]}",
            "line 1 column 32",
        ),
        ("openapi: 3.0.0\npaths:\n  /a: [\n", "line"),
        ("openapi: 3.0.0\npaths:\n\t/a: 1\n", "line 3"),
        ("openapi: 2.0.0\npaths: {}", "neither"),
        ("openapi: 3.0.0\n", "`paths`"),
        ("openapi: 3.0.0\npaths: {a: {}}", "`paths.a`"),
        ("openapi: 3.0.0\npaths: {/a: 1}", "`paths./a`"),
        ("openapi: 3.0.0\npaths: {/a: {get: 1}}", "`paths./a.get`"),
        ("a: &a [*a]", "line 1"),
    ] {
        let error = Definition::read(text).unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidInput);
        assert!(error.to_string().contains(place), "{text:?}: {error}");
    }
    let gateway = Gateway::start().await;
    let odd = json!({"openapi": "3.0.0", "info": {"title": "a b"}, "paths": {}}).to_string();
    let error = Import::new(Definition::read(odd).unwrap())
        .plan(&gateway.apig)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("info.title"), "{error}");
    let taken = json!({"openapi": "3.0.0", "info": {"title": "pets"}, "paths": {}}).to_string();
    let error = Import::new(Definition::read(taken).unwrap())
        .plan(&gateway.apig)
        .await
        .unwrap_err();
    assert!(error.is_already_exists(), "{error}");
    let error = Import::new(pets())
        .authorize("a")
        .plan(&gateway.apig)
        .await
        .unwrap_err();
    assert!(error.hint().unwrap().contains("publish_to"), "{error}");

    // The local gateway refuses what is none with its own code.
    for file in ["[", "a: b", "{\"swagger\": \"1.2\", \"paths\": {}}"] {
        let form = json!({"file_name": file});
        let import = gateway.apig.call("ImportApiDefinitionsV2", &form);
        if let Ok(import) = import {
            let error = import.await.unwrap_err();
            assert_eq!(error.code(), Some("APIG.2012"), "{file}: {error}");
        }
    }
}
