//! How does a client that insists on HTTPS reach a cloud on this machine? The cloud is its own
//! authority: it makes one at each start, and a certificate by it for the names of this machine. The
//! authority's key is forgotten at once, so that nothing else can ever be signed by what clients trust.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// What makes connections secret, and what clients must trust for it.
#[derive(Clone)]
pub(crate) struct Tls {
    pub(crate) acceptor: TlsAcceptor,
    /// The authority's certificate in PEM.
    pub(crate) authority: String,
}

impl Tls {
    /// For a cloud that listens on `host`; its own names are always in.
    pub(crate) fn new(host: IpAddr) -> io::Result<Self> {
        let (authority, certificate, key) = issue(host).map_err(io::Error::other)?;
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = builder
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.into()], key)
            .map_err(io::Error::other)?;
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            authority,
        })
    }
}

type Issued = (String, Vec<u8>, PrivateKeyDer<'static>);

/// The authority in PEM, and a certificate by it with its key.
fn issue(host: IpAddr) -> Result<Issued, rcgen::Error> {
    let mut authority = params([], "Cumulo local cloud, authority")?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;

    let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
    if !host.is_loopback() && !host.is_unspecified() {
        names.push(host.to_string());
    }
    let mut own = params(names, "Cumulo local cloud")?;
    own.use_authority_key_identifier_extension = true;
    own.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    own.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    let certificate = own.signed_by(&key, &authority)?;
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    Ok((authority.pem(), certificate.der().to_vec(), key))
}

/// Valid from yesterday, for clocks that are late, to in a year.
fn params(
    names: impl Into<Vec<String>>,
    common_name: &str,
) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let moment = |date: jiff::civil::Date| {
        rcgen::date_time_ymd(date.year().into(), date.month() as u8, date.day() as u8)
    };
    params.not_before = moment(today.saturating_sub(1.day()));
    params.not_after = moment(today.saturating_add(365.days()));
    Ok(params)
}
