//! How are connections protected, and as whom does a client present itself?

use std::error::Error as StdError;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{DigitallySignedStruct, SignatureScheme};

use crate::record::Secret;

use super::options::{ClientCertificate, HttpOptions};
use super::trust::{SYSTEM, Trust};

type Failure = Box<dyn StdError + Send + Sync>;

/// The TLS settings of the default transport: the operating system's authorities, which are not read
/// yet, and what `options` add to them.
///
/// The ring provider is named here, so that no process-wide default is read or set. The error says
/// which option does not work.
pub fn tls_config(options: &HttpOptions) -> Result<rustls::ClientConfig, Failure> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = Vec::new();
    for pem in &options.extra_ca {
        let found =
            certificates(pem).map_err(|why| format!("an extra CA cannot be used: {why}"))?;
        roots.extend(found);
    }
    let verifier: Arc<dyn ServerCertVerifier> = if options.accept_invalid_certs == Some(true) {
        tracing::warn!(
            "certificates of servers are not checked: anyone on the way can read and change everything"
        );
        Arc::new(NotVerified(Arc::clone(&provider)))
    } else {
        let trust = Trust::new(roots, &SYSTEM, Arc::clone(&provider));
        Arc::new(trust.map_err(|why| format!("an extra CA cannot be used: {why}"))?)
    };
    let config = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    Ok(match &options.client_certificate {
        None => config.with_no_client_auth(),
        Some(own) => {
            let own = certified(own, &provider)
                .map_err(|why| format!("the client certificate cannot be used: {why}"))?;
            config.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(own)))
        }
    })
}

/// The certificates in a PEM text.
pub(crate) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, &'static str> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if found.is_empty() => Err("it holds no certificate in PEM"),
        Ok(found) => Ok(found),
        Err(_) => Err("it is broken PEM"),
    }
}

/// The first private key in a PEM text.
pub(crate) fn private_key(pem: &Secret) -> Result<PrivateKeyDer<'static>, &'static str> {
    let pem = pem.expose();
    PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| {
        if pem.contains("ENCRYPTED") {
            "the private key is encrypted: decrypt it, such as with `openssl pkey`"
        } else {
            "it holds no private key in PEM (PKCS #8, SEC 1 or PKCS #1)"
        }
    })
}

/// Whether certificate and key can be used together.
pub(crate) fn check_pair(own: &ClientCertificate) -> Result<(), &'static str> {
    certified(own, &rustls::crypto::ring::default_provider()).map(drop)
}

fn certified(
    own: &ClientCertificate,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, &'static str> {
    let chain = certificates(&own.certificate)?;
    let key = private_key(&own.key)?;
    CertifiedKey::from_der(chain, key, provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => "certificate and private key do not belong together",
        _ => "TLS takes keys of RSA, ECDSA P-256 and P-384, and Ed25519 only",
    })
}

/// Takes every certificate, for whoever asked for that by its frightening name.
#[derive(Debug)]
pub(super) struct NotVerified(pub(super) Arc<CryptoProvider>);

impl ServerCertVerifier for NotVerified {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
