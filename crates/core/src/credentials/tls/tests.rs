//! Keys and certificates in the forms that tools write.

use super::*;
use crate::record::Secret;

const CERTIFICATE: &str = include_str!("testdata/certificate.pem");
const KEY: &str = include_str!("testdata/key.pem");

/// Each form in which tools write private keys.
#[test]
fn keys_in_every_form() {
    for (key, certificate) in [
        (
            include_str!("testdata/rsa-pkcs1.pem"),
            include_str!("testdata/rsa.pem"),
        ),
        (
            include_str!("testdata/sec1.pem"),
            include_str!("testdata/sec1-certificate.pem"),
        ),
        (KEY, CERTIFICATE),
    ] {
        let own = ClientCertificate {
            certificate: certificate.as_bytes().to_vec(),
            key: Secret::from(key),
        };
        assert_eq!(crate::transport::check_pair(&own), Ok(()));
    }
}
