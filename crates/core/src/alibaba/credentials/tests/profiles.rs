use std::time::Duration;

use super::*;
use crate::credentials::testing::{json, reply, shown};

pub(super) const FILE: &str = ".aliyun/config.json";

pub(super) fn config(profile: &Json) -> String {
    json!({ "current": "p", "profiles": [profile] }).to_string()
}

/// A world whose current profile has these members.
pub(super) fn world(
    answers: Vec<Result<crate::transport::HttpResponse, crate::transport::TransportErrorKind>>,
    profile: &Json,
) -> World {
    let world = World::answering(&[], answers);
    let mut profile = profile.clone();
    profile["name"] = "p".into();
    world.file(FILE, &config(&profile));
    world
}

#[tokio::test]
async fn modes_with_keys_in_the_profile() {
    let given = world(
        vec![],
        &json!({ "mode": "AK", "access_key_id": "i", "access_key_secret": "s" }),
    );
    let credential = given.provide(&CliProfile::new()).await.unwrap();
    assert_eq!(
        credential.source,
        format!("profile `p` in {}", shown(&given.directory.join(FILE)))
    );
    assert_eq!(
        parts(&given.keys(&CliProfile::new()).await),
        ("i", "s", None)
    );

    // Modes are compared whatever their case, and AK is meant where none is told.
    let sts = json!({ "mode": "ststoken", "access_key_id": "i", "access_key_secret": "s", "sts_token": "t" });
    assert_eq!(
        parts(&world(vec![], &sts).keys(&CliProfile::new()).await),
        ("i", "s", Some("t"))
    );
    let plain = json!({ "access_key_id": "i", "access_key_secret": "s" });
    assert_eq!(
        parts(&world(vec![], &plain).keys(&CliProfile::new()).await),
        ("i", "s", None)
    );

    let bearer = json!({ "mode": "BearerToken", "bearer_token": "b" });
    let credential = world(vec![], &bearer)
        .provide(&CliProfile::new())
        .await
        .unwrap();
    assert!(matches!(credential.identity, Identity::Token(_)));
}

#[tokio::test]
async fn modes_that_assume_a_role() {
    let role = json!({
        "mode": "RamRoleArn", "access_key_id": "i", "access_key_secret": "s", "sts_token": "t0",
        "ram_role_arn": "arn", "ram_session_name": "me", "expired_seconds": 1200,
        "sts_region": "cn-beijing", "enable_vpc": true, "policy": "{}", "external_id": "e",
    });
    let given = world(vec![json(200, &assumed())], &role);
    let credential = given.provide(&CliProfile::new()).await.unwrap();
    assert!(
        credential.source.ends_with("(AssumeRole)"),
        "{}",
        credential.source
    );
    assert_eq!(
        given.script.asked()[0].url.host_str(),
        Some("sts-vpc.cn-beijing.aliyuncs.com")
    );
    let body = given.script.body(0);
    for part in [
        "DurationSeconds=1200",
        "RoleSessionName=me",
        "Policy=%7B%7D",
        "ExternalId=e",
        "SecurityToken=t0",
    ] {
        assert!(body.contains(part), "{part} is not in {body}");
    }

    let oidc = json!({
        "mode": "OIDC", "oidc_provider_arn": "idp", "oidc_token_file": "~/token",
        "ram_role_arn": "arn", "ram_session_name": "me",
    });
    let given = world(vec![json(200, &assumed())], &oidc);
    given.file("token", "tok");
    given.provide(&CliProfile::new()).await.unwrap();
    assert!(
        given
            .script
            .body(0)
            .contains("OIDCToken=tok&RoleArn=arn&RoleSessionName=me")
    );
}

#[tokio::test]
async fn modes_that_use_the_ecs_role() {
    let mut keys = issued();
    keys["Code"] = "Success".into();
    for (profile, assumes) in [
        (json!({ "mode": "EcsRamRole", "ram_role_name": "r" }), false),
        (
            json!({ "mode": "RamRoleArnWithEcs", "ram_role_name": "r", "ram_role_arn": "arn" }),
            true,
        ),
    ] {
        let answers = if assumes {
            vec![json(200, &assumed())]
        } else {
            Vec::new()
        };
        let world = World::with(&[], answers, vec![reply(200, "tok"), json(200, &keys)]);
        let mut profile = profile;
        profile["name"] = "p".into();
        world.file(FILE, &config(&profile));
        world.keys(&CliProfile::new()).await;
        assert!(world.direct.lines()[1].ends_with("/security-credentials/r"));
        if assumes {
            assert!(world.script.body(0).contains("SecurityToken=s3cr3t-token"));
        }
    }
}

#[tokio::test]
async fn chained_roles_and_circles() {
    let profile = |name: &str, source: &str| json!({ "name": name, "mode": "ChainableRamRoleArn", "source_profile": source, "ram_role_arn": name });
    let file = json!({ "current": "a", "profiles": [
        profile("a", "b"), profile("b", "keys"),
        { "name": "keys", "mode": "AK", "access_key_id": "i", "access_key_secret": "s" },
        profile("x", "y"), profile("y", "z"), profile("z", "y"), profile("lost", "nowhere"),
    ]});
    let world = World::answering(&[], vec![json(200, &assumed()), json(200, &assumed())]);
    world.file(FILE, &file.to_string());
    world.keys(&CliProfile::new()).await;
    assert!(
        world.script.body(0).contains("RoleArn=b") && world.script.body(1).contains("RoleArn=a")
    );
    assert!(world.script.body(1).contains("SecurityToken=s3cr3t-token"));

    let error = world.error(&CliProfile::new().profile("x")).await;
    assert!(
        error.to_string().contains("in a circle: x -> y -> z -> y"),
        "{error}"
    );
    let error = world.error(&CliProfile::new().profile("lost")).await;
    assert!(
        error.to_string().contains("no profile `nowhere`"),
        "{error}"
    );
}

#[tokio::test]
async fn a_profile_that_names_a_credentials_uri() {
    let profile = json!({ "mode": "CredentialsURI", "credentials_uri": "https://k.example.com/" });
    let given = world(vec![json(200, &issued())], &profile);
    given.keys(&CliProfile::new()).await;

    let world = World::new(&[("ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS", "1")]);
    let mut profile = profile;
    profile["name"] = "p".into();
    world.file(FILE, &config(&profile));
    let error = world.error(&CliProfile::new()).await;
    assert!(
        error
            .to_string()
            .contains("ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS"),
        "{error}"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn external_processes() {
    let printing =
        |text: &str| json!({ "mode": "External", "process_command": format!("printf '{text}'") });
    let good = r#"{"mode":"StsToken","access_key_id":"i","access_key_secret":"s","sts_token":"t","expiration":"2026-01-01T01:00:00Z"}"#;
    let given = world(vec![], &printing(good));
    let credential = given.provide(&CliProfile::new()).await.unwrap();
    assert_eq!(
        credential.expires_at,
        crate::alibaba::credentials::answer::time(LATER)
    );
    for (profile, what) in [
        (printing("s3cr3t"), "did not print JSON"),
        (
            printing(r#"{"mode":"AK","access_key_id":"i"}"#),
            "printed no access_key_secret",
        ),
        (printing(r#"{"mode":"s3cr3t"}"#), "mode other than"),
        (printing("{}"), "printed no mode"),
        (
            json!({ "mode": "External", "process_command": "false s3cr3t" }),
            "ended with status 1",
        ),
        (
            json!({ "mode": "External", "process_command": "no-such-program-at-all s3cr3t" }),
            "cannot be started",
        ),
        (
            json!({ "mode": "External", "process_command": "echo 's3cr3t" }),
            "quote that does not end",
        ),
        (json!({ "mode": "External" }), "no process_command"),
    ] {
        let bad = world(vec![], &profile);
        let error = bad.error(&CliProfile::new()).await;
        assert!(error.to_string().contains(what), "{what} is not in {error}");
        assert!(error.hint.is_some());
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_process_that_hangs_is_ended() {
    let hanging = json!({ "mode": "External", "process_command": "sleep 1000" });
    let given = world(vec![], &hanging);
    let context = given.context.clone();
    let running = tokio::spawn(async move { CliProfile::new().provide(&context).await });
    tokio::task::yield_now().await;
    given.clock.advance(Duration::from_secs(60));
    let error = running.await.unwrap().unwrap_err();
    assert!(
        error.to_string().contains("did not end within 60 s"),
        "{error}"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn a_command_that_anybody_can_change_is_not_run() {
    use std::os::unix::fs::PermissionsExt;
    let given = world(
        vec![],
        &json!({ "mode": "External", "process_command": "echo s3cr3t" }),
    );
    let path = given.directory.join(FILE);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
    let error = given.error(&CliProfile::new()).await;
    assert!(error.to_string().contains("can change the file"), "{error}");
}
