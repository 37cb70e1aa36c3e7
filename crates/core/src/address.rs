//! Is an address this machine's own, and can what is sent there be read on the way?
//!
//! One answer for endpoints, for services that issue credentials, and for proxies: whatever is not
//! loopback is another machine.

use std::borrow::Cow;
use std::fmt;

use url::{Host, Url};

/// Whether an address is this machine's own, so that nobody is on the way and no proxy knows it.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.to_canonical().is_loopback(),
        None => false,
    }
}

/// Whether what is sent there can be read on the way: plain HTTP to another machine.
pub(crate) fn is_exposed(url: &Url) -> bool {
    url.scheme() == "http" && !is_loopback(url)
}

/// Refuses plain HTTP to another machine unless that is allowed.
pub(crate) fn guard(url: &Url, allow_http: bool) -> Result<(), Exposed> {
    if allow_http || !is_exposed(url) {
        return Ok(());
    }
    Err(Exposed(url.origin().ascii_serialization()))
}

/// An address that is refused: what is wrong and what to do, together where it is printed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Exposed(String);

impl Exposed {
    /// What to do.
    pub(crate) const HINT: &str = "Use https://, or allow it with `allow_http(true)`";

    /// What is wrong.
    pub(crate) fn message(&self) -> String {
        format!(
            "{} is plain HTTP to another machine, so that anyone on the way could read the credentials",
            self.0
        )
    }
}

impl fmt::Display for Exposed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}. {}", self.message(), Self::HINT)
    }
}

/// An address as messages may show it: without user, password and query, broken or not.
pub(crate) fn shown(address: &str) -> Cow<'_, str> {
    let end = |text: &str| text.find(['?', '#']).unwrap_or(text.len());
    match address.rsplit_once('@') {
        Some((before, host)) => {
            let scheme = before
                .split_once("://")
                .map(|(scheme, _)| scheme)
                .filter(|scheme| scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()));
            let host = &host[..end(host)];
            Cow::Owned(match scheme {
                Some(scheme) => format!("{scheme}://..@{host}"),
                None => format!("..@{host}"),
            })
        }
        // Cut before its `@`, `user:password` looks like a host and a port.
        None => {
            let address = &address[..end(address)];
            let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
            let port = rest
                .split('/')
                .next()
                .and_then(|host| host.rsplit_once(':'));
            let odd = |(_, port): (&str, &str)| {
                !port.bytes().all(|byte| byte.is_ascii_digit()) && !port.ends_with(']')
            };
            if port.is_some_and(odd) {
                return Cow::Owned(format!("{scheme}://.."));
            }
            Cow::Borrowed(address)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(address: &str) -> Url {
        Url::parse(address).unwrap()
    }

    #[test]
    fn loopback_in_all_its_forms() {
        for own in [
            "http://localhost",
            "http://LOCALHOST:5000/v3",
            "http://localhost./",
            "http://login.localhost:5000",
            "http://127.0.0.1",
            "http://127.1.2.3:80",
            "http://0x7f.1",
            "http://[::1]:8080",
            "http://[::ffff:127.0.0.1]",
        ] {
            assert!(is_loopback(&url(own)), "{own}");
            assert_eq!(guard(&url(own), false), Ok(()), "{own}");
        }
        for other in [
            "http://localhost.example.com",
            "http://notlocalhost",
            "http://10.0.0.1",
            "http://0.0.0.0",
            "http://[::ffff:10.0.0.1]",
            "http://[::]",
            "http://127.0.0.1.example.com",
        ] {
            assert!(!is_loopback(&url(other)), "{other}");
            assert!(guard(&url(other), false).is_err(), "{other}");
            assert_eq!(guard(&url(other), true), Ok(()), "{other}");
        }
        assert_eq!(guard(&url("https://10.0.0.1"), false), Ok(()));
    }

    #[test]
    fn an_address_is_shown_without_what_may_be_secret() {
        for (address, expected) in [
            ("https://h:1/p", "https://h:1/p"),
            ("https://h/p?token=s3cr3t#s3cr3t", "https://h/p"),
            ("https://me:s3cr3t@h:99999/p", "https://..@h:99999/p"),
            ("https://me:s3?cr3t@h@h:1", "https://..@h:1"),
            ("me:s3cr3t://x@h", "..@h"),
            ("me:s3cr3t@h", "..@h"),
            ("nonsense", "nonsense"),
        ] {
            assert_eq!(shown(address), expected, "{address}");
        }
    }
}
