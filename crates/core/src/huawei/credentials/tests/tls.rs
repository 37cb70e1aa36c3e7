//! Which settings count, and what is said about those that cannot be used?

use super::*;
use crate::credentials::testing::no_secret;
use crate::transport::{ClientCertificate, HttpOptions};

/// A certificate and its key, for tests only.
const CERTIFICATE: &str = include_str!("../../../credentials/tls/testdata/certificate.pem");
const KEY: &str = include_str!("../../../credentials/tls/testdata/key.pem");
const OTHER_KEY: &str = include_str!("../../../credentials/tls/testdata/other-key.pem");

const CLOUD: &str = "\
clouds:
  private:
    cacert: ~/ca.pem
    cert: {home}/cert.pem
    key: {home}/key.pem
    auth: {username: me}
  unverified: {verify: no, auth: {username: me}}
  plain: {auth: {username: me}}
";

fn world(variables: &[(&str, &str)]) -> World {
    let world = World::new(variables);
    world.file("ca.pem", CERTIFICATE);
    world.file("cert.pem", CERTIFICATE);
    world.file("key.pem", KEY);
    world.file("other-key.pem", OTHER_KEY);
    world.file("both.pem", &format!("{KEY}{CERTIFICATE}"));
    world.file("nothing.pem", "s3cr3t");
    world.file("broken.pem", "-----BEGIN CERTIFICATE-----\ns3cr3t\n");
    world.file(
        "encrypted.pem",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nczNjcjN0\n-----END ENCRYPTED PRIVATE KEY-----\n",
    );
    let home = world.directory.to_str().unwrap().to_owned();
    let cloud = CLOUD.replace("{home}", &home);
    world.file(".config/openstack/clouds.yaml", &cloud);
    world
}

/// What the OpenStack settings of `variables` make of `http`.
fn applied(world: &World, mut http: HttpOptions) -> Result<HttpOptions, CredentialError> {
    let environment = &world.context.environment;
    let settings = LoginSettings::from_environment(environment)?;
    settings.tls.apply(environment, &mut http)?;
    Ok(http)
}

fn refused(variables: &[(&str, &str)], words: &[&str]) {
    let error = applied(&world(variables), HttpOptions::default()).unwrap_err();
    no_secret(&error);
    assert_eq!(error.reason, Reason::Misconfigured);
    let text = error.to_string();
    for word in words {
        assert!(text.contains(word), "{word} is not in {text}");
    }
}

#[test]
fn files_of_variables_and_of_a_cloud() {
    for variables in [
        &[("OS_CLOUD", "private")][..],
        &[
            ("OS_CACERT", "~/ca.pem"),
            ("OS_CERT", "{home}/cert.pem"),
            ("OS_KEY", "{home}/key.pem"),
        ][..],
        // What the cloud does not say, variables do.
        &[
            ("OS_CLOUD", "plain"),
            ("OS_CACERT", "{home}/ca.pem"),
            ("OS_CERT", "{home}/both.pem"),
            ("OS_INSECURE", "0"),
            ("OS_VERIFY", "True"),
        ][..],
    ] {
        let http = applied(&world(variables), HttpOptions::default()).unwrap();
        assert_eq!(http.extra_ca, [CERTIFICATE.as_bytes()]);
        assert!(http.client_certificate.is_some());
        crate::transport::tls_config(&http).unwrap();
    }
    let http = applied(&world(&[]), HttpOptions::default()).unwrap();
    assert!(http.extra_ca.is_empty() && http.client_certificate.is_none());
}

#[test]
fn a_cloud_counts_before_variables_and_code_before_both() {
    let world = world(&[("OS_CLOUD", "private"), ("OS_CACERT", "{home}/nothing.pem")]);
    let http = applied(&world, HttpOptions::default()).unwrap();
    assert_eq!(http.extra_ca, [CERTIFICATE.as_bytes()]);
    let own = HttpOptions {
        extra_ca: vec![b"own".to_vec()],
        client_certificate: Some(ClientCertificate {
            certificate: b"own".to_vec(),
            key: Secret::from("own"),
        }),
        ..HttpOptions::default()
    };
    let http = applied(&world, own).unwrap();
    assert_eq!(http.extra_ca, [b"own"]);
    assert_eq!(http.client_certificate.unwrap().certificate, b"own");
}

#[test]
fn not_to_check_certificates_needs_a_word_in_code() {
    for (variables, said) in [
        (
            &[("OS_CLOUD", "unverified")][..],
            "verify in cloud `unverified`",
        ),
        (&[("OS_INSECURE", "true")][..], "OS_INSECURE"),
        (&[("OS_INSECURE", "1")][..], "OS_INSECURE"),
        (&[("OS_VERIFY", "off")][..], "OS_VERIFY"),
        (
            &[("OS_CLOUD", "private"), ("OS_INSECURE", "Yes")][..],
            "OS_INSECURE",
        ),
    ] {
        refused(variables, &[said, "danger_accept_invalid_certs(true)"]);
        // Whoever says in code what is meant is heard, either way.
        for meant in [true, false] {
            let http = HttpOptions {
                accept_invalid_certs: Some(meant),
                ..HttpOptions::default()
            };
            let http = applied(&world(variables), http).unwrap();
            assert_eq!(http.accept_invalid_certs, Some(meant));
        }
    }
    refused(
        &[("OS_VERIFY", "s3cr3t")],
        &["OS_VERIFY", "neither true nor false"],
    );
}

#[test]
fn files_that_cannot_be_used_are_named() {
    refused(
        &[("OS_CACERT", "{home}/none.pem")],
        &["OS_CACERT", "none.pem", "does not exist"],
    );
    refused(&[("OS_CACERT", "{home}")], &["OS_CACERT", "is a directory"]);
    refused(
        &[("OS_CACERT", "{home}/nothing.pem")],
        &["nothing.pem", "no certificate in PEM"],
    );
    refused(
        &[("OS_CACERT", "{home}/broken.pem")],
        &["broken.pem", "PEM"],
    );
    refused(
        &[("OS_CACERT", "{home}/key.pem")],
        &["key.pem", "no certificate in PEM"],
    );
    refused(
        &[("OS_KEY", "{home}/key.pem")],
        &["OS_KEY", "no certificate is"],
    );
    refused(
        &[("OS_CERT", "{home}/cert.pem")],
        &["OS_CERT", "no private key"],
    );
    let certificate = ("OS_CERT", "{home}/cert.pem");
    refused(
        &[certificate, ("OS_KEY", "{home}/none.pem")],
        &["OS_KEY", "none.pem", "does not exist"],
    );
    refused(
        &[certificate, ("OS_KEY", "{home}/encrypted.pem")],
        &["OS_KEY", "encrypted.pem", "openssl pkey"],
    );
    refused(
        &[certificate, ("OS_KEY", "{home}/other-key.pem")],
        &["OS_KEY", "other-key.pem", "do not belong together"],
    );
    // A text in place of a file's name may be the secret itself.
    refused(
        &[
            certificate,
            ("OS_KEY", "-----BEGIN PRIVATE KEY-----\ns3cr3t"),
        ],
        &["OS_KEY", "not the name of a file"],
    );
}
