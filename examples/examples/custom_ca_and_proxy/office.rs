//! The network of a company, on loopback: an authority, a server with its certificate, and a proxy that
//! knows where the server is.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// What a client has to be told.
pub(crate) struct Office {
    /// The proxy's address.
    pub(crate) proxy: String,
    /// The authority's certificate in PEM.
    pub(crate) authority: String,
}

/// A server `smc.office.test` with what stands behind `target`, and a proxy that leads there.
pub(crate) async fn open(target: &str) -> Office {
    let target = target.trim_start_matches("http://").to_owned();
    let mut params = CertificateParams::new([]).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let authority = CertifiedIssuer::self_signed(params, key).expect("an authority");

    let key = KeyPair::generate().expect("a key");
    let shown = CertificateParams::new(["smc.office.test".to_owned()])
        .and_then(|params| params.signed_by(&key, &authority))
        .expect("a certificate");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("known versions")
        .with_no_client_auth()
        .with_single_cert(
            vec![shown.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).expect("a key"),
        )
        .expect("a certificate");
    let acceptor = TlsAcceptor::from(Arc::new(config));

    let server = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let server_address = server.local_addr().expect("a bound socket");
    tokio::spawn(async move {
        while let Ok((stream, _)) = server.accept().await {
            let (acceptor, target) = (acceptor.clone(), target.clone());
            tokio::spawn(async move {
                let mut clear = acceptor.accept(stream).await?;
                let mut behind = TcpStream::connect(target).await?;
                copy_bidirectional(&mut clear, &mut behind).await
            });
        }
    });

    let proxy = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let proxy_address = proxy.local_addr().expect("a bound socket");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = proxy.accept().await {
            tokio::spawn(async move {
                // `CONNECT smc.office.test:443`, to the empty line; all else is the two ends' own.
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await?);
                }
                let mut behind = TcpStream::connect(server_address).await?;
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
                copy_bidirectional(&mut stream, &mut behind).await
            });
        }
    });
    Office {
        proxy: format!("http://{proxy_address}"),
        authority: authority.pem(),
    }
}
