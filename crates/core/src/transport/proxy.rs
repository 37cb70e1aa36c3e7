//! Which proxy does a request go through?
//!
//! The one that the client was told, or else that of the environment. Of the latter a text that is no
//! proxy's is passed over, and requests to a proxy by SOCKS fail; a warning says so.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use url::Url;

use crate::address;

use super::options::HttpOptions;

/// The proxies of a client.
#[derive(Clone)]
pub(super) struct Proxy(Option<Arc<Matcher>>);

impl Proxy {
    /// No proxy at all.
    pub(super) const NONE: Self = Self(None);

    /// What `options` say, or else the environment of now. The error says what is wrong with the
    /// address.
    pub(super) fn new(options: &HttpOptions) -> Result<Self, String> {
        let matcher = match &options.proxy {
            Some(text) => Matcher::builder().all(address_of(text)?).build(),
            None if options.no_proxy => return Ok(Self::NONE),
            None => {
                check_environment();
                Matcher::from_env()
            }
        };
        Ok(Self(Some(Arc::new(matcher))))
    }

    /// The proxy for a request to `to`. The environment may name one by SOCKS, which makes no connections.
    pub(super) fn of(&self, to: &Uri) -> Option<Intercept> {
        self.0.as_ref()?.intercept(to)
    }
}

/// The address of the proxy at `text`: `http://host:port`, with or without user and password, or
/// `host:port`.
fn address_of(text: &str) -> Result<String, String> {
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
    // A host of a URL may hold what one of HTTP may not, such as `{`, and requests would go past it.
    if url.as_str().parse::<Uri>().is_err() {
        return Err(wrong(FORM));
    }
    if url.password().is_some() && address::is_exposed(&url) {
        tracing::warn!(
            proxy = %address::shown(&full),
            "the proxy's password goes over plain HTTP: anyone between here and the proxy can read it"
        );
    }
    Ok(url.into())
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

/// Warns, once for each, of variables that name no proxy that can be used.
fn check_environment() {
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
        let uri = value.parse::<Uri>().ok();
        let uri = uri.filter(|uri| uri.authority().is_some());
        let then = match uri.as_ref().map(Uri::scheme_str) {
            Some(None | Some("http" | "https")) => continue,
            Some(Some("socks4" | "socks4a" | "socks5" | "socks5h")) => "fail",
            Some(Some(_)) | None => "go past it",
        };
        if !value.is_empty() {
            let value = address::shown(&value);
            warnings.push(format!(
                "{name} is no proxy that can be used, and requests {then}: `{value}`; write http://host:port"
            ));
        }
    }
    warnings
}

#[cfg(test)]
mod tests {
    use std::error::Error as StdError;
    use std::time::Duration;

    use tower_service::Service as _;

    use crate::transport::connect::Connector;

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
            assert!(address_of(good).is_ok(), "{good}");
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
            "http://${PROXY}:3128",
            "http://{proxy}:3128",
            "http://me:s3cr3t@\"proxy\":3128",
        ] {
            let error = address_of(bad).unwrap_err();
            assert!(error.contains("is no proxy"), "{error}");
            assert!(!error.contains("s3cr3t"), "{error}");
        }
    }

    /// A proxy by SOCKS may be there so that nobody sees who asks: requests never go past it.
    #[tokio::test]
    async fn requests_to_a_proxy_by_socks_fail() {
        let tls = crate::transport::tls_config(&HttpOptions::default()).unwrap();
        let tls = Arc::new(tls);
        for scheme in ["socks4", "socks4a", "socks5", "socks5h"] {
            let address = format!("{scheme}://me:s3cr3t@127.0.0.1:9");
            let warnings = unusable(|name| (name == "ALL_PROXY").then(|| address.clone()));
            assert!(warnings[0].contains("requests fail"), "{warnings:?}");
            assert!(!warnings[0].contains("s3cr3t"), "{warnings:?}");
            for to in ["http://127.0.0.1:9/", "https://127.0.0.1:9/"] {
                let proxy = Proxy(Some(Arc::new(Matcher::builder().all(&address).build())));
                let patience = Duration::from_secs(1);
                let mut connector = Connector::new(Arc::clone(&tls), proxy, patience);
                let Err(error) = connector.call(Uri::from_static(to)).await else {
                    panic!("connected to nobody");
                };
                let mut innermost: &dyn StdError = &*error;
                while let Some(inner) = innermost.source() {
                    innermost = inner;
                }
                let expected = format!("unsupported scheme {scheme}");
                assert_eq!(innermost.to_string(), expected, "{to}");
            }
        }
    }
}
