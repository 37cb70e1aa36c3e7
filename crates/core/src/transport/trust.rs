//! Whom does a client trust, and when does it find out?
//!
//! Reading the operating system's store of authorities takes milliseconds, and is in vain for programs
//! that speak with their own machine alone. So it is read when a server first shows its certificate,
//! once in a process, and kept for all clients. The authorities that a client was given beside are its
//! own, read when it is built and asked first.

use std::error::Error as StdError;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, OtherError, SignatureScheme};

type Verifier = Arc<dyn ServerCertVerifier>;
type Read = fn(Arc<CryptoProvider>) -> Result<Verifier, rustls::Error>;

/// The authorities that the operating system trusts, for all clients.
pub(super) static SYSTEM: System = System::new(|provider| {
    let verifier = rustls_platform_verifier::Verifier::new(provider);
    verifier
        .map(|verifier| Arc::new(verifier) as _)
        .map_err(|error| match error {
            // Of all that can go wrong, this alone has no name of its own.
            rustls::Error::General(_) => rustls::Error::Other(OtherError(Arc::new(NoAuthorities))),
            other => other,
        })
});

/// A store that is read when it is first asked, and kept. What could not be read is tried again.
pub(super) struct System {
    read: Read,
    kept: Mutex<Option<Verifier>>,
}

impl System {
    const fn new(read: Read) -> Self {
        Self {
            read,
            kept: Mutex::new(None),
        }
    }

    fn verifier(&self, provider: &Arc<CryptoProvider>) -> Result<Verifier, rustls::Error> {
        // Handshakes that come meanwhile wait for the one reading.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(verifier) = &*kept {
            return Ok(Arc::clone(verifier));
        }
        let verifier = (self.read)(Arc::clone(provider))?;
        Ok(Arc::clone(kept.insert(verifier)))
    }
}

/// The system trusts nobody.
#[derive(Debug)]
pub(super) struct NoAuthorities;

impl fmt::Display for NoAuthorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this system has no trusted certificate authorities")
    }
}

impl StdError for NoAuthorities {}

/// Trusts whom the system trusts, and further authorities.
pub(super) struct Trust {
    provider: Arc<CryptoProvider>,
    extra: Option<Verifier>,
    system: &'static System,
}

impl Trust {
    /// The error says what is wrong with a further authority.
    pub(super) fn new(
        extra: Vec<CertificateDer<'static>>,
        system: &'static System,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, rustls::Error> {
        let extra = match extra.is_empty() {
            true => None,
            false => Some(beside(extra, Arc::clone(&provider))?),
        };
        Ok(Self {
            provider,
            extra,
            system,
        })
    }
}

/// Whoever trusts these authorities. Where the platform judges certificates by rules of its own, it
/// judges those too; it has no store to read there.
#[cfg(any(windows, target_vendor = "apple"))]
fn beside(
    extra: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
) -> Result<Verifier, rustls::Error> {
    let verifier = rustls_platform_verifier::Verifier::new_with_extra_roots(extra, provider)?;
    Ok(Arc::new(verifier))
}

/// Whoever trusts these authorities, and no others.
#[cfg(not(any(windows, target_vendor = "apple")))]
fn beside(
    extra: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
) -> Result<Verifier, rustls::Error> {
    let mut roots = rustls::RootCertStore::empty();
    for authority in extra {
        roots.add(authority)?;
    }
    let verifier =
        rustls::client::WebPkiServerVerifier::builder_with_provider(roots.into(), provider);
    let verifier = verifier.build();
    Ok(verifier.map_err(|error| rustls::Error::Other(OtherError(Arc::new(error))))?)
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust").finish_non_exhaustive()
    }
}

impl ServerCertVerifier for Trust {
    /// A chain of certificates ends with one authority, so that whom either trusts, both together
    /// trust. Where neither does, the client's own authorities say why if they know the chain at all.
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let judged = |by: &Verifier| by.verify_server_cert(shown, between, name, ocsp, now);
        let Some(extra) = &self.extra else {
            return judged(&self.system.verifier(&self.provider)?);
        };
        let unknown = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let why = match judged(extra) {
            Err(why) => why,
            trusted => return trusted,
        };
        match self.system.verifier(&self.provider) {
            Ok(system) => judged(&system).map_err(|other| if why == unknown { other } else { why }),
            Err(_) => Err(why),
        }
    }

    // What follows is about signatures, which all verifiers check alike and without authorities.

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, shown, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, shown, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use rustls::pki_types::pem::PemObject;

    use super::*;
    use crate::transport::tls::NotVerified;

    const AUTHORITY: &[u8] = include_bytes!("../credentials/tls/testdata/certificate.pem");

    fn provider() -> Arc<CryptoProvider> {
        Arc::new(rustls::crypto::ring::default_provider())
    }

    fn shown() -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(AUTHORITY).unwrap()
    }

    fn trust(extra: Vec<CertificateDer<'static>>, system: &'static System) -> Trust {
        Trust::new(extra, system, provider()).unwrap()
    }

    fn judge(trust: &Trust) -> Result<ServerCertVerified, rustls::Error> {
        let name = ServerName::try_from("localhost").unwrap();
        trust.verify_server_cert(&shown(), &[], &name, &[], UnixTime::now())
    }

    /// A store that trusts everybody.
    fn anybody(reads: &AtomicUsize, provider: Arc<CryptoProvider>) -> Verifier {
        reads.fetch_add(1, Ordering::SeqCst);
        Arc::new(NotVerified(provider))
    }

    #[test]
    fn the_store_is_read_once_and_not_before_a_server_is_judged() {
        static READS: AtomicUsize = AtomicUsize::new(0);
        static STORE: System = System::new(|provider| Ok(anybody(&READS, provider)));
        let plain = Arc::new(trust(Vec::new(), &STORE));
        let with_more = trust(vec![shown()], &STORE);
        // A client's first words name the signatures that it understands.
        let config = rustls::ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(plain.clone())
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").unwrap();
        let mut hello = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
        assert_ne!(hello.write_tls(&mut Vec::new()).unwrap(), 0);
        assert_eq!(READS.load(Ordering::SeqCst), 0);
        judge(&plain).unwrap();
        judge(&plain).unwrap();
        judge(&with_more).unwrap();
        judge(&trust(Vec::new(), &STORE)).unwrap();
        assert_eq!(READS.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn threads_that_need_the_store_at_once_read_it_once() {
        static READS: AtomicUsize = AtomicUsize::new(0);
        static STORE: System = System::new(|provider| Ok(anybody(&READS, provider)));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| judge(&trust(Vec::new(), &STORE)).unwrap());
            }
        });
        assert_eq!(READS.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_store_that_cannot_be_read_is_tried_again() {
        static READS: AtomicUsize = AtomicUsize::new(0);
        static STORE: System = System::new(|provider| {
            let verifier = anybody(&READS, provider);
            match READS.load(Ordering::SeqCst) {
                1 | 2 => Err(rustls::Error::Other(OtherError(Arc::new(NoAuthorities)))),
                _ => Ok(verifier),
            }
        });
        let plain = trust(Vec::new(), &STORE);
        let error = judge(&plain).unwrap_err();
        assert!(
            error.to_string().contains("no trusted certificate"),
            "{error}"
        );
        // Whoever has authorities of their own is told what those have to say.
        let error = judge(&trust(vec![shown()], &STORE)).unwrap_err();
        assert!(
            matches!(error, rustls::Error::InvalidCertificate(_)),
            "{error}"
        );
        judge(&plain).unwrap();
    }

    #[test]
    fn an_authority_that_is_none_is_told_at_once() {
        let broken = CertificateDer::from(vec![0x30, 0x03, 0x02, 0x01, 0x05]);
        assert!(Trust::new(vec![broken], &SYSTEM, provider()).is_err());
    }
}
