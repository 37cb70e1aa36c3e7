//! Do the lines for a shell work, as the pages give them? All of a page's `sh` blocks run as one
//! script against a local cloud; blocks named `console` start or install something, and do not.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use cumulo_localcloud::accounts;

use crate::common::{cloud, run};

#[test]
fn the_lines_of_the_pages_work_in_a_shell() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let mut scripts = 0;
    for entry in fs::read_dir(docs).unwrap() {
        let path = entry.unwrap().path();
        let page = fs::read_to_string(&path).unwrap();
        let script: String = blocks(&page, "sh").collect();
        if script.is_empty() {
            continue;
        }
        scripts += 1;
        let cloud = cloud();
        if let Some(seed) = blocks(&page, "json").next() {
            cloud.seed(&seed).unwrap();
        }
        // The pages give the local cloud the ports from 7070 on; a test takes what is free.
        let mut script = script;
        for (port, endpoint) in [
            (7070, cloud.smc_endpoint()),
            (7071, cloud.smartag_endpoint()),
            (7072, cloud.apig_endpoint()),
        ] {
            script = script.replace(&format!("http://127.0.0.1:{port}"), &endpoint);
        }
        let name = path.file_stem().unwrap().to_str().unwrap();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("guide-{name}"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let command = Path::new(env!("CARGO_BIN_EXE_cumulo")).parent().unwrap();
        let mut shell = Command::new("bash");
        shell
            .args(["-euo", "pipefail", "-c", &script])
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .env_clear()
            .env("HOME", &folder)
            .env(
                "PATH",
                format!("{}:/usr/local/bin:/usr/bin:/bin", command.display()),
            )
            .env("ALIBABA_CLOUD_ACCESS_KEY_ID", accounts::ALIBABA_KEY_ID)
            .env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", accounts::ALIBABA_SECRET)
            .env("ALIBABA_CLOUD_REGION_ID", accounts::ALIBABA_REGION)
            .env("OS_AUTH_URL", cloud.iam_endpoint())
            .env("OS_USERNAME", accounts::KEYSTONE_USER)
            .env("OS_PASSWORD", accounts::KEYSTONE_PASSWORD)
            .env("OS_USER_DOMAIN_NAME", accounts::KEYSTONE_DOMAIN)
            .env("OS_PROJECT_NAME", accounts::KEYSTONE_PROJECT_NAME)
            .env("OS_REGION_NAME", accounts::KEYSTONE_REGION)
            .env("APIG_INSTANCE_ID", accounts::INSTANCE_ID)
            .env("ZSTACK_ENDPOINT", cloud.zstack_endpoint())
            .env("ZSTACK_ACCOUNT_NAME", accounts::ZSTACK_ACCOUNT)
            .env("ZSTACK_ACCOUNT_PASSWORD", accounts::ZSTACK_PASSWORD);
        let ended = run(&mut shell);
        assert_eq!(ended.status, 0, "{name}: {}", ended.printed());
    }
    assert!(scripts >= 4, "{scripts}");
}

/// The texts of a page's blocks of a language.
fn blocks<'a>(page: &'a str, language: &'a str) -> impl Iterator<Item = String> + 'a {
    page.split("\n```")
        .skip(1)
        .step_by(2)
        .filter_map(move |block| {
            let (opening, text) = block.split_once('\n')?;
            (opening == language).then(|| format!("{text}\n"))
        })
}
