//! What has the cloud been asked? A record of each request as it came and what became of it.

use std::fmt;

use crate::wire::Service;

/// A request that reached the local cloud, as it was sent.
#[derive(Clone)]
#[non_exhaustive]
pub struct SeenRequest {
    /// The service whose port it came to.
    pub service: Service,
    /// Name of the operation that the request addresses, if it addresses one.
    pub operation: Option<String>,
    /// The verb, as sent.
    pub method: String,
    /// The target of the request line, byte for byte up to a `#`.
    pub target: String,
    /// Headers in the order of the wire, names in lower case; those of one name stand together.
    pub headers: Vec<(String, String)>,
    /// The body, without transfer encoding.
    pub body: Vec<u8>,
    /// The status that was answered; `None` when the client got no answer.
    pub status: Option<u16>,
    /// Why the service refused: what it expected and what came. `None` when it did not refuse.
    pub verdict: Option<String>,
    /// Name of the fault that was applied, if one was.
    pub fault: Option<&'static str>,
}

impl SeenRequest {
    /// First value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// First value of a query or form member, decoded.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        let form = std::str::from_utf8(&self.body).unwrap_or("");
        crate::encode::pairs(query)
            .into_iter()
            .chain(crate::encode::pairs(form))
            .find_map(|(key, value)| (key == name).then_some(value))
    }
}

/// Shows what a failing assertion needs, and neither header values nor body.
impl fmt::Debug for SeenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.target.split('?').next().unwrap_or("");
        f.debug_struct("SeenRequest")
            .field("service", &self.service)
            .field("operation", &self.operation)
            .field("method", &self.method)
            .field("path", &path)
            .field("status", &self.status)
            .field("verdict", &self.verdict)
            .field("fault", &self.fault)
            .finish_non_exhaustive()
    }
}
