use std::time::{Duration, SystemTime};

use super::profiles::FILE;
use super::*;
use crate::credentials::testing::{json, reply, shown};

#[tokio::test]
async fn which_profile_counts() {
    let keys = |name: &str| json!({ "name": name, "mode": "AK", "access_key_id": name, "access_key_secret": "s" });
    let file = json!({ "current": "a", "profiles": [keys("a"), keys("b"), keys("c")] }).to_string();
    let plain = World::new(&[]);
    plain.file(FILE, &file);
    assert_eq!(plain.keys(&CliProfile::new()).await.id, "a");
    let world = World::new(&[
        ("ALIBABA_CLOUD_PROFILE", "b"),
        ("ALIBABA_CLOUD_CONFIG_FILE", "{home}/other.json"),
    ]);
    world.file("other.json", &file);
    assert_eq!(world.keys(&CliProfile::new()).await.id, "b");
    assert_eq!(world.keys(&CliProfile::new().profile("c")).await.id, "c");
    let disabled = World::new(&[("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "TRUE")]);
    disabled.file(FILE, &file);
    assert_eq!(
        disabled.error(&CliProfile::new()).await.reason,
        Reason::NotConfigured
    );
}

#[test]
fn a_profile_has_a_region_too() {
    let profile =
        |name: &str, region: &str| json!({ "name": name, "mode": "AK", "region_id": region });
    let file = json!({ "current": "a", "profiles": [profile("a", "r-a"), profile("b", "r-b"), {"name": "c"}] });
    let region = |variables: &[(&str, &str)], provider: CliProfile| {
        let world = World::new(variables);
        world.file(FILE, &file.to_string());
        provider.region(&world.context.environment)
    };
    let (value, place) = region(&[], CliProfile::new()).unwrap();
    assert_eq!(value, "r-a");
    assert!(place.contains("profile `a`"), "{place}");
    let chosen = [("ALIBABA_CLOUD_PROFILE", "b")];
    assert_eq!(region(&chosen, CliProfile::new()).unwrap().0, "r-b");
    for none in ["c", "d"] {
        assert_eq!(region(&chosen, CliProfile::new().profile(none)), None);
    }
    let disabled = [("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "true")];
    assert_eq!(region(&disabled, CliProfile::new()), None);
}

#[tokio::test]
async fn bad_profiles_name_file_key_and_remedy() {
    for (text, what) in [
        ("{\n  s3cr3t", "is no JSON: line 2, column 3"),
        (
            r#"{"current":"p","profiles":[{"name":"q"}]}"#,
            "has no profile `p`",
        ),
        (
            r#"{"current":"p","profiles":[{"name":"p","mode":"RsaKeyPair"}]}"#,
            "the mode `RsaKeyPair`, which is not supported",
        ),
        (
            r#"{"current":"p","profiles":[{"name":"p","mode":"AK","access_key_id":"i"}]}"#,
            "has no access_key_secret",
        ),
        (
            r#"{"current":"p","profiles":[{"name":"p","mode":"StsToken","access_key_id":"i","access_key_secret":"s3cr3t"}]}"#,
            "has no sts_token",
        ),
        (
            r#"{"current":"p","profiles":[{"name":"p","mode":"RamRoleArn","access_key_id":"i","access_key_secret":"s3cr3t"}]}"#,
            "has no ram_role_arn",
        ),
    ] {
        let world = World::new(&[]);
        let path = world.file(FILE, text);
        let error = world.error(&CliProfile::new()).await;
        assert_eq!(error.reason, Reason::Misconfigured, "{error}");
        assert!(error.message.contains(what), "{what} is not in {error}");
        assert!(
            error.message.contains(&shown(&path)) && error.hint.is_some(),
            "{error}"
        );
    }
    // What was never filled in is no mistake.
    for text in [
        r#"{"profiles":[]}"#,
        r#"{"current":"p","profiles":[{"name":"p","mode":"AK","access_key_id":""}]}"#,
    ] {
        let world = World::new(&[]);
        world.file(FILE, text);
        assert_eq!(
            world.error(&CliProfile::new()).await.reason,
            Reason::NotConfigured
        );
    }
    let world = World::new(&[("ALIBABA_CLOUD_CONFIG_FILE", "{home}/none.json")]);
    let error = world.error(&CliProfile::new()).await;
    assert!(
        error
            .to_string()
            .contains("ALIBABA_CLOUD_CONFIG_FILE names"),
        "{error}"
    );
}

#[tokio::test]
async fn files_that_cannot_be_read_say_why() {
    let world = World::new(&[]);
    std::fs::create_dir_all(world.directory.join(FILE)).unwrap();
    let error = world.error(&CliProfile::new()).await;
    assert!(error.to_string().contains("is a directory"), "{error}");

    let world = World::new(&[]);
    let path = world.file(FILE, "");
    std::fs::write(&path, [0xff, 0xfe, 0x00]).unwrap();
    assert!(
        world
            .error(&CliProfile::new())
            .await
            .to_string()
            .contains("no UTF-8")
    );
    std::fs::write(&path, vec![b' '; 2 << 20]).unwrap();
    assert!(
        world
            .error(&CliProfile::new())
            .await
            .to_string()
            .contains("larger than any")
    );

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
        // The administrator reads everything.
        if std::fs::read(&path).is_err() {
            let error = world.error(&CliProfile::new()).await;
            assert!(
                error.to_string().contains("cannot be read by this user"),
                "{error}"
            );
            assert!(error.hint.unwrap().contains("chmod 600"));
        }
    }
}

const INI: &str = ".alibabacloud/credentials";

#[tokio::test]
async fn ini_profiles() {
    let text = "[default]\ntype = access_key # kind\naccess_key_id = i\naccess_key_secret = s\n\
                [role]\ntype=ram_role_arn\naccess_key_id=i\naccess_key_secret=s\nrole_arn=arn\nrole_session_name=me\npolicy={}\n\
                [oidc]\ntype=oidc_role_arn\nrole_arn=arn\noidc_provider_arn=idp\noidc_token_file_path=~/token\n\
                [sts]\ntype=sts\naccess_key_id=i\naccess_key_secret=s\nsecurity_token=t\n\
                [bearer]\ntype=bearer\nbearer_token=b\n";
    for file in [INI, ".alibabacloud/credentials.ini"] {
        let world = World::answering(&[], vec![json(200, &assumed()), json(200, &assumed())]);
        world.file(file, text);
        world.file("token", "tok");
        assert_eq!(
            parts(&world.keys(&IniProfile::new()).await),
            ("i", "s", None)
        );
        assert_eq!(
            parts(&world.keys(&IniProfile::new().section("sts")).await),
            ("i", "s", Some("t"))
        );
        world.keys(&IniProfile::new().section("role")).await;
        assert!(
            world
                .script
                .body(0)
                .contains("RoleArn=arn&RoleSessionName=me&Policy=%7B%7D")
        );
        world.keys(&IniProfile::new().section("oidc")).await;
        assert!(world.script.body(1).contains("OIDCToken=tok"));
        world
            .provide(&IniProfile::new().section("bearer"))
            .await
            .unwrap();
    }
    let mut keys = issued();
    keys["Code"] = "Success".into();
    let variables = [
        ("ALIBABA_CLOUD_CREDENTIALS_FILE", "{home}/x"),
        ("ALIBABA_CLOUD_PROFILE", "e"),
    ];
    let world = World::with(
        &variables,
        vec![],
        vec![reply(200, "tok"), json(200, &keys)],
    );
    world.file("x", "[e]\ntype = ecs_ram_role\nrole_name = r\n");
    world.keys(&IniProfile::new()).await;
}

#[tokio::test]
async fn bad_ini_profiles_name_file_key_and_remedy() {
    for (text, what) in [
        ("[default]\ns3cr3t", "line 2 of"),
        ("[default]\naccess_key_id=s3cr3t", "has no type"),
        (
            "[default]\ntype=access_key\naccess_key_id=i",
            "has no access_key_secret",
        ),
        ("[default]\ntype=rsa_key_pair", "type that is not supported"),
        (
            "[default]\ntype=sts\naccess_key_id=i\naccess_key_secret=s3cr3t",
            "has no security_token",
        ),
    ] {
        let world = World::new(&[]);
        let path = world.file(INI, text);
        let error = world.error(&IniProfile::new()).await;
        assert!(
            error.message.contains(what) && error.message.contains(&shown(&path)),
            "{what}: {error}"
        );
        assert!(error.reason == Reason::Misconfigured && error.hint.is_some());
    }
    let world = World::new(&[]);
    world.file(INI, "[other]\n");
    assert_eq!(
        world.error(&IniProfile::new()).await.reason,
        Reason::NotConfigured
    );
    let world = World::new(&[("ALIBABA_CLOUD_PROFILE", "mine")]);
    world.file(INI, "[other]\n");
    let error = world.error(&IniProfile::new()).await;
    assert!(error.to_string().contains("no section [mine]"), "{error}");
    let world = World::new(&[("ALIBABA_CLOUD_CREDENTIALS_FILE", "{home}/none")]);
    assert!(
        world
            .error(&IniProfile::new())
            .await
            .to_string()
            .contains("does not exist")
    );
}

#[test]
fn the_ends_of_logins_are_unix_seconds() {
    let end = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
    assert_eq!(
        crate::alibaba::credentials::answer::unix(Some(&json!(NOW))),
        Some(end)
    );
    assert_eq!(
        crate::alibaba::credentials::answer::unix(Some(&json!(NOW.to_string()))),
        Some(end)
    );
    for nothing in [json!(0), json!("soon"), json!(null)] {
        assert_eq!(
            crate::alibaba::credentials::answer::unix(Some(&nothing)),
            None
        );
    }
}
