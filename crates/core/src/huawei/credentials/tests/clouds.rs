use super::environment::chain;
use super::*;
use crate::credentials::testing::shown;

const CLOUDS: &str = "\
clouds:
  otc:
    profile: otc
    region_name: eu-nl
    auth:
      username: me
      user_domain_name: OTC-1
      project_id: p1
  keys:
    auth: {ak: AK1, sk: s3cr3t, security_token: st, project_id: p2}
  program:
    auth_type: v3applicationcredential
    auth: {auth_url: 'https://iam.example.com/v3', application_credential_id: ac-1, application_credential_secret: s3cr3t}
  empty: {}
";

#[tokio::test]
async fn clouds_yaml_and_its_secrets() {
    for (folder, variables) in [
        (".config/openstack/", &[][..]),
        (
            "elsewhere/",
            &[
                ("OS_CLIENT_CONFIG_FILE", "{home}/elsewhere/clouds.yaml"),
                ("OS_CLIENT_SECURE_FILE", "~/elsewhere/secure.yaml"),
            ][..],
        ),
    ] {
        let variables = [&[("OS_CLOUD", "otc"), ("OS_AK", "not-this")], variables].concat();
        let world = World::answering(&variables, vec![logged_in("tok")]);
        world.file(&format!("{folder}clouds.yaml"), CLOUDS);
        world.file(
            &format!("{folder}secure.yaml"),
            "clouds: {otc: {auth: {password: 's3cr3t: #1'}}}\n",
        );
        let credential = world.provide(&chain()).await.unwrap();
        assert_eq!(
            credential.source,
            "cloud `otc`: login of me at iam.eu-nl.otc.t-systems.com"
        );
        let user = &world.script.json_body(0)["auth"]["identity"]["password"]["user"];
        assert_eq!(
            user,
            &json!({ "name": "me", "password": "s3cr3t: #1", "domain": { "name": "OTC-1" } })
        );
    }
    let world = World::answering(&[("OS_CLOUD", "program")], vec![logged_in("tok")]);
    world.file(".config/openstack/clouds.yaml", CLOUDS);
    let credential = world.provide(&chain()).await.unwrap();
    assert_eq!(
        credential.source,
        "cloud `program`: application credential ac-1 at iam.example.com"
    );
    let world = World::new(&[("OS_CLOUD", "keys")]);
    world.file(".config/openstack/clouds.yaml", CLOUDS);
    let credential = world.provide(&chain()).await.unwrap();
    assert_eq!(credential.scope.project_id.as_deref(), Some("p2"));
    let settings = LoginSettings::from_environment(&world.context.environment).unwrap();
    assert_eq!(settings.project_id.as_deref(), Some("p2"));
}

#[tokio::test]
async fn bad_clouds_files_name_file_key_and_remedy() {
    let file = ".config/openstack/clouds.yaml";
    for (cloud, text, what, hint) in [
        (
            "mine",
            CLOUDS,
            "has no cloud `mine`",
            "the file has otc, keys, program, empty",
        ),
        (
            "mine",
            "other: 1\n",
            "has no cloud `mine`",
            "below `clouds:`",
        ),
        (
            "otc",
            CLOUDS,
            "username is set, but password is not",
            "Set password",
        ),
        (
            "otc",
            "clouds: {otc: {auth: {username: me, password: [s3cr3t, b]}}}\n",
            "`password` must be one text",
            "Put quotes around",
        ),
        (
            "otc",
            "clouds:\n\totc: s3cr3t\n",
            "line 2 of",
            "Correct the line",
        ),
        (
            "otc",
            "clouds:\n  otc: {s3cr3t\n",
            "line 2 of",
            "Correct the line",
        ),
    ] {
        let world = World::new(&[("OS_CLOUD", cloud)]);
        let path = world.file(file, text);
        let error = world.error(&chain()).await;
        let inner = &error.tried[0];
        assert_eq!(inner.reason, Reason::Misconfigured);
        assert!(
            inner.message.contains(what) && inner.message.contains(&shown(&path)),
            "{what}: {inner}"
        );
        assert!(inner.hint.as_ref().unwrap().contains(hint), "{inner}");
    }
    let world = World::new(&[("OS_CLOUD", "empty")]);
    world.file(file, CLOUDS);
    assert!(
        world
            .error(&chain())
            .await
            .to_string()
            .contains("holds no credentials")
    );
    let error = World::new(&[("OS_CLOUD", "otc")]).error(&chain()).await;
    assert!(
        error.to_string().contains("there is no clouds.yaml"),
        "{error}"
    );
    let variables = [
        ("OS_CLOUD", "otc"),
        ("OS_CLIENT_CONFIG_FILE", "{home}/none.yaml"),
    ];
    let error = World::new(&variables).error(&chain()).await;
    assert!(
        error.to_string().contains("OS_CLIENT_CONFIG_FILE names"),
        "{error}"
    );
}
