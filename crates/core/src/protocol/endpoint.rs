//! Where does a service answer, and how do an address, its prefix and an operation's path become one?

use url::Url;

use crate::address;

/// Where a service answers.
#[derive(Debug, Clone)]
pub struct Endpoint {
    url: Url,
    host: String,
}

impl Endpoint {
    /// Parses an address such as `https://service.example`, with a path prefix where there is one.
    pub fn parse(address: &str) -> Result<Self, String> {
        let shown = address::shown(address);
        let mut url =
            Url::parse(address).map_err(|error| format!("`{shown}` is no URL: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(format!("`{shown}` must start with https:// (or http://)"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("an endpoint must not hold a user name or password".into());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(format!(
                "`{shown}` goes on with `?` or `#`, which an endpoint cannot have"
            ));
        }
        let prefix = url.path().trim_end_matches('/').to_owned();
        url.set_path(&prefix);
        let host = match (url.host_str(), url.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (host, _) => host.unwrap_or_default().to_owned(),
        };
        Ok(Self { url, host })
    }

    /// Parses an address that may go on with `version` and more, as in service catalogs; the paths of
    /// operations name these themselves.
    pub fn unversioned(address: &str, version: &str) -> Result<Self, String> {
        let mut endpoint = Self::parse(address)?;
        let path = endpoint.url.path();
        let end = path
            .match_indices(version)
            .map(|(at, _)| at)
            .find(|at| matches!(path.as_bytes().get(at + version.len()), None | Some(b'/')));
        if let Some(end) = end {
            let prefix = path[..end].to_owned();
            endpoint.url.set_path(&prefix);
        }
        Ok(endpoint)
    }

    /// The address below `path`, where it names no path itself.
    pub(crate) fn or_below(mut self, path: &str) -> Self {
        if self.prefix().is_empty() {
            self.url.set_path(path);
        }
        self
    }

    /// Host, and port unless it is the scheme's default: the `Host` header.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The address.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The path before that of operations, such as `/prefix`; empty for none.
    pub fn prefix(&self) -> &str {
        match self.url.path() {
            "/" => "",
            prefix => prefix,
        }
    }

    /// The address of `path` (encoded, with a leading slash) below the prefix.
    pub fn join(&self, path: &str, query: &str) -> Url {
        let mut url = self.url.clone();
        if !(path == "/" && self.prefix().is_empty()) {
            let prefix = self.prefix();
            if prefix.is_empty() {
                url.set_path(path);
            } else {
                url.set_path(&format!("{prefix}{path}"));
            }
        }
        url.set_query((!query.is_empty()).then_some(query));
        url
    }
}

#[cfg(test)]
mod tests {
    use super::Endpoint;

    #[test]
    fn catalog_addresses_lose_version_and_project() {
        let base = |address| {
            Endpoint::unversioned(address, "/v2")
                .unwrap()
                .url()
                .to_string()
        };
        assert_eq!(
            base("https://apig.eu-de.example/v2/0123"),
            "https://apig.eu-de.example/"
        );
        assert_eq!(base("https://v2.example/v2x/v2"), "https://v2.example/v2x");
        assert_eq!(base("http://127.0.0.1:1/apig"), "http://127.0.0.1:1/apig");
    }

    #[test]
    fn addresses_are_checked() {
        let error = Endpoint::parse("https://me:s3cr3t@h:99999/").unwrap_err();
        assert!(!error.contains("s3cr3t"), "{error}");
        for bad in [
            "",
            "apig.example",
            "ftp://a",
            "https://user:pass@a/",
            "http://",
            "https://a/?x=1",
            "https://a/b#c",
        ] {
            assert!(Endpoint::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(
            Endpoint::parse("http://a:8080/prefix/").unwrap().prefix(),
            "/prefix"
        );
    }
}
