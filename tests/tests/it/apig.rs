//! Do apps and AppCodes of API Gateway work end to end, with both ways of proving who calls?

use cumulo_apig::app::{CreateAnAppV2, DeleteAppV2, ListAppsV2};
use cumulo_apig::app_code::{
    CreateAppCodeAutoV2, CreateAppCodeV2, DeleteAppCodeV2, ListAppCodesV2, ShowDetailsOfAppCodeV2,
};
use cumulo_apig::{Kind, Outcome};
use cumulo_core::credentials::Static;
use cumulo_core::huawei::HuaweiSignature;
use cumulo_localcloud::{FaultKind, Service, accounts};
use cumulo_tests::{Bench, HARD_APP_CODE, Script, new_app};

#[tokio::test]
async fn an_app_code_with_every_allowed_character_survives() {
    assert!((64..=180).contains(&HARD_APP_CODE.len()));
    let bench = Bench::start().await;
    let apig = bench.apig().build().unwrap();
    let app = new_app(&apig, "shop").await;
    let operation = CreateAppCodeV2::new(&app, HARD_APP_CODE);
    operation.validate().unwrap();

    let made = operation.send(&apig).await.unwrap();
    assert_eq!(made.http_status(), 201);
    assert_eq!(made.app_code.as_ref().unwrap().expose(), HARD_APP_CODE);
    assert_eq!(made.app_id.as_ref(), Some(&app));
    assert!(made.request_id().is_some());
    let id = made.output.id.unwrap();

    let shown = ShowDetailsOfAppCodeV2::new(&app, &id)
        .send(&apig)
        .await
        .unwrap();
    assert_eq!(shown.app_code.as_ref().unwrap().expose(), HARD_APP_CODE);
    let listed = ListAppCodesV2::new(&app).send(&apig).await.unwrap();
    assert_eq!((listed.total, listed.app_codes.len()), (Some(1), 1));
    let generated = CreateAppCodeAutoV2::new(&app).send(&apig).await.unwrap();
    assert_eq!(generated.app_code.as_ref().unwrap().expose().len(), 64);

    let deleted = DeleteAppCodeV2::new(&app, &id).send(&apig).await.unwrap();
    assert_eq!(deleted.http_status(), 204);
    assert!(
        DeleteAppCodeV2::new(&app, &id)
            .send(&apig)
            .await
            .unwrap_err()
            .is_not_found()
    );

    let body = &bench.only("CreateAppCodeV2").body;
    let sent: serde_json::Value = serde_json::from_slice(body).unwrap();
    assert_eq!(sent, serde_json::json!({ "app_code": HARD_APP_CODE }));
    for request in bench.cloud.requests() {
        assert!(
            !request.target.contains("AppCodeOfAtLeast64"),
            "{request:?}"
        );
    }
}

#[tokio::test]
async fn all_forms_of_the_signature_are_accepted() {
    let bench = Bench::start().await;
    let temporary = Static::temporary(
        accounts::HUAWEI_TEMP_AK,
        accounts::HUAWEI_TEMP_SK,
        accounts::HUAWEI_SECURITY_TOKEN,
    );
    for builder in [
        bench.apig(),
        bench.apig().signature(HuaweiSignature::Scoped),
        bench.apig().credentials(temporary.clone()),
        bench
            .apig()
            .credentials(temporary)
            .signature(HuaweiSignature::Scoped),
    ] {
        let apig = builder.build().unwrap();
        let apps = ListAppsV2::new().name("a b*c~d/中+&=%").send(&apig).await;
        let apps = apps.unwrap_or_else(|error| panic!("{}", error.explain()));
        assert_eq!(apps.total, Some(0));
    }
    let signed = bench.cloud.requests();
    assert!(
        signed[0]
            .header("authorization")
            .unwrap()
            .contains("Access=")
    );
    assert!(
        signed[1]
            .header("authorization")
            .unwrap()
            .contains("Credential=")
    );
    assert_eq!(
        signed[2].header("x-security-token"),
        Some(accounts::HUAWEI_SECURITY_TOKEN)
    );
}

#[tokio::test]
async fn project_and_gateway_come_from_the_client_unless_the_operation_names_them() {
    let bench = Bench::start().await;
    let apig = bench.apig().build().unwrap();
    ListAppsV2::new().send(&apig).await.unwrap();
    let path = format!(
        "/v2/{}/apigw/instances/{}/apps",
        accounts::KEYSTONE_PROJECT_ID,
        accounts::INSTANCE_ID
    );
    assert_eq!(bench.only("ListAppsV2").target, path);

    let script = Script::one(200, "{}");
    let apig = bench.apig().transport(script.clone()).build().unwrap();
    ListAppsV2::new()
        .project_id("p 1/2")
        .instance_id("i~")
        .send(&apig)
        .await
        .unwrap();
    let url = script.sent()[0].url.clone();
    assert_eq!(url.path(), "/v2/p%201%2F2/apigw/instances/i~/apps");
}

#[tokio::test]
async fn odd_ids_in_paths_are_encoded_signed_and_understood() {
    let bench = Bench::start().await;
    let apig = bench.apig().build().unwrap();
    // The service finds nothing under such ids, but it finds the signature right.
    for id in [
        "a/b", "a b", "a%2Fb", "中", "a?b#c", "..a", "{app_id}", "a;b=c", "%2e%2e", "~*'()",
    ] {
        let error = ListAppCodesV2::new(id).send(&apig).await.unwrap_err();
        assert!(
            matches!(error.kind(), Kind::NotFound | Kind::InvalidArgument),
            "{id}: {}",
            error.explain()
        );
    }
}

#[tokio::test]
async fn the_documented_statuses_become_kinds() {
    let bench = Bench::start().await;
    let apig = bench.apig().build().unwrap();
    let app = new_app(&apig, "shop").await;

    let short = CreateAppCodeV2::new(&app, "short")
        .send(&apig)
        .await
        .unwrap_err();
    assert_eq!(
        (short.status(), short.code()),
        (Some(400), Some("APIG.2012"))
    );
    assert_eq!(
        (short.kind(), short.outcome()),
        (Kind::InvalidArgument, Outcome::Rejected)
    );
    assert!(short.message().contains("app_code"), "{short}");

    let missing = "9ed8b7fe84224de681e7d7a5587e76dc";
    let missing = CreateAppCodeV2::new(missing, HARD_APP_CODE)
        .send(&apig)
        .await
        .unwrap_err();
    assert_eq!(
        (missing.status(), missing.code()),
        (Some(404), Some("APIG.3004"))
    );
    assert!(missing.is_not_found());

    let unknown = bench
        .apig()
        .credentials(Static::token("not-a-token"))
        .build()
        .unwrap();
    let refused = CreateAppCodeV2::new(&app, HARD_APP_CODE)
        .send(&unknown)
        .await
        .unwrap_err();
    assert_eq!(
        (refused.status(), refused.code()),
        (Some(401), Some("APIG.1002"))
    );
    assert!(refused.is_authentication());
    assert_eq!(refused.outcome(), Outcome::Rejected);

    for (status, code, kind) in [
        (403, "APIG.1005", Kind::PermissionDenied),
        (500, "APIG.9999", Kind::Contended),
    ] {
        let body = format!(r#"{{"error_code":"{code}","error_msg":"words"}}"#);
        bench.fault(
            Service::Apig,
            "CreateAppCodeV2",
            FaultKind::body(status, body),
        );
        let error = CreateAppCodeV2::new(&app, HARD_APP_CODE)
            .send(&apig)
            .await
            .unwrap_err();
        assert_eq!((error.status(), error.code()), (Some(status), Some(code)));
        assert_eq!((error.kind(), error.message()), (kind, "words"));
        assert_eq!(error.attempts().len(), 1, "a second code might be made");
    }
}

#[tokio::test]
async fn the_same_code_twice_is_already_there_and_a_sixth_is_over_the_quota() {
    let bench = Bench::start().await;
    let apig = bench.apig().build().unwrap();
    let app = new_app(&apig, "shop").await;
    CreateAppCodeV2::new(&app, HARD_APP_CODE)
        .send(&apig)
        .await
        .unwrap();
    // A duplicate is a 400 there, not a 409.
    let again = CreateAppCodeV2::new(&app, HARD_APP_CODE)
        .send(&apig)
        .await
        .unwrap_err();
    assert!(again.is_already_exists(), "{again}");
    for _ in 0..4 {
        CreateAppCodeAutoV2::new(&app).send(&apig).await.unwrap();
    }
    let full = CreateAppCodeAutoV2::new(&app)
        .send(&apig)
        .await
        .unwrap_err();
    assert_eq!(full.kind(), Kind::QuotaExceeded);
    assert!(full.hint().is_some());
}

#[tokio::test]
async fn a_lost_answer_to_a_create_is_not_repeated_and_one_to_a_delete_is() {
    let bench = Bench::start().await;
    let apig = bench.apig().build().unwrap();
    let app = new_app(&apig, "shop").await;
    // The verb is PUT, but each call makes one more code.
    bench.fault(
        Service::Apig,
        "CreateAppCodeAutoV2",
        FaultKind::LoseResponse,
    );
    let lost = CreateAppCodeAutoV2::new(&app)
        .send(&apig)
        .await
        .unwrap_err();
    assert_eq!(
        (lost.outcome(), lost.attempts().len()),
        (Outcome::Unknown, 1)
    );
    assert_eq!(
        ListAppCodesV2::new(&app).send(&apig).await.unwrap().total,
        Some(1)
    );

    bench.fault(Service::Apig, "DeleteAppV2", FaultKind::LoseResponse);
    let deleted = DeleteAppV2::new(&app).send(&apig).await.unwrap();
    assert_eq!(deleted.attempts().len(), 2);
    assert!(
        DeleteAppV2::new(&app)
            .send(&apig)
            .await
            .unwrap_err()
            .is_not_found()
    );
}

#[tokio::test]
async fn app_keys_and_secrets_of_the_callers_choice_go_out_and_stay_hidden() {
    let bench = Bench::start().await;
    let apig = bench.apig().build().unwrap();
    let operation = CreateAnAppV2::new("shop")
        .app_key("key-of-the-shop")
        .app_secret("S3cret-of-the-shop");
    assert!(!format!("{operation:?}").contains("S3cret"));
    let made = operation.send(&apig).await.unwrap();
    assert_eq!(
        made.app_secret.as_ref().unwrap().expose(),
        "S3cret-of-the-shop"
    );
    assert!(!format!("{made:?}").contains("S3cret"));
    let sent: serde_json::Value =
        serde_json::from_slice(&bench.only("CreateAnAppV2").body).unwrap();
    assert_eq!(sent["app_secret"], "S3cret-of-the-shop");
}
