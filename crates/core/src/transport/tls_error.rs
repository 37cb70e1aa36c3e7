//! What does a failure of TLS mean, and what can a person do about it?
//!
//! What a server's certificate says comes from whoever answered, so that only plain names of it are
//! shown.

use rustls::pki_types::{ServerName, UnixTime};
use rustls::{AlertDescription, CertificateError, InvalidMessage};

use crate::sign::time::iso8601;

use super::error::Cause;
use super::trust::NoAuthorities;

/// What a failure of TLS means, unless it may pass by itself.
///
/// With TLS 1.3 a client learns after it has sent its request that its certificate is not accepted;
/// the server has not read the request then. Other failures of that time may have hit an answer.
pub(super) fn of_tls(error: &rustls::Error, connecting: bool) -> Option<Cause> {
    match error {
        rustls::Error::InvalidCertificate(reason) => Some(of_certificate(reason)),
        rustls::Error::AlertReceived(alert) => of_alert(*alert, connecting),
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) if connecting => {
            Some(Cause::new(
                "the server speaks plain HTTP, or something else that is not TLS",
                "Check the port; is the address meant to start with http://?",
            ))
        }
        rustls::Error::PeerIncompatible(_) if connecting => Some(no_common_version()),
        rustls::Error::Other(other) => other.0.downcast_ref().map(|none: &NoAuthorities| {
            Cause::new(
                none.to_string(),
                "Install its package of them (`ca-certificates`), or add one with `extra_ca(..)`",
            )
        }),
        _ => None,
    }
}

fn of_certificate(reason: &CertificateError) -> Cause {
    const RENEW: &str =
        "Check this machine's clock; if it is right, the server needs a new certificate";
    match reason {
        CertificateError::UnknownIssuer => Cause::new(
            "the server's certificate is signed by an unknown authority",
            "Trust the authority by adding its certificate with `extra_ca(..)`",
        ),
        CertificateError::ExpiredContext { not_after, .. } => Cause::new(
            format!(
                "the server's certificate expired on {}",
                written(*not_after)
            ),
            RENEW,
        ),
        CertificateError::Expired => Cause::new("the server's certificate has expired", RENEW),
        CertificateError::NotValidYetContext { not_before, .. } => Cause::new(
            format!(
                "the server's certificate is not valid before {}",
                written(*not_before)
            ),
            "Check this machine's clock",
        ),
        CertificateError::NotValidYet => Cause::new(
            "the server's certificate is not valid yet",
            "Check this machine's clock",
        ),
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => Cause::new(
            format!(
                "the certificate is for {}, not {}",
                names(presented),
                host(expected)
            ),
            "Check the address, and that nothing on the way answers in the server's place",
        ),
        CertificateError::NotValidForName => Cause::new(
            "the certificate is for another name",
            "Check the address, and that nothing on the way answers in the server's place",
        ),
        CertificateError::Revoked => Cause::new(
            "the server's certificate was revoked",
            "Do not trust this server until it has a new certificate",
        ),
        CertificateError::BadSignature => Cause::new(
            "the server's certificate is not signed by the authority that it names",
            "It may be self-signed, or the authority may have another key: add the present certificate with `extra_ca(..)`",
        ),
        CertificateError::BadEncoding => Cause::new(
            "the server's certificate cannot be read",
            "The server needs another certificate",
        ),
        // webpki has a reason for this that rustls has not.
        other if other.to_string().contains("CaUsedAsEndEntity") => Cause::new(
            "the server shows the certificate of an authority as its own",
            "Issue one with basicConstraints CA:FALSE: `openssl req -x509` does so with `-addext basicConstraints=critical,CA:FALSE`",
        ),
        other => Cause::new(
            format!(
                "the server's certificate is not accepted: {}",
                plain(&other.to_string())
            ),
            "The server needs another certificate",
        ),
    }
}

fn of_alert(alert: AlertDescription, connecting: bool) -> Option<Cause> {
    const CERTIFICATE: &str = "Give the client one that the server knows, with `client_certificate(..)` or OS_CERT and OS_KEY";
    match alert {
        AlertDescription::CertificateRequired => Some(Cause::new(
            "the server asks for a client certificate",
            CERTIFICATE,
        )),
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateUnknown
        | AlertDescription::DecryptError
        | AlertDescription::UnknownCA => Some(Cause::new(
            format!("the server does not accept the client's certificate ({alert:?})"),
            CERTIFICATE,
        )),
        AlertDescription::AccessDenied if connecting => Some(Cause::new(
            "the server refuses the connection (AccessDenied)",
            CERTIFICATE,
        )),
        AlertDescription::HandshakeFailure => connecting.then(|| {
            Cause::new(
                "the server refuses the TLS handshake: no version or cipher suite in common, or it asks for a client certificate",
                "Check that the server offers TLS 1.2 or 1.3, and whether it wants a certificate (`client_certificate(..)` or OS_CERT and OS_KEY)",
            )
        }),
        AlertDescription::ProtocolVersion | AlertDescription::InsufficientSecurity => {
            connecting.then(no_common_version)
        }
        AlertDescription::UnrecognisedName => connecting.then(|| {
            Cause::plain("the server knows no host of this name")
        }),
        _ => None,
    }
}

fn no_common_version() -> Cause {
    Cause::new(
        "the server and this client have no version or cipher suite of TLS in common",
        "Let the server offer TLS 1.2 or 1.3",
    )
}

fn written(at: UnixTime) -> String {
    i64::try_from(at.as_secs()).map_or_else(|_| "a day far away".into(), iso8601)
}

fn host(name: &ServerName<'_>) -> String {
    plain(&name.to_str())
}

/// The names that a certificate holds: `DnsName("a.example")` as it is told here.
fn names(presented: &[String]) -> String {
    const MOST: usize = 5;
    let mut all: Vec<String> = presented
        .iter()
        .take(MOST)
        .map(|name| {
            let inner = name
                .split_once('(')
                .map_or(name.as_str(), |(_, inner)| inner);
            plain(inner.trim_matches([')', '"']))
        })
        .collect();
    if all.is_empty() {
        return "no host at all".into();
    }
    if presented.len() > MOST {
        all.push("..".into());
    }
    all.join(", ")
}

/// As much of a text as cannot do harm in a message or on a terminal.
fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_ascii_graphic() || *c == ' ')
        .take(200)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::error::Error as StdError;
    use std::{fmt, io};

    use crate::transport::error::find;

    use super::*;

    #[test]
    fn an_authority_in_a_servers_place_is_told_as_such() {
        #[derive(Debug)]
        struct CaUsedAsEndEntity;
        impl fmt::Display for CaUsedAsEndEntity {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("CaUsedAsEndEntity")
            }
        }
        impl StdError for CaUsedAsEndEntity {}
        let reason = rustls::OtherError(std::sync::Arc::new(CaUsedAsEndEntity));
        let fault = of_certificate(&CertificateError::Other(reason));
        assert!(
            fault.to_string().contains("of an authority as its own"),
            "{fault}"
        );
        assert!(fault.advice().unwrap().contains("CA:FALSE"));
    }

    fn told(error: rustls::Error) -> String {
        // As hyper hands it over: wrapped twice, the inner one hidden from `source`.
        let inner = io::Error::new(io::ErrorKind::InvalidData, error);
        let outer = io::Error::other(inner);
        let found = find(&outer).expect("it is found");
        let fault = of_tls(found, true).expect("it is known");
        format!("{fault}. {}", fault.advice().unwrap_or_default())
    }

    #[test]
    fn certificates_say_what_is_wrong_and_what_to_do() {
        let certificate = |reason| told(rustls::Error::InvalidCertificate(reason));
        let at = |seconds| UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        for (reason, what, advice) in [
            (
                CertificateError::UnknownIssuer,
                "unknown authority",
                "extra_ca(..)",
            ),
            (
                CertificateError::ExpiredContext {
                    time: at(1_767_225_600),
                    not_after: at(1_735_689_600),
                },
                "expired on 2025-01-01T00:00:00Z",
                "clock",
            ),
            (CertificateError::Expired, "has expired", "clock"),
            (
                CertificateError::NotValidYetContext {
                    time: at(0),
                    not_before: at(1_735_689_600),
                },
                "not valid before 2025-01-01T00:00:00Z",
                "clock",
            ),
            (CertificateError::NotValidYet, "not valid yet", "clock"),
            (CertificateError::Revoked, "revoked", "Do not trust"),
            (
                CertificateError::BadSignature,
                "not signed by the authority that it names",
                "extra_ca(..)",
            ),
            (
                CertificateError::BadEncoding,
                "cannot be read",
                "another certificate",
            ),
            (
                CertificateError::NotValidForName,
                "another name",
                "Check the address",
            ),
            (
                CertificateError::UnhandledCriticalExtension,
                "not accepted",
                "another certificate",
            ),
        ] {
            let text = certificate(reason);
            assert!(text.contains(what) && text.contains(advice), "{text}");
        }
    }

    #[test]
    fn names_of_a_strangers_certificate_cannot_do_harm() {
        let presented = vec![
            "DnsName(\"a.example\")".to_owned(),
            "IpAddress(10.0.0.1)".to_owned(),
            "DnsName(\"\u{1b}[31mevil\n\")".to_owned(),
        ];
        let error = CertificateError::NotValidForNameContext {
            expected: ServerName::try_from("b.example").unwrap(),
            presented,
        };
        let text = told(rustls::Error::InvalidCertificate(error));
        assert!(
            text.starts_with("the certificate is for a.example, 10.0.0.1, [31mevil, not b.example"),
            "{text}"
        );
        let many = vec!["x".repeat(10_000); 10_000];
        assert!(names(&many).len() < 1100);
        assert_eq!(names(&[]), "no host at all");
    }

    #[test]
    fn alerts_after_the_handshake_are_about_the_clients_certificate_or_unclear() {
        for (alert, connecting, later) in [
            (AlertDescription::CertificateRequired, true, true),
            (AlertDescription::UnknownCA, true, true),
            (AlertDescription::DecryptError, true, true),
            (AlertDescription::HandshakeFailure, true, false),
            (AlertDescription::ProtocolVersion, true, false),
            (AlertDescription::UnrecognisedName, true, false),
            (AlertDescription::AccessDenied, true, false),
            (AlertDescription::InternalError, false, false),
            (AlertDescription::CloseNotify, false, false),
        ] {
            assert_eq!(of_alert(alert, true).is_some(), connecting, "{alert:?}");
            assert_eq!(of_alert(alert, false).is_some(), later, "{alert:?}");
        }
    }
}
