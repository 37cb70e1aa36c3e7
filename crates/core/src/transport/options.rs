//! How does a client connect: whom does it trust, through which proxy, and how much does it read?

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use url::Url;

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

/// The proxy at `text`: `http://host:port`, with or without user and password, or `host:port`.
pub(super) fn proxy(text: &str) -> Result<reqwest::Proxy, String> {
    const FORM: &str = "write http://host:port";
    let wrong = |why: &str| format!("`{}` is no proxy: {why}", address::shown(text));
    let full = if text.contains("://") {
        text.to_owned()
    } else if text
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok())
    {
        format!("http://{text}")
    } else {
        return Err(wrong(FORM));
    };
    let url = Url::parse(&full).map_err(|_| wrong(FORM))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("only proxies by http:// and https:// are supported"));
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("it must end with the port"));
    }
    if url.password().is_some() && address::is_exposed(&url) {
        tracing::warn!(
            proxy = %address::shown(&full),
            "the proxy's password goes over plain HTTP: anyone between here and the proxy can read it"
        );
    }
    reqwest::Proxy::all(url).map_err(|_| wrong(FORM))
}

/// The variables that count without a proxy of the client's own; of two, the first that is set.
const VARIABLES: [[&str; 2]; 3] = [
    ["HTTPS_PROXY", "https_proxy"],
    ["HTTP_PROXY", "http_proxy"],
    ["ALL_PROXY", "all_proxy"],
];

/// What was said of each variable.
static UNUSABLE: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// What a person should hear about proxies that this process was told of and cannot use.
pub(crate) fn warnings() -> Vec<String> {
    let unusable = UNUSABLE.lock().unwrap_or_else(PoisonError::into_inner);
    unusable.iter().cloned().collect()
}

/// Warns, once for each, of variables that reqwest passes over without a word.
pub(super) fn check_environment() {
    for warning in unusable(|name| std::env::var(name).ok()) {
        let mut known = UNUSABLE.lock().unwrap_or_else(PoisonError::into_inner);
        if known.insert(warning.clone()) {
            drop(known);
            tracing::warn!("{warning}");
        }
    }
}

fn unusable(variable: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let set = |names: [&'static str; 2]| {
        names
            .into_iter()
            .find_map(|name| Some((name, variable(name)?)))
    };
    let mut warnings = Vec::new();
    for (name, value) in VARIABLES.into_iter().filter_map(set) {
        let is_usable = value.parse::<http::Uri>().is_ok_and(|uri| {
            uri.authority().is_some() && matches!(uri.scheme_str(), None | Some("http" | "https"))
        });
        if !value.is_empty() && !is_usable {
            let value = address::shown(&value);
            warnings.push(format!(
                "{name} is no proxy that can be used, and requests go past it: `{value}`; write http://host:port"
            ));
        }
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_of_the_environment_that_cannot_be_used_are_named() {
        let of = |name: &'static str, value: &'static str| {
            unusable(move |asked| (asked == name).then(|| value.to_owned()))
        };
        for good in [
            "http://proxy.example:3128",
            "proxy.example:3128",
            "https://me:x@proxy",
            "",
        ] {
            assert_eq!(of("HTTPS_PROXY", good), [""; 0], "{good}");
        }
        for bad in [
            "://bad",
            "socks5://127.0.0.1:1080",
            "http://",
            "/proxy",
            "http://me:s3cr3t@a b",
        ] {
            for name in ["HTTPS_PROXY", "http_proxy", "ALL_PROXY"] {
                let warnings = of(name, bad);
                assert_eq!(warnings.len(), 1, "{bad}");
                assert!(warnings[0].starts_with(name), "{warnings:?}");
                assert!(!warnings[0].contains("s3cr3t"), "{warnings:?}");
            }
        }
        assert_eq!(of("NO_PROXY", "://bad"), [""; 0]);
        // Of two names the capital one counts, even where the other is good.
        let both = unusable(|name| match name {
            "HTTPS_PROXY" => Some("://bad".into()),
            "https_proxy" => Some("http://proxy.example:1".into()),
            _ => None,
        });
        assert_eq!(both.len(), 1);
    }

    #[test]
    fn a_proxy_is_an_address_and_nothing_else() {
        for good in [
            "http://proxy.example:3128",
            "https://proxy.example",
            "http://me:s3cr3t@proxy.example:3128/",
            "proxy.example:3128",
            "10.0.0.1:80",
            "http://[::1]:3128",
        ] {
            assert!(proxy(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "nonsense",
            "::",
            "http://",
            "http://:3128",
            "proxy.example:99999",
            "socks5://proxy.example:1080",
            "ftp://proxy.example",
            "http://proxy.example:3128/path",
            "http://proxy.example:3128?x=1",
            "http://me:s3cr3t@:1",
            "http://me:s3cr3t@proxy example",
            "me:s3cr3t@proxy",
        ] {
            let error = proxy(bad).unwrap_err();
            assert!(error.contains("is no proxy"), "{error}");
            assert!(!error.contains("s3cr3t"), "{error}");
        }
    }

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
