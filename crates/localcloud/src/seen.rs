//! What has the cloud been asked? A record of each request as it came and what became of it.

use std::collections::VecDeque;
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
    /// The bytes that it was sent in, nearly.
    fn weight(&self) -> usize {
        let headers = self.headers.iter();
        let headers: usize = headers.map(|(name, value)| name.len() + value.len()).sum();
        self.target.len() + headers + self.body.len()
    }

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

/// How many bytes of requests a bounded record holds.
const ROOM: usize = 16 << 20;

/// The requests so far, or the newest of them.
pub(crate) struct Record {
    most: Option<usize>,
    room: usize,
    taken: usize,
    requests: VecDeque<SeenRequest>,
}

impl Record {
    /// A record of the newest `most` requests, or of all.
    pub(crate) fn new(most: Option<usize>) -> Self {
        Self {
            most,
            room: ROOM,
            taken: 0,
            requests: VecDeque::new(),
        }
    }

    /// Keeps `request` as the newest, and drops the oldest as far as there is no room for them.
    pub(crate) fn push(&mut self, request: SeenRequest) {
        self.taken += request.weight();
        self.requests.push_back(request);
        let Some(most) = self.most else { return };
        while self.requests.len() > most || self.taken > self.room {
            let Some(oldest) = self.requests.pop_front() else {
                return;
            };
            self.taken -= oldest.weight();
        }
    }

    /// From the oldest to the newest.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &SeenRequest> {
        self.requests.iter()
    }

    pub(crate) fn clear(&mut self) {
        self.requests.clear();
        self.taken = 0;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn request(number: usize, length: usize) -> SeenRequest {
        SeenRequest {
            service: Service::Smc,
            operation: None,
            method: "POST".to_owned(),
            target: format!("/{number:04}"),
            headers: Vec::new(),
            body: vec![0; length],
            status: Some(200),
            verdict: None,
            fault: None,
        }
    }

    fn left(most: Option<usize>, room: usize, lengths: &[usize]) -> Vec<String> {
        let mut record = Record::new(most);
        record.room = room;
        for (number, length) in lengths.iter().enumerate() {
            record.push(request(number, *length));
        }
        let sum: usize = record.iter().map(SeenRequest::weight).sum();
        assert_eq!(record.taken, sum);
        record.iter().map(|seen| seen.target.clone()).collect()
    }

    #[test]
    fn the_newest_are_kept() {
        assert_eq!(left(Some(2), ROOM, &[0; 5]), ["/0003", "/0004"]);
        assert_eq!(left(Some(0), ROOM, &[0; 5]), [""; 0]);
        assert_eq!(left(None, 1, &[10; 3]).len(), 3);
        // Each has a target of five bytes.
        assert_eq!(left(Some(9), 30, &[10, 10, 10]), ["/0001", "/0002"]);
        assert_eq!(left(Some(9), 30, &[10, 30]), [""; 0]);
    }

    #[test]
    fn what_is_forgotten_makes_room() {
        let mut record = Record::new(Some(9));
        record.room = 30;
        record.push(request(0, 20));
        record.clear();
        record.push(request(1, 20));
        assert_eq!(record.iter().count(), 1);
    }
}
