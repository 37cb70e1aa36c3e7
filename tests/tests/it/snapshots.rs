//! What does a person read: the line of every kind of error, explanations, requests that are only shown?
//!
//! The texts stand in `snapshots/`, one file each, so that a change of words is seen in its review.
//! Clock and randomness stand still here, and addresses are the real ones: nothing is sent. To take the
//! texts of today, run these tests with `INSTA_UPDATE=always`, and read the differences.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use cumulo_apig::app::{CreateAnAppV2, ListAppsV2};
use cumulo_apig::app_code::{CreateAppCodeV2, ListAppCodesV2};
use cumulo_core::alibaba::AcsSignature;
use cumulo_core::client::DryRun;
use cumulo_core::clock::{ManualClock, SeededEntropy};
use cumulo_core::credentials::Static;
use cumulo_core::transport::TransportErrorKind;
use cumulo_localcloud::accounts;
use cumulo_smartag::client_user::CreateSmartAccessGatewayClientUser;
use cumulo_smartag::enterprise_code::CreateEnterpriseCode;
use cumulo_smc::access_token::{CreateAccessToken, ListAccessTokens};
use cumulo_smc::{Error, Kind};
use cumulo_tests::{Answer, HARD_APP_CODE, Script, alibaba_key, no_environment};
use cumulo_zstack::access_key::{ChangeAccessKeyState, CreateAccessKey, QueryAccessKey};
use insta::assert_snapshot;

/// 2024-02-29, 12:00 UTC.
const NOON: Duration = Duration::from_secs(1_709_208_000);

/// A builder whose clients do the same in every run.
macro_rules! still {
    ($service:ident) => {
        $service::Client::builder()
            .clock(ManualClock::new(SystemTime::UNIX_EPOCH + NOON))
            .entropy(SeededEntropy::new(7))
            .environment(no_environment())
    };
}

fn smc() -> cumulo_smc::Builder {
    still!(cumulo_smc)
        .region("cn-shanghai")
        .credentials(alibaba_key())
}

fn smartag() -> cumulo_smartag::Builder {
    still!(cumulo_smartag)
        .region("cn-shanghai")
        .credentials(alibaba_key())
}

fn apig() -> cumulo_apig::Builder {
    still!(cumulo_apig)
        .region("eu-de")
        .project_id(accounts::KEYSTONE_PROJECT_ID)
        .instance_id(accounts::INSTANCE_ID)
        .credentials(Static::keys(accounts::HUAWEI_AK, accounts::HUAWEI_SK))
}

fn zstack() -> cumulo_zstack::Builder {
    still!(cumulo_zstack)
        .endpoint("https://cloud.example:8080/zstack")
        .server_utc_offset(8 * 3600)
        .credentials(Static::keys(
            accounts::ZSTACK_KEY_ID,
            accounts::ZSTACK_KEY_SECRET,
        ))
}

/// The request, whatever the version of the clients.
fn text(shown: &DryRun) -> String {
    let version = concat!("/", env!("CARGO_PKG_VERSION"));
    shown.to_string().replace(version, "/VERSION")
}

/// This answer to every attempt.
fn always(status: u16, body: &str) -> Script {
    Script::new((0..20).map(|_| Answer::new(status, body.to_owned())))
}

/// Every attempt breaks like this.
fn broken(how: TransportErrorKind) -> Script {
    Script::new((0..20).map(|_| Answer::broken(how)))
}

/// The error of an Alibaba service, as its gateway writes it.
fn acs(status: u16, code: &str, message: &str) -> Script {
    let body = format!(
        r#"{{"RequestId":"4C467B38-3910-447D-87BC-AC049166F216","Code":"{code}","Message":"{message}"}}"#
    );
    always(status, &body)
}

/// The error of a Huawei service.
fn huawei(status: u16, code: &str, message: &str) -> Script {
    let body = format!(
        r#"{{"error_code":"{code}","error_msg":"{message}","request_id":"f0f8b3d9a1b94f0fa1d4b9cd2f1c1c11"}}"#
    );
    always(status, &body)
}

async fn list_codes(script: Script) -> Error {
    let smc = smc().transport(script).build().unwrap();
    ListAccessTokens::new().send(&smc).await.unwrap_err()
}

async fn create_code(script: Script) -> Error {
    let smc = smc().transport(script).build().unwrap();
    let operation = CreateAccessToken::new().name("web-servers");
    operation.send(&smc).await.unwrap_err()
}

async fn create_enterprise_code(script: Script) -> Error {
    let sag = smartag().transport(script).build().unwrap();
    let call = CreateEnterpriseCode::new("a1b2c").send(&sag);
    call.await.unwrap_err()
}

async fn list_apps(script: Script) -> Error {
    let apig = apig().transport(script).build().unwrap();
    ListAppsV2::new()
        .name("shop")
        .send(&apig)
        .await
        .unwrap_err()
}

async fn create_app(script: Script) -> Error {
    let apig = apig().transport(script).build().unwrap();
    CreateAnAppV2::new("shop").send(&apig).await.unwrap_err()
}

async fn query_keys(script: Script) -> Error {
    let zstack = zstack().transport(script).build().unwrap();
    QueryAccessKey::new().send(&zstack).await.unwrap_err()
}

async fn disable_key(script: Script) -> Error {
    let zstack = zstack().transport(script).build().unwrap();
    let call = ChangeAccessKeyState::new(accounts::ZSTACK_KEY_UUID, "disable").send(&zstack);
    call.await.unwrap_err()
}

/// One error of each kind, as a call meets it.
async fn one_of_each() -> Vec<(Kind, Error)> {
    let no_project = still!(cumulo_apig)
        .region("eu-de")
        .instance_id(accounts::INSTANCE_ID)
        .credentials(Static::keys(accounts::HUAWEI_AK, accounts::HUAWEI_SK))
        .build()
        .unwrap();
    let cut_key = smc()
        .credentials(Static::keys(accounts::ALIBABA_KEY_ID, "secret\n"))
        .build()
        .unwrap();
    let wanted = apig().transport(Script::new([])).build().unwrap();
    let old_token = apig()
        .credentials(Static::token("keystone-token-text"))
        .transport(huawei(401, "APIGW.0307", "The token must be updated."))
        .build()
        .unwrap();
    let job = r#"{"location":"http://10.0.0.1:8080/zstack/v1/api-jobs/1"}"#;
    let failed = r#"{"error":{"code":"SYS.1006","description":"An operation failed","details":"the key is in use"}}"#;
    let internal = r#"{"error":{"code":"SYS.1000","description":"An internal error","details":"null pointer"}}"#;
    vec![
        (
            Kind::InvalidInput,
            ListAppCodesV2::new("..").send(&wanted).await.unwrap_err(),
        ),
        (
            Kind::Configuration,
            ListAppsV2::new().send(&no_project).await.unwrap_err(),
        ),
        (
            Kind::Credentials,
            ListAccessTokens::new().send(&cut_key).await.unwrap_err(),
        ),
        (
            Kind::Connect,
            list_codes(broken(TransportErrorKind::Connect)).await,
        ),
        (Kind::Tls, list_codes(broken(TransportErrorKind::Tls)).await),
        (
            Kind::Timeout,
            create_code(broken(TransportErrorKind::Timeout)).await,
        ),
        (
            Kind::Interrupted,
            create_enterprise_code(broken(TransportErrorKind::Interrupted)).await,
        ),
        (
            Kind::InvalidResponse,
            create_app(always(200, "<html><title>Welcome</title></html>")).await,
        ),
        (
            Kind::Signature,
            list_codes(acs(
                400,
                "SignatureDoesNotMatch",
                "The signature does not match.",
            ))
            .await,
        ),
        (
            Kind::ClockSkew,
            list_codes(acs(
                400,
                "IllegalTimestamp",
                "The timestamp is out of range.",
            ))
            .await,
        ),
        (
            Kind::NonceReused,
            create_code(acs(400, "SignatureNonceUsed", "The nonce has been used.")).await,
        ),
        (
            Kind::Unauthenticated,
            list_codes(acs(
                404,
                "InvalidAccessKeyId.NotFound",
                "The key is not found.",
            ))
            .await,
        ),
        (
            Kind::TokenExpired,
            ListAppsV2::new().send(&old_token).await.unwrap_err(),
        ),
        (
            Kind::PermissionDenied,
            list_codes(acs(403, "Forbidden.RAM", "The user is not authorized.")).await,
        ),
        (
            Kind::NotFound,
            create_enterprise_code(acs(
                404,
                "EnterpriseCode.NotExist",
                "There is no such code.",
            ))
            .await,
        ),
        (
            Kind::AlreadyExists,
            create_enterprise_code(acs(400, "EnterpriseCode.BeenOccupied", "It is taken.")).await,
        ),
        (
            Kind::Conflict,
            create_code(acs(
                400,
                "SourceServerState.Invalid",
                "The state is invalid.",
            ))
            .await,
        ),
        (
            Kind::InvalidArgument,
            list_apps(huawei(404, "APIG.0101", "The API does not exist.")).await,
        ),
        (
            Kind::QuotaExceeded,
            create_app(huawei(400, "APIG.3103", "Too many apps.")).await,
        ),
        (
            Kind::Throttled,
            list_codes(acs(400, "Throttling.User", "Request was denied.")).await,
        ),
        (
            Kind::Busy,
            create_enterprise_code(acs(400, "TaskConflict", "Another task is running.")).await,
        ),
        (
            Kind::Contended,
            create_app(huawei(500, "APIG.9999", "System error.")).await,
        ),
        (
            Kind::Unavailable,
            create_code(acs(503, "ServiceUnavailable", "The service is down.")).await,
        ),
        (Kind::Internal, query_keys(always(500, internal)).await),
        (
            Kind::IdempotencyMismatch,
            create_enterprise_code(acs(
                400,
                "IdempotentParameterMismatch",
                "The token was used for another request.",
            ))
            .await,
        ),
        (
            Kind::OperationFailed,
            disable_key(Script::new([
                Answer::new(202, job),
                Answer::new(503, failed),
            ]))
            .await,
        ),
        (Kind::Other, list_codes(always(418, "I am a teapot")).await),
    ]
}

#[tokio::test]
async fn the_line_of_every_kind() {
    let mut lines = String::new();
    let mut kinds = Vec::new();
    for (kind, error) in one_of_each().await {
        assert_eq!(error.kind(), kind, "{error}");
        lines.push_str(&format!("{kind:?}\n  {error}\n"));
        kinds.push(format!("{kind:?}"));
    }
    // The enumeration may grow, which no `match` outside its crate notices.
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/core/src/error/mod.rs");
    let code = fs::read_to_string(path).unwrap();
    let (_, after) = code.split_once("pub enum Kind {\n").unwrap();
    let (body, _) = after.split_once("\n}").unwrap();
    let known: Vec<&str> = body
        .lines()
        .filter_map(|line| line.trim().strip_suffix(','))
        .filter(|line| !line.starts_with("//"))
        .collect();
    assert_eq!(kinds, known);
    assert_snapshot!("error_lines", lines);
}

#[tokio::test]
async fn explanations_of_signatures() {
    let theirs = "POST&%2F&AccessKeyId%3Dother%26Action%3DListAccessTokens%26trace%3D1";
    let body = format!(
        r#"{{"Code":"SignatureDoesNotMatch","Message":"server string to sign is:{theirs}","RequestId":"r-1"}}"#
    );
    let v1 = smc()
        .signature(AcsSignature::V1)
        .transport(always(400, &body))
        .build()
        .unwrap();
    let error = ListAccessTokens::new().send(&v1).await.unwrap_err();
    assert_snapshot!("explain_smc_altered", error.explain());

    // The text that the server names is the one that was signed: the same client shows it before.
    let same = || smartag().signature(AcsSignature::V1);
    let operation = || CreateEnterpriseCode::new("a1b2c");
    let shown = operation().send(&same().build().unwrap());
    let signed = shown.dry_run().await.unwrap().string_to_sign;
    let body = format!(
        r#"{{"Code":"SignatureDoesNotMatch","Message":"server string to sign is:{signed}","RequestId":"r-2"}}"#
    );
    let sag = same().transport(always(400, &body)).build().unwrap();
    let error = operation().send(&sag).await.unwrap_err();
    assert_snapshot!("explain_smartag_secret", error.explain());

    let seen = r"verify aksk signature fail, canonicalRequest:GET|/v2/p/apigw/instances/i/apps/|name=sh0p||x|y|z";
    let error = list_apps(huawei(401, "APIG.0301", seen)).await;
    assert_snapshot!("explain_apig_altered", error.explain());

    let body = r#"{"error":{"code":"ID.1001","description":"access key signature mismatch"}}"#;
    let error = query_keys(always(401, body)).await;
    assert_snapshot!("explain_zstack", error.explain());
}

#[tokio::test]
async fn explanations_of_lost_answers() {
    let error = create_enterprise_code(broken(TransportErrorKind::Interrupted)).await;
    assert_snapshot!("explain_smartag_lost", error.explain());
    let page = "<html><title>502 Bad Gateway</title></html>";
    assert_snapshot!(
        "explain_smc_lost",
        create_code(always(502, page)).await.explain()
    );
    assert_snapshot!(
        "explain_apig_lost",
        create_app(always(502, page)).await.explain()
    );
    assert_snapshot!(
        "explain_zstack_lost",
        disable_key(always(502, page)).await.explain()
    );
}

#[tokio::test]
async fn the_explanation_of_a_clock() {
    let body = r#"{"Code":"InvalidTimeStamp.Expired","Message":"The timestamp is expired.","RequestId":"r-3"}"#;
    // The second is later again, so that the correction by the first does not help.
    let answers = [
        "Thu, 29 Feb 2024 13",
        "Thu, 29 Feb 2024 15",
        "Thu, 29 Feb 2024 18",
    ]
    .map(|hour| Answer::new(400, body).header("date", &format!("{hour}:00:00 GMT")));
    assert_snapshot!(
        "explain_smc_clock",
        list_codes(Script::new(answers)).await.explain()
    );
}

#[tokio::test]
async fn requests_that_are_only_shown() {
    let operation = || CreateAccessToken::new().name("it's a name").count(10);
    let v3 = smc().build().unwrap();
    let shown = operation().send(&v3).dry_run().await.unwrap();
    assert_snapshot!("dry_run_smc_v3", text(&shown));
    let v1 = smc().signature(AcsSignature::V1).build().unwrap();
    let shown = operation().send(&v1).dry_run().await.unwrap();
    assert_snapshot!("dry_run_smc_v1", text(&shown));

    let sag = smartag().build().unwrap();
    let call_with_password = |sag: &cumulo_smartag::Client| {
        let user = CreateSmartAccessGatewayClientUser::new(100, "sag-1", "a@example.com");
        let user = user.user_name("user-one").password("Pass+Word_1@x");
        user.send(sag)
    };
    let shown = call_with_password(&sag).dry_run().await.unwrap();
    let shown_secret = text(&shown);
    assert_snapshot!("dry_run_smartag_secret", shown_secret);

    // A hash over a password tells it to who can try all of them.
    let v1 = smartag().signature(AcsSignature::V1).build().unwrap();
    let hidden = call_with_password(&v1).dry_run().await.unwrap();
    for shown in [shown_secret, text(&hidden)] {
        assert!(
            !shown.contains("Pass+Word") && !shown.contains("Pass%"),
            "{shown}"
        );
        let hash = |word: &str| word.len() == 64 && word.bytes().all(|b| b.is_ascii_hexdigit());
        let mut words = shown.split(|c: char| !c.is_ascii_alphanumeric());
        assert!(!words.any(hash), "{shown}");
    }

    let keys = apig().build().unwrap();
    let call = CreateAppCodeV2::new("app-1", HARD_APP_CODE).send(&keys);
    assert_snapshot!("dry_run_apig_keys", text(&call.dry_run().await.unwrap()));
    let token = apig().credentials(Static::token("keystone-token-text"));
    let call = ListAppsV2::new().name("shop").send(&token.build().unwrap());
    assert_snapshot!("dry_run_apig_token", text(&call.dry_run().await.unwrap()));

    let keys = zstack().build().unwrap();
    let operation = CreateAccessKey::new(accounts::ZSTACK_ACCOUNT_UUID, accounts::ZSTACK_USER_UUID);
    let call = operation.description("of a test").send(&keys);
    assert_snapshot!("dry_run_zstack_keys", text(&call.dry_run().await.unwrap()));
    let session = zstack().credentials(Static::token("session-id-text"));
    let call = QueryAccessKey::new().send(&session.build().unwrap());
    assert_snapshot!(
        "dry_run_zstack_session",
        text(&call.dry_run().await.unwrap())
    );
}
