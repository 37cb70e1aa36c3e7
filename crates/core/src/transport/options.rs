//! How does a client connect: whom does it trust, through which proxy, and how much does it read?

use std::fmt;
use std::time::Duration;

use crate::address;
use crate::record::Secret;

/// How an [`HttpTransport`](super::HttpTransport) connects.
#[derive(Clone, Default)]
pub struct HttpOptions {
    /// Certificates of further authorities to trust, each in PEM.
    pub extra_ca: Vec<Vec<u8>>,
    /// What the client proves itself with to servers that ask for a certificate.
    pub client_certificate: Option<ClientCertificate>,
    /// Whether servers with any certificate are trusted, so that anyone on the way can read and
    /// change everything. `Some(false)` also overrules an environment that asks for it; by default
    /// such an environment is an error.
    pub accept_invalid_certs: Option<bool>,
    /// Address of a proxy for all requests; otherwise `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and
    /// `NO_PROXY` count. Requests to this machine itself never go through a proxy.
    pub proxy: Option<String>,
    /// Never use a proxy: for metadata services.
    pub no_proxy: bool,
    /// How long connecting may take; 5 s when not set.
    pub connect_timeout: Option<Duration>,
    /// The largest answer that is read, in bytes; 32 MiB when not set. Of the answers that report an
    /// error, no more than 1 MiB is read.
    pub largest_answer: Option<usize>,
}

/// A certificate of the client's own.
#[derive(Clone)]
pub struct ClientCertificate {
    /// The certificate in PEM, followed by those between it and the authority's.
    pub certificate: Vec<u8>,
    /// Its private key in PEM: PKCS #8, SEC 1 or PKCS #1, not encrypted.
    pub key: Secret,
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.certificate.len())
    }
}

impl fmt::Debug for HttpOptions {
    /// Without the password that a proxy's address may hold.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpOptions")
            .field("extra_ca", &self.extra_ca.len())
            .field("client_certificate", &self.client_certificate)
            .field("accept_invalid_certs", &self.accept_invalid_certs)
            .field("proxy", &self.proxy.as_deref().map(address::shown))
            .field("no_proxy", &self.no_proxy)
            .field("connect_timeout", &self.connect_timeout)
            .field("largest_answer", &self.largest_answer)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_show_no_password() {
        let options = HttpOptions {
            proxy: Some("http://me:s3cr3t@proxy.example:3128".into()),
            client_certificate: Some(ClientCertificate {
                certificate: b"PEM".to_vec(),
                key: Secret::from("s3cr3t"),
            }),
            ..HttpOptions::default()
        };
        let text = format!("{options:?}");
        assert!(!text.contains("s3cr3t"), "{text}");
        assert!(text.contains("proxy.example:3128"), "{text}");
    }
}
