//! What do the settings of the vendors' tools say about TLS, and is it safe to do so?
//!
//! Certificates are named by their files there, and some tools can be told not to check those of
//! servers at all. What a program sets itself counts more.

use std::path::{Path, PathBuf};

use crate::record::Secret;
use crate::transport::{self, ClientCertificate, HttpOptions};

use super::{CredentialError, Environment, file, misconfigured};

const NAME: &str = "TLS settings";

/// Certificates for TLS, as variables or a configuration file name them.
///
/// Paths may start with `~/`; others are relative to the working directory, as the tools take them.
#[derive(Debug, Clone, Default)]
pub struct TlsSettings {
    pub(crate) authority: Option<Named>,
    pub(crate) certificate: Option<Named>,
    pub(crate) key: Option<Named>,
    /// Whether certificates of servers are checked.
    pub(crate) verify: Option<Named>,
    /// The same, the other way round.
    pub(crate) insecure: Option<Named>,
}

/// A value, and what it is called where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    pub(crate) called: String,
    pub(crate) value: String,
}

impl TlsSettings {
    /// Trusts the authority whose certificate is in the file `path`; `called` names the setting.
    pub fn ca_file(called: impl Into<String>, path: impl Into<String>) -> Self {
        Self {
            authority: Some(Named {
                called: called.into(),
                value: path.into(),
            }),
            ..Self::default()
        }
    }

    /// Adds the settings to `http`, unless it has its own. Files are read now.
    ///
    /// An error names the setting and the file that cannot be used. A setting that tells not to check
    /// certificates is an error too, unless `http` says whether that is meant.
    pub fn apply(
        &self,
        environment: &Environment,
        http: &mut HttpOptions,
    ) -> Result<(), CredentialError> {
        if let Some(said) = self.unverified()?
            && http.accept_invalid_certs.is_none()
        {
            let message = format!(
                "{} is `{}`: without checking certificates, anyone on the way could read the credentials",
                said.called, said.value
            );
            return Err(misconfigured(NAME, message).with_hint(
                "Name the authority's certificate instead (`cacert`, OS_CACERT), or allow it with `danger_accept_invalid_certs(true)`",
            ));
        }
        if http.extra_ca.is_empty()
            && let Some(named) = &self.authority
        {
            let (path, pem) = named.read(environment, file::read_public)?;
            let pem = pem.expose().as_bytes();
            transport::certificates(pem).map_err(|why| named.wrong(&path, why))?;
            http.extra_ca.push(pem.to_vec());
        }
        if http.client_certificate.is_none() {
            http.client_certificate = self.own(environment)?;
        }
        Ok(())
    }

    /// The setting that tells not to check certificates.
    fn unverified(&self) -> Result<Option<&Named>, CredentialError> {
        if let Some(insecure) = &self.insecure
            && insecure.flag()?
        {
            return Ok(Some(insecure));
        }
        match &self.verify {
            Some(verify) if !verify.flag()? => Ok(Some(verify)),
            _ => Ok(None),
        }
    }

    /// The client's own certificate. Without a file of its own, the key stands beside it.
    fn own(&self, environment: &Environment) -> Result<Option<ClientCertificate>, CredentialError> {
        let Some(named) = &self.certificate else {
            return match &self.key {
                None => Ok(None),
                Some(key) => {
                    let message = format!("{} is set, but no certificate is", key.called);
                    Err(misconfigured(NAME, message)
                        .with_hint("Set `cert` (OS_CERT) to the certificate's file"))
                }
            };
        };
        let beside = self.key.as_ref().unwrap_or(named);
        let (path, certificate) = named.read(environment, file::read_public)?;
        let certificate = certificate.expose().as_bytes().to_vec();
        transport::certificates(&certificate).map_err(|why| named.wrong(&path, why))?;
        let (key_path, key) = beside.read(environment, file::read)?;
        transport::private_key(&key).map_err(|why| beside.wrong(&key_path, why))?;
        let own = ClientCertificate { certificate, key };
        transport::check_pair(&own).map_err(|why| beside.wrong(&key_path, why))?;
        Ok(Some(own))
    }
}

impl Named {
    /// Yes or no, in the words that YAML and the tools know.
    fn flag(&self) -> Result<bool, CredentialError> {
        let value = self.value.to_ascii_lowercase();
        match value.as_str() {
            "true" | "yes" | "on" | "y" | "t" | "1" => Ok(true),
            "false" | "no" | "off" | "n" | "f" | "0" => Ok(false),
            _ => Err(misconfigured(
                NAME,
                format!("{} is neither true nor false", self.called),
            )),
        }
    }

    fn read(
        &self,
        environment: &Environment,
        read: impl Fn(&'static str, &Path) -> Result<Option<Secret>, CredentialError>,
    ) -> Result<(PathBuf, Secret), CredentialError> {
        if self.value.contains(['\n', '\r']) || self.value.contains("-----BEGIN") {
            let message = format!("{} holds a text, not the name of a file", self.called);
            return Err(
                misconfigured(NAME, message).with_hint("Write the text to a file, and name that")
            );
        }
        let path = file::expand(environment, &self.value);
        match read(NAME, &path) {
            Ok(Some(text)) => Ok((path, text)),
            Ok(None) => Err(self.wrong(&path, "it does not exist")),
            Err(error) => Err(CredentialError {
                message: format!("{}: {}", self.called, error.message),
                ..error
            }),
        }
    }

    fn wrong(&self, path: &Path, why: &str) -> CredentialError {
        let message = format!("{} names {}, but {why}", self.called, path.display());
        misconfigured(NAME, message).with_hint(format!("Correct the file or {}", self.called))
    }
}

#[cfg(test)]
mod tests;
