//! TLS servers with certificates of a test's own making.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion, version};

/// An authority that nobody trusts unless told to.
#[derive(Debug)]
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate with its key.
#[derive(Debug)]
pub struct Issued {
    /// The certificate in PEM.
    pub certificate: String,
    /// The key in PEM (PKCS #8).
    pub key: String,
    config_certificate: Vec<u8>,
    config_key: Vec<u8>,
}

impl Authority {
    /// A new authority.
    ///
    /// # Panics
    /// When it cannot be made.
    #[allow(clippy::new_without_default, reason = "it is new each time")]
    pub fn new() -> Self {
        let mut params = CertificateParams::new([]).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("an authority");
        Self { issuer }
    }

    /// Its certificate in PEM.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A certificate for `name`, valid from the first to the second year.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn issue(&self, name: &str, years: (i32, i32)) -> Issued {
        let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
        params.not_before = rcgen::date_time_ymd(years.0, 1, 1);
        params.not_after = rcgen::date_time_ymd(years.1, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let made = params.signed_by(&key, &self.issuer).expect("a certificate");
        Issued {
            certificate: made.pem(),
            key: key.serialize_pem(),
            config_certificate: made.der().to_vec(),
            config_key: key.serialize_der(),
        }
    }

    /// A certificate for `localhost` that is valid now.
    pub fn for_localhost(&self) -> Issued {
        self.issue("localhost", (2020, 4000))
    }
}

/// What a TLS server does.
#[derive(Debug)]
pub struct TlsServer<'a> {
    /// The certificate that it shows.
    pub shows: &'a Issued,
    /// The authority whose clients alone it serves.
    pub clients_of: Option<&'a Authority>,
    /// The versions that it speaks.
    pub versions: Vec<&'static SupportedProtocolVersion>,
    /// Where it passes connections on to; without, it answers every request with `{}`.
    pub target: Option<String>,
}

impl<'a> TlsServer<'a> {
    /// A server that shows `issued` to everybody.
    pub fn showing(issued: &'a Issued) -> Self {
        Self {
            shows: issued,
            clients_of: None,
            versions: vec![&version::TLS13, &version::TLS12],
            target: None,
        }
    }

    /// Starts it; its address, `https://localhost:port`. It ends with the test's runtime.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn start(self) -> String {
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&self.versions)
            .expect("known versions");
        let builder = match self.clients_of {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots
                    .add(authority.issuer.der().clone())
                    .expect("an authority");
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                        .build()
                        .expect("a verifier");
                builder.with_client_cert_verifier(verifier)
            }
        };
        let key = PrivateKeyDer::try_from(self.shows.config_key.clone()).expect("a key");
        let chain = vec![self.shows.config_certificate.clone().into()];
        let config = builder.with_single_cert(chain, key).expect("a certificate");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = socket.local_addr().expect("a bound socket").port();
        let target = self.target;
        tokio::spawn(async move {
            while let Ok((stream, _)) = socket.accept().await {
                tokio::spawn(serve(acceptor.clone(), stream, target.clone()));
            }
        });
        format!("https://localhost:{port}")
    }
}

async fn serve(acceptor: TlsAcceptor, stream: TcpStream, target: Option<String>) {
    let mut stream = match acceptor.accept(stream).into_fallible().await {
        Ok(stream) => stream,
        Err((_, mut stream)) => {
            // Read to the end, as closing over unread bytes would reset the connection before the
            // client has read why.
            let _ = stream.shutdown().await;
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
            return;
        }
    };
    if let Some(target) = target {
        if let Ok(mut plain) = TcpStream::connect(target).await {
            let _ = tokio::io::copy_bidirectional(&mut stream, &mut plain).await;
        }
        return;
    }
    let mut start = [0; 4096];
    let _ = stream.read(&mut start).await;
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    let _ = stream.write_all(answer).await;
    let _ = stream.shutdown().await;
}
